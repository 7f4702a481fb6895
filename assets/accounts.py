"""One step's work on every account: an account that fails leaves the others alone (promise F28).

Here: the loop, and the one error at its end. Not here: what is done with an account, words of single errors
(``assets.failures``), what makes the run red (``assets.checks.accounts``).

A step goes on while one account is well; those that failed are left alone by every later step of the run, and a check
after the last step fails with their names. Only when no account is left does the step itself fail. A step that reads
through one door works on the accounts of that door, and has nothing to do where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

from assets.failures import AccountsFailed, Context, described, tell
from conversations.policy import PolicyError
from resources.retailcrm import ReadAccount, RetailCRMResource
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy, WarehouseError
from resources.warehouse_resource import WarehouseResource

T = TypeVar("T")
A = TypeVar("A", bound=ReadAccount)
_NOBODYS = (WarehouseError, PolicyError, psycopg.OperationalError)
"""No account's own fault, except a busy one."""


def over_accounts(
    context: Context,
    retailcrm: RetailCRMResource,
    warehouse: WarehouseResource,
    work: Callable[[Warehouse, A], T],
    of: type[A] = ReadAccount,  # type: ignore[assignment]
) -> list[T]:
    """Do ``work`` for each account that has not failed in this run yet; returns what it gave, in order.

    ``of``: only accounts of this kind.

    Raises:
        AccountsFailed: no account is left; of a single account its own error is raised.
        WarehouseError, PolicyError: what is nobody's own fault ends the step at once.
    """
    database = warehouse.open()
    everybody = retailcrm.accounts(database)
    accounts = {account.connection_id: account for account in everybody if isinstance(account, of)}
    failed = retailcrm.failed
    busy = warehouse.claim([one for one in accounts if one not in failed])
    done: list[T] = []
    for one, account in accounts.items():
        if one in failed:
            continue
        try:
            if one in busy:
                raise busy[one]
            done.append(work(database, account))
        except Exception as error:
            if isinstance(error, _NOBODYS) and not isinstance(error, Busy):
                raise
            sentence, _ = tell(context, error) if len(everybody) > 1 else described(error)
            context.log.error(sentence)
            retailcrm.leave_alone(database, one, error, sentence)
    if accounts and len(failed) == len(everybody):
        raise_failed(failed, len(everybody))
    return done


def raise_failed(failed: dict[str, Exception], of: int) -> None:
    """End with the failures of a run, if there are any.

    Raises:
        AccountsFailed: names each; where there is one account only, its own error is raised.
    """
    if failed and of == 1:
        raise next(iter(failed.values()))
    if failed:
        raise AccountsFailed(failed, of)
