"""The sections ``people`` and ``customers`` of the policy: which accounts are one person, and in which team he was
when; whether numbers say which customers are one human.

Here: its shape and what it may not say by itself. Not here: which teams there are (``conversations.policy`` holds the
names against ``teams``), what follows for rows (``conversations.people``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NOBODY = "none"
"""The key under which reports show what belongs to no manager; no person can be called so."""

_PERSON_ID = re.compile(r"[^\s:]{1,64}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TeamChoice(_Part):
    """A team from a local date of the organisation on."""

    valid_from: date | None = None
    """First local date in the team; without it, ever since."""
    team: str | None
    """A name under ``teams``; null: in none."""


def _as_choices(value: Any) -> Any:
    """A name stands for a team that has always been his, alone or in a list of dated ones."""
    if not isinstance(value, list | tuple):
        value = (value,)
    return tuple({"team": one} if one is None or isinstance(one, str) else one for one in value)


def _check_dates(choices: tuple[TeamChoice, ...]) -> tuple[TeamChoice, ...]:
    days = [choice.valid_from or date.min for choice in choices]
    if len(set(days)) < len(days):
        raise ValueError("two entries have the same valid_from")
    return choices


class Customers(_Part):
    """Which ids of customers are one human, besides what people write down (``otklik link-customers``)."""

    link_by_number: bool = True
    """Whether the customer of a telephony is the one who alone has his number in another connection: he is known by
    nothing else, and apart from his chats a call would not answer a message, nor a message a missed call."""


class Person(_Part):
    """One human, whatever number of accounts he answers from."""

    name: Annotated[str, Field(min_length=1)] | None = None
    """As reports show him; without it, the name of his first account."""
    accounts: Annotated[tuple[str, ...], Field(min_length=1)]
    """Ids of ``core.managers``: connection, colon, the vendor's id."""
    team: Annotated[tuple[TeamChoice, ...], BeforeValidator(_as_choices), AfterValidator(_check_dates)] = ()
    """Without it, and before its first dated entry, what the source says holds: the team of the first of his accounts
    that has one."""


def _check_people(people: Mapping[str, Person]) -> Mapping[str, Person]:
    owner: dict[str, str] = {}
    for person_id, person in people.items():
        if person_id == NOBODY or not _PERSON_ID.fullmatch(person_id):
            raise ValueError(f"{person_id!r} cannot name a person: no colon, no blank, at most 64 characters, not none")
        for account in person.accounts:
            if account in owner:
                raise ValueError(f"{person_id}.accounts: {account!r} is already an account of {owner[account]}")
            owner[account] = person_id
    return people


People: TypeAlias = Annotated[dict[str, Person], AfterValidator(_check_people)]
"""By person id. An id has no colon, so it can never be the id of somebody's account."""
