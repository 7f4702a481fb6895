"""Scorecards that quote what nobody has said any more: they go, whatever day they are of.

Here: finding and removing them, of some days (a scoring run) or of what a load has just changed, in the load's own
transaction: a message that was deleted or edited and the card that quotes it are never seen together. Not here: judging
the talk again, which is for the nights and ``otklik score``; the paid answers stay. The marts hold no quote: what the
spreadsheet shows is read anew whenever it is published.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import psycopg

_UNSAID = """
exists (
    select from (
        select k.quote, k.ref, k.speaker from evaluated.scorecard_criteria as k
        where k.scorecard_id = c.scorecard_id and k.quote is not null
        union all
        select n.quote, n.ref, null from evaluated.scorecard_notes as n
        where n.scorecard_id = c.scorecard_id and n.quote is not null
    ) as q
    where
        not exists (
            select from core.messages as m
            where
                c.subject_kind = 'session' and m.conversation_id = c.conversation_id and m.message_id = q.ref
                and m.deleted_at is null and not 'gone_at_source' = any(m.flags) and strpos(m.text, q.quote) > 0
        )
        and not exists (
            select from core.call_transcripts as t
            cross join lateral jsonb_array_elements(t.phrases) as p
            where
                t.call_id = c.call_id and p ->> 'n' = q.ref and strpos(p ->> 'text', q.quote) > 0
                and coalesce(q.speaker, 'unknown') in ('unknown', p ->> 'speaker')
        )
)
"""
_REMOVE = f"""
with gone as materialized (
    select c.scorecard_id from evaluated.scorecards as c
    where WHICH and {_UNSAID}
    -- in the order in which a scoring run locks them: neither waits for the other in a circle
    order by c.scorecard_id
    for update of c
)

delete from evaluated.scorecards as c
using gone
where c.scorecard_id = gone.scorecard_id
"""  # noqa: S608
_OF_DAYS = _REMOVE.replace("WHICH", "c.happened_on between %s and %s")
_OF_CHANGED = _REMOVE.replace(
    "WHICH",
    "(c.subject_kind = 'session' and c.conversation_id = any(%(conversations)s) or c.call_id = any(%(calls)s))",
)
_ANEW = """
select s.call_id from staged_call_transcripts as s
inner join core.call_transcripts as t on s.call_id = t.call_id
where s.phrases is distinct from t.phrases
"""


def forget_stale_quotes(connection: psycopg.Connection[Any], first: date, last: date) -> int:
    """Remove the cards of talks of these days, earlier versions too, with a quote that nobody has said any more: a
    message was deleted or edited, a transcript was read anew. Returns how many.
    """
    return connection.execute(_OF_DAYS, (first, last)).rowcount


def said_anew(connection: psycopg.Connection[Any]) -> list[str]:
    """The calls whose staged transcript is not the stored one; to be asked before they are exchanged."""
    return [call_id for (call_id,) in connection.execute(_ANEW)]


def forget_unsaid(connection: psycopg.Connection[Any], conversations: Collection[str], calls: Collection[str]) -> int:
    """The same of conversations whose messages have changed and of calls that were ``said_anew``, once exchanged."""
    if not conversations and not calls:
        return 0
    return connection.execute(_OF_CHANGED, {"conversations": [*conversations], "calls": [*calls]}).rowcount
