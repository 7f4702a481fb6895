"""What must be true of scorecards, and what somebody should know when it is not as it should be.

Here: invariants, the share of talks without a verdict, the book of calls to models. Not here: whether a judge is any
good (``reference.criterion_gates``).
"""

from __future__ import annotations

from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule

MOST_UNSCORED = 0.1
"""Share of a day's judged talks without a score."""

SCORECARDS = (
    Counted(
        ("evaluated", "scorecards"),
        """
        with judged as (
            select * from evaluated.scorecards where happened_on between %(first)s and %(last)s
        ),

        doubled as (
            select happened_on from judged
            where is_current
            group by happened_on, subject_kind, subject_id, judge
            having count(*) > 1
        ),

        unpaid as (
            select j.happened_on from judged as j
            cross join lateral unnest(j.evaluation_keys) as k(evaluation_key)
            left join evaluated.evaluations as e on e.evaluation_key = k.evaluation_key
            where j.judge = 'model' and j.state <> 'unscored' and e.evaluation_key is null
        ),

        unjudged as (
            select e.business_on, count(*) as talks
            from evaluated.call_eligibility as e
            where
                e.business_on between %(first)s and %(last)s and e.why_not is null
                and exists (select from judged as j where j.judge = 'model' and j.happened_on = e.business_on)
                and not exists (
                    select from judged as j
                    where j.call_id = e.call_id and j.judge = 'model' and j.is_current and j.state <> 'unscored'
                )
            group by 1
        )

        select
            j.happened_on as day,
            count(*) filter (
                where
                (j.state = 'scored') <> (j.reason is null)
                or (j.state <> 'scored' and (j.final_score is not null or j.raw_score is not null))
                or j.final_score not between 0 and 100
                or j.raw_score not between 0 and 100
                or (j.is_auto_fail and j.final_score <> 0)
            ) as scores_follow_their_state,
            (select count(*) from doubled as d where d.happened_on = j.happened_on) as one_current_card_of_each_judge,
            (select count(*) from unpaid as u where u.happened_on = j.happened_on) as every_card_has_its_answers,
            coalesce(max(u.talks), 0)::float / greatest(
                (select count(*) from evaluated.call_eligibility as e
                 where e.business_on = j.happened_on and e.why_not is null), 1
            ) as most_calls_are_scored
        from judged as j
        left join unjudged as u on u.business_on = j.happened_on
        group by j.happened_on
        """,
        (
            Rule("scores_follow_their_state", "Only a scored talk has a score, 0 to 100; an automatic fail is 0."),
            Rule("one_current_card_of_each_judge", "A talk has one current scorecard of each judge."),
            Rule("every_card_has_its_answers", "The answers that a scorecard was made from are kept."),
            Rule(
                "most_calls_are_scored",
                "Of the calls of a day that a model judges at most a tenth have no score: nobody answered, no valid "
                "answer, no money. Run the same days again.",
                at_most=MOST_UNSCORED,
            ),
        ),
    ),
    Counted(
        ("evaluated", "scorecard_criteria"),
        """
        with marks as (
            select k.*, s.happened_on, s.judge, s.state, s.subject_kind, s.call_id, s.conversation_id
            from evaluated.scorecards as s
            join evaluated.scorecard_criteria as k on k.scorecard_id = s.scorecard_id
            where s.happened_on between %(first)s and %(last)s
        ),

        said as (
            select
                m.scorecard_id, m.criterion,
                case m.subject_kind
                    when 'session' then (
                        select c.text from core.messages as c
                        where c.conversation_id = m.conversation_id and c.message_id = m.ref
                    )
                    else (
                        select p ->> 'text' from core.call_transcripts as t
                        cross join lateral jsonb_array_elements(t.phrases) as p
                        where t.call_id = m.call_id and p ->> 'n' = m.ref
                    )
                end as text
            from marks as m
            where m.quote is not null
        )

        select
            m.happened_on as day,
            count(*) filter (
                where
                m.given not between 0 and m.best
                or (m.given is null) = (m.not_given is null)
                or (m.not_given is not null and m.not_given not in ('not_applicable', 'insufficient_evidence'))
            ) as marks_are_on_their_scale,
            count(*) filter (where m.given > 0 and m.judge = 'model' and m.quote_state <> 'verified')
                as every_counted_mark_has_its_quote,
            count(*) filter (where (m.quote is null) = (m.quote_state = 'verified')) as quotes_are_verified_ones,
            count(*) filter (where m.quote is not null and (t.text is null or position(m.quote in t.text) = 0))
                as every_quote_was_said
        from marks as m
        left join said as t on t.scorecard_id = m.scorecard_id and t.criterion = m.criterion
        group by m.happened_on
        """,
        (
            Rule("marks_are_on_their_scale", "A criterion has a mark on its scale, or says why not."),
            Rule("every_counted_mark_has_its_quote", "No mark above 0 of a model counts without a verified quote."),
            Rule("quotes_are_verified_ones", "A quote is kept exactly where code has found it."),
            Rule(
                "every_quote_was_said",
                "Every quote stands in the phrase that it names, letter by letter. Red after a talk was read anew with "
                "other words: judge the same days again.",
            ),
        ),
    ),
    Counted(
        ("evaluated", "scorecard_notes"),
        """
        select
            s.happened_on as day,
            count(*) filter (where n.text = '' or (n.quote is null) = (n.quote_state = 'verified'))
                as notes_say_something,
            count(*) filter (where n.kind not in ('recommendation', 'agreement', 'decline_reason'))
                as notes_are_of_a_kind
        from evaluated.scorecards as s
        join evaluated.scorecard_notes as n on n.scorecard_id = s.scorecard_id
        where s.happened_on between %(first)s and %(last)s
        group by s.happened_on
        """,
        (
            Rule("notes_say_something", "A note has words, and a quote exactly where code has found it."),
            Rule("notes_are_of_a_kind", "Recommendations, agreements and reasons to decline, nothing else."),
        ),
    ),
    Counted(
        ("evaluated", "evaluations"),
        """
        select
            (
                select count(*) from evaluated.evaluations as e
                where (e.state = 'accepted') <> (e.answer is not null) or e.calls < 1 or e.cost_microusd < 0
            ) as answers_are_whole,
            (
                select count(*) from ops.llm_calls as c
                where
                    (c.state = 'reserved') <> (c.settled_at is null)
                    or (c.state <> 'reserved') <> (c.cost_microusd is not null)
            ) as the_book_is_in_order,
            (
                select count(*) from ops.llm_calls as c
                where c.state = 'reserved' and c.reserved_at < now() - interval '1 day'
            ) as nothing_is_in_flight_for_a_day
        """,
        (
            Rule("answers_are_whole", "An accepted answer is there, a refused one is not; each took a call."),
            Rule("the_book_is_in_order", "What is settled or lost has a cost and a time, what is in flight has none."),
            Rule(
                "nothing_is_in_flight_for_a_day",
                "No call has been waited for since yesterday: the next scoring run books what dead ones had in flight.",
            ),
        ),
        is_dated=False,
    ),
)

scorecard_checks = checks_of("scorecards", SCORECARDS)
