"""The RetailCRM accounts as a Dagster resource: addresses and keys are read when a run starts, never at import.

Here: the accounts of a run, whichever door they are read through (the APIs or the chats page), one source per account,
which of them failed in this run, their health. Not here: which accounts are in force (``resources.accounts``), an
account as a source (``resources.retailcrm_account``, ``resources.retailcrm_web_account``), working through them
(``assets.accounts``).

The resource has no configuration of its own. A missing ``dg.EnvVar`` ends a run before its first step with "Error in
config for job", which tells nobody what to do [measured]; here the step fails with the name of the missing variable.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TypeAlias

import dagster as dg
from pydantic import PrivateAttr

from resources.accounts import RetailCRMAccount, RetailCRMWebAccount, retailcrm_accounts, retailcrm_web_accounts
from resources.clients.errors import BadConfiguration, SourceError
from resources.retailcrm_account import NotAskedAgain, refuse_if_refused, source_of
from resources.retailcrm_web_account import web_source_of
from resources.same_account import doubled, seat_of
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource
from resources.sources.retailcrm_web import RetailCRMWebSource
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.failpoints import fail_point

log = logging.getLogger(__name__)

ReadAccount: TypeAlias = RetailCRMAccount | RetailCRMWebAccount
"""An account of the CRM, by whichever door."""
_LIVES_ON_FILES = """
select
    exists (select from core.conversations)
    and not exists (select from ops.connections where vendor in ('retailcrm', 'retailcrm-web'))
"""
STARTED_BY = "otklik/started_by"
"""The tag of a run that a person waits for has the value ``command``."""


class RetailCRMResource(dg.ConfigurableResource):
    """The RetailCRM accounts: chats by a MessageGateway bot token, users, customers and orders by an API key, each; or
    chats as the CRM's own page shows them, by a captured session."""

    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _sources: dict[str, RetailCRMSource | RetailCRMWebSource] = PrivateAttr(default_factory=dict)
    _accounts: list[ReadAccount] = PrivateAttr(default_factory=list)
    _failed: dict[str, Exception] = PrivateAttr(default_factory=dict)
    _is_waited_for: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Remember whether a person waits for the run."""
        self._is_waited_for = context.run is not None and context.run.tags.get(STARTED_BY) == "command"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the HTTP sessions and forget the run."""
        self._open.close()
        self._sources, self._accounts, self._failed = {}, [], {}

    @property
    def failed(self) -> dict[str, Exception]:
        """Why an account is left alone for the rest of this run: what could not be read is not judged either."""
        return self._failed

    def accounts(self, warehouse: Warehouse) -> list[ReadAccount]:
        """The accounts of this run: those that were enabled at its first question. None where everything that is
        stored came as files: such an installation has nothing to read, and all the rest of the chain to do.

        Raises:
            BadConfiguration: there is none, and nothing was imported either.
            KeysLost: a stored credential's key is gone: nothing may start (D14).
        """
        if not self._accounts:
            settings = Settings()
            with warehouse.connect("otklik-accounts") as connection:
                self._accounts = [
                    *retailcrm_accounts(settings, connection),
                    *retailcrm_web_accounts(settings, connection),
                ]
                lives_on_files = not self._accounts and connection.execute(_LIVES_ON_FILES).fetchone() == (True,)
            if lives_on_files:
                return []
            for one, other in doubled(map(seat_of, self._accounts)):
                # refused where it is connected; variables of the environment ask nobody
                log.warning(
                    "%s and %s lead to one account: its talk counts twice; otklik disable one of them",
                    one.connection_id, other.connection_id,
                )  # fmt: skip
        if not self._accounts:
            raise BadConfiguration(
                Settings().retailcrm_connection_id,
                "no RetailCRM account is connected",
                "Connect one (otklik connect retailcrm), or set RETAILCRM_BASE_URL, RETAILCRM_API_KEY and "
                "RETAILCRM_BOT_TOKEN in the environment or in .env",
            )
        return self._accounts

    def source(self, account: ReadAccount) -> RetailCRMSource | RetailCRMWebSource:
        """Return the account as a source, one per run: its limits are counted in one place.

        Raises:
            BadConfiguration: an address or a key is missing or unusable; the text names it.
            NotAskedAgain: the vendor refused its key within the last hour, and nobody waits for this run.
        """
        known = self._sources.get(account.connection_id)
        if known is None:
            settings = Settings()
            if not self._is_waited_for:
                refuse_if_refused(account, settings.now())
            opened = (
                web_source_of(settings, account, self._open)
                if isinstance(account, RetailCRMWebAccount)
                else source_of(settings, account, self._open)
            )
            known = self._sources[account.connection_id] = opened
        return known

    def read_to_the_end(self, warehouse: Warehouse, account: ReadAccount) -> None:
        """Write down that every stream of the account has been read: it is well."""
        fail_point("accounts.before_synced")
        with warehouse.connect("otklik-accounts") as connection:
            connections.synced(connection, account.connection_id, Settings().now())

    def leave_alone(self, warehouse: Warehouse, connection_id: str, error: Exception, sentence: str) -> None:
        """Work on the account no more in this run, and write down its health. A busy account is not ill."""
        self._failed[connection_id] = error
        if isinstance(error, Busy | NotAskedAgain):
            return
        with warehouse.connect("otklik-accounts") as connection:
            if isinstance(error, SourceError):
                connections.report_error(connection, error, Settings().now())
            else:
                connections.report(connection, connection_id, "broken", sentence, Settings().now())
