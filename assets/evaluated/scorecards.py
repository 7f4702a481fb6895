"""Scorecards: talks judged by a rubric, by rules at no cost and by a model within the budget.

Here: the days of a run, what they show. Not here: how it is done (``resources.scoring``). Not part of ``load_daily``:
who reads days anew buys nothing.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, spec
from resources.llm_resource import LLMResource, chosen_of
from resources.scoring.run import Counts, score
from resources.scoring.subjects import DAYS_OF_A_RUN
from resources.scoring.watching import tell_counts, tell_progress
from resources.warehouse_resource import PolicyResource, WarehouseResource

TABLES = ("scorecards", "scorecard_criteria", "scorecard_notes", "evaluations")
POOL = "scoring"
_DEPS = [
    *(dg.AssetKey(["core", table]) for table in ("calls", "call_transcripts", "messages")),
    *(dg.AssetKey(["evaluated", table]) for table in ("call_eligibility", "sessions", "behaviour")),
    *(dg.AssetKey(["reference", table]) for table in ("rubrics", "instructions", "departments")),
]


@dg.multi_asset(
    name="evaluated_scorecards",
    specs=[spec("evaluated", table, deps=_DEPS, freshness_policy=DAILY_FRESHNESS) for table in TABLES],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=DAYS_OF_A_RUN),
    pool=POOL,
)
def evaluated_scorecards(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource, llm: LLMResource
) -> Iterator[dg.MaterializeResult]:
    """The talks of the days: each is bought at most once, whatever is killed, run again or backfilled."""
    span = days_of(context)
    with explained(context):
        rules = policy.load()
        chosen = chosen_of(span.first, span.last, context.run.tags)
        scorer = llm.scorer(rules, policy.lexicon())
        counts = score(warehouse.open(), scorer, chosen, context.run.run_id, tell_progress)
        days = by_day(warehouse.open(), ("evaluated", "scorecards"), span, TIME_ZONE)
    tell_counts(counts)
    if counts.stopped:
        context.log.warning(
            f"{counts.left} talks were not bought: {', '.join(counts.stopped)}. Run the same days again: what is paid "
            "for is not bought twice."
        )
    for day, numbers in days.items():
        context.add_asset_metadata(numbers, asset_key=["evaluated", "scorecards"], partition_key=day)
    for table in TABLES:
        yield dg.MaterializeResult(asset_key=["evaluated", table], metadata=_told(counts))


def _told(counts: Counts) -> dict[str, Any]:
    """Every figure of the run; of reasons one figure each."""
    told: dict[str, Any] = {}
    for name, value in asdict(counts).items():
        if isinstance(value, dict):
            told |= {f"{name}_{one}": number for one, number in value.items()}
        elif not isinstance(value, tuple):
            told[name] = value
    told["stopped"] = ", ".join(counts.stopped) or "no"
    told["cost_usd"] = counts.cost_microusd / 1_000_000
    return told
