"""The commands about telephony accounts: connecting one, its health, what it may do; no secret on any screen."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings import Settings
from resources.tbank_account import TBankAccount, tbank_accounts
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.tbank import TBankEmulator

POLICY = """
departments:
  sales: {name: Продажи, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls}
"""


def secret() -> str:
    return base64.b32encode(os.urandom(20)).decode("ascii").lower()


@pytest.fixture(scope="module")
def telephony() -> Iterator[TBankEmulator]:
    with TBankEmulator(rate=None, login="petrova@example.test", password=secret()) as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HTTP_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("HTTP_DEADLINE_SECONDS", "5")
    monkeypatch.setenv("TBANK_REQUESTS_PER_SECOND", "1000")
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


@pytest.fixture
def env_file(tmp_path: Path, telephony: TBankEmulator) -> Path:
    """As the program that people come from names login and password."""
    path = tmp_path / "env"
    path.write_text(
        f"TBANK_BASE_URL={telephony.base_url}/\nLOGIN={telephony.login}\nPASSWORD={telephony.password}\nAUTH_TYPE=tqm\n",
        "utf-8",
    )
    path.chmod(0o600)
    return path


def stored(database: Warehouse, home: Path) -> list[TBankAccount]:
    settings = Settings(_env_file=None, otklik_home=home)  # type: ignore[call-arg]
    with database.connect() as connection:
        return tbank_accounts(settings, connection)


def test_an_env_file_connects_the_telephony(
    otklik: Otklik, on_database: Warehouse, telephony: TBankEmulator, env_file: Path, tmp_path: Path
) -> None:
    asked = len(telephony.ledger.calls)
    result = otklik("connect", "tbank", "--env-file", str(env_file))

    assert result.exit_code == 0, result.output
    assert "Подключено: tbank (T-Банк, звонки), ключ принят" in result.stdout
    assert telephony.password not in result.output and telephony.login not in result.output
    assert [call.path for call in telephony.ledger.calls[asked:]] == ["/v2/bff-core-app/auth/session-start"]
    (account,) = stored(on_database, tmp_path)
    assert (account.base_url, account.time_zone, account.auth_type) == (telephony.base_url, "Europe/Moscow", "tqm")
    assert (account.login.get_secret_value(), account.password.get_secret_value()) == (
        telephony.login,
        telephony.password,
    )
    with on_database.connect() as connection:
        (settings,) = connection.execute("select settings::text from ops.connections").fetchone()
    assert telephony.password not in settings and telephony.login not in settings
    listed = json.loads(otklik("connections", "--json").stdout)
    assert [(one["connection"], one["vendor"], one["state"]) for one in listed] == [("tbank", "tbank", "ok")]


def test_a_refused_password_is_not_stored(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    wrong = secret()
    text = env_file.read_text("utf-8")
    env_file.write_text(text.split("PASSWORD=")[0] + f"PASSWORD={wrong}\n", "utf-8")
    result = otklik("connect", "tbank", "--env-file", str(env_file))

    assert result.exit_code == 1
    assert "tbank: ключ не принят" in result.stderr
    assert wrong not in result.output
    with on_database.connect() as connection:
        assert connection.execute("select count(*) from ops.connections").fetchone() == (0,)


def test_one_login_is_connected_once(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    assert otklik("connect", "tbank", "--env-file", str(env_file)).exit_code == 0
    # once more under its own name: a new password, say
    assert otklik("connect", "tbank", "--env-file", str(env_file)).exit_code == 0
    again = otklik("connect", "tbank", "--id", "second", "--env-file", str(env_file), "--no-check")
    assert again.exit_code == 2 and "otklik disable tbank" in again.stderr
    env_file.write_text(env_file.read_text("utf-8").replace("LOGIN=", "LOGIN=another."), "utf-8")
    other = otklik("connect", "tbank", "--id", "second", "--env-file", str(env_file), "--no-check")
    assert other.exit_code == 0, other.output


def test_an_address_where_no_session_starts_is_named(otklik: Otklik, on_database: Warehouse, env_file: Path) -> None:
    env_file.write_text(env_file.read_text("utf-8") + "TBANK_LOGIN_PATH=/rest/auth/session-start\n", "utf-8")
    result = otklik("connect", "tbank", "--env-file", str(env_file))
    assert result.exit_code == 1
    assert "/rest/auth/session-start" in result.output


def test_other_names_of_fields_come_from_a_file_and_stay(
    otklik: Otklik, on_database: Warehouse, env_file: Path, tmp_path: Path
) -> None:
    names = tmp_path / "fields.yaml"
    names.write_text("client_phone: [client.phone, clientPhoneNumber]\ninbound: [in, inbound]\n", "utf-8")
    result = otklik("connect", "tbank", "--env-file", str(env_file), "--fields", str(names))
    assert result.exit_code == 0, result.output
    assert stored(on_database, tmp_path)[0].fields.client_phone == ("client.phone", "clientPhoneNumber")
    # a new password leaves them as they are
    assert otklik("connect", "tbank", "--env-file", str(env_file)).exit_code == 0
    assert stored(on_database, tmp_path)[0].fields.inbound == ("in", "inbound")

    names.write_text("clientphone: x\n", "utf-8")
    refused = otklik("connect", "tbank", "--env-file", str(env_file), "--fields", str(names))
    assert refused.exit_code == 2
    assert "clientphone" in refused.stderr and "client_phone" in refused.stderr
    elsewhere = otklik("connect", "telegram", "--fields", str(names))
    assert elsewhere.exit_code == 2 and "только для tbank" in elsewhere.stderr


def test_probing_shows_what_the_account_may_do(
    otklik: Otklik, on_database: Warehouse, telephony: TBankEmulator, env_file: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    variables = {"OTKLIK_POLICY": str(policy), "OTKLIK_NOW": "2026-03-06T12:00:00+03:00"}
    assert otklik("connect", "tbank", "--env-file", str(env_file)).exit_code == 0
    found = otklik("probe", "tbank", "--json", **variables)
    assert found.exit_code == 0, found.output
    assert [(one["connection"], one["name"], one["is_open"]) for one in json.loads(found.stdout)] == [
        ("tbank", name, True) for name in ("session", "agent groups", "calls", "transcripts")
    ]

    policy.write_text(POLICY.replace("Торговые представители", "Торговые"), "utf-8")
    closed = otklik("probe", "tbank", **variables)
    assert closed.exit_code == 1
    shown = " ".join(closed.output.split())
    assert "'Торговые'" in shown and "Торговые представители" in shown
    assert telephony.password not in closed.output


def test_the_variables_describe_an_account(
    otklik: Otklik, on_database: Warehouse, telephony: TBankEmulator, tmp_path: Path
) -> None:
    variables = {"TBANK_BASE_URL": telephony.base_url, "TBANK_LOGIN": telephony.login}
    found = otklik("probe", "tbank", **variables)
    assert found.exit_code == 1 and "TBANK_PASSWORD" in found.output
    found = otklik("probe", "tbank", "--json", **variables, TBANK_PASSWORD=telephony.password)
    assert found.exit_code == 0, found.output
    listed = json.loads(otklik("connections", "--json", **variables).stdout)
    assert [(one["connection"], one["vendor"], one["state"]) for one in listed] == [("tbank", "tbank", "ok")]
