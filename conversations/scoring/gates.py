"""May a criterion be shown, may it count? (contract, section 10)

Here: the figures of one criterion of one judge, and the state that follows. Not here: the statistics (``agreement``),
where answers and labels are kept (``resources.labels``), what reads a state (the marts).

A judge is a prompt and a model on a version of a rubric; another one starts with no label. States, from the bottom:

calibration     fewer than 200 labelled talks: shown as such, in no average
not_published   measured, and not good enough: no figure is shown
published       may be shown
counted         enters scores of managers

Decisions where the contract is silent: what is not known does not pass (nobody graded twice, nothing was asked twice);
50 talks graded by two people and 50 answers asked for twice are what "known" takes. The share of quotes is over the
marks that need or bring one: above 0, automatic fails, any with a quote; nobody can quote what was not said. The share
of missing evidence is over the answers but "not applicable".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from conversations.resampling import seed_of
from conversations.scoring.agreement import (
    Categories,
    Interval,
    Item,
    gwet_ac1,
    human_agreement,
    kappa_interval,
    ordinal_alpha,
    pairs_of,
    quadratic_kappa,
)
from conversations.scoring.shapes import NotGiven

State: TypeAlias = Literal["calibration", "not_published", "published", "counted"]
Reason: TypeAlias = Literal[
    "few_labels",
    "kappa_unknown",
    "kappa_low",
    "humans_unknown",
    "humans_disagree",
    "flips_unknown",
    "flips",
    "no_answers",
    "quotes",
    "insufficient",
    "kappa_below_counting",
]

LEAST_LABELLED = 200
PUBLISHED_FROM = Fraction(60, 100)
COUNTED_FROM = Fraction(70, 100)
HUMANS_FROM = Fraction(60, 100)
MOST_FLIPS = Fraction(5, 100)
VERIFIED = Fraction(1)
MOST_INSUFFICIENT = Fraction(20, 100)
LEAST_HUMAN_ITEMS = 50
LEAST_REPEATED = 50


class Answers(NamedTuple):
    """All answers of a judge on a criterion, labelled or not: a sample chosen for labels says nothing of all."""

    total: int
    marks: int
    """Answers with a mark that counts and needs a quote, or brings one."""
    verified: int
    """Marks with a quote that code has found."""
    insufficient: int
    not_applicable: int


class Measured(NamedTuple):
    """Everything that a gate looks at; ``None``: not known."""

    labelled: int
    human_items: int
    kappa: Fraction | None
    interval: Interval | None
    alpha: Fraction | None
    ac1: Fraction | None
    human_kappa: Fraction | None
    repeated: int
    flip_rate: Fraction | None
    answers: int
    marks: int
    """Of these, marks that count and need or bring a quote: what ``verified_share`` is of."""
    applicable: int
    """Of these, all but "not applicable": what ``insufficient_share`` is of."""
    verified_share: Fraction | None
    insufficient_share: Fraction | None


class Gate(NamedTuple):
    """A state and what keeps it from a higher one."""

    state: State
    reasons: tuple[Reason, ...]


def measured(
    items: Sequence[Item],
    categories: Categories,
    answers: Answers,
    repeats: Iterable[tuple[int | NotGiven, int | NotGiven]],
    *,
    judge: tuple[str, int, str, str],
    criterion: str,
) -> Measured:
    """The figures of one criterion.

    Args:
        items: The talks that the judge has answered and somebody has labelled.
        repeats: What counted the first time, and when the judge was asked once more.
        judge: Rubric, its version, prompt and model: with the criterion the seed of the interval.
    """
    seed = seed_of(f"{judge[0]}:{judge[1]}", criterion, judge[2], judge[3])
    pairs = pairs_of(items, categories)
    people = human_agreement(items, categories)
    asked_twice = list(repeats)
    flips = sum(first != second for first, second in asked_twice)
    return Measured(
        labelled=sum(_is_labelled(item) for item in items),
        human_items=people.items,
        kappa=quadratic_kappa(pairs, categories),
        interval=kappa_interval(pairs, categories, seed),
        alpha=ordinal_alpha(items, categories),
        ac1=gwet_ac1(pairs, categories),
        human_kappa=people.kappa,
        repeated=len(asked_twice),
        flip_rate=_share(flips, len(asked_twice)),
        answers=answers.total,
        marks=answers.marks,
        applicable=answers.total - answers.not_applicable,
        verified_share=_share(answers.verified, answers.marks),
        insufficient_share=_share(answers.insufficient, answers.total - answers.not_applicable),
    )


def _is_labelled(item: Item) -> bool:
    """Whether a person has said what the judge should have: "no ground for a mark" says nothing of the judge."""
    return any(given != "insufficient_evidence" for given in item.people.values())


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def gate(found: Measured) -> Gate:
    """The state that the figures allow, and all that stands in the way of more."""
    faults = tuple(_faults(found))
    if found.labelled < LEAST_LABELLED:
        return Gate("calibration", ("few_labels", *faults))
    if faults:
        return Gate("not_published", faults)
    if found.kappa is not None and found.kappa >= COUNTED_FROM:
        return Gate("counted", ())
    return Gate("published", ("kappa_below_counting",))


def _faults(found: Measured) -> Iterable[Reason]:
    if found.kappa is None:
        yield "kappa_unknown"
    elif found.kappa < PUBLISHED_FROM:
        yield "kappa_low"
    if found.human_kappa is None or found.human_items < LEAST_HUMAN_ITEMS:
        yield "humans_unknown"
    elif found.human_kappa < HUMANS_FROM:
        yield "humans_disagree"
    if found.flip_rate is None or found.repeated < LEAST_REPEATED:
        yield "flips_unknown"
    elif found.flip_rate > MOST_FLIPS:
        yield "flips"
    if found.insufficient_share is None or found.verified_share is None:
        yield "no_answers"
    if found.verified_share is not None and found.verified_share < VERIFIED:
        yield "quotes"
    if found.insufficient_share is not None and found.insufficient_share > MOST_INSUFFICIENT:
        yield "insufficient"
