"""The CRM's chats page as a source: channels, chats and messages, page by page, by replaying what a browser sent.

Here: which lists are streams, what a window means, what is made of a last message where the chats themselves were not
captured. Not here: HTTP and the session (``resources.clients.retailcrm_web``), which call comes next
(``resources.sources.web_paging``), what a node means (``conversations.parsing.retailcrm_web``).

- ``channels`` and ``chats`` are read whole. Without a captured ``ChannelsList`` the channels are those of the chats.
- ``messages`` is windowed by ``time``: of chats with activity since the window's begin, backwards until before it. A
  page is one call, also one that only lists chats. Deleted messages are asked for too and say so themselves, so a row
  that is missing in a reading proves nothing: no deletions are detected.
- Without a captured ``messages`` only the last message of each chat is known, and the last one that is none of the
  system's: such a row carries ``is_partial`` and is replaced by the whole one when that is read.

The page names no version of a message. Its own time stands for it, a partial row's a microsecond earlier: the partial
one never replaces the whole one, and the whole one always replaces the partial one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conversations.source import Capability, Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.clients.errors import BadAnswer, CursorLoop
from resources.clients.retailcrm_web import (
    CHANNELS,
    CHATS,
    CHATS_PAGE,
    MESSAGES,
    MESSAGES_PAGE,
    OPERATIONS,
    RetailCRMWebClient,
)
from resources.sources.probing import capabilities
from resources.sources.web_paging import Chat, Stuck, WebPaging
from resources.sources.web_times import zoned

_MOMENT = timedelta(microseconds=1)
_LAST = ("lastNotSystemMessage", "lastMessage")


class RetailCRMWebSource:
    """Reads one CRM account through its chats page; ``time_zone`` is the account's, for times that come without one."""

    name = "retailcrm_web"
    streams: Mapping[str, Stream] = {
        stream.name: stream
        for stream in (
            Stream("channels", is_windowed=False),
            Stream("chats", is_windowed=False),
            Stream("messages", is_windowed=True),
        )
    }
    """In the order in which they are best read: messages last, so that a chat never points past what is stored."""

    def __init__(
        self,
        connection_id: str,
        client: RetailCRMWebClient,
        *,
        page_size: int = MESSAGES_PAGE,
        chats_page_size: int = CHATS_PAGE,
        time_zone: str | None = None,
    ) -> None:
        self.connection_id = connection_id
        self._client = client
        self._page_size = page_size
        self._chats_page_size = chats_page_size
        self._zone = ZoneInfo(time_zone) if time_zone else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Operations that were not captured."""
        return tuple(name for name in OPERATIONS if not self._client.has(name))

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Read ``stream`` in ``window`` from ``cursor``, page by page; a page may be empty.

        ``window`` is ignored for a directory; ``None`` reads all messages that the page shows.

        Raises:
            ValueError: an unknown stream.
            SourceError: the page could not be read; ``SessionExpired`` when the session is over.
        """
        if stream not in self.streams:
            raise ValueError(f"{self.name} has no stream {stream!r}; there are {', '.join(self.streams)}")
        if stream == "messages":
            return self._messages(window, cursor)
        if stream == "channels" and self._client.has(CHANNELS):
            return self._channels()
        return self._listed(stream, cursor)

    def probe(self) -> list[Capability]:
        """Replay each captured operation once, for one row. Nothing is stored or changed."""
        found: list[str] = []

        def chats() -> None:
            found.extend(str(node["id"]) for node in self._client.chats(None, 1).nodes)

        checks = [
            (CHANNELS, self._client.channels),
            (CHATS, chats),
            (MESSAGES, lambda: self._client.messages(found[0], None, 1) if found else None),
        ]
        known = list(capabilities([(name, call) for name, call in checks if self._client.has(name)]))
        said = {
            CHANNELS: "not captured: channels are known by their chats only",
            MESSAGES: "not captured: only the last message of each chat is known",
        }
        return known + [Capability(name, False, said[name], "not_captured") for name in self.missing]

    # directories -----------------------------------------------------------------------------------------------------

    def _channels(self) -> Iterator[Page]:
        yield Page(_last_of_each(RawRow(str(node["id"]), node, None, None) for node in self._client.channels()), None)

    def _listed(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        paging = WebPaging.from_cursor(cursor, has_messages=False)
        while paging.next is not None:
            nodes = self._list(paging, stream)
            if paging.is_stray:
                continue
            if stream == "channels":
                nodes = [node["channel"] for node in nodes if _has_id(node.get("channel"))]
            yield Page(_last_of_each(RawRow(str(node["id"]), node, None, None) for node in nodes), paging.cursor)

    def _list(self, paging: WebPaging, stream: str) -> list[dict[str, Any]]:
        """One page of chats; tells the paging what came."""
        asked = paging.next
        assert asked is not None
        place = f" (after {asked.cursor})" if asked.cursor else ""
        page = self._client.chats(asked.cursor, self._chats_page_size, f"{stream}: the list of chats{place}")
        nodes = [self._zoned(node) for node in page.nodes]
        chats = [Chat(str(node["id"]), _instant(node, "lastActivity")) for node in nodes]
        try:
            paging.listed(chats, page.cursor, page.has_more)
        except Stuck:
            raise self._loop(f"the list of chats keeps answering with the page before{place}") from None
        return nodes

    def _zoned(self, node: dict[str, Any]) -> dict[str, Any]:
        return node if self._zone is None else zoned(node, self._zone)

    # messages --------------------------------------------------------------------------------------------------------

    def _messages(self, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        bounds = (window.start, window.end) if window is not None else (None, None)
        paging = WebPaging.from_cursor(cursor, *bounds, has_messages=self._client.has(MESSAGES))
        while (asked := paging.next) is not None:
            if asked.chat_id is None:
                chats = self._list(paging, "messages")
                rows = [] if paging.has_messages else [row for chat in chats for row in self._partial(chat)]
            else:
                rows = self._of_chat(paging, asked.chat_id, asked.cursor, window)
            if not paging.is_stray:
                yield Page(_last_of_each(row for row in rows if _belongs(row, window)), paging.cursor)

    def _of_chat(self, paging: WebPaging, chat_id: str, before: str | None, window: Window | None) -> list[RawRow]:
        """One page of a chat; tells the paging what came."""
        named = f"messages of chat {chat_id}" + (f" (before {before})" if before else "")
        page = self._client.messages(chat_id, before, self._page_size, named)
        rows = [self._row(self._zoned(node), chat_id) for node in page.nodes]
        oldest = min((row.event_at for row in rows if row.event_at is not None), default=None)
        is_past = window is not None and oldest is not None and oldest < window.start
        try:
            paging.read([row.external_id for row in rows], page.cursor, page.has_more and not is_past)
        except Stuck:
            raise self._loop(f"the list of {named} keeps answering with the page before") from None
        return rows

    def _row(self, node: Mapping[str, Any], chat_id: str, is_partial: bool = False) -> RawRow:
        event_at = _instant(node, "time")
        if event_at is None:
            # without any time the row could be in no window: it would be lost without a word
            raise BadAnswer(self.connection_id, f"a row of 'messages' has no readable time (id {node['id']})")
        payload = {**node, "chatId": chat_id}
        if is_partial:
            return RawRow(str(node["id"]), {**payload, "is_partial": True}, event_at, event_at - _MOMENT)
        return RawRow(str(node["id"]), payload, event_at, event_at)

    def _partial(self, chat: Mapping[str, Any]) -> list[RawRow]:
        return [self._row(chat[name], str(chat["id"]), is_partial=True) for name in _LAST if _has_id(chat.get(name))]

    def _loop(self, what: str) -> CursorLoop:
        return CursorLoop(self.connection_id, what)


def _has_id(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("id"), int | str)
        and str(node["id"]) not in ("", "True", "False")
    )


def _belongs(row: RawRow, window: Window | None) -> bool:
    return window is None or (row.event_at is not None and row.event_at in window)


def _last_of_each(rows: Iterator[RawRow]) -> list[RawRow]:
    return list({row.external_id: row for row in rows}.values())


def _instant(node: Mapping[str, Any], field: str) -> datetime | None:
    """An instant with an offset or ``Z``; a text without a zone is none."""
    try:
        instant = datetime.fromisoformat(node[field])
    except (KeyError, TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None
