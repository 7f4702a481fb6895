"""Where the door may lead (promise S10), what it is made of, and what is refused before the first call."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from resources.clients.errors import BadConfiguration, PrivateAddress
from resources.clients.private import declare, places_of
from resources.llm.caller import Caller, Failure
from resources.llm.ledger import Evaluated
from resources.llm.opening import door_of, models_of, prices_of
from resources.settings import Settings
from tests.emulators.llm import LlmEmulator
from tests.llm.asking import MODEL, OTHER, PRICE, Book, ask, request_of, scoring

GATEWAY = "judge.corp.example"


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the gateway's name resolve to what a test says."""
    real = socket.getaddrinfo
    answers: list[str] = []

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != GATEWAY:
            return real(host, port, *rest, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield answers
    declare(places_of(""))


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "192.168.1.5"])
def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    gateway: LlmEmulator, resolves: list[str], address: str
) -> None:
    resolves += ["93.184.216.34", address]
    book = Book()
    ends = ask(gateway, [request_of(n) for n in range(3)], book=book, base_url=f"https://{GATEWAY}/v1")
    assert [type(end) for end in ends] == [PrivateAddress] * 3
    assert gateway.calls == [] and set(book.costs) == {0}


def test_a_declared_private_gateway_is_asked_also_by_http(gateway: LlmEmulator, resolves: list[str]) -> None:
    resolves += ["127.0.0.1"]
    port = gateway.base_url.rpartition(":")[2]
    declare(places_of(GATEWAY))
    (end,) = ask(gateway, [request_of()], base_url=f"http://{GATEWAY}:{port}/v1")
    assert isinstance(end, Evaluated) and end.answer is not None
    # a name that was declared is still no way to the keys of the machine
    resolves[:] = ["169.254.169.254"]
    (end,) = ask(gateway, [request_of()], base_url=f"http://{GATEWAY}:{port}/v1")
    assert isinstance(end, PrivateAddress)


@pytest.mark.parametrize(
    ("base_url", "error"),
    [
        ("https://10.1.2.3/v1", PrivateAddress),
        ("https://[::ffff:10.1.2.3]/v1", PrivateAddress),
        ("https://169.254.169.254/v1", PrivateAddress),
        ("http://gateway.example/v1", BadConfiguration),
        ("ftp://gateway.example/v1", BadConfiguration),
        ("https://user:word@gateway.example/v1", BadConfiguration),
        (" ", BadConfiguration),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_once(base_url: str, error: type) -> None:
    with pytest.raises(error):
        door_of(_settings(base_url), scoring())


def test_redirects_are_not_followed(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=302)
    (end,) = ask(gateway, [request_of()])
    assert isinstance(end, Evaluated) and (end.reason, end.is_final) == ("rejected", False)
    assert len(gateway.calls) == 1


def test_an_answer_without_end_is_cut_off(gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.llm.network.MOST_BYTES", 200)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated) and end.reason == "unavailable"
    # somebody answered at length: it may well have to be paid
    assert book.costs == [call.worst_microusd for call in book.planned]


def test_without_a_key_there_is_no_door() -> None:
    assert door_of(Settings(_env_file=None, llm_base_url="https://gateway.example/v1"), scoring()) is None
    assert door_of(_settings("https://gateway.example/v1", key="  "), scoring()) is None


@pytest.mark.parametrize(
    ("model", "match"),
    [
        ("anthropic/claude-x", "of no provider that is asked directly"),
        ("gpt-4.1", "of no provider that is asked directly"),
        ("litellm_proxy/nobody-priced-it", "nobody says what the model"),
    ],
)
def test_a_model_that_cannot_be_asked_is_named_before_anything_is_read(model: str, match: str) -> None:
    with pytest.raises(BadConfiguration, match=match):
        door_of(_settings("https://gateway.example/v1", model=model), scoring())


def test_a_gateways_model_needs_its_gateway_and_openai_does_not() -> None:
    with pytest.raises(BadConfiguration, match="needs its gateway"):
        door_of(_settings(None, model="litellm_proxy/gpt-4.1"), scoring())
    assert door_of(_settings(None, model="openai/gpt-4.1"), scoring()) is not None


def test_models_come_in_order_and_once() -> None:
    settings = _settings(None, fallback=f" {OTHER} ,{MODEL},, {OTHER}")
    assert models_of(settings) == (MODEL, OTHER)
    # nobody knows who will answer: the dearest of them counts
    dear = {MODEL: PRICE, OTHER: PRICE.model_copy(update={"output_per_million_usd": 60.0})}
    prices = prices_of(settings, scoring(prices=dear))
    request = request_of()
    assert prices.worst_of(request) == prices.worst(OTHER, request.messages, request.schema)


def test_the_door_of_the_settings_asks_and_closes(gateway: LlmEmulator) -> None:
    opened = door_of(_settings(f"{gateway.base_url}/v1", key=gateway.api_key), scoring())
    assert opened is not None
    book, request = Book(), request_of()

    async def use() -> Any:
        async with opened(book) as door:
            from tests.llm.asking import RUBRIC, read_answer, repair_messages

            return await door.ask(
                request, lambda *said: read_answer(*said, RUBRIC), lambda *bad: repair_messages(request, *bad)
            )

    # a run each, a loop each: nothing of the first may be left in the second
    for _ in range(2):
        assert asyncio.run(use()).answer is not None
    assert gateway.summary()["calls"] == 2


def test_a_model_that_knows_no_schema_or_temperature_is_asked_without(gateway: LlmEmulator) -> None:
    told = []

    class Picky(Caller):
        async def call(self, model: str, messages: Any, form: Any, temperature: Any, *rest: Any) -> Any:
            told.append((form and form["type"], temperature))
            if form is not None and form["type"] == "json_schema":
                return Failure("rejected", 400, None, False, "schema")
            if temperature is not None:
                return Failure("rejected", 400, None, False, "temperature")
            return await super().call(model, messages, None, temperature, *rest)

    def make_picky(door: Any) -> None:
        door.caller.__class__ = Picky

    book = Book()
    ask(gateway, [request_of()], book=book, between=make_picky, policy=scoring(concurrency=1))
    assert told[:3] == [("json_schema", 0.0), ("json_object", 0.0), ("json_object", None)]
    assert book.outcomes[:2] == ["rejected", "rejected"] and len(gateway.calls) >= 1


def test_what_is_sent_is_the_question_with_its_form_and_nothing_besides(
    gateway: LlmEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    complete = gateway._complete

    async def seen(body: dict[str, Any], asked: Any) -> Any:
        sent.append(body)
        return await complete(body, asked)

    monkeypatch.setattr(gateway, "_complete", seen)
    request = request_of()
    ask(gateway, [request])
    schema = {"name": request.schema_name, "strict": True, "schema": request.schema}
    assert sent == [
        {
            "model": MODEL.partition("/")[2],
            "messages": [*request.messages],
            "response_format": {"type": "json_schema", "json_schema": schema},
            "temperature": 0.0,
            "max_tokens": 2_000,
        }
    ]


def _settings(base_url: str | None, key: str = "key-of-a-test", model: str = MODEL, fallback: str = "") -> Settings:
    return Settings(
        _env_file=None,
        llm_base_url=base_url,
        llm_api_key=key,
        llm_model=model,
        llm_fallback_models=fallback,
    )
