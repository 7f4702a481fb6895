"""The scorer killed at every fail point and at random moments: no answer is missing, none is paid twice but for the
calls in flight at a kill (F24, P5); two scorers at once pay for nothing twice (F19)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from resources.warehouse.engine import Warehouse
from tests.chaos.conftest import WEEK
from tests.chaos.nursery import KILLED, Nursery, Worker
from tests.emulators.llm import LlmEmulator
from tests.scoring import DAY, put_call, put_rubrics

CONCURRENCY = 64
NAMES = (
    "scoring.call_reserved",
    "scoring.call_answered",
    "scoring.ledger_before_commit",
    "scoring.ledger_committed",
    "scoring.cards_before_commit",
    "scoring.cards_committed",
)


@pytest.fixture
def gateway() -> Iterator[LlmEmulator]:
    with LlmEmulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as session:
        for table in ("core.calls", "evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls"):
            session.execute(f"delete from {table}")  # type: ignore[arg-type]


def put(database: Warehouse, count: int) -> None:
    with database.connect() as session:
        put_rubrics(session)
        for number in range(count):
            put_call(session, number)


def scorer(nursery: Nursery, database: Warehouse, gateway: LlmEmulator, fail_point: str | None = None) -> Worker:
    order: dict[str, Any] = {
        "base_url": gateway.base_url, "api_key": gateway.api_key, "concurrency": CONCURRENCY,
        "first": DAY.isoformat(), "last": DAY.isoformat(),
    }  # fmt: skip
    return nursery.start("score", database, WEEK, fail_point=fail_point, **order)


@dataclass
class Book:
    """What the tables say."""

    lost: int
    open: int
    booked: int
    """Millionths of a US dollar, lost calls at their worst price."""
    answers: int
    cards: int


def book(database: Warehouse) -> Book:
    with database.connect() as session:
        row = session.execute(
            "select count(*) filter (where state = 'lost'), count(*) filter (where state = 'reserved'),"
            " coalesce(sum(cost_microusd), 0)::bigint, (select count(*) from evaluated.evaluations),"
            " (select count(*) from evaluated.scorecards where judge = 'model' and state = 'scored' and is_current)"
            " from ops.llm_calls"
        ).fetchone()
    assert row is not None
    return Book(*row)


def holds(database: Warehouse, gateway: LlmEmulator, talks: int) -> Book:
    """Nothing is missing, nothing is paid twice but what was in flight, nothing was paid that is not booked."""
    found, paid = book(database), Counter(call.key for call in gateway.calls if call.is_paid)
    assert (found.answers, found.cards, found.open) == (talks, talks, 0)
    assert len(paid) == talks
    assert sum(paid.values()) - talks <= found.lost
    assert found.booked >= sum(call.cost_microusd for call in gateway.calls)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_scorer_killed_at(name: str, database: Warehouse, nursery: Nursery, gateway: LlmEmulator) -> None:
    put(database, 12)
    worker = scorer(nursery, database, gateway, f"{name}:2")
    assert worker.wait() == KILLED, worker.words
    in_flight = book(database).open
    assert in_flight <= CONCURRENCY
    worker = scorer(nursery, database, gateway)
    assert worker.wait() == 0, worker.words
    assert holds(database, gateway, 12).lost == in_flight


def test_a_kill_before_a_repair_costs_the_repair_alone(
    database: Warehouse, nursery: Nursery, gateway: LlmEmulator
) -> None:
    """Each first answer is none. The scorer dies at the reservation of a repair: no first call is made again."""
    gateway.modes.add("malformed", on="first")
    put(database, 12)
    worker = scorer(nursery, database, gateway, "scoring.call_reserved:14")
    assert worker.wait() == KILLED, worker.words
    in_flight = book(database).open
    assert 1 <= in_flight <= 12
    worker = scorer(nursery, database, gateway)
    assert worker.wait() == 0, worker.words
    calls = gateway.calls
    found = book(database)
    assert (found.answers, found.cards, found.open, found.lost) == (12, 12, 0, in_flight)
    assert sum(not call.is_repair for call in calls) == 12
    assert 12 <= sum(call.is_repair for call in calls) <= 12 + in_flight
    assert found.booked >= sum(call.cost_microusd for call in calls)


def kill_often(
    kills: int, talks: int, database: Warehouse, nursery: Nursery, gateway: LlmEmulator, delay: float, seed: int
) -> None:
    random = Random(seed)
    gateway.set(delay=delay)
    put(database, talks)
    killed = in_flight = 0
    while killed < kills:
        before = len(gateway.calls)
        worker = scorer(nursery, database, gateway)
        # a life begins with its first call: what comes before is not what is looked at
        while len(gateway.calls) == before and not worker.is_over:
            time.sleep(0.002)
        time.sleep(random.uniform(0.0, 1.5 * delay))
        worker.kill()
        is_killed = worker.wait() == KILLED
        killed += is_killed
        at_kill = book(database).open
        assert at_kill <= CONCURRENCY
        in_flight += at_kill
        if not is_killed:
            break
    assert killed == kills, f"all talks were judged after {killed} kills: {worker.words}"
    worker = scorer(nursery, database, gateway)
    assert worker.wait() == 0, worker.words
    found = holds(database, gateway, talks)
    assert found.lost == in_flight
    paid = sum(call.is_paid for call in gateway.calls)
    print(f"scorer: kills={killed} talks={talks} paid={paid} twice={paid - talks} in flight at kills={in_flight}")
    calls = len(gateway.calls)
    worker = scorer(nursery, database, gateway)
    assert worker.wait() == 0, worker.words
    assert len(gateway.calls) == calls


def test_three_kills_at_concurrency_64(database: Warehouse, nursery: Nursery, gateway: LlmEmulator) -> None:
    kill_often(3, 200, database, nursery, gateway, delay=0.1, seed=24)


@pytest.mark.proof
def test_fifty_kills_at_concurrency_64(database: Warehouse, nursery: Nursery, gateway: LlmEmulator) -> None:
    kill_often(50, 4_000, database, nursery, gateway, delay=0.3, seed=24)


def test_two_scorers_at_once_pay_for_nothing_twice(database: Warehouse, nursery: Nursery, gateway: LlmEmulator) -> None:
    gateway.set(delay=0.05)
    put(database, 30)
    workers = [scorer(nursery, database, gateway) for _ in range(3)]
    codes = sorted(worker.wait() for worker in workers)
    assert codes[0] == 0 and set(codes) <= {0, 75}, [worker.words for worker in workers]
    assert holds(database, gateway, 30).lost == 0
    assert gateway.summary()["paid_twice"] == 0
