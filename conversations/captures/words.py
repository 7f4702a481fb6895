"""A bash command line cut into words, the way bash does it and without running anything.

Here: quotes (``'…'``, ``"…"``, ``$'…'``), line continuations, comments, ``;`` and line ends between commands. Not here:
what the words mean (``curl``). Everything that a shell would have to work out (variables, pipes, substitutions) is
refused, not guessed: no browser writes it.

``$'…'`` is decoded by its own rules (bash manual, ANSI-C quoting). ``unicode_escape`` is no substitute: it reads UTF-8
text as Latin-1 and makes mojibake of every Cyrillic letter. Browsers write ``\\uXXXX`` as JavaScript has it, in UTF-16
pairs; bytes (``\\xNN``, octal) are UTF-8 as in bash, and Latin-1 where they are none, as old Chrome meant them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conversations.captures.shapes import NotACapture

# possessive: without it the search remembers every escape of a text of megabytes
_DOUBLE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.S)
_ANSI = re.compile(r"[^'\\]*+(?:\\.[^'\\]*+)*+", re.S)
_PLAIN = re.compile(r"[^\s'\"\\$;#|&<>()`]+")
_ESCAPED = re.compile(r"\\.", re.S)
_DOUBLE_ESCAPE = re.compile(r'\\([$`"\\\n])')
MOST_WORDS = 10_000
"""In one command; a browser writes some dozens."""
_ESCAPE = re.compile(
    r"(?P<bytes>(?:\\x[0-9A-Fa-f]{1,2}|\\[0-7]{1,3})++)|(?P<units>(?:\\u[0-9A-Fa-f]{1,4})++)"
    r"|\\U(?P<point>[0-9A-Fa-f]{1,8})|\\c(?P<control>.)|\\(?P<letter>.)",
    re.S,
)
_LETTERS = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip


def commands(text: str) -> Iterator[list[str]]:
    r"""The commands of a text, each as its words; empty commands and comments are left out.

    >>> list(commands("curl 'a b' \\\n  -H $'x: \\u041f\\'' # note\ncurl \"q\\\"\" ;"))
    [['curl', 'a b', '-H', "x: П'"], ['curl', 'q"']]

    Raises:
        NotACapture: ``open_quote``, ``shell``, ``expansion``, ``control``, or ``large`` for endless words.
    """
    words: list[str] = []
    word: list[str] | None = None
    at, end = 0, len(text)
    while at < end:
        one = text[at]
        if one in " \t\r\n;":
            if word is not None:
                words.append("".join(word))
                word = None
                if len(words) > MOST_WORDS:
                    raise NotACapture("large")
            if one in "\n;" and words:
                yield words
                words = []
            at += 1
        elif one == "\\":
            following = text[at + 1 : at + 3]
            if following[:1] == "\n" or following == "\r\n":
                at += 2 + (following[:1] == "\r")
                continue
            # a continuation at the very end: the paste was cut after the line
            if following:
                word = _add(word, following[0])
            at += 2
        elif one == "#" and word is None:
            line_end = text.find("\n", at)
            at = end if line_end < 0 else line_end
        elif one in "'\"" or text.startswith("$'", at):
            piece, at = _quoted(text, at)
            word = _add(word, piece)
        elif one in "$`":
            raise NotACapture("expansion")
        elif one in "|&<>()":
            raise NotACapture("shell")
        else:
            found = _PLAIN.match(text, at)
            piece = found[0] if found else one
            word = _add(word, piece)
            at += len(piece)
    if word is not None:
        words.append("".join(word))
    if words:
        yield words


def _add(word: list[str] | None, piece: str) -> list[str]:
    word = [] if word is None else word
    word.append(piece)
    return word


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The text in the quotes that open at ``at``, and where it goes on after them."""
    if text[at] == "'":
        close = text.find("'", at + 1)
        if close < 0:
            raise NotACapture("open_quote")
        return text[at + 1 : close], close + 1
    is_ansi = text[at] == "$"
    start = at + 1 + is_ansi
    found = (_ANSI if is_ansi else _DOUBLE).match(text, start)
    assert found is not None
    close = found.end()
    if close >= len(text) or text[close] != ("'" if is_ansi else '"'):
        raise NotACapture("open_quote")
    if is_ansi:
        return ansi_c(found[0]), close + 1
    if not {"$", "`"}.isdisjoint(_ESCAPED.sub("", found[0])):
        raise NotACapture("expansion")
    return _DOUBLE_ESCAPE.sub(lambda escape: escape[1].replace("\n", ""), found[0]), close + 1


def ansi_c(quoted: str) -> str:
    r"""The meaning of what stands between ``$'`` and ``'``.

    >>> ansi_c(r"\u041f\u0440\u0438\u0432\u0435\u0442 \ud83d\ude00 \xd0\x9f \xe9 \101\n")
    'Привет 😀 П é A\n'

    Raises:
        NotACapture: ``control``: a NUL, which bash would cut the text at, or half a UTF-16 pair.
    """
    return _ESCAPE.sub(_meaning, quoted)


def _meaning(found: re.Match[str]) -> str:
    if found["letter"] is not None:
        # bash leaves the backslash before a letter that means nothing
        return _LETTERS.get(found["letter"], found[0])
    if found["units"] is not None:
        units = "".join(chr(int(one, 16)) for one in found["units"].split("\\u")[1:])
        try:
            meant = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise NotACapture("control") from None
    elif found["bytes"] is not None:
        numbers = (int(one[1:], 16) if one[0] == "x" else int(one, 8) & 255 for one in found["bytes"].split("\\")[1:])
        content = bytes(numbers)
        try:
            meant = content.decode("utf-8")
        except UnicodeDecodeError:
            meant = content.decode("latin-1")
    elif found["point"] is not None:
        point = int(found["point"], 16)
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            raise NotACapture("control")
        meant = chr(point)
    else:
        meant = chr(ord(found["control"].upper()) & 31)
    if "\0" in meant:
        raise NotACapture("control")
    return meant
