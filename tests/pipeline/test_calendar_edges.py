"""F15 through the whole walk: nights in which clocks change, 29 February, a week over New Year, talks without times.

A customer asks at ten past every hour and is answered at twenty past: what a day or a week counts is its hours. They
are counted here from the zone database alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from assets.marts.dbt import build
from conversations.parsing.abcd import AbcdParser
from conversations.policy import Policy
from conversations.records import Channel, Conversation, IdKind, Manager, Message, Record
from conversations.source import Page, RawRecord, RawRow, Stream
from conversations.window import Window
from resources.sources.files import FileSource
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.loader import land, refresh_evaluated, replace_window
from tests.warehouse.sources import FakeSource

pytestmark = pytest.mark.proof

ZONE = "Europe/Berlin"
CHATS, MESSAGES = Stream("chats", False), Stream("messages", True, True)
STRETCHES = (
    (date(2026, 3, 28), date(2026, 3, 30)),  # an hour less on Sunday the 29th, the last day of a week
    (date(2026, 10, 24), date(2026, 10, 26)),  # an hour more
    (date(2026, 12, 28), date(2027, 1, 5)),  # 2026-W53 and the days after it
    (date(2028, 2, 28), date(2028, 3, 1)),  # 29 February
)
DAYS = [first + timedelta(days=n) for first, last in STRETCHES for n in range((last - first).days + 1)]


def hours() -> list[datetime]:
    """Every hour that begins on one of the days by the clocks of the zone."""
    found = []
    for first, last in STRETCHES:
        at = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
        while at < datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2):
            if first <= at.astimezone(ZoneInfo(ZONE)).date() <= last:
                found.append(at)
            at += timedelta(hours=1)
    return found


HOURS = hours()


def rows() -> list[RawRow]:
    found = []
    for number, hour in enumerate(HOURS):
        for minute, sender in ((10, "customer"), (20, "manager")):
            at = hour + timedelta(minutes=minute)
            found.append(RawRow(f"{number:04}-{minute}", {"at": at.isoformat(), "sender": sender}, at, at))
    return found


class HourlySource(FakeSource):
    """The chat's directory beside the messages."""

    def __init__(self) -> None:
        super().__init__(rows(), page_size=100)
        self.streams = {"chats": CHATS, "messages": MESSAGES}

    def pages(self, stream: str, window: Window | None, cursor: Any) -> Iterator[Page]:
        if stream == "chats":
            yield Page([RawRow("1", {}, None, None)], None)
            return
        yield from super().pages(stream, window, cursor)


class HourlyParser:
    """One chat with one manager."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record]:
        if stream == "chats":
            yield Channel("shop:61", "shop", "whatsapp", "WhatsApp", True)
            yield Manager("shop:12", "shop", "Анна", None, True)
            yield Conversation("shop:1", "shop", "shop:61", None, None, False, ())
            return
        is_customer = row.payload["sender"] == "customer"
        yield Message(
            "shop:1", row.external_id, "shop", datetime.fromisoformat(row.payload["at"]), None,
            "in" if is_customer else "out", row.payload["sender"], None if is_customer else "shop:12", None,
            True, "sent", "text", "Есть ли доставка?" if is_customer else "Да, завтра.", None, None, None, None, (),
        )  # fmt: skip


@pytest.fixture(scope="module")
def walked(database: Warehouse) -> Warehouse:
    """The days loaded one by one, as nights do, each with the one before it once more; then judged."""
    policy = Policy.parse(f"organisation: {{time_zone: {ZONE}}}")
    source = HourlySource()
    for day in DAYS:
        window = Window.of_days(day - timedelta(days=1), day, ZONE)
        for stream in source.streams:
            land(source, stream, window, database, time_zone=ZONE)
        replace_window(database, HourlyParser(), "shop", "retailcrm", [CHATS, MESSAGES], window, ZONE)
        refresh_evaluated(database, policy, window, connection_id="shop")
    untimed = FileSource(Path(__file__).parents[1] / "fixtures" / "abcd_conversations.json", "abcd")
    land(untimed, "conversations", None, database, time_zone=ZONE)
    streams = [untimed.streams["conversations"]]
    replace_window(database, AbcdParser(), "abcd", "abcd", streams, None, ZONE)
    # judged like everything else, and nothing comes of it
    refresh_evaluated(database, policy, None, Window.of_day(DAYS[-1], ZONE).end, connection_id="abcd")
    return database


def counted(warehouse: Warehouse, statement: str) -> dict[Any, Any]:
    with warehouse.connect() as sql:
        return {row[0]: row[1] if len(row) == 2 else row[1:] for row in sql.execute(statement).fetchall()}


def test_days_have_23_24_or_25_hours(walked: Warehouse) -> None:
    expected = Counter(hour.astimezone(ZoneInfo(ZONE)).date() for hour in HOURS)
    assert set(expected) == set(DAYS)
    assert {day: n for day, n in expected.items() if n != 24} == {date(2026, 3, 29): 23, date(2026, 10, 25): 25}
    both = {day: 2 * n for day, n in expected.items()}
    of_shop = "select business_on, count(*) from core.messages where connection_id = 'shop' group by 1"
    assert counted(walked, of_shop) == both
    of_waits = "select settled_on, count(*) from evaluated.waits where outcome = 'in_target' group by 1"
    assert counted(walked, of_waits) == expected
    # one by one: none lost, none twice
    with walked.connect() as sql:
        stored = [
            row[0] for row in sql.execute("select raw_id from core.messages where connection_id = 'shop'").fetchall()
        ]
    assert sorted(stored) == sorted(row.external_id for row in rows())


def test_each_message_is_in_the_week_of_its_local_day_and_in_no_other(walked: Warehouse, tmp_path: Path) -> None:
    expected: Counter[str] = Counter()
    for hour in HOURS:
        year, week, _ = hour.astimezone(ZoneInfo(ZONE)).date().isocalendar()
        expected[f"{year}-W{week:02d}"] += 1
    assert {"2026-W13": 47, "2026-W43": 49, "2026-W53": 168, "2027-W01": 48, "2028-W09": 72}.items() <= expected.items()
    variables = {"first_week": "2026-W13", "last_week": "2028-W09", "time_zone": ZONE}
    with walked.as_role(Role.PUBLISHER) as publisher:
        built = build(publisher, tmp_path, variables)
    assert not built.failed
    untimed = """
        select 'core', count(*) from core.messages where connection_id = 'abcd' and sent_at is null
        union all select 'waits', count(*) from evaluated.waits where connection_id = 'abcd'
        union all select 'sessions', count(*) from evaluated.sessions where connection_id = 'abcd'
        union all select 'status', count(*) from marts_next.data_status where connection_id = 'abcd'
        union all select 'channels', count(*) from marts_next.channel_week where connection_id = 'abcd'
        union all select 'managers', count(*) from marts_next.manager_week where manager_key like 'abcd:%'
    """
    found = counted(walked, untimed)
    assert found.pop("core") == 11 and set(found.values()) == {0}
    for mart, condition in (("channel_week", "messages_in"), ("manager_week", "waits_settled")):
        figures = f"select week, {condition}, waits_settled, in_target from marts_next.{mart} where waits_settled > 0"
        assert counted(walked, figures) == {week: (n, n, n) for week, n in expected.items()}, mart


def test_each_message_is_in_exactly_one_day_mart_row(walked: Warehouse, tmp_path: Path) -> None:
    expected = Counter(hour.astimezone(ZoneInfo(ZONE)).date() for hour in HOURS)
    variables = {"first_day": "2026-03-28", "last_day": "2027-01-05", "time_zone": ZONE}
    with walked.as_role(Role.PUBLISHER) as publisher:
        assert not build(publisher, tmp_path, variables, period="day").failed
    figures = "select business_on, messages_in, waits_settled from marts_next.channel_day where messages_in > 0"
    assert counted(walked, figures) == {day: (n, n) for day, n in expected.items() if day.year < 2028}
