"""A week that was published before ids were keyed, and what analysts can read after: marts as dbt and Python make them.

Here: the whole way of a week of calls, as ``test_calls_to_week``. Not here: the migration row by row, its quick cousin
(``tests.warehouse.test_keyed_ids_migration``).
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration import runner
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.emulators.sheets import SheetsEmulator
from tests.person_keys import found_in, guesses, spellings
from tests.pipeline.test_calls_to_week import FIRST, LAST, WEEK, week_of_calls
from tests.warehouse.keyed_rows import before_ids_were_keyed
from tests.warehouse.test_keyed_ids_migration import VERSIONS
from tests.warehouse.test_person_keys import shown

FIGURES = ("manager_week", "channel_week", "manager_day", "channel_day", "week_revisions", "week_changes",
           "behavior_snapshot", "data_status")  # fmt: skip
CASES = ("published_waits", "published_sessions", "call_results", "chat_advice", "weekly_examples")


def rows(database: Warehouse, tables: tuple[str, ...]) -> dict[str, list[str]]:
    """The tables without what says when they were written, in an order of their own."""
    kept = (
        "select (to_jsonb(t) - '{built_at,published_at,as_of,data_as_of}'::text[])::text from marts.%s as t order by 1"
    )
    with database.connect() as sql:
        return {name: [row for (row,) in sql.execute(kept % name)] for name in tables}


def plain(database: Warehouse) -> tuple[set[str], int]:
    """Every hash by which a customer of the telephony could be guessed, and how many customers there are."""
    with database.connect() as sql:
        phones = [one for (one,) in sql.execute("select phone from core.customers where phone is not null")]
    numbers = {"".join(filter(str.isdigit, one))[-10:] for one in phones}
    return set(guesses({spelled for number in numbers for spelled in spellings(number)}, ["tbank"])), len(numbers)


@pytest.mark.proof
def test_a_week_of_before_is_published_again_without_a_revision(fresh_database: Warehouse, tmp_path: Path) -> None:
    database = fresh_database
    with ExitStack() as former:
        former.enter_context(before_ids_were_keyed())
        with week_of_calls(database, tmp_path) as (sheets, instance):
            former.close()
            tried, people = plain(database)
            assert people > 10
            before, cases = rows(database, FIGURES), rows(database, CASES)
            assert found(database, tried), "control: plain hashes are found"
            with database.connect() as sql:
                sql.execute("drop schema keys cascade")
                sql.execute((VERSIONS / "0008_keyed_ids.sql").read_text("utf-8"))
            database.migrate()
            assert rows(database, FIGURES) == before
            assert {name: len(kept) for name, kept in rows(database, CASES).items()} == {
                name: len(kept) for name, kept in cases.items()
            }
            migrated = rows(database, CASES)
            assert migrated["published_waits"] != cases["published_waits"]
            for summary in (
                runner.run_days(LAST - timedelta(days=1), LAST, instance=instance),
                runner.publish_weeks(WEEK, WEEK, instance=instance),
                runner.publish_days(FIRST, LAST, instance=instance),
            ):
                assert summary.checks_failed == []
            assert rows(database, FIGURES) == before
            assert rows(database, CASES) == migrated
            assert not found(database, tried)
            assert not found_in(everything(sheets), tried)


def found(database: Warehouse, tried: set[str]) -> set[str]:
    return found_in("\n".join(shown(database, Role.ANALYST)), tried)


def everything(sheets: SheetsEmulator) -> str:
    return "\n".join(
        str(sheets.values(f"{title}!A1:AZ2000"))
        for title in ("call_results", "calls_and_chats", "manager_summary", "chats_raw", "messages_raw")
    )
