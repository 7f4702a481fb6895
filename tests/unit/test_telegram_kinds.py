"""What one message of a Telegram export says."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.imports.telegram import meaning
from conversations.parsing.fields import Odd
from conversations.parsing.imported import ImportedParser, Meant
from conversations.records import Message, Quarantined
from conversations.source import RawRecord
from tests.unit.telegram_files import START, message, notice
from tests.unit.test_telegram_reader import read_chat


def meant(item: Any) -> Meant:
    return meaning({"original": item})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Здравствуйте", "Здравствуйте"),
        ("", None),
        (["Цена ", {"type": "bold", "text": "45 900"}, " тг, ", {"type": "text_link", "text": "тут", "href": "x"}],
         "Цена 45 900 тг, тут"),
        ([{"type": "custom_emoji", "text": "🙂", "document_id": "x.webp"}, "\n", ""], "🙂\n"),
        ([], None),
    ],
)  # fmt: skip
def test_text_is_what_its_parts_say_together(text: Any, plain: str | None) -> None:
    assert meant(message(1, "user7", text)).text == plain


def test_entities_stand_in_for_a_text_that_is_missing() -> None:
    assert meant({"type": "message", "text_entities": [{"type": "plain", "text": "a"}]}).text == "a"


@pytest.mark.parametrize("text", [7, {"text": "a"}, [7], [{"type": "bold"}], [["a"]]])
def test_a_text_of_another_shape_is_odd(text: Any) -> None:
    with pytest.raises(Odd, match="bad_text"):
        meant(message(1, "user7", text))


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "text"),
        ({"photo": "photos/1.jpg", "width": 1}, "media"),
        ({"file": "(File not included. Change data exporting settings to download.)"}, "media"),
        *[({"file": "a", "media_type": one}, "media")
          for one in ("video_message", "voice_message", "animation", "video_file", "audio_file")],
        ({"file": "a", "media_type": "sticker", "sticker_emoji": "👍"}, "sticker"),
        ({"contact_information": {"first_name": "А", "phone_number": "1"}}, "media"),
        ({"location_information": {"latitude": 1.5, "longitude": 2.5}}, "media"),
        ({"location_information": None}, "media"),
        ({"place_name": "Склад"}, "media"),
        ({"poll": {"question": "?"}}, "media"),
        ({"game_title": "x"}, "media"),
        ({"invoice_information": {"amount": 100}}, "payment_link"),
        ({"forwarded_from": None}, "text"),
        ({"reply_to_message_id": 1}, "text"),
    ],
)  # fmt: skip
def test_kinds(more: dict, kind: str) -> None:
    assert meant(message(1, "user7", "подпись", **more)).content_kind == kind


def test_a_message_of_nothing_known_is_media() -> None:
    assert meant(message(1, "user7", "", something_new={})).content_kind == "media"


@pytest.mark.parametrize(
    ("more", "answered", "seconds"),
    [
        ({"duration_seconds": 75, "discard_reason": "hangup"}, True, 75),
        ({"discard_reason": "hangup"}, False, 0),
        ({"discard_reason": "missed"}, False, 0),
        ({"discard_reason": "busy"}, False, 0),
        ({"discard_reason": "disconnect"}, False, 0),
        ({"duration_seconds": 0, "discard_reason": "missed"}, False, 0),
        ({"duration_seconds": "75"}, None, None),
        ({}, None, None),
    ],
)
def test_calls(more: dict, answered: bool | None, seconds: int | None) -> None:
    found = meant(notice(1, "phone_call", **more))
    assert (found.content_kind, found.is_system) == ("call", False)
    assert (found.call_answered, found.talk_seconds) == (answered, seconds)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (notice(1, "invite_members", members=["Б"]), "invite_members"),
        (notice(1, "group_call", duration=5), "group_call"),
        ({**notice(1, "x"), "action": None, "information_text": "слова"}, "слова"),
    ],
)
def test_other_service_messages_are_notices(item: dict, words: str) -> None:
    assert meant(item) == Meant(words, is_system=True)


def core(rows: list) -> list:
    parser = ImportedParser("telegram", "Telegram", meaning, has_person_ids=True)
    made = []
    for row in rows:
        record = RawRecord("tg", row.external_id, row.payload, row.event_at, None)
        made += parser.parse("messages", record)
    return made


def test_rows_become_messages_of_core() -> None:
    edited = message(2, "user900", "Да", edited_unixtime=str(START + 600))
    rows = read_chat([message(1, "user7", "Сколько?"), edited, notice(3, "phone_call", "user900", duration_seconds=9),
                      notice(4, "pin_message"), {"id": 5, "type": "unsupported"}])  # fmt: skip
    asked, answered, call, pinned, unsupported = core(rows)
    assert isinstance(asked, Message)
    assert (asked.sender_kind, asked.direction, asked.customer_id, asked.text) == (
        "customer",
        "in",
        "tg:user7",
        "Сколько?",
    )
    assert (asked.conversation_id, asked.message_id) == ("tg:user7", "000000000001")
    assert (answered.sender_kind, answered.manager_id, answered.edited_at.minute) == ("manager", "tg:user900", 10)
    assert (call.content_kind, call.call_answered, call.talk_seconds) == ("call", True, 9)
    assert (pinned.sender_kind, pinned.is_public) == ("system", False)
    assert unsupported == Quarantined("tg", "messages", "user7:000000000005", "unsupported", None)
