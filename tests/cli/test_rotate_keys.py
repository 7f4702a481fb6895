"""``otklik rotate-keys``: what is said and what is replaced."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings import Settings
from resources.vault import Vault, new_key
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.retailcrm import RetailCRMEmulator


@pytest.fixture(scope="module")
def shop() -> Iterator[RetailCRMEmulator]:
    api_key, bot_token = (base64.b32encode(os.urandom(20)).decode("ascii").lower() for _ in range(2))
    with RetailCRMEmulator(rate=None, api_key=api_key, bot_token=bot_token) as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


@pytest.fixture
def env_file(tmp_path: Path, shop: RetailCRMEmulator) -> Path:
    path = tmp_path / "env"
    path.write_text(
        f"RETAILCRM_URL={shop.base_url}\nRETAILCRM_API_KEY={shop.api_key}\nRETAILCRM_BOT_TOKEN={shop.bot_token}\n"
    )
    path.chmod(0o600)
    return path


def test_keys_are_replaced_by_one_command(
    otklik: Otklik, on_database: Warehouse, shop: RetailCRMEmulator, env_file: Path, tmp_path: Path
) -> None:
    for name in ("north", "south"):
        otklik("connect", "retailcrm", "--id", name, "--env-file", str(env_file))
    path = tmp_path / "secrets" / "connections.keys"
    old = path.read_text("ascii").splitlines()[-1]
    result = otklik("rotate-keys")

    assert result.exit_code == 0, result.output
    assert "Перешифровано: 2 подключения" in result.stdout
    new = path.read_text("ascii").splitlines()[-1]
    assert old not in path.read_text("ascii") and not {old, new} & set(result.output.split())
    settings = Settings(_env_file=None, otklik_home=tmp_path)  # type: ignore[call-arg]
    with on_database.connect() as connection:
        assert connections.credentials(connection, "south", Vault.open(settings))["api_key"] == shop.api_key


def test_without_a_key_none_is_said_to_be_replaced(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    result = otklik("rotate-keys")
    assert result.exit_code == 0 and "Менять нечего" in result.stdout
    assert "удалён" not in result.stdout and not (tmp_path / "secrets").exists()


def test_keys_of_the_environment_need_a_new_one_first(
    otklik: Otklik, on_database: Warehouse, env_file: Path, tmp_path: Path
) -> None:
    old = new_key()
    assert otklik("connect", "retailcrm", "--env-file", str(env_file), OTKLIK_SECRET_KEYS=old).exit_code == 0
    alone = otklik("rotate-keys")
    assert alone.exit_code == 2 and "допишите новый первым" in alone.stderr
    new = otklik("rotate-keys", "--new-key").stdout.strip()
    both = otklik("rotate-keys", OTKLIK_SECRET_KEYS=f"{new},{old}")
    assert both.exit_code == 0 and "оставьте в OTKLIK_SECRET_KEYS только первый" in " ".join(both.stdout.split())
    lost = otklik("rotate-keys", OTKLIK_SECRET_KEYS=old)
    assert lost.exit_code == 1 and "нет ключа" in lost.stderr and "--forget" in lost.stderr
    assert not (tmp_path / "secrets").exists()
