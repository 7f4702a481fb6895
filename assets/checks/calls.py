"""What must be true of calls, from raw to whether they are judged.

Here: the checks of telephony for the layers' ops, and two warnings that a person has to look at: they block nothing,
since a call whose operator or words are missing still counts and still waits. Not here: rows that make no sense, the
parser quarantines them and ``core.messages`` holds their share.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.checks.rules import Counted, Rule
from assets.failures import explained
from assets.partitions import FIRST_DAY, TIME_ZONE
from assets.spans import Span, days_if_any
from conversations.policy import Policy
from conversations.scoring.eligible import WHY_NOT
from resources.settings import Settings
from resources.warehouse_resource import PolicyResource, WarehouseResource

RAW_CALLS = (
    Counted(
        ("raw", "tbank__calls"),
        # where an account holds what is its parser's to know (docs/tbank.md)
        """
        select
            (event_at at time zone %(zone)s)::date as day,
            count(*) filter (where (select count(*) from jsonb_object_keys(payload)) < 3) as payloads_are_calls
        from raw.tbank__calls
        where event_at >= %(start)s and event_at < %(end)s and gone_at is null
        group by 1
        """,
        (Rule("payloads_are_calls", "No stored call is an empty shell: it says at least an id, a time and a number."),),
    ),
    Counted(
        ("raw", "tbank__transcripts"),
        """
        select
            (r.event_at at time zone %(zone)s)::date as day,
            count(*) filter (where not r.payload ?& array['segmentId', 'phrases', 'state'])
                as payload_has_required_fields,
            avg((c.external_id is null)::int) as transcripts_belong_to_listed_calls
        from raw.tbank__transcripts as r
        left join raw.tbank__calls as c on c.connection_id = r.connection_id and c.external_id = r.external_id
        where r.event_at >= %(start)s and r.event_at < %(end)s and r.gone_at is null
        group by 1
        """,
        (
            Rule("payload_has_required_fields", "Every stored transcript says of which call it is, and its state."),
            Rule(
                "transcripts_belong_to_listed_calls",
                "At most 10 % of a day's transcripts are of a call that was not listed: one that ended between the two"
                " lists is there with the next run.",
                at_most=0.10,
            ),
        ),
    ),
)

CORE_CALLS = (
    Counted(
        ("core", "calls"),
        """
        select
            k.business_on as day,
            count(*) filter (where h.channel_id is null) as calls_belong_to_channels,
            count(*) filter (where k.customer_id is not null and not k.is_internal and m.message_id is null)
                as calls_are_messages,
            count(*) filter (where k.is_internal and m.message_id is not null) as internal_calls_are_no_messages
        from core.calls as k
        left join core.channels as h on h.channel_id = k.channel_id
        left join core.messages as m on m.conversation_id = k.conversation_id and m.message_id = k.message_id
        where k.started_at >= %(start)s and k.started_at < %(end)s
        group by 1
        """,
        (
            Rule("calls_belong_to_channels", "No call points to a channel that is not there."),
            Rule("calls_are_messages", "Every call with a known customer is a message: what waits are judged by."),
            Rule("internal_calls_are_no_messages", "A call among colleagues makes nobody wait."),
        ),
    ),
    Counted(
        ("core", "call_transcripts"),
        """
        select
            k.business_on as day,
            count(*) filter (where (t.state = 'ready') <> (t.characters > 0)) as ready_means_words
        from core.call_transcripts as t
        inner join core.calls as k on k.call_id = t.call_id
        where k.started_at >= %(start)s and k.started_at < %(end)s
        group by 1
        """,
        (Rule("ready_means_words", "A transcript is ready exactly when something was said in it."),),
    ),
)

EVALUATED_CALLS = (
    Counted(
        ("evaluated", "call_eligibility"),
        f"""
        select
            k.business_on as day,
            count(*) filter (where e.call_id is null) as every_call_was_looked_at,
            count(*) filter (where e.why_not <> all('{{{", ".join(WHY_NOT)}}}'::text[])) as reasons_are_known,
            count(*) filter (where e.why_not is null and e.call_id is not null and t.state is distinct from 'ready')
                as judged_calls_have_words
        from core.calls as k
        left join evaluated.call_eligibility as e on e.call_id = k.call_id
        left join core.call_transcripts as t on t.call_id = k.call_id
        where
            k.started_at >= %(start)s and k.started_at < %(end)s
            -- what could not be worked on tonight is red by itself
            and k.connection_id not in (
                select connection_id from ops.connections where status <> 'ok' or disabled_at is not null
            )
        group by 1
        """,  # noqa: S608 - words of our own vocabulary
        (
            Rule("every_call_was_looked_at", "Of every call it is written down whether it is judged."),
            Rule("reasons_are_known", "No reason outside the vocabulary."),
            Rule("judged_calls_have_words", "Only calls of which something is written are judged."),
        ),
    ),
)

KNOWN, HEARD = "operators_are_known", "calls_have_transcripts"
WORST_SHARE = 0.10
_ELIGIBILITY = dg.AssetKey(["evaluated", "call_eligibility"])
_SPECS = [
    dg.AssetCheckSpec(
        KNOWN,
        asset=_ELIGIBILITY,
        blocking=False,
        description="At most 10 % of the talks long enough to be judged are of operators whom the directory does not"
        " know, and it names no department that the policy does not have.",
    ),
    dg.AssetCheckSpec(
        HEARD,
        asset=_ELIGIBILITY,
        blocking=False,
        description="At most 10 % of the talks of known operators are without words once the transcript's lag is over.",
    ),
]
_WARNINGS = """
select
    count(*) filter (where e.why_not = 'unknown_operator') as unknown,
    count(*) filter (where e.why_not is null or e.why_not in {talks}) as talks,
    count(*) filter (where e.why_not in {wordless} and {is_over}) as wordless,
    count(*) filter (where (e.why_not is null or e.why_not in {wordless}) and {is_over}) as known_talks,
    array_agg(distinct e.department_id) filter (where e.department_id <> all(%(departments)s)) as strangers
from evaluated.call_eligibility as e
inner join core.calls as k on k.call_id = e.call_id
where k.started_at >= %(start)s and k.started_at < %(end)s
""".format(
    talks="('unknown_operator', 'no_department', 'no_transcript', 'transcript_pending', 'no_speech')",
    wordless="('no_transcript', 'transcript_pending', 'no_speech')",
    is_over="coalesce(k.ended_at, k.started_at) + %(lag)s * interval '1 minute' <= %(now)s",
)


@dg.multi_asset_check(name="evaluated_calls_warnings", specs=_SPECS, can_subset=True)
def calls_warnings(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.AssetCheckResult]:
    """Shares over the days of the run, all of them together: a quiet day has few calls."""
    with explained(context):
        rules = policy.load()
        span = days_if_any(context) or Span(FIRST_DAY, Settings().now().date())
        found = _counted(warehouse, rules, span.reread(rules.reread_days))
    strangers = list(found["strangers"] or [])
    worst = {
        KNOWN: (found["unknown"], found["talks"], {"departments_unknown_to_the_policy": strangers}),
        HEARD: (found["wordless"], found["known_talks"], {}),
    }
    for key in context.selected_asset_check_keys:
        count, of, more = worst[key.name]
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=count <= WORST_SHARE * of and not any(more.values()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"calls": count, "of": of, **more},
        )


def _counted(warehouse: WarehouseResource, policy: Policy, span: Span) -> dict[str, Any]:
    window = span.window(TIME_ZONE)
    parameters = {
        "start": window.start, "end": window.end, "now": Settings().now(),
        "lag": policy.telephony.transcript_lag_minutes, "departments": list(policy.departments),
    }  # fmt: skip
    with warehouse.open().connect("otklik-checks") as connection:
        cursor = connection.execute(_WARNINGS, parameters)  # constants of this module, never input
        names = [column.name for column in cursor.description or ()]
        row = cursor.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))
