"""Intervals of shares: the contract's numbers, statsmodels and scipy as second opinions, and the oracle's equations."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.intervals import (
    Share,
    design_effect,
    discoveries,
    newcombe,
    newcombe_p,
    share_difference,
    share_of,
    wilson,
)
from tests.oracle import delta as oracle

shares = st.integers(1, 400).flatmap(
    lambda cases: st.builds(Share, st.integers(0, cases), st.just(cases), st.floats(1, 8))
)
clusters = st.lists(st.integers(0, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1).filter(
    lambda sessions: sum(n for _, n in sessions) > 0
)


@pytest.fixture(scope="module", autouse=True)
def _second_opinions() -> None:
    """Imported where they are asked, not by every process that collects tests: before an example's time is taken."""
    import scipy.stats  # noqa: F401
    import statsmodels.stats.multitest
    import statsmodels.stats.proportion  # noqa: F401


@pytest.mark.parametrize(
    ("now", "before", "points", "low", "high"),
    [
        ((2, 40), (10, 40), -20.0, -35.6, -4.2),
        ((30, 200), (52, 200), -11.0, -18.8, -3.1),
        ((6, 60), (12, 50), -14.0, -28.4, 0.0),
        ((3, 20), (7, 25), -13.0, -34.9, 12.1),
    ],
)
def test_the_contract_table_with_deff_1(
    now: tuple[int, int], before: tuple[int, int], points: float, low: float, high: float
) -> None:
    this, last = Share(*now), Share(*before)
    assert round(100 * share_difference(this, last), 1) == points
    assert tuple(round(100 * bound, 1) for bound in newcombe(this, last)) == (low, high)


def test_the_bound_of_the_third_row_to_two_digits() -> None:
    _, high = newcombe(Share(6, 60), Share(12, 50))
    assert round(100 * high, 2) == 0.04


@given(share=shares)
def test_wilson_is_statsmodels_with_effective_sizes(share: Share) -> None:
    from statsmodels.stats.proportion import proportion_confint

    theirs = proportion_confint(share.hits / share.deff, share.size, alpha=0.05, method="wilson")
    assert wilson(share) == pytest.approx(theirs, abs=1e-12)


@given(cases=st.integers(1, 3000), data=st.data())
def test_wilson_is_scipys_on_whole_sizes(cases: int, data: st.DataObject) -> None:
    from scipy.stats import binomtest

    hits = data.draw(st.integers(0, cases))
    theirs = binomtest(hits, cases).proportion_ci(0.95, method="wilson")
    assert wilson(Share(hits, cases)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(now=shares, before=shares)
def test_newcombe_is_statsmodels_with_effective_sizes(now: Share, before: Share) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    theirs = confint_proportions_2indep(
        now.hits / now.deff, now.size, before.hits / before.deff, before.size, method="newcomb", compare="diff"
    )
    assert newcombe(now, before) == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=60)
@given(now=shares, before=shares)
def test_newcombe_and_its_p_value_are_the_oracles(now: Share, before: Share) -> None:
    numbers = (now.value, now.size, before.value, before.size)
    assert newcombe(now, before) == pytest.approx(oracle.newcombe(*numbers, 0.05), abs=1e-9)
    assert newcombe_p(now, before) == pytest.approx(oracle.newcombe_p(*numbers), abs=1e-8)


@given(now=shares, before=shares)
def test_p_below_a_level_means_that_its_interval_excludes_0(now: Share, before: Share) -> None:
    low, high = newcombe(now, before)
    p = newcombe_p(now, before)
    if not math.isclose(p, 0.05, abs_tol=1e-9):
        assert (p < 0.05) == (low > 0 or high < 0)


@given(now=shares, before=shares)
def test_turning_the_weeks_round_turns_the_interval_round(now: Share, before: Share) -> None:
    low, high = newcombe(now, before)
    assert newcombe(before, now) == pytest.approx((-high, -low), abs=1e-12)
    assert newcombe_p(before, now) == pytest.approx(newcombe_p(now, before), abs=1e-9)
    assert low <= share_difference(now, before) <= high


def test_p_values_of_extreme_and_of_equal_weeks() -> None:
    assert newcombe_p(Share(1, 4), Share(10, 40)) == 1.0
    assert newcombe_p(Share(0, 7), Share(0, 9)) == 1.0
    assert 0 <= newcombe_p(Share(5000, 5000), Share(0, 5000)) < 1e-300
    assert newcombe(Share(0, 30), Share(0, 30))[0] < 0 < newcombe(Share(0, 30), Share(0, 30))[1]
    assert wilson(Share(0, 30))[0] == 0.0
    assert wilson(Share(30, 30))[1] == 1.0


# --- the design effect ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        pytest.param([(1, 1), (0, 1), (0, 1), (1, 1)], 4 / 3, id="single cases: k/(k-1), as the formula says"),
        pytest.param([(4, 4), (0, 4), (0, 4), (4, 4)], 16 / 3, id="whole sessions: 4 times that"),
        pytest.param([(1, 2)] * 30, 1.0, id="evenly spread hits are worth more than independent ones, never below 1"),
        pytest.param([(3, 9)], 1.0, id="one session: undefined"),
        pytest.param([(0, 5), (0, 7)], 1.0, id="share 0: undefined"),
        pytest.param([(5, 5), (7, 7)], 1.0, id="share 1: undefined"),
        # p = 4/10; deviations 3 - 2.0 = 1, 1 - 1.2 = -0.2, 0 - 0.8 = -0.8; 3/2 x (1 + 0.04 + 0.64)/100 / 0.024 = 1.05
        pytest.param([(3, 5), (1, 3), (0, 2)], 1.05, id="by hand"),
    ],
)
def test_design_effects(sessions: list[tuple[int, int]], expected: float) -> None:
    assert design_effect(sessions) == pytest.approx(expected, abs=1e-15)
    assert oracle.design_effect(sessions) == pytest.approx(expected, abs=1e-15)


@given(sessions=clusters)
def test_the_design_effect_is_the_oracles(sessions: list[tuple[int, int]]) -> None:
    found = share_of(sessions)
    assert found.deff == pytest.approx(oracle.design_effect(sessions), rel=1e-14)
    assert found.deff >= 1
    assert (found.hits, found.cases) == (sum(h for h, _ in sessions), sum(n for _, n in sessions))
    assert share_of([*sessions[::-1], (0, 0)]) == found


@pytest.mark.parametrize("sessions", [[(2, 1)], [(-1, 3)], [(1, 1), (4, 3)]])
def test_impossible_sessions_are_refused(sessions: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="more hits than cases"):
        share_of(sessions)


# --- many rows --------------------------------------------------------------------------------------------------------


@given(p_values=st.lists(st.floats(0, 1), max_size=60))
def test_discoveries_are_statsmodels_and_the_oracles(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    ours = discoveries(p_values)
    adjusted = multipletests(p_values, alpha=0.10, method="fdr_bh")[1] if p_values else np.array([])
    if not np.isclose(adjusted, 0.10, rtol=0, atol=1e-9).any():
        assert ours == (adjusted <= 0.10).tolist() == oracle.benjamini_hochberg([Fraction(p) for p in p_values])


@given(p_values=st.lists(st.integers(1, 1000).map(lambda n: n / 1000), min_size=1, max_size=300))
def test_discoveries_among_p_values_of_the_bootstrap_do_not_depend_on_rounding(p_values: list[float]) -> None:
    exact = [Fraction(round(p * 1000), 1000) for p in p_values]
    assert discoveries(p_values) == oracle.benjamini_hochberg(exact)


@pytest.mark.parametrize("m", [1, 10, 25, 50, 75, 100, 125, 150, 200, 500])
def test_a_p_value_on_its_stair_passes(m: int) -> None:
    """Each rank whose stair is a p value of the bootstrap; 0.068 x (25 / 17) is 0.10000000000000002 in floats."""
    for rank in range(1, m + 1):
        if rank * 100 % m == 0:
            stair = rank * 100 // m / 1000
            family = [stair] * rank + [1.0] * (m - rank)
            assert discoveries(family) == [True] * rank + [False] * (m - rank), rank
            above = [stair + 0.001] * rank + [1.0] * (m - rank)
            assert discoveries(above) == [False] * m, rank
