"""The marts of days: counted by hand, adding up to their weeks, by person and team of the day, swapped or left."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import partial
from typing import Any

import dagster as dg
import pytest

from assets.marts.dbt import Built, TestResult
from assets.marts.description import marts
from assets.marts.publish import swap_days
from orchestration import runner
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.roles import Role
from tests.pipeline.conftest import FIRST, LAST, WEEKS, environment
from tests.pipeline.counting import BEHAVIOUR, agrees_with_behaviour, agrees_with_waits, persons, rows
from tests.warm_python import WarmPython

KEEP = 3
"""Chats of the shop, one of so many: counting by hand is the same for fewer."""

DAYS = [FIRST + timedelta(days=n) for n in range(14)]
MOVED_ON = DAYS[3]
KEYS = {"manager_day": "manager_key", "channel_day": "channel_id"}
OF_DISTINCT = {"chats", "unique_customers", "one_direction_chats"}
"""Chats and customers of a week are fewer than those of its days together."""


@pytest.fixture(scope="module")
def moved(connected: Warehouse, instance: dg.DagsterInstance) -> str:
    """Two published weeks, and who changed to another team in the first of them."""
    runner.run_weeks(*WEEKS, instance=instance)
    with connected.connect() as sql:
        (who,) = sql.execute(
            "select manager_id from marts.manager_week where manager_id is not null group by 1 having count(*) = 2"
            " order by sum(waits_settled) desc limit 1"
        ).fetchone()  # type: ignore[misc]
        sql.execute("insert into reference.person_teams values (%s, %s, 'another')", [who, MOVED_ON])
    return who


@pytest.fixture(scope="module")
def loaded(moved: str, connected: Warehouse, instance: dg.DagsterInstance) -> Warehouse:
    runner.publish_days(FIRST, LAST, instance=instance)
    return connected


def _published(warehouse: Warehouse) -> dict[str, str]:
    return {name: value for name, value in table_hashes(warehouse, ("marts",)).items() if name.endswith("_day")}


def _shown(warehouse: Warehouse, mart: str) -> dict[tuple[date, str], dict[str, Any]]:
    with warehouse.connect() as sql:
        return {(row["business_on"], row[KEYS[mart]]): row for row in rows(sql, f"marts.{mart}")}


def test_managers_of_a_day_are_counted_by_hand(loaded: Warehouse) -> None:
    with loaded.connect() as sql:
        person = persons(sql)
        waits, sessions, sent = defaultdict(list), defaultdict(list), defaultdict(int)
        for day, owner, *found in sql.execute(
            """
            select settled_on, owner_manager_id, outcome_manager, manager_wait_seconds, manager_wait_business_seconds,
                is_first_reply
            from evaluated.waits where wait_kind = 'message' and settled_week = any(%s)
            """,
            [list(WEEKS)],
        ):
            waits[day, person.get(owner, "none")].append(found)
        query = BEHAVIOUR.format(period="ended_on", owner="manager_id", good="is_good")
        for day, owner, *found in sql.execute(query, [list(WEEKS)]):
            sessions[day, person.get(owner, "none")].append(found)
        for day, owner, count in sql.execute(
            """
            select (m.sent_at at time zone 'Europe/Moscow')::date as day, m.manager_id, count(*)
            from core.messages as m join core.conversations using (conversation_id)
            where m.sender_kind = 'manager' and m.is_public and not is_untimed and not 'second_customer' = any(m.flags)
            group by 1, 2
            """
        ):
            if day in DAYS:
                sent[day, person.get(owner, "none")] += count
    shown = _shown(loaded, "manager_day")
    assert set(waits) | set(sessions) | set(sent) <= set(shown)
    for key, row in shown.items():
        agrees_with_waits(row, waits.get(key, []))
        agrees_with_behaviour(row, sessions.get(key, []))
        assert row["messages_sent"] == sent.get(key, 0)
        assert row["week"] == f"{key[0]:%G-W%V}"


def test_channels_of_a_day_are_counted_by_hand(loaded: Warehouse) -> None:
    with loaded.connect() as sql:
        waits, sessions = defaultdict(list), defaultdict(list)
        for day, channel, *found in sql.execute(
            """
            select settled_on, channel_id, outcome, wait_seconds, wait_business_seconds, is_first_reply
            from evaluated.waits where wait_kind = 'message' and settled_week = any(%s)
            """,
            [list(WEEKS)],
        ):
            waits[day, channel].append(found)
        query = BEHAVIOUR.format(period="ended_on", owner="channel_id", good="is_good_customer")
        for day, channel, *found in sql.execute(query, [list(WEEKS)]):
            sessions[day, channel].append(found)
        channels = [channel for (channel,) in sql.execute("select channel_id from core.channels where is_active")]
    shown = _shown(loaded, "channel_day")
    # also a channel on which nothing happened has its day
    assert set(shown) == {(day, channel) for day in DAYS for channel in channels} | set(waits) | set(sessions)
    for key, row in shown.items():
        agrees_with_waits(row, waits.get(key, []))
        agrees_with_behaviour(row, sessions.get(key, []))
    assert {row["data_status"] for row in shown.values()} == {"ok"}


@pytest.mark.parametrize("mart", KEYS)
def test_days_add_up_to_their_week(loaded: Warehouse, mart: str) -> None:
    of_week = mart.replace("_day", "_week")
    counted = {name: {column.name for column in one.columns if column.kind == "bigint"}
               for one in marts() if (name := one.name) in (mart, of_week)}  # fmt: skip
    both = counted[mart] & counted[of_week] - OF_DISTINCT
    assert len(both) >= 20
    with loaded.connect() as sql:
        weeks = {(row["week"], row[KEYS[mart]]): {name: row[name] for name in both}
                 for row in rows(sql, f"marts.{of_week}")}  # fmt: skip
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(both, 0))
    for row in _shown(loaded, mart).values():
        for name in both:
            sums[row["week"], row[KEYS[mart]]][name] += row[name]
    # somebody who only has a customer waiting at the end of the week has a week and no day
    assert {key: row for key, row in weeks.items() if any(row.values()) or key in sums} == sums


def test_the_night_publishes_the_days_that_were_read_again(loaded: Warehouse, instance: dg.DagsterInstance) -> None:
    """And the same again gives the same rows."""
    before = _published(loaded)
    assert set(before) == {"marts.manager_day", "marts.channel_day", "marts.llm_spend_day"}
    with loaded.connect() as sql:
        sql.execute("update marts.manager_day set messages_sent = messages_sent + 1000")
    runner.publish_days(LAST, LAST, instance=instance)
    untouched = {day for (day, _), row in _shown(loaded, "manager_day").items() if row["messages_sent"] >= 1000}
    assert untouched == set(DAYS[:7])
    with loaded.connect() as sql:
        sql.execute("update marts.manager_day set messages_sent = messages_sent - 1000 where messages_sent >= 1000")
    assert _published(loaded) == before


def test_a_person_counts_in_the_team_of_the_day(loaded: Warehouse, moved: str) -> None:
    with loaded.connect() as sql:
        before = sql.execute("select team_id from marts.manager_week where manager_key = %s", [moved]).fetchall()
    teams = {day: row["team_id"] for (day, key), row in _shown(loaded, "manager_day").items() if key == moved}
    assert {"another"} | {team for (team,) in before} == set(teams.values())
    assert {day for day, team in teams.items() if team == "another"} == {day for day in teams if day >= MOVED_ON}


def test_accounts_of_one_person_are_one_row(loaded: Warehouse) -> None:
    with loaded.connect() as sql:
        several = sql.execute(
            "select person_id, person_name, array_agg(manager_id) from reference.people group by 1, 2"
            " having count(*) > 1"
        ).fetchall()
        accounts = sql.execute(
            "select manager_key from marts.manager_day union select manager_key from marts.manager_week"
        ).fetchall()
    assert several
    keys = {key for (key,) in accounts}
    for person, name, of_person in several:
        assert person in keys and not keys.intersection(of_person)
        assert {row["manager_name"] for key, row in _shown(loaded, "manager_day").items() if key[1] == person} == {name}


def test_a_kill_in_the_middle_of_the_swap_leaves_the_old_days(loaded: Warehouse, warm_python: WarmPython) -> None:
    before = _published(loaded)
    with loaded.connect() as sql:
        # what is built aside holds at least the last week
        sql.execute("update marts.channel_day set chats = chats + 1 where business_on >= %s", [DAYS[7]])
    tampered = _published(loaded)
    assert tampered != before
    script = (
        "from datetime import date; from resources.settings import Settings;"
        "from resources.warehouse.roles import Role; from resources.warehouse.engine import Warehouse;"
        "from assets.marts.publish import swap_days;"
        f"days = list(map(date.fromisoformat, {[day.isoformat() for day in DAYS[7:]]!r}));"
        "swap_days(Warehouse.open(Settings(), Role.PUBLISHER), days)"
    )
    for point in ("publish.between_marts", "publish.before_commit"):
        killed = warm_python.run(script, environment={**environment(), "FAILPOINT": f"{point}:1"})
        assert killed.returncode == -9, killed.stdout
        assert _published(loaded) == tampered
    warm_python.run(script, environment=environment(), check=True)
    assert _published(loaded) == before


def test_a_failed_test_publishes_nothing_and_marks_the_days(
    loaded: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, mart = _published(loaded), marts("day")[0]
    judged = Built({}, (TestResult(mart.tests[0].name, mart.name, False, 2, ""),))
    with monkeypatch.context() as failing:
        failing.setattr("assets.marts.dbt.build", lambda *_, **__: judged)
        with pytest.raises(
            runner.RunFailed, match=rf"^Days {DAYS[7]} to {LAST}: nothing was published: {mart.tests[0].name}"
        ) as failed:
            runner.publish_days(LAST, LAST, instance=instance)
    assert "marked stale" in str(failed.value)
    stale = {day for name in KEYS for (day, _), row in _shown(loaded, name).items() if row["is_stale"]}
    assert stale == set(DAYS[7:])
    _not_stale(loaded)
    assert _published(loaded) == before


def test_a_swap_that_fails_marks_the_days(
    loaded: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader's transaction stays open while the mart has to get a column that it does not have yet."""
    before = _published(loaded)
    monkeypatch.setattr("assets.marts.dbt.build", lambda *_, **__: Built({}, ()))
    monkeypatch.setattr("assets.marts.days.swap_days", partial(swap_days, lock_seconds=0.2))
    with loaded.connect() as sql, loaded.as_role(Role.ANALYST).connect() as reader:
        sql.execute("alter table marts_next.channel_day add column newer bigint")
        sql.commit()
        reader.execute("select count(*) from marts.channel_day")
        with pytest.raises(runner.RunFailed, match=r"Close that transaction .* and publish again"):
            runner.publish_days(LAST, LAST, instance=instance)
        sql.execute("alter table marts_next.channel_day drop column newer")
    stale = {day for name in KEYS for (day, _), row in _shown(loaded, name).items() if row["is_stale"]}
    assert stale == set(DAYS[7:])
    _not_stale(loaded)
    assert _published(loaded) == before


def _not_stale(warehouse: Warehouse) -> None:
    with warehouse.connect() as sql:
        for name in KEYS:
            sql.execute(f"update marts.{name} set is_stale = false")


def test_a_failed_load_holds_its_days_back(
    loaded: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _published(loaded)
    monkeypatch.setattr("assets.marts.dbt.build", lambda *_, **__: Built({}, ()))
    with loaded.connect() as sql:
        sql.execute("update core.channels set kind = ''")
    with pytest.raises(runner.RunFailed, match=r"every_channel_has_kind_and_name"):
        runner.publish_days(LAST, LAST, instance=instance)
    _not_stale(loaded)
    assert _published(loaded) == before


def test_analysts_read_the_days(loaded: Warehouse) -> None:
    with loaded.as_role(Role.ANALYST).connect() as sql:
        for mart in KEYS:
            assert sql.execute(f"select count(*) > 0 from marts.{mart}").fetchone() == (True,)
