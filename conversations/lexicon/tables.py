"""A folder of lexicons made ready for looking up: phrases as rows of numbers, words as what they can be.

Here: compiling. Not here: reading files (``.reading``), finding in a message (``.engine``).
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from conversations.lexicon.kazakh import Stemmer
from conversations.lexicon.phrases import Atom, Phrase, PhraseError, parse
from conversations.lexicon.reading import Entry, LexiconError, Phrases, Side, Source
from conversations.lexicon.words import TOKEN, classes, folded, lower, plain, squeezed

WORD, SKIPPED, END, QUESTION = range(4)
"""What a token is for the order of words: a word, something read over (fillers, commas, emoji), an end of a sentence,
such an end with a question mark."""

FILLER, NEGATES_BEFORE, NEGATES_AFTER = range(3)
_FIRST = 3


class Row(NamedTuple):
    """A phrase as numbers. ``anchor`` is the element by which it is looked up, ``rule`` whose phrase it is."""

    elements: tuple[int, ...]
    needed: frozenset[int]
    """The same without order: a message that lacks one of them cannot hold the phrase."""
    is_word: bool
    gaps: tuple[int, ...]
    anchor: int
    rule: int
    text: str
    at_start: bool
    at_end: bool
    asks: bool


class Rule(NamedTuple):
    """An entry, or (``intent`` empty) phrases that forbid others: then ``name`` says of what."""

    intent: str
    name: str
    near: tuple[int, ...] = ()
    anywhere: tuple[int, ...] = ()
    unless_intents: frozenset[str] = frozenset()
    negated: bool = False
    question: bool | None = None
    max_words: int | None = None
    guards: frozenset[int] = frozenset()
    """``near`` and ``anywhere``."""


class Word(NamedTuple):
    """What a token can be: its elements, its kind, and the phrases that are looked up by it, for each side; those that
    forbid others apart, since most messages have nothing to forbid."""

    elements: frozenset[int]
    kind: int
    customer: tuple[Row, ...]
    manager: tuple[Row, ...]
    customer_guards: tuple[Row, ...] = ()
    manager_guards: tuple[Row, ...] = ()


class Tables:
    """Everything that finding needs, for one folder.

    Raises:
        LexiconError: a phrase cannot be read; names intent and entry.
    """

    def __init__(self, source: Source) -> None:
        self.rules: list[Rule] = []
        self._source = source
        kazakh = source.kazakh
        self._stemmer = Stemmer((e for group in kazakh.endings.values() for e in group), kazakh.voiced, kazakh.shortest)
        self._spelling = {
            plain(variant): plain(usual) for usual, variants in source.common.spelling.items() for variant in variants
        }
        self._sets: dict[str, frozenset[Atom]] = {}
        self._numbers: dict[frozenset[Atom], int] = {}
        self._elements_of: dict[str, defaultdict[str, set[int]]] = {
            kind: defaultdict(set) for kind in ("form", "squeezed", "prefix", "stem", "folded", "class")
        }
        self._rows: dict[Side, defaultdict[int, list[Row]]] = {
            "customer": defaultdict(list),
            "manager": defaultdict(list),
        }
        self.guard_anchors: dict[Side, dict[int, set[int]]] = {"customer": {}, "manager": {}}
        """By which elements the phrases that forbid others are looked up: without any of them, none is there."""
        self._unplaced: list[tuple[Row, tuple[Side, ...]]] = []
        self._groups: dict[str, int] = {}
        self._compile()

    # ---- compiling --------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        common = self._source.common
        for name, listed in common.sets.items():
            self._sets[name] = self._words(listed, f"common.yaml, set {name}")
        for number, listed in enumerate((common.fillers, common.negators.before, common.negators.after)):
            self._register(number, self._words(listed, "common.yaml"))
        for name, listed in common.groups.items():
            self._groups[name] = self._guard(listed, f"common.yaml, group {name}", ("customer", "manager"))
        for lexicon in self._source.intents:
            for entry in lexicon.entries:
                self._entry(lexicon.intent, entry)
        self._place()

    def _words(self, listed: Phrases, place: str) -> frozenset[Atom]:
        """Single words; a phrase of several would be no word."""
        found: set[Atom] = set()
        for language, text in listed.each():
            phrase = self._parse(text, language, place)
            if len(phrase.elements) > 1:
                raise LexiconError(f"{place}: {text!r} must be a single word")
            found |= phrase.elements[0]
        return frozenset(found)

    def _parse(self, text: str, language: str, place: str) -> Phrase:
        try:
            return parse(text, "kk" if language == "kk" else "ru", self._sets)
        except PhraseError as error:
            raise LexiconError(f"{place}: {error}") from error

    def _entry(self, intent: str, entry: Entry) -> None:
        place = f"{intent}.yaml, entry {entry.id}"
        sides = (entry.side,) if entry.side else self._source.sides[intent]
        near, anywhere = self._guards(entry.unless, place, sides), self._guards(entry.unless_anywhere, place, sides)
        rule = Rule(
            intent,
            entry.id,
            near,
            anywhere,
            frozenset(entry.unless_intents),
            entry.negated,
            entry.question,
            entry.max_words,
            frozenset((*near, *anywhere)),
        )
        self.rules.append(rule)
        self._add(Phrases(ru=entry.ru, kk=entry.kk), len(self.rules) - 1, place, sides)

    def _guards(self, listed: Phrases, place: str, sides: tuple[Side, ...]) -> tuple[int, ...]:
        named = [text[1:] for _, text in listed.each() if text.startswith("@") and text[1:] in self._groups]
        own = Phrases(
            ru=tuple(text for text in listed.ru if text[1:] not in named),
            kk=tuple(text for text in listed.kk if text[1:] not in named),
        )
        guards = [self._groups[name] for name in named]
        if own.ru or own.kk:
            guards.append(self._guard(own, place, sides))
        return tuple(guards)

    def _guard(self, listed: Phrases, place: str, sides: tuple[Side, ...]) -> int:
        self.rules.append(Rule("", place))
        self._add(listed, len(self.rules) - 1, place, sides)
        return len(self.rules) - 1

    def _add(self, listed: Phrases, rule: int, place: str, sides: tuple[Side, ...]) -> None:
        for language, text in listed.each():
            phrase = self._parse(text, language, place)
            elements = tuple(map(self._number, phrase.elements))
            is_word = len(elements) == 1 and not (phrase.at_start or phrase.at_end or phrase.asks)
            row = Row(
                elements, frozenset(elements), is_word, phrase.gaps, 0, rule, text,
                phrase.at_start, phrase.at_end, phrase.asks,
            )  # fmt: skip
            self._unplaced.append((row, sides))

    def _place(self) -> None:
        """Look each phrase up by its rarest word. How rare it is, the examples tell: they are messages, too."""
        texts = [
            text
            for lexicon in self._source.intents
            for entry in lexicon.entries
            for text in (*entry.found, *entry.not_found)
        ]
        tokens = Counter(token for text in texts for token in TOKEN.findall(lower(text)))
        common: Counter[int] = Counter()
        for token, times in tokens.items():
            for number in self._elements(token):
                common[number] += times
        for row, sides in self._unplaced:
            anchor = min(range(len(row.elements)), key=lambda at: common[row.elements[at]])
            for side in sides:
                self._rows[side][row.elements[anchor]].append(row._replace(anchor=anchor))
                if not self.rules[row.rule].intent:
                    self.guard_anchors[side].setdefault(row.rule, set()).add(row.elements[anchor])
        self._unplaced.clear()

    def _number(self, element: frozenset[Atom]) -> int:
        number = self._numbers.get(element)
        if number is None:
            number = self._numbers[element] = _FIRST + len(self._numbers)
            self._register(number, element)
        return number

    def _register(self, number: int, element: Iterable[Atom]) -> None:
        for atom in element:
            self._elements_of[atom.kind][atom.value].add(number)
            if atom.kind == "form":
                self._elements_of["squeezed"][squeezed(atom.value)].add(number)

    # ---- words of messages ------------------------------------------------------------------------------------

    def word(self, token: str) -> Word:
        """What a lower-case token of a message can be."""
        if token[0] in ".!?…;\n":
            return Word(frozenset(), QUESTION if "?" in token else END, (), ())
        elements = frozenset(self._elements(token))
        if FILLER in elements or (not token[0].isalnum() and unicodedata.category(token[0])[0] != "S"):
            kind = SKIPPED
        else:
            kind = WORD if token[0].isalnum() or token in "₽₸$€%+" else SKIPPED
        return Word(
            elements,
            kind,
            self._looked_up("customer", elements, guards=False),
            self._looked_up("manager", elements, guards=False),
            self._looked_up("customer", elements, guards=True),
            self._looked_up("manager", elements, guards=True),
        )

    def _looked_up(self, side: Side, elements: frozenset[int], *, guards: bool) -> tuple[Row, ...]:
        rows = (row for number in sorted(elements) for row in self._rows[side].get(number, ()))
        return tuple(row for row in rows if (not self.rules[row.rule].intent) is guards)

    def _elements(self, token: str) -> set[int]:
        of = self._elements_of
        found = {number for name in classes(token) for number in of["class"].get(name, ())}
        spelled = plain(token)
        spelled = self._spelling.get(spelled, spelled)
        found |= of["form"].get(spelled, set())
        if not found:
            shorter = squeezed(spelled)
            shorter = self._spelling.get(shorter, shorter)
            found |= of["squeezed"].get(shorter, set())
        flat = folded(spelled)
        found |= of["folded"].get(flat, set())
        for beginning, numbers in of["prefix"].items():
            if spelled.startswith(beginning) or flat.startswith(beginning):
                found |= numbers
        if token[0].isalpha():
            for stem in self._stemmer.stems(spelled):
                found |= of["stem"].get(stem, set())
        return found
