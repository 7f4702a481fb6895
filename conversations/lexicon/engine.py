"""Finds what a message says: intents, each with the entry that saw it and the place in the text.

Here: matching. Not here: what is looked for (data files), whose metric needs it (``conversations`` rules above this).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Self, TypeAlias

from conversations.lexicon.matching import Found, counts, longest, match_all, may_count
from conversations.lexicon.reading import SPEECH, Side, Source, read
from conversations.lexicon.tables import Row, Rule, Tables, Word
from conversations.lexicon.words import TOKEN, lower

_REMEMBERED = 200_000
_LONGEST_PIECE = 40
"""Characters of what stands between two blanks up to which it is remembered; no link is written twice."""
_NO_ELEMENTS: frozenset[int] = frozenset()
_NO_WORDS: tuple[Word, ...] = ()
_DEFAULT = Path(__file__).parent / "data"
_SPEECH = Path(__file__).parent / "speech"


class Hit(NamedTuple):
    """Evidence for an intent: ``text[start:end]`` is what was read as ``phrase`` of ``entry``."""

    intent: str
    entry: str
    phrase: str
    start: int
    end: int


_Kept: TypeAlias = tuple[Rule, Found]
Place: TypeAlias = tuple[str, int, int]
"""An intent with the numbers of the first and the last word that show it."""


class Reading:
    """What is found in one message."""

    __slots__ = ("_hits", "_kept", "_low")

    def __init__(self, low: str, kept: list[_Kept]) -> None:
        self._low = low
        self._kept = kept
        self._hits: tuple[Hit, ...] | None = None if kept else ()

    @property
    def intents(self) -> frozenset[str]:
        """What it says."""
        return frozenset([rule.intent for rule, _ in self._kept])

    def says(self, intent: str) -> bool:
        """Whether it says this."""
        return bool(self._kept) and any([rule.intent == intent for rule, _ in self._kept])

    @property
    def places(self) -> list[Place]:
        """The evidence by words, in no order."""
        return [(rule.intent, found.first, found.last) for rule, found in self._kept]

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The evidence by letters, in the order of the text."""
        if self._hits is None:
            tokens = TOKEN.findall(self._low)
            starts = _starts(self._low, tokens)
            hits = [
                Hit(
                    rule.intent,
                    rule.name,
                    found.row.text,
                    starts[found.first],
                    starts[found.last] + len(tokens[found.last]),
                )
                for rule, found in self._kept
            ]
            self._hits = tuple(hits) if len(hits) == 1 else tuple(sorted(hits, key=_place))
        return self._hits


_NOTHING = Reading("", [])


class Lexicon:
    """Knows all lexicons of a folder. Compiled once; then a message without any word by which a phrase is looked up
    costs one comparison of sets, and any other one look-up a word. Safe to share between threads.

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
        self._pieces: dict[str, tuple[Word, ...]] = {}
        self._dull: dict[Side, set[str]] = {"customer": set(), "manager": set()}
        """Pieces, as they stand between blanks, that hold no word by which a phrase of this side is looked up."""

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
        return self.reading(text, side).intents

    def places(self, text: str | None, side: Side) -> list[Place]:
        """The evidence in one message by words instead of letters and in no order: a third cheaper than ``find``."""
        return self.reading(text, side).places

    def find(self, text: str | None, side: Side) -> tuple[Hit, ...]:
        """All evidence in one message, in the order of the text."""
        return self.reading(text, side).hits

    def reading(self, text: str | None, side: Side) -> Reading:
        """All evidence in one message, in whichever form it is asked for later."""
        if not text:
            return _NOTHING
        low = lower(text)
        kept = self._kept(low, side)
        return Reading(low, kept) if kept else _NOTHING

    def is_silent(self, text: str, side: Side) -> bool:
        """Whether no word of a text is one by which a phrase is looked up. Then nothing is found in it, nor in any part
        of it, nor in parts of it put together otherwise, as long as no word is cut."""
        pieces = lower(text).split(" ")
        return self._dull[side].issuperset(pieces) or not any(map(_looked_up[side], self._words(pieces)))

    def _kept(self, low: str, side: Side) -> list[_Kept]:
        """What counts as evidence, entry by entry, in a text in lower case."""
        # no token holds a blank, so pieces between blanks can be known with all their tokens
        pieces = low.split(" ")
        if self._dull[side].issuperset(pieces):
            return []
        words = self._words(pieces)
        if side == "customer":
            rows = [(at, looked_up) for at, word in enumerate(words) if (looked_up := word.customer)]
        else:
            rows = [(at, looked_up) for at, word in enumerate(words) if (looked_up := word.manager)]
        if not rows:
            return []
        by_rule: dict[int, list[Found]] = {}
        present = _NO_ELEMENTS.union(*[word.elements for word in words if word.elements])
        match_all(rows, words, present, by_rule)
        if not by_rule:
            return []
        self._match_guards(words, present, by_rule, side)
        return self._judge(words, by_rule)

    def _match_guards(
        self, words: list[Word], present: frozenset[int], by_rule: dict[int, list[Found]], side: Side
    ) -> None:
        """What forbids what was found, as far as a word of it is there."""
        tables = self._tables
        anchors = tables.guard_anchors[side]
        wanted = {
            guard
            for number in by_rule
            for guard in tables.rules[number].guards
            if not anchors[guard].isdisjoint(present)
        }
        if wanted:
            guards = attrgetter(f"{side}_guards")
            asked = [
                (at, [row for row in looked_up if row.rule in wanted])
                for at, word in enumerate(words)
                if (looked_up := guards(word))
            ]
            match_all(asked, words, present, by_rule)

    def _words(self, pieces: list[str]) -> list[Word]:
        known = self._pieces
        try:
            return list(chain.from_iterable([known[piece] for piece in pieces]))
        except KeyError:
            return list(chain.from_iterable([known.get(piece) or self._learn(piece) for piece in pieces]))

    def _learn(self, piece: str) -> tuple[Word, ...]:
        known = self._known
        words = tuple([known.get(token) or self._learn_word(token) for token in TOKEN.findall(piece)]) or _NO_WORDS
        if len(piece) <= _LONGEST_PIECE:
            if len(self._pieces) >= _REMEMBERED:
                self._pieces = {}
                self._dull = {"customer": set(), "manager": set()}
            self._pieces[piece] = words
            for side, dull in self._dull.items():
                if not any(map(_looked_up[side], words)):
                    dull.add(piece)
        return words

    def _learn_word(self, token: str) -> Word:
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        word = self._known[token] = self._tables.word(token)
        return word

    def _judge(self, words: list[Word], by_rule: dict[int, list[Found]]) -> list[_Kept]:
        kept: list[_Kept] = []
        rules = self._tables.rules
        for number, founds in by_rule.items():
            rule = rules[number]
            if rule.intent and may_count(rule, words, by_rule):
                kept += [(rule, found) for found in longest(founds) if counts(rule, found, words, by_rule)]
        if any([rule.unless_intents for rule, _ in kept]):
            intents = {rule.intent for rule, _ in kept if not rule.unless_intents}
            return [(rule, found) for rule, found in kept if not rule.unless_intents & intents]
        return kept


_looked_up: dict[Side, Callable[[Word], tuple[Row, ...]]] = {
    "customer": attrgetter("customer"),
    "manager": attrgetter("manager"),
}


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
