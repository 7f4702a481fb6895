"""Runs that say STARTED while nobody works on them any more.

Here: finding and ending them. Not here: how often (``sensors``). Dagster's own monitoring asks the code server about
runs that it launched; a run inside a command, or one whose code server fell with it, has nobody to ask but its lock:
a free lock under a started run means that the worker is dead (promise D4).
"""

from __future__ import annotations

import time

import dagster as dg

from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import is_run_alive

GRACE_SECONDS = 60
"""A run takes its lock when its first step opens the warehouse, some seconds after it says STARTED."""


def started_runs(instance: dg.DagsterInstance) -> list[dg.RunRecord]:
    """Every run that says that it is being worked on."""
    return list(instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])))


def end_dead_runs(
    instance: dg.DagsterInstance, warehouse: Warehouse, now: float | None = None, *, but: str | None = None
) -> list[str]:
    """Report every started run without a living worker as failed; returns their ids. ``but`` is left alone."""
    moment = time.time() if now is None else now
    ended = []
    with warehouse.connect("otklik-dead-runs", autocommit=True) as connection:
        for record in started_runs(instance):
            run = record.dagster_run
            is_young = record.start_time is None or moment - record.start_time < GRACE_SECONDS
            if run.run_id == but or is_young or is_run_alive(connection, run.run_id):
                continue
            instance.report_run_failed(
                run,
                "The process of this run ended without a word (killed, or the machine went down). What was committed "
                "stays; start the same run again, it goes on after the last committed page.",
            )
            ended.append(run.run_id)
    return ended
