"""The evaluated tables: the results of ``conversations.timeline`` and whom and when they concern.

Here: names, keys and meanings. Not here: the rules (``conversations.waits``, ``conversations.sessions``).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Table
from sqlalchemy import text as sql

from resources.warehouse.schema.columns import boolean, day, instant, integer, metadata, seconds, text, texts


def _context() -> list[Column[Any]]:
    return [
        text("connection_id", "The account that the conversation came from"),
        text("channel_id", "The channel account: account_id of the metric contract"),
        text("customer_id", "The customer; NULL: unknown", "pseudonym", null=True),
    ]


def _stamp() -> list[Column[Any]]:
    return [
        integer("definition_version", "Version of the metric definitions", "version"),
        text("policy_hash", "sha256 of the policy that was in force"),
    ]


waits = Table(
    "waits",
    metadata,
    text("wait_id", "Conversation and its opening message", key=True),
    text("conversation_id", "The conversation"),
    text("session_id", "The session that the wait belongs to"),
    text("wait_kind", "message, missed_call, question or review"),
    text("opening_message_id", "The message that opened the wait"),
    text("answering_message_id", "The reply that settled it", null=True),
    texts("asking_message_ids", "All customer messages that asked, in order"),
    instant("opened_at", "When the wait opened"),
    instant("last_asking_at", "The last message that asked"),
    instant("answered_at", "When a person answered within the limit", null=True),
    instant("answered_after_limit_at", "When a person answered after the limit", null=True),
    instant("settled_at", "When the outcome was settled; NULL: pending", null=True),
    instant("limit_at", "When the no-reply limit is reached; NULL: it cannot be", null=True),
    text("outcome", "in_target, slow_reply, no_reply, window_expired, not_required, bot_handled or pending"),
    text("outcome_manager", "The outcome in the view of the manager (from the hand-off on)"),
    text("reply_kind", "message or call; NULL unless answered", null=True),
    text("owner_manager_id", "Who answers for the wait", "pseudonym", null=True),
    text("reply_manager_id", "Who replied", "pseudonym", null=True),
    seconds("wait_seconds", "From opened_at to the reply"),
    seconds("wait_business_seconds", "The same in working time"),
    seconds("wait_from_last_seconds", "From the last asking message to the reply"),
    seconds("manager_wait_seconds", "From the hand-off, or the opening, to the reply"),
    seconds("manager_wait_business_seconds", "The same in working time"),
    seconds("pending_seconds", "How long a pending wait is open at the as-of instant"),
    instant("handoff_at", "When the bot handed over to people", null=True),
    seconds("first_bot_reply_seconds", "From opened_at to the bot's first reply"),
    seconds("target_seconds", "The target in force", null=False),
    seconds("limit_seconds", "The no-reply limit in force", null=False),
    seconds("window_seconds", "The messenger's own reply window, where it has one"),
    boolean("is_first_of_session", "The first wait of its session"),
    boolean("is_first_reply", "The first wait of a session that the customer began"),
    boolean("had_failed_reply", "A reply was tried and not delivered"),
    boolean("clock_skew", "A time earlier than the order allows was corrected"),
    boolean("closed_unanswered", "Closed by a person without an answer"),
    text("calendar_id", "The working calendar in force", null=True),
    text("hours_basis", "Whether targets count working or calendar time: business or calendar"),
    *_context(),
    day("settled_on", "Local day of settled_at in the organisation's zone", null=True),
    text("settled_week", "ISO week of settled_on, 2026-W47", null=True),
    *_stamp(),
    schema="evaluated",
    comment="One row per wait: a customer asked and somebody owed an answer",
)
Index("waits_settled_week_idx", waits.c.settled_week)
Index("waits_conversation_idx", waits.c.conversation_id, waits.c.opened_at)
Index("waits_pending_idx", waits.c.connection_id, waits.c.limit_at, postgresql_where=sql("outcome = 'pending'"))
Index(
    "waits_without_late_reply_idx",
    waits.c.connection_id,
    waits.c.conversation_id,
    postgresql_where=sql("answered_after_limit_at is null and outcome in ('no_reply', 'window_expired')"),
)

sessions = Table(
    "sessions",
    metadata,
    text("session_id", "Conversation and its first message", key=True),
    text("conversation_id", "The conversation"),
    text("first_message_id", "The message that began the session"),
    instant("started_at", "When the session began"),
    instant("ended_at", "When it ended; NULL: it goes on", null=True),
    instant("last_message_at", "Its last message so far"),
    text("initiated_by", "Who wrote first"),
    boolean("is_new_contact", "The customer's first session"),
    boolean("is_bot_only", "No person took part on our side"),
    integer("customer_messages", "Messages of the customer", "messages"),
    integer("manager_messages", "Messages of managers", "messages"),
    integer("bot_messages", "Messages of bots", "messages"),
    text("last_message_id", "The last public message of the customer or a manager"),
    boolean("ends_outgoing", "Whether a closing remark after it would need no reply"),
    *_context(),
    day("ended_on", "Local day of ended_at in the organisation's zone", null=True),
    text("ended_week", "ISO week of ended_on", null=True),
    *_stamp(),
    schema="evaluated",
    comment="One row per session: a stretch of a conversation without a long pause",
)
Index("sessions_ended_week_idx", sessions.c.ended_week)
Index("sessions_conversation_idx", sessions.c.conversation_id, sessions.c.started_at)
Index(
    "sessions_open_idx", sessions.c.connection_id, sessions.c.last_message_at, postgresql_where=sql("ended_at is null")
)

left_waiting = Table(
    "left_waiting",
    metadata,
    text("wait_id", "The wait", key=True),
    text("manager_id", "Who held it longer than the target", "pseudonym", key=True),
    instant("replaced_at", "When somebody else took over", key=True),
    seconds("held_seconds", "How long he held it", null=False),
    text("conversation_id", "The conversation"),
    *_context(),
    day("replaced_on", "Local day of replaced_at in the organisation's zone"),
    text("replaced_week", "ISO week of replaced_on"),
    *_stamp(),
    schema="evaluated",
    comment="One row per wait and manager who held it longer than the target and was replaced",
)
Index("left_waiting_conversation_idx", left_waiting.c.conversation_id)
Index("left_waiting_replaced_week_idx", left_waiting.c.replaced_week)

behaviour = Table(
    "behaviour",
    metadata,
    text("session_id", "The ended session", key=True),
    text("conversation_id", "The conversation"),
    instant("ended_at", "When the session ended"),
    text("manager_id", "Whose session it is: who gave its last human reply; NULL: not known", "pseudonym", null=True),
    integer("human_replies", "Replies of people in the session", "replies"),
    boolean("has_intent", "The customer showed a wish to buy: price, availability, wish, size or delivery"),
    boolean("asked_clarifying", "A question about the need before or with the first offer; NULL: no intent", null=True),
    boolean("made_offer", "A concrete offer; NULL: no intent", null=True),
    boolean("has_next_step", "The last turn of the manager proposes a next step; NULL: not judged", null=True),
    boolean(
        "is_good",
        "Good by waits and words (contract, section 5) for its manager, of whose own waits none was slow or unanswered"
        " in his view; NULL: fewer than two messages of managers. With a model's word: evaluated.judged_sessions",
        null=True,
    ),
    boolean(
        "is_good_customer",
        "Good by waits and words in the customer's view, of all waits; NULL as is_good",
        null=True,
    ),
    text(
        "next_step_not_judged",
        "no_intent, refused, paid, unanswered, ended_by_customer or call; NULL: judged",
        null=True,
    ),
    texts("not_good", "Why not good: slow_reply, no_reply, no_question_or_offer, no_next_step"),
    texts("not_good_customer", "Why not good in the customer's view, in the same words"),
    texts("intent_message_ids", "Messages of the customer that show the wish, in order"),
    texts("clarifying_message_ids", "Clarifying questions that counted"),
    texts("offer_message_ids", "Offers"),
    texts("next_step_message_ids", "The last turn of the manager, if it was judged"),
    texts("refusal_message_ids", "Where the customer refused"),
    texts("paid_message_ids", "Where somebody said that it is paid"),
    integer(
        "good_score_at_least",
        "What a model's score must be for the session to be good, where one counts; the policy's at ended_at",
        "points",
    ),
    text("lexicon_hash", "sha256 of the lexicons that it was judged by"),
    *_context(),
    day("ended_on", "Local day of ended_at in the organisation's zone"),
    text("ended_week", "ISO week of ended_on"),
    *_stamp(),
    schema="evaluated",
    comment="One row per ended session with at least one human reply: what the manager did in it",
)
Index("behaviour_ended_idx", behaviour.c.ended_at)
Index("behaviour_ended_week_idx", behaviour.c.ended_week)
Index("behaviour_conversation_idx", behaviour.c.conversation_id)

advice = Table(
    "advice",
    metadata,
    text("advice_id", "What it is about (wait or session) and the rule", key=True),
    text("rule", "no_answer, slow_first_answer, no_offer, no_next_step or no_clarifying_question"),
    integer("rule_version", "Version of the rule", "version"),
    text("conversation_id", "The conversation"),
    text("session_id", "The session"),
    text("wait_id", "The wait, where the advice is about one", null=True),
    text("message_id", "The message that it is about"),
    text("manager_id", "Who is advised; NULL: nobody was responsible", "pseudonym", null=True),
    instant("given_at", "When it became true: the settlement of the wait, the end of the session"),
    *_context(),
    day("given_on", "Local day of given_at in the organisation's zone"),
    text("given_week", "ISO week of given_on"),
    *_stamp(),
    schema="evaluated",
    comment="One row per advice of a rule; the words are made when it is shown",
)
Index("advice_given_week_idx", advice.c.given_week)
Index("advice_conversation_idx", advice.c.conversation_id)
