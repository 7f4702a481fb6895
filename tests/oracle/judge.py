"""Waits, sessions and left_waiting of one contact, by walking each chat's story once (contract, sections 1-4 and 11).

Here: the rules, one small method per sentence of the contract, on whole epoch seconds.
Not here: order (``reading``), opening hours (``hours``), rows (``rows``).
"""

from __future__ import annotations

from conversations.timeline import SECOND, Chat, Contact, Evaluation, Instant, TimedEvent
from tests.oracle.policy import OraclePolicy
from tests.oracle.reading import Item, Told, cut, stories
from tests.oracle.rows import ChatRows
from tests.oracle.state import ANSWERED, UNANSWERED, Session, Wait
from tests.oracle.words import is_closing


def judge(contact: Contact, policy: OraclePolicy, as_of: Instant) -> Evaluation:
    """What the contract says of one contact at ``as_of``."""
    chats = {chat.conversation_id: chat for chat in contact.chats}
    told = [ChatJudge(chats[chat_id], story, policy, as_of).run() for chat_id, story in stories(contact, as_of).items()]
    sessions = [session for judged in told for session in judged.sessions]
    return Evaluation(
        waits=[judged.wait_row(wait) for judged in told for wait in judged.waits],
        sessions=[judged.session_row(session, sessions) for judged in told for session in judged.sessions],
        left_waiting=[row for judged in told for wait in judged.waits for row in judged.left_waiting(wait)],
        behaviour=[],
        advice=[],
    )


class ChatJudge(ChatRows):
    """Tells one chat's story."""

    def __init__(self, chat: Chat, story: list[Item], policy: OraclePolicy, as_of: Instant) -> None:
        super().__init__(chat, policy, as_of)
        self.story = story
        self.waits: list[Wait] = []
        self.sessions: list[Session] = []
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
                self.human_reply(
                    item.other, ("missed_call",) if item.is_written_elsewhere else ("message", "missed_call")
                )
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

    def human_reply(self, message: Told, kinds: tuple[str, ...] = ("message", "missed_call")) -> None:
        """Of this chat or another one: answers what is open, and is noted on what was settled without an answer.

        A message on another channel account answers missed calls only (section 4.6: "a message to the same customer").
        """
        if not message.is_human_reply:
            return
        late = [
            wait for wait in self.waits if wait.kind in kinds and wait.outcome in UNANSWERED and wait.late_reply is None
        ]
        for wait in self.open_waits():
            if wait.kind not in kinds or not self.counts_for(message, wait):
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
