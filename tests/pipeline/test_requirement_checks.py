"""The checks of what talk is judged by: each is green on what is right and red on its own mistake alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assets.checks.requirements import STATEMENTS
from assets.reference.requirements import REQUIREMENTS
from resources.warehouse.engine import Warehouse

GOOD = """
insert into reference.departments values
    ('sales', 'Продажи', 'Торговые представители', 'sales_calls', 'sales_calls'),
    ('office', 'Офис', null, 'office_calls', 'office_calls');
insert into reference.rubrics values
    ('sales_calls', 1, 'a', '[]', null, 'file', now()), ('office_calls', 1, 'a', '[]', null, 'file', now());
insert into reference.instructions values
    ('Промпт', 1, 'a', 'А', null, now()), ('Промпт', 2, 'b', 'Б', null, now()), ('Промпт', 3, 'a', 'А', null, now());
insert into reference.requirement_looks values ('Промпт', 'instructions', 'ok', null, 3, now());
insert into reference.offices values ('алматы', 'Алматы');
insert into reference.supervisors values ('sv-1', 'Пётр');
insert into reference.operators values
    ('tbank', 'anna', '0001-01-01', 'Анна', 'sales', 'алматы', 'sv-1', '77010000001', 'file'),
    ('tbank', 'Anna', '2026-05-04', 'Анна', null, null, null, '77010000001', 'sheet'),
    ('tbank', '314', '0001-01-01', 'Анна', 'sales', null, null, '77010000001', 'file'),
    ('tbank', 'vera', '2026-05-04', 'Вера', 'office', null, null, null, 'file');
"""
MISTAKES = {
    "every_requirement_could_be_used": "update reference.requirement_looks set state = 'refused', reason = 'B7: jwt'",
    "every_department_has_a_rubric": "delete from reference.rubrics where rubric_id = 'office_calls'",
    "a_version_differs_from_the_one_before": "update reference.instructions set content_hash = 'b' where version = 3",
    "an_agent_group_belongs_to_one_department": (
        "update reference.departments set agent_group = 'Торговые представители'"
    ),
    "every_operator_is_in_a_known_department": (
        "update reference.operators set department_id = 'gone' where name = 'Вера'"
    ),
    # the number of somebody who has not left yet
    "a_phone_is_one_operators": "update reference.operators set phone = '77010000001' where name = 'Вера'",
    "every_office_is_somebodys": "insert into reference.offices values ('астана', 'Астана')",
    "every_supervisor_is_somebodys": "insert into reference.supervisors values ('sv-2', 'Ольга')",
}


@pytest.fixture(autouse=True)
def _good(database: Warehouse) -> Iterator[None]:
    with database.connect() as sql:
        for table in REQUIREMENTS:
            sql.execute(f"delete from reference.{table}")
        sql.execute(GOOD)
    yield


def red(database: Warehouse) -> dict[str, list[tuple[str, int]]]:
    with database.connect() as sql:
        found = {key.name: sql.execute(statement).fetchall() for key, statement in STATEMENTS.items()}
    return {name: rows for name, rows in found.items() if rows}


def test_what_is_right_is_green(database: Warehouse) -> None:
    assert red(database) == {}
    assert {key.name for key in STATEMENTS} == set(MISTAKES)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_red_in_its_own_check(name: str, database: Warehouse) -> None:
    with database.connect() as sql:
        sql.execute(MISTAKES[name])
    found = red(database)
    assert set(found) == {name}
    assert len(found[name]) == 1


def test_a_phone_may_go_from_one_who_left_to_the_next(database: Warehouse) -> None:
    with database.connect() as sql:
        sql.execute("delete from reference.operators where operator = '314'")
        sql.execute(MISTAKES["a_phone_is_one_operators"])
    assert red(database) == {}


def test_a_look_says_where_and_why(database: Warehouse) -> None:
    with database.connect() as sql:
        sql.execute(MISTAKES["every_requirement_could_be_used"])
    assert red(database) == {"every_requirement_could_be_used": [("Промпт: refused (B7: jwt)", 1)]}
