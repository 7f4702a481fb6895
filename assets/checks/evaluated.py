"""What must be true of judged conversations before they count in a week.

Here: invariants of the metric contract (section 9) that can be seen in the rows. Not here: whether the judgement is
right, which the tests of the rules show.
"""

from __future__ import annotations

from assets.checks.calls import EVALUATED_CALLS
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
            select * from evaluated.sessions
            where ended_at >= %(start)s and ended_at < %(end)s
                -- what the index is by
                and ended_week in (
                    select to_char(s, 'IYYY-"W"IW')
                    from generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') as s
                )
        ),

        unread as (
            -- a call of ours that nobody took counts as sent, and is no reply; where a chat has an order of its own, a
            -- time does not say which session a call is of: all of them are allowed for
            select e.session_id
            from ended as e
            where
                e.manager_messages > 0
                and not exists (select from evaluated.behaviour as b where b.session_id = e.session_id)
                and e.manager_messages > (
                    select count(*) from core.messages as m
                    where m.conversation_id = e.conversation_id
                        and m.sender_kind = 'manager' and m.content_kind = 'call' and m.call_answered is not true
                        and m.sent_at <= e.last_message_at
                        and (m.sent_at >= e.started_at or m.source_seq is not null)
                )
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
            count(*) filter (where o.begins_inside_another) as sessions_do_not_overlap,
            count(u.session_id) as every_answered_session_has_behaviour
        from ended as s
        left join in_order as o on o.session_id = s.session_id
        left join unread as u on u.session_id = s.session_id
        group by s.ended_on
        """,
        (
            Rule("session_ends_after_it_starts", "A session starts, goes on and ends in this order."),
            Rule("sessions_do_not_overlap", "Sessions of one chat follow one another."),
            Rule(
                "every_answered_session_has_behaviour",
                "Every ended session in which a manager wrote, or called and was answered, has behaviour (section 5). "
                "One whose only reply is a customer's call that was taken is not looked at.",
            ),
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
    Counted(
        ("evaluated", "behaviour"),
        """
        with ended as (
            select * from evaluated.behaviour where ended_at >= %(start)s and ended_at < %(end)s
        ),

        proof as (
            select e.session_id, count(*) filter (where m.message_id is null) as missing
            from ended as e
            cross join lateral unnest(
                e.intent_message_ids || e.clarifying_message_ids || e.offer_message_ids || e.next_step_message_ids
                || e.refusal_message_ids || e.paid_message_ids
            ) as p(message_id)
            left join core.messages as m
                on m.conversation_id = e.conversation_id and m.message_id = p.message_id
            group by e.session_id
        )

        select
            b.ended_on as day,
            count(*) filter (
                where
                b.has_intent <> (b.asked_clarifying is not null)
                or b.has_intent <> (b.made_offer is not null)
                or (b.has_next_step is null) <> (b.next_step_not_judged is not null)
                or (b.has_next_step is not null and not b.has_intent)
            ) as hits_only_where_eligible,
            count(*) filter (
                where
                b.has_intent <> (b.intent_message_ids <> '{}')
                or coalesce(b.asked_clarifying, false) <> (b.clarifying_message_ids <> '{}')
                or coalesce(b.made_offer, false) <> (b.offer_message_ids <> '{}')
                or (b.has_next_step is not null) <> (b.next_step_message_ids <> '{}')
                or (b.next_step_not_judged = 'refused' and b.refusal_message_ids = '{}')
                or (b.next_step_not_judged = 'paid' and b.paid_message_ids = '{}')
            ) as every_hit_has_its_evidence,
            count(*) filter (where p.missing > 0) as evidence_is_in_the_conversation,
            count(*) filter (
                where
                coalesce(not b.is_good, false) <> (b.not_good <> '{}')
                or coalesce(not b.is_good_customer, false) <> (b.not_good_customer <> '{}')
            ) as not_good_says_why,
            count(*) filter (
                where b.human_replies < 1 or s.session_id is null or s.ended_at is distinct from b.ended_at
            ) as behaviour_is_of_an_ended_session
        from ended as b
        left join proof as p on p.session_id = b.session_id
        left join evaluated.sessions as s on s.session_id = b.session_id
        group by b.ended_on
        """,
        (
            Rule("hits_only_where_eligible", "Only who could do it is said to have done it or not (section 5)."),
            Rule("every_hit_has_its_evidence", "Every statement about words names the messages (invariant 9)."),
            Rule("evidence_is_in_the_conversation", "The messages named are messages of the conversation."),
            Rule("not_good_says_why", "A session that is not good says why, a good one has nothing to say."),
            Rule("behaviour_is_of_an_ended_session", "Behaviour is that of a session that ended with a human reply."),
        ),
    ),
    Counted(
        ("evaluated", "advice"),
        """
        select
            a.given_on as day,
            count(*) filter (where m.message_id is null) as advice_names_a_message,
            count(*) filter (
                where
                s.session_id is null
                or (a.rule in ('no_answer', 'slow_first_answer')) <> (w.wait_id is not null)
                or (a.rule in ('no_offer', 'no_next_step', 'no_clarifying_question')) <> (a.wait_id is null)
                or (a.wait_id is null and b.session_id is null)
            ) as advice_is_about_what_was_judged
        from evaluated.advice as a
        left join core.messages as m on m.conversation_id = a.conversation_id and m.message_id = a.message_id
        left join evaluated.sessions as s on s.session_id = a.session_id
        left join evaluated.waits as w on w.wait_id = a.wait_id
        left join evaluated.behaviour as b on b.session_id = a.session_id
        where a.given_at >= %(start)s and a.given_at < %(end)s
        group by a.given_on
        """,
        (
            Rule("advice_names_a_message", "Every advice is about a message of the conversation."),
            Rule("advice_is_about_what_was_judged", "Every advice is about a wait, or about behaviour in a session."),
        ),
    ),
    *EVALUATED_CALLS,
)

evaluated_checks = checks_of("evaluated", EVALUATED)
