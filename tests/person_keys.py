"""Ids of people in tests: the secret that all their databases have, and what somebody without it would try.

Here: the known secret, the plain hashes of known numbers and names, the search for them. Not here: what is keyed
(``conversations.keyed``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator

from conversations.keyed import PersonKeys

SECRET = bytes(range(32))
KEYS = PersonKeys(SECRET)
_HASH = re.compile("[0-9a-f]{16}")


def spellings(number: str) -> Iterator[str]:
    """A number behind the country code 7, ``number`` being its ten digits, as files and telephonies write it."""
    area, first, second, third = number[:3], number[3:6], number[6:8], number[8:]
    for country in ("+7", "7", "8", ""):
        yield country + number
    yield f"+7 {area} {first}-{second}-{third}"
    yield f"+7 {area} {first} {second} {third}"
    yield f"8 ({area}) {first}-{second}-{third}"
    yield f"+7 ({area}) {first}-{second}-{third}"


def guesses(said: Iterable[str], beside: Iterable[str] = ()) -> Iterator[str]:
    """Every plain hash that anything known may have been made into: whole and cut, alone and behind the words that the
    platform puts in front, as text and folded. ``beside`` are the connections, which may have been in it, too."""
    words = ("phone", "number", "telegram", "group", "customer", "manager", "chat", "agent", *beside)
    for one in said:
        texts = {one, one.casefold(), one.removeprefix("+"), "".join(c for c in one if c.isdigit() or c == "+")}
        for text in texts:
            tried = [text, *(f"{word}{mark}{text}" for word in words for mark in ("\x1f", ":", ""))]
            for given in tried:
                shown = given.encode("utf-8", "surrogatepass")
                for digest in (hashlib.sha256(shown), hashlib.sha1(shown), hashlib.md5(shown)):
                    yield digest.hexdigest()[:16]
                yield hashlib.blake2b(shown, digest_size=8).hexdigest()


def found_in(text: str, tried: Collection[str]) -> set[str]:
    """Which of the guesses stand in a text: hashes wherever 16 hexadecimal digits do, anything else as it is."""
    digits = {shown[1] for shown in re.finditer("(?=([0-9a-f]{16}))", text)}
    return {one for one in tried if (one in digits if _HASH.fullmatch(one) else one in text)}
