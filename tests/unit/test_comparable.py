"""When two weeks may be compared: what changes the key of a week, what does not, and for how many weeks."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from conversations import comparable
from conversations.comparable import OF_GOOD, RESTS, UNDATED, comparison_key, is_scored_since, with_scores
from conversations.delta import DeltaStatus, Week, delta
from conversations.metrics import METRICS, metric
from conversations.policy import Policy
from tests.unit.weeks import single

MONDAY = date(2026, 11, 16)
SHARE, CLARIFYING, OFFER = metric("in_target_share"), metric("asked_clarifying_share"), metric("made_offer_share")
GOOD = metric("good_share")
BASE = """
organisation: {time_zone: Europe/Moscow, calendar: shop}
calendars:
  shop: {time_zone: Europe/Moscow, weekly: {mon: ["09:00-18:00"], tue: ["09:00-18:00"]}}
  care: {time_zone: Europe/Moscow, weekly: {mon: ["09:00-21:00"]}}
  same: {time_zone: Europe/Moscow, weekly: {mon: ["09:00-18:00"], tue: ["09:00-18:00"]}}
teams: {sales: shop, care: care, twin: same}
"""


def policy(*changes: str) -> Policy:
    """The base policy, with whole sections replaced."""
    import yaml

    content: dict[str, Any] = yaml.safe_load(BASE)
    for change in changes:
        content |= yaml.safe_load(change)
    return Policy.model_validate(content)


def key(rules: Policy, week: int = 0, **arguments: Any) -> str:
    given: dict[str, Any] = {
        "metric": SHARE,
        "channel_kinds": ["whatsapp", "instagram"],
        "teams": ["sales"],
        "lexicon_hashes": ["l"],
    } | arguments
    return comparison_key(given.pop("metric"), rules, MONDAY + timedelta(weeks=week), **given)


def changes(rules: Policy, **arguments: Any) -> list[int]:
    """The weeks, counted from ``MONDAY``, that are not comparable with the week before."""
    keys = {week: key(rules, week, **arguments) for week in range(-3, 5)}
    return [week for week in range(-2, 5) if keys[week] != keys[week - 1]]


def test_a_policy_without_changes_has_one_key_for_ever() -> None:
    assert changes(policy()) == []
    assert len(key(policy())) == 64
    # the last two weeks of 2026 and the first of 2027, with New Year's holidays
    assert len({key(Policy.load("policy.yaml"), week) for week in range(4, 10)}) == 1


@pytest.mark.parametrize(
    "setting",
    [
        "first_reply_target_minutes: 5",
        "reply_target_minutes: 20",
        "no_reply_limit_minutes: 300",
        "missed_call_target_minutes: 5",
        "missed_call_limit_minutes: 60",
        "hard_window_hours: 48",
        "bot_can_resolve: true",
        "calendar: care",
        "good_score_at_least: 70",
    ],
)
def test_a_dated_setting_costs_one_delta_from_a_monday_on_and_two_in_mid_week(setting: str) -> None:
    from_monday = policy(f"channels: {{whatsapp: [{{}}, {{valid_from: 2026-11-16, {setting}}}]}}")
    from_wednesday = policy(f"channels: {{whatsapp: [{{}}, {{valid_from: 2026-11-18, {setting}}}]}}")
    from_sunday = policy(f"channels: {{whatsapp: [{{}}, {{valid_from: 2026-11-22, {setting}}}]}}")
    of = {"metric": GOOD if "good_score" in setting else SHARE}
    # a channel's own calendar counts beside the team's: waits that nobody was assigned to use it
    assert changes(from_monday, **of) == [0]
    assert changes(from_wednesday, **of) == [0, 1]
    assert changes(from_sunday, **of) == [0, 1]
    assert changes(from_monday, channel_kinds=["telegram"], **of) == []
    if "calendar" not in setting:
        assert changes(policy(f"defaults: [{{}}, {{valid_from: 2026-11-16, {setting}}}]"), **of) == [0]


def test_what_is_asked_of_scores_has_a_say_in_good_sessions_alone() -> None:
    stricter = policy("defaults: {good_score_at_least: 90}")
    changed = {name for name in RESTS if key(stricter, metric=metric(name)) != key(policy(), metric=metric(name))}
    assert changed == OF_GOOD == {"good_share"}


def test_scores_that_had_a_say_are_part_of_the_key() -> None:
    by_one, by_two = ("chats", 1, "p", "demo", "greeting"), ("chats", 2, "p", "demo", "greeting")
    keys = [with_scores("k", judges) for judges in ([], [by_one], [by_two], [by_one, by_two])]
    assert len(set(keys)) == 4 and keys[0] == "k"
    assert with_scores("k", [by_two, by_one, by_one]) == keys[3]
    assert [is_scored_since("k", key) for key in keys] == [True] * 4
    assert not any(is_scored_since(keys[1], key) for key in keys[2:])
    assert not is_scored_since("other", keys[1])


def test_every_dated_limit_has_its_case() -> None:
    from conversations.policy import ChannelSettings

    mark = test_a_dated_setting_costs_one_delta_from_a_monday_on_and_two_in_mid_week.pytestmark[0]
    assert {text.split(":")[0] for text in mark.args[1]} == set(ChannelSettings.model_fields) - {"valid_from"}


def test_exactly_one_delta_is_not_comparable_after_a_dated_change() -> None:
    rules = policy("defaults: [{}, {valid_from: 2026-11-16, reply_target_minutes: 20}]")
    weeks = [Week(single([1, 0] * 20), 1, key(rules, week)) for week in range(-3, 4)]
    states = [delta(SHARE, "anna", "2026-W47", "1", now, before).status for before, now in pairwise(weeks)]
    assert states.count(DeltaStatus.NOT_COMPARABLE) == 1
    assert states[2] == DeltaStatus.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("change", "teams", "weeks"),
    [
        ("organisation: {calendar: [{calendar: shop}, {valid_from: 2026-11-16, calendar: care}]}", [None], [0]),
        # another name for the same hours
        ("organisation: {calendar: [{calendar: shop}, {valid_from: 2026-11-16, calendar: same}]}", [None], []),
        ("teams: {sales: [{calendar: shop}, {valid_from: 2026-11-16, calendar: care}]}", ["sales"], [0]),
        ("teams: {sales: [{calendar: shop}, {valid_from: 2026-11-16, calendar: care}]}", ["other"], []),
        ("teams: {sales: [{calendar: shop}, {valid_from: 2026-11-16, calendar: none}]}", ["sales"], [0]),
        # one of a channel's teams takes the hours of another that is there already
        (
            "teams: {sales: shop, care: care, twin: [{calendar: shop}, {valid_from: 2026-11-16, calendar: care}]}",
            ["sales", "care", "twin"],
            [0],
        ),
        # until Monday the organisation's own hours held, which are the same
        ("teams: {sales: [{valid_from: 2026-11-16, calendar: shop}]}", ["sales"], []),
        ("teams: {sales: [{valid_from: 2026-11-16, calendar: care}]}", ["sales"], [0]),
    ],
)
def test_calendars_are_compared_by_their_hours(change: str, teams: list[str | None], weeks: list[int]) -> None:
    assert changes(policy(change), teams=teams) == weeks


def test_a_new_version_of_a_calendar_is_a_change_and_a_holiday_is_none() -> None:
    hours = 'time_zone: Europe/Moscow, weekly: {mon: ["09:00-18:00"], tue: ["09:00-18:00"]}'
    later = hours.replace("18:00", "19:00")
    holiday = policy(f"calendars: {{shop: {{{hours}, exceptions: {{2026-11-17: closed}}}}}}", "teams: {}")
    longer = policy(f"calendars: {{shop: [{{{hours}}}, {{valid_from: 2026-11-16, {later}}}]}}", "teams: {}")
    moved = policy(
        f"calendars: {{shop: [{{{hours}}}, {{valid_from: 2026-11-16, {hours.replace('Moscow', 'Samara')}}}]}}",
        "teams: {}",
    )
    assert changes(holiday) == []
    assert key(holiday) == key(policy("teams: {}"))
    assert changes(longer) == changes(moved) == [0]


def test_a_move_between_teams_is_a_change_only_where_the_hours_are_others() -> None:
    rules = policy()
    assert key(rules, teams=["sales"]) == key(rules, teams=["twin"]) == key(rules, teams=["sales", "twin"])
    assert key(rules, teams=["sales"]) == key(rules, teams=[None]) == key(rules, teams=[])
    assert key(rules, teams=["sales"]) != key(rules, teams=["care"])
    # the week of the move itself
    assert key(rules, teams=["sales", "care"]) not in (key(rules, teams=["sales"]), key(rules, teams=["care"]))


def test_nothing_of_the_order_of_anything_is_in_the_key() -> None:
    rules = policy("closing_words: [ок, спасибо]")
    assert key(rules, channel_kinds=["instagram", "whatsapp", "whatsapp"]) == key(rules)
    assert key(policy("closing_words: [спасибо, ок]")) == key(rules)
    assert key(rules, teams=["care", "sales"]) == key(rules, teams=["sales", "care"])
    good = metric("good_share")
    assert key(rules, metric=good, lexicon_hashes=["b", "a"]) == key(rules, metric=good, lexicon_hashes=["a", "b"])


@pytest.mark.parametrize("name", UNDATED)
def test_an_undated_rule_changes_every_week(name: str) -> None:
    value = getattr(Policy.default(), name)
    other = policy(f"{name}: {value + 1 if isinstance(value, int) else ['нет']}")
    for one in METRICS:
        if one.name in RESTS:
            assert key(other, metric=one) != key(policy(), metric=one)


def test_every_setting_of_the_policy_is_either_in_the_key_or_known_to_change_nothing() -> None:
    dated = {"organisation", "calendars", "teams", "people", "defaults", "channels"}
    of_no_figure = {"owners", "alerts", "exports", "digest", "new_contact_days", "reread_days"}
    # scores have a key of their own: their rubrics, prompts, models and admitted criteria
    of_no_figure |= {"telephony", "departments", "scoring"}
    # who is one human holds for all weeks alike: whom other links concern is judged again from his beginning
    of_no_figure |= {"customers"}
    assert set(Policy.model_fields) <= dated | set(UNDATED) | of_no_figure


def test_lexicons_count_for_behaviour_alone_and_limits_where_they_have_a_say() -> None:
    rules = policy()
    stricter = policy("defaults: {reply_target_minutes: 20}")
    for one in METRICS:
        if one.name not in RESTS:
            continue
        of_lexicon = key(rules, metric=one) != key(rules, metric=one, lexicon_hashes=["other"])
        of_limits = key(rules, metric=one) != key(stricter, metric=one)
        is_behaviour = one.denominator in ("sessions_with_intent", "next_step_judged", "good_judged")
        assert of_lexicon == is_behaviour, one.name
        assert of_limits == (one.denominator != "sessions_with_intent"), one.name


def test_every_metric_of_rules_has_its_family() -> None:
    assert {one.name for one in METRICS} - set(RESTS) == {"llm_score_avg", "auto_fail_share"}
    with pytest.raises(ValueError, match="llm_score_avg does not rest on the rules"):
        key(policy(), metric=metric("llm_score_avg"))


def test_another_definition_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(policy(), metric=CLARIFYING)
    assert before == key(policy(), metric=OFFER)
    monkeypatch.setattr(comparable, "DEFINITION_VERSION", 99)
    assert key(policy(), metric=CLARIFYING) != before


def test_a_week_begins_on_a_monday() -> None:
    with pytest.raises(ValueError, match="2026-11-17 is no Monday"):
        comparison_key(SHARE, policy(), date(2026, 11, 17), channel_kinds=[], teams=[], lexicon_hashes=[])
