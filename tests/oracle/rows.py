"""From what was told of a chat to the rows of the contract.

Here: settings of a chat, durations and the rows of waits, sessions and left_waiting. Not here: the story (``judge``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from conversations.timeline import SECOND, Chat, Instant, LeftWaiting
from conversations.timeline import Session as SessionRow
from conversations.timeline import Wait as WaitRow
from tests.oracle.hours import Hours
from tests.oracle.policy import ChannelSettings, OraclePolicy
from tests.oracle.reading import cut
from tests.oracle.state import ANSWERED, Session, Wait


class ChatRows:
    """One chat under one policy, seen at ``as_of``."""

    def __init__(self, chat: Chat, policy: OraclePolicy, as_of: Instant) -> None:
        self.chat, self.policy, self.as_of = chat, policy, as_of
        self.assigned: str | None = None

    # -- settings --------------------------------------------------------------------------------------------------

    def settings_at(self, at: int) -> ChannelSettings:
        day = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.policy.zone)).date()
        versions = self.policy.channels.get(self.chat.channel_kind, (ChannelSettings(),))
        valid = [one for one in versions if one.valid_from is None or one.valid_from <= day]
        return max(valid, key=lambda one: one.valid_from or date.min)

    def calendar_at(self, at: int) -> str | None:
        """Of the assigned manager's team, else the channel, else the organisation: the one valid then (section 3)."""
        day = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.policy.zone)).date()
        choices = (
            self.policy.team_calendars.get(self.team_on(day))
            or self.policy.channel_calendars.get(self.chat.channel_kind)
            or self.policy.organisation_calendars
        )
        valid = [choice for choice in choices if choice[0] is None or choice[0] <= day]
        return max(valid, key=lambda choice: choice[0] or date.min)[1] if valid else None

    def team_on(self, day: date) -> str | None:
        """Of the assigned manager."""
        if self.assigned is None:
            return None
        team = self.policy.manager_teams.get(self.assigned)
        for accounts in self.policy.persons.values():
            if self.assigned in accounts:
                teams = [self.policy.manager_teams[one] for one in accounts if one in self.policy.manager_teams]
                team = teams[0] if teams else None
        for since, other in sorted(self.policy.moves.get(self.assigned, ()), key=lambda move: move[0] or date.min):
            if since is None or since <= day:
                team = other
        return team

    def same(self, one: str | None, other: str | None) -> bool:
        """Is it one human, with one account or with two?"""
        return one == other or any(one in accounts and other in accounts for accounts in self.policy.persons.values())

    def hours(self, wait: Wait) -> Hours | None:
        return None if wait.calendar_id is None else hours_of(self.policy, wait.calendar_id)

    def span(self, wait: Wait, a: int, b: int) -> int:
        """Business seconds, calendar seconds without a calendar; never negative."""
        hours = self.hours(wait)
        return max(0, b - a) if hours is None else hours.seconds(a, b)

    # -- rows ------------------------------------------------------------------------------------------------------

    def manager_start(self, wait: Wait) -> int:
        """Where the replying manager's view begins (section 4.4)."""
        starts = [wait.start.at]
        if wait.handoff is not None:
            starts.append(cut(wait.handoff))
        holder = wait.holder_at_opening
        for event in wait.assignments:
            is_his = event.manager_id is not None and self.same(event.manager_id, wait.reply.row.manager_id)
            if is_his and holder is not None and not self.same(holder, event.manager_id):
                starts.append(cut(event.at))
            holder = event.manager_id
        return max(starts)

    def wait_row(self, wait: Wait) -> WaitRow:
        answered = wait.outcome in ANSWERED
        hours = self.hours(wait)
        start, reply = wait.start.at, wait.reply
        last_asking = max(message.sent_at for message in wait.left)
        outcome_manager, manager_start = wait.outcome, None
        if answered:
            manager_start = self.manager_start(wait)
            waited = self.span(wait, manager_start, reply.at)
            outcome_manager = "in_target" if waited <= wait.target else "slow_reply"
        return WaitRow(
            wait_id=f"{self.chat.conversation_id}:{wait.opening.row.message_id}",
            conversation_id=self.chat.conversation_id,
            session_id=self.session_id(wait.session),
            wait_kind=wait.kind,
            opening_message_id=wait.opening.row.message_id,
            answering_message_id=reply.row.message_id if answered else None,
            asking_message_ids=tuple(message.row.message_id for message in wait.asked),
            opened_at=wait.start.sent_at,
            last_asking_at=last_asking,
            answered_at=reply.sent_at if answered else None,
            answered_after_limit_at=wait.late_reply.sent_at if wait.late_reply else None,
            settled_at=wait.settled,
            limit_at=None if wait.limit_when_settled is None else wait.limit_when_settled * SECOND,
            outcome=wait.outcome,
            outcome_manager=outcome_manager,
            reply_kind=("call" if reply.is_call else "message") if answered else None,
            owner_manager_id=wait.owner,
            reply_manager_id=reply.row.manager_id if answered else None,
            wait_seconds=max(0, reply.at - start) if answered else None,
            wait_business_seconds=hours.seconds(start, reply.at) if answered and hours else None,
            wait_from_last_seconds=max(0, reply.at - cut(last_asking)) if answered else None,
            manager_wait_seconds=max(0, reply.at - manager_start) if answered else None,
            manager_wait_business_seconds=hours.seconds(manager_start, reply.at) if answered and hours else None,
            pending_seconds=cut(self.as_of) - start if wait.outcome == "pending" else None,
            handoff_at=wait.handoff,
            # to a question that was deleted later it is no reply
            first_bot_reply_seconds=next(
                (max(0, told.at - start) for asked, told in wait.machines if wait.start in asked), None
            ),
            target_seconds=wait.target,
            limit_seconds=wait.limit,
            window_seconds=wait.settings.window,
            is_first_of_session=wait.is_first,
            is_first_reply=wait.is_first and wait.session.initiated_by == "customer",
            had_failed_reply=wait.had_failed,
            clock_skew=answered and reply.at < start,
            closed_unanswered=wait.closed_unanswered,
            calendar_id=wait.calendar_id,
            hours_basis="calendar" if hours is None else "business",
        )

    def session_id(self, session: Session) -> str:
        return f"{self.chat.conversation_id}:{session.messages[0].row.message_id}"

    def session_row(self, session: Session, of_customer: list[Session]) -> SessionRow:
        senders = [message.row.sender_kind for message in session.messages]
        horizon = session.started_at - self.policy.new_contact
        earlier = [
            other
            for other in of_customer
            if other.started_at < session.started_at
            and (other.started_at >= horizon or other.ended_at is None or other.ended_at > horizon)
        ]
        return SessionRow(
            session_id=self.session_id(session),
            conversation_id=self.chat.conversation_id,
            first_message_id=session.messages[0].row.message_id,
            started_at=session.messages[0].sent_at,
            ended_at=None if session.ended_at is None else session.ended_at * SECOND,
            last_message_at=max(message.sent_at for message in session.messages),
            initiated_by=session.initiated_by,
            is_new_contact=not earlier,
            is_bot_only=bool(session.waits) and all(wait.outcome == "bot_handled" for wait in session.waits),
            customer_messages=senders.count("customer"),
            manager_messages=senders.count("manager"),
            bot_messages=session.bot_messages,
        )

    def left_waiting(self, wait: Wait) -> list[LeftWaiting]:
        """Managers who held the wait longer than T and were replaced by another one (section 4.5, ruling 10)."""
        rows = []
        holder, since = wait.holder_at_opening, wait.start.at
        for event in wait.assignments:
            if event.manager_id == holder:
                continue
            if holder is not None and self.same(holder, event.manager_id):
                # another account of his: nobody was replaced
                holder = event.manager_id
                continue
            if holder is not None and event.manager_id is not None:
                begin = max(since, wait.start.at, cut(wait.handoff) if wait.handoff is not None else since)
                held = self.span(wait, begin, cut(event.at))
                if held > wait.target:
                    wait_id = f"{self.chat.conversation_id}:{wait.opening.row.message_id}"
                    rows.append(LeftWaiting(wait_id, holder, event.at, held))
            holder, since = event.manager_id, cut(event.at)
        return rows


_hours_cache: dict[int, tuple[OraclePolicy, dict[str, Hours]]] = {}


def hours_of(policy: OraclePolicy, calendar_id: str) -> Hours:
    """Interval lists are slow to lay out; one per policy object and calendar."""
    if id(policy) not in _hours_cache:
        if len(_hours_cache) > 50:
            _hours_cache.clear()
        _hours_cache[id(policy)] = (policy, {})
    known = _hours_cache[id(policy)][1]
    if calendar_id not in known:
        known[calendar_id] = Hours(policy.calendars[calendar_id])
    return known[calendar_id]
