"""What reading and understanding T-Bank's calls has to look up in the warehouse.

Here: which transcripts have words already, whose phones are our own, that a day was listed. Not here: what it means
(``conversations.parsing.tbank``), reading (``resources.sources.tbank``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from psycopg import Connection

from conversations.window import Window
from resources.warehouse.completeness import Completeness
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point

CALLS = "calls"
"""The measure of calls that the vendor listed."""

_READY = """
select external_id from raw.tbank__transcripts
where connection_id = %s and external_id = any(%s) and payload ->> 'state' = 'ready' and gone_at is null
"""
_LISTED = """
select (event_at at time zone %(zone)s)::date as day, count(*)
from raw.tbank__calls
where connection_id = %(connection_id)s and event_at >= %(start)s and event_at < %(end)s and gone_at is null
group by 1
"""
_FORGET = """
delete from ops.completeness
where connection_id = %(connection_id)s and business_on = any(%(days)s) and measure = %(measure)s
"""
_STORE = """
insert into ops.completeness (connection_id, channel_id, business_on, measure, reported, stored)
values (%s, %s, %s, %s, %s, %s)
"""


def ready_transcripts(connection: Connection[Any], connection_id: str, segments: Sequence[str]) -> set[str]:
    """Those of the segments whose stored transcript has words."""
    return {one for (one,) in connection.execute(_READY, (connection_id, list(segments))).fetchall()}


def tbank_context(connection: Connection[Any]) -> dict[str, Any]:
    """The keyword argument ``operator_phones`` of ``TBankParser``: of every telephony account, a colleague calls from
    any of them."""
    found = connection.execute("select distinct phone from reference.operators where phone is not null").fetchall()
    return {"operator_phones": frozenset(phone for (phone,) in found)}


class ReadSource(Protocol):
    """What completeness needs of a source."""

    connection_id: str


def refresh_tbank_completeness(
    warehouse: Warehouse, source: ReadSource, window: Window, time_zone: str
) -> list[Completeness]:
    """Write down that the window's days were listed to their end.

    The vendor tells no total and no last call (metric contract, section 8, has nothing to compare): a day whose pages
    were read until none was named next, without a row of an earlier page coming again, is as complete as it can be
    known to be. Reported is what was listed; a day without calls was counted as well.
    """
    one, days = source.connection_id, list(window.days(time_zone))
    with warehouse.connect("otklik-completeness") as connection:
        bounds = {"connection_id": one, "zone": time_zone, "start": window.start, "end": window.end}
        listed = dict(connection.execute(_LISTED, bounds).fetchall())
        rows = [Completeness(one, f"{one}:phone", day, CALLS, listed.get(day, 0), listed.get(day, 0)) for day in days]
        fail_point("completeness.before_write")
        connection.execute(_FORGET, {"connection_id": one, "days": days, "measure": CALLS})
        connection.cursor().executemany(_STORE, rows)
    return rows
