"""How often a bot may send, and how Telegram says no.

Here: the limits of the Bot FAQ: a message a second to one chat, twenty a minute to one group, thirty a second in all.
Not here: what else is refused of a message (``telegram``).
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from typing import Any

from tests.emulators.limits import Bucket


class BotRefused(Exception):
    """``ok: false``."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.body["parameters"] = parameters


class Sending:
    """What was sent lately, by chat. ``per_second=None``: no limits at all."""

    def __init__(self, per_second: float | None, per_minute: int, overall: float, minute: float) -> None:
        self._limited, self._per_minute, self._minute = per_second is not None, per_minute, minute
        # the vendor lets short bursts pass
        self._chat_bucket, self._overall = Bucket(per_second, 2), Bucket(overall, int(overall))
        self._lock = threading.RLock()
        self._sent: dict[int, deque[float]] = defaultdict(deque)
        self._told: dict[int, float] = {}
        self.early: list[tuple[int, float]] = []

    def take(self, chat: dict[str, Any]) -> None:
        """Whether one more message may be sent now.

        Raises:
            BotRefused: 429 with the seconds to wait; what comes earlier is refused again.
        """
        if not self._limited:
            return
        chat_id, now = chat["id"], time.monotonic()
        with self._lock:
            told = self._told.get(chat_id, 0.0)
            if now < told:
                self.early.append((chat_id, told - now))
                self._flood(chat_id, told - now)
            recent = self._sent[chat_id]
            while recent and recent[0] <= now - self._minute * 0.99:
                recent.popleft()
            if chat["type"] != "private" and len(recent) >= self._per_minute:
                self._flood(chat_id, recent[0] + self._minute - now)
            if not self._chat_bucket.take(str(chat_id)) or not self._overall.take("all"):
                self._flood(chat_id, 1.0)
            recent.append(now)

    def _flood(self, chat_id: int, seconds: float) -> None:
        wait = max(1, math.ceil(seconds))
        self._told[chat_id] = max(self._told.get(chat_id, 0.0), time.monotonic() + seconds)
        raise BotRefused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
