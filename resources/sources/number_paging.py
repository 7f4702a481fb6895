"""Reads a list that is paged by page number completely, although rows shift between pages while it is read.

Here: which page to ask for next, as a pure state machine. Not here: HTTP, payloads.

A row that appears during reading pushes the last row of a page to the next one (seen twice, harmless). A row that
disappears pulls the first row of the next page forward: it would be missed. The total that the vendor sends with every
page gives it away: when it changed between two pages, or fewer rows came than it says, the list is read once more from
page 1, at most twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PASSES = 3
_PATIENCE = 4
"""Repeated calls for a page in whose place another one came, before it is called a loop."""
_MOST_PAGES = 1_000_000
"""A list that grows faster than it is read ends here instead of never."""


@dataclass
class NumberPaging:
    """Where reading stands. ``next_number`` is asked, ``answered`` is told what came.

    >>> paging = NumberPaging()
    >>> paging.next_number
    1
    >>> paging.answered(1, 2, 3, ["9", "8"]); paging.next_number
    2
    >>> paging.answered(2, 2, 3, ["7"]); paging.next_number is None
    True
    """

    next_number: int | None = 1
    passes: int = 1
    total: int | None = None
    has_shifted: bool = False
    last_ids: Sequence[str] = ()
    strayed: int = 0
    seen: set[str] | None = field(default_factory=set)
    """Ids of this pass; ``None`` after a resumption, when the rows before are not known any more."""

    @classmethod
    def from_cursor(cls, cursor: Mapping[str, Any] | None) -> NumberPaging:
        """Where a stored cursor stands; ``None``: at the start."""
        if cursor is None:
            return cls()
        return cls(
            cursor["page"], cursor["pass"], cursor["total"], cursor["has_shifted"], cursor["last_ids"], seen=None
        )

    @property
    def cursor(self) -> dict[str, Any] | None:
        """The position as a JSON object, ``None`` when everything has been read."""
        if self.next_number is None:
            return None
        return {
            "page": self.next_number,
            "pass": self.passes,
            "total": self.total,
            "has_shifted": self.has_shifted,
            "last_ids": list(self.last_ids),
        }

    def answered(self, number: int, pages: int, total: int, ids: Sequence[str]) -> None:
        """Note the answer to ``next_number``: the page number, page count and total it bears, and its ids.

        Raises:
            ValueError: paging stands still or goes backwards, again and again; the text says how.
        """
        asked = self.next_number or 1
        is_past_end = pages < asked
        if not is_past_end and (number != asked or (ids and list(ids) == list(self.last_ids))):
            self.strayed += 1
            if self.strayed > _PATIENCE:
                raise ValueError(f"keeps answering with another page ({number}) when page {asked} is asked for")
            return
        self.strayed = 0
        if asked >= _MOST_PAGES:
            raise ValueError(f"does not end after {_MOST_PAGES} pages")
        if self.total is not None and total != self.total:
            self.has_shifted = True
        self.total, self.last_ids = total, list(ids)
        if self.seen is not None:
            self.seen.update(ids)
        if ids and asked < pages:
            self.next_number = asked + 1
            return
        has_missed = self.has_shifted or (self.seen is not None and len(self.seen) < total)
        if has_missed and self.passes < _PASSES:
            self.next_number, self.passes, self.has_shifted = 1, self.passes + 1, False
            self.last_ids, self.seen = (), set()
        else:
            self.next_number = None
