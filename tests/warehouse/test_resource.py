"""The warehouse as a run sees it: opened once, its sign of life kept up."""

from __future__ import annotations

import time

import dagster as dg
import psycopg
import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import is_run_alive, run_lock
from resources.warehouse.roles import Role
from resources.warehouse_resource import WarehouseResource

RUN = "5d0c4f1e-run"
SESSION = "otklik-run-lock"


@pytest.fixture
def resource(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> WarehouseResource:
    """The resource of a run, not opened yet."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    resource = WarehouseResource()
    resource._run_id = RUN
    return resource


def is_alive(database: Warehouse) -> bool:
    with database.connect(autocommit=True) as monitor:
        return is_run_alive(monitor, RUN)


def end_session(database: Warehouse) -> None:
    """What a restart of PostgreSQL does to the session of the lock."""
    with database.as_role(Role.LOADER).connect(autocommit=True) as admin:
        ended = admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where application_name = %s and datname = current_database()",
            (SESSION,),
        ).fetchall()
    assert ended == [(True,)]


def sessions(database: Warehouse) -> int:
    statement = "select count(*) from pg_stat_activity where application_name = %s and datname = current_database()"
    with database.connect() as admin:
        ((number,),) = admin.execute(statement, (SESSION,)).fetchall()
    return number


def test_lock_of_the_run_is_held_from_the_first_call_to_the_end(
    database: Warehouse, resource: WarehouseResource
) -> None:
    assert not is_alive(database)
    warehouse = resource.open()
    assert is_alive(database)
    assert resource.open() is warehouse
    assert sessions(database) == 1
    resource.teardown_after_execution(dg.build_init_resource_context())
    assert not is_alive(database)


def test_lock_that_went_with_its_session_is_taken_again(database: Warehouse, resource: WarehouseResource) -> None:
    warehouse = resource.open()
    for _ in range(3):
        end_session(database)
        assert not is_alive(database)
        assert resource.open() is warehouse
        assert is_alive(database)
        assert sessions(database) == 1
    resource.teardown_after_execution(dg.build_init_resource_context())
    assert not is_alive(database)


def test_run_that_another_process_took_over_is_not_gone_on_with(
    database: Warehouse, resource: WarehouseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.warehouse_resource.OWN_SESSION_ENDS_SECONDS", 0.3)
    resource.open()
    end_session(database)
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other, run_lock(other, RUN):
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Busy, match="already being worked on"):
                resource.open()
            # the other one would never end
            assert time.monotonic() - began < 30
    resource.open()
    assert is_alive(database)
    resource.teardown_after_execution(dg.build_init_resource_context())
