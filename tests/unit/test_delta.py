"""The nine states of a weekly delta: the contract's table, ruling 13's order, each boundary, the practical sizes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from conversations.delta import (
    WITH_ARROW,
    WITH_DELTA,
    Delta,
    DeltaStatus,
    Week,
    channel_has_row,
    delta,
    headlines,
    is_practical,
    manager_has_row,
)
from conversations.metrics import METRICS, Kind, Metric, metric
from tests.unit.weeks import P50, SCORE, SHARE, medians, scores, shares, single, spread, week


def points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def compare(now: Week, before: Week | None, by: Metric = SHARE) -> Delta:
    return delta(by, "anna", "2026-W47", "1", now, before)


# --- the contract's table ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "before", "percent", "change", "status"),
    [
        ((2, 40), (10, 40), (5.0, 25.0), (-20.0, -35.6, -4.2), "improved"),
        ((30, 200), (52, 200), (15.0, 26.0), (-11.0, -18.8, -3.1), "improved"),
        ((6, 60), (12, 50), (10.0, 24.0), (-14.0, -28.4, 0.0), "no_change_detected"),
        ((3, 20), (7, 25), (15.0, 28.0), (-13.0, -34.9, 12.1), "no_change_detected"),
        ((1, 9), (5, 30), (11.1, 16.7), (None, None, None), "low_sample"),
        ((4, 25), None, (16.0, None), (None, None, None), "no_previous_week"),
    ],
)
def test_the_contract_table(
    now: tuple[int, int],
    before: tuple[int, int] | None,
    percent: tuple[float, float | None],
    change: tuple[float | None, ...],
    status: str,
) -> None:
    row = shares(now, before)
    assert row.status == status
    assert (points(row.value), points(row.previous_value)) == percent
    assert (row.n, row.previous_n) == (now[1], before and before[1])
    assert (points(row.delta), points(row.low), points(row.high)) == change
    assert (row.deff, row.previous_deff) == (1.0, 1.0)
    assert (row.p_value is None) == (row.delta is None)


def test_the_third_row_misses_by_four_hundredths_of_a_point() -> None:
    row = shares((6, 60), (12, 50))
    assert row.high is not None and row.p_value is not None
    assert round(100 * row.high, 2) == 0.04
    assert 0.05 < row.p_value < 0.051


# --- order and boundaries ---------------------------------------------------------------------------------------------


def test_the_first_state_that_holds_wins() -> None:
    """All combinations of causes against the order as ruling 13 writes it."""
    many, few = spread(5, 25), spread(1, 19)
    for no_row, other_rules, incomplete, previous, current in product(
        (False, True), (False, True), (False, True), ({}, few, many), ({}, few, many)
    ):
        before = week(previous, has_row=not no_row, rules="2" if other_rules else "1")
        now = week(current, rules="1", completeness=Fraction(97, 100) if incomplete else 1)
        causes = [
            ("no_previous_week", no_row),
            ("not_comparable", other_rules),
            ("data_incomplete", incomplete),
            ("previous_empty", previous == {}),
            ("current_empty", current == {}),
            ("low_sample", few in (previous, current)),
            ("no_change_detected", True),
        ]
        row = compare(now, before)
        assert row.status == next(status for status, holds in causes if holds)
        assert (row.delta is not None) == (row.low is not None) == (row.p_value is not None)
        assert (row.delta is not None) == (row.status in WITH_DELTA)
        assert row.n == sum(map(len, current.values()))
        assert (row.value is None) == (row.n == 0)
        assert row.previous_n == (None if no_row else sum(map(len, previous.values())))


def test_a_missing_week_is_none_or_a_week_without_a_row() -> None:
    now = week(spread(4, 25))
    assert compare(now, None) == compare(now, week(spread(4, 25), has_row=False))
    with pytest.raises(ValueError, match="no row in 2026-W47"):
        compare(replace(now, has_row=False), now)


def test_ruling_13_who_has_a_row() -> None:
    for assigned, wrote, owns in product((False, True), repeat=3):
        has_row = manager_has_row(was_assigned=assigned, has_written=wrote, owns_settled_wait=owns)
        assert has_row == any((assigned, wrote, owns))
    assert channel_has_row(is_active=True) and not channel_has_row(is_active=False)


@pytest.mark.parametrize(
    ("completeness", "is_enough"),
    [
        (0.98, True), (Decimal("0.98"), True), (Fraction(49, 50), True), (1, True), (Fraction(51, 50), True),
        (0.9799999, False), (Decimal("0.979"), False), (Fraction(979_999, 1_000_000), False), (0, False), (None, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", ["now", "before"])
def test_98_percent_in_both_weeks_are_complete(completeness: float | None, is_enough: bool, side: str) -> None:
    weeks = {"now": week(spread(4, 40)), "before": week(spread(4, 40))}
    weeks[side] = replace(weeks[side], completeness=completeness)
    status = compare(weeks["now"], weeks["before"]).status
    assert status == ("no_change_detected" if is_enough else "data_incomplete")


def test_the_limit_of_completeness_is_a_setting() -> None:
    half = week(spread(4, 40), completeness=0.5)
    assert delta(SHARE, "anna", "2026-W47", "1", half, half, complete=0.5).status == "no_change_detected"
    assert delta(SHARE, "anna", "2026-W47", "1", half, half, complete=0.51).status == "data_incomplete"


@pytest.mark.parametrize(("by", "least"), [(SHARE, 20), (P50, 20), (SCORE, 10), (metric("auto_fail_share"), 20)])
def test_a_sample_is_low_below_the_minimum_of_either_week(by: Metric, least: int) -> None:
    full, low = week(single([1] * least)), week(single([1] * (least - 1)))
    assert compare(full, full, by).status == "no_change_detected"
    assert compare(low, full, by).status == compare(full, low, by).status == "low_sample"
    assert by.minimum == least


def test_the_minimum_counts_cases_not_sessions() -> None:
    one_session = week({"s": [1] * 5 + [0] * 15})
    assert compare(one_session, one_session).status == "no_change_detected"


# --- practical sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "now", "before", "is_large"),
    [
        pytest.param(SHARE, (3, 20), (2, 20), True, id="5 points, where floats say 4.999"),
        pytest.param(SHARE, (2, 20), (3, 20), True, id="5 points down"),
        pytest.param(SHARE, (1249, 10_000), (750, 10_000), False, id="4.99 points"),
        pytest.param(SHARE, (7, 60), (1, 15), True, id="7/60 - 1/15 = 1/20"),
        pytest.param(P50, (72_000, 100), (60_000, 100), True, id="120 s and 20 % of the previous 600 s"),
        pytest.param(P50, (71_950, 100), (60_000, 100), False, id="119.5 s"),
        pytest.param(P50, (120_000, 100), (100_000, 100), True, id="200 s of 1000 s: exactly 20 %"),
        pytest.param(P50, (119_950, 100), (100_000, 100), False, id="199.5 s of 1000 s"),
        pytest.param(P50, (80_000, 100), (100_000, 100), True, id="down by 20 % of the previous 1000 s"),
        pytest.param(P50, (100_000, 100), (120_050, 100), False, id="200.5 s are not 20 % of the previous 1200.5 s"),
        pytest.param(P50, (12_000, 100), (0, 100), True, id="from 0: the two minutes decide"),
        pytest.param(P50, (11_950, 100), (0, 100), False, id="from 0: less than two minutes"),
        pytest.param(SCORE, (83, 1), (80, 1), True, id="3 points"),
        pytest.param(SCORE, (82_999_999, 1_000_000), (80, 1), False, id="almost 3 points"),
    ],
)
def test_practical_sizes(by: Metric, now: tuple[int, int], before: tuple[int, int], is_large: bool) -> None:
    assert is_practical(by, now, before) is is_large


def test_a_certain_but_small_change_has_no_arrow() -> None:
    # 4.99 points of 100,000 waits: the interval is far from 0
    row = shares((15_010, 100_000), (20_000, 100_000))
    assert row.status == "no_change_detected"
    assert row.high is not None and row.high < 0 and row.p_value is not None and row.p_value < 1e-100
    assert shares((15_000, 100_000), (20_000, 100_000)).status == "improved"


def test_medians_need_20_percent_and_two_minutes() -> None:
    assert medians([720] * 25, [600] * 25).status == "worsened"
    assert medians([719] * 25, [600] * 25).status == "no_change_detected"
    assert medians([480] * 25, [600] * 25).status == "improved"
    assert medians([4_801] * 25, [6_000] * 25).status == "no_change_detected"
    assert medians([240] * 25, [10] * 25).status == "worsened"
    row = medians([720] * 12 + [721] * 12, [600] * 24)
    assert (row.value, row.previous_value, row.delta) == (720.5, 600.0, 120.5)


def test_an_interval_that_begins_at_0_contains_it() -> None:
    row = medians([900] * 16 + [600] * 9, [600] * 25)
    assert (row.low, row.high, row.delta) == (0.0, 300.0, 300.0)
    assert row.status == "no_change_detected"
    assert row.p_value is not None and row.p_value > 0.05


def test_scores_need_3_points() -> None:
    assert scores([83] * 12, [80] * 12).status == "improved"
    assert scores([Decimal("82.999999")] * 12, [80] * 12).status == "no_change_detected"
    assert scores([77.0] * 12, [80] * 12).status == "worsened"
    assert scores([50] * 6 + [90] * 6, [46] * 6 + [86] * 6).status == "no_change_detected"


def test_equal_scores_that_floats_cannot_add_are_equal() -> None:
    row = scores([66.67] * 33, [66.67] * 10)
    assert (row.status, row.delta, row.low, row.high, row.p_value) == ("no_change_detected", 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("by", [m for m in METRICS if m.kind is Kind.SHARE], ids=lambda by: by.name)
def test_the_sign_of_the_metric_gives_the_direction(by: Metric) -> None:
    up, down = week(spread(80, 100)), week(spread(40, 100))
    assert compare(up, down, by).status == ("improved" if by.sign > 0 else "worsened")
    assert compare(down, up, by).status == ("worsened" if by.sign > 0 else "improved")


def test_clustered_hits_take_the_arrow_away() -> None:
    # the first row of the contract's table, but whole sessions went wrong
    clustered = week({"a": [1, 1], **{f"o{i}": [0] * 2 for i in range(19)}})
    before = week({"a": [1] * 5, "b": [1] * 5, **{f"o{i}": [0] * 5 for i in range(6)}})
    row = compare(clustered, before)
    assert shares((2, 40), (10, 40)).status == "improved"
    assert (row.status, row.value, row.previous_value) == ("no_change_detected", 0.05, 0.25)
    assert row.deff > 1.9 and row.previous_deff > 5


# --- cases, metrics, headline -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "sessions", "error"),
    [
        (SHARE, {"a": [2]}, ValueError), (SHARE, {"a": [-1]}, ValueError), (SHARE, {"a": [0.5]}, TypeError),
        (P50, {"a": [60.5]}, TypeError), (P50, {"a": [-1]}, ValueError),
        (SCORE, {"a": [50, 60]}, ValueError), (SCORE, {"a": [100.5]}, ValueError), (SCORE, {"a": [-1]}, ValueError),
    ],
)  # fmt: skip
def test_cases_that_do_not_fit_are_refused(by: Metric, sessions: dict[str, list[float]], error: type) -> None:
    with pytest.raises(error):
        compare(week(sessions), None, by)


def test_declared_metrics_are_one_each_and_known_to_the_contract() -> None:
    assert len({m.name for m in METRICS}) == len(METRICS)
    assert {m.name for m in METRICS if m.sign < 0} == {
        "slow_reply_share", "no_reply_share", "no_next_step_share", "auto_fail_share",
        "first_reply_p50_business_seconds", "first_reply_p50_seconds", "reply_p50_business_seconds",
        "reply_p50_seconds",
    }  # fmt: skip
    assert {m.name for m in METRICS if m.kind is not Kind.SHARE} == {
        "first_reply_p50_business_seconds", "first_reply_p50_seconds", "reply_p50_business_seconds",
        "reply_p50_seconds", "llm_score_avg",
    }  # fmt: skip
    with pytest.raises(ValueError, match="without a direction"):
        Metric("one_direction_share", Kind.SHARE, 0, "chats")
    with pytest.raises(ValueError, match="percentile 100"):
        Metric("slowest", Kind.PERCENTILE, -1, "waits", percent=100)
    with pytest.raises(KeyError):
        metric("left_waiting")


def test_a_declared_p90_interpolates_like_the_contract() -> None:
    waits = [minutes * 60 for minutes in (2, 3, 4, 5, 6, 8, 12, 15, 40, 95)]
    by = Metric("reply_p90_seconds", Kind.PERCENTILE, -1, "answered waits", percent=90)
    assert compare(week(single(waits)), None, by).value == 45.5 * 60
    assert compare(week(single(waits)), None, P50).value == 7.0 * 60


def test_the_headline_takes_arrows_that_pass_together() -> None:
    strong, weak, none = shares((2, 100), (30, 100)), shares((2, 40), (10, 40)), shares((10, 100), (10, 100))
    small = shares((15_010, 100_000), (20_000, 100_000))
    no_delta = shares((1, 9), (5, 30))
    assert weak.p_value is not None and 0.01 < weak.p_value < 0.02
    assert headlines([strong, weak, none, no_delta]) == [True, True, False, False]
    # rows without an arrow belong to the family: among thirty of them the weak one is no news any more
    assert headlines([strong, weak, *[none] * 30]) == [True, False, *[False] * 30]
    # rows without an interval do not
    assert headlines([strong, weak, *[no_delta] * 30]) == [True, True, *[False] * 30]
    assert headlines([small, strong]) == [False, True]
    assert headlines([]) == [] and headlines([no_delta]) == [False]


def test_states_with_an_arrow_have_a_delta() -> None:
    assert WITH_ARROW < WITH_DELTA < set(DeltaStatus)
    assert len(DeltaStatus) == 9
