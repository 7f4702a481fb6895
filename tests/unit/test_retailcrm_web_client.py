"""What leaves for the chats page and what its answers mean: headers, variables, five ways to say that it is over."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from resources.clients.errors import BadAnswer, BadConfiguration, NeedsAuth, Refused, SessionExpired, TransientError
from resources.clients.http import Limits
from resources.clients.redact import redact
from resources.clients.retailcrm_web import RetailCRMWebClient
from resources.sources.retailcrm_web import RetailCRMWebSource
from tests.emulators.retailcrm_web import EXPIRED, RetailCRMWebEmulator
from tests.emulators.server import Answer
from tests.emulators.shop.model import Shop

FAST = Limits(attempts=4, requests_per_second=1000, first_pause_seconds=0.01, longest_pause_seconds=0.02)


class Heard(RetailCRMWebEmulator):
    """The page, with what it was asked and, where a test says so, another answer."""

    def __init__(self) -> None:
        super().__init__(Shop.tiny())
        self.asked: list[tuple[dict[str, str], list[dict[str, Any]]]] = []
        self.says: Any = None

    def answer(self, method: str, path: str, params: Any, headers: Any, fired: Any, body: bytes = b"") -> Any:
        self.asked.append(({name.lower(): value for name, value in headers.items()}, json.loads(body)))
        answer = super().answer(method, path, params, headers, fired, body)
        if self.says is not None:
            answer.body, answer.rows = self.says, None
        return answer


@pytest.fixture
def page() -> Iterator[Heard]:
    with Heard() as emulator:
        yield emulator


def client(page: RetailCRMWebEmulator, **more: Any) -> RetailCRMWebClient:
    given: dict[str, Any] = {"headers": page.headers(), "operations": page.operations(), **more}
    return RetailCRMWebClient("shop", page.address, given["headers"], given["operations"], FAST)


@pytest.mark.parametrize("how", EXPIRED)
def test_an_expired_session_is_one_call_and_one_error(page: Heard, how: str) -> None:
    page.expired = how
    with client(page) as web:
        for _ in range(4):
            with pytest.raises(SessionExpired) as caught:
                web.chats(None)
        assert isinstance(caught.value, NeedsAuth) and "otklik connect retailcrm-web" in caught.value.remedy
    assert len(page.asked) == 1


def test_the_captured_request_leaves_as_it_was_but_for_the_place_and_what_narrows(page: Heard) -> None:
    operations = copy.deepcopy(page.operations())
    operations["chatsList"]["variables"] |= {
        "after": "captured", "hint": 7,
        "filter": {"channelIds": [61], "tags": ["vip"], "tagsFilteringMode": "ANY", "search": "Клиент",
                   "communicationTime": {"since": "2026-01-01", "until": "2026-01-02"}},
    }  # fmt: skip
    operations["messages"]["variables"] |= {"before": "captured", "after": "x", "extra": {"a": 1}}
    operations["messages"]["variables"]["filter"] |= {"query": "Клиент", "types": ["ORDER"], "since": "2026-01-01"}
    with client(page, operations=operations) as web:
        web.chats(None, 3)
        web.messages(str(page.shop.chats[0].id), None, 2)
    (headers, (chats,)), (_, (messages,)) = page.asked
    sent = page.headers()
    assert {name: headers[name] for name in sent} == sent
    assert chats["query"] == operations["chatsList"]["query"]
    assert chats["variables"] == {
        "sort": "BY_LAST_ACTIVITY", "first": 3, "hint": 7,
        "filter": {"channelIds": [], "tags": [], "tagsFilteringMode": "ANY"},
    }  # fmt: skip
    assert messages["variables"] == {
        "filter": {"chatId": str(page.shop.chats[0].id), "withDeleted": True, "types": []}, "last": 2,
        "extra": {"a": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "error", "calls"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "UNAUTHENTICATED"}}]}, SessionExpired, 1),
        ({"message": "Unauthenticated."}, SessionExpired, 1),
        ({"error": "session expired"}, SessionExpired, 1),
        ({"errors": [{"message": "Cannot query field 'a'"}]}, Refused, 1),
        ({"message": "Internal server Error"}, BadAnswer, 3),
        ({"data": {}}, BadAnswer, 3),
        ("text", BadAnswer, 3),
        (None, BadAnswer, 3),
    ],
)
def test_one_answer_for_the_whole_batch_is_told_apart_as_well(
    page: Heard, answer: Any, error: type, calls: int
) -> None:
    page.says = answer if isinstance(answer, dict) else json.dumps(answer)
    with client(page) as web, pytest.raises(error):
        web.chats(None)
    assert len(page.asked) == calls


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (419, {"message": "Page Expired"}, SessionExpired),
        (400, {"errors": [{"message": "x", "extensions": {"code": "UNAUTHENTICATED"}}]}, SessionExpired),
        (400, [{"errors": [{"message": "CSRF token mismatch"}]}], SessionExpired),
        (422, {"message": "Not logged in"}, SessionExpired),
        (400, {"errors": [{"message": "Cannot query field 'a'"}]}, Refused),
        (400, "Bad Request", Refused),
    ],
)
def test_a_refusal_says_by_its_body_whether_the_session_is_over(
    page: Heard, monkeypatch: pytest.MonkeyPatch, status: int, body: Any, error: type
) -> None:
    monkeypatch.setattr(page, "answer", lambda *_, **__: page.asked.append(({}, [])) or Answer(status, body))
    with client(page) as web, pytest.raises(error):
        web.chats(None)
    assert len(page.asked) == 1


def test_nothing_of_the_session_is_shown(page: Heard) -> None:
    with client(page) as web:
        value = page.cookie.partition("=")[2].partition(";")[0]
        said = redact(f"{page.cookie}, {page.client_token}, {value}")
        assert page.client_token not in said and value not in said
        assert page.cookie not in repr(web) and page.cookie not in str(vars(web))


@pytest.mark.parametrize(
    ("errors", "error", "calls"),
    [
        ([{"message": "Access denied."}], SessionExpired, 1),
        (
            [{"message": "x", "extensions": {"category": "authentication", "code": "UNAUTHENTICATED"}}],
            SessionExpired,
            1,
        ),
        ([{"message": "Cannot query field 'a' on type 'Chat'."}], Refused, 1),
        ("что-то пошло не так", Refused, 1),
        ([{"message": "Internal server Error"}], BadAnswer, 3),
        ([{"message": "Too many requests"}], BadAnswer, 3),
    ],
)
def test_an_error_in_place_of_data_is_told_apart(page: Heard, errors: Any, error: type, calls: int) -> None:
    page.says = [{"data": None, "errors": errors}]
    with client(page) as web, pytest.raises(error) as caught:
        web.chats(None)
    assert len(page.asked) == calls
    assert "Cannot query" not in str(caught.value)


def test_an_error_beside_data_does_no_harm(page: Heard) -> None:
    page.says = [{"data": {"channels": {"edges": [{"node": {"id": 1}}]}}, "errors": [{"message": "deprecated"}]}]
    with client(page) as web:
        assert web.channels() == [{"id": 1}]


@pytest.mark.parametrize(
    "answer",
    [
        [], [{}], [{"data": {"chats": None}}], [{"data": {"chats": {"edges": [{}]}}}], [None],
        [{"data": {"chats": {"edges": [{"node": {"id": None}}], "pageInfo": {}}}}],
        [{"data": {"chats": {"edges": []}}}], [{"data": {"chats": []}}, {"data": {}}], {"data": {}},
    ],
    ids=range(9),
)  # fmt: skip
def test_an_answer_of_another_shape_is_bad(page: Heard, answer: Any) -> None:
    page.says = answer
    with client(page) as web, pytest.raises(BadAnswer, match="chats"):
        web.chats(None)


def test_a_server_that_is_down_is_tried_and_not_called_expired(page: Heard) -> None:
    page.faults.add("status", status=502)
    with client(page) as web, pytest.raises(TransientError, match="gave up after 4 attempts"):
        web.chats(None)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"operations": {}}, "chat list"),
        ({"operations": {"chatsList": {"query": " ", "variables": {}}}}, "chat list"),
        ({"headers": {"cookie": "a=\u0416"}}, "key for cookie"),
    ],
)
def test_a_capture_that_cannot_be_sent_is_refused_before_any_call(page: Heard, change: Any, what: str) -> None:
    with pytest.raises(BadConfiguration, match=what):
        client(page, **change)
    assert not page.asked


def test_what_was_not_captured_is_not_asked(page: Heard) -> None:
    with client(page, operations=page.operations("chatsList")) as web:
        assert (web.has("chatsList"), web.has("messages"), web.has("ChannelsList")) == (True, False, False)
        for call in (web.channels, lambda: web.messages("1", None)):
            with pytest.raises(BadConfiguration, match="captured"):
                call()
    assert not page.asked


def test_the_address_is_the_captured_one(page: Heard) -> None:
    with RetailCRMWebClient("shop", page.base_url, page.headers(), page.operations(), FAST) as web:
        assert web.channels()
    with (
        RetailCRMWebClient("shop", page.address + "?x=1", page.headers(), page.operations(), FAST) as web,
    ):
        assert web.channels()


@pytest.mark.parametrize("zone", ["Asia/Vladivostok", None])
def test_times_without_a_zone_are_those_of_the_account(page: Heard, zone: str | None) -> None:
    def bare(found: Any) -> Any:
        if isinstance(found, list):
            return [bare(one) for one in found]
        if not isinstance(found, dict):
            return found
        return {
            name: value[:19] if name in ("time", "lastActivity") and isinstance(value, str) else bare(value)
            for name, value in found.items()
        }

    real = page.answer

    def answer(*asked: Any, **more: Any) -> Answer:
        given = real(*asked, **more)
        return Answer(given.status, bare(given.body))

    page.answer = answer  # type: ignore[method-assign]
    with client(page) as web:
        source = RetailCRMWebSource("shop", web, time_zone=zone)
        if zone is None:
            with pytest.raises(BadAnswer, match="no readable time"):
                list(source.pages("messages", None, None))
            return
        chats = [row for one in source.pages("chats", None, None) for row in one.rows]
        messages = [row for one in source.pages("messages", None, None) for row in one.rows]
    assert len(messages) == len(page.shop.messages) and len(chats) == len(page.shop.chats)
    for row in messages:
        said = row.payload["timeSaid"]
        assert len(said) == 19 and row.payload["time"] == f"{said}+10:00"
        assert row.event_at == datetime.fromisoformat(f"{said}Z") - timedelta(hours=10)
    assert all(row.payload["lastActivity"].endswith("+10:00") for row in chats)
    assert all(row.payload["lastMessage"]["time"].endswith("+10:00") for row in chats if row.payload["lastMessage"])
