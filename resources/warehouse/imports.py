"""The book of imported files: what was read, under which choices, with what result.

Here: reading and writing ``ops.imports``, which days its files cover, and whose connection it is. Not here: reading
files (``resources.imports``).
A row is written before anything of its file is, and says ``done`` once everything of it is in core and judged: done
under the same choices means that nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql as composed

from resources.warehouse.failpoints import fail_point

READING, DONE, FAILED = "reading", "done", "failed"
MEASURE = "file_rows"
"""Of ``ops.completeness``: a file is its own counter."""


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


def begin_import(connection: psycopg.Connection[Any], row: Imported) -> None:
    """Write down that a file is being read, before anything of it is stored; the caller commits.

    Cut off there, no choices are those it was read under: brought again, under the same or under others, it is read
    whole. Of a file that is there already its time stays, by which its rows are known.
    """
    connection.execute(
        "insert into ops.imports as i (connection_id, file_sha256, choices_hash, source, file_bytes, state, chats,"
        " messages, quarantined, imported_at) values (%s, %s, '', %s, %s, %s, 0, 0, 0, now())"
        " on conflict (connection_id, file_sha256) do update set choices_hash = ''"
        " where i.choices_hash <> ''",
        [row.connection_id, row.file_sha256, row.source, row.file_bytes, READING],
    )


def turn_back(connection: psycopg.Connection[Any], connection_id: str, judged_at: datetime) -> None:
    """Let a connection be judged as of an earlier instant than it was; the caller commits.

    Only after a file was read again, and its messages turned out to end earlier: what was not answered by an end that
    there never was must be judged anew.
    """
    connection.execute(
        "with turned as (update ops.as_of set as_of = %(at)s where scope = %(one)s and as_of > %(at)s returning scope)"
        " insert into ops.dirty as d (conversation_id, connection_id, since)"
        " select c.conversation_id, c.connection_id, '1900-01-01 00:00Z'"
        " from core.conversations as c inner join turned as t on t.scope = c.connection_id"
        " on conflict (conversation_id) do update set since = excluded.since, is_told = false",
        {"one": connection_id, "at": judged_at},
    )


def is_cut_within(connection: psycopg.Connection[Any], connection_id: str, stream: str, mark: str) -> bool:
    """Whether a reading of the file of this ``mark`` was cut off: the files of a connection share one place of it."""
    row = connection.execute(
        "select exists (select from ops.cursors where connection_id = %s and stream = %s and not is_complete"
        " and cursor ->> 'sha256' = %s)",
        [connection_id, stream, mark],
    ).fetchone()
    return row == (True,)


def cover_days(connection: psycopg.Connection[Any], connection_id: str, source: str, time_zone: str) -> None:
    """Count the days that the connection's files cover, from the first to the last message of each; the caller commits.

    A file is whole by itself (contract, section 8: where there is no counter, what is stored last is what the source
    has last), so all it has of a day is stored. Of days before and after nobody knows what was said: not counted.
    """
    values = {"connection_id": connection_id, "measure": MEASURE, "zone": time_zone}
    connection.execute(
        "delete from ops.completeness where connection_id = %(connection_id)s and measure = %(measure)s", values
    )
    connection.execute(_COVER.format(table=_messages(source)), values)


# The bounds keep a file with a wrong date from filling the table with days of centuries.
_COVER = composed.SQL("""
with days as (
    select distinct d::date as business_on
    from ops.imports as i
    cross join lateral generate_series(
        greatest((i.first_at at time zone %(zone)s)::date, date '1990-01-01')::timestamp,
        least((i.last_at at time zone %(zone)s)::date, date '2100-12-31')::timestamp,
        interval '1 day'
    ) as d
    where i.connection_id = %(connection_id)s and i.state = 'done'
),

counted as (
    select (coalesce(first_event_at, event_at) at time zone %(zone)s)::date as business_on, count(*) as rows
    from {table}
    where connection_id = %(connection_id)s and gone_at is null and event_at is not null
    group by 1
)

insert into ops.completeness (connection_id, channel_id, business_on, measure, reported, stored)
select %(connection_id)s, h.channel_id, d.business_on, %(measure)s, coalesce(c.rows, 0), coalesce(c.rows, 0)
from days as d
inner join core.channels as h on h.connection_id = %(connection_id)s
left join counted as c on c.business_on = d.business_on
""")


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


def is_anything_gone(connection: psycopg.Connection[Any], connection_id: str, source: str) -> bool:
    """Whether rows of the connection were taken back by a later reading of their file."""
    statement = composed.SQL("select exists (select from {} where connection_id = %s and gone_at is not null)")
    row = connection.execute(statement.format(_messages(source)), [connection_id]).fetchone()
    return row == (True,)


def is_dated_otherwise(connection: psycopg.Connection[Any], connection_id: str, source: str) -> bool:
    """Whether messages of the connection have another time by now than when they were read first, from another file."""
    statement = composed.SQL(
        "select exists (select from {} where connection_id = %s and gone_at is null"
        " and first_event_at is distinct from event_at)"
    )
    row = connection.execute(statement.format(_messages(source)), [connection_id]).fetchone()
    return row == (True,)


def replace_reading(
    connection: psycopg.Connection[Any], known: Imported, source: str, external_ids: Iterable[str]
) -> int:
    """Make the messages of a file those of its new reading; returns how many of the former one are taken back.

    Taken back is what the former reading brought first and the new one does not have: a wrong order of the date, or a
    wrong title, gave those rows wrong ids. Only of the file that was imported last: of an earlier one nobody can tell
    its rows from those of the files after it, and nothing is taken back. What the new reading has is there again,
    dated by itself: core dates a message by its first version, since vendors move the time of an edited one, but a file
    read again under another time zone is no edit. The caller commits.
    """
    connection.execute("create temp table read_again (external_id text not null) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy read_again from stdin") as copy:
        for external_id in external_ids:
            copy.write_row([external_id])
    connection.execute("analyze read_again")
    values = {"connection_id": known.connection_id, "sha256": known.file_sha256}
    taken = connection.execute(_TAKE_BACK.format(table=_messages(source)), values).rowcount
    connection.execute(_DATE_ANEW.format(table=_messages(source)), values)
    return taken


_TAKE_BACK = composed.SQL(
    "with others as ("
    # one that failed brought nothing that counts
    "  select coalesce(max(imported_at), '-infinity') as until from ops.imports"
    "  where connection_id = %(connection_id)s and file_sha256 <> %(sha256)s and state <> 'failed')"
    " update {table} as r set gone_at = now() from others as o"
    " where r.connection_id = %(connection_id)s and r.gone_at is null and r.first_fetched_at > o.until"
    "   and not exists (select from read_again as a where a.external_id = r.external_id)"
)
_DATE_ANEW = composed.SQL(
    "update {table} as r set gone_at = null, first_event_at = r.event_at from read_again as a"
    " where r.connection_id = %(connection_id)s and r.external_id = a.external_id"
    "   and (r.gone_at is not null or r.first_event_at is distinct from r.event_at)"
)


def _messages(source: str) -> composed.Identifier:
    return composed.Identifier("raw", f"{source}__messages")
