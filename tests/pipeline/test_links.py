"""The night's step that finds out who is one human: what it says, and that a night is not lost where it has to wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import runner
from resources.warehouse import customer_links
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import links_lock

DAY = date(2026, 11, 15)
KEY = dg.AssetKey(["reference", "customer_links"])


@pytest.fixture
def stored(fresh_database: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    for name, value in {
        "OTKLIK_HOME": str(tmp_path),
        "OTKLIK_POLICY": str(tmp_path / "policy.yaml"),
        "DATABASE_URL": fresh_database.url,
        # nobody is asked
        "RETAILCRM_BASE_URL": "http://127.0.0.1:9",
        "RETAILCRM_CONNECTION_ID": "shop",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "policy.yaml").write_text("customers: {link_by_number: true}", "utf-8")
    with fresh_database.connect() as sql:
        sql.execute("insert into core.channels values ('tbank:phone', 'tbank', 'phone', 'Телефон', true)")
        for customer, key in (("tbank:a", "1"), ("shop:5", "1"), ("tbank:b", "2"), ("shop:6", "2"), ("shop:7", "2")):
            connection = customer.partition(":")[0]
            sql.execute("insert into core.customers values (%s, %s, null, 'x', null, %s)", (customer, connection, key))
            sql.execute(
                "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
                " flags) values (%s, %s, 'tbank:phone', %s, false, '{}')",
                (customer, connection, customer),
            )
    yield fresh_database


def links(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute("select * from reference.customer_links").fetchall()


def told(instance: dg.DagsterInstance) -> dict[str, Any]:
    runner.run_days(DAY, DAY, ["reference.customer_links"], instance=instance)
    event = instance.get_latest_materialization_event(KEY)
    assert event is not None and event.asset_materialization is not None
    return {label: value.value for label, value in event.asset_materialization.metadata.items()}


def test_a_night_joins_by_numbers_and_where_somebody_else_writes_links_the_old_ones_hold(
    stored: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        found = told(instance)
        assert links(stored) == [("tbank:a", "shop:5", "number")]
        expected = {"people": 1, "linked_by_number": 1, "numbers_that_join_nobody": 1, "conversations_judged_again": 2,
                    "customers_regrouped": 2, "customers_parted": 0, "published_weeks_concerned": 0}  # fmt: skip
        assert {name: found[name] for name in expected} == expected
        (tmp_path / "policy.yaml").write_text("customers: {link_by_number: false}", "utf-8")
        monkeypatch.setattr(customer_links, "links_lock", lambda session: links_lock(session, wait=0.05))
        with stored.connect(autocommit=True) as other, links_lock(other):
            assert told(instance)["busy"] is True
        assert links(stored) == [("tbank:a", "shop:5", "number")]
        found = told(instance)
        assert (found["people"], found["customers_regrouped"], found["customers_parted"]) == (0, 2, 2)
        assert links(stored) == []
