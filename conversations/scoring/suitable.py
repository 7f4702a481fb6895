"""Talks that nobody needs to judge: told by rules, before anything is bought.

Here: what is sure without understanding. Not here: which calls are looked at at all (``eligible``), what a model finds
unsuitable (``answer``), the words of machines and of people who dialled wrongly
(``conversations/lexicon/speech/``).
"""

from __future__ import annotations

from typing import Final

from conversations.lexicon import Lexicon
from conversations.scoring.shapes import Talk, Unsuitable

MOST_WORDS: Final = 80
"""Of a talk that a machine's words or a wrong number make unsuitable. In a longer one people went on talking."""


def unsuitable_by_rules(talk: Talk) -> Unsuitable | None:
    """Why there is nothing to judge in the talk; ``None`` where a judge has to look.

    voicemail: a machine speaks, and the talk is short; wrong_number: somebody says so, and the talk is short;
    no_dialogue: one side says no word; other: nobody knows who says what, so that no quote could prove anything.
    In a session of a chat only no_dialogue and other are looked for.
    """
    if talk.kind == "call" and _is_short(talk):
        # a machine may be taken for either side, and for both in turn
        intents = _intents(talk)
        if "voicemail" in intents:
            return "voicemail"
        if "wrong_number" in intents:
            return "wrong_number"
    spoken = {phrase.speaker for phrase in talk.phrases if any(map(str.isalnum, phrase.text))}
    if "manager" in spoken and ("customer" in spoken or "unknown" in spoken):
        return None
    if "unknown" in spoken and sum(phrase.speaker == "unknown" for phrase in talk.phrases) > 1:
        return "other"
    return "no_dialogue"


def _is_short(talk: Talk) -> bool:
    words = 0
    for phrase in talk.phrases:
        words += len(phrase.text.split())
        if words > MOST_WORDS:
            return False
    return True


def _intents(talk: Talk) -> frozenset[str]:
    speech = Lexicon.speech()
    return frozenset().union(*(speech.intents(phrase.text, "customer") for phrase in talk.phrases))
