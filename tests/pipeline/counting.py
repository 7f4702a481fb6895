"""The figures of a mart's row counted again in Python, from the judged rows behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

BEHAVIOUR = """
    select {period}, {owner}, has_intent, asked_clarifying, made_offer, has_next_step, {good}
    from evaluated.behaviour where ended_week = any(%s)
"""


def rows(sql: Any, table: str) -> list[dict[str, Any]]:
    """The rows of a table by column."""
    cursor = sql.execute(f"select * from {table}")
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def persons(sql: Any) -> dict[str | None, str]:
    """Whose each account is; ``None``, nobody's, is in it nowhere."""
    return dict(sql.execute("select manager_id, person_id from reference.people").fetchall())


def agrees_with_waits(row: dict[str, Any], waits: Sequence[Any]) -> None:
    """Each figure of the row from (outcome, seconds, business seconds, is first reply) of its waits."""
    counts = {name: sum(wait[0] == name for wait in waits) for name in
              ("in_target", "slow_reply", "no_reply", "window_expired", "not_required")}  # fmt: skip
    settled = sum(counts.values()) - counts["not_required"]
    assert {name: row[name] for name in counts} == counts
    assert row["waits_settled"] == settled
    _is_share(row["in_target_share"], counts["in_target"], settled)
    _is_share(row["no_reply_share"], counts["no_reply"] + counts["window_expired"], settled)
    answered = [wait for wait in waits if wait[0] in ("in_target", "slow_reply")]
    first = [wait for wait in answered if wait[3]]
    for prefix, group in (("reply", answered), ("first_reply", first)):
        for name, place in (("seconds", 1), ("business_seconds", 2)):
            for share_of in (50, 90):
                expected = percentile([wait[place] for wait in group if wait[place] is not None], share_of / 100)
                assert row[f"{prefix}_p{share_of}_{name}"] == pytest.approx(expected)


def agrees_with_behaviour(row: dict[str, Any], sessions: Sequence[Any]) -> None:
    """Each figure of the row from (intent, asked, offered, next step, good) of its judged sessions."""
    wanted = [session for session in sessions if session[0]]
    could_go_on = [session[3] for session in sessions if session[3] is not None]
    long_enough = [session[4] for session in sessions if session[4] is not None]
    expected = {
        "sessions_judged": len(sessions),
        "sessions_with_intent": len(wanted),
        "asked_clarifying": sum(session[1] for session in wanted),
        "made_offer": sum(session[2] for session in wanted),
        "next_step_judged": len(could_go_on),
        "has_next_step": could_go_on.count(True),
        "no_next_step": could_go_on.count(False),
        "good_judged": len(long_enough),
        "good": long_enough.count(True),
    }
    assert {name: row[name] for name in expected} == expected
    for name, eligible in (
        ("asked_clarifying", "sessions_with_intent"),
        ("made_offer", "sessions_with_intent"),
        ("has_next_step", "next_step_judged"),
        ("no_next_step", "next_step_judged"),
        ("good", "good_judged"),
    ):
        _is_share(row[f"{name}_share"], expected[name], expected[eligible])


def percentile(values: Iterable[int], share: float) -> float | None:
    """Linear interpolation between closest ranks (contract, section 6)."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _is_share(shown: Any, hits: int, eligible: int) -> None:
    if eligible:
        assert float(shown) == pytest.approx(hits / eligible, abs=1e-6)
    else:
        assert shown is None
