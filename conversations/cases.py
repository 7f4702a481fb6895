"""What a wait or a session contributes to each compared metric: the cases behind ``conversations.delta``.

Here: which metrics count a case, and as what. Not here: which wait belongs to which manager, channel and week (the
marts), what is made of the cases (``conversations.delta``). The same rules stand in SQL in the marts; a check of each
publication holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterator

Case = tuple[str, int]
"""Name of the metric; 1 (hit) or 0 for a share, whole seconds for a percentile."""

ANSWERED = ("in_target", "slow_reply")
UNANSWERED = ("no_reply", "window_expired")
SETTLED = (*ANSWERED, *UNANSWERED)
"""Outcomes that shares count (invariant 1); not_required and bot_handled are outside."""


def cases_of_wait(
    wait_kind: str, outcome: str, is_first_reply: bool, seconds: int | None, business_seconds: int | None
) -> Iterator[Case]:
    """The cases of one settled wait in one view; a wait of another kind than message and missed_call has none.

    Args:
        outcome, seconds, business_seconds: of the customer's view for a channel, of the manager's for a manager.
        business_seconds: ``None`` without a calendar: no case of the percentiles in working time.

    >>> dict(cases_of_wait("message", "slow_reply", False, 4000, 2400))["reply_p50_business_seconds"]
    2400
    """
    if outcome not in SETTLED:
        return
    if wait_kind == "missed_call":
        yield "missed_calls_in_target_share", int(outcome == "in_target")
        return
    if wait_kind != "message":
        return
    yield "in_target_share", int(outcome == "in_target")
    yield "slow_reply_share", int(outcome == "slow_reply")
    yield "no_reply_share", int(outcome in UNANSWERED)
    if outcome in UNANSWERED:
        return
    for clock, value in (("business_seconds", business_seconds), ("seconds", seconds)):
        if value is not None:
            yield f"reply_p50_{clock}", value
            if is_first_reply:
                yield f"first_reply_p50_{clock}", value


def cases_of_session(
    asked_clarifying: bool | None, made_offer: bool | None, has_next_step: bool | None, is_good: bool | None
) -> Iterator[Case]:
    """The cases of one judged session; ``is_good`` in the row's view. ``None``: not eligible (contract, section 5).

    >>> sorted(cases_of_session(None, None, None, True))
    [('good_share', 1)]
    """
    if asked_clarifying is not None:
        yield "asked_clarifying_share", int(asked_clarifying)
    if made_offer is not None:
        yield "made_offer_share", int(made_offer)
    if has_next_step is not None:
        yield "has_next_step_share", int(has_next_step)
        yield "no_next_step_share", int(not has_next_step)
    if is_good is not None:
        yield "good_share", int(is_good)
