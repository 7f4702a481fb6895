"""Numbers of one table for each day of a span: what the partition grid shows about a day.

Here: one statement per table, over the rows that the day owns. Not here: numbers of the run as a whole (how many rows a
load inserted), and judgements (``assets.checks``).

Every statement answers with the day and named numbers; days without rows answer with zeros.
"""

from __future__ import annotations

from collections.abc import Mapping

from assets.spans import Span
from resources.warehouse.engine import Warehouse

_RAW = """
select
    (event_at at time zone %(zone)s)::date as day,
    count(*) filter (where gone_at is null) as "dagster/partition_row_count",
    count(*) filter (where fetched_at > first_fetched_at) as changed_since_first_seen,
    count(*) filter (where gone_at is not null) as gone_at_source,
    sum(octet_length(payload::text)) / 1024 as payload_kib
from raw.{table}
where event_at >= %(start)s and event_at < %(end)s
group by 1
"""

_STATEMENTS: Mapping[tuple[str, str], str] = {
    **{
        ("raw", table): _RAW.format(table=table)
        for table in (
            *(f"retailcrm__{stream}" for stream in ("dialogs", "messages", "customers", "orders")),
            "retailcrm_web__messages",
            "tbank__calls",
            "tbank__transcripts",
        )
    },
    ("core", "messages"): """
        select
            business_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where sender_kind = 'customer') as from_customers,
            count(*) filter (where sender_kind = 'manager') as from_managers,
            count(*) filter (where sender_kind in ('bot', 'autoreply')) as from_bots,
            count(distinct conversation_id) as conversations
        from core.messages
        where sent_at >= %(start)s and sent_at < %(end)s
        group by 1
    """,
    ("core", "events"): """
        select
            (at at time zone %(zone)s)::date as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where kind = 'assigned') as assigned,
            count(*) filter (where kind = 'handoff') as handed_off,
            count(*) filter (where kind = 'closed') as closed
        from core.events
        where at >= %(start)s and at < %(end)s
        group by 1
    """,
    ("core", "orders"): """
        select
            (created_at at time zone %(zone)s)::date as day,
            count(*) as "dagster/partition_row_count",
            count(paid_at) as paid,
            count(distinct customer_id) as customers
        from core.orders
        where created_at >= %(start)s and created_at < %(end)s
        group by 1
    """,
    ("core", "calls"): """
        select
            business_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where direction = 'in') as inbound,
            count(*) filter (where not is_answered) as not_answered,
            count(*) filter (where is_internal) as internal,
            sum(talk_seconds) as talk_seconds
        from core.calls
        where started_at >= %(start)s and started_at < %(end)s
        group by 1
    """,
    ("core", "call_transcripts"): """
        select
            k.business_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where t.state = 'ready') as ready,
            count(*) filter (where t.state = 'pending') as pending,
            count(*) filter (where t.state = 'no_speech') as no_speech,
            count(*) filter (where t.speakers <> 'as_labelled') as speakers_doubted
        from core.call_transcripts as t
        inner join core.calls as k on k.call_id = t.call_id
        where k.started_at >= %(start)s and k.started_at < %(end)s
        group by 1
    """,
    ("evaluated", "call_eligibility"): """
        select
            e.business_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where e.why_not is null) as judged,
            count(*) filter (where e.why_not = 'short') as short,
            count(*) filter (where e.why_not = 'internal') as internal,
            count(*) filter (where e.why_not = 'unknown_operator') as unknown_operator,
            count(*) filter (where e.why_not in ('no_transcript', 'transcript_pending', 'no_speech')) as without_words
        from evaluated.call_eligibility as e
        inner join core.calls as k on k.call_id = e.call_id
        where k.started_at >= %(start)s and k.started_at < %(end)s
        group by 1
    """,
    ("evaluated", "waits"): """
        select
            settled_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where outcome = 'in_target') as in_target,
            count(*) filter (where outcome = 'slow_reply') as slow_reply,
            count(*) filter (where outcome in ('no_reply', 'window_expired')) as unanswered,
            count(*) filter (where outcome in ('not_required', 'bot_handled')) as no_person_needed
        from evaluated.waits
        where settled_at >= %(start)s and settled_at < %(end)s
        group by 1
    """,
    ("evaluated", "sessions"): """
        select
            ended_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where initiated_by = 'customer') as begun_by_customer,
            count(*) filter (where is_new_contact) as new_contacts,
            count(*) filter (where is_bot_only) as bot_only
        from evaluated.sessions
        where ended_at >= %(start)s and ended_at < %(end)s
        group by 1
    """,
    ("evaluated", "left_waiting"): """
        select
            replaced_on as day,
            count(*) as "dagster/partition_row_count",
            count(distinct manager_id) as managers,
            max(held_seconds) as longest_held_seconds
        from evaluated.left_waiting
        where replaced_at >= %(start)s and replaced_at < %(end)s
        group by 1
    """,
    ("evaluated", "behaviour"): """
        select
            ended_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where has_intent) as with_purchase_intent,
            count(*) filter (where made_offer) as made_offer,
            count(*) filter (where has_next_step) as has_next_step,
            count(*) filter (where is_good) as good
        from evaluated.behaviour
        where ended_at >= %(start)s and ended_at < %(end)s
        group by 1
    """,
    ("evaluated", "scorecards"): """
        select
            happened_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where judge = 'model' and is_current and state = 'scored') as scored_by_model,
            count(*) filter (where judge = 'model' and is_current and state = 'unsuitable') as unsuitable,
            count(*) filter (where judge = 'model' and is_current and state = 'unscored') as unscored,
            count(*) filter (where judge = 'rules' and is_current) as by_rules
        from evaluated.scorecards
        where happened_at >= %(start)s and happened_at < %(end)s
        group by 1
    """,
    ("evaluated", "advice"): """
        select
            given_on as day,
            count(*) as "dagster/partition_row_count",
            count(*) filter (where wait_id is not null) as about_waits,
            count(*) filter (where wait_id is null) as about_sessions,
            count(distinct conversation_id) as conversations
        from evaluated.advice
        where given_at >= %(start)s and given_at < %(end)s
        group by 1
    """,
}


def by_day(warehouse: Warehouse, table: tuple[str, str], span: Span, time_zone: str) -> dict[str, dict[str, int]]:
    """Return the numbers of each day of the span by partition key.

    Raises:
        WarehouseUnavailable: the database does not answer.
    """
    window = span.window(time_zone)
    parameters = {"start": window.start, "end": window.end, "zone": time_zone}
    with warehouse.connect("otklik-measures") as connection:
        cursor = connection.execute(_STATEMENTS[table], parameters)  # constants of this module, never input
        names = [column.name for column in cursor.description or ()][1:]
        found = {row[0].isoformat(): dict(zip(names, map(_whole, row[1:]), strict=True)) for row in cursor.fetchall()}
    nothing = dict.fromkeys(names, 0)
    return {key: found.get(key, dict(nothing)) for key in span.keys}


def _whole(value: object) -> int:
    return int(value) if value is not None else 0  # type: ignore[call-overload]
