"""Credentials in requirements: every known form is found in its cell, and no sentence of a checklist is taken for one.

No key stands in this file: each is made here, in the form that a vendor uses.
"""

from __future__ import annotations

import base64
import json
import random
import string

import pytest

from conversations.scoring.credentials import KINDS, credentials_in, credentials_in_text, kind_of
from conversations.scoring.rubric import as_json, criteria_of_yaml
from resources.settings import PROJECT_ROOT

RANDOM = random.Random(20261121)
WORD = string.ascii_letters + string.digits


def made(length: int, alphabet: str = WORD) -> str:
    return "".join(RANDOM.choices(alphabet, k=length))


def jwt() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "x"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, made(43)])


FORMS = {
    "openai": ("api_key", lambda: f"sk-{made(24)}"),
    "openai project": ("api_key", lambda: f"sk-proj-{made(40)}"),
    "anthropic": ("api_key", lambda: f"sk-ant-api03-{made(60)}"),
    "google": ("api_key", lambda: f"AIza{made(35)}"),
    "github": ("api_key", lambda: f"ghp_{made(36)}"),
    "slack": ("api_key", lambda: f"xoxb-{made(11, string.digits)}-{made(24)}"),
    "aws": ("api_key", lambda: f"AKIA{made(16, string.ascii_uppercase + string.digits)}"),
    "telegram": ("api_key", lambda: f"{made(9, '123456789')}:AA{made(33)}"),
    "bearer": ("api_key", lambda: f"Authorization: Bearer {made(8)}7{made(12)}"),
    "pem": ("private_key", lambda: f"-----BEGIN {'RSA '}PRIVATE KEY-----\n{made(64)}"),
    "key file": ("private_key", lambda: json.dumps({"type": "service_account", "private_key": made(20)})),
    "jwt": ("jwt", jwt),
    "database": ("url_with_password", lambda: f"postgresql://otklik:{made(8)}@db.example:5432/calls"),
    "query": ("url_with_password", lambda: f"https://api.example/v1?api_key={made(12)}"),
    "russian": ("named_secret", lambda: f"Пароль от T-Банка: {made(3)}9{made(4)}"),
    "setting": ("named_secret", lambda: f"TOKEN_LLM={made(12)}"),
    "english": ("named_secret", lambda: f"password: {made(10, string.ascii_lowercase)}"),
    "hexadecimal": ("long_token", lambda: f"x {made(40, '0123456789abcdef')} y"),
    "base64": ("long_token", lambda: made(48)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_wherever_it_stands(form: str) -> None:
    kind, make = FORMS[form]
    for _ in range(50):
        secret = make()
        assert kind_of(secret) == kind, form
        found = credentials_in([["Код", "Критерий"], ["a", f"Спросил про цену. {secret}"]])
        assert [one.place for one in found] == ["B2"]
        assert all(secret[5:] not in str(one) for one in found)
    assert kind in KINDS


@pytest.mark.parametrize("label", ["Пароль", "Токен LLM", "TOKEN_LLM", "Ключ API", "Секретный ключ:", "API key"])
def test_what_stands_beside_or_below_such_a_word_is_one(label: str) -> None:
    value = made(12)
    assert [str(one) for one in credentials_in([["", label, value]])] == ["C1: named_secret"]
    assert [str(one) for one in credentials_in([["", label], ["", value]])] == ["B2: named_secret"]
    assert [str(one) for one in credentials_in([[label, 84729301]])] == ["B1: named_secret"]
    assert credentials_in([[label, "не спрашивать"], ["", 10]]) == []


@pytest.mark.parametrize(
    "text",
    [
        "Не просите у клиента пароль: это запрещено",
        "Менеджер назвал пароль — это провал",
        "Ключевые слова: скидка, подарок",
        "password: never ask for it",
        "Token is not asked for",
        "https://docs.google.com/spreadsheets/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit#gid=0",
        "Заказ 1234567890, накладная 4600000000001, +7 926 123-45-67",
        "поздоровался_и_представился_и_назвал_компанию",
        "made_a_clear_offer_with_price_and_delivery_term",
        "=" * 60,
        "Секрет успеха: слушать",
        "",
    ],
)
def test_what_people_write_is_none(text: str) -> None:
    assert kind_of(text) is None


def test_no_rubric_of_ours_holds_one() -> None:
    for path in (PROJECT_ROOT / "prompts").glob("*/*"):
        assert credentials_in_text(path.read_text("utf-8")) == []
    for path in (PROJECT_ROOT / "prompts").glob("*/rubric.yaml"):
        rows = [list(one.values()) for one in as_json(criteria_of_yaml(path.read_text("utf-8")))]
        assert credentials_in(rows) == []


def test_a_file_is_told_by_lines() -> None:
    assert [str(one) for one in credentials_in_text(f"criteria:\n  - code: sk-{made(30)}\n")] == ["line 2: api_key"]
