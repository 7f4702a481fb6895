"""Small readers of JSON objects that refuse what they do not understand by a reason code.

Here: helpers that every parser of API payloads shares. Not here: any vendor's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


class Odd(Exception):
    """A row that cannot be understood; ``reason`` is its code, and nothing of its content is kept here."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def mapping(payload: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An object that must be there."""
    value = payload.get(field)
    if not isinstance(value, dict):
        raise Odd("missing_field")
    return value


def text(payload: Mapping[str, Any], field: str) -> str:
    """A text that must be there and not be empty."""
    value = payload.get(field)
    if not isinstance(value, str) or not value:
        raise Odd("missing_field")
    return value


def optional_text(payload: Mapping[str, Any], field: str) -> str | None:
    """A text, ``None`` where it is absent, empty or something else."""
    value = payload.get(field)
    return value if isinstance(value, str) and value else None


def identifier(payload: Mapping[str, Any], field: str) -> str:
    """An id as text, whether the vendor sends a whole number or a text; never through a float.

    >>> identifier({"id": 5123}, "id"), identifier({"id": "7141C"}, "id")
    ('5123', '7141C')
    """
    value = payload.get(field)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Odd("missing_field")
    return str(value)


def boolean(payload: Mapping[str, Any], field: str) -> bool:
    """A truth value that must be there."""
    value = payload.get(field)
    if not isinstance(value, bool):
        raise Odd("missing_field")
    return value


def flag_of(payload: Mapping[str, Any], field: str) -> bool:
    """Whether a truth value is there and true."""
    return payload.get(field) is True


def instant(payload: Mapping[str, Any], field: str) -> datetime | None:
    """An instant in UTC with 0 to 6 fraction digits; ``None`` where it is absent, unreadable or has no zone.

    >>> instant({"time": "2026-03-02T14:05:11.5+03:00"}, "time").isoformat()
    '2026-03-02T11:05:11.500000+00:00'
    """
    try:
        found = datetime.fromisoformat(payload[field])
    except (KeyError, TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
