"""Every make and language of phone that the generator knows: every message with its author, minute and kind."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.imports.survey import Choices, settle
from conversations.imports.whatsapp import WhatsAppReader, meaning
from tests.unit.whatsapp_exports import PHONES, Phone, Said, talk, with_marks

ZONE = "Asia/Almaty"
CUSTOMER, SHOP = "Анна Петрова", "Магазин «Уют»"
KINDS = {
    "media": "media", "attached": "media", "place": "media", "once": "media", "sticker": "sticker", "missed": "call",
    "deleted": "deleted",
}  # fmt: skip
MINUTES = sorted({0, 1, 59, 60, 61, 719, 720, 721, 779, 780, 1439, *range(0, 1440, 17)})


def found(phone: Phone, talked: list[Said]) -> list[tuple[datetime | None, str | None, str, str | None]]:
    choices, lines = Choices(time_zone=ZONE, chat=CUSTOMER), list(phone.lines(talked))
    reader = WhatsAppReader()
    survey = reader.survey(lines, choices)
    (chat,) = survey.chats.values()
    result = []
    for row in reader.rows(lines, settle(survey, choices), choices):
        assert "problem" not in row.payload, row.payload["position"]
        meant = meaning(row.payload)
        kind = "system" if meant.is_system else "deleted" if meant.is_deleted else meant.content_kind
        author = chat.authors[row.payload["author"]].name if row.payload["author"] else None
        result.append((row.event_at, author, kind, meant.text))
        assert meant.is_edited == (phone.body(talked[len(result) - 1]).endswith(">") and kind == "text")
    return result


def expected(phone: Phone, talked: list[Said]) -> list[tuple[datetime, str | None, str, str | None]]:
    result = []
    for said in talked:
        at = said.at.replace(second=said.at.second if "{S" in phone.time else 0, tzinfo=ZoneInfo(ZONE))
        kind = "system" if said.author is None else KINDS.get(said.what, "text")
        text = said.text
        if said.what in ("system", "missed", "place"):
            text = phone.body(said).strip("\u200e")
        if said.text == "":
            kind, text = "media", None
        result.append((at, said.author, kind, text))
    return result


@pytest.mark.parametrize("phone", [*PHONES, *map(with_marks, PHONES)], ids=lambda phone: phone.name)
def test_every_message_is_found_with_author_minute_and_kind(phone: Phone) -> None:
    talked = talk(CUSTOMER, SHOP, phone.language)
    assert found(phone, talked) == expected(phone, talked)


@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: phone.name)
def test_the_whole_clock_is_read(phone: Phone) -> None:
    """Noon, midnight and all between, on a day that shows the order of dates."""
    talked = [Said(datetime(2022, 3, 23, minute // 60, minute % 60, 1), CUSTOMER, "text", "x") for minute in MINUTES]
    assert [row[0] for row in found(phone, talked)] == [row[0] for row in expected(phone, talked)]
