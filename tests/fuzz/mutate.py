"""Mutations: a file that was valid, bent in a few places by a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Sequence

COMMON = (
    b"", b"\x00", b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\x8e", b"\xe2\x80\xaf", b"\xc2\xa0",
    b"\xe2\x80\xa8", b"\x85", b"\xd9\xa3", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xff", b"\\", b'"', b"'", b"{}",
    b"%s", b"1e999", b"-0", b"99999999999999999999", b"null", b"=1+1", b"; drop table", b": ", b" - ", b"[", b"]",
)  # fmt: skip
"""Bytes that readers stumble over, of every format."""


def bend(data: bytes, others: Sequence[bytes], words: Sequence[bytes], dice: random.Random) -> bytes:
    """``data`` with one to six changes; ``others`` are valid files to splice with, ``words`` tokens of the format."""
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        data = _once(data, others, words, dice)
    return data


def _once(data: bytes, others: Sequence[bytes], words: Sequence[bytes], dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    to = min(len(data), at + dice.choice((1, 1, 2, 4, 16, 64, 300)))
    kind = dice.randrange(9)
    if kind == 0:
        return data[:at] + data[to:]
    if kind == 1:
        return data[:at] + dice.choice(COMMON) + data[at:]
    if kind == 2:
        return data[:at] + dice.choice(words) + data[to:]
    if kind == 3:
        return data[:at] + dice.choice(words) + data[at:]
    if kind == 4:
        return data[:to] + data[at:to] * dice.choice((1, 2, 20)) + data[to:]
    if kind == 5:
        return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
    if kind == 6:
        other = dice.choice(others)
        return data[:at] + other[dice.randrange(len(other) + 1) :]
    if kind == 7:
        return data[:at]
    lines = data.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join(lines)
