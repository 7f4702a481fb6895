"""Times Dagster's own share of a 90-day backfill: the graph of production with functions that do nothing.

Timed: one in-process run over 90 days of assets with the keys and partitions of ours, each of which writes four
numbers per day as ours do; runs and events are kept in PostgreSQL. No source, no parsing, no check, so whatever is
measured is the orchestrator's. The limit is held against CPU seconds of this process; the clock is printed beside.

    python -m tests.benchmarks.bench_overhead
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.definitions import ASSETS
from resources.settings import Settings
from resources.warehouse.engine import Warehouse

DAYS = 90
FIRST = date(2026, 1, 5)
LIMIT_SECONDS = 0.1


def idle(assets: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The same assets, written by a function that only reports."""
    # a table of the same function that reads another of its tables comes after it
    needs = {spec.key: {dep.asset_key for dep in spec.deps} & assets.keys for spec in assets.specs}
    names = [key.path for key in TopologicalSorter(needs).static_order()]

    @dg.multi_asset(
        name=f"idle_{assets.node_def.name}",
        specs=[spec.replace_attributes(skippable=False) for spec in assets.specs],
        backfill_policy=assets.backfill_policy,
        partitions_def=assets.partitions_def,
    )
    def nothing(context) -> Any:  # type: ignore[no-untyped-def]  (Dagster wants the annotation itself)
        for name in names:
            for day in context.partition_keys if context.assets_def.partitions_def else ():
                numbers = {"dagster/partition_row_count": 1, "inserted": 1, "updated": 0, "unchanged": 0}
                context.add_asset_metadata(numbers, asset_key=name, partition_key=day)
            yield dg.MaterializeResult(asset_key=name)

    return nothing


def measure(warehouse: Warehouse, folder: Path) -> dict[str, Any]:
    """One run over the days; seconds of CPU and of the clock."""
    (folder / "dagster.yaml").write_text(
        f"storage: {{postgres: {{postgres_url: '{warehouse.dagster_storage_url()}'}}}}\n"
        "telemetry: {enabled: false}\n",
        encoding="utf-8",
    )
    chosen = [
        assets
        for assets in ASSETS
        if isinstance(assets, dg.AssetsDefinition) and next(iter(assets.keys)).path[0] != "marts"
    ]
    job = dg.define_asset_job("idle", executor_def=dg.in_process_executor)
    defs = dg.Definitions(assets=[idle(assets) for assets in chosen], jobs=[job])
    partitioned = sum(len(assets.keys) for assets in chosen if assets.partitions_def is not None)
    tags = {
        "dagster/asset_partition_range_start": FIRST.isoformat(),
        "dagster/asset_partition_range_end": (FIRST + timedelta(days=DAYS - 1)).isoformat(),
    }
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        resolved = defs.resolve_job_def("idle")
        cpu, wall = time.process_time(), time.monotonic()
        assert resolved.execute_in_process(run_config=quiet, instance=instance, tags=tags).success
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        runs = instance.get_runs_count()
    units = partitioned * DAYS
    return {
        "benchmark": "overhead",
        "timed": f"one in-process run of {partitioned} daily assets over {DAYS} days that do nothing",
        "runs": runs,
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "cpu_s_per_partition_and_asset": round(cpu / units, 4),
        "wall_s_per_partition_and_asset": round(wall / units, 4),
        "limit_s": LIMIT_SECONDS,
        "holds": max(cpu, wall) / units <= LIMIT_SECONDS and runs == 1,
    }


def main() -> int:
    """Print one JSON line; exit 1 above the limit."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(_env_file=None, otklik_home=folder / "home")  # type: ignore[call-arg]
        with Warehouse.open(settings) as warehouse:
            result = measure(warehouse, folder)
    print(json.dumps(result))
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
