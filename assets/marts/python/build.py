"""Building and testing the marts of Python: after dbt, before the swap, under the right to publish.

Here: the order of things, and the tests that their YAML names. Not here: what is in the marts (the other modules of
this package), the swap (``assets.marts.publish``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection, sql

from assets.marts.dbt import Built, TestResult
from assets.marts.python import advice, deltas, examples, facts, tables
from assets.marts.python.revisions import Revision, decide
from assets.marts.python.snapshot import figures_next, row_of
from conversations.policy import Policy
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point

_NAME = "otklik-publish"


def build(warehouse: Warehouse, weeks: Sequence[str], policy: Policy, published_at: datetime) -> Built:
    """Build the marts of the weeks in ``marts_next``, beside those that dbt built there, and test them.

    Everything is read and written in one transaction that sees one state of the judgements. ``published_at`` is when a
    new revision counts as published; nothing else depends on it.
    """
    with warehouse.connect(_NAME) as connection:
        connection.execute("set transaction isolation level repeatable read")
        tables.make(connection)
        rows = _fill(connection, weeks, policy, published_at)
    fail_point("publish.python_built")
    return Built(rows, tuple(judge_built(warehouse)))


def judge_built(warehouse: Warehouse) -> list[TestResult]:
    """Judge what is built: a test is a query of the rows that contradict its name; one that cannot run has failed."""
    results = []
    with warehouse.connect(_NAME) as connection:
        for mart in tables.by_python():
            for test in mart.tests:
                found, message = _contradictions(connection, str(test.statement))
                results.append(TestResult(test.name, mart.name, found == 0, found, message))
    return results


def _fill(connection: Connection[Any], weeks: Sequence[str], policy: Policy, published_at: datetime) -> dict[str, int]:
    rows: dict[str, int] = dict.fromkeys((mart.name for mart in tables.by_python()), 0)

    def add(name: str, found: Any) -> None:
        rows[name] += tables.add(connection, name, found)

    made: dict[str, Revision] = {}
    for week in weeks:
        made[week] = revision = decide(connection, week, figures_next(connection, week, policy))
        kept = {name: facts.keep(connection, name, week, revision.number) for name in facts.FACTS}
        for name, count in kept.items():
            rows[name] += count
        add("behavior_snapshot", (row_of(week, revision.number, *item) for item in revision.figures.items()))
        if revision.reason is not None:
            counted = (kept["published_waits"], kept["published_sessions"])
            add("week_revisions", [revision.row(policy, published_at, *counted)])
            add("week_changes", revision.changes())
        add("weekly_examples", examples.rows(connection, week, policy))
        add("chat_advice", advice.rows(connection, week, policy))
    for name in facts.FACTS:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(tables.NEXT, name)))
    sides = deltas.Sides(connection, made, policy.time_zone)
    for week in sides.to_compare():
        for kind, compared in deltas.rows(sides, week).items():
            add(deltas.TABLES[kind], compared)
    return rows


def _contradictions(connection: Connection[Any], statement: str) -> tuple[int, str]:
    """How many rows contradict, and why that could not be found out: the kind of refusal, never the words."""
    try:
        with connection.transaction():
            query = sql.SQL("select count(*) from ({}) as contradicting").format(sql.SQL(statement))  # type: ignore[arg-type]
            (found,) = connection.execute(query).fetchone() or (1,)
    except psycopg.errors.DatabaseError as error:
        return 1, f"the test could not be run (SQLSTATE {error.sqlstate})"
    return found, f"{found} row(s) contradict" if found else ""
