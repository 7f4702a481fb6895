"""One question to a model: its calls, pauses, repairs and its end. The rules stand in ``door``.

Here: what comes next after each answer and each failure. Not here: a single call (``caller``), limits over all
questions (``limits``, ``shared``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from conversations.scoring.shapes import Answer, Problems, Request
from resources.clients.errors import Forbidden, NeedsAuth, NotFound, PrivateAddress, Refused, SourceError
from resources.llm import tokens
from resources.llm.caller import Failure, Fault, Reply
from resources.llm.ledger import Begun, Evaluated, Outcome, PaidCall, PlannedCall, Purpose
from resources.llm.shared import Shared

log = logging.getLogger(__name__)

Read = Callable[[str | None, str | None, str | None], Answer | Problems]
"""(text, finish reason, refusal) to an answer or why it is none."""
Repair = Callable[[str, Problems], tuple[dict[str, str], ...]]
"""(bad text, what was wrong) to the question again."""
MOST_REPAIRS = 2
LONGEST_PAUSE_SECONDS = 20.0
LONGEST_KEPT = 100_000
"""Characters of a bad answer that are kept until its repair."""
LEAST_TIME = 0.1
"""Share of the deadline that must be left for one more call after an outage."""
_RETRYABLE: frozenset[Fault] = frozenset(("rate_limited", "timed_out", "unavailable"))
_OUTCOME_OF: dict[Fault, Outcome] = {
    "rate_limited": "rate_limited",
    "timed_out": "timed_out",
    "unavailable": "unavailable",
    "refused": "refused",
}


class Question:
    """One question on its way to its end."""

    def __init__(self, door: Shared, request: Request, read: Read, repair: Repair, begun: Begun | None = None) -> None:
        self._door = door
        self._request = request
        self._read = read
        self._repair = repair
        self._messages = request.messages
        self._purpose: Purpose = "first"
        self._max_tokens = door.scoring.max_answer_tokens
        self._models = list(door.models)
        """Those that may still answer this question."""
        self._model = door.models[0]
        self._deadline: float | None = None
        self._failures = self._repairs = self._calls = self._earlier_calls = self._microusd = 0
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._answered_by: str | None = None
        self._pause = 0.0
        self._worst = 0
        self._problem: str | None = None
        """What was wrong with the last answer."""
        self._begun = begun

    async def ask(self) -> Evaluated:
        door = self._door
        if self._begun is not None and (ended := self._go_on(self._begun)) is not None:
            return ended
        while True:
            if (late := self._cannot_wait(self._pause)) is not None:
                return late
            if self._pause:
                await asyncio.sleep(self._pause)
                self._pause = 0.0
            async with door.slots:
                self._model = self._choose()
                if (told := door.told.left(self._model)) > 0:
                    self._start()
                    self._pause = told
                    continue
                turn = await door.minute.take(self._tokens_expected())
                if (late := self._cannot_wait(0.0)) is not None:
                    door.minute.correct(turn, 0)
                    return late
                # a neighbour may have been told to wait while this one waited for its turn
                if (told := door.told.left(self._model)) > 0:
                    door.minute.correct(turn, 0)
                    self._start()
                    self._pause = told
                    continue
                booked, ended, used = await self._attempt()
                door.minute.correct(turn, used)
            # its place is free already: who takes it is booked by the same commit
            await booked
            if ended is not None:
                return ended
            if door.shut is not None:
                raise door.shut

    # one call ----------------------------------------------------------------------------------------------------

    async def _attempt(self) -> tuple[asyncio.Task[None], Evaluated | None, int]:
        """Make one call; returns its settlement, on its way, how the question ended, if it did, and its tokens."""
        door, request = self._door, self._request
        if door.shut is not None:
            raise door.shut
        self._worst = door.prices.worst(self._model, self._messages, request.schema, self._max_tokens).microusd
        planned = PlannedCall(request.key, self._calls + 1, self._purpose, self._model, self._worst)
        llm_call_id = await door.ledger.reserve(planned)
        self._calls += 1
        self._start()
        said = await self._said()
        try:
            paid, kept = self._replied(said) if isinstance(said, Reply) else self._failed(said)
        except Exception:
            # whatever is wrong with us, the call was made: others wait for the room that its reservation takes
            await door.ledger.settle(llm_call_id, PaidCall("invalid", self._worst, None, None, None, None), None)
            raise
        booked = asyncio.create_task(door.ledger.settle(llm_call_id, paid, kept))
        used = (paid.prompt_tokens or 0) + (paid.completion_tokens or 0) or self._tokens_expected()
        return booked, None if kept is None or kept.begun is not None else kept, used

    async def _said(self) -> Reply | Failure:
        door = self._door
        # booking took its time: the gateway may have told a neighbour, or somebody else may have shut the door
        if door.shut is not None or (told := door.told.left(self._model)) > self._left():
            return Failure("rate_limited", None, None, False)
        if self._left() <= 0:
            return Failure("timed_out", None, None, False)
        if told:
            await asyncio.sleep(told)
        attempts = max(door.scoring.attempts - self._failures, 1)
        lacking = door.lacking.get(self._model, frozenset())
        return await door.caller.call(
            self._model,
            self._messages,
            _form(self._request, lacking),
            None if "temperature" in lacking else door.scoring.temperature,
            self._max_tokens,
            max(self._left() / attempts, 0.001),
        )

    def _replied(self, reply: Reply) -> tuple[PaidCall, Evaluated | None]:
        result = self._read(reply.text, reply.finish_reason, reply.refusal)
        cost = self._door.prices.real(self._model, reply.prompt_tokens, reply.completion_tokens, reply.told_cost)
        # nobody says what it cost: then it cost what was reserved
        microusd = self._worst if cost is None else cost.microusd
        self._count(microusd, reply)
        outcome: Outcome = "ok"
        if isinstance(result, Problems):
            outcome = "invalid"
            if result.reason in ("refused", "truncated"):
                outcome = "refused" if result.reason == "refused" else "truncated"
        paid = PaidCall(
            outcome,
            microusd,
            None if cost is None else cost.price_from,
            reply.prompt_tokens,
            reply.completion_tokens,
            reply.vendor_call_id,
        )
        self._door.rejected_in_a_row = 0
        if isinstance(result, Answer):
            return paid, self._evaluated(result, None, is_final=True)
        self._problem = result.reason
        repairs = self._repairs
        if not self._may_repair(result, reply.text or ""):
            return paid, self._evaluated(None, result.reason, is_final=True)
        begun = self._evaluated(None, result.reason, is_final=False)
        return paid, begun._replace(begun=self._to_repair(begun, reply, repairs))

    def _to_repair(self, evaluated: Evaluated, reply: Reply, repairs: int) -> Begun:
        # such that it can be stored: an answer that cannot would undo the whole booking
        text = (reply.text or "")[:LONGEST_KEPT].replace("\x00", "").encode("utf-8", "replace").decode()
        return Begun(
            text,
            reply.finish_reason,
            repairs,
            evaluated.calls,
            evaluated.answered_by,
            evaluated.prompt_tokens,
            evaluated.completion_tokens,
            evaluated.cost_microusd,
        )

    def _go_on(self, begun: Begun) -> Evaluated | None:
        """Begin with the repair of what was said in an earlier run; the end if it needs none by now."""
        self._earlier_calls, self._microusd = begun.calls, begun.cost_microusd
        self._prompt_tokens, self._completion_tokens = begun.prompt_tokens, begun.completion_tokens
        self._answered_by = begun.answered_by
        result = self._read(begun.text, begun.finish_reason, None)
        if isinstance(result, Answer):
            return self._evaluated(result, None, is_final=True)
        self._repairs, self._problem = begun.repairs, result.reason
        if not self._may_repair(result, begun.text):
            # what is taken for beyond repair by now was paid for all the same
            return self._evaluated(None, result.reason, is_final=True)
        return None

    def _may_repair(self, problems: Problems, text: str) -> bool:
        if self._repairs >= MOST_REPAIRS or self._left() <= 0:
            return False
        if problems.reason == "truncated" and self._max_tokens == self._door.scoring.max_answer_tokens:
            # the same question with the same length would be cut off at the same place
            self._max_tokens *= 2
        elif problems.can_repair:
            self._messages = self._repair(text, problems)
        else:
            return False
        self._repairs += 1
        self._purpose = "repair"
        return True

    def _failed(self, failure: Failure) -> tuple[PaidCall, Evaluated | None]:
        fault = failure.fault
        microusd = self._worst if failure.may_be_paid else 0
        self._count(microusd)
        paid = PaidCall(_OUTCOME_OF.get(fault, "rejected"), microusd, None, None, None, None)
        if failure.retry_after is not None:
            self._door.told.wait(self._model, failure.retry_after)
        log.warning(
            "llm: reason=%s status=%s attempt=%d model=%s", fault, failure.status, self._calls, self._model
        )  # fmt: skip
        if fault in _RETRYABLE:
            return paid, self._after_outage(fault)
        if failure.cannot is not None and self._concede(failure.cannot):
            return paid, None
        error = shutting(fault, self._model)
        if error is not None:
            self._door.shut_for(error, self._model if fault in ("forbidden", "not_found") else None)
            if self._door.shut is not None:
                return paid, None
        if len(self._models) > 1:
            # another model may know more, hold more or mind less
            self._models.remove(self._model)
            return paid, None
        if self._problem is not None:
            # an answer was paid for; only its repair was not accepted
            return paid, self._evaluated(None, self._problem, is_final=True)
        if fault == "rejected":
            self._door.rejected()
        return paid, self._evaluated(None, fault, is_final=fault in ("too_long", "refused"))

    def _after_outage(self, fault: Fault) -> Evaluated | None:
        self._failures += 1
        if self._door.shut is not None:
            return None
        if self._failures >= self._door.scoring.attempts:
            return self._evaluated(None, fault, is_final=False)
        # the next of the list; all were asked: after a pause, growing, with jitter
        self._models = [one for one in self._models if one != self._model] + [self._model]
        rounds, place = divmod(self._failures, len(self._models))
        if place == 0:
            grown = min(self._door.first_pause_seconds * 2 ** (rounds - 1), LONGEST_PAUSE_SECONDS)
            self._pause = grown / 2 + self._door.random.uniform(0, grown) / 2
        self._pause = max(self._pause, min(map(self._door.told.left, self._models)))
        # a call that has no time to be answered is only paid for
        if self._pause >= self._left() - self._door.scoring.deadline_seconds * LEAST_TIME:
            return self._evaluated(None, fault, is_final=False)
        return None

    # small things ------------------------------------------------------------------------------------------------

    def _choose(self) -> str:
        """The first model in the order of this question that may be asked now; else the one that may be soonest."""
        usable = [one for one in self._models if one not in self._door.unusable]
        return min(usable or self._models, key=self._door.told.left)

    def _concede(self, what: str) -> bool:
        """Ask this model without what it does not know from now on; false: it was asked without already."""
        lacking = self._door.lacking.setdefault(self._model, set())
        if what == "schema" and "schema" in lacking:
            what = "json"
        if what in lacking:
            return False
        lacking.add(what)
        return True

    def _cannot_wait(self, seconds: float) -> Evaluated | None:
        """The end of the question if the deadline comes before so many seconds are over."""
        if seconds < self._left():
            return None
        return self._evaluated(None, "rate_limited" if seconds else "timed_out", is_final=False)

    def _start(self) -> None:
        """Time runs from the first call, or from the first wait that a gateway told us."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._door.scoring.deadline_seconds

    def _left(self) -> float:
        if self._deadline is None:
            return self._door.scoring.deadline_seconds
        return self._deadline - time.monotonic()

    def _tokens_expected(self) -> int:
        return tokens.about(self._messages, self._request.schema) + self._max_tokens // 2

    def _count(self, microusd: int, reply: Reply | None = None) -> None:
        self._microusd += microusd
        if reply is None:
            return
        self._answered_by = reply.answered_by or self._model
        if reply.prompt_tokens is not None:
            self._prompt_tokens = (self._prompt_tokens or 0) + reply.prompt_tokens
        if reply.completion_tokens is not None:
            self._completion_tokens = (self._completion_tokens or 0) + reply.completion_tokens

    def _evaluated(self, answer: Answer | None, reason: str | None, *, is_final: bool) -> Evaluated:
        return Evaluated(
            self._request.key,
            answer,
            reason,
            is_final,
            self._earlier_calls + self._calls,
            self._door.models[0],
            self._answered_by,
            self._prompt_tokens,
            self._completion_tokens,
            self._microusd,
        )


def _form(request: Request, lacking: set[str] | frozenset[str]) -> dict[str, Any] | None:
    if "json" in lacking:
        return None
    if "schema" in lacking:
        return {"type": "json_object"}
    schema = {"name": request.schema_name, "strict": True, "schema": request.schema}
    return {"type": "json_schema", "json_schema": schema}


def shutting(fault: Fault, model: str) -> SourceError | None:
    """The error that ends all asking, if this is one."""
    if fault == "needs_auth":
        return NeedsAuth("llm", "the models' gateway does not accept the key", "Put a valid key into LLM_API_KEY")
    if fault == "forbidden":
        return Forbidden("llm", f"the key may not use the model {model}", "Give the key the right to use it")
    if fault == "not_found":
        return NotFound("llm", f"the gateway knows no model {model}", "Check LLM_MODEL and LLM_BASE_URL")
    if fault == "over_budget":
        return Refused("llm", "the budget of the key at the gateway is spent", "Raise it there, then run again")
    if fault == "private":
        return PrivateAddress("llm", "the address of the models' gateway leads into a private network")
    return None
