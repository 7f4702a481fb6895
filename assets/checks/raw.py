"""What must be true of raw rows before anything is derived from them.

Here: the checks of RetailCRM's streams, through its APIs and through its page; messages are read last, and their checks
hold the vendor's counters of all. Where nobody reads through one of the doors, nothing is demanded of its tables.
Not here: meaning; a row that makes no sense is the parser's to quarantine.
"""

from __future__ import annotations

from assets.checks.calls import RAW_CALLS
from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule

_FIELDS = Rule(
    "payload_has_required_fields", "Every stored payload has the fields without which its stream cannot be read."
)
_FULL = Rule("directory_is_not_empty", "The vendor gave at least one row.", at_most=None, at_least=1)
_TIME = Rule(
    "event_time_is_the_vendors", "The instant that decides the day is the one in the payload: a day holds its own rows."
)
_KNOWN_CHAT = Rule(
    "messages_belong_to_known_chats", "At most 1 % of a day's messages are of a chat that was not listed.", at_most=0.01
)
_COMPLETE = tuple(
    Rule(
        name,
        f"Of the {what} that the vendor itself counts on a day at least 98 % are stored; an uncounted day is not done.",
        at_most=None,
        at_least=0.98,
    )
    for name, what in (
        ("messages_cover_the_vendors_count", "messages"),
        ("orders_cover_the_vendors_count", "orders"),
        ("customers_cover_the_vendors_count", "customer cards"),
    )
)

# Every word that goes into these statements is written in this module.
_DIRECTORY = """
select
    count(*) filter (where not payload ?& array[{fields}]) as payload_has_required_fields,
    case
        when count(*) = 0
            and not exists (select from ops.connections where vendor = '{vendor}' and disabled_at is null) then 1
        else count(*)
    end as directory_is_not_empty
from raw.{table}
where gone_at is null
"""

_ROWS = """
select
    (r.event_at at time zone %(zone)s)::date as day,
    count(*) filter (where not r.payload ?& array[{fields}]) as payload_has_required_fields,
    count(*) filter (where {time} <> r.event_at) as event_time_is_the_vendors
from raw.retailcrm__{stream} as r
where r.event_at >= %(start)s and r.event_at < %(end)s and r.gone_at is null
group by 1
"""

_MESSAGES = """
select
    (r.event_at at time zone %(zone)s)::date as day,
    count(*) filter (where not r.payload ?& array['id', 'time', 'type', 'scope', 'chat_id'])
        as payload_has_required_fields,
    count(*) filter (where (r.payload ->> 'time')::timestamptz <> r.event_at) as event_time_is_the_vendors,
    avg((c.external_id is null)::int) as messages_belong_to_known_chats
from raw.retailcrm__messages as r
left join raw.retailcrm__chats as c
    on c.connection_id = r.connection_id and c.external_id = r.payload ->> 'chat_id'
where r.event_at >= %(start)s and r.event_at < %(end)s and r.gone_at is null
group by 1
"""

# Counters of orders and customers exist for every day that was counted, also where no channel had anything to say.
_MESSAGES_AND_COUNTERS = """
with found as ({messages}),

counted as (
    select
        business_on as day,
        coalesce(min(stored::numeric / nullif(reported, 0)) filter (where measure = 'message_pointers'), 1) as messages,
        coalesce(min(stored::numeric / nullif(reported, 0)) filter (where measure = 'orders'), 1) as orders,
        coalesce(min(stored::numeric / nullif(reported, 0)) filter (where measure = 'customers'), 1) as customers
    from ops.completeness
    where
        business_on between %(first)s and %(last)s
        and connection_id in (select connection_id from ops.connections where vendor = 'retailcrm')
    group by 1
),

-- A day must be counted where somebody reads through the APIs at all.
uncounted as (
    select case when count(*) = 0 then 1 else 0 end as share
    from ops.connections where vendor = 'retailcrm' and disabled_at is null
)

select
    days.day,
    found.payload_has_required_fields,
    found.event_time_is_the_vendors,
    found.messages_belong_to_known_chats,
    coalesce(counted.messages, uncounted.share) as messages_cover_the_vendors_count,
    coalesce(counted.orders, uncounted.share) as orders_cover_the_vendors_count,
    coalesce(counted.customers, uncounted.share) as customers_cover_the_vendors_count
from (select d::date as day from generate_series(%(first)s::date, %(last)s::date, interval '1 day') as d) as days
cross join uncounted
left join found on found.day = days.day
left join counted on counted.day = days.day
"""

# An account without a captured request of the messages has no counters; its days say so in the data status.
_WEB_MESSAGES = """
with found as (
    select
        (r.event_at at time zone %(zone)s)::date as day,
        count(*) filter (where not r.payload ?& array['id', 'time', 'chatId']) as payload_has_required_fields,
        count(*) filter (where (r.payload ->> 'time')::timestamptz <> r.event_at) as event_time_is_the_vendors,
        avg((c.external_id is null)::int) as messages_belong_to_known_chats
    from raw.retailcrm_web__messages as r
    left join raw.retailcrm_web__chats as c
        on c.connection_id = r.connection_id and c.external_id = r.payload ->> 'chatId'
    where r.event_at >= %(start)s and r.event_at < %(end)s and r.gone_at is null
    group by 1
),

counted as (
    select business_on as day, min(stored::numeric / nullif(reported, 0)) as messages
    from ops.completeness
    where
        business_on between %(first)s and %(last)s
        and connection_id in (select connection_id from ops.connections where vendor = 'retailcrm-web')
    group by 1
)

select
    days.day,
    found.payload_has_required_fields,
    found.event_time_is_the_vendors,
    found.messages_belong_to_known_chats,
    coalesce(counted.messages, 1) as messages_cover_the_vendors_count
from (select d::date as day from generate_series(%(first)s::date, %(last)s::date, interval '1 day') as d) as days
left join found on found.day = days.day
left join counted on counted.day = days.day
"""


def _directory(stream: str, fields: str, source: str = "retailcrm", vendor: str = "retailcrm") -> Counted:
    table = f"{source}__{stream}"
    statement = _DIRECTORY.format(table=table, fields=fields, vendor=vendor)
    # an account may have no bots
    rules = (_FIELDS,) if stream == "bots" else (_FIELDS, _FULL)
    return Counted(("raw", table), statement, rules, is_dated=False)


def _windowed(stream: str, fields: str, *more: Rule, time: str = "r.event_at") -> Counted:
    statement = _ROWS.format(stream=stream, fields=fields, time=time)
    return Counted(("raw", f"retailcrm__{stream}"), statement, (_FIELDS, *more))


RAW = (
    _directory("channels", "'id', 'type'"),
    _directory("users", "'id'"),
    _directory("bots", "'id'"),
    _directory("crm_users", "'id'"),
    _directory("chats", "'id', 'channel'"),
    _windowed("dialogs", "'id', 'chat_id', 'created_at'", _TIME, time="(r.payload ->> 'created_at')::timestamptz"),
    # times of API v5 have no zone: whether they were read in the right one is for the source's own tests
    _windowed("customers", "'id', 'createdAt'"),
    _windowed("orders", "'id', 'number', 'createdAt', 'status'"),
    Counted(
        ("raw", "retailcrm__messages"),
        _MESSAGES_AND_COUNTERS.format(messages=_MESSAGES),
        (_FIELDS, _TIME, _KNOWN_CHAT, *_COMPLETE),
    ),
    _directory("channels", "'id', 'type'", "retailcrm_web", "retailcrm-web"),
    _directory("chats", "'id', 'channel'", "retailcrm_web", "retailcrm-web"),
    Counted(("raw", "retailcrm_web__messages"), _WEB_MESSAGES, (_FIELDS, _TIME, _KNOWN_CHAT, _COMPLETE[0])),
    *RAW_CALLS,
)

raw_checks = checks_of("raw", RAW)
