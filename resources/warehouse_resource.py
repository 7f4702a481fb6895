"""The warehouse and the policy as Dagster resources: settings are read when a run opens them, never at import.

Here: opening, the lock that proves a run is alive, closing. Not here: what a warehouse can do
(``resources.warehouse``). Neither resource has configuration: what differs between machines is in the environment or
``.env``, so that no login is ever shown in the Launchpad and the location loads with no variable set.
"""

from __future__ import annotations

from contextlib import ExitStack

import dagster as dg
from pydantic import PrivateAttr

from conversations.policy import Policy
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.locks import run_lock


class WarehouseResource(dg.ConfigurableResource):
    """The PostgreSQL database of ours: the server of ``DATABASE_URL``, else the embedded one."""

    _run_id: str | None = PrivateAttr(default=None)
    _warehouse: Warehouse | None = PrivateAttr(default=None)
    _open: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Remember the run; nothing is opened yet, so that an error has a step to belong to."""
        self._run_id = context.run.run_id if context.run else None

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the lock back and close every connection."""
        self._open.close()
        self._warehouse = None

    def open(self) -> Warehouse:
        """Return the warehouse, opened once per run.

        From the first call to the end of the run a lock keyed by the run is held: whoever finds it free under a run
        that says STARTED knows that its worker is dead (promise D4).

        Raises:
            WarehouseError: it cannot be opened, or its tables are older than the code; the text says what to do.
        """
        if self._warehouse is None:
            warehouse = self._open.enter_context(Warehouse.open(Settings()))
            warehouse.check_migrations()
            if self._run_id is not None:
                connection = self._open.enter_context(warehouse.connect("otklik-run-lock", autocommit=True))
                self._open.enter_context(run_lock(connection, self._run_id))
            self._warehouse = warehouse
        return self._warehouse


class PolicyResource(dg.ConfigurableResource):
    """The business policy in force: ``policy.yaml`` or the file that ``OTKLIK_POLICY`` names."""

    def load(self) -> Policy:
        """Read the policy.

        Raises:
            PolicyError: the file cannot be read or says what cannot be used; names the place in the file.
        """
        return Policy.load(Settings().policy_path)
