"""What is watched all the time.

Here: the sensor for runs that died, and the list of all. Not here: the drop folder (``drop_folder``), what follows the
night's load and its scores (``scoring_nights``, ``publishing_nights``), work that is a matter of the clock
(``schedules``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import dagster as dg

from orchestration.dead_runs import end_dead_runs, started_runs
from orchestration.drop_folder import drop_folder
from orchestration.publishing_nights import publish_after_scores
from orchestration.scoring_nights import score_after_load
from resources.settings import Settings
from resources.warehouse.engine import Warehouse


@dg.sensor(
    name="end_dead_runs",
    description="Every 30 s: a started run whose lock is free has no worker any more and is reported as failed.",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def end_dead_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Opens the warehouse only if some run says that it is started: a bare location starts no database."""
    if not started_runs(context.instance):
        return dg.SkipReason("No run is being worked on.")
    with Warehouse.open(Settings()) as warehouse:
        ended = end_dead_runs(context.instance, warehouse)
    return dg.SkipReason(f"{len(ended)} dead run(s) ended: {', '.join(ended)}" if ended else "All started runs live.")


SENSORS = [end_dead_runs_sensor, drop_folder, score_after_load, publish_after_scores]
