"""The facts of the digest from published marts: the company's comparison, headlines, late data, changed rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.rows import dict_row

from assets.exports.snapshot_weekly import WEEKLY
from conversations.delta import DeltaStatus
from conversations.digest import Facts, contradictions, digest_of, is_untold
from conversations.messages.digest import telegram_text
from conversations.policy import Policy
from resources import digest
from resources.warehouse import digests
from resources.warehouse.digests import NotPublished
from resources.warehouse.engine import Warehouse
from tests.pictures import png
from tests.pipeline.standin import ANNA, BORIS, TELEGRAM, WHATSAPP, Floor

W44, W45, W46 = "2026-W44", "2026-W45", "2026-W46"
CHATS = ["-1001"]


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    with ExitStack() as closing:
        yield Floor(database, closing)
    with database.connect() as owner:
        owner.execute("delete from ops.outbox")


def happen(floor: Floor, week: str, manager: str, in_target: int, slow: int, channel: str = WHATSAPP) -> None:
    for outcome, count in (("in_target", in_target), ("slow_reply", slow)):
        for _ in range(count):
            floor.wait(week, manager, outcome, channel_id=channel)


def read(floor: Floor, week: str | None = W46) -> Facts:
    return digest.read(floor.publisher, week, floor.policy, None)


def test_the_company_is_the_sum_of_its_channels_and_compared_by_its_sessions(floor: Floor) -> None:
    happen(floor, W45, ANNA, 45, 5)
    happen(floor, W45, BORIS, 45, 5, TELEGRAM)
    happen(floor, W46, ANNA, 20, 30)
    happen(floor, W46, BORIS, 46, 4, TELEGRAM)
    floor.publish(W45, W46)
    found = read(floor)
    assert contradictions(found) == []
    assert (found.week, found.revision, found.company.n, found.company.value) == (W46, 1, 100, 0.66)
    assert (found.company.previous_n, found.company.previous_value) == (100, 0.9)
    # Newcombe by hand: Wilson of 66/100 is 0.563 to 0.745, of 90/100 0.826 to 0.945; the waits are a session each
    assert (found.company.low, found.company.high) == pytest.approx((-0.347, -0.128), abs=0.004)
    assert found.company.status == DeltaStatus.WORSENED
    assert found.trend == [(W45, 90, 100), (W46, 66, 100)]
    told = digest_of(found)
    # Anna and her channel; Boris and his did not change
    assert {(one.key, one.metric, one.status) for one in told.main} == {
        (ANNA, "in_target_share", DeltaStatus.WORSENED),
        (WHATSAPP, "in_target_share", DeltaStatus.WORSENED),
    }
    row = floor.row("manager_week_delta", week=W46, manager_key=ANNA, metric="in_target_share")
    assert (row["value"], row["n"], row["previous_value"], row["previous_n"]) == (0.4, 50, 0.9, 50)
    assert "в норме ▼ 40,0 % из 50 (было 90,0 % из 50)" in telegram_text(told)


def test_waits_of_one_talk_are_no_independent_proof(floor: Floor) -> None:
    for week, bad in ((W45, 2), (W46, 4)):
        for talk in range(10):
            for _ in range(10):
                floor.wait(week, ANNA, "slow_reply" if talk < bad else "in_target", chat=f"{week}:{talk}")
    floor.publish(W45, W46)
    company = read(floor).company
    # 80 of 100 and 60 of 100 would be a change, but there are ten talks a week
    assert (company.value, company.previous_value) == (0.6, 0.8)
    assert company.deff > 5 and company.status == DeltaStatus.NO_CHANGE_DETECTED


def test_late_data_are_a_new_revision_and_no_second_digest(floor: Floor) -> None:
    happen(floor, W46, ANNA, 25, 5)
    floor.publish(W46)
    first = read(floor)
    now = datetime.now(UTC)
    with floor.publisher.connect() as session:
        assert digests.queue_digest(session, W46, CHATS, telegram_text(digest_of(first)), png(), now) == {"-1001": True}
    floor.wait(W46, BORIS, "no_reply")
    floor.at += timedelta(days=2)
    floor.publish(W46)
    second = read(floor)
    assert (first.revision, first.company.n, second.revision, second.company.n) == (1, 30, 2, 31)
    assert contradictions(second) == []
    text = telegram_text(digest_of(second))
    assert "Без ответа 3,2 % — 1 из 31" in text
    with floor.publisher.connect() as session:
        assert digests.queue_digest(session, W46, CHATS, text, png(), now) == {"-1001": False}
        assert session.execute("select body from ops.outbox").fetchall() == [(telegram_text(digest_of(first)),)]


def test_other_rules_and_incomplete_data_leave_no_comparison(floor: Floor) -> None:
    for week in (W45, W46):
        happen(floor, week, ANNA, 25, 5)
        happen(floor, week, BORIS, 5, 0, TELEGRAM)
    target = [{"reply_target_minutes": 30}, {"valid_from": "2026-11-09", "reply_target_minutes": 20}]
    floor.policy = Policy.model_validate({"channels": {"whatsapp": target}})
    floor.publish(W45, W46)
    assert read(floor).company.status == DeltaStatus.NOT_COMPARABLE
    floor.policy = Policy.default()
    floor.complete[W46, TELEGRAM] = None
    floor.at += timedelta(days=1)
    floor.publish(W45, W46)
    found = read(floor)
    assert found.company.status == DeltaStatus.DATA_INCOMPLETE
    assert not is_untold(found.conditions)
    assert [one.status for one in digest_of(found).caveats] == ["incomplete"]
    floor.complete = {(W46, WHATSAPP): None}
    floor.at += timedelta(days=1)
    floor.publish(W46)
    # the channel that holds most of the week
    assert is_untold(read(floor).conditions)


def test_the_company_is_not_compared_over_a_channels_first_week_and_is_over_a_quiet_one(floor: Floor) -> None:
    happen(floor, W45, ANNA, 25, 5)
    happen(floor, W46, ANNA, 25, 5)
    happen(floor, W46, BORIS, 5, 0, TELEGRAM)
    floor.publish(W45, W46)
    assert read(floor).company.status == DeltaStatus.NO_CHANGE_DETECTED, "Telegram was there, and nobody wrote"
    for mart, channel in (("behavior_snapshot", "subject_key"), ("data_status", "channel_id")):
        floor.owner.execute(f"delete from marts.{mart} where week = %s and {channel} = %s", [W45, TELEGRAM])
    assert read(floor).company.status == DeltaStatus.NOT_COMPARABLE


def test_completeness_is_that_of_today_everywhere(floor: Floor) -> None:
    """What was missing has come, and no figure has changed: the revision is the old one."""
    for week in (W45, W46):
        happen(floor, week, ANNA, 25, 5)
    for week in (W45, W46):
        floor.complete = {(week, WHATSAPP): None}
        floor.publish(W45, W46)
        assert read(floor).company.status == DeltaStatus.DATA_INCOMPLETE
        assert shown(floor, "manager_deltas", W46) == {False}, "either week leaves a manager without a place"
        assert shown(floor, "snapshots", W46) == {week == W45}
        assert shown(floor, "manager_deltas", W45) == shown(floor, "snapshots", W45) == {week == W46}
    floor.complete = {}
    floor.publish(W45, W46)
    assert {row["revision"] for row in floor.rows("week_revisions")} == {1}
    assert read(floor).company.status == DeltaStatus.NO_CHANGE_DETECTED
    assert shown(floor, "manager_deltas", W46) == shown(floor, "snapshots", W46) == {True}


def shown(floor: Floor, table: str, week: str) -> set[bool]:
    """``is_complete`` of Anna in a week, as the tabs read it."""
    given = {"weeks": [W45, W46], "raw_weeks": [W45, W46], "metrics": [], "complete": 0.98}
    with floor.publisher.connect() as session, session.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(WEEKLY[table], given).fetchall()
    return {row["is_complete"] for row in rows if row["week"] == week and row["manager_name"] in (ANNA, "Анна")}


def test_a_week_of_an_older_version_is_no_previous_week(floor: Floor) -> None:
    """Its marts are there, the facts behind them are not."""
    happen(floor, W45, ANNA, 25, 5)
    happen(floor, W46, ANNA, 25, 5)
    floor.publish(W45)
    floor.publish(W46)
    assert read(floor).company.status != DeltaStatus.NO_PREVIOUS_WEEK
    for mart in ("week_revisions", "behavior_snapshot", "published_waits"):
        floor.owner.execute(f"delete from marts.{mart} where week = %s", (W45,))
    found = read(floor)
    assert found.company.status == DeltaStatus.NO_PREVIOUS_WEEK
    assert "неполн" not in telegram_text(digest_of(found))
    assert found.trend == [(W45, 25, 30), (W46, 25, 30)]


def test_the_first_week_and_a_week_that_is_not_there(floor: Floor) -> None:
    with pytest.raises(NotPublished):
        read(floor, None)
    happen(floor, W44, ANNA, 25, 5)
    happen(floor, W46, ANNA, 25, 5)
    floor.publish(W44)
    floor.publish(W46)
    # the week between is missing: an older one is never put in its place
    assert read(floor, None).company.status == DeltaStatus.NO_PREVIOUS_WEEK
    assert read(floor, W44).trend == [(W44, 25, 30)]
    with pytest.raises(NotPublished, match=W45):
        read(floor, W45)
