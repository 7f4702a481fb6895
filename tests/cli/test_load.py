"""``otklik run`` and ``otklik backfill``: refusals before anything is loaded, and failures in words.

A week that goes well is in ``test_canaries``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.cli.conftest import Otklik
from tests.emulators.retailcrm import RetailCRMEmulator

pytestmark = pytest.mark.usefixtures("on_database")


@pytest.fixture(scope="module")
def emulator() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(rate=None) as running:
        yield running


def account(emulator: RetailCRMEmulator, **other: str) -> dict[str, str]:
    return {
        "RETAILCRM_BASE_URL": emulator.base_url,
        "RETAILCRM_MG_BASE_URL": emulator.mg_base_url,
        "RETAILCRM_API_KEY": emulator.api_key,
        "RETAILCRM_BOT_TOKEN": emulator.bot_token,
        "OTKLIK_NOW": "2026-11-16T08:00:00+03:00",
        **other,
    }


def loaded(database: Warehouse) -> dict[str, str]:
    return table_hashes(database, ("raw", "core", "evaluated", "marts"))


def health(database: Warehouse) -> list[tuple[str, str | None, str | None]]:
    with database.connect() as sql:
        rows = sql.execute("select connection_id, status, split_part(reason, ': ', 1) from ops.connections")
        return [(row[0], row[1], row[2]) for row in rows]


def test_the_preflight_refuses_before_anything_is_loaded(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator
) -> None:
    before = loaded(on_database)
    result = otklik(
        "backfill", "--from", "2026-10-01", "--to", "2026-10-02", **account(emulator, RETAILCRM_API_KEY="a-wrong-key")
    )

    assert result.exit_code == 1
    assert "Доступ к RetailCRM" in result.stdout
    assert "Запуск остановлен" in result.stderr
    assert "a-wrong-key" not in result.output
    assert loaded(on_database) == before
    # what was found is written down, for those who look at the connections later
    assert health(on_database) == [("retailcrm", "needs_auth", "[needs_auth] api/credentials")]


def test_only_closed_weeks_are_published(otklik: Otklik, emulator: RetailCRMEmulator) -> None:
    # Sunday 23:59 in Moscow: the week has one minute left
    now = "2026-11-15T23:59:00+03:00"
    result = otklik("run", "--week", "2026-W46", **account(emulator, OTKLIK_NOW=now))

    assert result.exit_code == 2
    assert "ещё не закончилась" in result.stderr


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        # 00:30 in Moscow: still the fifteenth in UTC
        ("2026-11-10", "2026-11-16", "последний день, который можно загрузить, 2026-11-15"),
        ("2026-11-10", "2027-01-01", "последний день, который можно загрузить, 2026-11-15"),
        ("2026-11-10", "9999-12-31", "последний день, который можно загрузить, 2026-11-15"),
        ("2023-12-31", "2026-11-15", "2023-12-31 раньше первого дня 2024-01-01: более ранние дни открывает"),
    ],
)
def test_days_that_cannot_be_loaded_are_refused(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator, first: str, last: str, says: str
) -> None:
    before = loaded(on_database)
    given = account(emulator, OTKLIK_NOW="2026-11-16T00:30:00+03:00", OTKLIK_FIRST_DAY="2024-01-01")
    result = otklik("backfill", "--from", first, "--to", last, **given)

    assert result.exit_code == 2
    assert says in result.stderr
    assert loaded(on_database) == before


@pytest.mark.parametrize(("week", "says"), [("2023-W52", "OTKLIK_FIRST_DAY"), ("9999-W52", "ещё не закончилась")])
def test_weeks_that_cannot_be_loaded_are_refused(
    otklik: Otklik, emulator: RetailCRMEmulator, week: str, says: str
) -> None:
    result = otklik("run", "--week", week, **account(emulator))

    assert result.exit_code == 2
    assert says in result.stderr


def test_an_unknown_table_is_answered_with_the_list(otklik: Otklik, emulator: RetailCRMEmulator) -> None:
    result = otklik(
        "backfill", "--from", "2026-11-02", "--to", "2026-11-02", "--select", "core/nothing", **account(emulator)
    )

    assert result.exit_code == 2
    assert "core.messages" in result.stderr


def test_a_day_is_loaded_and_a_revoked_key_is_named(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator
) -> None:
    arguments = ("backfill", "--from", "2026-11-02", "--to", "2026-11-02", "--select", "raw/retailcrm__channels")
    done = otklik(*arguments, **account(emulator))

    assert done.exit_code == 0, done.stderr
    assert "Загружены дни" in done.stdout
    with on_database.engine.connect() as sql:
        assert sql.execute(text("select count(*) from raw.retailcrm__channels")).scalar_one() > 0

    refused = otklik(*arguments, **account(emulator, RETAILCRM_BOT_TOKEN="a-revoked-token", OTKLIK_PREFLIGHT="off"))

    assert refused.exit_code == 1
    assert "retailcrm: ключ не принят" in refused.stderr
    assert "a-revoked-token" not in refused.output
    assert "Traceback" not in refused.output


def test_probe_shows_what_the_account_may_do(
    otklik: Otklik, on_database: Warehouse, emulator: RetailCRMEmulator
) -> None:
    result = otklik("probe", "retailcrm", "--json", **account(emulator))
    found = {item["name"]: item["is_open"] for item in json.loads(result.stdout)}

    assert result.exit_code == 0
    assert {item["connection"] for item in json.loads(result.stdout)} == {"retailcrm"}
    assert health(on_database) == [("retailcrm", "ok", None)]
    assert found["api/bot/v1/messages"] and found["api/v5/orders"]
    # the list that RetailCRM does not have, and that people look for
    assert found["api/v5/chats"] is False


def test_probe_with_a_closed_list_says_so(otklik: Otklik) -> None:
    with RetailCRMEmulator(rate=None, scopes={"api/credentials"}) as narrow:
        result = otklik("probe", "retailcrm", **account(narrow))

    assert result.exit_code == 1
    assert "нет" in result.stdout
