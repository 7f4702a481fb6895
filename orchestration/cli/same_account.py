"""One account behind two connections: refused before it is stored, shown where it came about all the same.

Here: which connections are in force, the refusal. Not here: by what an account is known (``resources.same_account``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from conversations.messages import CaptureErrors, Captures
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    import psycopg

    from resources.accounts import RetailCRMAccount, RetailCRMWebAccount
    from resources.same_account import Seat
    from resources.settings import Settings
    from resources.tbank_account import TBankAccount


def refuse(settings: Settings, connection: psycopg.Connection[Any], account: object) -> None:
    """Refuse a connection to an account that another one in force leads to: all of its talk would count twice.

    Raises:
        CliError: names both.
        KeysLost: what is stored needs a key that is not there (D14).
    """
    from resources.accounts import RetailCRMAccount, RetailCRMWebAccount
    from resources.same_account import doubled, seat_of
    from resources.tbank_account import TBankAccount

    if not isinstance(account, RetailCRMAccount | RetailCRMWebAccount | TBankAccount):
        return
    ours = seat_of(account)
    in_force = _in_force(settings, connection)
    for other in map(seat_of, in_force):
        if other.connection_id != ours.connection_id and doubled([ours, other]):
            text = CaptureErrors.SAME_ACCOUNT.format(ours.site, other.connection_id, other.connection_id)
            raise CliError(text, EXIT_USAGE)


def refuse_enabled(settings: Settings, connection: psycopg.Connection[Any], name: str) -> None:
    """The same for a connection that was just enabled, not committed yet.

    Raises:
        CliError: names both.
    """
    for account in _in_force(settings, connection):
        if account.connection_id == name:
            refuse(settings, connection, account)


def _in_force(
    settings: Settings, connection: psycopg.Connection[Any]
) -> list[RetailCRMAccount | RetailCRMWebAccount | TBankAccount]:
    from resources.accounts import retailcrm_accounts, retailcrm_web_accounts
    from resources.tbank_account import tbank_accounts

    return [
        *retailcrm_accounts(settings, connection),
        *retailcrm_web_accounts(settings, connection),
        *tbank_accounts(settings, connection),
    ]


def notes(seats: Iterable[Seat]) -> list[str]:
    """A sentence for each pair of connections that lead to one account."""
    from resources.same_account import doubled

    return [Captures.SAME_ACCOUNT.format(one.connection_id, other.connection_id, one.site, other.connection_id)
            for one, other in doubled(seats)]  # fmt: skip
