"""A HAR file as events, understood entry by entry (HAR 1.2: ``log.entries[].request`` and ``response``).

Here: which fields of an entry matter. Not here: bytes and JSON (``resources.clients.captures`` makes the events), which
entries are of use (``batch``). One entry is in memory at a time, and only those of the endpoint are handed on: a HAR
holds every picture of the page, too.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

from conversations.captures.shapes import Exchange, NotACapture, Request

Event = tuple[str, str, Any]
"""Prefix, kind and value as streaming JSON parsers give them: ``("log.entries.item.request.url", "string", "…")``."""

MOST_HEADERS = 500
LARGEST_ANSWER = 4 << 20
"""Characters of an answer that is looked into."""

_ENTRY = "log.entries.item"
_FIELDS = {
    f"{_ENTRY}.request.method": "method",
    f"{_ENTRY}.request.url": "url",
    f"{_ENTRY}.request.postData.text": "body",
    f"{_ENTRY}.request.postData.encoding": "body_encoding",
    f"{_ENTRY}.response.status": "status",
    f"{_ENTRY}.response.content.size": "size",
    f"{_ENTRY}.response.content.text": "answer",
    f"{_ENTRY}.response.content.encoding": "answer_encoding",
}
_PAIRS = {
    f"{_ENTRY}.request.headers.item": "headers",
    f"{_ENTRY}.request.cookies.item": "cookies",
}


def exchanges_of(events: Iterable[Event], path: str) -> Iterator[Exchange]:
    """The exchanges whose address has the path ``path``, in the order of the file.

    Raises:
        NotACapture: ``no_log`` when the JSON has no list of entries.
    """
    fields: dict[str, Any] = {}
    pairs: dict[str, list[tuple[str, str]]] = {"headers": [], "cookies": []}
    pair: dict[str, str] = {}
    has_log = False
    for prefix, kind, value in events:
        if kind in ("start_map", "start_array"):
            has_log = has_log or prefix == "log.entries"
            if prefix == _ENTRY:
                fields, pairs = {}, {"headers": [], "cookies": []}
            elif prefix in _PAIRS:
                pair = {}
        elif kind in ("end_map", "end_array"):
            if prefix in _PAIRS:
                held = pairs[_PAIRS[prefix]]
                if "name" in pair and "value" in pair and len(held) < MOST_HEADERS:
                    held.append((pair["name"], pair["value"]))
            elif prefix == _ENTRY and str(fields.get("url", "")).partition("?")[0].endswith(path):
                yield _exchange(fields, pairs)
        elif prefix in _FIELDS:
            fields[_FIELDS[prefix]] = value
        elif kind == "string" and prefix.rpartition(".")[0] in _PAIRS:
            pair[prefix.rpartition(".")[2]] = value
    if not has_log:
        raise NotACapture("no_log")


def _exchange(fields: dict[str, Any], pairs: dict[str, list[tuple[str, str]]]) -> Exchange:
    headers = [(name.lower(), value) for name, value in pairs["headers"] if not name.startswith(":")]
    if pairs["cookies"] and all(name != "cookie" for name, _ in headers):
        headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in pairs["cookies"])))
    body, answer = _text(fields, "body"), _text(fields, "answer")
    size = fields.get("size")
    known = int(size) if isinstance(size, int | float) and 0 < size < 1e15 else 0
    status = fields.get("status")
    return Exchange(
        Request(str(fields.get("method") or "GET").upper(), str(fields["url"]), tuple(headers), body),
        int(status) if isinstance(status, int) and not isinstance(status, bool) else None,
        known or len(answer or ""),
        answer if answer is not None and len(answer) <= LARGEST_ANSWER else None,
    )


def _text(fields: dict[str, Any], name: str) -> str | None:
    """A body's text, out of base64 where the entry says so; ``None`` where there is none or it is broken."""
    text = fields.get(name)
    if not isinstance(text, str):
        return None
    if fields.get(f"{name}_encoding") != "base64":
        return text
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
