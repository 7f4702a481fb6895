"""``otklik sql``: a query under the analyst's login, which can read the marts and the masked views and nothing else.

Here: running and printing. Not here: what the analyst may read (grants in the migrations).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from conversations.messages import NONE, Errors, Sql
from orchestration.cli import screen
from orchestration.cli.errors import CliError

_FETCH = 5_000
_DENIED = ("42501", "25006")  # insufficient_privilege, read_only_sql_transaction
_UNAVAILABLE_CLASSES = ("08", "53", "57")


def sql(query: str, *, as_csv: bool) -> None:
    """Run ``query`` read-only and print its rows."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    with Warehouse.open(Settings()) as warehouse, warehouse.analyst_engine().connect() as connection:
        try:
            # a colon in the query is SQL ('12:30', ::int), never a parameter of ours
            result = connection.execution_options(stream_results=True).execute(text(query.replace(":", r"\:")))
            if not result.returns_rows:
                return
            columns = list(result.keys())
            if as_csv:
                write_csv(columns, result.yield_per(_FETCH))
                return
            rows = result.fetchall()
        except DBAPIError as error:
            raise _said(error) from error
    sides = ["right" if any(_is_number(row[at]) for row in rows) else "left" for at in range(len(columns))]
    cells = [[NONE if value is None else str(value) for value in row] for row in rows]
    screen.show(screen.table(None, list(zip(columns, sides, strict=True)), cells))
    screen.note(Sql.rows(len(rows)))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write CSV to standard output; a text that a spreadsheet would take for a formula gets an apostrophe (S7)."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([as_text(value) if isinstance(value, str) else value for value in row])


def as_text(value: str) -> str:
    """The text as a spreadsheet shows it and does not run it.

    >>> as_text("=1+1"), as_text(' "＝cmd'), as_text("Анна")
    ("'=1+1", '\\' "＝cmd', 'Анна')
    """
    begins = value.lstrip(" \"'\u00a0\u3000")[:1]
    risky = value[:1] in ("\t", "\r", "\n") or begins in tuple("=+-@＝＋－＠\t\r\n")  # fmt: skip
    return f"'{value}" if begins and risky else value


def _is_number(value: object) -> bool:
    from decimal import Decimal

    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _said(error: Any) -> Exception:
    state = getattr(error.orig, "sqlstate", None) or ""
    if not state or (state[:2] in _UNAVAILABLE_CLASSES and state != "57014"):
        return error
    first_line = str(error.orig).strip().splitlines()[0]
    return CliError((Errors.SQL_DENIED if state in _DENIED else Errors.SQL_FAILED).format(first_line))
