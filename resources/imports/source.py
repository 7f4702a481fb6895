"""An exported file as a source: two streams, read page by page, resumable like every other.

Here: paging over a reader. Not here: opening (``formats``), what a row means (``conversations``). A file proves nothing
about what is no longer in it: an export holds the newest messages of a chat, so older rows of another file stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from conversations.imports.survey import CHATS, MESSAGES, NotThisFormat, Settled
from conversations.source import Capability, Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.imports.errors import BadImport
from resources.imports.opening import ImportedFile

PAGE_ROWS = 2_000
PAGE_BYTES = 4 * 1024 * 1024
"""Of the file: a page ends when so much was read since it began, so that long messages do not fill the memory."""

STREAMS: Mapping[str, Stream] = {
    CHATS: Stream(CHATS, is_windowed=False),
    MESSAGES: Stream(MESSAGES, is_windowed=True),
}


class ExportSource:
    """The chats of a surveyed file with their sides, and its messages."""

    streams = STREAMS

    def __init__(self, file: ImportedFile, settled: Mapping[str, Settled], *, page_rows: int = PAGE_ROWS) -> None:
        self.name = file.source
        self.connection_id = file.connection_id
        self.undated = 0
        """Message rows without a time in the last complete reading."""
        self.rows = 0
        """All message rows of the last complete reading."""
        self.problems: Counter[str] = Counter()
        """Of those, rows that the reader could not understand, by reason code."""
        self._file = file
        self._settled = settled
        self._page_rows = page_rows

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Yield the rows of a stream; a cursor goes on behind its rows if file and choices are still the same.

        Raises:
            ValueError: an unknown stream, or a window: a file is always read whole.
            BadImport: the file was changed since it was surveyed, or cannot be read any more.
        """
        if stream not in self.streams:
            raise ValueError(f"{self.name} has no stream {stream!r}")
        if window is not None:
            raise ValueError("a file is read whole")
        mark = self._file.mark
        skip = int(cursor["rows"]) if cursor and cursor.get("sha256") == mark else 0
        done, began, page = 0, 0, list[RawRow]()
        for row in self._rows(stream):
            done += 1
            if done <= skip:
                continue
            page.append(row)
            if len(page) >= self._page_rows or self._file.position - began > PAGE_BYTES:
                yield Page(page, {"rows": done, "sha256": mark})
                page, began = [], self._file.position
        yield Page(page, None)

    def probe(self) -> list[Capability]:
        """A file that was surveyed can be read."""
        return [Capability(name, True, "") for name in self.streams]

    def _rows(self, stream: str) -> Iterator[RawRow]:
        if stream == CHATS:
            for key, settled in self._settled.items():
                yield RawRow(key, settled.payload(), None, None)
            return
        rows = undated = 0
        problems: Counter[str] = Counter()
        try:
            with self._file.units() as units:
                for row in self._file.reader.rows(units, self._settled, self._file.choices):
                    rows += 1
                    undated += row.event_at is None
                    if "problem" in row.payload:
                        problems[row.payload["problem"]] += 1
                    yield row
        except NotThisFormat as error:
            raise BadImport(self.connection_id, "not_this_format", str(error)) from None
        self.rows, self.undated, self.problems = rows, undated, problems
