"""The tables of ``marts_next`` that Python fills: made from their description, written by COPY.

Here: statements about tables. Not here: what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from psycopg import Connection, sql

from assets.marts.description import Mart, marts
from resources.warehouse import copy_text

NEXT, PUBLISHED = "marts_next", "marts"


@cache
def mart(name: str) -> Mart:
    """The description of one mart."""
    return next(mart for mart in marts() if mart.name == name)


def by_python() -> list[Mart]:
    """The marts that are built here."""
    return [mart for mart in marts() if mart.by == "python"]


def make(connection: Connection[Any]) -> None:
    """Make all of them anew in ``marts_next``, empty, with the columns, keys and comments of their description."""
    for described in by_python():
        table = sql.Identifier(NEXT, described.name)
        columns = [
            sql.SQL("{} {}{}").format(
                sql.Identifier(column.name), sql.SQL(column.kind), sql.SQL("" if column.is_nullable else " not null")
            )
            for column in described.columns
        ]
        key = sql.SQL("primary key ({})").format(sql.SQL(", ").join(map(sql.Identifier, described.key)))
        connection.execute(sql.SQL("drop table if exists {}").format(table))
        connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join([*columns, key])))
        for column in described.columns:
            connection.execute(
                sql.SQL("comment on column {} is {}").format(
                    sql.Identifier(NEXT, described.name, column.name), sql.Literal(column.description)
                )
            )


def add(connection: Connection[Any], name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add rows, each with a value for every column; returns how many.

    All are made before the first is sent: whoever makes them may ask the same session, which cannot answer meanwhile.
    """
    columns = [column.name for column in mart(name).columns]
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(NEXT, name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    lines = [copy_text.line([row[column] for column in columns]) for row in rows]
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines))
    return len(lines)


def exists(connection: Connection[Any], schema: str, name: str) -> bool:
    """Whether there is such a table: nothing was published before the first publication."""
    found = connection.execute("select to_regclass(format('%%I.%%I', %s::text, %s::text)) is not null", [schema, name])
    return found.fetchone() == (True,)


def dicts(connection: Connection[Any], statement: Any, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a query by column."""
    cursor = connection.execute(statement, parameters)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
