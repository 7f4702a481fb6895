"""What a table is handed over as: numbered rows, and rows that could not even be split into cells.

Here: the shapes, and any cell as JSON. Not here: who makes them (``resources.imports.tables``), what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

LARGEST_WHOLE = 2**63 - 1
"""Larger whole numbers are kept as text: the JSON of the raw tables has 64 bits."""


class Unreadable(NamedTuple):
    """A row that is there and cannot be split into cells."""

    problem: str
    """Reason code: ``bad_quotes``, ``wrong_cells``, ``bad_json``, ``too_deep``, ``not_an_object``."""
    original: Any
    """As it stands in the file; JSON values only."""


TableUnit: TypeAlias = tuple[int, "Mapping[str, Any] | Unreadable"]
"""Position in the file (line, row or item, from 1) and the row: column to cell, or a JSON object."""

_PLAIN = 10**18
LINE = "line"
"""The only column of a log's unit."""


def as_json(value: Any) -> Any:
    """A cell of any library as a JSON value: times as ISO 8601, what JSON lacks as text; nothing is rounded.

    >>> as_json({"at": datetime(2026, 3, 1, 9), "sum": Decimal("1.10"), "part": float("nan"), "id": 2**70})
    {'at': '2026-03-01T09:00:00', 'sum': '1.10', 'part': 'nan', 'id': '1180591620717411303424'}
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_WHOLE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def as_text(value: Any) -> str | None:
    """A cell as the text that people see in it; ``None`` for an empty cell. Whole numbers have no ``.0``.

    >>> as_text(5.0), as_text(Decimal("7")), as_text(True), as_text("  "), as_text(None)
    ('5', '7', 'true', None, None)
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        # a decimal may have an exponent of a million: it is not written out
        is_number = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
        if not is_number:
            return None
        return str(int(value)) if abs(value) < _PLAIN and value == int(value) else str(value)
    found = as_json(value)
    return (found if isinstance(found, str) else str(found)) or None
