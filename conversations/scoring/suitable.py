"""Talks that nobody needs to judge: told by rules, before anything is bought.

Here: what is sure without understanding. Not here: which calls are looked at at all (``eligible``), what a model finds
unsuitable (``answer``).
"""

from __future__ import annotations

from conversations.scoring.shapes import Talk, Unsuitable


def unsuitable_by_rules(talk: Talk) -> Unsuitable | None:
    """Why there is nothing to judge in the talk; ``None`` where a judge has to look.

    no_dialogue: one side says no word; other: nobody knows who says what, so that no quote could prove anything.
    """
    spoken = {phrase.speaker for phrase in talk.phrases if any(map(str.isalnum, phrase.text))}
    if "manager" in spoken and ("customer" in spoken or "unknown" in spoken):
        return None
    if "unknown" in spoken and len(talk.phrases) > 1:
        return "other"
    return "no_dialogue"
