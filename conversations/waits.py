"""One wait of a customer: what moves its start and its limit, how it settles, and the row that comes out.

Here: the arithmetic of a single wait (contract, sections 4.1-4.6, rulings 2, 3, 6, 7 and 10). Not here: which messages
reach it and when (``conversations.walk``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from conversations.business_hours import BusinessHours
from conversations.rules import ChannelRules
from conversations.sessions import OpenSession
from conversations.timeline import SECOND, Instant, LeftWaiting, Outcome, TimedMessage, Wait, WaitKind

TextRule: TypeAlias = Callable[[str | None], bool]

NEVER = 1 << 62
"""Later than every instant."""


class Transfer(NamedTuple):
    """An open wait passed from one manager to another."""

    manager_id: str
    held_since: Instant | None
    """``None``: since before the wait opened."""
    at: Instant
    new_person: str


class OpenWait:
    """A wait as far as the walk has come; the attributes below keep their value until something happens."""

    outcome: Outcome = "pending"
    settled_at: Instant | None = None
    owner_manager_id: str | None = None
    answer: TimedMessage | None = None
    reply_person: str | None = None
    """Who answered; he may have several accounts."""
    reply_kind: str | None = None
    answered_after_limit_at: Instant | None = None
    had_failed_reply = False
    closed_unanswered = False
    handoff_event_at: Instant | None = None
    request_at: Instant | None = None
    asked_before_bot: int | None = None
    """How many asking messages stood before the last bot message of the wait; ``None``: no bot wrote."""
    first_remaining = 0
    """Index of the earliest asking message that the customer has not deleted."""

    def __init__(
        self,
        kind: WaitKind,
        opening: TimedMessage,
        second: int,
        session: OpenSession,
        channel: ChannelRules,
        calendar_id: str | None,
        hours: BusinessHours | None,
    ) -> None:
        self.kind = kind
        self.session = session
        self.channel = channel
        self.calendar_id = calendar_id
        self.hours = hours
        self.asking = [opening]
        self.withdrawn: frozenset[str] = frozenset()
        self.transfers: list[Transfer] = []
        self.robot_replies: list[tuple[int, Instant]] = []
        self.opened_at = self.last_asking_at = opening.sent_at or 0
        self.opened_second = self.customer_second = second
        self.is_first = False
        if kind == "message":
            self.is_first = session.message_waits == 0
            session.message_waits += 1
            self.target = channel.first_target if self.is_first else channel.target
            self.limit = channel.limit
        else:
            self.target, self.limit = channel.call_target, channel.call_limit
        session.waits += 1
        self.limit_second = self._limit_from(second)

    # What happens to an open wait

    def ask(self, message: TimedMessage, at: Instant, second: int, asks_for_human: TextRule) -> None:
        """The customer writes or calls again."""
        if at > self.last_asking_at:
            self.last_asking_at = at
        self.customer_second = second
        self.asking.append(message)
        if self.asked_before_bot is not None:
            if self.request_at is None and asks_for_human(message.text):
                self.request_at = at
            self._reckon_limit()

    def hear_bot(self, at: Instant, asks_for_human: TextRule) -> None:
        """A bot writes. What the customer has said so far may have been a request for a person."""
        if self.asked_before_bot is None and self.kind == "message":
            request = next((message for message in self.asking if asks_for_human(message.text)), None)
            self.request_at = request.sent_at if request is not None else None
        self.asked_before_bot = len(self.asking)
        self.robot_replies.append((len(self.asking), at))
        self._reckon_limit()

    def hear_autoreply(self, at: Instant) -> None:
        """An autoreply leads no talk; only the time of the first one is of interest."""
        self.robot_replies.append((len(self.asking), at))

    def hand_off(self, at: Instant) -> None:
        """The bot hands the wait to people; the first such event counts."""
        if self.handoff_event_at is None:
            self.handoff_event_at = at
            self._reckon_limit()

    def has_asked(self, message_id: str) -> bool:
        """Is this one of its asking messages?"""
        return any(message.message_id == message_id for message in self.asking)

    def withdraw(self, message_id: str, closes: Callable[[str, str | None], bool]) -> bool:
        """The customer deletes an asking message. True: nothing that needs a reply remains."""
        self.withdrawn |= {message_id}
        remaining = [message for message in self.asking if message.message_id not in self.withdrawn]
        if not remaining:
            return True
        self.first_remaining = self.asking.index(remaining[0])
        self.opened_at = remaining[0].sent_at or 0
        self.opened_second = self.opened_at // SECOND
        self.last_asking_at = max(message.sent_at or 0 for message in remaining)
        self._reckon_limit()
        return self.kind == "message" and all(closes(message.content_kind, message.text) for message in remaining)

    def settle(self, outcome: Outcome, at: Instant, owner_manager_id: str | None) -> None:
        """Fix the outcome. Nothing later changes it."""
        self.outcome = outcome
        self.settled_at = at
        self.owner_manager_id = owner_manager_id
        self.session.settle(at, outcome)

    # When it settles by itself

    @property
    def handoff_at(self) -> Instant | None:
        """An explicit event beats the customer's request for a person."""
        return self.request_at if self.handoff_event_at is None else self.handoff_event_at

    def is_left_to_bot(self) -> bool:
        """The channel's bot may resolve it: it wrote after the last asking message and nobody asked for a person."""
        return (
            self.channel.bot_can_resolve
            and self.asked_before_bot is not None
            and self.handoff_at is None
            and self._asked_after_bot() is None
        )

    def due(self, bot_end: int) -> int:
        """First second that the wait does not live to see; ``bot_end``: when a talk left to the bot is over."""
        due = NEVER if self.limit_second is None else self.limit_second + 1
        window = self.channel.window
        if window is not None and self.customer_second + window < due:
            due = self.customer_second + window + 1
        if bot_end < due and self.is_left_to_bot():
            due = bot_end
        return due

    def expiry(self, bot_end: int) -> tuple[int, Outcome]:
        """The second and the outcome of settling by itself; asked only when one of the limits is due."""
        second, outcome = NEVER, "pending"
        if self.limit_second is not None:
            second, outcome = self.limit_second, "no_reply"
        window = self.channel.window
        if window is not None and self.customer_second + window < second:
            second, outcome = self.customer_second + window, "window_expired"
        if bot_end < second and self.is_left_to_bot():
            second, outcome = bot_end, "bot_handled"
        return second, outcome

    def _asked_after_bot(self) -> TimedMessage | None:
        for message in self.asking[self.asked_before_bot or 0 :]:
            if message.message_id not in self.withdrawn:
                return message
        return None

    def _reckon_limit(self) -> None:
        start: int | None = self.opened_second
        if self.channel.bot_can_resolve:
            handoff_at = self.handoff_at
            if handoff_at is not None:
                start = max(self.opened_second, handoff_at // SECOND)
            elif self.asked_before_bot is not None:
                asked = self._asked_after_bot()
                start = (asked.sent_at or 0) // SECOND if asked is not None else None
        self.limit_second = None if start is None else self._limit_from(start)

    def _limit_from(self, second: int) -> int | None:
        return second + self.limit if self.hours is None else self.hours.after(second, self.limit)

    # The row

    def result(self, as_of_second: int) -> Wait:
        """The row of the wait as of then."""
        opened = self.opened_second
        hours = self.hours
        answer = self.answer
        outcome = outcome_manager = self.outcome
        answered_at = reply_manager = None
        seconds = business = from_last = manager_seconds = manager_business = None
        skewed = False
        if answer is not None:
            answered_at = answer.sent_at or 0
            answered = answered_at // SECOND
            skewed = answered < opened
            reply_manager = answer.manager_id
            seconds = manager_seconds = max(0, answered - opened)
            from_last = max(0, answered - self.last_asking_at // SECOND)
            if hours is not None:
                business = manager_business = hours.between(opened, answered)
            begin = self._manager_start()
            if begin != opened:
                manager_seconds = max(0, answered - begin)
                if hours is not None:
                    manager_business = hours.between(begin, answered)
            outcome = "in_target" if (seconds if business is None else business) <= self.target else "slow_reply"
            measured = manager_seconds if manager_business is None else manager_business
            outcome_manager = "in_target" if measured <= self.target else "slow_reply"
        opening = self.asking[0]
        return Wait(
            f"{opening.conversation_id}:{opening.message_id}",
            opening.conversation_id,
            self.session.session_id,
            self.kind,
            opening.message_id,
            None if answer is None else answer.message_id,
            tuple([message.message_id for message in self.asking]),
            self.opened_at,
            self.last_asking_at,
            answered_at,
            self.answered_after_limit_at,
            self.settled_at,
            None if self.limit_second is None else self.limit_second * SECOND,
            outcome,
            outcome_manager,
            self.reply_kind,
            self.owner_manager_id,
            reply_manager,
            seconds,
            business,
            from_last,
            manager_seconds,
            manager_business,
            as_of_second - opened if outcome == "pending" else None,
            self.handoff_at,
            self._first_robot_reply_seconds(),
            self.target,
            self.limit,
            self.channel.window,
            self.is_first,
            self.is_first and self.session.initiated_by == "customer",
            self.had_failed_reply,
            skewed,
            self.closed_unanswered,
            self.calendar_id,
            "calendar" if hours is None else "business",
        )

    def left_waiting(self) -> Iterator[LeftWaiting]:
        """One row per manager who held the wait longer than its target and was replaced."""
        for transfer in self.transfers:
            begin = max(self.opened_at, self.handoff_at or 0, transfer.held_since or 0) // SECOND
            end = transfer.at // SECOND
            held = max(0, end - begin) if self.hours is None else self.hours.between(begin, end)
            if held > self.target:
                opening = self.asking[0]
                wait_id = f"{opening.conversation_id}:{opening.message_id}"
                yield LeftWaiting(wait_id, transfer.manager_id, transfer.at, held)

    def _manager_start(self) -> int:
        """Second at which the manager view starts: who replied cannot have answered before the wait was his."""
        if not self.transfers and self.handoff_at is None:
            return self.opened_second
        taken = [transfer.at for transfer in self.transfers if transfer.new_person == self.reply_person]
        return max(self.opened_at, self.handoff_at or 0, *taken, 0) // SECOND

    def _first_robot_reply_seconds(self) -> int | None:
        for asked_before, at in self.robot_replies:
            if asked_before > self.first_remaining:
                return max(0, at // SECOND - self.opened_second)
        return None
