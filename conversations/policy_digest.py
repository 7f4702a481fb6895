"""To whom Monday's digest goes: a section of the policy.

Here: its shape and defaults. Not here: what the digest says (``conversations.digest``), from when on a week that is
missing is late (``alerts.week_by``). The section changes no figure, so it is no part of the policy's hash.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_WEB = re.compile(r"https?://[^\s<>\"']+")


def _chats(value: Any) -> Any:
    # a chat's id is a number, and YAML reads it as one; a single one needs no list
    given = [value] if isinstance(value, int | str) and not isinstance(value, bool) else value
    if not isinstance(given, list | tuple):
        return given
    named = [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in given]
    return tuple(dict.fromkeys(named)) if all(isinstance(one, str) for one in named) else given


def _link(value: Any) -> Any:
    if isinstance(value, str) and not _WEB.fullmatch(value):
        raise ValueError("write a whole address, like https://docs.google.com/spreadsheets/d/...")
    return value


_Chat = Annotated[str, Field(pattern=r"^(-?\d{1,16}|@[A-Za-z][A-Za-z0-9_]{3,31})$")]


class DigestSettings(BaseModel):
    """Monday's digest in Telegram."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether it is sent by itself; ``otklik digest --send`` works either way."""
    chats: Annotated[tuple[_Chat, ...], BeforeValidator(_chats)] = ()
    """Who gets it; empty: the operators' chat (TELEGRAM_CHAT_ID)."""
    link: Annotated[str | None, BeforeValidator(_link)] = None
    """Where its one link leads; without it, to the spreadsheet that is written, if there is one."""
