"""Scorecards that quote what nobody has said any more: they go, whatever day they are of.

Here: finding and removing them, of some days (a scoring run) or of what a load has just changed, in the load's own
transaction: a message that was deleted or edited and the card that quotes it are never seen together. So does a card of
a call whose words are gone, because its transcript is awaited once more. Not here: judging the talk again; the paid
answers stay. The marts hold no quote: what the spreadsheet shows is read anew whenever it is published.

Of a model's current card the row stays, without a word and without a mark: ``unscored``, ``words_changed``. By it the
next night finds the talk again, of whatever day it is, as soon as there is something to judge
(``resources.scoring.subjects``). Other cards are deleted: rules write theirs anew with the model's, and versions that
are not in force are of no use without their words.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import psycopg

WORDS_CHANGED = "words_changed"
"""Why a talk that had a model's verdict has none: its words are others by now, or gone, and nobody judged them yet."""

_UNSAID = f"""
coalesce(c.reason, '') <> '{WORDS_CHANGED}' and (
    (
        c.call_id is not null
        and not exists (
            select from core.call_transcripts as t where t.call_id = c.call_id and t.phrases is not null
        )
    )
    or exists (
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
)
"""  # noqa: S608
_LOCK = f"""
select c.scorecard_id from evaluated.scorecards as c
where WHICH and {_UNSAID}
-- in the order in which a scoring run locks them: neither waits for the other in a circle
order by c.scorecard_id
for update of c
"""  # noqa: S608
_OF_DAYS = _LOCK.replace("WHICH", "(c.happened_on between %s and %s or c.subject_id = any(%s))")
_OF_CHANGED = _LOCK.replace(
    "WHICH",
    "(c.subject_kind = 'session' and c.conversation_id = any(%(conversations)s) or c.call_id = any(%(calls)s))",
)
_TAKE = f"""
with gone as materialized (
    select c.scorecard_id, c.judge = 'model' and c.is_current as is_awaited from evaluated.scorecards as c
    where c.scorecard_id = any(%s) and {_UNSAID}
),

marks as (
    delete from evaluated.scorecard_criteria as k using gone where k.scorecard_id = gone.scorecard_id and is_awaited
),

notes as (
    delete from evaluated.scorecard_notes as n using gone where n.scorecard_id = gone.scorecard_id and is_awaited
),

awaited as (
    update evaluated.scorecards as c
    set
        state = 'unscored', reason = '{WORDS_CHANGED}', final_score = null, raw_score = null, is_auto_fail = false,
        summary = null, topic = null, sentiment = null, flags = '{{}}', evaluation_keys = '{{}}'
    from gone
    where c.scorecard_id = gone.scorecard_id and is_awaited
),

removed as (
    delete from evaluated.scorecards as c using gone where c.scorecard_id = gone.scorecard_id and not is_awaited
)

select count(*) from gone
"""  # noqa: S608
"""After the lock, as a statement of its own: it sees what a scoring run wrote while the lock was waited for."""
_ANEW = """
select s.call_id from staged_call_transcripts as s
inner join core.call_transcripts as t on s.call_id = t.call_id
where s.phrases is distinct from t.phrases
"""


def forget_stale_quotes(
    connection: psycopg.Connection[Any], first: date, last: date, subjects: Collection[str] = ()
) -> int:
    """Take away the cards of talks of these days, earlier versions too, with a quote that nobody has said any more: a
    message was deleted or edited, a transcript was read anew. Returns how many.

    Args:
        subjects: talks of other days that are looked at as well.
    """
    return _taken(connection, _OF_DAYS, (first, last, [*subjects]))


def said_anew(connection: psycopg.Connection[Any]) -> list[str]:
    """The calls whose staged transcript is not the stored one; to be asked before they are exchanged."""
    return [call_id for (call_id,) in connection.execute(_ANEW)]


def forget_unsaid(connection: psycopg.Connection[Any], conversations: Collection[str], calls: Collection[str]) -> int:
    """The same of conversations whose messages have changed and of calls that were ``said_anew``, once exchanged."""
    if not conversations and not calls:
        return 0
    return _taken(connection, _OF_CHANGED, {"conversations": [*conversations], "calls": [*calls]})


def _taken(connection: psycopg.Connection[Any], locking: str, values: Any) -> int:
    with connection.transaction():
        found = [card for (card,) in connection.execute(locking, values).fetchall()]
        row = connection.execute(_TAKE, [found]).fetchone() if found else None
        return int(row[0]) if row else 0
