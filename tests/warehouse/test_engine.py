"""One warehouse for an embedded and for a given server: logins, migrations, clear errors, storage for Dagster."""

from __future__ import annotations

import os
import threading

import psycopg
import pytest
from sqlalchemy import text

from resources.settings import Settings
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse, unavailable
from resources.warehouse.errors import WarehouseError, WarehouseUnavailable
from resources.warehouse.roles import ANALYST
from tests.conftest import DatabaseServer


def given(server: DatabaseServer, database: str, **fields: object) -> Settings:
    return Settings(_env_file=None, database_url=server.url(database), **fields)  # type: ignore[arg-type, call-arg]


def test_given_server_is_used_like_the_embedded_one(database_server: DatabaseServer, database: Warehouse) -> None:
    name = urls.with_driver(database.url, None).rpartition("/")[2]
    with Warehouse.open(given(database_server, name)) as warehouse:
        assert not warehouse.is_embedded
        assert warehouse.url.startswith("postgresql+psycopg://")
        assert warehouse.migrate() == []
        with warehouse.engine.connect() as connection:
            assert connection.execute(text("show timezone")).scalar() == "UTC"
            assert connection.execute(text("select count(*) from core.messages")).scalar() == 0


def test_passwords_do_not_show(database: Warehouse) -> None:
    password = urls.password_of(database.url)
    assert password
    assert password not in f"{database!r} {database.address} {database}"
    assert password not in repr(database.engine.url)


def test_analyst_of_a_given_server_is_made_where_the_owner_may(database_server: DatabaseServer) -> None:
    name = database_server.create(f"otklik_{os.getpid()}_given")
    admin = urls.with_driver(database_server.admin_url, None).rpartition("/")[0] + f"/{name}"
    settings = Settings(_env_file=None, database_url=admin)  # type: ignore[call-arg]
    stored = password_hash(admin)
    try:
        with Warehouse.open(settings) as warehouse:
            said: list[str] = []
            assert warehouse.migrate(said.append) == ["0001"]
            assert said == ["1"]
            with warehouse.analyst_engine().connect() as connection:
                assert connection.execute(text("select current_user")).scalar() == ANALYST
                assert connection.execute(text("select count(*) from core.messages_masked")).scalar() == 0
                with pytest.raises(Exception, match="permission denied"):
                    connection.execute(text("select * from core.messages"))
    finally:
        if stored is not None:
            with psycopg.connect(admin) as connection:
                connection.execute(f"alter role {ANALYST} password '{stored}'")
        database_server.drop(name)


def password_hash(admin: str) -> str | None:
    with psycopg.connect(admin) as connection:
        row = connection.execute("select rolpassword from pg_authid where rolname = %s", (ANALYST,)).fetchone()
    return row[0] if row is not None else None


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
    assert sorted(done) == [[], [], [], ["0001"]]
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


def test_analyst_without_a_known_login_names_the_variable() -> None:
    with pytest.raises(WarehouseError, match="ANALYST_DATABASE_URL"):
        _ = Warehouse.at("postgresql://u@h/d").analyst_url


def test_error_in_a_session_leaves_nothing_behind(database: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), database.connect() as connection:
        connection.execute("insert into ops.as_of values ('x', now())")
        raise ZeroDivisionError
    with database.connect() as connection:
        assert connection.execute("select count(*) from ops.as_of").fetchone() == (0,)


def test_password_of_an_owner_without_one_is_kept_in_the_home(tmp_path) -> None:
    settings = Settings(_env_file=None, database_url="postgresql://u@h/d", otklik_home=tmp_path)  # type: ignore[call-arg]
    first, second = (Warehouse.open(settings).analyst_url for _ in range(2))
    assert first == second
    path = tmp_path / "secrets" / "analyst.password"
    assert path.read_text() in first
    assert path.stat().st_mode & 0o777 == 0o600
