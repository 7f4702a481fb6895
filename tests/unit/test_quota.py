"""Turns within a window of time, with a clock of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resources.clients.quota import Quota


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


def test_turn_is_free_again_a_window_after_its_answer() -> None:
    clock = Clock()
    quota = Quota(2, 60.0, clock)
    assert quota.take() == 0.0
    clock.now += 10
    quota.answered()
    assert quota.take() == 0.0
    clock.now += 5
    assert quota.take() == 55.0, "the first was answered at 510 and it is 515"
    quota.answered()
    clock.now += 54
    assert quota.take() == 1.0
    clock.now += 1
    assert quota.take() == 0.0


def test_all_turns_under_way_is_a_short_wait() -> None:
    quota = Quota(1, 60.0, Clock())
    assert quota.take() == 0.0
    assert 0 < quota.take() < 1


@given(
    limit=st.integers(1, 5),
    calls=st.lists(st.tuples(st.floats(0, 30), st.floats(0, 20), st.floats(0, 20)), min_size=1, max_size=40),
)
def test_no_window_of_the_vendor_holds_more(limit: int, calls: list[tuple[float, float, float]]) -> None:
    """The vendor counts arrivals, at any moment between sending and answer."""
    clock = Clock()
    quota = Quota(limit, 60.0, clock)
    arrivals: list[float] = []
    for idle, there, back in calls:
        clock.now += idle
        while pause := quota.take():
            clock.now += pause
        clock.now += there
        arrivals.append(clock.now)
        clock.now += back
        quota.answered()
    for first, over in zip(arrivals, arrivals[limit:], strict=False):
        # the clock adds up floats
        assert over - first >= 60.0 - 1e-6
