"""Times of the chats page that come without a zone get that of the account (contract, section 0, rule 4).

Here: which fields of a node are times. Not here: reading nodes (``resources.sources.retailcrm_web``). Nobody knows
whether the page names a zone: where it does, nothing is touched. The vendor's own string is kept beside, as
``timeSaid`` for ``time``. An hour that a clock shows twice is taken for the first one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

FIELDS = frozenset({
    "time", "lastActivity", "createdAt", "closedAt", "updatedAt", "editedAt", "deletedAt", "assignedAt",
})  # fmt: skip
_DEEPEST = 6


def zoned(node: dict[str, Any], zone: ZoneInfo, _depth: int = 0) -> dict[str, Any]:
    """The node with an offset at every time that has none, also in the nodes inside it; the same one where all have.

    >>> zoned({"id": 1, "last": {"time": "2026-03-02 14:05:11"}}, ZoneInfo("Europe/Moscow"))["last"]
    {'time': '2026-03-02T14:05:11+03:00', 'timeSaid': '2026-03-02 14:05:11'}
    """
    changed: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, dict) and _depth < _DEEPEST:
            inner = zoned(value, zone, _depth + 1)
            if inner is not value:
                changed[name] = inner
        elif name in FIELDS and isinstance(value, str) and (at := _naive(value)) is not None:
            changed |= {name: at.replace(tzinfo=zone).isoformat(), f"{name}Said": value}
    return {**node, **changed} if changed else node


def _naive(said: str) -> datetime | None:
    """A date with a time and no zone."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo is None and len(said) > len("2026-03-02") else None
