"""The tabs of managers, channels, chats and messages as people read them.

Here: columns, their order, and how a value of the warehouse becomes a cell: names instead of ids, minutes instead of
seconds, local time, texts without contacts. Not here: what is read (``snapshot``), headings and words
(``conversations.messages``), the tab data_status (``status``). Functions of their arguments: no database, no clock.

An unknown value is an empty cell, never a zero. Columns are only ever added before people could have put their own
columns beside them, that is in a new tab: a range that grows would push into theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversations.messages import REASONS, Headings, Words, channel_title, short_name, week_title
from conversations.policy_exports import Texts
from conversations.redact import mask
from resources.sheets import Column, Kind, Tab

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from assets.exports.snapshot import Snapshot

CHATS, MESSAGES, MANAGERS, CHANNELS = "chats_raw", "messages_raw", "manager_summary", "channel_summary"
"""The titles that people know."""
TITLES = (MANAGERS, CHANNELS, CHATS, MESSAGES)
"""In the order of the tabs: what is read first stands first."""

H = Headings


@dataclass(frozen=True)
class Sheet:
    """One tab before it is written."""

    title: str
    columns: Sequence[Column]
    frame: DataFrame
    """One column per heading, in their order."""
    weeks: Series
    """The ISO week of each row."""

    def tab(self) -> Tab:
        """What is written."""
        return Tab(self.title, self.columns, self.frame.to_numpy().tolist())


@dataclass(frozen=True)
class Made:
    """One column of a tab and how it is made."""

    column: Column
    source: str
    """The column of the warehouse that it shows, for whoever asks where a figure comes from."""
    make: Callable[[DataFrame], Any]


def columns_of(title: str) -> list[Made]:
    """The columns of one of the four tabs; how texts are let out does not change them."""
    return {
        MANAGERS: [_week({}), *_MANAGERS],
        CHANNELS: [_week({}), *_CHANNELS],
        CHATS: _chats("masked"),
        MESSAGES: [_week({}), *_messages("masked")],
    }[title]


def sheets(snapshot: Snapshot, texts: Texts) -> list[Sheet]:
    """The four tabs in the order of ``TITLES``."""
    weeks = {week: week_title(week, monday) for week, monday in snapshot.weeks.items()}
    return [
        _sheet(MANAGERS, snapshot.managers, [_week(weeks), *_MANAGERS]),
        _sheet(CHANNELS, snapshot.channels, [_week(weeks), *_CHANNELS]),
        _sheet(CHATS, snapshot.chats, _chats(texts)),
        _sheet(MESSAGES, snapshot.messages, [_week(weeks), *_messages(texts)]),
    ]


def _sheet(title: str, rows: DataFrame, made: Sequence[Made]) -> Sheet:
    import pandas as pd

    cells = {one.column.name: _objects(one.make(rows), rows) for one in made}
    frame = pd.DataFrame(cells, index=rows.index, columns=[one.column.name for one in made], dtype=object)
    return Sheet(title, [one.column for one in made], frame, rows["week"])


def _objects(values: Any, rows: DataFrame) -> Series:
    """The values as they are: no column of numbers becomes one of floats because a cell is empty."""
    import pandas as pd

    return pd.Series(list(values), index=rows.index, dtype=object)


def _week(titles: dict[str, str]) -> Made:
    return Made(Column(H.WEEK, Kind.TEXT, 170), "week", lambda rows: rows["week"].map(titles))


def _text(heading: str, name: str, width: int | None = None) -> Made:
    return Made(Column(heading, Kind.TEXT, width), name, lambda rows: rows[name])


def _count(heading: str, name: str) -> Made:
    return Made(Column(heading, Kind.INTEGER, 120), name, lambda rows: rows[name])


def _share(heading: str, name: str) -> Made:
    return Made(
        Column(heading, Kind.PERCENT, 140), name, lambda rows: [None if v is None else float(v) for v in rows[name]]
    )


def _minutes(heading: str, name: str) -> Made:
    return Made(
        Column(heading, Kind.DECIMAL, 125),
        name,
        lambda rows: [None if seconds is None else round(float(seconds) / 60, 2) for seconds in rows[name]],
    )


def _moment(heading: str, name: str) -> Made:
    return Made(
        Column(heading, Kind.DATETIME, 130),
        name,
        lambda rows: [None if moment is None else moment.replace(microsecond=0) for moment in rows[name]],
    )


def _day(heading: str, name: str) -> Made:
    return Made(
        Column(heading, Kind.DATE, 110),
        name,
        lambda rows: [None if moment is None else moment.date() for moment in rows[name]],
    )


def _named(heading: str, name: str, words: dict[str, str], width: int | None = None) -> Made:
    return Made(Column(heading, Kind.TEXT, width), name, lambda rows: [words.get(code, code) for code in rows[name]])


_CHANNEL = Made(
    Column(H.CHANNEL, Kind.TEXT, 190),
    "channel_name",
    lambda rows: [channel_title(*pair) for pair in zip(rows["channel_kind"], rows["channel_name"], strict=True)],
)
_DATA = _named(H.DATA, "data_status", Words.STATUSES, 110)
_OUTCOMES: list[Made] = [
    _count(H.WAITS, "waits_settled"),
    _share(H.IN_TARGET, "in_target_share"),
    _share(H.SLOW, "slow_reply_share"),
    _share(H.NO_REPLY, "no_reply_share"),
    _minutes(H.FIRST_REPLY, "first_reply_p50_business_seconds"),
    _count(H.FIRST_REPLIES, "first_replies"),
    _minutes(H.REPLY, "reply_p50_business_seconds"),
    _minutes(H.REPLY_P90, "reply_p90_business_seconds"),
    _count(H.ANSWERED, "answered"),
    _count(H.PENDING, "pending_now"),
    _count(H.NOT_REQUIRED, "not_required"),
]
_CALLS: list[Made] = [
    _count(H.CALLS, "missed_calls_settled"),
    _share(H.CALLS_IN_TARGET, "missed_calls_in_target_share"),
]
_MANAGERS: list[Made] = [
    _text(H.TEAM, "team_id", 90),
    _text(H.MANAGER, "manager_name", 170),
    *_OUTCOMES,
    _count(H.SESSIONS, "sessions_touched"),
    _count(H.LEFT_WAITING, "left_waiting"),
    *_CALLS,
    _DATA,
]
_CHANNELS: list[Made] = [
    _CHANNEL,
    *_OUTCOMES,
    _count(H.CHATS, "chats"),
    _count(H.CUSTOMERS, "unique_customers"),
    _count(H.MESSAGES_IN, "messages_in"),
    _count(H.MESSAGES_OUT, "messages_out"),
    _share(H.ONE_DIRECTION, "one_direction_share"),
    _count(H.ASKING, "asking_sessions"),
    _share(H.BOT_FIRST, "bot_first_share"),
    _count(H.BOT_ONLY, "bot_only_sessions"),
    _count(H.BOT_HANDLED, "bot_handled"),
    *_CALLS,
    _DATA,
]


def _chats(texts: Texts) -> list[Made]:
    return [
        _text(H.CHAT, "conversation_id", 130),
        _CHANNEL,
        Made(
            Column(H.CUSTOMER, Kind.TEXT, 150),
            "customer_name",
            lambda rows: [person(name, texts) for name in rows["customer_name"]],
        ),
        _text(H.OWNER, "manager_name", 160),
        _text(H.TEAM, "team_id", 80),
        _moment(H.LAST_MESSAGE, "last_at"),
        _named(H.LAST_SENDER, "last_sender", Words.SENDERS, 110),
        _moment(H.WAITING_SINCE, "waiting_since"),
        _count(H.WAITS, "waits"),
        _count(H.CHAT_IN_TARGET, "in_target"),
        _count(H.CHAT_SLOW, "slow_reply"),
        _count(H.CHAT_NO_REPLY, "unanswered"),
        _minutes(H.CHAT_FIRST_REPLY, "first_reply_seconds"),
        _count(H.FROM_CUSTOMER, "from_customer"),
        _count(H.FROM_MANAGERS, "from_managers"),
        _count(H.FROM_BOTS, "from_bots"),
        _moment(H.FIRST_MESSAGE, "first_at"),
        # a day is enough for what may be years ago
        _day(H.BEGUN, "created_at"),
        Made(Column(H.MARKS, Kind.TEXT, 180), "closed_unanswered, flags", _chat_marks),
    ]


def _messages(texts: Texts) -> list[Made]:
    return [
        _text(H.CHAT, "conversation_id", 130),
        _CHANNEL,
        _moment(H.SENT_AT, "sent_at"),
        _named(H.SENDER, "sender_kind", Words.SENDERS, 110),
        Made(Column(H.NAME, Kind.TEXT, 150), "manager_name, customer_name", lambda rows: _authors(rows, texts)),
        Made(Column(H.TEXT, Kind.TEXT, 480), "text", lambda rows: [message(text, texts) for text in rows["text"]]),
        _named(H.CONTENT, "content_kind", Words.CONTENTS, 90),
        _named(H.DELIVERY, "delivery_status", Words.DELIVERIES, 110),
        Made(Column(H.MARKS, Kind.TEXT, 180), "deleted_at, edited_at, flags", _message_marks),
    ]


def person(name: str | None, texts: Texts) -> str | None:
    """A customer's name as the policy lets it out.

    >>> person("Галина Ветрова", "full"), person("Галина Ветрова", "masked"), person("Галина Ветрова", "none")
    ('Галина Ветрова', 'Галина В.', None)
    >>> person("+7 701 123-45-67", "masked")
    '[телефон]'
    """
    if name is None or texts == "none":
        return None
    return name if texts == "full" else short_name(mask(name))


def message(text: str | None, texts: Texts) -> str | None:
    """The text of a message as the policy lets it out.

    >>> message("Мой номер 8 926 123-45-67", "masked")
    'Мой номер [телефон]'
    """
    if text is None or texts == "none":
        return None
    return text if texts == "full" else mask(text)


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
