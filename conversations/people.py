"""Managers as people: whose account it is, and in which team he was on a day.

Here: what the policy and the directories of the sources say together. Not here: the rows in the warehouse
(``assets.reference``), the calendar that follows from a team (``conversations.rules``).

An account that the policy does not name is a person of its own, with its id, its name and its team.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from conversations.policy import Policy
from conversations.policy_people import Person

ALWAYS = date.min
"""``valid_from`` of what has held ever since."""


class Known(NamedTuple):
    """A manager as a source knows him."""

    manager_id: str
    name: str
    team_id: str | None


class Account(NamedTuple):
    """One row of ``reference.people``."""

    manager_id: str
    person_id: str
    person_name: str


class Stay(NamedTuple):
    """One row of ``reference.person_teams``: the team from a local day of the organisation on."""

    person_id: str
    valid_from: date
    team_id: str | None


class People(NamedTuple):
    """Everybody who answers customers, in the order of the ids."""

    accounts: list[Account]
    stays: list[Stay]
    missing: list[str]
    """Accounts of the policy that no source knows: not loaded yet, or misspelt."""


def people_of(policy: Policy, managers: Iterable[Known]) -> People:
    """Say of every known account whose it is, and of every such person where he was when.

    The first stay of a person begins with ``ALWAYS``; neighbouring stays differ, so each row is a change.
    """
    known = {manager.manager_id: manager for manager in managers}
    source_teams = {manager.manager_id: manager.team_id for manager in known.values()}
    accounts: list[Account] = []
    stays: list[Stay] = []
    missing: list[str] = []
    taken: set[str] = set()
    for person_id, person in policy.people.items():
        present = [account for account in person.accounts if account in known]
        missing += [account for account in person.accounts if account not in known]
        taken |= set(present)
        if present:
            name = person.name or known[present[0]].name
            accounts += [Account(account, person_id, name) for account in present]
            stays += [Stay(person_id, day, team) for day, team in teams_of(person, source_teams)]
    for manager in known.values():
        if manager.manager_id not in taken:
            accounts.append(Account(manager.manager_id, manager.manager_id, manager.name))
            stays.append(Stay(manager.manager_id, ALWAYS, manager.team_id))
    return People(sorted(accounts), sorted(stays, key=lambda stay: stay[:2]), sorted(missing))


def teams_of(person: Person, source_teams: Mapping[str, str | None]) -> list[tuple[date, str | None]]:
    """The teams of a person of the policy, by the local day each begins; the first is ``ALWAYS``.

    Args:
        source_teams: the team that the source names for each account.
    """
    by_source = next((source_teams[one] for one in person.accounts if source_teams.get(one) is not None), None)
    dated = sorted(((choice.valid_from or ALWAYS, choice.team) for choice in person.team), key=itemgetter(0))
    if not dated or dated[0][0] != ALWAYS:
        dated.insert(0, (ALWAYS, by_source))
    return [entry for place, entry in enumerate(dated) if not place or entry[1] != dated[place - 1][1]]
