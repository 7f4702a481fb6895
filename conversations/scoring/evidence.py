"""Looks for a quote in a talk: the only thing that makes a mark count.

Here: normalised match, whose words they are, the characters of the original. Not here: what a mark without a quote is
worth (``scorecard``).

A quote is compared word by word, in order, whole words: upper and lower case, ё and е, punctuation, quotation marks,
blanks, line breaks, invisible characters and forms of the same letter (NFKC) do not matter; anything else does. Emoji
are words. A model sees masked text, so a word in brackets that stands for a phone is compared as that word, and the
quote that is kept holds the original characters. A quote may run over neighbouring phrases of one speaker, as
recognised speech is cut at any pause; kept is its longest piece within one phrase.

What is kept is always a piece of ``phrase.text``, verbatim, and ``ref`` and ``speaker`` are that phrase's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from conversations.messages.scoring import Judge
from conversations.scoring.masking import origin
from conversations.scoring.shapes import About, Masked, Phrase, Prepared, QuoteState, Speaker

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f"
_MARKS = "\u0300-\u036f\u20d0-\u20f0"
_WORD = re.compile(
    rf"[^\W_](?:[{_MARKS}{_INVISIBLE}]*[^\W_])*[{_MARKS}]*"
    r"|[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)
_SILENT = re.compile(rf"[{_INVISIBLE}]")
_USUAL = re.compile(r"[\x00-\x7f\u0400-\u0481\u048a-\u04ff«»–—…“”„’№]*")
"""Texts of letters that have one form but for case and ё, with nothing that joins or hides in them: most texts."""
_LETTERS = re.compile(r"[^\W_]+")
_LETTERS_AND_ENDS = re.compile(r"[^\W_]+|\n")
_LABEL = re.compile(rf"\s*(?:\[\d+\]\s*)?(?:(?:{'|'.join(Judge.SPEAKERS.values())})\s*:\s*)?", re.IGNORECASE)
"""How a phrase begins in what a model is shown; people copy it along with the words, and so do models."""


class Found(NamedTuple):
    """Where a quote is; without ``quote`` unless verified."""

    state: QuoteState
    quote: str | None = None
    ref: str | None = None
    speaker: Speaker | None = None


class _Run(NamedTuple):
    """Neighbouring phrases of one speaker, the first and the one behind the last."""

    first: int
    until: int


class Evidence:
    """Finds quotes in one talk.

    >>> phrases = (Phrase("0", "manager", "Добрый день! Чем помочь?"), Phrase("1", "customer", "Ещё раз"))
    >>> evidence = Evidence(phrases, [Masked(phrase.text, (), {}) for phrase in phrases])
    >>> evidence.find("«добрый день, чем помочь»", "manager").quote
    'Добрый день! Чем помочь'
    >>> evidence.find("еще раз", "manager").state
    'wrong_speaker'
    """

    def __init__(self, phrases: Sequence[Phrase], masked: Sequence[Masked]) -> None:
        self._phrases = phrases
        self._masked = masked
        self._lines = _lines([each.text for each in masked])
        """Words of each phrase between single blanks, with one before and one behind; empty for none."""

    @classmethod
    def of(cls, prepared: Prepared) -> Evidence:
        return cls(prepared.talk.phrases, prepared.masked)

    def find(self, quote: str | None, about: About) -> Found:
        """Look for a quote in what those said whom the criterion is about."""
        wanted = _line(quote or "")
        if not wanted:
            return Found("missing")
        found = self._within_a_phrase(wanted, about)
        if found.state != "verified":
            unlabelled = _line(_LABEL.sub("", quote or "", count=1))
            if unlabelled and unlabelled != wanted:
                wanted = unlabelled
                found = _better(found, self._within_a_phrase(wanted, about))
        if found.state != "verified":
            found = _better(found, self._over_phrases(wanted, about))
        return found

    def _within_a_phrase(self, wanted: str, about: About) -> Found:
        state: QuoteState = "not_found"
        for at, line in enumerate(self._lines):
            if wanted in line:
                if self._fits(at, about):
                    return self._verified(at, line[: line.index(wanted)].count(" "), wanted.count(" ") - 1)
                state = "wrong_speaker"
        return Found(state)

    def _over_phrases(self, wanted: str, about: About) -> Found:
        state: QuoteState = "not_found"
        for run in self._runs():
            joined = "".join(line[:-1] for line in self._lines[run.first : run.until]) + " "
            if wanted in joined:
                if self._fits(run.first, about):
                    begin = joined[: joined.index(wanted)].count(" ")
                    return self._longest_piece(run, begin, begin + wanted.count(" ") - 1)
                state = "wrong_speaker"
        return Found(state)

    def _fits(self, at: int, about: About) -> bool:
        return about == "anyone" or self._phrases[at].speaker == about

    def _runs(self) -> Iterator[_Run]:
        first = 0
        for at in range(1, len(self._phrases) + 1):
            if at == len(self._phrases) or self._phrases[at].speaker != self._phrases[first].speaker:
                if at - first > 1:
                    yield _Run(first, at)
                first = at

    def _longest_piece(self, run: _Run, begin: int, until: int) -> Found:
        """Of words ``begin`` to ``until`` of a run, the most that stand in one phrase, the first of several."""
        best, passed = (0, 0, 0), 0
        for at in range(run.first, run.until):
            words = max(self._lines[at].count(" ") - 1, 0)
            first, last = max(begin, passed), min(until, passed + words)
            if last - first > best[0]:
                best = (last - first, at, first - passed)
            passed += words
        length, at, first = best
        return self._verified(at, first, length)

    def _verified(self, at: int, first: int, words: int) -> Found:
        """The words of a phrase, from the first one on, as they were said."""
        masked, phrase = self._masked[at], self._phrases[at]
        places = _places(masked.text)[first : first + words]
        piece = origin(masked, places[0][0], places[-1][1])
        return Found("verified", phrase.text[piece.start : piece.end], phrase.ref, phrase.speaker)


def _better(one: Found, other: Found) -> Found:
    """What was said by somebody, if only by the wrong one, tells more than what nobody said."""
    return one if other.state == "not_found" else other


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text in their plainest form, each with its place."""
    for found in _WORD.finditer(text):
        if word := _plainest(found[0]):
            yield word, found.start(), found.end()


def _plainest(word: str) -> str:
    word = unicodedata.normalize("NFKC", _SILENT.sub("", word)).casefold().replace("ё", "е")
    return "".join(word.split())


def _places(text: str) -> list[tuple[int, int]]:
    """Where each word of a text begins and ends."""
    if _USUAL.fullmatch(text):
        return [found.span() for found in _LETTERS.finditer(text)]
    return [(start, end) for _, start, end in _words(text)]


def _lines(texts: Sequence[str]) -> list[str]:
    """``_line`` of each text; of usual ones of all at once."""
    whole = "\n".join(texts)
    if whole.count("\n") != len(texts) - 1 or not _USUAL.fullmatch(whole):
        return [_line(text) for text in texts]
    words = " ".join(_LETTERS_AND_ENDS.findall(whole.casefold().replace("ё", "е")))
    return [f" {line} " if (line := each.strip(" ")) else "" for each in words.split("\n")]


def _line(text: str) -> str:
    if _USUAL.fullmatch(text):
        # each word is its own plainest form but for case and ё: no need to look at them one by one
        words = " ".join(_LETTERS.findall(text.casefold().replace("ё", "е")))
    else:
        words = " ".join([word for word, _, _ in _words(text)])
    return f" {words} " if words else ""
