"""One HTTP client for every vendor: limits, deadlines, the one retry layer, and answers turned into values or errors.

Here: what is the same for all vendors. Not here: a vendor's paths, headers and paging (its own client and source).

Rules that hold for every call:

- connect and read timeouts, and a total deadline over all attempts and pauses;
- status first, body second: a rate limit answers with a body that is no JSON;
- only connection errors, timeouts, 408, 429, 5xx and unreadable bodies are tried again, with jitter, here and nowhere
  else (the libraries' own retries are off);
- told to wait, this client makes no call of any kind before that moment; told to wait longer than the deadline, it
  gives up at once instead of asking early;
- redirects are not followed: a key must not travel to an address that nobody configured;
- after a refusal of the key no further call leaves this client: a wrong key must not look like an attack.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from pyrate_limiter import GCRA, Duration, Limiter, Rate, SingleBucketFactory, StateBucket
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from resources.clients import retry_after
from resources.clients.errors import (
    BadAnswer,
    BadConfiguration,
    DeadlineExceeded,
    Forbidden,
    NeedsAuth,
    NotFound,
    PermanentError,
    RateLimited,
    Refused,
    SourceError,
    TransientError,
    WrongHost,
)
from resources.clients.redact import hide

log = logging.getLogger(__name__)

Params = Sequence[tuple[str, str]]
Judge = Callable[[int, Any, str], SourceError | None]
"""A vendor's own reading of a refused call, ``(status, body or None, page)``; ``None`` for the common reading."""
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


class HttpClient:
    """Reads JSON from one base URL with one key.

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
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self.connection_id = connection_id
        self.limits = limits or Limits()
        self.base_url = _checked_url(connection_id, base_url)
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **_checked_headers(connection_id, headers)})
        # requests retries nothing by default; said explicitly, because two layers would multiply their attempts
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=0))
        self._judge = judge
        self._sleep = sleep
        self._clock = clock
        self._random = random or Random()
        self._not_before = 0.0
        self._refusal: SourceError | None = None
        self._limiter = _limiter(self.limits.requests_per_second)

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
        if self._refusal is not None:
            raise self._refusal
        deadline = self._clock() + self.limits.deadline_seconds
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=lambda state: self._should_stop(state, deadline),
            wait=self._pause,
            sleep=self._sleep,
            before_sleep=lambda state: self._log_retry(state, page),
            retry_error_callback=self._give_up,
        )
        try:
            return retrying(self._attempt, path, params, expect, page, complaint, deadline)
        except NeedsAuth as refused:
            self._refusal = refused
            raise

    # one attempt -----------------------------------------------------------------------------------------------

    def _attempt(
        self,
        path: str,
        params: Params,
        expect: type[Shape],
        page: str,
        complaint: Callable[[Shape], str | None],
        deadline: float,
    ) -> Shape:
        self._wait_for_permission(page, deadline)
        status, headers, body = self._exchange(path, params, page, deadline)
        told = retry_after.seconds(headers)
        if told is not None and status != 200:
            self._not_before = max(self._not_before, self._clock() + told)
        if status == 200:
            exhausted = retry_after.seconds_until_reset(headers)
            if exhausted is not None:
                self._not_before = max(self._not_before, self._clock() + exhausted)
            value = self._value(body, expect, page)
            wrong = complaint(value)
            if wrong is not None:
                raise _Unreadable(BadAnswer(self.connection_id, f"{wrong}: {page}"))
            return value
        raise self._error(status, body, told, page)

    def _wait_for_permission(self, page: str, deadline: float) -> None:
        pause = self._not_before - self._clock()
        if self._clock() + max(pause, 0) >= deadline:
            raise DeadlineExceeded(
                self.connection_id,
                f"the vendor asked to wait {max(pause, 0):.0f} s, more than the deadline of "
                f"{self.limits.deadline_seconds:g} s leaves, while reading {page}",
            )
        if pause > 0:
            self._sleep(pause)
        if not self._limiter.try_acquire(self.connection_id, timeout=max(deadline - self._clock(), 0)):
            raise DeadlineExceeded(self.connection_id, f"no turn within our own rate limit while reading {page}")

    def _exchange(self, path: str, params: Params, page: str, deadline: float) -> tuple[int, Mapping[str, str], bytes]:
        left = max(deadline - self._clock(), 0.001)
        timeout = (min(self.limits.connect_seconds, left), min(self.limits.read_seconds, left))
        try:
            with self._session.get(
                f"{self.base_url}/{path.lstrip('/')}",
                params=list(params),
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, self._body(response, page, deadline)
        except requests.Timeout:
            raise TransientError(
                self.connection_id, f"no answer within {timeout[1]:g} s while reading {page}"
            ) from None
        except requests.exceptions.SSLError:
            raise WrongHost(self.connection_id, f"the certificate of {self._host} was not accepted") from None
        except (requests.RequestException, OSError) as error:
            # `from None`: the library's text holds the whole URL, and its cause tells an operator nothing more
            raise TransientError(
                self.connection_id,
                f"the connection to {self._host} failed ({type(error).__name__}) while reading {page}",
                "Check the base URL of the connection and whether the vendor is reachable from here, then run again",
            ) from None

    def _body(self, response: requests.Response, page: str, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(65536):
            size += len(chunk)
            if size > self.limits.max_answer_bytes:
                raise BadAnswer(
                    self.connection_id, f"an answer over {self.limits.max_answer_bytes} bytes while reading {page}"
                )
            # a read timeout does not see an answer that drips byte by byte
            if self._clock() > deadline:
                raise DeadlineExceeded(
                    self.connection_id, f"no full answer within {self.limits.deadline_seconds:g} s while reading {page}"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _value(self, body: bytes, expect: type[Shape], page: str) -> Shape:
        if body.lstrip()[:1] == b"<":
            raise _Unreadable(
                WrongHost(self.connection_id, f"{self._host} sent a web page instead of data while reading {page}")
            )
        value = _parsed(body)
        if value is _NO_JSON:
            raise _Unreadable(BadAnswer(self.connection_id, f"the answer was cut off or is no JSON: {page}"))
        if not isinstance(value, expect):
            raise _Unreadable(
                BadAnswer(
                    self.connection_id,
                    f"the answer has the wrong shape ({type(value).__name__}, not {expect.__name__}): {page}",
                )
            )
        return value

    def _error(self, status: int, body: bytes, told: float | None, page: str) -> SourceError:
        value = _parsed(body)
        own = self._judge(status, None if value is _NO_JSON else value, page) if self._judge else None
        if own is not None:
            return own
        where = f"{self._host} answered {status} while reading {page}"
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


_NO_JSON = object()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NO_JSON


def _limiter(requests_per_second: float) -> Limiter:
    # burst 1: a vendor that counts any second sees at most the rate; GCRA keeps one number and needs no thread
    rate = Rate(1, max(int(Duration.SECOND.value / requests_per_second), 1), burst=1)
    factory = SingleBucketFactory(StateBucket([rate], algorithm=GCRA()), schedule_leak=False)
    return Limiter(factory, buffer_ms=0)


def _checked_url(connection_id: str, base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    if not base_url.strip():
        raise BadConfiguration(connection_id, "no base URL is set", "Set the base URL of the connection")
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadConfiguration(
            connection_id, "the base URL is not a plain https address", "Write it like https://name.example.com"
        )
    if parts.scheme == "http" and not _is_local(parts.hostname):
        raise BadConfiguration(
            connection_id, "the base URL is not encrypted", "Use https; http is accepted on this machine only"
        )
    return base_url.strip().rstrip("/")


def _checked_headers(connection_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        hide(value)
        # the library would name the value in its own complaint
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            raise BadConfiguration(
                connection_id, f"the key for {name} is empty or has stray characters", "Copy the key again"
            )
    return dict(headers)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
