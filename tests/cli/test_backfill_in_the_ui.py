"""A range of days chosen in the Dagster UI: one run per step of the chain, not one per day, and every day is green.

The real web server, daemon and storage as ``otklik up`` starts them; the request is the one that the UI sends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli import children
from resources.warehouse.engine import Warehouse
from tests.emulators.retailcrm import RetailCRMEmulator

pytestmark = pytest.mark.proof
ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("raw", "core", "evaluated")
DAYS = ["2026-03-02", "2026-03-03", "2026-03-04"]
# the three days in Moscow
WINDOW = (datetime(2026, 3, 1, 21, tzinfo=UTC), datetime(2026, 3, 4, 21, tzinfo=UTC))
NODES = "{ assetNodes { assetKey { path } isMaterializable partitionDefinition { type } } }"
LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATE = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status runs(limit: 100) { status assets { key { path } } } error { message } }
  }
}
"""
GREEN = """
{ assetNodeOrError(assetKey: {path: ["core", "messages"]}) {
    ... on AssetNode { partitionStats { numMaterialized numFailed } } } }
"""


def ask(url: str, query: str, **variables: Any) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as answer:
        found = json.load(answer)
    assert "errors" not in found, found
    return found["data"]


def backfill(url: str) -> tuple[str, list[dict[str, Any]]]:
    """All layers that have days, and the directories they read: what a person selects in the graph."""
    nodes = [node for node in ask(url, NODES)["assetNodes"] if node["isMaterializable"]]
    # files have no days: their partitions are they themselves
    dated = [node for node in nodes if (node["partitionDefinition"] or {}).get("type") != "DYNAMIC"]
    chosen = [node["assetKey"] for node in dated if node["assetKey"]["path"][0] in LAYERS]
    assert len(chosen) > 15
    launched = ask(
        url,
        LAUNCH,
        params={"assetSelection": chosen, "partitionNames": DAYS, "fromFailure": False, "title": "three days"},
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    deadline = time.monotonic() + 1200
    while time.monotonic() < deadline:
        state = ask(url, STATE, id=launched["backfillId"])["partitionBackfillOrError"]
        if state["status"].startswith("COMPLETED") or state["status"] == "FAILED":
            assert not state["error"], state["error"]["message"][:3000]
            return state["status"], state["runs"]
        time.sleep(2)
    raise AssertionError(f"still {state['status']}: {state['runs']}")


def test_a_range_from_the_ui_is_one_run_per_step(fresh_database: Warehouse, tmp_path: Path) -> None:
    port, log = children.free_port(), tmp_path / "up.log"
    with RetailCRMEmulator(rate=None) as account, log.open("w") as output:
        given = {
            **os.environ,
            "DATABASE_URL": fresh_database.url,
            "ANALYST_DATABASE_URL": fresh_database.analyst_url,
            "OTKLIK_HOME": str(tmp_path),
            "OTKLIK_FIRST_DAY": DAYS[0],
            "PYTHONPATH": str(ROOT),
            "RETAILCRM_BASE_URL": account.base_url,
            "RETAILCRM_MG_BASE_URL": account.mg_base_url,
            "RETAILCRM_API_KEY": account.api_key,
            "RETAILCRM_BOT_TOKEN": account.bot_token,
        }
        command = [sys.executable, "-m", "orchestration.cli", "up", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=output, stderr=output, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 600
            while url not in log.read_text() and time.monotonic() < deadline:
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
            status, runs = backfill(url)
            green = ask(url, GREEN)["assetNodeOrError"]["partitionStats"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        told = account.ledger.rows("messages", *WINDOW)

    assert status == "COMPLETED_SUCCESS", runs
    assert {run["status"] for run in runs} == {"SUCCESS"}
    per_asset = [tuple(asset["key"]["path"]) for run in runs for asset in run["assets"]]
    assert len(per_asset) == len(set(per_asset)), "an asset was run more than once"
    assert green == {"numMaterialized": len(DAYS), "numFailed": 0}
    with fresh_database.connect() as sql:
        stored = sql.execute(
            "select external_id from raw.retailcrm__messages where event_at >= %s and event_at < %s", WINDOW
        ).fetchall()
    assert told
    assert sorted(row[0] for row in stored) == sorted(told)
