"""``otklik doctor`` on telephony, prompts, checklists and the model: each fault is found, and no secret is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.cli.conftest import Otklik

KEY = "an-llm-key-that-is-secret"
POLICY = """
organisation: {name: Пример, time_zone: Europe/Moscow}
departments: {sales: {name: Продажи, rubric: sales_calls, prompt: sales_calls%s}}
scoring: {prices: {litellm_proxy/judge: {input_per_million_usd: 1, output_per_million_usd: 2}}%s}
"""
Found = dict[str, tuple[str, str]]


class Gateway(BaseHTTPRequestHandler):
    """A gateway that says who it takes for whom, and keeps what it was asked."""

    status = 200
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        Gateway.asked.append((self.path, self.headers.get("Authorization", "")))
        body = json.dumps({"data": []}).encode()
        self.send_response(Gateway.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def doctor(otklik: Otklik, tmp_path: Path) -> Iterator[object]:
    def ask(policy: tuple[str, str] = ("", ""), **variables: str) -> Found:
        written = tmp_path / "policy.yaml"
        written.write_text(POLICY % policy, "utf-8")
        result = otklik("doctor", "--json", OTKLIK_POLICY=str(written), **variables)
        assert KEY not in result.output
        return {one["check"]: (one["state"], one["detail"]) for one in json.loads(result.stdout)}

    yield ask


def model(gateway: str, **more: str) -> dict[str, str]:
    given = {
        "LLM_BASE_URL": gateway, "LLM_API_KEY": KEY, "LLM_MODEL": "litellm_proxy/judge",
        "HTTP_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }  # fmt: skip
    return given | more


def test_what_stands_with_the_product_can_be_used(doctor) -> None:  # type: ignore[no-untyped-def]
    found = doctor()
    assert found["prompts"] == ("ok", "годных: 1 (sales_calls v1)")
    assert found["requirements"] == ("ok", "прочитаны: 1")
    assert found["model"] == ("skipped", "LLM_API_KEY не задан: оценивают только правила")
    assert "telephony" not in found


@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        (200, "ok", "ключ принят"),
        (404, "ok", "без покупки не проверить"),
        (401, "warning", "ключ не принят"),
        (403, "warning", "ключ не принят"),
        (500, "warning", "не отвечает"),
    ],
)
def test_the_gateway_is_asked_whether_it_takes_the_key(
    doctor, gateway: str, status: int, state: str, said: str
) -> None:  # type: ignore[no-untyped-def]
    Gateway.status, Gateway.asked = status, []
    found = doctor(**model(gateway))["model"]
    assert found[0] == state and said in found[1]
    # its list of models costs nothing
    assert set(Gateway.asked) == {("/v1/models", f"Bearer {KEY}")}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"LLM_MODEL": "litellm_proxy/nobody-knows-its-price"}, "scoring.prices"),
        ({"LLM_BASE_URL": "https://10.1.2.3/v1"}, "HTTP_ALLOWED_PRIVATE_HOSTS"),
        ({"LLM_BASE_URL": "http://judge.example/v1"}, "not encrypted"),
        ({"LLM_BASE_URL": "ftp://judge.example"}, "llm"),
        ({"LLM_BASE_URL": ""}, "LLM_BASE_URL"),
        ({"LLM_MODEL": "judge"}, "judge"),
    ],
)
def test_a_model_that_could_not_be_asked_is_named_before_anything_is_bought(  # type: ignore[no-untyped-def]
    doctor, gateway: str, variables: dict[str, str], said: str
) -> None:
    Gateway.asked = []
    state, detail = doctor(**model(gateway, **variables))["model"]
    assert state == "warning" and said in detail
    assert Gateway.asked == []


def test_a_gateway_that_is_not_there(doctor) -> None:  # type: ignore[no-untyped-def]
    state, detail = doctor(**model("http://127.0.0.1:9/v1"))["model"]
    assert state == "warning" and "не отвечает" in detail


def test_a_prompt_and_a_checklist_that_cannot_be_used(doctor, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "prompts" / "sales_calls").mkdir(parents=True)
    (tmp_path / "prompts" / "sales_calls" / "v1.md").write_text("Оцени разговор: {transcription}", "utf-8")
    (tmp_path / "prompts" / "sales_calls" / "rubric.yaml").write_text("criteria: [{code: ПЛОХО}]", "utf-8")
    found = doctor(OTKLIK_PROMPTS_DIR=str(tmp_path / "prompts"))
    assert found["prompts"][0] == "warning" and "criteria_list" in found["prompts"][1]
    assert found["requirements"][0] == "warning" and "sales_calls/rubric.yaml" in found["requirements"][1]


def test_a_tab_of_requirements_without_an_account(doctor) -> None:  # type: ignore[no-untyped-def]
    found = doctor((", criteria_tab: Критерии", ""), REQUIREMENTS_SHEET_ID="a" * 44)
    assert found["requirements"][0] == "warning" and "Критерии" in found["requirements"][1]


def test_where_nothing_is_judged_nothing_is_asked_for(doctor) -> None:  # type: ignore[no-untyped-def]
    found = doctor(("", ", calls_enabled: false"))
    assert {"prompts", "requirements", "model"}.isdisjoint(found)


@pytest.mark.parametrize(
    ("variables", "state", "said"),
    [
        ({}, "failed", "TBANK_LOGIN, TBANK_PASSWORD"),
        ({"TBANK_LOGIN": "judge", "TBANK_PASSWORD": KEY, "TBANK_LOGIN_PATH": "auth"}, "failed", "TBANK_LOGIN_PATH"),
        (
            {"TBANK_LOGIN": "judge", "TBANK_PASSWORD": KEY},
            "ok",
            "127.0.0.1, вход по /v2/bff-core-app/auth/session-start",
        ),
    ],
)
def test_the_telephony_of_the_environment(doctor, variables: dict[str, str], state: str, said: str) -> None:  # type: ignore[no-untyped-def]
    found = doctor(TBANK_BASE_URL="http://127.0.0.1:9", HTTP_MAX_ATTEMPTS="1", **variables)
    assert found["telephony"][0] == state and said in found["telephony"][1]
