"""The directory of operators: each list is exchanged as a whole, neither touches the other's rows, twice is once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from conversations.operators import Directory, read_directory
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.operators import ListSource, OperatorCounts, replace_operators
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery

HEAD = ["Подключение", "Оператор", "ФИО", "Отдел", "Офис", "Супервайзер", "С даты"]
DEPARTMENTS = {"sales": "Продажи", "office": "Офис"}


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    with database.connect() as sql:
        for table in ("operators", "offices", "supervisors"):
            sql.execute(f"delete from reference.{table}")
    yield


def listed(*rows: list[Any]) -> Directory:
    return read_directory([HEAD, *rows], DEPARTMENTS, "tbank")


def replaced(database: Warehouse, source: ListSource, *rows: list[Any]) -> OperatorCounts:
    return replace_operators(database.as_role(Role.LOADER), listed(*rows), source)


def stored(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(
            "select connection_id, operator, valid_from, department_id, source from reference.operators"
            " order by 1, 2, 3"
        ).fetchall()


def names(database: Warehouse) -> tuple[list[str], list[str]]:
    with database.connect() as sql:
        offices = sql.execute("select name from reference.offices order by 1").fetchall()
        supervisors = sql.execute("select name from reference.supervisors order by 1").fetchall()
    return [name for (name,) in offices], [name for (name,) in supervisors]


ANNA = ["", "anna", "Анна", "sales", "Алматы", "Пётр", ""]
VERA = ["", "vera", "Вера", "office", "Астана", "Пётр", "2026-03-02"]


def test_a_list_is_exchanged_and_twice_is_once(database: Warehouse) -> None:
    assert replaced(database, "file", ANNA, VERA) == OperatorCounts(2, 2, 0, 0, 0, 0)
    before = table_hashes(database, ("reference",))
    assert replaced(database, "file", ANNA, VERA) == OperatorCounts(2, 0, 0, 0, 0, 0)
    assert table_hashes(database, ("reference",)) == before
    assert names(database) == (["Алматы", "Астана"], ["Пётр"])
    moved = [*ANNA[:3], "office", "Астана", "Ольга", "2026-05-04"]
    assert replaced(database, "file", ANNA, moved) == OperatorCounts(2, 1, 0, 1, 1, 0), "a stay ends earlier now"
    assert stored(database) == [
        ("tbank", "anna", date.min, "sales", "file"),
        ("tbank", "anna", date(2026, 5, 4), "office", "file"),
    ]
    assert names(database) == (["Алматы", "Астана"], ["Ольга", "Пётр"])
    # a row in the middle shortens the one before it; one at the end, too; none is counted twice
    middle = [*ANNA[:3], "", "", "", "2026-04-01"]
    late = [*ANNA[:3], "", "", "", "2026-06-01"]
    assert replaced(database, "file", ANNA, middle, moved, late) == OperatorCounts(4, 2, 0, 0, 2, 0)
    assert replaced(database, "file", [*ANNA[:3], "office", *ANNA[4:]]) == OperatorCounts(1, 0, 1, 3, 0, 0)
    assert names(database) == (["Алматы"], ["Пётр"])


def test_the_sheet_and_the_file_stand_beside_one_another(database: Warehouse) -> None:
    replaced(database, "file", ANNA)
    of_sheet = [*ANNA[:3], "office", *ANNA[4:]]
    assert replaced(database, "sheet", of_sheet, VERA) == OperatorCounts(2, 1, 0, 0, 0, 1)
    both = [("tbank", "anna", date.min, "sales", "file"), ("tbank", "vera", date(2026, 3, 2), "office", "sheet")]
    assert stored(database) == both
    assert replaced(database, "sheet", of_sheet, VERA) == OperatorCounts(2, 0, 0, 0, 0, 1)
    # a row that the sheet no longer has is gone, the file's stays
    other = ["", "zoya", "Зоя", "sales", "", "", ""]
    assert replaced(database, "sheet", other) == OperatorCounts(1, 1, 0, 1, 0, 0)
    assert stored(database) == [both[0], ("tbank", "zoya", date.min, "sales", "sheet")]
    # a file takes over what it says otherwise than the sheet
    assert replaced(database, "file", ANNA, [" ", "Zoya", "Зоя", "office", "", "", ""]) == (
        OperatorCounts(2, 0, 1, 0, 0, 0)
    )
    assert stored(database)[0] == ("tbank", "Zoya", date.min, "office", "file")


def test_a_file_says_nothing_of_accounts_that_it_does_not_name(database: Warehouse) -> None:
    replaced(database, "file", ANNA, ["second", "boris", "Борис", "sales", "", "", ""])
    assert replaced(database, "file", VERA) == OperatorCounts(1, 1, 0, 1, 0, 0)
    assert [row[:2] for row in stored(database)] == [("second", "boris"), ("tbank", "vera")]


def test_every_file_is_written_down(database: Warehouse) -> None:
    with database.connect() as sql:
        before = sql.execute("select count(*) from ops.audit where action = 'import_operators'").fetchone()
    replaced(database, "file", ANNA)
    replaced(database, "sheet", VERA)
    with database.connect() as sql:
        rows = sql.execute("select subject from ops.audit where action = 'import_operators' order by at").fetchall()
    assert before is not None and len(rows) == before[0] + 1 and rows[-1] == ("1 rows",)


def test_killed_before_the_commit(database: Warehouse, nursery: Nursery) -> None:  # noqa: F811
    before = table_hashes(database, ("reference", "ops"))
    rows = [HEAD, ["", "anna", "Анна", "", "", "", ""]]
    worker = nursery.start("operators", database, WEEK, fail_point="operators.before_commit:1", rows=rows)
    assert worker.wait() == KILLED, worker.words
    assert table_hashes(database, ("reference", "ops")) == before
    assert nursery.start("operators", database, WEEK, rows=rows).wait() == 0
    assert [row[:2] for row in stored(database)] == [("tbank", "anna")]
