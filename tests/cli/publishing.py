"""An invented shop, published with a spreadsheet beside it: what the tests of explaining and auditing ask about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration import runner
from orchestration.partitions import sunday_of
from resources.warehouse.engine import Warehouse
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.model import Shop

MONDAY = date(2026, 11, 16)
BEFORE, WEEK = "2026-W45", "2026-W46"
NOW = "2026-11-16T08:10:00+03:00"
CONTACTS = "Мой номер 8 (926) 123-45-67, почта anna@example.ru; заказ 1234567"
MASKED = "Мой номер [телефон], почта [почта]; заказ 1234567"


@contextmanager
def published_shop(
    database: Warehouse, sheets: SheetsEmulator, shop: Shop, home: Path, first: str, last: str, **variables: str
) -> Iterator[Warehouse]:
    """The warehouse after these weeks were loaded and published; the environment stays that of the installation."""
    with RetailCRMEmulator(shop, rate=None) as account, pytest.MonkeyPatch.context() as patch:
        given = {
            "OTKLIK_HOME": str(home),
            "DATABASE_URL": database.url,
            "RETAILCRM_BASE_URL": account.base_url,
            "RETAILCRM_API_KEY": account.api_key,
            "RETAILCRM_BOT_TOKEN": account.bot_token,
            "RETAILCRM_REQUESTS_PER_SECOND": "1000",
            "GOOGLE_SHEETS_ID": sheets.spreadsheet_id,
            "GOOGLE_SERVICE_ACCOUNT_JSON": str(sheets.service_account_file),
            "SHEETS_BASE_URL": sheets.base_url,
            "SHEETS_REQUESTS_PER_MINUTE": "1000",
            "OTKLIK_NOW": NOW,
            **variables,
        }
        for name, value in given.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.ephemeral() as instance:
            runner.run_weeks(first, last, instance=instance)
            runner.publish_days(sunday_of(last) - timedelta(days=1), sunday_of(last), instance=instance)
        yield database


def policy_with(folder: Path, was: str, now: str) -> str:
    """The path of the demo's policy with one text replaced."""
    text = (Path(__file__).resolve().parents[2] / "policy.yaml").read_text("utf-8")
    assert was in text
    path = folder / "policy.yaml"
    path.write_text(text.replace(was, now), "utf-8")
    return str(path)
