"""Telegram's HTML: a text with tags into a plain text with entities, refused as the Bot API refuses it.

Here: ``parse_mode=HTML``. Not here: limits of a message (``telegram``). The rules follow "HTML style" of the Bot API's
page and the wording of the vendor's open-source server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_NAMES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ATTRIBUTE = re.compile(r"\s*([A-Za-z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.-]+)))?\s*")


class Unparsed(Exception):
    """``can't parse entities: ...``"""


@dataclass
class _Open:
    """A start tag that waits for its end."""

    name: str
    at: int
    attributes: dict[str, str]


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Plain text and its entities, trimmed as Telegram trims a message.

    Raises:
        Unparsed: a tag that is not closed, not opened or not known, with the place in bytes.
    """
    plain: list[str] = []
    length = at = 0
    waiting: list[_Open] = []
    found: list[dict[str, Any]] = []
    while at < len(text):
        letter = text[at]
        if letter == "&":
            character, at = _character(text, at)
            plain.append(character)
            length += units(character)
            continue
        if letter != "<":
            plain.append(letter)
            length += units(letter)
            at += 1
            continue
        offset = len(text[:at].encode("utf-8", "replace"))
        end = text.find(">", at)
        if text[at + 1 : at + 2] == "/":
            if not waiting:
                raise Unparsed(f"Unexpected end tag at byte offset {offset}")
            if end < 0:
                raise Unparsed(f"Unclosed end tag at byte offset {offset}")
            name = text[at + 2 : end].strip().lower()
            opened = waiting.pop()
            if name and name != opened.name:
                raise Unparsed(
                    f'Unmatched end tag at byte offset {offset}, expected "</{opened.name}>", found "</{name}>"'
                )
            found += _entity(opened, length, "".join(plain), waiting)
            at = end + 1
            continue
        opened, at = _start(text, at, offset, length)
        waiting.append(opened)
    if waiting:
        raise Unparsed(f'Can\'t find end tag corresponding to start tag "{waiting[-1].name}"')
    return _trimmed("".join(plain), sorted(found, key=lambda one: (one["offset"], -one["length"])))


def _character(text: str, at: int) -> tuple[str, int]:
    hit = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]+));?").match(text, at)
    if hit is not None:
        if hit[3]:
            if hit[3] in _CHARACTERS:
                return _CHARACTERS[hit[3]], hit.end()
        else:
            code = int(hit[1]) if hit[1] else int(hit[2], 16)
            if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
                return chr(code), hit.end()
    return "&", at + 1


def _read(value: str) -> str:
    """The value of an attribute: characters are written there as in the text."""
    read, at = "", 0
    while at < len(value):
        if value[at] == "&":
            character, at = _character(value, at)
            read += character
        else:
            read, at = read + value[at], at + 1
    return read


def _start(text: str, at: int, offset: int, length: int) -> tuple[_Open, int]:
    hit = re.compile(r"<([^\s>]*)").match(text, at)
    assert hit is not None
    name = hit[1].lower().rstrip("/") if hit[1] != "/" else "/"
    if hit.end() >= len(text):
        raise Unparsed(f"Unclosed start tag at byte offset {offset}")
    if name not in _NAMES:
        raise Unparsed(f'Unsupported start tag "{name}" at byte offset {offset}')
    at = hit.end()
    attributes: dict[str, str] = {}
    while text[at : at + 1] != ">":
        part = _ATTRIBUTE.match(text, at)
        if part is None or not part[1]:
            if at >= len(text):
                raise Unparsed(f'Unclosed start tag "{name}" at byte offset {offset}')
            raise Unparsed(f'Empty attribute name in the tag "{name}" at byte offset {offset}')
        attributes[part[1].lower()] = _read(part[2] or part[3] or part[4] or "")
        at = part.end()
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise Unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    return _Open(name, length, attributes), at + 1


def _entity(opened: _Open, length: int, plain: str, waiting: list[_Open]) -> list[dict[str, Any]]:
    size = length - opened.at
    if not size:
        return []
    entity: dict[str, Any] = {"offset": opened.at, "length": size, "type": _NAMES[opened.name]}
    if opened.name == "a":
        inside = plain.encode("utf-16-le")[opened.at * 2 :].decode("utf-16-le")
        url = opened.attributes.get("href") or inside
        if not re.match(r"(https?|tg|mailto|tel|ton):|[\w-]+(\.[\w-]+)+", url):
            # an address that is none: the text stays, the link goes
            return []
        entity["url"] = url
    if opened.name == "code" and waiting and waiting[-1].name == "pre" and waiting[-1].at == opened.at:
        language = opened.attributes.get("class", "")
        waiting[-1].attributes["language"] = language.removeprefix("language-")
        return []
    if opened.name == "pre" and opened.attributes.get("language"):
        entity["language"] = opened.attributes["language"]
    if opened.name == "tg-emoji":
        entity["custom_emoji_id"] = opened.attributes.get("emoji-id", "")
    if opened.name == "blockquote" and "expandable" in opened.attributes:
        entity["type"] = "expandable_blockquote"
    return [entity]


def _trimmed(plain: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    left = units(plain) - units(plain.lstrip())
    text = plain.strip()
    size = units(text)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - left)
        end = min(size, entity["offset"] + entity["length"] - left)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    # a message keeps its first hundred
    return text, kept[:100]
