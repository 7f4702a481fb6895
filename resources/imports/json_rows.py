"""The rows of a JSON document, item by item. Not here: JSON lines (``tables``), what an item means.

Memory is bounded by one item: its bytes, values and levels have limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from conversations.imports.survey import NotThisFormat
from conversations.imports.tables.units import TableUnit, Unreadable

ITEM_BYTES = 16 * 1024 * 1024
ITEM_VALUES = 500_000
DEPTH = 64
_BLOCK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


class _Source:
    """The stream without its byte order mark; stops where an item grows beyond all bounds."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.position = self.mark = 0
        self.ended = False

    def read(self, size: int = _BLOCK) -> bytes:
        block = self._stream.read(size)
        if self.position == 0 and block.startswith(_BOM):
            self.position, block = len(_BOM), block[len(_BOM) :]
        self.position += len(block)
        self.ended = not block and size != 0
        if self.position - self.mark > ITEM_BYTES:
            raise NotThisFormat(f"an item before byte {self.position} is larger than {ITEM_BYTES} bytes")
        return block


def json_rows(stream: BinaryIO, path: str | None) -> Iterator[TableUnit]:
    """The items of the list at ``path`` (names joined by dots), or of the document itself if it is a list.

    Raises:
        NotThisFormat: no JSON (the text says near which byte), broken off, no such list, or past a limit.
    """
    import ijson

    source = _Source(stream)
    try:
        yield from _rows(source, ijson.basic_parse(source, buf_size=_BLOCK, use_float=True), path)
    except (ijson.JSONError, UnicodeDecodeError):
        # the parser's own text quotes the file. Whole numbers of more than 64 bits are no JSON to it, and have to be:
        # without use_float it hands ones of thousands of digits to Python, which refuses them in the parser's middle
        where = "breaks off at" if source.ended else "is not JSON near"
        raise NotThisFormat(f"the file {where} byte {source.position}") from None


def _rows(source: _Source, events: Iterator[tuple[str, Any]], path: str | None) -> Iterator[TableUnit]:
    if path is not None:
        for name in path.split("."):
            _enter(source, events, name)
    kind, _ = next(events)
    if kind != "start_array":
        raise NotThisFormat(
            "the rows are not a list" if path else "the document is not a list; file.items names the list in it"
        )
    for number, (kind, value) in enumerate(events, 1):
        source.mark = source.position
        if kind == "end_array":
            break
        item = _container(source, events, kind) if kind in ("start_map", "start_array") else _number(value)
        # lists are rows, too: their cells have numbers for names
        if isinstance(item, dict | list):
            yield number, item if isinstance(item, dict) else {str(at): one for at, one in enumerate(item)}
        else:
            yield number, Unreadable("not_an_object", item)
    for _ in events:  # the rest has to be well-formed as well
        source.mark = source.position


def _enter(source: _Source, events: Iterator[tuple[str, Any]], name: str) -> None:
    kind, _ = next(events)
    if kind != "start_map":
        raise NotThisFormat("file.items leads to no list")
    for kind, key in events:
        source.mark = source.position
        if kind == "end_map":
            raise NotThisFormat(f"file.items: there is no {name!r}")
        if key == name:
            return
        depth = 0
        for kind, _ in events:
            source.mark = source.position
            depth += (kind in ("start_map", "start_array")) - (kind in ("end_map", "end_array"))
            if depth == 0:
                break


def _container(source: _Source, events: Iterator[tuple[str, Any]], kind: str) -> Any:
    """The object or list that was just entered, built without recursion."""
    top: Any = {} if kind == "start_map" else []
    here, key = top, ""
    outer: list[tuple[Any, str]] = []
    values = 0
    for kind, value in events:
        if kind == "map_key":
            key = value
            continue
        if kind in ("end_map", "end_array"):
            if not outer:
                return top
            here, key = outer.pop()
            continue
        values += 1
        is_open = kind in ("start_map", "start_array")
        if is_open:
            value = {} if kind == "start_map" else []
        elif kind == "number":
            value = _number(value)
        if isinstance(here, dict):
            here[key] = value
        else:
            here.append(value)
        if is_open:
            outer.append((here, key))
            here = value
        if values > ITEM_VALUES or len(outer) >= DEPTH:
            what = f"more than {ITEM_VALUES} values" if values > ITEM_VALUES else f"{DEPTH} levels or more"
            raise NotThisFormat(f"an item before byte {source.position} has {what}")
    raise NotThisFormat(f"the file breaks off at byte {source.position}")


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
