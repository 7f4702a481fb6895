"""Stored accounts: nothing readable without the key, no new key beside credentials of an old one, health, audit."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources import accounts
from resources.clients.errors import Forbidden, NeedsAuth, RateLimited, SourceError, TransientError
from resources.settings import Settings
from resources.vault import Vault, key_file, new_key
from resources.warehouse import connections
from resources.warehouse.connections import Account
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import CredentialsDamaged, KeysLost, NoSuchConnection, WarehouseError

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SHOP = {"base_url": "https://shop.example", "mg_base_url": "https://mg.example", "time_zone": "Asia/Almaty"}


def secret() -> str:
    """A value that nobody has seen before."""
    return base64.b32encode(os.urandom(20)).decode("ascii").lower()


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


@pytest.fixture
def sql(database: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        yield connection


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, otklik_home=tmp_path)  # type: ignore[call-arg]


def save(sql: psycopg.Connection[Any], vault: Vault, name: str = "shop", **secrets: str) -> dict[str, str]:
    values = secrets or {"api_key": secret(), "bot_token": secret()}
    with sql.transaction():
        connections.save(sql, vault, name, "retailcrm", SHOP, values, actor="anna", at=AT)
    return values


def key_ids(sql: psycopg.Connection[Any]) -> set[str]:
    return {key_id for (key_id,) in sql.execute("select key_id from ops.connections where credentials is not null")}


# --- storing --------------------------------------------------------------------------------------------------------


def test_what_was_stored_comes_back_and_the_row_shows_none_of_it(
    sql: psycopg.Connection[Any], settings: Settings
) -> None:
    values = save(sql, Vault.open(settings))
    row = repr(sql.execute("select * from ops.connections").fetchone())

    assert connections.credentials(sql, "shop", Vault.open(settings)) == values
    assert not any(value in row for value in values.values())
    assert connections.accounts(sql) == [Account("shop", "retailcrm", "stored", SHOP)]


def test_the_first_account_makes_the_key_which_only_its_owner_may_read(
    sql: psycopg.Connection[Any], settings: Settings
) -> None:
    path = key_file(settings)
    assert Vault.open(settings).newest is None and not path.exists()
    save(sql, Vault.open(settings))
    keys = [line for line in path.read_text("ascii").splitlines() if not line.startswith("#")]

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [len(base64.urlsafe_b64decode(key)) for key in keys] == [32]
    assert list(path.parent.iterdir()) == [path]
    save(sql, Vault.open(settings), "second")
    assert keys[0] in path.read_text("ascii")


def test_keys_of_the_environment_leave_no_file(sql: psycopg.Connection[Any], tmp_path: Path) -> None:
    given = Settings(_env_file=None, otklik_home=tmp_path, otklik_secret_keys=new_key())  # type: ignore[call-arg]
    values = save(sql, Vault.open(given))

    assert connections.credentials(sql, "shop", Vault.open(given)) == values
    assert not key_file(given).exists()


def test_a_key_that_is_none_is_named_by_its_place(tmp_path: Path) -> None:
    bad = secret()
    given = Settings(_env_file=None, otklik_home=tmp_path, otklik_secret_keys=f"{new_key()},{bad}")  # type: ignore[call-arg]
    with pytest.raises(WarehouseError, match="key 2 of OTKLIK_SECRET_KEYS") as refused:
        Vault.open(given)
    assert bad not in str(refused.value)


def test_connecting_again_replaces_everything_and_puts_it_in_use(
    sql: psycopg.Connection[Any], settings: Settings
) -> None:
    vault = Vault.open(settings)
    save(sql, vault)
    connections.report(sql, "shop", "needs_auth", "[needs_auth] refused", AT)
    connections.disable(sql, "shop")
    values = save(sql, vault)
    (account,) = connections.accounts(sql)

    assert (account.status, account.reason, account.is_enabled) == (None, None, True)
    assert connections.credentials(sql, "shop", vault) == values


def test_a_name_is_one_vendors(sql: psycopg.Connection[Any], settings: Settings) -> None:
    vault = Vault.open(settings)
    values = save(sql, vault)
    with pytest.raises(NoSuchConnection, match="an account of retailcrm"), sql.transaction():
        connections.save(sql, vault, "shop", "telegram", {}, {"bot_token": secret()})
    assert connections.credentials(sql, "shop", vault) == values


# --- lost keys (D14) ------------------------------------------------------------------------------------------------


def test_without_its_key_nothing_starts_and_no_key_is_made(sql: psycopg.Connection[Any], settings: Settings) -> None:
    save(sql, Vault.open(settings))
    key_file(settings).unlink()

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(KeysLost, match=r"shop .*--forget"), sql.transaction():
            act()
        assert not key_file(settings).exists()

    refused(lambda: connections.credentials(sql, "shop", Vault.open(settings)))
    refused(lambda: accounts.retailcrm_accounts(settings, sql))
    refused(lambda: save(sql, Vault.open(settings), "second"))
    with pytest.raises(KeysLost):
        connections.rotate(sql, Vault.open(settings))
    assert not key_file(settings).exists()
    assert [account.connection_id for account in connections.accounts(sql)] == ["shop"]


def test_another_key_is_as_good_as_none(sql: psycopg.Connection[Any], settings: Settings) -> None:
    save(sql, Vault.open(settings))
    another = f"{new_key()}\n"
    key_file(settings).write_text(another, "ascii")

    for act in (
        lambda: accounts.retailcrm_accounts(settings, sql),
        lambda: save(sql, Vault.open(settings), "second"),
        lambda: connections.rotate(sql, Vault.open(settings)),
    ):
        with pytest.raises(KeysLost):
            act()
    assert key_file(settings).read_text("ascii") == another


def test_forgetting_what_the_key_was_for_is_the_way_out(sql: psycopg.Connection[Any], settings: Settings) -> None:
    save(sql, Vault.open(settings))
    key_file(settings).unlink()
    connections.disable(sql, "shop", forget=True)
    with pytest.raises(NoSuchConnection, match="connect it anew"), sql.transaction():
        connections.enable(sql, "shop")
    values = save(sql, Vault.open(settings))

    assert connections.credentials(sql, "shop", Vault.open(settings)) == values


def test_a_disabled_account_without_its_key_stops_no_run(sql: psycopg.Connection[Any], settings: Settings) -> None:
    save(sql, Vault.open(settings))
    connections.disable(sql, "shop")
    key_file(settings).unlink()

    assert accounts.retailcrm_accounts(settings, sql) == []


@pytest.mark.parametrize("harm", ["flipped", "cut", "swapped"])
def test_damaged_credentials_are_one_accounts_trouble(
    sql: psycopg.Connection[Any], settings: Settings, harm: str
) -> None:
    vault = Vault.open(settings)
    save(sql, vault)
    good = save(sql, vault, "good")
    statement = {
        "flipped": "set_byte(credentials, 40, get_byte(credentials, 40) # 1)",
        "cut": "substring(credentials from 1 for 60)",
        "swapped": "(select credentials from ops.connections where connection_id = 'good')",
    }[harm]
    sql.execute(f"update ops.connections set credentials = {statement} where connection_id = 'shop'")
    with pytest.raises(CredentialsDamaged, match="shop"):
        connections.credentials(sql, "shop", vault)
    whole, broken = accounts.retailcrm_accounts(settings, sql)

    assert broken.fault is not None and broken.connection_id == "shop"
    assert whole.fault is None and whole.api_key.get_secret_value() == good["api_key"]


# --- replacing keys -------------------------------------------------------------------------------------------------


def test_the_old_key_opens_nothing_afterwards(sql: psycopg.Connection[Any], settings: Settings) -> None:
    vault = Vault.open(settings)
    values = {name: save(sql, vault, name) for name in ("one", "two", "three")}
    connections.disable(sql, "two")
    old = key_file(settings).read_text("ascii").splitlines()[-1]
    assert connections.rotate(sql, vault, actor="anna") == 3

    with_old, with_new = Vault([old]), Vault.open(settings)
    assert len(with_new.key_ids) == 1 and with_old.newest not in with_new.key_ids
    assert old not in key_file(settings).read_text("ascii")
    for name, expected in values.items():
        assert connections.credentials(sql, name, with_new) == expected
        with pytest.raises(KeysLost):
            connections.credentials(sql, name, with_old)
        token = sql.execute("select credentials from ops.connections where connection_id = %s", (name,)).fetchone()
        with pytest.raises(CredentialsDamaged):
            Vault([old]).open_sealed(name, token[0], with_old.newest)
    turned = sql.execute("select actor, subject from ops.audit where action = 'rotate_keys' order by subject")
    assert turned.fetchall() == [("anna", "one"), ("anna", "three"), ("anna", "two")]


def test_keys_of_the_environment_are_replaced_by_a_person(sql: psycopg.Connection[Any]) -> None:
    old, new = new_key(), new_key()
    values = save(sql, Vault([old]))
    both = Vault([new, old])
    assert connections.rotate(sql, both) == 1
    assert connections.rotate(sql, both) == 0

    assert connections.credentials(sql, "shop", Vault([new])) == values
    with pytest.raises(KeysLost):
        connections.credentials(sql, "shop", Vault([old]))


def test_a_process_that_was_there_before_goes_on(sql: psycopg.Connection[Any], settings: Settings) -> None:
    vault = Vault.open(settings)
    values = save(sql, vault)
    connections.rotate(sql, Vault.open(settings))

    assert connections.credentials(sql, "shop", vault) == values
    save(sql, vault, "second")
    assert key_ids(sql) == set(Vault.open(settings).key_ids)


def test_a_process_of_before_never_stores_with_a_dropped_key(sql: psycopg.Connection[Any], settings: Settings) -> None:
    before = Vault.open(settings)
    save(sql, before)
    sql.execute("delete from ops.connections")
    # nothing is encrypted with it any more: no row tells the other process that its key is gone
    connections.rotate(sql, Vault.open(settings))
    values = save(sql, before)

    assert connections.credentials(sql, "shop", Vault.open(settings)) == values


def test_whoever_is_storing_is_waited_for(
    database: Warehouse, sql: psycopg.Connection[Any], settings: Settings
) -> None:
    save(sql, Vault.open(settings))
    done: list[int] = []

    def rotate() -> None:
        with database.connect(autocommit=True) as other:
            done.append(connections.rotate(other, Vault.open(settings)))

    with database.connect() as storing:
        values = {"api_key": secret()}
        connections.save(storing, Vault.open(settings), "late", "retailcrm", SHOP, values)
        thread = threading.Thread(target=rotate)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() and not done
    thread.join(10)

    assert done == [2]
    assert connections.credentials(sql, "late", Vault.open(settings)) == values
    assert key_ids(sql) == set(Vault.open(settings).key_ids)


def test_rotation_needs_a_session_of_its_own(database: Warehouse, settings: Settings) -> None:
    with database.connect() as connection, pytest.raises(ValueError, match="autocommit"):
        connections.rotate(connection, Vault.open(settings))


def test_with_nothing_stored_there_is_nothing_to_replace(sql: psycopg.Connection[Any], settings: Settings) -> None:
    assert connections.rotate(sql, Vault.open(settings)) == 0
    assert not key_file(settings).exists()


# --- health and audit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NeedsAuth("shop", "refused"), "needs_auth"),
        (Forbidden("shop", "no right"), "needs_auth"),
        (RateLimited("shop", "slow down"), "rate_limited"),
        (TransientError("shop", "away"), "broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_says_how_the_account_is(
    sql: psycopg.Connection[Any], settings: Settings, error: SourceError, status: str
) -> None:
    save(sql, Vault.open(settings))
    assert connections.report_error(sql, error, AT) == status
    (account,) = connections.accounts(sql)
    assert (account.status, account.reason, account.checked_at) == (status, f"[{error.reason}] {error.what}", AT)

    connections.synced(sql, "shop", AT + timedelta(hours=1))
    (account,) = connections.accounts(sql)
    assert (account.status, account.reason, account.synced_at) == ("ok", None, AT + timedelta(hours=1))


def test_a_reason_holds_no_secret(sql: psycopg.Connection[Any], settings: Settings) -> None:
    values = save(sql, Vault.open(settings))
    connections.credentials(sql, "shop", Vault.open(settings))
    connections.report(sql, "shop", "broken", f"asked with {values['api_key']}", AT)
    assert connections.accounts(sql)[0].reason == "asked with [redacted]"


def test_every_act_is_written_down_with_its_actor(sql: psycopg.Connection[Any], settings: Settings) -> None:
    save(sql, Vault.open(settings))
    connections.disable(sql, "shop", actor="boris")
    connections.enable(sql, "shop", actor="vera")
    connections.disable(sql, "shop", forget=True, actor="boris")

    acts = sql.execute("select actor, action, subject from ops.audit order by at, action").fetchall()
    assert sorted(acts) == sorted(
        [
            ("anna", "connect", "shop"),
            ("boris", "disable", "shop"),
            ("vera", "enable", "shop"),
            ("boris", "disable", "shop"),
            ("boris", "forget", "shop"),
        ]
    )


def test_an_act_that_is_taken_back_leaves_no_entry(database: Warehouse, sql: psycopg.Connection[Any]) -> None:
    with database.connect() as connection:
        connections.save(connection, Vault([new_key()]), "shop", "retailcrm", SHOP, {"api_key": secret()})
        connection.rollback()
    assert sql.execute("select count(*) from ops.audit").fetchone() == (0,)


@pytest.mark.parametrize("act", [connections.disable, connections.enable])
def test_an_unknown_name_is_refused(sql: psycopg.Connection[Any], act: Callable[..., None]) -> None:
    with pytest.raises(NoSuchConnection, match="no connection nobody"):
        act(sql, "nobody")
