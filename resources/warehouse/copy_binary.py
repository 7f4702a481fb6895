"""The parts of ``COPY ... FROM STDIN (FORMAT BINARY)``: what PostgreSQL takes in with the least work.

Here: how single values look on the wire, and what stands around rows. An instant is eight bytes that the server only
copies, where as text it is parsed. Not here: which columns are copied (``raw_rows``), the text format (``copy_text``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from struct import Struct

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
"""Before the first row: the signature, no flags, no extension."""
END = b"\xff\xff"
"""After the last row."""
ROWS_A_PART = 200
"""Few enough that the server begins at once and that rows are not held twice, enough that writes cost little."""
INSTANT_BYTES = 8
JSON_VERSION = 1
"""The byte before the text of a ``jsonb``."""
_NULL = Struct(">i").pack(-1)
_LENGTH = Struct(">i")
_COUNT = Struct(">h")
_INSTANT = Struct(">iq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def parts(before: bytes, rows: Iterable[bytes]) -> Iterator[bytes]:
    """All that is sent, to be written one after the other; ``before`` is the beginning of each row."""
    left = iter(rows)
    yield HEADER
    while part := list(islice(left, ROWS_A_PART)):
        yield before + before.join(part)
    yield END


def count(fields: int) -> bytes:
    """The beginning of a row."""
    return _COUNT.pack(fields)


def text(value: str) -> bytes:
    """A field of type ``text``."""
    content = value.encode()
    return _LENGTH.pack(len(content)) + content


def instant(value: datetime | None) -> bytes:
    """A field of type ``timestamptz``."""
    return _NULL if value is None else _INSTANT.pack(INSTANT_BYTES, microseconds(value))


def microseconds(value: datetime) -> int:
    """An instant as PostgreSQL holds it.

    >>> microseconds(datetime(2000, 1, 2, tzinfo=UTC)), microseconds(datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC))
    (86400000000, -1)
    """
    since = value - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
