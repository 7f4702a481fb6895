"""The T-Bank telephony accounts as a Dagster resource.

Here: which they are, and how one becomes a source: the agent groups are those of the policy's departments, transcripts
that have words are not asked for again. Not here: what all vendors share (``resources.accounts_resource``), an account
as a source (``resources.tbank_account``).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar

import psycopg

from conversations.policy import Policy
from resources.accounts_resource import AccountsResource, ReadAccount
from resources.settings import Settings
from resources.sources.tbank import TBankSource
from resources.tbank_account import TBankAccount, refuse_if_refused, tbank_accounts, tbank_source_of
from resources.warehouse.engine import Warehouse
from resources.warehouse.tbank_context import ready_transcripts


class TBankResource(AccountsResource):
    """The telephony accounts: calls of the departments' agent groups and what was said in them, by login and
    password."""

    kinds: ClassVar[tuple[type, ...]] = (TBankAccount,)

    def in_force(self, settings: Settings, connection: psycopg.Connection[Any]) -> Sequence[ReadAccount]:
        """That of the environment first."""
        return tbank_accounts(settings, connection)

    def opened(
        self, settings: Settings, account: TBankAccount, warehouse: Warehouse, closing: ExitStack
    ) -> TBankSource:
        """For the agent groups of the policy, in its order; none named: everybody's calls.

        Raises:
            BadConfiguration: address, login or password are missing or unusable.
            PolicyError: the policy cannot be read.
        """
        policy = Policy.load(settings.policy_path)
        groups = [one.agent_group for one in policy.departments.values() if one.agent_group is not None]

        def known_ready(segments: Sequence[str]) -> set[str]:
            with warehouse.connect("otklik-transcripts") as connection:
                return ready_transcripts(connection, account.connection_id, segments)

        lag = timedelta(minutes=policy.telephony.transcript_lag_minutes)
        return tbank_source_of(settings, account, closing, groups, known_ready, lag)

    def refuse_if_refused(self, account: TBankAccount, now: datetime) -> None:
        """In the words of a login."""
        refuse_if_refused(account, now)
