"""The same questions once more: what is asked and bought, what counts as a change, what ends it early."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from conversations.policy import Policy
from conversations.scoring.shapes import Answer, CriterionAnswer, Request
from resources.labels.repeat import Repeated, again_key, repeat
from resources.labels.store import measure
from resources.lexicons import load_lexicon
from resources.llm.ledger import Evaluated, PaidCall, PlannedCall
from resources.prompts import prompt_in_force
from resources.scoring.run import Scorer, score
from resources.scoring.subjects import Chosen
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import scoring_lock
from resources.warehouse.roles import Role
from resources.warehouse.scoring_state import scoring_state
from tests.cards import GROUP, MONDAY, PHRASES, put_calls, put_rubric

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CHOSEN = Chosen(MONDAY, date(2026, 11, 29))
TALKS = 12
Judgement = Callable[[str], Answer]
ANSWER = Answer(
    True, None, "Разговор", "Тема", "neutral",
    (CriterionAnswer("greeting", 1, "сказал", "Добрый день"), CriterionAnswer("offer", 0, "не предложил", None)), (),
)  # fmt: skip


def policy(**scoring: Any) -> Policy:
    sales = {"name": "Продажи", "agent_group": GROUP, "rubric": "sales_calls", "prompt": "sales_calls"}
    return Policy.model_validate(
        {
            "organisation": {"name": "Пример", "time_zone": "Europe/Moscow"},
            "departments": {"sales": sales},
            "telephony": {"judge_unknown_operators": True},
            "scoring": scoring,
        }
    )


class StandIn:
    """A door that books its calls and answers at once; every question costs a tenth of a cent."""

    def __init__(self, judge: Judgement) -> None:
        self.judge = judge
        self.asked: list[str] = []

    @asynccontextmanager
    async def open(self, ledger: Any) -> AsyncIterator[StandIn]:
        self._ledger = ledger
        yield self

    async def ask(self, request: Request, read: Any, repair: Any, begun: Any = None) -> Evaluated:
        planned = PlannedCall(request.key, 1, "first", "openai/judge", 1000)
        call_id = await self._ledger.reserve(planned)
        self.asked.append(request.key)
        answer = self.judge(request.key)
        done = Evaluated(request.key, answer, None, True, 1, "openai/judge", "stand-in", 10, 10, 1000)
        await self._ledger.settle(call_id, PaidCall("ok", 1000, "policy", 10, 10, None), done)
        return done


def scorer(judge: Judgement, rules: Policy | None = None) -> tuple[Scorer, StandIn]:
    door = StandIn(judge)
    lexicon = load_lexicon(Settings(_env_file=None))  # type: ignore[call-arg]
    return Scorer(rules or policy(), lexicon, prompt_in_force, "openai/judge", door.open, lambda: NOW), door


@pytest.fixture
def judged(fresh_database: Warehouse) -> Warehouse:
    """Twelve calls that a model has judged."""
    put_rubric(fresh_database)
    put_calls(fresh_database, [[*PHRASES, {**PHRASES[1], "n": 2, "text": f"Нужно {n} штук"}] for n in range(TALKS)])
    loader = fresh_database.as_role(Role.LOADER)
    counts = score(loader, scorer(lambda key: ANSWER)[0], CHOSEN, "first")
    assert (counts.scored, counts.calls) == (TALKS, TALKS)
    return loader


def again(
    warehouse: Warehouse, judge: Judgement, size: int = 50, rules: Policy | None = None
) -> tuple[Repeated, StandIn]:
    who, door = scorer(judge, rules)
    return repeat(warehouse, who, "sales_calls", size, "again", lambda done, total: None), door


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as sql:
        return sql.execute(query).fetchall()


REPEATS = "select criterion, first, second, count(*) from evaluated.judge_repeats group by 1, 2, 3 order by 1, 3"
CARDS = "select md5(string_agg(s::text, '|' order by scorecard_id)) from evaluated.scorecards as s"


def test_what_is_asked_twice_is_compared_and_changes_no_card(judged: Warehouse) -> None:
    cards = rows(judged, CARDS)
    first = {key for (key,) in rows(judged, "select evaluation_key from evaluated.evaluations")}
    other = ANSWER._replace(criteria=(ANSWER.criteria[0], CriterionAnswer("offer", 1, "предложил", "Добрый день")))
    changed = {again_key(key) for key in sorted(first)[:3]}

    done, door = again(judged, lambda key: other if key in changed else ANSWER)

    assert (done.talks, done.answers, done.flips, done.bought) == (TALKS, 2 * TALKS, 3, TALKS)
    assert set(door.asked) == {hashlib.sha256(b"once more|" + key.encode()).hexdigest() for key in first}
    assert rows(judged, CARDS) == cards
    assert rows(judged, REPEATS) == [
        ("greeting", "1", "1", 12), ("offer", "0", "0", 9), ("offer", "0", "1", 3),
    ]  # fmt: skip
    assert rows(judged, "select count(*), sum(cost_microusd) from ops.llm_calls") == [(2 * TALKS, 2000 * TALKS)]
    assert rows(judged, "select subject from ops.audit where action = 'repeat_judge'") == [("12 talks",)]


def test_what_is_paid_for_is_not_bought_again(judged: Warehouse) -> None:
    assert again(judged, lambda key: ANSWER, 5)[0].bought == 5
    done, door = again(judged, lambda key: ANSWER)
    # the sample of five is a part of the larger one
    assert (done.talks, done.bought, len(door.asked)) == (TALKS, TALKS - 5, TALKS - 5)
    assert again(judged, lambda key: ANSWER)[1].asked == []
    assert score(judged, scorer(lambda key: ANSWER)[0], CHOSEN, "second").calls == 0


def test_the_budget_holds_for_repetitions_too(judged: Warehouse) -> None:
    # the cap of the run lets four questions through, each reserved at a tenth of a cent
    done, door = again(judged, lambda key: ANSWER, rules=policy(budget={"run_usd": 0.004, "day_usd": 1}))
    assert (done.talks, done.left, done.stopped, len(door.asked)) == (4, 8, ("run",), 4)
    assert again(judged, lambda key: ANSWER)[0].bought == 8


def test_a_scoring_run_writes_down_what_ended_its_buying(judged: Warehouse) -> None:
    rules = policy(budget={"run_usd": 0.004, "day_usd": 1})
    other = replace(scorer(lambda key: ANSWER, rules)[0], model="openai/other")
    assert score(judged, other, replace(CHOSEN, again=frozenset({"sales_calls"})), "r").stopped == ("run",)
    with judged.connect() as sql:
        assert scoring_state(sql, rules, NOW).stopped == {"run"}
    score(judged, scorer(lambda key: ANSWER)[0], CHOSEN, "s")
    with judged.connect() as sql:
        assert scoring_state(sql, rules, NOW).stopped == set()


def test_other_words_or_another_model_are_no_repetition(judged: Warehouse, fresh_database: Warehouse) -> None:
    with fresh_database.connect() as sql:
        sql.execute("update core.call_transcripts set phrases = phrases - 2 where call_id in ('tbank:1', 'tbank:2')")
    assert again(judged, lambda key: ANSWER)[0].talks == TALKS - 2
    who, _ = scorer(lambda key: ANSWER)
    other = Scorer(who.policy, who.lexicon, who.prompt_of, "openai/other", who.open_door, who.now)
    assert repeat(judged, other, "sales_calls", 9, "r", lambda done, total: None).talks == 0


def test_the_flip_rate_comes_from_the_repetitions(judged: Warehouse) -> None:
    with judged.connect(autocommit=True) as session, scoring_lock(session), pytest.raises(Busy):
        again(judged, lambda key: ANSWER)
    unsure = ANSWER._replace(
        criteria=(CriterionAnswer("greeting", "insufficient_evidence", "", None), ANSWER.criteria[1])
    )
    # no talk at all the second time is a change of everything
    silent = ANSWER._replace(is_suitable=False, unsuitable="voicemail", criteria=())
    voicemail: list[str] = []

    def answer(key: str) -> Answer:
        if not voicemail:
            voicemail.append(key)
        return silent if key in voicemail else unsure

    assert again(judged, answer, 4)[0].flips == 2 + 3
    with judged.connect(autocommit=True) as sql:
        sql.execute(
            "insert into reference.labels select subject_id, rubric_id, rubric_version, prompt_hash, model, 'greeting',"
            " 'anna', subject_kind, 1, null, now() from evaluated.scorecards where judge = 'model'"
        )
        figures = {one.criterion.code: one.measured for one in measure(sql)}
    assert (figures["greeting"].repeated, figures["greeting"].flip_rate) == (4, 1)
    assert (figures["offer"].repeated, figures["offer"].flip_rate) == (4, Fraction(1, 4))
