"""What stands behind a row of manager_week or channel_week: how complete its channels are, which rules it rests on.

Here: completeness per subject, the channels' kinds and the teams for its rules. Not here: the key that is made of them
(``conversations.comparable``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import Connection, sql

from conversations.policy import Policy

NOBODY = "none"
"""manager_key of the row without a manager."""
OTHER_KIND = ""
"""Stands for every kind of channel that the policy does not name."""


@dataclass(frozen=True)
class Completeness:
    """How complete the channels of one week are, 0 to 1; ``None``: not known, or not to be trusted."""

    by_channel: Mapping[str, float | None]
    by_connection: Mapping[str, float | None]
    """Of each connection its worst channel."""
    connections: Mapping[str, Collection[str]]
    """The connections in which a person has accounts."""

    def of(self, subject_kind: str, subject_key: str) -> float | None:
        """Of a channel its own; of a person the worst of the connections he works in, where not known the worst."""
        if subject_kind == "channel":
            return self.by_channel.get(subject_key)
        mine = self.connections.get(subject_key, ())
        shares = [self.by_connection[name] for name in mine if name in self.by_connection]
        return _least(shares or self.by_connection.values())


def completeness(connection: Connection[Any], schema: str, week: str) -> Completeness:
    """Read ``data_status`` of a week in ``marts_next`` or ``marts``.

    A channel counts with its share of stored messages where its status is ok; an ok week in which the vendor counted
    nothing is complete.
    """
    rows = connection.execute(
        sql.SQL(
            "select channel_id, connection_id, case when status = 'ok' then coalesce(completeness_share, 1) end"
            " from {} where week = %s"
        ).format(sql.Identifier(schema, "data_status")),
        [week],
    ).fetchall()
    by_connection: dict[str, list[float | None]] = defaultdict(list)
    by_channel = {}
    for channel_id, connection_id, share in rows:
        by_channel[channel_id] = None if share is None else float(share)
        by_connection[connection_id].append(by_channel[channel_id])
    worst = {name: _least(shares) for name, shares in by_connection.items()}
    return Completeness(by_channel, worst, _connections(connection))


def _least(shares: Iterable[float | None]) -> float | None:
    known = list(shares)
    return min(share for share in known if share is not None) if known and None not in known else None


def _connections(connection: Connection[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for person, account in connection.execute(
        "select coalesce(p.person_id, m.manager_id), m.connection_id from core.managers as m"
        " left join reference.people as p on m.manager_id = p.manager_id"
    ):
        found[person].add(account)
    return found


@dataclass(frozen=True)
class Rests:
    """Kinds of channels and teams whose rules a row may rest on."""

    channel_kinds: frozenset[str]
    teams: frozenset[str | None]
    own_teams: frozenset[str | None]
    """Of a person those that he was in himself."""


@dataclass(frozen=True)
class Resting:
    """What the rows of one week rest on."""

    kinds: Mapping[str, str]
    """Kind of each channel."""
    teams: Mapping[str, frozenset[str | None]]
    """The teams that each person was in during the week."""
    policy: Policy

    def of(self, subject_kind: str, subject_key: str) -> Rests:
        """A channel rests on its kind's rules, whichever team answers; a person on those of whichever channel and team.

        Of a person all kinds that the policy names count, whether or not he has such a channel: to connect an Instagram
        account changes nobody's rules. All teams count, too, not only his own: the calendar of a wait is that of
        whoever was assigned when it opened, and that may be a colleague of another team. The price: a change of one
        team's hours costs every person one delta. His own teams are there besides, for his moves.
        """
        teams = frozenset({None, *self.policy.teams})
        if subject_kind == "channel":
            return Rests(frozenset({self.kinds.get(subject_key, OTHER_KIND)}), teams, frozenset())
        every = frozenset({OTHER_KIND, *self.policy.channels})
        return Rests(every, teams, self.teams.get(subject_key, frozenset({None})))


def resting(connection: Connection[Any], policy: Policy, monday: date) -> Resting:
    """Read who was in which team during a week, by ``reference.person_teams`` and else as the source says."""
    teams: dict[str, set[str | None]] = defaultdict(set)
    for person, team in connection.execute(
        "select coalesce(p.person_id, m.manager_id), m.team_id from core.managers as m"
        " left join reference.people as p on m.manager_id = p.manager_id"
    ):
        teams[person].add(team)
    stays: dict[str, list[tuple[date, str | None]]] = defaultdict(list)
    for person, valid_from, team in connection.execute(
        "select person_id, valid_from, team_id from reference.person_teams where valid_from <= %s order by 1, 2",
        [monday + timedelta(days=6)],
    ):
        stays[person].append((valid_from, team))
    for person, rows in stays.items():
        before = [team for valid_from, team in rows if valid_from <= monday][-1:]
        teams[person] = {*before, *(team for valid_from, team in rows if valid_from > monday)}
    kinds = dict(connection.execute("select channel_id, kind from core.channels").fetchall())
    return Resting(kinds, {person: frozenset(found) for person, found in teams.items()}, policy)
