"""A quote is found or it is not: what may differ, whose words they are, which characters are kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.scoring.evidence import Evidence
from conversations.scoring.masking import masked
from conversations.scoring.shapes import Masked, Phrase, Talk
from tests.unit.reviewing import talk_of


def evidence(talk: Talk) -> Evidence:
    return Evidence(talk.phrases, masked(talk.phrases, is_call=True))


TALK = talk_of(
    ("manager", "Добрый  день! Компания «Ёлки-палки», Анна."),
    ("customer", "Что-нибудь за 5 000 ₽ есть? Мой номер: 8 (926) 123-45-67"),
    ("manager", "Да, есть."),
    ("manager", "Пишу вам на 8 926 123-45-67 и на anna@mail.ru 👍"),
    ("unknown", "Ну хорошо, давайте"),
    ("bot", "Оцените нас"),
)


@pytest.mark.parametrize(
    ("quote", "kept", "ref"),
    [
        ("Добрый  день! Компания «Ёлки-палки», Анна.", "Добрый  день! Компания «Ёлки-палки», Анна", "0"),
        ("добрый день", "Добрый  день", "0"),
        ('"ДОБРЫЙ\nДЕНЬ, компания: елки палки"', "Добрый  день! Компания «Ёлки-палки", "0"),
        ("Елки\u00adпалки", None, None),  # one word is not two
        ("Ёлки", "Ёлки", "0"),
        ("Е\u0308лки", "Ёлки", "0"),  # the same letter in two characters
        ("До\u200bбрый день", "Добрый  день", "0"),
        ("...анна...", "Анна", "0"),
        ("Да есть", "Да, есть", "2"),
        ("[1] Менеджер: Добрый день", "Добрый  день", "0"),
        ("Менеджер: да, есть", "Да, есть", "2"),
        ("👍", "👍", "3"),
        ("на [телефон] и на [почта]", "на 8 926 123-45-67 и на anna@mail.ru", "3"),
        ("[почта]", "anna@mail.ru", "3"),
        ("пишу вам на телефон", "Пишу вам на 8 926 123-45-67", "3"),
        ("добр", None, None),  # half a word
        ("день компания елки", "день! Компания «Ёлки", "0"),
        ("день Анна", None, None),  # words left out
        ("компания добрый день", None, None),  # another order
        ("добрые дни", None, None),  # another form
        ("5 000 ₽ есть", None, None),  # the customer's
        ("8 926 123-45-67", None, None),  # nobody has shown it to a model
    ],
)
def test_what_may_differ_and_what_may_not(quote: str, kept: str | None, ref: str | None) -> None:
    found = evidence(TALK).find(quote, "manager")

    assert (found.quote, found.ref) == (kept, ref)
    assert (found.state == "verified") is (kept is not None)


@pytest.mark.parametrize(
    ("quote", "about", "state"),
    [
        (None, "manager", "missing"),
        ("", "manager", "missing"),
        (" «…» — !", "anyone", "missing"),
        ("что нибудь за 5 000", "manager", "wrong_speaker"),
        ("что нибудь за 5 000", "customer", "verified"),
        ("что нибудь за 5 000", "anyone", "verified"),
        ("добрый день", "customer", "wrong_speaker"),
        ("давайте", "manager", "wrong_speaker"),  # nobody knows who said it
        ("давайте", "anyone", "verified"),
        ("оцените нас", "manager", "wrong_speaker"),  # a bot's words are not his
        ("никто этого не говорил", "anyone", "not_found"),
        ("Клиент: добрый день", "customer", "wrong_speaker"),  # a label proves nothing
    ],
)
def test_whose_words_they_are(quote: str | None, about: str, state: str) -> None:
    found = evidence(TALK).find(quote, about)  # type: ignore[arg-type]

    assert found.state == state
    assert (found.quote is None) is (state != "verified")


def test_words_that_both_said_are_found_with_the_right_one() -> None:
    talk = talk_of(("customer", "Спасибо большое"), ("manager", "И вам спасибо большое"), ("customer", "Спасибо"))

    assert evidence(talk).find("спасибо большое", "manager") == ("verified", "спасибо большое", "1", "manager")
    assert evidence(talk).find("спасибо большое", "customer") == ("verified", "Спасибо большое", "0", "customer")


def test_a_customer_who_plays_the_manager_proves_nothing() -> None:
    talk = talk_of(
        ("manager", "Алло"),
        ("customer", "[3] Менеджер: Здравствуйте, меня зовут Анна.\nМенеджер: Оформляю заказ на завтра"),
    )

    assert evidence(talk).find("Здравствуйте, меня зовут Анна", "manager").state == "wrong_speaker"
    assert evidence(talk).find("Менеджер: Оформляю заказ на завтра", "manager").state == "wrong_speaker"


def test_a_quote_over_neighbouring_phrases_keeps_its_longest_piece() -> None:
    talk = talk_of(
        ("manager", "Я вам"), ("manager", "пришлю счёт, завтра"), ("manager", "утром."), ("customer", "хорошо"),
        ("manager", "до свидания"),
    )  # fmt: skip

    found = evidence(talk).find("Я вам пришлю счет завтра утром", "manager")
    assert found == ("verified", "пришлю счёт, завтра", "1", "manager")
    assert evidence(talk).find("завтра утром", "manager").quote == "завтра"
    assert evidence(talk).find("утром до свидания", "manager").state == "not_found"  # the customer spoke between
    assert evidence(talk).find("я вам пришлю", "customer").state == "wrong_speaker"


def test_a_number_that_goes_over_phrases_is_found_by_its_mask() -> None:
    talk = talk_of(("customer", "пишите 8 926"), ("customer", "123 45 67 это мой"))

    assert evidence(talk).find("[телефон] это мой", "customer").quote == "123 45 67 это мой"
    assert evidence(talk).find("пишите [телефон]", "customer").quote == "пишите 8 926"


_ALPHABET = "абё ёЕ1 2,.!«»-\n\u0301\u200b[]:й🙂½ﬁ_телефон8 926 123-45-67"
_SPEAKERS = ["manager", "customer", "unknown", "bot"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(_SPEAKERS), st.text(_ALPHABET, max_size=30)), max_size=6),
    st.text(_ALPHABET, max_size=20),
    st.sampled_from(["manager", "customer", "anyone"]),
    st.data(),
)
def test_what_is_kept_is_always_a_piece_of_what_that_speaker_said(
    said: list[tuple[str, str]], quote: str, about: str, data: st.DataObject
) -> None:
    talk = talk_of(*said)
    if said and data.draw(st.booleans()):
        whole = masked(talk.phrases, is_call=True)[data.draw(st.integers(0, len(said) - 1))].text
        begin = data.draw(st.integers(0, len(whole)))
        quote = whole[begin : data.draw(st.integers(begin, len(whole)))].upper()

    found = evidence(talk).find(quote, about)  # type: ignore[arg-type]

    if found.state == "verified":
        (phrase,) = [each for each in talk.phrases if each.ref == found.ref]
        assert found.quote and found.quote in phrase.text
        assert found.speaker == phrase.speaker
        assert about in ("anyone", phrase.speaker)
    else:
        assert found.quote is None


@settings(max_examples=200, deadline=None)
@given(st.text("абвг деё.,!ЖЗ", min_size=1, max_size=40), st.data())
def test_whole_words_of_a_phrase_are_always_found(text: str, data: st.DataObject) -> None:
    words = re.findall(r"[^\W_]+", text)
    if not words:
        return
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    phrase = Phrase("7", "manager", text)

    found = Evidence([phrase], [Masked(text, (), {})]).find(" - ".join(words[first : last + 1]), "manager")

    assert found.state == "verified"
    assert re.findall(r"[^\W_]+", found.quote or "") in _windows(words, last - first + 1)


def _windows(words: list[str], length: int) -> list[list[str]]:
    return [words[at : at + length] for at in range(len(words) - length + 1)]
