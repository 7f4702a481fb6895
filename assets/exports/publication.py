"""Showing the tabs in a spreadsheet and keeping what is shown; saying there that it is stale.

Here: the order of writing and book-keeping. Not here: how a spreadsheet is written so that nobody sees a half
(``resources.sheets``), what stands in the tabs (``frames``, ``status``).

Before the spreadsheet changes, ``ops.exports`` forgets the hashes of what will change; afterwards it keeps the new
ones, or those of the tabs before when surely nothing changed. Killed in between, the next publication shows those tabs
again, whatever is in them; people saw nothing wrong. Until then nobody knows whether the old tabs are shown or the new
ones: whoever has to say that they are stale says it of the tab data_status as it stands there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from assets.exports.frames import ORDER
from assets.exports.made import Sheet
from assets.exports.status import Known, marked_tab, status_tab
from assets.exports.status_columns import STATUS
from resources.clients.errors import SourceError, UnknownOutcome
from resources.sheets import Published, TabResult, publish, read_back
from resources.warehouse.exports import Export, destination_of, exporting, forget, mark_stale, record, shown
from resources.warehouse.failpoints import fail_point

if TYPE_CHECKING:
    from resources.clients.sheets import SheetsClient
    from resources.warehouse.engine import Warehouse


def show(
    database: Warehouse,
    client: SheetsClient,
    spreadsheet_id: str,
    sheets: Sequence[Sheet],
    known: Mapping[str, Sequence[Known]],
    *,
    now: datetime,
    time_zone: str,
    rewrite: bool = False,
) -> Published:
    """Show the tabs and, beside them, what is known of their weeks; what has not changed is not written.

    The caller holds ``exporting`` since before the tabs were read: else an older reading could replace a newer one.

    Args:
        database: as the publisher.
        known: what data_status says of the weeks of each tab.
        rewrite: write also what has not changed, for a tab that somebody broke by hand.

    Raises:
        InvalidTab: it would not fit; nothing was asked.
        SourceError: nothing that people see has changed, unless it is ``UnknownOutcome``.
    """
    destination = destination_of(spreadsheet_id)
    with database.connect("otklik-exports") as connection:
        before = shown(connection, destination)
    fresh = {sheet.title: _export(sheet, known[sheet.title], now) for sheet in sheets}
    tabs = [*(sheet.tab() for sheet in sheets), status_tab(fresh, time_zone)]
    previous = {} if rewrite else {tab: kept.content_hash for tab, kept in before.items()}
    try:
        published = publish(client, spreadsheet_id, tabs, previous, announce=_forgetting(database, destination))
    except SourceError as error:
        if not isinstance(error, UnknownOutcome):
            # the tab data_status stays forgotten: the next run has to ask, and so to find out how the account is
            with database.connect("otklik-exports") as connection:
                record(connection, destination, [export for tab, export in before.items() if tab != STATUS])
        raise
    fail_point("exports.shown")
    exports = [_settled(fresh.get(title), title, result, now) for title, result in published.tabs.items()]
    with database.connect("otklik-exports") as connection:
        record(connection, destination, exports)
        fail_point("exports.before_commit")
    return published


def say_stale(
    database: Warehouse, client: SheetsClient, spreadsheet_id: str, reason: str, *, now: datetime, time_zone: str
) -> bool:
    """Say in the spreadsheet that something newer could not be shown, and nothing else; whether there is anything.

    The mark is kept in ``ops.exports`` before it is written: a spreadsheet that cannot be reached now is told by the
    next one who gets there. A tab data_status that people have changed is left to the next publication, too, while it
    is not known what is shown.

    Raises:
        Busy: another run writes this spreadsheet.
        SourceError: the mark is kept, but could not be written.
    """
    destination = destination_of(spreadsheet_id)
    with exporting(database, destination):
        with database.connect("otklik-exports") as connection:
            if not mark_stale(connection, destination, ORDER, reason, now):
                return False
        fail_point("exports.marked")
        with database.connect("otklik-exports") as connection:
            kept = shown(connection, destination)
        tab = status_tab(kept, time_zone)
        tabs = [kept[title] for title in ORDER if title in kept]
        if not all(export.content_hash for export in tabs):
            since = min(export.stale_since or now for export in tabs)
            marked = marked_tab(read_back(client, spreadsheet_id, STATUS) or [], reason, since, time_zone)
            if marked is None:
                return False
            tab = marked
        before = {STATUS: kept[STATUS].content_hash} if STATUS in kept else {}
        announce = _forgetting(database, destination)
        published = publish(client, spreadsheet_id, [tab], before, announce=announce)
        with database.connect("otklik-exports") as connection:
            record(connection, destination, [_settled(kept.get(STATUS), STATUS, published.tabs[STATUS], now)])
    return True


def _forgetting(database: Warehouse, destination: str) -> Callable[[Collection[str]], None]:
    def announce(tabs: Collection[str]) -> None:
        with database.connect("otklik-exports") as connection:
            forget(connection, destination, tabs)
        fail_point("exports.announced")

    return announce


def _export(sheet: Sheet, known: Sequence[Known], now: datetime) -> Export:
    weeks = [week["week"] for week in known]
    return Export(sheet.title, "", len(sheet.frame), min(weeks), max(weeks), known, now)


def _settled(export: Export | None, title: str, result: TabResult, now: datetime) -> Export:
    export = export or Export(title, "", 0, None, None, [], now)
    return replace(export, content_hash=result.content_hash, row_count=result.rows, published_at=now)
