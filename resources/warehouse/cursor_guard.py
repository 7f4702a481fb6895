"""Notices a source whose paging repeats itself or goes backwards, before it goes on for ever (F13).

Here: what can be said of cursors without understanding them. Not here: what a vendor's cursor means; sources notice
their own loops as well.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from resources.clients.errors import CursorLoop

PATIENCE = 10
"""Pages in a row that may bring nothing new: a source may ask again for the same place a few times."""
REMEMBERED_PAGES = 20


class CursorGuard:
    """Watches the cursors of one reading, resumes included.

    - A cursor that comes back after another one had come, or that stands still for too long, is a loop.
    - Where cursors differ in one number only, the first step says which way reading goes; the other way is a loop.
    - Pages whose rows have all just been seen, while the cursor moves on, are a loop as well.
    """

    def __init__(self, connection_id: str, stream: str) -> None:
        self._where = (connection_id, stream)
        self._seen: set[str] = set()
        self._last: Mapping[str, Any] | None = None
        self._last_text: str | None = None
        self._standing = 0
        self._direction: dict[str, bool] = {}
        self._pages: deque[frozenset[str]] = deque(maxlen=REMEMBERED_PAGES)
        self._stale = 0

    def accept(self, cursor: Any, ids: frozenset[str] = frozenset()) -> None:
        """Take note of a page's cursor and ids.

        Raises:
            CursorLoop: reading would not end. The page must not be stored.
        """
        self._accept_rows(ids)
        if not isinstance(cursor, Mapping):
            return
        text = json.dumps(cursor, sort_keys=True, default=str)
        if text == self._last_text:
            self._standing += 1
            if self._standing >= PATIENCE:
                self._refuse("the cursor stands still")
            return
        if text in self._seen:
            self._refuse("a cursor came back")
        self._accept_step(cursor)
        self._seen.add(text)
        self._last, self._last_text, self._standing = cursor, text, 0

    def _accept_step(self, cursor: Mapping[str, Any]) -> None:
        last = self._last
        if last is None or last.keys() != cursor.keys():
            self._direction.clear()
            return
        changed = [key for key in cursor if cursor[key] != last[key]]
        if len(changed) != 1 or not all(_is_number(one[changed[0]]) for one in (last, cursor)):
            self._direction.clear()
            return
        rises = cursor[changed[0]] > last[changed[0]]
        if self._direction.setdefault(changed[0], rises) != rises:
            self._refuse("the cursor goes backwards")

    def _accept_rows(self, ids: frozenset[str]) -> None:
        if not ids:
            return
        self._stale = self._stale + 1 if any(ids <= page for page in self._pages) else 0
        if self._stale >= PATIENCE:
            self._refuse("the same rows come again and again")
        self._pages.append(ids)

    def _refuse(self, what: str) -> None:
        connection_id, stream = self._where
        raise CursorLoop(connection_id, f"reading '{stream}' does not end: {what}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
