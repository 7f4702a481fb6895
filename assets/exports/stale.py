"""What a failed publication leaves in the spreadsheet: the word that it is stale, and nothing else (promise F29).

Here: when that is said and in which words. Not here: how it is written (``publication``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from assets.exports import publication
from assets.exports.late import say_late
from assets.failures import BUSY, Context, tell
from assets.partitions import TIME_ZONE
from conversations.messages import Words
from conversations.messages.alerts import cause
from resources.clients.errors import UnknownOutcome
from resources.settings import Settings
from resources.sheets_resource import SheetsResource
from resources.warehouse.roles import Role
from resources.warehouse_resource import WarehouseResource

_NOTHING_STALE = (BUSY, "nothing_published", "nothing_judged")


@contextmanager
def said_stale(
    context: Context, warehouse: WarehouseResource, sheets: SheetsResource, weeks: Sequence[str] = ()
) -> Iterator[None]:
    """When the block fails, say in the spreadsheet that it is stale, and why; the error goes on as it is.

    ``weeks`` are those that were to be published; the reason begins with them, and the readers of the digest are told.
    That another run is at work makes nothing stale. A spreadsheet that cannot be told is told by the next run that
    reaches it; the error of the block is the one to see.
    """
    try:
        yield
    except Exception as error:
        code = _code(context, error)
        if code not in _NOTHING_STALE:
            try:
                _say(warehouse, sheets, _of(weeks, _reason(code, error)))
            except Exception as another:
                context.log.warning(f"The spreadsheet could not be marked stale: {tell(context, another)[0]}")
            say_late(context, warehouse, weeks, code)
        raise


def _say(warehouse: WarehouseResource, sheets: SheetsResource, reason: str) -> None:
    account = sheets.account(warehouse.open())
    if account is not None:
        with sheets.client(warehouse.open(), account, is_publication=False) as client:
            publication.say_stale(
                warehouse.open(Role.PUBLISHER), client, account.spreadsheet_id, reason,
                now=Settings().now(), time_zone=TIME_ZONE,
            )  # fmt: skip


def _code(context: Context, error: Exception) -> str:
    """Why, for machines."""
    metadata = error.metadata if isinstance(error, dg.Failure) else {}
    return str(metadata["reason"].value) if "reason" in metadata else tell(context, error)[1]


def _reason(code: str, error: Exception) -> str:
    """Why, in words for the spreadsheet."""
    if code == UnknownOutcome.reason:
        return Words.STALE_UNKNOWN
    if code == "failed_check":
        metadata = error.metadata if isinstance(error, dg.Failure) else {}
        checks = metadata["failed_checks"].value if "failed_checks" in metadata else []
        return Words.STALE_CHECK.format(", ".join(map(str, checks)))  # type: ignore[arg-type]
    return Words.STALE_FAILED.format(cause(code))


def _of(weeks: Sequence[str], reason: str) -> str:
    return f"{weeks[0] if len(weeks) == 1 else f'{weeks[0]}–{weeks[-1]}'}: {reason}" if weeks else reason
