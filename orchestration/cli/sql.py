"""``otklik sql``: a query under the analyst's login, which can read the marts and the masked views and nothing else.

Here: running and printing. Not here: what the analyst may read (grants in the migrations).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from conversations.messages import NONE, Errors, Sql
from orchestration.cli import screen
from orchestration.cli.errors import CliError

_DENIED = ("42501", "25006")  # insufficient_privilege, read_only_sql_transaction


def sql(query: str, *, as_csv: bool) -> None:
    """Run ``query`` read-only and print its rows."""
    import psycopg

    from resources.clients.redact import redact
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse, unavailable
    from resources.warehouse.roles import Role
    from resources.warehouse.urls import with_driver

    with Warehouse.open(Settings(), Role.ANALYST) as warehouse, unavailable(warehouse.address):
        options = "-c timezone=UTC -c default_transaction_read_only=on"
        login = with_driver(warehouse.url, None)
        try:
            session = psycopg.connect(login, application_name="otklik sql", connect_timeout=10, options=options)
        except psycopg.OperationalError as error:
            # the driver gives no SQLSTATE here: where the loader gets in, the analyst's login is what is wrong
            if not warehouse.knows(Role.LOADER):
                raise
            with warehouse.as_role(Role.LOADER).connect():
                raise CliError(Errors.ANALYST_LOGIN.format(redact(_first_line(error)))) from None
        with session as connection:
            try:
                # row by row over the extended protocol: an export of any size, and one statement at a time
                cursor = connection.cursor()
                rows = iter(cursor.stream(query))
                first = next(rows, None)
                columns = [column.name for column in cursor.description or ()]
                found = rows if first is None else chain([first], rows)
                write_csv(columns, found) if as_csv else _show(columns, list(found))
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                raise _said(error) from error


def _show(columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    sides = ["right" if any(_is_number(row[at]) for row in rows) else "left" for at in range(len(columns))]
    cells = [[NONE if value is None else str(value) for value in row] for row in rows]
    screen.show(screen.table(None, list(zip(columns, sides, strict=True)), cells))
    screen.note(Sql.rows(len(rows)))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write CSV to standard output; a text that a spreadsheet would take for a formula gets an apostrophe (S7)."""
    csv.writer(_Output(), lineterminator="\n").writerow(columns)
    write_rows(rows)


def write_rows(rows: Iterable[Sequence[Any]]) -> None:
    """More rows of ``write_csv``."""
    writer = csv.writer(_Output(), lineterminator="\n")
    for row in rows:
        writer.writerow([as_text(value) if isinstance(value, str) else value for value in row])


class _Output:
    def write(self, text: str) -> None:
        screen.write(text)


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


def _said(error: Any) -> CliError:
    said = _first_line(error)
    return CliError((Errors.SQL_DENIED if error.sqlstate in _DENIED else Errors.SQL_FAILED).format(said))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
