"""Orders to the judge inside a talk: somebody tells the model what to answer.

Here: whether a talk holds one. It changes no mark by itself; a scorecard is flagged, and claims without proof then
spoil it (``scorecard``). Not here: the words (``conversations/lexicon/speech/order_to_judge.yaml``).
"""

from __future__ import annotations

from conversations.scoring.shapes import Talk


def is_suspected(talk: Talk) -> bool:
    """Whether anybody in the talk gives the judge an order."""
    return False
