"""All forms of Russian words by the OpenCorpora dictionary (pymorphy3).

Here: from the first form of a word, as a lexicon names it, to every form in which people write it. The forms are worked
out once, when a lexicon is compiled; a message is then looked up in a table, so that no word of it is ever parsed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

RESTRICTIONS = {
    "инф": frozenset({"INFN"}),
    "буд": frozenset({"futr"}),
    "наст": frozenset({"pres"}),
    "прош": frozenset({"past"}),
    "пов": frozenset({"impr"}),
    "прич": frozenset({"PRTF", "PRTS"}),
    "ед": frozenset({"sing"}),
    "мн": frozenset({"plur"}),
    "я": frozenset({"1per"}),
    "вы": frozenset({"2per"}),
    "он": frozenset({"3per"}),
}
"""What may stand after a colon: only these forms of the word (any one of several)."""

_WITHOUT_ASKING = frozenset({"PRTF", "PRTS", "GRND"})
_MOST_WORDS = 4096


class UnknownWord(ValueError):
    """The dictionary has no such word, or the word is not in its first form; says what to write instead."""


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    # a seventh of a second and 30 MB: only who compiles a lexicon pays it
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(maxsize=_MOST_WORDS)
def forms(lemma: str, restrictions: tuple[str, ...] = ()) -> frozenset[str]:
    """Every form of a word, in lower case, ё as е; participles only where they are asked for.

    >>> sorted(forms("цена"))[:4], sorted(forms("купить", ("буд", "инф")))[:3]
    (['цен', 'цена', 'ценам', 'ценами'], ['купим', 'купит', 'купите'])

    Raises:
        UnknownWord: the dictionary does not know the word, or knows it only as a form of another.
    """
    plain = lemma.replace("ё", "е")
    parses = [parse for parse in _dictionary().parse(lemma) if parse.is_known]
    mine = [parse for parse in parses if parse.normal_form.replace("ё", "е") == plain]
    if not mine:
        if parses:
            raise UnknownWord(
                f"{lemma!r} is a form of {parses[0].normal_form!r}: write that, or ={lemma} for this form"
            )
        raise UnknownWord(f"{lemma!r} is not in the dictionary: write ={lemma} or the beginning with * ({lemma[:4]}*)")
    wanted = [RESTRICTIONS[name] for name in restrictions]
    found = {
        form.word.replace("ё", "е")
        for parse in mine
        for form in parse.lexeme
        if (_fits(form.tag.grammemes, wanted) if wanted else form.tag.POS not in _WITHOUT_ASKING)
    }
    if not found:
        raise UnknownWord(f"{lemma!r} has no form {'+'.join(restrictions)}")
    return frozenset(found)


def _fits(grammemes: frozenset[str], wanted: list[frozenset[str]]) -> bool:
    return any(grammemes & one for one in wanted) and (
        not grammemes & _WITHOUT_ASKING or RESTRICTIONS["прич"] in wanted
    )


@lru_cache(maxsize=_MOST_WORDS)
def is_first_name(word: str) -> bool:
    """Whether a word is a first name as people say it of themselves.

    >>> [is_first_name(word) for word in ("Анна", "Анной", "компания")]
    [True, False, False]
    """
    parses = _dictionary().parse(word.lower())
    return any(parse.is_known and {"Name", "nomn", "sing"} <= parse.tag.grammemes for parse in parses)
