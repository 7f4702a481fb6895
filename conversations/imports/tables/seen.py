"""Which keys were met in a file before, and how often: exact, in eight bytes a key.

Here: a set of hashes and the numbering of equal keys. Not here: what the keys are made of.
"""

from __future__ import annotations

import hashlib
from array import array


class Seen:
    """A set of keys as an array of 64-bit hashes: a tenth of the memory of Python's own set.

    Two keys of one hash would be taken for one: once in about four million files of three million rows.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, key: str) -> bool:
        """Put the key in; whether it was new."""
        if self._count * 2 >= len(self._slots):
            self._grow()
        digest = _digest(key)
        at = self._place(digest)
        if self._slots[at] == digest:
            return False
        self._slots[at] = digest
        self._count += 1
        return True

    def has(self, key: str) -> bool:
        """Whether the key was put in."""
        digest = _digest(key)
        return self._slots[self._place(digest)] == digest

    def ordinal(self, key: str) -> int:
        """Which one of its kind the key is now, from 1; equal keys of a file are numbered in its order."""
        if self.add(f"{key}\x1f1"):
            return 1
        # numbers are given without gaps, so the last one given is found by halving
        given, free = 1, 2
        while self.has(f"{key}\x1f{free}"):
            given, free = free, free * 2
        while free - given > 1:
            middle = (given + free) // 2
            given, free = (middle, free) if self.has(f"{key}\x1f{middle}") else (given, middle)
        self.add(f"{key}\x1f{free}")
        return free

    def _place(self, digest: int) -> int:
        slots, mask = self._slots, len(self._slots) - 1
        at = digest & mask
        while slots[at] not in (0, digest):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for digest in old:
            if digest:
                self._slots[self._place(digest)] = digest


def _digest(key: str) -> int:
    # 0 is an empty slot
    found = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "big") or 1
