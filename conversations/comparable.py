"""Whether the figures of two weeks were made by the same rules: the key behind ``not_comparable``.

Here: one key per metric and week, from what the policy says of each day of the week. Not here: what is done with it
(``conversations.delta``), which channels and teams a row is about (the marts).

Contract, section 7: a delta is taken only within one definition, calendar and set of targets. A week's key is made of
what was *in force on its days*, never of the whole policy: a dated entry leaves the keys of the weeks before it as they
were, so a change that begins on a Monday costs exactly one delta, one in mid-week two. A changed undated setting
changes every key, as it changes every judgement. Dated exceptions of a calendar (holidays, short days) are the same
rules at work, not other rules; names of calendars and of teams mean nothing by themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from enum import Flag, auto
from typing import Any
from zoneinfo import ZoneInfo

from conversations.metrics import Metric
from conversations.policy import DEFINITION_VERSION, WEEKDAYS, Policy
from conversations.rules import channel_timeline, team_timeline


class Rests(Flag):
    """What a metric rests on besides the definition and the undated rules."""

    WAITS = auto()
    """Targets, limits, windows, bot settings and calendars."""
    LEXICONS = auto()


_SHARED = Rests.WAITS | Rests.LEXICONS

RESTS: Mapping[str, Rests] = {
    "in_target_share": Rests.WAITS,
    "slow_reply_share": Rests.WAITS,
    "no_reply_share": Rests.WAITS,
    "first_reply_p50_business_seconds": Rests.WAITS,
    "first_reply_p50_seconds": Rests.WAITS,
    "reply_p50_business_seconds": Rests.WAITS,
    "reply_p50_seconds": Rests.WAITS,
    "missed_calls_in_target_share": Rests.WAITS,
    "asked_clarifying_share": Rests.LEXICONS,
    "made_offer_share": Rests.LEXICONS,
    # a session whose last wait was not answered in time is not judged for its next step: the limits have a say in it
    "has_next_step_share": _SHARED,
    "no_next_step_share": _SHARED,
    "good_share": _SHARED,
}
"""Metrics that are missing here are none of the rules': scores of a model have their rubric (``score_key``)."""

OF_GOOD = frozenset({"good_share"})
"""Metrics that a model's score has a say in where one counts (contract, section 5)."""

UNDATED = (
    "session_idle_hours",
    "late_reply_days",
    "early_delete_seconds",
    "closing_words",
    "human_request_phrases",
    "no_reply_needed_marks",
    "autoreply_bot_names",
)
"""Settings without dates that have a say in waits and sessions. Not among them: ``new_contact_days`` and
``reread_days``, on which no compared metric rests."""


def comparison_key(
    metric: Metric,
    policy: Policy,
    monday: date,
    *,
    channel_kinds: Collection[str],
    teams: Collection[str | None],
    lexicon_hashes: Collection[str],
    own_teams: Collection[str | None] = (),
    judged_by: Collection[str] = (),
) -> str:
    """The key of a metric in the week that begins on ``monday``: 64 hex digits, equal for two weeks exactly when the
    same rules were in force on the same days of both.

    Args:
        channel_kinds: kinds of the channels that the row may draw on: of a channel its own; of a manager those of all
            channels of the accounts he works in. Not only those with messages in the week: who had no Instagram
            message in one week was not judged by other rules.
        teams: teams whose calendars the row may draw on, ``None`` for none: all that the policy names, since the
            calendar of a wait is that of whoever was assigned, not of whoever answered.
        lexicon_hashes: with which the week's sessions were judged; of the whole week, or, where there is no session,
            of the lexicons in force. Used by metrics of behaviour only.
        own_teams: of a manager those that he was in during the week: a move to a team with other hours is a change.
        judged_by: hashes of other policies by which some of the week's rows were judged. What those said is not known
            here: such a week is like none that was judged otherwise.

    Raises:
        ValueError: ``monday`` is none, or the metric does not rest on rules.
    """
    if monday.weekday():
        raise ValueError(f"{monday} is no Monday")
    if metric.name not in RESTS:
        raise ValueError(f"{metric.name} does not rest on the rules of the policy")
    rests = RESTS[metric.name]
    content: dict[str, Any] = {"definition": DEFINITION_VERSION}
    content |= {name: _plain(getattr(policy, name)) for name in UNDATED}
    if Rests.WAITS in rests:
        content["days"] = {kind: _days(policy, kind, teams or (None,), monday) for kind in set(channel_kinds)}
        if own_teams:
            content["own"] = {kind: _days(policy, kind, own_teams, monday) for kind in set(channel_kinds)}
    if Rests.LEXICONS in rests:
        content["lexicons"] = sorted(set(lexicon_hashes))
    if metric.name in OF_GOOD:
        content["good"] = {kind: _good_scores(policy, kind, monday) for kind in set(channel_kinds)}
    if judged_by:
        content["judged_by"] = sorted(set(judged_by))
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def score_key(judged_by: Collection[tuple[Any, ...]]) -> str:
    """The key of a model's scores in a week: 64 hex digits, equal for two weeks exactly when the row's talk was judged
    by the same rubrics, versions, prompts, models and admitted criteria.

    Unlike limits, what happened to be judged counts here: the mean over calls and chats, which have rubrics of their
    own, is another figure than the mean over chats alone.

    Args:
        judged_by: of each scorecard the rubric, its version, the prompt's hash, the model and the admitted criteria.
    """
    content = {"definition": DEFINITION_VERSION, "judges": sorted(json.dumps(one) for one in set(judged_by))}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def with_scores(rules_key: str, judged_by: Collection[tuple[Any, ...]]) -> str:
    """The key of a metric of ``OF_GOOD``: that of the rules, and where scores have a say in it theirs behind a "+".

    A week in which a model had its say on good sessions is not compared with one in which none had.

    Args:
        judged_by: as of ``score_key``, of all sessions of the week: what was in force, not whose talk was scored.
    """
    return f"{rules_key}+{score_key(judged_by)}" if judged_by else rules_key


def is_scored_since(was: str, now: str) -> bool:
    """Whether two keys of one week differ only because scores came.

    >>> is_scored_since("a1", "a1+b2"), is_scored_since("a1+b2", "a1+c3"), is_scored_since("a1", "a2+b2")
    (True, False, False)
    """
    return "+" not in was and now.partition("+")[0] == was


def _good_scores(policy: Policy, kind: str, monday: date) -> list[int]:
    """What is asked of a model's score of the sessions that end on each day of the week."""
    channel = channel_timeline(policy, kind)
    return [channel.at(_midnight(policy, monday + timedelta(days=number))).good_score for number in range(7)]


def _days(policy: Policy, kind: str, teams: Collection[str | None], monday: date) -> list[dict[str, Any]]:
    """What holds for waits of a kind of channel that open on each day of the week: limits, and each team's hours."""
    channel = channel_timeline(policy, kind)
    choices = {team: team_timeline(policy, team) if team in policy.teams else None for team in teams}
    days = []
    for day in (monday + timedelta(days=number) for number in range(7)):
        second = _midnight(policy, day)
        limits = channel.at(second)._asdict()
        # no wait rests on it
        del limits["good_score"]
        own = _hours(policy, limits.pop("calendar_id"), day)
        by_team: dict[str, Any] = {}
        for team, choice in choices.items():
            named, calendar = choice.at(second) if choice is not None else (False, None)
            by_team[team or ""] = _hours(policy, calendar, day) if named else own
        hours = list(by_team.values())
        # teams with the same hours are as one: a move between them changes no figure
        days.append(
            {"limits": limits, "own": own, "teams": hours[0] if hours.count(hours[0]) == len(hours) else by_team}
        )
    return days


def _midnight(policy: Policy, day: date) -> int:
    """The first second of a day: settings change at midnight of the organisation's zone, so it stands for the day."""
    return int(datetime.combine(day, time(), ZoneInfo(policy.time_zone)).timestamp())


def _hours(policy: Policy, calendar: str | None, day: date) -> Any:
    """Zone and weekly hours of a calendar as valid on a day; ``None``: calendar time."""
    if calendar is None:
        return None
    known = sorted(policy.calendars[calendar], key=lambda version: version.valid_from or date.min)
    valid = [version for version in known if (version.valid_from or date.min) <= day]
    if not valid:
        return "not yet"
    return [valid[-1].time_zone, [sorted(valid[-1].weekly.get(weekday, ())) for weekday in WEEKDAYS]]


def _plain(value: Any) -> Any:
    return sorted(set(value)) if isinstance(value, tuple) else value
