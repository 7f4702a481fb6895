"""Which talks of a week a manager should look at (contract, section 5): a few that went wrong, and always a good one.

Here: the choice. Not here: where the candidates come from and where the examples are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Kind = Literal["no_reply", "slow_reply", "no_next_step", "good"]

ORDER: tuple[Kind, ...] = ("no_reply", "slow_reply", "no_next_step", "good")
LEAST, MOST = 3, 5
"""Examples per manager and week, where there are so many candidates."""


class Candidate(NamedTuple):
    """A wait or a session that could be shown."""

    kind: Kind
    session_id: str
    seconds: int | None = None
    """How long the customer waited; ``None`` where it is about no wait."""
    wait_id: str | None = None


def choose(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The examples of one manager and week, in the order in which they are shown.

    What went wrong comes first: unanswered, slow, without a next step, each longest first, ties by session. One place
    is kept for a good talk if there is any; good ones also fill up to three. No talk is shown twice.

    >>> [one.session_id for one in choose([Candidate("good", "b"), Candidate("good", "a"),
    ...                                    Candidate("slow_reply", "c", 60), Candidate("slow_reply", "d", 90)])]
    ['d', 'c', 'a']
    """
    by_session: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=_place):
        by_session.setdefault(candidate.session_id, candidate)
    good = [one for one in by_session.values() if one.kind == "good"]
    wrong = [one for one in by_session.values() if one.kind != "good"][: MOST - bool(good)]
    return wrong + good[: max(1, LEAST - len(wrong))]


def _place(candidate: Candidate) -> tuple[int, int, str, str]:
    return ORDER.index(candidate.kind), -(candidate.seconds or 0), candidate.session_id, candidate.wait_id or ""
