"""What must be true of scorecards, and what somebody should know when it is not as it should be.

Here: invariants, the share of talks without a verdict, the book of calls to models. Not here: whether a judge is any
good (``reference.criterion_gates``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule
from assets.failures import explained
from assets.partitions import FIRST_DAY
from assets.spans import Span, days_if_any
from resources.settings import Settings
from resources.warehouse_resource import WarehouseResource

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
            where
                j.judge = 'model'
                -- claims that could not be proved were answers, too; who was refused has none, nor the rest of his talk
                and (
                    j.state <> 'unscored'
                    or exists (
                        select from evaluated.scorecard_criteria as m where m.scorecard_id = j.scorecard_id
                    )
                )
                and e.state is distinct from 'accepted'
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
            (select count(*) from unpaid as u where u.happened_on = j.happened_on) as every_card_has_its_answers
        from judged as j
        group by j.happened_on
        """,
        (
            Rule("scores_follow_their_state", "Only a scored talk has a score, 0 to 100; an automatic fail is 0."),
            Rule("one_current_card_of_each_judge", "A talk has one current scorecard of each judge."),
            Rule(
                "every_card_has_its_answers",
                "The answers that a scorecard was made from are kept, and each follows the schema: one that must "
                "still be repaired is none.",
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
                where (e.state = 'refused') <> (e.answer is null) or e.calls < 1 or e.cost_microusd < 0
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
            Rule("answers_are_whole", "An answer is there, unless it was refused; each took a call."),
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

SCORED = "most_talks_are_scored"
MOST_UNSCORED = 0.10
UNJUDGED = """
with judged as (
    select subject_kind, subject_id, state
    from evaluated.scorecards
    where happened_on between %(first)s and %(last)s and judge = 'model' and is_current
),

talks as (
    select 'call' as subject_kind, e.call_id as subject_id
    from evaluated.call_eligibility as e
    where e.business_on between %(first)s and %(last)s and e.why_not is null
    union
    -- rules judge every talk that a run was asked for, chats included
    select subject_kind, subject_id from evaluated.scorecards
    where happened_on between %(first)s and %(last)s and is_current
)

select
    count(*) as talks,
    count(*) filter (where j.state = 'unscored') as unscored,
    count(*) filter (where j.state is null) as not_bought,
    (select count(*) from judged) as by_model
from talks as t
left join judged as j on j.subject_kind = t.subject_kind and j.subject_id = t.subject_id
"""


@dg.multi_asset_check(
    name="scorecard_warnings",
    specs=[
        dg.AssetCheckSpec(
            SCORED,
            asset=dg.AssetKey(["evaluated", "scorecards"]),
            blocking=False,
            description="Of the talks of the days that a model judges at most 10 % have no score: nobody answered, no "
            "valid answer, or no money. Run the same days again: what is paid for is not bought twice.",
        )
    ],
    can_subset=True,
)
def scorecard_warnings(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """A share over all days of the run: a quiet day has few talks. Where no model judges, nothing is missing."""
    with explained(context):
        span = days_if_any(context) or Span(FIRST_DAY, Settings().now().date())
        with warehouse.open().connect("otklik-checks") as connection:
            row = connection.execute(UNJUDGED, {"first": span.first, "last": span.last}).fetchone()
    talks, unscored, not_bought, by_model = row or (0, 0, 0, 0)
    yield dg.AssetCheckResult(
        asset_key=dg.AssetKey(["evaluated", "scorecards"]),
        check_name=SCORED,
        passed=by_model == 0 or unscored + not_bought <= MOST_UNSCORED * talks,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"talks": talks, "unscored": unscored, "not_bought": not_bought},
    )
