"""How well the lexicons agree with people, on messages labelled apart from them; prints a table (pytest -s)."""

from __future__ import annotations

from collections import Counter

import pytest

from conversations.lexicon import INTENTS, Lexicon
from tests.labelled.measure import Labelled, Score, labelled, scores, table

LEAST = 0.9


@pytest.fixture(scope="module")
def first() -> list[Labelled]:
    """Labelled before there was a lexicon."""
    return labelled("intents.yaml")


@pytest.fixture(scope="module")
def second() -> list[Labelled]:
    """Labelled after the lexicon was finished, in other words."""
    return labelled("intents_second.yaml")


def test_enough_is_labelled(first: list[Labelled], second: list[Labelled]) -> None:
    assert len(first) >= 300 and len(second) >= 100
    texts = Counter(message.text for message in first + second)
    assert max(texts.values()) == 1, "a message that counts twice weighs twice"
    for intent in INTENTS:
        assert sum(intent in message.intents for message in first) >= 10, intent
    assert sum(not message.intents for message in first) >= 80, "without hard negatives precision says little"
    assert {name for message in first + second for name in message.intents} <= set(INTENTS)


def test_precision_and_recall_on_messages_labelled_first(first: list[Labelled]) -> None:
    measured = scores(Lexicon.default(), first)
    print("\n" + table("labelled first", measured))
    for score in measured:
        assert score.precision >= LEAST, table("labelled first", measured)
        assert score.recall >= LEAST, table("labelled first", measured)


def test_precision_and_recall_on_messages_labelled_second(second: list[Labelled]) -> None:
    """What the lexicons reached on them before any change is written at the head of the file."""
    measured = scores(Lexicon.default(), second)
    print("\n" + table("labelled second", measured))
    for score in measured:
        assert score.precision >= LEAST, table("labelled second", measured)
        assert score.recall >= LEAST, table("labelled second", measured)


def test_the_count_counts() -> None:
    """Precision and recall of a lexicon that sees nothing, and of one that sees too much, by hand."""
    messages = [
        Labelled("customer", "скок стоит", frozenset({"price"})),
        Labelled("customer", "цена?", frozenset()),
        Labelled("customer", "ничего", frozenset({"price"})),
    ]
    price = scores(Lexicon.default(), messages)[0]
    assert price == Score("price", found=1, false=1, missed=1)
    assert price.precision == price.recall == 0.5
    assert Score("price", 0, 0, 3).precision == 0
