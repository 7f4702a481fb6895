"""F8 to F13 and F19 down to the tables: a vendor that misbehaves, and two loaders at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from resources.clients.errors import BadAnswer, CursorLoop, SourceError
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.land import Landed, land
from tests.chaos.conftest import EQUAL, WEEK, differences, empty
from tests.chaos.nursery import Nursery
from tests.chaos.workers import source_of
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop

ROUNDS = 12
BUSY = 75
MESSAGES = "/messages$"


@pytest.fixture
def emulator() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(Shop.tiny(messages=300), rate=None) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    empty(database)


def load(database: Warehouse, emulator: RetailCRMEmulator, page_size: int = 20) -> Landed:
    with contextlib.ExitStack() as closing:
        source = source_of(emulator.base_url, emulator.api_key, emulator.bot_token, page_size, closing)
        return land(source, "messages", WEEK, database)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 429, "share": 0.3, "retry_after": 0.2}),  # F8
        ("status", {"status": 503, "share": 0.3, "form": "none"}),
        ("status", {"status": 502, "share": 0.2, "form": "none"}),  # F9
        ("reset", {"share": 0.2}),
        ("reset_midway", {"share": 0.2}),
        ("truncated", {"times": 2}),  # F10
        ("html", {"times": 2}),
        ("wrong_shape", {"times": 2}),
        ("unknown_fields", {}),
        ("duplicate_rows", {}),  # F11
        ("shuffle", {}),
        ("repeat_page", {"share": 0.2}),
    ],
)
def test_misbehaviour_that_passes_leaves_raw_equal(
    database: Warehouse, emulator: RetailCRMEmulator, kind: str, options: dict[str, object]
) -> None:
    emulator.faults.add(kind, path=MESSAGES, **options)
    # a call may use up its attempts: the next run goes on where this one stopped
    for _ in range(5):
        with contextlib.suppress(SourceError):
            load(database, emulator)
            break
    assert differences(database, emulator) == EQUAL
    assert not emulator.ledger.early


@pytest.mark.parametrize("kind", ["truncated", "html", "wrong_shape"])
def test_page_that_stays_broken_stores_nothing_and_is_named(
    database: Warehouse, emulator: RetailCRMEmulator, kind: str
) -> None:
    emulator.faults.add(kind, path=MESSAGES, after=3)
    with pytest.raises(SourceError) as failed:
        load(database, emulator)
    assert "shop" in str(failed.value)
    if isinstance(failed.value, BadAnswer):
        assert "messages" in str(failed.value)
    with database.connect() as connection:
        pages = connection.execute("select count(*), sum(cardinality(external_ids)) from ops.read_pages").fetchone()
        stored = connection.execute("select count(*) from raw.retailcrm__messages").fetchone()
    assert pages is not None
    assert stored == (pages[1],)
    assert pages[0] == 3
    emulator.faults.clear()
    assert load(database, emulator).resumed
    assert differences(database, emulator) == EQUAL


def test_unknown_word_is_kept_raw(database: Warehouse, emulator: RetailCRMEmulator) -> None:
    emulator.faults.add("unknown_enum", path=MESSAGES, times=1)
    load(database, emulator)
    counts = differences(database, emulator)
    assert (counts["lost"], counts["invented"]) == (0, 0)
    assert counts["stale"] == 1
    emulator.faults.clear()
    load(database, emulator)
    assert differences(database, emulator) == EQUAL


@pytest.mark.parametrize("kind", ["insert_between", "edit_between", "delete_between"])
def test_change_between_two_pages_is_in_by_the_next_reading(
    database: Warehouse, emulator: RetailCRMEmulator, kind: str
) -> None:
    load(database, emulator)
    emulator.faults.add(kind, path=MESSAGES, share=0.3)
    load(database, emulator)
    emulator.faults.clear()
    load(database, emulator)
    assert differences(database, emulator) == EQUAL
    before = table_hashes(database)
    load(database, emulator)
    assert table_hashes(database) == before


def test_cursor_that_is_ignored_ends_as_a_loop_within_a_minute(
    database: Warehouse, emulator: RetailCRMEmulator
) -> None:
    emulator.faults.add("ignore_cursor", path=MESSAGES, after=2)
    began = time.monotonic()
    with pytest.raises(CursorLoop) as stopped:
        load(database, emulator)
    assert stopped.value.reason == "cursor_loop"
    assert time.monotonic() - began < 60
    with database.connect() as connection:
        before = connection.execute("select cursor from ops.cursors").fetchone()
    with pytest.raises(CursorLoop):
        emulator.faults.clear()
        emulator.faults.add("ignore_cursor", path=MESSAGES)
        load(database, emulator)
    with database.connect() as connection:
        assert connection.execute("select cursor from ops.cursors").fetchone() == before
    emulator.faults.clear()
    load(database, emulator)
    assert differences(database, emulator) == EQUAL


def test_two_loaders_of_one_partition_at_once(
    database: Warehouse, nursery: Nursery, emulator: RetailCRMEmulator
) -> None:
    was_busy = 0
    for _ in range(ROUNDS):
        empty(database)
        at = time.time() + 0.15
        workers = [nursery.load(database, WEEK, emulator, at=at) for _ in range(2)]
        codes = sorted(worker.wait() for worker in workers)
        assert codes in ([0, BUSY], [0, 0]), [worker.words for worker in workers]
        was_busy += BUSY in codes
        for worker in workers:
            if worker.wait() == BUSY:
                assert "another process" in worker.words
        assert differences(database, emulator) == EQUAL
    assert was_busy > ROUNDS / 2
