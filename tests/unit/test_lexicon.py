"""The lexicons that come with the product: every example of every entry, evidence, and what typing does to words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.lexicon import INTENTS, PURCHASE_INTENTS, Hit, Lexicon, Place
from conversations.lexicon.reading import Entry
from tests.labelled.measure import labelled
from tests.unit.conftest import examples

LEXICON = Lexicon.default()
ENTRIES = [(one.intent, entry) for one in LEXICON.source.intents for entry in one.entries]
IDS = [f"{intent}.{entry.id}" for intent, entry in ENTRIES]
ROOT = Path(__file__).parents[2]


def _is_found(intent: str, entry: Entry, text: str) -> bool:
    sides = (entry.side,) if entry.side else INTENTS[intent]
    return any((hit.intent, hit.entry) == (intent, entry.id) for side in sides for hit in LEXICON.find(text, side))


@pytest.mark.parametrize(("intent", "entry"), ENTRIES, ids=IDS)
def test_every_entry_finds_its_examples_and_no_others(intent: str, entry: Entry) -> None:
    for text in entry.found:
        assert _is_found(intent, entry, text), f"{text!r} is not found"
    for text in entry.not_found:
        assert not _is_found(intent, entry, text), f"{text!r} is found"


def test_purchase_intents_are_those_of_the_contract() -> None:
    assert PURCHASE_INTENTS == ("price", "availability", "wish_to_buy", "size_variant", "delivery")
    assert all(INTENTS[intent] == ("customer",) for intent in PURCHASE_INTENTS)


@pytest.mark.parametrize(
    ("text", "intent", "is_said"),
    [
        # the contract's own examples, section 5
        ("подскажите цену", "price", True),
        ("какие цены", "price", True),
        ("есть вопросы", "availability", False),
        # forms, not word forms
        ("интересует стоимость доставки и сумки", "delivery", True),
        ("узнать бы о ценах", "price", True),
        ("ценою какою", "price", True),
        # typing
        ("СКОЛЬКО СТОИТ", "price", True),
        ("скооолько стоииит", "price", True),
        ("cкoлькo cтoит", "price", True),  # c and o are Latin
        ("почём", "price", True),
        ("почем", "price", True),
        ("расрочка есть", "price", True),
        ("сколько, пожалуйста, это стоит", "price", True),
        ("сколько 🙏 стоит", "price", True),
        ("сколько. стоит ли ждать", "price", False),  # a sentence ends between the words
        # negation
        ("беру", "wish_to_buy", True),
        ("не беру", "wish_to_buy", False),
        ("интересует диван", "wish_to_buy", True),
        ("не интересует диван", "wish_to_buy", False),
        ("маған 38 керек", "wish_to_buy", True),
        ("маған 38 керек емес", "wish_to_buy", False),
        ("аламын", "wish_to_buy", True),
        ("алмаймын", "wish_to_buy", False),
        # Kazakh, in its own letters and in Russian ones
        ("бағасы қанша", "price", True),
        ("багасы канша", "price", True),
        ("бағаларыңызды айтыңызшы", "price", True),
        ("жеткізесіздер ме", "delivery", True),
        ("жеткизесиздер ме", "delivery", True),
        ("жеткілікті ме", "delivery", False),  # "is it enough": a stem is not any beginning
        # post-sale talk is no purchase intent
        ("верните деньги, размер не тот прислали", "size_variant", False),
    ],
)
def test_what_customers_say(text: str, intent: str, is_said: bool) -> None:
    assert (intent in LEXICON.intents(text, "customer")) is is_said


def test_a_side_has_only_its_own_intents() -> None:
    for message in labelled("intents.yaml"):
        for hit in LEXICON.find(message.text, message.side):
            assert message.side in INTENTS[hit.intent]
    assert LEXICON.intents("сколько стоит", "manager") == frozenset()


@pytest.mark.parametrize("text", [None, "", " ", "\n", "???", "🙏🏽", "İ" * 40, "\u00ad", "a" * 5000, "1" * 5000])
def test_says_nothing_about_nothing(text: str | None) -> None:
    assert LEXICON.intents(text, "customer") - {"closing"} == frozenset()


def test_evidence_points_into_the_text_as_it_was_written() -> None:
    text = "İ Добрый день!  А СКОЛЬКО  стоит «Иртыш»?"
    (hit,) = LEXICON.find(text, "customer")
    assert (hit.intent, hit.entry) == ("price", "how_much")
    assert text[hit.start : hit.end] == "СКОЛЬКО  стоит"
    assert hit.phrase in next(entry for intent, entry in ENTRIES if intent == "price").ru


@given(
    st.text(st.sampled_from("ценаескоольтиь 42?.,!ёӘқ🙏xaİ₽\n"), max_size=40), st.sampled_from(["customer", "manager"])
)
def test_evidence_always_lies_in_the_text(text: str, side: str) -> None:
    for hit in LEXICON.find(text, side):  # type: ignore[arg-type]
        assert 0 <= hit.start < hit.end <= len(text)
        assert text[hit.start : hit.end].strip() == text[hit.start : hit.end]


def test_places_are_the_hits_counted_in_words() -> None:
    lexicon = Lexicon.default()
    texts = [
        (text, side)
        for one in lexicon.source.intents
        for entry in one.entries
        for text in (*entry.found, *entry.not_found)
        for side in INTENTS[one.intent]
    ]
    for text, side in texts:
        hits = lexicon.find(text, side)
        places = lexicon.places(text, side)
        assert sorted(hit.intent for hit in hits) == sorted(intent for intent, _, _ in places)
        assert all(first <= last for _, first, last in places)
        for hit in hits:
            behind = {intent for intent, first, _ in places if first > _last_of(places, hit.intent)}
            assert behind == {other.intent for other in hits if other.start >= _end_of(hits, hit.intent)}
        assert lexicon.intents(text, side) == {hit.intent for hit in hits}
    assert lexicon.places("", "customer") == lexicon.places(None, "manager") == []


def _last_of(places: list[Place], intent: str) -> int:
    return max(last for one, _, last in places if one == intent)


def _end_of(hits: tuple[Hit, ...], intent: str) -> int:
    return max(hit.end for hit in hits if hit.intent == intent)


def test_the_same_text_gives_the_same_hits_whatever_was_read_before() -> None:
    messages = labelled("intents.yaml")
    fresh = Lexicon(LEXICON.source)
    backwards = {m.text: fresh.find(m.text, m.side) for m in reversed(messages)}
    assert all(LEXICON.find(m.text, m.side) == backwards[m.text] for m in messages)
    assert fresh.hash == LEXICON.hash and len(LEXICON.hash) == 64


def test_remembered_words_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.lexicon.engine._REMEMBERED", 10)
    lexicon = Lexicon(LEXICON.source)
    for number in range(examples(50)):
        assert lexicon.intents(f"слово{number} сколько стоит", "customer") == {"price"}
    assert len(lexicon._known) <= 10


def test_importing_costs_no_dictionary() -> None:
    script = "import sys, conversations.lexicon; print('pymorphy3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_real_messages_in_english_are_read_without_findings_of_purchases() -> None:
    """Public customer care talks: other languages than the lexicons' give next to nothing, and never an error."""
    path = ROOT.parent / "shared" / "data" / "irc_stripe" / "stripe.0.ascii.txt"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ["how much is it?"]
    found = [LEXICON.intents(line, "customer") & set(PURCHASE_INTENTS) for line in lines]
    assert sum(map(bool, found)) <= len(lines) * 0.02
