"""How far the judge may be believed: people's labels, answers asked for twice, and the gate of each criterion.

Here: the tables as assets. Not here: the figures and limits (``conversations.scoring.gates``), how labels come in
(``otklik labels``), what a state means for a week (the marts).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections import Counter

import dagster as dg

from assets.failures import explained
from assets.tables import DAILY_FRESHNESS, spec
from resources.labels.store import measure, write_gates
from resources.settings import Settings
from resources.warehouse_resource import WarehouseResource

LABELS = spec("reference", "labels", kinds={"file", "postgres"})
"""Written by a person with ``otklik labels import``: what comes from a person has no schedule."""
JUDGE_REPEATS = spec("evaluated", "judge_repeats", kinds={"llm", "postgres"})
"""Bought by a person with ``otklik labels repeat``."""
_DEPS = [
    dg.AssetKey(["reference", "labels"]),
    dg.AssetKey(["evaluated", "judge_repeats"]),
    *(dg.AssetKey(["evaluated", table]) for table in ("scorecards", "scorecard_criteria")),
]


@dg.multi_asset(
    name="reference_criterion_gates",
    specs=[spec("reference", "criterion_gates", deps=_DEPS, freshness_policy=DAILY_FRESHNESS)],
)
def reference_criterion_gates(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Every criterion that people have labelled anything of, held against them; the same figures write nothing."""
    with explained(context), warehouse.open().connect("otklik gates") as connection:
        found = measure(connection)
        written = write_gates(connection, found, Settings().now())
    states = Counter(one.gate.state for one in found)
    return dg.MaterializeResult(
        asset_key=["reference", "criterion_gates"],
        metadata={"measured": len(found), "written": written, **{f"state_{name}": n for name, n in states.items()}},
    )
