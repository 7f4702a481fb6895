"""One call to a model through litellm, and what it came to.

Here: litellm made quiet and set to call once, a call, its answer or the kind of its failure. Not here: whether to call
again (``door``), money (``prices``). litellm is imported when a caller is made: the import takes seconds.

Models are asked in OpenAI's way: ``litellm_proxy/<name>`` at a LiteLLM gateway, ``openai/<name>`` at OpenAI or at
anybody who speaks like it. Other vendors are reached through a gateway: litellm would open connections of its own for
them, and those do not look where they lead.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from resources.clients import retry_after
from resources.clients.addresses import checked_headers, checked_url
from resources.clients.errors import BadConfiguration
from resources.llm.network import Seen, check_host, seen, session_of, transport_of

if TYPE_CHECKING:
    import aiohttp

PROVIDERS = ("litellm_proxy", "openai")
OPENAI_URL = "https://api.openai.com/v1"
Fault: TypeAlias = Literal[
    "rate_limited", "timed_out", "unavailable", "rejected", "too_long", "refused", "not_found", "needs_auth",
    "forbidden", "over_budget", "private",
]  # fmt: skip
"""rejected: the request itself is not accepted; too_long: beyond the model's context; refused: by the gateway's rules
of content; over_budget: the gateway's own budget is spent; private: the address leads into a private network."""
_MOST_TOKENS = 1_000_000_000
_LONGEST_NAME = 200
_SPENT = ("budget_exceeded", "budget has been exceeded", "insufficient_quota")
_CANNOT = (("temperature", "temperature"), ("response_format", "schema"), ("json_schema", "schema"))


class Reply(NamedTuple):
    """An answer came."""

    text: str | None
    finish_reason: str | None
    refusal: str | None
    answered_by: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    told_cost: str | None
    """What the gateway says that it cost, unread."""
    vendor_call_id: str | None


class Failure(NamedTuple):
    """No answer came."""

    fault: Fault
    status: int | None
    retry_after: float | None
    """Seconds that we were asked to stay away."""
    may_be_paid: bool
    """Whether the model may have worked for money all the same."""
    cannot: Literal["temperature", "schema"] | None = None
    """rejected: what the model does not know; it may be asked without."""


class Caller:
    """Asks models over one set of connections. To be closed; belongs to the event loop on which it was made.

    Raises:
        BadConfiguration: address, key or name of a model cannot be used.
        PrivateAddress: the address leads into a private network.
    """

    def __init__(
        self, models: Sequence[str], base_url: str | None, api_key: str, *, connect_seconds: float, concurrency: int
    ) -> None:
        url = check_settings(models, base_url, api_key)
        self._litellm = quiet_litellm()
        self._is_unlogged = _unlogged_calls()
        import httpx
        import openai

        self._session: aiohttp.ClientSession = session_of(concurrency)
        # the pauses and deadlines are the door's: here only a connection that cannot be made is given up
        timeout = httpx.Timeout(None, connect=connect_seconds)
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=url,
            timeout=timeout,
            max_retries=0,
            http_client=httpx.AsyncClient(transport=transport_of(self._session), follow_redirects=False),
        )
        self._options = {"api_base": url, "api_key": api_key, "client": self._client, "timeout": timeout}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        await self._session.close()

    async def call(
        self,
        model: str,
        messages: Sequence[dict[str, str]],
        response_format: dict[str, Any] | None,
        temperature: float | None,
        max_tokens: int,
        seconds: float,
    ) -> Reply | Failure:
        """Ask once; never raises but for a cancelled task."""
        mine = Seen()
        token, unlogged = seen.set(mine), self._is_unlogged.set(True)
        options: dict[str, Any] = dict(self._options)
        # as they are: as options, the client would walk through all words and all of the form on every call, in search
        # of what nobody put there; that is a fifth of a call's CPU
        options["extra_body"] = body = {"messages": list(messages)}
        if response_format is not None:
            body["response_format"] = response_format
        if temperature is not None:
            options["temperature"] = temperature
        try:
            async with asyncio.timeout(seconds):
                response = await self._litellm.acompletion(
                    model=model,
                    messages=[],
                    max_tokens=max_tokens,
                    num_retries=0,
                    max_retries=0,
                    **options,
                )
        except TimeoutError:
            return Failure("timed_out", None, None, mine.has_left)
        except Exception as error:
            # whatever the library makes of it, what was seen on the connection decides
            return _failure(error, mine)
        finally:
            seen.reset(token)
            self._is_unlogged.reset(unlogged)
        return _reply(response, mine)


def quiet_litellm() -> Any:
    """litellm, with nothing that tells, counts, retries or prints; texts of talks must reach no log."""
    # else the import asks the network for prices
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_LOG", "CRITICAL")
    import litellm

    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.set_verbose = False
    litellm.drop_params = False  # with it, a 422 would be sent again behind our back
    litellm.num_retries = 0
    for name in ("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"):
        setattr(litellm, name, [])
    litellm._async_success_callback, litellm._async_failure_callback = [], []
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore", "aiohttp"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # a warning of a serializer shows the message that it was about
    warnings.filterwarnings("ignore", message=".*[Ss]erializ", category=UserWarning, module="pydantic")
    return litellm


def _unlogged_calls() -> ContextVar[bool]:
    """litellm's mark of a call that it does not log. Without callbacks its log goes nowhere and takes a third of the
    CPU of a call; a release without the mark only loses that."""
    try:
        from litellm._internal_context import is_internal_call
    except ImportError:
        return ContextVar("is_internal_call", default=False)
    return is_internal_call


def check_settings(models: Sequence[str], base_url: str | None, api_key: str) -> str:
    """Look at what a caller would be made with, without a call; returns the address.

    Raises:
        BadConfiguration: address, key or name of a model cannot be used.
        PrivateAddress: the address is a number in a private network.
    """
    for model in models:
        _check(model, base_url)
    url = checked_url("llm", base_url or OPENAI_URL)
    check_host(url)
    checked_headers("llm", {"Authorization": api_key})
    return url


def _check(model: str, base_url: str | None) -> None:
    provider, slash, name = model.partition("/")
    if not slash or not name or provider not in PROVIDERS:
        raise BadConfiguration(
            "llm",
            f"the model {model} is of no provider that is asked directly",
            "Write litellm_proxy/<name> for a model behind LiteLLM, openai/<name> for whoever speaks like OpenAI",
        )
    if provider == "litellm_proxy" and not base_url:
        raise BadConfiguration("llm", f"the model {model} needs its gateway", "Set LLM_BASE_URL")


def _reply(response: Any, mine: Seen) -> Reply | Failure:
    choices = getattr(response, "choices", None)
    usage = getattr(response, "usage", None)
    asked, answered = (_count(getattr(usage, name, None)) for name in ("prompt_tokens", "completion_tokens"))
    is_told = bool(asked)  # a question has tokens: 0 is litellm's word for "not told"
    message = choices[0].message if choices else None
    fields = getattr(message, "provider_specific_fields", None) or {}
    by = getattr(response, "model", None)
    return Reply(
        text=message.content if message is not None else "",
        finish_reason=choices[0].finish_reason if choices else None,
        refusal=fields.get("refusal") or getattr(message, "refusal", None),
        answered_by=_named(by.removeprefix("litellm_proxy/")) if isinstance(by, str) else None,
        prompt_tokens=asked if is_told else None,
        completion_tokens=answered if is_told else None,
        told_cost=mine.headers.get("x-litellm-response-cost"),
        vendor_call_id=_named(mine.headers.get("x-litellm-call-id") or getattr(response, "id", None)),
    )


def _count(told: Any) -> int | None:
    """Tokens as a gateway tells them; what cannot be a number of them is not told."""
    return told if isinstance(told, int) and 0 <= told <= _MOST_TOKENS else None


def _named(told: Any) -> str | None:
    """A name or id as a gateway tells it, such that it can be stored: one that cannot would undo the whole booking."""
    plain = "".join(filter(str.isprintable, str(told or "")))[:_LONGEST_NAME]
    return plain.encode("utf-8", "replace").decode() or None


def _failure(error: Exception, mine: Seen) -> Failure:
    if mine.is_private:
        return Failure("private", None, None, False)
    status, told = mine.status, retry_after.seconds(mine.headers) if mine.status not in (None, 200) else None
    text = _text(error)
    if status is None:
        kind = type(error).__name__
        if not mine.has_left and kind in ("UnsupportedParamsError", "BadRequestError"):
            # litellm itself knows that the model cannot do it; nothing was sent
            return Failure("rejected", None, None, False, _cannot(text))
        return Failure("timed_out" if "Timeout" in kind else "unavailable", None, None, mine.has_left)
    if status == 200:
        # a web page or half an answer: somebody answered, and nobody knows who was paid
        return Failure("unavailable", status, None, True)
    if status == 402 or any(word in text for word in _SPENT):
        return Failure("over_budget", status, None, False)
    if status == 429:
        return Failure("rate_limited", status, told, False)
    if status in (408, 504, 524):
        return Failure("timed_out", status, told, True)
    if status >= 500:
        return Failure("unavailable", status, told, False)
    if status in (401, 403, 404):
        fault: Fault = "needs_auth" if status == 401 else "forbidden" if status == 403 else "not_found"
        return Failure(fault, status, None, False)
    name = type(error).__name__
    if name == "ContextWindowExceededError" or "context_length_exceeded" in text:
        return Failure("too_long", status, None, False)
    if name == "ContentPolicyViolationError" or "content_policy" in text or "content_filter" in text:
        return Failure("refused", status, None, False)
    return Failure("rejected", status, None, False, _cannot(text))


def _text(error: Exception) -> str:
    """What the gateway said, to be searched for its codes and for nothing else: it may repeat the question."""
    body = getattr(error, "body", None)
    try:
        said = json.dumps(body) if body is not None else ""
    except (TypeError, ValueError):
        said = ""
    return f"{said} {error}"[:4000].lower()


def _cannot(text: str) -> Literal["temperature", "schema"] | None:
    return next((what for word, what in _CANNOT if word in text), None)  # type: ignore[return-value]
