"""What a model or its gateway does wrong: switchable, by share, by number, by model, the same on every run.

Here: which mode spoils which call, and how a good answer is spoilt. Not here: the good answer (``llm_form``), waiting
and cutting (``llm``).
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

from tests.emulators.llm_judge import MARK_KEYS, Heard

KINDS = {
    "malformed": "the JSON of the answer is cut in the middle, finish_reason stop",
    "prose": "a friendly sentence in place of JSON",
    "fenced": "the right JSON inside ```json fences, a byte order mark before it",
    "wrong_schema": "JSON of another shape",
    "out_of_range": "one mark beyond its scale",
    "missing_criterion": "one criterion is left out",
    "invented_criterion": "a criterion that nobody asked for",
    "refusal": "content null and a refusal",
    "content_null": "content null, nothing else",
    "content_filter": "content null, finish_reason content_filter",
    "empty": "content is an empty text",
    "no_choices": "an answer without choices",
    "length": "cut in the middle, finish_reason length",
    "invented_quote": "every quote is one that nobody said",
    "wrong_speaker": "every quote is the customer's",
    "obey": "where a customer orders a mark, the best marks for everything, quoting him; else the right answer",
    "best": "the best mark for everything with the right quotes",
    "no_usage": "the right answer without usage",
    "html": "a web page with status 200",
    "status": "answer `status` (default 500) with `retry_after` seconds told as `form`: seconds, date or none",
    "budget": "the proxy's own budget is spent: 429 with type budget_exceeded",
    "context": "400: the question is longer than the model's context",
    "hang": "say nothing for `seconds` (default 60), then cut the connection",
    "reset": "cut the connection with RST at once",
    "lost": "work out the answer, book it, then cut the connection with RST",
    "slow": "the right answer, `seconds` (default 1) later than usual",
}
REFUSALS = ("status", "budget", "context", "hang", "reset")
"""These never come to an answer, so nobody pays for them."""


@dataclass
class Mode:
    """One that is switched on."""

    id: int
    kind: str
    share: float = 1.0
    """Of the calls; which ones is decided by what they ask, not by when they come."""
    after: int = 0
    times: int | None = None
    on: str = "all"
    """first: not when the caller tries to repair an answer; repair: only then."""
    model: str = ""
    """Regular expression searched in the asked model; empty: every one."""
    text: str = ""
    """Regular expression searched in the prompt; empty: every one."""
    status: int = 500
    retry_after: float | None = None
    form: str = "seconds"
    seconds: float | None = None
    calls: int = 0
    fired: int = 0


class Modes:
    """The modes that are switched on; safe to change while serving."""

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._on: list[Mode] = []
        self._next = 1

    def add(self, kind: str, **options: Any) -> Mode:
        """Switch one on; options are the fields of ``Mode``.

        Raises:
            ValueError: no such mode or option.
        """
        if kind not in KINDS:
            raise ValueError(f"no mode {kind!r}; there are {', '.join(KINDS)}")
        if options.get("form", "seconds") not in ("seconds", "date", "none"):
            raise ValueError("form is one of seconds, date, none")
        for pattern in ("model", "text"):
            re.compile(options.get(pattern, ""))
        with self._lock:
            try:
                mode = Mode(self._next, kind, **options)
            except TypeError as error:
                raise ValueError(str(error)) from None
            self._next += 1
            self._on.append(mode)
            return mode

    def clear(self, mode_id: int | None = None) -> None:
        """Switch all off, or one."""
        with self._lock:
            self._on = [mode for mode in self._on if mode_id is not None and mode.id != mode_id]

    def active(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(mode) for mode in self._on]

    def firing(self, key: str, nth: int, is_repair: bool, model: str, prompt: str) -> dict[str, Mode]:
        """The modes of this call by kind; ``nth``: how often the same question came, this time included."""
        fired: dict[str, Mode] = {}
        with self._lock:
            for mode in self._on:
                if mode.on != "all" and (mode.on == "repair") != is_repair:
                    continue
                if not re.search(mode.model, model) or (mode.text and not re.search(mode.text, prompt)):
                    continue
                mode.calls += 1
                if mode.calls <= mode.after or (mode.times is not None and mode.fired >= mode.times):
                    continue
                if mode.share < 1.0:
                    drawn = hashlib.sha256(f"{self._seed} {mode.id} {key} {nth}".encode()).digest()
                    if int.from_bytes(drawn[:4]) / 2**32 >= mode.share:
                        continue
                mode.fired += 1
                fired.setdefault(mode.kind, mode)
        return fired


def spoilt_answer(answer: Any, fired: dict[str, Mode], heard: Heard) -> Any:
    """The filled form as these modes leave it."""
    answer = copy.deepcopy(answer)
    marks = list(_marked(answer))
    if "wrong_schema" in fired:
        return {"ok": True, "result": [1, 2, 3]}
    if "out_of_range" in fired and marks:
        where, key = marks[0]
        where[key] = 999
    if "invented_quote" in fired or "wrong_speaker" in fired:
        customer = heard.said("customer") or ["…"]
        for where in _objects(answer):
            if "quote" in where:
                where["quote"] = (
                    "Этих слов здесь никто никогда не произносил." if "invented_quote" in fired else customer[0]
                )
    for kind in ("missing_criterion", "invented_criterion"):
        if kind in fired:
            _miscount(answer, marks, kind)
    return answer


def spoilt_text(text: str, fired: dict[str, Mode]) -> str:
    """The text of the answer as these modes leave it."""
    if "prose" in fired:
        return "Конечно! Менеджер справился хорошо, я бы поставил высокую оценку."
    if "malformed" in fired or "length" in fired:
        return text[: max(len(text) * 2 // 3, 1)]
    if "fenced" in fired:
        return f"\ufeff```json\n{text}\n```\n"
    return "" if "empty" in fired else text


def _miscount(answer: Any, marks: list[tuple[dict[str, Any], str]], kind: str) -> None:
    """Leave the first criterion out, or add one, in a list of criteria or in an object with one field for each."""
    if not marks:
        return
    first = marks[0][0]
    for holder in _holders(answer):
        if isinstance(holder, list) and any(one is first for one in holder):
            if kind == "missing_criterion":
                holder.remove(first)
            else:
                holder.append({**first, "code": "secret_bonus"})
            return
        if isinstance(holder, dict):
            name = next((name for name, one in holder.items() if one is first), None)
            if name is not None:
                if kind == "missing_criterion":
                    del holder[name]
                else:
                    holder["secret_bonus"] = dict(first)
                return


def _holders(value: Any) -> Any:
    yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        yield from _holders(one)


def _objects(value: Any) -> Any:
    return (one for one in _holders(value) if isinstance(one, dict))


def _marked(answer: Any) -> Any:
    """Every object with a mark, and the name of the mark."""
    for one in _objects(answer):
        for key in one:
            if key in MARK_KEYS and not isinstance(one[key], dict | list):
                yield one, key


def as_text(answer: Any) -> str:
    """The form as a model writes it."""
    return json.dumps(answer, ensure_ascii=False)
