"""What the judgement of waits and sessions reads and writes, as plain tuples of one customer's conversations.

Here: inputs (``TimedMessage``, ``TimedEvent``, ``Chat``, ``Contact``) and results (``Wait``, ``Session``,
``LeftWaiting``, ``Evaluation``). Not here: the rules (``conversations.waits``, ``conversations.sessions``).

An *instant* is an integer: microseconds since 1970-01-01 UTC. A million messages are compared and cut to seconds
several times each; integers keep the rules readable and the full precision that the contract's order asks for.
Durations are whole seconds.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Instant: TypeAlias = int
SECOND = 1_000_000
"""Instants in one second."""

Outcome: TypeAlias = Literal[
    "in_target", "slow_reply", "no_reply", "window_expired", "not_required", "bot_handled", "pending"
]
WaitKind: TypeAlias = Literal["message", "missed_call", "question", "review"]


class TimedMessage(NamedTuple):
    """One version of one message or call (contract, section 1)."""

    conversation_id: str
    message_id: str
    source_seq: int | None
    sent_at: Instant | None
    ingested_at: Instant
    direction: str
    sender_kind: str
    manager_id: str | None
    is_public: bool
    delivery_status: str
    content_kind: str
    edited_at: Instant | None
    deleted_at: Instant | None
    text: str | None
    """Raw text; may be ``None`` for senders whose words no rule reads (everybody but customers)."""
    call_answered: bool | None
    talk_seconds: int | None


class TimedEvent(NamedTuple):
    """A dated event of a conversation (contract, section 11)."""

    conversation_id: str
    event_id: str
    at: Instant
    kind: str
    manager_id: str | None


class Chat(NamedTuple):
    """What the rules need to know of a conversation itself."""

    conversation_id: str
    account_id: str
    """The channel account: messages in another chat of the customer answer on the same account only (ruling 9), except
    missed calls (section 4.6)."""
    channel_kind: str
    """Key of the policy's channel settings, ``whatsapp``."""
    is_untimed: bool


class Contact(NamedTuple):
    """All conversations of one customer: the unit of judgement, since a reply may come in another chat of his."""

    chats: tuple[Chat, ...]
    messages: list[TimedMessage]
    """In any order, duplicates and versions allowed."""
    events: list[TimedEvent]


class Wait(NamedTuple):
    """One row per wait (contract, section 4.1); names and NULLs follow the contract and ruling 7."""

    wait_id: str
    """``conversation_id:opening_message_id``; the original opening message, also if that was deleted later."""
    conversation_id: str
    session_id: str
    wait_kind: WaitKind
    opening_message_id: str
    answering_message_id: str | None
    """The reply that settled the wait; with ``asking_message_ids`` the evidence for every figure."""
    asking_message_ids: tuple[str, ...]
    opened_at: Instant
    last_asking_at: Instant
    answered_at: Instant | None
    answered_after_limit_at: Instant | None
    settled_at: Instant | None
    limit_at: Instant | None
    """When the no-reply limit is or will be reached; ``None`` where it cannot be (no opening ahead, bot leads)."""
    outcome: Outcome
    outcome_manager: Outcome
    """As ``outcome``, but in_target and slow_reply told apart by the manager view."""
    reply_kind: str | None
    """``message`` or ``call``; ``None`` unless answered."""
    owner_manager_id: str | None
    reply_manager_id: str | None
    wait_seconds: int | None
    wait_business_seconds: int | None
    wait_from_last_seconds: int | None
    manager_wait_seconds: int | None
    manager_wait_business_seconds: int | None
    pending_seconds: int | None
    handoff_at: Instant | None
    first_bot_reply_seconds: int | None
    target_seconds: int
    limit_seconds: int
    window_seconds: int | None
    is_first_of_session: bool
    is_first_reply: bool
    """First of a session that the customer began: the waits behind the first_reply figures (section 4.3)."""
    had_failed_reply: bool
    clock_skew: bool
    closed_unanswered: bool
    calendar_id: str | None
    hours_basis: Literal["business", "calendar"]


class Session(NamedTuple):
    """One row per session (contract, section 2)."""

    session_id: str
    """``conversation_id:first_message_id``."""
    conversation_id: str
    first_message_id: str
    started_at: Instant
    ended_at: Instant | None
    """``None`` while the session goes on at ``as_of``."""
    last_message_at: Instant
    initiated_by: str
    is_new_contact: bool
    is_bot_only: bool
    customer_messages: int
    manager_messages: int
    bot_messages: int
    last_message_id: str = ""
    """Of the last public customer or manager message: rows behind it in order belong to no session yet."""
    ends_outgoing: bool = False
    """Whether a closing remark after it would need no reply; with ``last_message_id`` what a later evaluation that
    begins behind this session has to know of it (``conversations.restart``)."""


class LeftWaiting(NamedTuple):
    """One row per wait and manager who held it longer than T and was replaced (section 4.5, ruling 10)."""

    wait_id: str
    manager_id: str
    replaced_at: Instant
    held_seconds: int


class Behaviour(NamedTuple):
    """One row per ended session with at least one human reply (section 5); message ids are the evidence."""

    session_id: str
    conversation_id: str
    ended_at: Instant
    manager_id: str | None
    """Who gave the last human reply: the session is his."""
    human_replies: int
    has_intent: bool
    """Price, availability, wish to buy, size or delivery."""
    asked_clarifying: bool | None
    """``None``: not eligible; so for the next four."""
    made_offer: bool | None
    has_next_step: bool | None
    is_good: bool | None
    """By waits and words alone, in the view of the manager; of the waits only his own count."""
    is_good_customer: bool | None
    """In the view of the customer, of all waits."""
    next_step_not_judged: str | None
    """no_intent, refused, paid, unanswered, ended_by_customer or call; ``None`` where the next step was judged."""
    not_good: tuple[str, ...]
    """slow_reply, no_reply, no_question_or_offer, no_next_step; empty where good or not judged."""
    not_good_customer: tuple[str, ...]
    """The same of ``is_good_customer``."""
    intent_message_ids: tuple[str, ...]
    clarifying_message_ids: tuple[str, ...]
    offer_message_ids: tuple[str, ...]
    next_step_message_ids: tuple[str, ...]
    """The last turn of the manager, where it was judged."""
    refusal_message_ids: tuple[str, ...]
    paid_message_ids: tuple[str, ...]
    good_score_at_least: int
    """What a model's score must be for the session to be good, if it has one; valid at ``ended_at``."""
    lexicon_hash: str


class Advice(NamedTuple):
    """One row per advice of a rule; the words are made when it is shown."""

    advice_id: str
    """``wait_id:rule`` or ``session_id:rule``."""
    rule: str
    """no_answer, slow_first_answer, no_offer, no_next_step or no_clarifying_question."""
    rule_version: int
    conversation_id: str
    session_id: str
    wait_id: str | None
    message_id: str
    """The message that it is about."""
    manager_id: str | None
    given_at: Instant
    """When it became true: the settlement of the wait, the end of the session."""


class Evaluation(NamedTuple):
    """The judgement of one contact at ``as_of``."""

    waits: list[Wait]
    sessions: list[Session]
    left_waiting: list[LeftWaiting]
    behaviour: list[Behaviour]
    advice: list[Advice]
