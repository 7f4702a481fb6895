"""Keeps secrets and personal data out of everything that is printed or logged.

Here: what counts as secret in a text and the one filter over all logging of the process. Not here: masking of texts for
people (a display question), encryption. The bodies of messages are kept out by never logging them; no pattern could
find those.

The filter is a log record factory, not a ``logging.Filter``: a filter on the root logger does not see the records of
child loggers, and one on each handler forgets the handlers that a library adds later.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

_MARK = "[redacted]"
_SHORTEST_SECRET = 6
"""Shorter values are not registered: hiding them would eat ordinary words and prove nothing."""

_hidden: set[str] = set()

_NAMES = (
    r"x-api-key|x-bot-token|x-auth-token|x-client-token|authorization|proxy-authorization|set-cookie|cookie"
    r"|api[_-]?key|bot[_-]?token|access[_-]?token|refresh[_-]?token|client[_-]?secret|token|secret|password|passwd|pwd"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # a header or a key: "X-API-KEY": "…", apiKey=…, Authorization: Bearer …, Cookie: a=b; c=d
    (
        re.compile(
            rf"""(?ix) (?<![a-z0-9]) ({_NAMES}) (["']?\s*[:=]\s*) (b?["'])? (?:(?:bearer|basic|token)\s+)?
            (?(3) [^"']* | (?: (?<=cookie:\s) [^\r\n]* | [^\s&,;"'<>)\]}}]+ ) )"""
        ),
        rf"\1\2\3{_MARK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,}"), rf"\1 {_MARK}"),
    # Telegram puts the token into the path
    (re.compile(r"/bot\d+:[A-Za-z0-9_-]+"), f"/bot{_MARK}"),
    # scheme://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+):[^\s/@]+@"), rf"\1:{_MARK}@"),
    (re.compile(r"(?i)[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
)
_DIGITS = re.compile(r"(?<![\w.:-])\d(?:[ -]?\d){12,18}(?![\w:-])")
_PHONE = re.compile(
    r"(?<![\w.:])(?:\+\d{10,15}(?!\d)|\+\d(?:[\s().-]*\d){9,14}|[78][\s(-]*\d{3}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2})(?![\w:]|[.-]\d)"
)


def hide(secret: str) -> None:
    """Register an exact value that must never be shown, whatever surrounds it."""
    if len(secret) >= _SHORTEST_SECRET:
        _hidden.add(secret)


def redact(text: str) -> str:
    """Return the text without secrets, phones, e-mails and card numbers.

    >>> redact("GET /api/v5/orders?apiKey=abc123&page=2")
    'GET /api/v5/orders?apiKey=[redacted]&page=2'
    >>> redact("called +7 (701) 123-45-67, card 4111 1111 1111 1111, order 1234567")
    'called [phone], card [card], order 1234567'
    """
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, _MARK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _DIGITS.sub(lambda match: "[card]" if _is_card(match[0]) else match[0], text)
    return _PHONE.sub("[phone]", text)


def redacted_traceback(error: BaseException) -> str:
    """The traceback as Python would print it, redacted."""
    return redact("".join(traceback.format_exception(error))).rstrip("\n")


def wordless_traceback(error: BaseException) -> str:
    """The traceback with kinds and places alone: what an error says may be a customer's words, which no rule knows."""
    lines, seen = [], set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = traceback.extract_tb(link.__traceback__)
        lines.append("".join(f"  {frame.name} ({frame.filename}:{frame.lineno})\n" for frame in frames))
        lines[-1] = f"{type(link).__name__} at (most recent call last)\n{lines[-1]}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "caused\n".join(reversed(lines)).rstrip("\n")


def install() -> None:
    """Redact every log record of this process, its traceback, and uncaught exceptions; safe to call twice."""
    factory = logging.getLogRecordFactory()
    if getattr(factory, "redacts", False):
        return
    logging.setLogRecordFactory(_redacting(factory))
    sys.excepthook = _print_redacted
    threading.excepthook = _print_redacted_in_thread


def _redacting(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            message = record.getMessage()
        except Exception:  # a wrong number of arguments must not stop the program, nor show them
            message = f"{record.msg} [arguments do not fit]"
        record.msg, record.args = redact(message), None
        if record.exc_info and record.exc_info[1] is not None:
            # formatters prefer a ready text over formatting the exception themselves
            record.exc_text = redacted_traceback(record.exc_info[1])
        return record

    factory.redacts = True  # type: ignore[attr-defined]
    return factory


def _print_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    print(redacted_traceback(error), file=sys.stderr)


def _print_redacted_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        print(redacted_traceback(args.exc_value), file=sys.stderr)


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
