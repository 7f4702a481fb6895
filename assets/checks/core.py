"""What must be true of core tables before conversations are judged.

Here: joins that must hold, senders that must be known, volumes that must be plausible. Not here: the rules of waits.
"""

from __future__ import annotations

from assets.checks.calls import CORE_CALLS
from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule

CORE = (
    Counted(
        ("core", "channels"),
        "select count(*) filter (where kind = '' or name = '') as every_channel_has_kind_and_name from core.channels",
        (Rule("every_channel_has_kind_and_name", "A channel without a kind has no limits in the policy."),),
        is_dated=False,
    ),
    Counted(
        ("core", "managers"),
        "select count(*) filter (where name = '') as every_manager_has_a_name from core.managers",
        (Rule("every_manager_has_a_name", "A row of the week's table that nobody can read helps nobody."),),
        is_dated=False,
    ),
    Counted(
        ("core", "customers"),
        "select avg((name is null and phone is null)::int) as most_customers_can_be_told_apart from core.customers"
        " where connection_id not in (select connection_id from ops.imports)",
        (
            Rule(
                "most_customers_can_be_told_apart",
                "At least half of the customers have a name or a phone; fewer means that the vendor changed a field.",
                at_most=0.5,
            ),
        ),
        is_dated=False,
    ),
    Counted(
        ("core", "conversations"),
        """
        select
            count(*) filter (where h.channel_id is null) as every_conversation_has_its_channel,
            count(*) filter (where c.customer_id is not null and u.customer_id is null) as customers_of_chats_are_known
        from core.conversations as c
        left join core.channels as h on h.channel_id = c.channel_id
        left join core.customers as u on u.customer_id = c.customer_id
        """,
        (
            Rule("every_conversation_has_its_channel", "No conversation points to a channel that is not there."),
            Rule("customers_of_chats_are_known", "No conversation points to a customer who is not there."),
        ),
        is_dated=False,
    ),
    Counted(
        ("core", "messages"),
        """
        with days as (
            select d::date as day from generate_series(%(first)s::date, %(last)s::date, interval '1 day') as d
        ),

        -- What is usual and what is odd of accounts that are read every day is neither of a file: it begins and ends
        -- somewhere, and no night will read it better. Its quarantine is counted by a check of its own, its lost
        -- direction makes its own channel failed in the data status; neither may hold the others back.
        files as (
            select distinct connection_id from ops.imports
        ),

        -- An account that could not be read, or is not read any more, is red by itself: its silence must not look like
        -- the silence of the others and keep them from being judged.
        silent as (
            select connection_id from ops.connections where status <> 'ok' or disabled_at is not null
            union all
            select connection_id from files
        ),

        dated as (
            select
                m.business_on as day,
                m.connection_id,
                m.conversation_id,
                c.channel_id,
                m.sender_kind,
                m.manager_id,
                m.is_public
            from core.messages as m
            left join core.conversations as c on c.conversation_id = m.conversation_id
            where m.sent_at >= %(start)s and m.sent_at < %(end)s
        ),

        found as (
            select
                day,
                count(*) filter (where connection_id not in (select connection_id from files)) as messages,
                count(*) filter (where connection_id not in (select connection_id from silent)) as heard,
                count(*) filter (where channel_id is null) as orphans,
                count(*) filter (where sender_kind = 'manager' and manager_id is null) as nameless
            from dated
            group by day
        ),

        quarantined as (
            select
                (event_at at time zone %(zone)s)::date as day,
                count(*) as rows,
                count(*) filter (where reason = 'unmapped_sender') as unmapped
            from core.quarantine
            where
                connection_id not in (select connection_id from files)
                and event_at >= %(start)s and event_at < %(end)s
            group by 1
        ),

        -- Whether a chat is heard from both sides is asked of its whole history: a question of ten at night is answered
        -- the next morning and is no sign that one direction was lost. Of a chat that is older than the first stored
        -- message of its connection nobody has read the whole history.
        oldest as (
            select connection_id, min(sent_at) as first_sent_at from core.messages group by connection_id
        ),

        one_sided as (
            select m.conversation_id
            from core.messages as m
            inner join core.conversations as c on c.conversation_id = m.conversation_id
            inner join oldest as o on o.connection_id = m.connection_id
            where
                -- of a chat whose last message alone is known, the other direction was never asked for; and the page of
                -- the CRM does not say when a chat began: its days before the first load are not read
                not m.flags && array['is_partial']
                and m.connection_id not in (select connection_id from files)
                and (
                    c.created_at is not null
                    or m.connection_id not in (
                        select connection_id from ops.connections where vendor = 'retailcrm-web'
                    )
                )
                and m.is_public and m.sender_kind in ('customer', 'manager', 'bot', 'autoreply')
                and m.conversation_id in (select conversation_id from dated)
                and (c.created_at is null or c.created_at >= o.first_sent_at)
            group by m.conversation_id
            having
                not (bool_or(m.direction = 'in') and bool_or(m.direction = 'out'))
                -- a call has both sides in it, and a customer who never called us lost no direction
                and not bool_or(m.content_kind = 'call')
                -- who wrote for the first time since Friday may be answered on Monday: a full working day lies within
                -- any three days, so a lost direction shows in those who have waited longer
                and not (
                    bool_and(m.direction = 'in')
                    and min(m.sent_at) >= %(end)s::timestamptz - interval '3 days'
                )
        ),

        by_channel as (
            select
                d.day,
                d.channel_id,
                count(distinct d.conversation_id) as chats,
                count(distinct o.conversation_id) as one_sided_chats
            from dated as d
            left join one_sided as o on o.conversation_id = d.conversation_id
            where d.is_public and d.sender_kind in ('customer', 'manager', 'bot', 'autoreply')
            group by d.day, d.channel_id
        ),

        directions as (
            select day, max(one_sided_chats::numeric / chats) as share from by_channel where chats >= 20 group by day
        ),

        -- in one pass: a count for each earlier day read the table once for each of them
        heard_before as (
            select (m.sent_at at time zone %(zone)s)::date as day, count(*) as messages
            from core.messages as m
            where
                m.sent_at >= ((%(first)s::date - 28)::timestamp at time zone %(zone)s)
                and m.sent_at < ((%(last)s::date - 6)::timestamp at time zone %(zone)s)
                and m.connection_id not in (select connection_id from silent)
            group by 1
        ),

        earlier as (
            select
                days.day,
                percentile_cont(0.5) within group (order by past.messages) as usual,
                count(*) as weeks
            from days
            cross join generate_series(1, 4) as weeks_back
            inner join heard_before as past on past.day = days.day - 7 * weeks_back
            group by days.day
        )

        select
            days.day,
            coalesce(quarantined.unmapped, 0) as senders_are_mapped,
            coalesce(quarantined.rows::numeric / nullif(quarantined.rows + coalesce(found.messages, 0), 0), 0)
                as quarantined_share_is_small,
            coalesce(found.orphans, 0) as messages_belong_to_conversations,
            coalesce(found.nameless, 0) as replies_name_their_manager,
            coalesce(directions.share, 0) as one_direction_share_is_small,
            -- fewer than three earlier weeks, or a quiet weekday, say nothing
            case
                when earlier.weeks >= 3 and earlier.usual >= 50 then coalesce(found.heard, 0) / earlier.usual
                else 1
            end as volume_did_not_collapse
        from days
        left join found on found.day = days.day
        left join quarantined on quarantined.day = days.day
        left join directions on directions.day = days.day
        left join earlier on earlier.day = days.day
        """,
        (
            Rule("senders_are_mapped", "No message of the day is of a sender that nobody has mapped (section 1)."),
            Rule("quarantined_share_is_small", "At most 1 % of a day's rows could not be understood.", at_most=0.01),
            Rule("messages_belong_to_conversations", "Every message has its conversation and channel."),
            Rule("replies_name_their_manager", "Every reply of a person says whose it is."),
            Rule(
                "one_direction_share_is_small",
                "In no channel with 20 chats a day or more are over 10 % of them one-sided (invariant 13); a customer"
                " of the last three days may still be answered.",
                at_most=0.10,
            ),
            Rule(
                "volume_did_not_collapse",
                "A day has at least 40 % of the messages that its weekday usually has (median of four weeks), over the"
                " accounts that are read.",
                at_most=None,
                at_least=0.4,
            ),
        ),
    ),
    Counted(
        ("core", "events"),
        """
        select
            (e.at at time zone %(zone)s)::date as day,
            count(*) filter (where c.conversation_id is null) as events_belong_to_conversations,
            count(*) filter (where e.manager_id is not null and m.manager_id is null) as assignees_are_known
        from core.events as e
        left join core.conversations as c on c.conversation_id = e.conversation_id
        left join core.managers as m on m.manager_id = e.manager_id
        where e.at >= %(start)s and e.at < %(end)s
        group by 1
        """,
        (
            Rule("events_belong_to_conversations", "Every event has its conversation."),
            Rule("assignees_are_known", "Every assignment is to a manager of the directory."),
        ),
    ),
    Counted(
        ("core", "orders"),
        """
        select
            (created_at at time zone %(zone)s)::date as day,
            count(*) filter (where total_minor is not null and currency is null) as totals_have_a_currency
        from core.orders
        where created_at >= %(start)s and created_at < %(end)s
        group by 1
        """,
        (Rule("totals_have_a_currency", "An amount without a currency is no amount."),),
    ),
    *CORE_CALLS,
)

core_checks = checks_of("core", CORE)
