"""How fast we may ask: a steady pace, and a quota of calls in a window of time.

Here: when the next call may leave. Not here: the waiting and the deadline (``http``), what a vendor told us
(``retry_after``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from pyrate_limiter import GCRA, Duration, Limiter, Rate, SingleBucketFactory, StateBucket


def pace(requests_per_second: float) -> Limiter:
    """A limiter that lets calls through one by one at an even distance."""
    # burst 1: a vendor that counts any second sees at most the rate; GCRA keeps one number and needs no thread
    rate = Rate(1, max(int(Duration.SECOND.value / requests_per_second), 1), burst=1)
    factory = SingleBucketFactory(StateBucket([rate], algorithm=GCRA()), schedule_leak=False)
    return Limiter(factory, buffer_ms=0)


class Quota:
    """At most ``limit`` calls in any window of ``seconds``, as the vendor counts them. Safe between threads.

    A turn is free again ``seconds`` after its call was answered, not after it was sent: a request may travel for
    seconds, and a vendor that counts arrivals would see the late one and the early next ones in one window.
    """

    def __init__(self, limit: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._running = 0
        self._answered: deque[float] = deque()

    def take(self) -> float:
        """Take a turn and return 0, or return the seconds after which to try again."""
        with self._lock:
            now = self._clock()
            while self._answered and self._answered[0] + self._seconds <= now:
                self._answered.popleft()
            if len(self._answered) + self._running < self._limit:
                self._running += 1
                return 0.0
            # every turn is with a call that is under way: look again soon
            return max(self._answered[0] + self._seconds - now, 0.001) if self._answered else 0.05

    def answered(self) -> None:
        """The call that took a turn has its answer, or will not get one."""
        with self._lock:
            self._running -= 1
            self._answered.append(self._clock())
