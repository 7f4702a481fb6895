"""The accounts of one vendor as a Dagster resource: addresses and keys are read when a run starts, never at import.

Here: what all vendors that are read share: the accounts of a run, one source per account, which of them failed in this
run, their health; and the accounts of all vendors together. Not here: a vendor (``resources.retailcrm``,
``resources.tbank``), which accounts are in force (``resources.accounts``), working through them (``assets.accounts``).

The resources have no configuration of their own. A missing ``dg.EnvVar`` ends a run before its first step with "Error
in config for job", which tells nobody what to do [measured]; here the step fails with the name of the missing variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeAlias

import dagster as dg
import psycopg
from pydantic import PrivateAttr

from conversations.source import Source
from resources.accounts import READ_VENDORS
from resources.clients.errors import BadConfiguration, SourceError
from resources.refused import NotAskedAgain
from resources.settings import Settings
from resources.warehouse import connections
from resources.warehouse.connections import Account
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.failpoints import fail_point

_LIVES_ON_FILES = """
select
    exists (select from core.conversations)
    and not exists (select from ops.connections where vendor = any(%s))
"""
STARTED_BY = "otklik/started_by"
"""The tag of a run that a person waits for has the value ``command``."""


class ReadAccount(Protocol):
    """An account that talk is read from, of any vendor and through any door."""

    @property
    def account(self) -> Account: ...
    @property
    def connection_id(self) -> str: ...
    @property
    def fault(self) -> BadConfiguration | None: ...


class AccountsResource(dg.ConfigurableResource):
    """The accounts of one vendor in one run; a vendor says which they are and how one becomes a source."""

    kinds: ClassVar[tuple[type, ...]] = ()
    """The classes of its accounts."""

    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)
    _accounts: list[Any] | None = PrivateAttr(default=None)
    _failed: dict[str, Exception] = PrivateAttr(default_factory=dict)
    _is_waited_for: bool = PrivateAttr(default=False)

    def in_force(self, settings: Settings, connection: psycopg.Connection[Any]) -> Sequence[ReadAccount]:
        """The vendor's enabled accounts, in the order in which they are worked on.

        Raises:
            KeysLost: a stored credential's key is gone: nothing may start (D14).
        """
        raise TypeError(f"{type(self).__name__} does not say which accounts it reads")

    def opened(self, settings: Settings, account: Any, warehouse: Warehouse, closing: ExitStack) -> Source:
        """One of them as a source, closed with ``closing``.

        Raises:
            BadConfiguration: an address or a key is missing or unusable; the text names it.
        """
        raise TypeError(f"{type(self).__name__} does not say how it reads an account")

    def refuse_if_refused(self, account: Any, now: datetime) -> None:
        """Leave the vendor alone for an hour after it refused the account (``resources.refused``).

        Raises:
            NotAskedAgain: the hour is not over.
        """
        raise TypeError(f"{type(self).__name__} does not say what it does after a refusal")

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Remember whether a person waits for the run."""
        self._is_waited_for = context.run is not None and context.run.tags.get(STARTED_BY) == "command"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the HTTP sessions and forget the run."""
        self._open.close()
        self._sources, self._accounts, self._failed = {}, None, {}

    @property
    def failed(self) -> dict[str, Exception]:
        """Why an account is left alone for the rest of this run: what could not be read is not judged either."""
        return self._failed

    def accounts(self, warehouse: Warehouse) -> Sequence[ReadAccount]:
        """The vendor's accounts of this run: those that were enabled at its first question; maybe none.

        Raises:
            KeysLost: a stored credential's key is gone: nothing may start (D14).
        """
        if self._accounts is None:
            with warehouse.connect("otklik-accounts") as connection:
                self._accounts = list(self.in_force(Settings(), connection))
        return self._accounts

    def source(self, account: ReadAccount, warehouse: Warehouse) -> Source:
        """Return the account as a source, one per run: its limits are counted in one place.

        Raises:
            BadConfiguration: an address or a key is missing or unusable; the text names it.
            NotAskedAgain: the vendor refused its key within the last hour, and nobody waits for this run.
        """
        known = self._sources.get(account.connection_id)
        if known is None:
            settings = Settings()
            if not self._is_waited_for:
                self.refuse_if_refused(account, settings.now())
            known = self._sources[account.connection_id] = self.opened(settings, account, warehouse, self._open)
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


Everybody: TypeAlias = dict[str, tuple[ReadAccount, AccountsResource]]
"""Every account of a run with the resource that reads it, by the account's name."""


def everybody(readers: Sequence[AccountsResource], warehouse: Warehouse) -> Everybody:
    """The accounts of all vendors. Nobody where everything that is stored came as files: such an installation has
    nothing to read, and all the rest of the chain to do.

    Raises:
        BadConfiguration: no account of any vendor is connected, and nothing was imported either.
        KeysLost: a stored credential's key is gone: nothing may start (D14).
    """
    found = {one.connection_id: (one, reader) for reader in readers for one in reader.accounts(warehouse)}
    if not found:
        with warehouse.connect("otklik-accounts") as connection:
            lives_on_files = connection.execute(_LIVES_ON_FILES, [list(READ_VENDORS)]).fetchone() == (True,)
        if not lives_on_files:
            raise BadConfiguration(
                Settings().retailcrm_connection_id,
                "no RetailCRM account, no telephony is connected, and no file was imported",
                "Connect one (otklik connect retailcrm, otklik connect retailcrm-web, otklik connect tbank), or set "
                "RETAILCRM_BASE_URL, RETAILCRM_API_KEY and RETAILCRM_BOT_TOKEN, or TBANK_BASE_URL, TBANK_LOGIN and "
                "TBANK_PASSWORD in the environment or in .env, or import a file (otklik import)",
            )
    return found
