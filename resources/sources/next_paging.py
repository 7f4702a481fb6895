"""Reads a list whose pages name the next one, completely, although rows shift between pages while it is read.

Here: which page to ask for next, as a pure state machine. Not here: HTTP, payloads.

Such a list says neither its length nor its order. A row of an earlier page that comes again shows that the list has
moved: it is read once more from page 1, at most twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PASSES = 3
_PATIENCE = 4
"""Repeated calls for a page in whose place another one came, before it is called a loop."""
_MOST_PAGES = 10_000


@dataclass
class NextPaging:
    """Where reading stands. ``number`` is asked, ``answered`` is told what came.

    >>> paging = NextPaging()
    >>> paging.answered(["9", "8"], 2), paging.number
    (True, 2)
    >>> paging.answered(["7"], None), paging.number
    (True, None)
    """

    number: int | None = 1
    passes: int = 1
    last: str = ""
    """What the page before held, as a hash."""
    strayed: int = 0
    pages: int = 0
    has_shifted: bool = False
    seen: set[str] = field(default_factory=set)
    """Ids of this pass, as far as this run has read it."""

    @classmethod
    def from_cursor(cls, cursor: Mapping[str, Any]) -> NextPaging:
        """Where a stored cursor stands."""
        return cls(cursor["page"], cursor["pass"], cursor["last"], has_shifted=cursor["has_shifted"])

    @property
    def cursor(self) -> dict[str, Any]:
        """The position as a JSON object."""
        return {"page": self.number, "pass": self.passes, "last": self.last, "has_shifted": self.has_shifted}

    def answered(self, ids: Sequence[str], following: int | None) -> bool:
        """Note the answer to ``number``: its ids and the page it names as the next; whether it was that page.

        Raises:
            ValueError: paging stands still or goes backwards, again and again; the text says how.
        """
        asked = self.number or 1
        held = hashlib.sha256(",".join(sorted(set(ids))).encode()).hexdigest()[:16] if ids else ""
        if (ids and held == self.last) or (following is not None and following <= asked):
            self.strayed += 1
            if self.strayed > _PATIENCE:
                raise ValueError(f"keeps answering with another page when page {asked} is asked for")
            return False
        self.strayed, self.last = 0, held
        self.pages += 1
        if self.pages >= _MOST_PAGES:
            raise ValueError(f"does not end after {_MOST_PAGES} pages")
        self.has_shifted = self.has_shifted or not self.seen.isdisjoint(ids)
        self.seen.update(ids)
        if following is not None:
            self.number = following
        elif self.has_shifted and self.passes < _PASSES:
            self.number, self.passes, self.last, self.has_shifted = 1, self.passes + 1, "", False
            self.seen = set()
        else:
            self.number = None
        return True
