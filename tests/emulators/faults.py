"""Switchable faults: what a vendor or the network does wrong, how often, on which calls.

Here: which rule fires on which call. Not here: what firing does to an answer (``server``).

>>> faults = Faults()
>>> rule = faults.add("status", status=503, share=0.3, retry_after=2, form="date")
>>> faults.clear()
"""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

KINDS = {
    "status": "answer `status` (default 503) with `retry_after` seconds told as `form`: seconds, date, vendor, none",
    "reset": "cut the connection with RST before the answer",
    "reset_midway": "cut the connection with RST in the middle of the body",
    "lost": "do what was asked, then cut the connection with RST in place of the answer",
    "overtaken": "cut the connection with RST at once, do what was asked `seconds` later (default 1)",
    "hang": "say nothing for `seconds` (default 60), then cut the connection",
    "late": "wait `seconds` (default 1), then do what was asked and answer: the caller may be gone by then",
    "slow": "answer correctly after `seconds` (default 1), at once when it is switched off",
    "html": "an HTML page with status 200",
    "truncated": "status 200, the JSON cut in the middle, Content-Length fitting the cut",
    "wrong_shape": "an object where a list belongs",
    "unknown_fields": "every row carries a field that nobody documented",
    "unknown_enum": "in one row of the page from.type (v5: status) has a value that nobody documented",
    "duplicate_rows": "some rows of the page twice, and the last row of the page before once more",
    "repeat_page": "the page that was served before is served again in place of the asked one",
    "shuffle": "the rows of the page in random order",
    "ignore_cursor": "until_id, since_id and page are ignored: the same page for ever",
    "insert_between": "after the answer a message arrives whose time lies inside the page",
    "edit_between": "after the answer a message of the page gets another text",
    "delete_between": "after the answer a message of the page is deleted",
    "expire_token": "401 on this and all later matching calls; `after` says how many are let through first",
    "forbid": "403 on matching calls",
    "errors": "GraphQL: status 200 with an error in place of the data",
    "wrong_host": "404 with a body that begins with '<', as from a host that is no account",
}
STICKY = {"expire_token"}


@dataclass
class Rule:
    """One fault that is switched on."""

    id: int
    kind: str
    share: float = 1.0
    path: str = ""
    """Regular expression searched in the path; empty: every vendor call."""
    after: int = 0
    """Matching calls let through before the rule may fire."""
    times: int | None = None
    """How often it fires at most; ``None``: as long as it is switched on."""
    status: int = 503
    retry_after: float | None = None
    form: str = "seconds"
    seconds: float | None = None
    calls: int = 0
    fired: int = 0


class Faults:
    """The faults that are switched on; safe to change while serving."""

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self._random = Random(seed)
        self._rules: list[Rule] = []
        self._next = 1

    def add(self, kind: str, **options: Any) -> Rule:
        """Switch a fault on; options are the fields of ``Rule``.

        Raises:
            ValueError: no such kind, option or form.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        if options.get("form", "seconds") not in ("seconds", "date", "vendor", "none"):
            raise ValueError("form is one of seconds, date, vendor, none")
        re.compile(options.get("path", ""))
        with self._lock:
            try:
                rule = Rule(self._next, kind, **options)
            except TypeError as error:
                raise ValueError(str(error)) from None
            self._next += 1
            self._rules.append(rule)
            return rule

    def remove(self, rule_id: int) -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if rule.id != rule_id]

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self._rules = []

    def has(self, kind: str) -> bool:
        with self._lock:
            return any(rule.kind == kind for rule in self._rules)

    def holds(self, rule: Rule) -> bool:
        """Whether a rule is still switched on."""
        with self._lock:
            return any(one is rule for one in self._rules)

    def active(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def firing(self, path: str) -> dict[str, Rule]:
        """The rules that fire on this call, by kind; counts them."""
        fired: dict[str, Rule] = {}
        with self._lock:
            for rule in self._rules:
                if not re.search(rule.path, path):
                    continue
                rule.calls += 1
                if rule.calls <= rule.after or (rule.times is not None and rule.fired >= rule.times):
                    continue
                if rule.kind not in STICKY and rule.share < 1.0 and self._random.random() >= rule.share:
                    continue
                rule.fired += 1
                fired.setdefault(rule.kind, rule)
        return fired

    def pick(self, n: int, k: int) -> list[int]:
        """``k`` of ``n`` positions at random, in order."""
        with self._lock:
            return sorted(self._random.sample(range(n), min(k, n)))

    def shuffled(self, rows: list[Any]) -> list[Any]:
        with self._lock:
            return self._random.sample(rows, len(rows))
