"""The book of calls to models: reserved before, settled after, within the budget (promises P5, D6, S13).

Here: ``ops.llm_calls`` and, with each answer, its row of ``evaluated.evaluations``; all that waits is one statement,
and so one transaction (``group``). Not here: what is left of the budget (``spent``), how a call is made and what it may
cost at worst (``resources.llm``).

A call begins only after its reservation is committed, and its answer is told only after its settlement is. So whoever
kills the process loses the calls in flight at that moment and nothing else: the next run finds their reservations and
books them at their worst price. An answer that must be repaired is kept, too: whoever ends before the repair goes on
with it, and does not pay for the first call again. A call is refused where its worst price does not fit beside what is
spent, and waits where it does not fit beside what is in flight: most calls cost less than their worst. So the caps hold
as long as no call costs more than was said to be its worst.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import psycopg

from conversations.scoring.answer import stored
from resources.llm.ledger import Evaluated, OverBudget, PaidCall, PlannedCall
from resources.scoring.group import GroupCommit
from resources.scoring.spent import BUDGET_LOCK, Caps, NotYet, Spent
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseUnavailable
from resources.warehouse.failpoints import fail_point
from resources.warehouse.schema import metadata

TOGETHER_SECONDS = 0.01
"""So long the first of a group waits for others: nothing beside a model's seconds, and half of the commits."""
_KEPT = ", ".join(
    f"{column.name} = excluded.{column.name}"
    for column in metadata.tables["evaluated.evaluations"].columns
    if not column.primary_key
)
_WRITE = f"""
with held as materialized (
    select case
        when %(lock_pid)s::int is null then false
        -- first one at a time, whatever process it is in, then the look whether it still has the right
        when {BUDGET_LOCK} is null then false
        else exists (select from pg_stat_get_activity(%(lock_pid)s::int))
    end as is_held
),

reserved as (
    insert into ops.llm_calls
    select r.* from held cross join jsonb_populate_recordset(null::ops.llm_calls, %(reserved)s) as r
    where held.is_held
),

settled as (
    update ops.llm_calls as t
    set
        state = s.state, outcome = s.outcome, cost_microusd = s.cost_microusd, price_from = s.price_from,
        prompt_tokens = s.prompt_tokens, completion_tokens = s.completion_tokens, vendor_call_id = s.vendor_call_id,
        settled_at = s.settled_at
    from jsonb_populate_recordset(null::ops.llm_calls, %(settled)s) as s
    where t.llm_call_id = s.llm_call_id
),

answered as (
    insert into evaluated.evaluations as t
    select * from jsonb_populate_recordset(null::evaluated.evaluations, %(answers)s)
    on conflict (evaluation_key) do update set {_KEPT} where t.state = 'unrepaired'
)

select is_held from held
"""  # noqa: S608


class Context(NamedTuple):
    """What the book has to know of a question, beside what the door tells."""

    department_id: str | None
    """Whose budget; ``None``: chats."""
    prompt_hash: str
    rubric_hash: str
    transcript_hash: str
    masked_items: int
    names_masked: bool


class _Reserve(NamedTuple):
    call: PlannedCall
    context: Context


class _Open(NamedTuple):
    """A call in flight."""

    evaluation_key: str
    department_id: str | None
    worst_microusd: int
    paid_on: date


class _Settle(NamedTuple):
    llm_call_id: str
    was: _Open
    call: PaidCall
    evaluation: Evaluated | None
    context: Context | None


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
        self._open: dict[str, _Open] = {}
        self._spent: Spent | None = None
        """``None``: not read yet, or in doubt."""
        self._settled = asyncio.Event()
        self._group: GroupCommit[_Reserve | _Settle, str] = GroupCommit(
            warehouse,
            "otklik ledger",
            self._write,
            opened=_by_key_only,
            after_commit=lambda: fail_point("scoring.ledger_committed"),
            together_seconds=TOGETHER_SECONDS,
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
            except NotYet as later:
                if not self._open and settled is self._settled:
                    raise OverBudget(later.cap) from None
                await settled.wait()
        fail_point("scoring.call_reserved")
        return llm_call_id

    async def settle(self, llm_call_id: str, paid: PaidCall, evaluation: Evaluated | None) -> None:
        """Book what a call came to and, with it, how its question ended or what is to be repaired: one transaction."""
        fail_point("scoring.call_answered")
        was = self._open[llm_call_id]
        key = was.evaluation_key
        try:
            await self._group.put(_Settle(llm_call_id, was, paid, evaluation, self._contexts.get(key)))
        finally:
            self._open.pop(llm_call_id, None)
            self._settled.set()
            self._settled = asyncio.Event()
        if evaluation is not None and evaluation.begun is None:
            self._contexts.pop(key, None)

    async def close(self) -> None:
        """End the session."""
        await self._group.close()

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()

    def _write(
        self, connection: psycopg.Connection[Any], items: Sequence[_Reserve | _Settle]
    ) -> Sequence[str | Exception]:
        now = self._now()
        settled = [item for item in items if isinstance(item, _Settle)]
        wanted = [(place, item) for place, item in enumerate(items) if isinstance(item, _Reserve)]
        spent = self._current_spent(connection) if wanted else self._spent
        # until it is committed nobody knows what is spent
        self._spent = None
        if spent is not None:
            # what is settled first frees room for what is reserved
            for one in settled:
                was = one.was
                spent.settle(was.department_id, was.worst_microusd, one.call.cost_microusd, was.paid_on)
        results: list[str | Exception] = [""] * len(items)
        rows = []
        for place, item in wanted:
            assert spent is not None
            refusal = spent.refusal(self._caps, item.context.department_id, item.call.worst_microusd)
            if refusal is not None:
                results[place] = refusal
                continue
            spent.reserve(item.context.department_id, item.call.worst_microusd)
            rows.append(self._reserved_row(item, spent.day, now))
            results[place] = rows[-1]["llm_call_id"]
        fail_point("scoring.ledger_before_commit")
        try:
            if not self._execute(connection, rows, settled, now) and rows:
                raise WarehouseUnavailable("the session with the scoring lock was lost: run the same command again")
        except BaseException:
            # what is not booked is not in flight: nobody may wait for its end
            for row in rows:
                self._open.pop(row["llm_call_id"], None)
            raise
        self._spent = spent
        return results

    def _current_spent(self, connection: psycopg.Connection[Any]) -> Spent:
        today = self._today()
        if self._spent is None or self._spent.day != today:
            return Spent(connection, self._run_id, today, self._began_on)
        return self._spent

    def _reserved_row(self, item: _Reserve, today: date, now: datetime) -> dict[str, Any]:
        planned, context = item
        llm_call_id = secrets.token_hex(16)
        # before anybody of the same transaction who has to wait looks whether there is somebody to wait for
        self._open[llm_call_id] = _Open(planned.evaluation_key, context.department_id, planned.worst_microusd, today)
        return {
            "llm_call_id": llm_call_id,
            "evaluation_key": planned.evaluation_key,
            "attempt": planned.attempt,
            "purpose": planned.purpose,
            "run_id": self._run_id,
            "department_id": context.department_id,
            "model": planned.model,
            "state": "reserved",
            "reserved_microusd": planned.worst_microusd,
            "is_masked": context.masked_items > 0,
            "reserved_at": now,
            "paid_on": today,
        }

    def _execute(
        self,
        connection: psycopg.Connection[Any],
        reserved: Sequence[dict[str, Any]],
        settled: Sequence[_Settle],
        now: datetime,
    ) -> bool:
        """Write everything in one statement; returns whether the right to buy is still there."""
        if not reserved and not settled:
            return True
        row = connection.execute(
            _WRITE,
            {
                "lock_pid": self._lock_pid if reserved else None,
                "reserved": orjson.dumps(reserved).decode(),
                "settled": orjson.dumps([_settled_row(item, now) for item in settled]).decode(),
                "answers": orjson.dumps(
                    [
                        _evaluation_row(item.evaluation, item.context, now)
                        for item in settled
                        if item.evaluation is not None and item.context is not None and _is_kept(item.evaluation)
                    ]
                ).decode(),
            },
        ).fetchone()
        return row == (True,)


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


def _by_key_only(connection: psycopg.Connection[Any]) -> None:
    """Each row is found by its key, however many there are: a plan made for a small table must not stay."""
    connection.execute("set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off")


def _is_kept(evaluated: Evaluated) -> bool:
    return evaluated.is_final or evaluated.begun is not None


def _settled_row(item: _Settle, at: datetime) -> dict[str, Any]:
    return {"llm_call_id": item.llm_call_id, "state": "settled", "settled_at": at, **item.call._asdict()}


def _evaluation_row(evaluated: Evaluated, context: Context, at: datetime) -> dict[str, Any]:
    if evaluated.begun is not None:
        state, answer = "unrepaired", evaluated.begun._asdict()
    elif evaluated.answer is not None:
        state, answer = "accepted", stored(evaluated.answer)
    else:
        state, answer = "refused", None
    return {
        "evaluation_key": evaluated.evaluation_key,
        "state": state,
        "reason": evaluated.reason,
        "answer": answer,
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
