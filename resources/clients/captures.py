"""Files that people bring from the developer tools: cURL commands and HAR, opened with bounds on memory.

Here: bytes, encodings, the stream of JSON events. Not here: what a capture says (``conversations.captures``), storing.

A HAR of a long session is hundreds of megabytes, most of it pictures and scripts. It is read as a stream; of a text
longer than ``LONGEST_TEXT`` only the beginning goes on, so that memory does not grow with the file or with one entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from conversations.captures import ENDPOINT, Capture, Exchange, Gathering, NotACapture, exchanges_of, requests_of

LARGEST_CURL = 4 << 20
"""Bytes; one request has some kilobytes, all requests of a page a megabyte."""
LARGEST_HAR = 2 << 30
LONGEST_TEXT = 4 << 20
"""Bytes of one JSON text of a HAR that are looked at; a body of a batch has some kilobytes."""
DEEPEST = 64
"""Levels of nesting; what a browser writes has 8. Counted before the parser sees them: it names every level by the path
to it, and 64 KiB of brackets were 10 GiB of paths [measured]."""
_CHUNK = 1 << 16
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def of_curl_files(paths: Iterable[Path]) -> Capture:
    """What the cURL commands of one or more files hold together; of two sessions the one given last counts.

    Among several commands ("Copy all as cURL" gives everything that the page asked) those to other places are passed
    over; a file that holds none of ours is refused.

    Raises:
        NotACapture: the codes are in ``conversations.captures.shapes``.
        OSError: a file cannot be read.
    """
    gathering = Gathering()
    for path in paths:
        refused: list[NotACapture] = []
        requests = requests_of(_text(path))
        for request in requests:
            if other := _add(gathering, Exchange(request)):
                refused.append(other)
        if len(refused) == len(requests):
            # what was meant and is unusable says more than a request to elsewhere
            raise next((one for one in refused if one.code != "not_batch"), refused[0])
    return gathering.capture()


def of_har_file(path: Path) -> Capture:
    """What a HAR file holds.

    Raises:
        NotACapture: the codes are in ``conversations.captures.shapes``; ``truncated`` names the byte.
        OSError: the file cannot be read.
    """
    import ijson

    gathering = Gathering()
    with path.open("rb") as file:
        _refuse_size(path, LARGEST_HAR)
        bounded = BoundedJson(file)
        try:
            for exchange in exchanges_of(ijson.parse(bounded, use_float=True, buf_size=_CHUNK), ENDPOINT):
                _add(gathering, exchange)
        except ijson.IncompleteJSONError:
            raise NotACapture("truncated" if bounded.is_at_end else "json", str(bounded.read_bytes)) from None
        except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
            if isinstance(error, NotACapture):
                raise
            raise NotACapture("json", str(bounded.read_bytes)) from None
    return gathering.capture()


def _add(gathering: Gathering, exchange: Exchange) -> NotACapture | None:
    """Take an exchange, or say why it is passed over: what the page asks elsewhere, or at the same path in another way,
    is not ours to judge."""
    try:
        gathering.add(exchange)
    except NotACapture as refused:
        if refused.code not in ("not_batch", "body", "large"):
            raise
        return refused
    return None


def _text(path: Path) -> str:
    _refuse_size(path, LARGEST_CURL)
    with path.open("rb") as file:
        content = file.read(LARGEST_CURL + 1)
    _refuse_packed(content)
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise NotACapture("encoding") from None
    if "\0" in text:
        raise NotACapture("encoding")
    return text


def _refuse_size(path: Path, largest: int) -> None:
    if path.stat().st_size > largest:
        raise NotACapture("large")


def _refuse_packed(head: bytes) -> None:
    if head.startswith(_PACKED):
        raise NotACapture("compressed")


class BoundedJson:
    """A JSON file as a reader that gives out no text longer than ``LONGEST_TEXT``, no endless number, no deep nesting.

    It knows texts from the rest by quotes and backslashes and nothing else: what is no JSON stays none.
    """

    def __init__(self, file: IO[bytes], longest: int = LONGEST_TEXT) -> None:
        self._file, self._longest = file, longest
        self._held = b""
        self._is_text = False
        self._length = self._depth = 0
        self.read_bytes = 0
        self.is_at_end = False

    def read(self, size: int = -1) -> bytes:
        """The next piece, at most ``size`` bytes and never empty before the end; without a size nothing is read."""
        if size == 0:
            return b""
        while not self.is_at_end:
            chunk = self._file.read(_CHUNK)
            if self.read_bytes == 0:
                chunk = self._begin(chunk)
            self.read_bytes += len(chunk)
            self.is_at_end = not chunk
            if given := self._bounded(chunk):
                return given
        return b""

    def _begin(self, chunk: bytes) -> bytes:
        _refuse_packed(chunk)
        if chunk.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in chunk[:4]:
            raise NotACapture("encoding")
        if not chunk.strip():
            raise NotACapture("empty")
        chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if chunk.lstrip()[:5].lower() == b"curl ":
            raise NotACapture("curl_not_har")
        return chunk

    def _bounded(self, chunk: bytes) -> bytes:
        """The piece without what is too long; an escape or letter that the piece cuts waits for the next one."""
        piece = self._held + chunk
        cut = len(piece) if not chunk else _whole(piece)
        piece, self._held = piece[:cut], piece[cut:]
        given: list[bytes] = []
        at = 0
        while at < len(piece):
            if not self._is_text:
                quote = piece.find(b'"', at)
                end = len(piece) if quote < 0 else quote + 1
                given.append(piece[at:end])
                self._look(given[-1])
                self._is_text, self._length, at = quote >= 0, 0, end
                continue
            found = _INSIDE.match(piece, at)
            assert found is not None
            end = found.end()
            if end == at:
                # a backslash at the very end of the file, or the closing quote
                self._is_text = piece[at : at + 1] != b'"'
                given.append(piece[at : at + 1])
                at += 1
                continue
            if self._length <= self._longest:
                given.append(found[0])
            self._length += end - at
            at = end
        return b"".join(given)

    def _look(self, between: bytes) -> None:
        """Refuse what no text is: too deep, or without an end."""
        if _ENDLESS.search(between):
            raise NotACapture("json", str(self.read_bytes))
        opened = between.count(b"{") + between.count(b"[")
        if self._depth + opened > DEEPEST:
            depth = self._depth
            for bracket in re.findall(rb"[\[\]{}]", between):
                depth += 1 if bracket in b"[{" else -1
                if depth > DEEPEST:
                    raise NotACapture("deep")
        self._depth += opened - between.count(b"}") - between.count(b"]")


_INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.S)
_ENDLESS = re.compile(rb'[^\s\[\]{}:,"]{1025}')


def _whole(piece: bytes) -> int:
    """Up to where the piece can be given out without cutting an escape or a UTF-8 letter."""
    end = len(piece)
    # the letter: at most three bytes wait for their last one
    for back in range(1, min(4, end) + 1):
        byte = piece[end - back]
        if byte & 0xC0 != 0x80:
            needs = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            if back < needs:
                end -= back
            break
    # the escape: \ alone, or \u with fewer than four digits
    slash = piece.rfind(b"\\", max(0, end - 6), end)
    if slash >= 0:
        run = slash
        while run > 0 and piece[run - 1 : run] == b"\\":
            run -= 1
        is_escaping = (slash - run) % 2 == 0
        length = 6 if piece[slash + 1 : slash + 2] == b"u" else 2
        if is_escaping and end - slash < length:
            end = slash
    return end
