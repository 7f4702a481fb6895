"""How long a vendor asked us to stay away, in whatever way it says so.

Here: the headers. Not here: the waiting (``http``).

``Retry-After`` comes as seconds or as an HTTP date (RFC 9110, 10.2.3). A date is compared with the answer's own
``Date`` header where there is one: our clock may be hours off, the vendor's two headers are not. Some vendors use names
of their own: ``X-RateLimit-Retry`` (seconds), ``X-RateLimit-Reset`` and ``RateLimit-Reset`` (seconds, or the moment as
epoch seconds).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_WAITS = ("Retry-After", "X-RateLimit-Retry", "X-RateLimit-Retry-After", "X-Retry-After")
_RESETS = ("X-RateLimit-Reset", "RateLimit-Reset")
_REMAINING = ("X-RateLimit-Remaining", "RateLimit-Remaining")
_EPOCH = 1_000_000_000
"""A number from here on is a moment, not a duration: nobody asks for thirty years."""


def seconds(headers: Mapping[str, str]) -> float | None:
    """Return the longest wait that a refused call names, ``None`` when it names none.

    >>> seconds({"Retry-After": "7"})
    7.0
    >>> seconds({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:27:30 GMT"})
    30.0
    """
    waits = [_wait(headers, name) for name in (*_WAITS, *_RESETS)]
    return max((wait for wait in waits if wait is not None), default=None)


def seconds_until_reset(headers: Mapping[str, str]) -> float | None:
    """Return the wait before the next call when a good answer says that it was the last one allowed.

    >>> seconds_until_reset({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3"})
    3.0
    >>> seconds_until_reset({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "3"})
    """
    if not any(str(headers.get(name, "")).strip() == "0" for name in _REMAINING):
        return None
    return seconds(headers)


def _wait(headers: Mapping[str, str], name: str) -> float | None:
    text = str(headers.get(name) or "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
        return None if moment is None else max(moment - _now(headers), 0.0)
    if not math.isfinite(number) or number < 0:
        return None
    return max(number - _now(headers), 0.0) if number >= _EPOCH else number


def _now(headers: Mapping[str, str]) -> float:
    """The vendor's clock as epoch seconds, rounded down as the header is: the wait can only come out longer."""
    moment = _moment(str(headers.get("Date") or ""))
    # a second off our own clock stands for the rounding of the date that it is compared with
    return moment if moment is not None else time.time() - 1.0


def _moment(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() if isinstance(moment, datetime) else None
