"""The lists of chats and messages.

Here: their columns, whom a message is shown to come from, what is odd about a chat or a message. Not here: what is read
(``snapshot``), how texts are masked (``made``, ``conversations.redact``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.exports.made import CHANNEL, Made, count, day, message, minutes, moment, named, person, text
from conversations.messages import REASONS, Headings, Words
from conversations.policy_exports import Texts
from resources.sheets import Column, Kind, Look

if TYPE_CHECKING:
    from pandas import DataFrame

H = Headings


def chats(texts: Texts) -> list[Made]:
    """The columns of the list of chats."""
    return [
        text(H.CHAT, "conversation_id", 130),
        CHANNEL,
        Made(
            Column(H.CUSTOMER, Kind.TEXT, 150),
            "customer_name",
            lambda rows: [person(name, texts) for name in rows["customer_name"]],
        ),
        text(H.OWNER, "manager_name", 160),
        text(H.TEAM, "team_id", 80),
        moment(H.LAST_MESSAGE, "last_at"),
        named(H.LAST_SENDER, "last_sender", Words.SENDERS, 110),
        moment(H.WAITING_SINCE, "waiting_since"),
        count(H.WAITS, "waits"),
        count(H.CHAT_IN_TARGET, "in_target"),
        count(H.CHAT_SLOW, "slow_reply"),
        count(H.CHAT_NO_REPLY, "unanswered"),
        minutes(H.CHAT_FIRST_REPLY, "first_reply_seconds"),
        count(H.FROM_CUSTOMER, "from_customer"),
        count(H.FROM_MANAGERS, "from_managers"),
        count(H.FROM_BOTS, "from_bots"),
        moment(H.FIRST_MESSAGE, "first_at"),
        # a day is enough for what may be years ago
        day(H.BEGUN, "created_at"),
        Made(Column(H.MARKS, Kind.TEXT, 180), "closed_unanswered, flags", _chat_marks),
    ]


def messages(texts: Texts) -> list[Made]:
    """The columns of the list of messages; their week stands before them."""
    return [
        text(H.CHAT, "conversation_id", 130),
        CHANNEL,
        moment(H.SENT_AT, "sent_at"),
        named(H.SENDER, "sender_kind", Words.SENDERS, 110),
        Made(Column(H.NAME, Kind.TEXT, 150), "manager_name, customer_name", lambda rows: _authors(rows, texts)),
        Made(Column(H.TEXT, Kind.TEXT, 480), "text", lambda rows: [message(one, texts) for one in rows["text"]]),
        named(H.CONTENT, "content_kind", Words.CONTENTS, 90),
        named(H.DELIVERY, "delivery_status", Words.DELIVERIES, 110),
        Made(Column(H.MARKS, Kind.TEXT, 180), "deleted_at, edited_at, flags", _message_marks),
    ]


def look() -> Look:
    """Of both lists: plain, as long lists are read."""
    return Look(frozen_columns=1, protected=True)


def _authors(rows: DataFrame, texts: Texts) -> list[str | None]:
    """Names of managers are ours to show, those of customers are not."""
    people = zip(rows["sender_kind"], rows["manager_name"], rows["customer_name"], strict=True)
    return [person(customer, texts) if kind == "customer" else manager for kind, manager, customer in people]


def _chat_marks(rows: DataFrame) -> list[str]:
    marks = zip(rows["closed_unanswered"], rows["flags"], strict=True)
    return [
        Words.joined([Words.CLOSED_UNANSWERED if closed else "", *(REASONS.get(flag, flag) for flag in flags)])
        for closed, flags in marks
    ]


def _message_marks(rows: DataFrame) -> list[str]:
    marks = zip(
        rows["is_deleted"], rows["is_edited"], rows["content_kind"], rows["call_answered"], rows["flags"], strict=True
    )
    return [
        Words.joined(
            [
                Words.DELETED if is_deleted else "",
                Words.EDITED if is_edited else "",
                Words.MISSED_CALL if kind == "call" and answered is False else "",
                *(REASONS.get(flag, flag) for flag in flags if flag != "gone_at_source"),
            ]
        )
        for is_deleted, is_edited, kind, answered, flags in marks
    ]
