"""Agreement of a judge with people: figures worked out by hand, published examples, definitions written out anew."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from conversations.scoring.agreement import (
    Categories,
    Item,
    gwet_ac1,
    human_agreement,
    kappa_interval,
    ordinal_alpha,
    pairs_of,
    quadratic_kappa,
)

NA, NONE = "not_applicable", "insufficient_evidence"
YES_NO = Categories(1)


def items(*rows: tuple[object, ...]) -> list[Item]:
    """(judge, grader a, grader b ...) for each talk; ``None``: that person did not grade it."""
    return [
        Item(
            f"{number:04}",
            judge,
            {name: given for name, given in zip("abcd", people, strict=False) if given is not None},
        )  # type: ignore[arg-type]
        for number, (judge, *people) in enumerate(rows)
    ]


def kappa(rows: list[tuple[object, ...]], categories: Categories) -> Fraction | None:
    return quadratic_kappa(pairs_of(items(*rows), categories), categories)


# --- kappa -----------------------------------------------------------------------------------------------------------


def test_cohens_own_arithmetic_on_two_categories() -> None:
    """20 both yes, 5 and 10 apart, 15 both no: agreed 0.7; by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5; (0.7-0.5)/0.5."""
    rows = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert kappa(rows, YES_NO) == Fraction(2, 5)


def test_a_near_miss_weighs_its_square() -> None:
    """Ten talks on 0..2; the judge is one off on two of them (1 + 1) and two off on one (4): seen 6/10.

    Judge: 0 x4, 1 x3, 2 x3; people: 0 x4, 1 x3, 2 x3. By chance: each pair of neighbours 1, the ends 4:
    (0,1) 12 + (1,0) 12 + (1,2) 9 + (2,1) 9 + 4 x ((0,2) 12 + (2,0) 12) = 138, of 100. 1 - 0.6 / 1.38.
    """
    rows = [(0, 0)] * 3 + [(1, 1)] * 2 + [(2, 2)] * 2 + [(0, 1), (1, 2), (2, 0)]
    assert kappa(rows, Categories(2)) == 1 - Fraction(60, 138)


def test_not_applicable_is_as_far_from_a_mark_as_the_ends_are() -> None:
    categories = Categories(2, may_not_apply=True)
    rows = [(0, 0), (2, 2), (NA, NA), (NA, 1)]
    # judge 0, 2, n, n; people 0, 2, n, 1. Pairs by chance: (0: 0+4+4+1) + (2: 4+0+4+1) + twice (n: 4+4+0+4)
    assert kappa(rows, categories) == 1 - Fraction(4 * 4, 9 + 9 + 12 + 12)
    assert kappa([(0, 0), (2, 2), (1, 1), (1, NA)], categories) == 1 - Fraction(4 * 4, 9 + 9 + 2 * (1 + 1 + 0 + 4))


def test_what_one_side_saw_no_ground_for_is_not_compared() -> None:
    rows = [(0, 0), (1, 1), (NONE, 1), (1, NONE)]
    assert kappa(rows, YES_NO) == 1
    assert len(pairs_of(items(*rows), YES_NO)) == 2


def test_a_talk_weighs_the_same_however_many_graded_it() -> None:
    once = [(0, 0), (1, 0), (1, 1), (0, 0)]
    thrice = [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1), (0, 0)]
    assert kappa(thrice, YES_NO) == kappa(once, YES_NO)
    # people split on one talk: half a disagreement. Judge 2:2, people 2.5:1.5
    assert kappa([(0, 0), (1, 0, 1), (1, 1), (0, 0)], YES_NO) == 1 - Fraction(1, 2) * 4 / (
        Fraction(2) * Fraction(3, 2) + 2 * Fraction(5, 2)
    )


@pytest.mark.parametrize("rows", [[], [(1, 1)] * 9, [(1, NONE)] * 9])
def test_where_chance_agrees_always_there_is_no_kappa(rows: list[tuple[object, ...]]) -> None:
    assert kappa(rows, YES_NO) is None
    assert kappa_interval(pairs_of(items(*rows), YES_NO), YES_NO, 1) is None


@pytest.mark.parametrize("given", [-1, 3, NA])
def test_a_mark_outside_of_the_scale_is_refused(given: object) -> None:
    with pytest.raises(ValueError):
        kappa([(given, 0)], Categories(2))


def test_kappa_by_its_definition_on_drawn_talks() -> None:
    """1 - sum(w o) / sum(w e) with w = (i - j)^2 / best^2 and proportions, in floats."""
    drawn = random.Random(6)
    for best in (1, 2, 4, 10):
        people = [drawn.randint(0, best) for _ in range(300)]
        judge = [min(best, max(0, one + drawn.choice((-1, 0, 0, 0, 1)))) for one in people]
        places = range(best + 1)
        share = {
            (i, j): sum(pair == (i, j) for pair in zip(judge, people, strict=True)) / 300
            for i in places
            for j in places
        }
        rows = {i: judge.count(i) / 300 for i in places}
        columns = {j: people.count(j) / 300 for j in places}
        weight = {(i, j): ((i - j) / best) ** 2 for i in places for j in places}
        seen = sum(weight[pair] * share[pair] for pair in weight)
        chance = sum(weight[i, j] * rows[i] * columns[j] for i, j in weight)
        found = kappa(list(zip(judge, people, strict=True)), Categories(best))
        assert found is not None and float(found) == pytest.approx(1 - seen / chance, abs=1e-12)


# --- its interval ----------------------------------------------------------------------------------------------------


def _drawn(count: int, right: float, seed: int) -> list[tuple[object, ...]]:
    drawn = random.Random(seed)
    people = [drawn.randint(0, 3) for _ in range(count)]
    return [(one if drawn.random() < right else drawn.randint(0, 3), one) for one in people]


def test_the_interval_is_that_of_resamples_drawn_one_by_one() -> None:
    """Section 7's way: PCG64, each resample as many talks as there are; the kappa of each worked out by itself."""
    categories = Categories(3)
    pairs = pairs_of(items(*_drawn(60, 0.8, 1)), categories)
    generator = np.random.Generator(np.random.PCG64(99))
    kappas = []
    for _ in range(2000):
        chosen = [pairs[place] for place in generator.integers(0, 60, size=60)]
        table = np.zeros((4, 4))
        for ((one, other),) in chosen:
            table[one, other] += 1
        weights = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
        kappas.append(1 - (weights * table).sum() / ((weights * np.outer(table.sum(1), table.sum(0))).sum() / 60))
    found = kappa_interval(pairs, categories, 99)
    assert found == pytest.approx(tuple(np.percentile(kappas, [2.5, 97.5])))
    assert kappa_interval(pairs, categories, 99) == found != kappa_interval(pairs, categories, 98)


def test_the_interval_narrows_with_the_root_of_the_talks_and_holds_the_kappa() -> None:
    widths = []
    for count in (100, 1600):
        pairs = pairs_of(items(*_drawn(count, 0.8, 2)), Categories(3))
        found, point = kappa_interval(pairs, Categories(3), 5), quadratic_kappa(pairs, Categories(3))
        assert found is not None and point is not None and found.low < point < found.high
        widths.append(found.high - found.low)
    assert 3 < widths[0] / widths[1] < 5


# --- people, alpha, AC1 ----------------------------------------------------------------------------------------------


def test_people_among_themselves() -> None:
    rows = [(0, 0, 0), (0, 1, 1), (0, 1, 0), (0, 0, 0), (0, 1), (0, None, 1), (0, NONE, 1)]
    found = human_agreement(items(*rows), YES_NO)
    # four talks in common: a 0110, b 0100. Apart 1 of 4; by chance 2 x 1 + 2 x 3 of 16
    assert found.items == 4 and found.kappa == 1 - Fraction(1, 4) / Fraction(8, 16)


def test_three_people_weigh_by_what_they_share() -> None:
    rows = [(0, 0, 0, 0), (0, 1, 1, 0), (0, 0, 0, None), (0, 1, 1, None)]
    found = human_agreement(items(*rows), YES_NO)
    # a and b agree on all four: 1. With c each shares two (01 against 00): apart 1/2, by chance 1/2: 0
    assert found.items == 4 and found.kappa == (4 * 1 + 2 * 0 + 2 * 0) / Fraction(8)


def test_one_grader_says_nothing_of_people_among_themselves() -> None:
    assert human_agreement(items((0, 0), (1, 1)), YES_NO) == (None, 0)


def test_alpha_of_the_published_example() -> None:
    """Krippendorff (2011), section C: four observers, twelve units, gaps; ordinal alpha 0.815."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    rows = [tuple(NONE if one == "." else int(one) for one in unit) for unit in zip(*observers, strict=True)]
    found = ordinal_alpha(items(*rows), Categories(5))
    assert found is not None and round(float(found), 3) == 0.815


def test_alpha_by_its_definition_with_two_sides() -> None:
    """Marks 0,1 against 0,1 and 2,1: o(0,0) 2, o(1,1) 2, o(2,1) = o(1,2) = 1; n 2, 3, 1.

    Ordinal distances: (0,1): 2/2 + 3/2 = 2.5; (1,2): 3/2 + 1/2 = 2; (0,2): 2/2 + 3 + 1/2 = 4.5. Seen 2 x 4 = 8; by
    chance 2 x (6 x 6.25 + 3 x 4 + 2 x 20.25) = 180; 1 - 5 x 8 / 180.
    """
    assert ordinal_alpha(items((0, 0), (1, 1), (2, 1)), Categories(2)) == 1 - Fraction(40, 180)
    assert ordinal_alpha(items((0, 0), (0, 0)), Categories(2)) is None


def test_ac1_where_kappa_is_fooled_by_a_rare_answer() -> None:
    """118 both yes, 5 and 2 apart, none both no: used yes 243/250, by chance 2 x 243 x 7 / 250^2."""
    rows = [(1, 1)] * 118 + [(1, 0)] * 5 + [(0, 1)] * 2
    chance = Fraction(2 * 243 * 7, 250**2)
    found = gwet_ac1(pairs_of(items(*rows), YES_NO), YES_NO)
    assert found == (Fraction(118, 125) - chance) / (1 - chance)
    low = kappa(rows, YES_NO)
    assert low is not None and low < 0 < 0.94 < found


def test_ac1_counts_every_category_of_the_criterion() -> None:
    """Three categories, one unused: agreed 2/3; shares 1/2, 1/2, 0; by chance (1/4 + 1/4) / 2."""
    rows = [(0, 0), (1, 1), (0, 1)]
    assert gwet_ac1(pairs_of(items(*rows), Categories(2)), Categories(2)) == (
        Fraction(2, 3) - Fraction(1, 4)
    ) / Fraction(3, 4)
