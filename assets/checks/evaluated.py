"""What must be true of judged conversations before they count in a week.

Here: invariants of the metric contract (section 9) that can be seen in the rows. Not here: whether the judgement is
right, which the tests of the rules show.
"""

from __future__ import annotations

from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule

EVALUATED = (
    Counted(
        ("evaluated", "waits"),
        """
        with settled as (
            select * from evaluated.waits where settled_at >= %(start)s and settled_at < %(end)s
        ),

        in_order as (
            select
                wait_id,
                opened_at < lag(coalesce(settled_at, 'infinity')) over (
                    partition by conversation_id, wait_kind order by opened_at, wait_id
                ) as begins_inside_another
            from evaluated.waits
            where conversation_id in (select conversation_id from settled)
        ),

        skewed as (
            select settled_on as day, max(share) as share
            from (
                select settled_on, channel_id, avg(clock_skew::int) as share
                from settled
                group by settled_on, channel_id
            ) as by_channel
            group by settled_on
        )

        select
            w.settled_on as day,
            count(*) filter (where (w.answered_at < w.opened_at and not w.clock_skew) or w.wait_seconds < 0)
                as reply_never_precedes_message,
            count(*) filter (
                where
                w.wait_business_seconds not between 0 and w.wait_seconds
                or w.manager_wait_business_seconds not between 0 and w.manager_wait_seconds
                or w.wait_from_last_seconds > w.wait_seconds
            ) as business_never_exceeds_calendar,
            count(*) filter (
                where
                (w.outcome in ('in_target', 'slow_reply')) <> (w.answered_at is not null)
                or (w.outcome in ('in_target', 'slow_reply')) <> (w.wait_seconds is not null)
                or (w.outcome in ('in_target', 'slow_reply')) <> (w.outcome_manager in ('in_target', 'slow_reply'))
                or (w.outcome not in ('in_target', 'slow_reply') and w.outcome <> w.outcome_manager)
                or w.outcome = 'pending'
            ) as outcome_identity_holds,
            count(*) filter (
                where
                w.outcome in ('in_target', 'slow_reply')
                and (w.outcome = 'in_target') <> (
                    case w.hours_basis when 'business' then w.wait_business_seconds else w.wait_seconds end
                    <= w.target_seconds
                )
            ) as outcome_follows_its_target,
            count(*) filter (where o.begins_inside_another and not w.clock_skew) as waits_do_not_overlap,
            count(*) filter (where s.session_id is null) as every_wait_has_its_session,
            max(k.share) as skewed_share_is_small
        from settled as w
        left join in_order as o on o.wait_id = w.wait_id
        left join evaluated.sessions as s on s.session_id = w.session_id
        left join skewed as k on k.day = w.settled_on
        group by w.settled_on
        """,
        (
            Rule("reply_never_precedes_message", "No reply is earlier than what it answers, clock skew aside."),
            Rule("business_never_exceeds_calendar", "0 <= working seconds <= calendar seconds (invariant 3)."),
            Rule("outcome_identity_holds", "Answered outcomes have a reply and a wait, the others have neither."),
            Rule("outcome_follows_its_target", "in_target is exactly what was answered within the stored target."),
            Rule("waits_do_not_overlap", "Waits of one chat and kind follow one another (invariant 2)."),
            Rule("every_wait_has_its_session", "No wait points to a session that is not there."),
            Rule(
                "skewed_share_is_small",
                "In no channel are over 0.5 % of a day's waits answered before they were opened (section 4.1).",
                at_most=0.005,
            ),
        ),
    ),
    Counted(
        ("evaluated", "sessions"),
        """
        with ended as (
            select * from evaluated.sessions where ended_at >= %(start)s and ended_at < %(end)s
        ),

        in_order as (
            select
                session_id,
                started_at < lag(last_message_at) over (
                    partition by conversation_id order by started_at, session_id
                ) as begins_inside_another
            from evaluated.sessions
            where conversation_id in (select conversation_id from ended)
        )

        select
            s.ended_on as day,
            count(*) filter (where s.ended_at < s.last_message_at or s.last_message_at < s.started_at)
                as session_ends_after_it_starts,
            count(*) filter (where o.begins_inside_another) as sessions_do_not_overlap
        from ended as s
        left join in_order as o on o.session_id = s.session_id
        group by s.ended_on
        """,
        (
            Rule("session_ends_after_it_starts", "A session starts, goes on and ends in this order."),
            Rule("sessions_do_not_overlap", "Sessions of one chat follow one another."),
        ),
    ),
    Counted(
        ("evaluated", "left_waiting"),
        """
        select
            l.replaced_on as day,
            count(*) filter (where w.wait_id is null) as left_waiting_names_a_wait,
            count(*) filter (where l.held_seconds <= w.target_seconds) as held_longer_than_the_target
        from evaluated.left_waiting as l
        left join evaluated.waits as w on w.wait_id = l.wait_id
        where l.replaced_at >= %(start)s and l.replaced_at < %(end)s
        group by 1
        """,
        (
            Rule("left_waiting_names_a_wait", "Every row belongs to a wait."),
            Rule("held_longer_than_the_target", "Only who held a wait longer than its target left somebody waiting."),
        ),
    ),
)

evaluated_checks = checks_of("evaluated", EVALUATED)
