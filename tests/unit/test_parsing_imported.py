"""What a raw row of an imported file becomes: whose it is, what it says, and which rows are refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.parsing.fields import Odd
from conversations.parsing.imported import ImportedParser, Meant
from conversations.records import Channel, Conversation, Customer, Manager, Quarantined
from conversations.source import RawRecord

FETCHED = datetime(2026, 5, 5, tzinfo=UTC)
ANNA, BORIS, CLARA = (
    {"key": "a1", "name": "Анна", "side": "customer"},
    {"key": "b2", "name": "Борис", "side": "manager"},
    {"key": "c3", "name": "Клара", "side": "customer", "phone": "+70000000000"},
)


def meaning(payload: Mapping[str, Any]) -> Meant:
    said = payload["original"]
    if said == "?":
        raise Odd("unreadable")
    return {
        "deleted": Meant("было", is_deleted=True),
        "notice": Meant("Шифрование", is_system=True),
        "edited": Meant("исправлено", is_edited=True),
        "missed": Meant(None, "call", call_answered=False),
    }.get(said, Meant(said))


def parser(**more: Any) -> ImportedParser:
    return ImportedParser("whatsapp", "WhatsApp", meaning, **more)


def chat(*people: Mapping[str, Any], flags: tuple[str, ...] = (), **more: Any) -> list[Any]:
    payload = {"title": "Т", "kind": "private", "people": list(people), "flags": list(flags)}
    return list(parser(**more).parse("chats", RawRecord("wa", "chat7", payload, FETCHED, None)))


def message(said: str = "Есть доставка?", **fields: Any) -> Any:
    payload = {"chat": "chat7", "at": "2026-05-04T09:00:00+00:00", "author": "a1", "side": "customer", "position": 4}
    payload |= {"original": said} | fields
    [found] = parser().parse("messages", RawRecord("wa", "chat7:20260504T1200-0001", payload, FETCHED, None))
    return found


def of_kind(records: list[Any], kind: type) -> list[Any]:
    return [one for one in records if type(one) is kind]


def test_a_private_chat_belongs_to_its_customer() -> None:
    records = chat(ANNA, BORIS)
    assert of_kind(records, Channel) == [Channel("wa:whatsapp", "wa", "whatsapp", "WhatsApp", False)]
    assert of_kind(records, Manager) == [Manager("wa:b2", "wa", "Борис", None, True)]
    assert of_kind(records, Customer) == [Customer("wa:chat7:a1", "wa", "Анна", None, None)]
    [talk] = of_kind(records, Conversation)
    assert (talk.conversation_id, talk.customer_id, talk.is_untimed, talk.flags) == (
        "wa:chat7", "wa:chat7:a1", False, (),
    )  # fmt: skip


def test_a_chat_of_several_customers_is_nobodys_in_particular() -> None:
    records = chat(ANNA, BORIS, CLARA)
    [talk] = of_kind(records, Conversation)
    assert (talk.customer_id, talk.flags) == (None, ("several_customers",))
    assert [one.phone for one in of_kind(records, Customer)] == [None, "+70000000000"]


def test_a_person_of_an_id_is_one_person_in_every_chat() -> None:
    [anna] = of_kind(chat(ANNA, has_person_ids=True), Customer)
    assert anna.customer_id == "wa:a1"
    clara = of_kind(chat(ANNA, CLARA, has_person_ids=lambda key: key == "c3"), Customer)
    assert [one.customer_id for one in clara] == ["wa:chat7:a1", "wa:c3"]


def test_a_message_is_of_its_side() -> None:
    asked = message()
    assert (asked.sender_kind, asked.direction, asked.customer_id, asked.manager_id) == (
        "customer", "in", "wa:chat7:a1", None,
    )  # fmt: skip
    assert (asked.conversation_id, asked.message_id) == ("wa:chat7", "20260504T1200-0001")
    assert asked.sent_at == datetime(2026, 5, 4, 9, tzinfo=UTC)
    # time and id order it; a position changes with every later export
    assert asked.source_seq is None
    answered = message("Да", author="b2", side="manager")
    assert (answered.sender_kind, answered.direction, answered.manager_id) == ("manager", "out", "wa:b2")
    assert message(side="bot").sender_kind == "bot"


def test_a_notice_is_nobodys() -> None:
    for found in (message("notice"), message(side="system", author=None)):
        assert (found.sender_kind, found.direction, found.is_public) == ("system", "none", False)
        assert (found.customer_id, found.manager_id) == (None, None)


def test_deleted_edited_and_missed() -> None:
    gone = message("deleted")
    assert (gone.text, gone.flags, gone.deleted_at) == (None, ("gone_at_source",), None)
    assert message("edited").flags == ("edited_undated",)
    call = message("missed")
    assert (call.content_kind, call.call_answered, call.text) == ("call", False, None)


def test_without_times_the_position_orders() -> None:
    [talk] = of_kind(chat(ANNA, flags=("no_times",)), Conversation)
    assert talk.is_untimed
    found = message(at=None)
    assert (found.sent_at, found.source_seq) == (None, 4)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"problem": "no_stamp"}, "no_stamp"),
        ({"said": "?"}, "unreadable"),
        ({"side": None}, "unmapped_sender"),
        ({"side": "boss"}, "unmapped_sender"),
        ({"author": None}, "missing_field"),
        ({"chat": None}, "missing_field"),
        ({"at": "2026-05-04T09:00:00"}, "bad_time"),
        ({"at": "вчера"}, "bad_time"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_a_reason(fields: dict[str, Any], reason: str) -> None:
    found = message(**fields)
    assert type(found) is Quarantined
    assert (found.stream, found.external_id, found.reason) == ("messages", "chat7:20260504T1200-0001", reason)


def test_a_chat_row_of_another_shape_is_refused() -> None:
    found = list(parser().parse("chats", RawRecord("wa", "chat7", {"people": "Анна"}, FETCHED, None)))
    assert [(type(one), one.reason) for one in found] == [(Quarantined, "missing_field")]
    with pytest.raises(KeyError):
        parser().parse("orders", RawRecord("wa", "1", {}, FETCHED, None))
