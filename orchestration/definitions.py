"""The code location: everything that Dagster shows and runs, put together in one function.

Here: assembly only. A test or another deployment swaps a resource through ``build_defs`` and gets the same graph.
Not here: assets, jobs, schedules. Nothing is read, opened or asked while this module is imported, except the zone in
the policy file; the location loads with no variable set.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

# Dagster writes the events of a step one by one, a commit each; in batches the 900 materializations of a 90-day run
# cost less than half (11 instead of 27 CPU seconds, measured). Read by Dagster whenever a step ends.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")

# Backfill policies, pools and freshness are marked beta; that they are is known, 60 times a start is noise.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from assets.checks.accounts import account_checks  # noqa: E402
from assets.checks.calls import calls_warnings  # noqa: E402
from assets.checks.core import core_checks  # noqa: E402
from assets.checks.evaluated import evaluated_checks  # noqa: E402
from assets.checks.gates import gate_checks  # noqa: E402
from assets.checks.imports import IMPORTS_CHECKS  # noqa: E402
from assets.checks.raw import raw_checks  # noqa: E402
from assets.checks.reference import reference_checks  # noqa: E402
from assets.checks.requirements import requirements_checks  # noqa: E402
from assets.checks.scorecards import scorecard_checks, scorecard_warnings  # noqa: E402
from assets.core.accounts import core_days, core_directories  # noqa: E402
from assets.evaluated.calls import call_eligibility  # noqa: E402
from assets.evaluated.rules import evaluated_rules  # noqa: E402
from assets.evaluated.scorecards import evaluated_scorecards  # noqa: E402
from assets.exports.digest import exports_telegram_digest  # noqa: E402
from assets.exports.sheets import exports_sheets  # noqa: E402
from assets.marts.days import marts_days  # noqa: E402
from assets.marts.weeks import marts_weeks  # noqa: E402
from assets.raw.abcd import ABCD_ASSETS  # noqa: E402
from assets.raw.call_files import CALL_FILES_ASSETS  # noqa: E402
from assets.raw.imports import imports  # noqa: E402
from assets.raw.retailcrm import RETAILCRM_ASSETS  # noqa: E402
from assets.raw.retailcrm_web import RETAILCRM_WEB_ASSETS  # noqa: E402
from assets.raw.tbank import TBANK_ASSETS  # noqa: E402
from assets.raw.twitter_care import TWITTER_CARE_ASSETS  # noqa: E402
from assets.reference.gates import JUDGE_REPEATS, LABELS, reference_criterion_gates  # noqa: E402
from assets.reference.people import CUSTOMER_LIST, customer_links, reference_people  # noqa: E402
from assets.reference.requirements import reference_requirements  # noqa: E402
from orchestration.jobs import JOBS  # noqa: E402
from orchestration.resources import production_resources  # noqa: E402
from orchestration.schedules import SCHEDULES  # noqa: E402
from orchestration.sensors import SENSORS  # noqa: E402
from resources.clients.redact import install  # noqa: E402

ASSETS: list[dg.AssetsDefinition | dg.AssetSpec] = [
    *RETAILCRM_ASSETS,
    *RETAILCRM_WEB_ASSETS,
    *TBANK_ASSETS,
    *TWITTER_CARE_ASSETS,
    *ABCD_ASSETS,
    *CALL_FILES_ASSETS,
    imports,
    core_directories,
    core_days,
    reference_people,
    customer_links,
    CUSTOMER_LIST,
    reference_requirements,
    LABELS,
    JUDGE_REPEATS,
    reference_criterion_gates,
    evaluated_rules,
    call_eligibility,
    evaluated_scorecards,
    marts_days,
    marts_weeks,
    exports_sheets,
    exports_telegram_digest,
]
CHECKS = [
    raw_checks,
    *IMPORTS_CHECKS,
    core_checks,
    reference_checks,
    requirements_checks,
    gate_checks,
    evaluated_checks,
    calls_warnings,
    scorecard_checks,
    scorecard_warnings,
    account_checks,
]


def build_defs(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything, with some resources replaced: what production, the command and the tests call."""
    install()
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={**production_resources(), **(resources or {})},
        # also for runs that somebody starts from the graph: a process per step would import everything each time
        executor=dg.in_process_executor,
    )


defs = build_defs()
