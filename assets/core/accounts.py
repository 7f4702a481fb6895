"""Raw rows of accounts as core tables, whichever vendor and door they came through.

Here: two functions, since directories have no day and messages do. Not here: parsing and writing. Each function
replaces its tables' rows of the window in one transaction: a reader never meets a message whose events are still the
old ones, nor a call without its message.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Callable, Iterator, Sequence

import dagster as dg

from assets.accounts import over_accounts
from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.raw.imports import TABLES
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, spec
from conversations.imports.survey import CHATS, MESSAGES
from conversations.parsing.retailcrm import RetailCRMParser
from conversations.parsing.retailcrm_web import RetailCRMWebParser
from conversations.parsing.tbank import TBankParser
from conversations.policy import Policy
from conversations.source import Parser, Source
from conversations.window import Window
from resources.accounts import RetailCRMAccount, RetailCRMWebAccount
from resources.accounts_resource import AccountsResource, ReadAccount
from resources.retailcrm import RetailCRMResource
from resources.sources.retailcrm import RetailCRMSource
from resources.sources.retailcrm_web import RetailCRMWebSource
from resources.sources.tbank import TBankSource
from resources.tbank import TBankResource
from resources.tbank_account import TBankAccount
from resources.warehouse.core import Counts, replace_window
from resources.warehouse.engine import Warehouse
from resources.warehouse.retailcrm_context import parser_context, web_parser_context
from resources.warehouse.tbank_context import tbank_context
from resources.warehouse_resource import PolicyResource, WarehouseResource

SOURCE = RetailCRMSource.name
# of one person the later stream's words win: CRM users know the team, the gateway's users do not
DIRECTORY_STREAMS = ("channels", "users", "bots", "crm_users", "customers", "chats")
DATED_STREAMS = ("dialogs", "messages", "orders")
DIRECTORY_TABLES = ("channels", "managers", "customers", "conversations")
DATED_TABLES = ("messages", "events", "orders")
WEB = RetailCRMWebSource.name
WEB_DIRECTORY_STREAMS = ("channels", "chats")
WEB_DATED_STREAMS = ("messages",)
WEB_DATED_TABLES = (*DATED_TABLES, "managers")
"""The page lists no people: who wrote a message is a manager from then on."""
PHONE = TBankSource.name
PHONE_STREAMS = ("calls", "transcripts")
CALL_TABLES = ("calls", "call_transcripts")
PHONE_TABLES = (*DIRECTORY_TABLES, "messages", *CALL_TABLES)
"""The telephony has no directories: whoever is in a call is known from then on."""


def _raw(streams: Sequence[str], source: str = SOURCE) -> list[dg.AssetKey]:
    return [dg.AssetKey(["raw", f"{source}__{stream}"]) for stream in streams]


_FILES = [
    dg.AssetKey(["raw", table]) for table in ("twitter_care__conversations", "abcd__conversations", "call_files__calls")
]


def _imported(stream: str) -> list[dg.AssetDep]:
    """The tables of imported files: their rows are written by the import itself, and stand in the same tables.

    A file is no day: any of them may be behind any day, so no choice of days asks for files, nor the other way round.
    """
    every = dg.AllPartitionMapping()
    return [dg.AssetDep(["raw", f"{source}__{stream}"], partition_mapping=every) for source in TABLES]


_DEPS = {
    "channels": [*_raw(["channels"]), *_raw(["channels"], WEB), *_imported(CHATS)],
    "managers": [*_raw(["users", "crm_users"]), *_raw(["chats"], WEB), *_imported(CHATS)],
    "customers": [*_raw(["chats", "customers"]), *_raw(["chats"], WEB), *_imported(CHATS)],
    "conversations": [*_raw(["chats"]), *_raw(["chats"], WEB), *_FILES, *_imported(CHATS)],
}
# One function reads all of them and replaces its tables together. Were each table to name only some of them, a backfill
# from the UI that starts at the raw days could reach one table without the others, which Dagster refuses.
_DATED_DEPS = [
    *_raw([*DATED_STREAMS, "bots", "crm_users"]),
    *_raw(WEB_DATED_STREAMS, WEB),
    *_raw(PHONE_STREAMS, PHONE),
    *_FILES,
    *_imported(MESSAGES),
    *(dg.AssetKey(["core", table]) for table in DIRECTORY_TABLES),
    # phones of colleagues
    dg.AssetKey(["reference", "operators"]),
]


@dg.multi_asset(
    name="core_directories",
    specs=[spec("core", table, deps=_DEPS[table], freshness_policy=DAILY_FRESHNESS) for table in DIRECTORY_TABLES],
    pool=SOURCE,
)
def core_directories(
    context: dg.AssetExecutionContext,
    retailcrm: RetailCRMResource,
    tbank: TBankResource,
    warehouse: WarehouseResource,
    policy: PolicyResource,
) -> Iterator[dg.MaterializeResult]:
    """Channels, managers, customers and conversations: people and places, merged by key from their raw directories."""
    with explained(context):
        derive = _deriving(policy.load(), None)
        counts = over_accounts(context, (retailcrm, tbank), warehouse, derive)
    for table in DIRECTORY_TABLES:
        yield dg.MaterializeResult(
            asset_key=["core", table],
            metadata={"dagster/row_count": _rows(counts, table), **_of_run(counts)},
        )


@dg.multi_asset(
    name="core_days",
    specs=[
        spec("core", table, deps=_DATED_DEPS, freshness_policy=DAILY_FRESHNESS)
        for table in (*DATED_TABLES, *CALL_TABLES)
    ],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=SOURCE,
)
def core_days(
    context: dg.AssetExecutionContext,
    retailcrm: RetailCRMResource,
    tbank: TBankResource,
    warehouse: WarehouseResource,
    policy: PolicyResource,
) -> Iterator[dg.MaterializeResult]:
    """Messages, calls, events and orders of the days, replaced as a whole: what the source no longer has is gone here
    too."""
    span = days_of(context)
    with explained(context):
        rules = policy.load()
        window = span.reading_window(TIME_ZONE, rules.reread_days)
        derive = _deriving(rules, window)
        counts = over_accounts(context, (retailcrm, tbank), warehouse, derive)
        tables = (*DATED_TABLES, *CALL_TABLES)
        days = {table: by_day(warehouse.open(), ("core", table), span, TIME_ZONE) for table in tables}
    for table in tables:
        for day, numbers in days[table].items():
            context.add_asset_metadata(numbers, asset_key=["core", table], partition_key=day)
        numbers_of_run = {"rows_written": _rows(counts, table), **_of_run(counts)}
        numbers_of_run["unmapped_senders"] = sum(one.unmapped_senders for one in counts)
        yield dg.MaterializeResult(asset_key=["core", table], metadata=numbers_of_run)


def _rows(counts: Sequence[Counts], table: str) -> int:
    return sum(one.rows.get(table, 0) for one in counts)


def _of_run(counts: Sequence[Counts]) -> dict[str, int]:
    """What the run did, summed over the accounts that it worked on."""
    return {
        "accounts": len(counts),
        "raw_rows_read": sum(one.raw_rows for one in counts),
        "quarantined": sum(sum(one.quarantined.values()) for one in counts),
    }


def _deriving(policy: Policy, window: Window | None) -> Callable[[Warehouse, ReadAccount, AccountsResource], Counts]:
    """The work on one account: its raw rows become its core rows; those of the window, or without one its directories.

    Directories need no lookup of the window's rows, but a parser of the same making.
    """

    def derive(warehouse: Warehouse, account: ReadAccount, _: AccountsResource) -> Counts:
        one = account.connection_id
        source, directories, days = _WORK[type(account)]
        streams, tables = directories if window is None else days
        if not streams:
            return Counts()
        parser = _parser(warehouse, account, policy, window)
        chosen = [source.streams[stream] for stream in streams]
        return replace_window(warehouse, parser, one, source.name, chosen, window, TIME_ZONE, tables=set(tables))

    return derive


_Work = tuple[type[Source], tuple[Sequence[str], Sequence[str]], tuple[Sequence[str], Sequence[str]]]
_WORK: dict[type, _Work] = {
    RetailCRMAccount: (RetailCRMSource, (DIRECTORY_STREAMS, DIRECTORY_TABLES), (DATED_STREAMS, DATED_TABLES)),
    RetailCRMWebAccount: (
        RetailCRMWebSource,
        (WEB_DIRECTORY_STREAMS, DIRECTORY_TABLES),
        (WEB_DATED_STREAMS, WEB_DATED_TABLES),
    ),
    TBankAccount: (TBankSource, ((), ()), (PHONE_STREAMS, PHONE_TABLES)),
}
"""By the kind of account: its source, the streams and tables of its directories, and those of its days."""


def _parser(warehouse: Warehouse, account: ReadAccount, policy: Policy, window: Window | None) -> Parser:
    with warehouse.connect("otklik-parser-context") as connection:
        if isinstance(account, TBankAccount):
            phones = tbank_context(connection)
            return TBankParser(account.time_zone, policy.telephony, fields=account.fields, **phones)
        is_web = isinstance(account, RetailCRMWebAccount)
        lookups = (web_parser_context if is_web else parser_context)(connection, account.connection_id, window)
    words = {
        "no_reply_needed_marks": policy.no_reply_needed_marks,
        "autoreply_names": policy.autoreply_bot_names,
        **lookups,
    }
    if isinstance(account, RetailCRMAccount):
        return RetailCRMParser(time_zone=account.time_zone, **words)
    return RetailCRMWebParser(**words)
