"""A scoring run over days: rules judge every talk, a model the talks whose answers are paid for or may be bought.

Here: the order of things, the lock, what is counted. Not here: which talks (``subjects``), what is done with each
(``works``), how it is bought (``asking``) and booked (``ledger``), who starts a run (``assets``, ``otklik score``).

    scoring lock ─ calls of dead runs are booked as lost ─ talks, a portion at a time
                        ├─ card by rules, at no cost
                        └─ card by a model: kept, out of paid answers, or bought within the budget
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import psycopg

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.scoring.masking import NameFinder
from conversations.scoring.rules import judge_by_rules
from conversations.scoring.shapes import Prompt
from resources.clients.errors import SourceError
from resources.clients.redact import wordless_traceback
from resources.llm.ledger import Ledger
from resources.prompts import PromptError
from resources.scoring.asking import Asker, Door, Left
from resources.scoring.cards import Judged, forget_gone, write_cards
from resources.scoring.group import GroupCommit
from resources.scoring.ledger import PostgresLedger, book_lost
from resources.scoring.spent import caps_of
from resources.scoring.subjects import Chosen, Listed, Subject, list_subjects, read_subjects
from resources.scoring.works import Judging, Rejudged, Rulebook, Work, parameters_of, works_of
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse, unavailable
from resources.warehouse.errors import WarehouseError
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import scoring_lock
from resources.warehouse.requirements import NoRubric
from resources.warehouse.scoring_state import note_end
from resources.warehouse.stale_quotes import forget_stale_quotes

log = logging.getLogger(__name__)

PORTION = 50
"""Talks that are read and prepared at a time, one portion ahead of those that are judged."""
BUSY_PER_CALL = 2
"""Talks at work for each call that may be in flight: one waits for its turn while the other is asked about."""
CARDS_TOGETHER_SECONDS = 0.5
"""So long a model's card waits for others: its answers are safe already, and a commit of few cards costs as much."""
TELL_EVERY_SECONDS = 30.0
_OF_ALL = (psycopg.Error, WarehouseError, SourceError)
"""Errors that are not of one talk."""
OpenDoor: TypeAlias = Callable[[Ledger], AbstractAsyncContextManager[Door]]
_Portion: TypeAlias = tuple[list[Work], list[Judged]]
"""Talks, and their cards by rules."""
Progress: TypeAlias = Callable[[int, int], None]
"""Called with the talks that are done and all talks."""


@dataclass(frozen=True)
class Scorer:
    """Everything that a run needs beside the days."""

    policy: Policy
    lexicon: Lexicon
    prompt_of: Callable[[str], Prompt]
    model: str
    """The model that is asked first, as the settings name it."""
    open_door: OpenDoor | None
    """``None``: no key; talks are judged by rules only."""
    now: Callable[[], datetime]
    names: NameFinder | None = None


@dataclass
class Counts:
    """What a run did."""

    talks: int = 0
    by_rules: int = 0
    """Talks with a card by rules."""
    scored: int = 0
    """Talks with a model's card, whether its answers were bought now or earlier."""
    unsuitable: int = 0
    unscored: int = 0
    cached: int = 0
    """Talks all of whose answers were paid for before."""
    awaited: int = 0
    """Talks of other days than the run's, whose words have changed since they were judged."""
    kept: int = 0
    """Talks that keep the verdict they have."""
    kept_old: int = 0
    """Of those: by another version of the rubric."""
    left: int = 0
    """Talks whose questions were not bought."""
    not_ready: Counter[str] = field(default_factory=Counter)
    """Talks that nobody can judge, by why: no_rubric, no_prompt; broken: an error of ours, in the log."""
    stopped: tuple[str, ...] = ()
    """What ended buying: run, day, department, unavailable, refused."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why talks are unscored."""
    cards_changed: int = 0
    """Scorecards that are new or different."""
    lost: int = 0
    """Calls of dead runs that were booked at their worst price."""
    calls: int = 0
    """Calls of this run to models, as the book has them."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microusd: int = 0
    seconds: float = 0.0
    """How long it took, by the machine's clock."""
    has_model: bool = False

    @property
    def calls_per_minute(self) -> float:
        """How fast it asked, over the whole of it."""
        return self.calls * 60 / self.seconds if self.seconds else 0.0


def score(
    warehouse: Warehouse, scorer: Scorer, chosen: Chosen, run_id: str, progress: Progress | None = None
) -> Counts:
    """Judge the chosen talks; a second run with the same input makes no call and changes no row.

    Raises:
        Busy: another process scores; nothing was done.
        NoRubric, PromptError: none of the talks can be judged.
        SourceError: a person has to act (key, right, address); rules and what is paid for were done for all talks.
        WarehouseUnavailable: the database went away; what was committed stays.
    """
    began = time.monotonic()
    with (
        warehouse.connect("otklik scoring", autocommit=True) as session,
        scoring_lock(session),
    ):
        counts = Counts(has_model=scorer.open_door is not None)
        counts.lost = book_lost(session, scorer.now())
        refresh_eligibility(warehouse, scorer.policy, chosen.window(scorer.policy.time_zone))
        forget_gone(session, chosen)
        forget_stale_quotes(session, chosen.first, chosen.last)
        listed = list_subjects(session, scorer.policy, chosen)
        counts.talks, counts.awaited = listed.total, len(listed.awaited)
        try:
            asyncio.run(_Run(warehouse, session, scorer, chosen, run_id, counts, progress).judge(listed))
        finally:
            # what was in flight when the run ended early may have been paid
            if not session.closed:
                counts.lost += book_lost(session, scorer.now(), run_id)
                # a load may have changed what was said while it was judged
                forget_stale_quotes(session, chosen.first, chosen.last, listed.awaited)
        _sum_up(session, run_id, counts)
        if counts.has_model:
            note_end(session, counts.stopped)
    counts.seconds = round(time.monotonic() - began, 3)
    return counts


class _Run:
    def __init__(
        self,
        warehouse: Warehouse,
        session: psycopg.Connection[Any],
        scorer: Scorer,
        chosen: Chosen,
        run_id: str,
        counts: Counts,
        progress: Progress | None,
    ) -> None:
        self._warehouse = warehouse
        self._session = session
        self._scorer = scorer
        self._chosen = chosen
        self._run_id = run_id
        self._counts = counts
        self._progress = progress
        self._rulebook = Rulebook(session, scorer.prompt_of)
        parameters = parameters_of(scorer.policy.scoring, scorer.model)
        self._how = Rejudged(parameters, chosen.again, scorer.names)
        self._problem: Exception | None = None
        self._done = 0
        self._asking = 0
        """Talks whose questions are being asked."""
        self._is_all_begun = False
        self._began = self._told_at = time.monotonic()
        self._counting = threading.Lock()

    async def judge(self, listed: Listed) -> None:
        portions = read_subjects(self._session, self._scorer.policy, self._chosen, listed, PORTION)
        if self._scorer.open_door is not None:
            await self._with_model(portions, self._scorer.open_door)
        else:
            async for works in self._portions(portions):
                self._step(len(works))
        if self._problem is not None and self._counts.not_ready.total() == self._counts.talks:
            raise self._problem

    async def _with_model(self, portions: Iterator[list[Subject]], open_door: OpenDoor) -> None:
        policy = self._scorer.policy
        cards: GroupCommit[Judged, None] = GroupCommit(
            self._warehouse,
            "otklik scorecards",
            self._write,
            after_commit=lambda: fail_point("scoring.cards_committed"),
            together_seconds=CARDS_TOGETHER_SECONDS,
        )
        ledger = PostgresLedger(
            self._warehouse,
            self._run_id,
            caps_of(policy),
            policy.time_zone,
            self._scorer.now,
            self._session.info.backend_pid,
        )
        try:
            async with open_door(ledger) as door:
                asker = Asker(door, ledger, self._scorer.model, names_masked=policy.scoring.mask_names)
                try:
                    with _first_of_group():
                        await self._ask(asker, cards, portions)
                finally:
                    await asker.close()
                    self._counts.stopped = tuple(sorted(asker.closed))
                if asker.problem is not None:
                    raise asker.problem
        finally:
            await cards.close()
            await ledger.close()

    async def _ask(self, asker: Asker, cards: GroupCommit[Judged, None], portions: Iterator[list[Subject]]) -> None:
        slots = asyncio.Semaphore(BUSY_PER_CALL * self._scorer.policy.scoring.concurrency)
        async with asyncio.TaskGroup() as tasks:
            async for works in self._portions(portions):
                for work in works:
                    await slots.acquire()
                    self._asking += 1
                    tasks.create_task(self._by_model(asker, cards, work, slots))
            self._is_all_begun = True
            self._hurry(cards)

    def _hurry(self, cards: GroupCommit[Judged, None]) -> None:
        """Let the last cards wait for nobody."""
        if self._is_all_begun and not self._asking:
            cards.hurry()

    async def _portions(self, portions: Iterator[list[Subject]]) -> AsyncIterator[list[Work]]:
        """Portions of talks with what is to be done, their cards by rules written; the next one is prepared while this
        one is judged."""
        ahead = asyncio.create_task(asyncio.to_thread(self._next, portions))
        try:
            while (portion := await ahead) is not None:
                ahead = asyncio.create_task(asyncio.to_thread(self._next, portions))
                yield portion
        finally:
            await asyncio.gather(ahead, return_exceptions=True)

    def _next(self, portions: Iterator[list[Subject]]) -> list[Work] | None:
        with unavailable(self._warehouse.address):
            subjects = next(portions, None)
            if subjects is None:
                return None
            works, judged = self._of(subjects)
            if judged:
                # what a run costs nobody is there whatever comes of the rest, in one transaction for all of them
                self._write(self._session, judged)
                fail_point("scoring.cards_committed")
                self._counts.by_rules += len(judged)
        return works

    def _of(self, subjects: Sequence[Subject]) -> _Portion:
        able: list[tuple[Subject, Judging]] = []
        for subject in subjects:
            try:
                able.append((subject, self._rulebook.of(subject)))
            except (NoRubric, PromptError) as error:
                self._problem = error
                self._counts.not_ready["no_rubric" if isinstance(error, NoRubric) else "no_prompt"] += 1
        try:
            return self._prepared(able)
        except _OF_ALL:
            raise
        except Exception:
            # each is tried alone, and told if it fails
            pass
        found = [self._prepared_alone(one) for one in able]
        return [work for works, _ in found for work in works], [card for _, cards in found for card in cards]

    def _prepared(self, able: Sequence[tuple[Subject, Judging]]) -> _Portion:
        works = works_of(self._session, able, self._how)
        return works, [self._judged_by_rules(work) for work in works]

    def _prepared_alone(self, one: tuple[Subject, Judging]) -> _Portion:
        try:
            return self._prepared([one])
        except _OF_ALL:
            raise
        except Exception as error:
            self._broken(error)
            return [], []

    def _broken(self, error: Exception) -> None:
        """Count a talk at which we failed; its words may be in the error's, so only kind and place are logged."""
        log.error("a talk could not be judged: %s\n%s", type(error).__name__, wordless_traceback(error))
        self._problem = error
        self._counts.not_ready["broken"] += 1

    def _judged_by_rules(self, work: Work) -> Judged:
        suspected = "suspected_injection" in work.prepared.flags
        card = judge_by_rules(work.subject.talk, work.judging.rubric, self._scorer.lexicon, suspected=suspected)
        version = work.judging.rubric.version
        return Judged(work.subject, card, version, None, None, (), work.prepared.transcript_hash)

    async def _by_model(
        self, asker: Asker, cards: GroupCommit[Judged, None], work: Work, slots: asyncio.Semaphore
    ) -> None:
        try:
            judged = await self._judged_by_model(asker, work)
        finally:
            slots.release()
            self._asking -= 1
            self._hurry(cards)
        if judged is not None:
            counts = self._counts
            await cards.put(judged)
            counts.cached += work.unsuitable is None and not work.missing
            setattr(counts, judged.card.state, getattr(counts, judged.card.state) + 1)
            if judged.card.state == "unscored":
                counts.reasons[judged.card.reason or "empty"] += 1
        self._step(1)

    async def _judged_by_model(self, asker: Asker, work: Work) -> Judged | None:
        """The new card of a talk, if it gets one."""
        counts = self._counts
        if work.is_kept:
            counts.kept += 1
            counts.kept_old += work.is_old
            return None
        try:
            return await asker.card(work)
        except Left:
            counts.left += 1
        except _OF_ALL:
            raise
        except Exception as error:
            self._broken(error)
        return None

    def _write(self, connection: psycopg.Connection[Any], items: Sequence[Judged]) -> list[Exception | None]:
        with connection.transaction():
            changed = write_cards(connection, items, self._scorer.now())
        # cards by rules and by a model are written in two threads
        with self._counting:
            self._counts.cards_changed += changed
        return [None] * len(items)

    def _step(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._counts.talks)
        if (now := time.monotonic()) - self._told_at >= TELL_EVERY_SECONDS:
            self._told_at = now
            rate = self._done * 60 / (now - self._began)
            log.info("scoring: %d of %d talks, %.0f a minute", self._done, self._counts.talks, rate)


@contextmanager
def _first_of_group() -> Iterator[None]:
    """Raise the first error of a group of tasks as itself: callers know errors, not groups of them."""
    try:
        yield
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def _sum_up(session: psycopg.Connection[Any], run_id: str, counts: Counts) -> None:
    row = session.execute(
        "select count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),"
        " coalesce(sum(cost_microusd), 0) from ops.llm_calls where run_id = %s",
        [run_id],
    ).fetchone()
    assert row is not None
    counts.calls, counts.prompt_tokens, counts.completion_tokens, counts.cost_microusd = map(int, row)
