"""One invented account behind one warehouse: the whole chain as production runs it, over real HTTP and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from resources.warehouse.engine import Warehouse
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop
from tests.emulators.shop.thinning import thinned

MONDAY = date(2026, 11, 16)
"""The shop's history ends before this day."""
WEEKS = ("2026-W45", "2026-W46")
FIRST, LAST = MONDAY - timedelta(days=14), MONDAY - timedelta(days=1)


@pytest.fixture(scope="module")
def account(request: pytest.FixtureRequest) -> Iterator[RetailCRMEmulator]:
    """Three weeks of a shop that is not the demo's; of its chats every ``KEEP``-th where a module says so."""
    shop = thinned(Shop.demo(7, MONDAY, 3), getattr(request.module, "KEEP", 1))
    with RetailCRMEmulator(shop, rate=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def connected(account: RetailCRMEmulator, database: Warehouse, home: Path) -> Iterator[Warehouse]:
    """The environment of a configured installation."""
    variables = {
        "OTKLIK_HOME": str(home),
        "DATABASE_URL": database.url,
        "RETAILCRM_BASE_URL": account.base_url,
        "RETAILCRM_API_KEY": account.api_key,
        "RETAILCRM_BOT_TOKEN": account.bot_token,
        "RETAILCRM_REQUESTS_PER_SECOND": "1000",
        "HTTP_MAX_ATTEMPTS": "2",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield database


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's own book-keeping in memory: on a disk its thousand commits take longer than the run."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def environment() -> dict[str, str]:
    """What a process of its own inherits."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
