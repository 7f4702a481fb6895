"""What must hold for any bytes, for each reader.

A reader may refuse a file by one of three errors. A file that it takes is there as a whole: what the standard library
finds in it, counted by other means than the reader's, is in the rows, each row can be stored, no id comes twice, and
the parser turns every row into records or a reason.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from conversations.imports.survey import CHATS, MESSAGES, Choices, NotThisFormat, Reader, Settled, Undecided, settle
from conversations.imports.telegram import TelegramReader
from conversations.imports.telegram import meaning as of_telegram
from conversations.parsing.imported import ImportedParser
from conversations.source import RawRecord, RawRow
from resources.imports.errors import BadImport
from resources.imports.telegram_json import TelegramJson
from tests.fuzz import files

REFUSED = (BadImport, NotThisFormat, Undecided)
CHOICES = Choices(staff=frozenset({"Shop", "user2"}), date_order="dmy", chat="Анна")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Target(NamedTuple):
    """One reader, with valid files to bend."""

    name: str
    files: tuple[bytes, ...]
    words: tuple[bytes, ...]
    read: Callable[[bytes], bool]
    """Whether the bytes were taken; raises where something does not hold."""


def _taken(
    reader: Reader[Any], open_units: Callable[[], Iterable[Any]], parser: ImportedParser
) -> tuple[dict[str, Settled], list[RawRow]]:
    settled = settle(reader.survey(open_units(), CHOICES), CHOICES)
    rows = list(reader.rows(open_units(), settled, CHOICES))
    _sound(rows, settled, parser)
    return settled, rows


def _sound(rows: list[RawRow], settled: dict[str, Settled], parser: ImportedParser) -> None:
    ids = [row.external_id for row in rows]
    assert len(set(ids)) == len(ids), "an id comes twice"
    positions = [row.payload["position"] for row in rows]
    assert positions == sorted(positions), "rows out of order"
    for row in rows:
        assert row.external_id.startswith(f"{row.payload['chat']}:"), "an id of another chat"
        assert row.event_at is None or row.event_at.tzinfo is not None, "a time without a zone"
        assert (row.event_at is None) == (row.payload["at"] is None), "two times"
        stored = json.loads(orjson.dumps(_storable(row.payload)))
        found = list(parser.parse(MESSAGES, RawRecord("x", row.external_id, stored, NOW, None)))
        assert found, "a row without a record and without a reason"
    for chat in settled.values():
        stored = json.loads(orjson.dumps(_storable(chat.payload())))
        assert list(parser.parse(CHATS, RawRecord("x", chat.chat.key, stored, NOW, None)))


def _storable(payload: Any) -> Any:
    """As ``land()`` makes it fit: lone surrogates are no UTF-8."""
    return json.loads(re.sub(r"\\ud[89a-f][0-9a-f]{2}", "?", json.dumps(payload), flags=re.IGNORECASE))


# --- Telegram --------------------------------------------------------------------------------------------------------

_TELEGRAM = ImportedParser("telegram", "Telegram", of_telegram, has_person_ids=True)


def _telegram(data: bytes) -> bool:
    def units() -> Iterable[Any]:
        return TelegramJson(lambda: contextlib.nullcontext(io.BytesIO(data))).units()

    try:
        _, rows = _taken(TelegramReader(), units, _TELEGRAM)
    except REFUSED:
        return False
    # only keys that stand once are counted the same way by everybody
    with contextlib.suppress(ValueError, RecursionError, _Twice):
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
        assert len(rows) == _items(document), "items of the file are missing"
    return True


class _Twice(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _Twice
    return dict(pairs)


def _items(document: dict[str, Any]) -> int:
    found = document.get("messages")
    total = len(found) if isinstance(found, list) else 0
    for name in ("chats", "left_chats"):
        section = document.get(name)
        listed = section.get("list") if isinstance(section, dict) else None
        for chat in listed if isinstance(listed, list) else ():
            messages = chat.get("messages") if isinstance(chat, dict) else None
            total += len(messages) if isinstance(messages, list) else 0
    return total


TARGETS = {one.name: one for one in (Target("telegram", files.TELEGRAM, files.TELEGRAM_WORDS, _telegram),)}
