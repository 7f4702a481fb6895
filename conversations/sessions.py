"""Sessions of one chat: when one begins, goes on and ends.

Here: the session that is being walked through and its result (contract, section 2, rulings 4, 5 and 14). Not here: the
order of what happens in a chat (``conversations.walk``), waits (``conversations.waits``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias

from conversations.timeline import SECOND, Instant, Session, TimedMessage


class OpenSession:
    """A session as far as the walk has come. Its messages are the public ones of customers and managers."""

    closed_at: Instant | None = None
    """First close at the source after the last message, with no wait open."""
    settled_at: Instant = -1
    """The latest settlement of a wait of the session."""
    last_human: str | None = None
    """The manager who wrote or spoke last."""
    follows_outgoing = False
    """``Session.ends_outgoing`` as of now."""
    customer_messages = 0
    manager_messages = 0
    bot_messages = 0
    waits = 0
    message_waits = 0
    bot_handled = 0

    def __init__(self, first: TimedMessage, initiated_by: str) -> None:
        self.session_id = f"{first.conversation_id}:{first.message_id}"
        self.first = self.last = first
        self.messages = [first]
        """In order; without those that failed or count as never sent."""
        self.last_at = first.sent_at or 0
        self.initiated_by = initiated_by

    def add(self, message: TimedMessage, at: Instant) -> None:
        """Take one more message. A close before it no longer ends the session."""
        self.last = message
        self.messages.append(message)
        self.closed_at = None
        if at > self.last_at:
            self.last_at = at

    def settle(self, at: Instant, outcome: str) -> None:
        """Note the settlement of one of the session's waits."""
        if at > self.settled_at:
            self.settled_at = at
        if outcome == "bot_handled":
            self.bot_handled += 1

    def is_over(self, second: int, idle_seconds: int) -> bool:
        """With no wait open: would a message at ``second`` begin another session?"""
        if self.closed_at is not None:
            return True
        idle_end = self.last_at // SECOND + idle_seconds
        return second >= idle_end and second >= self.settled_at // SECOND

    def ended_at(self, idle_seconds: int) -> Instant:
        """The earlier of close and idle time, but not before the last settlement; holds while no wait is open."""
        end = (self.last_at // SECOND + idle_seconds) * SECOND
        if self.closed_at is not None and self.closed_at < end:
            end = self.closed_at
        return max(end, self.settled_at)

    @property
    def started_at(self) -> Instant:
        """The first message's time."""
        return self.first.sent_at or 0

    def result(self, ended_at: Instant | None, is_new_contact: bool) -> Session:
        """The row of the session."""
        return Session(
            self.session_id,
            self.first.conversation_id,
            self.first.message_id,
            self.started_at,
            ended_at,
            self.last_at,
            self.initiated_by,
            is_new_contact,
            0 < self.waits == self.bot_handled,
            self.customer_messages,
            self.manager_messages,
            self.bot_messages,
            self.last.message_id,
            self.follows_outgoing,
        )


Ended: TypeAlias = tuple[OpenSession, Instant | None]
"""A session and when it ended; ``None``: it goes on."""


def new_contacts(
    sessions: Sequence[Ended], new_contact_seconds: int, earlier_start: Instant | None, earlier_end: Instant | None
) -> set[str]:
    """The sessions (ids) that follow 30 days without any session of the customer, in whichever of his chats.

    Args:
        sessions: all sessions of one customer, of all chats, in any order.
        earlier_start, earlier_end: the latest start and end of sessions before these, where evaluation began later.
    """
    found: set[str] = set()
    latest_start = earlier_start // SECOND if earlier_start is not None else None
    latest_end = earlier_end // SECOND if earlier_end is not None else None
    for second, group in groupby(sorted(sessions, key=_start), key=_start):
        begin = second - new_contact_seconds
        is_new = (latest_start is None or latest_start < begin) and (latest_end is None or latest_end <= begin)
        for session, ended_at in group:
            if is_new:
                found.add(session.session_id)
            # a session that goes on overlaps everything that comes after it
            end = 1 << 62 if ended_at is None else ended_at // SECOND
            latest_end = end if latest_end is None or end > latest_end else latest_end
        # those that begin in the same second are not before each other
        latest_start = second
    return found


def _start(ended: Ended) -> int:
    return ended[0].started_at // SECOND
