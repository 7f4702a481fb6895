"""F1 and F2: the loader and PostgreSQL are killed at any moment; nothing is lost, doubled or stale afterwards.

The figures of a run are printed with ``pytest -s``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from resources.settings import PROJECT_ROOT, Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.postgres_files import place_of
from resources.warehouse.postgres_process import processes_in
from tests.chaos.conftest import EQUAL, WEEK, differences, empty
from tests.chaos.nursery import KILLED, Nursery, Worker
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop


def rounds(environment: Mapping[str, str]) -> int:
    """How many kills ``make chaos ROUNDS=n`` asks for."""
    return int(environment.get("OTKLIK_CHAOS_ROUNDS") or 60)


KILLS = rounds(os.environ)
"""Kills that really happened: a worker that ended before its kill came is not counted."""
ATTEMPTS = 10
"""Per kill wanted: a machine on which the kill always comes too late is no proof, and is not waited for."""
MESSAGES = 2_500
SEED = 20_260_504
BACK_SECONDS = 60


@pytest.fixture(scope="module")
def own_server() -> Iterator[Settings]:
    """A server of its own, which may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="otklik-chaos-"))
    folder.chmod(0o755)
    yield Settings(_env_file=None, otklik_home=folder / "home")  # type: ignore[call-arg]
    shutil.rmtree(folder, ignore_errors=True)


def test_loader_killed_many_times_and_postgres_every_tenth_time(own_server: Settings, nursery: Nursery) -> None:
    chance = random.Random(SEED)
    figures = {"loader kills": 0, "server kills": 0, "loads": 0, "resumed": 0}
    slowest = 0.0
    with (
        RetailCRMEmulator(Shop.many_equal_times(MESSAGES), rate=None) as emulator,
        Warehouse.open(own_server) as keeper,
    ):
        keeper.ensure_migrated()
        database, kills = keeper, 0
        for _ in range(ATTEMPTS * KILLS):
            if kills == KILLS:
                break
            expected = next_bounds(database)
            emulator.ledger.clear()
            worker = nursery.load(database, WEEK, emulator)
            reached = wait_for_requests(emulator, worker, chance.randrange(1, 6))
            time.sleep(chance.uniform(0, 0.08))
            is_server = kills % 10 == 9
            if not reached or worker.is_over:
                assert worker.wait() == 0, worker.words
            elif is_server:
                began = time.monotonic()
                assert kill_server(own_server) > 0
                code = worker.wait()
                assert code in (0, 1), worker.words
                database = Warehouse.open(own_server)
                with database.connect():
                    slowest = max(slowest, time.monotonic() - began)
                database.close()
                kills += 1
                figures["server kills"] += 1
            else:
                worker.kill()
                code = worker.wait()
                assert code in (KILLED, 0), worker.words
                kills += code == KILLED
                figures["loader kills"] += code == KILLED
            calls = emulator.ledger.calls
            if calls and expected is not None:
                # the first question of a restart is the one that the last committed page left open
                assert bounds_of(calls[0].params) in expected
                figures["resumed"] += 1
            assert_no_partial_page(database)
            if is_complete(database):
                figures["loads"] += 1
                assert differences(database, emulator) == EQUAL
                empty(database)
        assert kills == KILLS, figures
        finish(nursery, database, emulator)
        assert differences(database, emulator) == EQUAL
    print(f"\nF1, F2: {figures}, PostgreSQL back after at most {slowest:.1f} s")
    assert slowest < BACK_SECONDS
    assert figures["resumed"] >= KILLS // 3, figures


def test_rounds_of_make_are_the_rounds_of_the_test() -> None:
    assert "OTKLIK_CHAOS_ROUNDS=$(ROUNDS)" in (PROJECT_ROOT / "Makefile").read_text("utf-8")
    assert [rounds({}), rounds({"OTKLIK_CHAOS_ROUNDS": ""}), rounds({"OTKLIK_CHAOS_ROUNDS": "7"})] == [60, 60, 7]


def wait_for_requests(emulator: RetailCRMEmulator, worker: Worker, number: int) -> bool:
    """Wait until the worker has asked ``number`` times; ``False``: it ended before."""
    while len(emulator.ledger.calls) < number:
        if worker.is_over:
            return False
        time.sleep(0.001)
    return True


def kill_server(settings: Settings) -> int:
    """Kill every process of the server; returns how many there were."""
    place, killed = place_of(settings.otklik_home), 0
    for pid in processes_in(place.data) or []:
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            continue
    return killed


def next_bounds(database: Warehouse) -> set[tuple[int | None, int | None]] | None:
    """Where a restart has to go on, by the stored cursor: one of its gaps; ``None``: from the start."""
    with database.connect() as connection:
        row = connection.execute("select cursor from ops.cursors where not is_complete").fetchone()
    if row is None or not isinstance(row[0], dict):
        return None
    return {(low, high) for low, high in row[0]["gaps"]}


def bounds_of(params: list[tuple[str, str]]) -> tuple[int | None, int | None]:
    asked: dict[str, Any] = dict(params)
    low, high = (asked.get(name) for name in ("since_id", "until_id"))
    return int(low) if low else None, int(high) if high else None


def is_complete(database: Warehouse) -> bool:
    with database.connect() as connection:
        return connection.execute("select is_complete from ops.cursors").fetchone() == (True,)


def assert_no_partial_page(database: Warehouse) -> None:
    """While a first reading goes on, raw holds exactly the rows of the committed pages; while it is read again, no
    other ones."""
    with database.connect() as connection:
        row = connection.execute(
            "select (select count(*) from raw.retailcrm__messages),"
            " (select count(distinct id) from ops.read_pages, unnest(external_ids) as id),"
            " (select count(*) from ops.read_pages),"
            " (select count(*) from ops.read_pages where page = 0 and jsonb_typeof(cursor) = 'number')"
        ).fetchone()
    assert row is not None
    stored, on_pages, pages, is_again = row
    assert pages == 0 or (on_pages <= stored if is_again else on_pages == stored)


def finish(nursery: Nursery, database: Warehouse, emulator: RetailCRMEmulator) -> None:
    worker = nursery.load(database, WEEK, emulator)
    assert worker.wait() == 0, worker.words
