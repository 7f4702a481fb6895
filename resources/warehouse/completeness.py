"""How much of what RetailCRM itself reports of a day is stored (metric contract, section 8).

Here: the comparison per channel account and local day, and its one table, ``ops.completeness``. Not here: what follows
from a bad figure (the checks and marts).

The gateway has no totals. It has pointers: every chat names its last message, every dialog its first and last one. All
of a day's pointers stored means that no chat of the day lost its end and no dialog its begin or end. API v5 has totals;
they are asked for per day. Three things make a pointer no expectation: its message is older or newer than the window,
it belongs to a mass mailing (the lists hide those), or it was deleted meanwhile. None of them can be seen in our rows,
so pointers without a stored row are asked for by id, and only those that the vendor lists count as missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from conversations.window import Window, business_day
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point

POINTERS = "message_pointers"
"""The measure of messages that chats and dialogs name as their first or last."""

_LONGEST_DIALOG = timedelta(days=30)
_CLOSING = timedelta(days=1)
"""A dialog may be closed this long after its last message: pointers named that late are asked for too."""

_POINTERS = """
with chats as (
    select external_id, payload from raw.retailcrm__chats where connection_id = %(connection_id)s
), dialogs as (
    select payload, event_at from raw.retailcrm__dialogs
    where connection_id = %(connection_id)s and event_at >= %(dialogs_from)s and event_at < %(named_until)s
), named as (
    select
        payload -> 'last_message' ->> 'id' as message_id,
        payload -> 'channel' ->> 'id' as channel_id,
        case
            when payload -> 'last_message' ->> 'time' ~ %(instant)s
                then (payload -> 'last_message' ->> 'time')::timestamptz
        end as named_at
    from chats
    union all
    select dialogs.payload ->> 'begin_message_id', chats.payload -> 'channel' ->> 'id', dialogs.event_at
    from dialogs join chats on chats.external_id = dialogs.payload ->> 'chat_id'
    union all
    select
        dialogs.payload ->> 'ending_message_id',
        chats.payload -> 'channel' ->> 'id',
        case when dialogs.payload ->> 'closed_at' ~ %(instant)s then (dialogs.payload ->> 'closed_at')::timestamptz end
    from dialogs join chats on chats.external_id = dialogs.payload ->> 'chat_id'
)
select named.message_id, min(named.channel_id) as channel_id, min(messages.event_at) as stored_at
from named
left join raw.retailcrm__messages as messages
    on messages.connection_id = %(connection_id)s and messages.external_id = named.message_id
where named.message_id is not null and (
    (messages.event_at >= %(start)s and messages.event_at < %(end)s)
    or (messages.external_id is null and named.named_at >= %(start)s and named.named_at < %(named_until)s)
)
group by named.message_id
"""

_STORED = {
    "customers": """
        select (event_at at time zone %(zone)s)::date, count(*) from raw.retailcrm__customers
        where connection_id = %(connection_id)s and event_at >= %(start)s and event_at < %(end)s and gone_at is null
        group by 1
    """,
    "orders": """
        select (event_at at time zone %(zone)s)::date, count(*) from raw.retailcrm__orders
        where connection_id = %(connection_id)s and event_at >= %(start)s and event_at < %(end)s and gone_at is null
        group by 1
    """,
}

_FORGET = """
delete from ops.completeness
where connection_id = %(connection_id)s and business_on = any(%(days)s) and measure = %(measure)s
"""

_STORE = """
insert into ops.completeness (connection_id, channel_id, business_on, measure, reported, stored)
values (%s, %s, %s, %s, %s, %s)
"""


class Completeness(NamedTuple):
    """One row of ``ops.completeness``: one measure of one channel account (empty: the whole account) on one day."""

    connection_id: str
    channel_id: str
    business_on: date
    measure: str
    reported: int
    stored: int


class Count(Protocol):
    """The vendor's own total of one stream and day."""

    @property
    def stream(self) -> str: ...
    @property
    def day(self) -> date: ...
    @property
    def reported(self) -> int: ...


class CountingSource(Protocol):
    """What completeness needs of a source; ``RetailCRMSource`` has it."""

    connection_id: str
    time_zone: str

    def counts(self, window: Window) -> Sequence[Count]: ...
    def instants(self, stream: str, external_ids: Collection[str]) -> Mapping[str, datetime]: ...


def refresh_completeness(
    warehouse: Warehouse, source: CountingSource, window: Window, time_zone: str
) -> list[Completeness]:
    """Compare the stored rows of the window with the vendor's counters and replace its rows in one transaction.

    ``time_zone`` is the organisation's, for the days of messages; totals of API v5 are by the account's own days, and
    only days that lie in the window as a whole have one: those at its edges keep what an earlier window counted.

    Raises:
        SourceError: the vendor could not be asked; the stored figures stay as they were.
    """
    counts = source.counts(window)
    with warehouse.connect() as connection:
        pointers = connection.execute(_POINTERS, _parameters(source, window)).fetchall()
        stored = {
            stream: dict(connection.execute(statement, _parameters(source, window)).fetchall())
            for stream, statement in _STORED.items()
        }
    missing = source.instants("messages", [message_id for message_id, _, stored_at in pointers if stored_at is None])

    rows = _of_pointers(source.connection_id, pointers, missing, window, time_zone)
    rows += [
        # more rows than the total says are later arrivals, not more than everything
        Completeness(
            source.connection_id,
            "",
            count.day,
            count.stream,
            count.reported,
            min(stored[count.stream].get(count.day, 0), count.reported),
        )
        for count in counts
    ]
    fail_point("completeness.before_write")
    with warehouse.connect() as connection:
        days = {POINTERS: list(window.days(time_zone))}
        # a day of the account at the window's edge has no new total: what was counted before stays
        days |= {stream: [count.day for count in counts if count.stream == stream] for stream in _STORED}
        connection.cursor().executemany(
            _FORGET,
            [{"connection_id": source.connection_id, "days": days[measure], "measure": measure} for measure in days],
        )
        connection.cursor().executemany(_STORE, rows)
    return rows


def _parameters(source: CountingSource, window: Window) -> dict[str, Any]:
    return {
        "connection_id": source.connection_id,
        "zone": source.time_zone,
        "start": window.start,
        "end": window.end,
        "dialogs_from": window.start - _LONGEST_DIALOG,
        "named_until": window.end + _CLOSING,
        # a text that is no instant must not end the whole measurement; the parser quarantines its row
        "instant": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    }


def _of_pointers(
    connection_id: str,
    pointers: Iterable[tuple[str, str, datetime | None]],
    missing: Mapping[str, datetime],
    window: Window,
    time_zone: str,
) -> list[Completeness]:
    reported: Counter[tuple[str, date]] = Counter()
    stored: Counter[tuple[str, date]] = Counter()
    for message_id, channel_id, stored_at in pointers:
        at = stored_at or missing.get(message_id)
        if at is None or at not in window:
            continue
        key = (f"{connection_id}:{channel_id}", business_day(at, time_zone))
        reported[key] += 1
        stored[key] += stored_at is not None
    return [
        Completeness(connection_id, channel_id, day, POINTERS, number, stored[channel_id, day])
        for (channel_id, day), number in sorted(reported.items())
    ]
