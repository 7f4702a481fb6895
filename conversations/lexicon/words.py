"""Cuts a message into words and brings each word to the form in which lexicons look it up.

Here: tokens with their places in the text, one spelling for what looks or sounds the same, what kind a figure is. Not
here: forms of Russian words (``conversations.lexicon.russian``), Kazakh endings (``.kazakh``), which words count (the
data files).
"""

from __future__ import annotations

import re
import unicodedata

TOKEN = re.compile(
    r"https?://\S+|www\.\S+"
    r"|\d+(?:[.,:/*хx-]\d+)*[^\W\d_]*"
    r"|[^\W\d_]+"
    r"|[₽₸$€%№+]"
    r"|[.!?…;\n]+"
    r"|[^\w\s]"
)
"""Links, figures with what is glued to them, words, signs of money, ends of sentences, everything else (emoji) singly.
Commas, hyphens, colons and quotes are tokens too; the engine reads over them."""

_REPEATED = re.compile(r"(.)\1+")
_THRICE = re.compile(r"([^\W\d_])\1{2,}")
_CYRILLIC = re.compile("[а-яёәғқңөұүһі]")
_LATIN = re.compile("[a-z]")
_LOOKS_LIKE = str.maketrans("abcehikmnoprtuxy", "авсенікмпоргтихү".replace("ү", "у"))
# ü, ö and the like come from keyboards of other Turkic languages
_KAZAKH_LATIN = str.maketrans("äğñöūüşı", "әғңөұүші")
_FOLDED = str.maketrans("әғқңөұүһіыэ", "агкноуухиие")

_MONEY = re.compile(r"\d+(?:[.,]\d+)?(?:к|k|т|тр|тыс|тысяч|тг|тнг|тенге|теңге|р|руб|рублей|мың|мын)")
_TIME = re.compile(r"(?:[01]?\d|2[0-4])[:.][0-5]\d")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_LETTER_SIZE = re.compile(r"(?:\d|x{1,4})?[xх]?(?:xs|xl|хл|хс)|xs|s|m|l")
_SIZE_RANGE = re.compile(r"[1-7]\d[-/][1-7]\d")
_ORDINAL = re.compile(r"(\d{2})(?:й|ый|ой|го|ого|ого|му|ому|м|ом|е|ые|х)")

CLASSES = ("число", "сумма", "деньги", "размер", "время", "ссылка", "артикул")
"""What ``<...>`` in a phrase may ask of a figure:

число: any figure; сумма: a bare figure that looks like a price (tens, three digits and more); деньги: a figure with its
currency or thousands glued to it (5к, 500р, 9мың); размер: a size (15 to 74, XS to 6XL, 40-42); время: 15:00;
ссылка: a link; артикул: letters glued to a figure (r16, 5w30 have it the other way round: число).
"""

FOLDED_KINDS = ("?", ".")


def lower(text: str) -> str:
    """Lower case of the same length, so that places in it are places in the text.

    >>> lower("İСТАНБУЛ Ё"), len(lower("İ"))
    ('İстанбул ё', 1)
    """
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(small if len(small := one.lower()) == 1 else one for one in text)


def plain(word: str) -> str:
    """One spelling of a lower-case word: ё as е, Latin look-alikes among Cyrillic letters, letters drawn out.

    >>> [plain(word) for word in ("ёлка", "cтoит", "стоииит", "xl", "ценаа")]
    ['елка', 'стоит', 'стоит', 'xl', 'ценаа']
    """
    word = unicodedata.normalize("NFC", word).replace("ё", "е").replace("\u00ad", "")
    if _LATIN.search(word) and _CYRILLIC.search(word):
        word = word.translate(_LOOKS_LIKE)
    return _THRICE.sub(r"\1", word)


def squeezed(word: str) -> str:
    """Without any doubled letter: where "ценаа" and "расрочка" meet "цена" and "рассрочка".

    >>> squeezed("рассрочка"), squeezed("ценаа")
    ('расрочка', 'цена')
    """
    return _REPEATED.sub(r"\1", word)


def folded(word: str) -> str:
    """A Kazakh word as it looks when typed with Russian letters; vowels that are then mixed up become one.

    >>> folded("бағасы"), folded("багасы"), folded("жеткізу"), folded("жеткызу")
    ('багаси', 'багаси', 'жеткизу', 'жеткизу')
    """
    return word.translate(_KAZAKH_LATIN).translate(_FOLDED)


def classes(word: str) -> tuple[str, ...]:
    """Which of ``CLASSES`` a lower-case token is.

    >>> [classes(word) for word in ("42", "8990", "5к", "15:00", "xl", "куртка", "https://example.org/1")]
    [('число', 'размер'), ('число', 'сумма'), ('деньги',), ('время',), ('размер',), (), ('ссылка',)]
    """
    if word.startswith(("http://", "https://", "www.")):
        return ("ссылка",)
    if not word[0].isdigit():
        return ("размер",) if _LETTER_SIZE.fullmatch(word) else ()
    if _MONEY.fullmatch(word):
        return ("деньги",)
    if _TIME.fullmatch(word):
        return ("время",)
    if _LETTER_SIZE.fullmatch(word) or _SIZE_RANGE.fullmatch(word):
        return ("размер",)
    ordinal = _ORDINAL.fullmatch(word)
    if ordinal is not None:
        return ("размер",) if _is_size(ordinal[1]) else ()
    if word.isdecimal():
        if len(word) <= 2 and _is_size(word):
            return ("число", "размер")
        if 3 <= len(word) <= 7 and word[-1] == "0":
            return ("число", "сумма")
        return ("число",)
    if _THOUSANDS.fullmatch(word):
        return ("число", "сумма")
    return ("артикул",) if word[-1].isalpha() else ("число",)


def _is_size(digits: str) -> bool:
    return 15 <= int(digits) <= 74
