"""Personal data in talks: what is hidden before a model sees it, and the way back for quotes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.redact import Spot, mask, spots
from conversations.scoring.masking import hidden, masked, origin
from conversations.scoring.shapes import Masked, Phrase
from resources.names import find_names
from tests.unit.reviewing import prepared, shown, talk_of

ROOT = Path(__file__).parents[2]


def of(text: str, *, is_call: bool = True) -> Masked:
    (found,) = masked([Phrase("0", "customer", text)], is_call=is_call)
    return found


@pytest.mark.parametrize(
    ("text", "shown", "counts"),
    [
        ("Мой номер 8 926 123-45-67", "Мой номер [телефон]", {"phone": 1}),
        ("anna@mail.ru и 4111 1111 1111 1111", "[почта] и [карта]", {"email": 1, "card": 1}),
        ("восемь девятьсот двадцать шесть сто двадцать три сорок пять шестьдесят семь", "[телефон]", {"phone": 1}),
        ("плюс семь девять два шесть один два три четыре пять шесть семь", "плюс [телефон]", {"phone": 1}),
        ("Восемь, девятьсот двадцать шесть, 123, сорок пять ноль семь. Жду", "[телефон]. Жду", {"phone": 1}),
        ("8 девятьсот 26 сто двадцать три 45 67", "[телефон]", {"phone": 1}),
        ("карта сорок один одиннадцать 1111 1111 1111", "карта [карта]", {"card": 1}),
        ("сегіз жеті жүз бір екі үш төрт бес алты жеті сегіз", "[телефон]", {"phone": 1}),
        (
            "цена сто пятьдесят, двести, триста двадцать рублей",
            "цена сто пятьдесят, двести, триста двадцать рублей",
            {},
        ),
        ("ИИН 850101300124", "ИИН [документ]", {"document": 1}),
        ("ИИН 850101 300124", "ИИН [документ]", {"document": 1}),
        ("штрихкод 850101300123", "штрихкод 850101300123", {}),  # the digit of control is wrong
        ("трек 991301300123", "трек 991301300123", {}),  # no thirteenth month
        ("🙂🙂", "🙂🙂", {}),
        ("", "", {}),
    ],
)
def test_what_is_hidden(text: str, shown: str, counts: dict[str, int]) -> None:
    found = of(text)

    assert (found.text, found.counts) == (shown, counts)


def test_number_words_are_read_in_calls_only() -> None:
    text = "восемь девятьсот двадцать шесть сто двадцать три сорок пять шестьдесят семь"

    assert of(text, is_call=False).text == text


def test_a_personal_number_by_its_own_definition() -> None:
    # 1-11 weigh the first eleven digits; over eleven, the rest is the twelfth
    digits = "85010130012"
    control = sum(int(digit) * weight for weight, digit in enumerate(digits, start=1)) % 11

    assert control == 4
    for last in range(10):
        assert (of(f"{digits}{last}").counts == {"document": 1}) is (last == control)


def test_a_number_over_several_phrases_is_hidden_in_each() -> None:
    talk = talk_of(
        ("customer", "Запишите: 8 926"),
        ("manager", "Так"),
        ("customer", "сто двадцать три"),
        ("customer", "45 67, это рабочий"),
        ("manager", "45 штук"),
    )

    assert shown(prepared(talk).requests[0]).splitlines() == [
        "[1] Клиент: Запишите: [телефон]",
        "[2] Менеджер: Так",
        "[3] Клиент: [телефон]",
        "[4] Клиент: [телефон], это рабочий",
        "[5] Менеджер: 45 штук",
    ]


def test_numbers_of_two_people_are_not_put_together() -> None:
    talk = talk_of(("customer", "8 926 123"), ("manager", "45 67"))

    assert prepared(talk).masked_items == 0


def test_names_are_hidden_where_they_are_asked_for() -> None:
    talk = talk_of(("manager", "Меня зовут Анна Петрова"), ("customer", "А я Сергей Иванович, 8 926 123-45-67"))
    phrases = talk.phrases

    assert [each.text for each in masked(phrases, find_names)] == [
        "Меня зовут [имя]",
        "А я [имя], [телефон]",
    ]
    assert [each.text for each in masked(phrases)] == ["Меня зовут Анна Петрова", "А я Сергей Иванович, [телефон]"]


def test_a_contact_wins_over_a_name_on_the_same_place() -> None:
    (found,) = masked([Phrase("0", "customer", "anna@mail.ru")], lambda texts: [[(0, 4)] for _ in texts])

    assert (found.text, found.counts) == ("[почта]", {"email": 1})


def test_names_must_be_findable_to_be_hidden() -> None:
    with pytest.raises(ValueError, match="names"):
        prepared(mask_names=True)


def test_names_load_nothing_until_they_are_looked_for() -> None:
    code = "import sys, resources.names; assert not {'natasha', 'numpy', 'navec'} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_long_texts_are_read_for_names_in_pieces() -> None:
    text = "да " * 8_000 + "звонит Анна Петрова"

    assert find_names([text])[0][-1] == (len(text) - len("Анна Петрова"), len(text))


@settings(max_examples=200, deadline=None)
@given(st.text("аб 12.", max_size=30), st.data())
def test_the_way_back_leads_to_the_same_characters(text: str, data: st.DataObject) -> None:
    places = []
    at = 0
    while at < len(text) and data.draw(st.booleans()):
        start = data.draw(st.integers(at, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        places.append(Spot(start, end, data.draw(st.sampled_from(["[имя]", "[телефон]"]))))
        at = end
    found = hidden(text, places)

    # by another way: each character of the masked text with the piece of the original that it stands for
    stands_for: list[tuple[int, int]] = []
    done = 0
    for place in places:
        stands_for += [(n, n + 1) for n in range(done, place.start)] + [(place.start, place.end)] * len(place.word)
        done = place.end
    stands_for += [(n, n + 1) for n in range(done, len(text))]

    assert len(found.text) == len(stands_for)
    assert sum(found.counts.values()) == len(places)
    for start in range(len(found.text)):
        end = data.draw(st.integers(start + 1, len(found.text)))
        assert origin(found, start, end) == (stands_for[start][0], stands_for[end - 1][1])


@given(st.text("8 926123-45+7()аб@mail.ru\n１", max_size=60))
def test_spots_are_what_is_masked_everywhere_else(text: str) -> None:
    assert hidden(text, spots(text)).text == mask(text)


_WORDS = st.sampled_from(["ноль", "один", "два", "двадцать", "сто", "жүз", "8", "926", ",", "так", ".", "девятьсот"])


@settings(deadline=None)
@given(st.lists(_WORDS, max_size=20))
def test_dictated_numbers_leave_the_rest_as_it_is(words: list[str]) -> None:
    text = " ".join(words)
    found = of(text)

    assert origin(found, 0, len(found.text)) == (0, len(text)) if text else found.text == ""
    if not found.counts:
        assert found.text == text
