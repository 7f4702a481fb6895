"""Reads the messages of all chats that a window can touch, over a list of chats that moves while it is read.

Here: which call comes next, as a pure state machine. Not here: HTTP, what a node means.

The list of chats is ordered by their last activity. A chat that is written to while the list is read jumps to its top:
one that had not been reached yet would be missed. The list is therefore looked at again from the top, down to what was
newest when the reading before began, until a look finds nothing newer. Chats of a page are read before the next page
of chats is asked for, so that a position is small however many chats there are.

How a page is sorted inside, and whether the list falls or rises, is not documented. The list is left before its end
only where the pages seen so far prove that it falls and the whole page lies before what is looked for; a page of
messages is asked for again where another one came in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

LOOKS = 5
"""Readings of the list at most; each one follows activity during the one before."""
PATIENCE = 6
"""Repeated calls for a page in whose place another one came, before it is called a loop."""
MOST_PAGES = 100_000
"""Of one chat, or of the list: what grows faster than it is read ends here instead of never."""


class Stuck(Exception):
    """Paging does not move."""


class Chat(NamedTuple):
    """What the list says of a chat; ``active_at`` is ``None`` where it cannot be read: then the chat is read."""

    id: str
    active_at: datetime | None


class Asked(NamedTuple):
    """The next call: a page of chats (``chat_id`` is ``None``) or of a chat's messages, at a cursor."""

    chat_id: str | None
    cursor: str | None


@dataclass
class WebPaging:
    """Where reading stands. ``next`` is asked, ``listed`` or ``read`` is told what came.

    ``since``: chats without activity from there on are left out. ``until``: what happens from there on is not wanted:
    a chat that was read after it need not be read again. ``has_messages``: chats are read, not only listed.

    >>> paging = WebPaging()
    >>> paging.next
    Asked(chat_id=None, cursor=None)
    >>> paging.listed([Chat("88", None)], None, False); paging.next
    Asked(chat_id='88', cursor=None)
    >>> paging.read(["1"], None, False); paging.next  # once more from the top
    Asked(chat_id=None, cursor=None)
    >>> paging.listed([Chat("88", None)], None, False); paging.next is None
    True
    """

    since: datetime | None = None
    until: datetime | None = None
    has_messages: bool = True
    look: int = 1
    pages: int = 0
    """Pages of chats in this look."""
    after: str | None = None
    is_listed: bool = False
    falls: bool = True
    lowest: str | None = None
    """Least recent activity of the look so far, as text: what a JSON object can hold."""
    newest: str | None = None
    newest_chats: Sequence[str] = ()
    """Which chats were active at that very instant."""
    newest_before: str | None = None
    """What was newest at the end of the look before; ``None`` in the first one."""
    known_newest: Sequence[str] = ()
    """Which chats were active at that one."""
    last_chats: Sequence[str] = ()
    queue: Sequence[str] = ()
    before: str | None = None
    last_messages: Sequence[str] = ()
    chat_pages: int = 0
    calls: int = 0
    strayed: int = 0
    done: set[str] = field(default_factory=set)
    """Chats read by this process; not part of a position, reading one twice is harmless."""

    @classmethod
    def from_cursor(
        cls,
        cursor: Mapping[str, Any] | None,
        since: datetime | None = None,
        until: datetime | None = None,
        has_messages: bool = True,
    ) -> WebPaging:
        """Where a stored cursor stands; ``None``: at the start."""
        return cls(since, until, has_messages, **(cursor or {}))

    @property
    def cursor(self) -> dict[str, Any] | None:
        """The position as a JSON object, ``None`` when everything has been read."""
        if self.next is None:
            return None
        return {name: getattr(self, name) for name in _POSITION}

    @property
    def next(self) -> Asked | None:
        """The call to make, ``None`` at the end."""
        if self.queue:
            return Asked(self.queue[0], self.before)
        return None if self.is_listed else Asked(None, self.after)

    def listed(self, chats: Collection[Chat], cursor: str | None, has_more: bool) -> None:
        """A page of chats came.

        Raises:
            Stuck: the same page comes for ever.
        """
        ids = sorted({chat.id for chat in chats})
        if self._is_stray(ids, self.last_chats, self.pages):
            return
        self.calls += 1
        times = [chat.active_at for chat in chats if chat.active_at is not None]
        is_whole = len(times) == len(chats)
        if times:
            highest, lowest = max(times), min(times)
            if self.pages and (self.lowest is None or highest > datetime.fromisoformat(self.lowest)):
                self.falls = False
            self.lowest = _least(self.lowest, lowest)
            self._note_newest(chats, highest)
        wanted = sorted({chat.id for chat in chats if self._is_wanted(chat)}, key=lambda one: (len(one), one))
        self.queue = wanted if self.has_messages else ()
        self.pages, self.after, self.last_chats = self.pages + 1, cursor, ids
        is_past = bool(times) and is_whole and self.falls and (self.pages > 1 or self.look > 1) and not wanted
        self.is_listed = not has_more or cursor is None or not ids or is_past or self.pages >= MOST_PAGES
        self._look_again()

    def read(self, ids: Sequence[str], cursor: str | None, has_more: bool) -> None:
        """A page of the asked chat's messages came; ``has_more``: an older page is there and wanted.

        Raises:
            Stuck: the same page comes for ever.
        """
        if self._is_stray(sorted(set(ids)), self.last_messages, self.chat_pages):
            return
        self.calls += 1
        if has_more and cursor is not None and ids and self.chat_pages < MOST_PAGES:
            self.before, self.last_messages, self.chat_pages = cursor, sorted(set(ids)), self.chat_pages + 1
            return
        self.done.add(self.queue[0])
        self.queue, self.before, self.last_messages, self.chat_pages = self.queue[1:], None, (), 0
        self._look_again()

    @property
    def is_stray(self) -> bool:
        """The last answer was another page than the asked one: it is asked for again."""
        return self.strayed > 0

    def _is_stray(self, ids: list[str], last: Sequence[str], pages: int) -> bool:
        if pages == 0 or not ids or not set(ids) <= set(last):
            self.strayed = 0
            return False
        self.strayed += 1
        if self.strayed >= PATIENCE:
            raise Stuck
        return True

    def _is_wanted(self, chat: Chat) -> bool:
        if chat.active_at is None:
            return self.look == 1
        if self.since is not None and chat.active_at < self.since:
            return False
        if self.newest_before is None:
            return True
        newest = datetime.fromisoformat(self.newest_before)
        if chat.id in self.done and self.until is not None and self.until <= newest:
            return False
        return chat.active_at > newest or (chat.active_at == newest and chat.id not in self.known_newest)

    def _note_newest(self, chats: Collection[Chat], highest: datetime) -> None:
        newest = datetime.fromisoformat(self.newest) if self.newest else highest
        if highest > newest:
            self.newest_chats = ()
        if highest >= newest:
            at_once = {chat.id for chat in chats if chat.active_at == highest}
            self.newest, self.newest_chats = highest.isoformat(), sorted({*self.newest_chats, *at_once})

    def _look_again(self) -> None:
        """At the end of a look: another one from the top, where something may have jumped there meanwhile."""
        if self.queue or not self.is_listed or self.calls == 1 or self.look >= LOOKS:
            return
        if self.look > 1 and (self.newest, self.newest_chats) == (self.newest_before, self.known_newest):
            return
        self.look, self.pages, self.after, self.is_listed = self.look + 1, 0, None, False
        self.newest_before, self.known_newest = self.newest, self.newest_chats
        self.lowest, self.last_chats = None, ()


_POSITION = (
    "look", "pages", "after", "is_listed", "falls", "lowest", "newest", "newest_chats", "newest_before", "known_newest",
    "last_chats", "queue", "before", "last_messages", "chat_pages", "calls",
)  # fmt: skip


def _least(known: str | None, at: datetime) -> str:
    return at.isoformat() if known is None else min(datetime.fromisoformat(known), at).isoformat()
