"""The quick cousin of ``test_canaries``: secrets of every connector, one day's load, then the search.

Accounts that answer, whose key was revoked, that repeat whatever they are sent and that are away are connected and
asked, and a day is loaded as far as they let it. Not here: a published week, its sheet, digest and alerts, the judge,
changed keys of the vault (``test_canaries``, make chaos).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from tests.cli import test_canaries as week
from tests.cli.canaries import dump, files, hits, tables
from tests.cli.test_canaries import World, parrot, sheets, telegram  # noqa: F401 - fixtures
from tests.conftest import DatabaseServer
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.model import Shop
from tests.emulators.telegram import TelegramEmulator
from tests.warm_python import WarmPython

DAY = "2026-11-12"


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    database: Warehouse,
    sheets: SheetsEmulator,  # noqa: F811
    telegram: TelegramEmulator,  # noqa: F811
    parrot: str,  # noqa: F811
    warm_python: WarmPython,
) -> Iterator[World]:
    """The installation after all of it."""
    world = World(tmp_path_factory.mktemp("home"), database, warm_python)
    with RetailCRMEmulator(
        Shop.tiny(8, week.MONDAY, messages=60),
        rate=None,
        api_key=world.secret("second api key"),
        bot_token=world.secret("second bot token"),
    ) as shop:
        password = urls.password_of(urls.with_driver(database.url, None))
        if password:
            world.secret("database password", password)
        world.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ},
            "HOME": str(world.home),
            "OTKLIK_HOME": str(world.home),
            "DATABASE_URL": urls.with_driver(database.url, None),
            "OTKLIK_NOW": week.NOW,
            "HTTP_MAX_ATTEMPTS": "2",
            "HTTP_DEADLINE_SECONDS": "20",
            "RETAILCRM_REQUESTS_PER_SECOND": "1000",
        }
        week._connect(world, "shop2", shop.base_url, shop.api_key, shop.bot_token)
        week._connect_the_rest(world, sheets, telegram)
        week._connect(world, "revoked", shop.base_url, world.secret("revoked key"), world.secret("revoked token"))
        week._connect(world, "parrot", parrot, world.secret("parrot's key"), world.secret("parrot's token"))
        week._connect_a_browser(world, tmp_path_factory.mktemp("captured"), parrot)
        week._connect_a_telephone(world, parrot)
        week._connect(world, "away", "http://127.0.0.1:9", world.secret("away key"), world.secret("away token"))
        day = ("backfill", "--from", DAY, "--to", DAY, "--select", "raw")
        assert world.process(*day, OTKLIK_PREFLIGHT="off") == 1, world.everything_said()
        world.otklik("connections")
        away = "postgresql://otklik:{}@127.0.0.1:9/otklik"
        world.otklik("connections", DATABASE_URL=away.format(world.secret("other database password")))
        yield world


def test_everything_that_can_leak_has_happened(world: World) -> None:
    """The search below proves nothing about what was never done."""
    with world.database.connect() as connection:
        health = dict(connection.execute("select connection_id, status from ops.connections").fetchall())
        (events,) = connection.execute("select count(*) from dagster.event_logs").fetchone()
    read = {name for name, value in tables(urls.with_driver(world.database.url, None)) if value == b"shop2"}
    accounts = ("revoked", "parrot", "browser", "phone", "away")
    assert [health[name] for name in accounts] == ["needs_auth", "broken", "broken", "needs_auth", "broken"]
    assert len(world.canaries) > 35 and events > 50
    assert {"ops.connections.connection_id", "raw.retailcrm__channels.connection_id"} <= read, read


def test_no_table_and_no_dump_holds_a_secret(world: World) -> None:
    url = urls.with_driver(world.database.url, None)
    searched = list(tables(url))
    names = {name.rpartition(".")[0] for name, _ in searched}
    assert {"ops.connections", "dagster.event_logs", "dagster.runs", "dagster.snapshots"} <= names
    stolen = dump(url)
    assert b"connection_id, vendor, origin" in stolen and b"shop2" in stolen
    assert hits(world.canaries, [*searched, ("the dump", stolen)]) == []


def test_no_log_no_file_and_no_screen_shows_one(world: World, database_server: DatabaseServer) -> None:
    kept = [found for found in files(world.home) if not found[0].startswith(f"{world.home.name}/secrets/")]
    if database_server.embedded is not None:
        kept += files(database_server.embedded.home / "postgres" / "server.log")
    assert any("compute_logs" in name or "storage" in name for name, _ in kept)
    assert hits(world.canaries, [*kept, *world.said]) == []
    # and a secret that is there is found: the vault's own key, in the folder that is left out
    assert {name for name, _ in hits(world.canaries, files(world.home / "secrets"))} == {"first key of the vault"}
