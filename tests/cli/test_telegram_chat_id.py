"""``otklik telegram chat-id``: which chats wrote to the bot, with nothing but a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.clients.telegram_chats import Chat, chats_of
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.telegram import TelegramEmulator

GROUP, PERSON = -1001740000001, 740000002


@pytest.fixture
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator() as emulator:
        yield emulator


@pytest.fixture
def variables(telegram: TelegramEmulator) -> dict[str, str]:
    return {
        "TELEGRAM_BASE_URL": telegram.base_url,
        "TELEGRAM_BOT_TOKEN": telegram.bot_token,
        "HTTP_READ_TIMEOUT_SECONDS": "2",
        "HTTP_MAX_ATTEMPTS": "1",
    }


def test_the_chats_are_shown_the_latest_first_and_stay_unread(
    otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    telegram.say("привет")
    telegram.say("/start", GROUP)
    for _ in range(2):
        result = otklik("telegram", "chat-id", **variables)
        assert result.exit_code == 0, result.stderr
        said = result.stdout
        assert said.index(str(GROUP)) < said.index(str(PERSON))
        assert "Отклик: дежурные" in said and "Айгуль" in said and "@otklik_demo_bot" in said
        assert f"TELEGRAM_CHAT_ID={GROUP}" in said
        assert telegram.bot_token not in result.output


def test_json_holds_no_names(otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str]) -> None:
    assert json.loads(otklik("telegram", "chat-id", "--json", **variables).stdout) == []
    telegram.say("привет")
    result = otklik("telegram", "chat-id", "--json")
    assert json.loads(result.stdout) == [{"chat_id": str(PERSON), "kind": "private"}]
    assert "Айгуль" not in result.output


def test_when_nobody_wrote_it_says_what_to_do(
    otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    result = otklik("telegram", "chat-id", **variables)
    assert result.exit_code == 1
    assert "/start@otklik_demo_bot" in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_another_reader_of_the_bot_is_said_to_be_one(
    otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    telegram.faults.add("status", path="getUpdates", status=409)
    result = otklik("telegram", "chat-id", **variables)
    assert (result.exit_code, "другая программа" in result.stderr) == (1, True)


def test_a_refused_token_and_none_at_all(otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str]) -> None:
    none = otklik("telegram", "chat-id", **{**variables, "TELEGRAM_BOT_TOKEN": ""})
    assert (none.exit_code, "TELEGRAM_BOT_TOKEN" in none.stderr) == (1, True)
    telegram.faults.add("expire_token")
    refused = otklik("telegram", "chat-id", **variables)
    assert (refused.exit_code, "ключ не принят" in refused.stderr) == (1, True)
    assert telegram.bot_token not in refused.output


def test_the_bot_of_a_connected_account_is_asked_even_when_messages_are_off(
    otklik: Otklik, telegram: TelegramEmulator, variables: dict[str, str], on_database: Warehouse, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text(f"TELEGRAM_BOT_TOKEN={telegram.bot_token}\nTELEGRAM_CHAT_ID={GROUP}\n", "utf-8")
    file.chmod(0o600)
    given = {**variables, "TELEGRAM_BOT_TOKEN": "", "TELEGRAM_ENABLED": "0"}
    connected = otklik("connect", "telegram", "--env-file", str(file), **given)
    assert connected.exit_code == 0, connected.stderr
    telegram.say("привет")
    result = otklik("telegram", "chat-id", **given)
    assert result.exit_code == 0, result.stderr
    assert str(PERSON) in result.stdout


def test_a_chat_is_found_wherever_an_update_names_it() -> None:
    group = {"id": -5, "type": "group", "title": "Продажи"}
    channel = {"id": -1007, "type": "channel", "username": "shop"}
    updates = [
        {"update_id": 1, "my_chat_member": {"chat": group, "from": {"id": 9}}},
        {"update_id": 2, "channel_post": {"chat": channel}},
        {"update_id": 3, "callback_query": {"id": "x", "message": {"chat": {"id": 9, "type": "private"}}}},
        {"update_id": 4, "message": {"chat": group, "migrate_to_chat_id": -1005}},
        {"update_id": 5, "poll": {"id": "1"}},
    ]
    assert chats_of(updates) == [
        Chat("-1005", "supergroup", "Продажи"), Chat("9", "private", ""), Chat("-1007", "channel", "@shop"),
    ]  # fmt: skip
