"""How fast models may be asked: calls and tokens in any minute, calls at once, and what a gateway told us.

Here: waiting on one event loop. Not here: how often a question is asked again (``door``).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable


class Turn:
    """One call in the minute's account."""

    __slots__ = ("at", "tokens")

    def __init__(self, at: float, tokens: int) -> None:
        self.at = at
        self.tokens = tokens


class Minute:
    """At most so many calls and tokens in any minute; first come, first served.

    A call counts from the moment when it may leave, with the tokens that it is expected to have; ``correct`` puts the
    real number in their place. A call with more tokens than a minute allows goes alone.

    Args:
        seconds: the length of the minute, for tests.
    """

    def __init__(
        self, calls: int, tokens: int, *, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_calls = calls
        self._most_tokens = tokens
        self._seconds = seconds
        self._clock = clock
        self._turns: deque[Turn] = deque()
        self._tokens = 0
        self._queue = asyncio.Lock()

    async def take(self, tokens: int) -> Turn:
        """Wait until a call with about so many tokens may leave."""
        async with self._queue:
            while (pause := self._pause(tokens)) > 0:
                await asyncio.sleep(pause)
            turn = Turn(self._clock(), tokens)
            self._turns.append(turn)
            self._tokens += tokens
            return turn

    def correct(self, turn: Turn, tokens: int) -> None:
        """The call had so many tokens."""
        if turn.at + self._seconds > self._clock():
            self._tokens += tokens - turn.tokens
            turn.tokens = tokens

    def _pause(self, tokens: int) -> float:
        now = self._clock()
        while self._turns and self._turns[0].at + self._seconds <= now:
            self._tokens -= self._turns.popleft().tokens
        if not self._turns:
            return 0.0
        if len(self._turns) < self._most_calls and self._tokens + tokens <= self._most_tokens:
            return 0.0
        # not longer at once: an earlier call may turn out to be cheaper than expected
        return min(max(self._turns[0].at + self._seconds - now, 0.001), 0.25)


class Told:
    """Until when a gateway does not want to be asked for a model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def wait(self, model: str, seconds: float) -> None:
        """It told us to stay away so long from now."""
        self._until[model] = max(self._until.get(model, 0.0), self._clock() + seconds)

    def left(self, model: str) -> float:
        """Seconds until it may be asked; 0: now."""
        return max(self._until.get(model, 0.0) - self._clock(), 0.0)
