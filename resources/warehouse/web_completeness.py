"""How much of what the chats page itself names of a day is stored (metric contract, section 8).

Here: the comparison per channel and local day, written to ``ops.completeness`` like that of the APIs
(``resources.warehouse.completeness``). Not here: what follows from a bad figure (the checks and marts).

The page has no totals. It names the last message of every chat: all of a day's stored means that no chat of the day
lost its end. A row that is partial proves nothing, it *is* that pointer: an account without a captured ``messages`` is
not counted, and a day that nobody counted is not called complete.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Protocol

from conversations.window import Window
from resources.warehouse.completeness import POINTERS, Completeness
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point

_POINTERS = """
with named as (
    select
        chats.payload -> 'channel' ->> 'id' as channel_id,
        last ->> 'id' as message_id,
        case when last ->> 'time' ~ %(instant)s then (last ->> 'time')::timestamptz end as named_at
    from raw.retailcrm_web__chats as chats
    cross join lateral (
        values (chats.payload -> 'lastMessage'), (chats.payload -> 'lastNotSystemMessage')
    ) as pointers (last)
    where chats.connection_id = %(connection_id)s and jsonb_typeof(last) = 'object'
)
select
    named.channel_id,
    (named.named_at at time zone %(zone)s)::date as day,
    count(distinct named.message_id) as reported,
    count(distinct messages.external_id) as stored
from named
left join raw.retailcrm_web__messages as messages
    on messages.connection_id = %(connection_id)s and messages.external_id = named.message_id
    and not messages.payload ? 'is_partial'
where named.named_at >= %(start)s and named.named_at < %(end)s
group by 1, 2
order by 1, 2
"""
_FORGET = """
delete from ops.completeness
where connection_id = %(connection_id)s and business_on = any(%(days)s) and measure = %(measure)s
"""
_STORE = """
insert into ops.completeness (connection_id, channel_id, business_on, measure, reported, stored)
values (%s, %s, %s, %s, %s, %s)
"""


class ReadSource(Protocol):
    """What completeness needs of a source; ``RetailCRMWebSource`` has it."""

    connection_id: str

    @property
    def missing(self) -> Collection[str]: ...


def refresh_web_completeness(
    warehouse: Warehouse, source: ReadSource, window: Window, time_zone: str
) -> list[Completeness]:
    """Compare the stored messages of the window with those that its chats name, and replace the window's rows.

    A day of which no chat says anything gets a row of zeros for the whole account: it was counted.
    """
    one, days = source.connection_id, list(window.days(time_zone))
    rows: list[Completeness] = []
    with warehouse.connect("otklik-completeness") as connection:
        if "messages" not in source.missing:
            found = connection.execute(
                _POINTERS,
                {
                    "connection_id": one,
                    "zone": time_zone,
                    "start": window.start,
                    "end": window.end,
                    # a text that is no instant must not end the whole measurement; the parser quarantines its row
                    "instant": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
                },
            ).fetchall()
            rows = [
                Completeness(one, f"{one}:{channel}", day, POINTERS, said, kept) for channel, day, said, kept in found
            ]
            rows += [Completeness(one, "", day, POINTERS, 0, 0) for day in _silent(days, rows)]
        fail_point("completeness.before_write")
        connection.execute(_FORGET, {"connection_id": one, "days": days, "measure": POINTERS})
        connection.cursor().executemany(_STORE, rows)
    return rows


def _silent(days: Collection[date], rows: Collection[Completeness]) -> list[date]:
    counted = {row.business_on for row in rows}
    return [day for day in days if day not in counted]
