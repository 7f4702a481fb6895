"""One md5 per table, independent of the physical order of its rows.

Here: how two states of the warehouse are compared: by the demo, the tests and a restored backup. Not here: what
belongs into a table.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from resources.warehouse.engine import Warehouse

LAYERS = ("raw", "core", "reference", "evaluated", "marts", "ops")


def table_hashes(warehouse: Warehouse, schemas: Sequence[str] = LAYERS) -> dict[str, str]:
    """The md5 of every table of the schemas, by ``schema.table``.

    Rows are hashed as text in one fixed form, and the hashes are summed in two halves of 64 bits: equal multisets of
    rows give equal sums in any order, and memory does not grow with the table.
    """
    with warehouse.connect("otklik hashes") as connection:
        for setting in ("set timezone = 'UTC'", "set datestyle = 'ISO, YMD'", "set extra_float_digits = 1"):
            connection.execute(setting)  # type: ignore[call-overload]
        connection.execute("set bytea_output = 'hex'")
        connection.execute("set intervalstyle = 'iso_8601'")
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2", (list(schemas),)
        ).fetchall()
        hashes = {}
        for schema, table in tables:
            row = connection.execute(
                sql.SQL(
                    "select md5(concat_ws('/', count(*), sum(('x' || left(h, 16))::bit(64)::bigint::numeric),"
                    " sum(('x' || right(h, 16))::bit(64)::bigint::numeric)))"
                    " from (select md5(t::text) as h from {} as t) as hashed"
                ).format(sql.Identifier(schema, table))
            ).fetchone()
            hashes[f"{schema}.{table}"] = row[0] if row is not None else ""
    return hashes
