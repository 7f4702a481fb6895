"""Bytes that strangers sent as lines of text, with bounds.

Here: which encoding it is, and lines. Not here: what a line means.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from resources.imports.errors import BadImport

HEAD = 64 * 1024
CHUNK = 1024 * 1024
LONGEST_LINE = 1024 * 1024
"""Characters. A message of WhatsApp has at most 65,536."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MANY = 0.3
_SOME = 0.05


def encoding_of(head: bytes, connection_id: str) -> tuple[str, int]:
    """The encoding that the first bytes prove, and how many of them are its mark; UTF-8 where there is no mark.

    Raises:
        BadImport: UTF-16 without a mark, or no text at all. A single NUL is text: it is stored as data.

    >>> encoding_of("да".encode("utf-16"), "x")[0]
    'utf-16-le'
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    zeros = [head[side::2].count(0) / max(len(head[side::2]), 1) for side in (0, 1)]
    if max(zeros) > _MANY and min(zeros) < _SOME:
        raise BadImport(connection_id, "utf16_unmarked")
    if max(zeros) > _SOME:
        raise BadImport(connection_id, "binary")
    return "utf-8", 0


def lines(stream: BinaryIO, connection_id: str) -> Iterator[str]:
    """The lines of a text without their ends (LF or CRLF); only those end a line, no other control character does.

    Memory is bounded by the longest line.

    Raises:
        BadImport: not UTF-8 (or marked UTF-16), or a line of more than ``LONGEST_LINE`` characters; says which.
    """
    chunk = stream.read(CHUNK)
    encoding, mark = encoding_of(chunk[:HEAD], connection_id)
    chunk = chunk[mark:]
    decode = codecs.getincrementaldecoder(encoding)().decode
    done, number, rest = mark, 0, ""
    while True:
        try:
            text = decode(chunk, not chunk)
        except UnicodeDecodeError as error:
            where = f"near byte {done + error.start + 1}" if chunk else "it breaks off within a character"
            raise BadImport(connection_id, "not_utf8", where) from None
        done += len(chunk)
        parts = (rest + text).split("\n")
        rest = parts.pop()
        longest = max(map(len, parts), default=0)
        if longest > LONGEST_LINE or len(rest) > LONGEST_LINE:
            number += next((n for n, one in enumerate(parts) if len(one) > LONGEST_LINE), len(parts)) + 1
            raise BadImport(connection_id, "long_line", f"line {number}, at most {LONGEST_LINE} characters")
        number += len(parts)
        for part in parts:
            yield part[:-1] if part.endswith("\r") else part
        if not chunk:
            break
        chunk = stream.read(CHUNK)
    if rest:
        yield rest[:-1] if rest.endswith("\r") else rest
