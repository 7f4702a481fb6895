"""Scoring runs over stored talks: what is bought, what is kept, what a second run changes, what ends buying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from conversations.policy import Policy
from conversations.scoring.shapes import Answer, CriterionAnswer, Problems, Request
from resources.scoring.plan import Priced, plan
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import scoring_lock
from resources.warehouse.requirements import NoRubric
from resources.warehouse.roles import Role
from tests.scoring import (
    DAY,
    POLICY,
    RUBRIC,
    Judge,
    full_marks,
    policy,
    put_call,
    put_rubrics,
    put_session,
    put_transcript,
    scorer,
    talk,
)

CHOSEN = Chosen(DAY, DAY)
TABLES = (
    "core.calls", "evaluated.scorecards", "evaluated.evaluations", "evaluated.behaviour", "evaluated.sessions",
    "core.messages", "ops.llm_calls", "reference.rubrics",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    with database.connect() as session:
        for table in TABLES:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
    yield


def run(database: Warehouse, judge: Judge | None, chosen: Chosen = CHOSEN, rules: Policy | None = None) -> Counts:
    run.number += 1  # type: ignore[attr-defined]
    name = f"run{run.number}"  # type: ignore[attr-defined]
    return score(database.as_role(Role.LOADER), scorer(judge, rules), chosen, name)


run.number = 0  # type: ignore[attr-defined]


def calls(database: Warehouse, count: int, **values: Any) -> None:
    with database.connect() as session:
        for number in range(count):
            put_call(session, number, **values)


def rows(database: Warehouse, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connect() as session:
        return session.execute(statement, values).fetchall()  # type: ignore[arg-type]


def cards(database: Warehouse, judge: str = "model") -> list[tuple[Any, ...]]:
    return rows(
        database,
        "select subject_id, state, reason, final_score::float, rubric_version, is_current from evaluated.scorecards"
        " where judge = %s order by 1, 5",
        judge,
    )


def test_a_talk_gets_a_card_by_rules_and_one_by_the_model(database: Warehouse) -> None:
    calls(database, 1)
    judge = Judge()
    counts = run(database, judge)
    assert (counts.talks, counts.by_rules, counts.scored, counts.calls, counts.cost_microusd) == (1, 1, 1, 1, 30)
    assert (counts.prompt_tokens, counts.completion_tokens) == (10, 5)
    # greeting 1 of 1, offer 2 of 2
    assert cards(database) == [("tbank:00000", "scored", None, 100.0, 1, True)]
    # of the two criteria only the greeting has a rule
    assert cards(database, "rules") == [("tbank:00000", "scored", None, 100.0, 1, True)]
    told = rows(
        database,
        "select department_id, manager_id, conversation_id, channel_id, customer_id, happened_on, happened_week,"
        " rubric_id, prompt_id, model, summary, topic, sentiment from evaluated.scorecards where judge = 'model'",
    )
    assert told == [
        ("sales", "tbank:0", "tbank:c0", "tbank:phone", "tbank:k0", DAY, "2026-W47", "sales_calls", "sales_calls",
         "demo", "о товаре", "цена", "positive")
    ]  # fmt: skip
    marks = rows(
        database,
        "select k.criterion, k.position, k.weight, k.best, k.given, k.quote, k.quote_state, k.ref, k.speaker"
        " from evaluated.scorecard_criteria k join evaluated.scorecards s using (scorecard_id)"
        " where s.judge = 'model' order by 2",
    )
    said = talk(0)
    assert marks == [
        ("greeting", 1, 40, 1, 1, said[0][1].rstrip("."), "verified", "0", "manager"),
        ("offer", 2, 60, 2, 2, said[2][1].rstrip("."), "verified", "2", "manager"),
    ]
    # nothing of who and when is shown to the model, beside the day
    (request,) = judge.requests
    shown = str(request.messages)
    assert "tbank" not in shown and "Торговые" not in shown and "sales" not in shown


def test_a_second_run_makes_no_call_and_changes_no_row(database: Warehouse) -> None:
    calls(database, 12)
    run(database, Judge())
    before = table_hashes(database, ("evaluated", "ops"))
    versions = rows(database, "select scorecard_id, xmin::text from evaluated.scorecards order by 1")
    judge = Judge()
    counts = run(database, judge)
    assert (counts.calls, counts.cached, counts.scored, counts.cards_changed) == (0, 12, 12, 0)
    assert not judge.asked
    assert table_hashes(database, ("evaluated", "ops")) == before
    assert rows(database, "select scorecard_id, xmin::text from evaluated.scorecards order by 1") == versions


def test_without_a_key_rules_judge_alone(database: Warehouse) -> None:
    calls(database, 3)
    counts = run(database, None)
    assert (counts.talks, counts.by_rules, counts.scored, counts.calls, counts.has_model) == (3, 3, 0, 0, False)
    assert cards(database) == [] and len(cards(database, "rules")) == 3


def test_only_eligible_calls_of_the_days_are_judged(database: Warehouse) -> None:
    with database.connect() as session:
        put_call(session, 1)
        put_call(session, 2, talk_seconds=5)
        put_call(session, 3, is_internal=True)
        put_call(session, 4, on=DAY + timedelta(days=1))
        put_call(session, 5, agent_group="другая")
        put_call(session, 6, department="office")
    judge = Judge()
    assert run(database, judge).talks == 2
    assert run(database, judge, Chosen(DAY, DAY, department="office")).talks == 1
    assert run(database, judge, Chosen(DAY, DAY, kinds=("session",))).talks == 0
    assert run(database, judge, Chosen(DAY, DAY + timedelta(days=1))).talks == 3
    assert [one for one, *_ in cards(database)] == ["tbank:00001", "tbank:00004", "tbank:00006"]


def test_a_voicemail_costs_nothing_and_has_no_score(database: Warehouse) -> None:
    with database.connect() as session:
        put_call(session, 1, phrases=[("customer", "Абонент не отвечает, оставьте сообщение после сигнала")])
    counts = run(database, Judge())
    assert (counts.unsuitable, counts.calls, counts.cached) == (1, 0, 0)
    assert cards(database) == [("tbank:00001", "unsuitable", "voicemail", None, 1, True)]


def test_the_same_words_are_bought_once(database: Warehouse) -> None:
    with database.connect() as session:
        for number in range(6):
            put_call(session, number, phrases=talk(0))
    judge = Judge(delay=0.01)
    counts = run(database, judge)
    assert counts.scored == 6 and counts.calls == 1 and sum(judge.asked.values()) == 1
    assert rows(database, "select count(*) from evaluated.evaluations") == [(1,)]


def test_a_changed_rubric_costs_only_what_is_asked_for(database: Warehouse) -> None:
    calls(database, 3)
    with database.connect() as session:
        put_call(session, 7, department="office")
    run(database, Judge())
    with database.connect() as session:
        put_rubrics(session, RUBRIC.replace("weight: 60", "weight: 160"))
    counts = run(database, Judge())
    assert (counts.calls, counts.kept, counts.kept_old) == (0, 4, 4)
    judge = Judge()
    counts = run(database, judge, Chosen(DAY, DAY, again=frozenset({"sales_calls"})))
    assert (counts.calls, counts.scored, counts.kept) == (3, 3, 1)
    found = cards(database)
    assert [(one[0], one[4], one[5]) for one in found] == [
        ("tbank:00000", 1, False), ("tbank:00000", 2, True), ("tbank:00001", 1, False), ("tbank:00001", 2, True),
        ("tbank:00002", 1, False), ("tbank:00002", 2, True), ("tbank:00007", 1, True),
    ]  # fmt: skip
    assert run(database, Judge(), Chosen(DAY, DAY, again=frozenset({"sales_calls"}))).calls == 0


def test_other_words_are_judged_anew(database: Warehouse) -> None:
    calls(database, 2)
    run(database, Judge())
    with database.connect() as session:
        put_transcript(session, "tbank:00001", talk(900))
    counts = run(database, Judge())
    assert (counts.calls, counts.cached) == (1, 1)


def test_cards_go_with_their_call_and_come_back_at_no_cost(database: Warehouse) -> None:
    calls(database, 2)
    run(database, Judge())
    before = table_hashes(database, ("evaluated",))
    with database.connect() as session:
        session.execute("delete from core.calls")
    for table in ("scorecards", "scorecard_criteria", "scorecard_notes"):
        assert rows(database, f"select count(*) from evaluated.{table}") == [(0,)]
    calls(database, 2)
    counts = run(database, Judge())
    assert (counts.calls, counts.cached) == (0, 2)
    assert table_hashes(database, ("evaluated",)) == before


def test_the_budget_ends_buying_and_the_next_run_goes_on(database: Warehouse) -> None:
    calls(database, 12)
    judge = Judge()
    tight = policy("scoring: {budget: {run_usd: 0.00025, day_usd: 0.00025}}")
    counts = run(database, judge, rules=tight)
    # cap 250, worst 100, price 30: the sixth is bought at 150 spent, the seventh would need 180 + 100
    assert (counts.calls, counts.cost_microusd, counts.left, counts.stopped) == (6, 180, 6, ("run",))
    assert len(cards(database)) == 6 and len(cards(database, "rules")) == 12
    # another run on the same day: the day's cap holds
    counts = run(database, judge, rules=tight)
    assert (counts.calls, counts.cached, counts.left, counts.stopped) == (0, 6, 6, ("day",))
    counts = run(database, judge, rules=policy("scoring: {budget: {run_usd: 1, day_usd: 1}}"))
    assert (counts.calls, counts.cached, counts.left, counts.stopped) == (6, 6, 0, ())
    assert set(judge.asked.values()) == {1}


def test_a_department_without_money_leaves_the_other_alone(database: Warehouse) -> None:
    with database.connect() as session:
        for number in range(6):
            put_call(session, number, department=("sales", "office")[number % 2])
    rules = Policy.parse(POLICY.replace("prompt: office_calls", "prompt: office_calls, day_budget_usd: 0.00005"))
    counts = run(database, Judge(), rules=rules)
    assert (counts.calls, counts.left, counts.stopped) == (3, 3, ("department",))
    assert {one for (one,) in rows(database, "select department_id from ops.llm_calls")} == {"sales"}


def test_an_outage_keeps_the_last_verdict_and_stops_by_itself(database: Warehouse) -> None:
    calls(database, 30)
    run(database, Judge(), Chosen(DAY, DAY, department="sales"))
    good = cards(database)
    with database.connect() as session:
        put_rubrics(session, RUBRIC.replace("weight: 60", "weight: 160"))
        put_call(session, 700)
    again = Chosen(DAY, DAY, again=frozenset({"sales_calls"}))
    rules = policy("scoring: {concurrency: 1}")
    counts = run(database, Judge(answer=lambda _: None), again, rules)
    assert counts.stopped == ("unavailable",)
    # twenty questions without an answer in a row, and the rest is not even asked; two may be at work at once
    assert 20 <= counts.unscored <= 22 and counts.unscored + counts.left == 31
    assert counts.reasons == {"unavailable": counts.unscored}
    assert [one for one in cards(database) if one[1] == "scored"] == good
    assert rows(database, "select count(*) from evaluated.evaluations") == [(30,)]
    counts = run(database, Judge(), again)
    assert (counts.calls, counts.scored) == (31, 31)


def test_a_refusal_is_not_asked_again(database: Warehouse) -> None:
    calls(database, 1)
    judge = Judge(answer=lambda _: Problems("refused", "", False))
    counts = run(database, judge)
    assert (counts.unscored, counts.reasons["refused"]) == (1, 1)
    assert cards(database) == [("tbank:00000", "unscored", "refused", None, 1, True)]
    counts = run(database, judge)
    assert (counts.calls, counts.cached, counts.unscored) == (0, 1, 1)


def test_a_mark_without_its_words_does_not_count(database: Warehouse) -> None:
    calls(database, 1)

    def lies(request: Request) -> Answer:
        said = full_marks(request)
        marks = (said.criteria[0], CriterionAnswer("offer", 2, "предложил", "дарю вам самолёт"))
        return said._replace(criteria=marks)

    run(database, Judge(answer=lies))
    marks = rows(
        database,
        "select k.given, k.not_given, k.claimed, k.quote, k.quote_state from evaluated.scorecard_criteria k"
        " join evaluated.scorecards s using (scorecard_id) where s.judge = 'model' and k.criterion = 'offer'",
    )
    assert marks == [(None, "insufficient_evidence", "2", None, "not_found")]


def test_only_one_scores_at_a_time(database: Warehouse) -> None:
    calls(database, 1)
    judge = Judge()
    with database.connect(autocommit=True) as session, scoring_lock(session), pytest.raises(Busy):
        run(database, judge)
    assert not judge.asked and cards(database) == []
    assert run(database, judge).calls == 1


def test_a_department_without_a_rubric_leaves_the_other_alone(database: Warehouse) -> None:
    with database.connect() as session:
        put_call(session, 1)
        put_call(session, 2, department="office")
        session.execute("delete from reference.rubrics where rubric_id = 'office_calls'")
    counts = run(database, Judge())
    assert (counts.scored, counts.not_ready) == (1, {"no_rubric": 1})
    with database.connect() as session:
        session.execute("delete from reference.rubrics")
    with pytest.raises(NoRubric):
        run(database, Judge())


def test_many_at_once_stay_within_the_talks_at_work(database: Warehouse) -> None:
    calls(database, 40)
    judge = Judge(delay=0.02)
    assert run(database, judge, rules=policy("scoring: {concurrency: 5}")).scored == 40
    # the door bounds calls in flight; here the bound of talks at work shows, twice as many
    assert judge.most_in_flight == 10


def test_a_plan_buys_nothing_and_says_what_a_run_does(database: Warehouse) -> None:
    with database.connect() as session:
        for number in range(5):
            put_call(session, number, phrases=talk(0) if number < 2 else None)
        put_call(session, 8, department="office")
        put_call(session, 9, phrases=[("customer", "Абонент не отвечает, оставьте сообщение после сигнала")])
    run(database, Judge(), Chosen(DAY, DAY, department="office"))
    before = table_hashes(database, ("evaluated", "ops"))
    judge = Judge()
    found = plan(database.as_role(Role.LOADER), scorer(judge), CHOSEN, lambda _: Priced(100, 700))
    assert not judge.asked and table_hashes(database, ("evaluated", "ops")) == before
    sales, office = found.lines["sales"], found.lines["office"]
    assert (sales.talks, sales.unsuitable, sales.cached, sales.to_buy, sales.questions) == (6, 1, 1, 4, 4)
    assert (sales.prompt_tokens, sales.answer_tokens, sales.worst_microusd) == (400, 8_000, 2_800)
    assert (office.talks, office.cached, office.questions, office.worst_microusd) == (1, 1, 0, 0)
    assert (found.total.talks, found.run_cap_microusd, found.day_left_microusd) == (7, 5_000_000, 10_000_000 - 30)
    assert run(database, judge).calls == found.total.questions


def test_sessions_are_judged_where_the_policy_says_so(database: Warehouse) -> None:
    with database.connect() as session:
        put_session(session, 1)
        put_session(session, 2)
    assert run(database, Judge()).talks == 0
    rules = policy("scoring: {chats: {enabled: true}}")
    counts = run(database, Judge(), rules=rules)
    assert (counts.talks, counts.scored, counts.calls) == (2, 2, 2)
    found = rows(
        database,
        "select subject_kind, subject_id, call_id, department_id, rubric_id, manager_id from evaluated.scorecards"
        " where judge = 'model' order by 2",
    )
    assert found == [("session", f"shop:{n}:a", None, None, "chats", "shop:7") for n in (1, 2)]
    quotes = rows(
        database,
        "select distinct k.ref, k.quote from evaluated.scorecard_criteria k join evaluated.scorecards s"
        " using (scorecard_id) where s.judge = 'model' and s.subject_id = 'shop:1:a' and k.criterion = 'offer'",
    )
    assert quotes == [("c", "Могу предложить товар 1 за 100 рублей")]
    # a session that later messages cut otherwise is none any more
    with database.connect() as session:
        session.execute("delete from evaluated.behaviour where session_id = 'shop:1:a'")
    assert run(database, Judge(), rules=rules).calls == 0
    assert [one for one, *_ in cards(database)] == ["shop:2:a"]
