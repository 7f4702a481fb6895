"""Places and training: what may be said of few cases, worked out by hand and against statsmodels."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import ranking
from conversations.intervals import Share
from conversations.ranking import NOBODY, NotRanked, Standing, places, pooled, trainings


def manager(key: str, hits: int, cases: int, team: str | None = "sales", *, complete: bool = True, **others: Share):  # type: ignore[no-untyped-def]
    return Standing(key, team, complete, {"in_target_share": Share(hits, cases), **others})


def test_only_intervals_that_lie_apart_make_an_order() -> None:
    # Wilson: 95/100 [88.8; 97.8], 88/100 [80.2; 93.0], 70/100 [60.4; 78.1], 60/100 [50.2; 69.1]
    found = places([manager("a", 95, 100), manager("d", 60, 100), manager("b", 88, 100), manager("c", 70, 100)])
    assert {key: (place.first, place.last) for key, place in found.items()} == {
        "a": (1, 2), "b": (1, 2), "c": (3, 4), "d": (3, 4),
    }  # fmt: skip
    assert (found["a"].low, found["a"].high) == (pytest.approx(0.8882, abs=1e-4), pytest.approx(0.9785, abs=1e-4))


def test_who_has_no_place_is_said_and_takes_none_from_others() -> None:
    rows = [
        manager("a", 19, 20), manager("few", 19, 19), manager("none", 300, 300, None),
        manager("holes", 90, 100, complete=False), Standing("empty", "sales", True, {}),
    ]  # fmt: skip
    found = places(rows)
    assert {key: place.not_ranked for key, place in found.items()} == {
        "a": None, "few": NotRanked.LOW_SAMPLE, "none": NotRanked.NOBODY, "holes": NotRanked.DATA_INCOMPLETE,
        "empty": NotRanked.LOW_SAMPLE,
    }  # fmt: skip
    assert (found["a"].first, found["a"].last) == (1, 1)
    assert (found["few"].first, found["few"].low is None) == (None, False), "his share is shown all the same"
    assert (found["empty"].low, found["empty"].high) == (None, None)


def test_sessions_with_several_cases_are_worth_fewer() -> None:
    apart = places([manager("a", 95, 100), manager("b", 80, 100)])
    close = places([
        Standing("a", None, True, {"in_target_share": Share(95, 100, 4.0)}),
        Standing("b", None, True, {"in_target_share": Share(80, 100, 4.0)}),
    ])  # fmt: skip
    assert (apart["a"].last, apart["b"].first) == (1, 2)
    assert (close["a"].last, close["b"].first) == (2, 1)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=9))
def test_overlapping_intervals_share_a_place_and_others_stand_in_order(counts: list[tuple[int, int]]) -> None:
    from statsmodels.stats.proportion import proportion_confint

    rows = [manager(str(number), min(pair), max(pair)) for number, pair in enumerate(counts)]
    found = places(rows)
    ranked = [one for one in rows if one.shares["in_target_share"].cases >= 20]
    assert {key for key, place in found.items() if place.first} == {one.key for one in ranked}
    bounds = {
        one.key: proportion_confint(
            one.shares["in_target_share"].hits, one.shares["in_target_share"].cases, method="wilson"
        )
        for one in ranked
    }
    for one in ranked:
        place = found[one.key]
        assert place.first is not None and place.last is not None and 1 <= place.first <= place.last <= len(ranked)
        for other in ranked:
            beside = found[other.key]
            assert beside.first is not None and beside.last is not None
            if bounds[one.key][0] > bounds[other.key][1] + 1e-9:
                assert place.first < beside.first and place.last < beside.last
            elif (
                bounds[one.key][1] + 1e-9 >= bounds[other.key][0] and bounds[other.key][1] + 1e-9 >= bounds[one.key][0]
            ):
                assert place.first <= beside.last and beside.first <= place.last


def test_the_focus_is_where_he_is_surely_worse_than_the_rest_of_his_team() -> None:
    steps = {"anna": (40, 50), "boris": (41, 50), "vera": (15, 50)}
    rows = [manager(key, 45, 50, has_next_step_share=Share(*share)) for key, share in steps.items()]
    # a team beside that is far better must not matter
    rows.append(manager("almaty", 45, 50, "almaty", has_next_step_share=Share(50, 50)))
    found = trainings(rows)
    assert {key: one.focus and one.focus.metric for key, one in found.items()} == {
        "anna": None, "boris": None, "vera": "has_next_step_share", "almaty": None,
    }  # fmt: skip
    focus = found["vera"].focus
    assert focus is not None and focus.of_team
    assert (focus.own.hits, focus.own.cases, focus.others.hits, focus.others.cases) == (15, 50, 81, 100)
    assert focus.high < 0


def test_less_is_better_where_the_metric_says_so() -> None:
    def row(key: str, no_reply: int, slow: int) -> Standing:
        return manager(key, 0, 100, no_reply_share=Share(no_reply, 100), slow_reply_share=Share(slow, 100))

    found = trainings([row("a", 2, 5), row("b", 3, 45), row("c", 30, 5)])
    assert {key: one.focus and one.focus.metric for key, one in found.items()} == {
        "a": None, "b": "slow_reply_share", "c": "no_reply_share",
    }  # fmt: skip


def test_what_is_sure_but_small_or_large_but_few_is_no_focus() -> None:
    shares = {"a": Share(900, 10_000), "b": Share(500, 10_000)}
    small = [manager(key, 0, 50, no_reply_share=share) for key, share in shares.items()]
    assert trainings(small)["a"].focus is None and trainings(small)["a"].compared == 1
    few = [manager("a", 0, 50, no_reply_share=Share(10, 19)), manager("b", 0, 50, no_reply_share=Share(0, 500))]
    assert trainings(few)["a"].focus is None
    assert trainings(few)["a"].compared == 0, "nothing was compared, so nothing is known"


def test_without_a_team_to_compare_with_it_is_all_the_others() -> None:
    rows = [
        manager("alone", 0, 50, "almaty", no_reply_share=Share(25, 50)),
        manager("a", 0, 50, no_reply_share=Share(1, 50)), manager("b", 0, 50, None, no_reply_share=Share(2, 50)),
        manager(NOBODY, 0, 50, None, no_reply_share=Share(500, 500)),
        manager("holes", 0, 50, complete=False, no_reply_share=Share(50, 50)),
    ]  # fmt: skip
    found = trainings(rows)
    focus = found["alone"].focus
    assert focus is not None and not focus.of_team
    assert (focus.others.hits, focus.others.cases) == (3, 100), "neither nobody's nor incomplete ones"
    assert NOBODY not in found and found["holes"].compared == 0


def test_many_comparisons_do_not_find_a_focus_by_chance() -> None:
    """One comparison of p = 0.02 is a focus alone; among many that are equal it is expected by chance."""
    lonely = [manager("a", 0, 50, no_reply_share=Share(14, 50)), manager("b", 0, 50, no_reply_share=Share(5, 50))]
    assert trainings(lonely)["a"].focus is not None
    crowd = lonely + [
        manager(f"{team}{side}", 0, 50, team, no_reply_share=Share(5, 50))
        for team in map(str, range(12)) for side in "xy"
    ]  # fmt: skip
    assert trainings(crowd)["a"].focus is None


def test_examples_in_docstrings_hold() -> None:
    result = doctest.testmod(ranking)
    assert result.attempted and not result.failed
    assert pooled([]) == Share(0, 0, 1.0)
