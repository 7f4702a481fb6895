"""The swap: tested weeks and days go from ``marts_next`` into ``marts`` in one transaction (promises P3, P4, D5).

Here: the lock, the swap, the mark on weeks whose newer version failed. Not here: building and testing
(``assets.marts.dbt``, ``assets.marts.python``).

A mart of dbt gives its weeks of the publication. A mart of Python gives all that was built: comparisons also of the
weeks after them. A mart whose rows are only ever added gives the revisions that are not published yet: a swap that is
done twice adds nothing, and no publication changes what a revision says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from psycopg import Connection, errors, sql

from assets.marts.dbt import SCHEMA
from assets.marts.description import Mart, marts
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy, MartsHeld
from resources.warehouse.failpoints import fail_point

PUBLISHED = "marts"
LOCK_SECONDS = 30.0
"""How long a swap waits for readers. Whoever asks meanwhile stands behind it, so it must not be for ever."""
_LOCK = "select pg_try_advisory_lock(hashtextextended('otklik:publish', 0))"


@contextlib.contextmanager
def publishing(warehouse: Warehouse) -> Iterator[None]:
    """The right to build aside and to swap: there is one place beside the published marts.

    Raises:
        Busy: somebody else is publishing; nothing was waited for.
    """
    with warehouse.connect("otklik-publish-lock", autocommit=True) as connection:
        if connection.execute(_LOCK).fetchone() != (True,):
            raise Busy("another run is publishing marts: wait for it to end, then publish again")
        yield


def swap(warehouse: Warehouse, weeks: Sequence[str], lock_seconds: float = LOCK_SECONDS) -> dict[str, dict[str, int]]:
    """Replace the weeks of every mart by what was built aside; returns rows per mart and week.

    A reader sees all marts of the weeks as they were or as they are, never a mixture.

    Raises:
        MartsHeld: somebody held a published mart for longer than ``lock_seconds``; nothing was changed.
    """
    with _swapping(warehouse, lock_seconds) as connection:
        for mart in marts("week"):
            _prepare(connection, mart)
            _replace(connection, mart, weeks)
            fail_point("publish.between_marts")
        rows = {mart.name: _rows(connection, mart, weeks) for mart in marts("week")}
        fail_point("publish.before_commit")
    return rows


def swap_days(warehouse: Warehouse, days: Sequence[date], lock_seconds: float = LOCK_SECONDS) -> None:
    """Replace the days of every mart of days by what was built aside; a reader sees all of them old or all new.

    Raises:
        MartsHeld: as ``swap``.
    """
    with _swapping(warehouse, lock_seconds) as connection:
        for mart in marts("day"):
            _prepare(connection, mart)
            _run(connection, mart, _REPLACE_DAYS, {"days": list(days)})
            fail_point("publish.between_marts")
        fail_point("publish.before_commit")


@contextlib.contextmanager
def _swapping(warehouse: Warehouse, lock_seconds: float) -> Iterator[Connection[Any]]:
    """The one transaction of a swap; rows are replaced beside readers, but a mart whose columns change is locked."""
    try:
        with warehouse.connect("otklik-publish") as connection:
            connection.execute("select set_config('lock_timeout', %s, true)", [f"{round(lock_seconds * 1000)}ms"])
            yield connection
    except errors.LockNotAvailable as error:
        raise MartsHeld(
            f"somebody has read a published mart in a transaction that stays open for over {lock_seconds:g} s: "
            "it could not be changed, and nothing was published. Close that transaction (a BI tool, a notebook, psql) "
            "and publish again"
        ) from error


def is_judged(warehouse: Warehouse) -> bool:
    """Whether any conversation was judged yet."""
    with warehouse.connect("otklik-publish") as connection:
        return connection.execute("select exists (select from ops.as_of)").fetchone() == (True,)


def mark_stale(warehouse: Warehouse, weeks: Sequence[str]) -> int:
    """Mark the published weeks as the last good version of something newer that failed; returns the rows marked."""
    statement = "update marts.data_status set is_stale = true where week = any(%s) and not is_stale"
    with warehouse.connect("otklik-publish") as connection:
        if not _exists(connection, "data_status"):
            return 0
        return connection.execute(statement, [list(weeks)]).rowcount


def mark_days_stale(warehouse: Warehouse, days: Sequence[date]) -> int:
    """Mark the published days as the last good version of something newer that failed; returns the rows marked."""
    marked = 0
    with warehouse.connect("otklik-publish") as connection:
        for mart in marts("day"):
            if _exists(connection, mart.name):
                statement = sql.SQL("update {} set is_stale = true where business_on = any(%s) and not is_stale")
                query = statement.format(sql.Identifier(PUBLISHED, mart.name))
                marked += connection.execute(query, [list(days)]).rowcount
    return marked


def _prepare(connection: Connection[Any], mart: Mart) -> None:
    """Create the published table like the built one, or bring it to the columns of today."""
    published, built = sql.Identifier(PUBLISHED, mart.name), sql.Identifier(SCHEMA, mart.name)
    if not _exists(connection, mart.name):
        connection.execute(sql.SQL("create table {} (like {} including all)").format(published, built))
        _comment(connection, mart)
        return
    today, before = _columns(connection, SCHEMA, mart.name), _columns(connection, PUBLISHED, mart.name)
    if today == before:
        return
    for name in before.keys() - today.keys():
        # a revision that is published stays as it was, also in a column that newer ones do without
        gone = "alter column {} drop not null" if mart.kept == "appended" else "drop column {}"
        connection.execute(sql.SQL("alter table {} ").format(published) + sql.SQL(gone).format(sql.Identifier(name)))
    for name, kind in today.items():
        column = sql.Identifier(name)
        if name not in before:
            connection.execute(sql.SQL("alter table {} add column {} {}").format(published, column, sql.SQL(kind)))
        elif before[name] != kind:
            connection.execute(
                sql.SQL("alter table {} alter column {} type {} using {}::{}").format(
                    published, column, sql.SQL(kind), column, sql.SQL(kind)
                )
            )
    _comment(connection, mart)


def _replace(connection: Connection[Any], mart: Mart, weeks: Sequence[str]) -> None:
    statements = _APPEND if mart.kept == "appended" else _REPLACE_ALL if mart.by == "python" else _REPLACE_WEEKS
    _run(connection, mart, statements, {"weeks": list(weeks)})


def _run(connection: Connection[Any], mart: Mart, statements: Sequence[str], parameters: dict[str, Any]) -> None:
    names = {
        "published": sql.Identifier(PUBLISHED, mart.name),
        "built": sql.Identifier(SCHEMA, mart.name),
        "columns": sql.SQL(", ").join(sql.Identifier(column.name) for column in mart.columns),
    }
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names), parameters)


_REPLACE_WEEKS = (
    "delete from {published} where week = any(%(weeks)s)",
    "insert into {published} ({columns}) select {columns} from {built} where week = any(%(weeks)s)",
)
_REPLACE_DAYS = (
    "delete from {published} where business_on = any(%(days)s)",
    "insert into {published} ({columns}) select {columns} from {built} where business_on = any(%(days)s)",
)
_REPLACE_ALL = (
    "delete from {published} where week = any(%(weeks)s) or week in (select week from {built})",
    "insert into {published} ({columns}) select {columns} from {built}",
)
_APPEND = (
    """
    insert into {published} ({columns}) select {columns} from {built} as built
    where not exists (
        select from {published} as published where published.week = built.week and published.revision = built.revision
    )
    """,
)


def _rows(connection: Connection[Any], mart: Mart, weeks: Sequence[str]) -> dict[str, int]:
    statement = sql.SQL("select week, count(*) from {} where week = any(%s) group by week").format(
        sql.Identifier(PUBLISHED, mart.name)
    )
    found = dict(connection.execute(statement, [list(weeks)]).fetchall())
    return {week: found.get(week, 0) for week in weeks}


def _exists(connection: Connection[Any], name: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", [f"{PUBLISHED}.{name}"]).fetchone() == (True,)


def _columns(connection: Connection[Any], schema: str, name: str) -> dict[str, str]:
    statement = """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0 and not attisdropped
    """
    return dict(connection.execute(statement, [schema, name]).fetchall())


def _comment(connection: Connection[Any], mart: Mart) -> None:
    # LIKE copies the comments of columns, not that of the table
    connection.execute(
        sql.SQL("comment on table {} is {}").format(sql.Identifier(PUBLISHED, mart.name), sql.Literal(mart.description))
    )
    for column in mart.columns:
        connection.execute(
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier(PUBLISHED, mart.name, column.name), sql.Literal(column.description)
            )
        )
