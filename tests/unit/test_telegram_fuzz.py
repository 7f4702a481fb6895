"""Whatever a Telegram file holds: no crash, every item in exactly one row, ids once, and the same ids next time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, settle
from conversations.imports.telegram import TelegramReader, meaning
from conversations.parsing.imported import ImportedParser
from conversations.source import RawRecord, RawRow
from resources.imports.telegram_json import TelegramJson
from resources.warehouse.raw_rows import canonical_json
from tests.unit.telegram_files import Held

ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)
PEERS = st.sampled_from(["user7", "user8", "channel9", "user7'; drop", "", None, 7, 4_294_967_303]) | ANY
MOMENTS = st.sampled_from(["1704888000", 1704888000, "0", "-1", "x", "1e9", "99999999999999", 1704888000.5]) | ANY
PARTS = st.lists(st.text(max_size=5) | st.fixed_dictionaries({"type": st.just("bold"), "text": ANY}), max_size=3)
ITEMS = ANY | st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(-3, 12) | st.sampled_from(["5", "x", 2**70, 1.5]) | ANY,
        "type": st.sampled_from(["message", "service", "unsupported", "story"]) | ANY,
        "date": st.sampled_from(["2024-01-10T12:00:00", "2023-10-29T02:30:00", "0001-01-01", "2024-13-01"]) | ANY,
        "date_unixtime": MOMENTS,
        "edited_unixtime": MOMENTS,
        "edited": ANY,
        "from": ANY,
        "from_id": PEERS,
        "actor_id": PEERS,
        "action": st.sampled_from(["phone_call", "pin_message"]) | ANY,
        "duration_seconds": ANY,
        "discard_reason": ANY,
        "text": PARTS | ANY,
        "text_entities": PARTS | ANY,
        "media_type": st.sampled_from(["sticker", "voice_message"]) | ANY,
        "photo": ANY,
        "via_bot": ANY,
        "html": ANY,
    },
)
TYPES = ["personal_chat", "bot_chat", "private_group", "public_channel", "saved_messages", "new_kind"]
CHATS = st.fixed_dictionaries(
    {"messages": st.lists(ITEMS, max_size=8)},
    optional={"id": st.integers(0, 9) | ANY, "type": st.sampled_from(TYPES) | ANY, "name": ANY},
)
CHOICES = Choices(time_zone="Europe/Berlin", staff=frozenset({"user8"}))
PARSER = ImportedParser("telegram", "Telegram", meaning)


def read(chats: list[dict[str, Any]]) -> list[RawRow]:
    export, reader = TelegramJson(Held(json.dumps({"chats": {"list": chats}}).encode())), TelegramReader()
    settled = settle(reader.survey(export.units(), CHOICES), CHOICES)
    for chat in settled.values():
        assert json.dumps(chat.payload())
    return list(reader.rows(export.units(), settled, CHOICES))


@given(st.lists(CHATS, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_every_item_is_in_one_row_and_every_row_means_something_or_has_a_reason(chats: list[dict]) -> None:
    rows = read(chats)
    assert [row.payload["position"] for row in rows] == list(range(1, len(rows) + 1))
    expected = [item for chat in json.loads(json.dumps(chats)) for item in chat["messages"]]
    assert len(rows) == len(expected)
    for row, item in zip(rows, expected, strict=True):
        assert same(row.payload["original"], item)
    assert len({row.external_id for row in rows}) == len(rows)
    for row in rows:
        canonical_json(row)
        record = RawRecord("tg", row.external_id, row.payload, row.event_at, None)
        (made,) = PARSER.parse("messages", record)
        assert made.connection_id == "tg"


def same(found: Any, item: Any) -> bool:
    """Equal but for numbers that are kept as text."""
    if isinstance(item, dict):
        return found.keys() == item.keys() and all(same(found[key], item[key]) for key in item)
    if isinstance(item, list):
        return len(found) == len(item) and all(map(same, found, item))
    return found == item or found == str(item)


@given(st.lists(ITEMS, max_size=8), st.lists(ITEMS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_more_messages_at_the_end_change_no_id(items: list, more: list) -> None:
    header = {"id": 7, "type": "personal_chat", "name": None}
    before = [row.external_id for row in read([{**header, "messages": items}])]
    after = [row.external_id for row in read([{**header, "messages": items + more}])]
    assert after[: len(before)] == before
