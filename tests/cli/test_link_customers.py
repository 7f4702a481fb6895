"""``otklik link-customers``: the file's way into the table, what is printed, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik

pytestmark = pytest.mark.usefixtures("on_database")


def stored(database: Warehouse) -> list[tuple[str, str]]:
    with database.connect() as sql:
        return sql.execute("select customer_id, same_as from reference.customer_links order by 1").fetchall()


def test_the_list_is_taken_whole_and_taken_back(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("customer_id,person\nshop:9,a\nshop:5,a\nshop:7,b\n", encoding="utf-8")
    shown = otklik("link-customers", str(file), "--json")
    assert json.loads(shown.stdout) == {
        "people": 1, "customers": 2, "unknown": 2, "conversations": 0, "by_number": 0, "shared_numbers": 0,
        "regrouped": 2, "parted": 0,
    }  # fmt: skip
    assert stored(on_database) == [("shop:9", "shop:5")]
    assert "Людей" in otklik("link-customers", str(file)).stdout
    file.write_text("customer_id,person\n", encoding="utf-8")
    assert otklik("link-customers", str(file)).exit_code == 0
    assert stored(on_database) == []
    with on_database.connect() as sql:
        acts = sql.execute("select subject from ops.audit where action = 'link_customers' order by at").fetchall()
    assert acts == [("1 ids",), ("1 ids",), ("0 ids",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,person\n", "there is no column customer_id"),
        (b"customer_id,person\nshop:1,a\nshop:1,b\n", "line 3: shop:1 is named under two persons"),
        ("customer_id,person\nшоп:1,а\n".encode("cp1251"), "это не текст в UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes(content)
    before = stored(on_database)
    result = otklik("link-customers", str(file))
    assert result.exit_code == 1
    assert said in result.stderr and "Traceback" not in result.output
    assert stored(on_database) == before


def test_a_file_that_is_not_there(otklik: Otklik, tmp_path: Path) -> None:
    result = otklik("link-customers", str(tmp_path / "nowhere.csv"))
    assert result.exit_code == 2 and "нет файла" in result.stderr


def test_without_a_file_it_says_who_is_one_human_and_which_numbers_join_nobody(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    with on_database.connect() as sql:
        sql.execute("insert into core.channels values ('tbank:phone', 'tbank', 'phone', 'Телефон', true)")
        for customer, key in (("tbank:a", "1"), ("shop:5", "1"), ("tbank:b", "2"), ("shop:6", "2"), ("shop:7", "2")):
            connection = customer.split(":")[0]
            sql.execute(
                "insert into core.customers values (%s, %s, null, 'тел', null, %s)", (customer, connection, key)
            )
            sql.execute(
                "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
                " flags) values (%s, %s, 'tbank:phone', %s, false, '{}')",
                (customer, connection, customer),
            )
    before = stored(on_database)
    told = json.loads(otklik("link-customers", "--json").stdout)
    assert told == {
        "people": 1, "customers": 2, "by_list": 0, "by_number": 1, "shared_numbers": 1,
        "shared": [["shop:6", "shop:7", "tbank:b"]],
    }  # fmt: skip
    screen = " ".join(otklik("link-customers").stdout.split())
    assert "shop:6, shop:7, tbank:b" in screen and "показано 1 из 1" in screen
    assert stored(on_database) == before == []
