"""Which account is in force: what was connected, what the environment describes, and one name in both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources import accounts
from resources.clients.errors import BadConfiguration
from resources.settings import Settings
from resources.vault import Vault, new_key
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from tests.warehouse.test_connections import AT, SHOP, secret

KEY = new_key()


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


@pytest.fixture
def sql(database: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        yield connection


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, otklik_secret_keys=KEY, **fields)  # type: ignore[call-arg]


def retailcrm(**fields: Any) -> Settings:
    given = {
        "retailcrm_base_url": "https://env.example",
        "retailcrm_api_key": secret(),
        "retailcrm_bot_token": secret(),
    }
    return settings(**{**given, **fields})


def save(sql: psycopg.Connection[Any], name: str, vendor: str, values: dict[str, Any], **secrets: str) -> None:
    with sql.transaction():
        connections.save(sql, Vault([KEY]), name, vendor, values, secrets, at=AT)


FRAME = "-----{} PRIVATE KEY-----"


def service_account() -> str:
    document = {
        "client_email": "robot@project.example",
        "private_key": f"{FRAME.format('BEGIN')}\n{secret()}\n{secret()}\n{FRAME.format('END')}\n",
        "token_uri": "https://oauth2.example/token",
    }
    return json.dumps(document)


# --- RetailCRM ------------------------------------------------------------------------------------------------------


def test_stored_accounts_are_read_with_their_own_addresses(sql: psycopg.Connection[Any]) -> None:
    keys = {name: secret() for name in ("north", "south")}
    for name, key in keys.items():
        save(sql, name, "retailcrm", {**SHOP, "base_url": f"https://{name}.example"}, api_key=key, bot_token=secret())
    found = accounts.retailcrm_accounts(settings(), sql)

    assert [(one.connection_id, one.base_url, one.time_zone) for one in found] == [
        ("north", "https://north.example", "Asia/Almaty"),
        ("south", "https://south.example", "Asia/Almaty"),
    ]
    assert {one.connection_id: one.api_key.get_secret_value() for one in found} == keys
    assert not any(key in repr(found) for key in keys.values())


def test_the_environments_account_is_one_among_them_and_gets_its_row(sql: psycopg.Connection[Any]) -> None:
    save(sql, "stored", "retailcrm", SHOP, api_key=secret(), bot_token=secret())
    given = retailcrm()
    first, second = accounts.retailcrm_accounts(given, sql)

    assert (first.connection_id, first.account.origin, first.base_url) == (
        "retailcrm",
        "environment",
        "https://env.example",
    )
    assert second.connection_id == "stored"
    stored = sql.execute(
        "select origin, credentials, settings ->> 'base_url' from ops.connections where origin <> 'stored'"
    )
    assert stored.fetchall() == [("environment", None, "https://env.example")]


def test_asking_again_changes_no_row(sql: psycopg.Connection[Any]) -> None:
    given = retailcrm()
    accounts.retailcrm_accounts(given, sql)
    before = sql.execute("select xmin::text, * from ops.connections").fetchall()
    accounts.retailcrm_accounts(given, sql)
    assert sql.execute("select xmin::text, * from ops.connections").fetchall() == before

    accounts.retailcrm_accounts(given.model_copy(update={"retailcrm_timezone": "Asia/Omsk"}), sql)
    assert sql.execute("select settings ->> 'time_zone' from ops.connections").fetchone() == ("Asia/Omsk",)


def test_of_one_name_the_environments_keys_are_in_force_and_the_stored_ones_stay(sql: psycopg.Connection[Any]) -> None:
    key, token = secret(), secret()
    save(sql, "retailcrm", "retailcrm", SHOP, api_key=key, bot_token=token)
    given = retailcrm()
    (found,) = accounts.retailcrm_accounts(given, sql)
    assert given.retailcrm_api_key is not None
    assert found.api_key.get_secret_value() == given.retailcrm_api_key.get_secret_value()
    assert (found.base_url, found.account.origin) == ("https://env.example", "environment")

    (found,) = accounts.retailcrm_accounts(settings(), sql)
    assert (found.api_key.get_secret_value(), found.base_url) == (key, SHOP["base_url"])


@pytest.mark.parametrize("variable", ["retailcrm_base_url", "retailcrm_api_key", "retailcrm_bot_token"])
def test_a_half_described_account_says_what_it_lacks(sql: psycopg.Connection[Any], variable: str) -> None:
    (found,) = accounts.retailcrm_accounts(retailcrm(**{variable: None}), sql)

    assert isinstance(found.fault, BadConfiguration)
    assert f"{variable.upper()} is not set" in str(found.fault)


def test_a_disabled_account_is_not_read_wherever_its_keys_are(sql: psycopg.Connection[Any]) -> None:
    save(sql, "stored", "retailcrm", SHOP, api_key=secret(), bot_token=secret())
    accounts.retailcrm_accounts(retailcrm(), sql)
    for name in ("stored", "retailcrm"):
        connections.disable(sql, name)
    assert accounts.retailcrm_accounts(retailcrm(), sql) == []

    connections.enable(sql, "retailcrm")
    assert [one.connection_id for one in accounts.retailcrm_accounts(retailcrm(), sql)] == ["retailcrm"]


def test_an_account_that_is_described_no_more_is_not_read(sql: psycopg.Connection[Any]) -> None:
    accounts.retailcrm_accounts(retailcrm(), sql)
    assert accounts.retailcrm_accounts(settings(), sql) == []


def test_a_login_in_an_address_gets_into_no_row(sql: psycopg.Connection[Any]) -> None:
    key = secret()
    accounts.retailcrm_accounts(retailcrm(retailcrm_base_url=f"https://anna:{key}@env.example/?apiKey={key}"), sql)
    stored = sql.execute("select settings::text from ops.connections").fetchone()
    assert key not in stored[0] and "https://env.example/" in stored[0]


# --- the spreadsheet ------------------------------------------------------------------------------------------------


def test_no_spreadsheet_is_none(sql: psycopg.Connection[Any]) -> None:
    assert accounts.sheets_account(settings(), sql) is None


def test_the_stored_spreadsheet_has_its_key(sql: psycopg.Connection[Any]) -> None:
    text = service_account()
    save(sql, "sheets", "sheets", {"spreadsheet_id": "abc-1", "base_url": "https://s.example"}, service_account=text)
    found = accounts.sheets_account(settings(), sql)

    assert found is not None and found.fault is None
    assert (found.spreadsheet_id, found.base_url, found.requests_per_minute) == ("abc-1", "https://s.example", 60)
    assert found.service_account_info() == json.loads(text)
    assert json.loads(text)["private_key"].splitlines()[1] not in repr(found)


def test_the_environments_spreadsheet_reads_its_key_file(sql: psycopg.Connection[Any], tmp_path: Path) -> None:
    save(sql, "old", "sheets", {"spreadsheet_id": "old-1", "base_url": ""}, service_account=service_account())
    path = tmp_path / "key.json"
    path.write_text(service_account(), "utf-8")
    found = accounts.sheets_account(settings(google_sheets_id="new-1", google_service_account_json=path), sql)

    assert found is not None
    assert (found.connection_id, found.spreadsheet_id) == ("sheets", "new-1")
    assert found.service_account_info()["client_email"] == "robot@project.example"


@pytest.mark.parametrize("said", ["https://docs.google.com/spreadsheets/d/new_1-A/edit?gid=0#gid=0", "new_1-A"])
def test_the_environment_may_give_the_link_of_its_spreadsheet(sql: psycopg.Connection[Any], said: str) -> None:
    found = accounts.sheets_account(settings(google_sheets_id=said), sql)
    assert found is not None and found.spreadsheet_id == "new_1-A"


@pytest.mark.parametrize("content", [None, "", "[]", '{"client_email": "robot@project.example"}', "\x00"])
def test_an_unusable_key_file_is_a_fault_and_no_exception(
    sql: psycopg.Connection[Any], tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content, "utf-8")
    found = accounts.sheets_account(settings(google_sheets_id="new-1", google_service_account_json=path), sql)

    assert found is not None and found.fault is not None
    with pytest.raises(BadConfiguration, match=r"key file|cannot be read"):
        found.service_account_info()


# --- the bot --------------------------------------------------------------------------------------------------------


def test_the_stored_bot_speaks_unless_the_environment_says_no(sql: psycopg.Connection[Any]) -> None:
    token = secret()
    save(sql, "telegram", "telegram", {"chat_id": "-100", "base_url": "https://t.example"}, bot_token=token)
    found = accounts.telegram_account(settings(), sql)

    assert found is not None
    assert (found.chat_id, found.base_url, found.bot_token.get_secret_value()) == ("-100", "https://t.example", token)
    assert accounts.telegram_account(settings(telegram_enabled=False), sql) is None


def test_the_environments_bot_speaks_when_it_may(sql: psycopg.Connection[Any]) -> None:
    token = secret()
    given = {"telegram_bot_token": token, "telegram_chat_id": "-5"}
    assert accounts.telegram_account(settings(**given), sql) is None
    found = accounts.telegram_account(settings(**given, telegram_enabled=True), sql)
    assert found is not None and found.fault is None
    assert (found.chat_id, found.bot_token.get_secret_value()) == ("-5", token)

    half = accounts.telegram_account(settings(telegram_chat_id="-5", telegram_enabled=True), sql)
    assert half is not None and "TELEGRAM_BOT_TOKEN is not set" in str(half.fault)
