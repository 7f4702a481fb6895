"""Masks contacts in what people wrote, before a text leaves the warehouse: phones, e-mails, bank cards.

Here: what counts as a contact in a message. Not here: what stands in the place of one (``conversations.messages``),
secrets in logs (``resources.clients.redact``).

In doubt a number that can be dialled is masked and a number that cannot stays: prices, dates, times, sizes, order
numbers, barcodes and track numbers are what chats are about. Read as a phone is

* a number with ``+`` that the world's numbering plans know;
* eleven digits from 7 or 8 on that are a number of Russia or Kazakhstan, however they are cut, unless cut like a rising
  row of sizes or like thousands of a price;
* ten digits without that prefix: a mobile number cut as people cut one, a fixed one only with brackets or hyphens, and
  neither after a word like "заказ" or "№";
* twelve digits that are a mobile number of a neighbouring country.

A number may go over to the next line once, with ``+`` more often, where one line alone holds none; ten digits without a
prefix may not: prices and sizes stand below one another.

Not masked: names, nicknames, addresses, numbers of documents, local numbers without their area code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from conversations.messages.sheets import Masks

SNIPPET = 280
"""Most characters of a snippet (contract, section 5)."""
_ADDRESS = r"""
    [\w.+-]++ \s? @ \s? (?: [\w-]+ \. )+ [^\W\d_]{2,}
    | [\w.+-]++ \s{0,3} (?: \(at\) | \[at\] | \(собака\) | \bсобака\b ) \s{0,3}
      [\w-]+ (?: \s?\.\s? | \s+точка\s+ ) (?: ru | com | kz | рф | ру | ком | кз | org | net | by | uz ) \b
    """
_EMAIL = re.compile(rf"(?xi) (?<![\w.+-]) (?: {_ADDRESS} )")
_NEXT_EMAIL = re.compile(rf"(?xi) {_ADDRESS}")
"""Right behind another address: "a@mail.ru_b@mail.ru"."""
_RUN = re.compile(r"(?:\+ ?)?\(?\d(?:[ ().\-/_*]{0,4}(?:\r?\n[ ().\-/_*]{0,4})?\d)*")
"""Digits with what people put between them; a colon, a comma or an empty line ends the run: times, decimals."""
_GROUP = re.compile(r"\d+")
_HEX = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}|[0-9a-fA-F]{32,}")
_OF_ORDERS = re.compile(
    r"(?i)(?:заказ\w*|тапсырыс\w*|артикул\w*|арт|трек\w*|накладн\w*|сч[её]т\w*|чек\w*|код|инн|бин|огрн|№|\#)"
    r"[\s.:№\#-]*(?:номер\w*)?[\s.:№\#-]*$"
)
_GLUED = re.compile(r"(?:[A-Za-z=/\#]|[^\W\d_]-)$")
"""A part of an address or of a code with letters."""
_CARDS = re.compile(r"220[0-4]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|35|4|5[0-8]|6")
"""How cards begin: Mir, Mastercard's second range, American Express, JCB, Visa, Mastercard and Maestro, UnionPay."""
_NEIGHBOURS = ("373", "374", "375", "380", "992", "993", "994", "995", "996", "998")
_MOBILE = {(10,), (3, 7), (3, 3, 4), (3, 4, 3), (3, 3, 2, 2), (3, 2, 2, 3), (3, 2, 3, 2)}
_FIXED = {*_MOBILE, (4, 6), (4, 2, 2, 2), (4, 3, 3), (5, 5), (5, 1, 2, 2), (5, 2, 3), (5, 3, 2)}
"""How ten digits without a prefix are cut: their groups."""
_LEAST, _MOST = 10, 19
_MAY_BE_DIGIT = re.compile(r"[^\x00-/:-\x7f\u0400-\u04ff\u00ab\u00bb\u2013\u2014\u2018-\u201f\u2026\u2116]")
"""Digits of all scripts are among these; letters of Russian and Kazakh, what people put between words are not."""


class Spot(NamedTuple):
    """A contact in a text, and the word that stands instead of it."""

    start: int
    end: int
    word: str


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


class _Number(NamedTuple):
    """Some neighbouring groups of one run, read as one number."""

    digits: str
    sizes: tuple[int, ...]
    between: str
    """Everything between its groups, and an opening bracket before them."""
    before: str
    """The text before it, to the length of a few words."""
    has_plus: bool

    @property
    def is_rising(self) -> bool:
        at, values = 0, []
        for size in self.sizes:
            values.append(int(self.digits[at : at + size]))
            at += size
        return all(one < other for one, other in pairwise(values))


def mask(text: str) -> str:
    """Return the text with phones, e-mails and card numbers replaced by words that say what was there.

    >>> mask("Пишите на anna@mail.ru или 8 (926) 123-45-67, карта 4111 1111 1111 1111")
    'Пишите на [почта] или [телефон], карта [карта]'
    >>> mask("Заказ № 1234567 от 16.11.2026: 2 шт по 12 990 ₽, размер 42-44, до 19:00")
    'Заказ № 1234567 от 16.11.2026: 2 шт по 12 990 ₽, размер 42-44, до 19:00'
    """
    parts, done = [], 0
    for start, end, word in spots(text):
        parts += [text[done:start], word]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def spots(text: str) -> list[Spot]:
    """Where the contacts of a text are, in order and apart.

    >>> spots("Пишите на anna@mail.ru")
    [Spot(start=10, end=22, word='[почта]')]
    """
    found: list[Spot] = []
    if "@" in text or "(at)" in text or "[at]" in text or "собака" in text.lower():
        found = _emails(text)
    if not may_hold_number(text):
        return found
    # digits of an address are none of a number
    parts, done = [], 0
    for start, end, _ in found:
        parts += [text[done:start], "]" * (end - start)]
        done = end
    text = "".join([*parts, text[done:]])
    plain, places = _plain(text)
    for start, end, word in _numbers(plain):
        until = places[end - 1] + 1
        # the combining sign of a digit in a box belongs to the digit
        while until < len(text) and _is_silent(text[until]):
            until += 1
        found.append(Spot(places[start], until, word))
    return sorted(found)


def may_hold_number(text: str) -> bool:
    """Whether a text has as many digits, of whichever script, as a number that is masked."""
    # asking every character costs more than all the rest, where there is nothing to find
    return len(_MAY_BE_DIGIT.findall(text)) >= _LEAST and sum(map(str.isdigit, text)) >= _LEAST


def snippet(text: str, longest: int | None = SNIPPET) -> str:
    """The beginning of a text in one line, for people who look at many; the whole without ``longest``.

    Joined, masked, then cut: a phone may stand on two lines, and no half of one stays. Nothing in it is left to mask:
    where the cut would make a contact of what was none, less is shown.

    >>> snippet("Мой номер   8 926\\n123-45-67, звоните", 24)
    'Мой номер [телефон], зв…'
    """
    line = mask(" ".join(text.split()))
    if longest is None or len(line) <= longest:
        return line
    shown = line[: longest - 1]
    if line[longest - 1].isdigit():
        shown = shown.rstrip("0123456789")
    while mask(f"{shown}…") != f"{shown}…":
        shown = shown[: max(shown.rfind(" "), 0)]
    return f"{shown}…"


def _emails(text: str) -> list[Spot]:
    found: list[Spot] = []
    done = 0
    while place := (_NEXT_EMAIL.match(text, done) if done else None) or _EMAIL.search(text, done):
        found.append(Spot(place.start(), place.end(), Masks.EMAIL))
        done = place.end()
    return found


def _plain(text: str) -> tuple[str, list[int]]:
    """The text with its digits, blanks and dashes in their plainest form, and where each character was."""
    plain, places = [], []
    for place, character in enumerate(text):
        if character.isascii():
            plain.append(" " if character == "\t" else character)
        elif _is_silent(character):
            continue
        else:
            plain.append(_plainest(character))
        places.append(place)
    return "".join(plain), places


def _is_silent(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) in ("Cf", "Mn", "Me")


def _plainest(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    return {"＋": "+", "（": "(", "）": ")", "．": ".", "·": ".", "•": ".", "／": "/"}.get(character, character)


def _numbers(plain: str) -> Iterator[tuple[int, int, str]]:
    """What is masked, from left to right: begin, end, the word instead."""
    plain = _HEX.sub(lambda found: "x" * len(found[0]), plain)
    for run in _RUN.finditer(plain):
        groups = [_Group(*found.span(), found[0]) for found in _GROUP.finditer(plain, run.start(), run.end())]
        at = 0
        while at < len(groups):
            found = _longest(plain, run.start(), groups, at)
            if found is None:
                at += 1
                continue
            start, until, word = found
            yield start, groups[until - 1].end, word
            at = until


def _longest(plain: str, run_start: int, groups: Sequence[_Group], at: int) -> tuple[int, int, str] | None:
    """The most groups from ``at`` on that are a contact together: begin, number of the group after them, the word."""
    start = _with_signs(plain, max(run_start, groups[at - 1].end if at else 0), groups[at].start)
    lead = plain[start : groups[at].start]
    has_plus = "+" in lead
    digits, reach = "", []
    for until in range(at, len(groups)):
        digits += groups[until].digits
        if len(digits) > _MOST:
            break
        if len(digits) >= _LEAST and (has_plus or _may_be(digits, until + 1 - at)):
            reach.append((until + 1, digits))
    breaks = plain.count("\n", groups[at].start, groups[reach[-1][0] - 1].end) if reach else 0
    ways = [(True, False), *([(False, False)] if has_plus else []), *([(True, True)] if breaks else [])]
    for is_strict, is_broken in ways:
        for until, read in reversed(reach):
            taken = groups[at:until]
            gaps = [plain[one.end : other.start] for one, other in pairwise(taken)]
            between = "".join(gaps)
            if is_broken is not ("\n" in between):
                continue
            if is_broken and not has_plus and _is_column(read, taken, gaps):
                continue
            number = _Number(
                read, tuple(len(group.digits) for group in taken), lead + between, plain[max(0, start - 32) : start],
                has_plus,
            )  # fmt: skip
            if word := _word(number, is_strict=is_strict):
                # a bracket that is closed after the number belongs to the sentence
                opened = 0 if ")" in between else len(lead) - len(lead.lstrip("( "))
                return start + opened, until, word
    return None


def _is_column(digits: str, groups: Sequence[_Group], gaps: Sequence[str]) -> bool:
    """Whether numbers on several lines stand below one another rather than go over to the next: prices, sizes."""
    begins = [len(after.digits) for gap, after in zip(gaps, groups[1:], strict=True) if "\n" in gap]
    return len(digits) == 10 or len(begins) > 1 or begins == [1]


def _may_be(digits: str, groups: int) -> bool:
    """A first look at a number without a plus, cheap enough for a text that is nothing but digits."""
    match len(digits):
        case 10:
            return digits[0] in "34789" and groups <= 4
        case 11:
            return digits[0] in "78"
        case 12:
            return digits.startswith(_NEIGHBOURS)
        case 15 | 16 | 18 | 19:
            return groups <= 5 and digits[0] in "23456"
    return False


def _with_signs(plain: str, earliest: int, start: int) -> int:
    """Where a number begins with the plus and the bracket before its first digit."""
    while start > earliest and plain[start - 1] in "+( ":
        start -= 1
    while plain[start] == " ":
        start += 1
    return start


def _word(number: _Number, *, is_strict: bool) -> str | None:
    if number.has_plus:
        return Masks.PHONE if _is_abroad(number.digits, is_strict=is_strict) else None
    if _is_card(number):
        return Masks.CARD
    return Masks.PHONE if _is_phone(number) else None


def _is_phone(number: _Number) -> bool:
    digits, sizes = number.digits, number.sizes
    if len(digits) == 11 and digits[0] in "78":
        if sizes[0] == 2 and set(sizes[1:]) == {3}:
            return False
        is_cut_as_usual = sizes[0] in (4, 5, 6, 7, 11) or (sizes[0] == 1 and sizes[1] in (3, 4, 5, 7, 10))
        if not is_cut_as_usual and number.is_rising:
            return False
        kind = _kind("7" + digits[1:])
        return kind == "mobile" or (kind == "fixed" and is_cut_as_usual)
    if _OF_ORDERS.search(number.before) or _GLUED.search(number.before):
        return False
    if len(digits) == 10 and sizes in _FIXED:
        kind = _kind("7" + digits)
        if kind == "mobile":
            return sizes in _MOBILE
        return kind == "fixed" and sizes != (10,) and ("(" in number.between or "-" in number.between)
    if len(digits) == 12 and digits.startswith(_NEIGHBOURS) and sizes[0] in (3, 5, 12):
        return _kind(digits) == "mobile"
    return False


def _is_card(number: _Number) -> bool:
    digits, sizes = number.digits, number.sizes
    if len(digits) not in (15, 16, 18, 19) or not _CARDS.match(digits):
        return False
    if len(sizes) > 1 and sizes[:3] != (4, 4, 4) and sizes != (4, 6, 5):
        return False
    if len(sizes) == 4 and all(digits[at] == "0" for at in (3, 7, 11, 15) if at < len(digits)):
        return False  # four round prices
    values = [int(digit) for digit in digits]
    doubled = (value * 2 - 9 if value > 4 else value * 2 for value in values[-2::-2])
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0


def _kind(digits: str) -> str | None:
    """``mobile`` or ``fixed`` (everything else that can be dialled), by the numbering plan; ``None``: no number."""
    import phonenumbers

    number = phonenumbers.parse(f"+{digits}")
    if not phonenumbers.is_valid_number(number):
        return None
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return "mobile" if phonenumbers.number_type(number) in mobile else "fixed"


def _is_abroad(digits: str, *, is_strict: bool) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) if is_strict else phonenumbers.is_possible_number(number)
