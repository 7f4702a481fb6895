"""Reads a source the way the loader does, into a dict instead of a database.

The store keeps what the raw table would keep: one payload per id, of equal ids the later ``updated_at``, else the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conversations.source import Cursor, RawRow
from tests.contract.cases import Opened


class Cut(Exception):
    """The reader was killed."""


class Store:
    """What has been committed: rows and the cursor of the last page, which are written together."""

    def __init__(self) -> None:
        self.rows: dict[str, RawRow] = {}
        self.cursor: Cursor | None = None
        self.pages = 0
        self.cursors: list[Cursor | None] = []

    @property
    def payloads(self) -> dict[str, Mapping[str, Any]]:
        return {key: row.payload for key, row in self.rows.items()}

    def commit(self, rows: list[RawRow], cursor: Cursor | None) -> None:
        for row in rows:
            old = self.rows.get(row.external_id)
            if old is None or _version(row) >= _version(old):
                self.rows[row.external_id] = row
        # through text, as the database keeps it
        self.cursor = json.loads(json.dumps(cursor))
        self.cursors.append(self.cursor)
        self.pages += 1


def read(opened: Opened, stream: str, store: Store | None = None, cut_after: int | None = None) -> Store:
    """Read a stream to its end, or to the cut; goes on from the store's cursor."""
    store = store or Store()
    window = opened.window if opened.source.streams[stream].is_windowed else None
    for done, page in enumerate(opened.source.pages(stream, window, store.cursor), 1):
        ids = [row.external_id for row in page.rows]
        assert len(ids) == len(set(ids)), "a page hands over each id once"
        store.commit(page.rows, page.cursor)
        if page.cursor is None:
            return store
        if done == cut_after:
            raise Cut
    raise AssertionError("the last page has no cursor")


def _version(row: RawRow) -> datetime:
    return row.updated_at or datetime.min.replace(tzinfo=row.event_at.tzinfo if row.event_at else None)
