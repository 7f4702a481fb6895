"""What each answer to a message proves, and what leaves this machine for one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

import pytest

from resources.clients.errors import BadConfiguration, Forbidden, NeedsAuth, NotFound
from resources.clients.http import Limits
from resources.clients.redact import redact
from resources.clients.telegram import Outcome, TelegramClient, outcome_of
from tests.emulators.telegram import TelegramEmulator
from tests.pictures import png

FAST = Limits(
    connect_seconds=2,
    read_seconds=0.6,
    deadline_seconds=5,
    attempts=2,
    first_pause_seconds=0.01,
    requests_per_second=1e4,
)
PATIENT = replace(FAST, read_seconds=10, deadline_seconds=30)
"""Where an answer is awaited: it may take its time on a busy machine."""


def answered(status: int, body: Any, **headers: str) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome_of(status, headers, raw)


def refusal(code: int, description: str, **parameters: Any) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


@pytest.mark.parametrize(
    ("status", "body", "state", "reason"),
    [
        (200, {"ok": True, "result": {"message_id": 7}}, "sent", None),
        # accepted, or perhaps not: nothing that can be read proves it
        (200, {"ok": True, "result": {}}, "unknown", "bad_answer"),
        (200, {"ok": True, "result": {"message_id": "7"}}, "unknown", "bad_answer"),
        (200, {"ok": False}, "unknown", "bad_answer"),
        (200, b'{"ok":true,"result":{"mess', "unknown", "bad_answer"),
        (200, b"<html>login</html>", "unknown", "bad_answer"),
        (200, b"[" * 100_000, "unknown", "bad_answer"),
        (500, refusal(500, "Internal Server Error"), "unknown", "unavailable"),
        (502, b"<html>Bad Gateway</html>", "unknown", "unavailable"),
        (504, b"", "unknown", "unavailable"),
        (408, b"", "unknown", "unavailable"),
        # refused for good
        (400, refusal(400, "Bad Request: can't parse entities: Unclosed start tag"), "failed", "bad_text"),
        (400, refusal(400, "Bad Request: chat not found"), "failed", "chat_not_found"),
        (400, refusal(400, "Bad Request: message is too long"), "failed", "too_long"),
        (400, refusal(400, "Bad Request: something new"), "failed", "refused"),
        (403, refusal(403, "Forbidden: bot was blocked by the user"), "failed", "blocked"),
        # certainly not delivered
        (429, refusal(429, "Too Many Requests: retry after 3", retry_after=3), "later", "rate_limited"),
        (429, b"slow down", "later", "rate_limited"),
        (401, refusal(401, "Unauthorized"), "later", "needs_auth"),
        (404, refusal(404, "Not Found"), "later", "needs_auth"),
        (404, b"<html>no such page</html>", "later", "wrong_host"),
        (302, b"", "later", "wrong_host"),
        (400, refusal(400, "group chat was upgraded", migrate_to_chat_id=-100123), "later", "moved"),
    ],
)
def test_what_an_answer_proves(status: int, body: Any, state: str, reason: str | None) -> None:
    outcome = answered(status, body)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_how_long_to_wait_is_what_was_told_within_reason() -> None:
    assert answered(429, refusal(429, "", retry_after=3)).wait_seconds == 3
    assert answered(429, refusal(429, "", retry_after=0)).wait_seconds == 1
    assert answered(429, refusal(429, "", retry_after=10**9)).wait_seconds == 3600
    assert answered(429, b"", **{"Retry-After": "17"}).wait_seconds == 17
    assert answered(429, b"").wait_seconds == 30
    assert answered(401, refusal(401, "Unauthorized")).wait_seconds >= 20  # at most three refused calls a minute


def test_the_new_id_of_a_chat_that_moved() -> None:
    assert answered(400, refusal(400, "", migrate_to_chat_id=-100123)).moved_to == "-100123"


@pytest.fixture
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as emulator:
        yield emulator


def client_of(telegram: TelegramEmulator, token: str | None = None, limits: Limits = PATIENT) -> TelegramClient:
    return TelegramClient("telegram", telegram.base_url, token or telegram.bot_token, limits)


def test_a_message_arrives_once_as_it_was_written(telegram: TelegramEmulator) -> None:
    with client_of(telegram) as client:
        outcome = client.send(str(telegram.chat_id), "🔴 <b>Диск занят на 91 %</b>\nС &lt;utc&gt;")
    [message] = telegram.messages()
    assert outcome == Outcome("sent", external_id=str(message["message_id"]))
    assert message["text"] == "🔴 Диск занят на 91 %\nС <utc>"
    assert telegram.ledger.summary()["calls"] == 1


@pytest.mark.parametrize(
    ("fault", "options", "arrives"),
    [
        ("lost", {}, 1),
        ("reset", {}, 0),
        ("hang", {"seconds": 1}, 0),
        ("slow", {"seconds": 1}, 1),
        ("truncated", {}, 1),
        ("reset_midway", {}, 1),
        ("status", {"status": 502}, 0),
    ],
)
def test_a_lost_answer_is_unknown_and_asked_for_once(
    telegram: TelegramEmulator, fault: str, options: dict[str, Any], arrives: int
) -> None:
    telegram.faults.add(fault, path="sendMessage", **options)
    with client_of(telegram, limits=FAST) as client:
        assert client.send(str(telegram.chat_id), "текст").state == "unknown"
    assert telegram.ledger.summary()["calls"] == 1
    telegram.stopping.wait(options.get("seconds", 0) + 0.2)
    assert len(telegram.messages()) == arrives


def test_nobody_there_is_certainly_not_delivered() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    token = f"123456:{token_urlsafe(26)}"
    with TelegramClient("telegram", f"http://127.0.0.1:{port}", token, FAST) as client:
        outcome = client.send("1", "текст")
    assert (outcome.state, outcome.reason) == ("later", "not_reached")


def test_a_name_that_does_not_resolve_is_certainly_not_delivered() -> None:
    with TelegramClient("telegram", "https://no-such-host.invalid", f"1:{token_urlsafe(26)}", FAST) as client:
        assert client.send("1", "текст").reason == "not_reached"


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None], ids=["cut off", "no TLS", "silent"]
)
def test_what_ends_before_the_handshake_does_is_certainly_not_delivered(answer: bytes | None) -> None:
    """As where somebody in between lets connections come about and nothing through."""
    done = threading.Event()

    def answering() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            if answer is None:
                done.wait(10)
            else:
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        other = threading.Thread(target=answering)
        other.start()
        limits = replace(FAST, connect_seconds=0.5)
        base_url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with TelegramClient("telegram", base_url, f"1:{token_urlsafe(26)}", limits) as client:
            outcome = client.send("1", "текст")
        done.set()
        other.join(10)
    assert (outcome.state, outcome.reason) == ("later", "not_reached")


def test_refusals_of_the_vendor(telegram: TelegramEmulator) -> None:
    chat = str(telegram.chat_id)
    with client_of(telegram) as client:
        assert client.send("-100999", "текст").reason == "chat_not_found"
        assert client.send(chat, "<b>текст").reason == "bad_text"
        assert client.send(chat, "я" * 4097).reason == "too_long"
        telegram.block()
        assert client.send(chat, "текст").reason == "blocked"
        telegram.unblock()
        new = telegram.migrate()
        assert client.send(chat, "текст").moved_to == str(new)
    with client_of(telegram, token=f"1:{token_urlsafe(30)}") as client:
        assert client.send(chat, "текст").reason == "needs_auth"


def test_limits_of_the_vendor_are_told_and_kept() -> None:
    with TelegramEmulator() as telegram, client_of(telegram) as client:
        outcomes = [client.send(str(telegram.chat_id), f"№ {number}") for number in range(4)]
    assert {outcome.state for outcome in outcomes} == {"sent", "later"}
    assert all(outcome.wait_seconds >= 1 for outcome in outcomes if outcome.state == "later")


def test_who_the_bot_is_and_whether_it_knows_a_chat(telegram: TelegramEmulator) -> None:
    with client_of(telegram) as client:
        assert client.me()
        assert client.chat(str(telegram.chat_id)) == "supergroup"
        with pytest.raises(NotFound, match="does not know this chat"):
            client.chat("-100999")
    with client_of(telegram, token=f"1:{token_urlsafe(30)}") as client, pytest.raises(NeedsAuth):
        client.me()


def test_a_forbidden_chat(telegram: TelegramEmulator) -> None:
    telegram.faults.add("forbid", path="getChat")
    with client_of(telegram) as client, pytest.raises(Forbidden):
        client.chat(str(telegram.chat_id))


def test_a_token_is_never_shown() -> None:
    secret = token_urlsafe(26)
    with TelegramClient("telegram", "https://telegram.example", f"123456:{secret}", FAST) as client:
        assert secret not in repr(client) + redact(f"https://telegram.example/bot123456:{secret}/sendMessage")
        assert secret not in redact(f"says {secret} somewhere: 123456:{secret}")
    with pytest.raises(BadConfiguration) as refused:
        TelegramClient("telegram", "https://telegram.example", f"{secret} with blanks", FAST)
    assert secret not in str(refused.value)


def test_a_picture_arrives_once_with_its_caption(telegram: TelegramEmulator) -> None:
    image = png()
    with client_of(telegram) as client:
        outcome = client.send_photo(str(telegram.chat_id), image, "<b>Неделя</b>\nС &lt;utc&gt; и «Ә»")
    [message] = telegram.messages()
    assert outcome == Outcome("sent", external_id=str(message["message_id"]))
    assert (message["caption"], message["caption_entities"][0]["type"]) == ("Неделя\nС <utc> и «Ә»", "bold")
    [photo] = telegram.photos().values()
    assert bytes.fromhex(photo["hex"]) == image
    assert telegram.ledger.summary()["calls"] == 1


@pytest.mark.parametrize(("fault", "arrives"), [("lost", 1), ("reset", 0), ("truncated", 1)])
def test_a_picture_whose_answer_is_lost_is_unknown_and_sent_once(
    telegram: TelegramEmulator, fault: str, arrives: int
) -> None:
    telegram.faults.add(fault, path="sendPhoto")
    with client_of(telegram) as client:
        assert client.send_photo(str(telegram.chat_id), png(), "текст").state == "unknown"
    assert telegram.ledger.summary()["calls"] == 1
    telegram.stopping.wait(0.2)
    assert len(telegram.messages()) == arrives


def test_why_a_picture_is_refused(telegram: TelegramEmulator) -> None:
    chat = str(telegram.chat_id)
    with client_of(telegram) as client:
        assert client.send_photo(chat, b"no picture", "x") == Outcome("failed", "bad_picture")
        assert client.send_photo(chat, png(9000, 2000), "x") == Outcome("failed", "bad_picture")
        assert client.send_photo(chat, png(), "я" * 1025) == Outcome("failed", "too_long")
        telegram.forbid_photos()
        assert client.send_photo(chat, png(), "x") == Outcome("failed", "no_pictures")
        assert client.send(chat, "x").state == "sent"
    assert answered(413, b"<html>Request Entity Too Large</html>") == Outcome("failed", "picture_too_large")
