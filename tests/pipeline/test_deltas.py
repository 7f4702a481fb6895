"""The comparison marts against an oracle: every state, the cases' sessions, headlines, whom completeness is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from assets.marts.python.build import judge_built
from conversations.metrics import METRICS
from resources.warehouse.engine import Warehouse
from tests.oracle import delta as oracle
from tests.oracle.delta import OracleWeek
from tests.pipeline.standin import ANNA, BORIS, TELEGRAM, WHATSAPP, Floor
from tests.pipeline.talks import gate

W44, W45, W46 = "2026-W44", "2026-W45", "2026-W46"
SUBJECTS = {"manager_week_delta": "manager_key", "channel_week_delta": "channel_id"}
Cases = Mapping[str, list[int]]


@pytest.fixture(scope="module")
def closing() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture(scope="module")
def floor(database: Warehouse, closing: ExitStack) -> Floor:
    """Two weeks that differ, with sessions of several waits, calls, judged sessions, somebody new and somebody gone."""
    floor, random = Floor(database, closing), Random(5)
    for week, slow, ignored in ((W45, 0.2, 0.1), (W46, 0.45, 0.05)):
        for number in range(160):
            outcome = random.choices(("slow_reply", "no_reply", "not_required", "in_target"),
                                     (slow, ignored, 0.05, 0.95 - slow - ignored))[0]  # fmt: skip
            floor.wait(
                week, random.choice((ANNA, ANNA, BORIS, None)), outcome, chat=f"shop:{week}-{number // 3}",
                channel_id=TELEGRAM if number % 16 == 0 else WHATSAPP, is_first_reply=number % 3 == 0,
                seconds=random.randint(900, 2400) if outcome == "slow_reply" else random.randint(20, 890),
                wait_kind="missed_call" if number % 7 == 0 else "message",
                outcome_manager="in_target" if outcome == "slow_reply" and number % 5 == 0 else outcome,
            )  # fmt: skip
        for number in range(60):
            floor.session(
                week, ANNA if number % 2 else BORIS, chat=f"shop:{week}-s{number}",
                asked_clarifying=random.random() < (0.2 if week == W45 else 0.7), made_offer=random.random() < 0.5,
                has_next_step=random.choice((True, False, None)), is_good=(good := random.choice((True, False, None))),
                is_good_customer=None if good is None else good and number % 4 > 0,
            )  # fmt: skip
    floor.wait(W46, "shop:new")
    floor.wait(W45, "shop:left")
    floor.publish(W45, W46)
    return floor


def cases_of(floor: Floor, week: str, subject: str) -> dict[tuple[str, str], Cases]:
    """Of each subject and metric the cases by session, read off the judged rows as the contract says it in words."""
    found: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    is_managers = subject == "manager_key"
    view = "outcome_manager, manager_wait_seconds" if is_managers else "outcome, wait_seconds"
    owner = "coalesce(owner_manager_id, 'none')" if is_managers else "channel_id"
    for key, session, kind, is_first, outcome, seconds in floor.owner.execute(
        f"select {owner}, session_id, wait_kind, is_first_reply, {view} from evaluated.waits where settled_week = %s",
        [week],
    ):
        if outcome == "not_required":
            continue
        if kind == "missed_call":
            found[key, "missed_calls_in_target_share"][session].append(1 if outcome == "in_target" else 0)
            continue
        for metric, hit in (("in_target_share", "in_target"), ("slow_reply_share", "slow_reply"),
                            ("no_reply_share", "no_reply")):  # fmt: skip
            found[key, metric][session].append(1 if outcome == hit else 0)
        if outcome != "no_reply":
            found[key, "reply_p50_seconds"][session].append(seconds)
        if outcome != "no_reply" and is_first:
            found[key, "first_reply_p50_seconds"][session].append(seconds)
    owner = "coalesce(manager_id, 'none')" if is_managers else "channel_id"
    good = "is_good" if is_managers else "is_good_customer"
    for key, session, *judged in floor.owner.execute(
        f"select {owner}, session_id, asked_clarifying, made_offer, has_next_step, {good}"
        " from evaluated.behaviour where ended_week = %s",
        [week],
    ):
        asked, offered, step, good = judged
        wrong = None if step is None else not step
        named = {"asked_clarifying": asked, "made_offer": offered, "has_next_step": step, "no_next_step": wrong}
        for name, hit in {**named, "good": good}.items():
            metric = f"{name}_share"
            if hit is not None:
                found[key, metric][session].append(int(hit))
    return found


@pytest.mark.parametrize("mart", sorted(SUBJECTS))
def test_every_row_is_what_the_oracle_says(mart: str, floor: Floor) -> None:
    subject = SUBJECTS[mart]
    now, before = cases_of(floor, W46, subject), cases_of(floor, W45, subject)
    had_row = {row[subject] for row in floor.rows(mart, week=W45)}
    compared = floor.rows(mart, week=W46)
    declared = {metric.name: metric for metric in METRICS}
    statuses = set()
    for row in compared:
        metric, key = declared[row["metric"]], row[subject]
        week = OracleWeek(sessions=now.get((key, metric.name), {}))
        previous = OracleWeek(sessions=before.get((key, metric.name), {})) if key in had_row else None
        kind = "p50" if metric.name.endswith("seconds") else "share"
        seed = oracle.seed_of(key, metric.name, W46, "1")
        status, change, low, high, p = oracle.compare(kind, metric.sign, week, previous, seed)
        statuses.add(status)
        assert row["delta_status"] == status, (key, metric.name)
        assert row["n"] == len(week.cases)
        assert row["hits"] == (sum(week.cases) if kind == "share" else None)
        assert row["previous_n"] == (None if previous is None else len(previous.cases))
        if change is None:
            assert [row[name] for name in ("delta", "low", "high", "p_value")] == [None] * 4
            continue
        assert p is not None
        assert row["delta"] == pytest.approx(float(change))
        assert (row["low"], row["high"]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
        assert row["p_value"] == pytest.approx(p, abs=1e-6)
    assert len(compared) == len({row[subject] for row in compared}) * (len(METRICS) - 2), (
        "one row per subject and metric"
    )
    assert {"improved", "worsened", "no_change_detected", "low_sample", "current_empty"} <= statuses | {"current_empty"}


def test_main_changes_are_picked_among_all_rows_of_the_week(floor: Floor) -> None:
    compared = [(row[subject], row) for mart, subject in SUBJECTS.items() for row in floor.rows(mart, week=W46)]
    with_p = [(key, row) for key, row in compared if row["p_value"] is not None]
    passed = oracle.benjamini_hochberg([Fraction(row["p_value"]) for _, row in with_p])
    main = {(key, row["metric"]) for (key, row), passes in zip(with_p, passed, strict=True)
            if passes and row["delta_status"] in ("improved", "worsened")}  # fmt: skip
    assert {(key, row["metric"]) for key, row in compared if row["is_headline"]} == main
    assert main


def test_who_is_new_has_no_previous_week_and_who_left_no_row(floor: Floor) -> None:
    new = floor.rows("manager_week_delta", week=W46, manager_key="shop:new")
    assert {row["delta_status"] for row in new} == {"no_previous_week"}
    assert {row["previous_n"] for row in new} == {None}
    assert not floor.rows("manager_week_delta", week=W46, manager_key="shop:left")
    assert {row["delta_status"] for row in floor.rows("manager_week_delta", week=W45)} == {"no_previous_week"}


def test_figures_are_those_of_the_week_marts(floor: Floor) -> None:
    for mart, subject, shown in (("manager_week_delta", "manager_key", "manager_week"),
                                 ("channel_week_delta", "channel_id", "channel_week")):  # fmt: skip
        weeks = {(row["week"], row[subject]): row for row in floor.rows(shown)}
        for row in floor.rows(mart):
            value = weeks[row["week"], row[subject]][row["metric"]]
            assert row["value"] == (None if value is None else pytest.approx(float(value), abs=1e-6))
            if row["week"] == W46 and row["previous_n"] is not None:
                value = weeks[W45, row[subject]][row["metric"]]
                assert row["previous_value"] == (None if value is None else pytest.approx(float(value), abs=1e-6))


BREAKS = {
    "behavior_snapshot_shares_follow_their_counts": "update {behavior_snapshot} set hits = n + 1 where hits = n",
    "behavior_snapshot_has_every_subject": "delete from {behavior_snapshot} where metric = 'good_share' and n > 3",
    "behavior_snapshot_scores_only_what_counts": "update {behavior_snapshot} set value = 1 where metric ~ '^llm_'",
    "published_scores_give_the_averages_of_managers": "update {published_scores} set counted_score = counted_score - 1",
    "published_scores_give_the_averages_of_channels": "delete from {published_scores}",
    "published_scores_count_each_talk_once": "update {published_scores} set subject_id = 'x'",
    "published_waits_give_the_counts_of_managers": "update {published_waits} set outcome_manager = 'no_reply'",
    "published_waits_give_the_counts_of_channels": "update {published_waits} set channel_id = 'x'",
    "published_sessions_give_the_counts_of_managers": "update {published_sessions} set manager_key = 'x'",
    "published_sessions_give_the_counts_of_channels": "update {published_sessions} set is_good_customer = null",
    "published_sessions_have_proof_of_what_they_count": "update {published_sessions} set offer_message_ids = '{{}}'",
    "week_revisions_count_from_one": "update {week_revisions} set reason = 'first'",
    "week_changes_are_changes": "update {week_changes} set was_hits = hits, was_n = n, was_value = value",
    "weekly_examples_are_few_and_ranked": "update {weekly_examples} set rank = rank + 10",
    "weekly_examples_are_published_cases": "update {weekly_examples} set kind = 'slow_reply' where kind = 'no_reply'",
    "weekly_examples_show_a_good_one": "delete from {weekly_examples} where kind = 'good'",
    "chat_advice_is_that_of_evaluated": "delete from {chat_advice}",
    "chat_advice_names_its_message": "update {chat_advice} set message_id = 'x'",
    "chat_advice_says_whose_it_is": "update {chat_advice} set source = 'model'",
    **{
        f"{mart}_{name}": statement.replace("MART", f"{{{mart}}}")
        for mart in SUBJECTS
        for name, statement in {
            "shows_a_change_only_where_it_may": "update MART set delta = null",
            "arrows_follow_their_interval": "update MART set delta_status = 'worsened' where delta_status = 'improved'",
            "compares_the_latest_revisions": "update MART set previous_n = previous_n + 1",
        }.items()
    },
}


def test_every_check_passes_good_marts_and_fails_broken_ones(floor: Floor) -> None:
    floor.put("evaluated.advice", advice_id="a", rule="no_answer", given_week=W46, conversation_id="c", message_id="m")
    floor.put("core.messages", conversation_id="c", message_id="m")
    floor.wait(W46)
    gate(floor.put, "greeting", "counted")
    floor.score(W46, given=8)
    floor.score(W46, given=3)
    good = floor.built(W45, W46)
    assert {test.name for test in good.tests} == set(BREAKS)
    assert not good.failed
    names = {table: f"marts_next.{table}" for table in good.rows}
    for check, statement in sorted(BREAKS.items()):
        with floor.publisher.connect() as sql:
            sql.execute(statement.format(**names))
            broken = judge_built(_Borrowed(sql))  # type: ignore[arg-type]
            sql.rollback()
        assert check in {test.name for test in broken if not test.passed}, check
        assert all(test.failures >= 1 for test in broken if not test.passed)


def test_a_check_that_cannot_be_run_has_failed_and_says_no_words_of_the_database(floor: Floor) -> None:
    with floor.publisher.connect() as sql:
        sql.execute("alter table marts_next.week_changes drop column was_n")
        broken = [test for test in judge_built(_Borrowed(sql)) if not test.passed]  # type: ignore[arg-type]
        sql.rollback()
    assert [(test.name, test.failures) for test in broken] == [("week_changes_are_changes", 1)]
    assert broken[0].message == "the test could not be run (SQLSTATE 42703)"


class _Borrowed:
    """A warehouse whose every connection is one open transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def connect(self, application_name: str = "") -> Any:
        return nullcontext(self._connection)
