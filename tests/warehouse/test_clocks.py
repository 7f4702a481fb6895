"""F15, our own clock: two hours ahead or behind it asks for other days at other times, and loses or doubles nothing.

A night is what the nightly job does: read the last seven closed days by *our* clock, understand and judge them up to
their end. The source has a clock of its own, which is right, and shows nothing that has not happened there yet.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from conversations.parsing.retailcrm import RetailCRMParser
from conversations.policy import Policy
from conversations.window import Window, business_day
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.engine import Warehouse
from tests.chaos.workers import CONNECTION, source_of
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop
from tests.loader import land, refresh_evaluated, replace_window

STREAMS = ("chats", "dialogs", "messages")
ZONE = "Asia/Magadan"
"""The shop is busy from 17:00 to 02:00 there: midnight is in the middle of things."""
POLICY = Policy.parse(
    """
organisation: {time_zone: Asia/Magadan}
defaults: {reply_target_minutes: 5, first_reply_target_minutes: 5, no_reply_limit_minutes: 30}
"""
)
"""A limit so short that whoever is judged too early would show it."""


def night(warehouse: Warehouse, emulator: RetailCRMEmulator, true_now: datetime, skew: timedelta) -> None:
    """One nightly run that begins at ``true_now`` and believes that it is ``skew`` later."""
    emulator.shop.set_clock(true_now)
    last = business_day(true_now + skew, ZONE) - timedelta(days=1)
    window = Window.of_days(last - timedelta(days=6), last, ZONE)
    as_of = min(window.end, true_now + skew)
    with contextlib.ExitStack() as closing:
        source = source_of(emulator.base_url, emulator.api_key, emulator.bot_token, 100, closing)
        for stream in STREAMS:
            land(source, stream, window, warehouse, time_zone=ZONE)
    streams = [RetailCRMSource.streams[name] for name in STREAMS]
    replace_window(warehouse, RetailCRMParser(), CONNECTION, "retailcrm", streams, window, ZONE)
    refresh_evaluated(warehouse, POLICY, window, as_of, connection_id=CONNECTION)


def rows(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but when it came to us."""
    ours = "'{ingested_at,fetched_at,first_fetched_at,gone_at}'::text[]"
    with warehouse.connect() as sql:
        return {
            table: sql.execute(f"select (to_jsonb(t) - {ours})::text from {table} as t order by 1").fetchall()
            for table in (
                "raw.retailcrm__messages",
                "core.messages",
                "core.events",
                "evaluated.waits",
                "evaluated.sessions",
            )
        }


@pytest.fixture(scope="module")
def honest(database: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What a clock that is right ends with."""
    with RetailCRMEmulator(Shop.tiny(messages=200), rate=None) as emulator:
        for day in range(4, 10):
            night(database, emulator, at(day, 3, 10), timedelta())
        truth = emulator.ledger.rows("messages", at(1, 0, 0), at(9, 0, 0))
    found = rows(database)
    assert len(truth) > 100
    assert len(found["raw.retailcrm__messages"]) >= len(truth)
    return found


def at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("skew", "hour"),
    [
        (2, 22),  # ours says that the day is over; the source has an hour and a half of it to come
        (-2, 1),  # ours says that it is still yesterday
    ],
)
def test_a_clock_that_is_wrong_for_days_ends_with_the_same_rows(
    skew: int, hour: int, honest: dict[str, list[tuple[Any, ...]]], fresh_database: Warehouse
) -> None:
    with RetailCRMEmulator(Shop.tiny(messages=200), rate=None) as emulator:
        for day in range(4, 8):
            night(fresh_database, emulator, at(day, hour, 30), timedelta(hours=skew))
        between = rows(fresh_database)
        # put right; the night that the honest clock ended with
        night(fresh_database, emulator, at(9, 3, 10), timedelta())
    found = rows(fresh_database)
    # the error was no small one: it left other rows for a night
    assert between["core.messages"] != honest["core.messages"]
    for table, expected in honest.items():
        assert found[table] == expected, table


def test_what_was_judged_by_a_clock_ahead_is_judged_again(fresh_database: Warehouse) -> None:
    """Ours is ahead by more than the limit: a question asked just now counts as unanswered, until the answer comes."""
    with RetailCRMEmulator(Shop.tiny(messages=200), rate=None) as emulator:
        asked = next(m for m in emulator.shop.messages if m.sender == "customer" and m.dialog.messages[-1] is not m)
        moment = datetime.fromtimestamp(asked.created / 1_000_000 + 60, ZoneInfo(ZONE))
        ahead = datetime(moment.year, moment.month, moment.day, 23, 59, tzinfo=ZoneInfo(ZONE)) - moment
        night(fresh_database, emulator, moment, ahead + timedelta(hours=2))
        early = counted(fresh_database)
        night(fresh_database, emulator, at(9, 3, 10), timedelta())
    assert early.get("no_reply", 0) >= 1
    with fresh_database.connect() as sql:
        row = sql.execute(
            "select outcome, answered_at is not null from evaluated.waits where opening_message_id = %s",
            [str(asked.id)],
        ).fetchone()
    assert row is not None and row[0] in ("in_target", "slow_reply") and row[1]


def counted(warehouse: Warehouse) -> dict[str, int]:
    with warehouse.connect() as sql:
        return dict(sql.execute("select outcome, count(*) from evaluated.waits group by 1").fetchall())
