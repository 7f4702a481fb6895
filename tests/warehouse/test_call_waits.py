"""Calls in waits: who is rung back by whom, on which channel, and under which of his ids (ruling 9), to the second.

One connection with a telephone and a messenger; two ids of one human where a list says so. Not here: a human of two
connections (``test_humans``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.policy import Policy
from resources.warehouse.customer_links import replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.loader import refresh_evaluated

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = Policy.parse("defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30}")
"""Around the clock; missed calls keep their own T of 15 minutes and N of 480."""
PHONE, CHAT = "tbank:c1", "tbank:a_chat"


@pytest.fixture(autouse=True)
def _channels(database: Warehouse) -> Iterator[None]:
    with database.connect() as sql:
        for table in ("core.messages", "core.conversations", "core.customers", "core.channels",
                      "reference.customer_links", "reference.customer_list", "evaluated.waits",
                      "evaluated.sessions", "evaluated.behaviour", "evaluated.advice", "ops.dirty",
                      "ops.as_of"):  # fmt: skip
            sql.execute(f"delete from {table}")
        for connection, channel, kind, chat, customer in (
            ("tbank", "tbank:phone", "phone", PHONE, "tbank:79"),
            ("tbank", "tbank:61", "whatsapp", CHAT, "tbank:5"),
        ):
            sql.execute("insert into core.channels values (%s, %s, %s, 'К', true)", (channel, connection, kind))
            sql.execute("insert into core.customers values (%s, %s, 'К', null, null)", (customer, connection))
            sql.execute(
                "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
                " flags) values (%s, %s, %s, %s, false, '{}')",
                (chat, connection, channel, customer),
            )
    yield


def happen(
    sql: Any, chat: str, seconds: int, direction: str, answered: bool | None = None, operator: str = "1"
) -> None:
    """A call where it is said whether it was answered, else a message."""
    connection = chat.split(":")[0]
    is_in = direction == "in"
    manager = f"{connection}:{operator}" if not is_in or answered else None
    sql.execute(
        "insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
        " manager_id, is_public, delivery_status, content_kind, text, call_answered, talk_seconds, flags, ingested_at,"
        " raw_stream, raw_id) values (%s, %s, %s, %s, %s, %s, %s, true, 'sent', %s, %s, %s, %s, '{}', %s, 'r', '-')",
        (
            chat, f"{seconds:06}", connection, NOON + timedelta(seconds=seconds), direction,
            "customer" if is_in else "manager", manager, "text" if answered is None else "call",
            "Есть доставка?" if answered is None else None, answered, None if answered is None else 60 * answered,
            NOON,
        ),
    )  # fmt: skip
    sql.execute(
        "insert into ops.dirty values (%s, %s, %s) on conflict do nothing",
        (chat, connection, NOON + timedelta(seconds=seconds)),
    )


def judged(database: Warehouse, hours: int = 12) -> list[tuple[Any, ...]]:
    """Chat, kind, outcome, seconds of the wait, how and by whom it was answered."""
    refresh_evaluated(database, POLICY, None, NOON + timedelta(hours=hours), connection_id="tbank")
    with database.connect() as sql:
        return sql.execute(
            "select conversation_id, wait_kind, outcome, wait_seconds, reply_kind, reply_manager_id"
            " from evaluated.waits order by conversation_id, opened_at, wait_kind"
        ).fetchall()


@pytest.mark.parametrize(
    ("direction", "seconds", "outcome"),
    [("out", 899, "in_target"), ("out", 900, "in_target"), ("out", 901, "slow_reply"), ("in", 600, "in_target"),
     ("out", 28_800, "slow_reply"), ("out", 28_801, "no_reply")],
)  # fmt: skip
def test_a_missed_call_is_answered_by_an_answered_one_whoever_rings(
    direction: str, seconds: int, outcome: str, database: Warehouse
) -> None:
    with database.connect() as sql:
        happen(sql, PHONE, 0, "in", False)
        # by another operator than the one who was rung
        happen(sql, PHONE, seconds, direction, True, operator="2")
    answered = ("call", "tbank:2") if outcome != "no_reply" else (None, None)
    waited = seconds if outcome != "no_reply" else None
    assert judged(database) == [(PHONE, "missed_call", outcome, waited, *answered)]


def test_ringing_back_in_vain_answers_nothing_and_a_second_missed_call_waits_with_the_first(
    database: Warehouse,
) -> None:
    with database.connect() as sql:
        happen(sql, PHONE, 0, "in", False)
        happen(sql, PHONE, 300, "out", False)
        happen(sql, PHONE, 600, "in", False)
        happen(sql, PHONE, 1_000, "out", True)
    assert judged(database) == [(PHONE, "missed_call", "slow_reply", 1_000, "call", "tbank:1")]


def test_a_call_of_a_second_answers_and_an_answered_one_opens_nothing(database: Warehouse) -> None:
    """Calls under 20 seconds are not judged, but they count for waits."""
    with database.connect() as sql:
        happen(sql, PHONE, 0, "in", True)
        happen(sql, PHONE, 100, "in", False)
        happen(sql, PHONE, 160, "out", True)
        sql.execute("update core.messages set talk_seconds = 1 where call_answered")
    assert judged(database) == [(PHONE, "missed_call", "in_target", 60, "call", "tbank:1")]


APART = [(CHAT, "message", "no_reply", None, None, None), (PHONE, "missed_call", "no_reply", None, None, None)]


def test_two_ids_of_one_human_are_apart_until_a_list_says_so(database: Warehouse) -> None:
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 60, "out", True)
    assert judged(database) == APART[:1]
    replace_list(database.as_role(Role.LOADER), {"tbank:5": "tbank:5", "tbank:79": "tbank:5"})
    # a question in a chat is answered by a call, on whatever channel
    assert judged(database) == [(CHAT, "message", "in_target", 60, "call", "tbank:1")]
    replace_list(database.as_role(Role.LOADER), {})
    assert judged(database) == APART[:1]


def test_a_message_answers_a_missed_call_on_whatever_channel_account_and_a_question_on_its_own_only(
    database: Warehouse,
) -> None:
    """Section 4.6: "a message to the same customer"; ruling 9 of questions: "on the same channel account"."""
    with database.connect() as sql:
        happen(sql, PHONE, 0, "in", False)
        happen(sql, PHONE, 60, "in")
        happen(sql, CHAT, 120, "out")
    replace_list(database.as_role(Role.LOADER), {"tbank:5": "tbank:5", "tbank:79": "tbank:5"})
    missed = (PHONE, "missed_call", "in_target", 120, "message", "tbank:1")
    assert judged(database) == [missed, (PHONE, "message", "no_reply", None, None, None)]
    with database.connect() as sql:
        sql.execute("update core.conversations set channel_id = 'tbank:phone' where conversation_id = %s", (CHAT,))
        happen(sql, PHONE, 30_000, "in", True)
    assert judged(database) == [missed, (PHONE, "message", "in_target", 60, "message", "tbank:1")]


def test_a_missed_call_of_the_human_is_answered_under_his_other_number(database: Warehouse) -> None:
    with database.connect() as sql:
        sql.execute("insert into core.customers values ('tbank:80', 'tbank', 'К', null, null)")
        sql.execute(
            "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
            " flags) values ('tbank:c2', 'tbank', 'tbank:phone', 'tbank:80', false, '{}')"
        )
        happen(sql, PHONE, 0, "in", False)
        happen(sql, "tbank:c2", 400, "in", True, operator="3")
    assert judged(database) == APART[1:]
    replace_list(database.as_role(Role.LOADER), {"tbank:79": "tbank:79", "tbank:80": "tbank:79"})
    assert judged(database) == [(PHONE, "missed_call", "in_target", 400, "call", "tbank:3")]
