"""What a published week claims where other accounts answer the same customers: never more than all of them together.

Here: a messenger's and a telephony's account that know one customer, one that knows nobody else's, one whose telephony
was switched off, and four weeks through dbt, the marts of Python and the swap. Not here: how a call answers a chat
(``tests.warehouse.test_humans``), how a week's own days are counted (``test_weeks``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.marts import dbt
from assets.marts.publish import publishing, swap, swap_days
from assets.marts.python import build as python
from conversations.messages.digest import late_data
from conversations.policy import Policy
from resources.warehouse.digests import Place, facts
from resources.warehouse.engine import Warehouse
from resources.warehouse.evidence_status import gaps
from resources.warehouse.roles import Role
from tests.cli.conftest import Otklik, otklik  # noqa: F401 - a fixture
from tests.loader import refresh_evaluated
from tests.warehouse.test_humans import CHAT, OTHER, PHONE, acquaint, happen, linked, listed

W18, W19, W20, W21 = WEEKS = [f"2026-W{number}" for number in range(18, 22)]
FIRST, END = date(2026, 4, 27), date(2026, 5, 25)
WEDNESDAY, FRIDAY = date(2026, 5, 6), date(2026, 5, 15)
POLICY = Policy.parse(
    "organisation: {time_zone: UTC}\n"
    "defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30, first_reply_target_minutes: 30}"
)
TOLD = {"time_zone": "UTC", "definition_version": 1, "early_delete_seconds": 60, "short_call_seconds": 20}
CHANNELS = {"shop": "whatsapp", "tbank": "phone", "solo": "whatsapp", "mail": "telegram", "cafe": "whatsapp",
            "ats": "phone"}  # fmt: skip
NOT_COUNTED = {
    "shop": {FRIDAY},
    # the telephony's Wednesday failed; of the last week it was read until Thursday
    "tbank": {WEDNESDAY},
    "ats": {date(2026, 4, 28)} | {date(2026, 5, 6) + timedelta(days=n) for n in range(30)},
    # a messenger that was never read, linked with the shop: a message there answers nothing here
    "mail": {FIRST + timedelta(days=n) for n in range(28)},
}
UNTIL = {"tbank": date(2026, 5, 21), "ats": WEDNESDAY}
SWITCHED_OFF = datetime(2026, 5, 6, 14, tzinfo=UTC)
STATUS = "select connection_id, status, reasons from marts.data_status where week = %s order by connection_id"


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def judged(database: Warehouse) -> None:
    for one in ("shop", "tbank"):
        refresh_evaluated(database, POLICY, None, midnight(UNTIL.get(one, END)), connection_id=one)


def counted(sql: Any, connection: str, day: date) -> None:
    channel = {"shop": "shop:61", "tbank": "tbank:phone"}.get(connection, f"{connection}:1")
    sql.execute("insert into ops.completeness values (%s, %s, %s, 'messages', 4, 4)", (connection, channel, day))


class Published:
    """Weeks and days of one warehouse, as the publisher publishes them."""

    def __init__(self, database: Warehouse, home: Path) -> None:
        self.database, self.publisher, self.home = database, database.as_role(Role.PUBLISHER), home

    def weeks(self, *weeks: str) -> None:
        with publishing(self.publisher):
            built = dbt.build(self.publisher, self.home, {**TOLD, "first_week": weeks[0], "last_week": weeks[-1]})
            assert not built.failed
            assert not python.build(self.publisher, weeks, POLICY, midnight(END)).failed
            swap(self.publisher, weeks)

    def days(self, first: date, last: date) -> None:
        variables = {**TOLD, "first_day": first.isoformat(), "last_day": last.isoformat()}
        with publishing(self.publisher):
            assert not dbt.build(self.publisher, self.home, variables, period="day").failed
            swap_days(self.publisher, [first + timedelta(days=n) for n in range((last - first).days + 1)])

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.publisher.connect() as sql:
            return sql.execute(statement, values).fetchall()

    def statuses(self, week: str) -> dict[str, tuple[str, str]]:
        return {connection: (status, reasons) for connection, status, reasons in self.rows(STATUS, week)}


@pytest.fixture(scope="module")
def published(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with database.connect() as sql:
        for name, kind in CHANNELS.items():
            channel = {"shop": "shop:61", "tbank": "tbank:phone"}.get(name, f"{name}:1")
            sql.execute("insert into core.channels values (%s, %s, %s, %s, true)", (channel, name, kind, name))
            sql.execute(
                "insert into ops.connections (connection_id, vendor, origin, settings, created_at, updated_at,"
                " disabled_at) values (%s, %s, 'stored', '{}', now(), now(), %s)",
                (name, "tbank" if kind == "phone" else "retailcrm", SWITCHED_OFF if name == "ats" else None),
            )
            for day in (FIRST + timedelta(days=n) for n in range(28)):
                if day not in NOT_COUNTED.get(name, ()):
                    counted(sql, name, day)
            if name not in ("shop", "tbank", "mail"):
                sql.execute("insert into ops.as_of values (%s, %s)", (name, midnight(UNTIL.get(name, END))))
        for chat, customer, phone in ((CHAT, "shop:5", "+7 701 000-00-01"), (OTHER, "shop:6", None),
                                      (PHONE, "tbank:a", "+77010000001")):  # fmt: skip
            acquaint(sql, chat, customer, phone)
        sql.execute("insert into core.managers values ('shop:1', 'shop', 'Анна', null, true)")
        # Monday of the second week at noon, and two days later, while the telephony was not read
        happen(sql, OTHER, 0, "in")
        happen(sql, OTHER, 600, "out")
        happen(sql, CHAT, 2 * 86_400, "in")
        # a week before, so that there is something to compare with
        happen(sql, OTHER, -7 * 86_400, "in")
        happen(sql, OTHER, -7 * 86_400 + 600, "out")
    listed(database, {"shop:8": "mail:8", "mail:8": "mail:8", "cafe:1": "ats:1", "ats:1": "ats:1"}, by_number=True)
    linked(database)
    judged(database)
    told = Published(database, tmp_path_factory.mktemp("home"))
    told.weeks(*WEEKS)
    yield told


def test_a_week_is_as_complete_as_the_accounts_that_answer_its_customers(published: Published) -> None:
    by_tbank = ("incomplete", "neighbour_incomplete:tbank")
    assert published.statuses(W18) == {
        "shop": ("ok", ""), "tbank": ("ok", ""), "solo": ("ok", ""),
        "mail": ("incomplete", "days_not_counted, not_judged_to_its_end"),
        # the other telephony was still read, and lacks its Tuesday
        "ats": ("incomplete", "days_not_counted"), "cafe": ("incomplete", "neighbour_incomplete:ats"),
    }  # fmt: skip
    second = published.statuses(W19)
    assert (second["shop"], second["solo"]) == (by_tbank, ("ok", ""))
    assert second["tbank"] == ("incomplete", "days_not_counted"), "its own gap; the shop is whole"
    third = published.statuses(W20)
    # a message in the shop may have answered a missed call
    assert third["shop"] == ("incomplete", "days_not_counted")
    assert (third["tbank"], third["solo"]) == (("incomplete", "neighbour_incomplete:shop"), ("ok", ""))
    last = published.statuses(W21)
    assert (last["shop"], last["tbank"]) == (by_tbank, ("incomplete", "not_judged_to_its_end"))


def test_a_disabled_telephony_has_no_say_from_that_day_on_and_no_weeks_of_its_own(published: Published) -> None:
    assert published.statuses(W19)["cafe"] == ("ok", "")
    assert published.statuses(W19)["ats"][0] == "incomplete", "it was on until Wednesday"
    for week in (W20, W21):
        assert published.statuses(week)["cafe"] == ("ok", "")
        assert "ats" not in published.statuses(week)


def test_the_gap_goes_into_managers_channels_comparisons_and_the_digest(published: Published) -> None:
    managers = "select data_status from marts.manager_week where week = %s and manager_key = 'shop:1'"
    assert [published.rows(managers, week) for week in (W18, W19)] == [[("ok",)], [("incomplete",)]]
    channels = "select data_status from marts.channel_week where week = %s and channel_id = 'shop:61'"
    assert published.rows(channels, W19) == [("incomplete",)]
    compared = (
        "select delta_status, completeness, previous_completeness from marts.channel_week_delta"
        " where week = %s and channel_id = 'shop:61' and metric = 'in_target_share'"
    )
    assert published.rows(compared, W19) == [("data_incomplete", None, 1)]
    with published.publisher.connect() as sql:
        found = facts(sql, W19, Place("Лавка", "UTC", None))
    (condition,) = [one for one in found.conditions if one.reasons.startswith("neighbour")]
    assert "неполные данные аккаунта tbank" in late_data([condition])


def test_the_days_behind_the_reason_are_named(published: Published) -> None:
    with published.publisher.connect() as sql:
        found = {(name, week): gaps(sql, name, FIRST + timedelta(days=7 * n), FIRST + timedelta(days=7 * n + 6), "UTC")
                 for name in CHANNELS for n, week in enumerate(WEEKS)}  # fmt: skip
    assert found["shop", W19] == {"tbank": [WEDNESDAY]}
    assert found["shop", W21] == {"tbank": [date(2026, 5, day) for day in range(21, 25)]}
    assert found["cafe", W18] == {"ats": [date(2026, 4, 28)]}
    # as the mart has it, of every account and week
    told = {(name, week): reasons for week in WEEKS for name, (_, reasons) in published.statuses(week).items()}
    assert {key: sorted(found[key]) for key in told} == {
        key: [code.partition(":")[2] for code in reasons.split(", ") if ":" in code] for key, reasons in told.items()
    }


def test_explain_names_the_account_and_its_days(
    published: Published,
    otklik: Otklik,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("organisation: {time_zone: UTC}", "utf-8")
    monkeypatch.setenv("DATABASE_URL", published.database.url)
    monkeypatch.setenv("OTKLIK_POLICY", str(policy))
    said = " ".join(otklik("explain", "data_status", W19, "shop:61").stdout.split())
    assert "неполные данные аккаунта tbank" in said and "его данные неполные: 06.05" in said
    told = json.loads(otklik("explain", "data_status", W19, "shop:61", "--json").stdout)
    assert told["incomplete_neighbours"] == {"tbank": ["2026-05-06"]}
    assert "его данные неполные" not in otklik("explain", "data_status", W19, "solo:1").stdout


def test_a_day_says_it_as_well_and_only_that_day(published: Published) -> None:
    published.days(WEDNESDAY - timedelta(days=1), WEDNESDAY + timedelta(days=1))
    days = "select data_status from marts.channel_day where channel_id = %s order by business_on"
    assert [row for (row,) in published.rows(days, "shop:61")] == ["ok", "incomplete", "ok"]
    assert [row for (row,) in published.rows(days, "solo:1")] == ["ok", "ok", "ok"]
    assert [row for (row,) in published.rows(days, "cafe:1")] == ["ok", "ok", "ok"]


def test_once_the_neighbour_is_read_the_week_is_whole_and_the_call_is_the_answer(published: Published) -> None:
    """As the next publication finds it; what that writes down of a late call is ``test_revisions``."""
    outcome = "select outcome, wait_seconds from {} where conversation_id = %s"
    assert published.rows(outcome.format("marts.published_waits"), CHAT) == [("no_reply", None)]
    with published.database.connect() as sql:
        happen(sql, PHONE, 2 * 86_400 + 900, "out")
        counted(sql, "tbank", WEDNESDAY)
    # the telephony is judged and tells the shop, which fails that night: its wait is known to be out of date
    refresh_evaluated(published.database, POLICY, None, midnight(UNTIL["tbank"]), connection_id="tbank")
    assert published.rows(outcome.format("evaluated.waits"), CHAT) == [("no_reply", None)]
    assert found(published)[W19, "shop"] == ("incomplete", "not_judged_again")
    assert found(published)[W18, "shop"] == ("ok", "")
    judged(published.database)
    assert published.rows(outcome.format("evaluated.waits"), CHAT) == [("in_target", 900)]
    now = {key: status for key, (status, _) in found(published).items()}
    assert [now[week, "shop"] for week in WEEKS] == ["ok", "ok", "incomplete", "incomplete"]
    assert [now[week, "tbank"] for week in WEEKS] == ["ok", "ok", "incomplete", "incomplete"]


def found(published: Published) -> dict[tuple[str, str], tuple[str, str]]:
    """Status and reasons by week and account, as the model that was published would find them now."""
    (model,) = (published.home / "dbt" / "target" / "compiled").rglob("marts/data_status.sql")
    with published.publisher.connect() as sql:
        sql.execute("select set_config('otklik.first_day', %s, true), set_config('otklik.last_day', %s, true)",
                    (str(FIRST), str(END - timedelta(days=1))))  # fmt: skip
        rows = sql.execute(f"select week, connection_id, status, reasons from ({model.read_text('utf-8')}) as built")
        return {(week, connection): (status, reasons) for week, connection, status, reasons in rows}
