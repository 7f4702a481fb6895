"""Reads a labelled file and counts, intent by intent, where a lexicon agrees with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from conversations.lexicon import INTENTS, Lexicon, Side

HERE = Path(__file__).parent


class Labelled(NamedTuple):
    """One message with the intents that a reader sees in it."""

    side: Side
    text: str
    intents: frozenset[str]


class Score(NamedTuple):
    """Agreement on one intent."""

    intent: str
    found: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 0.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 0.0


def labelled(name: str) -> list[Labelled]:
    """The messages of a file of this folder."""
    rows = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))["messages"]
    made = []
    for row in rows:
        side: Side = "customer" if "c" in row else "manager"
        made.append(Labelled(side, row["c" if "c" in row else "m"], frozenset(row["is"].split())))
    return made


def scores(lexicon: Lexicon, messages: Sequence[Labelled]) -> list[Score]:
    """One score for each intent."""
    seen = [(message, lexicon.intents(message.text, message.side)) for message in messages]
    return [
        Score(
            intent,
            sum(intent in message.intents and intent in found for message, found in seen),
            sum(intent not in message.intents and intent in found for message, found in seen),
            sum(intent in message.intents and intent not in found for message, found in seen),
        )
        for intent in INTENTS
    ]


def table(title: str, rows: Sequence[Score]) -> str:
    """The scores as people read them."""
    lines = [f"{title:<22}labelled  precision  recall  false  missed"]
    lines += [
        f"{row.intent:<22}{row.found + row.missed:>8}{row.precision:>11.3f}{row.recall:>8.3f}"
        f"{row.false:>7}{row.missed:>8}"
        for row in rows
    ]
    return "\n".join(lines)
