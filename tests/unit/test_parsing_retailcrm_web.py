"""Nodes of the CRM's chats page mean what the Bot API's rows of the same talk mean, and nothing that they do not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.parsing.flags import EDITED_UNDATED, GONE_AT_SOURCE, IS_PARTIAL, MEANINGS, OUT_OF_WAITS
from conversations.parsing.retailcrm import RetailCRMParser
from conversations.parsing.retailcrm_web import RetailCRMWebParser
from conversations.records import Channel, Conversation, Customer, Event, Manager, Message, Quarantined
from conversations.source import RawRecord
from tests.emulators.retailcrm_bot_rows import BotRows
from tests.emulators.retailcrm_web_rows import WebRows
from tests.emulators.shop.model import Shop

WHEN = datetime(2026, 3, 9, tzinfo=UTC)
USER = {"__typename": "User", "id": "12", "name": "Айгерим Ким"}
CUSTOMER = {"__typename": "Customer", "id": "5", "name": "Клиент"}
NODE = {"id": "7", "__typename": "TextMessage", "type": "TEXT", "time": "2026-03-02T14:05:11+03:00",
        "author": CUSTOMER, "content": "Есть 42-й?", "chatId": "88"}  # fmt: skip


def parsed(stream: str, payload: dict[str, Any], **more: Any) -> list[Any]:
    return list(
        RetailCRMWebParser(**more).parse(stream, RawRecord("shop", str(payload.get("id")), payload, WHEN, None))
    )


def one(payload: dict[str, Any], kind: type = Message) -> Any:
    (found,) = [record for record in parsed("messages", payload) if isinstance(record, kind)]
    return found


def test_every_message_of_a_shop_means_the_same_through_both_doors() -> None:
    shop = Shop.tiny(messages=400)
    clock, bot, web = shop.clock, BotRows(shop), WebRows(shop)
    for message in shop.messages:
        if not message.is_visible(clock):
            continue
        row = RawRecord("shop", str(message.id), bot.message(message, clock), WHEN, None)
        expected = list(RetailCRMParser().parse("messages", row))
        found = parsed("messages", {**web.message(message, clock), "chatId": str(message.chat.id)})
        people = [record for record in found if isinstance(record, Manager)]
        found = [_without_what_only_one_says(record) for record in found if record not in people]
        assert found == [_without_what_only_one_says(record) for record in expected]
        assert {manager.manager_id for manager in people} <= {f"shop:{user.id}" for user in shop.users}


def _without_what_only_one_says(record: Any) -> Any:
    if not isinstance(record, Message):
        return record
    flags = tuple(flag for flag in record.flags if flag != EDITED_UNDATED)
    status = "unknown" if record.sender_kind == "system" else record.delivery_status
    return record._replace(edited_at=None, flags=flags, delivery_status=status)


def test_a_chat_is_its_conversation_customer_and_the_people_it_names() -> None:
    node = {"id": "88", "channel": {"id": 61, "type": "WHATSAPP", "name": "WA"}, "customer": {**CUSTOMER, "phone": "x"},
            "lastActivity": "2026-03-02T14:05:11Z", "lastDialog": {"id": "3", "responsible": USER},
            "lastMessage": {"id": "9", "author": {**USER, "id": 13, "name": "Борис"}}}  # fmt: skip
    assert parsed("chats", node) == [
        Manager("shop:12", "shop", "Айгерим Ким", None, True),
        Manager("shop:13", "shop", "Борис", None, True),
        Customer("shop:5", "shop", "Клиент", "x", None),
        Conversation("shop:88", "shop", "shop:61", "shop:5", None, False, ()),
    ]
    assert parsed("channels", node["channel"]) == [Channel("shop:61", "shop", "whatsapp", "WA", True)]


def test_the_fields_of_public_integrations_are_enough() -> None:
    message = one(NODE)
    assert (message.conversation_id, message.message_id, message.sender_kind) == ("shop:88", "7", "customer")
    assert (message.is_public, message.text, message.content_kind, message.flags) == (True, "Есть 42-й?", "text", ())
    assert message.sent_at == datetime(2026, 3, 2, 11, 5, 11, tzinfo=UTC)
    without_type = {key: value for key, value in NODE.items() if key != "type"}
    assert one(without_type) == message
    picture = {**NODE, "__typename": "ImageMessage", "type": "IMAGE", "note": "вот фото", "content": None}
    assert (one(picture).content_kind, one(picture).text) == ("media", "вот фото")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"author": {**CUSTOMER, "__typename": "robot"}}, "unmapped_sender"),
        ({"author": {"id": "5"}}, "unmapped_sender"),
        ({"author": "Клиент"}, "unmapped_sender"),
        ({"time": "2026-03-02 14:05:11"}, "bad_time"),
        ({"type": "HOLOGRAM"}, "unknown_message_type"),
        ({"scope": "SECRET"}, "unknown_scope"),
        ({"chatId": None}, "missing_field"),
        ({"id": True}, "missing_field"),
        ({"type": None, "__typename": None}, "missing_field"),
    ],
)
def test_what_nobody_documented_is_quarantined_by_reason(change: dict[str, Any], reason: str) -> None:
    assert [record.reason for record in parsed("messages", {**NODE, **change})] == [reason]
    assert isinstance(parsed("messages", {**NODE, **change})[0], Quarantined)


def test_a_line_without_author_is_the_systems_and_an_untold_assignee_is_no_event() -> None:
    line = {**NODE, "author": None, "type": None, "content": None, "action": "dialog_assign"}
    assert one(line).sender_kind == "system" and not one(line).is_public
    assert not [record for record in parsed("messages", line) if isinstance(record, Event)]
    told = {**line, "dialog": {"id": "3"}, "responsible": USER}
    event = one(told, Event)
    assert (event.kind, event.manager_id, event.event_id) == ("assigned", "shop:12", "d3:assigned:1772449511")
    nobody = one({**told, "responsible": None}, Event)
    assert (nobody.kind, nobody.manager_id) == ("assigned", None)
    closed = one({**line, "action": "DIALOG_CLOSED"}, Event)
    assert (closed.kind, closed.event_id) == ("closed", "dchat88:closed:1772449511")
    kinds = {record.kind for record in parsed("messages", told, handoff_message_ids={"7"}) if isinstance(record, Event)}
    assert kinds == {"assigned", "handoff"}


def test_a_deleted_message_keeps_its_place_and_loses_its_text() -> None:
    gone = one({**NODE, "isDeleted": True})
    assert (gone.text, gone.flags, gone.deleted_at) == (None, (GONE_AT_SOURCE,), None)
    dated = one({**NODE, "deletedAt": "2026-03-02T12:00:00Z"})
    assert (dated.text, dated.deleted_at) == (None, datetime(2026, 3, 2, 12, tzinfo=UTC))


def test_an_edit_without_a_time_is_flagged_and_one_with_a_time_is_dated() -> None:
    assert one({**NODE, "isEdited": True}).flags == (EDITED_UNDATED,)
    dated = one({**NODE, "isEdited": True, "editedAt": "2026-03-02T12:00:00Z"})
    assert (dated.edited_at, dated.flags) == (datetime(2026, 3, 2, 12, tzinfo=UTC), ())


def test_a_partial_row_is_flagged_and_out_of_waits() -> None:
    assert one({**NODE, "is_partial": True}).flags == (IS_PARTIAL,)
    assert IS_PARTIAL in OUT_OF_WAITS <= set(MEANINGS)
