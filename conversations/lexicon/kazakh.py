"""Stems of Kazakh words: endings are taken off one after the other, as they are declared in ``data/kazakh.yaml``.

Here: the mechanics. Not here: the endings themselves (data), which stems mean something (the lexicons).

A word has many stems, one for every row of endings that can be taken off; a lexicon's word is found when its own
spelling is among them. The endings of negation (-ма, -ба, -па) are not declared, and no ending is cut out of them:
"алмаймын" has no stem "ал".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from conversations.lexicon.words import folded

_DEEPEST = 6
_NEGATION = re.compile(r"(?:м|[^аеиоу][бп])[ае]")
"""How -ма, -ме stand behind any letter, -ба, -бе, -па, -пе behind a consonant, in the spelling of ``folded``."""


class Stemmer:
    """Knows the endings, in any order, and how a stem's last letter changes before one.

    >>> stemmer = Stemmer(["сы", "н", "лар", "ымыз"], {"б": "п", "г": "к"}, shortest=2)
    >>> sorted(stemmer.stems("бағасын"))
    ['бага', 'багаси', 'багасин']
    """

    def __init__(self, endings: Iterable[str], voiced: dict[str, str], shortest: int) -> None:
        self._endings = frozenset(folded(ending) for ending in endings)
        self._longest = max(map(len, self._endings), default=0)
        self._voiced = {folded(soft): folded(hard) for soft, hard in voiced.items()}
        self._shortest = shortest

    def stems(self, word: str) -> set[str]:
        """Every stem of a lower-case word, the word itself among them, in the spelling of ``folded``."""
        found = {folded(word)}
        edge = found
        for _ in range(_DEEPEST):
            edge = {stem for form in edge for stem in self._shorter(form)} - found
            if not edge:
                break
            found |= edge
        return found | {form[:-1] + self._voiced[form[-1]] for form in found if form[-1:] in self._voiced}

    def _shorter(self, form: str) -> Iterable[str]:
        for length in range(1, min(self._longest, len(form) - self._shortest) + 1):
            if form[-length:] in self._endings and not _NEGATION.search(form[-length - 2 : len(form) - length + 1]):
                yield form[:-length]
