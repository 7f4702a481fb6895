"""One warehouse for an embedded and for a given server: logins, migrations, clear errors, storage for Dagster."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from resources.settings import Settings
from resources.warehouse import migrations, urls
from resources.warehouse.engine import Warehouse, unavailable
from resources.warehouse.errors import WarehouseError, WarehouseUnavailable
from resources.warehouse.roles import Role
from tests.conftest import DatabaseServer

REVISIONS = len(list((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py")))


def given(server: DatabaseServer, database: str, **fields: object) -> Settings:
    return Settings(_env_file=None, database_url=server.url(database), **fields)  # type: ignore[arg-type, call-arg]


def test_given_server_is_used_like_the_embedded_one(database_server: DatabaseServer, database: Warehouse) -> None:
    name = urls.with_driver(database.url, None).rpartition("/")[2]
    with Warehouse.open(given(database_server, name)) as warehouse:
        assert not warehouse.is_embedded
        assert warehouse.url.startswith("postgresql+psycopg://")
        assert warehouse.role is Role.LOADER
        assert warehouse.as_role(Role.OWNER).migrate() == []
        with warehouse.engine.connect() as connection:
            assert connection.execute(text("show timezone")).scalar() == "UTC"
            assert connection.execute(text("select count(*) from core.messages")).scalar() == 0


def test_passwords_do_not_show(database: Warehouse) -> None:
    password = urls.password_of(database.url)
    assert password
    assert password not in f"{database!r} {database.address} {database}"
    assert password not in repr(database.engine.url)


def test_dagster_keeps_its_runs_in_a_schema_of_a_given_database(
    database_server: DatabaseServer, fresh_database: Warehouse
) -> None:
    name = urls.with_driver(fresh_database.url, None).rpartition("/")[2]
    with Warehouse.open(given(database_server, name)) as warehouse:
        url = warehouse.dagster_storage_url()
    assert url.startswith("postgresql+psycopg2://")
    from dagster._core.storage.runs import RunStorage
    from dagster_postgres import DagsterPostgresStorage

    storage = DagsterPostgresStorage(url)
    runs: RunStorage = storage.run_storage
    assert runs.get_runs_count() == 0
    with fresh_database.connect() as connection:
        schemas = connection.execute("select distinct schemaname from pg_tables where tablename = 'runs'").fetchall()
    assert schemas == [("dagster",)]


def test_many_migrate_at_once_and_one_does_it(database_server: DatabaseServer) -> None:
    name = database_server.create(f"otklik_{os.getpid()}_many")
    done: list[list[str]] = []

    def migrate() -> None:
        with database_server.warehouse(name) as warehouse:
            done.append(warehouse.migrate())

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, 0, 0, REVISIONS]
    database_server.drop(name)


def test_server_that_does_not_answer_is_one_clear_line() -> None:
    silent = Warehouse.at("postgresql://u:canary@127.0.0.1:1/otklik")
    with pytest.raises(WarehouseUnavailable, match=r"127\.0\.0\.1:1/otklik is away") as refused, silent.connect():
        pass
    assert "canary" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_full_disk_is_one_clear_line() -> None:
    with pytest.raises(WarehouseUnavailable, match="full"), unavailable("h/db"):
        raise psycopg.errors.DiskFull("could not extend file")


def test_url_of_another_database_system_is_refused_without_repeating_it() -> None:
    settings = Settings(_env_file=None, database_url="mysql://u:canary@h/d")  # type: ignore[call-arg]
    with pytest.raises(WarehouseError, match="postgresql://") as refused:
        Warehouse.open(settings)
    assert "canary" not in str(refused.value)


def test_error_in_a_session_leaves_nothing_behind(database: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), database.connect() as connection:
        connection.execute("insert into ops.as_of values ('x', now())")
        raise ZeroDivisionError
    with database.connect() as connection:
        assert connection.execute("select count(*) from ops.as_of").fetchone() == (0,)


def test_only_the_owner_migrates(database: Warehouse) -> None:
    for role in (Role.LOADER, Role.PUBLISHER, Role.ANALYST):
        with pytest.raises(WarehouseError, match="DATABASE_URL"):
            database.as_role(role).migrate()
        with pytest.raises(WarehouseError, match="DATABASE_URL"):
            database.as_role(role).give_rights()


def test_roles_of_one_warehouse_are_opened_once_and_closed_together(
    database_server: DatabaseServer, database: Warehouse
) -> None:
    name = urls.with_driver(database.url, None).rpartition("/")[2]
    with Warehouse.open(given(database_server, name)) as warehouse:
        publisher = warehouse.as_role(Role.PUBLISHER)
        assert publisher.as_role(Role.LOADER) is warehouse
        assert warehouse.as_role(Role.PUBLISHER) is publisher
        users = {role: warehouse.as_role(role).engine for role in (Role.LOADER, Role.PUBLISHER)}
        for role, engine in users.items():
            with engine.connect() as connection:
                assert connection.execute(text("select current_user")).scalar() == f"{name}_{role}"
        assert all(engine.pool.checkedin() == 1 for engine in users.values())  # type: ignore[attr-defined]
    assert all(engine.pool.checkedin() == 0 for engine in users.values())  # type: ignore[attr-defined]
