"""Ids of chats, authors and messages of a Telegram export: stable over exports, never holding a name.

Here: the ids and why they cannot collide. Not here: anything else of the format.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conversations.imports.survey import key_of

_PEER = re.compile(r"(?:user|chat|channel)\d{1,20}")
_GIVEN = re.compile(r"(?:user|chat|channel|peer)-?\d{1,20}")
_OF_TYPE = {
    "personal_chat": "user",
    "bot_chat": "user",
    "saved_messages": "user",
    "replies": "user",
    "verify_codes": "user",
    "private_group": "chat",
    "private_supergroup": "channel",
    "public_supergroup": "channel",
    "private_channel": "channel",
    "public_channel": "channel",
}
LONGEST_NAME = 10_000
"""Characters of a name that are held; Telegram allows 128, and the raw row keeps all of them."""
RECENT = 20_000
"""So many stamps of messages without ids are remembered."""
LATE = 200_000
"""So many ids of a chat are remembered that came neither after all others nor before them."""
_OLD_KINDS = {1: "user", 2: "chat"}
"""High halves of the numeric ``from_id`` of exports before 2021."""


class ChatKeys:
    """Keys of the chats of one file; both looks through the file give the same ones.

    By kind and id; without an id by a hash of the name; without both by a hash of when and by whom the first message
    was written. A name that comes twice in a file without ids gets the chat's number in the file.
    """

    def __init__(self, declared: str | None) -> None:
        self._declared = declared
        self._known: dict[int, str] = {}
        self._owner: dict[str, int] = {}

    def of(self, header: Mapping[str, Any], at: datetime | None, author: str | None) -> str:
        ordinal = header["ordinal"]
        key = self._known.get(ordinal)
        if key is None:
            key = self._known[ordinal] = self._new(header, at, author)
        return key

    def _new(self, header: Mapping[str, Any], at: datetime | None, author: str | None) -> str:
        number, kind, name = header.get("id"), header.get("type"), header.get("name")
        if is_number(number):
            return f"{_OF_TYPE.get(kind, 'peer') if isinstance(kind, str) else 'peer'}{number}"
        title = name if isinstance(name, str) and name else self._declared
        key = key_of("telegram", title) if title else key_of("telegram", "", at.isoformat() if at else "", author or "")
        if self._owner.setdefault(key, header["ordinal"]) != header["ordinal"]:
            key = key_of("telegram", title or "", str(header["ordinal"]))
        return key


class MessageKeys:
    """Keys of the messages within their chat, each once in a file; they sort as text like the messages do.

    By Telegram's id, which grows within a chat (or falls, where somebody turned the file round): one that does neither
    is looked up among those before it, and one that was there already gets its position added. Without an id: by stamp
    and number within the stamp; the counters of older stamps are forgotten, and a stamp that comes back after that gets
    its position. Memory: 8 bytes a message of one chat, and at most ``RECENT`` and ``LATE`` entries.
    """

    def __init__(self) -> None:
        self._chat: str | None = None
        self._done: set[str] = set()
        self._is_again = False
        self._ids = array("q")
        self._below = array("q")
        self._late: set[int] = set()
        self._stamps: OrderedDict[int, int] = OrderedDict()
        self._forgotten = 0

    def of(self, chat: str, message: Any, position: int, at: datetime | None) -> tuple[str, bool]:
        """The key, and whether the chat may have had a message of the same id before."""
        if chat != self._chat:
            self._enter(chat)
        number = message.get("id") if isinstance(message, Mapping) else None
        if is_number(number) and abs(int(number)) < 2**62:
            return self._numbered(int(number), position)
        return self._stamped(int(at.timestamp()) if at is not None else 0, position), False

    def _enter(self, chat: str) -> None:
        if self._chat is not None:
            self._done.add(self._chat)
        self._chat, self._is_again = chat, chat in self._done
        self._ids, self._below, self._late = array("q"), array("q"), set()
        self._stamps, self._forgotten = OrderedDict(), -1

    def _numbered(self, number: int, position: int) -> tuple[str, bool]:
        key = padded(number)
        if self._is_again:
            return f"{key}.{position}", True
        if not self._ids or number > self._ids[-1]:
            self._ids.append(number)
            return key, False
        if number < self._ids[0] and (not self._below or -number > self._below[-1]):
            self._below.append(-number)
            return key, False
        if _has(self._ids, number) or _has(self._below, -number) or number in self._late or len(self._late) >= LATE:
            return f"{key}.{position}", True
        self._late.add(number)
        return key, False

    def _stamped(self, stamp: int, position: int) -> str:
        if self._is_again or (stamp <= self._forgotten and stamp not in self._stamps):
            return f"t{stamp:010d}-p{position:09d}"
        count = self._stamps[stamp] = self._stamps.pop(stamp, 0) + 1
        if len(self._stamps) > RECENT:
            self._forgotten = max(self._forgotten, self._stamps.popitem(last=False)[0])
        return f"t{stamp:010d}-{count:04d}"


def _has(sorted_ids: array[int], number: int) -> bool:
    at = bisect_left(sorted_ids, number)
    return at < len(sorted_ids) and sorted_ids[at] == number


def padded(number: int) -> str:
    """A message id that sorts as text; the ids of a group's life before it grew are negative.

    >>> padded(7), sorted([padded(7), padded(10), padded(-999_999_998), padded(-999_999_997)])[:2]
    ('000000000007', ['-999000000002', '-999000000003'])
    """
    return f"-{10**12 + number:012d}" if number < 0 else f"{number:012d}"


def is_person_id(key: str) -> bool:
    """Whether an author's key is an account of Telegram, the same in every chat, and not only a name's hash.

    >>> is_person_id("user123"), is_person_id("6ca13d52ca70c883")
    (True, False)
    """
    return _PEER.fullmatch(key) is not None


def is_vendor_key(key: str) -> bool:
    """Whether the key of a chat or an author is made of an id that Telegram gave out, and not of a name.

    >>> is_vendor_key("user123"), is_vendor_key("channel-100123"), is_vendor_key("6ca13d52ca70c883")
    (True, True, False)
    """
    return _GIVEN.fullmatch(key) is not None


def is_number(value: Any) -> bool:
    """Whether a value is an id: a whole number or its digits."""
    if isinstance(value, str):
        return len(value) <= 20 and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()
    return isinstance(value, int) and not isinstance(value, bool)


def author_of(header: Mapping[str, Any], message: Mapping[str, Any], field: str) -> tuple[str | None, str | None]:
    """Key and name of who wrote (``from``) or called (``actor``); a deleted account has an id and no name.

    >>> author_of({}, {"from": None, "from_id": "user7"}, "from")
    ('user7', None)
    """
    name, peer = message.get(field), message.get(f"{field}_id")
    name = name[:LONGEST_NAME] if isinstance(name, str) and name else None
    if isinstance(peer, int) and not isinstance(peer, bool):
        kind = _OLD_KINDS.get(peer >> 32)
        if kind is None or peer == header.get("id"):
            return f"user{peer}", name
        return f"{kind}{peer & 0xFFFF_FFFF}", name
    if isinstance(peer, str) and peer:
        return (peer if _PEER.fullmatch(peer) else key_of(peer)), name
    return (key_of(name) if name is not None else None), name
