"""A good session and the model's word on it: only scores that count have one, from the policy's points on.

Scores are worked out by hand: one criterion of 0 to 100, so the mark is the score. The marts of dbt are played by
``standin``; that dbt counts the same is tested with the calls of a whole week (``test_calls_to_week``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conversations.policy import Policy
from resources.warehouse.engine import Warehouse
from resources.warehouse.evidence import MARTS, Span, evidence, figures_of
from resources.warehouse.roles import Role
from resources.warehouse.schema import metadata
from tests.pipeline.standin import ANNA, Floor
from tests.pipeline.talks import gate, marks_of

W45, W46 = "2026-W45", "2026-W46"


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(database, stack)


def scored(floor: Floor, points: int, week: str = W46, *, fails: bool = False, is_good: bool = True) -> str:
    """A session, good by waits and words unless said otherwise, with so many points of the model."""
    session = floor.session(week, is_good=is_good, not_good=[] if is_good else ["slow_reply"],
                            not_good_customer=[] if is_good else ["slow_reply"])  # fmt: skip
    rows = marks_of({"greeting": (1, 100, points)}, fails=["greeting"] if fails else [])
    return floor.score(week, subject=session, rows=rows)


def judged(floor: Floor, session: str) -> tuple[object, ...]:
    return (
        floor.owner.execute(
            "select is_good, not_good, is_good_customer, not_good_customer, counted_score::float"
            " from evaluated.judged_sessions where session_id = %s",
            [session],
        ).fetchone()
        or ()
    )


def test_the_view_is_the_table_with_the_models_word(floor: Floor) -> None:
    cursor = floor.owner.execute("select * from evaluated.judged_sessions limit 0")
    columns = [column.name for column in cursor.description or ()]
    assert columns == [*metadata.tables["evaluated.behaviour"].columns.keys(), "counted_score"]


def test_a_score_below_the_policys_or_an_automatic_fail_leaves_no_session_good(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    assert judged(floor, scored(floor, 80)) == (True, [], True, [], 80.0)
    assert judged(floor, scored(floor, 79)) == (False, ["low_score"], False, ["low_score"], 79.0)
    assert judged(floor, scored(floor, 100, fails=True)) == (False, ["auto_fail"], False, ["auto_fail"], 0.0)
    both = ["slow_reply", "low_score"]
    assert judged(floor, scored(floor, 79, is_good=False)) == (False, both, False, both, 79.0)
    # a high score makes nothing good, and who was not judged is not judged by it
    assert judged(floor, scored(floor, 100, is_good=False))[:2] == (False, ["slow_reply"])
    unjudged = floor.session(W46, is_good=None)
    floor.score(W46, subject=unjudged, given=1)
    assert judged(floor, unjudged) == (None, [], None, [], 10.0)
    assert judged(floor, floor.session(W46, is_good=True)) == (True, [], True, [], None)


def test_what_does_not_count_has_no_say(floor: Floor) -> None:
    low = scored(floor, 10, fails=True)
    for state in ("calibration", "published", "not_published"):
        floor.owner.execute("truncate reference.criterion_gates")
        gate(floor.put, "greeting", state)
        assert judged(floor, low) == (True, [], True, [], None), state
    floor.owner.execute("update reference.criterion_gates set state = 'counted'")
    assert judged(floor, low)[:2] == (False, ["auto_fail"])
    # an automatic fail by rules: proved, its criterion even admitted for the model, and still of an unmeasured judge
    floor.owner.execute("update evaluated.scorecards set judge = 'rules'")
    assert judged(floor, low) == (True, [], True, [], None)
    floor.owner.execute("update evaluated.scorecards set judge = 'model', is_current = false")
    assert judged(floor, low)[0] is True


def test_marts_examples_and_lists_say_the_same(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    floor.wait(W46)
    good = {scored(floor, points) for points in (80, 95)} | {floor.session(W46, is_good=True)}
    low = scored(floor, 60)
    failed = scored(floor, 90, fails=True)
    floor.publish(W46)
    row = floor.row("manager_week", week=W46, manager_key=ANNA)
    assert (row["good_judged"], row["good"], float(row["good_share"])) == (5, 3, 0.6)
    examples = {one["session_id"] for one in floor.rows("weekly_examples", week=W46) if one["kind"] == "good"}
    assert examples and examples <= good
    published = {one["session_id"]: one for one in floor.rows("published_sessions", week=W46)}
    assert (published[low]["not_good"], float(published[low]["counted_score"])) == (["low_score"], 60.0)
    assert (published[failed]["not_good_customer"], published[failed]["good_score_at_least"]) == (["auto_fail"], 80)
    span = Span(W46, "week", "Europe/Moscow", 60)
    with floor.database.as_role(Role.PUBLISHER).connect() as connection:
        for revision in (1, None):
            for name, subject in (("manager_week", ANNA), ("channel_week", "shop:wa")):
                mart = MARTS[name]
                shown = floor.row(name, week=W46, **{mart.subject: subject})
                figure = next(one for one in figures_of(mart, shown) if one.name == "good_share")
                found = evidence(connection, mart.view, figure, span, subject, shown["good_share"], revision)
                assert found.is_equal and found.revision == revision
                assert {case.session_id for case in found.cases if case.is_hit} == good
                assert {case.session_id: case.why for case in found.cases if case.why} == {
                    low: ("low_score",), failed: ("auto_fail",),
                }  # fmt: skip


def test_the_first_week_of_scores_is_compared_with_none_and_the_next_one_is(floor: Floor) -> None:
    weeks = ("2026-W44", W45, W46)
    for week in weeks:
        floor.wait(week)
        for number in range(30):
            session = floor.session(week, is_good=number % 3 > 0)
            if week != "2026-W44":
                floor.score(week, subject=session)
    gate(floor.put, "greeting", "counted")
    for week in weeks:
        floor.publish(week)
    states = [
        floor.row("manager_week_delta", week=week, manager_key=ANNA, metric="good_share")["delta_status"]
        for week in weeks
    ]
    assert states == ["no_previous_week", "not_comparable", "no_change_detected"]
    others = floor.rows("manager_week_delta", week=W45, manager_key=ANNA, metric="has_next_step_share")
    assert [one["delta_status"] for one in others] != ["not_comparable"], "no model has a say in a next step"


def test_a_score_that_comes_later_is_late_data_and_another_threshold_is_another_rule(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    floor.wait(W46)
    session = floor.session(W46, is_good=True)
    floor.publish(W46)
    floor.score(W46, subject=session, given=7)
    floor.publish(W46)
    floor.publish(W46)
    changed = {row["metric"] for row in floor.rows("week_changes", week=W46)}
    assert changed == {"llm_score_avg", "auto_fail_share", "good_share"}
    floor.change_rules(Policy.parse("defaults: {good_score_at_least: 70}"))
    floor.owner.execute("update evaluated.behaviour set good_score_at_least = 70")
    floor.publish(W46)
    told = [(row["revision"], row["reason"]) for row in floor.rows("week_revisions", week=W46)]
    assert told == [(1, "first"), (2, "late_data"), (3, "rules")]
    shares = [row["good"] for row in floor.rows("manager_week", week=W46)]
    assert shares == [1]
