"""How well the lexicons agree with people, on messages labelled apart from them; prints a table (pytest -s)."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from conversations.lexicon import INTENTS, PURCHASE_INTENTS, Lexicon
from tests.emulators.shop.words import Words
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


@pytest.mark.parametrize("name", ["intents_second.yaml", "intents_third.yaml"])
def test_precision_and_recall_on_messages_labelled_later(name: str) -> None:
    """What the lexicons reached on them unseen is written at the head of each file."""
    messages = labelled(name)
    measured = scores(Lexicon.default(), messages)
    print("\n" + table(name, measured))
    for score in measured:
        assert score.precision >= LEAST, table(name, measured)
        assert score.recall >= LEAST, table(name, measured)


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_words_of_the_invented_shop_which_were_not_written_for_the_lexicon(language: str) -> None:
    """What customers say before they buy has purchase intent nearly always, what they say after it never."""
    words = Words(language, Random(5))
    facts = dict.fromkeys(("cname", "mname", "city_kk", "days_kk"), "Астана") | {
        "product": "кроссовки «Бриз»", "other": "кеды «Двор»", "size": "42", "sizeth": "42-й", "color": "чёрном",
        "price": "7 990 ₽", "order": "70412", "city_to": "в Казань", "fee": "350 ₽", "days": "2-3 дня", "cm": "26",
        "kind": "shoes", "hours": "с 9 до 18",
    }  # fmt: skip

    def share(entries: tuple[str, ...]) -> float:
        said = {words.say(entry, facts)[0] for entry in entries for _ in range(100)}
        wanted = [Lexicon.default().intents(text, "customer") & set(PURCHASE_INTENTS) for text in said]
        return sum(map(bool, wanted)) / len(said)

    assert share(("ask_have", "ask_price", "ask_price_first", "ask_delivery", "take_it", "take_other")) >= 0.9
    assert share(("where_order", "ask_return", *(("complain",) if "complain" in words else ()))) == 0


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
