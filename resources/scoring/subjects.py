"""Which talks of a range of days are judged, with what was said in them, and by what.

Here: calls that ``conversations.scoring.eligible`` let through, and sessions of chats that ended with a human reply and
hold a written message of the customer or a manager; a few at a time, in order. A conversation of the telephony has
sessions, too, but nobody wrote in them: its calls are judged by their transcripts. Not here: which call is eligible
(``evaluated.call_eligibility``, written by the load), rubrics and prompts themselves (``works``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from conversations.policy import Policy
from conversations.scoring.shapes import SubjectKind, Talk
from conversations.scoring.talks import talk_of_call, talk_of_session
from conversations.window import Window, iso_week
from resources.warehouse.stale_quotes import WORDS_CHANGED

PORTION = 200
"""Talks that are read at a time: bounds memory whatever the range."""
DAYS_OF_A_RUN = 7
"""Most days of one run: a purchase that goes wrong ends after a week's talks."""


class Subject(NamedTuple):
    """One talk: whose it is, when it was, by what it is judged."""

    kind: SubjectKind
    subject_id: str
    """``call_id`` or ``session_id``."""
    call_id: str | None
    talk: Talk
    department_id: str | None
    """``None``: a chat."""
    rubric_id: str
    prompt_id: str
    instructions_tab: str | None
    manager_id: str | None
    conversation_id: str
    connection_id: str
    channel_id: str
    customer_id: str | None
    happened_at: datetime
    happened_on: date
    happened_week: str


@dataclass(frozen=True)
class Chosen:
    """What a run is asked for.

    >>> Chosen(date(2026, 5, 4), date(2026, 5, 5)).kinds
    ('call', 'session')
    """

    first: date
    last: date
    """Local days, both included."""
    kinds: tuple[SubjectKind, ...] = ("call", "session")
    department: str | None = None
    """Calls of this department only, and no chats."""
    again: frozenset[str] = frozenset()
    """Rubrics by which talks are judged again that have a verdict by another version of it."""
    with_awaited: bool = False
    """And after them the talks of any day whose verdict was taken away because their words have changed."""

    def window(self, time_zone: str) -> Window:
        """The instants of the days."""
        return Window.of_days(self.first, self.last, time_zone)


_CALLS_FROM = """
from evaluated.call_eligibility as e
join core.calls as c on c.call_id = e.call_id
join core.call_transcripts as t on t.call_id = e.call_id
where e.why_not is null and e.department_id = any(%(departments)s) and t.state = 'ready'
"""
_CALL_IDS = f"""
select e.call_id {_CALLS_FROM} and e.business_on between %(first)s and %(last)s order by e.business_on, e.call_id
"""
_AWAITED = f"""
select w.subject_id from evaluated.scorecards as w
where
    w.subject_kind = %(kind)s and w.judge = 'model' and w.is_current and w.reason = '{WORDS_CHANGED}'
    and w.happened_on not between %(first)s and %(last)s
"""  # noqa: S608
_AWAITED_CALL_IDS = f"""
select e.call_id {_CALLS_FROM} and e.call_id in ({_AWAITED}) order by e.business_on, e.call_id
"""
_CALLS = f"""
select
    c.call_id, t.phrases::text, e.department_id, c.operator_id, c.conversation_id, c.connection_id, c.channel_id,
    c.customer_id, c.started_at, c.business_on
{_CALLS_FROM} and e.call_id = any(%(ids)s)
order by c.business_on, c.call_id
"""
_WRITTEN = """
    m.is_public and m.deleted_at is null and m.text <> '' and m.content_kind <> 'call'
    and m.delivery_status <> 'failed'
"""
HAS_WORDS = f"""
exists (
    select from evaluated.sessions as s
    join core.messages as m
        on m.conversation_id = s.conversation_id and m.sent_at >= s.started_at and m.sent_at <= s.last_message_at
    where s.session_id = b.session_id and m.sender_kind in ('customer', 'manager') and {_WRITTEN}
)
"""
"""Of a session ``b``: somebody wrote a word in it."""
_SESSION_IDS = f"""
select b.session_id from evaluated.behaviour as b
where b.ended_on between %(first)s and %(last)s and b.ended_week = any(%(weeks)s) and {HAS_WORDS}
order by b.ended_on, b.session_id
"""  # noqa: S608
_AWAITED_SESSION_IDS = f"""
select b.session_id from evaluated.behaviour as b
where b.session_id in ({_AWAITED}) and {HAS_WORDS}
order by b.ended_on, b.session_id
"""  # noqa: S608
_SESSIONS = """
select
    b.session_id, b.manager_id, b.conversation_id, b.connection_id, b.channel_id, b.customer_id, b.ended_at, b.ended_on,
    s.started_at, s.last_message_at
from evaluated.behaviour as b
join evaluated.sessions as s on s.session_id = b.session_id
where b.session_id = any(%(ids)s)
order by b.ended_on, b.session_id
"""
_MESSAGES = f"""
select a.session_id, m.message_id, m.sender_kind, m.text
from unnest(%(sessions)s::text[], %(chats)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
    as a(session_id, conversation_id, begins, ends)
join core.messages as m
    on m.conversation_id = a.conversation_id and m.sent_at >= a.begins and m.sent_at <= a.ends
where
    {_WRITTEN}
    and m.sender_kind in ('customer', 'manager', 'bot', 'autoreply', 'campaign')
order by a.session_id, m.source_seq nulls last, m.sent_at, m.message_id collate "C"
"""  # noqa: S608


class Listed(NamedTuple):
    """The ids of the chosen talks, in the order in which they are judged."""

    calls: list[str]
    sessions: list[str]
    awaited_calls: Sequence[str] = ()
    awaited_sessions: Sequence[str] = ()

    @property
    def awaited(self) -> list[str]:
        """Those of other days, whose words have changed."""
        return [*self.awaited_calls, *self.awaited_sessions]

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.calls) + len(self.sessions) + len(self.awaited)


def list_subjects(connection: psycopg.Connection[Any], policy: Policy, chosen: Chosen) -> Listed:
    """Which talks are judged; sessions only where the policy says that chats are."""
    values = _values(policy, chosen)

    def ids(statement: str, kind: SubjectKind) -> list[str]:
        return [one for (one,) in connection.execute(statement, {**values, "kind": kind}).fetchall()]

    has_calls = "call" in chosen.kinds and policy.scoring.calls_enabled
    has_sessions = "session" in chosen.kinds and policy.scoring.chats.enabled and chosen.department is None
    return Listed(
        ids(_CALL_IDS, "call") if has_calls else [],
        ids(_SESSION_IDS, "session") if has_sessions else [],
        ids(_AWAITED_CALL_IDS, "call") if has_calls and chosen.with_awaited else [],
        ids(_AWAITED_SESSION_IDS, "session") if has_sessions and chosen.with_awaited else [],
    )


def read_subjects(
    connection: psycopg.Connection[Any], policy: Policy, chosen: Chosen, listed: Listed, portion: int = PORTION
) -> Iterator[list[Subject]]:
    """The listed talks with what was said in them, in portions.

    A run may take hours: each portion is a statement of its own, so that no transaction is as old as the run. What has
    gone since it was listed is left out.
    """
    values = _values(policy, chosen)
    for calls, sessions in ((listed.calls, listed.sessions), (listed.awaited_calls, listed.awaited_sessions)):
        for begin in range(0, len(calls), portion):
            rows = connection.execute(_CALLS, {**values, "ids": [*calls[begin : begin + portion]]}).fetchall()
            yield [_call(policy, row) for row in rows]
        for begin in range(0, len(sessions), portion):
            rows = connection.execute(_SESSIONS, {"ids": [*sessions[begin : begin + portion]]}).fetchall()
            said = _said(connection, rows)
            yield [_session(policy, row, said.get(row[0], [])) for row in rows]


def _values(policy: Policy, chosen: Chosen) -> dict[str, Any]:
    departments: Collection[str] = policy.departments
    if chosen.department is not None:
        departments = [one for one in departments if one == chosen.department]
    days = range(chosen.first.toordinal(), chosen.last.toordinal() + 1)
    weeks = sorted({iso_week(date.fromordinal(day)) for day in days})
    return {"first": chosen.first, "last": chosen.last, "departments": list(departments), "weeks": weeks}


def _call(policy: Policy, row: tuple[Any, ...]) -> Subject:
    call_id, phrases, department_id, operator_id, *context, started_at, on = row
    department = policy.departments[department_id]
    return Subject(
        "call",
        call_id,
        call_id,
        talk_of_call(phrases, on),
        department_id,
        department.rubric,
        department.prompt,
        department.instructions_tab,
        operator_id,
        *context,
        started_at,
        on,
        iso_week(on),
    )


def _session(policy: Policy, row: tuple[Any, ...], said: Sequence[_Written]) -> Subject:
    session_id, manager_id, *context, ended_at, on, _, _ = row
    chats = policy.scoring.chats
    return Subject(
        "session",
        session_id,
        None,
        talk_of_session(said, on),
        None,
        chats.rubric,
        chats.prompt,
        chats.instructions_tab,
        manager_id,
        *context,
        ended_at,
        on,
        iso_week(on),
    )


class _Written(NamedTuple):
    """A message as a talk needs it."""

    message_id: str
    sender_kind: str
    text: str


def _said(connection: psycopg.Connection[Any], sessions: Sequence[tuple[Any, ...]]) -> dict[str, list[_Written]]:
    """What was written in each session, in order."""
    found: dict[str, list[_Written]] = {}
    values = {
        "sessions": [row[0] for row in sessions],
        "chats": [row[2] for row in sessions],
        "begins": [row[-2] for row in sessions],
        "ends": [row[-1] for row in sessions],
    }
    for session_id, *message in connection.execute(_MESSAGES, values):
        found.setdefault(session_id, []).append(_Written(*message))
    return found
