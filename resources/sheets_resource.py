"""The spreadsheet as a Dagster resource: which one, and with which key, is found out when a run needs it.

Here: the account in force, a client for it, its health. Not here: which accounts there are (``resources.accounts``),
how a spreadsheet is written (``resources.sheets``). Functions take the warehouse as the loader: no other role may read
credentials or write the health of accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import dagster as dg

from resources.accounts import SheetsAccount, sheets_account
from resources.clients.errors import SourceError
from resources.clients.sheets import LIMITS, SheetsClient
from resources.settings import Settings
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse


class SheetsResource(dg.ConfigurableResource):
    """The Google spreadsheet that is written, if there is one."""

    def account(self, warehouse: Warehouse) -> SheetsAccount | None:
        """The account in force; ``None``: no spreadsheet is connected.

        Raises:
            KeysLost: the stored credential's key is gone (D14).
        """
        with warehouse.connect("otklik-accounts") as connection:
            return sheets_account(Settings(), connection)

    @contextmanager
    def client(
        self, warehouse: Warehouse, account: SheetsAccount, *, is_publication: bool = True
    ) -> Iterator[SheetsClient]:
        """A client of the account while the block lasts; how it went is kept as the account's health.

        Args:
            is_publication: whether a good end means that the spreadsheet was published. The mark that it is stale can
                be written where the tabs could not: it cures nothing.

        Raises:
            BadConfiguration: the address or the key file cannot be used; says what to do.
        """
        try:
            with client_of(Settings(), account) as client:
                yield client
                asked = client.calls > 0
        except SourceError as error:
            with warehouse.connect("otklik-accounts") as connection:
                connections.report_error(connection, error, Settings().now())
            raise
        if asked and is_publication:
            with warehouse.connect("otklik-accounts") as connection:
                connections.synced(connection, account.connection_id, Settings().now())


def client_of(settings: Settings, account: SheetsAccount) -> SheetsClient:
    """A client of the account; the patience of the settings where they say something else than their defaults.

    Raises:
        BadConfiguration: the address or the key file cannot be used; says what to do.
    """
    # the longest call here is longer than any page of chats: our defaults for those would cut it short
    given = {
        name: getattr(settings, field)
        for name, field in (
            ("connect_seconds", "http_connect_timeout_seconds"),
            ("read_seconds", "http_read_timeout_seconds"),
            ("deadline_seconds", "http_deadline_seconds"),
            ("attempts", "http_max_attempts"),
        )
        if field in settings.model_fields_set
    }
    return SheetsClient(
        account.connection_id,
        account.base_url,
        account.service_account_info(),
        limits=replace(LIMITS, **given),
        requests_per_minute=account.requests_per_minute,
        **({} if settings.otklik_seed is None else {"random": Random(settings.otklik_seed)}),
    )
