"""Every fail point once (D13): the process dies there, is started again, and everything is as if it had not died."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings import PROJECT_ROOT
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import NAMES
from resources.warehouse.hashes import table_hashes
from tests.chaos.conftest import EQUAL, WEEK, differences, empty
from tests.chaos.nursery import KILLED, Nursery, Worker
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop

OF_PAGES = {"land.before_page", "land.page_read", "land.page_staged", "land.page_before_commit", "land.page_committed"}
OF_RESTARTS = {"land.before_again", "land.begun_again"}
"""Passed only by a loader that goes on after a kill."""
DERIVED = ("core", "evaluated")


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    empty(database)


@pytest.fixture(scope="module")
def emulator() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(Shop.tiny(messages=400), rate=None) as emulator:
        yield emulator


def test_list_of_names_is_the_list_of_places() -> None:
    used: list[str] = []
    for package in ("assets", "orchestration", "resources", "conversations"):
        for path in (PROJECT_ROOT / package).rglob("*.py"):
            used += places_in(path)
    assert set(used) == set(NAMES)


def places_in(path: Path) -> list[str]:
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "fail_point"
        and isinstance(node.args[0], ast.Constant)
    ]


@pytest.mark.parametrize(
    ("name", "passage"),
    [
        (name, passage)
        for name in NAMES
        if name.startswith("land.")
        for passage in ((1, 3) if name in OF_PAGES else (1,))
    ],
)
def test_loader_killed_at(name: str, passage: int, database: Warehouse, nursery: Nursery) -> None:
    with RetailCRMEmulator(Shop.tiny(messages=400), rate=None) as emulator:
        # something to miss, so that the source is asked for it
        assert nursery.load(database, WEEK, emulator).wait() == 0
        truth = emulator.ledger.rows("messages", WEEK.start, WEEK.end)
        emulator.shop.delete_message(int(sorted(truth)[3]))
        # and something that changed since
        emulator.shop.edit_message(int(sorted(truth)[5]), "edited")
        if name in OF_PAGES:
            empty(database)
        if name in OF_RESTARTS:
            assert nursery.load(database, WEEK, emulator, fail_point="land.page_committed:2").wait() == KILLED
        worker = nursery.load(database, WEEK, emulator, fail_point=f"{name}:{passage}")
        assert worker.wait() == KILLED, f"{name} was not passed: {worker.words}"
        worker = nursery.load(database, WEEK, emulator)
        assert worker.wait() == 0, worker.words
        assert differences(database, emulator) == EQUAL


@pytest.mark.parametrize("kills", [1, 3])
def test_rows_that_change_between_kill_and_restart_are_in_when_the_restart_ends(
    kills: int, database: Warehouse, nursery: Nursery
) -> None:
    """The first kill is within the first reading, the later ones are within the one that the restart began anew."""
    with RetailCRMEmulator(Shop.tiny(messages=400), rate=None) as emulator:
        truth = set(map(int, emulator.ledger.rows("messages", WEEK.start, WEEK.end)))
        for place in ("land.page_committed:4", "land.begun_again:1", "land.page_committed:2")[:kills]:
            worker = nursery.load(database, WEEK, emulator, fail_point=place)
            assert worker.wait() == KILLED, f"{place} was not passed: {worker.words}"
            with database.connect() as connection:
                on_pages = connection.execute("select id::int from ops.read_pages, unnest(external_ids) as id")
                read = {one for (one,) in on_pages} or truth
            edited, *deleted = sorted(truth & read)[:3]
            emulator.shop.edit_message(edited, f"edited after {place}")
            for one in deleted:
                emulator.shop.delete_message(one)
            truth -= {edited, *deleted}
        worker = nursery.load(database, WEEK, emulator)
        assert worker.wait() == 0, worker.words
        assert differences(database, emulator) == EQUAL


def test_completeness_killed_at(database: Warehouse, nursery: Nursery, emulator: RetailCRMEmulator) -> None:
    for stream in ("chats", "dialogs", "messages", "customers", "orders"):
        assert nursery.load(database, WEEK, emulator, stream=stream).wait() == 0

    def measured() -> str:
        return table_hashes(database, ("ops",))["ops.completeness"]

    def measure(**order: str) -> Worker:
        return nursery.load(database, WEEK, emulator, what="completeness", **order)

    assert measure().wait() == 0
    expected = measured()
    # figures of an earlier run, which are wrong by now: the kill leaves them, the restart replaces them
    with database.connect() as connection:
        assert connection.execute("update ops.completeness set stored = 0, reported = reported + 1").rowcount > 2
    before = measured()
    assert before != expected
    worker = measure(fail_point="completeness.before_write:1")
    assert worker.wait() == KILLED, worker.words
    assert measured() == before
    assert measure().wait() == 0
    assert measured() == expected


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(".")[0] in DERIVED])
def test_walk_killed_at(name: str, database: Warehouse, nursery: Nursery, emulator: RetailCRMEmulator) -> None:
    def done(what: str) -> None:
        worker = nursery.start(what, database, WEEK)
        assert worker.wait() == 0, worker.words

    for stream in ("chats", "dialogs", "messages"):
        assert nursery.load(database, WEEK, emulator, stream=stream).wait() == 0
    for what in DERIVED:
        done(what)
    expected = table_hashes(database, ("core", "evaluated"))
    assert any(expected[f"{layer}.{table}"] for layer, table in (("core", "messages"), ("evaluated", "waits")))
    with database.connect() as connection:
        for table in (
            "core.messages",
            "core.events",
            "evaluated.waits",
            "evaluated.sessions",
            "evaluated.behaviour",
            "evaluated.advice",
            "ops.dirty",
            "ops.as_of",
        ):
            connection.execute(f"delete from {table}")
    killed = name.partition(".")[0]
    for what in DERIVED:
        if what == killed:
            worker = nursery.start(what, database, WEEK, fail_point=f"{name}:1")
            assert worker.wait() == KILLED, f"{name} was not passed: {worker.words}"
        done(what)
    assert table_hashes(database, ("core", "evaluated")) == expected


def test_unknown_names_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from resources.warehouse.failpoints import fail_point

    fail_point("no.such_place")
    monkeypatch.setenv("FAILPOINT", "land.completed:1")
    with pytest.raises(ValueError, match=r"no\.such_place"):
        fail_point("no.such_place")
