"""Whether a week's data can be trusted, day by day: what the source reported, what is stored, what was quarantined.

Here: the rows behind ``marts.data_status``, as they are known now. Not here: when a week may be published (the marts),
what is printed (``orchestration.cli.explain_status``). Sessions are the publisher's; nothing is written.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row


class Day(NamedTuple):
    """One local day of one channel account. NULL: the day was not counted by the source's counter."""

    business_on: date
    reported: int | None
    stored: int | None
    settled_waits: int
    skewed_waits: int


_DAYS = """
select
    d.business_on,
    -- a counted day on which the source has nothing for the channel is a day of nothing, not an unknown one
    coalesce(k.reported, case when n.is_counted then 0 end)::bigint as reported,
    coalesce(k.stored, case when n.is_counted then 0 end)::bigint as stored,
    coalesce(w.settled, 0) as settled_waits,
    coalesce(w.skewed, 0) as skewed_waits
from (select o::date as business_on from generate_series(%(first)s::date, %(last)s::date, interval '1 day') as o) as d
cross join lateral (
    select exists (
        select from ops.completeness as c
        where c.connection_id = %(connection)s and c.business_on = d.business_on
    ) as is_counted
) as n
left join lateral (
    select sum(c.reported) as reported, sum(c.stored) as stored
    from ops.completeness as c
    where c.connection_id = %(connection)s and c.channel_id = %(channel)s and c.business_on = d.business_on
) as k on true
left join lateral (
    select count(*) as settled, count(*) filter (where w.clock_skew) as skewed
    from evaluated.waits as w
    where w.channel_id = %(channel)s and w.settled_on = d.business_on
) as w on true
order by d.business_on
"""
_QUARANTINED = """
select reason, count(*) from core.quarantine
where connection_id = %(connection)s and event_at >= %(start)s and event_at < %(end)s
group by reason order by reason
"""


_GAPS = """
with humans as (
    select same_as as human, split_part(customer_id, ':', 1) as connection_id from reference.customer_links
    union
    select same_as, split_part(same_as, ':', 1) from reference.customer_links
),
telephonies as (
    select connection_id from core.channels where kind = 'phone'
    union select connection_id from ops.connections where vendor = 'tbank'
),
neighbours as (
    select distinct other.connection_id
    from humans as mine join humans as other on other.human = mine.human and other.connection_id <> mine.connection_id
    where mine.connection_id = %(connection)s
      and (mine.connection_id in (table telephonies) or other.connection_id in (table telephonies))
),
days as (
    select o::date as business_on, (o + interval '1 day') at time zone %(zone)s as ends_at
    from generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') as o
)
select n.connection_id, d.business_on
from neighbours as n
join ops.connections as c on c.connection_id = n.connection_id
join days as d on c.disabled_at is null or c.disabled_at >= d.ends_at
left join ops.as_of as a on a.scope = n.connection_id
where a.as_of is null or a.as_of < d.ends_at
   or not exists (
        select from ops.completeness as k
        where k.connection_id = n.connection_id and k.business_on = d.business_on)
   or exists (
        select from ops.completeness as k join core.channels as h on h.channel_id = k.channel_id
        where k.connection_id = n.connection_id and k.business_on = d.business_on
        group by k.channel_id having sum(k.stored) < sum(k.reported) * 0.98)
order by n.connection_id, d.business_on
"""


def days(
    connection: psycopg.Connection[Any], channel_id: str, connection_id: str, first: date, last: date
) -> list[Day]:
    """The days of a range, both ends included."""
    parameters = {"channel": channel_id, "connection": connection_id, "first": first, "last": last}
    return connection.cursor(row_factory=class_row(Day)).execute(_DAYS, parameters).fetchall()


def gaps(
    connection: psycopg.Connection[Any], connection_id: str, first: date, last: date, time_zone: str
) -> dict[str, list[date]]:
    """The days of a range of which other accounts lack something, by account: those whose replies answer the waits of
    this one, since they know the same customers and one of the two carries calls."""
    parameters = {"connection": connection_id, "first": first, "last": last, "zone": time_zone}
    found: dict[str, list[date]] = {}
    for neighbour, day in connection.execute(_GAPS, parameters):
        found.setdefault(neighbour, []).append(day)
    return found


def quarantined(connection: psycopg.Connection[Any], connection_id: str, window: Any) -> dict[str, int]:
    """Raw rows of the account that could not be understood, by reason; ``window``: from when to when."""
    parameters = {"connection": connection_id, "start": window.start, "end": window.end}
    return dict(connection.execute(_QUARANTINED, parameters).fetchall())
