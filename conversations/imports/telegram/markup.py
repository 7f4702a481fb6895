"""Pages of Telegram's HTML exports: one message's markup in the shape of the JSON export, one page's head.

Here: markup to fields. Not here: cutting a page into messages (``resources.imports.telegram_html``), what the fields
mean (``kinds``).

The writer escapes every ``<``, ``>`` and ``"`` of a text, so a page is cut by its tags alone, in time proportional to
its length, without the repairs that a parser of foreign pages makes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*+)([^<>]*+)>|([^<]++|<)")
_ATTRIBUTE = re.compile(r'([a-z-]+)\s*=\s*"([^"]*+)"')
_VOID = frozenset({"img", "br", "meta", "link", "hr", "input"})
_DATE = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d:\d\d:\d\d)(?: UTC(?:([+-]\d\d):?(\d\d))?)?")
_VIA = re.compile(r"\s+via @(\w+)$")
_TARGET = re.compile(r"#go_to_message(-?\d+)")
_SECONDS = re.compile(r"\((\d+) seconds?\)")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})")
_KINDS = {"private": "personal_chat", "bot": "bot_chat", "group": "private_group", "channel": "private_channel"}
_OWN = {"Saved messages": "saved_messages", "Replies": "replies"}
UNSUPPORTED = "This message is not supported by this version"

_WRAPS = {"photo_wrap": "photo", "video_file_wrap": "video", "animated_wrap": "animated", "sticker_wrap": "sticker"}
_VIDEOS = {"Video message": "video_message", "Animation": "animation"}
_REASONS = {"Missed": "missed", "Cancelled": "missed", "Declined": "busy"}
_FIELDS: Mapping[str, tuple[str, Any]] = {
    "voice_message": ("media_type", "voice_message"),
    "audio_file": ("media_type", "audio_file"),
    "animated": ("media_type", "animation"),
    "sticker": ("media_type", "sticker"),
    "photo": ("photo", True),
    "file": ("file", True),
    "contact": ("contact_information", True),
    "location": ("location_information", True),
    "live_location": ("location_information", True),
    "venue": ("place_name", True),
    "game": ("game_title", True),
    "invoice": ("invoice_information", True),
    "poll": ("poll", True),
}


class Block(NamedTuple):
    """What one block of a page is."""

    message: dict[str, Any] | None
    """In the shape of the JSON export; ``None``: the heading of a day."""
    day: str | None
    """``2024-01-10``, where it is the heading of a day."""
    end: int
    """Where the block's own markup ends."""


def block_of(markup: str) -> Block:
    """Understand one block, which begins with ``<div class="message ...">``."""
    found, media, attributes, end = _collect(markup)
    classes = attributes.get("class", "").split()
    number = attributes.get("id", "").removeprefix("message")
    message: dict[str, Any] = {"type": "message"}
    if number.removeprefix("-").isascii() and number.removeprefix("-").isdigit() and len(number) < 19:
        message["id"] = int(number)
    if "service" in classes:
        text = found.get("notice", "")
        if message.get("id", -1) < 0 and (day := day_of(text) or _empty(text)) is not None:
            return Block(None, day or None, end)
        message |= {"type": "unsupported"} if text.startswith(UNSUPPORTED) else {"type": "service", "text": text}
        return Block(message, None, end)
    if "joined" in classes:
        message["joined"] = True
    message |= {field: found[field] for field in ("date", "from", "forwarded_from", "author") if field in found}
    for field in ("from", "forwarded_from"):
        if field in message and (via := _VIA.search(message[field])):
            message |= {field: message[field][: via.start()], "via_bot": f"@{via[1]}"}
    if "reply" in found:
        message["reply_to_message_id"] = int(found["reply"])
    message["text"] = found.get("text", "")
    return Block(message | _media(media, found), None, end)


def _empty(text: str) -> str | None:
    return "" if text == "No exported messages" else None


def day_of(text: str) -> str | None:
    """The day of a heading, ``None`` where it is none.

    >>> day_of("10 January 2024")
    '2024-01-10'
    """
    found = _DAY.fullmatch(text)
    return f"{found[3]}-{_MONTHS.index(found[2]) + 1:02d}-{int(found[1]):02d}" if found else None


def date_of(title: str) -> str:
    """The moment in the title of a date as ISO 8601, with the zone where the page has it; otherwise as it stands.

    >>> date_of("10.01.2024 12:05:00 UTC+03:00"), date_of("10.01.2019 12:05:00")
    ('2024-01-10T12:05:00+03:00', '2019-01-10T12:05:00')
    """
    found = _DATE.fullmatch(title.strip())
    if not found:
        return title
    day, month, year, clock, hours, minutes = found.groups()
    zone = f"{hours}:{minutes}" if hours else "+00:00" if "UTC" in title else ""
    return f"{year}-{month}-{day}T{clock}{zone}"


def head_of(markup: str) -> str | None:
    """The chat's title, from what stands before the first message; ``None``: this is no page of a chat."""
    is_chat, depth, title = False, 0, []
    for tag, closing, attributes, text in _tokens(markup):
        classes = attributes.get("class", "").split()
        is_chat = is_chat or "chat_page" in classes
        if depth:
            title.append(text)
            depth += (-1 if closing else 1) if tag and tag not in _VOID else 0
        elif not title and tag == "div" and classes == ["text", "bold"]:
            depth, title = 1, [""]
    return "".join(title).strip() if is_chat and title else None


def kinds_of(markup: str) -> dict[str, str]:
    """What the list of chats says of each chat's kind, by the chat's folder (``chats/chat_001``).

    A person's chat with himself and the replies to his comments stand there as private chats of these names.
    """
    kinds: dict[str, str] = {}
    folder, role, texts = "", "", {"name": "", "info": ""}
    for tag, _, attributes, text in _tokens(markup):
        classes = attributes.get("class", "").split()
        if "entry" in classes:
            target = attributes.get("href", "").partition("#")[0]
            folder, texts = target.rpartition("/")[0].lstrip("./"), {"name": "", "info": ""}
        elif tag:
            role = next((one for one in texts if one in classes), "")
        elif role:
            texts[role] += text
        if folder and texts["info"].strip() in _KINDS:
            name = texts["name"].strip()
            kinds[folder] = _OWN.get(name, _KINDS[texts["info"].strip()])
    return kinds


def _tokens(markup: str) -> Iterator[tuple[str, bool, dict[str, str], str]]:
    for token in _TOKEN.finditer(markup):
        closing, tag, inside, text = token.groups("")
        if tag:
            attributes = {} if closing else {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(inside)}
            yield tag.lower(), bool(closing), attributes, ""
        else:
            yield "", False, {}, html.unescape(text)


def _role(classes: list[str], inside: frozenset[str]) -> str | None:
    """The name under which an element's text is collected; ``None``: under that of the element around it."""
    if "media" in inside:
        return next((f"media_{one}" for one in ("title", "status", "description") if one in classes), "nothing")
    is_forwarded = "forwarded" in inside
    if classes == ["text"]:
        return "text"
    if "from_name" in classes:
        return "forwarded_from" if is_forwarded else "from"
    if "signature" in classes:
        return "author"
    if classes == ["body", "details"]:
        return "notice"
    if {"date", "reply_to", "reactions", "userpic_wrap", "media_wrap"} & set(classes):
        return "nothing"
    return None


def _collect(markup: str) -> tuple[dict[str, str], list[tuple[str, str | None]], dict[str, str], int]:
    """Texts by role, media by kind and link, the attributes of the block, and where it ends."""
    texts: dict[str, list[str]] = {}
    media: list[tuple[str, str | None]] = []
    root: dict[str, str] = {}
    stack: list[tuple[str, str, frozenset[str]]] = []
    role, inside = "nothing", frozenset[str]()
    for token in _TOKEN.finditer(markup):
        closing, tag, raw, text = token.groups()
        if text is not None:
            texts.setdefault(role, []).append(html.unescape(text))
        elif tag == "br":
            texts.setdefault(role, []).append("\n")
        elif closing:
            if any(one[0] == tag for one in stack[-4:]):
                while stack.pop()[0] != tag:
                    pass
            if not stack:
                return _joined(texts), media, root, token.end()
            role, inside = stack[-1][1:]
        elif tag not in _VOID:
            attributes = dict(_ATTRIBUTE.findall(raw))
            classes = attributes.get("class", "").split()
            if not stack:
                root = attributes
            found = _medium(classes)
            if found is not None:
                link = attributes.get("href")
                media.append((found, html.unescape(link) if link else None))
            if "date" in classes and "forwarded" not in inside and "title" in attributes:
                texts.setdefault("date", [date_of(html.unescape(attributes["title"]))])
            if role == "nothing" and "reply" in inside and (target := _TARGET.search(attributes.get("href", ""))):
                texts.setdefault("reply", [target[1]])
            role = _role(classes, inside) or role
            inside = inside | _around(classes)
            stack.append((tag, role, inside))
    return _joined(texts), media, root, len(markup)


def _around(classes: list[str]) -> frozenset[str]:
    """What the elements within one have to know of it."""
    names = {"forwarded": "forwarded", "reply_to": "reply", "media_wrap": "media"}
    return frozenset(names[one] for one in classes if one in names)


def _joined(texts: Mapping[str, list[str]]) -> dict[str, str]:
    return {role: "".join(parts).strip() for role, parts in texts.items()}


def _medium(classes: list[str]) -> str | None:
    for one in classes:
        if one in _WRAPS:
            return _WRAPS[one]
        if one.startswith("media_") and one != "media_wrap":
            return one.removeprefix("media_")
    return None


def _media(media: list[tuple[str, str | None]], found: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the JSON export that show what a message carries."""
    if not media:
        return {}
    kind, link = media[0]
    title, status = found.get("media_title", ""), found.get("media_status", "")
    if kind == "call":
        seconds = _SECONDS.search(status)
        call: dict[str, Any] = {"type": "service", "action": "phone_call"}
        if seconds:
            return call | {"duration_seconds": int(seconds[1])}
        return call | {"discard_reason": _REASONS.get(status.split(" (")[0], "hangup")}
    if kind == "photo" and title == "Sticker":
        kind = "sticker"
    if kind == "video":
        field, value = "media_type", _VIDEOS.get(title, "video_file")
    else:
        field, value = _FIELDS.get(kind, ("media_type", kind))
    if value is True:
        value = link or title or found.get("media_description") or kind
        return {field: value if field in ("photo", "file", "place_name", "game_title") else {"shown": value}}
    return {field: value, "file": link or found.get("media_description") or "(File not included)"}
