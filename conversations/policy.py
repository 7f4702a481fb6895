"""The business policy: one typed, frozen, hashed object that says what the figures mean for one organisation.

Here: its shape, its defaults (marked (D) in the metric contract) and how it is read from ``policy.yaml``. Not here:
what the rules do with it (``conversations.rules`` and its callers), settings of machines and accounts (environment).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from conversations.policy_alerts import AlertLimits, Owners
from conversations.policy_digest import DigestSettings
from conversations.policy_exports import Exports
from conversations.policy_people import Customers, People
from conversations.policy_scoring import Departments, Scoring, Telephony
from conversations.scoring.required import contradiction

DEFINITION_VERSION = 1
"""Version of the metric definitions; a changed rule raises it and says why in docs/definitions.

1: first version.
"""

NOT_JUDGED_BY = ("owners", "alerts", "exports", "digest", "telephony", "departments", "scoring", "customers")
"""Sections that say nothing about what a wait or a behaviour figure means; they are no part of the hash."""

NO_CALENDAR = "none"
"""Written instead of a calendar's name: no opening hours, waits are measured in calendar time."""

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_INTERVAL = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class PolicyError(ValueError):
    """The policy file cannot be used; the text names the file, the place in it and what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _parse_hours(value: Any) -> Any:
    """``["09:00-13:00", "22:00-06:00"]`` as minutes of the day; ``closed`` as no interval."""
    if value == "closed":
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError('write "closed" or a list of hours like ["09:00-13:00", "14:00-18:00"]')
    return tuple(_parse_interval(part) for part in value)


def _parse_interval(part: Any) -> Any:
    if not isinstance(part, str):
        return part
    match = _INTERVAL.fullmatch(part.replace(" ", ""))
    if match is None:
        raise ValueError(f"{part!r} is no interval; write it like 09:00-18:00")
    open_hour, open_minute, close_hour, close_minute = map(int, match.groups())
    opens, closes = open_hour * 60 + open_minute, close_hour * 60 + close_minute
    if opens >= 1440 or closes > 1440 or opens == closes:
        raise ValueError(f"{part!r}: hours run from 00:00 to 24:00 and cannot be empty")
    return (opens, closes if closes > opens else closes + 1440)


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like Europe/Moscow") from error
    return name


def _as_list(value: Any) -> Any:
    """One mapping stands for a list with one entry that has always been valid."""
    return (value,) if isinstance(value, dict) else value


def _as_choices(value: Any) -> Any:
    return ({"calendar": value},) if isinstance(value, str) else _as_list(value)


Hours = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_parse_hours)]
TimeZone = Annotated[str, BeforeValidator(_check_zone)]
Minutes = Annotated[int, Field(gt=0, le=366 * 24 * 60)]


class _Dated(_Part):
    valid_from: date | None = None
    """First local date on which the entry holds; without it, it has always held."""


class CalendarVersion(_Dated):
    """Opening hours from a local date on (contract, section 3)."""

    time_zone: TimeZone
    weekly: dict[Weekday, Hours] = Field(default_factory=dict)
    """Weekdays that are not named are closed."""
    exceptions: dict[date, Hours] = Field(default_factory=dict)
    """Replaces everything that would open on that local date."""


CalendarVersions = Annotated[tuple[CalendarVersion, ...], BeforeValidator(_as_list)]


class Limits(_Dated):
    """What is expected of waits (contract, section 4.2) and of good talks. An entry changes only what it names."""

    first_reply_target_minutes: Minutes | None = None
    reply_target_minutes: Minutes | None = None
    no_reply_limit_minutes: Minutes | None = None
    missed_call_target_minutes: Minutes | None = None
    missed_call_limit_minutes: Minutes | None = None
    hard_window_hours: Annotated[int, Field(ge=0)] | None = None
    """Calendar time in which the channel lets a reply through; 0: it has no such window."""
    bot_can_resolve: bool | None = None
    good_score_at_least: Annotated[int, Field(ge=0, le=100)] | None = None
    """A session that a model has scored is good from so many points on (contract, section 5); below, it is not."""


class ChannelSettings(Limits):
    """What a kind of channel sets for itself; the rest comes from ``defaults``."""

    calendar: str | None = None
    """A name under ``calendars``, or ``none``; without it, the organisation's calendar holds."""


CONTRACT_LIMITS = Limits(
    first_reply_target_minutes=10,
    reply_target_minutes=30,
    no_reply_limit_minutes=480,
    missed_call_target_minutes=15,
    missed_call_limit_minutes=480,
    hard_window_hours=0,
    bot_can_resolve=False,
    good_score_at_least=80,
)
"""The contract's own defaults: they hold wherever the policy names nothing else."""


class CalendarChoice(_Dated):
    """Which calendar a team or the organisation uses from a date on."""

    calendar: str
    """A name under ``calendars``, or ``none``."""


CalendarChoices = Annotated[tuple[CalendarChoice, ...], BeforeValidator(_as_choices)]


class Organisation(_Part):
    name: str = "Организация"
    time_zone: TimeZone = "Europe/Moscow"
    """Business days and weeks are counted in it, and the dates ``valid_from`` of everything but calendars."""
    calendar: CalendarChoices = (CalendarChoice(calendar=NO_CALENDAR),)


class Policy(_Part):
    """The whole policy. Equal content has an equal ``hash``, whatever the order and the comments in the file."""

    organisation: Organisation = Organisation()
    calendars: dict[str, CalendarVersions] = Field(default_factory=dict)
    teams: dict[str, CalendarChoices] = Field(default_factory=dict)
    people: People = Field(default_factory=dict)
    """Who is who; an account that is not named is a person of its own, in the team that the source names."""
    customers: Customers = Customers()
    """Other links of customers have those judged again whom they concern, and nobody else."""
    defaults: Annotated[tuple[Limits, ...], BeforeValidator(_as_list)] = (CONTRACT_LIMITS,)
    channels: dict[str, Annotated[tuple[ChannelSettings, ...], BeforeValidator(_as_list)]] = Field(default_factory=dict)

    session_idle_hours: Annotated[int, Field(gt=0)] = 24
    late_reply_days: Annotated[int, Field(ge=0)] = 7
    new_contact_days: Annotated[int, Field(gt=0)] = 30
    early_delete_seconds: Annotated[int, Field(ge=0)] = 60
    reread_days: Annotated[int, Field(gt=0)] = 7

    closing_words: tuple[str, ...] = ("спасибо", "ок", "хорошо", "понятно", "договорились", "👍", "🙏")
    human_request_phrases: tuple[str, ...] = (
        "=оператор",
        "=оператора",
        "=менеджер",
        "=менеджера",
        "=человек",
        "=адам",
        "позов* оператор*",
        "позов* менеджер*",
        "позов* человек*",
        "позвать оператор*",
        "позвать менеджер*",
        "соедин* оператор*",
        "соедин* менеджер*",
        "соедин* человек*",
        "переключ* оператор*",
        "переключ* менеджер*",
        "нуж* оператор",
        "нуж* менеджер",
        "с живым человеком",
        "жив* человек*",
        "жив* оператор*",
        "тірі адам*",
        "адам керек",
        "адаммен сөйлес*",
        "операторға қос*",
    )
    no_reply_needed_marks: tuple[str, ...] = ("#безответа", "#без ответа")
    autoreply_bot_names: tuple[str, ...] = ("автоответ",)

    owners: Owners = Owners()
    alerts: AlertLimits = AlertLimits()
    exports: Exports = Exports()
    digest: DigestSettings = DigestSettings()
    telephony: Telephony = Telephony()
    departments: Departments = Field(default_factory=dict)
    scoring: Scoring = Scoring()

    @property
    def time_zone(self) -> str:
        """The organisation's zone."""
        return self.organisation.time_zone

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical content, 64 hex digits; without what changes no figure (``NOT_JUDGED_BY``, the names
        of people): a new owner of a trouble must not have every conversation judged again."""
        judged_by = self.model_dump(mode="json", exclude=set(NOT_JUDGED_BY))
        for person in judged_by["people"].values():
            del person["name"]
        content = json.dumps(judged_by, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a policy file.

        Raises:
            PolicyError: the file cannot be read or says something that is not a policy; names the place in the file.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"{path}: the policy cannot be read ({type(error).__name__})") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str = "policy") -> Self:
        """As ``load``, from the text of a file.

        Raises:
            PolicyError: as ``load``.
        """
        try:
            content = yaml.load(text, _StrictLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise PolicyError(f"{name}{where}: {getattr(error, 'problem', None) or 'not YAML'}") from error
        if not isinstance(content, dict):
            raise PolicyError(f"{name}: a policy is a mapping of settings")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problems = "\n".join(f"  {_place(item['loc'])}: {_problem(item)}" for item in error.errors())
            raise PolicyError(f"{name}: the policy says what cannot be used\n{problems}") from error

    @classmethod
    def default(cls) -> Self:
        """The contract's defaults, with no calendar: waits in calendar time."""
        return cls()

    @field_validator("calendars", "teams", "defaults", "channels", "organisation")
    @classmethod
    def _check_dates(cls, value: Any) -> Any:
        lists = value.values() if isinstance(value, dict) else [value] if isinstance(value, tuple) else [value.calendar]
        for entries in lists:
            dates = [entry.valid_from or date.min for entry in entries]
            if not dates:
                raise ValueError("at least one entry is needed")
            if len(set(dates)) < len(dates):
                raise ValueError("two entries have the same valid_from")
        return value

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if NO_CALENDAR in self.calendars:
            raise ValueError(f'calendars.{NO_CALENDAR}: this name means "no calendar"')
        for place, name in self._calendars_used():
            if name not in self.calendars and name != NO_CALENDAR:
                raise ValueError(f"{place}: there is no calendar {name!r} under calendars")
        for person_id, person in self.people.items():
            for choice in person.team:
                if choice.team is not None and choice.team not in self.teams:
                    raise ValueError(f"people.{person_id}.team: there is no team {choice.team!r} under teams")
        if two := contradiction(self.departments, self.scoring):
            raise ValueError(f"departments: {two}")
        return self

    def _calendars_used(self) -> Iterator[tuple[str, str]]:
        groups: list[tuple[str, tuple[Any, ...]]] = [("organisation", self.organisation.calendar)]
        groups += [(f"teams.{team}", entries) for team, entries in self.teams.items()]
        groups += [(f"channels.{kind}", entries) for kind, entries in self.channels.items()]
        for place, entries in groups:
            for entry in entries:
                if entry.calendar is not None:
                    yield f"{place}.calendar", entry.calendar


# libyaml, where it is there: a run loads its policy twenty times
class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """``yaml.safe_load`` that refuses a key written twice instead of taking the last one silently."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is written twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _place(location: tuple[int | str, ...]) -> str:
    """``channels.whatsapp[0].calendar`` from pydantic's location."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "policy"


def _problem(item: Any) -> str:
    message = item["msg"].removeprefix("Value error, ")
    return "there is no such setting" if item["type"] == "extra_forbidden" else message
