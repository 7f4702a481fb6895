"""The summaries of managers and channels, one row per week and subject.

Here: their columns and how a week of the whole company is made of its channels. Not here: what is read (``snapshot``).
New columns are added at the end: our range of a tab grows by inserted columns, and what people put to the right of it
moves aside whole.
"""

from __future__ import annotations

from assets.exports.made import CHANNEL, DATA, Made, count, minutes, share, text
from conversations.messages import Headings, Weekly, Words
from resources.sheets import ColourRule, Look

H, W = Headings, Weekly

_OUTCOMES: list[Made] = [
    count(H.WAITS, "waits_settled"),
    share(H.IN_TARGET, "in_target_share"),
    share(H.SLOW, "slow_reply_share"),
    share(H.NO_REPLY, "no_reply_share"),
    minutes(H.FIRST_REPLY, "first_reply_p50_business_seconds"),
    count(H.FIRST_REPLIES, "first_replies"),
    minutes(H.REPLY, "reply_p50_business_seconds"),
    minutes(H.REPLY_P90, "reply_p90_business_seconds"),
    count(H.ANSWERED, "answered"),
    count(H.PENDING, "pending_now"),
    count(H.NOT_REQUIRED, "not_required"),
]
_CALLS: list[Made] = [
    count(H.CALLS, "missed_calls_settled"),
    share(H.CALLS_IN_TARGET, "missed_calls_in_target_share"),
]
_BEHAVIOUR: list[Made] = [
    count(W.INTENT, "sessions_with_intent"),
    share(W.CLARIFYING, "asked_clarifying_share"),
    share(W.OFFER, "made_offer_share"),
    count(W.STEP_N, "next_step_judged"),
    share(W.STEP, "has_next_step_share"),
    count(W.GOOD_N, "good_judged"),
    share(W.GOOD, "good_share"),
]
MANAGER_COLUMNS: list[Made] = [
    text(H.TEAM, "team_id", 90),
    text(H.MANAGER, "manager_name", 170),
    *_OUTCOMES,
    count(H.SESSIONS, "sessions_touched"),
    count(H.LEFT_WAITING, "left_waiting"),
    *_CALLS,
    DATA,
    *_BEHAVIOUR,
]
CHANNEL_COLUMNS: list[Made] = [
    CHANNEL,
    *_OUTCOMES,
    count(H.CHATS, "chats"),
    count(H.CUSTOMERS, "unique_customers"),
    count(H.MESSAGES_IN, "messages_in"),
    count(H.MESSAGES_OUT, "messages_out"),
    share(H.ONE_DIRECTION, "one_direction_share"),
    count(H.ASKING, "asking_sessions"),
    share(H.BOT_FIRST, "bot_first_share"),
    count(H.BOT_ONLY, "bot_only_sessions"),
    count(H.BOT_HANDLED, "bot_handled"),
    *_CALLS,
    DATA,
    *_BEHAVIOUR,
]


def look(frozen_columns: int) -> Look:
    """Of both: weeks whose data are not complete stand out."""
    return Look(
        frozen_columns=frozen_columns,
        rules=[
            ColourRule(H.DATA, "is", Words.STATUSES["incomplete"], "warn"),
            ColourRule(H.DATA, "is", Words.STATUSES["failed"], "bad"),
        ],
        protected=True,
    )
