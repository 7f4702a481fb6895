r"""Streaming of Telegram Desktop's ``result.json``: chats and messages one by one, in memory that does not grow.

Here: bytes to units ``(chat header, message)`` for ``conversations.imports.telegram``, the repair of the writer's
escapes, limits. Not here: what a message means.

The writer is not a JSON writer by the book: control characters come as ``\xNN``, which JSON does not know. They become
``\u00NN``; an escaped backslash before an ``x`` stays what it is. Everything else has to be JSON.

Shapes: one chat (``{"name", "type", "id", "messages"}``), a whole account (``{"chats": {"list": [...]},
"left_chats": {"list": [...]}, ...}``), and files that hold ``messages`` alone. Contacts, sessions and the other
sections of a whole account are passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import IO, Any

from conversations.imports.survey import NotThisFormat
from conversations.imports.telegram import MOST_CHATS

HEADER = ("id", "type", "name")
"""Fields of a chat beside its messages."""
NAMELESS = ("saved_messages", "replies", "verify_codes")
"""Kinds of chats of which the writer says no name: nothing is to be looked for behind their messages."""
MESSAGE_BYTES = 16 * 1024 * 1024
"""No message is larger; Telegram's own limit of a text is some thousand characters."""
MESSAGE_VALUES = 200_000
DEPTH = 64
LONGEST_NUMBER = 4_000
"""Digits in a row, in a text as well: no message of Telegram is so long a number."""
BLOCK = 64 * 1024
_DIGITS = re.compile(rb"\d{%d}" % LONGEST_NUMBER)
_LAST_DIGITS = re.compile(rb"\d*\Z")
_BOM = b"\xef\xbb\xbf"
_PAIR = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)

OpenFile = Callable[[], AbstractContextManager[IO[bytes]]]
Event = tuple[str, Any]
Unit = tuple[Mapping[str, Any], Any]
Found = tuple[dict[str, Any], bool]


class Repaired:
    r"""A binary stream with ``\xNN`` written as JSON; counts what it has handed out and stops at oversized items.

    ``ended`` says that the file was read to its end, ``position`` how many of its bytes were read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held = self._digits = b""
        self.position = 0
        self.mark = 0
        """Where the current item begins; moved on by the reader."""
        self.ended = False

    def read(self, size: int = BLOCK) -> bytes:
        """The next block; empty only at the end (and when asked for nothing)."""
        if size == 0:
            return b""
        while not self.ended:
            block = self._file.read(max(size, 16))
            if self.position == 0 and block.startswith(_BOM):
                self.position, block = len(_BOM), block[len(_BOM) :]
            self.position += len(block)
            if self.position - self.mark > MESSAGE_BYTES:
                raise NotThisFormat(f"an item before byte {self.position} is larger than {MESSAGE_BYTES} bytes")
            self.ended = not block
            block, self._held = self._held + block, b""
            if not self.ended:
                cut = _open_escape(block)
                block, self._held = block[:cut], block[cut:]
            self._refuse_digits(block)
            if block:
                return _PAIR.sub(_as_json, block) if b"\\x" in block else block
        return b""

    def _refuse_digits(self, block: bytes) -> None:
        """Python refuses to make a number of so many digits, and the parser, in its middle, kills the process then."""
        whole = self._digits + block
        if _DIGITS.search(whole):
            raise NotThisFormat(f"an impossible number before byte {self.position}")
        last = _LAST_DIGITS.search(whole[-LONGEST_NUMBER:])
        self._digits = last.group() if last else b""


def _open_escape(block: bytes) -> int:
    r"""Where an escape begins that the end of the block may have cut; the length of the block if there is none."""
    at = block.rfind(b"\\", len(block) - 3 if len(block) > 3 else 0)
    if at < 0:
        return len(block)
    head = block[: at + 1]
    is_open = (len(head) - len(head.rstrip(b"\\"))) % 2 == 1
    rest = block[at + 1 :]
    return at if is_open and (not rest or rest[:1] == b"x") and len(rest) < 3 else len(block)


def _as_json(pair: re.Match[bytes]) -> bytes:
    digits = pair.group(1)
    return pair.group(0) if digits is None else b"\\u00" + digits


class TelegramJson:
    """The units of one file, which ``open_file`` opens anew for each look.

    A unit is ``(header, message)``: the header has ``ordinal`` (of the chat in the file, from 1), ``list`` (``chats``,
    ``left_chats``, or ``None`` for one chat) and, where the file has them, ``id``, ``type`` and ``name``, no matter
    whether they stand before or after the messages. A message is what stands in the array, normally an object.
    """

    def __init__(self, open_file: OpenFile) -> None:
        self._open = open_file
        self._headers: list[dict[str, Any]] | None = None

    def units(self) -> Iterator[Unit]:
        """All messages in the order of the file.

        Raises:
            NotThisFormat: no JSON (the text says near which byte), broken off, no Telegram export, or past a limit.
        """
        with self._open() as file:
            yield from self._guarded(Repaired(file), self._messages)

    def chats(self) -> list[dict[str, Any]]:
        """The headers of all chats of the file, also of those without a message."""
        if self._headers is None:
            with self._open() as file:
                self._headers = list(self._guarded(Repaired(file), self._only_headers))
        return self._headers

    def _guarded(self, source: Repaired, walk: Callable[[_Walk], Iterator[Any]]) -> Iterator[Any]:
        import ijson

        try:
            yield from walk(_Walk(source, ijson.basic_parse(source, buf_size=BLOCK)))
        except (ijson.JSONError, UnicodeDecodeError):
            # the parser's own text quotes the file
            raise NotThisFormat(_broken(source)) from None
        except (SystemError, ArithmeticError):
            # a number of thousands of digits, which the parser hands to Python and Python refuses
            raise NotThisFormat(f"an impossible number before byte {source.position}") from None

    def _messages(self, walk: _Walk) -> Iterator[Unit]:
        for header, has_messages in walk.chats():
            if not has_messages:
                continue
            if header.get("type") not in NAMELESS and any(field not in header for field in HEADER):
                header |= {key: value for key, value in self._late(header["ordinal"]).items() if key not in header}
            for message in walk.items():
                yield header, message

    def _late(self, ordinal: int) -> Mapping[str, Any]:
        """A header whose fields come after the messages, or are not there at all: known only from a look ahead."""
        known = self.chats()
        return known[ordinal - 1] if ordinal <= len(known) else {}

    def _only_headers(self, walk: _Walk) -> Iterator[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for header, has_messages in walk.chats():
            found[header["ordinal"]] = header
            if has_messages:
                walk.skip_items()
        yield from found.values()


class _Walk:
    """A cursor over the parser's events.

    ``chats`` yields ``(header, True)`` at every array of messages, and the caller has to read or pass over the array
    before it goes on; ``(header, False)`` is a chat without such an array.
    """

    def __init__(self, source: Repaired, events: Iterator[Event]) -> None:
        self._source = source
        self._events = events
        self._ordinal = 0

    def chats(self) -> Iterator[Found]:
        kind, _ = next(self._events)
        if kind != "start_map":
            raise NotThisFormat("the file is not a JSON object with messages or chats")
        yield from self._chat(None, is_top=True)
        for _ in self._events:  # the rest has to be well-formed as well
            pass
        if not self._ordinal:
            raise NotThisFormat("the file has neither messages nor chats")

    def _chat(self, list_name: str | None, is_top: bool = False) -> Iterator[Found]:
        """One object that holds messages; the outermost one may hold lists of chats instead."""
        header: dict[str, Any] = {}
        for key, kind, value in self._pairs():
            if key in HEADER and kind not in ("start_map", "start_array"):
                header[key] = _json(value)
            elif key == "messages" and kind == "start_array":
                self._number(header, list_name)
                yield header, True
            elif is_top and key in ("chats", "left_chats") and kind == "start_map":
                yield from self._list(key)
            else:
                self._skip(kind)
        if not is_top and "ordinal" not in header:
            self._number(header, list_name)
            yield header, False

    def _number(self, header: dict[str, Any], list_name: str | None) -> None:
        if "ordinal" not in header:
            self._ordinal += 1
            if self._ordinal > MOST_CHATS:
                raise NotThisFormat(f"more than {MOST_CHATS} chats")
            header |= {"ordinal": self._ordinal, "list": list_name}

    def _list(self, list_name: str) -> Iterator[Found]:
        for key, kind, _ in self._pairs():
            if key != "list" or kind != "start_array":
                self._skip(kind)
                continue
            for kind, _ in self._events:
                if kind == "end_array":
                    break
                if kind != "start_map":
                    raise NotThisFormat(f"an item of {list_name} is not a chat")
                yield from self._chat(list_name)

    def _pairs(self) -> Iterator[tuple[str, str, Any]]:
        """Key and first event of the value of each member of the object that was just entered."""
        for kind, key in self._events:
            self._source.mark = self._source.position
            if kind == "end_map":
                return
            kind, value = next(self._events)
            yield key, kind, value

    def _skip(self, kind: str) -> None:
        depth = 1 if kind in ("start_map", "start_array") else 0
        while depth:
            kind, _ = next(self._events)
            self._source.mark = self._source.position
            if kind in ("start_map", "start_array"):
                depth += 1
                if depth > DEPTH:
                    raise NotThisFormat(f"an item before byte {self._source.position} has more than {DEPTH} levels")
            elif kind in ("end_map", "end_array"):
                depth -= 1

    def skip_items(self) -> None:
        """Pass over the array that was just entered."""
        self._skip("start_array")

    def items(self) -> Iterator[Any]:
        """The values of the array that was just entered."""
        events, source = self._events, self._source
        for kind, value in events:
            if kind == "end_array":
                return
            if kind == "start_map" or kind == "start_array":
                yield self._container(kind)
            else:
                yield _json(value)
            source.mark = source.position

    def _container(self, kind: str) -> Any:
        """The object or array that was just entered, built without recursion."""
        outer: list[Any] = []
        top: Any = {} if kind == "start_map" else []
        here, keys, key = top, [], ""
        left = MESSAGE_VALUES
        for kind, value in self._events:
            if kind == "map_key":
                key = value
                continue
            if kind == "end_map" or kind == "end_array":
                if not outer:
                    return top
                here, key = outer.pop(), keys.pop()
                continue
            left -= 1
            if kind == "string":
                pass
            elif kind == "start_map" or kind == "start_array":
                value = {} if kind == "start_map" else []
            elif kind == "number":
                value = _json(value)
            if type(here) is dict:
                here[key] = value
            else:
                here.append(value)
            if kind == "start_map" or kind == "start_array":
                outer.append(here)
                keys.append(key)
                here = value
            if left < 0 or len(outer) > DEPTH:
                where = f"before byte {self._source.position}"
                what = f"more than {MESSAGE_VALUES} values" if left < 0 else f"more than {DEPTH} levels"
                raise NotThisFormat(f"an item {where} has {what}")
        raise NotThisFormat(_broken(self._source))


def _json(value: Any) -> Any:
    """A number as JSON can be stored again: fractions as floats, what no machine number holds as text.

    >>> _json(Decimal("51.125")), _json(Decimal("1e999")), _json(2**70)
    (51.125, '1E+999', '1180591620717411303424')
    """
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def _broken(source: Repaired) -> str:
    if source.ended:
        return f"the file breaks off at byte {source.position}"
    return f"the file is not JSON near byte {source.position}"
