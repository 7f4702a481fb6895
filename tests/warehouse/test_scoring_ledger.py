"""The book of calls to models: reserved, settled, refused and lost in PostgreSQL, by many coroutines at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conversations.scoring.shapes import Answer, CriterionAnswer
from resources.llm.ledger import Begun, Evaluated, OverBudget, PaidCall, PlannedCall
from resources.scoring.answers import begun_answers, known_answers
from resources.scoring.ledger import Context, PostgresLedger, book_lost
from resources.scoring.spent import Caps
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseUnavailable
from resources.warehouse.failpoints import fail_point
from resources.warehouse.roles import Role

NOW = datetime(2026, 11, 16, 20, 59, 59, tzinfo=UTC)
"""A second before midnight in Moscow."""
LOOSE = Caps(10**9, 10**9, {})
ANSWER = Answer(True, None, "о цене", "цена", "neutral", (CriterionAnswer("greeting", 1, "", "Добрый день"),), ())
_SUM = "select state, count(*), sum(coalesce(cost_microusd, reserved_microusd))::int from ops.llm_calls group by 1"


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as session:
        session.execute("delete from ops.llm_calls")
        session.execute("delete from evaluated.evaluations")


def planned(key: str, worst: int = 100) -> PlannedCall:
    return PlannedCall(key, 1, "first", "demo", worst)


def paid(cost: int = 30) -> PaidCall:
    return PaidCall("ok", cost, "gateway", 10, 5, "v")


def ended(key: str, *, is_final: bool = True, answer: Answer | None = ANSWER) -> Evaluated:
    reason = None if answer else "refused"
    return Evaluated(key, answer, reason, is_final, 1, "demo", "demo (эмулятор)", 10, None, 30)


def context(department: str | None = "sales") -> Context:
    return Context(department, "p" * 64, "r" * 64, "t" * 64, 2, False)


def run(
    database: Warehouse,
    work: Callable[[PostgresLedger], Awaitable[Any]],
    caps: Caps = LOOSE,
    run_id: str = "r1",
    now: Callable[[], datetime] = lambda: NOW,
) -> Any:
    async def inside(lock_pid: int) -> Any:
        ledger = PostgresLedger(database.as_role(Role.LOADER), run_id, caps, "Europe/Moscow", now, lock_pid)
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    with database.connect() as lock:
        return asyncio.run(inside(lock.info.backend_pid))


def rows(database: Warehouse, statement: str = _SUM) -> list[tuple[Any, ...]]:
    with database.connect() as session:
        return sorted(session.execute(statement).fetchall())  # type: ignore[call-overload]


def test_a_call_is_booked_before_and_after_and_its_answer_with_it(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> None:
        ledger.expect("k", context())
        one = await ledger.reserve(planned("k"))
        assert rows(database) == [("reserved", 1, 100)]
        await ledger.settle(one, paid(), None)
        assert rows(database) == [("settled", 1, 30)]
        two = await ledger.reserve(PlannedCall("k", 2, "repair", "demo", 100))
        await ledger.settle(two, paid(12), ended("k"))
        with database.connect() as session:
            assert known_answers(session, ["k", "other"])["k"].answer == ANSWER

    run(database, work)
    told = rows(
        database,
        "select attempt, purpose, department_id, run_id, paid_on, price_from, vendor_call_id, is_masked, prompt_tokens"
        " from ops.llm_calls",
    )
    day = date(2026, 11, 16)
    assert told == [(1, "first", "sales", "r1", day, "gateway", "v", True, 10),
                    (2, "repair", "sales", "r1", day, "gateway", "v", True, 10)]  # fmt: skip
    kept = rows(
        database,
        "select state, calls, model, answered_by, prompt_tokens, completion_tokens, cost_microusd, prompt_hash,"
        " rubric_hash, transcript_hash, masked_items, names_masked from evaluated.evaluations",
    )
    expected = ("accepted", 1, "demo", "demo (эмулятор)", 10, None, 30, "p" * 64, "r" * 64, "t" * 64, 2, False)
    assert kept == [expected]


def test_what_must_be_repaired_is_kept_until_its_question_has_an_end(database: Warehouse) -> None:
    begun = Begun("{не json", "stop", 0, 1, "demo (эмулятор)", 10, 5, 30)
    to_repair = ended("k", is_final=False, answer=None)._replace(reason="not_json", begun=begun)
    states = "select state, reason, answer ->> 'text', calls, cost_microusd from evaluated.evaluations"

    async def work(ledger: PostgresLedger) -> None:
        ledger.expect("k", context())
        await ledger.settle(await ledger.reserve(planned("k")), paid(), to_repair)
        assert rows(database, states) == [("unrepaired", "not_json", "{не json", 1, 30)]
        with database.connect() as session:
            assert known_answers(session, ["k"]) == {} and begun_answers(session, ["k", "other"]) == {"k": begun}
        await ledger.settle(await ledger.reserve(planned("k")), paid(), ended("k")._replace(calls=2, cost_microusd=60))
        assert rows(database, states) == [("accepted", None, None, 2, 60)]
        # an end is the end
        ledger.expect("k", context())
        await ledger.settle(await ledger.reserve(planned("k")), paid(), to_repair)

    run(database, work)
    assert rows(database, states) == [("accepted", None, None, 2, 60)]
    with database.connect() as session:
        assert known_answers(session, ["k"])["k"].answer == ANSWER and begun_answers(session, ["k"]) == {}


def test_a_refusal_is_kept_and_an_outage_is_not(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> None:
        for key, is_final in (("refused", True), ("outage", False)):
            ledger.expect(key, context())
            await ledger.settle(await ledger.reserve(planned(key)), paid(), ended(key, is_final=is_final, answer=None))

    run(database, work)
    assert rows(database, "select evaluation_key, state, reason from evaluated.evaluations") == [
        ("refused", "refused", "refused")
    ]


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each commit of the ledger. The server's own count would count autovacuum's commits, too."""
    names: list[str] = []

    def pass_on(name: str) -> None:
        if name == "scoring.ledger_committed":
            names.append(name)
        fail_point(name)

    monkeypatch.setattr("resources.scoring.ledger.fail_point", pass_on)
    return names


def test_a_hundred_at_once_are_a_few_transactions_and_no_call_is_lost(
    database: Warehouse, committed: list[str]
) -> None:
    async def work(ledger: PostgresLedger) -> None:
        async def one(n: int) -> None:
            ledger.expect(f"k{n}", context())
            await ledger.settle(await ledger.reserve(planned(f"k{n}")), paid(n), ended(f"k{n}"))

        await asyncio.gather(*(one(n) for n in range(100)))

    run(database, work)
    assert rows(database) == [("settled", 100, sum(range(100)))]
    assert len(rows(database, "select evaluation_key from evaluated.evaluations")) == 100
    assert 2 <= len(committed) < 20


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        (Caps(1_000, 10_000, {}), "run"),
        (Caps(10_000, 1_000, {}), "day"),
        (Caps(10_000, 10_000, {"sales": 1_000}), "department"),
    ],
)
def test_no_cap_is_ever_exceeded_and_what_is_in_flight_is_waited_for(database: Warehouse, caps: Caps, cap: str) -> None:
    """Worst price 100, real price 30, cap 1,000: 31 calls fit by their real price, and 30 x 30 + 100 is the most."""
    most = 0

    async def work(ledger: PostgresLedger) -> list[str]:
        nonlocal most
        refused = []

        async def one(n: int) -> None:
            nonlocal most
            ledger.expect(f"k{n}", context())
            try:
                call = await ledger.reserve(planned(f"k{n}"))
            except OverBudget as over:
                refused.append(over.cap)
                return
            most = max(most, sum(spent for _, _, spent in rows(database)))
            await ledger.settle(call, paid(30), ended(f"k{n}"))

        await asyncio.gather(*(one(n) for n in range(40)))
        return refused

    refused = run(database, work, caps)
    ((state, count, spent),) = rows(database)
    assert state == "settled" and spent == 30 * count
    assert count == 31 and refused == [cap] * 9
    assert most <= 1_000


def test_caps_count_the_day_of_the_organisation_and_what_other_runs_spent(database: Warehouse) -> None:
    async def one(ledger: PostgresLedger) -> None:
        ledger.expect("k", context())
        await ledger.settle(await ledger.reserve(planned("k")), paid(95), ended("k"))

    caps = Caps(150, 150, {})
    run(database, one, caps)
    with pytest.raises(OverBudget, match="day"):
        run(database, one, caps, run_id="r2")
    with pytest.raises(OverBudget, match="run"):
        run(database, one, caps, run_id="r1", now=lambda: NOW.replace(hour=20, minute=0))
    # a second later it is another day in Moscow
    run(database, one, caps, run_id="r2", now=lambda: datetime(2026, 11, 16, 21, 0, 0, tzinfo=UTC))
    days = rows(database, "select paid_on, count(*) from ops.llm_calls group by 1")
    assert days == [(date(2026, 11, 16), 1), (date(2026, 11, 17), 1)]


def test_a_runs_cap_holds_over_all_its_midnights(database: Warehouse) -> None:
    clock = [NOW]

    async def work(ledger: PostgresLedger) -> list[str]:
        ledger.expect("k", context())
        said = []
        for _ in range(4):
            try:
                await ledger.settle(await ledger.reserve(planned("k")), paid(90), None)
                said.append("paid")
            except OverBudget as over:
                said.append(over.cap)
            clock[0] += timedelta(days=1)
        return said

    assert run(database, work, Caps(300, 10**9, {}), now=lambda: clock[0]) == ["paid", "paid", "paid", "run"]


def test_other_departments_and_chats_go_on_when_one_has_spent_its_own(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> list[str]:
        done = []
        for department in ("sales", "office", None):
            for n in range(2):
                key = f"{department}{n}"
                ledger.expect(key, context(department))
                try:
                    await ledger.settle(await ledger.reserve(planned(key)), paid(90), ended(key))
                except OverBudget as over:
                    assert over.cap == "department"
                else:
                    done.append(key)
        return done

    caps = Caps(10_000, 10_000, {"sales": 150, None: 150})
    assert run(database, work, caps) == ["sales0", "office0", "office1", "None0"]


def test_what_a_dead_run_had_in_flight_is_booked_at_its_worst_price(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> None:
        for n in range(3):
            ledger.expect(f"k{n}", context())
        first, *_ = [await ledger.reserve(planned(f"k{n}")) for n in range(3)]
        await ledger.settle(first, paid(), ended("k0"))

    run(database, work)
    with database.as_role(Role.LOADER).connect() as session:
        assert book_lost(session, NOW, "another") == 0
        assert book_lost(session, NOW) == 2
        assert book_lost(session, NOW) == 0
    assert rows(database) == [("lost", 2, 200), ("settled", 1, 30)]


def test_a_settled_call_makes_room_for_one_of_the_same_commit(database: Warehouse, committed: list[str]) -> None:
    """Cap 190, worst 100: two fit only one after the other, and the second one's reservation needs no commit more."""

    async def work(ledger: PostgresLedger) -> None:
        for key in ("a", "b"):
            ledger.expect(key, context())
        first = await ledger.reserve(planned("a"))
        settled = asyncio.create_task(ledger.settle(first, paid(90), ended("a")))
        await asyncio.sleep(0)
        second = await ledger.reserve(planned("b"))
        assert settled.done()
        await ledger.settle(second, paid(90), ended("b"))
        await settled

    run(database, work, Caps(190, 190, {}))
    assert rows(database) == [("settled", 2, 180)]
    assert len(committed) == 3


def test_who_waits_no_more_for_a_settlement_spoils_nobody_elses(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> None:
        for key in ("a", "b"):
            ledger.expect(key, context())
        calls = [await ledger.reserve(planned(key)) for key in ("a", "b")]
        gone, stays = (
            asyncio.create_task(ledger.settle(call, paid(90), ended(key)))
            for call, key in zip(calls, ("a", "b"), strict=True)
        )
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    run(database, work)
    assert rows(database) == [("settled", 2, 180)]


def test_what_was_booked_is_read_anew_after_a_commit_that_failed(
    database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cap 250, worst 100: a booking that came to nothing takes no room."""

    async def work(ledger: PostgresLedger) -> None:
        for n in range(4):
            ledger.expect(f"k{n}", context())
        await ledger.reserve(planned("k0"))
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "_execute", _fails)
            with pytest.raises(RuntimeError):
                await ledger.reserve(planned("k1"))
        await ledger.reserve(planned("k2"))
        third = asyncio.create_task(ledger.reserve(planned("k3")))
        await asyncio.sleep(0.1)
        assert not third.done()
        third.cancel()

    run(database, work, Caps(250, 250, {}))
    assert rows(database) == [("reserved", 2, 200)]


def _fails(*_: Any) -> bool:
    raise RuntimeError


def test_who_has_lost_the_scoring_lock_buys_nothing(database: Warehouse) -> None:
    async def work(ledger: PostgresLedger) -> None:
        ledger.expect("k", context())
        with database.connect(autocommit=True) as session:
            session.execute("select pg_terminate_backend(%s, 5000)", [ledger._lock_pid])
        try:
            await ledger.reserve(planned("k"))
        finally:
            assert not ledger._open, "nobody may wait for the end of what was not booked"

    with pytest.raises(WarehouseUnavailable):
        run(database, work)
    assert rows(database) == []
