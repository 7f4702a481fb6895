"""From one customer's conversations to waits, sessions, behaviour and advice: the one entry of the pure core.

Here: versions of a message, the order of what happened, and how the chats of a customer touch each other (contract,
section 1 and rulings 1, 8 and 9). Not here: what each message changes (``conversations.walk``), what was said in a
session (``conversations.words``, ``conversations.behaviour``), the policy (``conversations.policy``), where rows come
from and go to.

Evaluation is pure: no clock, no I/O; order and duplicates of the input change nothing. A contact can be evaluated from
its beginning, or from a restart point on; what has to be known and read for the latter, and why the result is the same,
is said in ``conversations.restart``.
"""

from __future__ import annotations

from operator import attrgetter

from conversations import advice
from conversations.behaviour import judge
from conversations.restart import Carry
from conversations.rules import Rules, compile_policy
from conversations.sessions import Ended, new_contacts
from conversations.timeline import (
    SECOND,
    Behaviour,
    Chat,
    Contact,
    Evaluation,
    Instant,
    LeftWaiting,
    TimedEvent,
    TimedMessage,
    Wait,
)
from conversations.walk import Beside, ChatWalk, OtherAccount, Withdrawal
from conversations.words import Words

__all__ = ["Rules", "compile_policy", "evaluate"]

_HEARD = frozenset({"customer", "manager", "bot", "autoreply", "campaign"})
"""Senders whose messages mean something to a wait or a session; staff of a marketplace and notes do not."""

_BY_TIME = attrgetter("sent_at", "message_id")
_OTHER_CHAT, _EVENT, _DELETION = 1, 2, 3


def evaluate(
    contact: Contact, rules: Rules, as_of: Instant, carry: Carry | None = None, words: Words | None = None
) -> Evaluation:
    """Judge one customer's conversations as they stood at ``as_of``.

    Args:
        contact: all chats of the customer; messages and events in any order, versions and duplicates allowed.
        rules: the compiled policy; keep it for the whole run, its calendars grow as they are used.
        as_of: only messages, events and deletions dated up to it (whole seconds) are seen.
        carry: what went before, if ``contact`` does not begin at the beginning (``conversations.restart``).
        words: reads what was said in the sessions that have ended, like ``rules`` kept for the whole run; without it no
            session is judged by its words.

    Raises:
        ValueError: a message or event belongs to no chat of the contact.
    """
    as_of_second = as_of // SECOND
    seen_before = (as_of_second + 1) * SECOND
    chats = sorted(contact.chats, key=attrgetter("conversation_id"))
    lines = {
        chat.conversation_id: _line(chat, messages, seen_before)
        for chat, messages in zip(chats, _by_chat(contact, chats), strict=True)
    }
    events = _events(contact, lines, seen_before)
    ended: list[Ended] = []
    waits: list[Wait] = []
    left: list[LeftWaiting] = []
    waits_of: list[list[Wait]] = []
    for chat in chats:
        line = lines[chat.conversation_id]
        if not line:
            continue
        beside = events.get(chat.conversation_id, [])
        beside += _withdrawals(line, seen_before)
        if len(chats) > 1:
            beside += _replies_elsewhere(chat, chats, lines)
        if len(beside) > 1:
            beside.sort(key=lambda item: item[:4])
        walk = ChatWalk(chat, rules, as_of_second, carry is not None and chat.conversation_id in carry.ends_outgoing)
        walk.run(line, beside)
        ended += walk.sessions
        of_session: dict[str, list[Wait]] = {}
        for wait in walk.waits:
            result = wait.result(as_of_second)
            waits.append(result)
            of_session.setdefault(result.session_id, []).append(result)
            if wait.transfers:
                left += wait.left_waiting()
        waits_of += [of_session.get(session.session_id, []) for session, _ in walk.sessions]
    earlier = (carry.session_started_at, carry.session_ended_at) if carry is not None else (None, None)
    new = new_contacts(ended, rules.new_contact_seconds, *earlier)
    sessions = [session.result(ended_at, session.session_id in new) for session, ended_at in ended]
    behaviour: list[Behaviour] = []
    advised = list(advice.of_waits(waits))
    if words is not None:
        settings = {chat.conversation_id: rules.channel(chat.channel_kind) for chat in chats}
        for (open_session, ended_at), session, its_waits in zip(ended, sessions, waits_of, strict=True):
            if ended_at is None:
                continue
            said = words.said(open_session.messages)
            good_score = settings[session.conversation_id].at(ended_at // SECOND).good_score
            judged = judge(session, said, its_waits, words.hash, good_score, rules.person)
            if judged is not None:
                behaviour.append(judged)
                advised += advice.of_session(judged, said)
    return Evaluation(waits, sessions, left, behaviour, advised)


def _by_chat(contact: Contact, chats: list[Chat]) -> list[list[TimedMessage]]:
    """The messages of each chat, in the order of ``chats``."""
    messages: dict[str, list[TimedMessage]] = {chat.conversation_id: [] for chat in chats}
    try:
        for message in contact.messages:
            messages[message.conversation_id].append(message)
    except KeyError as error:
        raise ValueError(f"a message belongs to conversation {error}, which is none of the contact's") from None
    return list(messages.values())


def _line(chat: Chat, messages: list[TimedMessage], seen_before: Instant) -> list[TimedMessage]:
    """The messages that count, one version each, in the contract's order; none if the chat is untimed."""
    by_id = {message.message_id: message for message in messages}
    if len(by_id) < len(messages):
        messages = _merge_versions(messages)
    if chat.is_untimed:
        return []
    has_sequence = False
    for message in messages:
        if message.sent_at is None:
            return []
        if message.source_seq is not None:
            has_sequence = True
    return [
        message
        for message in sorted(messages, key=_by_sequence if has_sequence else _BY_TIME)
        if message.sent_at < seen_before
        and message.is_public
        and message.sender_kind in _HEARD
        and message.content_kind != "reaction"
        and (message.content_kind != "call" or message.direction != "none")
    ]


def _by_sequence(message: TimedMessage) -> tuple[bool, int, Instant, str]:
    """Order where the channel has its own: messages without a sequence stand last."""
    return (message.source_seq is None, message.source_seq or 0, message.sent_at or 0, message.message_id)


def _merge_versions(messages: list[TimedMessage]) -> list[TimedMessage]:
    """One row per message: the time of its earliest version, everything else of its latest."""
    versions: dict[str, list[TimedMessage]] = {}
    for message in messages:
        versions.setdefault(message.message_id, []).append(message)
    merged = []
    for known in versions.values():
        latest = max(known, key=_version)
        merged.append(latest if len(known) == 1 else latest._replace(sent_at=min(known, key=_version).sent_at))
    return merged


def _version(message: TimedMessage) -> tuple[Instant, Instant, str, str]:
    # the last part only settles ties between versions that the contract cannot tell apart
    edited_at = -1 if message.edited_at is None else message.edited_at
    return (message.ingested_at, edited_at, message.text or "", repr(tuple(message)))


def _events(contact: Contact, lines: dict[str, list[TimedMessage]], seen_before: Instant) -> dict[str, list[Beside]]:
    """Events up to ``as_of`` by chat, each once."""
    found: dict[str, list[Beside]] = {}
    known: set[tuple[str, str]] = set()
    for event in sorted(contact.events, key=_event_order) if len(contact.events) > 1 else contact.events:
        chat_id = event.conversation_id
        if chat_id not in lines:
            raise ValueError(f"an event belongs to conversation {chat_id!r}, which is none of the contact's")
        if event.at < seen_before and (chat_id, event.event_id) not in known:
            known.add((chat_id, event.event_id))
            found.setdefault(chat_id, []).append(Beside(event.at, _EVENT, event.event_id, 0, event))
    return found


def _event_order(event: TimedEvent) -> tuple[Instant, str, str, str]:
    return (event.at, event.event_id, event.kind, event.manager_id or "")


def _withdrawals(line: list[TimedMessage], seen_before: Instant) -> list[Beside]:
    """Deletions of the customer's own messages."""
    return [
        Beside(message.deleted_at, _DELETION, "", place, Withdrawal(message.deleted_at, message.message_id))
        for place, message in enumerate(line)
        if message.deleted_at is not None and message.sender_kind == "customer" and message.deleted_at < seen_before
    ]


def _replies_elsewhere(chat: Chat, chats: list[Chat], lines: dict[str, list[TimedMessage]]) -> list[Beside]:
    """What answers the chat's waits from the customer's other chats: a call on any channel and a message on the same
    channel account (ruling 9); a message on any other answers missed calls (section 4.6: "to the same customer")."""
    found = []
    for other in chats:
        if other.conversation_id == chat.conversation_id:
            continue
        is_same_account = other.account_id == chat.account_id
        for place, message in enumerate(lines[other.conversation_id]):
            what: TimedMessage | OtherAccount = message
            if message.content_kind == "call":
                answers = message.call_answered is True and message.sender_kind in ("customer", "manager")
            else:
                answers = message.sender_kind == "manager" and message.delivery_status != "failed"
                if not is_same_account:
                    what = OtherAccount(message)
            if answers:
                found.append(Beside(message.sent_at or 0, _OTHER_CHAT, other.conversation_id, place, what))
    return found
