"""Who reads the spreadsheet of requirements.

Here: which service account it is. Not here: other accounts (``accounts``), what is read (``requirements``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from pydantic import SecretStr

from resources.accounts import SHEETS, SheetsAccount, key_of_environment, sheets_account
from resources.settings import Settings
from resources.warehouse.connections import ENVIRONMENT, Account


def requirements_account(
    settings: Settings, connection: psycopg.Connection[Any], spreadsheet_id: str
) -> SheetsAccount | None:
    """The service account of the spreadsheet that is written, so that a person shares both with one address; where
    none is written, the key file of the environment. ``None``: there is neither.

    Raises:
        KeysLost: the stored credential's key is gone (D14).
    """
    writing = sheets_account(settings, connection)
    if writing is not None:
        return replace(writing, spreadsheet_id=spreadsheet_id)
    if settings.google_service_account_json is None:
        return None
    secret, fault = key_of_environment(settings)
    account = Account(SHEETS, SHEETS, ENVIRONMENT, {"spreadsheet_id": spreadsheet_id})
    address, rate = settings.sheets_base_url, settings.sheets_requests_per_minute
    return SheetsAccount(account, spreadsheet_id, address, rate, SecretStr(secret), fault)
