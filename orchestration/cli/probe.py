"""``otklik probe``: one harmless call per capability, to see what an account may do before anything is loaded.

Here: which accounts, the table, what the answers say about an account's health. Not here: the calls
(``Source.probe``), which accounts are in force (``resources.accounts``), the doors side by side (``doors``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from conversations.messages import Errors, Probe
from conversations.source import Capability
from orchestration.cli import screen
from orchestration.cli.doors import draw
from orchestration.cli.errors import EXIT_FAILED, EXIT_USAGE, CliError
from orchestration.cli.probed import SOURCES, Probed
from resources.settings import Settings

if TYPE_CHECKING:
    from resources.accounts import RetailCRMAccount, RetailCRMWebAccount
    from resources.tbank_account import TBankAccount
    from resources.warehouse.connections import Status
    from resources.warehouse.engine import Warehouse

LONGEST_SECONDS = 60.0
"""Longest time for one call."""


def probe(source: str | None, *, as_json: bool) -> None:
    """Print what each account of ``source`` may do; without a source of all, and which door is open.

    Exit code 1 when something is closed.
    """
    import typer

    from orchestration.cli.same_account import notes
    from resources.clients.errors import BadConfiguration

    if source is not None and source not in SOURCES:
        raise CliError(Errors.UNKNOWN_SOURCE.format(source, ", ".join(SOURCES)), EXIT_USAGE)
    asked = list(probed(Settings(), source))
    if source is not None and not asked:
        raise BadConfiguration(source, "no account is connected")
    if source is not None and len(asked) == 1 and asked[0].error is not None:
        raise asked[0].error
    if as_json:
        rows = [{"connection": one.connection_id, **item._asdict()} for one in asked for item in _shown(one)]
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for one in asked:
            columns = [(Probe.CAPABILITY, "left"), (Probe.STATE, "left"), (Probe.DETAIL, "left")]
            cells = [(item.name, Probe.OPEN if item.is_open else Probe.CLOSED, item.detail) for item in _shown(one)]
            screen.show(screen.table(one.connection_id, columns, cells))
        if source is None and not (asked and all(one.vendor == "tbank" for one in asked)):
            # the doors into a CRM are of interest where there is one, or nothing yet
            draw(asked)
        for text in notes(one.seat for one in asked if one.seat is not None):
            screen.note(text)
    if not asked or not all(one.is_well for one in asked):
        raise typer.Exit(EXIT_FAILED)


def probed(settings: Settings, source: str | None = None) -> Iterator[Probed]:
    """Ask each account in force that talk is read from, and write down its health where there is a database.

    Args:
        source: one of ``SOURCES``; ``None``: all of them.

    Raises:
        WarehouseError: a stored account cannot be read: the database or the key of its credentials is away.
    """
    from resources.same_account import seat_of

    # a person waits for the answer: not as long as a load at night would
    patient = settings.model_copy(
        update={"http_deadline_seconds": min(settings.http_deadline_seconds, LONGEST_SECONDS)}
    )
    with _accounts(settings) as (accounts, warehouse):
        for account in accounts:
            one, vendor = account.connection_id, account.account.vendor
            if source not in (None, vendor):
                continue
            seat = seat_of(account)
            try:
                with ExitStack() as closing:
                    answer = Probed(one, _capabilities(patient, account, closing), vendor=vendor, seat=seat)
            except Exception as error:
                answer = Probed(one, error=error, vendor=vendor, seat=seat)
            if warehouse is not None:
                _note(warehouse, answer, settings)
            yield answer


def _capabilities(
    settings: Settings, account: RetailCRMAccount | RetailCRMWebAccount | TBankAccount, closing: ExitStack
) -> list[Capability]:
    from resources.accounts import RetailCRMAccount
    from resources.retailcrm_account import source_of
    from resources.retailcrm_web_account import web_source_of
    from resources.tbank_account import TBankAccount, tbank_source_of

    if isinstance(account, RetailCRMAccount):
        return source_of(settings, account, closing).probe()
    if isinstance(account, TBankAccount):
        return tbank_source_of(settings, account, closing, _agent_groups(settings)).probe()
    return web_source_of(settings, account, closing).probe()


def _agent_groups(settings: Settings) -> list[str]:
    """The groups that the policy's departments name."""
    from conversations.policy import Policy

    departments = Policy.load(settings.policy_path).departments.values()
    return [one.agent_group for one in departments if one.agent_group]


@contextmanager
def _accounts(
    settings: Settings,
) -> Iterator[tuple[list[RetailCRMAccount | RetailCRMWebAccount | TBankAccount], Warehouse | None]]:
    """The accounts in force; without a database that of the environment alone."""
    from resources.accounts import retailcrm_accounts, retailcrm_of_environment, retailcrm_web_accounts
    from resources.tbank_account import tbank_accounts, tbank_of_environment
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.errors import MigrationsPending, WarehouseUnavailable

    with ExitStack() as closing:
        warehouse = None
        described: list[RetailCRMAccount | RetailCRMWebAccount | TBankAccount] = [
            *retailcrm_of_environment(settings),
            *tbank_of_environment(settings),
        ]
        if settings.has_database:
            try:
                warehouse = closing.enter_context(Warehouse.open(settings))
                warehouse.check_migrations()
                with warehouse.connect("otklik-accounts") as connection:
                    stored = retailcrm_web_accounts(settings, connection)
                    telephony = tbank_accounts(settings, connection)
                    described = [*retailcrm_accounts(settings, connection), *stored, *telephony]
            except (MigrationsPending, WarehouseUnavailable):
                # what the environment describes can be asked whatever the database does
                warehouse = None
        yield described, warehouse


def _note(warehouse: Warehouse, answer: Probed, settings: Settings) -> None:
    from resources.clients.errors import SourceError
    from resources.warehouse import connections

    with warehouse.connect("otklik-accounts") as connection:
        if isinstance(answer.error, SourceError):
            connections.report_error(connection, answer.error, settings.now())
        elif answer.error is None:
            status, reason = health(answer)
            connections.report(connection, answer.connection_id, status, reason, settings.now())


def health(answer: Probed) -> tuple[Status, str | None]:
    """The account's health as the answers show it, with the reason of the first one that is closed."""
    if answer.is_well:
        return "ok", None
    first = answer.missing[0]
    status: Status = "broken"
    if first.reason in ("needs_auth", "session_expired", "forbidden"):
        status = "needs_auth"
    elif first.reason == "rate_limited":
        status = "rate_limited"
    return status, f"[{first.reason}] {first.name}: {first.detail}"


def _shown(one: Probed) -> list[Capability]:
    if one.error is None:
        return one.found
    return [Capability(one.connection_id, False, str(one.error))]
