"""Monday's digest in the warehouse: what it rests on, read from the marts, and its messages in the outbox.

Here: queries over the published marts and facts, ids of messages. Not here: what is told (``conversations.digest``), in
which words (``conversations.messages.digest``), sending (``resources.alerts``). Every function takes a session of the
publisher; the caller commits.

Ids: ``digest:<week>:<chat>`` is there once whatever is run again, so a chat gets the digest of a week at most once, of
whatever revision; ``digest-late:<week>:<chat>`` the same for the short message instead; a person's wish to send once
more is numbered. A chat whose id has changed (a group that became a supergroup: the messenger says so, and the sender
writes the new id down as the recipient) is known by the recipient, too. That @name and a number are the same chat
nobody tells: who writes the other one into the policy between two publications of a week is a new chat for that week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from conversations.delta import DeltaStatus
from conversations.digest import Change, Condition, Facts, Figures, company_change
from conversations.messages import channel_title
from conversations.window import iso_week, monday_of
from resources.warehouse.audit import record
from resources.warehouse.outbox import TELEGRAM, Message, overtake, queue

TREND_WEEKS = 8
_HEADLINE = "in_target_share"

_MANAGERS = """
select manager_key as key, manager_name as name, team_id as "group",
    waits_settled as settled, in_target, slow_reply as slow, unanswered, pending_now as pending, answered,
    reply_p50_business_seconds, next_step_judged, has_next_step, data_status as status
from marts.manager_week
where week = %(week)s and (waits_settled > 0 or pending_now > 0 or sessions_touched > 0)
order by manager_id is null, team_id nulls last, manager_name, manager_key
"""
_CHANNELS = """
select channel_id as key, channel_kind as kind, channel_name as name, null as "group",
    waits_settled as settled, in_target, slow_reply as slow, unanswered, pending_now as pending, answered,
    reply_p50_business_seconds, next_step_judged, has_next_step, data_status as status
from marts.channel_week where week = %(week)s order by channel_kind, channel_name, channel_id
"""
_CHANGES = """
select 'manager' as subject_kind, manager_key as key, manager_name as name, null as kind, metric, delta_status, value,
    n, previous_value, previous_n, delta, p_value, is_headline
from marts.manager_week_delta where week = %(week)s
union all
select 'channel', channel_id, channel_name, channel_kind, metric, delta_status, value,
    n, previous_value, previous_n, delta, p_value, is_headline
from marts.channel_week_delta where week = %(week)s
order by 1, 3, 2, 5
"""
_CONDITIONS = """
select c.channel_kind, c.channel_name, s.status, s.reasons, s.is_stale, c.waits_settled
from marts.data_status as s join marts.channel_week as c using (week, channel_id)
where s.week = %(week)s order by c.channel_kind, c.channel_name, channel_id
"""
# the facts behind the newest revision of a week, in the customers' view
_CASES = """
select session_id, (outcome = 'in_target')::int
from marts.published_waits
where week = %(week)s and wait_kind = 'message'
    and outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')
    and revision = (select max(revision) from marts.week_revisions where week = %(week)s)
order by session_id, wait_id
"""
_RULES = """
select subject_key, rules_key, n
from marts.behavior_snapshot
where week = %(week)s and subject_kind = 'channel' and metric = %(metric)s
    and revision = (select max(revision) from marts.week_revisions where week = %(week)s)
"""
# as the comparisons of managers and channels see it: of today, while a snapshot keeps what was known when it was made
_COMPLETENESS = """
select case when bool_and(status = 'ok') then min(coalesce(completeness_share, 1)) end
from marts.data_status where week = %(week)s
"""
_TREND = """
select week, sum(in_target)::bigint, sum(waits_settled)::bigint
from marts.channel_week where week <= %(week)s and week > %(before)s group by week order by week
"""
_HEAD = """
select min(d.as_of), max(c.definition_version), (select max(revision) from marts.week_revisions where week = %(week)s)
from marts.data_status as d left join marts.channel_week as c using (week, channel_id) where week = %(week)s
having count(*) > 0
"""
_TARGETS = """
select min(target_seconds) filter (where is_first_of_session), max(target_seconds) filter (where is_first_of_session),
    min(target_seconds) filter (where not is_first_of_session),
    max(target_seconds) filter (where not is_first_of_session)
from marts.published_waits
where week = %(week)s and wait_kind = 'message'
    and revision = (select max(revision) from marts.week_revisions where week = %(week)s)
"""


class NotPublished(LookupError):
    """The week is not in the marts; the text names it."""


class Place(NamedTuple):
    """Where the digest is read: what the marts do not know."""

    organisation: str
    time_zone: str
    link: str | None


def newest_week(connection: psycopg.Connection[Any]) -> str:
    """The newest published week.

    Raises:
        NotPublished: there is none.
    """
    if connection.execute("select to_regclass('marts.week_revisions') is not null").fetchone() != (True,):
        raise NotPublished("no week")
    row = connection.execute("select max(week) from marts.week_revisions").fetchone()
    if row is None or row[0] is None:
        raise NotPublished("no week")
    return str(row[0])


def conditions(connection: psycopg.Connection[Any], week: str) -> list[Condition]:
    """How the data of each channel of a published week are."""
    rows = connection.execute(_CONDITIONS, {"week": week})
    return [Condition(channel_title(kind, name), *rest) for kind, name, *rest in rows]


def facts(connection: psycopg.Connection[Any], week: str, place: Place) -> Facts:
    """Everything that the digest of a published week rests on; one snapshot, if the session has one.

    Raises:
        NotPublished: the week is not in the marts.
    """
    given = {"week": week}
    head = connection.execute(_HEAD, given).fetchone() if _is_there(connection) else None
    if head is None:
        raise NotPublished(week)
    as_of, version, revision = head
    monday = monday_of(week)
    trend = connection.execute(_TREND, {"week": week, "before": iso_week(monday - timedelta(weeks=TREND_WEEKS))})
    return Facts(
        organisation=place.organisation,
        week=week,
        monday=monday,
        time_zone=place.time_zone,
        as_of=as_of,
        revision=revision or 1,
        company=_company(connection, week, monday, version or 1),
        managers=[_figures(row) for row in _rows(connection, _MANAGERS, given)],
        channels=[_figures(row) for row in _rows(connection, _CHANNELS, given)],
        changes=[_change(row) for row in _rows(connection, _CHANGES, given)],
        conditions=conditions(connection, week),
        trend=[(one, int(hits), int(n)) for one, hits, n in trend],
        targets=_targets(connection, week),
        link=place.link,
    )


def queue_digest(
    connection: psycopg.Connection[Any], week: str, chats: Iterable[str], body: str, picture: bytes, at: datetime
) -> dict[str, bool]:
    """Write the digest down for every chat that has not got it; by chat, whether it was new.

    The short message of the same week that still waits for its sender is given up: what it announces is there.
    """
    done = {}
    for chat in chats:
        message = Message(digest_id(week, chat), TELEGRAM, chat, body, picture)
        done[chat] = not _has(connection, digest_id, week, chat) and queue(connection, message, at)
        if done[chat]:
            overtake(connection, late_id(week, chat), at)
    return done


def queue_late(connection: psycopg.Connection[Any], week: str, chats: Iterable[str], body: str, at: datetime) -> int:
    """Write the short message down for every chat that has neither it nor the digest; how many were new."""
    told = 0
    for chat in chats:
        if not any(_has(connection, which, week, chat) for which in (digest_id, late_id)):
            told += queue(connection, Message(late_id(week, chat), TELEGRAM, chat, body), at)
    return told


def queue_again(
    connection: psycopg.Connection[Any], week: str, chats: Iterable[str], body: str, picture: bytes, at: datetime
) -> None:
    """A person's decision to send the digest of a week once more."""
    for chat in chats:
        first = digest_id(week, chat)
        row = connection.execute(
            "select count(*) from ops.outbox where message_id = %s or starts_with(message_id, %s)",
            (first, f"{first}:again:"),
        ).fetchone()
        number = row[0] if row is not None else 0
        if queue(connection, Message(f"{first}:again:{number}", TELEGRAM, chat, body, picture), at):
            record(connection, "digest_again", f"{week}", at=at)


def digest_id(week: str, chat: str) -> str:
    """The message that a chat gets once."""
    return f"digest:{week}:{chat}"


def late_id(week: str, chat: str) -> str:
    """The short message that a chat gets once."""
    return f"digest-late:{week}:{chat}"


def _has(connection: psycopg.Connection[Any], naming: Callable[[str, str], str], week: str, chat: str) -> bool:
    """Whether a chat was written such a message of a week, in whatever state, under this id or an earlier one."""
    row = connection.execute(
        "select exists (select from ops.outbox where message_id = %s"
        " or (recipient = %s and starts_with(message_id, %s)))",
        (naming(week, chat), chat, naming(week, "")),
    ).fetchone()
    return row == (True,)


def _company(connection: psycopg.Connection[Any], week: str, monday: date, version: int) -> Any:
    previous = iso_week(monday - timedelta(days=7))
    # an older version published weeks without the facts behind them: nothing can be compared with those
    is_known = connection.execute(
        "select exists (select from marts.week_revisions where week = %s)", (previous,)
    ).fetchone() == (True,)  # fmt: skip
    now, before = _rules(connection, week), _rules(connection, previous)
    return company_change(
        week,
        version,
        _cases(connection, week),
        _cases(connection, previous) if is_known else None,
        completeness=(_completeness(connection, week), _completeness(connection, previous)),
        has_same_rules=_is_same(now, before),
    )


def _cases(connection: psycopg.Connection[Any], week: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for session, hit in connection.execute(_CASES, {"week": week}):
        found[session].append(hit)
    return found


def _rules(connection: psycopg.Connection[Any], week: str) -> dict[str, tuple[str, int]]:
    """Of each channel of a week the key of its rules and its cases."""
    rows = connection.execute(_RULES, {"week": week, "metric": _HEADLINE})
    return {key: (rules, n) for key, rules, n in rows}


def _is_same(now: Mapping[str, tuple[str, int]], before: Mapping[str, tuple[str, int]]) -> bool:
    """Whether both weeks were judged by the same rules: those of every channel that both have.

    A channel with cases that only one of the weeks has was judged by no rules in the other: its first and its last week
    make the whole company another one. A channel that was merely quiet in a week is there, with no cases.
    """
    one_sided = [side[key][1] for side, other in ((now, before), (before, now)) for key in side.keys() - other.keys()]
    return not any(one_sided) and all(now[key][0] == before[key][0] for key in now.keys() & before.keys())


def _completeness(connection: psycopg.Connection[Any], week: str) -> Any:
    """The least of the week's channels; one that is not known makes the whole unknown."""
    row = connection.execute(_COMPLETENESS, {"week": week}).fetchone()
    return row[0] if row is not None else None


def _targets(connection: psycopg.Connection[Any], week: str) -> tuple[int | None, int | None]:
    row = connection.execute(_TARGETS, {"week": week}).fetchone() or (None,) * 4
    first, first_most, other, other_most = row
    return first if first == first_most else None, other if other == other_most else None


def _figures(row: Mapping[str, Any]) -> Figures:
    given = dict(row)
    kind = given.pop("kind", None)
    return Figures(**given) if kind is None else Figures(**{**given, "name": channel_title(kind, given["name"])})


def _change(row: Mapping[str, Any]) -> Change:
    name = row["name"] if row["kind"] is None else channel_title(row["kind"], row["name"])
    numbers = {
        one: None if row[one] is None else float(row[one]) for one in ("value", "previous_value", "delta", "p_value")
    }
    return Change(
        row["subject_kind"],
        row["key"],
        name,
        row["metric"],
        DeltaStatus(row["delta_status"]),
        n=row["n"],
        previous_n=row["previous_n"],
        is_headline=row["is_headline"],
        **numbers,
    )


def _rows(connection: psycopg.Connection[Any], query: str, given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()  # type: ignore[arg-type]


def _is_there(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute("select to_regclass('marts.week_revisions') is not null").fetchone()
    return found == (True,)
