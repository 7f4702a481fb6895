"""A CRM account, and files somebody imported beside it: what a file knows counts, what it does not know spoils nothing.

Two files: one of both published weeks, of a customer who asks twice a day, and one of the spring before, whose last
question nobody answered in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.exports.snapshot import read
from conversations.imports.survey import key_of
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from orchestration import runner
from resources.imports.bring import bring
from resources.settings import Settings
from resources.warehouse.digests import Place, facts
from resources.warehouse.engine import Warehouse
from resources.warehouse.evidence_status import days as counted_days
from resources.warehouse.roles import Role
from tests.importing import tiny_file, written
from tests.pipeline.conftest import FIRST, LAST, WEEKS

pytestmark = pytest.mark.proof

PLACE = Place("Лавка", "Europe/Moscow", None)
STATUSES = """
select 'manager', manager_key, metric, delta_status, completeness, previous_completeness, as_of
from marts.manager_week_delta where week = %(week)s
union all
select 'channel', channel_id, metric, delta_status, completeness, previous_completeness, as_of
from marts.channel_week_delta where week = %(week)s
order by 1, 2, 3
"""


def lines(first: date, days: int, *, last: list[str] | None = None) -> list[str]:
    """Two questions and answers on every day, from 10:00 in Moscow."""
    said = []
    for day in range(days):
        at = datetime(first.year, first.month, first.day, 7, tzinfo=UTC) + timedelta(days=day)
        for n in range(4):
            moment = at + timedelta(minutes=30 * (n // 2) + 3 * (n % 2))
            said.append(f"{moment.isoformat()}|{('Анна', 'Глафира')[n % 2]}|сколько стоит {n}?")
    return [*said, *(last or [])]


class Around(dict[str, Any]):
    """What people read of both weeks."""

    def __init__(self, database: Warehouse) -> None:
        with database.connect() as sql:
            self["rows"] = sql.execute(STATUSES, {"week": WEEKS[1]}).fetchall()
            self["company"] = facts(sql, WEEKS[1], PLACE)
            self["status"] = sql.execute(
                "select week, channel_id, status, reasons, days_complete, as_of from marts.data_status order by 1, 2"
            ).fetchall()
            self["pending"] = sql.execute(
                "select manager_key, pending_now from marts.manager_week where week = %s and pending_now > 0"
                " order by 1",
                [WEEKS[1]],
            ).fetchall()
        self["lists"] = read(database, Policy.default().exports, PLACE.time_zone).judged_until

    def of_the_account(self, name: str) -> list[Any]:
        return [row for row in self[name] if str(row[1]).startswith(("retailcrm", "none", "anna"))]


@pytest.fixture(scope="module")
def before_and_after(
    connected: Warehouse, instance: dg.DagsterInstance, tmp_path_factory: pytest.TempPathFactory, home: Path
) -> Iterator[tuple[Around, Around]]:
    runner.run_days(FIRST, LAST, instance=instance)
    with connected.connect() as sql:
        (account,) = sql.execute("select min(manager_id) from core.managers").fetchone() or ("",)
    (home / "policy.yaml").write_text(
        f"people: {{anna: {{name: Анна, accounts: ['{account}', 'files:{key_of('Глафира')}']}}}}", "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTKLIK_POLICY", str(home / "policy.yaml"))
        policy = Policy.load(Settings().policy_path)
        runner.publish_weeks(*WEEKS, instance=instance)
        before = Around(connected)
        folder = tmp_path_factory.mktemp("files")
        spring = lines(date(2026, 3, 2), 60, last=["2026-05-01T15:00:00+00:00|Анна|а сегодня?", "без времени"])
        for connection, rows in (("files", lines(FIRST, 14)), ("spring", spring)):
            file = tiny_file(written(folder / connection, rows), connection, staff=frozenset({"Глафира"}))
            assert bring(file, connected.as_role(Role.LOADER), policy, Lexicon.default()).chats == 1
        runner.publish_weeks(*WEEKS, instance=instance)
        yield before, Around(connected)


def test_the_account_is_judged_as_before(before_and_after: tuple[Around, Around]) -> None:
    before, after = before_and_after
    assert "data_incomplete" not in {row[3] for row in before["rows"]}
    assert "data_incomplete" not in {row[3] for row in after["rows"]}
    others = [row for row in after.of_the_account("rows") if row[1] != "anna"]
    assert others == [row for row in before.of_the_account("rows") if row[1] != "anna"]
    assert after.of_the_account("status") == before.of_the_account("status")


def test_the_file_is_whole_for_the_days_that_it_covers(
    before_and_after: tuple[Around, Around], connected: Warehouse
) -> None:
    _, after = before_and_after
    of_files = [row[:5] for row in after["status"] if not row[1].startswith("retailcrm")]
    assert of_files == [(week, "files:whatsapp", "ok", "", 7) for week in WEEKS]
    with connected.connect() as sql:
        rows = counted_days(sql, "files:whatsapp", "files", FIRST - timedelta(days=1), LAST)
    assert [(row.reported, row.stored) for row in rows] == [(None, None)] + [(4, 4)] * 14


def test_who_waited_in_spring_does_not_wait_in_autumn(before_and_after: tuple[Around, Around]) -> None:
    before, after = before_and_after
    assert after["pending"] == before["pending"]


def test_the_company_is_known(before_and_after: tuple[Around, Around]) -> None:
    """As of the last day of all; comparable, since both weeks have the file."""
    before, after = before_and_after
    assert before["company"].company.status.value != "data_incomplete"
    assert after["company"].company.status.value not in ("data_incomplete", "not_comparable")
    assert after["company"].as_of == before["company"].as_of
    assert after["lists"] == before["lists"]


def test_a_person_of_both_is_one_row(before_and_after: tuple[Around, Around], connected: Warehouse) -> None:
    with connected.connect() as sql:
        rows = sql.execute(
            "select week, count(*), sum(waits_settled) from marts.manager_week"
            " where manager_name = 'Анна' or manager_key like 'files:%' group by week order by week"
        ).fetchall()
        waits = sql.execute(
            "select w.settled_week, count(*) from evaluated.waits as w"
            " inner join reference.people as p on p.manager_id = w.owner_manager_id and p.person_id = 'anna'"
            " where w.wait_kind = 'message' and w.outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')"
            " and w.settled_week = any(%s) group by 1 order by 1",
            [list(WEEKS)],
        ).fetchall()
    assert [(week, 1, number) for week, number in waits] == rows
    assert all(number >= 28 for _, number in waits)
