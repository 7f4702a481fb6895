"""What the body of one WhatsApp message is: text, a file, a call, something deleted, a notice.

Here: one body at a time, words first where a language is known, structure where it is not. Not here: who wrote it and
when (``.reader``).

Rules where the words are unknown: an angle-bracketed phrase alone on the first line is a file left out (Android); a
phrase after a left-to-right mark is one as well (iOS); `name (words)` after WhatsApp's own file names is a file; a
label before a link to a map is a place; `<words>` after a mark at the end of a text says that it was edited; upper-case
labels line by line are a poll. An empty body and `null` stand for media that can be seen once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from conversations.imports.whatsapp.locales import plain, raw_texts, words
from conversations.imports.whatsapp.prefix import MARKS, unmarked
from conversations.parsing.fields import Odd
from conversations.parsing.imported import Meant

LEFT, RIGHT = "\u200e", "\u200f"
_REPEATED = 80
_LONGEST = 300
"""Characters; no fixed text is longer."""
_TAIL = re.compile(rf"^(.*?)[\s{MARKS}]*?([{LEFT}{RIGHT}]?)<([^<>\n:]{{3,80}})>[\s{MARKS}]*$", re.DOTALL)
_PHRASE = re.compile(rf"^[{MARKS}]*<[\s{MARKS}]*([^<>:\n]{{3,80}})>[\s{MARKS}]*$")
_IN_ROUND = re.compile(rf"^[{MARKS}]*(\S.*?)[\s{MARKS}]*\(([^()\n]{{3,60}})\)[\s{MARKS}]*$")
_TAGGED = re.compile(
    rf"([{LEFT}{RIGHT}]?)<[{MARKS}]*([^<>:\n]{{2,40}}):[\s{MARKS}]*([^<>\n]+?\.\w{{1,8}})[\s{MARKS}]*>"
)
_OWN_NAME = re.compile(r"(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{3,}|\d{8}-(?:PHOTO|VIDEO|AUDIO|GIF|STICKER|[^\s<>]+)")
_ANDROID_FILE = re.compile(rf"^[{MARKS}]*(?:IMG|VID|AUD|PTT|STK|DOC)-\d{{8}}-WA\d{{3,}}\.\w{{0,5}}(?=[\s({MARKS}]|$)")
_FILE_INFO = re.compile(r"^[^\n]*\.\w{1,8}(?:\s*[•·].*)?$")
_STICKER = re.compile(r"(?:^STK-|-STICKER-|\.webp$)", re.IGNORECASE)
_PLACE = re.compile(
    r"^[^\n:]{2,40}:\s*https?://(?:maps\.google\.|maps\.app\.goo\.gl|goo\.gl/maps|(?:www\.)?google\.\w+/maps|maps\.apple\.)"
)
_VENUE = re.compile(r"https?://(?:www\.)?foursquare\.com/v/\S+\s*$")
_LABEL = re.compile(r"^([^\W\d_a-z]{3,20})\s?[:：]")
_AMOUNT = re.compile(r"(\d+)[\s\u00a0\u202f]*([^\W\d_]*)")
_WAS_SEEN_ONCE = ("", "null")
_TYPED = re.compile(r"[@?]|://")
"""Stands in no placeholder of any language: somebody wrote it."""
_DELETED_BY = (
    "this message was deleted by ", "сообщение удалено администратором", "данное сообщение удалено администратором",
)  # fmt: skip
_LONGEST_PLACEHOLDER, _LONGEST_NOTICE = 64, 400


def meaning(payload: Mapping[str, Any]) -> Meant:
    """What a raw message says.

    Raises:
        Odd: the raw row is not of this reader (``missing_field``).
    """
    original, start = payload.get("original"), payload.get("body_at")
    if not isinstance(original, str) or not isinstance(start, int):
        raise Odd("missing_field")
    body = original[start:]
    if payload.get("side") == "system":
        call = _call(body)
        if call is not None:
            return call._replace(is_system=True)
        return Meant(_clean(body), is_system=True)
    return said(body, is_bracketed="[" in original[: min(start, 4)])


def said(body: str, *, is_bracketed: bool) -> Meant:
    """What somebody's message says.

    ``is_bracketed``: the stamp is in brackets (iOS), where a left-to-right mark shows what the phone itself wrote.
    """
    is_edited = False
    if body.rstrip().endswith(">"):
        body, is_edited = _without_edited(body)
    known = _known(body) or _file(body) or _place_or_poll(body)
    if known is None and is_bracketed and body.startswith(LEFT) and _may_stand_for_a_file(body):
        known = Meant(None, "media")
    meant = known or Meant(_clean(body))
    return meant._replace(is_edited=True) if is_edited else meant


def _may_stand_for_a_file(body: str) -> bool:
    return "\n" not in body and len(body) <= _LONGEST and _TYPED.search(body) is None


def notice(body: str, sender: str) -> bool | None:
    """Whether a body that starts with a mark is a notice of the messenger in somebody's name; ``None``: it may be."""
    return _notice_again(body, sender) if len(body) <= _REPEATED else _notice(body, sender)


def _notice(body: str, sender: str) -> bool | None:
    # notices are known by how they begin, and so may begin what somebody deleted or how a file of his is called
    if _known(body) or _file(body):
        return False
    key = plain(body[:_LONGEST]).removeprefix("~").lstrip()
    if key.startswith(words().notices) or key.startswith(plain(sender) + " "):
        return True
    return False if _place_or_poll(body) else None


_notice_again = lru_cache(maxsize=2_048)(_notice)
"""Most such bodies are one of a few texts."""


def is_sentences(body: str) -> bool:
    """Whether an unknown body after a mark is too long to stand for a file: the phone tells something of the chat."""
    return body.startswith(LEFT) and _LONGEST_PLACEHOLDER < len(body) <= _LONGEST_NOTICE


def is_deleted_by_owner(body: str) -> bool:
    """Whether the owner of the exporting phone deleted it himself: he is the author."""
    return len(body) <= _LONGEST and words().kinds.get(plain(body)) == "deleted_by_owner"


@cache
def owner_texts() -> frozenset[str]:
    """Bodies for which that holds, as they stand in files: for comparing without any work."""
    return frozenset(
        f"{mark}{text}{stop}"
        for text in raw_texts("deleted_by_owner")
        for mark in ("", LEFT, RIGHT)
        for stop in ("", ".")
    )


def is_missed_call(body: str) -> bool:
    """Whether it is a call to the owner of the phone that he did not answer."""
    return len(body) <= _LONGEST and plain(body) in words().missed_calls


def _clean(body: str) -> str:
    return unmarked(body).strip()


def _caption(*parts: str) -> str | None:
    lines = [cleaned for part in parts if (cleaned := _clean(part)) and not _FILE_INFO.match(cleaned)]
    return "\n".join(lines) or None


def _without_edited(body: str) -> tuple[str, bool]:
    found = _TAIL.match(body)
    if found is None:
        return body, False
    text, mark, inner = found.groups()
    by_structure = mark == LEFT and text.strip() and plain(inner) not in words().kinds
    return (text, True) if plain(inner) in words().edited or by_structure else (body, False)


def _known(body: str) -> Meant | None:
    """A body that is a fixed text as a whole, or ends with one after a mark."""
    if len(body) <= _LONGEST:
        key = plain(body)
        if body.strip() in _WAS_SEEN_ONCE or not key:
            return Meant(None, "media") if body.strip() in _WAS_SEEN_ONCE or not unmarked(body).strip() else None
        kind = words().kinds.get(key)
        if kind is not None and not (kind == "media" and "<" not in body and not body.startswith(LEFT)):
            return _of_kind(kind, None)
        if key.startswith(_DELETED_BY):
            return Meant(None, is_deleted=True)
        call = _call(body)
        if call is not None:
            return call
    cut = max(body.rfind(LEFT), body.rfind(RIGHT))
    if cut > 0 and len(body) - cut <= _LONGEST:
        kind = words().kinds.get(plain(body[cut:]))
        if kind in ("omitted", "sticker", "media"):
            return _of_kind(kind, _caption(body[:cut]))
    return None


def _of_kind(kind: str, caption: str | None) -> Meant:
    if kind.startswith("deleted"):
        return Meant(None, is_deleted=True)
    return Meant(caption, "sticker" if kind == "sticker" else "media")


def _file(body: str) -> Meant | None:
    """A file, attached or left out; what else is written is its caption."""
    first, _, rest = body.partition("\n")
    if "<" in first:
        phrase = _PHRASE.match(first)
        if phrase is not None and _looks_left_out(phrase[1]):
            return Meant(_caption(rest), "media")
        tagged = _TAGGED.search(first)
        if tagged is not None and (tagged[1] or _OWN_NAME.match(unmarked(tagged[3]))):
            kind = "sticker" if _STICKER.search(tagged[3]) else "media"
            return Meant(_caption(first[: tagged.start()] + first[tagged.end() :], rest), kind)
    name = None
    if "(" in first and (found := _IN_ROUND.match(first)) is not None:
        is_known = plain(found[2]) in words().attached
        is_likely = _OWN_NAME.match(found[1]) and not found[2].strip().isdigit()
        name = found[1] if is_known or is_likely else None
    elif _ANDROID_FILE.match(first):
        name = unmarked(first)
    if name is None:
        return None
    return Meant(_caption(rest), "sticker" if _STICKER.search(name.strip()) else "media")


def _looks_left_out(phrase: str) -> bool:
    key = plain(phrase)
    return key in words().kinds or (key not in words().edited and (" " in key or not key.isascii()))


def _place_or_poll(body: str) -> Meant | None:
    if "://" in body:
        text = _clean(body)
        if _PLACE.match(text) or _VENUE.search(text):
            return Meant(text, "media")
    elif "\n" in body:
        lines = _clean(body).split("\n")
        labels = [found[1] for line in lines if (found := _LABEL.match(line)) and found[1].upper() == found[1]]
        if len(labels) > 2 and _LABEL.match(lines[0]) and labels[1] == labels[2] and labels[0] != labels[1]:
            return Meant("\n".join(lines), "media")
    return None


def _call(body: str) -> Meant | None:
    """A call: one that was missed by its words; any other only where the phone itself marks it."""
    if len(body) > _LONGEST or "\n" in body:
        return None
    key = plain(body)
    if key in words().missed_calls:
        return Meant(_clean(body), "call", call_answered=False)
    is_marked = body.startswith((LEFT, RIGHT))
    key = key.replace("•", ",").replace("\u060c", ",").replace("、", ",")
    # `Voice call. No answer`
    start, _, rest = key.partition("," if "," in key or not is_marked else ". ")
    start, rest = start.strip(), rest.strip()
    if start in words().missed_calls and (rest or is_marked):
        return Meant(_clean(body), "call", call_answered=False)
    if start not in words().calls or not is_marked:
        return None
    if rest.startswith(words().not_answered):
        return Meant(_clean(body), "call", call_answered=False)
    seconds = _seconds(rest)
    return Meant(_clean(body), "call", call_answered=True if rest else None, talk_seconds=seconds)


def _seconds(text: str) -> int | None:
    """The length of a call, `1 hr 5 min`; ``None`` where it has none or an unknown unit."""
    total, units = 0, words().units
    for amount, unit in _AMOUNT.findall(text):
        factor = next((units[unit[:size]] for size in range(len(unit), 0, -1) if unit[:size] in units), None)
        if factor is None or len(amount) > 5:
            return None
        total += int(amount) * factor
    return total or None
