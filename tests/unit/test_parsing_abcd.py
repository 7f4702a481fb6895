"""The abcd format: who spoke, what the customer saw, and that nothing has a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.evaluate import evaluate
from conversations.parsing.abcd import AbcdParser, rows
from conversations.parsing.flags import MEANINGS, NO_TIMES
from conversations.policy import Policy
from conversations.records import Channel, Conversation, Customer, Manager, Message, Quarantined
from conversations.rules import compile_policy
from conversations.source import RawRecord
from conversations.timeline import Chat, Contact, Evaluation, TimedMessage

DOCUMENT = json.loads((Path(__file__).parents[1] / "fixtures" / "abcd_conversations.json").read_text("utf-8"))


def parse(payload: dict[str, Any]) -> list[Any]:
    row = RawRecord("abcd", str(payload.get("convo_id")), payload, datetime(2026, 3, 9, tzinfo=UTC), None)
    return list(AbcdParser().parse("conversations", row))


def test_a_talk_with_its_people() -> None:
    records = parse(DOCUMENT[0])
    assert records[:4] == [
        Channel("abcd:file", "abcd", "file", "ABCD", False),
        Manager("abcd:agent", "abcd", "ABCD agent", None, True),
        Customer("abcd:11", "abcd", "nora pine", "(000) 000-0011", None),
        Conversation("abcd:11", "abcd", "abcd:file", "abcd:11", None, True, (NO_TIMES,)),
    ]
    assert NO_TIMES in MEANINGS


def test_turns_keep_their_order_and_an_action_is_seen_by_nobody_outside() -> None:
    messages = [one for one in parse(DOCUMENT[0]) if isinstance(one, Message)]
    assert [
        (m.source_seq, m.message_id, m.sender_kind, m.direction, m.is_public, m.manager_id, m.customer_id)
        for m in messages[:4]
    ] == [
        (1, "1", "manager", "out", True, "abcd:agent", None),
        (2, "2", "customer", "in", True, None, "abcd:11"),
        (3, "3", "system", "none", False, None, None),
        (4, "4", "manager", "out", True, "abcd:agent", None),
    ]
    assert {(m.sent_at, m.delivery_status, m.content_kind) for m in messages} == {(None, "unknown", "text")}
    assert [m.text for m in messages] == [text for _, text in DOCUMENT[0]["original"]]


def test_a_talk_without_a_name_is_one_too() -> None:
    records = parse(DOCUMENT[2])
    assert [one for one in records if isinstance(one, Customer)] == [Customer("abcd:13", "abcd", None, None, None)]
    assert [one.text for one in records if isinstance(one, Message)][1] == ""


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (None, "no_messages"),
        ([], "no_messages"),
        ("customer", "no_messages"),
        ([["customer", "hello"], ["supervisor", "I take over"]], "unmapped_sender"),
        ([["customer", "hello", 5]], "bad_message"),
        ([["customer"]], "bad_message"),
        ([["customer", None]], "bad_message"),
        (["customer: hello"], "bad_message"),
    ],
)
def test_what_cannot_be_understood_is_quarantined_as_a_whole(turns: Any, reason: str) -> None:
    assert parse({"convo_id": 5, "original": turns}) == [Quarantined("abcd", "conversations", "5", reason, None)]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"train": []}, "not a JSON array"),
        ([{"original": []}], "conversation 1 has no convo_id"),
        ([{"convo_id": 1}, {"convo_id": True}], "conversation 2 has no convo_id"),
        ([{"convo_id": ""}], "conversation 1 has no convo_id"),
        (["text"], "conversation 1 has no convo_id"),
    ],
)
def test_a_file_of_another_shape_is_refused(document: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        list(rows(document))


def test_the_talks_are_judged_by_nobody() -> None:
    messages = [
        TimedMessage(
            m.conversation_id, m.message_id, m.source_seq, None, 0, m.direction, m.sender_kind, m.manager_id,
            m.is_public, m.delivery_status, m.content_kind, None, None, m.text, None, None,
        )
        for m in parse(DOCUMENT[0])
        if isinstance(m, Message)
    ]  # fmt: skip
    for is_untimed in (True, False):
        chat = Chat("abcd:11", "abcd:file", "file", is_untimed)
        contact = Contact((chat,), messages, [])
        judged = evaluate(contact, compile_policy(Policy.default(), {}), 2_000_000_000_000_000)
        assert judged == Evaluation([], [], [], [], [])
