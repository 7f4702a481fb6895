"""``replace_window()``: raw rows of a window become core rows, in one transaction.

Here: reading, parsing, keying of ids, staging. Not here: what a payload means (``conversations.parsing``), which ids
are keyed (``conversations.keyed``), the SQL by which staged rows are exchanged for stored ones (``core_tables``).

A core row that is owned by a window carries the address of its raw row. Doing a window again removes what its raw rows
no longer say, writes what is new and leaves alone what is the same. Directories (channels, managers, customers,
conversations) are written by key and never lose rows. Memory does not grow with the window: raw rows are read through a
server-side cursor and go to staging tables in portions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import psycopg
from psycopg import sql

from conversations.keyed import PersonKeys, keyed
from conversations.records import (
    Call,
    CallTranscript,
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
from conversations.source import Parser, RawRecord, Stream
from conversations.window import Window
from resources.warehouse.copy_text import line
from resources.warehouse.core_tables import TABLES, CoreTable, Owner
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import core_lock
from resources.warehouse.person_keys import person_keys
from resources.warehouse.stale_quotes import forget_unsaid, said_anew

UNMAPPED_SENDER = "unmapped_sender"
PARSER_ERROR = "parser_error"
PORTION = 2_000
_TABLE_OF: dict[type, str] = {
    Channel: "channels",
    Manager: "managers",
    Customer: "customers",
    Conversation: "conversations",
    Message: "messages",
    Event: "events",
    Order: "orders",
    Call: "calls",
    CallTranscript: "call_transcripts",
}


@dataclass(frozen=True)
class Counts:
    """What one call of ``replace_window`` found and did."""

    raw_rows: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Rows that the raw rows amount to, by table."""
    by_day: dict[date, dict[str, int]] = field(default_factory=dict)
    """The same of messages, events and orders, by their local day."""
    quarantined: dict[str, int] = field(default_factory=dict)
    """Records that could not be understood, by reason."""
    touched: frozenset[str] = frozenset()
    """Conversations of which a message or an event was written or removed, or that changed themselves."""

    @property
    def unmapped_senders(self) -> int:
        """Messages of which nobody knows who wrote them: a figure about people must not be made without them."""
        return self.quarantined.get(UNMAPPED_SENDER, 0)


def replace_window(
    warehouse: Warehouse,
    parser: Parser,
    connection_id: str,
    source_name: str,
    streams: Sequence[Stream],
    window: Window | None,
    time_zone: str,
    *,
    tables: Collection[str] | None = None,
) -> Counts:
    """Derive the core rows of a window anew. Doing it again changes nothing.

    ``window`` of ``None`` takes all rows; directories are always taken whole. ``tables`` limits what is written. Of two
    streams that know the same channel, manager or customer, the later in ``streams`` wins where it says something.

    Raises:
        Busy: another process writes the core tables of this account and does not end.
        WarehouseUnavailable: the database went away; nothing of the window was changed.
        PersonKeyLost: the secret of the keyed ids is gone; nothing was changed.
    """
    unknown = set(tables or ()) - set(TABLES)
    if unknown:
        raise ValueError(f"there are no core tables {sorted(unknown)}")
    owner = Owner(
        connection_id,
        tuple(stream.name for stream in streams if stream.is_windowed or window is None),
        tuple(stream.name for stream in streams if not (stream.is_windowed or window is None)),
        window,
    )
    written = [TABLES[name] for name in TABLES if tables is None or name in tables or name == "quarantine"]
    with (
        warehouse.connect("otklik core", autocommit=True) as connection,
        core_lock(connection, connection_id),
        warehouse.connect("otklik core reader") as reader,
    ):
        with connection.transaction():
            keys = person_keys(connection)
            staging = _Staging(connection, written, time_zone, keys)
            raw = _raw_rows(reader, connection_id, source_name, streams, window)
            raw_rows = sum(staging.add(row, _parse(parser, row, keys)) for row in raw)
            staging.flush()
            fail_point("core.staged")
            rows, by_day, touched = {}, defaultdict[date, dict[str, int]](dict), set[str]()
            anew = said_anew(connection) if any(table.name == "call_transcripts" for table in written) else []
            for table in written:
                rows[table.name], days = table.settle(connection, time_zone)
                for day, count in days:
                    by_day[day][table.name] = count
                touched |= table.exchange(connection, owner)
            forget_unsaid(connection, touched, anew)
            fail_point("core.before_commit")
        fail_point("core.committed")
    del rows["quarantine"]
    return Counts(raw_rows, rows, dict(sorted(by_day.items())), dict(staging.reasons), frozenset(touched))


class _Row(NamedTuple):
    """A raw row on its way to the parser."""

    stream: str
    is_owned_by_window: bool
    record: RawRecord
    event_at: datetime | None
    first_event_at: datetime | None


class _Staging:
    """Portions of records on their way to the staging tables."""

    def __init__(
        self, connection: psycopg.Connection[Any], tables: list[CoreTable], time_zone: str, keys: PersonKeys
    ) -> None:
        self._sql = connection
        self._keys = keys
        self._tables = {table.name: table for table in tables}
        self._zone = ZoneInfo(time_zone)
        self._portions: dict[str, list[str]] = {table.name: [] for table in tables}
        self._number = 0
        self.reasons: Counter[str] = Counter()
        for table in tables:
            table.create_staging(connection)

    def add(self, row: _Row, records: list[Record | Quarantined]) -> int:
        """Take the records of one raw row."""
        window_at = row.event_at if row.is_owned_by_window else None
        lineage = (row.stream, row.record.external_id, window_at)
        is_single = sum(isinstance(record, Message) for record in records) == 1
        reasons: Counter[str] = Counter()
        for record in records:
            if isinstance(record, Quarantined):
                reasons[record.reason] += 1
            elif isinstance(record, Message):
                self._put("messages", (*self._message(record, row, is_single), *lineage))
            elif isinstance(record, Call):
                business_on = record.started_at.astimezone(self._zone).date()
                self._put("calls", (*record, business_on, row.record.fetched_at, *lineage))
            elif isinstance(record, CallTranscript):
                said = sum(len(phrase["text"]) for phrase in orjson.loads(record.phrases or "[]"))
                self._put("call_transcripts", (*record, said, row.record.fetched_at, *lineage))
            elif isinstance(record, Customer):
                self._put("customers", (*record, self._keys.number_key(record.phone)))
            elif isinstance(record, Event | Order):
                self._put(_TABLE_OF[type(record)], (*record, *lineage))
            else:
                self._put(_TABLE_OF[type(record)], record)
        for reason, items in reasons.items():
            connection_id = row.record.connection_id
            self._put("quarantine", (connection_id, row.stream, row.record.external_id, reason, window_at, items))
        self.reasons += reasons
        return 1

    def flush(self) -> None:
        """Write what is left."""
        for name in self._portions:
            self._write(name)

    def _message(self, message: Message, row: _Row, is_single: bool) -> Iterable[Any]:
        if is_single and row.first_event_at is not None and message.sent_at == row.event_at:
            # the contract: the time of the first version, everything else of the last
            message = message._replace(sent_at=row.first_event_at.astimezone(UTC))
        sent_at = message.sent_at
        business_on = sent_at.astimezone(self._zone).date() if sent_at is not None else None
        return (*message, business_on, row.record.fetched_at)

    def _put(self, name: str, values: Iterable[object]) -> None:
        portion = self._portions.get(name)
        if portion is None:
            return
        self._number += 1
        portion.append(line((*values, self._number)))
        if len(portion) >= PORTION:
            self._write(name)

    def _write(self, name: str) -> None:
        portion = self._portions[name]
        if portion:
            with self._sql.cursor() as cursor, cursor.copy(self._tables[name].copy_statement) as copy:
                copy.write("".join(portion))
            portion.clear()


def _parse(parser: Parser, row: _Row, keys: PersonKeys) -> list[Record | Quarantined]:
    """The records of a raw row, their ids keyed: nothing gets into core past this step (promise V2)."""
    record = row.record
    try:
        return [keyed(one, parser, keys) for one in parser.parse(row.stream, record)]
    except Exception:
        # a row that breaks the parser must neither stop the others nor vanish; its content must not reach a log
        return [Quarantined(record.connection_id, row.stream, record.external_id, PARSER_ERROR, row.event_at)]


def _raw_rows(
    reader: psycopg.Connection[Any],
    connection_id: str,
    source_name: str,
    streams: Sequence[Stream],
    window: Window | None,
) -> Iterator[_Row]:
    for stream in streams:
        is_limited = stream.is_windowed and window is not None
        statement = sql.SQL(
            "select connection_id, external_id, payload, fetched_at, gone_at, event_at, first_event_at from {}"
            " where connection_id = %(connection_id)s {} order by external_id"
        ).format(
            sql.Identifier("raw", f"{source_name}__{stream.name}"),
            sql.SQL("and event_at >= %(start)s and event_at < %(end)s" if is_limited else ""),
        )
        values: dict[str, Any] = {"connection_id": connection_id}
        if is_limited and window is not None:
            values |= {"start": window.start, "end": window.end}
        with reader.cursor(name="raw_rows") as cursor:
            cursor.itersize = PORTION
            for *record, event_at, first_event_at in cursor.execute(statement, values):
                yield _Row(stream.name, stream.is_windowed, RawRecord(*record), event_at, first_event_at)
