"""One step's work on every account: an account that fails leaves the others alone (promise F28).

Here: the loop, and the one error at its end. Not here: what is done with an account, words of single errors
(``assets.failures``), what makes the run red (``assets.checks.accounts``).

A step goes on while one account is well; those that failed are left alone by every later step of the run, and a check
after the last step fails with their names. Only when no account is left does the step itself fail. A step that reads
through one door works on the accounts of that door, and has nothing to do where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg

from assets.failures import AccountsFailed, Context, described, tell
from conversations.policy import PolicyError
from resources.accounts_resource import AccountsResource, everybody
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy, WarehouseError
from resources.warehouse_resource import WarehouseResource

T = TypeVar("T")
_NOBODYS = (WarehouseError, PolicyError, psycopg.OperationalError)
"""No account's own fault, except a busy one."""


def over_accounts(
    context: Context,
    readers: Sequence[AccountsResource],
    warehouse: WarehouseResource,
    work: Callable[[Warehouse, Any, AccountsResource], T],
    of: type | tuple[type, ...] = object,
) -> list[T]:
    """Do ``work`` for each account that has not failed in this run yet; returns what it gave, in order.

    ``readers``: the resources of every vendor, also where only one of them is worked on: whether an account is left is
    a question about all. ``work`` gets the account and its reader. ``of``: only accounts of this kind.

    Raises:
        AccountsFailed: no account is left; of a single account its own error is raised.
        WarehouseError, PolicyError: what is nobody's own fault ends the step at once.
    """
    database = warehouse.open()
    all_of_them = everybody(readers, database)
    accounts = {one: (account, reader) for one, (account, reader) in all_of_them.items() if isinstance(account, of)}
    busy = warehouse.claim([one for one in accounts if one not in failures(readers)])
    done: list[T] = []
    for one, (account, reader) in accounts.items():
        if one in reader.failed:
            continue
        try:
            if one in busy:
                raise busy[one]
            done.append(work(database, account, reader))
        except Exception as error:
            if isinstance(error, _NOBODYS) and not isinstance(error, Busy):
                raise
            sentence, _ = tell(context, error) if len(all_of_them) > 1 else described(error)
            context.log.error(sentence)
            reader.leave_alone(database, one, error, sentence)
    failed = failures(readers)
    if accounts and len(failed) == len(all_of_them):
        raise_failed(failed, len(all_of_them))
    return done


def failures(readers: Sequence[AccountsResource]) -> dict[str, Exception]:
    """Why accounts are left alone for the rest of this run, by account, those of all vendors."""
    return {one: error for reader in readers for one, error in reader.failed.items()}


def raise_failed(failed: dict[str, Exception], of: int) -> None:
    """End with the failures of a run, if there are any.

    Raises:
        AccountsFailed: names each; where there is one account only, its own error is raised.
    """
    if failed and of == 1:
        raise next(iter(failed.values()))
    if failed:
        raise AccountsFailed(failed, of)
