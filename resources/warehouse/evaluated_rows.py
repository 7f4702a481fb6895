"""Between the tables and the pure core: core rows as ``conversations.timeline`` tuples and its results as table rows.

Here: the fields that are read and the fast way back into ``evaluated``. Not here: which
contacts are read (``resources.warehouse.refresh``), what the rows mean (``conversations``).

Instants travel as integers in both directions. PostgreSQL's binary format of ``timestamptz`` is the number of
microseconds since 2000-01-01 UTC, so a result goes out with one subtraction; building a ``datetime`` for each of some
ten instants of a wait costs more than judging the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from struct import Struct
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from conversations.timeline import (
    SECOND,
    Advice,
    Behaviour,
    Instant,
    LeftWaiting,
    Session,
    TimedEvent,
    TimedMessage,
    Wait,
)
from conversations.window import iso_week
from resources.warehouse.schema import metadata

POSTGRES_EPOCH: Instant = 946_684_800 * SECOND
"""2000-01-01 UTC, from which PostgreSQL counts."""

_INSTANT_FIELDS = frozenset(("sent_at", "ingested_at", "edited_at", "deleted_at", "at"))


def epoch(expression: str) -> str:
    """SQL: an instant as the integer that the core works with."""
    return f"(extract(epoch from {expression}) * {SECOND})::int8"


def _field(alias: str, name: str) -> str:
    if name == "text":
        # no rule reads the words of anybody else
        return f"case when {alias}.sender_kind in ('customer', 'manager') then {alias}.text end"
    return epoch(f"{alias}.{name}") if name in _INSTANT_FIELDS else f"{alias}.{name}"


MESSAGE_FIELDS = ", ".join(_field("m", name) for name in TimedMessage._fields)
"""SQL: the fields of ``TimedMessage`` from ``core.messages m``."""
EVENT_FIELDS = ", ".join(_field("e", name) for name in TimedEvent._fields)
"""SQL: the fields of ``TimedEvent`` from ``core.events e``."""


class Origin(NamedTuple):
    """Whom a conversation's results concern: the context columns of every evaluated table."""

    conversation_id: str
    connection_id: str
    channel_id: str
    customer_id: str | None


class Stamp(NamedTuple):
    """By which rules a row was judged."""

    definition_version: int
    policy_hash: str


class Days:
    """Local days and ISO weeks of instants in the organisation's zone, remembered by quarter of an hour.

    Quarters are safe keys: every offset in force since 1970 that the zone database knows for a business zone shifts
    midnight by a multiple of a quarter of an hour, so a quarter of an hour never spans two local days.
    """

    def __init__(self, time_zone: str) -> None:
        zone = ZoneInfo(time_zone)

        @cache
        def of_quarter(quarter: int) -> tuple[date, str]:
            day = datetime.fromtimestamp(quarter * 900, zone).date()
            return day, iso_week(day)

        self._of_quarter = of_quarter

    def at(self, instant: Instant | None) -> tuple[date | None, str | None]:
        """The local day and its week; of no instant, neither."""
        return (None, None) if instant is None else self._of_quarter(instant // (900 * SECOND))


class Table:
    """One evaluated table as a target of binary COPY: its columns in order and how a result becomes a row."""

    def __init__(self, name: str, fields: tuple[str, ...], instants: frozenset[str], day_of: str, day: str) -> None:
        """``fields``: of the result tuple, in its order; ``day_of``: the instant whose local day ``<day>_on`` names."""
        self.name = name
        self._instants = tuple(place for place, field in enumerate(fields) if field in instants)
        described = metadata.tables[f"evaluated.{name}"].columns
        self._texts = tuple(
            place for place, field in enumerate(fields) if field in described and _is_array(described[field].type)
        )
        self._day_of = fields.index(day_of)
        self._origin_from = 1 if "conversation_id" in fields else 0
        own = [*fields, *Origin._fields[self._origin_from :], f"{day}_on", f"{day}_week", *Stamp._fields]
        missing = set(described.keys()) ^ set(own)
        if missing:
            raise RuntimeError(f"evaluated.{name} and its result differ in {sorted(missing)}")
        self.columns = own
        self.types = [_copy_type(described[name].type) for name in own]
        self.fields = ", ".join(epoch(f"r.{name}") if name in instants else f"r.{name}" for name in fields)
        """SQL: the result's own fields, read back from the table as ``r``."""

    def row(self, result: tuple[Any, ...], origin: Origin, days: Days, stamp: Stamp) -> list[Any]:
        """The row of one result, instants counted PostgreSQL's way."""
        row = list(result)
        day_of = row[self._day_of]
        for place in self._instants:
            if row[place] is not None:
                row[place] -= POSTGRES_EPOCH
        for place in self._texts:
            row[place] = _text_array(row[place])
        row += origin[self._origin_from :]
        row += days.at(day_of)
        row += stamp
        return row

    def copy(self, connection: psycopg.Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows within the connection's transaction."""
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
            sql.Identifier("evaluated", self.name), sql.SQL(", ").join(map(sql.Identifier, self.columns))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(self.types)
            write: Callable[[Sequence[Any]], None] = copy.write_row
            for row in rows:
                write(row)


_ARRAY_HEAD = Struct("!iiiii")
_ITEM_HEAD = Struct("!i")
_TEXT_OID = 25
_NO_TEXTS = _ARRAY_HEAD.pack(0, 0, _TEXT_OID, 0, 1)[:12]


def _text_array(texts: Sequence[str]) -> bytes:
    """``text[]`` in PostgreSQL's binary format; psycopg's own way there costs as much as the rest of the row."""
    if not texts:
        return _NO_TEXTS
    parts = [_ARRAY_HEAD.pack(1, 0, _TEXT_OID, len(texts), 1)]
    for text in texts:
        item = text.encode()
        parts += (_ITEM_HEAD.pack(len(item)), item)
    return b"".join(parts)


def _is_array(kind: Any) -> bool:
    return type(kind).__name__ == "ARRAY"


def _copy_type(kind: Any) -> str:
    # an instant goes over as the integer that it is in the binary format of timestamptz, an array as its bytes
    names = {
        "DateTime": "int8",
        "Text": "text",
        "Integer": "int4",
        "Boolean": "bool",
        "Date": "date",
        "ARRAY": "bytea",
    }
    return names[type(kind).__name__]


WAITS = Table(
    "waits",
    Wait._fields,
    frozenset(
        (
            "opened_at",
            "last_asking_at",
            "answered_at",
            "answered_after_limit_at",
            "settled_at",
            "limit_at",
            "handoff_at",
        )
    ),
    "settled_at",
    "settled",
)
SESSIONS = Table(
    "sessions", Session._fields, frozenset(("started_at", "ended_at", "last_message_at")), "ended_at", "ended"
)
LEFT_WAITING = Table("left_waiting", LeftWaiting._fields, frozenset(("replaced_at",)), "replaced_at", "replaced")
BEHAVIOUR = Table("behaviour", Behaviour._fields, frozenset(("ended_at",)), "ended_at", "ended")
ADVICE = Table("advice", Advice._fields, frozenset(("given_at",)), "given_at", "given")
TABLES = (WAITS, SESSIONS, LEFT_WAITING, BEHAVIOUR, ADVICE)
"""All of them; each is named after its field of ``Evaluation``."""
