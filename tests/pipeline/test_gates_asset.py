"""The gates as an asset: written by a run, and a warning where a criterion that counted has fallen."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.checks.gates import gate_checks
from assets.reference.gates import reference_criterion_gates
from resources.warehouse.engine import Warehouse
from resources.warehouse_resource import WarehouseResource
from tests.cards import MODEL, PROMPT, put_cards, put_rubric


def run() -> tuple[dict[str, object], dg.AssetCheckEvaluation]:
    """What the asset and its check say."""
    done = dg.materialize([reference_criterion_gates, gate_checks], resources={"warehouse": WarehouseResource()})
    [asset] = done.get_asset_materialization_events()
    [check] = done.get_asset_check_evaluations()
    return {name: one.value for name, one in asset.materialization.metadata.items()}, check


def test_gates_are_written_by_a_run_and_a_fall_is_a_warning(
    fresh_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", fresh_database.url)
    put_rubric(fresh_database)
    calls = put_cards(fresh_database, [(1, 2), (0, 0)])
    with fresh_database.connect() as sql:
        sql.execute(
            "insert into reference.labels"
            " select unnest(%s::text[]), 'sales_calls', 1, %s, %s, 'offer', 'anna', 'call', 1, null, now()",
            (calls, PROMPT, MODEL),
        )
    told, check = run()
    assert (told["measured"], told["written"], told["state_calibration"]) == (2, 2, 2)
    assert check.passed
    assert run()[0]["written"] == 0

    with fresh_database.connect() as sql:
        sql.execute("update reference.criterion_gates set state = 'counted' where criterion = 'offer'")
    told, check = run()
    assert told["written"] == 1
    assert not check.passed and check.severity is dg.AssetCheckSeverity.WARN
    assert check.metadata["sales_calls: offer"].value.startswith("few_labels")
    # another judge has the cards now: what fell is nobody's score any more
    put_cards(fresh_database, [(1, 2), (0, 0)], model="openai/other")
    assert run()[1].passed
