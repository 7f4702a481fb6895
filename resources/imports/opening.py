"""One file that somebody brings, opened as often as it has to be read.

Here: the checks before anything is read, its content's hash, that it does not change between two readings. Not here:
what kind of file it is (``formats``), archives, text.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from conversations.imports.survey import Choices, NotThisFormat, OtherColumns, OtherOrder, Reader, Survey, folded
from conversations.source import Parser
from resources.imports.errors import BadImport

LARGEST_FILE = 4 * 1024 * 1024 * 1024
"""Bytes. It is streamed; the bound keeps a disk image from being read for an hour."""
_CHUNK = 1024 * 1024

Units = Callable[["Counted"], AbstractContextManager[Iterator[Any]]]
"""Opens the file's units: lines, messages, rows."""


@dataclass(frozen=True)
class Seen:
    """What the file system says of the file: equal for the same content at the same place."""

    size: int
    changed_ns: int
    inode: int


def look_at(path: Path, connection_id: str) -> Seen:
    """Look at a file without reading it.

    Raises:
        BadImport: there is none, it is no regular file, is empty or too large.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise BadImport(connection_id, "missing") from None
    except (OSError, ValueError):
        raise BadImport(connection_id, "unreadable") from None
    if not stat.S_ISREG(found.st_mode):
        raise BadImport(connection_id, "no_file")
    if found.st_size == 0:
        raise BadImport(connection_id, "empty")
    if found.st_size > LARGEST_FILE:
        mebibytes = 1024 * 1024
        raise BadImport(connection_id, "too_large", f"at most {LARGEST_FILE // mebibytes} MiB")
    return Seen(found.st_size, found.st_mtime_ns, found.st_ino)


def content_hash(paths: Sequence[Path], connection_id: str) -> str:
    """SHA-256 of the content, hexadecimal; of several files that of their hashes, in order.

    Raises:
        BadImport: it cannot be read.
    """
    found = [_hash_of(path, connection_id) for path in paths]
    return found[0] if len(found) == 1 else hashlib.sha256(" ".join(found).encode()).hexdigest()


def _hash_of(path: Path, connection_id: str) -> str:
    digest = hashlib.sha256()
    with opened(path, connection_id) as file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


@contextlib.contextmanager
def opened(path: Path, connection_id: str) -> Iterator[BinaryIO]:
    """The file's bytes.

    Raises:
        BadImport: it cannot be opened or read.
    """
    try:
        # a pipe that somebody put there after the look must not be waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise BadImport(connection_id, "unreadable") from None
    with os.fdopen(descriptor, "rb") as file:
        yield file


class Counted:
    """Counts the bytes that a reading has consumed: for the size of pages and for progress."""

    def __init__(self) -> None:
        self.position = 0

    def over(self, stream: BinaryIO) -> BinaryIO:
        """The stream, counted; only ``read`` and ``readinto`` of it are used."""
        return _CountedStream(stream, self)  # type: ignore[return-value]


class _CountedStream:
    def __init__(self, stream: BinaryIO, counted: Counted) -> None:
        self._stream, self._counted = stream, counted

    def read(self, size: int = -1) -> bytes:
        part = self._stream.read(size)
        self._counted.position += len(part)
        return part

    def readinto(self, buffer: memoryview) -> int:
        size = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._counted.position += size
        return int(size)


@dataclass
class ImportedFile:
    """A file whose kind is known. Its name is used for the chat's title only and kept nowhere."""

    connection_id: str
    format: str
    source: str
    """Names the raw tables."""
    paths: tuple[Path, ...]
    """One, or the pages of an export in HTML, in order."""
    sha256: str
    seen: tuple[Seen, ...]
    reader: Reader[Any]
    parser: Callable[[], Parser]
    choices: Choices
    open_units: Units
    version: str
    """Of the reader and of the mapping: another one reads the file again."""
    counted: Counted = field(default_factory=Counted)

    @property
    def position(self) -> int:
        """Bytes of content that the reading under way has consumed; it only grows."""
        return self.counted.position

    @property
    def choices_hash(self) -> str:
        """Of all that was declared about the file, and of the version of its reader."""
        choices = self.choices
        declared = {
            "format": self.format,
            "version": self.version,
            "time_zone": choices.time_zone,
            "date_order": choices.date_order,
            "staff": sorted({folded(one) for one in choices.staff}),
            "chat": None if choices.chat is None else folded(choices.chat),
        }
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()

    @property
    def mark(self) -> str:
        """Tells one reading of one content: what a cursor belongs to."""
        return hashlib.sha256(f"{self.sha256} {self.choices_hash}".encode()).hexdigest()

    @contextlib.contextmanager
    def units(self) -> Iterator[Iterator[Any]]:
        """The units, from the start.

        Raises:
            BadImport: it cannot be read, or is not the file any more that was looked at first.
        """
        self._still_the_same()
        with self.open_units(self.counted) as units:
            yield units
        self._still_the_same()

    def survey(self) -> Survey:
        """The first look through the file.

        Raises:
            BadImport: it is not of the format.
            Undecided: something must be declared first.
        """
        try:
            with self.units() as units:
                return self.reader.survey(units, self.choices)
        except NotThisFormat as error:
            known = {OtherOrder: "other_date_order", OtherColumns: "other_columns"}
            code = known.get(type(error), "not_this_format")
            raise BadImport(self.connection_id, code, str(error)) from None

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self.seen)

    def _still_the_same(self) -> None:
        if tuple(look_at(path, self.connection_id) for path in self.paths) != self.seen:
            raise BadImport(self.connection_id, "changed")
