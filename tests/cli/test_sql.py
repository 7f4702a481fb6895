"""``otklik sql``: the analyst reads what he may, and cannot do more."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from orchestration.cli import week
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.cli.conftest import Otklik

pytestmark = pytest.mark.usefixtures("on_database")


def test_rows_are_printed_as_a_table(otklik: Otklik) -> None:
    result = otklik("sql", "select 7 as seven, '10:30'::text as at, null as nothing")

    assert result.exit_code == 0
    assert "seven" in result.stdout
    assert "10:30" in result.stdout
    assert "—" in result.stdout
    assert "1 строка" in result.stderr


def test_csv_goes_to_the_output_alone(otklik: Otklik) -> None:
    result = otklik("sql", "select 'Анна, Пётр' as name, -5 as count union all select null, 1 order by count", "--csv")

    assert list(csv.reader(io.StringIO(result.stdout))) == [["name", "count"], ["Анна, Пётр", "-5"], ["", "1"]]
    assert not result.stderr


def test_csv_writes_formulas_as_text(otklik: Otklik) -> None:
    query = "select * from (values ('=1+1'), ('+79990000000'), ('@cmd'), ('  -2'), ('a=b')) as risky (value)"
    result = otklik("sql", query, "--csv")

    assert result.stdout.splitlines()[1:] == ["'=1+1", "'+79990000000", "'@cmd", "'  -2", "a=b"]


@pytest.mark.parametrize(
    "query",
    [
        "select text from core.messages",
        "select payload from raw.retailcrm__messages",
        "select phone from core.customers",
        "delete from marts.manager_week",
        "insert into core.channels (channel_id) values ('x')",
        "create table mine (id int)",
        "create temporary table mine (id int)",
        "update evaluated.waits set outcome = 'in_target'",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
    ],
)
def test_the_analyst_is_refused(otklik: Otklik, on_database: Warehouse, query: str) -> None:
    with on_database.engine.begin() as owner:
        owner.execute(text("create table if not exists marts.manager_week (week text)"))
    result = otklik("sql", query)

    assert result.exit_code == 1
    assert "роль аналитика" in result.stderr
    assert "Traceback" not in result.output


def test_the_read_only_setting_cannot_be_switched_off(otklik: Otklik) -> None:
    result = otklik("sql", "set session characteristics as transaction read write; delete from marts.manager_week")

    assert result.exit_code == 1


def test_masked_messages_can_be_read_and_hold_no_text(otklik: Otklik) -> None:
    result = otklik("sql", "select * from core.messages_masked", "--csv")

    assert result.exit_code == 0
    assert "text" not in result.stdout.splitlines()[0].split(",")


def test_a_mistake_is_one_line(otklik: Otklik) -> None:
    result = otklik("sql", "select nothing from nowhere")

    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "nowhere" in result.stderr


def test_an_unreachable_database_is_one_clear_error(otklik: Otklik) -> None:
    result = otklik(
        "sql", "select 1", DATABASE_URL="postgresql://nobody:secret-word@127.0.0.1:9/none", ANALYST_DATABASE_URL=""
    )

    assert result.exit_code == 1
    assert "база данных недоступна" in result.stderr
    assert "secret-word" not in result.output
    assert "Traceback" not in result.output


def test_a_wrong_login_of_the_analyst_is_named(otklik: Otklik, on_database: Warehouse) -> None:
    wrong = urls.with_login(urls.with_driver(on_database.url, None), "otklik_analyst", "not-the-password")
    result = otklik("sql", "select 1", ANALYST_DATABASE_URL=wrong)

    assert result.exit_code == 1
    assert "ANALYST_DATABASE_URL" in result.stderr
    assert "not-the-password" not in result.output


def test_the_week_is_read_by_the_publisher_where_the_analyst_cannot_log_in(on_database: Warehouse) -> None:
    wrong = urls.with_login(urls.with_driver(on_database.url, None), "otklik_analyst", "not-the-password")
    with Warehouse.at(on_database.url, wrong) as locked_out, Warehouse.at(on_database.url) as derived:
        assert week.reading(locked_out) is locked_out.as_role(Role.PUBLISHER).engine
        assert week.reading(derived) is derived.analyst_engine()
