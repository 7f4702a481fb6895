"""The walk through one chat in the contract's order: what each message, event, deletion and deadline changes.

Here: who opens, joins, answers and settles waits, which session a message belongs to. Not here: the order itself and
what is left out of it (``conversations.evaluate``), the arithmetic of a wait (``conversations.waits``) and of a session
(``conversations.sessions``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from conversations.rules import Rules
from conversations.sessions import OpenSession
from conversations.timeline import SECOND, Chat, Instant, Outcome, TimedEvent, TimedMessage, WaitKind
from conversations.waits import NEVER, OpenWait, Transfer

_MISSED_CALL: frozenset[str] = frozenset({"missed_call"})
_EVERY_KIND: frozenset[str] = frozenset(get_args(WaitKind))


class Withdrawal(NamedTuple):
    """The customer deletes his message."""

    at: Instant
    message_id: str


class OtherAccount(NamedTuple):
    """A manager's message to the customer on another channel account: it answers missed calls only."""

    message: TimedMessage


class Beside(NamedTuple):
    """Something that is no message of the chat itself, at its time."""

    at: Instant
    rank: int
    """At one instant: replies in other chats of the customer, then events, then deletions."""
    tie_text: str
    tie_number: int
    what: TimedMessage | OtherAccount | TimedEvent | Withdrawal


class ChatWalk:
    """Walks one chat once; ``sessions`` and ``waits`` hold what came of it, in order of their beginning."""

    def __init__(self, chat: Chat, rules: Rules, as_of_second: int, follows_outgoing: bool = False) -> None:
        self.sessions: list[tuple[OpenSession, Instant | None]] = []
        self.waits: list[OpenWait] = []
        self._rules = rules
        self._settings = rules.channel(chat.channel_kind)
        self._as_of_second = as_of_second
        self._session: OpenSession | None = None
        self._message_wait: OpenWait | None = None
        self._call_wait: OpenWait | None = None
        self._due = NEVER
        self._unanswered: list[OpenWait] = []
        self._withdrawn: dict[str, Withdrawal] = {}
        self._follows_outgoing = follows_outgoing
        self._campaign_second: int | None = None
        self._talk_second = 0  # of the last public customer, manager or bot message
        self._assignee: str | None = None
        self._assigned_at: Instant | None = None

    def run(self, messages: Sequence[TimedMessage], beside: Sequence[Beside]) -> None:
        """Walk through the chat's messages, ``beside`` sorted in among them, up to ``as_of``."""
        waiting = iter(beside)
        upcoming = next(waiting, None)
        upcoming_at = NEVER if upcoming is None else upcoming.at
        for message in messages:
            at: Instant = message.sent_at  # type: ignore[assignment]
            # everything else stands before the first message that is later than it
            while upcoming is not None and upcoming_at < at:
                self._on_beside(upcoming)
                upcoming = next(waiting, None)
                upcoming_at = NEVER if upcoming is None else upcoming.at
            second = at // SECOND
            sender = message.sender_kind
            if second >= self._due and self._tells_time(sender, second):
                self._settle_due(second, second)
            if message.content_kind == "call" and sender in ("customer", "manager"):
                self._on_call(message, at, second)
            elif sender == "customer":
                self._on_customer(message, at, second)
            elif sender == "manager":
                self._on_manager(message, at, second)
            elif sender == "bot":
                self._on_bot(message, at, second)
            elif sender == "autoreply":
                self._on_autoreply(message, at, second)
            elif message.delivery_status != "failed":
                self._campaign_second = second
        while upcoming is not None:
            self._on_beside(upcoming)
            upcoming = next(waiting, None)
        self._finish()

    # Messages

    def _on_customer(self, message: TimedMessage, at: Instant, second: int) -> None:
        wait = self._message_wait
        closes = (
            wait is None
            and self._call_wait is None
            and self._follows_outgoing
            and self._rules.closes(message.content_kind, message.text)
        )
        session = self._attend(message, at, second)
        session.customer_messages += 1
        if closes:
            session.follows_outgoing = True
            return
        session.follows_outgoing = self._follows_outgoing = False
        if wait is None:
            self._message_wait = self._open("message", message, second, session)
        else:
            wait.ask(message, at, second, self._rules.asks_for_human)
            if wait.channel.window is not None or wait.channel.bot_can_resolve:
                self._reckon_due()
        if self._withdrawn:
            self._withdraw_at_once(message)

    def _on_manager(self, message: TimedMessage, at: Instant, second: int) -> None:
        answers = self._answers(message, second)
        if answers is None:
            return
        self._follows_outgoing = True
        if message.delivery_status == "failed":
            for wait in answers:
                wait.had_failed_reply = True
            return
        session = self._attend(message, at, second, is_reply=True)
        self._speak(session, message)
        session.manager_messages += 1
        self._answer(answers, message, at, "message")

    def _on_call(self, message: TimedMessage, at: Instant, second: int) -> None:
        is_inbound = message.sender_kind == "customer"
        is_answered = message.call_answered is True
        session = self._attend(message, at, second, is_reply=is_answered)
        if is_inbound:
            session.customer_messages += 1
        else:
            session.manager_messages += 1
        if is_answered or not is_inbound:
            self._follows_outgoing = True
            self._speak(session, message)
            if is_answered:
                self._answer(self._open_waits(), message, at, "call")
            return
        session.follows_outgoing = self._follows_outgoing = False
        if message.call_answered is None:
            return
        if self._call_wait is None:
            self._call_wait = self._open("missed_call", message, second, session)
        else:
            self._call_wait.ask(message, at, second, self._rules.asks_for_human)
            self._reckon_due()
        if self._withdrawn:
            self._withdraw_at_once(message)

    def _on_bot(self, message: TimedMessage, at: Instant, second: int) -> None:
        bot_can_resolve = self._settings.at(second).bot_can_resolve
        if bot_can_resolve:
            self._follows_outgoing = True
        if message.delivery_status == "failed":
            return
        session = self._session
        waits = self._listening(second)
        if session is not None and (waits or not session.is_over(second, self._rules.idle_seconds)):
            session.bot_messages += 1
        if second > self._talk_second:
            self._talk_second = second
        for wait in waits:
            wait.hear_bot(at, self._rules.asks_for_human)
        if waits:
            self._reckon_due()

    def _on_autoreply(self, message: TimedMessage, at: Instant, second: int) -> None:
        if message.delivery_status != "failed":
            for wait in self._listening(second):
                wait.hear_autoreply(at)

    # What stands beside the messages

    def _on_beside(self, item: Beside) -> None:
        second = item.at // SECOND
        if second >= self._due:
            self._settle_due(second, second)
        what = item.what
        if isinstance(what, TimedMessage):
            answers = self._open_waits() if what.content_kind == "call" else self._answers(what, second)
            if answers is not None:
                self._answer(answers, what, item.at, "call" if what.content_kind == "call" else "message")
        elif isinstance(what, OtherAccount):
            answers = self._answers(what.message, second)
            if answers is not None:
                missed = [wait for wait in answers if wait.kind in _MISSED_CALL]
                self._answer(missed, what.message, item.at, "message", _MISSED_CALL)
        elif isinstance(what, Withdrawal):
            self._on_withdrawal(what)
        elif what.kind == "assigned":
            self._assign(what.manager_id, what.at)
        elif what.kind == "handoff":
            for wait in self._open_waits():
                wait.hand_off(what.at)
            self._reckon_due()
        elif what.kind == "closed":
            self._on_close(what.at)
        elif what.kind == "no_reply_needed":
            for wait in self._open_waits():
                self._settle(wait, "not_required", what.at)
            self._reckon_due()

    def _on_withdrawal(self, withdrawal: Withdrawal) -> None:
        wait = next((wait for wait in self._open_waits() if wait.has_asked(withdrawal.message_id)), None)
        if wait is None:
            # settled meanwhile, or still to come: where the channel has its own order, clocks may contradict it
            self._withdrawn[withdrawal.message_id] = withdrawal
            return
        if wait.withdraw(withdrawal.message_id, self._rules.closes):
            self._settle(wait, "not_required", withdrawal.at)
        self._reckon_due()

    def _withdraw_at_once(self, message: TimedMessage) -> None:
        withdrawal = self._withdrawn.pop(message.message_id, None)
        if withdrawal is not None:
            self._on_withdrawal(withdrawal)

    def _assign(self, manager_id: str | None, at: Instant) -> None:
        if manager_id == self._assignee:
            return
        if manager_id is not None and self._assignee is not None:
            person = self._rules.person(manager_id)
            if person == self._rules.person(self._assignee):
                # another account of his: nobody was replaced, and he has held the chat since before
                self._assignee = manager_id
                return
            for wait in self._open_waits():
                wait.transfers.append(Transfer(self._assignee, self._assigned_at, at, person))
        self._assignee, self._assigned_at = manager_id, at

    def _on_close(self, at: Instant) -> None:
        for wait in self._open_waits():
            if wait.is_left_to_bot():
                self._settle(wait, "bot_handled", at)
            else:
                wait.closed_unanswered = True
        self._reckon_due()
        if self._session is not None and not self._open_waits() and self._session.closed_at is None:
            self._session.closed_at = at

    # Sessions

    def _attend(self, message: TimedMessage, at: Instant, second: int, is_reply: bool = False) -> OpenSession:
        """The session that a public customer or manager message belongs to."""
        session = self._session
        if session is None or (
            self._message_wait is None
            and self._call_wait is None
            and session.is_over(second, self._rules.idle_seconds)
            and not (is_reply and self._is_late_reply(session, second))
        ):
            self._leave_session()
            campaign = self._campaign_second
            is_campaign = campaign is not None and second - campaign < self._rules.idle_seconds
            session = self._session = OpenSession(message, "campaign" if is_campaign else message.sender_kind)
        else:
            session.add(message, at)
        self._campaign_second = None
        if second > self._talk_second:
            self._talk_second = second
        return session

    def _is_late_reply(self, session: OpenSession, second: int) -> bool:
        """Is a human reply now the first to an unanswered wait of the session, and not too late to belong to it?"""
        return any(
            wait.session is session and second <= (wait.settled_at or 0) // SECOND + self._rules.late_reply_seconds
            for wait in self._unanswered
        )

    def _leave_session(self) -> None:
        if self._session is not None:
            self.sessions.append((self._session, self._session.ended_at(self._rules.idle_seconds)))

    def _speak(self, session: OpenSession, message: TimedMessage) -> None:
        session.follows_outgoing = True
        # a manager whom the source does not name owns nothing
        session.last_human = message.manager_id or session.last_human

    # Waits

    def _open_waits(self) -> list[OpenWait]:
        if self._call_wait is None:
            return [] if self._message_wait is None else [self._message_wait]
        return [self._call_wait] if self._message_wait is None else [self._message_wait, self._call_wait]

    def _open(self, kind: WaitKind, message: TimedMessage, second: int, session: OpenSession) -> OpenWait:
        rules = self._rules
        channel = self._settings.at(second)
        calendar_id = rules.calendar_of(self._assignee, channel, second)
        wait = OpenWait(kind, message, second, session, channel, calendar_id, rules.hours[calendar_id])
        self.waits.append(wait)
        due = wait.due(NEVER)
        if due < self._due:
            self._due = due
        return wait

    def _answers(self, message: TimedMessage, second: int) -> list[OpenWait] | None:
        """The open waits that a manager's message reaches; ``None``: it counts as never sent."""
        waits = self._open_waits()
        if not self._is_deleted_early(message, second):
            return waits
        deleted = (message.deleted_at or 0) // SECOND
        # a deletion counts before the limit only: an outcome does not depend on what happens after it
        return [wait for wait in waits if wait.limit_second is not None and deleted >= wait.limit_second] or None

    def _tells_time(self, sender: str, second: int) -> bool:
        """Does a message of this sender show that a limit has passed?

        Only where the channel's own order contradicts the clock does it matter when a wait is settled: an older
        message may still follow. What neither opens nor answers must not change which wait that one belongs to.
        """
        return sender in ("customer", "manager") or (sender == "bot" and self._settings.at(second).bot_can_resolve)

    def _listening(self, second: int) -> list[OpenWait]:
        """Open waits whose time has not run out at ``second``."""
        waits = self._open_waits()
        return waits if second < self._due else [wait for wait in waits if second < wait.due(self._bot_end())]

    def _is_deleted_early(self, message: TimedMessage, second: int) -> bool:
        if message.deleted_at is None or message.content_kind == "call":
            return False
        deleted = message.deleted_at // SECOND
        return deleted <= self._as_of_second and deleted - second < self._rules.early_delete_seconds

    def _answer(
        self, waits: list[OpenWait], message: TimedMessage, at: Instant, how: str, kinds: frozenset[str] = _EVERY_KIND
    ) -> None:
        if self._unanswered and not self._is_deleted_early(message, at // SECOND):
            for wait in self._unanswered:
                if wait.kind in kinds:
                    wait.answered_after_limit_at = at
            self._unanswered = [wait for wait in self._unanswered if wait.kind not in kinds]
        for wait in waits:
            wait.answer = message
            wait.reply_person = None if message.manager_id is None else self._rules.person(message.manager_id)
            wait.reply_kind = how
            # in_target or slow_reply: told apart when the row is made
            self._settle(wait, "slow_reply", at, message.manager_id)
        if waits:
            self._reckon_due()

    def _settle(self, wait: OpenWait, outcome: Outcome, at: Instant, owner: str | None = None) -> None:
        if outcome not in ("slow_reply", "bot_handled"):
            owner = self._holder(wait)
        wait.settle(outcome, at, owner)
        if wait is self._message_wait:
            self._message_wait = None
        else:
            self._call_wait = None
        if outcome in ("no_reply", "window_expired"):
            self._unanswered.append(wait)

    def _holder(self, wait: OpenWait) -> str | None:
        return self._assignee if self._assignee is not None else wait.session.last_human

    def _settle_due(self, second: int, limits_before: int) -> None:
        """Settle what is over at ``second``: limits before ``limits_before``, talks left to a bot up to ``second``."""
        due = []
        for wait in self._open_waits():
            ended, outcome = wait.expiry(self._bot_end())
            if ended < limits_before or (outcome == "bot_handled" and ended <= second):
                due.append((ended, wait.kind, wait, outcome))
        for ended, _, wait, outcome in sorted(due, key=lambda item: item[:2]):
            self._settle(wait, outcome, ended * SECOND)
        self._reckon_due()

    def _bot_end(self) -> int:
        return self._talk_second + self._rules.idle_seconds

    def _reckon_due(self) -> None:
        self._due = NEVER
        for wait in self._open_waits():
            self._due = min(self._due, wait.due(self._bot_end()))

    def _finish(self) -> None:
        """What holds at ``as_of``, once everything up to it has been seen."""
        self._settle_due(self._as_of_second, self._as_of_second + 1)
        waits = self._open_waits()
        for wait in waits:
            wait.owner_manager_id = self._holder(wait)
        session = self._session
        if session is not None:
            ended_at = None if waits else session.ended_at(self._rules.idle_seconds)
            if ended_at is not None and ended_at // SECOND > self._as_of_second:
                ended_at = None
            self.sessions.append((session, ended_at))
