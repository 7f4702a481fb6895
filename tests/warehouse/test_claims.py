"""The lock of an account: held for the whole run, taken anew when its session was lost, all accounts in one go (D4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dagster as dg
import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import account_lock, claim_accounts
from resources.warehouse_resource import WarehouseResource
from tests.warehouse.test_resource import end_session

TEN = [f"shop{number:02}" for number in range(10)]


@pytest.fixture
def run(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarehouseResource]:
    """The resource of a run."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    resource = WarehouseResource()
    resource._run_id = "a-run"
    yield resource
    resource.teardown_after_execution(dg.build_init_resource_context())


def busy(database: Warehouse) -> set[str]:
    """What another process could not take now."""
    with database.connect(autocommit=True) as other:
        return claim_accounts(other, TEN)


def test_accounts_are_held_to_the_end_of_the_run(database: Warehouse, run: WarehouseResource) -> None:
    assert run.claim(TEN[:2]) == {}
    assert run.claim(TEN[:3]) == {}
    assert busy(database) == set(TEN[:3])
    run.teardown_after_execution(dg.build_init_resource_context())
    assert busy(database) == set()


def test_a_lost_session_takes_its_accounts_again(database: Warehouse, run: WarehouseResource) -> None:
    run.claim(TEN[:2])
    for _ in range(3):
        end_session(database)
        assert busy(database) == set()
        assert run.claim(TEN[:2]) == {}
        assert busy(database) == set(TEN[:2])


def test_an_account_that_went_to_another_meanwhile_is_busy(
    database: Warehouse, run: WarehouseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.warehouse_resource.OWN_SESSION_ENDS_SECONDS", 0.3)
    run.claim(TEN[:2])
    end_session(database)
    with database.connect(autocommit=True) as other, account_lock(other, TEN[0]):
        refused = run.claim(TEN[:2])
    assert list(refused) == [TEN[0]]
    assert isinstance(refused[TEN[0]], Busy)
    assert str(refused[TEN[0]]).startswith(f"{TEN[0]} is being loaded by another process")
    assert run.claim(TEN[:2]) == {}


def test_a_block_gives_its_account_back(database: Warehouse) -> None:
    with database.connect(autocommit=True) as session:
        with account_lock(session, TEN[4]):
            assert busy(database) == {TEN[4]}
            with database.connect(autocommit=True) as other, pytest.raises(Busy), account_lock(other, TEN[4]):
                pass
        assert busy(database) == set()


def test_of_two_that_claim_ten_at_once_one_gets_all(database: Warehouse) -> None:
    """Each a part would make both runs red."""
    for _ in range(12):
        barrier, found = threading.Barrier(2), list[int]()

        def claim(order: list[str], barrier: threading.Barrier = barrier, found: list[int] = found) -> None:
            with database.connect(autocommit=True) as session:
                barrier.wait()
                found.append(len(claim_accounts(session, order)))
                barrier.wait()

        both = [threading.Thread(target=claim, args=(order,)) for order in (TEN, TEN[::-1])]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(found) == [0, 10]
