"""The directory of operators in the warehouse: lists from a file and from a sheet, beside one another.

Here: one transaction that exchanges the rows of one list. Not here: what a list may say (``conversations.operators``),
reading files and sheets.

Each list is exchanged as a whole, so that a row that somebody took out of it is gone: a file's for the accounts that it
names, the sheet's altogether. Neither removes rows of the other. Where both have a row for one operator and day, the
file's holds: somebody brought it on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg import sql

from conversations.operators import Directory, Listed
from resources.warehouse.audit import record
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import requirements_lock

ListSource: TypeAlias = Literal["file", "sheet"]
_COLUMNS = (*Listed._fields, "source")
_Key: TypeAlias = tuple[str, str, date]


@dataclass(frozen=True)
class OperatorCounts:
    """What one call did with the rows of its list."""

    rows: int
    """Rows of the list."""
    added: int
    changed: int
    removed: int
    shortened: int
    """Stays of before that end earlier now, since a row came in behind them."""
    beside: int
    """Rows that were left out: the file has one for that operator and day."""


def replace_operators(warehouse: Warehouse, directory: Directory, source: ListSource) -> OperatorCounts:
    """Make the list that of its source. Doing it again changes nothing; a file is written down in ``ops.audit``.

    Raises:
        Busy: somebody else has been writing requirements for long.
        WarehouseUnavailable: the database went away; nothing was changed.
    """
    with (
        warehouse.connect("otklik operators", autocommit=True) as connection,
        requirements_lock(connection),
        connection.transaction(),
    ):
        counts = exchange_operators(connection, directory, source)
        if source == "file":
            record(connection, "import_operators", f"{counts.rows} rows")
        fail_point("operators.before_commit")
    return counts


def exchange_operators(connection: psycopg.Connection[Any], directory: Directory, source: ListSource) -> OperatorCounts:
    """As ``replace_operators``, in the transaction and under the lock of the caller."""
    found = connection.execute(_SELECT).fetchall()
    before = {_key(row): (Listed(*row[:-1]), row[-1]) for row in (tuple(row) for row in found)}
    wanted = {_key(row): row for row in directory.operators}
    others = {key for key, (_, owner) in before.items() if owner != source}
    beside = {key for key in wanted if key in others} if source == "sheet" else set[_Key]()
    named = {row.connection_id for row in directory.operators}
    gone = {
        key
        for key, (row, owner) in before.items()
        if owner == source and key not in wanted and (source == "sheet" or row.connection_id in named)
    }
    written = {key: row for key, row in wanted.items() if key not in beside and before.get(key) != (row, source)}
    # spelling of an operator is no part of the comparison, but of the table's key
    for key in [*gone, *(key for key in written if key in before)]:
        connection.execute(
            "delete from reference.operators where connection_id = %s and operator = %s and valid_from = %s",
            before[key][0][:3],
        )
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            [(*row, source) for row in written.values()],
        )
    _keep_names(connection, "offices", "office_id", directory.offices)
    _keep_names(connection, "supervisors", "supervisor_id", directory.supervisors)
    return OperatorCounts(
        rows=len(wanted),
        added=sum(key not in before for key in written),
        changed=sum(key in before for key in written),
        removed=len(gone),
        shortened=_shortened(before, [key for key in written if key not in before]),
        beside=len(beside),
    )


def _key(row: tuple[Any, ...]) -> _Key:
    """Operators are compared as they are looked up: without regard to case and blanks around."""
    return row[0], row[1].strip().casefold(), row[2]


def _shortened(before: Iterable[_Key], added: Iterable[_Key]) -> int:
    stays: dict[tuple[str, str], list[date]] = defaultdict(list)
    for connection_id, operator, day in before:
        stays[connection_id, operator].append(day)
    cut = {
        (connection_id, operator, max(earlier))
        for connection_id, operator, day in added
        if (earlier := [one for one in stays[connection_id, operator] if one < day])
    }
    return len(cut)


def _keep_names(connection: psycopg.Connection[Any], table: str, key: str, names: Mapping[str, str]) -> None:
    """Names of what rows speak of; nobody's are removed."""
    names_of = {"table": sql.Identifier("reference", table), "key": sql.Identifier(key)}
    with connection.cursor() as cursor:
        cursor.executemany(_NAME.format(**names_of), list(names.items()))
    connection.execute(_NOBODYS.format(**names_of))


_SELECT = sql.SQL("select {} from reference.operators").format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))
_INSERT = sql.SQL("insert into reference.operators ({}) values ({})").format(
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)), sql.SQL(", ").join([sql.Placeholder()] * len(_COLUMNS))
)
_NAME = sql.SQL(
    "insert into {table} as t ({key}, name) values (%s, %s) on conflict ({key}) do update set name = excluded.name"
    " where t.name <> excluded.name"
)
_NOBODYS = sql.SQL("delete from {table} t where not exists (select from reference.operators o where o.{key} = t.{key})")
