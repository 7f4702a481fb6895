"""What all questions of a door share: models, limits, prices, the book, and whether anybody may be asked at all.

Here: the state. Not here: the rules (``door``), what one question makes of it (``question``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from conversations.policy_scoring import Scoring
from resources.clients.errors import Refused, SourceError
from resources.llm.caller import Caller
from resources.llm.ledger import Ledger
from resources.llm.limits import Minute, Told
from resources.llm.prices import Prices

MOST_REJECTED = 10
FIRST_PAUSE_SECONDS = 0.5


class Shared:
    """The state of one door; for one event loop.

    Args:
        models: in the order in which they are asked.
        random: for the jitter of pauses.
    """

    def __init__(
        self,
        caller: Caller,
        models: Sequence[str],
        scoring: Scoring,
        prices: Prices,
        ledger: Ledger,
        *,
        random: Random | None = None,
        minute_seconds: float = 60.0,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self.caller = caller
        self.models = tuple(models)
        self.scoring = scoring
        self.prices = prices
        self.ledger = ledger
        self.random = random or Random()
        self.first_pause_seconds = first_pause_seconds
        self.slots = asyncio.Semaphore(scoring.concurrency)
        self.minute = Minute(scoring.requests_per_minute, scoring.tokens_per_minute, seconds=minute_seconds)
        self.told = Told()
        self.shut: SourceError | None = None
        """Why nobody may be asked any more."""
        self.unusable: dict[str, SourceError] = {}
        """Models that the key may not use or that the gateway does not know."""
        self.rejected_in_a_row = 0
        self.lacking: dict[str, set[str]] = {}
        """By model: what it does not know, so that it is asked without: temperature, schema, json."""

    def shut_for(self, error: SourceError, model: str | None) -> None:
        """Ask nobody any more; with ``model``, only not that one, as long as there are others."""
        if model is not None:
            self.unusable[model] = error
        if model is None or all(one in self.unusable for one in self.models):
            self.shut = error

    def rejected(self) -> None:
        """A question was not accepted; where none is, more of them are only noise."""
        self.rejected_in_a_row += 1
        if self.rejected_in_a_row >= MOST_REJECTED:
            self.shut = Refused("llm", f"the gateway did not accept {MOST_REJECTED} questions in a row")
