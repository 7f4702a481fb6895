"""Who is told of which trouble, and from when on something counts as trouble: two sections of the policy.

Here: their shape and defaults. Not here: what the rules do with them (``conversations.alerts``), the rest of the
policy. Neither section changes what a figure means, so neither is part of the policy's hash.
"""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Area: TypeAlias = Literal["raw", "core", "evaluated", "marts", "exports", "connections", "platform"]
"""The layers of the walk, the accounts, and the machinery below all of it (daemon, disk, database)."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _parse_clock(value: Any) -> Any:
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a time of day in quotes, like "09:00"')
    return time(int(match[1]), int(match[2]))


def _chat(value: Any) -> Any:
    # a chat's id is a number, and YAML reads it as one
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Chat = Annotated[str, Field(pattern=r"^(-?\d{1,16}|@[A-Za-z][A-Za-z0-9_]{3,31})$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Owner(_Section):
    """Whose trouble it is."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    chat: Annotated[_Chat | None, BeforeValidator(_chat)] = None
    """The Telegram chat; without it the operators' (TELEGRAM_CHAT_ID)."""


class Owners(_Section):
    """One owner per area; an area that is not named belongs to ``default``."""

    default: Owner = Owner(name="дежурный")
    raw: Owner | None = None
    core: Owner | None = None
    evaluated: Owner | None = None
    marts: Owner | None = None
    exports: Owner | None = None
    connections: Owner | None = None
    platform: Owner | None = None

    def key_of(self, area: Area) -> str:
        """The key under which the owner of an area stands: the area's own name, or ``default``.

        >>> Owners(raw=Owner(name="Данные")).key_of("raw"), Owners().key_of("raw")
        ('raw', 'default')
        """
        return area if getattr(self, area) is not None else "default"

    def named(self, key: str) -> Owner:
        """The owner under a key; a key that the policy does not know (any more) is ``default``'s."""
        owner = getattr(self, key, None) if key in type(self).model_fields else None
        return owner or self.default


class AlertLimits(_Section):
    """From when on something is trouble."""

    late_hours: Annotated[int, Field(gt=0)] = 30
    """Hours since an account was last read to its end, and since the end of what was judged: a night and a half."""
    heartbeat_minutes: Annotated[int, Field(ge=0)] = 5
    """Minutes without a sign of life of Dagster's daemon; 0: there is none here, nobody waits for it."""
    disk_percent: Annotated[int, Field(gt=0, le=100)] = 80
    """Share of the disk that is taken (promise F7)."""
    week_by: Annotated[time, BeforeValidator(_parse_clock)] = time(9)
    """Local time on Monday by which the week that ended on Sunday must be published."""
