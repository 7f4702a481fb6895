"""A cURL command as a browser copies it, understood as a request.

Here: the options that Chrome, Firefox and Safari write, and which other forms of copying these are not. Not here: shell
words (``words``), which requests are of use (``batch``).

The options are an allow-list: a command that wants a file of this machine, a proxy, an output or a second transfer is
refused by the option's name. Nothing of a command is ever executed or passed to a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from conversations.captures.shapes import NotACapture, Request
from conversations.captures.words import commands

_VALUED = {
    "-H": "header", "--header": "header", "-b": "cookie", "--cookie": "cookie", "-X": "method", "--request": "method",
    "-d": "data", "--data": "data", "--data-ascii": "data", "--data-binary": "data", "--data-raw": "raw",
    "--json": "json", "--url": "url", "-A": "user-agent", "--user-agent": "user-agent", "-e": "referer",
    "--referer": "referer", "-m": "", "--max-time": "", "--connect-timeout": "",
}  # fmt: skip
"""By option: what its value is; an empty meaning says that the replay decides it anew."""
_FLAGS = frozenset({
    "--compressed", "-k", "--insecure", "-s", "--silent", "-S", "--show-error", "-L", "--location", "-i", "--include",
    "-v", "--verbose", "-g", "--globoff", "-f", "--fail", "-N", "--no-buffer", "-0", "--http1.0", "--http1.1",
    "--http2", "--http3", "-4", "--ipv4", "-6", "--ipv6",
})  # fmt: skip
"""Without meaning for a replay. Certificates are checked whatever ``-k`` says."""

MOST_COMMANDS = 10_000
"""In one file: "Copy all as cURL" of a page gives hundreds."""
_POWERSHELL = re.compile(r"^\s*(?:\$\w+\s*=\s*New-Object\b|\$session\b|Invoke-(?:WebRequest|RestMethod)\b|iwr\b)", re.I)
_FETCH = re.compile(r"^\s*(?:await\s+)?fetch\s*\(")
_CMD = re.compile(r'^\s*curl(?:\.exe)?\s+(?:\^"|"[^"\n]*"\s*\^\s*\n|(?:[^\'"\n]*\^\r?\n))')
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


def requests_of(text: str) -> list[Request]:
    """The requests of a text that holds one or more cURL commands for bash.

    Raises:
        NotACapture: another form of copying (``cmd``, ``powershell``, ``fetch``), an option that is not for us, or no
            command at all; the codes are in ``shapes``.
    """
    text = text.lstrip("\ufeff")
    _recognise(text)
    found = [_request(words) for words in islice(commands(text), MOST_COMMANDS + 1)]
    if not found:
        raise NotACapture("empty")
    if len(found) > MOST_COMMANDS:
        raise NotACapture("large")
    return found


def _recognise(text: str) -> None:
    head = text[:100_000]
    if _POWERSHELL.match(head):
        raise NotACapture("powershell")
    if _FETCH.match(head):
        raise NotACapture("fetch")
    if _CMD.match(head):
        raise NotACapture("cmd")
    if head.lstrip()[:1] in ("{", "["):
        raise NotACapture("har_not_curl")


def _request(words: list[str]) -> Request:
    if words[0] != "curl":
        raise NotACapture("no_curl")
    urls: list[str] = []
    headers: list[tuple[str, str]] = []
    bodies: list[str] = []
    method = None
    for kind, value in _options(words[1:]):
        if kind == "url":
            urls.append(value)
        elif kind == "header":
            headers += _header(value)
        elif kind == "cookie":
            # without "=" curl takes it for the name of a file
            if "=" not in value:
                raise NotACapture("file", "-b")
            headers.append(("cookie", value))
        elif kind in ("user-agent", "referer"):
            headers.append((kind, value))
        elif kind == "method":
            method = value.upper()
        elif kind in ("data", "raw", "json"):
            if kind != "raw" and value.startswith("@"):
                raise NotACapture("file", "@")
            bodies.append(value)
    if len(urls) != 1:
        raise NotACapture("several_urls" if urls else "url")
    if len(bodies) > 1:
        raise NotACapture("several_bodies")
    body = bodies[0] if bodies else None
    return Request(method or ("GET" if body is None else "POST"), checked(urls[0]), tuple(headers), body)


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """What each word or option of a command means, with its value."""
    left = iter(words)
    for word in left:
        if word == "^":
            raise NotACapture("cmd")
        if not word.startswith("-") or word == "-":
            yield "url", word
            continue
        # -XPOST and -sSk are short options in one word
        name, at = (word, len(word)) if word.startswith("--") else (word[:2], 2)
        while name in _FLAGS and at < len(word):
            name, at = f"-{word[at]}", at + 1
        if name in _FLAGS:
            continue
        rest = word[at:]
        if name not in _VALUED:
            raise NotACapture("option", _shown(name))
        value = rest or next(left, None)
        if value is None:
            raise NotACapture("truncated", _shown(name))
        yield _VALUED[name], value


def _shown(name: str) -> str:
    """An option as a message may name it: what is glued to it stays out."""
    found = re.match(r"--?[\w.#:-]{0,40}", name.partition("=")[0], re.A)
    return found[0] if found else "-"


def _header(value: str) -> list[tuple[str, str]]:
    if value.startswith("@"):
        raise NotACapture("file", "-H")
    name, colon, content = value.partition(":")
    # "name;" is curl's way to send an empty header, "name:" to send none: neither is worth keeping
    if (not colon and value.endswith(";")) or (colon and not content.strip()):
        return []
    if not colon or not _NAME.fullmatch(name.strip()):
        raise NotACapture("header")
    return [(name.strip().lower(), content.strip())]


def checked(url: str) -> str:
    """The address, if it is one; that of a socket too: "Copy all as cURL" has them among the others.

    Raises:
        NotACapture: ``url``.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("https", "http", "wss", "ws") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isprintable() or " " in url:
        raise NotACapture("url")
    return url
