"""Locks that tell who works on what, as any role may take them."""

from __future__ import annotations

import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import is_run_alive, run_lock


def test_lock_of_a_run_tells_whether_its_worker_lives(database: Warehouse) -> None:
    with database.connect(autocommit=True) as worker, database.connect(autocommit=True) as monitor:
        assert not is_run_alive(monitor, "run-1")
        with run_lock(worker, "run-1"):
            assert is_run_alive(monitor, "run-1")
            with pytest.raises(Busy), run_lock(monitor, "run-1"):
                pass
        assert not is_run_alive(monitor, "run-1")


def test_a_session_of_a_machine_that_vanished_ends_within_half_a_minute(database: Warehouse) -> None:
    """Its locks go with it (F4): the server asks a silent client soon, not after its default of two hours."""
    with database.connect() as connection:
        asked = {
            name: connection.execute(f"show {name}").fetchone()[0]
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        }
    assert asked == {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
