"""The CRM's chats page as a way in: the same shop gives the same waits through it as through the Bot API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import runner
from resources.retailcrm import RetailCRMResource
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.retailcrm_web import RetailCRMWebEmulator
from tests.emulators.shop.model import Shop

MONDAY = date(2026, 11, 16)
FIRST, LAST = MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)
NOW = datetime.fromisoformat("2026-11-16T03:10:00+03:00")
LAYERS = ("raw", "core", "evaluated")
WAITS = """
select substr(w.conversation_id, length(w.connection_id) + 2), w.wait_kind, w.opened_at, w.answered_at, w.outcome,
    w.outcome_manager, w.reply_kind, w.wait_seconds, w.wait_business_seconds, w.manager_wait_seconds, w.handoff_at,
    w.target_seconds, substr(w.owner_manager_id, length(w.connection_id) + 2),
    substr(w.reply_manager_id, length(w.connection_id) + 2)
from evaluated.waits as w where w.connection_id = %s order by 1, 3, 2
"""
MESSAGES = """
select substr(conversation_id, length(connection_id) + 2), message_id, sent_at, direction, sender_kind, is_public,
    case when sender_kind <> 'system' then delivery_status end, content_kind, text,
    edited_at is not null or 'edited_undated' = any(flags), array_remove(flags, 'edited_undated')
from core.messages where connection_id = %s order by 1, 2
"""
EVENTS = """
select substr(conversation_id, length(connection_id) + 2), kind, at, substr(manager_id, length(connection_id) + 2)
from core.events where connection_id = %s order by 1, 3, 2
"""


class Installation:
    """A warehouse, its variables and the vault behind them."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def connect_page(self, page: RetailCRMWebEmulator, *operations: str, name: str = "page") -> None:
        """As ``otklik connect retailcrm-web`` stores it."""
        secrets = {"headers": json.dumps(page.headers()), "operations": json.dumps(page.operations(*operations))}
        settings = {"address": page.address, "time_zone": "Europe/Moscow"}
        with self.warehouse.connect() as sql:
            connections.save(sql, Vault.open(Settings()), name, "retailcrm-web", settings, secrets)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as sql:
            return sql.execute(statement, values).fetchall()


@contextmanager
def installed(warehouse: Warehouse, home: Path) -> Iterator[Installation]:
    variables = {
        "OTKLIK_HOME": str(home),
        "DATABASE_URL": warehouse.url,
        "RETAILCRM_REQUESTS_PER_SECOND": "1000",
        "HTTP_MAX_ATTEMPTS": "2",
        "OTKLIK_NOW": NOW.isoformat(),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield Installation(warehouse)


def shop() -> Shop:
    """A week of talks; nothing was deleted before anybody looked: the Bot API would not even list it."""
    found = Shop.tiny(3, MONDAY, messages=260)
    for message in found.messages:
        message.deleted = None
    return found


@pytest.fixture(scope="module")
def both(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One shop, connected through both doors and loaded."""
    one = shop()
    with (
        RetailCRMEmulator(one, rate=None) as api,
        RetailCRMWebEmulator(one) as page,
        installed(database, tmp_path_factory.mktemp("home")) as installation,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        addresses = {"base_url": api.base_url, "mg_base_url": api.mg_base_url, "time_zone": "Europe/Moscow"}
        keys = {"api_key": api.api_key, "bot_token": api.bot_token}
        with database.connect() as sql:
            connections.save(sql, Vault.open(Settings()), "api", "retailcrm", addresses, keys)
        installation.connect_page(page)
        runner.run_days(FIRST, LAST, instance=instance)
        yield installation


@pytest.mark.parametrize("statement", [MESSAGES, EVENTS, WAITS], ids=["messages", "events", "waits"])
def test_both_doors_lead_to_the_same_rows(both: Installation, statement: str) -> None:
    api, page = both.rows(statement, "api"), both.rows(statement, "page")
    assert len(page) > 30
    assert page == api


def test_the_page_knows_the_people_whom_its_messages_name(both: Installation) -> None:
    named = "select substr(manager_id, length(connection_id) + 2), name from core.managers where connection_id = %s"
    api, page = dict(both.rows(named, "api")), dict(both.rows(named, "page"))
    assert page and page.items() <= api.items()
    people = both.rows("select m.connection_id, count(*) from reference.people as p join core.managers as m"
                       " on m.manager_id = p.manager_id group by 1 order by 1")  # fmt: skip
    assert people == [("api", len(api)), ("page", len(page))]


def test_every_day_of_the_page_was_counted_and_is_whole(both: Installation) -> None:
    counted = both.rows(
        "select business_on, sum(reported), sum(stored) from ops.completeness where connection_id = 'page'"
        " and business_on between %s and %s group by 1 order by 1", FIRST, LAST,
    )  # fmt: skip
    assert [row[0] for row in counted] == [FIRST + timedelta(days=n) for n in range(7)]
    assert all(said == kept for _, said, kept in counted) and sum(said for _, said, _ in counted) > 20


@pytest.mark.proof
def test_last_messages_make_no_waits_until_the_whole_chats_are_captured(
    fresh_database: Warehouse, tmp_path: Path
) -> None:
    """Without any key of the APIs: an installation that knows the page alone is green all the same."""
    flagged = "select count(*), count(*) filter (where 'is_partial' = any(flags)) from core.messages"
    one = shop()
    with (
        RetailCRMWebEmulator(one) as page,
        installed(fresh_database, tmp_path) as installation,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        installation.connect_page(page, "chatsList")
        runner.run_days(FIRST, LAST, instance=instance)
        ((messages, partial),) = installation.rows(flagged)
        assert len(one.chats) <= messages == partial < len(one.messages)
        assert not installation.rows(WAITS, "page")
        assert not installation.rows("select from ops.completeness")

        installation.connect_page(page)
        runner.run_days(FIRST, LAST, instance=instance)
        assert installation.rows(flagged) == [(len(one.messages), 0)]
        assert installation.rows(WAITS, "page")
        assert installation.rows("select status from ops.connections") == [("ok",)]

        # another night, with a later capture without the messages, takes nothing back
        before = table_hashes(fresh_database, LAYERS)
        installation.connect_page(page, "chatsList")
        runner.run_days(FIRST, LAST, instance=instance)
        assert table_hashes(fresh_database, LAYERS) == before


def test_a_run_over_one_account_twice_says_so(
    fresh_database: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Connecting refuses it; an account that variables describe is not connected by anybody."""
    with (
        RetailCRMWebEmulator(shop()) as page,
        RetailCRMEmulator(page.shop, rate=None) as api,
        installed(fresh_database, tmp_path) as installation,
        pytest.MonkeyPatch.context() as patch,
    ):
        installation.connect_page(page)
        variables = {"BASE_URL": api.base_url, "API_KEY": api.api_key, "BOT_TOKEN": api.bot_token}
        for name, value in variables.items():
            patch.setenv(f"RETAILCRM_{name}", value)
        assert len(RetailCRMResource().accounts(fresh_database)) == 2
        assert "lead to one account" not in caplog.text
        page.base_url = api.base_url
        installation.connect_page(page)
        RetailCRMResource().accounts(fresh_database)
    assert "retailcrm and page lead to one account" in caplog.text


def test_an_expired_session_is_asked_once_and_needs_a_person(fresh_database: Warehouse, tmp_path: Path) -> None:
    with RetailCRMWebEmulator(shop()) as page, installed(fresh_database, tmp_path) as installation:
        installation.connect_page(page)
        page.expired = "html"
        with dg.DagsterInstance.ephemeral() as instance, pytest.raises(runner.RunFailed) as caught:
            runner.run_days(FIRST, LAST, ["raw/retailcrm_web__channels"], instance=instance)
        assert len(page.ledger.calls) == 1
        assert "connect retailcrm-web" in str(caught.value)
        assert page.cookie not in str(caught.value) and page.client_token not in str(caught.value)
        ((status, reason),) = installation.rows("select status, reason from ops.connections")
        assert (status, reason.split("]")[0]) == ("needs_auth", "[session_expired")
