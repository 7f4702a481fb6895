"""A model's scores in the week: only admitted criteria count, each talk once, compared by the contract's rules.

Figures are worked out by hand; the marts of dbt are played by ``standin``, everything after them is the product's.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from resources.warehouse.engine import Warehouse
from tests.pipeline.standin import ANNA, BORIS, Floor
from tests.pipeline.talks import gate, marks_of

W45, W46, W47 = "2026-W45", "2026-W46", "2026-W47"


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(database, stack)


def delta(floor: Floor, metric: str = "llm_score_avg", week: str = W46, who: str = ANNA) -> dict[str, object]:
    return floor.row("manager_week_delta", week=week, manager_key=who, metric=metric)


def metrics(floor: Floor, week: str) -> set[str]:
    return {row["metric"] for row in floor.rows("behavior_snapshot", week=week)}


def test_without_a_score_that_counts_nothing_is_compared(floor: Floor) -> None:
    floor.wait(W45)
    floor.wait(W46)
    floor.score(W46, given=3)
    floor.publish(W45)
    floor.publish(W46)
    assert not metrics(floor, W46) & {"llm_score_avg", "auto_fail_share"}
    assert not floor.rows("published_scores")
    row = floor.row("manager_week", week=W46, manager_key=ANNA)
    assert (row["llm_state"], row["llm_evaluated"], row["llm_score_avg"]) == ("calibration", 0, None)
    assert (row["calibration_evaluated"], float(row["calibration_score_avg"])) == (1, 30.0)


def test_a_change_of_the_average_is_compared_by_bootstrap(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    floor.wait(W45)
    floor.wait(W46)
    for week, given in ((W45, (4, 5, 6)), (W46, (7, 8, 9))):
        for number in range(15):
            floor.score(week, given=given[number % 3])
        floor.score(week, BORIS, given=given[0])
        floor.wait(week, BORIS)
    floor.publish(W45)
    floor.publish(W46)
    found = delta(floor)
    assert (found["delta_status"], found["n"], found["previous_n"]) == ("improved", 15, 15)
    assert (found["value"], found["previous_value"], found["delta"]) == (80.0, 50.0, 30.0)
    spread = 2 * 1.96 * (2 * statistics.pvariance([40, 50, 60]) / 15) ** 0.5
    assert found["high"] - found["low"] == pytest.approx(spread, rel=0.15)  # type: ignore[operator]
    assert delta(floor, who=BORIS)["delta_status"] == "low_sample"
    channel = floor.row("channel_week_delta", week=W46, channel_id="shop:wa", metric="llm_score_avg")
    assert (channel["n"], channel["value"]) == (16, pytest.approx((15 * 80 + 70) / 16, abs=1e-6))


def test_a_change_below_three_points_has_no_arrow(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    for week, given in ((W45, 50), (W46, 52)):
        floor.wait(week)
        for _ in range(12):
            floor.score(week, rows=marks_of({"greeting": (1, 100, given)}))
        floor.publish(week)
    assert (delta(floor)["delta_status"], delta(floor)["delta"]) == ("no_change_detected", 2.0)


def test_other_rubrics_prompts_or_admitted_criteria_are_not_comparable(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    gate(floor.put, "greeting", "counted", version=2)
    for week, version in ((W45, 1), (W46, 2)):
        floor.wait(week)
        for _ in range(12):
            floor.score(week, rubric_version=version)
        floor.publish(week)
    assert delta(floor)["delta_status"] == "not_comparable"
    assert delta(floor)["delta"] is None


def test_a_week_without_judged_talk_before_is_empty_and_not_missing(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    for week in (W45, W46):
        floor.wait(week)
    floor.score(W46)
    floor.publish(W45)
    floor.publish(W46)
    assert (delta(floor)["delta_status"], delta(floor)["previous_n"]) == ("previous_empty", 0)
    floor.score(W46, "shop:new")
    floor.publish(W46)
    assert delta(floor, who="shop:new")["delta_status"] == "no_previous_week"


def test_automatic_fails_are_a_share_and_a_score_of_nothing(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    gate(floor.put, "rudeness", "calibration")
    floor.wait(W46)
    kinds = {"greeting": (1, 1, 1), "rudeness": (1, 1, 0)}
    floor.score(W46, rows=marks_of(kinds, fails=["greeting"]))
    # a fail of a criterion that is not admitted fails nothing that counts
    floor.score(W46, rows=marks_of(kinds, fails=["rudeness"]))
    floor.publish(W46)
    row = floor.row("manager_week", week=W46, manager_key=ANNA)
    assert (row["llm_evaluated"], row["auto_fail"], float(row["llm_score_avg"])) == (2, 1, 50.0)
    assert [(one["counted_score"], one["has_counted_fail"]) for one in floor.rows("published_scores")] in (
        [(0, True), (100, False)], [(100, False), (0, True)],
    )  # fmt: skip
    assert delta(floor, "auto_fail_share")["value"] == 0.5


def test_scores_that_come_after_the_publication_make_a_revision_of_late_data(floor: Floor) -> None:
    gate(floor.put, "greeting", "counted")
    floor.wait(W46)
    floor.publish(W46)
    assert floor.row("week_revisions", week=W46)["revision"] == 1
    floor.score(W46, given=4)
    floor.publish(W46)
    floor.publish(W46)
    told = [(row["revision"], row["reason"]) for row in floor.rows("week_revisions", week=W46)]
    assert told == [(1, "first"), (2, "late_data")]
    changed = {row["metric"] for row in floor.rows("week_changes", week=W46)}
    assert changed == {"llm_score_avg", "auto_fail_share"}
    # what was published first stays as it was
    assert [row["revision"] for row in floor.rows("published_scores")] == [2]


def test_an_older_version_of_the_platform_has_no_scores_and_gets_no_revision_for_it(floor: Floor) -> None:
    floor.wait(W46)
    floor.publish(W46)
    floor.owner.execute("drop table marts.published_scores")
    floor.publish(W46)
    assert [row["revision"] for row in floor.rows("week_revisions", week=W46)] == [1]
