"""An OpenAI-compatible endpoint behind a LiteLLM gateway, whose model is a few rules and says so.

Here: ``POST [/v1]/chat/completions``, its checks, delays, prices, headers, the ledger of what was paid, and the control
endpoints. Not here: sockets (``llm_http``), what is answered (``llm_judge``, ``llm_form``), bad ones (``llm_modes``).

    GET    /_emulator/health
    GET    /_emulator/modes        those switched on, and the kinds there are
    POST   /_emulator/modes        {"kind": "malformed", "share": 0.3, "times": 2, "on": "first"}
    DELETE /_emulator/modes[?id=N]
    POST   /_emulator/settings     {"delay": 0.3, "does_tell_cost": false, ...}: the fields of ``Manner``
    GET    /_emulator/ledger[?last=N]    summary and calls; never a word of what was asked
    DELETE /_emulator/ledger
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

from tests.emulators.llm_form import complaint, fill
from tests.emulators.llm_http import Asked, Loop, Said
from tests.emulators.llm_judge import NAME, Heard, hear
from tests.emulators.llm_modes import KINDS, REFUSALS, Mode, Modes, as_text, spoilt_answer, spoilt_text

API_KEY = "demo-llm-key"
PATHS = ("/v1/chat/completions", "/chat/completions")
_CONTROL = "/_emulator/"
_HTML = b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"


@dataclass
class Manner:
    """How it behaves when nothing is wrong."""

    delay: float = 0.0
    """Seconds that every answer takes."""
    does_tell_cost: bool = True
    """Whether the header with the price is sent, as the gateway does and providers do not."""
    does_tell_usage: bool = True
    input_per_million_usd: float = 2.0
    output_per_million_usd: float = 8.0
    models: str = ""
    """Names that are served, separated by commas; empty: any."""
    context_tokens: int = 128_000
    most_at_once: int = 0
    """Calls beyond so many are told 429; 0: no limit."""


@dataclass
class Call:
    """One request for an answer."""

    number: int
    key: str
    """sha256 of the messages."""
    question: str
    """sha256 of the messages before the first answer of the model: the same for all attempts and repairs."""
    is_repair: bool
    model: str
    at: float
    """Seconds since 1970 by the machine's clock."""
    in_flight: int
    """This one included."""
    max_tokens: int | None
    ended: float | None = None
    status: int | None = None
    """``None`` while it is being answered, 0 when the connection was cut without an answer."""
    mode: str | None = None
    is_paid: bool = False
    """The answer was worked out: a provider bills it, whether or not the caller was still there."""
    is_delivered: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microusd: int = 0
    early_by: float | None = None
    """Seconds by which it came before the moment that an earlier 429 or 503 had told for its model."""


class LlmEmulator:
    """The endpoint, serving from construction to ``stop()`` (or inside ``with``)."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        api_key: str = API_KEY,
        manner: Manner | None = None,
    ) -> None:
        self.api_key = api_key
        self.modes = Modes(seed)
        self.manner = manner or Manner()
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._times: Counter[str] = Counter()
        self._in_flight = 0
        self._not_before: dict[str, float] = {}
        self._loop = Loop(self._serve, host, port)

    def __enter__(self) -> LlmEmulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._loop.stop()

    @property
    def base_url(self) -> str:
        """Without ``/v1``, which is accepted as well."""
        return f"http://{self._loop.host}:{self._loop.port}"

    @property
    def calls(self) -> list[Call]:
        """All so far, in the order in which they came."""
        with self._lock:
            return [replace(call) for call in self._calls]

    def set(self, **fields: Any) -> None:
        """Change fields of ``Manner``.

        Raises:
            ValueError: no such field.
        """
        try:
            self.manner = replace(self.manner, **fields)
        except TypeError as error:
            raise ValueError(str(error)) from None

    def clear(self) -> None:
        """Forget all calls and what was told."""
        with self._lock:
            self._calls, self._times, self._not_before = [], Counter(), {}

    def summary(self) -> dict[str, Any]:
        """Numbers over all calls; ``paid_twice``: answers worked out beyond the first for the same messages."""
        calls = self.calls
        paid = Counter(call.key for call in calls if call.is_paid)
        return {
            "calls": len(calls),
            "paid": sum(paid.values()),
            "paid_keys": len(paid),
            "paid_questions": len({call.question for call in calls if call.is_paid}),
            "paid_twice": sum(n - 1 for n in paid.values()),
            "undelivered": sum(call.is_paid and not call.is_delivered for call in calls),
            "by_status": {str(status): n for status, n in Counter(call.status for call in calls).items()},
            "by_mode": dict(Counter(call.mode for call in calls if call.mode)),
            "by_model": dict(Counter(call.model for call in calls)),
            "repairs": sum(call.is_repair for call in calls),
            "most_at_once": max((call.in_flight for call in calls), default=0),
            "early": sum(call.early_by is not None for call in calls),
            "prompt_tokens": sum(call.prompt_tokens for call in calls),
            "completion_tokens": sum(call.completion_tokens for call in calls),
            "cost_microusd": sum(call.cost_microusd for call in calls),
        }

    # serving -----------------------------------------------------------------------------------------------------

    async def _serve(self, asked: Asked) -> Said:
        if asked.path.startswith(_CONTROL):
            return self._control(asked)
        if asked.path not in PATHS or asked.method != "POST":
            return _error(404, "Not Found", "invalid_request_error", "not_found")
        given = asked.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.api_key}".encode()):
            return _error(401, "Authentication Error, Invalid proxy server token passed", "auth_error", "401")
        try:
            body = json.loads(asked.body)
        except ValueError:
            return _error(400, "Could not parse the JSON body", "invalid_request_error", "400")
        wrong = _wrong(body)
        if wrong is not None:
            return _error(400, wrong, "invalid_request_error", "400")
        return await self._complete(body, asked)

    async def _complete(self, body: dict[str, Any], asked: Asked) -> Said:
        messages = body["messages"]
        prompt = "\n".join(str(one.get("content") or "") for one in messages)
        call, nth = self._begin(body)
        fired = self.modes.firing(call.key, nth, call.is_repair, call.model, prompt)
        call.mode = ",".join(sorted(fired)) or None
        try:
            said = await self._refusal(call, fired, prompt)
            if said is None:
                extra = (fired["slow"].seconds or 1.0) if "slow" in fired else 0.0
                if self.manner.delay + extra:
                    await asyncio.sleep(self.manner.delay + extra)
                said = self._answer(body, call, fired)
        finally:
            with self._lock:
                self._in_flight -= 1
                call.ended = time.time()
        call.status = 0 if said.cut else said.status
        said.sent = lambda there: setattr(call, "is_delivered", there and not said.cut)
        return said

    def _begin(self, body: dict[str, Any]) -> tuple[Call, int]:
        messages = body["messages"]
        answered = next((n for n, one in enumerate(messages) if one["role"] == "assistant"), len(messages))
        key, question = _digest(messages), _digest(messages[:answered])
        now = time.time()
        with self._lock:
            self._in_flight += 1
            self._times[key] += 1
            until = self._not_before.get(body["model"], 0.0)
            early = until - now if now < until else None
            most = body.get("max_tokens") or body.get("max_completion_tokens")
            call = Call(
                len(self._calls) + 1, key, question, answered < len(messages), body["model"], now, self._in_flight, most
            )
            call.early_by = early
            self._calls.append(call)
            return call, self._times[key]

    async def _refusal(self, call: Call, fired: Mapping[str, Mode], prompt: str) -> Said | None:
        """What is said in place of an answer, if anything."""
        if self.manner.models and call.model not in self.manner.models.split(","):
            return _error(404, f"The model `{call.model}` does not exist", "invalid_request_error", "model_not_found")
        kind = next((kind for kind in REFUSALS if kind in fired), None)
        if kind == "status":
            return self._told(fired[kind], call.model)
        if kind == "budget":
            return _error(
                429, "Budget has been exceeded! Current cost: 10.0, Max budget: 10.0", "budget_exceeded", "429"
            )
        if kind == "context" or _tokens(prompt) > self.manner.context_tokens:
            text = f"This model's maximum context length is {self.manner.context_tokens} tokens."
            return _error(400, text, "invalid_request_error", "context_length_exceeded")
        if kind == "hang":
            await asyncio.sleep(60.0 if fired[kind].seconds is None else fired[kind].seconds)
        if kind is not None:
            return Said(cut=True)
        if self.manner.most_at_once and call.in_flight > self.manner.most_at_once:
            return _error(429, "Too many requests at once", "rate_limit_error", "429")
        return None

    def _told(self, mode: Mode, model: str) -> Said:
        said = _error(mode.status, "No deployments available for selected model", "server_error", str(mode.status))
        if mode.retry_after is not None and mode.form != "none":
            whole = mode.form == "date"
            until = ceil(time.time() + mode.retry_after) if whole else time.time() + mode.retry_after
            said.headers["retry-after"] = formatdate(until, usegmt=True) if whole else f"{mode.retry_after:g}"
            if mode.status in (429, 503):
                with self._lock:
                    # a grain below what was told: the two clocks tick apart
                    self._not_before[model] = max(self._not_before.get(model, 0.0), until - 0.005)
        return said

    def _answer(self, body: dict[str, Any], call: Call, fired: dict[str, Mode]) -> Said:
        text, finish, refusal = _written(body, fired)
        prompt_tokens = sum(_tokens(str(one.get("content") or "")) for one in body["messages"])
        if call.max_tokens is not None and _tokens(text or "") > call.max_tokens:
            text, finish = (text or "")[: call.max_tokens * 3], "length"
        call.is_paid = True
        call.prompt_tokens, call.completion_tokens = prompt_tokens, _tokens(text or refusal or "")
        manner = self.manner
        call.cost_microusd = round(
            prompt_tokens * manner.input_per_million_usd + call.completion_tokens * manner.output_per_million_usd
        )
        if "html" in fired:
            return Said(200, _HTML, content_type="text/html")
        message = {"role": "assistant", "content": text, "refusal": refusal}
        answer: dict[str, Any] = {
            "id": f"chatcmpl-{call.number}",
            "object": "chat.completion",
            "created": int(call.at),
            "model": NAME,
            "choices": [] if "no_choices" in fired else [{"index": 0, "finish_reason": finish, "message": message}],
        }
        if manner.does_tell_usage and "no_usage" not in fired:
            answer["usage"] = {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": call.completion_tokens,
                "total_tokens": prompt_tokens + call.completion_tokens,
            }
        headers = {"x-litellm-call-id": f"call-{call.number}", "x-litellm-model-id": "demo-judge"}
        if manner.does_tell_cost:
            headers["x-litellm-response-cost"] = f"{call.cost_microusd / 1e6:.6f}"
        return Said(200, answer, headers, cut="lost" in fired)

    def _control(self, asked: Asked) -> Said:
        name, params = asked.path[len(_CONTROL) :], dict(parse_qsl(asked.query))
        try:
            payload = json.loads(asked.body) if asked.body else {}
            if name == "health":
                return Said(200, {"ok": True})
            if name == "modes" and asked.method == "POST":
                return Said(200, asdict(self.modes.add(payload.pop("kind", ""), **payload)))
            if name == "modes":
                if asked.method == "DELETE":
                    self.modes.clear(int(params["id"]) if "id" in params else None)
                return Said(200, {"on": self.modes.active(), "kinds": KINDS})
            if name == "settings":
                self.set(**payload)
                return Said(200, asdict(self.manner))
            if name == "ledger":
                if asked.method == "DELETE":
                    self.clear()
                last = int(params.get("last", 100))
                return Said(200, {"summary": self.summary(), "calls": [asdict(one) for one in self.calls[-last:]]})
        except (ValueError, TypeError, AttributeError) as error:
            return Said(400, {"error": str(error)})
        return Said(404, {"error": f"no control endpoint {name!r}"})


def _wrong(body: Any) -> str | None:
    if not isinstance(body, dict) or not isinstance(body.get("model"), str) or not body["model"]:
        return "you must provide a model parameter"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "'messages' must be a non-empty list"
    for one in messages:
        if not isinstance(one, dict) or one.get("role") not in ("system", "user", "assistant", "tool", "developer"):
            return "Invalid value for 'messages[].role'"
    form = body.get("response_format")
    if form is None:
        return None
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in ("json_schema", "json_object", "text"):
        return "Invalid value for 'response_format.type'"
    if kind != "json_schema":
        return None
    named = form.get("json_schema") or {}
    return complaint(named.get("schema"), named.get("name")) if named.get("strict") else None


def _written(body: dict[str, Any], fired: dict[str, Mode]) -> tuple[str | None, str, str | None]:
    """Text, finish reason and refusal of the answer."""
    if "refusal" in fired:
        return None, "stop", "I'm sorry, I can't assist with that."
    if "content_null" in fired or "content_filter" in fired:
        return None, "content_filter" if "content_filter" in fired else "stop", None
    asked = "\n".join(str(one.get("content") or "") for one in body["messages"] if one["role"] != "assistant")
    form = body.get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema")
    if schema is None:
        return spoilt_text(f"Разговор из {len(hear(asked).lines)} реплик.", fired), "stop", None
    text = _filled(asked, as_text(schema), "best" in fired, "obey" in fired)
    if fired:
        text = spoilt_text(as_text(spoilt_answer(json.loads(text), fired, _heard(asked))), fired)
    return text, "length" if "length" in fired else "stop", None


@lru_cache(maxsize=2048)
def _filled(asked: str, schema: str, is_generous: bool, does_obey: bool) -> str:
    return as_text(fill(json.loads(schema), _heard(asked), is_generous, does_obey))


@lru_cache(maxsize=256)
def _heard(asked: str) -> Heard:
    return hear(asked)


def _digest(messages: list[dict[str, Any]]) -> str:
    return hashlib.sha256(as_text([[one["role"], one.get("content")] for one in messages]).encode()).hexdigest()


def _tokens(text: str) -> int:
    return len(text) // 3 + 1


def _error(status: int, message: str, kind: str, code: str) -> Said:
    """As LiteLLM spells it: the code is a string."""
    return Said(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})
