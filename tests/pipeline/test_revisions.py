"""Revisions of published weeks: when there is a new one, what it changed, what stays as shown (F20)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from assets.marts.publish import swap
from conversations.policy import Policy
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import MartsHeld
from resources.warehouse.hashes import table_hashes
from tests.pipeline.conftest import environment
from tests.pipeline.standin import ANNA, BORIS, WHATSAPP, Floor
from tests.warm_python import WarmPython

W44, W45, W46, W47, W48, W49 = (f"2026-W{number}" for number in range(44, 50))


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    with ExitStack() as closing:
        yield Floor(database, closing)


def revisions(floor: Floor, week: str) -> list[tuple[int, str, int]]:
    return [(row["revision"], row["reason"], row["changed_rows"]) for row in floor.rows("week_revisions", week=week)]


def test_the_first_publication_keeps_the_cases_as_they_were_judged(floor: Floor) -> None:
    answered = floor.wait(W45, seconds=70)
    ignored = floor.wait(W45, None, "no_reply")
    judged = floor.session(W45, BORIS, made_offer=True, asked_clarifying=False, has_next_step=True, is_good=True)
    floor.publish(W45)
    assert revisions(floor, W45) == [(1, "first", 0)]
    assert not floor.rows("week_changes")
    kept = {row["wait_id"]: row for row in floor.rows("published_waits")}
    assert set(kept) == {answered, ignored}
    assert (kept[answered]["manager_key"], kept[answered]["manager_wait_seconds"]) == (ANNA, 70)
    assert kept[ignored]["manager_key"] == "none"
    session = floor.row("published_sessions")
    assert (session["session_id"], session["manager_key"], session["offer_message_ids"]) == (judged, BORIS, ["o"])
    figures = {(row["subject_key"], row["metric"]): (row["hits"], row["n"], row["value"])
               for row in floor.rows("behavior_snapshot")}  # fmt: skip
    assert figures[ANNA, "in_target_share"] == (1, 1, 1.0)
    assert figures["none", "no_reply_share"] == (1, 1, 1.0)
    assert figures[WHATSAPP, "no_reply_share"] == (1, 2, 0.5)
    assert figures[ANNA, "reply_p50_seconds"] == (None, 1, 70.0)
    assert figures[ANNA, "reply_p50_business_seconds"] == (None, 0, None), "there is no calendar"
    assert figures[BORIS, "good_share"] == (1, 1, 1.0)
    assert figures[BORIS, "in_target_share"] == (0, 0, None)


def test_the_same_input_again_adds_nothing_and_changes_nothing(floor: Floor) -> None:
    floor.wait(W45)
    floor.wait(W46, outcome="slow_reply")
    floor.publish(W45, W46)
    before = table_hashes(floor.database, ("marts",))
    floor.at += timedelta(days=1)
    floor.publish(W45, W46)
    floor.publish(W46)
    floor.publish(W45)
    assert table_hashes(floor.database, ("marts",)) == before


def test_late_data_make_a_revision_that_says_what_changed(floor: Floor) -> None:
    floor.wait(W45)
    floor.wait(W46)
    floor.publish(W45, W46)
    shown = floor.rows("published_waits"), floor.rows("behavior_snapshot")
    late = floor.wait(W45, BORIS, "no_reply")
    floor.at += timedelta(days=2)
    floor.publish(W45)
    assert revisions(floor, W45) == [(1, "first", 0), (2, "late_data", len(floor.rows("week_changes")))]
    assert revisions(floor, W46) == [(1, "first", 0)]
    told = ("was_hits", "was_n", "was_value", "hits", "n", "value")
    changes = {(row["subject_key"], row["metric"]): tuple(row[name] for name in told)
               for row in floor.rows("week_changes")}  # fmt: skip
    assert changes[WHATSAPP, "no_reply_share"] == (0, 1, 0.0, 1, 2, 0.5)
    assert changes[BORIS, "no_reply_share"] == (None, None, None, 1, 1, 1.0)
    assert {key for key, _ in changes} == {BORIS, WHATSAPP}
    # what was shown stays readable as it was shown
    again = [row for row in floor.rows("published_waits") if row["revision"] == 1 or row["week"] == W46]
    assert again == shown[0]
    assert [row for row in floor.rows("behavior_snapshot") if (row["week"], row["revision"]) != (W45, 2)] == shown[1]
    assert late in {row["wait_id"] for row in floor.rows("published_waits", week=W45, revision=2)}
    # the next week is compared with the latest revision
    compared = floor.row("channel_week_delta", week=W46, channel_id=WHATSAPP, metric="no_reply_share")
    assert (compared["revision"], compared["previous_revision"]) == (1, 2)
    assert (compared["previous_hits"], compared["previous_n"], compared["previous_value"]) == (1, 2, 0.5)


def test_a_wait_that_is_gone_takes_its_row_with_it(floor: Floor) -> None:
    floor.wait(W45)
    gone = floor.wait(W45, BORIS)
    floor.publish(W45)
    floor.owner.execute("delete from evaluated.waits where wait_id = %s", [gone])
    floor.publish(W45)
    changes = {(row["subject_key"], row["metric"]): (row["was_n"], row["n"]) for row in floor.rows("week_changes")}
    assert changes[BORIS, "in_target_share"] == (1, None)
    assert revisions(floor, W45)[1][1] == "late_data"
    assert not floor.rows("manager_week_delta", manager_key=BORIS)


def test_other_cases_behind_equal_figures_are_a_revision_without_changed_figures(floor: Floor) -> None:
    former = floor.wait(W45)
    floor.publish(W45)
    floor.owner.execute("delete from evaluated.waits")
    now = floor.wait(W45)
    floor.publish(W45)
    assert revisions(floor, W45) == [(1, "first", 0), (2, "late_data", 0)]
    assert [row["wait_id"] for row in floor.rows("published_waits")] == [former, now]


def test_changed_rules_make_a_revision_and_one_comparison_impossible(floor: Floor) -> None:
    for week in (W45, W46):
        floor.wait(week)
    floor.publish(W45, W46)
    floor.change_rules(Policy.parse("defaults: {reply_target_minutes: 20}"))
    floor.publish(W46)
    assert revisions(floor, W46) == [(1, "first", 0), (2, "rules", 0)]
    of = {"channel_id": WHATSAPP, "metric": "in_target_share"}
    assert floor.row("channel_week_delta", week=W46, **of)["delta_status"] == "not_comparable"
    floor.publish(W45)
    assert revisions(floor, W45) == [(1, "first", 0), (2, "rules", 0)]
    assert floor.row("channel_week_delta", week=W46, **of)["delta_status"] == "low_sample"
    floor.wait(W47)
    floor.publish(W47)
    assert floor.row("channel_week_delta", week=W47, **of)["delta_status"] == "low_sample"


def test_accounts_that_become_one_person_are_a_change_of_rules(floor: Floor) -> None:
    floor.wait(W45, ANNA)
    floor.wait(W45, BORIS, "slow_reply")
    floor.publish(W45)
    for account in (ANNA, BORIS):
        floor.put("reference.people", manager_id=account, person_id="anna", person_name="Анна")
    floor.publish(W45)
    assert [reason for _, reason, _ in revisions(floor, W45)] == ["first", "rules"]
    now = {
        row["subject_key"]: row["n"] for row in floor.rows("behavior_snapshot", revision=2, metric="in_target_share")
    }
    assert now["anna"] == 2 and not {ANNA, BORIS} & set(now)
    assert {row["manager_key"] for row in floor.rows("published_waits", revision=2)} == {"anna"}


def test_completeness_that_becomes_known_is_no_revision_and_lets_weeks_be_compared(floor: Floor) -> None:
    for week in (W45, W46):
        for number in range(25):
            floor.wait(week, seconds=60 + number)
    floor.complete[W45, WHATSAPP] = None
    floor.publish(W45, W46)
    of = {"channel_id": WHATSAPP, "metric": "in_target_share"}
    assert floor.row("channel_week_delta", week=W46, **of)["delta_status"] == "data_incomplete"
    assert floor.row("manager_week_delta", week=W46, manager_key=ANNA, metric="in_target_share")["delta_status"] == (
        "data_incomplete"
    )
    floor.complete[W45, WHATSAPP] = 0.99
    floor.publish(W45)
    assert revisions(floor, W45) == [(1, "first", 0)]
    found = floor.row("channel_week_delta", week=W46, **of)
    assert (found["delta_status"], found["previous_completeness"]) == ("no_change_detected", 0.99)


def test_a_range_says_the_same_as_its_weeks_one_by_one(floor: Floor) -> None:
    weeks = (W44, W45, W46, W47)
    for place, week in enumerate(weeks):
        for number in range(22 + place):
            floor.wait(week, outcome="no_reply" if number < 4 * place else "in_target", seconds=60 * (number + place))
    for week in (W46, W44, W47, W45):
        floor.publish(week)
    one_by_one = table_hashes(floor.database, ("marts",))
    for table in one_by_one:
        floor.owner.execute(f"truncate {table}")
    floor.publish(*weeks)
    assert table_hashes(floor.database, ("marts",)) == one_by_one


def test_an_older_week_changes_the_averages_of_the_four_weeks_after_it(floor: Floor) -> None:
    weeks = (W44, W45, W46, W47, W48, W49)
    for place, week in enumerate(weeks):
        floor.wait(week, seconds=100 * (place + 1))
    floor.publish(*weeks)
    of = {"manager_key": ANNA, "metric": "reply_p50_seconds"}

    def averages() -> list[tuple[float | None, int]]:
        return [(row["average_4w"], row["weeks_4w"]) for row in floor.rows("manager_week_delta", **of)]

    assert averages() == [(None, 0), (None, 0), (150, 2), (200, 3), (250, 4), (350, 4)]
    floor.wait(W44, seconds=500)
    untouched = floor.rows("manager_week_delta", week=W49)
    floor.publish(W44)
    assert averages() == [(None, 0), (None, 0), (250, 2), (800 / 3, 3), (300, 4), (350, 4)]
    assert floor.rows("manager_week_delta", week=W49) == untouched
    assert floor.row("manager_week_delta", week=W45, **of)["previous_value"] == 300


def test_a_week_of_a_platform_without_revisions_is_no_previous_week_until_it_is_published_again(floor: Floor) -> None:
    for week in (W45, W46, W47):
        floor.wait(week)
    floor.publish(W45, W47)
    # what the former version left: the three marts of dbt, and nothing else
    for table in table_hashes(floor.database, ("marts",)):
        if table.split(".")[1] not in ("manager_week", "channel_week", "data_status"):
            floor.owner.execute(f"drop table {table}")
    floor.publish(W46)
    of = {"channel_id": WHATSAPP, "metric": "in_target_share"}
    first = floor.row("channel_week_delta", week=W46, **of)
    assert (first["delta_status"], first["previous_week"], first["previous_revision"]) == (
        "no_previous_week",
        W45,
        None,
    )
    assert not floor.rows("channel_week_delta", week=W47), "a week without revision has nothing to compare"
    floor.publish(W45)
    assert floor.row("channel_week_delta", week=W46, **of)["delta_status"] == "low_sample"
    assert revisions(floor, W46) == [(1, "first", 0)]


def test_a_missing_week_is_not_skipped_over(floor: Floor) -> None:
    for week in (W45, W47):
        floor.wait(week)
    floor.publish(W45)
    floor.publish(W47)
    assert {row["delta_status"] for row in floor.rows("channel_week_delta", week=W47)} == {"no_previous_week"}


def test_a_reader_who_stays_holds_a_changed_mart_back_for_a_time_only(floor: Floor) -> None:
    floor.wait(W45)
    floor.publish(W45)
    before = table_hashes(floor.database, ("marts",))
    with floor.database.connect() as reader:
        reader.execute("select count(*) from marts.channel_week")
        # rows are replaced beside a reader
        swap(floor.publisher, [W45], lock_seconds=0.2)
        floor.owner.execute("alter table marts_next.channel_week add column newer bigint")
        with pytest.raises(MartsHeld, match=r"Close that transaction .* and publish again"):
            swap(floor.publisher, [W45], lock_seconds=0.2)
        assert table_hashes(floor.database, ("marts",)) == before
    swap(floor.publisher, [W45], lock_seconds=0.2)
    assert "newer" in floor.row("channel_week", channel_id=WHATSAPP)


def test_published_revisions_outlive_a_column_that_newer_ones_do_without(floor: Floor) -> None:
    floor.wait(W45)
    floor.publish(W45)
    with floor.publisher.connect() as sql:
        sql.execute("alter table marts.published_waits add column mood text not null default 'calm'")
        sql.execute("alter table marts.published_waits alter column mood drop default")
    floor.wait(W45)
    floor.publish(W45)
    assert [(row["revision"], row["mood"]) for row in floor.rows("published_waits")] == [
        (1, "calm"), (2, None), (2, None),
    ]  # fmt: skip


KILLED = """
from datetime import UTC, datetime
from assets.marts.publish import publishing, swap
from assets.marts.python.build import build
from conversations.policy import Policy
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
with Warehouse.open(Settings(), Role.PUBLISHER) as publisher, publishing(publisher):
    build(publisher, ["2026-W45"], Policy.default(), datetime(2026, 11, 20, tzinfo=UTC))
    swap(publisher, ["2026-W45"])
"""


def test_a_kill_anywhere_leaves_what_was_published_and_the_restart_makes_one_revision(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, warm_python: WarmPython
) -> None:
    monkeypatch.setenv("DATABASE_URL", floor.database.url)
    floor.wait(W45)
    floor.wait(W46)
    floor.publish(W45, W46)
    before = table_hashes(floor.database, ("marts",))
    late = floor.wait(W45, BORIS, "no_reply")
    floor.built(W45)
    for point in ("publish.python_built:1", "publish.between_marts:1", "publish.between_marts:9",
                  "publish.before_commit:1"):  # fmt: skip
        killed = warm_python.run(KILLED, environment={**environment(), "FAILPOINT": point})
        assert killed.returncode == -9, (point, killed.stdout)
        assert table_hashes(floor.database, ("marts",)) == before, point
    warm_python.run(KILLED, environment=environment(), check=True)
    assert [(number, reason) for number, reason, _ in revisions(floor, W45)] == [(1, "first"), (2, "late_data")]
    assert [row["wait_id"] for row in floor.rows("published_waits", week=W45, revision=2)].count(late) == 1
    assert {row["previous_revision"] for row in floor.rows("channel_week_delta", week=W46)} == {2}
    after = table_hashes(floor.database, ("marts",))
    # the swap once more, as by somebody who did not hear that it was committed
    swap(floor.publisher, [W45])
    assert table_hashes(floor.database, ("marts",)) == after
