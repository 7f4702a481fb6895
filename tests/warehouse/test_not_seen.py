"""What a refresh passed over, found in one pass: its work grows with who is due, not with his square or the history.

Here: the rows that the statement touches, as PostgreSQL counts them. Not here: which marks it leaves (``test_humans``).
No time is measured: rows are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from resources.warehouse import due, refresh
from resources.warehouse.engine import Warehouse

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
FEW, MANY = 100, 400
"""Humans who are due, each with a chat here and one in another connection, both with a message after the instant."""
OTHERS = 4_000
"""Humans with a history of the same length, of whom nothing is due and nothing is later."""
_MESSAGES = """
insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind, is_public,
    delivery_status, content_kind, flags, ingested_at, raw_stream, raw_id)
select connection || ':c' || human, n::text, connection, %(now)s + make_interval(hours => n - 3),
    'in', 'customer', true, 'sent', 'text', '{}', %(now)s, 'r', '-'
from generate_series(%(first)s::int, %(last)s::int) as human
cross join unnest(array['shop', 'tbank']) as connection
cross join generate_series(1, %(each)s::int) as n
"""
_DUE = """
insert into due_chat (contact, conversation_id, is_own)
select 'shop:' || human, connection || ':c' || human, connection = 'shop'
from generate_series(1, %s::int) as human cross join unnest(array['shop', 'tbank']) as connection
"""


def happened(sql: psycopg.Connection[Any], first: int, last: int, each: int) -> None:
    """Hourly messages of these humans, in both connections, the third at the instant itself."""
    sql.execute(_MESSAGES, {"first": first, "last": last, "each": each, "now": NOW})
    sql.execute("analyze core.messages")


@pytest.fixture(scope="module")
def stored(database: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with database.connect() as sql:
        happened(sql, 1, MANY, 4)
        happened(sql, MANY + 1, MANY + OTHERS, 3)
        yield sql


def touched(sql: psycopg.Connection[Any], humans: int) -> tuple[int, int]:
    """How many rows all parts of the plan gave or threw away together, and how many marks were left."""
    with sql.transaction(force_rollback=True):
        sql.execute(due._TABLES)
        sql.execute(_DUE, (humans,))
        sql.execute("analyze due_chat")
        explained = sql.execute(
            f"explain (analyze, format json) {refresh._NOT_SEEN}", {"connection": "shop", "now": NOW}
        ).fetchone()
        marks = sql.execute("select count(*) from ops.dirty").fetchone()
    assert explained is not None and marks is not None
    return _rows(explained[0][0]["Plan"]), marks[0]


def _rows(node: dict[str, Any]) -> int:
    seen = node["Actual Rows"] + sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    return round(seen * node["Actual Loops"]) + sum(_rows(one) for one in node.get("Plans", ()))


def test_four_times_as_many_humans_are_four_times_the_work(stored: psycopg.Connection[Any]) -> None:
    few, marks_of_few = touched(stored, FEW)
    many, marks_of_many = touched(stored, MANY)
    assert (marks_of_few, marks_of_many) == (FEW, MANY)
    # its square would be sixteen times
    assert many < 6 * few


def test_a_history_of_others_is_not_read(stored: psycopg.Connection[Any]) -> None:
    before, _ = touched(stored, FEW)
    happened(stored, MANY + OTHERS + 1, MANY + 4 * OTHERS, 3)
    after, marks = touched(stored, FEW)
    assert marks == FEW
    assert after < 1.2 * before
