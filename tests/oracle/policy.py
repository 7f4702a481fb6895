"""The settings the oracle judges by, as plain dataclasses; no file format and no validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

Hours = tuple[tuple[int, int], ...]
"""Open intervals of one local day in minutes after midnight; a close past 1440 lies on the next day."""

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class CalendarVersion:
    """Opening hours as they hold from ``valid_from`` (a local date; ``None``: always) until the next version."""

    zone: str
    weekly: tuple[Hours, ...]
    """Monday first, seven entries."""
    exceptions: dict[date, Hours] = field(default_factory=dict)
    valid_from: date | None = None


Choices = tuple[tuple[date | None, str], ...]
"""Names of calendars with the local date of the organisation from which each is used; the first has none."""


@dataclass(frozen=True)
class ChannelSettings:
    """What holds for one kind of channel from ``valid_from`` on; all in seconds."""

    target: int = 30 * 60
    first_target: int = 10 * 60
    limit: int = 480 * 60
    missed_call_target: int = 15 * 60
    missed_call_limit: int = 480 * 60
    window: int | None = None
    bot_can_resolve: bool = False
    valid_from: date | None = None


@dataclass(frozen=True)
class OraclePolicy:
    """One organisation."""

    zone: str = "Europe/Moscow"
    calendars: dict[str, tuple[CalendarVersion, ...]] = field(default_factory=dict)
    organisation_calendars: Choices = ()
    team_calendars: dict[str, Choices] = field(default_factory=dict)
    channel_calendars: dict[str, Choices] = field(default_factory=dict)
    manager_teams: dict[str, str] = field(default_factory=dict)
    """As the source says."""
    moves: dict[str, tuple[tuple[date | None, str | None], ...]] = field(default_factory=dict)
    """Teams of a manager from a local date of the organisation on; goes before what the source says, from then on."""
    persons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Managers who are one person, under a name of their own; his team is that of the first who has one."""
    channels: dict[str, tuple[ChannelSettings, ...]] = field(default_factory=dict)
    session_idle: int = 24 * HOUR
    early_delete: int = 60
    late_reply: int = 7 * DAY
    new_contact: int = 30 * DAY
    closing_words: frozenset[str] = frozenset({"спасибо", "ок", "хорошо", "понятно", "договорились", "👍", "🙏"})
    human_requests: tuple[str, ...] = ("позовите оператора", "живой человек")
