"""The emulated chats page keeps to the contract: session, batches, relay cursors, what a browser saves of it."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.emulators.retailcrm_web import EXPIRED, RetailCRMWebEmulator, WebOptions
from tests.emulators.shop.model import Shop


@pytest.fixture
def page() -> Iterator[RetailCRMWebEmulator]:
    with RetailCRMWebEmulator(Shop.tiny()) as emulator:
        yield emulator


def call(emulator: RetailCRMWebEmulator, *batch: dict[str, Any], **headers: str) -> requests.Response:
    body = json.dumps(batch).encode()
    sent = {**emulator.headers(), **headers}
    return requests.post(emulator.address, data=body, headers=sent, timeout=5, allow_redirects=False)


def asked(emulator: RetailCRMWebEmulator, name: str, **variables: Any) -> dict[str, Any]:
    operation = emulator.operations(name)[name]
    return {"operationName": name, "query": operation["query"], "variables": {**operation["variables"], **variables}}


def test_a_batch_is_answered_in_its_order(page: RetailCRMWebEmulator) -> None:
    answers = call(page, asked(page, "chatsList"), asked(page, "ChannelsList")).json()
    assert [list(one["data"]) for one in answers] == [["chats"], ["channels"]]
    assert [call.path for call in page.ledger.calls] == ["/api/graphql/v1/batch#chatsList+ChannelsList"]
    kinds = {edge["node"]["type"] for edge in answers[1]["data"]["channels"]["edges"]}
    assert kinds == {"WHATSAPP", "INSTAGRAM"}


@pytest.mark.parametrize("order", ["shuffled", "asc", "desc"])
def test_both_lists_can_be_paged_to_their_end(order: str) -> None:
    with RetailCRMWebEmulator(Shop.tiny(), options=WebOptions(order=order)) as page:
        after, chats = None, []
        while True:
            answer = call(page, asked(page, "chatsList", first=3, after=after)).json()[0]["data"]["chats"]
            chats += [edge["node"]["id"] for edge in answer["edges"]]
            after = answer["pageInfo"]["endCursor"]
            if not answer["pageInfo"]["hasNextPage"]:
                break
        assert len(chats) == len(set(chats)) and set(chats) == set(page.ledger.rows("chats"))
        found: dict[str, Any] = {}
        for chat_id in chats:
            before = None
            while True:
                filtered = {"chatId": chat_id, "withDeleted": True}
                asking = asked(page, "messages", last=2, before=before, filter=filtered)
                answer = call(page, asking).json()[0]["data"]["messages"]
                found |= {edge["node"]["id"]: {**edge["node"], "chatId": chat_id} for edge in answer["edges"]}
                before = answer["pageInfo"]["startCursor"]
                if not answer["pageInfo"]["hasPreviousPage"]:
                    break
        assert found == page.ledger.rows("messages")


@pytest.mark.parametrize("headers", [{"cookie": "crm_session=other"}, {"x-client-token": "other"}])
def test_another_session_is_not_let_in(page: RetailCRMWebEmulator, headers: dict[str, str]) -> None:
    assert call(page, asked(page, "ChannelsList"), **headers).status_code == 401


@pytest.mark.parametrize("how", EXPIRED)
def test_an_expired_session_says_so_in_five_ways(page: RetailCRMWebEmulator, how: str) -> None:
    page.expired = how
    answer = call(page, asked(page, "ChannelsList"))
    statuses = {"html": 200, "errors": 200, "redirect": 302}
    assert answer.status_code == (statuses.get(how) or int(how))
    assert answer.text.startswith("<!DOCTYPE") == (how == "html")


def test_a_query_and_known_variables_are_demanded(page: RetailCRMWebEmulator) -> None:
    for wrong in ({"query": ""}, {"operationName": "other"}, {"variables": {"sort": "NEW", "first": 5}}):
        (answer,) = call(page, {**asked(page, "chatsList"), **wrong}).json()
        assert answer["errors"] and not answer.get("data")


def test_what_bash_is_given_is_the_call(page: RetailCRMWebEmulator) -> None:
    words = shlex.split(page.curl("ChannelsList", "chatsList").replace("\\\n", " "))
    body = json.loads(words[words.index("--data-raw") + 1])
    assert [one["operationName"] for one in body] == ["ChannelsList", "chatsList"]
    assert words[1] == page.address and page.cookie in words
    assert requests.post(page.address, json=body, headers=page.headers(), timeout=5).json()[1]["data"]["chats"]
    ansi = page.curl("chatsList", form="bash-ansi")
    assert ansi.isascii() and "\\u0441" in ansi


def test_a_har_holds_calls_and_answers(page: RetailCRMWebEmulator) -> None:
    entries = page.har()["log"]["entries"]
    assert [entry["request"]["method"] for entry in entries] == ["GET", "GET", "POST", "POST", "POST"]
    for entry in entries[2:]:
        content = entry["response"]["content"]
        text = content["text"]
        text = base64.b64decode(text).decode() if content.get("encoding") == "base64" else text
        assert len(json.loads(text)) == len(json.loads(entry["request"]["postData"]["text"]))
        assert "data" in json.loads(text)[0]
