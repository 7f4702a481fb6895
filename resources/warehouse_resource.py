"""The warehouse and the policy as Dagster resources: settings are read when a run opens them, never at import.

Here: opening, the locks of a run (that it lives, which accounts it works on), closing. Not here: what a warehouse can
do (``resources.warehouse``). Neither resource has configuration: what differs between machines is in the environment or
``.env``, so that no login is ever shown in the Launchpad and the location loads with no variable set.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from typing import Any

import dagster as dg
import psycopg
from pydantic import PrivateAttr

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.lexicons import load_lexicon
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import account_busy, claim_accounts, run_lock
from resources.warehouse.roles import Role

OWN_SESSION_ENDS_SECONDS = 5.0
"""A session that was ended says so a moment before it lets its locks go: that is not another process."""


class WarehouseResource(dg.ConfigurableResource):
    """The PostgreSQL database of ours: the server of ``DATABASE_URL``, else the embedded one."""

    _run_id: str | None = PrivateAttr(default=None)
    _warehouse: Warehouse | None = PrivateAttr(default=None)
    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _lock: psycopg.Connection[Any] | None = PrivateAttr(default=None)
    _lock_held: ExitStack = PrivateAttr(default_factory=ExitStack)
    _accounts: set[str] = PrivateAttr(default_factory=set)
    """Accounts that the run has worked on."""
    _held: set[str] = PrivateAttr(default_factory=set)
    """Those of them whose locks the session of today holds."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Remember the run; nothing is opened yet, so that an error has a step to belong to."""
        self._run_id = context.run.run_id if context.run else None

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the locks back and close every connection."""
        with self._open:
            self._lock_held.close()
        self._lock = self._warehouse = None
        self._accounts, self._held = set(), set()

    def open(self, role: Role = Role.LOADER) -> Warehouse:
        """Return the warehouse under the login of ``role``, opened once per run.

        From the first call to the end of the run a lock keyed by the run is held: whoever finds it free under a run
        that says STARTED knows that its worker is dead (promise D4). The lock went with its session when PostgreSQL was
        restarted meanwhile: every later call, thus every asset, asks and takes it anew.

        Raises:
            Busy: another process works on the same run.
            WarehouseError: it cannot be opened, or its tables are older than the code; the text says what to do.
        """
        if self._warehouse is None:
            warehouse = self._open.enter_context(Warehouse.open(Settings()))
            warehouse.check_migrations()
            self._warehouse = warehouse
        self._session(self._warehouse)
        return self._warehouse.as_role(role)

    def claim(self, connection_ids: Collection[str]) -> dict[str, Exception]:
        """Take the locks of accounts until the end of the run (promise D4); returns ``Busy`` for each that is taken.

        To be called before anything is asked or written of an account, by every asset: the locks went with their
        session when PostgreSQL was restarted, and may be somebody else's by now.

        Raises:
            WarehouseError: as ``open``.
        """
        session = self._session(self.open())
        wanted = set(connection_ids) - self._held
        # locks of our own lost session may be given back a moment later
        wait = OWN_SESSION_ENDS_SECONDS if wanted & self._accounts else 0.0
        busy = claim_accounts(session, sorted(wanted), wait) if wanted else set()
        self._held |= wanted - busy
        self._accounts |= self._held
        return {one: account_busy(one) for one in connection_ids if one in busy}

    def _session(self, warehouse: Warehouse) -> psycopg.Connection[Any]:
        """The session of the locks: the one of before when it answers, for one that lives has kept them."""
        if self._lock is not None:
            try:
                self._lock.execute("select 1")
                return self._lock
            except psycopg.Error:
                self._lock = None
        self._held = set()
        self._lock_held.close()
        session = self._lock_held.enter_context(warehouse.connect("otklik-run-lock", autocommit=True))
        if self._run_id is not None:
            self._lock_held.enter_context(run_lock(session, self._run_id, wait=OWN_SESSION_ENDS_SECONDS))
        self._lock = session
        return session


class PolicyResource(dg.ConfigurableResource):
    """The business policy in force, ``policy.yaml`` or the file that ``OTKLIK_POLICY`` names, and the lexicons."""

    def load(self) -> Policy:
        """Read the policy.

        Raises:
            PolicyError: the file cannot be read or says what cannot be used; names the place in the file.
        """
        return Policy.load(Settings().policy_path)

    def lexicon(self) -> Lexicon:
        """Read the lexicons by which messages are judged.

        Raises:
            LexiconError: their folder cannot be used; names file, entry and what is wrong.
        """
        return load_lexicon(Settings())
