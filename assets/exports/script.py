"""The optional Google Apps Script after an export: called at most once for each content, its failure a warning.

Here: when it is called and what is said of it. Not here: the call (``resources.clients.apps_script``), the book-keeping
(``resources.warehouse.script_calls``). It never fails an export: what was shown is shown.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from assets.checks.shown import asset_of
from assets.exports.frames import RESULTS
from resources.settings import Settings
from resources.warehouse import script_calls
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point

NAME = "apps_script_was_run"
SPEC = dg.AssetCheckSpec(
    NAME,
    asset=asset_of(RESULTS),
    description="The Google Apps Script of the settings, if there is one, was run for what the spreadsheet shows.",
    blocking=False,
)
_NO_FUNCTION = "doPost"
"""What runs where the settings name no function."""


def after_export(database: Warehouse, hashes: Mapping[str, str], now: datetime) -> dg.AssetCheckResult:
    """Call the script of the settings for what is shown now, unless it was called for the same before.

    Args:
        database: as the publisher.
        hashes: content hash of each tab that is shown.
    """
    from resources.clients import apps_script

    settings = Settings()
    if settings.apps_script_url is None:
        return not_called("No script is configured (APPS_SCRIPT_URL).")
    url, function = settings.apps_script_url.get_secret_value(), settings.apps_script_function or _NO_FUNCTION
    destination, content = script_calls.destination_of(url), script_calls.content_of(hashes)
    before = script_calls.begin(database, destination, function, content, now)
    if before is not None:
        return _result(before or None, was_called=False)
    outcome = apps_script.call(url, settings.apps_script_function)
    fail_point("exports.script_answered")
    reason = None if outcome.state == "done" else f"{outcome.state}: {outcome.reason}"
    script_calls.settle(database, destination, function, reason)
    return _result(reason, was_called=True)


def not_called(why: str) -> dg.AssetCheckResult:
    """The result where there was nothing to call or nothing to call it for."""
    return dg.AssetCheckResult(asset_key=SPEC.asset_key, check_name=NAME, passed=True, description=why)


def _result(reason: str | None, *, was_called: bool) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=SPEC.asset_key,
        check_name=NAME,
        passed=reason is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"was_called": was_called, "outcome": reason or "done"},
        description=None
        if reason is None
        else "The script was not run, or it is not known whether it was. It is not called again for the same content: "
        "look at APPS_SCRIPT_URL and the script's own log, run it by hand if need be.",
    )
