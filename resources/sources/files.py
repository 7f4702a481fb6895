"""A file as a source: read whole, landed page by page, resumable like every other.

Here: opening, decoding, limits and errors that name the file. Not here: what a format means
(``conversations.parsing``). Every import reads the whole file; rows that another file brought stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conversations.parsing.formats import FORMATS, Format
from conversations.source import Capability, Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.clients.errors import BadFile, SourceError

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes; the document is decoded in memory."""


class FileSource:
    """Reads one file of a registered format; ``connection_id`` defaults to the format's source name.

    Raises:
        BadFile: at construction for an unknown format, from ``pages`` for a file that cannot be used.
    """

    def __init__(
        self, path: Path | str, format_name: str, connection_id: str | None = None, *, page_size: int = 500
    ) -> None:
        self.path = Path(path)
        self.connection_id = connection_id or format_name
        known = FORMATS.get(format_name)
        if known is None:
            raise BadFile(
                self.connection_id,
                f"there is no format '{format_name}'",
                f"Known formats: {', '.join(sorted(FORMATS))}",
            )
        self.format: Format = known
        self.connection_id = connection_id or known.source
        self.name = known.source
        self.streams: Mapping[str, Stream] = {known.stream: Stream(known.stream, is_windowed=False)}
        self._page_size = page_size

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Yield the file's rows; a cursor goes on where it stopped if the file is still the same.

        Raises:
            ValueError: an unknown stream.
            BadFile: the file is missing, too large, no JSON or of another format; names the file.
        """
        if stream not in self.streams:
            raise ValueError(f"{self.name} has no stream {stream!r}")
        content, beside = self._content(self.path), self._beside()
        digest = hashlib.sha256(content + (beside or b"")).hexdigest()
        rows = self._rows(content, beside)
        done = int(cursor["rows"]) if cursor and cursor.get("sha256") == digest else 0
        while True:
            page = rows[done : done + self._page_size]
            done += len(page)
            is_last = done >= len(rows)
            yield Page(page, None if is_last else {"rows": done, "sha256": digest})
            if is_last:
                return

    def probe(self) -> list[Capability]:
        """Say whether the file can be read as its format."""
        try:
            count = len(self._rows(self._content(self.path), self._beside()))
        except SourceError as error:
            return [Capability(str(self.path.name), False, f"{error.what}. {error.remedy}")]
        return [Capability(str(self.path.name), True, f"{count} rows")]

    def _beside(self) -> bytes | None:
        """The file that belongs to this one, where the format has one and it is there."""
        if self.format.beside is None:
            return None
        path = self.path.absolute().parent.parent / self.format.beside / self.path.name
        return self._content(path) if path.is_file() else None

    def _content(self, path: Path) -> bytes:
        try:
            size = path.stat().st_size
            if size > LARGEST_FILE:
                raise self._bad(f"is larger than {LARGEST_FILE // 1024 // 1024} MiB", "Split the file")
            return path.read_bytes()
        except FileNotFoundError:
            raise self._bad("does not exist", "Check the path") from None
        except OSError as error:
            raise self._bad(f"cannot be read ({error.strerror})", "Check that it is a file that you may read") from None

    def _rows(self, content: bytes, beside: bytes | None) -> list[RawRow]:
        document = self._document(content)
        if self.format.beside is not None:
            known = None if beside is None else self._document(beside)
            document = {"name": self.path.stem, "document": document, "beside": known}
        try:
            rows = list(self.format.rows(document))
        except ValueError as error:
            raise self._bad(
                f"is not of the format {self.format.name}: {error}", f"The format is {self.format.shape}"
            ) from None
        # within one file the last version of a conversation counts, as with two pages of an API
        return list({row.external_id: row for row in rows}.values())

    def _document(self, content: bytes) -> Any:
        try:
            return json.loads(content.decode("utf-8-sig"), parse_constant=self._no_number)
        except UnicodeDecodeError:
            raise self._bad("is not UTF-8 text", "Save it as UTF-8") from None
        except json.JSONDecodeError as error:
            # the position, never the text around it: that would be somebody's message
            raise self._bad(f"is not JSON (line {error.lineno}, column {error.colno})") from None
        except ValueError:
            # the only other one of json: a number of more digits than Python turns into an int
            raise self._bad("holds a number that is too long") from None
        except RecursionError:
            raise self._bad("is nested too deeply") from None

    def _no_number(self, name: str) -> Any:
        raise self._bad(f"holds {name}, which is no JSON", "Save it anew: a missing number is null")

    def _bad(self, what: str, remedy: str | None = None) -> BadFile:
        return BadFile(self.connection_id, f"the file {self.path.name} {what}", remedy)
