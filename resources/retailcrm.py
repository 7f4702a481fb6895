"""The RetailCRM accounts as a Dagster resource.

Here: which they are, whichever door they are read through (the APIs or the chats page), and how one becomes a source.
Not here: what all vendors share (``resources.accounts_resource``), an account as a source
(``resources.retailcrm_account``, ``resources.retailcrm_web_account``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, ClassVar

import psycopg

from resources.accounts import RetailCRMAccount, RetailCRMWebAccount, retailcrm_accounts, retailcrm_web_accounts
from resources.accounts_resource import AccountsResource, ReadAccount
from resources.retailcrm_account import refuse_if_refused, source_of
from resources.retailcrm_web_account import web_source_of
from resources.same_account import doubled, seat_of
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource
from resources.sources.retailcrm_web import RetailCRMWebSource
from resources.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


class RetailCRMResource(AccountsResource):
    """The RetailCRM accounts: chats by a MessageGateway bot token, users, customers and orders by an API key, each; or
    chats as the CRM's own page shows them, by a captured session."""

    kinds: ClassVar[tuple[type, ...]] = (RetailCRMAccount, RetailCRMWebAccount)

    def in_force(self, settings: Settings, connection: psycopg.Connection[Any]) -> Sequence[ReadAccount]:
        """Those with keys first; two connections that lead to one account are told in the log."""
        accounts = [*retailcrm_accounts(settings, connection), *retailcrm_web_accounts(settings, connection)]
        for one, other in doubled(map(seat_of, accounts)):
            # refused where it is connected; variables of the environment ask nobody
            log.warning(
                "%s and %s lead to one account: its talk counts twice; otklik disable one of them",
                one.connection_id, other.connection_id,
            )  # fmt: skip
        return accounts

    def opened(
        self,
        settings: Settings,
        account: RetailCRMAccount | RetailCRMWebAccount,
        warehouse: Warehouse,
        closing: ExitStack,
    ) -> RetailCRMSource | RetailCRMWebSource:
        """Through the door that the account has."""
        if isinstance(account, RetailCRMWebAccount):
            return web_source_of(settings, account, closing)
        return source_of(settings, account, closing)

    def refuse_if_refused(self, account: RetailCRMAccount | RetailCRMWebAccount, now: datetime) -> None:
        """In the words of its door."""
        refuse_if_refused(account, now)
