"""Texts of messages without contacts: a corpus of spellings that go, one of numbers that stay, and properties.

The phones are invented: numbers are drawn inside ranges of mobile operators, cards are made valid by their check digit.
"""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.redact import mask, snippet

PHONE, EMAIL, CARD = "[телефон]", "[почта]", "[карта]"

PHONES = [
    "+79261234567", "+7 926 123 45 67", "+7 (926) 123-45-67", "+7(926)123-45-67", "+7-926-123-45-67",
    "+7.926.123.45.67", "+ 7 926 123 45 67", "+7 926 1234567", "+7 926 123 4567", "+(7) 926 123-45-67",
    "89261234567", "8 926 123 45 67", "8-926-123-45-67", "8(926)123-45-67", "8 (926) 123 45 67", "8(926)1234567",
    "8926 123 45 67", "8926 1234567", "8926-123-45-67", "8 9261234567", "8 92 61 23 45 67", "8.926.123.45.67",
    "8/926/123/45/67", "8_926_123_45_67", "8 926 123-4567", "8 9 2 6 1 2 3 4 5 6 7", "8-9-2-6-1-2-3-4-5-6-7",
    "79261234567", "7 926 123 45 67", "7(926)1234567", "9261234567", "926 123 45 67", "926-123-45-67",
    "(926) 123-45-67", "926 1234567", "926 123 4567", "+7\u00a0926\u00a0123\u00a045\u00a067",
    "+7\u202f926\u202f123–45–67", "8 926 123—45—67", "8\u200b926\u200b123\u200b45\u200b67", "８９２６１２３４５６７",
    "＋７（９２６）１２３－４５－６７", "8️⃣9️⃣2️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "٨٩٢٦١٢٣٤٥٦٧", "8\t926\t123\t45\t67",
    # Kazakhstan
    "+77011234567", "+7 701 123 45 67", "+7 (701) 123-45-67", "87011234567", "8 701 123 45 67", "8 (701) 123-45-67",
    "8-701-123-45-67", "8701 123 45 67", "77011234567", "7011234567", "701 123 45 67", "8 747 123 45 67",
    "+7 777 123 45 67", "8(775)1234567", "8 708 123 4567", "+7 7172 12 34 56", "8 (7172) 12-34-56", "8 7172 123456",
    "+7 (727) 312-34-56", "8 727 312 34 56", "(727) 312-34-56",
    # fixed lines and the neighbours
    "+7 495 123-45-67", "8 (495) 123-45-67", "8 495 123 45 67", "84951234567", "(495) 123-45-67", "495-123-45-67",
    "8 800 555 35 35", "8-800-555-35-35", "+375 29 123-45-67", "375291234567", "+998 90 123 45 67", "998901234567",
    "+996 555 123 456", "+992 90 123 4567", "+380 50 123 45 67", "+49 30 1234567", "+1 212 555 0123",
    "+90 532 123 45 67", "+44 20 7946 0958",
]  # fmt: skip
EMAILS = [
    "anna@mail.ru", "anna.petrova+shop@mail.example.ru", "ANNA_P@GMAIL.COM", "a-b.c@sub.domain.kz", "почта@пример.рф",
    "anna @ mail.ru", "anna@ mail.ru", "anna(at)mail.ru", "anna [at] mail.ru", "anna собака mail.ru",
    "anna собака mail точка ru", "anna.p СОБАКА Mail.Ru", "1234567890@mail.ru",
]  # fmt: skip
STAY = [
    # prices
    "12 990 ₽", "12990 руб.", "1 234 567 тг", "9 261 234 567 ₸", "79 261 234 567 ₸", "от 3 500 до 12 000 тенге",
    "3500-12000 руб", "12.990,50 ₽", "8 900 000 тг", "1 500/2 500/3 500", "цены 4500 5200 4800 3900",
    "скидка 15% с 10 000 до 8 500", "990, 1290, 1490, 1990", "1490+290+350=2130", "аванс 5000000 из 12000000",
    "12'990 ₽", "12\u202f990\u202f₽", "2 x 4 990 = 9 980", "8 990 руб 12 шт", "8 шт по 926 руб, 7 шт по 701",
    # dates and times
    "16.11.2026", "16.11.2026 17.11.2026", "2026-11-16 14:30:00", "16/11/2026", "с 09.11 по 15.11.2026",
    "08.12.2026 в 19:00", "2026-11-16T14:30:00+03:00", "пн-пт 09:00-18:00, сб 10-15", "20261116 143000",
    "01.01.2026-31.12.2026", "16-11-2026 10 30", "8.12 9.12 10.12 11.12", "1717171717", "1763290000000",
    # numbers of orders, goods, parcels, organisations
    "заказ 1234567", "№ 1234567", "№100234/26", "заказ № 9261234567", "заказ 9261234567", "Заказ: 7011234567",
    "Тапсырыс 7011234567", "артикул 9261234567", "арт. 9261234567", "трек 80084123456786", "RA123456789RU",
    "ORD-9261234567", "A-104523", "A-20261116-0042", "1234C", "0042-0001-1", "12345678-0001-1",
    "ИНН 7715123456", "БИН 990140000385", "р/с 40817810099910004312", "4607012345678", "EAN 4600000000008",
    "https://shop.ru/p/9261234567", "https://shop.ru/?id=9261234567&n=2", "550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e", "IMG_20261116_143000.jpg", "43.238949, 76.889709", "v2.11.16.2026",
    # sizes, quantities, codes
    "размер 42-44", "42 44 46 48 50", "размеры: 42 44 46 48 50 52", "92 98 104 110 116", "8 92 98 104 110",
    "7 92 98 104 110", "90x60x90", "90-60-90", "150*200*40", "10-12 лет", "200х220 см", "44/46/48/50/52/54",
    "код 1234", "код 123456", "4 и 8 штук", "1 2 3 4 5 6 7 8", "10 11 12 13 14 15", "до 5 кг", "кв. 12, дом 8, этаж 3",
    "123-45-67", "22-33-44", "2+2=4", "t° 36.6", "100%", "5*****",
    # cards that no bank made, and what only looks like one
    "4111 1111 1111 1112", "1234 5678 9012 3456", "0000 0000 0000 0000", "•• 4242", "*4242", "карта 4242",
    # words with @ or without anything
    "@anna_shop", "встреча @ 10", "собака лает, караван идёт", "a@b", "Здравствуйте! Сколько стоит?", "", " ", "👍",
    "Сәлеметсіз бе! Бағасы қанша?",
]  # fmt: skip
CARDS = ["4111 1111 1111 1111", "4111111111111111", "4111-1111-1111-1111", "5500 0055 5555 5559", "378282246310005",
         "3782 822463 10005", "2200 0000 0000 0004", "6200000000000005",
         "4111\u00a01111\u00a01111\u00a01111"]  # fmt: skip
AROUND = ["{}", "Мой номер {} звоните", "тел.{}", "тел {},", "({})", "{}, {}", "Заказ 12345, {}", "в 19:00 {} жду",
          "размер 42 {}", "«{}»", "до 12.11 {}", "{}\n12 990 ₽", "звоните:{}!",
          "Менің нөмірім {} қоңырау шалыңыз"]  # fmt: skip


def of(word: str, around: str, value: str) -> tuple[str, str]:
    return mask(around.replace("{}", value)), around.replace("{}", word)


@pytest.mark.parametrize("around", AROUND)
def test_a_phone_goes_however_it_is_written_and_the_rest_stays(around: str) -> None:
    found = {phone: of(PHONE, around, phone) for phone in PHONES}
    # a sign around it may go as well: it belongs to the number as much as to the sentence
    assert {phone: got for phone, (got, want) in found.items() if _loose(got) != _loose(want)} == {}


def _loose(text: str) -> str:
    return re.sub(r"[()\s]", "", text)


@pytest.mark.parametrize("around", AROUND)
def test_an_e_mail_and_a_card_go(around: str) -> None:
    if around == "тел.{}":
        around = "карта {}"  # what stands before an e-mail without a blank belongs to it
    for word, values in ((EMAIL, EMAILS), (CARD, CARDS)):
        found = {value: of(word, around, value) for value in values}
        assert {value: got for value, (got, want) in found.items() if got != want} == {}


@pytest.mark.parametrize("text", STAY)
def test_what_is_no_contact_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


def test_several_contacts_in_one_text() -> None:
    said = "Анна, +7 926 123-45-67 (Москва), 8 701 123 45 67 (Алматы), anna@mail.ru; карта 4111 1111 1111 1111, 2 990 ₽"
    assert mask(said) == f"Анна, {PHONE} (Москва), {PHONE} (Алматы), {EMAIL}; карта {CARD}, 2 990 ₽"
    assert mask("89261234567 89037654321\n8 701 123 45 67/8 702 123 45 67") == f"{PHONE} {PHONE}\n{PHONE}/{PHONE}"
    assert mask("заказ 12345 8 926 123 45 67 15 шт") == f"заказ 12345 {PHONE} 15 шт"


@pytest.mark.parametrize(
    "phone",
    ["8 926\n123-45-67", "+7 705\n123 45 67", "8 (926)\r\n123-45-67", "+7\n926\n123 45\n67", "8926123\n4567",
     "8 926 123 45\n 67", "375 29\n1234567"],
)  # fmt: skip
def test_a_phone_may_go_over_to_the_next_line(phone: str) -> None:
    for around in ("{}", "Мой номер:\n{}\nзвоните", "Заказ 12345\n\n{}, {}"):
        got, want = of(PHONE, around, phone)
        assert got == want
        assert snippet(around.replace("{}", phone)) == " ".join(want.split())


@pytest.mark.parametrize(
    "text",
    ["8 990\n12 990\n3 500", "926\n1234567", "заказ\n9261234567", "42\n44\n46\n48\n50\n52", "8 926\n\n123-45-67",
     "8\n926\n123\n45\n67", "2 шт 12 990 ₽\n89 ₽", "990 500\n3000", "16.11.2026\n17.11.2026", "7 900\n8 500 000"],
)  # fmt: skip
def test_rows_of_numbers_stay(text: str) -> None:
    assert mask(text) == text


def test_a_number_that_ends_with_its_line_takes_nothing_of_the_next() -> None:
    assert mask("+7 926 123 45 67\n12 990 ₽") == f"{PHONE}\n12 990 ₽"
    assert mask("8 926 123 45 67\n8 705 123\n45 67") == f"{PHONE}\n{PHONE}"


def test_a_snippet_is_cut_so_that_nothing_in_it_is_a_contact() -> None:
    text = "x" * 267 + " 892612345678901"
    assert mask(text) == text and snippet(text) == "x" * 267 + " …"
    assert snippet("слово " * 60) == "слово " * 46 + "сло…"
    assert snippet("9" * 400) == "…"


PIECES = st.sampled_from(
    ["8 926\n123-45-67", "+7 705\n123 45 67", "892612345678901", "8 926", "\n", " ", "45 67", "4111 1111", "1111\n1111",
     "\r\n", "anna@mail.ru", "anna@mail.r", "u", "x", "слово ", "12 990 ₽", "9", "8", "+", "(", ")", "-", "\u2028"]
)  # fmt: skip


@settings(max_examples=500)
@given(
    st.one_of(
        st.lists(PIECES, max_size=40).map("".join),
        st.text(alphabet="0123456789789 \n+-()x", max_size=400),
    ),
    st.one_of(st.none(), st.integers(1, 300)),
)
def test_nothing_is_left_to_mask_in_a_snippet(text: str, longest: int | None) -> None:
    shown = snippet(text, longest)
    assert mask(shown) == shown and "\n" not in shown
    assert longest is None or len(shown) <= longest


def test_addresses_glued_to_one_another_all_go() -> None:
    first, second = "anna@mail.ru", "boris@mail.kz"
    assert mask(f"{first}_{second}-{first}+1{second}.") == f"{EMAIL * 4}."
    assert mask(f"{first}_boris собака mail.kz {second}") == f"{EMAIL * 2} {EMAIL}"


MOBILE = st.one_of(
    st.builds("9{:02d}{:07d}".format, st.integers(0, 99), st.integers(0, 9_999_999)),
    st.builds("{}{:07d}".format, st.sampled_from([700, 701, 702, 705, 707, 747, 771, 775, 776, 777, 778]),
              st.integers(0, 9_999_999)),
)  # fmt: skip
BLANK = st.sampled_from(["", " ", "-", ".", "\u00a0", " - ", "–"])
WORDS = st.text(alphabet="абвгде жзиклмн, ёқңғүұі!?", max_size=30)
LETTERS = st.text(alphabet=st.characters(categories=["L", "P", "S", "Zs"], exclude_characters="@"), max_size=60)


@given(WORDS, st.sampled_from(["+7", "8", "7"]), MOBILE, BLANK, BLANK, BLANK, BLANK, WORDS)
def test_any_mobile_number_with_its_prefix_leaves_no_digit(
    before: str, prefix: str, number: str, a: str, b: str, c: str, d: str, after: str
) -> None:
    written = f"{prefix}{a}{number[:3]}{b}{number[3:6]}{c}{number[6:8]}{d}{number[8:]}"
    got = mask(f"{before} {written} {after}")
    assert got == f"{before} {PHONE} {after}"
    assert not re.search(r"\d", got)


@given(WORDS, st.integers(0, 9_999_999), st.sampled_from(["", " ", "\u00a0", "\u202f"]), WORDS)
def test_any_price_stays(before: str, price: int, blank: str, after: str) -> None:
    said = f"{before} {price:,} ₽ {after}".replace(",", blank)
    assert mask(said) == said


@given(st.dates(), st.times(), st.sampled_from(["%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%d-%m-%Y %H %M"]))
def test_any_date_stays(day, clock, form: str) -> None:  # type: ignore[no-untyped-def]
    from datetime import datetime

    day = day.replace(year=1900 + day.year % 200)
    said = f"до {datetime.combine(day, clock).strftime(form)} или 31.12.2026"
    assert mask(said) == said


@given(st.lists(st.integers(1, 99), min_size=1, max_size=12).map(sorted))
def test_any_rising_row_of_sizes_stays(sizes: list[int]) -> None:
    said = "размеры " + " ".join(str(size) for size in dict.fromkeys(sizes))
    assert mask(said) == said


@given(st.lists(st.integers(1, 9_999), min_size=1, max_size=8))
def test_any_list_with_commas_stays(numbers: list[int]) -> None:
    said = ", ".join(map(str, numbers))
    assert mask(said) == said


@given(st.from_regex(r"[a-z][a-z0-9._-]{0,20}@[a-z][a-z0-9-]{0,20}\.(ru|com|kz)", fullmatch=True), WORDS)
def test_any_e_mail_goes(address: str, after: str) -> None:
    assert mask(f"почта {address} {after}") == f"почта {EMAIL} {after}"


@given(st.sampled_from(["220", "4", "51", "55", "62"]), st.integers(0, 10**15 - 1), st.sampled_from(["", " ", "-"]))
def test_any_card_goes_with_its_check_digit_and_stays_without(begin: str, rest: int, blank: str) -> None:
    if begin == "220":
        begin = f"220{rest % 5}"
    body = (begin + f"{rest:015d}")[:15]
    card = body + _check_digit(body)
    wrong = body + str((int(card[-1]) + 1) % 10)
    groups = blank.join(card[at : at + 4] for at in range(0, 16, 4))
    is_row_of_prices = blank and all(card[at] == "0" for at in (3, 7, 11, 15))
    assert (mask(f"на {groups} пожалуйста") == f"на {CARD} пожалуйста") is not is_row_of_prices
    assert CARD not in mask(wrong)


def _check_digit(body: str) -> str:
    """By the table of doubled digits, from the right: not the way the code counts."""
    table = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    total = sum(table[int(d)] if at % 2 == 0 else int(d) for at, d in enumerate(reversed(body)))
    return str(-total % 10)


@given(LETTERS)
def test_a_text_without_digits_and_addresses_stays(text: str) -> None:
    if "собака" not in text.lower() and not any(unicodedata.digit(one, None) is not None for one in text):
        assert mask(text) == text


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(alphabet="0123456789789+-() ./@аяaz№\n\u200b٣", max_size=80),
        st.lists(
            st.sampled_from(["anna@mail.ru", "89261234567", " ", "_", "-", ".", "+7", "собака", "@", "b.kz", "67"]),
            max_size=9,
        ).map("".join),
    )
)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 200_000, "1 " * 100_000, "4 " * 100_000, "a" * 200_000, "a." * 100_000 + "@", "+(" * 100_000,
        "8 926 123 45 67 " * 5_000, "anna собака " * 10_000, "a@b-" * 50_000,
        "a@b.ru_" * 30_000,
    ],
)  # fmt: skip
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    begun = time.process_time()
    mask(text)
    assert time.process_time() - begun < 5
