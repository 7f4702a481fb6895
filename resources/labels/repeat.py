"""The same questions once more: how often a judge's answer changes by itself (contract, section 10: the flip rate).

Here: which talks are asked about again, buying within the budget, ``evaluated.judge_repeats``. Not here: how a question
is asked and booked (``resources.scoring``), what a flip rate allows (``conversations.scoring.gates``).

The question is the one that the scorecard was made from, letter by letter; only its key differs, so that the answer
that is paid for does not answer it. The second answer is paid for once as well: after a kill the same command goes on
where it was, and when nothing is new it buys nothing. The first card stays as it is whatever the second one says.

A second card that says "no talk to judge" is a change of every criterion; a second question without a valid answer says
nothing of the marks and is left out.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import psycopg

from conversations.scoring.labelling import Judged, chosen
from conversations.scoring.shapes import Prepared, Scorecard
from resources.labels.store import population
from resources.labels.talks import subjects
from resources.scoring.answers import begun_answers, known_answers
from resources.scoring.asking import Asker, Left
from resources.scoring.ledger import PostgresLedger, book_lost
from resources.scoring.run import Scorer
from resources.scoring.spent import caps_of
from resources.scoring.works import Rejudged, Rulebook, Work, parameters_of, works_of
from resources.warehouse.audit import record
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import scoring_lock

SAMPLE_SEED = 0
"""The sample is the same each time as long as the judge has judged nothing new."""
_AGAIN = b"once more|"


@dataclass(frozen=True)
class Again:
    """A talk whose questions are asked once more."""

    talk: Judged
    work: Work


@dataclass
class Repeated:
    """What a repetition came to."""

    talks: int = 0
    """Talks that were judged twice."""
    answers: int = 0
    """Their criteria: what the flip rate is of."""
    flips: int = 0
    bought: int = 0
    """Questions that were paid for now."""
    left: int = 0
    """Talks that were not asked about: no money, or nobody answers."""
    invalid: int = 0
    """Talks whose second question got no valid answer."""
    stopped: tuple[str, ...] = ()


def to_repeat(connection: psycopg.Connection[Any], scorer: Scorer, rubric_id: str, size: int) -> list[Again]:
    """A sample of the talks whose cards were made by what is in force now, with their questions under other keys.

    Raises:
        NoRubric, PromptError: nothing can be judged by this rubric.
    """
    found = population(connection, rubric_id)
    # some may be left out below: a talk that was read anew, a prompt that changed since
    order = chosen(found.talks, len(found.talks), SAMPLE_SEED)
    rulebook = Rulebook(connection, scorer.prompt_of)
    how = Rejudged(parameters_of(scorer.policy.scoring, scorer.model), frozenset(), scorer.names)
    again: list[Again] = []
    for begin in range(0, len(order), size):
        portion = order[begin : begin + size]
        keys = _keys(connection, portion)
        of_talk = {(one.kind, one.subject_id): one for one in portion}
        able = [(one, rulebook.of(one)) for one in subjects(connection, scorer.policy, portion, found.days)]
        for work in works_of(connection, able, how):
            which = (work.subject.kind, work.subject.subject_id)
            if [one.key for one in work.prepared.requests] == keys.get(which):
                again.append(Again(of_talk[which], _once_more(connection, work)))
        if len(again) >= size:
            break
    return again[:size]


def _keys(connection: psycopg.Connection[Any], talks: Sequence[Judged]) -> dict[tuple[str, str], list[str]]:
    """The questions that the cards of the talks were made from."""
    rows = connection.execute(
        "select subject_kind, subject_id, evaluation_keys from evaluated.scorecards"
        " where judge = 'model' and is_current and state = 'scored' and subject_id = any(%s)",
        [[one.subject_id for one in talks]],
    )
    return {(kind, subject_id): keys for kind, subject_id, keys in rows.fetchall()}


def _once_more(connection: psycopg.Connection[Any], work: Work) -> Work:
    prepared: Prepared = work.prepared
    asks = tuple(one._replace(key=again_key(one.key)) for one in prepared.requests)
    keys = [one.key for one in asks]
    return replace(
        work,
        prepared=prepared._replace(requests=asks),
        answers=known_answers(connection, keys),
        begun=begun_answers(connection, keys),
        is_kept=False,
        is_old=False,
    )


def again_key(key: str) -> str:
    """The key under which the second answer of a question is kept."""
    return hashlib.sha256(_AGAIN + key.encode()).hexdigest()


def repeat(
    warehouse: Warehouse, scorer: Scorer, rubric_id: str, size: int, run_id: str, step: Callable[[int, int], None]
) -> Repeated:
    """Ask once more about at most ``size`` talks and keep how the answers compare.

    Args:
        step: Called with the talks that are done and all of them.

    Raises:
        Busy: another process scores; nothing was done.
        ValueError: there is no model to ask.
    """
    if scorer.open_door is None:
        raise ValueError("no model is there to be asked")
    with warehouse.connect("otklik labels", autocommit=True) as session, scoring_lock(session):
        book_lost(session, scorer.now())
        again = to_repeat(session, scorer, rubric_id, size)
        done = Repeated()
        try:
            cards = asyncio.run(_ask(warehouse, session, scorer, again, run_id, done, step))
        finally:
            if not session.closed:
                book_lost(session, scorer.now(), run_id)
        _keep(session, again, cards, scorer.now(), done)
    return done


async def _ask(
    warehouse: Warehouse,
    session: psycopg.Connection[Any],
    scorer: Scorer,
    again: Sequence[Again],
    run_id: str,
    done: Repeated,
    step: Callable[[int, int], None],
) -> list[Scorecard | None]:
    assert scorer.open_door is not None
    policy = scorer.policy
    ledger = PostgresLedger(warehouse, run_id, caps_of(policy), policy.time_zone, scorer.now, session.info.backend_pid)
    slots = asyncio.Semaphore(policy.scoring.concurrency)
    finished = 0
    try:
        async with scorer.open_door(ledger) as door:
            asker = Asker(door, ledger, scorer.model, names_masked=policy.scoring.mask_names)

            async def one(work: Work) -> Scorecard | None:
                nonlocal finished
                async with slots:
                    try:
                        return (await asker.card(work)).card
                    except Left:
                        done.left += 1
                        return None
                    finally:
                        finished += 1
                        step(finished, len(again))

            try:
                return list(await asyncio.gather(*(one(each.work) for each in again)))
            finally:
                await asker.close()
                done.bought, done.stopped = asker.bought, tuple(sorted(asker.closed))
    finally:
        await ledger.close()


def _keep(
    connection: psycopg.Connection[Any],
    again: Sequence[Again],
    cards: Sequence[Scorecard | None],
    at: datetime,
    done: Repeated,
) -> None:
    """Write each criterion's first and second mark, in one transaction with its line in the audit."""
    rows = []
    first = _first_marks(connection, again)
    for one, card in zip(again, cards, strict=True):
        if card is None:
            continue
        second = _second_marks(card, list(first[one.talk]))
        if not second:
            done.invalid += 1
            continue
        done.talks += 1
        for criterion, mark in first[one.talk].items():
            done.answers += 1
            done.flips += mark != second[criterion]
            rows.append(
                {
                    **one.talk.judge._asdict(),
                    "subject_id": one.talk.subject_id,
                    "subject_kind": one.talk.kind,
                    "criterion": criterion,
                    "first": mark,
                    "second": second[criterion],
                    "repeated_at": at,
                }
            )
    with connection.transaction():
        connection.execute(_WRITE, [orjson.dumps(rows).decode()])
        record(connection, "repeat_judge", f"{done.talks} talks", at=at)


def _first_marks(connection: psycopg.Connection[Any], again: Sequence[Again]) -> dict[Judged, dict[str, str]]:
    rows = connection.execute(
        "select s.subject_kind, s.subject_id, c.criterion, coalesce(c.given::text, c.not_given)"
        " from evaluated.scorecards as s join evaluated.scorecard_criteria as c on c.scorecard_id = s.scorecard_id"
        " where s.judge = 'model' and s.is_current and s.subject_id = any(%s) order by c.position",
        [[one.talk.subject_id for one in again]],
    ).fetchall()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for kind, subject_id, criterion, mark in rows:
        found.setdefault((kind, subject_id), {})[criterion] = mark
    return {one.talk: found.get((one.talk.kind, one.talk.subject_id), {}) for one in again}


def _second_marks(card: Scorecard, criteria: Sequence[str]) -> dict[str, str]:
    """By criterion; empty: there was no valid answer."""
    if card.state == "unsuitable":
        return dict.fromkeys(criteria, "unsuitable")
    return {one.code: str(one.given) for one in card.criteria}


_WRITE = """
insert into evaluated.judge_repeats as t
select * from jsonb_populate_recordset(null::evaluated.judge_repeats, %s)
on conflict on constraint judge_repeats_pkey do update
set first = excluded.first, second = excluded.second, repeated_at = excluded.repeated_at
where (t.first, t.second) is distinct from (excluded.first, excluded.second)
"""
