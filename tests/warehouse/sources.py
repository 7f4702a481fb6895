"""A source in memory for the tests of the loader: its rows, its pages and its misbehaviour are plain lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.source import Cursor, Page, RawRow, Stream
from conversations.window import Window

START = datetime(2026, 5, 4, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))


def row(number: int, *, hours: float = 1.0, version: int = 0, text: str = "") -> RawRow:
    """A message; ``version`` is its ``updated_at`` in minutes."""
    at = START + timedelta(hours=hours)
    return RawRow(str(number), {"id": number, "text": text, "v": version}, at, at + timedelta(minutes=version))


class FakeSource:
    """Pages of ``rows`` by position; ``before_page(n)`` may change the rows, or raise, before page n is made."""

    name = "retailcrm"
    connection_id = "shop"

    def __init__(self, rows: list[RawRow], *, page_size: int = 10, detects_deletions: bool = True) -> None:
        self.rows = rows
        self.page_size = page_size
        self.before_page: Callable[[int], None] = lambda number: None
        self.asked: list[Cursor | None] = []
        self.streams: Mapping[str, Stream] = {
            "messages": Stream("messages", True, detects_deletions),
            "users": Stream("users", False),
        }

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        self.asked.append(cursor)
        position: int = cursor["position"] if cursor is not None else 0
        number = 0
        while True:
            self.before_page(number)
            rows = [one for one in self.rows if window is None or (one.event_at is not None and one.event_at in window)]
            part = rows[position : position + self.page_size]
            position += len(part)
            more = bool(part)
            yield Page(part, {"position": position} if more else None)
            if not more:
                return
            number += 1

    def probe(self) -> list[Any]:
        return []


class PagesSource(FakeSource):
    """Hands out given pages, whatever cursor it is asked for."""

    def __init__(self, pages: Iterator[Page]) -> None:
        super().__init__([])
        self._given = pages

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        yield from self._given
