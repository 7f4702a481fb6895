"""What is trouble and when it is over: each rule by the smallest facts that decide it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conversations.alerts import (
    Changes,
    Disk,
    Facts,
    Incident,
    Kind,
    Run,
    Scoring,
    Source,
    Trouble,
    judge,
    weeks_wanted,
)
from conversations.policy_alerts import AlertLimits

ZONE = "Europe/Moscow"
LIMITS = AlertLimits()
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
"""A Wednesday noon in Moscow, in 2026-W48."""
LAST_WEEK = "2026-W47"
SHOP = Source("shop", "retailcrm", True, "ok", None, NOW, NOW - timedelta(hours=3), NOW - timedelta(days=90))
WELL = Facts(NOW, (SHOP,), NOW - timedelta(hours=12), frozenset({LAST_WEEK}), silence=timedelta(0))


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def judged(facts: Facts, *known: Incident, limits: AlertLimits = LIMITS) -> Changes:
    return judge(facts, known, limits, ZONE)


def opened(facts: Facts, *known: Incident) -> list[tuple[Kind, str]]:
    return [(trouble.kind, trouble.subject) for trouble in judged(facts, *known).opened]


def incident(trouble: Trouble, name: str = "i1") -> Incident:
    return Incident(name, trouble.key, trouble.kind, trouble.subject, trouble.details)


def run(day: date | None = date(2026, 11, 24), *, ok: bool = False, **fields: Any) -> Run:
    """A nightly run over a day; it did the seven days up to it anew."""
    given = {
        "run_id": "r1",
        "job": "load_daily",
        "ended_at": hours_ago(6),
        "succeeded": ok,
        "first": day,
        "last": day,
        "covers_from": day - timedelta(days=6) if day else None,
        "is_scheduled": True,
        "area": "raw",
        "reason": "" if ok else "unavailable",
    }
    return Run(**(given | fields))


def test_where_all_is_well_nothing_opens() -> None:
    assert judged(WELL) == Changes()


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "is_late"), [(29.9, False), (30.0, False), (30.1, True)])
def test_a_source_is_late_after_the_hours_of_the_policy(hours: float, is_late: bool) -> None:
    facts = replace(WELL, sources=(replace(SHOP, synced_at=hours_ago(hours)),))
    assert opened(facts) == ([(Kind.LATE, "shop")] if is_late else [])


def test_a_source_that_was_never_read_is_late_counted_from_its_connection() -> None:
    new = replace(SHOP, synced_at=None, status=None, created_at=hours_ago(29))
    assert opened(replace(WELL, sources=(new,))) == []
    assert opened(replace(WELL, sources=(replace(new, created_at=hours_ago(31)),))) == [(Kind.LATE, "shop")]


def test_what_is_only_written_to_is_never_late() -> None:
    sheet = Source("sheets", "sheets", False, None, None, None, None, hours_ago(900))
    assert opened(replace(WELL, sources=(SHOP, sheet))) == []


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("needs_auth", [Kind.CONNECTION]),
        ("broken", [Kind.CONNECTION]),
        ("rate_limited", [Kind.LATE]),
        ("ok", [Kind.LATE]),
    ],
)
def test_one_trouble_of_an_account_is_told_once(status: str, found: list[Kind]) -> None:
    """Late because nobody may read it: the key is the trouble. Its judgement is old for the same reason."""
    ill = replace(SHOP, status=status, reason="needs_auth", synced_at=hours_ago(50))
    facts = replace(WELL, sources=(ill,), judged_until=hours_ago(50))
    assert [trouble.kind for trouble in judged(facts).opened] == found


def test_a_judgement_is_late_by_itself_only_where_every_source_is_fresh() -> None:
    assert opened(replace(WELL, judged_until=hours_ago(31))) == [(Kind.LATE, "evaluated")]
    assert opened(replace(WELL, judged_until=None)) == []
    assert opened(replace(WELL, judged_until=hours_ago(31), sources=())) == []


@pytest.mark.parametrize(
    ("stopped", "reason"),
    [({"run"}, "over_budget"), ({"department"}, "over_budget"), ({"unavailable"}, "no_model"),
     ({"day", "unavailable"}, "over_budget")],
)  # fmt: skip
def test_a_run_that_could_not_buy_everything_is_trouble_until_one_could(stopped: set[str], reason: str) -> None:
    facts = replace(WELL, scoring=Scoring(frozenset(stopped), hours_ago(5)))
    [trouble] = judged(facts).opened
    assert (trouble.kind, trouble.area, trouble.reason, trouble.since) == (
        Kind.SCORING, "evaluated", reason, hours_ago(5),
    )  # fmt: skip
    assert judged(facts, incident(trouble)).opened == ()
    assert judged(WELL, incident(trouble)).closed == (incident(trouble),)


def test_a_day_that_nobody_has_scored_is_told_unless_its_run_has_failed() -> None:
    days = (date(2026, 11, 20), date(2026, 11, 21))
    facts = replace(WELL, scoring=Scoring(missed=days, missed_since=hours_ago(40)))
    [trouble] = judged(facts).opened
    assert (trouble.kind, trouble.reason, trouble.since) == (Kind.SCORING, "not_scored", hours_ago(40))
    assert trouble.details == {"first": "2026-11-20", "last": "2026-11-21"}
    failed = Incident("i2", "run:score_days", Kind.RUN_FAILED, "score_days", {"job": "score_days"})
    assert opened(facts, failed) == []
    other = Incident("i2", "run:load_daily", Kind.RUN_FAILED, "load_daily", {"job": "load_daily"})
    assert opened(facts, other) == [(Kind.SCORING, "scored")]


@pytest.mark.parametrize(
    ("minutes", "allowed", "is_trouble"), [(5, 5, False), (6, 5, True), (600, 0, False), (6, 10, False)]
)
def test_a_silent_daemon(minutes: int, allowed: int, is_trouble: bool) -> None:
    facts = replace(WELL, silence=timedelta(minutes=minutes))
    found = judged(facts, limits=AlertLimits(heartbeat_minutes=allowed)).opened
    assert [trouble.since for trouble in found] == ([NOW - timedelta(minutes=minutes)] if is_trouble else [])


@pytest.mark.parametrize(
    ("local", "wanted"),
    [
        ("2026-11-22T23:59:59", "2026-W46"),  # Sunday: W47 is not over
        ("2026-11-23T00:00:00", "2026-W46"),  # Monday: it is over, and not due
        ("2026-11-23T08:59:59", "2026-W46"),
        ("2026-11-23T09:00:00", "2026-W47"),
        ("2026-11-24T00:00:00", "2026-W47"),
        ("2027-01-04T09:00:00", "2026-W53"),  # a week over New Year
    ],
)
def test_a_week_is_due_at_nine_on_monday_of_the_organisation(local: str, wanted: str) -> None:
    now = datetime.fromisoformat(f"{local}+03:00")
    assert weeks_wanted(now, (), LIMITS, ZONE) == {wanted}


def test_a_missed_week_stays_missed_until_it_is_published_however_many_others_are() -> None:
    due = datetime.fromisoformat("2026-11-23T09:00:00+03:00")
    first = judged(replace(WELL, now=due, published=frozenset()))
    trouble = first.opened[0]
    assert (trouble.kind, trouble.subject, trouble.since) == (Kind.NO_WEEK, LAST_WEEK, due)

    known = incident(trouble)
    week_later = due + timedelta(days=7)
    assert weeks_wanted(week_later, (known,), LIMITS, ZONE) == {LAST_WEEK, "2026-W48"}
    fresh = replace(SHOP, synced_at=week_later)
    still = judged(replace(WELL, now=week_later, sources=(fresh,), published=frozenset({"2026-W48"})), known)
    assert not still.closed
    assert [one.incident_id for one, _ in still.again] == ["i1"]
    both = frozenset({LAST_WEEK, "2026-W48"})
    assert judged(replace(WELL, now=week_later, sources=(fresh,), published=both), known).closed == (known,)


def test_nobody_owes_a_week_in_which_nothing_was_connected() -> None:
    midnight_of_w48 = datetime.fromisoformat("2026-11-23T00:00:00+03:00")
    new = replace(SHOP, created_at=midnight_of_w48)
    assert opened(replace(WELL, sources=(new,), published=frozenset())) == []
    before = replace(new, created_at=midnight_of_w48 - timedelta(seconds=1))
    assert opened(replace(WELL, sources=(before,), published=frozenset())) == [(Kind.NO_WEEK, LAST_WEEK)]
    assert opened(replace(WELL, sources=(), published=frozenset())) == []


def test_a_disk_at_the_limit_does_not_open_and_close_by_the_minute() -> None:
    full = judged(replace(WELL, disks=(Disk("/data", 80.0),))).opened
    assert [(trouble.kind, trouble.details["percent"]) for trouble in full] == [(Kind.DISK, 80)]
    known = incident(full[0])
    assert not judged(replace(WELL, disks=(Disk("/data", 79.0),)), known).closed
    assert judged(replace(WELL, disks=(Disk("/data", 77.9),)), known).closed == (known,)
    assert opened(replace(WELL, disks=(Disk("/data", 79.9),))) == []


def test_a_state_is_opened_once_seen_again_and_closed_once() -> None:
    ill = replace(WELL, sources=(replace(SHOP, status="needs_auth", reason="needs_auth"),))
    known = incident(judged(ill).opened[0])
    again = judged(ill, known)
    assert (again.opened, again.closed, [one for one, _ in again.again]) == ((), (), [known])
    over = judged(WELL, known)
    assert (over.opened, over.again, over.closed) == ((), (), (known,))


def test_an_account_that_is_disabled_is_no_trouble_any_more() -> None:
    known = incident(Trouble(Kind.CONNECTION, "connections", "shop", NOW))
    assert judged(replace(WELL, sources=()), known).closed == (known,)


def test_what_cannot_be_looked_at_neither_opens_nor_closes() -> None:
    silent = Trouble(Kind.HEARTBEAT, "platform", "daemon", NOW)
    blind = replace(WELL, silence=timedelta(hours=9), unseen=frozenset({Kind.HEARTBEAT}))
    assert judged(blind) == Changes()
    assert judged(replace(blind, silence=None), incident(silent)) == Changes()


def test_a_database_that_is_back_is_told_of_once() -> None:
    began, ended = hours_ago(2), hours_ago(1)
    past = judged(replace(WELL, database_away=(began, ended))).past
    assert [(trouble.kind, trouble.since, over) for trouble, over in past] == [(Kind.DATABASE, began, ended)]


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_failed_night_opens_and_the_next_good_night_closes() -> None:
    failed = judged(replace(WELL, runs=(run(),))).opened[0]
    assert (failed.kind, failed.area, failed.subject) == (Kind.RUN_FAILED, "raw", "load_daily 2026-11-24")
    known = incident(failed)
    assert judged(WELL, known) == Changes()
    assert judged(replace(WELL, runs=(run(date(2026, 11, 25), ok=True),)), known).closed == (known,)


def test_three_failed_nights_are_one_incident_over_all_their_days() -> None:
    known = incident(judged(replace(WELL, runs=(run(),))).opened[0])
    later = judged(
        replace(WELL, runs=(run(date(2026, 11, 26), run_id="r3"), run(date(2026, 11, 25), run_id="r2"))), known
    )
    assert later.opened == later.closed == ()
    [(same, trouble)] = later.again
    assert same == known
    assert (trouble.details["first"], trouble.details["last"]) == ("2026-11-24", "2026-11-26")


@pytest.mark.parametrize(
    ("success", "closes"),
    [
        (run(date(2026, 11, 30), ok=True), True),  # re-reads from the 24th on
        (run(date(2026, 12, 1), ok=True), False),  # re-reads from the 25th on
        (run(date(2026, 11, 23), ok=True), False),  # an earlier day
        (run(date(2026, 11, 24), ok=True, job="publish_week"), False),
        (run(date(2026, 11, 24), ok=True, assets=frozenset({"raw/x"})), False),  # only a part of the job
        (run(None, ok=True, covers_from=None), False),
        (run(date(2026, 11, 20), ok=True, last=date(2026, 11, 24), covers_from=date(2026, 11, 20)), True),
        (run(date(2026, 11, 25), ok=True, last=date(2026, 11, 30), covers_from=date(2026, 11, 25)), False),
    ],
)
def test_only_a_run_that_did_all_that_failed_closes(success: Run, closes: bool) -> None:
    known = incident(judged(replace(WELL, runs=(run(),))).opened[0])
    assert bool(judged(replace(WELL, runs=(success,)), known).closed) is closes


def test_a_part_of_a_job_is_made_good_by_the_part_or_by_all() -> None:
    part = run(assets=frozenset({"raw/a", "raw/b"}), is_scheduled=False)
    known = incident(judged(replace(WELL, runs=(part,))).opened[0])
    for assets, closes in (({"raw/a"}, False), ({"raw/a", "raw/b", "raw/c"}, True), (set(), True)):
        success = run(ok=True, assets=frozenset(assets))
        assert bool(judged(replace(WELL, runs=(success,)), known).closed) is closes, assets


def test_what_failed_and_was_made_good_between_two_looks_is_not_told() -> None:
    runs = (run(ok=True, run_id="r2", ended_at=hours_ago(5)), run(ended_at=hours_ago(6)))
    assert judged(replace(WELL, runs=runs)) == Changes()
    assert opened(replace(WELL, runs=(replace(runs[0], ended_at=hours_ago(7)), runs[1]))) != []


def test_an_open_incident_that_fails_again_and_is_made_good_in_one_look_closes() -> None:
    known = incident(judged(replace(WELL, runs=(run(),))).opened[0])
    worse = run(date(2026, 11, 25), run_id="r2", ended_at=hours_ago(5))
    good = run(date(2026, 11, 26), ok=True, run_id="r3", ended_at=hours_ago(4))
    changes = judged(replace(WELL, runs=(good, worse)), known)
    assert (changes.opened, changes.again, changes.closed) == ((), (), (known,))


def test_somebodys_wish_for_other_days_is_an_incident_of_its_own() -> None:
    wish = run(date(2026, 1, 1), last=date(2026, 1, 31), is_scheduled=False, run_id="r2")
    keys = {trouble.key for trouble in judged(replace(WELL, runs=(run(), wish))).opened}
    assert keys == {"run:load_daily", "run:load_daily:2026-01-01:2026-01-31"}


def test_a_run_that_failed_for_an_account_in_trouble_is_told_as_that_account() -> None:
    ill = replace(WELL, sources=(replace(SHOP, status="needs_auth", reason="needs_auth"),))
    only_account = run(reason="needs_auth")
    one_of_many = run(reason="accounts", connections=("shop",))
    for failed in (only_account, one_of_many):
        assert opened(replace(ill, runs=(failed,))) == [(Kind.CONNECTION, "shop")]
    # another account, or another reason, is told
    assert (Kind.RUN_FAILED, "load_daily 2026-11-24") in opened(
        replace(ill, runs=(run(reason="accounts", connections=("shop", "other")),))
    )
    assert (Kind.RUN_FAILED, "load_daily 2026-11-24") in opened(replace(ill, runs=(run(reason="dbt"),)))


def test_a_busy_run_is_trouble_only_where_no_person_waits_for_it() -> None:
    assert opened(replace(WELL, runs=(run(reason="busy", is_scheduled=False),))) == []
    some = run(reason="busy", is_scheduled=False, connections=("shop", "other"))
    assert opened(replace(WELL, runs=(some,))) == []
    assert opened(replace(WELL, runs=(run(reason="busy"),))) == [(Kind.RUN_FAILED, "load_daily 2026-11-24")]


def test_failed_checks_give_the_incident_its_kind() -> None:
    week = run(
        date(2026, 11, 16),
        job="publish_week",
        area="marts",
        reason="failed_check",
        failed_checks=("marts/a: is_unique",),
    )
    trouble = judged(replace(WELL, runs=(week,))).opened[0]
    assert (trouble.kind, trouble.area, trouble.details["checks"]) == (
        Kind.CHECK_FAILED, "marts", ["marts/a: is_unique"],
    )  # fmt: skip
