"""The book of imported files: what was read, under which choices, with what result.

Here: reading and writing ``ops.imports``, and whose connection it is. Not here: reading files (``resources.imports``).
A row is written once everything of its file is in core and judged; a row that says ``done`` under the same choices
means that nothing is left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql as composed

from resources.warehouse.failpoints import fail_point

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Imported:
    """A row of ``ops.imports``; its key is the connection and the content."""

    connection_id: str
    file_sha256: str
    choices_hash: str
    source: str
    file_bytes: int
    state: str
    reason: str | None = None
    chats: int = 0
    messages: int = 0
    quarantined: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


_FIELDS = tuple(Imported.__dataclass_fields__)
_KEY = ("connection_id", "file_sha256")
_READ = composed.SQL("select {} from ops.imports where connection_id = %s and file_sha256 = %s").format(
    composed.SQL(", ").join(map(composed.Identifier, _FIELDS))
)
_REST = [name for name in _FIELDS if name not in _KEY]
_WRITE = composed.SQL(
    "insert into ops.imports as i ({columns}, imported_at) values ({values}, now())"
    " on conflict (connection_id, file_sha256) do update set {assignments}, imported_at = now()"
    " where ({old}) is distinct from ({new})"
).format(
    columns=composed.SQL(", ").join(map(composed.Identifier, _FIELDS)),
    values=composed.SQL(", ").join(map(composed.Placeholder, _FIELDS)),
    assignments=composed.SQL(", ").join(
        composed.SQL("{0} = excluded.{0}").format(composed.Identifier(one)) for one in _REST
    ),
    old=composed.SQL(", ").join(composed.Identifier("i", one) for one in _REST),
    new=composed.SQL(", ").join(composed.Identifier("excluded", one) for one in _REST),
)


def find_import(connection: psycopg.Connection[Any], connection_id: str, file_sha256: str) -> Imported | None:
    """What is known of a file of the connection, by its content."""
    row = connection.execute(_READ, [connection_id, file_sha256]).fetchone()
    return None if row is None else Imported(*row)


def write_import(connection: psycopg.Connection[Any], row: Imported) -> None:
    """Write the row of a file; one that says the same already is left as it is. The caller commits."""
    connection.execute(_WRITE, {name: getattr(row, name) for name in _FIELDS})
    fail_point("imports.before_commit")


def source_of_connection(connection: psycopg.Connection[Any], connection_id: str, besides: str) -> str | None:
    """Another source than ``besides`` that holds rows under the connection's name, or is connected under it."""
    tables = connection.execute("select tablename from pg_tables where schemaname = 'raw' order by 1").fetchall()
    for (table,) in tables:
        if table.startswith(f"{besides}__"):
            continue
        holds = composed.SQL("select exists (select from {} where connection_id = %s)")
        row = connection.execute(holds.format(composed.Identifier("raw", table)), [connection_id]).fetchone()
        if row == (True,):
            return str(table.split("__")[0])
    # connected and not read yet
    account = connection.execute("select vendor from ops.connections where connection_id = %s", [connection_id])
    found = account.fetchone()
    return str(found[0]) if found is not None and found[0] != besides else None


def date_by_the_last_version(connection: psycopg.Connection[Any], connection_id: str, source: str) -> int:
    """Forget the times that an earlier reading of the connection's messages gave them; returns how many changed.

    Core dates a message by its first version, since vendors move the time of an edited one. A file read again under
    another time zone is no edit: all of it was dated wrongly before.
    """
    statement = composed.SQL(
        "update {} set first_event_at = event_at where connection_id = %s and first_event_at is distinct from event_at"
    ).format(composed.Identifier("raw", f"{source}__messages"))
    return connection.execute(statement, [connection_id]).rowcount
