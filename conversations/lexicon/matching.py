"""Finds phrases among the words of one message and weighs what speaks against them.

Here: rows of numbers against words, what a message or a sentence must not have. Not here: how a text becomes words and
a find evidence (``.engine``), how phrases became rows (``.tables``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conversations.lexicon.tables import END, NEGATES_AFTER, NEGATES_BEFORE, QUESTION, SKIPPED, WORD, Row, Rule, Word


class Found(NamedTuple):
    """A phrase with its first and its last word."""

    row: Row
    first: int
    last: int


def match_all(
    rows: Iterable[tuple[int, Sequence[Row]]],
    words: list[Word],
    present: frozenset[int],
    by_rule: dict[int, list[Found]],
) -> None:
    """Find the phrases that are looked up by the words at the given places."""
    for at, looked_up in rows:
        for row in looked_up:
            if row.is_word:
                # a single word that may stand anywhere has been found already
                found: Found | None = Found(row, at, at)
            elif row.needed <= present:
                found = _match(row, words, at)
            else:
                continue
            if found is not None:
                by_rule.setdefault(row.rule, []).append(found)


def _match(row: Row, words: list[Word], at: int) -> Found | None:
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
    return Found(row, first, last)


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


def longest(founds: list[Found]) -> list[Found]:
    """One find for each place: the longest of those that overlap."""
    if len(founds) == 1:
        return founds
    kept: list[Found] = []
    taken: set[int] = set()
    for found in sorted(founds, key=lambda one: (one.first - one.last, one.first)):
        # none that is kept is shorter, so one that overlaps holds the first or the last word
        if found.first not in taken and found.last not in taken:
            kept.append(found)
            taken.update(range(found.first, found.last + 1))
    return kept


def may_count(rule: Rule, words: list[Word], by_rule: dict[int, list[Found]]) -> bool:
    """What the message as a whole must not have."""
    for guard in rule.anywhere:
        if guard in by_rule:
            return False
    return rule.max_words is None or sum(word.kind == WORD for word in words) <= rule.max_words


def counts(rule: Rule, found: Found, words: list[Word], by_rule: dict[int, list[Found]]) -> bool:
    """What the sentence must have or not have."""
    if rule.question is not None and rule.question is not _asks(words, found.last):
        return False
    if not rule.negated and _is_negated(found, words):
        return False
    guards = [guard for guard in rule.near if guard in by_rule]
    if guards:
        first, last = _sentence(words, found)
        for guard in guards:
            if any(first <= other.first and other.last <= last for other in by_rule[guard]):
                return False
    return True


def _is_negated(found: Found, words: list[Word]) -> bool:
    at = found.first - 1
    while at >= 0 and words[at].kind == SKIPPED and NEGATES_BEFORE not in words[at].elements:
        at -= 1
    if at >= 0 and NEGATES_BEFORE in words[at].elements:
        return True
    at = found.last + 1
    while at < len(words) and words[at].kind == SKIPPED:
        at += 1
    return at < len(words) and NEGATES_AFTER in words[at].elements


def _sentence(words: list[Word], found: Found) -> tuple[int, int]:
    first, last = found.first, found.last
    while first > 0 and words[first - 1].kind < END:
        first -= 1
    while last + 1 < len(words) and words[last + 1].kind < END:
        last += 1
    return first, last
