"""A small installation with somebody from every kind of source, as the platform stores it now and as it did before ids
were keyed.

Here: rows, through the product's own parsers, imports and rules. Not here: any expectation. All people are invented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from conversations.imports.survey import Choices, key_of
from conversations.lexicon import Lexicon
from conversations.numbers import NO_NUMBER, international
from conversations.parsing.call_files import CallFilesParser, harper_valley_rows
from conversations.parsing.tbank import TBankParser
from conversations.parsing.twitter_care import TwitterCareParser
from conversations.policy import Policy
from conversations.source import Parser, RawRow, Stream
from resources.imports.bring import bring
from resources.imports.formats import open_import
from resources.warehouse import core, customer_links
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.loader import land, refresh_evaluated, replace_window
from tests.warehouse.sources import FakeSource

ZONE = "Europe/Moscow"
NUMBER, OTHER = "9165550102", "9165550103"
"""Ten digits of the customers' numbers."""
NAME = "Вера Примерова"
HANDLE = "zima"
LEXICON = Lexicon.default()
POLICY = Policy.parse("defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30}")
FIXTURES = Path(__file__).parent.parent / "fixtures"
LATER = datetime(2026, 3, 20, tzinfo=UTC)
_TABLE = """
columns: {conversation: phone, time: at, text: text, role: side, author: who}
time: {format: iso}
"""


class _Former:
    """Keys as they were: plain hashes."""

    def number_key(self, phone: str | None) -> str | None:
        number = None if phone is None else international(phone)
        return None if phone is None else NO_NUMBER if number is None else key_of("number", number)

    def full_id(self, connection_id: str, given: str) -> str:
        return given


@contextmanager
def before_ids_were_keyed() -> Iterator[None]:
    """Whatever is stored meanwhile is stored as the platform did at revision 0007."""
    former = _Former()
    with (
        mock.patch.object(core, "keyed", lambda record, parser, keys: record),
        mock.patch.object(core, "person_keys", lambda connection: former),
        mock.patch.object(customer_links, "person_keys", lambda connection: former),
    ):
        yield


def derive(warehouse: Warehouse) -> int:
    """Core rows of all raw rows, and their judgement; returns how many conversations were touched."""
    touched = 0
    for connection_id, source, stream, parser in _accounts():
        streams = [Stream(stream, is_windowed=False)]
        touched += len(replace_window(warehouse, parser, connection_id, source, streams, None, ZONE).touched)
    return touched


def judge(warehouse: Warehouse, connections: tuple[str, ...] = ("tbank", "shop", "wa", "care", "files")) -> None:
    for one in connections:
        refresh_evaluated(warehouse, POLICY, None, LATER, connection_id=one, lexicon=LEXICON)


def fill(warehouse: Warehouse, folder: Path | None = None) -> None:
    """A telephony, a CRM that knows one of its numbers, recognised calls, tweets; with a folder also three kinds
    of exported chats."""
    with warehouse.connect() as sql:
        sql.execute("insert into core.channels values ('shop:61', 'shop', 'whatsapp', 'WhatsApp', true)")
        key = core.person_keys(sql).number_key(f"8{NUMBER}")
        sql.execute("insert into core.customers values ('shop:5', 'shop', %s, %s, null, %s)", (NAME, f"8{NUMBER}", key))
        sql.execute(
            "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
            " flags) values ('shop:chat5', 'shop', 'shop:61', 'shop:5', false, '{}')"
        )
        sql.execute(
            "insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
            " is_public, delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id) values"
            " ('shop:chat5', '1', 'shop', '2026-03-02 09:00Z', 'in', 'customer', true, 'sent', 'text', 'Цена?', '{}',"
            " now(), 'messages', '1')"
        )
    for connection_id, source, stream, _ in _accounts():
        rows = FakeSource(list(_rows(source)), page_size=1000)
        rows.name, rows.connection_id = source, connection_id
        rows.streams = {stream: Stream(stream, is_windowed=False)}
        land(rows, stream, None, warehouse)
    derive(warehouse)
    for path, connection_id, mapping in _files(folder) if folder is not None else ():
        choices = Choices(staff=frozenset({"Лавка"}))
        file = open_import(path, connection_id, choices, mapping=mapping)
        bring(file, warehouse.as_role(Role.LOADER), POLICY, LEXICON)


def bring_again(warehouse: Warehouse, folder: Path) -> None:
    """The same files, read anew as if nobody had seen them."""
    for path, connection_id, mapping in _files(folder):
        file = open_import(path, connection_id, Choices(staff=frozenset({"Лавка"})), mapping=mapping)
        bring(replace(file, version=f"{file.version} again"), warehouse.as_role(Role.LOADER), POLICY, LEXICON)


def _accounts() -> Iterator[tuple[str, str, str, Parser]]:
    yield "tbank", "tbank", "calls", TBankParser(ZONE)
    yield "recorded", "call_files", "calls", CallFilesParser()
    yield "care", "twitter_care", "conversations", TwitterCareParser()


def _rows(source: str) -> Iterator[RawRow]:
    if source == "call_files":
        transcript = json.loads(next((FIXTURES / "harper_valley" / "transcript").iterdir()).read_text("utf-8"))
        yield from harper_valley_rows({"document": transcript, "beside": None, "name": f"+7{NUMBER}"})
    elif source == "twitter_care":
        for item in json.loads((FIXTURES / "twitter_care_conversations.json").read_text("utf-8")):
            yield RawRow(item["dialogHeader"]["sessionID"], item, None, None)
    else:
        calls = (
            (1, f"+7{NUMBER}", 0),
            (2, f"8{OTHER}", 40),
            (3, "anonymous", 0),
            (4, "104", 30),
            (5, f"7{NUMBER}", 70),
        )
        for segment, number, seconds in calls:
            at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(minutes=7 * segment)
            payload: dict[str, Any] = {
                "segmentId": segment, "startDate": f"2026-03-02T12:{7 * segment:02}:00",
                "duration": seconds, "operatorUserId": 314, "callDirection": "outbound" if segment == 5 else "inbound",
                "clientPhoneNumber": number, "otklik_group": "Офис",
            }  # fmt: skip
            yield RawRow(str(segment), payload, at, None)


def _files(folder: Path) -> Iterator[tuple[Path, str, Path | None]]:
    said = [f"13.03.2026, 12:{minute:02} - {who}: {text}" for minute, who, text in (
        (1, f"+7 {NUMBER[:3]} {NUMBER[3:6]}-{NUMBER[6:8]}-{NUMBER[8:]}", "Есть в наличии?"), (4, "Лавка", "Да, есть."),
        (13, f"+7 {NUMBER[:3]} {NUMBER[3:6]}-{NUMBER[6:8]}-{NUMBER[8:]}", "А доставка?"))]  # fmt: skip
    chat = folder / "WhatsApp Chat with +7 916 555-01-02.txt"
    chat.write_text("\n".join(said) + "\n", "utf-8")
    yield chat, "wa", None
    items = [
        {"id": number, "type": "message", "date": "2026-03-02T12:00:00", "date_unixtime": str(1772442000 + 60 * number),
         "from": who, **({"from_id": peer} if peer else {}), "text": "Сколько стоит?", "text_entities": []}
        for number, (who, peer) in enumerate((("Лавка", "user7"), (NAME, "user8"), (NAME, "user8")), 1)
    ]  # fmt: skip
    export = folder / "result.json"
    known = {"name": NAME, "type": "personal_chat", "id": 8, "messages": items}
    nameless = [{k: v for k, v in one.items() if k != "from_id"} for one in items]
    unknown = {"name": NAME, "type": "private_group", "messages": nameless}
    export.write_text(json.dumps({"chats": {"list": [known, unknown]}}, ensure_ascii=False), "utf-8")
    yield export, "tg", None
    table, mapping = folder / "calls.csv", folder / "mapping.yaml"
    table.write_text(
        f"phone,at,text,side,who\n+7{NUMBER},2026-03-02T09:00:00+00:00,Где заказ?,customer,\n"
        f"+7{NUMBER},2026-03-02T09:05:00+00:00,Едет,manager,Лавка\n", "utf-8",
    )  # fmt: skip
    mapping.write_text(_TABLE, "utf-8")
    yield table, "files", mapping
