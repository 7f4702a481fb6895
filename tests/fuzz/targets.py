"""What must hold for any bytes, for each reader.

A reader may refuse a file by one of three errors. A file that it takes is there as a whole: what the standard library
finds in it, counted by other means than the reader's, is in the rows, each row can be stored, no id comes twice, and
the parser turns every row into records or a reason.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from conversations.imports.survey import CHATS, MESSAGES, Choices, NotThisFormat, Reader, Settled, Undecided, settle
from conversations.imports.tables import TableMapping, TableReader, is_person_id
from conversations.imports.tables import meaning as of_table
from conversations.imports.telegram import TelegramReader
from conversations.imports.telegram import meaning as of_telegram
from conversations.imports.whatsapp import WhatsAppReader
from conversations.imports.whatsapp import meaning as of_whatsapp
from conversations.parsing.imported import ImportedParser
from conversations.source import RawRecord, RawRow
from resources.imports.errors import BadImport
from resources.imports.opening import Counted
from resources.imports.tables import table_units
from resources.imports.telegram_json import TelegramJson
from resources.imports.text import lines
from tests.fuzz import files

REFUSED = (BadImport, NotThisFormat, Undecided)
CHOICES = Choices(staff=frozenset({"Shop", "user2"}), chat="Анна")
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
        chat = row.payload["chat"]
        assert row.external_id.startswith(f"{chat}:") or (chat is None and "problem" in row.payload), (
            "another chat's id"
        )
        assert row.event_at is None or row.event_at.tzinfo is not None, "a time without a zone"
        assert (row.event_at is None) == (row.payload["at"] is None), "two times"
        stored = json.loads(orjson.dumps(_storable(row.payload)))
        found = list(parser.parse(MESSAGES, RawRecord("x", row.external_id, stored, NOW, None)))
        assert found, "a row without a record and without a reason"
    for chat in settled.values():
        stored = json.loads(orjson.dumps(_storable(chat.payload())))
        assert list(parser.parse(CHATS, RawRecord("x", chat.chat.key, stored, NOW, None)))


def _storable(value: Any) -> Any:
    """As ``land()`` makes it fit: lone surrogates are no UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


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


# --- WhatsApp --------------------------------------------------------------------------------------------------------

_WHATSAPP = ImportedParser("whatsapp", "WhatsApp", of_whatsapp)
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


def _whatsapp(data: bytes) -> bool:
    try:
        _, rows = _taken(WhatsAppReader(), lambda: lines(io.BytesIO(data), "x"), _WHATSAPP)
    except REFUSED:
        return False
    mark = next((name for name, sign in _MARKS.items() if data.startswith(sign)), "utf-8-sig")
    # one mark is the encoding's, a second one is text
    text = data.decode(mark)
    there = (text if mark == "utf-8-sig" else text.removeprefix("\ufeff")).split("\n")
    if there[-1] == "":
        there.pop()
    there = [line.removesuffix("\r") for line in there]
    kept = [line for row in rows for line in row.payload["original"].split("\n")]
    assert kept == there, "lines of the file are missing"
    return True


# --- tables ----------------------------------------------------------------------------------------------------------

_TABLES = ImportedParser("file", "Файл", of_table, has_person_ids=is_person_id)
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


def _table(mapping: str, count: Callable[[str], int | None]) -> Callable[[bytes], bool]:
    declared = TableMapping.parse(mapping)

    def read(data: bytes) -> bool:
        with tempfile.NamedTemporaryFile(dir=_FOLDER) as file, contextlib.ExitStack() as closing:
            file.write(data)
            file.flush()

            def units() -> Iterable[Any]:
                return closing.enter_context(table_units(Path(file.name), declared, "x", Counted()))

            try:
                _, rows = _taken(TableReader(declared), units, _TABLES)
            except REFUSED:
                return False
        with contextlib.suppress(UnicodeDecodeError):
            expected = count(data.decode("utf-8-sig"))
            assert expected is None or len(rows) == expected, "rows of the table are missing"
        return True

    return read


def _csv_rows(text: str) -> int | None:
    """Rows below the header; ``None`` where quotes leave a choice."""
    found = None if '"' in text else _full_lines(text)
    return None if found is None else found - 1


def _full_lines(text: str) -> int | None:
    """Lines that hold something; ``None`` where NULs, other ends of lines or blanks alone leave a choice."""
    there = text.split("\n")
    if "\x00" in text or "\r" in text or any(line and not line.strip() for line in there):
        return None
    return sum(bool(line) for line in there)


TARGETS = {
    one.name: one
    for one in (
        Target("whatsapp", files.WHATSAPP, files.WHATSAPP_WORDS, _whatsapp),
        Target("telegram", files.TELEGRAM, files.TELEGRAM_WORDS, _telegram),
        Target("csv", files.CSV, files.CSV_WORDS, _table(files.CSV_MAPPING, _csv_rows)),
        Target("jsonl", files.JSONL, files.JSONL_WORDS, _table(files.JSONL_MAPPING, _full_lines)),
        Target("log", files.LOG, files.LOG_WORDS, _table(files.LOG_MAPPING, _full_lines)),
    )
}
