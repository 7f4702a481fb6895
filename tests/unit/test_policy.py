"""The policy: what it accepts, how it refuses, what holds when, and its hash."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conversations.policy import Policy, PolicyError
from conversations.rules import compile_policy
from tests.unit.talk import K, instant

ROOT = Path(__file__).parents[2]


def at(text: str) -> int:
    return instant(text) // 1_000_000


def refused(text: str) -> str:
    with pytest.raises(PolicyError) as raised:
        Policy.parse(text, "policy.yaml")
    return str(raised.value)


def test_the_file_of_the_demo_can_be_used() -> None:
    policy = Policy.load(ROOT / "policy.yaml")
    rules = compile_policy(policy, {"anna": "almaty", "boris": "sales"})
    monday = at("09:00")
    assert rules.channel("whatsapp").at(monday).window == 24 * 3600
    assert not rules.channel("whatsapp").at(monday).bot_can_resolve
    assert rules.channel("instagram").at(monday).bot_can_resolve
    twitter = rules.channel("twitter").at(monday)
    assert twitter.calendar_id is None
    assert rules.channel("something else").at(monday).calendar_id == "shop"
    assert rules.calendar_of("anna", twitter, monday) == "almaty"
    assert rules.calendar_of("boris", rules.channel("whatsapp").at(monday), monday) == "shop"
    assert rules.calendar_of("unknown", twitter, monday) is None
    assert (date(2026, 5, 1), ()) in policy.calendars["shop"][0].exceptions.items()


def test_the_defaults_are_the_contract() -> None:
    policy = Policy.default()
    rules = compile_policy(policy, {})
    channel = rules.channel("whatsapp").at(0)
    assert channel == (None, False, 600, 1800, 28_800, 900, 28_800, None, 80)
    assert (rules.idle_seconds, rules.late_reply_seconds, rules.new_contact_seconds, rules.early_delete_seconds) == (
        86_400, 604_800, 2_592_000, 60,
    )  # fmt: skip
    assert (policy.time_zone, policy.reread_days) == ("Europe/Moscow", 7)
    assert policy.no_reply_needed_marks == ("#безответа", "#без ответа")


def test_dated_entries_change_only_what_they_name_from_local_midnight_on() -> None:
    policy = Policy.parse(
        K
        + """
organisation: {calendar: [{calendar: none}, {valid_from: 2026-05-04, calendar: K}]}
defaults: [{reply_target_minutes: 40}, {valid_from: 2026-05-04, no_reply_limit_minutes: 60, good_score_at_least: 60}]
teams: {sales: [{valid_from: 2026-05-04, calendar: none}]}
channels:
  whatsapp: [{valid_from: 2026-05-04, reply_target_minutes: 20}, {hard_window_hours: 24}]
"""
    )
    rules = compile_policy(policy, {"anna": "sales"})
    whatsapp, other = rules.channel("whatsapp"), rules.channel("telegram")
    sunday, monday = at("Sun 23:59:59"), at("+1 Mon 00:00")
    assert (whatsapp.at(sunday).target, whatsapp.at(monday).target) == (2400, 1200)
    assert (whatsapp.at(sunday).window, whatsapp.at(monday).window) == (86_400, 86_400)
    assert (other.at(sunday).limit, other.at(monday).limit) == (28_800, 3600)
    assert (other.at(sunday).good_score, other.at(monday).good_score) == (80, 60)
    assert (other.at(sunday).calendar_id, other.at(monday).calendar_id) == (None, "K")
    # the team has a calendar of its own from Monday on: none
    assert rules.calendar_of("anna", other.at(monday)._replace(calendar_id="K"), sunday) == "K"
    assert rules.calendar_of("anna", other.at(monday), monday) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("channels: {whatsapp: [{hard_window_hours: -1}]}", "channels.whatsapp[0].hard_window_hours: "),
        ("channels: {whatsapp: {target: 5}}", "channels.whatsapp[0].target: there is no such setting"),
        ("channels: {whatsapp: {calendar: K}}", "channels.whatsapp.calendar: there is no calendar 'K'"),
        ("teams: {sales: X}", "teams.sales.calendar: there is no calendar 'X'"),
        ("organisation: {calendar: X}", "organisation.calendar: there is no calendar 'X'"),
        ("organisation: {time_zone: Mars/Base}", "organisation.time_zone: 'Mars/Base' is no time zone"),
        ("calendars: {none: {time_zone: UTC}}", 'calendars.none: this name means "no calendar"'),
        ("calendars: {a: {time_zone: UTC, weekly: {mon: 9-18}}}", "calendars.a[0].weekly.mon: '9-18' is no interval"),
        (
            "calendars: {a: {time_zone: UTC, weekly: {mon: ['09:00-09:00']}}}",
            "calendars.a[0].weekly.mon: '09:00-09:00'",
        ),
        ("calendars: {a: {time_zone: UTC, weekly: {mon: 5}}}", 'calendars.a[0].weekly.mon: write "closed" or a list'),
        ("calendars: {a: {time_zone: UTC, weekly: {montag: closed}}}", "calendars.a[0].weekly.montag"),
        ("calendars: {a: []}", "calendars: at least one entry is needed"),
        ("defaults: [{}, {}]", "defaults: two entries have the same valid_from"),
        ("defaults: {reply_target_minutes: 0}", "defaults[0].reply_target_minutes: "),
        ("channels: {whatsapp: {good_score_at_least: 101}}", "channels.whatsapp[0].good_score_at_least: "),
        ("session_idle_hours: a day", "session_idle_hours: "),
        ("owners: {sales: {name: Анна}}", "owners.sales: there is no such setting"),
        ("owners: {raw: {name: Анна, chat: everybody}}", "owners.raw.chat: "),
        ("alerts: {week_by: 9}", "alerts.week_by: write a time of day in quotes"),
        ("alerts: {late_hours: 0}", "alerts.late_hours: "),
        ("exports: {texts: some}", "exports.texts: "),
        ("exports: {weeks: 0}", "exports.weeks: "),
        ("exports: {tabs: all}", "exports.tabs: there is no such setting"),
        (
            "a: 1\nsession_idle_hours: 2\nsession_idle_hours: 3",
            "policy.yaml, line 3: 'session_idle_hours' is written twice",
        ),
        ("a: [1", "policy.yaml, line "),
        ("- 1", "policy.yaml: a policy is a mapping"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str) -> None:
    assert place in refused(text)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: the policy cannot be read"):
        Policy.load("nowhere.yaml")


def test_hash_is_of_the_content() -> None:
    one = Policy.parse("session_idle_hours: 24\nteams: {a: none, b: none}")
    other = Policy.parse("# a comment\nteams: {b: {calendar: none}, a: [{calendar: none}]}")
    assert one.hash == other.hash
    assert len(one.hash) == 64
    assert one.hash != Policy.default().hash != Policy.parse("late_reply_days: 8").hash


def test_who_is_told_changes_no_figure() -> None:
    told = Policy.parse('owners: {raw: {name: Анна, chat: -1001}}\nalerts: {late_hours: 5, week_by: "08:30"}')
    assert (told.owners.named("raw").chat, told.owners.named("raw").name) == ("-1001", "Анна")
    assert told.owners.named(told.owners.key_of("marts")) == Policy.default().owners.default
    assert told.owners.named("an owner of last year") == told.owners.default
    assert (told.alerts.late_hours, told.alerts.week_by.isoformat()) == (5, "08:30:00")
    assert told.hash == Policy.default().hash


def test_what_a_spreadsheet_shows_changes_no_figure() -> None:
    shown = Policy.parse("exports: {weeks: 3, raw_rows: 10, texts: none}")
    assert (shown.exports.weeks, shown.exports.raw_weeks, shown.exports.raw_rows, shown.exports.texts) == (
        3, 4, 10, "none",
    )  # fmt: skip
    assert Policy.default().exports.texts == "masked"
    assert shown.hash == Policy.default().hash


def test_nothing_can_be_changed_after_reading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Policy.default().session_idle_hours = 5  # type: ignore[misc]
