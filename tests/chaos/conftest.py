"""Fixtures of the chaos suite: a nursery of workers, and a loaded state compared with the emulator's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.chaos.nursery import Nursery
from tests.chaos.workers import CONNECTION, ZONE
from tests.emulators.retailcrm import RetailCRMEmulator

WEEK = Window.of_days(date(2026, 3, 2), date(2026, 3, 8), ZONE)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Workers on demand."""
    nursery = Nursery(Path(tmp_path_factory.mktemp("words")))
    yield nursery
    nursery.close()


def differences(database: Warehouse, emulator: RetailCRMEmulator, window: Window = WEEK) -> dict[str, int]:
    """How many rows are lost, stale or wrongly there: all zero means equal (promise P1). Keys make doubles impossible;
    that they do is counted too."""
    with database.connect() as connection:
        rows = connection.execute(
            "select external_id, payload, gone_at is not null from raw.retailcrm__messages"
            " where connection_id = %s and event_at >= %s and event_at < %s",
            (CONNECTION, window.start, window.end),
        ).fetchall()
    truth = emulator.ledger.rows("messages", window.start, window.end)
    there = {external_id: payload for external_id, payload, is_gone in rows if not is_gone}
    gone = {external_id for external_id, _, is_gone in rows if is_gone}
    known_gone = set(emulator.ledger.gone("messages", window.start, window.end))
    return {
        "lost": len(truth.keys() - there.keys()),
        "doubled": len(rows) - len(there) - len(gone),
        "invented": len(there.keys() - truth.keys()) + len(gone - known_gone),
        "stale": sum(there[external_id] != truth[external_id] for external_id in there.keys() & truth.keys()),
    }


EQUAL = {"lost": 0, "doubled": 0, "invented": 0, "stale": 0}


def empty(database: Warehouse) -> None:
    """Forget everything that was loaded: nobody but the owner may."""
    with database.as_role(Role.OWNER).connect() as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('raw', 'core', 'evaluated')"
            " or (schemaname = 'ops' and tablename <> 'alembic_version')"
        ).fetchall()
        for schema, table in tables:
            connection.execute(f"delete from {schema}.{table}")
