"""The HTTP layer against a server that answers by script, with a clock that only pauses move."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import pytest

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
from resources.clients.http import HttpClient, Limits
from resources.clients.retailcrm_v5 import RetailCRMV5Client

CANARY = "canary-key-4d1f9a"
GOOD = (200, {}, b'{"ok": true}')
Reply = tuple[int, dict[str, str], bytes]


class Script:
    """A server that gives the replies in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [GOOD]
        self.asked: list[tuple[str, dict[str, str]]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                script.asked.append((self.path, dict(self.headers)))
                status, headers, body = script.replies.pop(0) if len(script.replies) > 1 else script.replies[0]
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that stops reading is what some tests are about."""


class Clock:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def script() -> Iterator[Script]:
    found = Script()
    yield found
    found.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., HttpClient]


@pytest.fixture
def make(script: Script, clock: Clock) -> Iterator[Make]:
    made: list[HttpClient] = []

    def build(**limits: Any) -> HttpClient:
        limits = {"requests_per_second": 1000, "read_seconds": 2, **limits}
        made.append(
            HttpClient(
                "shop", script.url, headers={"X-Key": CANARY}, limits=Limits(**limits), sleep=clock.sleep, clock=clock
            )
        )
        return made[-1]

    yield build
    for client in made:
        client.close()


def get(client: HttpClient) -> dict[str, Any]:
    return client.get("things", [("filter[name]", "Ё & Ко")], expect=dict, page="things, page 1")


def test_a_good_answer_is_the_value_and_the_key_travels_in_a_header(make: Make, script: Script) -> None:
    assert get(make()) == {"ok": True}
    path, headers = script.asked[0]
    assert headers["X-Key"] == CANARY and CANARY not in path
    assert path.startswith("/things?filter%5Bname%5D=")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"{}", Refused),
        (401, b"{}", NeedsAuth),
        (401, b"<html>", NeedsAuth),
        (403, b"{}", Forbidden),
        (404, b"{}", NotFound),
        (404, b"<html>", WrongHost),
        (422, b"{}", Refused),
        (302, b"", WrongHost),
    ],
)
def test_what_a_person_must_change_is_not_tried_again(
    make: Make, script: Script, status: int, body: bytes, error: type[SourceError]
) -> None:
    script.replies = [(status, {"Location": "https://elsewhere.example/"}, body)]
    with pytest.raises(error) as caught:
        get(make())
    assert isinstance(caught.value, PermanentError)
    assert len(script.asked) == 1
    assert "things, page 1" in str(caught.value)


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, RateLimited), (500, TransientError)])
def test_status_decides_before_the_body_is_looked_at(
    make: Make, script: Script, status: int, error: type[TransientError]
) -> None:
    script.replies = [(status, {}, b"<html>Rate limit</html>"), GOOD]
    assert get(make()) == {"ok": True}
    script.replies = [(status, {}, b"<html>Rate limit</html>")]
    with pytest.raises(error) as caught:
        get(make(attempts=3))
    assert caught.value.status == status


def test_pauses_grow_with_jitter_up_to_the_longest(make: Make, script: Script, clock: Clock) -> None:
    script.replies = [(500, {}, b"")]
    with pytest.raises(TransientError, match="gave up after 7 attempts"):
        get(make(attempts=7, first_pause_seconds=1, longest_pause_seconds=8))
    longest = [1, 2, 4, 8, 8, 8]
    assert len(clock.pauses) == len(longest)
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(clock.pauses, longest, strict=True))
    assert len({round(pause / limit, 6) for pause, limit in zip(clock.pauses, longest, strict=True)}) > 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7"},
        {"retry-after": "7.0"},
        {"X-RateLimit-Retry": "7"},
        {"X-RateLimit-Reset": "7"},
        {"Date": "Wed, 21 Oct 2026 07:27:30 GMT", "Retry-After": "Wed, 21 Oct 2026 07:27:37 GMT"},
        {"Date": "Wed, 21 Oct 2026 07:27:30 GMT", "X-RateLimit-Reset": "1792567657"},
    ],
)
@pytest.mark.parametrize("status", [429, 503, 500])
def test_told_to_wait_no_call_of_any_kind_leaves_earlier(
    make: Make, script: Script, clock: Clock, headers: dict[str, str], status: int
) -> None:
    client = make(first_pause_seconds=0.5)
    script.replies = [(status, headers, b""), GOOD]
    get(client)
    assert 7.0 <= sum(clock.pauses) <= 7.6


def test_the_jitter_of_a_seed_is_repeatable(script: Script) -> None:
    script.replies = [(500, {}, b"")]
    pauses = []
    for _ in range(2):
        clock = Clock()
        client = HttpClient(
            "shop", script.url, headers={"X-Key": CANARY}, sleep=clock.sleep, clock=clock, random=Random(7)
        )
        with pytest.raises(TransientError):
            get(client)
        client.close()
        pauses.append(clock.pauses)
    assert pauses[0] == pauses[1]


def test_another_call_of_the_same_client_waits_as_well(make: Make, script: Script, clock: Clock) -> None:
    client = make(attempts=1)
    script.replies = [(429, {"Retry-After": "30"}, b""), GOOD]
    with pytest.raises(RateLimited):
        get(client)
    started = clock.now
    get(client)
    assert clock.now - started >= 30


def test_a_good_answer_that_was_the_last_one_allowed_is_heeded(make: Make, script: Script, clock: Clock) -> None:
    client = make()
    script.replies = [(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4"}, b"{}"), GOOD]
    get(client)
    assert clock.pauses == []
    get(client)
    assert sum(clock.pauses) == pytest.approx(4)


def test_told_to_wait_longer_than_the_deadline_gives_up_at_once(make: Make, script: Script, clock: Clock) -> None:
    client = make(deadline_seconds=60)
    script.replies = [(429, {"Retry-After": "61"}, b""), GOOD]
    with pytest.raises(RateLimited, match="asked to wait 61 s, longer than the deadline leaves") as caught:
        get(client)
    assert caught.value.retry_after == 61
    with pytest.raises(DeadlineExceeded, match="asked to wait 61 s"):
        get(client)
    assert (clock.pauses, len(script.asked)) == ([], 1)


def test_all_attempts_and_pauses_share_one_deadline(make: Make, script: Script, clock: Clock) -> None:
    script.replies = [(429, {"Retry-After": "20"}, b"")]
    started = clock.now
    with pytest.raises(RateLimited):
        get(make(deadline_seconds=65, attempts=100))
    assert clock.now - started < 65
    assert len(script.asked) in (3, 4)


def test_our_clock_does_not_matter_to_a_date(make: Make, script: Script, clock: Clock) -> None:
    """F15: two hours ahead, and a date is still as far away as the vendor's own two headers say."""
    theirs = datetime.now(UTC) + timedelta(hours=2)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=5), usegmt=True),
    }
    script.replies = [(429, headers, b""), GOOD]
    get(make())
    assert 5 <= sum(clock.pauses) < 6


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "", "Wed, 99 Oct 2026"])
def test_a_time_that_makes_no_sense_is_none(value: str) -> None:
    assert retry_after.seconds({"Retry-After": value}) is None


def test_a_moment_that_has_passed_is_now() -> None:
    assert retry_after.seconds({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"ok": tru', BadAnswer),
        (b"", BadAnswer),
        (b"[1]", BadAnswer),
        (b"null", BadAnswer),
        (b"\xff\xfe", BadAnswer),
        (b"[" * 100_000, BadAnswer),
        (b'{"ok": NaN}', BadAnswer),
        (b'{"ok": -Infinity}', BadAnswer),
        (b"  <!DOCTYPE html>", WrongHost),
    ],
)
def test_an_unreadable_answer_is_tried_again_then_named(
    make: Make, script: Script, body: bytes, error: type[SourceError]
) -> None:
    script.replies = [(200, {}, body), GOOD]
    assert get(make()) == {"ok": True}
    script.asked.clear()
    script.replies = [(200, {}, body)]
    with pytest.raises(error, match=r"things, page 1\.") as caught:
        get(make(bad_answer_attempts=3))
    assert isinstance(caught.value, PermanentError)
    assert len(script.asked) == 3


def test_an_answer_without_end_is_not_read_to_its_end(make: Make, script: Script) -> None:
    script.replies = [(200, {}, b'{"a": "' + b"x" * 300_000 + b'"}')]
    with pytest.raises(BadAnswer, match="over 100000 bytes"):
        get(make(max_answer_bytes=100_000))
    assert len(script.asked) == 1


def test_a_redirect_does_not_take_the_key_elsewhere(make: Make, script: Script) -> None:
    other = Script()
    script.replies = [(307, {"Location": f"{other.url}/things"}, b"")]
    with pytest.raises(WrongHost, match="redirect"):
        get(make())
    assert other.asked == []
    other.close()


def test_after_a_refused_key_no_call_leaves(make: Make, script: Script) -> None:
    client = make()
    script.replies = [(401, {}, b""), GOOD]
    for _ in range(4):
        with pytest.raises(NeedsAuth):
            get(client)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "  ",
        "shop.example",
        "ftp://shop.example",
        "http://shop.example",
        "https://",
        "https://u:p@shop.example",
        "https://shop.example/?apiKey=1",
        "file:///etc/passwd",
    ],
)
def test_an_unusable_address_is_refused_before_any_call(url: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        HttpClient("shop", url, headers={"X-Key": CANARY})
    assert str(caught.value).startswith("shop: ")


@pytest.mark.parametrize("key", ["", " ", f"{CANARY}\r\nX-Evil: 1", f" {CANARY}", f"{CANARY}\u00a0", "ключ-от-двери"])
def test_an_unusable_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        HttpClient("shop", "https://shop.example", headers={"X-Key": key})
    assert CANARY not in str(caught.value) and "ключ" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (403, 'Wrong "apiKey" value.', NeedsAuth),
        (400, '"apiKey" is missing.', NeedsAuth),
        (404, "Account does not exist.", WrongHost),
        (403, "Access denied.", Forbidden),
        (404, "Not found", NotFound),
        (400, "Validation error", Refused),
        (400, None, Refused),
    ],
)
def test_retailcrm_says_in_words_what_its_status_does_not(
    script: Script, status: int, said: str | None, error: type[SourceError]
) -> None:
    script.replies = [(status, {}, json.dumps({"success": False, "errorMsg": said}).encode())]
    with RetailCRMV5Client("shop", script.url, CANARY) as client, pytest.raises(error) as caught:
        client.page("orders", {}, 1)
    assert type(caught.value) is error


def test_a_list_whose_rows_have_no_ids_is_a_bad_answer(script: Script) -> None:
    script.replies = [(200, {}, b'{"success": true, "orders": [{"number": "1A"}], "pagination": {}}')]
    with RetailCRMV5Client("shop", script.url, CANARY) as client, pytest.raises(BadAnswer, match="objects with ids"):
        client.page("orders", {"createdAtFrom": "2026-03-02"}, 1)


def test_the_clients_do_not_load_dagster() -> None:
    code = (
        "import sys, resources.clients.retailcrm_bot, resources.clients.retailcrm_v5, resources.sources.retailcrm, "
        "resources.sources.files; assert not {'dagster', 'pandas', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
