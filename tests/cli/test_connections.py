"""The commands about accounts: what is asked, stored, refused and shown; no secret on any screen."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conversations.messages import Connections
from orchestration.cli import connect as connecting
from orchestration.cli.app import app
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.telegram import TelegramEmulator

FILE = Path(__file__).resolve().parents[1] / "fixtures" / "twitter_care_conversations.json"
SPREADSHEET = "abcdef-0123456789"


def secret() -> str:
    return base64.b32encode(os.urandom(20)).decode("ascii").lower()


@pytest.fixture(scope="module")
def shop() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(rate=None, api_key=secret(), bot_token=secret()) as running:
        yield running


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None) as running:
        yield running


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HTTP_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("HTTP_DEADLINE_SECONDS", "5")
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


@pytest.fixture
def env_file(tmp_path: Path, shop: RetailCRMEmulator) -> Path:
    """A file as people already have one: quotes, export, a comment, the short name of the address."""
    path = tmp_path / "env"
    path.write_text(
        f'\ufeff# доступы\nexport RETAILCRM_URL="{shop.base_url}/"\nRETAILCRM_API_KEY={shop.api_key}\n'
        f"RETAILCRM_BOT_TOKEN='{shop.bot_token}'\nTELEGRAM_ENABLED=\"1\"\n",
        "utf-8",
    )
    path.chmod(0o600)
    return path


def rows(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(
            "select connection_id, vendor, settings, status, disabled_at is null from ops.connections order by 1"
        ).fetchall()


def acts(database: Warehouse) -> list[tuple[str, str]]:
    with database.connect() as connection:
        return connection.execute("select action, subject from ops.audit order by at, action").fetchall()


def secrets_of(database: Warehouse, name: str, home: Path) -> dict[str, str]:
    settings = Settings(_env_file=None, otklik_home=home)  # type: ignore[call-arg]
    with database.connect() as connection:
        return connections.credentials(connection, name, Vault.open(settings))


# --- connecting -----------------------------------------------------------------------------------------------------


def test_an_env_file_connects_a_shop(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, env_file: Path, tmp_path: Path
) -> None:
    asked = len(shop.ledger.calls)
    result = otklik("connect", "retailcrm", "--env-file", str(env_file))

    assert result.exit_code == 0, result.output
    assert "Подключено: retailcrm (RetailCRM), ключ принят" in result.stdout
    assert "Создан ключ шифрования" in result.stderr
    assert not any(value in result.output for value in (shop.api_key, shop.bot_token))
    places = {"base_url": shop.base_url, "mg_base_url": shop.base_url, "time_zone": "Europe/Moscow"}
    assert rows(on_database) == [("retailcrm", "retailcrm", places, "ok", True)]
    assert secrets_of(on_database, "retailcrm", tmp_path) == {"api_key": shop.api_key, "bot_token": shop.bot_token}
    assert [call.path for call in shop.ledger.calls[asked:]] == ["/api/credentials", "/api/bot/v1/channels"]
    assert acts(on_database) == [("connect", "retailcrm")]


def test_a_refused_key_is_not_stored(otklik: Otklik, on_database: Warehouse, env_file: Path, tmp_path: Path) -> None:
    wrong = secret()
    text = env_file.read_text("utf-8").split("RETAILCRM_API_KEY=")
    env_file.write_text(f"{text[0]}RETAILCRM_API_KEY={wrong}\n{text[1].partition(chr(10))[2]}", "utf-8")
    result = otklik("connect", "retailcrm", "--env-file", str(env_file))

    assert result.exit_code == 1
    assert "retailcrm: ключ не принят" in result.stderr
    assert wrong not in result.output
    assert rows(on_database) == [] and acts(on_database) == []
    assert not (tmp_path / "secrets" / "connections.keys").exists()
    stored = otklik("connect", "retailcrm", "--env-file", str(env_file), "--no-check")
    assert stored.exit_code == 0 and "источник не спрашивали" in stored.stdout
    assert [(row[0], row[3]) for row in rows(on_database)] == [("retailcrm", None)]


def test_a_service_account_connects_a_spreadsheet(
    otklik: Otklik, on_database: Warehouse, sheets: SheetsEmulator, tmp_path: Path
) -> None:
    document = json.dumps(sheets.service_account_info)
    (tmp_path / "key.json").write_text(document, "utf-8")
    env = tmp_path / "env"
    link = f"https://docs.google.example/spreadsheets/d/{sheets.spreadsheet_id}/edit#gid=0"
    env.write_text(f"GOOGLE_SHEETS_ID={link}\nGOOGLE_SERVICE_ACCOUNT_JSON=key.json\n", "utf-8")
    result = otklik("connect", "sheets", "--env-file", str(env), "--base-url", sheets.base_url)

    assert result.exit_code == 0, result.output
    places = {"spreadsheet_id": sheets.spreadsheet_id, "base_url": sheets.base_url}
    assert rows(on_database) == [("sheets", "sheets", places, "ok", True)]
    assert secrets_of(on_database, "sheets", tmp_path) == {"service_account": document}
    assert all(line not in result.output for line in sheets.service_account_info["private_key"].splitlines()[1:-1])


def test_a_spreadsheet_that_is_not_shared_names_whom_to_share_it_with(
    otklik: Otklik, on_database: Warehouse, sheets: SheetsEmulator, tmp_path: Path
) -> None:
    (tmp_path / "key.json").write_text(json.dumps(sheets.service_account_info), "utf-8")
    env = tmp_path / "env"
    sheets.add_spreadsheet(SPREADSHEET, "чужая", ("Лист1",), role=None)
    for spreadsheet, said in ((SPREADSHEET, sheets.service_account_info["client_email"]), (SPREADSHEET * 2, "нет")):
        env.write_text(f"GOOGLE_SHEETS_ID={spreadsheet}\nGOOGLE_SERVICE_ACCOUNT_JSON=key.json\n", "utf-8")
        result = otklik("connect", "sheets", "--env-file", str(env), "--base-url", sheets.base_url)
        assert result.exit_code == 1 and said in result.stderr
    assert rows(on_database) == []


def test_a_token_on_standard_input_connects_a_bot(
    otklik: Otklik, on_database: Warehouse, telegram: TelegramEmulator, tmp_path: Path
) -> None:
    otklik("--version")
    said = f"TELEGRAM_BOT_TOKEN={telegram.bot_token}\nTELEGRAM_CHAT_ID={telegram.chat_id}\n"
    arguments = ["connect", "telegram", "--env-file", "-", "--base-url", telegram.base_url]
    result = CliRunner().invoke(app, arguments, input=said)

    assert result.exit_code == 0, result.output
    places = {"chat_id": str(telegram.chat_id), "base_url": telegram.base_url}
    assert rows(on_database) == [("telegram", "telegram", places, "ok", True)]
    assert secrets_of(on_database, "telegram", tmp_path) == {"bot_token": telegram.bot_token}
    assert telegram.bot_token not in result.output
    unknown = CliRunner().invoke(app, [*arguments, "--id", "telegram"], input=said.replace(str(telegram.chat_id), "77"))
    assert unknown.exit_code == 1 and "бот не знает чата 77" in unknown.stderr


def test_a_person_is_asked_and_the_keys_are_not_shown(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_is_terminal", lambda: True)
    otklik("--version")
    typed = f"{shop.base_url}\n{shop.api_key}\n{shop.bot_token}\n"
    result = CliRunner().invoke(app, ["connect", "retailcrm", "--id", "shop2"], input=typed)

    assert result.exit_code == 0, result.output
    assert "Ключ API v5 (не показывается)" in result.output
    assert not any(value in result.output for value in (shop.api_key, shop.bot_token))
    assert secrets_of(on_database, "shop2", tmp_path) == {"api_key": shop.api_key, "bot_token": shop.bot_token}


def test_new_keys_alone_leave_the_address(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, env_file: Path, tmp_path: Path
) -> None:
    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    before = rows(on_database)
    env_file.write_text(f"RETAILCRM_API_KEY={shop.api_key}\nRETAILCRM_BOT_TOKEN={shop.bot_token}\n", "utf-8")
    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    assert rows(on_database) == before


def test_a_new_address_is_the_new_address_of_the_messages_too(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, env_file: Path
) -> None:
    """Else the new account's token would be sent to where the former account was."""

    def addresses() -> list[str]:
        ((_, _, stored, _, _),) = rows(on_database)
        return [stored["base_url"], stored["mg_base_url"]]

    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    moved = shop.base_url.replace("127.0.0.1", "localhost")
    text = env_file.read_text("utf-8-sig").replace(shop.base_url, moved)
    env_file.write_text(text, "utf-8")
    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    assert addresses() == [moved, moved]
    env_file.write_text(f"{text}RETAILCRM_MG_BASE_URL={shop.base_url}\n", "utf-8")
    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    env_file.write_text(text, "utf-8")
    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    assert addresses() == [moved, shop.base_url], "an address that a person gave stays"


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (("fax",), "", "неизвестный источник «fax». Есть: retailcrm, retailcrm-web, tbank, sheets, telegram"),
        (("retailcrm", "--id", "a b"), "", "«a b» не годится как имя"),
        (("retailcrm", "--env-file", "no-such-file"), "", "нет файла no-such-file"),
        (("retailcrm",), "RETAILCRM_API_KEY=k\n", "не хватает: RETAILCRM_BASE_URL, RETAILCRM_BOT_TOKEN"),
        (("retailcrm",), "RETAILCRM_URL=http://shop.example\nRETAILCRM_API_KEY=k\nRETAILCRM_BOT_TOKEN=t\n", "адрес"),
        (("sheets",), "GOOGLE_SHEETS_ID=abcdef\nGOOGLE_SERVICE_ACCOUNT_JSON={}\n", "client_email"),
        (("sheets",), "GOOGLE_SHEETS_ID=abcdef\nGOOGLE_SERVICE_ACCOUNT_JSON=nowhere.json\n", "nowhere.json"),
        (("telegram",), "TELEGRAM_BOT_TOKEN=1:a\nTELEGRAM_CHAT_ID=my chat\n", "«my chat» не похоже на чат"),
    ],
)
def test_what_cannot_be_connected_is_one_line(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path, arguments: tuple[str, ...], text: str, said: str
) -> None:
    if text:
        (tmp_path / "env").write_text(text, "utf-8")
        (tmp_path / "env").chmod(0o600)
        arguments = (*arguments, "--env-file", str(tmp_path / "env"))
    result = otklik("connect", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert rows(on_database) == []


def test_names_that_are_taken_and_second_bots_are_refused(
    otklik: Otklik, on_database: Warehouse, telegram: TelegramEmulator, env_file: Path, tmp_path: Path
) -> None:
    def bot(name: str) -> tuple[int, str]:
        said = f"TELEGRAM_BOT_TOKEN={telegram.bot_token}\nTELEGRAM_CHAT_ID={telegram.chat_id}\n"
        env = tmp_path / "bot"
        env.write_text(said, "utf-8")
        done = otklik("connect", "telegram", "--id", name, "--env-file", str(env), "--base-url", telegram.base_url)
        return done.exit_code, done.stderr

    assert otklik("connect", "retailcrm", "--env-file", str(env_file)).exit_code == 0
    code, said = bot("retailcrm")
    assert code == 2 and "занято источником retailcrm" in said
    assert bot("first")[0] == 0
    code, said = bot("second")
    assert code == 2 and "уже подключено как first" in said
    assert otklik("disable", "first").exit_code == 0
    assert bot("second")[0] == 0
    back = otklik("enable", "first")
    assert back.exit_code == 2 and "уже подключено как second" in back.stderr


def test_a_name_that_holds_a_files_rows_is_refused(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    imported = otklik("import", str(FILE), "--format", "twitter-care", "--connection", "from_a_file")
    assert imported.exit_code == 0, imported.output
    result = otklik("connect", "retailcrm", "--id", "from_a_file", "--env-file", str(env_file))
    assert result.exit_code == 2 and "занято источником twitter_care" in result.stderr


def test_a_vendor_that_is_away_is_said_and_nothing_is_stored(
    otklik: Otklik, on_database: Warehouse, env_file: Path
) -> None:
    with RetailCRMEmulator(rate=None) as away:
        address = away.base_url
    result = otklik("connect", "retailcrm", "--env-file", str(env_file), "--base-url", address)
    assert result.exit_code == 1 and "источник не ответил, ничего не записано" in result.stderr
    assert rows(on_database) == []


def test_a_file_is_not_imported_under_an_accounts_name(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    assert otklik("connect", "retailcrm", "--id", "own", "--env-file", str(env_file)).exit_code == 0
    result = otklik("import", str(FILE), "--format", "twitter-care", "--connection", "own")
    assert result.exit_code == 2 and "уже хранятся данные другого источника (retailcrm)" in result.stderr


# --- what is shown --------------------------------------------------------------------------------------------------


def test_the_table_says_how_each_account_is(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    assert Connections.EMPTY in otklik("connections").stdout.replace("\n", " ")
    at = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    for name in ("north", "south", "west"):
        otklik("connect", "retailcrm", "--id", name, "--env-file", str(env_file), OTKLIK_NOW=at.isoformat())
    with on_database.connect() as connection:
        connections.synced(connection, "north", at)
        connections.report(connection, "south", "needs_auth", "[needs_auth] the API key was not accepted", at)
    otklik("disable", "west")
    shown = otklik("connections").stdout
    as_json = {line["connection"]: line for line in json.loads(otklik("connections", "--json").stdout)}

    assert {name: line["state"] for name, line in as_json.items()} == {
        "north": "ok",
        "south": "needs_auth",
        "west": "disabled",
    }
    assert as_json["north"]["synced_at"] == at.isoformat()
    # 00:30 of the next day where the organisation is
    assert "21.11.2026 00:30" in " ".join(shown.split())
    assert all(
        text in shown for text in ("в порядке", "ключ не принят", "отключено", "ещё нет", "выпустите новый ключ")
    )


def test_the_environment_wins_and_the_table_says_so(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, env_file: Path
) -> None:
    otklik("connect", "retailcrm", "--env-file", str(env_file))
    given = {
        "RETAILCRM_BASE_URL": "https://env.example",
        "RETAILCRM_API_KEY": secret(),
        "RETAILCRM_BOT_TOKEN": secret(),
    }
    (line,) = json.loads(otklik("connections", "--json", **given).stdout)

    assert line["origin"] == "environment_wins"
    assert line["address"]["base_url"] == "https://env.example"
    assert "retailcrm: действуют переменные окружения, сохранённые ключи не используются" in " ".join(
        otklik("connections").stdout.split()
    )
    assert not any(value in otklik("connections", "--json").output for value in given.values() if "http" not in value)
    again = otklik("connect", "retailcrm", "--env-file", str(env_file))
    assert again.exit_code == 0 and "Пока они заданы, действуют они" in again.stderr.replace("\n", " ")


def test_an_account_of_the_environment_can_be_disabled(
    otklik: Otklik, on_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "RETAILCRM_BASE_URL": "https://env.example",
        "RETAILCRM_API_KEY": secret(),
        "RETAILCRM_BOT_TOKEN": secret(),
    }
    assert otklik("disable", "retailcrm", **given).exit_code == 0
    (line,) = json.loads(otklik("connections", "--json").stdout)
    assert (line["origin"], line["state"]) == ("environment", "disabled")
    assert otklik("enable", "retailcrm").exit_code == 0
    assert json.loads(otklik("connections", "--json").stdout)[0]["state"] == "unknown"
    for name in given:
        monkeypatch.delenv(name)
    assert "retailcrm: было описано переменными окружения" in otklik("connections").stdout
    assert acts(on_database) == [("disable", "retailcrm"), ("enable", "retailcrm")]


def test_a_lost_key_is_seen_in_the_table(
    otklik: Otklik, on_database: Warehouse, env_file: Path, tmp_path: Path
) -> None:
    otklik("connect", "retailcrm", "--env-file", str(env_file))
    (tmp_path / "secrets" / "connections.keys").unlink()
    (line,) = json.loads(otklik("connections", "--json").stdout)
    assert line["state"] == "no_key"
    shown = " ".join(otklik("connections").stdout.split())
    assert "нет ключа шифрования" in shown and f"ключ шифрования {line['key']} не найден" in shown
    assert not (tmp_path / "secrets" / "connections.keys").exists()


def test_an_unknown_name_is_one_line(otklik: Otklik, on_database: Warehouse) -> None:
    for command in ("disable", "enable"):
        result = otklik(command, "nobody")
        assert result.exit_code == 1 and "такого подключения" in result.stderr
