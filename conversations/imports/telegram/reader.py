"""Rows of Telegram Desktop's exports: who wrote what, when, in which chat; JSON and HTML alike.

Here: ``TelegramReader`` over units ``(chat header, message)`` and the decisions below. Not here: reading files
(``resources.imports.telegram_json``, ``telegram_html``), what a message says (``kinds``), ids (``keys``).

Decisions, where the format leaves them open:

- A chat is known by kind and id (``user123``, ``chat123``, ``channel123``: the three count separately at Telegram); an
  HTML page shows no id, so its chat is known by a hash of its title.
- In a personal chat the customer is the account after which the chat is named; whoever else writes is ours. A chat with
  a bot has no customer: the bot is a bot, the other one is ours. What our side sent through an inline bot (``via_bot``)
  is the bot's; a customer stays a customer whatever he sends through.
- ``saved_messages``, ``replies``, ``verify_codes`` and channels are no conversations with customers: their rows are
  kept with the problem ``not_a_conversation`` and counted, no chat is made of them.
- ``unsupported`` messages have neither time nor author in the export: kept with the problem ``unsupported``.
- ``date_unixtime`` counts; only where it is absent, ``date`` in the declared zone does. An hour that the zone has twice
  is not guessed (``ambiguous_time``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from conversations.imports.survey import (
    Author,
    Chat,
    ChatKind,
    Choices,
    NotThisFormat,
    Settled,
    Side,
    Survey,
    key_of,
)
from conversations.imports.telegram.keys import LONGEST_NAME, ChatKeys, MessageKeys, author_of
from conversations.parsing.flags import NO_TIMES
from conversations.source import RawRow

NOT_CONVERSATIONS = frozenset({"saved_messages", "replies", "verify_codes", "public_channel", "private_channel"})
_KINDS: Mapping[str, ChatKind] = {
    "personal_chat": "private",
    "bot_chat": "private",
    "private_group": "group",
    "private_supergroup": "group",
    "public_supergroup": "group",
}

MOST_CHATS, MOST_PEOPLE = 50_000, 100_000
"""Of one file, people counted in each of their chats: they are held in memory, and no account has so many."""

Unit = tuple[Mapping[str, Any], Any]


class _Read(NamedTuple):
    """What one item says of itself, before anybody was settled."""

    at: datetime | None
    edited_at: datetime | None
    author: str | None
    name: str | None
    is_system: bool
    problem: str | None


class TelegramReader:
    """``Reader`` of Telegram exports."""

    def survey(self, units: Iterable[Unit], choices: Choices) -> Survey:
        """Count chats, authors and times.

        Raises:
            NotThisFormat: more chats or people than any account has; what reading the file raises.
        """
        zone, keys = ZoneInfo(choices.time_zone), ChatKeys(choices.chat)
        chats: dict[str, Chat] = {}
        headers: dict[str, Mapping[str, Any]] = {}
        left_out: dict[int, str] = {}
        people = 0
        for header, message in units:
            if header["ordinal"] > MOST_CHATS:
                raise NotThisFormat(f"more than {MOST_CHATS} chats")
            if header.get("type") in NOT_CONVERSATIONS:
                left_out[header["ordinal"]] = header["type"]
                continue
            read = _read(header, message, zone)
            key = keys.of(header, read.at, read.author)
            if (chat := chats.get(key)) is None:
                chat = chats[key] = Chat(key, _title(header, choices), "group")
                headers[key] = header
            people += _count(chat, read)
            if people > MOST_PEOPLE:
                raise NotThisFormat(f"more than {MOST_PEOPLE} people")
        for key, chat in chats.items():
            _finish(chat, headers[key])
        facts = {"not_conversations": dict(sorted(Counter(left_out.values()).items()))} if left_out else {}
        return Survey(chats, facts)

    def rows(self, units: Iterable[Unit], chats: Mapping[str, Settled], choices: Choices) -> Iterator[RawRow]:
        """One row per item, also of those that are not understood."""
        zone, keys, ids = ZoneInfo(choices.time_zone), ChatKeys(choices.chat), MessageKeys()
        for position, (header, message) in enumerate(units, 1):
            read = _read(header, message, zone)
            key = keys.of(header, read.at, read.author)
            settled = chats.get(key)
            raw_id, is_second = ids.of(key, message, position, read.at)
            problem, side, author = read.problem, _side(settled, read, message), read.author
            if settled is None:
                problem, side, author = "not_a_conversation", "system", None
            elif is_second and problem is None:
                problem = "repeated_id"
            elif problem == "no_time" and settled.chat.first_at is None:
                problem = None  # nothing in the chat has a time: an untimed conversation
            payload: dict[str, Any] = {
                "chat": key,
                "at": _iso(read.at),
                "author": None if read.is_system else author,
                "side": side,
                "position": position,
                "original": message,
            }
            if header.get("format") == "html":
                payload["original"] = message["html"]
                payload["message"] = {field: value for field, value in message.items() if field != "html"}
            if read.edited_at is not None:
                payload["edited_at"] = _iso(read.edited_at)
            if problem is not None:
                payload["problem"] = problem
            yield RawRow(f"{key}:{raw_id}", payload, read.at, read.edited_at or read.at)


def _read(header: Mapping[str, Any], message: Any, zone: ZoneInfo) -> _Read:
    if not isinstance(message, Mapping):
        return _Read(None, None, None, None, False, "not_an_object")
    kind = message.get("type", "message")
    at, problem = _instant(message, "date", zone)
    edited_at, _ = _instant(message, "edited", zone)
    is_call = kind == "service" and message.get("action") == "phone_call"
    is_system = kind == "service" and not is_call
    author, name = (None, None) if is_system else author_of(header, message, "actor" if is_call else "from")
    if kind == "unsupported":
        problem = "unsupported"
    elif kind not in ("message", "service"):
        problem = "unknown_type"
    elif author is None and not is_system:
        problem = problem or "no_author"
    return _Read(at, edited_at, author, name, is_system, problem)


def _count(chat: Chat, read: _Read) -> int:
    """Count what was understood; returns how many people are new."""
    if read.problem is not None and read.problem != "no_time":
        return 0
    chat.messages += 1
    if read.at is not None:
        chat.first_at = read.at if chat.first_at is None else min(chat.first_at, read.at)
        chat.last_at = read.at if chat.last_at is None else max(chat.last_at, read.at)
    if read.author is None:
        return 0
    author = chat.authors.get(read.author)
    is_new = author is None
    if author is None:
        author = chat.authors[read.author] = Author(read.author, read.name)
    author.name = author.name or read.name
    author.messages += 1
    return int(is_new)


def _finish(chat: Chat, header: Mapping[str, Any]) -> None:
    """Decide what only the whole chat shows: its kind, whom it is named after, whether it has times."""
    kind = header.get("type")
    chat.kind = _KINDS.get(kind, "private" if len(chat.authors) <= 2 else "group")
    if chat.first_at is None:
        chat.flags.add(NO_TIMES)
    if chat.kind == "group":
        return
    named = [f"user{header['id']}"] if isinstance(header.get("id"), int | str) else []
    if chat.title:
        named.append(key_of(chat.title))
    chat.customer_key = next((key for key in named if key in chat.authors), None)
    if chat.customer_key is None and named and len(chat.authors) <= 1 and kind in _KINDS:
        chat.customer_key = named[0]  # the other side has not written yet
    if kind == "bot_chat" and chat.customer_key in chat.authors:
        chat.authors[chat.customer_key].side = "bot"


def _side(settled: Settled | None, read: _Read, message: Any) -> Side | None:
    if read.is_system:
        return "system"
    if settled is None or read.author is None:
        return None
    side = settled.sides.get(read.author)
    return "bot" if side == "manager" and isinstance(message, Mapping) and message.get("via_bot") else side


def _title(header: Mapping[str, Any], choices: Choices) -> str | None:
    name = header.get("name")
    return name[:LONGEST_NAME] if isinstance(name, str) and name else choices.chat


def _instant(message: Mapping[str, Any], field: str, zone: ZoneInfo) -> tuple[datetime | None, str | None]:
    """A moment in UTC, or why there is none. Older exports date what was never edited in 1970: no moment."""
    seconds = message.get(f"{field}_unixtime")
    if seconds is not None and not isinstance(seconds, bool):
        try:
            # the end of the year 9999; a text of digits, as the writer makes it, or a whole number
            if 0 < int(seconds) < 253_402_300_800:
                return datetime.fromtimestamp(int(seconds), UTC), None
        except (TypeError, ValueError, OverflowError):
            return None, "bad_time"
        return None, "bad_time"
    local = message.get(field)
    if local is None:
        return None, "no_time"
    try:
        found = datetime.fromisoformat(local)
        if found.tzinfo is None:
            first, second = found.replace(tzinfo=zone), found.replace(tzinfo=zone, fold=1)
            if first.utcoffset() != second.utcoffset():
                is_gap = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found
                return None, "bad_time" if is_gap else "ambiguous_time"
            found = first
        found = found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None, "bad_time"
    return (found, None) if found.year > 1970 else (None, "bad_time")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
