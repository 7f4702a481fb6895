"""Evaluating a customer from a later point on, so that the cost of a day does not grow with his history.

Here: from which instant evaluation may begin, what must be known of the time before and what must be read. Not here:
reading it.

**The rule.** Rows judged earlier (at an earlier ``as_of``) stay true up to an instant ``at`` if nothing before
``changed_from`` has changed, and

- every session that began before ``at`` ended before it: no session, and so no open wait, spans ``at``;
- every unanswered wait of those sessions already has its late reply, from before ``changed_from``: no reply to come is
  "the first after" it, sets its ``answered_after_limit_at`` or prolongs its session.

**What is read** for ``evaluate(contact, rules, as_of, restart.carry)``:

- all chats of the customer;
- messages of each chat that stand behind ``restart.read_after[conversation_id]`` in the order (sent_at, message_id),
  all messages of a chat that is not in it. What lies between there and ``at`` are bot, campaign and failed messages,
  which belong to no session but may matter to the next one;
- events from ``at`` on, and of each chat the last ``assigned`` before ``at`` (by at, event_id): the owner at opening;
- for chats with ``source_seq``: time does not order them, so their customers are evaluated whole, without ``Carry``.

**What is replaced**: sessions that began at ``at`` or later, with their waits and ``left_waiting`` rows.

``changed_from`` is the earliest of: ``sent_at`` and ``at`` of every message and event that is new, changed or gone
since the stored rows were made; their ``as_of`` less the policy's ``early_delete_seconds`` (a manager's deletion that
was not visible then). Stored rows were made with the same policy and definition version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from conversations.timeline import Instant, Session, Wait


class Carry(NamedTuple):
    """What an evaluation that does not begin at the beginning has to know of the time before."""

    session_started_at: Instant | None = None
    """Latest start of an earlier session, in any chat of the customer."""
    session_ended_at: Instant | None = None
    """Latest end of an earlier session, in any chat of the customer."""
    ends_outgoing: frozenset[str] = frozenset()
    """Chats whose last earlier session has ``Session.ends_outgoing``."""


class Restart(NamedTuple):
    """Where evaluation begins again."""

    at: Instant
    carry: Carry
    read_after: Mapping[str, tuple[Instant, str]]
    """By ``conversation_id``: time and id of the last message of the chat's last session before ``at``."""


def find_restart(sessions: Iterable[Session], waits: Iterable[Wait], changed_from: Instant) -> Restart | None:
    """The latest instant, at most ``changed_from``, from which evaluation gives what it gives from the beginning.

    Args:
        sessions: the stored sessions of one customer, all his chats. Leaving out the oldest is allowed as long as the
            last session of each chat before ``changed_from`` and all that ended in the ``new_contact_days`` before
            the restart are there.
        waits: the stored waits of these sessions; only unanswered ones (no_reply, window_expired) are looked at, and
            of all times: one without a late reply holds the restart back to its session.
        changed_from: see above.

    Returns:
        ``None`` if evaluation has to begin at the beginning.
    """
    in_time = sorted((session for session in sessions if session.started_at < changed_from), key=_started)
    unsettled = {
        wait.session_id
        for wait in waits
        if wait.outcome in ("no_reply", "window_expired")
        and (wait.answered_after_limit_at is None or wait.answered_after_limit_at >= changed_from)
    }
    latest_end: Instant = -1
    ends: list[Instant] = []
    for session in in_time:
        if session.ended_at is None or session.session_id in unsettled:
            break
        latest_end = max(latest_end, session.ended_at)
        ends.append(latest_end)
    for kept in range(len(ends), 0, -1):
        at = changed_from if kept == len(in_time) else in_time[kept].started_at
        # strictly: what stands at the instant itself is read again and must not have ended anything before it
        if in_time[kept - 1].started_at < at and ends[kept - 1] < at:
            return _restart(at, in_time[:kept])
    return None


def _restart(at: Instant, earlier: list[Session]) -> Restart:
    last = {session.conversation_id: session for session in earlier}
    carry = Carry(
        session_started_at=earlier[-1].started_at,
        session_ended_at=max(session.ended_at or 0 for session in earlier),
        ends_outgoing=frozenset(chat_id for chat_id, session in last.items() if session.ends_outgoing),
    )
    read_after = {chat_id: (session.last_message_at, session.last_message_id) for chat_id, session in last.items()}
    return Restart(at, carry, read_after)


def _started(session: Session) -> tuple[Instant, str]:
    return (session.started_at, session.session_id)
