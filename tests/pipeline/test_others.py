"""A night judges again what is marked of connections that it does not read: imported files and disabled accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from conversations.policy import Policy
from orchestration import runner
from orchestration.cli.importing import load
from resources.settings import PROJECT_ROOT, Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import account_lock
from resources.warehouse.roles import Role

DAY = date(2026, 11, 15)
FIXTURES = Path(__file__).parents[1] / "fixtures"
MIGRATION = PROJECT_ROOT / "resources" / "warehouse" / "migrations" / "versions" / "0003_metrics.sql"
FILES = {"twitter-care": "care", "abcd": "abcd"}
_AS_OF = "select scope, as_of from ops.as_of where scope <> 'shop' order by scope"


@pytest.fixture
def upgraded(
    fresh_database: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Warehouse, dict[str, str]]]:
    """Files as an older version left them, after the migration; and what their judgement is with behaviour."""
    for name, value in {
        "OTKLIK_HOME": str(tmp_path),
        "DATABASE_URL": fresh_database.url,
        # nobody is asked: only what is in core is judged
        "RETAILCRM_BASE_URL": "http://127.0.0.1:9",
        "RETAILCRM_CONNECTION_ID": "shop",
    }.items():
        monkeypatch.setenv(name, value)
    loader = fresh_database.as_role(Role.LOADER)
    for format_name, connection_id in FILES.items():
        path = FIXTURES / f"{format_name.replace('-', '_')}_conversations.json"
        load(path, format_name, connection_id, loader, Policy.load(Settings().policy_path))
    whole = table_hashes(fresh_database, ("evaluated",))
    (marking,) = [one for one in MIGRATION.read_text(encoding="utf-8").split(";") if "into ops.dirty" in one]
    with fresh_database.connect() as sql:
        assert sql.execute("select count(*) from evaluated.behaviour").fetchone()[0] > 0  # type: ignore[index]
        sql.execute("delete from evaluated.behaviour")
        sql.execute("delete from evaluated.advice")
        sql.execute(marking)  # type: ignore[call-overload]
    yield fresh_database, whole


def _judged(instance: dg.DagsterInstance) -> dict[str, Any]:
    runner.run_days(DAY, DAY, ["evaluated"], instance=instance)
    key = dg.AssetKey(["evaluated", "behaviour"])
    event = instance.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    return {label: value.value for label, value in event.asset_materialization.metadata.items()}


def test_a_night_judges_what_is_marked_of_a_file_as_of_its_end(
    upgraded: tuple[Warehouse, dict[str, str]], instance: dg.DagsterInstance
) -> None:
    database, whole = upgraded
    with database.connect() as sql:
        before = sql.execute(_AS_OF).fetchall()
    assert [scope for scope, _ in before] == ["care"]
    told = _judged(instance)
    assert told["accounts"] == 1 and told["other_connections"] == 1 and told["contacts_judged"] > 0
    assert table_hashes(database, ("evaluated",)) == whole
    with database.connect() as sql:
        assert sql.execute(_AS_OF).fetchall() == before
        assert sql.execute("select count(*) from ops.dirty where connection_id = 'care'").fetchone() == (0,)
    assert _judged(instance)["other_connections"] == 0


def test_a_busy_file_is_left_for_the_next_night(
    upgraded: tuple[Warehouse, dict[str, str]], instance: dg.DagsterInstance
) -> None:
    database, whole = upgraded
    with database.connect(autocommit=True) as session, account_lock(session, "care"):
        assert _judged(instance)["other_connections"] == 0
        with database.connect() as sql:
            assert sql.execute("select count(*) from evaluated.behaviour").fetchone() == (0,)
    assert _judged(instance)["other_connections"] == 1
    assert table_hashes(database, ("evaluated",)) == whole
