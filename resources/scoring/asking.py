"""A talk's card by a model: its questions asked where they are not paid for, its answers made into a card.

Here: one talk at a time, what ends buying. Not here: what is to be asked (``works``), how a model is asked
(``resources.llm.door``), how answers become a card (``conversations.scoring.scorecard``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol

from conversations.scoring.answer import read_answer
from conversations.scoring.request import repair_messages
from conversations.scoring.scorecard import card_of, unscored_card, unsuitable_card
from conversations.scoring.shapes import Answer, Prepared, Problems, Request
from resources.clients.errors import SourceError
from resources.llm.ledger import Begun, Cap, Evaluated, OverBudget
from resources.scoring.answers import Stored
from resources.scoring.cards import Judged
from resources.scoring.ledger import Context, PostgresLedger
from resources.scoring.works import Work

OUTAGES = frozenset(("rate_limited", "timed_out", "unavailable"))
"""Reasons that say nothing of the talk: nobody answered."""
OUTAGES_IN_A_ROW = 20
"""So many questions without any answer in a row, and the rest is left for the next run: each of them takes minutes."""


class Door(Protocol):
    """Who asks a model; ``resources.llm.door.Door`` is one."""

    async def ask(
        self,
        request: Request,
        read: Callable[[str | None, str | None, str | None], Answer | Problems],
        repair: Callable[[str, Problems], tuple[dict[str, str], ...]],
        begun: Begun | None = None,
    ) -> Evaluated:
        """Ask until there is an answer, or a reason why there is none."""
        ...


class Left(Exception):
    """Not bought: the budget is spent, or nobody answers. The next run goes on with it."""


class Asker:
    """Makes cards of the talks of one run.

    Args:
        model: the model that is asked first.
        names_masked: whether names were hidden before the talks came here.
        outages: how many questions without any answer in a row end the buying.
    """

    def __init__(
        self, door: Door, ledger: PostgresLedger, model: str, *, names_masked: bool, outages: int = OUTAGES_IN_A_ROW
    ) -> None:
        self._door = door
        self._ledger = ledger
        self._model = model
        self._names_masked = names_masked
        self._most_outages = outages
        self._outages = 0
        self._asked: dict[str, asyncio.Task[Stored]] = {}
        self.closed: dict[Cap | str, set[str | None]] = {}
        """What ended buying: run, day, unavailable or refused for everybody (``None``), department for the named."""
        self.problem: SourceError | None = None
        """Why nobody may be asked any more: a person has to act."""
        self.bought = 0
        self.reasons: Counter[str] = Counter()
        """Why questions got no answer."""

    async def card(self, work: Work) -> Judged:
        """The card of a talk.

        Raises:
            Left: some of its questions were not bought.
        """
        prepared, version = work.prepared, work.judging.rubric.version
        if work.unsuitable is not None:
            card = unsuitable_card(work.unsuitable, "model", prepared.flags)
            return Judged(work.subject, card, version, None, None, (), prepared.transcript_hash)
        said = await self._answers(work)
        card = (
            unscored_card(said, "model", prepared.flags)
            if isinstance(said, str)
            else card_of(prepared, said, work.judging.rubric)
        )
        keys = tuple(one.key for one in prepared.requests)
        prompt_hash = work.judging.prompt.hash
        return Judged(work.subject, card, version, prompt_hash, self._model, keys, prepared.transcript_hash)

    async def close(self) -> None:
        """End what is still being asked; to be called in any case."""
        for one in self._asked.values():
            one.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _answers(self, work: Work) -> list[Answer] | str:
        """The answers to all parts of a talk, or why there is no card of it.

        The parts are asked one after the other: after one without an answer the others would be bought for nothing.
        """
        refused = (one.reason or "empty" for one in work.answers.values() if one.answer is None)
        if (reason := next(refused, None)) is not None:
            return reason
        answers = []
        for request in work.prepared.requests:
            stored = await self._answer(work, work.prepared, request)
            if stored.answer is None:
                return stored.reason or "empty"
            answers.append(stored.answer)
        return answers

    async def _answer(self, work: Work, prepared: Prepared, request: Request) -> Stored:
        if request.key in work.answers:
            return work.answers[request.key]
        # two talks of the same words have the same question: the second waits for the first one's answer
        if (asked := self._asked.get(request.key)) is None:
            asked = self._asked[request.key] = asyncio.create_task(self._buy(work, prepared, request))
        return await asyncio.shield(asked)

    async def _buy(self, work: Work, prepared: Prepared, request: Request) -> Stored:
        department_id = work.subject.department_id
        if self._is_closed(department_id):
            raise Left
        rubric, prompt, _ = work.judging
        self._ledger.expect(
            request.key,
            Context(
                department_id,
                prompt.hash,
                rubric.hash,
                prepared.transcript_hash,
                prepared.masked_items,
                self._names_masked,
            ),
        )
        try:
            evaluated = await self._door.ask(
                request,
                partial(read_answer, rubric=rubric),
                partial(repair_messages, request),
                work.begun.get(request.key),
            )
        except OverBudget as over:
            whose = department_id if over.cap == "department" else None
            self.closed.setdefault(over.cap, set()).add(whose)
            raise Left from None
        except SourceError as error:
            self.problem = error
            self.closed.setdefault("refused", set()).add(None)
            raise Left from None
        self.bought += 1
        self._note(evaluated)
        return Stored(evaluated.answer, evaluated.reason)

    def _is_closed(self, department_id: str | None) -> bool:
        everybody = self.closed.keys() - {"department"}
        return bool(everybody) or department_id in self.closed.get("department", ())

    def _note(self, evaluated: Evaluated) -> None:
        if evaluated.answer is None:
            self.reasons[evaluated.reason or "empty"] += 1
        if evaluated.is_final or evaluated.reason not in OUTAGES:
            self._outages = 0
            return
        self._outages += 1
        if self._outages >= self._most_outages:
            self.closed.setdefault("unavailable", set()).add(None)
