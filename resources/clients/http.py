"""One HTTP client for every vendor: limits, deadlines, the one retry layer, and answers turned into values or errors.

Here: what is the same for all vendors. Not here: a vendor's paths, headers and paging (its own client and source).

Rules that hold for every call:

- connect and read timeouts, and a total deadline over all attempts and pauses;
- status first, body second: a rate limit answers with a body that is no JSON;
- only connection errors, timeouts, 408, 429, 5xx and unreadable bodies are tried again, with jitter, here and nowhere
  else (the libraries' own retries are off);
- told to wait, this client makes no call of any kind before that moment; told to wait longer than the deadline, it
  gives up at once instead of asking early;
- what would be wrong if it were done twice is sent again only after a failure that proves that it was not done; any
  other failure is ``UnknownOutcome``, and the caller finds out;
- redirects are not followed, and no private address is connected to: a key must not travel where nobody sent it;
- after a refusal of the key no further call leaves this client: a wrong key must not look like an attack.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception

from resources.clients import retry_after
from resources.clients.addresses import checked_headers, checked_url
from resources.clients.answers import NO_JSON, never_left, parsed
from resources.clients.errors import (
    BadAnswer,
    DeadlineExceeded,
    Forbidden,
    NeedsAuth,
    NotFound,
    PermanentError,
    RateLimited,
    Refused,
    SourceError,
    TransientError,
    UnknownOutcome,
    WrongHost,
)
from resources.clients.public import PublicAdapter, refuse_private
from resources.clients.quota import Quota, pace

log = logging.getLogger(__name__)

Params = Sequence[tuple[str, str]]
Judge = Callable[[int, Any, str], SourceError | None]
"""A vendor's own reading of a refused call, ``(status, body or None, page)``; ``None`` for the common reading.
Asked with 200 when a web page came in place of data."""
Shape = TypeVar("Shape", list, dict)


@dataclass(frozen=True)
class Limits:
    """How patient and how fast one connection is."""

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    deadline_seconds: float = 180.0
    """For one call: all its attempts, pauses and waits for the rate limit."""
    attempts: int = 8
    bad_answer_attempts: int = 3
    """Attempts for an answer that came with 200 and cannot be read."""
    requests_per_second: float = 10.0
    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 20.0
    max_answer_bytes: int = 64 * 1024 * 1024


class _Unreadable(TransientError):
    """A 200 that cannot be read: worth another try, and a permanent error when the tries are used up."""

    def __init__(self, permanent: PermanentError) -> None:
        self.permanent = permanent
        super().__init__(permanent.connection_id, permanent.what, permanent.remedy)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    params: Params
    expect: type
    complaint: Callable[[Any], str | None]
    page: str
    body: bytes | None = None
    content_type: str = ""
    repeatable: bool = True

    @property
    def during(self) -> str:
        return f"while {'reading' if self.method == 'GET' else 'sending'} {self.page}"


class HttpClient:
    """Exchanges JSON with one base URL and one key.

    Args:
        authorize: gives the headers of every single attempt, for keys that change.
        quotas: what the vendor counts by window, by method; ``Limits.requests_per_second`` holds for all calls.
        trace: a response header that errors quote: the vendor's support asks for it.

    Raises:
        BadConfiguration: at construction, when address or key cannot be used.
        SourceError: from calls; the families are in ``resources.clients.errors``.
    """

    def __init__(
        self,
        connection_id: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        limits: Limits | None = None,
        judge: Judge | None = None,
        authorize: Callable[[], Mapping[str, str]] = dict,
        quotas: Mapping[str, Quota] | None = None,
        trace: str = "",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self.connection_id = connection_id
        self.limits = limits or Limits()
        self.base_url = checked_url(connection_id, base_url)
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **checked_headers(connection_id, headers)})
        # requests retries nothing by default; said explicitly, because two layers would multiply their attempts
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, PublicAdapter())
        self._judge = judge
        self._authorize = authorize
        self._quotas, self._trace = quotas or {}, trace
        self._sleep = sleep
        self._clock = clock
        self._random = random or Random()
        self._not_before = 0.0
        self._refusal: SourceError | None = None
        self._limiter = pace(self.limits.requests_per_second)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def get(
        self,
        path: str,
        params: Params = (),
        *,
        expect: type[Shape],
        page: str,
        complaint: Callable[[Shape], str | None] = lambda _: None,
    ) -> Shape:
        """Return the JSON answer of ``GET base_url/path``, of the shape ``expect`` (list or dict).

        ``page`` names the page for people: ``messages (until_id 5123)``. ``complaint`` says what is wrong with a value
        of that shape, ``None`` for nothing; such an answer is tried again like any other that cannot be read.

        Raises:
            SourceError: see the module; ``BadAnswer`` names the page.
        """
        return self._call(_Call("GET", path, params, expect, complaint, page))

    def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        params: Params = (),
        expect: type[Shape] = dict,  # type: ignore[assignment]
        page: str,
        complaint: Callable[[Shape], str | None] = lambda _: None,
        repeatable: bool,
    ) -> Shape:
        """Send ``body`` and return the JSON answer, as ``get`` does.

        ``repeatable`` says whether doing it twice is the same as doing it once. If it is not, the request is sent again
        only when it surely was not accepted: no connection, 429, or what the vendor's judge calls transient.

        Raises:
            UnknownOutcome: not repeatable, and it may have been done.
            SourceError: as ``get``; nothing was done.
        """
        return self._call(_Call("POST", path, params, expect, complaint, page, body, content_type, repeatable))

    # one attempt -----------------------------------------------------------------------------------------------

    def _call(self, call: _Call) -> Any:
        if self._refusal is not None:
            raise self._refusal
        deadline = self._clock() + self.limits.deadline_seconds
        retrying = Retrying(
            retry=retry_if_exception(_may_repeat),
            stop=lambda state: self._should_stop(state, deadline),
            wait=self._pause,
            sleep=self._sleep,
            before_sleep=lambda state: self._log_retry(state, call.page),
            retry_error_callback=self._give_up,
        )
        try:
            return retrying(self._attempt, call, deadline)
        except NeedsAuth as refused:
            self._refusal = refused
            raise

    def _attempt(self, call: _Call, deadline: float) -> Any:
        self._wait_for_permission(call, deadline)
        try:
            status, headers, body = self._exchange(call, self._authorize(), deadline)
        finally:
            if call.method in self._quotas:
                self._quotas[call.method].answered()
        told = retry_after.seconds(headers)
        if told is not None and status != 200:
            self._not_before = max(self._not_before, self._clock() + told)
        if status == 200:
            exhausted = retry_after.seconds_until_reset(headers)
            if exhausted is not None:
                self._not_before = max(self._not_before, self._clock() + exhausted)
            try:
                return self._value(body, call)
            except _Unreadable as unreadable:
                raise (unreadable if call.repeatable else self._unknown(unreadable.what)) from None
        raise self._error(status, body, told, call, str(headers.get(self._trace, ""))[:64])

    def _wait_for_permission(self, call: _Call, deadline: float) -> None:
        pause = self._not_before - self._clock()
        if self._clock() + max(pause, 0) >= deadline:
            raise DeadlineExceeded(
                self.connection_id,
                f"the vendor asked to wait {max(pause, 0):.0f} s, more than the deadline of "
                f"{self.limits.deadline_seconds:g} s leaves, {call.during}",
            )
        if pause > 0:
            self._sleep(pause)
        late = DeadlineExceeded(self.connection_id, f"no turn within our own rate limit {call.during}")
        if not self._limiter.try_acquire(self.connection_id, timeout=max(deadline - self._clock(), 0)):
            raise late
        quota = self._quotas.get(call.method)
        while quota is not None and (pause := quota.take()):
            if self._clock() + pause >= deadline:
                raise late
            self._sleep(pause)

    def _exchange(
        self, call: _Call, authorization: Mapping[str, str], deadline: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        left = max(deadline - self._clock(), 0.001)
        timeout = (min(self.limits.connect_seconds, left), min(self.limits.read_seconds, left))
        content = {"Content-Type": call.content_type} if call.body is not None else {}
        try:
            with self._session.request(
                call.method,
                f"{self.base_url}/{call.path.lstrip('/')}",
                params=list(call.params),
                data=call.body,
                headers={**content, **authorization},
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, self._body(response, call, deadline)
        except requests.exceptions.SSLError:
            raise WrongHost(self.connection_id, f"the certificate of {self._host} was not accepted") from None
        except (requests.RequestException, OSError) as error:
            refuse_private(self.connection_id, error)
            # `from None`: the library's text holds the whole URL, and its cause tells an operator nothing more
            raise self._failed(error, call, timeout[1]) from None

    def _failed(self, error: Exception, call: _Call, waited: float) -> TransientError:
        """The error for a call without an answer."""
        if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectTimeout):
            what, remedy = f"no answer within {waited:g} s {call.during}", None
        else:
            what = f"the connection to {self._host} failed ({type(error).__name__}) {call.during}"
            remedy = (
                "Check the base URL of the connection and whether the vendor is reachable from here, then run again"
            )
        if call.repeatable or never_left(error):
            return TransientError(self.connection_id, what, remedy)
        return self._unknown(what)

    def _unknown(self, what: str, status: int | None = None) -> UnknownOutcome:
        return UnknownOutcome(self.connection_id, what, status=status)

    def _body(self, response: requests.Response, call: _Call, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(65536):
            size += len(chunk)
            if size > self.limits.max_answer_bytes:
                what = f"an answer over {self.limits.max_answer_bytes} bytes {call.during}"
                raise BadAnswer(self.connection_id, what) if call.repeatable else self._unknown(what)
            # a read timeout does not see an answer that drips byte by byte
            if self._clock() > deadline:
                what = f"no full answer within {self.limits.deadline_seconds:g} s {call.during}"
                raise DeadlineExceeded(self.connection_id, what) if call.repeatable else self._unknown(what)
            chunks.append(chunk)
        return b"".join(chunks)

    def _value(self, body: bytes, call: _Call) -> Any:
        if body.lstrip()[:1] == b"<":
            # where a browser's session is the key, the sign-in page is its refusal: the vendor's judge knows
            own = self._judge(200, None, call.page) if self._judge else None
            what = f"{self._host} sent a web page instead of data {call.during}"
            raise own or _Unreadable(WrongHost(self.connection_id, what))
        value = parsed(body)
        if value is NO_JSON:
            raise _Unreadable(BadAnswer(self.connection_id, f"the answer was cut off or is no JSON: {call.page}"))
        if not isinstance(value, call.expect):
            shapes = f"{type(value).__name__}, not {call.expect.__name__}"
            raise _Unreadable(BadAnswer(self.connection_id, f"the answer has the wrong shape ({shapes}): {call.page}"))
        wrong = call.complaint(value)
        if wrong is not None:
            raise _Unreadable(BadAnswer(self.connection_id, f"{wrong}: {call.page}"))
        return value

    def _error(self, status: int, body: bytes, told: float | None, call: _Call, trace: str = "") -> SourceError:
        value = parsed(body)
        own = self._judge(status, None if value is NO_JSON else value, call.page) if self._judge else None
        if own is not None:
            return own
        where = f"{self._host} answered {status} {call.during}{f' ({self._trace} {trace})' if trace else ''}"
        if not call.repeatable and (status == 408 or status >= 500):
            return self._unknown(where, status)
        if status in (429, 503):
            return RateLimited(self.connection_id, where, status=status, retry_after=told)
        if status == 408 or status >= 500:
            return TransientError(self.connection_id, where, status=status, retry_after=told)
        if status == 401:
            return NeedsAuth(self.connection_id, where)
        if status == 403:
            return Forbidden(self.connection_id, where)
        if 300 <= status < 400 or body.lstrip()[:1] == b"<":
            return WrongHost(self.connection_id, f"{where}, with a redirect or a web page")
        if status == 404:
            return NotFound(self.connection_id, where)
        return Refused(self.connection_id, where)

    # the retry layer -------------------------------------------------------------------------------------------

    def _should_stop(self, state: RetryCallState, deadline: float) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, DeadlineExceeded):
            return True
        tries = self.limits.bad_answer_attempts if isinstance(error, _Unreadable) else self.limits.attempts
        return state.attempt_number >= tries or self._clock() + self._pause(state, jitter=0.0) >= deadline

    def _pause(self, state: RetryCallState, jitter: float | None = None) -> float:
        """Seconds before the next attempt: what we were told, else growing; always with jitter on top."""
        told = max(self._not_before - self._clock(), 0.0)
        grown = min(
            self.limits.first_pause_seconds * 2 ** (state.attempt_number - 1), self.limits.longest_pause_seconds
        )
        # without jitter all loaders that were stopped together come back together
        spread = self._random.uniform(0, grown) if jitter is None else jitter
        return told + spread if told else grown / 2 + spread / 2

    def _give_up(self, state: RetryCallState) -> Any:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Unreadable):
            raise error.permanent from None
        if isinstance(error, TransientError) and not isinstance(error, DeadlineExceeded):
            tried = f"{error.what} (gave up after {state.attempt_number} attempts)"
            if error.retry_after is not None and state.attempt_number < self.limits.attempts:
                tried = f"{error.what} (asked to wait {error.retry_after:.0f} s, longer than the deadline leaves)"
            raise type(error)(
                self.connection_id, tried, error.remedy, status=error.status, retry_after=error.retry_after
            ) from None
        assert error is not None
        raise error

    def _log_retry(self, state: RetryCallState, page: str) -> None:
        error = state.outcome.exception() if state.outcome else None
        reason = error.reason if isinstance(error, SourceError) else type(error).__name__
        pause = state.next_action.sleep if state.next_action else 0.0
        log.warning(
            "%s: reason=%s attempt=%d pause=%.1fs page=%s",
            self.connection_id, reason, state.attempt_number, pause, page,
        )  # fmt: skip

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).netloc


def _may_repeat(error: BaseException) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, UnknownOutcome)
