"""Waits, sessions and left_waiting of one contact, by walking each chat's story once (contract, sections 1-4 and 11).

Here: the rules, one small method per sentence of the contract, on whole epoch seconds.
Not here: order (``reading``), opening hours (``hours``).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from conversations.timeline import SECOND, Chat, Contact, Evaluation, Instant, LeftWaiting, TimedEvent
from conversations.timeline import Session as SessionRow
from conversations.timeline import Wait as WaitRow
from tests.oracle.hours import Hours
from tests.oracle.policy import ChannelSettings, OraclePolicy
from tests.oracle.reading import Item, Told, cut, stories

UNANSWERED = ("no_reply", "window_expired")
ANSWERED = ("in_target", "slow_reply")


def judge(contact: Contact, policy: OraclePolicy, as_of: Instant) -> Evaluation:
    """What the contract says of one contact at ``as_of``."""
    chats = {chat.conversation_id: chat for chat in contact.chats}
    told = [ChatJudge(chats[chat_id], story, policy, as_of).run() for chat_id, story in stories(contact, as_of).items()]
    sessions = [session for judged in told for session in judged.sessions]
    return Evaluation(
        waits=[judged.wait_row(wait) for judged in told for wait in judged.waits],
        sessions=[judged.session_row(session, sessions) for judged in told for session in judged.sessions],
        left_waiting=[row for judged in told for wait in judged.waits for row in judged.left_waiting(wait)],
    )


@dataclass
class Session:
    """A session while it is being told."""

    chat_id: str
    messages: list[Told]
    """Public customer and manager messages that start or prolong it."""
    initiated_by: str
    waits: list[Wait] = field(default_factory=list)
    closed_at: int | None = None
    """A close at the source that came with no wait open and after the last message."""
    last_writer: str | None = None
    bot_messages: int = 0
    ended_at: int | None = None

    @property
    def started_at(self) -> int:
        return self.messages[0].at

    @property
    def last_at(self) -> int:
        return max(message.at for message in self.messages)


@dataclass
class Wait:
    """A wait while it is being told."""

    kind: str
    session: Session
    settings: ChannelSettings
    calendar_id: str | None
    is_first: bool
    asked: list[Told]
    holder_at_opening: str | None
    deleted: list[str] = field(default_factory=list)
    talk: list[tuple[str, Told]] = field(default_factory=list)
    """("ask" | "bot", message) in order: who spoke last decides whether N runs where bots resolve."""
    machines: list[tuple[list[Told], Told]] = field(default_factory=list)
    """Bot messages and autoreplies, each with what had been asked before it."""
    explicit_handoff: TimedEvent | None = None
    request: Told | None = None
    assignments: list[TimedEvent] = field(default_factory=list)
    had_failed: bool = False
    closed_unanswered: bool = False
    outcome: str | None = None
    settled: Instant | None = None
    reply: Told | None = None
    late_reply: Told | None = None
    owner: str | None = None
    limit_when_settled: int | None = None

    @property
    def opening(self) -> Told:
        return self.asked[0]

    @property
    def remaining(self) -> list[Told]:
        return [message for message in self.asked if message.row.message_id not in self.deleted]

    @property
    def talk_left(self) -> list[tuple[str, Told]]:
        """The talk without the questions that were deleted."""
        return [(who, told) for who, told in self.talk if told.row.message_id not in self.deleted]

    @property
    def start(self) -> Told:
        """Where the wait begins after deletions. When the last question goes, there is nothing to move to."""
        return self.left[0]

    @property
    def left(self) -> list[Told]:
        """What remains, or the question that was deleted last."""
        return self.remaining or [asked for asked in self.asked if asked.row.message_id == self.deleted[-1]]

    @property
    def handoff(self) -> Instant | None:
        """An explicit event, else the customer's request if a bot talks in this wait (section 4.4, ruling 15)."""
        if self.explicit_handoff is not None:
            return self.explicit_handoff.at
        if self.request is not None and any(who == "bot" for who, _ in self.talk):
            return self.request.sent_at
        return None

    @property
    def is_bot_handled_once_ended(self) -> bool:
        """Ruling 6 and section 4.2, all but the end of the session."""
        return (
            self.settings.bot_can_resolve
            and self.talk_left[-1:] != []
            and self.talk_left[-1][0] == "bot"
            and self.explicit_handoff is None
            and self.request is None
        )

    @property
    def target(self) -> int:
        if self.kind == "missed_call":
            return self.settings.missed_call_target
        return self.settings.first_target if self.is_first else self.settings.target

    @property
    def limit(self) -> int:
        return self.settings.missed_call_limit if self.kind == "missed_call" else self.settings.limit


class ChatJudge:
    """Tells one chat's story."""

    def __init__(self, chat: Chat, story: list[Item], policy: OraclePolicy, as_of: Instant) -> None:
        self.chat, self.story, self.policy, self.as_of = chat, story, policy, as_of
        self.waits: list[Wait] = []
        self.sessions: list[Session] = []
        self.assigned: str | None = None
        self.last_word: str | None = None
        """Whose the last public message was for section 1.1: "out", "in" or nobody's."""
        self.last_public_at: int | None = None
        """The last public customer, manager or bot message (ruling 6)."""
        self.campaigns: list[Told] = []
        """Campaign messages since the last message of a session."""

    # -- the walk --------------------------------------------------------------------------------------------------

    def run(self) -> ChatJudge:
        for item in self.story:
            if item.own is None or self.shows_time(item.own):
                self.settle_before(item.at)
            if item.own is not None:
                self.own_message(item.own)
            elif item.other is not None:
                self.human_reply(item.other)
            elif item.event is not None:
                self.event(item.event)
            else:
                self.deletion(item.deleted, item.instant)
        self.settle_until(cut(self.as_of))
        for wait in self.open_waits():
            wait.outcome = "pending"
            wait.owner = self.owner_now(wait)
            wait.limit_when_settled = self.limit_at(wait)
        for session in self.sessions:
            session.ended_at = self.end_of(session)
        return self

    def open_waits(self) -> list[Wait]:
        return [wait for wait in self.waits if wait.outcome is None]

    # -- settlement by time ----------------------------------------------------------------------------------------

    def deadlines(self, wait: Wait) -> list[tuple[int, int, str]]:
        """(instant, rank at one instant, outcome) of all that time alone can do to an open wait."""
        found = []
        limit = self.limit_at(wait)
        if limit is not None:
            found.append((limit, 0, "no_reply"))
        if wait.settings.window is not None:
            found.append((wait.asked[-1].at + wait.settings.window, 1, "window_expired"))
        if wait.is_bot_handled_once_ended:
            found.append((self.last_public_at + self.policy.session_idle, 2, "bot_handled"))
        return sorted(found)

    def settle_before(self, now: int) -> None:
        """What has run out before something that happens at ``now``. A reply at the limit itself still answers; a
        message ``session_idle`` after the last one finds the session ended (rulings 3 and 4)."""
        for wait in self.open_waits():
            for instant, _, outcome in self.deadlines(wait):
                if instant < now or (instant == now and outcome == "bot_handled"):
                    self.settle(wait, outcome, instant * SECOND)
                    break

    def settle_until(self, now: int) -> None:
        for wait in self.open_waits():
            for instant, _, outcome in self.deadlines(wait):
                if instant <= now:
                    self.settle(wait, outcome, instant * SECOND)
                    break

    def settle(self, wait: Wait, outcome: str, at: Instant) -> None:
        wait.limit_when_settled = self.limit_at(wait)
        wait.outcome, wait.settled = outcome, at
        if outcome in ANSWERED:
            wait.owner = wait.reply.row.manager_id
        elif outcome != "bot_handled":
            wait.owner = self.owner_now(wait)

    def owner_now(self, wait: Wait) -> str | None:
        return self.assigned if self.assigned is not None else wait.session.last_writer

    def limit_at(self, wait: Wait) -> int | None:
        """When N is reached as things stand.

        ``limit_at`` is where the business wait equals N (ruling 3; section 4.2: no_reply is a business wait of N), and
        the business wait runs from the start that deletions leave. What keeps the original opening (section 1.2) is
        which calendar, T and N hold: those valid at it (ruling 2). T is read alike. Where bots resolve, by ruling 6: a
        deleted question asks nothing there.
        """
        start: int | None = wait.start.at
        if wait.settings.bot_can_resolve:
            talk = wait.talk_left
            bots = [index for index, (who, _) in enumerate(talk) if who == "bot"]
            if wait.handoff is not None:
                start = max(wait.start.at, cut(wait.handoff))
            elif bots and bots[-1] == len(talk) - 1:
                start = None
            elif bots:
                start = talk[bots[-1] + 1][1].at
        if start is None:
            return None
        hours = self.hours(wait)
        return start + wait.limit if hours is None else hours.reach(start, wait.limit)

    # -- own messages ----------------------------------------------------------------------------------------------

    def own_message(self, message: Told) -> None:
        sender = message.row.sender_kind
        if not message.is_seen:
            return
        if self.is_never_sent(message):
            return
        if sender == "campaign" and not message.has_failed:
            self.campaigns.append(message)
        elif sender in ("bot", "autoreply"):
            self.machine_message(message)
        elif sender == "manager":
            self.manager_message(message)
        elif sender == "customer":
            self.customer_message(message)

    def is_never_sent(self, message: Told) -> bool:
        """Deleted early, and before the limit of every wait it could answer (section 1.2, ruling 8)."""
        if not message.was_deleted_within(self.policy.early_delete):
            return False
        return all(not self.counts_for(message, wait) for wait in self.open_waits())

    def counts_for(self, message: Told, wait: Wait) -> bool:
        if not message.was_deleted_within(self.policy.early_delete):
            return True
        limit = self.limit_at(wait)
        return limit is not None and cut(message.deleted_at) >= limit

    def shows_time(self, message: Told) -> bool:
        """What neither opens nor answers must not settle a wait that an older message, later in order, would join
        (invariant 4)."""
        sender = message.row.sender_kind
        bots_matter = self.settings_at(message.at).bot_can_resolve
        return message.is_seen and (sender in ("customer", "manager") or (sender == "bot" and bots_matter))

    def machine_message(self, message: Told) -> None:
        is_bot = message.row.sender_kind == "bot"
        if is_bot and self.settings_at(message.at).bot_can_resolve:
            self.last_word = "out"
        if message.has_failed:
            return
        living = [wait for wait in self.open_waits() if all(at >= message.at for at, _, _ in self.deadlines(wait))]
        for wait in living:
            wait.machines.append((list(wait.asked), message))
            if is_bot:
                wait.talk.append(("bot", message))
        if is_bot:
            self.last_public_at = max(message.at, self.last_public_at or message.at)
            if self.sessions:
                session = self.sessions[-1]
                ended = session.closed_at is not None or message.at >= session.last_at + self.policy.session_idle
                if living or not ended:
                    session.bot_messages += 1

    def manager_message(self, message: Told) -> None:
        self.last_word = "out"
        if message.has_failed:
            for wait in self.open_waits():
                wait.had_failed = True
            return
        self.join_session(message)
        # a call is a message like any other (section 1), so who dialled in vain is the last human too
        self.wrote(message)
        self.human_reply(message)

    def wrote(self, message: Told) -> None:
        """A manager whom nobody could name owns nothing."""
        session = self.sessions[-1]
        session.last_writer = message.row.manager_id or session.last_writer

    def customer_message(self, message: Told) -> None:
        if message.is_answered_call:
            self.last_word = "out"
            self.join_session(message)
            self.wrote(message)
            self.human_reply(message)
            return
        asks = message.is_missed_call or self.needs_reply(message)
        self.join_session(message)
        if not asks:
            return
        self.last_word = "in"
        kind = "missed_call" if message.is_missed_call else "message"
        for wait in self.open_waits():
            if wait.kind == kind:
                wait.asked.append(message)
                break
        else:
            wait = self.open_wait(kind, message)
        wait.talk.append(("ask", message))
        if wait.request is None and self.asks_for_a_human(message):
            wait.request = message

    def needs_reply(self, message: Told) -> bool:
        """Section 1.1: false only if everything that makes a closing message holds."""
        return not (not self.open_waits() and self.last_word == "out" and is_closing(message, self.policy))

    def asks_for_a_human(self, message: Told) -> bool:
        text = (message.row.text or "").lower().replace("ё", "е")
        return any(phrase in text for phrase in self.policy.human_requests)

    def open_wait(self, kind: str, message: Told) -> Wait:
        session = self.sessions[-1]
        wait = Wait(
            kind=kind,
            session=session,
            settings=self.settings_at(message.at),
            calendar_id=self.calendar_at(message.at),
            is_first=kind == "message" and not any(other.kind == "message" for other in session.waits),
            asked=[message],
            holder_at_opening=self.assigned,
        )
        session.waits.append(wait)
        self.waits.append(wait)
        return wait

    def human_reply(self, message: Told) -> None:
        """Of this chat or another one: answers what is open, and is noted on what was settled without an answer."""
        if not message.is_human_reply:
            return
        late = [wait for wait in self.waits if wait.outcome in UNANSWERED and wait.late_reply is None]
        for wait in self.open_waits():
            if not self.counts_for(message, wait):
                continue
            wait.reply = message
            hours = self.hours(wait)
            waited = max(0, message.at - wait.start.at) if hours is None else hours.seconds(wait.start.at, message.at)
            self.settle(wait, "in_target" if waited <= wait.target else "slow_reply", message.sent_at)
        if message.was_deleted_within(self.policy.early_delete):
            return
        for wait in late:
            wait.late_reply = message

    # -- events and deletions --------------------------------------------------------------------------------------

    def event(self, event: TimedEvent) -> None:
        if event.kind == "assigned":
            self.assigned = event.manager_id
            for wait in self.open_waits():
                wait.assignments.append(event)
        elif event.kind == "handoff":
            for wait in self.open_waits():
                wait.explicit_handoff = wait.explicit_handoff or event
        elif event.kind == "no_reply_needed":
            for wait in self.open_waits():
                self.settle(wait, "not_required", event.at)
        elif event.kind == "closed":
            for wait in self.open_waits():
                if wait.is_bot_handled_once_ended:
                    self.settle(wait, "bot_handled", event.at)
                else:
                    wait.closed_unanswered = True
            if self.sessions and not self.open_waits() and self.sessions[-1].closed_at is None:
                self.sessions[-1].closed_at = cut(event.at)

    def deletion(self, message: Told, at: Instant) -> None:
        """Only a customer's own deletion of a question matters here; a manager's was weighed when he wrote."""
        for wait in self.open_waits():
            if message.row.message_id in [asked.row.message_id for asked in wait.asked]:
                wait.deleted.append(message.row.message_id)
                if all(is_closing(left, self.policy) for left in wait.remaining):
                    self.settle(wait, "not_required", at)

    # -- sessions --------------------------------------------------------------------------------------------------

    def join_session(self, message: Told) -> None:
        """A public message of a customer or manager prolongs the session or starts the next one."""
        if self.goes_on(message):
            session = self.sessions[-1]
            session.messages.append(message)
            session.closed_at = None
        else:
            came = [one for one in self.campaigns if message.at - one.at < self.policy.session_idle]
            initiated_by = "campaign" if came else message.row.sender_kind
            self.sessions.append(Session(self.chat.conversation_id, [message], initiated_by))
        self.campaigns = []
        self.last_public_at = max(message.at, self.last_public_at or message.at)

    def goes_on(self, message: Told) -> bool:
        if not self.sessions:
            return False
        session = self.sessions[-1]
        if message.is_human_reply and any(
            wait.outcome in UNANSWERED
            and wait.late_reply is None
            and message.at <= cut(wait.settled) + self.policy.late_reply
            for wait in session.waits
        ):
            return True
        return not self.is_over(session, message.at)

    def is_over(self, session: Session, now: int) -> bool:
        """Closed with no wait open, or silent for long enough after its last message and settlement (ruling 4)."""
        if self.open_waits():
            return False
        settled = [cut(wait.settled) for wait in session.waits]
        return session.closed_at is not None or now >= max([session.last_at + self.policy.session_idle, *settled])

    def end_of(self, session: Session) -> int | None:
        if any(wait.outcome == "pending" for wait in session.waits):
            return None
        end = session.last_at + self.policy.session_idle
        if session.closed_at is not None:
            end = min(end, session.closed_at)
        end = max([end, *(cut(wait.settled) for wait in session.waits)])
        return end if end <= cut(self.as_of) else None

    # -- settings --------------------------------------------------------------------------------------------------

    def settings_at(self, at: int) -> ChannelSettings:
        day = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.policy.zone)).date()
        versions = self.policy.channels.get(self.chat.channel_kind, (ChannelSettings(),))
        valid = [one for one in versions if one.valid_from is None or one.valid_from <= day]
        return max(valid, key=lambda one: one.valid_from or date.min)

    def calendar_at(self, at: int) -> str | None:
        """Of the assigned manager's team, else the channel, else the organisation: the one valid then (section 3)."""
        team = self.policy.manager_teams.get(self.assigned) if self.assigned is not None else None
        choices = (
            self.policy.team_calendars.get(team)
            or self.policy.channel_calendars.get(self.chat.channel_kind)
            or self.policy.organisation_calendars
        )
        day = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.policy.zone)).date()
        valid = [choice for choice in choices if choice[0] is None or choice[0] <= day]
        return max(valid, key=lambda choice: choice[0] or date.min)[1] if valid else None

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
            if event.manager_id == wait.reply.row.manager_id and holder not in (None, event.manager_id):
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
            if holder is not None and event.manager_id is not None:
                begin = max(since, wait.start.at, cut(wait.handoff) if wait.handoff is not None else since)
                held = self.span(wait, begin, cut(event.at))
                if held > wait.target:
                    wait_id = f"{self.chat.conversation_id}:{wait.opening.row.message_id}"
                    rows.append(LeftWaiting(wait_id, holder, event.at, held))
            holder, since = event.manager_id, cut(event.at)
        return rows


def is_closing(message: Told, policy: OraclePolicy) -> bool:
    """Whether the words alone are those of a closing message (section 1.1, ruling 15)."""
    if message.row.content_kind == "sticker":
        return True
    text = message.row.text or ""
    if message.row.content_kind != "text" or len(text) > 25 or "?" in text:
        return False
    if any(character.isdigit() for character in text):
        return False
    words = tokens(text)
    return bool(words) and all(word in policy.closing_words for word in words)


def tokens(text: str) -> list[str]:
    """Words and single emoji of a text without punctuation and skin tones."""
    found, word = [], ""
    for character in text.lower().replace("ё", "е"):
        category = unicodedata.category(character)
        if character.isspace() or category == "So":
            found += [word] if word else []
            word = ""
            found += [character] if category == "So" else []
        elif not category.startswith("P") and not "\U0001f3fb" <= character <= "\U0001f3ff" and character != "\ufe0f":
            word += character
    return [*found, word] if word else found


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
