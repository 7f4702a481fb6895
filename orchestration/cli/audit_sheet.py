"""``otklik audit-sheet``: whether the spreadsheet is as we left it and as new as the marts; a report without contents.

Here: what should be there, what is wrong, the report. Not here: the reading (``resources.sheets.audit``). Errors make
the exit code 1; warnings are things that people may have wanted. A report that cannot be written is the exit code 74,
whatever was found: what was looked at is shown before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from conversations.messages import NONE, Audit
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_FAILED, EXIT_OUTPUT, CliError

if TYPE_CHECKING:
    from resources.settings import Settings
    from resources.sheets.audit import BookFacts, TabFacts
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.exports import Export

REPORT = "sheet_audit_report.json"
MOST_CELLS = 8_000_000
"""Of the vendor's 10 million; a publication needs room for a second copy of what changed."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    severity: Literal["error", "warning"]
    code: str
    tab: str | None = None
    """Ours; None: the spreadsheet."""
    count: int | None = None


@dataclass(frozen=True)
class Expected:
    """What the warehouse knows of the spreadsheet."""

    headings: Mapping[str, Sequence[str]]
    """Declared headings by tab, in the order of the tabs."""
    exports: Mapping[str, Export]
    weeks: Sequence[str]
    """Published weeks, newest first."""
    last_closed_week: str
    texts: str
    """The policy's exports.texts: full lets contacts out."""
    as_of: datetime | None
    """Of the newest published week."""


def audit_sheet(output: str | None) -> None:
    """Look, print a table, write the report; without ``output`` into the current folder, else into OTKLIK_HOME.

    Raises:
        CliError: no spreadsheet is connected, or the report cannot be written.
        SourceError: the spreadsheet cannot be read.
    """
    import typer

    from resources.accounts import sheets_account
    from resources.settings import Settings
    from resources.sheets.audit import facts
    from resources.sheets_resource import client_of
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect() as connection:
            account = sheets_account(settings, connection)
        if account is None:
            raise CliError(Audit.NO_SHEET)
        expected = _expected(settings, warehouse, account.spreadsheet_id)
    with client_of(settings, account) as client:
        found = facts(client, account.spreadsheet_id, list(expected.headings))
    findings = list(judged(found, expected))
    report = told(found, expected, findings, account.spreadsheet_id, settings.now())
    errors = sum(one.severity == "error" for one in findings)
    if output == "-":
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _draw(found, expected, findings)
        # the folder of a container may be read-only
        places = [Path(output)] if output is not None else [Path(REPORT), settings.otklik_home / REPORT]
        try:
            screen.say(Audit.WRITTEN.format(_write(places, report)))
        except CliError:
            if errors:
                screen.fail(Audit.failed(errors), Audit.REMEDY)
            raise
    if errors:
        screen.fail(Audit.failed(errors), Audit.REMEDY)
        raise typer.Exit(EXIT_FAILED)


def judged(found: BookFacts, expected: Expected) -> Iterator[Finding]:
    """Everything that is wrong or odd, tab by tab."""
    for title, headings in expected.headings.items():
        export, tab = expected.exports.get(title), found.tabs.get(title)
        if title in found.taken_titles:
            yield Finding("error", "taken_title", title)
        elif tab is None and export is not None:
            yield Finding("error", "missing_tab", title)
        elif tab is None:
            yield Finding("warning", "never_published", title)
        else:
            yield from _of_cells(tab, headings, expected)
            yield from _of_freshness(tab, export, expected)
    if found.staging_tabs:
        yield Finding("warning", "staging_left", None, found.staging_tabs)
    if found.cells > MOST_CELLS:
        yield Finding("warning", "nearly_full", None, found.cells)
    if expected.last_closed_week not in expected.weeks:
        yield Finding("warning", "week_not_published")


def _of_cells(tab: TabFacts, headings: Sequence[str], expected: Expected) -> Iterator[Finding]:
    wrong = sum(one != other for one, other in zip(tab.headings, headings, strict=False))
    wrong += abs(len(tab.headings) - len(headings))
    if wrong:
        yield Finding("error", "headings_changed", tab.title, wrong)
    for code, count in (("formula_cells", tab.formula_cells), ("error_cells", tab.error_cells)):
        if count:
            yield Finding("error", code, tab.title, count)
    if tab.contact_cells and expected.texts != "full":
        yield Finding("error", "contacts", tab.title, tab.contact_cells)
    if tab.is_hidden:
        yield Finding("warning", "hidden", tab.title)


def _of_freshness(tab: TabFacts, export: Export | None, expected: Expected) -> Iterator[Finding]:
    if export is None:
        yield Finding("warning", "never_published", tab.title)
        return
    if not export.content_hash:
        yield Finding("error", "unfinished", tab.title)
    if tab.rows != export.row_count:
        yield Finding("error", "rows_differ", tab.title, tab.rows - export.row_count)
    if export.stale_reason is not None:
        yield Finding("error", "stale", tab.title)
    behind = sum(week > export.last_week for week in expected.weeks) if export.last_week is not None else 0
    if behind:
        yield Finding("error", "behind", tab.title, behind)


def told(
    found: BookFacts, expected: Expected, findings: Sequence[Finding], spreadsheet_id: str, now: datetime
) -> dict[str, Any]:
    """The report: our own titles, counts and instants; no cell, no name, no tab of people's."""
    return {
        "checked_at": now.isoformat(),
        # enough to tell two spreadsheets apart; whoever has the whole id may be able to open it
        "spreadsheet": f"…{spreadsheet_id[-6:]}",
        "is_good": not any(one.severity == "error" for one in findings),
        "newest_published_week": expected.weeks[0] if expected.weeks else None,
        "as_of": expected.as_of.isoformat() if expected.as_of is not None else None,
        "cells": found.cells,
        "other_tabs": found.other_tabs,
        "staging_tabs": found.staging_tabs,
        "tabs": [_tab_told(title, found, expected) for title in expected.headings],
        "findings": [asdict(one) for one in findings],
    }


def _tab_told(title: str, found: BookFacts, expected: Expected) -> dict[str, Any]:
    tab, export = found.tabs.get(title), expected.exports.get(title)
    seen = {name: value for name, value in asdict(tab).items() if name not in ("title", "headings")} if tab else {}
    return {
        "title": title,
        "is_there": tab is not None,
        "has_declared_headings": tab is not None and list(tab.headings) == list(expected.headings[title]),
        "declared_columns": len(expected.headings[title]),
        "published_rows": export.row_count if export else None,
        "first_week": export.first_week if export else None,
        "last_week": export.last_week if export else None,
        "published_at": export.published_at.isoformat() if export else None,
        "stale_since": export.stale_since.isoformat() if export and export.stale_since else None,
        **seen,
    }


def _expected(settings: Settings, warehouse: Warehouse, spreadsheet_id: str) -> Expected:
    from assets.exports import frames
    from assets.exports.status_columns import COLUMNS, STATUS
    from conversations.policy import Policy
    from conversations.window import business_day, iso_week
    from resources.warehouse import exports
    from resources.warehouse.roles import Role

    policy = Policy.load(settings.policy_path)
    weeks: list[str] = []
    as_of = None
    with warehouse.as_role(Role.PUBLISHER).connect() as connection:
        shown = exports.shown(connection, exports.destination_of(spreadsheet_id))
        if connection.execute("select to_regclass('marts.data_status') is not null").fetchone() == (True,):
            told_weeks = "select week, min(as_of) from marts.data_status group by week order by week desc"
            rows = connection.execute(told_weeks).fetchall()
            weeks, as_of = [row[0] for row in rows], rows[0][1] if rows else None
    # what is shown of calls and scores comes with them
    has_talks = frames.RESULTS in shown
    headings: dict[str, Sequence[str]] = {
        title: [made.column.name for made in frames.columns_of(title, has_talks=has_talks)]
        for title in frames.titles_of(has_talks=has_talks)
    }
    headings[STATUS] = [column.name for column, _ in COLUMNS]
    today = business_day(settings.now(), policy.time_zone)
    closed = iso_week(today - timedelta(days=7))
    return Expected(headings, shown, weeks, closed, policy.exports.texts, as_of)


def _write(places: Sequence[Path], report: Mapping[str, Any]) -> Path:
    """Write the report to the first place that takes it.

    Raises:
        CliError: none does; the reason is that of the last.
    """
    failed: OSError | None = None
    for place in places:
        try:
            place.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
        except OSError as error:
            failed = error
        else:
            return place
    why = failed.strerror if failed is not None else None
    raise CliError(Audit.NOT_WRITTEN.format(" и ".join(map(str, places)), why or type(failed).__name__), EXIT_OUTPUT)


def _draw(found: BookFacts, expected: Expected, findings: Sequence[Finding]) -> None:
    rows = []
    for title in expected.headings:
        tab, export = found.tabs.get(title), expected.exports.get(title)
        said = [Audit.finding(one.code, one.count) for one in findings if one.tab == title]
        rows.append(
            (
                title,
                str(tab.rows) if tab is not None else NONE,
                str(tab.columns) if tab is not None else NONE,
                f"{export.first_week} – {export.last_week}" if export and export.last_week else NONE,
                f"{export.published_at:%d.%m.%Y %H:%M} UTC" if export else NONE,
                "; ".join(said) or Audit.GOOD,
            )
        )
    screen.show(screen.table(Audit.TITLE, Audit.COLUMNS, rows))
    screen.say(Audit.others(found.other_tabs))
    for one in findings:
        if one.tab is None:
            screen.say(Audit.finding(one.code, one.count), style="yellow")
    if not any(one.severity == "error" for one in findings):
        screen.say(Audit.PASSED)
