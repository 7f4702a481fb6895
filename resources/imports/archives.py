"""Zip archives that strangers made: looked at before they are opened, read as streams, never unpacked.

Here: the limits, and which archives are refused. Not here: which member holds the chat (``formats``). Nothing is ever
written to a disk, so no name in an archive can lead anywhere; such names are refused all the same, as are links: an
export never holds them.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from resources.imports.errors import BadImport

MEBIBYTE = 1024 * 1024
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
)
"""All that ``zipfile`` raises over a file that somebody bent; ``UnicodeDecodeError`` and ``struct.error`` are below."""
_DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 1024


@dataclass(frozen=True)
class Limits:
    """What an archive may hold."""

    entries: int = 15_000
    """An export with media holds up to 10,000 files."""
    directory_bytes: int = 8 * MEBIBYTE
    """The list of members is read whole: it must not fill the memory."""
    member_bytes: int = 2048 * MEBIBYTE
    """Of one member that is read, unpacked."""
    total_bytes: int | None = None
    """Of all members together, unpacked: for formats whose library unpacks by itself (XLSX)."""
    ratio: int = 200
    """Unpacked to packed. Chats reach 10, repetitive machine text 60; a bomb about 1,000."""
    harmless_bytes: int = 32 * MEBIBYTE
    """Members of less than this may have any ratio."""


class Archive:
    """An archive that was found harmless."""

    def __init__(self, unpacking: zipfile.ZipFile, connection_id: str) -> None:
        self._zip = unpacking
        self._connection_id = connection_id
        self.members: dict[str, int] = {one.filename: one.file_size for one in unpacking.infolist() if not one.is_dir()}
        """Name to size in bytes, unpacked; folders are left out."""

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A member as a stream that cannot be seeked; it ends where the list of members says.

        Raises:
            BadImport: it is damaged, also later, while the stream is read.
        """
        with _explained(self._connection_id):
            unpacked = self._zip.open(name)
        with contextlib.closing(unpacked):
            yield io.BufferedReader(_Told(unpacked, self._connection_id), MEBIBYTE)


@contextlib.contextmanager
def open_archive(file: BinaryIO, connection_id: str, limits: Limits | None = None) -> Iterator[Archive]:
    """Look at the archive's list of members and give what is harmless.

    Raises:
        BadImport: it is damaged, has a password, or holds what no export holds.
    """
    bounds = limits or Limits()
    with _explained(connection_id):
        unpacking = zipfile.ZipFile(_Bounded(file, bounds.directory_bytes, connection_id))  # type: ignore[arg-type]
    with contextlib.closing(unpacking):
        _refuse(unpacking.infolist(), connection_id, bounds)
        yield Archive(unpacking, connection_id)


def _refuse(infos: list[zipfile.ZipInfo], connection_id: str, limits: Limits) -> None:
    def bad(code: str, where: str = "") -> BadImport:
        return BadImport(connection_id, code, where)

    if len(infos) > limits.entries:
        raise bad("archive_entries", f"{len(infos)}, at most {limits.entries}")
    for info in infos:
        if _leads_out(info.orig_filename):
            raise bad("archive_names")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise bad("archive_links")
        if info.flag_bits & 0x1:
            raise bad("archive_encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # the others may ask for a gigabyte of memory before the first byte
            raise bad("archive_method")
        if info.file_size > limits.harmless_bytes and info.file_size > limits.ratio * max(info.compress_size, 1):
            raise bad("archive_bomb", f"{info.file_size // MEBIBYTE} MiB out of {info.compress_size} bytes")
    if max(Counter(info.filename for info in infos).values(), default=0) > 1:
        raise bad("archive_duplicates")
    total = sum(info.file_size for info in infos)
    if limits.total_bytes is not None and total > limits.total_bytes:
        raise bad("archive_bomb", f"{total // MEBIBYTE} MiB, at most {limits.total_bytes // MEBIBYTE}")


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return (
        not name
        or len(name) > LONGEST_NAME
        or name[0] in "/\\"
        or ".." in parts
        or "\x00" in name
        or _DRIVE.match(name) is not None
    )


@contextlib.contextmanager
def _explained(connection_id: str) -> Iterator[None]:
    import struct

    try:
        yield
    except BadImport:
        raise
    except (*_DAMAGED, struct.error):
        raise BadImport(connection_id, "archive_damaged") from None


class _Bounded:
    """The archive's own file: ``zipfile`` reads the list of members in one go, however long a stranger says it is."""

    def __init__(self, file: BinaryIO, most: int, connection_id: str) -> None:
        self._file, self._most, self._connection_id = file, most, connection_id
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise BadImport(self._connection_id, "archive_entries", f"a list of {size} bytes")
        # without a size: the end of the file, of which the list is no part
        return self._file.read(size if size >= 0 else self._most)

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        """Who opened the file closes it."""


class _Told(io.RawIOBase):
    """A member whose faults are told as faults of the file."""

    def __init__(self, unpacked: BinaryIO | zipfile.ZipExtFile, connection_id: str) -> None:
        self._unpacked, self._connection_id = unpacked, connection_id

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _explained(self._connection_id):
            part = self._unpacked.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
