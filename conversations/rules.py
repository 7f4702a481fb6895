"""The policy made ready for a run: calendars laid out, settings by moment, word lists compiled.

Here: which value of a setting holds for a chat at an instant. Not here: what the policy may say
(``conversations.policy``), what follows from it (``conversations.walk``, ``conversations.waits``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from conversations.business_hours import BusinessHours, HoursVersion
from conversations.needs_reply import ClosingRule, HumanRequestRule
from conversations.people import teams_of
from conversations.policy import CONTRACT_LIMITS, NO_CALENDAR, WEEKDAYS, CalendarVersion, Policy

_Value = TypeVar("_Value")

_DAY = 86_400


class ChannelRules(NamedTuple):
    """The settings of a kind of channel at a moment. Durations in seconds."""

    calendar_id: str | None
    """Of the channel, else of the organisation."""
    bot_can_resolve: bool
    first_target: int
    """T of message waits that are the first of their session."""
    target: int
    limit: int
    call_target: int
    call_limit: int
    window: int | None
    """The hard reply window, in calendar time."""
    good_score: int
    """Points of a model from which a session can be good; of those that end now."""


class Timeline(Generic[_Value]):
    """Values that hold from a second on."""

    def __init__(self, changes: Sequence[tuple[int | None, _Value]]) -> None:
        """``changes``: by time; the first holds from the beginning, whatever its second."""
        self._values = [value for _, value in changes]
        self._seconds = [second for second, _ in changes[1:]]

    def at(self, second: int) -> _Value:
        """The value that holds at ``second``."""
        return self._values[bisect_right(self._seconds, second)] if self._seconds else self._values[0]


class Rules:
    """A policy compiled for one run. Keeps calendars as far as they were asked for, so build it once."""

    def __init__(self, policy: Policy, manager_teams: Mapping[str, str | None]) -> None:
        self.idle_seconds = policy.session_idle_hours * 3600
        self.late_reply_seconds = policy.late_reply_days * _DAY
        self.new_contact_seconds = policy.new_contact_days * _DAY
        self.early_delete_seconds = policy.early_delete_seconds
        self.closes = ClosingRule(policy.closing_words).closes
        self.asks_for_human = HumanRequestRule(policy.human_request_phrases).asks
        self.hours: dict[str | None, BusinessHours | None] = {None: None}
        for name, versions in policy.calendars.items():
            self.hours[name] = BusinessHours([_hours_version(version) for version in versions])
        self._channels = {kind: channel_timeline(policy, kind) for kind in policy.channels}
        self._other_channels = channel_timeline(policy, None)
        self._team_calendars = {team: team_timeline(policy, team) for team in policy.teams}
        self._teams = _teams_by_time(policy, manager_teams)
        self._persons = {account: one for one, person in policy.people.items() for account in person.accounts}

    def channel(self, kind: str) -> Timeline[ChannelRules]:
        """Settings of a kind of channel; of the defaults, where the policy does not name it."""
        return self._channels.get(kind, self._other_channels)

    def person(self, manager_id: str) -> str:
        """The person behind an account; an account that the policy does not name is one by itself."""
        return self._persons.get(manager_id, manager_id)

    def calendar_of(self, manager_id: str | None, channel: ChannelRules, second: int) -> str | None:
        """Calendar of a wait opened at ``second``: his team of that moment, else channel, else organisation."""
        teams = self._teams.get(manager_id) if manager_id is not None else None
        team = teams.at(second) if teams is not None else None
        if team is None or team not in self._team_calendars:
            return channel.calendar_id
        named, calendar_id = self._team_calendars[team].at(second)
        return calendar_id if named else channel.calendar_id


def compile_policy(policy: Policy, manager_teams: Mapping[str, str | None]) -> Rules:
    """Make a policy ready for ``evaluate``.

    Args:
        manager_teams: the team that the source names for each manager, by ``manager_id``; of the managers of all
            connections, since a person of the policy may have accounts in several. The policy's own word goes first.
    """
    return Rules(policy, manager_teams)


def _teams_by_time(policy: Policy, manager_teams: Mapping[str, str | None]) -> dict[str, Timeline[str | None]]:
    """The team of each account by second."""
    teams: dict[str, Timeline[str | None]] = {
        manager_id: Timeline([(None, team)]) for manager_id, team in manager_teams.items()
    }
    for person in policy.people.values():
        stays = teams_of(person, manager_teams)
        line = Timeline([(_midnight(day, policy.time_zone), team) for day, team in stays])
        teams |= dict.fromkeys(person.accounts, line)
    return teams


def _hours_version(version: CalendarVersion) -> HoursVersion:
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (version.weekly.get(day, ()) for day in WEEKDAYS)
    weekly = (monday, tuesday, wednesday, thursday, friday, saturday, sunday)
    return HoursVersion(version.valid_from, version.time_zone, weekly, version.exceptions)


def channel_timeline(policy: Policy, kind: str | None) -> Timeline[ChannelRules]:
    """The settings of a kind of channel by second; of ``None`` and of a kind that the policy does not name, what the
    defaults say."""
    entries = [*_by_date(policy.defaults), *_by_date(policy.channels.get(kind, ()) if kind is not None else ())]
    calendars = _by_date(policy.organisation.calendar)
    days = {date.min} | {entry.valid_from for entry in (*entries, *calendars) if entry.valid_from is not None}
    changes: list[tuple[int | None, ChannelRules]] = []
    for day in sorted(days):
        held = {"calendar": NO_CALENDAR}
        for entry in (*calendars, CONTRACT_LIMITS, *entries):
            if (entry.valid_from or date.min) <= day:
                held |= {name: value for name, value in entry if value is not None}
        changes.append((_midnight(day, policy.time_zone), _channel_rules(held)))
    return Timeline(changes)


def _channel_rules(held: Mapping[str, Any]) -> ChannelRules:
    return ChannelRules(
        calendar_id=None if held["calendar"] == NO_CALENDAR else held["calendar"],
        bot_can_resolve=held["bot_can_resolve"],
        first_target=held["first_reply_target_minutes"] * 60,
        target=held["reply_target_minutes"] * 60,
        limit=held["no_reply_limit_minutes"] * 60,
        call_target=held["missed_call_target_minutes"] * 60,
        call_limit=held["missed_call_limit_minutes"] * 60,
        window=held["hard_window_hours"] * 3600 or None,
        good_score=held["good_score_at_least"],
    )


def team_timeline(policy: Policy, team: str) -> Timeline[tuple[bool, str | None]]:
    """Whether the team names a calendar at all, and which; before its first dated entry it names none."""
    choices = _by_date(policy.teams[team])
    changes: list[tuple[int | None, tuple[bool, str | None]]] = []
    if choices[0].valid_from is not None:
        changes.append((None, (False, None)))
    for choice in choices:
        calendar = None if choice.calendar == NO_CALENDAR else choice.calendar
        changes.append((_midnight(choice.valid_from or date.min, policy.time_zone), (True, calendar)))
    return Timeline(changes)


def _by_date(entries: Iterable[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: entry.valid_from or date.min)


def _midnight(day: date, time_zone: str) -> int | None:
    if day == date.min:
        return None
    return int(datetime.combine(day, time(), ZoneInfo(time_zone)).timestamp())
