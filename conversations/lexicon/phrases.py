"""The language in which lexicons say what to look for: a phrase is a row of words.

    сколько стоить        words in this order, each in any form (Russian: by the dictionary, Kazakh: by the stem)
    купить:буд+инф        only these forms (``conversations.lexicon.russian.RESTRICTIONS``)
    =цена                 exactly so; also for words that no dictionary knows
    цен*                  any ending
    цена|прайс            either
    @colours              a set of words from common.yaml
    <размер>              a figure of this kind (``conversations.lexicon.words.CLASSES``)
    есть .. наличие       up to three other words between; ``..5``: up to five
    ^ беру $              nothing (but greetings and fillers) before, after; one sign of the two may stand alone
    оформлять ?           the sentence ends with a question mark

Between the words of a phrase there may always stand fillers (common.yaml: "пожалуйста") and emoji; the end of a
sentence never. Here: parsing alone. Not here: finding (``conversations.lexicon.engine``), files (``.reading``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from conversations.lexicon.russian import RESTRICTIONS, UnknownWord, forms
from conversations.lexicon.words import CLASSES, folded, lower, plain

Language: TypeAlias = Literal["ru", "kk"]
AtomKind: TypeAlias = Literal["form", "prefix", "stem", "folded", "class"]

_GAP = re.compile(r"\.\.(\d?)")
_KAZAKH = re.compile("[әғқңөұүһі]")
_WORD = re.compile(r"[^\W_]+")
_USUAL_GAP = 3


class PhraseError(ValueError):
    """A phrase cannot be read; says what is wrong with it."""


class Atom(NamedTuple):
    """One thing that a single word of a message can be."""

    kind: AtomKind
    value: str


class Phrase(NamedTuple):
    """A row of elements; ``gaps[i]`` other words may stand before element ``i``."""

    text: str
    language: Language
    elements: tuple[frozenset[Atom], ...]
    gaps: tuple[int, ...]
    at_start: bool
    at_end: bool
    asks: bool


def parse(text: str, language: Language, sets: Mapping[str, frozenset[Atom]]) -> Phrase:
    """Read one phrase.

    >>> phrase = parse("есть .. =наличии ?", "ru", {})
    >>> len(phrase.elements), phrase.gaps, phrase.asks
    (2, (0, 3), True)

    Raises:
        PhraseError: the phrase has no words, or a word, set or class that does not exist.
    """
    parts = text.split()
    at_start, at_end, asks = parts[:1] == ["^"], False, False
    parts = parts[at_start:]
    while parts and parts[-1] in ("?", "$"):
        asks, at_end = asks or parts[-1] == "?", at_end or parts[-1] == "$"
        parts.pop()
    elements, gaps, gap = [], [], 0
    for part in parts:
        distance = _GAP.fullmatch(part)
        if distance is not None:
            gap = int(distance[1] or _USUAL_GAP)
            continue
        elements.append(frozenset().union(*(atoms(word, language, sets) for word in part.split("|"))))
        gaps.append(gap)
        gap = 0
    if not elements or gap or gaps[0]:
        raise PhraseError(f"{text!r} must begin and end with a word, not with a gap")
    return Phrase(text, language, tuple(elements), tuple(gaps), at_start, at_end, asks)


def atoms(word: str, language: Language, sets: Mapping[str, frozenset[Atom]]) -> frozenset[Atom]:
    """What one word of a phrase stands for.

    Raises:
        PhraseError: as ``parse``.
    """
    if word.startswith("@"):
        if word[1:] not in sets:
            raise PhraseError(f"there is no set {word}; sets are {', '.join(sorted(sets)) or 'none'}")
        return sets[word[1:]]
    if word.startswith("<") and word.endswith(">"):
        if word[1:-1] not in CLASSES:
            raise PhraseError(f"there is no kind of figure {word}; kinds are {', '.join(CLASSES)}")
        return frozenset({Atom("class", word[1:-1])})
    if not word.strip("=*"):
        raise PhraseError(f"{word!r} is no word")
    is_kazakh = language == "kk" or _KAZAKH.search(lower(word)) is not None
    if word.startswith("="):
        exact = plain(lower(word[1:]))
        return frozenset({Atom("form", exact)} | ({Atom("folded", folded(exact))} if is_kazakh else set()))
    if word.endswith("*"):
        return frozenset({Atom("prefix", folded(lower(word[:-1])) if is_kazakh else plain(lower(word[:-1])))})
    if _WORD.fullmatch(word) is None and ":" not in word:
        if len(word) == 1 and word not in "?^$|.":
            return frozenset({Atom("form", word)})  # ₽, %, +, 🙏
        raise PhraseError(f"{word!r} is no word; a phrase has words, .., |, =, *, @, <>, ^, $ and ?")
    if is_kazakh:
        return frozenset({Atom("stem", folded(lower(word)))})
    return _russian(word)


def _russian(word: str) -> frozenset[Atom]:
    lemma, _, restricted = word.partition(":")
    names = tuple(sorted(restricted.split("+"))) if restricted else ()
    unknown = [name for name in names if name not in RESTRICTIONS]
    if unknown:
        raise PhraseError(f"{word!r}: {unknown[0]!r} is no form; forms are {', '.join(RESTRICTIONS)}")
    try:
        return frozenset(Atom("form", form) for form in forms(plain(lower(lemma)), names))
    except UnknownWord as error:
        raise PhraseError(str(error)) from error
