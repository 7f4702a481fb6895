"""``ops.exports``: what each tab of a spreadsheet shows, and since when it is out of date.

Here: reading and writing those rows, and the right to write a spreadsheet. Not here: what is in the tabs
(``assets.exports``), the calls (``resources.sheets``). Each function takes a session of the publisher; the caller
commits. Nothing changes here when nothing changed in the spreadsheet.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy


@dataclass(frozen=True)
class Export:
    """What one tab shows."""

    tab: str
    content_hash: str
    """Empty while it is being written, and after an attempt that failed."""
    row_count: int
    first_week: str | None
    last_week: str | None
    weeks: Sequence[Mapping[str, Any]]
    """What the tab data_status says of each week shown here; JSON values."""
    published_at: datetime
    stale_reason: str | None = None
    """Why something newer is not shown."""
    stale_since: datetime | None = None


def destination_of(spreadsheet_id: str) -> str:
    """The name of a spreadsheet in ``ops.exports``."""
    return f"sheet:{spreadsheet_id}"


@contextlib.contextmanager
def exporting(warehouse: Warehouse, destination: str) -> Iterator[None]:
    """The right to write to a destination: a spreadsheet has one writer, or two publications would share their staging.

    Raises:
        Busy: somebody else is writing there; nothing was waited for.
    """
    with warehouse.connect("otklik-export-lock", autocommit=True) as connection:
        locked = connection.execute(
            "select pg_try_advisory_lock(hashtextextended('otklik:export:' || %s, 0))", [destination]
        ).fetchone()
        if locked != (True,):
            raise Busy("another run is writing this spreadsheet: wait for it to end, then publish again")
        yield


def shown(connection: psycopg.Connection[Any], destination: str) -> dict[str, Export]:
    """What is shown at a destination, by tab."""
    rows = connection.execute(
        """
        select
            tab, content_hash, row_count, first_week, last_week, weeks, published_at, stale_reason, stale_since
        from ops.exports
        where destination = %s
        order by tab
        """,
        [destination],
    ).fetchall()
    return {row[0]: Export(*row) for row in rows}


def record(connection: psycopg.Connection[Any], destination: str, exports: Iterable[Export]) -> None:
    """Keep what is shown now, up to date. ``published_at`` of a tab whose content did not change stays."""
    for export in exports:
        connection.execute(
            """
            insert into ops.exports as was (
                destination, tab, content_hash, row_count, first_week, last_week, weeks, published_at, stale_reason,
                stale_since
            ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (destination, tab) do update set
                content_hash = excluded.content_hash,
                row_count = excluded.row_count,
                first_week = excluded.first_week,
                last_week = excluded.last_week,
                weeks = excluded.weeks,
                published_at = case
                    when was.content_hash = excluded.content_hash then was.published_at else excluded.published_at
                end,
                stale_reason = excluded.stale_reason,
                stale_since = excluded.stale_since
            where (
                was.content_hash, was.row_count, was.first_week, was.last_week, was.weeks, was.stale_reason,
                was.stale_since
            ) is distinct from (
                excluded.content_hash, excluded.row_count, excluded.first_week, excluded.last_week, excluded.weeks,
                excluded.stale_reason, excluded.stale_since
            )
            """,
            [
                destination, export.tab, export.content_hash, export.row_count, export.first_week, export.last_week,
                Jsonb(list(export.weeks)), export.published_at, export.stale_reason, export.stale_since,
            ],
        )  # fmt: skip


def forget(connection: psycopg.Connection[Any], destination: str, tabs: Collection[str]) -> None:
    """Forget what tabs hold, before they change: until it is recorded anew, nobody may take them for unchanged."""
    connection.execute(
        "update ops.exports set content_hash = '' where destination = %s and tab = any(%s)", [destination, list(tabs)]
    )


def mark_stale(
    connection: psycopg.Connection[Any], destination: str, tabs: Sequence[str], reason: str, at: datetime
) -> int:
    """Say of tabs shown at a destination that something newer could not be shown; returns how many there are.

    A tab that is stale already keeps since when it is; the reason is the latest one.
    """
    return connection.execute(
        """
        update ops.exports set stale_reason = %s, stale_since = coalesce(stale_since, %s)
        where destination = %s and tab = any(%s)
        """,
        [reason, at, destination, list(tabs)],
    ).rowcount
