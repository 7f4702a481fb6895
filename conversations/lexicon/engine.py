"""Finds what a message says: intents, each with the entry that saw it and the place in the text.

Here: matching. Not here: what is looked for (data files), whose metric needs it (``conversations`` rules above this).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple, Self, TypeAlias

from conversations.lexicon.reading import SPEECH, Side, Source, read
from conversations.lexicon.tables import (
    END,
    NEGATES_AFTER,
    NEGATES_BEFORE,
    QUESTION,
    SKIPPED,
    WORD,
    Row,
    Rule,
    Tables,
    Word,
)
from conversations.lexicon.words import TOKEN, lower

_REMEMBERED = 200_000
_NO_ELEMENTS: frozenset[int] = frozenset()
_DEFAULT = Path(__file__).parent / "data"
_SPEECH = Path(__file__).parent / "speech"


class Hit(NamedTuple):
    """Evidence for an intent: ``text[start:end]`` is what was read as ``phrase`` of ``entry``."""

    intent: str
    entry: str
    phrase: str
    start: int
    end: int


class _Found(NamedTuple):
    row: Row
    first: int
    last: int


_Kept: TypeAlias = tuple[Rule, _Found]
Place: TypeAlias = tuple[str, int, int]
"""An intent with the numbers of the first and the last word that show it."""


class Lexicon:
    """Knows all lexicons of a folder. Compiled once; then a message costs one look-up a word, and little more where a
    phrase may begin. Safe to share between threads.

    >>> lexicon = Lexicon.default()
    >>> hits = lexicon.find("скажите пожалуйста, скок стоит куртка?", "customer")
    >>> [(hit.intent, "скажите пожалуйста, скок стоит куртка?"[hit.start : hit.end]) for hit in hits]
    [('price', 'скок стоит')]
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.hash = source.hash
        """SHA-256 of everything that the files say, 64 hex digits; to be stored with what was judged by them."""
        self._known: dict[str, Word] = {}

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read and compile a folder.

        Raises:
            LexiconError: the folder cannot be used; names file, entry and what is wrong.
        """
        lexicon = cls(read(Path(folder)))
        lexicon._tables  # noqa: B018 - what is wrong in a phrase is said here
        return lexicon

    @classmethod
    def default(cls) -> Lexicon:
        """The lexicons that come with the product; compiled once in a process, when the first message is read."""
        return _default()

    @classmethod
    def speech(cls) -> Lexicon:
        """What scoring looks for beside the intents: greetings, rudeness, voice mail, orders to the judge."""
        return _speech()

    @cached_property
    def _tables(self) -> Tables:
        """Half a second of CPU: not spent where there is nothing to read."""
        return Tables(self.source)

    def intents(self, text: str | None, side: Side) -> frozenset[str]:
        """The intents of one message."""
        return frozenset([intent for intent, _, _ in self.places(text, side)])

    def places(self, text: str | None, side: Side) -> list[Place]:
        """The evidence in one message by words instead of letters and in no order: a third cheaper than ``find``."""
        if not text:
            return []
        tokens = TOKEN.findall(lower(text))
        return [(rule.intent, found.first, found.last) for rule, found in self._kept(tokens, side)]

    def find(self, text: str | None, side: Side) -> tuple[Hit, ...]:
        """All evidence in one message, in the order of the text."""
        if not text:
            return ()
        low = lower(text)
        tokens = TOKEN.findall(low)
        kept = self._kept(tokens, side)
        if not kept:
            return ()
        starts = _starts(low, tokens)
        hits = [
            Hit(
                rule.intent,
                rule.name,
                found.row.text,
                starts[found.first],
                starts[found.last] + len(tokens[found.last]),
            )
            for rule, found in kept
        ]
        return tuple(hits) if len(hits) == 1 else tuple(sorted(hits, key=_place))

    def _kept(self, tokens: list[str], side: Side) -> list[_Kept]:
        """What counts as evidence, entry by entry."""
        known = self._known
        try:
            words = [known[token] for token in tokens]
        except KeyError:
            words = [known.get(token) or self._learn(token) for token in tokens]
        is_customer = side == "customer"
        rows = [word.customer for word in words] if is_customer else [word.manager for word in words]
        if not any(rows):
            return []
        by_rule: dict[int, list[_Found]] = {}
        present = _NO_ELEMENTS.union(*[word.elements for word in words])
        _match_all(rows, words, present, by_rule)
        if not by_rule:
            return []
        rules = self._tables.rules
        wanted = _NO_ELEMENTS.union(*[rules[number].guards for number in by_rule])
        if wanted:
            guards = (
                [word.customer_guards for word in words] if is_customer else [word.manager_guards for word in words]
            )
            asked = [[row for row in looked_up if row.rule in wanted] if looked_up else () for looked_up in guards]
            _match_all(asked, words, present, by_rule)
        return self._judge(words, by_rule)

    def _learn(self, token: str) -> Word:
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        word = self._known[token] = self._tables.word(token)
        return word

    def _judge(self, words: list[Word], by_rule: dict[int, list[_Found]]) -> list[_Kept]:
        kept: list[_Kept] = []
        rules = self._tables.rules
        for number, founds in by_rule.items():
            rule = rules[number]
            if rule.intent and _may_count(rule, words, by_rule):
                kept.extend((rule, found) for found in _longest(founds) if _counts(rule, found, words, by_rule))
        intents = {rule.intent for rule, _ in kept if not rule.unless_intents}
        return [(rule, found) for rule, found in kept if not rule.unless_intents & intents]


@lru_cache(maxsize=1)
def _default() -> Lexicon:
    return Lexicon(read(_DEFAULT))


@lru_cache(maxsize=1)
def _speech() -> Lexicon:
    return Lexicon(read(_SPEECH, SPEECH, _DEFAULT))


def _place(hit: Hit) -> tuple[int, int, str, str]:
    return hit.start, hit.end, hit.intent, hit.entry


def _starts(low: str, tokens: list[str]) -> list[int]:
    """Where each token begins. Between two stands nothing that a token could begin with, so that a search from the end
    of one finds the next."""
    starts, at = [], 0
    for token in tokens:
        at = low.index(token, at)
        starts.append(at)
        at += len(token)
    return starts


def _match_all(
    rows: Iterable[Sequence[Row]], words: list[Word], present: frozenset[int], by_rule: dict[int, list[_Found]]
) -> None:
    for at, looked_up in enumerate(rows):
        for row in looked_up:
            if row.is_word:
                # a single word that may stand anywhere has been found already
                found: _Found | None = _Found(row, at, at)
            elif row.needed <= present:
                found = _match(row, words, at)
            else:
                continue
            if found is not None:
                by_rule.setdefault(row.rule, []).append(found)


def _match(row: Row, words: list[Word], at: int) -> _Found | None:
    """The phrase around the word by which it was looked up."""
    first = _reach(row, words, at, row.anchor, -1)
    if first is None:
        return None
    last = _reach(row, words, at, row.anchor, 1)
    if last is None:
        return None
    if row.at_start and any(word.kind == WORD for word in words[:first]):
        return None
    if row.at_end and any(word.kind == WORD for word in words[last + 1 :]):
        return None
    if row.asks and not _asks(words, last):
        return None
    return _Found(row, first, last)


def _reach(row: Row, words: list[Word], at: int, element: int, step: int) -> int | None:
    """Where the phrase ends in one direction, when element ``element`` of it stands at ``at``."""
    element += step
    if not 0 <= element < len(row.elements):
        return at
    wanted = row.elements[element]
    gap = row.gaps[element if step > 0 else element + 1]
    at += step
    while 0 <= at < len(words):
        word = words[at]
        if wanted in word.elements:
            reached = _reach(row, words, at, element, step)
            if reached is not None:
                return reached
        if word.kind != SKIPPED:
            gap -= 1
            if gap < 0 or word.kind != WORD:
                return None
        at += step
    return None


def _asks(words: list[Word], at: int) -> bool:
    for word in words[at + 1 :]:
        if word.kind >= END:
            return word.kind == QUESTION
    return False


def _longest(founds: list[_Found]) -> list[_Found]:
    """One find for each place: the longest of those that overlap."""
    if len(founds) == 1:
        return founds
    kept: list[_Found] = []
    taken: set[int] = set()
    for found in sorted(founds, key=lambda one: (one.first - one.last, one.first)):
        # none that is kept is shorter, so one that overlaps holds the first or the last word
        if found.first not in taken and found.last not in taken:
            kept.append(found)
            taken.update(range(found.first, found.last + 1))
    return kept


def _may_count(rule: Rule, words: list[Word], by_rule: dict[int, list[_Found]]) -> bool:
    """What the message as a whole must not have."""
    if any(guard in by_rule for guard in rule.anywhere):
        return False
    return rule.max_words is None or sum(word.kind == WORD for word in words) <= rule.max_words


def _counts(rule: Rule, found: _Found, words: list[Word], by_rule: dict[int, list[_Found]]) -> bool:
    """What the sentence must have or not have."""
    if rule.question is not None and rule.question is not _asks(words, found.last):
        return False
    if not rule.negated and _is_negated(found, words):
        return False
    if any(guard in by_rule for guard in rule.near):
        first, last = _sentence(words, found)
        for guard in rule.near:
            if any(first <= other.first and other.last <= last for other in by_rule.get(guard, ())):
                return False
    return True


def _is_negated(found: _Found, words: list[Word]) -> bool:
    at = found.first - 1
    while at >= 0 and words[at].kind == SKIPPED and NEGATES_BEFORE not in words[at].elements:
        at -= 1
    if at >= 0 and NEGATES_BEFORE in words[at].elements:
        return True
    at = found.last + 1
    while at < len(words) and words[at].kind == SKIPPED:
        at += 1
    return at < len(words) and NEGATES_AFTER in words[at].elements


def _sentence(words: list[Word], found: _Found) -> tuple[int, int]:
    first, last = found.first, found.last
    while first > 0 and words[first - 1].kind < END:
        first -= 1
    while last + 1 < len(words) and words[last + 1].kind < END:
        last += 1
    return first, last
