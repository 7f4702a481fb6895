"""The book of calls to models: reserved before, settled after, within the budget (promises P5, D6, S13).

Here: ``ops.llm_calls`` and, with the last settlement of a question, its row of ``evaluated.evaluations``; all that
waits is one transaction (``group``). Not here: how a call is made and what it may cost at worst (``resources.llm``).

A call begins only after its reservation is committed, and its answer is told only after its settlement is. So whoever
kills the process loses the calls in flight at that moment and nothing else: the next run finds their reservations and
books them at their worst price. A call is refused where its worst price does not fit beside what is spent, and waits
where it does not fit beside what is in flight: most calls cost less than their worst. So the caps hold as long as no
call costs more than was said to be its worst.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import psycopg

from conversations.scoring.answer import stored
from resources.llm.ledger import Cap, Evaluated, OverBudget, PaidCall, PlannedCall
from resources.scoring.group import GroupCommit
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseUnavailable
from resources.warehouse.failpoints import fail_point


class Context(NamedTuple):
    """What the book has to know of a question, beside what the door tells."""

    department_id: str | None
    """Whose budget; ``None``: chats."""
    prompt_hash: str
    rubric_hash: str
    transcript_hash: str
    masked_items: int
    names_masked: bool


@dataclass(frozen=True)
class Caps:
    """Most that may be spent, in millionths of a US dollar."""

    run: int
    day: int
    by_department: Mapping[str | None, int]
    """A local day's cap of departments that have one; under ``None`` that of chats."""

    def of(self, cap: Cap, department_id: str | None) -> int | None:
        """The cap; ``None``: there is none."""
        return {"run": self.run, "day": self.day, "department": self.by_department.get(department_id)}[cap]


class _Reserve(NamedTuple):
    call: PlannedCall
    context: Context


class _Settle(NamedTuple):
    llm_call_id: str
    call: PaidCall
    evaluation: Evaluated | None
    context: Context | None


class _NotYet(Exception):
    """It fits when what is in flight costs less than its worst."""

    def __init__(self, cap: Cap) -> None:
        super().__init__(cap)
        self.cap = cap


class PostgresLedger:
    """The ledger of one run; give it to the door, close it at the end.

    Args:
        now: the clock; a call counts in the cap of the local day on which it was reserved.
        lock_pid: the database session that holds the scoring lock. When it is lost, so is the right to buy.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        run_id: str,
        caps: Caps,
        time_zone: str,
        now: Callable[[], datetime],
        lock_pid: int,
    ) -> None:
        self._lock_pid = lock_pid
        self._run_id = run_id
        self._caps = caps
        self._zone = ZoneInfo(time_zone)
        self._now = now
        self._began_on = self._today()
        self._contexts: dict[str, Context] = {}
        self._keys: dict[str, str] = {}
        """Calls in flight: the question of each."""
        self._settled = asyncio.Event()
        self._group: GroupCommit[_Reserve | _Settle, str] = GroupCommit(
            warehouse, "otklik ledger", self._write, after_commit=lambda: fail_point("scoring.ledger_committed")
        )

    def expect(self, evaluation_key: str, context: Context) -> None:
        """Say what a question is about, before the door is asked."""
        self._contexts[evaluation_key] = context

    async def reserve(self, planned: PlannedCall) -> str:
        """Book a call at its worst price; returns its id in the book, committed.

        Raises:
            OverBudget: it does not fit; nothing was booked.
        """
        item = _Reserve(planned, self._contexts[planned.evaluation_key])
        while True:
            settled = self._settled
            try:
                llm_call_id = await self._group.put(item)
                break
            except _NotYet as later:
                if not self._keys and settled is self._settled:
                    raise OverBudget(later.cap) from None
                await settled.wait()
        fail_point("scoring.call_reserved")
        return llm_call_id

    async def settle(self, llm_call_id: str, paid: PaidCall, evaluation: Evaluated | None) -> None:
        """Book what a call came to and, with a question's last call, its answer: one transaction."""
        fail_point("scoring.call_answered")
        key = self._keys[llm_call_id]
        try:
            await self._group.put(_Settle(llm_call_id, paid, evaluation, self._contexts.get(key)))
        finally:
            self._keys.pop(llm_call_id)
            self._settled.set()
            self._settled = asyncio.Event()
        if evaluation is not None:
            self._contexts.pop(key, None)

    async def close(self) -> None:
        """End the session."""
        await self._group.close()

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()

    def _write(
        self, connection: psycopg.Connection[Any], items: Sequence[_Reserve | _Settle]
    ) -> Sequence[str | Exception]:
        results: list[str | Exception] = [""] * len(items)
        # what is settled first frees room for what is reserved
        self._settle(connection, [item for item in items if isinstance(item, _Settle)])
        wanted = [(place, item) for place, item in enumerate(items) if isinstance(item, _Reserve)]
        if wanted:
            for (place, _), result in zip(wanted, self._reserve(connection, [item for _, item in wanted]), strict=True):
                results[place] = result
        fail_point("scoring.ledger_before_commit")
        return results

    def _reserve(self, connection: psycopg.Connection[Any], items: Sequence[_Reserve]) -> list[str | Exception]:
        today, now = self._today(), self._now()
        # one at a time looks at the sums and adds to them, whatever process it is in
        connection.execute("select pg_advisory_xact_lock(hashtextextended('otklik:llm-budget', 0))")
        held = connection.execute("select exists (select from pg_stat_activity where pid = %s)", [self._lock_pid])
        if held.fetchone() != (True,):
            raise WarehouseUnavailable("the session with the scoring lock was lost: run the same command again")
        spent = _Spent(connection, self._run_id, today, self._began_on)
        results: list[str | Exception] = []
        rows = []
        for planned, context in items:
            worst = planned.worst_microusd
            refusal = spent.refusal(self._caps, context.department_id, worst)
            if refusal is not None:
                results.append(refusal)
                continue
            spent.add(context.department_id, worst)
            llm_call_id = secrets.token_hex(16)
            results.append(llm_call_id)
            # before anybody of the same transaction who has to wait looks whether there is somebody to wait for
            self._keys[llm_call_id] = planned.evaluation_key
            rows.append(
                {
                    "llm_call_id": llm_call_id,
                    "evaluation_key": planned.evaluation_key,
                    "attempt": planned.attempt,
                    "purpose": planned.purpose,
                    "run_id": self._run_id,
                    "department_id": context.department_id,
                    "model": planned.model,
                    "state": "reserved",
                    "reserved_microusd": worst,
                    "is_masked": context.masked_items > 0,
                    "reserved_at": now,
                    "paid_on": today,
                }
            )
        if rows:
            connection.execute(
                "insert into ops.llm_calls select * from jsonb_populate_recordset(null::ops.llm_calls, %s)",
                [orjson.dumps(rows).decode()],
            )
        return results

    def _settle(self, connection: psycopg.Connection[Any], items: Sequence[_Settle]) -> None:
        if not items:
            return
        now = self._now()
        rows = [
            {
                "llm_call_id": item.llm_call_id,
                "state": "settled",
                "outcome": item.call.outcome,
                "cost_microusd": item.call.cost_microusd,
                "price_from": item.call.price_from,
                "prompt_tokens": item.call.prompt_tokens,
                "completion_tokens": item.call.completion_tokens,
                "vendor_call_id": item.call.vendor_call_id,
                "settled_at": now,
            }
            for item in items
        ]
        connection.execute(_SETTLE, [orjson.dumps(rows).decode()])
        answers = [
            _evaluation_row(item.evaluation, item.context, now)
            for item in items
            if item.evaluation is not None and item.evaluation.is_final and item.context is not None
        ]
        if answers:
            connection.execute(
                "insert into evaluated.evaluations"
                " select * from jsonb_populate_recordset(null::evaluated.evaluations, %s)"
                " on conflict (evaluation_key) do nothing",
                [orjson.dumps(answers).decode()],
            )


_SETTLE = """
update ops.llm_calls as t
set state = s.state, outcome = s.outcome, cost_microusd = s.cost_microusd, price_from = s.price_from,
    prompt_tokens = s.prompt_tokens, completion_tokens = s.completion_tokens, vendor_call_id = s.vendor_call_id,
    settled_at = s.settled_at
from jsonb_populate_recordset(null::ops.llm_calls, %s) as s
where t.llm_call_id = s.llm_call_id
"""
_SUMS = """
select department_id, run_id = %(run)s, paid_on = %(today)s,
    sum(coalesce(cost_microusd, reserved_microusd))::bigint,
    coalesce(sum(reserved_microusd) filter (where state = 'reserved'), 0)::bigint
from ops.llm_calls
where paid_on = any(%(days)s)
group by 1, 2, 3
"""


class _Spent:
    """What is spent, calls in flight at their worst: by this run, today, today by department."""

    def __init__(self, connection: psycopg.Connection[Any], run_id: str, today: date, began_on: date) -> None:
        rows = connection.execute(_SUMS, {"run": run_id, "today": today, "days": sorted({today, began_on})})
        self._all: Counter[tuple[Cap, str | None]] = Counter()
        self._open: Counter[tuple[Cap, str | None]] = Counter()
        for department_id, is_mine, is_today, cost, in_flight in rows.fetchall():
            for place in _places(department_id, is_mine=is_mine, is_today=is_today):
                self._all[place] += cost
                self._open[place] += in_flight

    def refusal(self, caps: Caps, department_id: str | None, worst: int) -> OverBudget | _NotYet | None:
        """Why one more call may not be made now."""
        later = None
        for place in _places(department_id):
            cap = caps.of(*place)
            if cap is None or self._all[place] + worst <= cap:
                continue
            if self._all[place] - self._open[place] + worst > cap:
                return OverBudget(place[0])
            later = _NotYet(place[0])
        return later

    def add(self, department_id: str | None, worst: int) -> None:
        """Count one more call in flight."""
        for place in _places(department_id):
            self._all[place] += worst
            self._open[place] += worst


def _places(department_id: str | None, *, is_mine: bool = True, is_today: bool = True) -> list[tuple[Cap, str | None]]:
    """Whose sums a call counts in."""
    mine: list[tuple[Cap, str | None]] = [("run", None)] if is_mine else []
    return mine + ([("day", None), ("department", department_id)] if is_today else [])


def book_lost(connection: psycopg.Connection[Any], at: datetime, run_id: str | None = None) -> int:
    """Book calls whose process ended before their answer at their worst price; returns how many.

    Only for the holder of the scoring lock: under anybody else's hands a reservation may be a living one.

    Args:
        run_id: those of this run only.
    """
    return connection.execute(
        "update ops.llm_calls set state = 'lost', cost_microusd = reserved_microusd, settled_at = %(at)s"
        " where state = 'reserved' and (%(run)s::text is null or run_id = %(run)s)",
        {"at": at, "run": run_id},
    ).rowcount


def _evaluation_row(evaluated: Evaluated, context: Context, at: datetime) -> dict[str, Any]:
    return {
        "evaluation_key": evaluated.evaluation_key,
        "state": "refused" if evaluated.answer is None else "accepted",
        "reason": evaluated.reason,
        "answer": None if evaluated.answer is None else stored(evaluated.answer),
        "calls": evaluated.calls,
        "model": evaluated.model,
        "answered_by": evaluated.answered_by,
        "prompt_tokens": evaluated.prompt_tokens,
        "completion_tokens": evaluated.completion_tokens,
        "cost_microusd": evaluated.cost_microusd,
        "prompt_hash": context.prompt_hash,
        "rubric_hash": context.rubric_hash,
        "transcript_hash": context.transcript_hash,
        "masked_items": context.masked_items,
        "names_masked": context.names_masked,
        "answered_at": at,
    }
