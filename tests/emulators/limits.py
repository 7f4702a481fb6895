"""The vendor's rate limit: a token bucket per account and API."""

from __future__ import annotations

import threading
import time


class Bucket:
    """``rate`` calls a second on average, ``burst`` at once; ``rate=None`` is no limit."""

    def __init__(self, rate: float | None, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._lock = threading.Lock()
        self._level: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> bool:
        """Whether the account may make this call now."""
        if self._rate is None:
            return True
        now = time.monotonic()
        with self._lock:
            level, at = self._level.get(key, (float(self._burst), now))
            level = min(float(self._burst), level + (now - at) * self._rate)
            allowed = level >= 1.0
            self._level[key] = (level - 1.0 if allowed else level, now)
            return allowed
