"""``otklik doctor``: the modes off, fail and strict, and what each finding needs to be found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from resources.settings import PROJECT_ROOT
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.retailcrm import RetailCRMEmulator

SECRETS = ("a-key-that-is-secret", "a-token-that-is-secret")


@pytest.fixture(scope="module")
def emulator() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(rate=None) as running:
        yield running


def account(emulator: RetailCRMEmulator) -> dict[str, str]:
    return {
        "RETAILCRM_BASE_URL": emulator.base_url,
        "RETAILCRM_MG_BASE_URL": emulator.mg_base_url,
        "RETAILCRM_API_KEY": emulator.api_key,
        "RETAILCRM_BOT_TOKEN": emulator.bot_token,
    }


def states(otklik: Otklik, *arguments: str, **variables: str) -> dict[str, str]:
    result = otklik("doctor", "--json", *arguments, **variables)
    print(result.stdout)
    return {finding["check"]: finding["state"] for finding in json.loads(result.stdout)}


def test_a_ready_machine_passes_in_every_mode(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.cli.doctor.FULL_SHARE", 1.1)
    found = states(otklik, **account(emulator))

    assert set(found) == {
        "home",
        "disk",
        "policy",
        "lexicons",
        "database",
        "migrations",
        "analyst",
        "people",
        "base_url",
        "credentials",
        "account",
        "prompts",
        "requirements",
        "model",
    }
    # without a key rules judge, and nothing is wrong with that
    assert found.pop("model") == "skipped"
    assert set(found.values()) == {"ok"}
    for mode in ("off", "fail", "strict"):
        assert otklik("doctor", "--mode", mode, **account(emulator)).exit_code == 0


def test_no_source_is_a_warning_that_only_strict_refuses(otklik: Otklik, on_database: Warehouse) -> None:
    assert states(otklik)["base_url"] == "warning"
    assert otklik("doctor").exit_code == 0
    assert otklik("doctor", "--mode", "strict").exit_code == 1
    assert otklik("doctor", OTKLIK_PREFLIGHT="strict").exit_code == 1


def test_half_an_account_is_an_error_that_names_what_is_missing(otklik: Otklik, on_database: Warehouse) -> None:
    result = otklik("doctor", RETAILCRM_BASE_URL="https://shop.example", RETAILCRM_API_KEY=SECRETS[0])

    assert result.exit_code == 1
    assert "RETAILCRM_BOT_TOKEN" in result.stdout
    assert SECRETS[0] not in result.output
    assert otklik("doctor", "--mode", "off").exit_code == 0


def test_refused_keys_are_an_error_and_are_not_shown(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator
) -> None:
    given = account(emulator) | {"RETAILCRM_API_KEY": SECRETS[0], "RETAILCRM_BOT_TOKEN": SECRETS[1]}
    assert states(otklik, **given)["account"] == "failed"
    result = otklik("doctor", **given)

    assert result.exit_code == 1
    assert not any(secret in result.output for secret in SECRETS)


def test_an_unreachable_account_is_an_error(otklik: Otklik, on_database: Warehouse) -> None:
    given = {
        "RETAILCRM_BASE_URL": "http://127.0.0.1:9",
        "RETAILCRM_API_KEY": SECRETS[0],
        "RETAILCRM_BOT_TOKEN": SECRETS[1],
        "HTTP_MAX_ATTEMPTS": "1",
    }
    assert states(otklik, **given)["account"] == "failed"


def test_an_unreachable_database_is_an_error_without_its_password(otklik: Otklik) -> None:
    result = otklik("doctor", DATABASE_URL="postgresql://nobody:secret-word@127.0.0.1:9/none")

    assert result.exit_code == 1
    assert "secret-word" not in result.output


def test_a_database_behind_the_code_is_an_error(otklik: Otklik, fresh_database: Warehouse) -> None:
    with fresh_database.engine.begin() as owner:
        owner.execute(text("delete from ops.alembic_version"))
    given = {"DATABASE_URL": fresh_database.url, "ANALYST_DATABASE_URL": fresh_database.analyst_url or ""}

    assert states(otklik, **given)["migrations"] == "failed"


def test_an_analyst_who_sees_texts_is_an_error(otklik: Otklik, fresh_database: Warehouse) -> None:
    with fresh_database.engine.begin() as owner:
        owner.execute(text("grant select on core.messages to public"))
    given = {"DATABASE_URL": fresh_database.url, "ANALYST_DATABASE_URL": fresh_database.analyst_url or ""}

    assert states(otklik, **given)["analyst"] == "failed"


def test_accounts_that_nobody_knows_are_a_warning_and_untimed_chats_are_counted(
    otklik: Otklik, fresh_database: Warehouse, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("people: {anna: {accounts: ['shop:11', 'shop:12', 'shop:99']}}", encoding="utf-8")
    given = {
        "DATABASE_URL": fresh_database.url,
        "ANALYST_DATABASE_URL": fresh_database.analyst_url or "",
        "OTKLIK_POLICY": str(policy),
    }
    # before anything is loaded there is nobody to compare with
    assert states(otklik, **given)["people"] == "ok"
    with fresh_database.engine.begin() as owner:
        owner.execute(text("insert into core.managers select 'shop:' || n, 'shop', 'A', null, true"
                           " from generate_series(11, 13) as n"))  # fmt: skip
        owner.execute(
            text(
                "insert into core.conversations (conversation_id, connection_id, channel_id, is_untimed, flags)"
                " select 'file:' || n, 'file', 'file:1', n > 1, '{}' from generate_series(1, 4) as n"
            )
        )
    (found,) = [
        finding for finding in json.loads(otklik("doctor", "--json", **given).stdout) if finding["check"] == "people"
    ]
    assert found["state"] == "warning"
    assert "учётных записей менеджеров: 3, людей: 2" in found["detail"]
    assert "источнике: 1 (shop:99)" in found["detail"]
    assert "чатов без времени сообщений: 3" in found["detail"]


def test_a_check_creates_nothing(otklik: Otklik, tmp_path: Path) -> None:
    home = tmp_path / "not-there-yet"
    assert states(otklik, OTKLIK_HOME=str(home))["database"] == "skipped"
    assert not home.exists()


def test_a_broken_policy_is_an_error(otklik: Otklik, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("organisation: {name: Shop, time_zone: Mars/Olympus}\n", encoding="utf-8")

    assert states(otklik, OTKLIK_POLICY=str(policy))["policy"] == "failed"


def test_own_lexicons_are_read_and_a_wrong_entry_is_named(otklik: Otklik, tmp_path: Path) -> None:
    assert states(otklik)["lexicons"] == "ok"
    own = tmp_path / "lexicons"
    shutil.copytree(PROJECT_ROOT / "conversations" / "lexicon" / "data", own)
    assert states(otklik, OTKLIK_LEXICON_DIR=str(own))["lexicons"] == "ok"
    price = own / "price.yaml"
    price.write_text(price.read_text(encoding="utf-8").replace("found:", "fond:", 1), encoding="utf-8")

    result = otklik("doctor", "--json", OTKLIK_LEXICON_DIR=str(own))

    (said,) = [one for one in json.loads(result.stdout) if one["check"] == "lexicons"]
    assert said["state"] == "failed"
    assert "price.yaml" in said["detail"] and "fond" in said["detail"]
    (own / "offer.yaml").unlink()
    assert states(otklik, OTKLIK_LEXICON_DIR=str(own))["lexicons"] == "failed"


def test_a_full_disk_is_an_error_and_a_filling_one_a_warning(otklik: Otklik, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.cli.doctor.FULL_SHARE", 0.0)
    assert states(otklik)["disk"] == "warning"
    monkeypatch.setattr("orchestration.cli.doctor.LEAST_FREE_BYTES", 1 << 60)
    assert states(otklik)["disk"] == "failed"


def test_off_checks_nothing(otklik: Otklik) -> None:
    result = otklik("doctor", "--mode", "off", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")

    assert result.exit_code == 0
    assert "OTKLIK_PREFLIGHT=off" in result.stdout
