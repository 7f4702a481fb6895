"""Killed at every fail point of a replacement of keys: stored credentials stay readable, the next call ends it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resources.settings import Settings
from resources.vault import Vault, key_file, new_key
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import NAMES
from tests.chaos.nursery import KILLED
from tests.warm_python import WarmPython

ACCOUNTS = ("one", "two", "three")
ROTATION = [name for name in NAMES if name.startswith("connections.") and name != "connections.key_made"]
OF_ROWS = ("connections.before_row", "connections.row_rotated")
KILLS = [(name, passage) for name in ROTATION for passage in ((1, 2, 3) if name in OF_ROWS else (1,))]

ROTATE = """
import psycopg, sys
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse.connections import rotate, save
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    if sys.argv[2] == "rotate":
        rotate(connection, Vault.open(Settings(_env_file=None)))
    else:
        with connection.transaction():
            save(connection, Vault.open(Settings(_env_file=None)), "new", "retailcrm", {}, {"api_key": "x" * 20})
"""


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


Work = Callable[..., int]


@pytest.fixture
def work(database: Warehouse, tmp_path: Path, warm_python: WarmPython) -> Work:
    """Rotate or save in a process of its own; its exit code, or the signal that ended it."""
    url = database.url.replace("postgresql+psycopg://", "postgresql://")

    def run(what: str, fail_point: str = "", keys: str = "") -> int:
        variables = {"OTKLIK_HOME": str(tmp_path), "FAILPOINT": fail_point, "OTKLIK_SECRET_KEYS": keys}
        done = warm_python.run(ROTATE, url, what, environment={**os.environ, **variables})
        assert done.returncode in (0, KILLED), done.stdout
        return done.returncode

    return run


def stored(database: Warehouse, vault: Vault) -> dict[str, dict[str, str]]:
    values = {name: {"api_key": new_key(), "bot_token": new_key()} for name in ACCOUNTS}
    with database.connect() as connection:
        for name, secrets in values.items():
            connections.save(connection, vault, name, "retailcrm", {}, secrets)
    return values


def readable(database: Warehouse, vault: Vault) -> dict[str, dict[str, str]]:
    with database.connect() as connection:
        return {name: connections.credentials(connection, name, vault) for name in ACCOUNTS}


def turned(database: Warehouse) -> tuple[set[str], int]:
    """The keys that rows need, and how many entries of the audit tell of a replacement."""
    with database.connect() as connection:
        used = {key_id for (key_id,) in connection.execute("select key_id from ops.connections")}
        (entries,) = connection.execute("select count(*) from ops.audit where action = 'rotate_keys'").fetchone()
    return used, entries


@pytest.mark.parametrize(("name", "passage"), KILLS)
def test_killed_at(name: str, passage: int, database: Warehouse, tmp_path: Path, work: Work) -> None:
    settings = Settings(_env_file=None, otklik_home=tmp_path)  # type: ignore[call-arg]
    values = stored(database, Vault.open(settings))
    old = Vault.open(settings).newest
    assert work("rotate", f"{name}:{passage}") == KILLED
    assert readable(database, Vault.open(settings)) == values
    done = turned(database)[1]

    if name == "connections.old_keys_dropped":
        assert (Vault.open(settings).key_ids, done) == ((Vault.open(settings).newest,), 3)
        return
    # the same replacement goes on: no third key, no row twice
    added = Vault.open(settings).newest
    assert added != old
    assert work("rotate") == 0
    assert Vault.open(settings).key_ids == (added,)
    assert readable(database, Vault.open(settings)) == values
    assert turned(database) == ({added}, 3)
    assert done == {"connections.before_row": passage - 1, "connections.row_rotated": passage}.get(
        name, 0 if name == "connections.key_added" else 3
    )


def test_killed_between_rows_with_keys_of_the_environment(database: Warehouse, work: Work) -> None:
    new, old = new_key(), new_key()
    values = stored(database, Vault([old]))
    assert work("rotate", "connections.row_rotated:2", f"{new},{old}") == KILLED
    assert readable(database, Vault([new, old])) == values
    assert work("rotate", keys=f"{new},{old}") == 0
    assert readable(database, Vault([new])) == values


def test_killed_between_the_first_key_and_its_first_row(database: Warehouse, tmp_path: Path, work: Work) -> None:
    settings = Settings(_env_file=None, otklik_home=tmp_path)  # type: ignore[call-arg]
    assert work("save", "connections.key_made:1") == KILLED
    key = key_file(settings).read_bytes()
    assert work("save") == 0

    assert key_file(settings).read_bytes() == key
    with database.connect() as connection:
        assert connections.credentials(connection, "new", Vault.open(settings)) == {"api_key": "x" * 20}
