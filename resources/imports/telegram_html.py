"""Streaming of Telegram Desktop's HTML exports: the pages of a chat in order, message by message.

Here: pages to units ``(chat header, message)`` for ``conversations.imports.telegram``. Not here: what the markup of a
message says (``conversations.imports.telegram.markup``).

A chat is a folder with ``messages.html``, ``messages2.html`` ...; a page shows the chat's title and no id of it. What
the pages leave open is filled from the pages alone: a *joined* message has the sender of the one before it; a notice
has no time of its own and gets that of the message before it on its day, else the beginning of the day above it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any

from conversations.imports.survey import NotThisFormat
from conversations.imports.telegram.markup import block_of, head_of, kinds_of

OpenFile = Callable[[], AbstractContextManager[IO[bytes]]]
Unit = tuple[Mapping[str, Any], Any]

BLOCK = 64 * 1024
MESSAGE_CHARACTERS = 512 * 1024
"""No message's markup is longer: a text has at most some thousand characters."""
PAGE_MESSAGES = 100_000
"""The writer begins a new page after 1,000."""
EARLY_NOTICES = 20
LIST_BYTES = 8 * 1024 * 1024
_START = re.compile(r'<div\s[^<>]*?\bclass="message\s')
_PAGE = re.compile(r"(?:^|/)messages(\d*)\.html$")
_LAYOUT = re.compile(r'(?:\s++|</(?:div|body|html)>|<a class="pagination[^<>]*+>[^<]*+</a>)*+')
"""What may stand between a message and the next one, or the end of the page."""
_LONGEST_TAG = 256


def page_order(name: str) -> tuple[str, int] | None:
    """Where a page belongs: its chat's folder and its number in it; ``None``: the file is no page.

    >>> sorted(["messages10.html", "messages.html", "messages2.html"], key=page_order)
    ['messages.html', 'messages2.html', 'messages10.html']
    """
    found = _PAGE.search(name.replace("\\", "/"))
    return (name[: found.start()], int(found[1] or 1)) if found else None


def is_list(name: str) -> bool:
    """Whether a file is the list of the chats of a whole account."""
    return f"/{name}".endswith("/lists/chats.html")


class TelegramHtml:
    """The units of the pages of one or several chats.

    ``pages`` are the names of the pages, as they are called in the folder or archive, each with what opens it. The
    export of a whole account lists its chats in ``lists/chats.html``, which alone says what kind a chat is of; among
    the pages it is taken for that. The header of a unit has ``format`` (``html``), ``ordinal`` (of the chat, from 1),
    ``name`` and, if it is known, ``type`` in the words of the JSON export; a message has its markup as ``html``.
    """

    def __init__(self, pages: Iterable[tuple[str, OpenFile]]) -> None:
        found = sorted(pages, key=lambda page: page_order(page[0]) or ("", 0))
        self._lists = [open_file for name, open_file in found if is_list(name)]
        self._pages = [page for page in found if not is_list(page[0])]

    def units(self) -> Iterator[Unit]:
        """All messages, chat by chat, in the order of the pages.

        Raises:
            NotThisFormat: a page is no page of a chat, breaks off, is not UTF-8, or passes a limit.
        """
        folder, ordinal = None, 0
        chat, kinds = _ChatPages(), self._kinds()
        for number, (name, open_file) in enumerate(self._pages, 1):
            here = (page_order(name) or ("", 0))[0]
            if here != folder or not ordinal:
                folder, ordinal, chat = here, ordinal + 1, _ChatPages()
            kind = kinds.get("/".join(here.split("/")[-2:]))
            with open_file() as file:
                yield from chat.messages(_blocks(file, number), {"ordinal": ordinal, "type": kind}, number)

    def _kinds(self) -> dict[str, str]:
        kinds: dict[str, str] = {}
        for open_file in self._lists:
            with open_file() as file:
                kinds |= kinds_of(file.read(LIST_BYTES).decode("utf-8", "replace"))
        return kinds


class _ChatPages:
    """What one message of a chat leaves to the next one."""

    def __init__(self) -> None:
        self._title: str | None = None
        self._sender: dict[str, Any] = {}
        self._at: str | None = None
        self._day: str | None = None
        self._zone: str | None = None
        """That of the page's dates, as they write it; ``None``: there was none yet."""
        self._early: list[dict[str, Any]] = []
        """Notices before the first date: the zone of their day is not known yet."""

    def messages(self, blocks: Iterator[str], header: dict[str, Any], number: int) -> Iterator[Unit]:
        """The messages of one page."""
        title = head_of(next(blocks))
        if title is None:
            raise NotThisFormat(f"page {number} is no page of a chat of a Telegram export")
        self._title = self._title or title
        header = header | {"name": self._title, "format": "html"}
        for count, markup in enumerate(blocks, 1):
            if count > PAGE_MESSAGES:
                raise NotThisFormat(f"page {number} has more than {PAGE_MESSAGES} messages")
            block = block_of(markup)
            if block.message is None:
                self._day, self._at = block.day or self._day, None
                continue
            message = block.message
            if message["type"] != "unsupported":
                self._fill(message)
            end = block.end if _LAYOUT.fullmatch(markup, block.end) else len(markup)
            message["html"] = markup[:end]
            if self._zone is None and message.get("dated_by") == "day" and len(self._early) < EARLY_NOTICES:
                self._early.append(message)
                continue
            yield from self._dated(header)
            yield header, message
        yield from self._dated(header)

    def _dated(self, header: Mapping[str, Any]) -> Iterator[Unit]:
        """The notices that waited for the zone."""
        for message in self._early:
            message["date"] += self._zone or ""
            yield header, message
        self._early = []

    def _fill(self, message: dict[str, Any]) -> None:
        is_joined = message.pop("joined", False)
        is_call = message.get("action") == "phone_call"
        if message["type"] == "service" and not is_call:
            self._date_notice(message)
            return
        if is_joined:
            message |= {key: value for key, value in self._sender.items() if key not in message}
        self._sender = {key: message[key] for key in ("from", "via_bot") if key in message}
        if is_call and "from" in message:
            message["actor"] = message.pop("from")
        date = message.get("date", "")
        if date[10:11] == "T":
            self._at, self._zone = date, date[19:]

    def _date_notice(self, message: dict[str, Any]) -> None:
        if self._at is not None:
            message |= {"date": self._at, "dated_by": "message_before"}
        elif self._day is not None:
            message |= {"date": f"{self._day}T00:00:00{self._zone or ''}", "dated_by": "day"}


def _blocks(file: IO[bytes], number: int) -> Iterator[str]:
    """The head of a page, then each of its messages with what stands between it and the next."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    held, scanned, position = "", 0, 0
    while True:
        block = file.read(BLOCK)
        position += len(block)
        try:
            held += decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            raise NotThisFormat(f"page {number} is not UTF-8 near byte {position}") from None
        while start := _START.search(held, scanned):
            yield held[: start.start()].rstrip()
            held, scanned = held[start.start() :], 1
        scanned = max(scanned, len(held) - _LONGEST_TAG)
        if len(held) > MESSAGE_CHARACTERS:
            raise NotThisFormat(f"page {number}: an item before byte {position} is too long")
        if not block:
            break
    if not held.rstrip().endswith("</html>"):
        raise NotThisFormat(f"page {number} breaks off at byte {position}")
    yield held
