"""The jobs: a day is loaded and judged, its talks are scored, a week is published, and so are its days.

Here: which assets belong together. Not here: when they run (``schedules``). Each runs in one process: a step takes
seconds, and a process per step would import everything once more each time (15 to 38 s each, measured).
"""

from __future__ import annotations

import dagster as dg

from assets.evaluated.scorecards import TABLES as SCORE_TABLES
from assets.marts.description import marts
from assets.raw.imports import TABLES
from assets.reference import requirements

IMPORTED = dg.AssetSelection.assets(*(["raw", table] for tables in TABLES.values() for table in tables))
BY_PEOPLE = IMPORTED | dg.AssetSelection.assets(
    ["raw", "twitter_care__conversations"],
    ["raw", "abcd__conversations"],
    ["raw", "call_files__calls"],
    ["reference", "customer_list"],
    ["reference", "labels"],
    ["evaluated", "judge_repeats"],
)
"""Brought by a person (otklik import, the drop folder, otklik link-customers, otklik labels): no schedule can fetch
them."""
SCORED = dg.AssetSelection.assets(
    *(["evaluated", table] for table in SCORE_TABLES),
    ["reference", "criterion_gates"],
)
"""Costs money: never part of a load, however many days are read anew. Its judge is measured with it."""
LOADED = dg.AssetSelection.groups("raw", "core", "reference", "evaluated") - BY_PEOPLE - SCORED
DAYS = dg.AssetSelection.assets(*(["marts", mart.name] for mart in marts("day")))
REQUIREMENTS = dg.AssetSelection.assets(*(["reference", table] for table in requirements.REQUIREMENTS))
"""Read every night; a week is published by what the nights have judged."""
LINKS = dg.AssetSelection.assets(["reference", "customer_links"])
"""Found before the judgement that follows from them, never between it and its publication."""
PUBLISHED = dg.AssetSelection.groups("reference", "marts", "exports") - DAYS - BY_PEOPLE - REQUIREMENTS - LINKS

load_daily = dg.define_asset_job(
    "load_daily",
    selection=LOADED,
    description="Read the day at the source, understand it, judge its waits and sessions: raw to evaluated.",
    executor_def=dg.in_process_executor,
)

score_days = dg.define_asset_job(
    "score_days",
    selection=SCORED,
    description="Judge the talks of the days by their rubrics: by rules, and by a model within the budget.",
    executor_def=dg.in_process_executor,
)

publish_week = dg.define_asset_job(
    "publish_week",
    selection=PUBLISHED,
    description="Compute the week of managers and channels, test it, and only then show it: marts, spreadsheet.",
    executor_def=dg.in_process_executor,
)

publish_days = dg.define_asset_job(
    "publish_days",
    selection=DAYS,
    description="Compute the days of managers and channels, test them, and only then show them: marts.",
    executor_def=dg.in_process_executor,
)

import_file = dg.define_asset_job(
    "import_file",
    selection=IMPORTED,
    description="Read files of the drop folder, understand them, judge their waits and sessions: raw to evaluated.",
    executor_def=dg.in_process_executor,
)

JOBS = [load_daily, score_days, publish_week, publish_days, import_file]
