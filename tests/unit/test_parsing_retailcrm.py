"""RetailCRM's payloads, one fixture per quirk. Expected values are written out, not computed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.parsing.retailcrm import RetailCRMParser
from conversations.records import (
    Channel,
    Conversation,
    Customer,
    Event,
    Manager,
    Message,
    Order,
    Quarantined,
    Record,
)
from conversations.source import RawRecord
from resources.sources.retailcrm import RetailCRMSource

FIXTURES = Path(__file__).parent.parent / "fixtures"
FETCHED = datetime(2026, 3, 9, tzinfo=UTC)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"retailcrm_{name}.json").read_text("utf-8"))


def parse(
    stream: str, payload: dict[str, Any], parser: RetailCRMParser | None = None, gone_at: datetime | None = None
) -> list[Record | Quarantined]:
    row = RawRecord("shop", str(payload.get("id")), payload, FETCHED, gone_at)
    return list((parser or RetailCRMParser()).parse(stream, row))


def message(payload: dict[str, Any], **more: Any) -> Message:
    found = parse("messages", payload, **more)[0]
    assert isinstance(found, Message)
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_message_as_the_contract_shows_it() -> None:
    assert parse("messages", fixture("message_senders")[1]) == [
        Message(
            conversation_id="shop:88",
            message_id="5102",
            connection_id="shop",
            sent_at=at("2026-03-02T11:05:11+00:00"),
            source_seq=None,
            direction="out",
            sender_kind="manager",
            manager_id="shop:12",
            customer_id=None,
            is_public=True,
            delivery_status="read",
            content_kind="text",
            text="Да, есть",
            edited_at=None,
            deleted_at=None,
            call_answered=None,
            talk_seconds=None,
            flags=(),
        )
    ]


def test_times_have_zero_to_six_fraction_digits_and_any_offset() -> None:
    assert [message(payload).sent_at for payload in fixture("message_fraction_digits")] == [
        at("2026-03-02T07:34:16+00:00"),
        at("2026-03-02T07:34:57.059640+00:00"),
        at("2026-03-02T07:34:28.711100+00:00"),
        at("2026-03-02T07:34:28.000001+00:00"),
        at("2026-03-02T07:34:28.123456+00:00"),
    ]


def test_who_wrote() -> None:
    found = [message(payload) for payload in fixture("message_senders")]
    assert [(one.sender_kind, one.direction, one.is_public, one.manager_id, one.customer_id) for one in found] == [
        ("customer", "in", True, None, "shop:501"),
        ("manager", "out", True, "shop:12", None),
        ("bot", "out", True, None, None),
        ("autoreply", "out", True, None, None),
        ("note", "none", False, "shop:12", None),
        ("system", "none", False, None, None),
        ("note", "none", False, None, None),
    ]


@pytest.mark.parametrize("payload", fixture("message_unmapped_sender"), ids=lambda payload: str(payload["id"]))
def test_an_unmapped_sender_is_quarantined_and_never_guessed(payload: dict[str, Any]) -> None:
    assert parse("messages", payload) == [
        Quarantined("shop", "messages", str(payload["id"]), "unmapped_sender", at("2026-03-02T11:05:11+00:00"))
    ]


def test_what_was_sent() -> None:
    found = [message(payload) for payload in fixture("message_kinds")]
    assert [(one.message_id, one.content_kind, one.text) for one in found] == [
        ("5301", "media", "вот фото"),
        ("5302", "sticker", None),
        ("5303", "media", None),
        ("5304", "media", None),
        ("5305", "media", "чек"),
        ("5306", "media", "Ботинки «Иртыш», 7 990 ₽"),
        ("5307", "payment_link", "Оплатите: https://pay.kaspi.kz/pay/abc\nЗаказ 9012A"),
        ("5308", "payment_link", "Ссылка на оплату https://qr.nspk.ru/AS10003P"),
        ("5309", "text", "Каталог https://pay.kaspi.kz.evil.example/x и https://shop.example/pay.kaspi.kz"),
        ("5310", "text", "/start"),
    ]


def test_an_accounts_own_payment_host_is_known_by_configuration() -> None:
    payload = {**fixture("message_senders")[1], "content": "https://kassa.shop.example/9012"}
    assert message(payload).content_kind == "text"
    assert message(payload, parser=RetailCRMParser(payment_hosts=["shop.example"])).content_kind == "payment_link"


def test_what_is_not_understood_has_a_reason() -> None:
    reasons = {}
    for payload in fixture("message_unknown_type"):
        (found,) = parse("messages", payload)
        assert isinstance(found, Quarantined)
        reasons[found.external_id] = found.reason
    assert reasons == {
        "5401": "unknown_message_type",
        "5402": "unknown_scope",
        "5403": "missing_field",
        "5404": "missing_field",
        "5405": "bad_time",
        "5406": "bad_time",
        "5407": "bad_time",
        "5408": "missing_field",
        "5409": "missing_field",
    }


def test_delivery_statuses() -> None:
    found = [message(payload) for payload in fixture("message_statuses")]
    assert [(one.delivery_status, one.flags) for one in found] == [
        ("delivered", ()),
        ("read", ()),
        ("sent", ()),
        ("unknown", ()),
        ("failed", ()),
        ("unknown", ("unknown_delivery_status",)),
        ("unknown", ()),
        ("unknown", ("unknown_delivery_status",)),
    ]


def test_an_edited_message_keeps_its_time_and_says_when() -> None:
    (payload,) = fixture("message_edited")
    found = message(payload)
    assert (found.sent_at, found.edited_at) == (at("2026-03-02T11:05:11+00:00"), at("2026-03-02T12:05:12.25+00:00"))
    assert found.text == "Цена 6 990 ₽"


def test_a_vanished_message_keeps_its_effect_and_loses_its_text() -> None:
    payload = fixture("message_senders")[0]
    there, gone = message(payload), message(payload, gone_at=FETCHED)
    assert (gone.text, gone.deleted_at, gone.flags) == (None, None, ("gone_at_source",))
    assert gone._replace(text=there.text, flags=()) == there


def test_a_managers_mark_is_an_event_and_a_note() -> None:
    found = [parse("messages", payload) for payload in fixture("message_mark")]
    assert [[type(one).__name__ for one in records] for records in found] == [
        ["Message", "Event"],
        ["Message", "Event"],
        ["Message"],
        ["Message"],
    ]
    assert found[0][1] == Event(
        "shop:88", "m5701:no_reply_needed", "shop", "no_reply_needed", at("2026-03-02T11:05:11+00:00"), "shop:12"
    )


def test_marks_and_autoreplies_are_configuration() -> None:
    parser = RetailCRMParser(no_reply_needed_marks=["#тишина"], autoreply_names=["помощник"])
    mark = {**fixture("message_mark")[0], "content": "#ТИШИНА"}
    assert [type(one).__name__ for one in parse("messages", mark, parser)] == ["Message", "Event"]
    assert message(fixture("message_senders")[2], parser=parser).sender_kind == "autoreply"
    assert message(fixture("message_senders")[3], parser=parser).sender_kind == "bot"


def events_of(parser: RetailCRMParser) -> list[tuple[str, str, str, str | None]]:
    return [
        (one.event_id, one.kind, one.at.isoformat(), one.manager_id)
        for payload in fixture("dialog_handoff")
        for one in parse("messages", payload, parser)
        if isinstance(one, Event)
    ]


def test_assignments_hand_offs_and_closing_come_from_system_messages() -> None:
    parser = RetailCRMParser(handoff_message_ids={"5803"})
    assert events_of(parser) == [
        ("d301:assigned:1772445601", "assigned", "2026-03-02T10:00:01+00:00", None),
        ("d301:assigned:1772446320", "assigned", "2026-03-02T10:12:00+00:00", "shop:12"),
        ("d301:handoff:1772446320", "handoff", "2026-03-02T10:12:00+00:00", "shop:12"),
        ("d301:assigned:1772446800", "assigned", "2026-03-02T10:20:00+00:00", None),
        ("d301:closed:1772449200", "closed", "2026-03-02T11:00:00+00:00", None),
    ]


def test_an_assignment_is_no_hand_off_unless_a_bot_had_the_dialog() -> None:
    assert {kind for _, kind, _, _ in events_of(RetailCRMParser())} == {"assigned", "closed"}


def test_a_dialogs_row_tells_the_same_events_as_its_messages() -> None:
    """The quirk: ``is_active`` and ``closed_at`` at once; the dialog is closed."""
    from_row = {one for one in parse("dialogs", fixture("dialog_active_though_closed"))}
    from_messages = {
        one for payload in fixture("dialog_handoff") for one in parse("messages", payload) if isinstance(one, Event)
    }
    assert {one.event_id for one in from_row} == {"d301:assigned:1772446320", "d301:closed:1772449200"}
    assert from_row <= from_messages


def test_an_open_dialog_without_a_responsible_says_nothing() -> None:
    row = {**fixture("dialog_active_though_closed"), "closed_at": None, "responsible": None}
    assert parse("dialogs", row) == []


def test_chats() -> None:
    first, second = fixture("chat_without_customer")
    opened = at("2026-03-02T10:00:00+00:00")
    assert parse("chats", first) == [
        Customer("shop:501", "shop", "Клиент", "+77000000001", None),
        Conversation("shop:88", "shop", "shop:61", "shop:501", opened, False, ()),
    ]
    assert parse("chats", second) == [Conversation("shop:89", "shop", "shop:61", None, opened, False, ())]


def test_channels_and_bots() -> None:
    assert parse("channels", {"id": 61, "type": "whatsapp", "name": "", "is_active": False}) == [
        Channel("shop:61", "shop", "whatsapp", "whatsapp", False)
    ]
    assert parse("bots", {"id": 7, "name": "Помощник"}) == []


def test_one_person_of_both_apis_has_one_key() -> None:
    payloads = fixture("user_of_both_apis")
    assert parse("users", payloads["users"]) == [Manager("shop:12", "shop", "Айгерим Ким", None, True)]
    assert parse("crm_users", payloads["crm_users"]) == [Manager("shop:12", "shop", "Айгерим Ким", "sales", False)]
    assert parse("crm_users", payloads["crm_only"]) == [Manager("shop:crm31", "shop", "Олжас", None, True)]


def test_times_of_the_crm_are_the_accounts_own() -> None:
    card = fixture("customer_card")
    assert parse("customers", card, RetailCRMParser(time_zone="Asia/Almaty")) == [
        Customer("shop:crm4924", "shop", "Клиент Первый", "+77000000001", at("2026-03-01T19:30:00+00:00"))
    ]


def test_orders_with_payments_in_either_shape() -> None:
    found = [parse("orders", payload)[0] for payload in fixture("order_payments_polymorphic")]
    paid = at("2026-03-02T12:00:00+00:00")
    whole = Order(
        order_id="shop:9012",
        connection_id="shop",
        number="9012A",
        status="complete",
        customer_id="shop:crm4924",
        manager_id="shop:crm28",
        total_minor=4590050,
        currency="KZT",
        created_at=at("2026-03-02T11:05:11+00:00"),
        paid_at=paid,
    )
    assert found == [
        whole,
        whole,
        whole._replace(paid_at=None),
        whole._replace(paid_at=at("2026-03-04T06:00:00+00:00")),
        whole._replace(paid_at=None),
    ]


def test_an_orders_manager_is_the_one_who_chats_where_that_is_known() -> None:
    parser = RetailCRMParser(mg_user_ids={"28": "12"})
    (found,) = parse("orders", fixture("order_payments_polymorphic")[0], parser)
    assert found.manager_id == "shop:12"


def test_amounts_follow_the_currency() -> None:
    order = {**fixture("order_payments_polymorphic")[0], "currency": "JPY", "totalSumm": 1200}
    assert parse("orders", order)[0].total_minor == 1200


def test_odd_orders_have_a_reason() -> None:
    found = [parse("orders", payload)[0] for payload in fixture("order_odd")]
    assert [one.reason for one in found] == [
        "bad_amount",
        "bad_amount",
        "bad_time",
        "missing_field",
        "missing_field",
        "bad_amount",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WHOLE = {
    "channels": {"id": 61, "type": "whatsapp", "name": "", "is_active": False},
    "users": fixture("user_of_both_apis")["users"],
    "bots": {"id": 7, "name": "Помощник"},
    "crm_users": fixture("user_of_both_apis")["crm_users"],
    "customers": fixture("customer_card"),
    "orders": fixture("order_payments_polymorphic")[0],
    "chats": fixture("chat_without_customer")[0],
    "dialogs": fixture("dialog_active_though_closed"),
    "messages": fixture("dialog_handoff")[2],
}


@settings(max_examples=300, deadline=None)
@given(stream=st.sampled_from(sorted(RetailCRMSource.streams)), data=st.data())
def test_no_payload_makes_the_parser_fail(stream: str, data: st.DataObject) -> None:
    """One field of a good payload is anything at all: a record or a reason comes out."""
    payload = dict(WHOLE[stream] if stream != "messages" or data.draw(st.booleans()) else fixture("message_kinds")[1])
    payload[data.draw(st.sampled_from(sorted(payload)))] = data.draw(JSON)
    assert all(isinstance(one, tuple) for one in parse(stream, payload))


@pytest.mark.parametrize("stream", RetailCRMSource.streams)
@pytest.mark.parametrize("payload", [{}, {"id": None}, {"id": [1]}])
def test_a_row_without_an_id_is_quarantined(stream: str, payload: dict[str, Any]) -> None:
    assert [type(one) for one in parse(stream, payload)] == [Quarantined]
