"""Speaker labels that may be the wrong way round: whoever speaks for the company is the manager.

Here: the words by which a company answers its telephone, in Russian, Kazakh and English, and when they are enough.
Not here: which label of a vendor means whom (each parser's own), what was said otherwise.

A recogniser that takes the channels for one another makes a customer of every manager, and then every mark and every
quote is the wrong person's. Labels are exchanged on strong evidence only:

* the one labelled as the customer speaks for the company in two different ways, one of them as people answer the
  telephone, and the one labelled as the manager in none, nor says who he is;
* anything less that contradicts the labels makes them *doubtful*, and nothing is exchanged;
* a call that we made is never exchanged: whoever answers there speaks for his own company.

"Thank you for calling" counts at the beginning alone: at the end customers say it as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

Speakers: TypeAlias = Literal["as_labelled", "swapped", "doubtful"]
_OPENING = 6
"""Phrases at the beginning, of both."""
_COMPANY = r"(?:компани[яи]|магазин\w*|салон\w*|отдел\w*|офис\w*|служб[аы]|сервис\w*|центр\w*)"


def _words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


_ANSWERS: Final = _words(
    r"\bthank(?:s| you)(?: very much| so much)? for (?:calling|your call|contacting)\b",
    r"\byou(?:'ve| have) reached\b",
    r"\b(?:спасибо|благодар\w+)(?: вам| вас)? за (?:ваш )?(?:звонок|обращение)\b",
    r"\bвы позвонили в\b",
    rf"\b{_COMPANY}\b[^.!?]{{0,60}}\bслушаю\b",
    r"\bқоңырау шал(?:ғаныңыз|ғандарыңыз)ға рахмет\b",
)
"""How a company answers the telephone."""
_SERVES: Final = _words(
    r"\bhow (?:can|may|could) (?:i|we) (?:help|assist)\b",
    r"\b(?:anything|something) else (?:that )?(?:i|we) can (?:help|do|assist)\b",
    r"\bthis call (?:is|may be|will be) (?:being )?recorded\b",
    r"\bчем (?:я |мы )?(?:могу|можем|смогу) (?:я |мы )?(?:вам )?(?:быть )?(?:помочь|полез\w+)\b",
    r"\b(?:могу|можем)(?: ли)?(?: я| мы)?(?: вам)? (?:еще )?(?:чем|что)[- ](?:то|нибудь|либо) (?:еще )?"
    r"(?:помочь|подсказать)\b",
    r"\bразговор(?: может быть)? записыва(?:ется|ют|емся)\b",
    r"\bқалай көмектесе ала(?:мын|мыз)\b",
)
"""What only somebody says who serves others."""
_HANDLES: Final = _words(
    r"\bam i (?:speaking|talking) (?:to|with)\b",
    r"\b(?:it )?says here that\b",
    r"\bi(?:'ll| will| can| am going to)? (?:pull up|look up|check) your (?:account|order|booking)\b",
    r"\bкак (?:я )?(?:могу |можно )?к вам (?:могу )?обращаться\b",
    r"\bвижу (?:ваш|по вашему) (?:заказ|договор|сч[её]т)\b",
    r"\b(?:выставлю|отправлю) вам (?:сч[её]т|коммерческое|накладную)\b",
    r"\bоформ(?:лю|им|ляем)(?: вам| на вас) (?:заказ|заявку|доставку)\b",
)
"""What those who handle a case say; it supports other evidence and is none alone."""
_INTRODUCES: Final = _words(
    r"\bменя зовут\b",
    r"\bвас беспокоит\b",
    rf"\b{_COMPANY}\b",
    r"\bхот(?:им|ел\w*)(?: бы)? (?:вам )?предложить\b",
    r"\bthis is [^.!?]{1,40} (?:from|with|at)\b",
    r"\bi(?:'m| am) calling (?:from|about|regarding)\b",
    r"\bon behalf of\b",
)
"""Who says this may well be the manager that his label says."""


def repaired(
    phrases: Sequence[Mapping[str, Any]], *, direction: Literal["in", "out"] | None = None
) -> tuple[list[dict[str, Any]], Speakers]:
    """The phrases with the labels put right where they are surely wrong, and how it is with them.

    Args:
        phrases: ``speaker`` (manager, customer, unknown) and ``text``; whatever else they have is kept.
        direction: who called, where that is known.

    >>> said = [("customer", "Магазин «Лён», слушаю вас, чем могу помочь?"), ("manager", "Здравствуйте, есть халаты?")]
    >>> phrases, state = repaired([{"speaker": speaker, "text": text} for speaker, text in said])
    >>> state, phrases[0]["speaker"]
    ('swapped', 'manager')
    """
    kept = [dict(phrase) for phrase in phrases]
    answers, serves, handles, introduces = (
        {side: _kinds(kept, side, patterns, limit) for side in ("manager", "customer")}
        for patterns, limit in ((_ANSWERS, _OPENING), (_SERVES, None), (_HANDLES, None), (_INTRODUCES, _OPENING))
    )
    against = answers["customer"] + serves["customer"]
    if not against or not any(phrase["speaker"] == "manager" for phrase in kept):
        # nobody to exchange with: a message left by whoever it was
        return kept, "doubtful" if against else "as_labelled"
    opens = answers["customer"] or _kinds(kept, "customer", _SERVES, _OPENING)
    is_enough = bool(opens) and against + handles["customer"] >= 2
    contradicts = answers["manager"] + serves["manager"] + handles["manager"] + introduces["manager"]
    if not is_enough or contradicts or direction == "out":
        return kept, "doubtful"
    other = {"manager": "customer", "customer": "manager"}
    for phrase in kept:
        phrase["speaker"] = other.get(phrase["speaker"], phrase["speaker"])
    return kept, "swapped"


def _kinds(
    phrases: Sequence[Mapping[str, Any]], side: str, patterns: Sequence[re.Pattern[str]], limit: int | None
) -> int:
    """How many of the patterns the side has said; each counts once."""
    said = [_folded(phrase["text"]) for phrase in phrases[:limit] if phrase["speaker"] == side]
    return sum(any(pattern.search(text) for text in said) for pattern in patterns)


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").replace("’", "'").split())
