"""What was asked and what is true: every call without its secrets, and the rows that a loader must end up with.

Here: bookkeeping. Not here: how a row is spelled (the vendor's API module gives ``truth``).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

SECRET_PARAMS = {"apikey", "token"}
Truth = Callable[[str, datetime | None, datetime | None], dict[str, dict[str, Any]]]


@dataclass
class Call:
    """One request."""

    number: int
    method: str
    path: str
    params: list[tuple[str, str]]
    at: float
    """Seconds since 1970 by the machine's clock, when the request had been read."""
    status: int | None = None
    """``None`` while it is being answered, 0 when the connection was cut without an answer."""
    rows: int | None = None
    fault: str | None = None
    early_by: float | None = None
    """Seconds by which the call came before the moment that an earlier 429 or 503 had told."""
    secret_in_url: bool = False
    sent: int = 0
    """Bytes of the request's body."""


class Ledger:
    """All calls since the start or the last ``clear()``, and the truth about every stream."""

    def __init__(self, truth: Truth, gone: Truth) -> None:
        self._lock = threading.Lock()
        self._truth = truth
        self._gone = gone
        self._told: dict[str, float] = {}
        self.calls: list[Call] = []

    def begin(self, key: str, method: str, path: str, params: list[tuple[str, str]], sent: int = 0) -> Call:
        """Note a call of the account ``key``."""
        now = time.time()
        shown = [(name, "***" if name.lower() in SECRET_PARAMS else value) for name, value in params]
        with self._lock:
            told = self._told.get(key)
            early = told - now if told is not None and now < told else None
            call = Call(len(self.calls) + 1, method, path, shown, now, early_by=early, sent=sent)
            call.secret_in_url = shown != params
            self.calls.append(call)
            return call

    def tell(self, key: str, until: float) -> None:
        """The account was told to stay away until ``until`` (seconds since 1970)."""
        with self._lock:
            self._told[key] = max(until, self._told.get(key, 0.0))

    def clear(self) -> None:
        """Forget all calls and what was told."""
        with self._lock:
            self.calls = []
            self._told = {}

    @property
    def early(self) -> list[Call]:
        """Calls that came earlier than told."""
        with self._lock:
            return [call for call in self.calls if call.early_by is not None]

    def rows(
        self, stream: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, dict[str, Any]]:
        """The true rows of a stream whose event time lies in ``[start, end)``, by id: what raw must hold.

        Streams: channels, users, bots, customers (MG), chats, dialogs, messages, members, crm_users, crm_customers,
        orders. Event time: messages ``time``, chats, dialogs and orders their creation; directories have none.
        """
        return self._truth(stream, start, end)

    def gone(
        self, stream: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, dict[str, Any]]:
        """Rows of ``messages`` that were once visible and are deleted now, as they last looked."""
        return self._gone(stream, start, end)

    def summary(self) -> dict[str, Any]:
        """Numbers over all calls."""
        with self._lock:
            calls = list(self.calls)
        return {
            "calls": len(calls),
            "by_path": dict(Counter(call.path for call in calls)),
            "by_status": {str(status): n for status, n in Counter(call.status for call in calls).items()},
            "by_fault": dict(Counter(call.fault for call in calls if call.fault)),
            "rows": sum(call.rows or 0 for call in calls),
            "early": sum(call.early_by is not None for call in calls),
            "secrets_in_url": sum(call.secret_in_url for call in calls),
        }

    def listing(self, last: int | None = None) -> list[dict[str, Any]]:
        """The calls as plain dicts, the newest ``last`` only if given."""
        with self._lock:
            calls = self.calls[-last:] if last else list(self.calls)
        return [asdict(call) for call in calls]
