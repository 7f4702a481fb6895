"""RetailCRM as a Dagster resource: account and keys are read when a run starts, never at import.

Here: one source per run, closed at its end. Not here: settings to source (``resources.retailcrm_account``).

The resource has no configuration of its own. A missing ``dg.EnvVar`` ends a run before its first step with "Error in
config for job", which tells nobody what to do [measured]; here the step fails with the name of the missing variable.
"""

from __future__ import annotations

from contextlib import ExitStack

import dagster as dg
from pydantic import PrivateAttr

from resources.retailcrm_account import source_of
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource


class RetailCRMResource(dg.ConfigurableResource):
    """One RetailCRM account: chats by the MessageGateway bot token, users, customers and orders by the API key."""

    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _source: RetailCRMSource | None = PrivateAttr(default=None)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the HTTP sessions."""
        self._open.close()
        self._source = None

    def source(self) -> RetailCRMSource:
        """Return the account as a source, one per run: its limits are counted in one place.

        Raises:
            BadConfiguration: a variable is missing or unusable; the text names it.
        """
        if self._source is None:
            self._source = source_of(Settings(), self._open)
        return self._source
