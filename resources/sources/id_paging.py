"""Reads a list that is paged by id bounds completely, whatever order the server has and however it reads the bounds.

Here: which bounds to ask for next, as a pure state machine. Not here: HTTP, payloads.

The state is a list of *gaps*: open intervals of ids from which rows may still be missing. It begins as one gap without
bounds. Every page of a gap splits it into what lies below and above the page; an answer without a new id closes it.
One thing is learned from the answers to save a call per page: a page asked for without a lower bound that is sorted
downwards holds the *newest* rows of its gap, so nothing can be missing above it; sorted upwards, nothing below it. A
page asked for with a lower bound proves nothing: some servers then count from the bound and still sort downwards.

Ids rise with time, so rows that arrive during reading lie above everything seen; the uppermost gap is therefore asked
last, and only an answer without a new id ends the reading. "The page was shorter than the limit" is never used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_PROOF = 8
"""Rows of a page from which its order counts as the server's: fewer may look sorted by chance."""
_PATIENCE = 4
"""Repeated calls for a gap that was answered only with rows from outside of it, before it is called a loop."""


class Gap(NamedTuple):
    """An open interval of ids; ``None`` is no bound."""

    low: int | None
    high: int | None

    def holds(self, number: int) -> bool:
        return (self.low is None or number > self.low) and (self.high is None or number < self.high)

    @property
    def is_empty(self) -> bool:
        return self.low is not None and self.high is not None and self.high - self.low <= 1


_NONE = Gap(0, 0)


class Stuck(Exception):
    """The server answers with rows from outside of what was asked, again and again."""


@dataclass
class IdPaging:
    """Where reading stands. ``next_gap`` is asked, ``answered`` is told the ids of the answer in their order.

    >>> paging = IdPaging()
    >>> paging.next_gap
    Gap(low=None, high=None)
    >>> paging.answered([12, 11, 10, 9, 8, 7, 6, 5]); paging.next_gap
    Gap(low=None, high=5)
    >>> paging.answered([]); paging.next_gap
    Gap(low=12, high=None)
    >>> paging.answered([]); paging.next_gap is None
    True
    """

    gaps: list[Gap]
    strayed: int = 0

    def __init__(self, gaps: Sequence[Gap] = (Gap(None, None),), strayed: int = 0) -> None:
        self.gaps = list(gaps)
        self.strayed = strayed

    @classmethod
    def from_cursor(cls, cursor: Mapping[str, Any] | None) -> IdPaging:
        """Where a stored cursor stands; ``None``: at the start."""
        if cursor is None:
            return cls()
        return cls([Gap(low, high) for low, high in cursor["gaps"]])

    @property
    def cursor(self) -> dict[str, Any] | None:
        """The position as a JSON object, ``None`` when everything has been read."""
        return {"gaps": [[gap.low, gap.high] for gap in self.gaps]} if self.gaps else None

    @property
    def next_gap(self) -> Gap | None:
        """The gap to ask for, ``None`` when everything has been read."""
        return self.gaps[-1] if self.gaps else None

    def answered(self, ids: Sequence[int]) -> None:
        """Note the ids of the answer to ``next_gap``.

        Raises:
            Stuck: only rows from outside of the gap, again and again: the server ignores the bounds or repeats itself.
        """
        gap = self.gaps[-1]
        fresh = [number for number in ids if gap.holds(number)]
        if not fresh:
            self._close_or_doubt(gap, ids)
            return
        self.strayed = 0
        self.gaps.pop()
        below, above = Gap(gap.low, min(fresh)), Gap(max(fresh), gap.high)
        if gap.low is None and len(fresh) >= _PROOF:
            if fresh == sorted(fresh, reverse=True) and gap.high is not None:
                above = _NONE
            elif fresh == sorted(fresh):
                below = _NONE
        # the lower gap is asked first: the uppermost must come last
        self.gaps += [rest for rest in (above, below) if not rest.is_empty]

    def _close_or_doubt(self, gap: Gap, ids: Sequence[int]) -> None:
        # inclusive servers answer the last question with the bounds themselves
        if all(number in gap for number in ids):
            self.strayed = 0
            self.gaps.pop()
            return
        self.strayed += 1
        if self.strayed > _PATIENCE:
            raise Stuck
