"""What a person should know of the judge: a criterion that counted and does not any more.

Here: a warning; the criterion has left the scores by itself, nothing is blocked. Not here: what must be true of
scorecards (``scorecards``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import dagster as dg

from assets.failures import explained
from resources.warehouse_resource import WarehouseResource

_FELL = """
select g.rubric_id || ': ' || g.criterion, array_to_string(g.reasons, ', ')
from reference.criterion_gates as g
where
    g.fell_at is not null
    and exists (
        select from evaluated.scorecards as s
        where
            s.is_current and s.judge = 'model' and s.rubric_id = g.rubric_id and s.rubric_version = g.rubric_version
            and s.prompt_hash = g.prompt_hash and s.model = g.model
    )
order by 1
"""


@dg.asset_check(
    asset=["reference", "criterion_gates"],
    name="no_counted_criterion_fell",
    description="No criterion that counted in scores has fallen below its gate. A fallen one counts no more; look at "
    "its labels and answers (otklik labels measure).",
    blocking=False,
)
def gate_checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Red by a warning while the judge's present cards are by such a criterion."""
    with explained(context), warehouse.open().connect("otklik-checks") as connection:
        fell = connection.execute(_FELL).fetchall()
    return dg.AssetCheckResult(
        passed=not fell,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"fell": len(fell), **{name: reasons for name, reasons in fell[:20]}},
    )
