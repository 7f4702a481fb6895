"""``otklik import`` of tables and logs by a mapping: raw, core, waits; the published data where it lies beside.

Expected figures are counted here from the files by the standard library.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.messages import Imports, Words
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.cli.conftest import Otklik

pytestmark = pytest.mark.usefixtures("on_database")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "imports"
DATA = ROOT.parent / "shared" / "data"
LOG = DATA / "irc_stripe" / "stripe.0.ascii.txt"
TALKS = DATA / "abcd_sample" / "abcd_sample.json"
TABLE = """\
Диалог;Клиент;Телефон;Дата;Время;Кто;Сотрудник;Сообщение
17;Анна;+7 700 000-00-01;02.03.2026;10:00;клиент;;Есть в наличии?
17;Анна;+7 700 000-00-01;02.03.2026;10:05;сотрудник;Ольга;Да, есть
17;Анна;+7 700 000-00-01;02.03.2026;10:06;кто-то;Ольга;Приходите
18;Борис;;03.03.2026;25:00;клиент;;Сколько стоит?
18;Борис;;03.03.2026;11:00;клиент;;Сколько стоит?
"""


def rows(database: Warehouse, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(statement, values).fetchall()  # type: ignore[arg-type]


def test_a_table_by_its_mapping_gives_waits_and_a_quarantine(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "talks.csv"
    path.write_text(TABLE, "cp1251")
    mapping = str(EXAMPLES / "csv.yaml")
    shown = otklik("import", str(path), "--mapping", mapping, "--connection", "sheet", "--dry-run")
    assert shown.exit_code == 0, shown.stderr
    for said in ("Есть в наличии?", "Ольга", "менеджер", "bad_time", "unknown_role"):
        assert said in shown.stdout
    assert rows(on_database, "select count(*) from raw.table_import__messages where connection_id = 'sheet'") == [(0,)]

    told = json.loads(otklik("import", str(path), "--mapping", mapping, "--connection", "sheet", "--json").stdout)
    (file,) = told["files"]
    assert (file["chats"], file["messages"], file["quarantined"]) == (2, 5, 2)
    summary = told["connections"]["sheet"]
    assert (summary["conversations"], summary["messages"], summary["managers"]) == (2, 3, 1)
    assert summary["quarantined"] == {"bad_time": 1, "unknown_role": 1}
    # one question answered after five minutes, one not at all
    assert (summary["first_replies"], summary["first_reply_p50_seconds"]) == (1, 300)
    assert rows(on_database, "select name, phone from core.customers where connection_id = 'sheet' order by name") == [
        ("Анна", "+7 700 000-00-01"),
        ("Борис", None),
    ]

    path.with_name("other.csv").write_text(TABLE.replace("Кто;", "Роль;"), "cp1251")
    refused = otklik("import", str(path.with_name("other.csv")), "--mapping", mapping, "--dry-run")
    assert refused.exit_code == 1
    said = " ".join(refused.stderr.split())
    assert Imports.FAULTS["other_columns"] in said and "columns.role" in said

    before = table_hashes(on_database)
    again = json.loads(otklik("import", str(path), "--mapping", mapping, "--connection", "sheet", "--json").stdout)
    assert again["files"][0]["state"] == "unchanged"
    assert table_hashes(on_database) == before


def test_a_mapping_that_cannot_be_used_is_told_by_its_setting(otklik: Otklik, tmp_path: Path) -> None:
    path, mapping = tmp_path / "t.csv", tmp_path / "m.yaml"
    path.write_text(TABLE, "utf-8")
    mapping.write_text("columns: {time: t}", "utf-8")
    result = otklik("import", str(path), "--mapping", str(mapping))
    assert result.exit_code == 1
    assert "columns.author" in result.stderr


if LOG.exists():

    def test_the_published_log_gets_into_core_and_waits(otklik: Otklik, on_database: Warehouse) -> None:
        result = otklik("import", str(LOG), "--mapping", str(EXAMPLES / "irc.yaml"), "--connection", "irc", "--json")
        told = json.loads(result.stdout)
        nicks = Counter(line.split("<")[1].split(">")[0] for line in LOG.read_text("utf-8").splitlines())
        ours = {"karllekko", "w1zeman1p", "koopajah"}
        assert (told["files"][0]["messages"], told["files"][0]["quarantined"]) == (1200, 0)
        assert told["connections"]["irc"]["flagged_conversations"] == {"several_customers": 1}
        kinds = "select sender_kind, count(*) from core.messages where connection_id = 'irc' group by 1"
        expected = Counter("manager" if nick in ours else "customer" for nick in nicks.elements())
        assert dict(rows(on_database, kinds)) == expected
        assert (expected.total(), len(nicks)) == (1200, 104)
        (people,) = rows(
            on_database,
            "select (select count(*) from core.managers where connection_id = 'irc'),"
            " (select count(*) from core.customers where connection_id = 'irc'),"
            " (select min(sent_at) from core.messages where connection_id = 'irc'),"
            " (select max(sent_at) from core.messages where connection_id = 'irc'),"
            " (select count(*) > 0 from evaluated.waits where connection_id = 'irc' and wait_kind = 'message')",
        )
        assert people == (
            3,
            101,
            datetime(2019, 9, 4, 22, 44, 46, tzinfo=UTC),
            datetime(2019, 9, 5, 15, 12, 1, tzinfo=UTC),
            True,
        )


if TALKS.exists():

    def test_the_published_talks_without_times_stay_outside_of_waits(otklik: Otklik, on_database: Warehouse) -> None:
        result = otklik(
            "import", str(TALKS), "--mapping", str(EXAMPLES / "abcd.yaml"), "--connection", "talks", "--json"
        )
        told = json.loads(result.stdout)
        assert (told["files"][0]["chats"], told["files"][0]["messages"]) == (3, 72)
        assert told["connections"]["talks"]["flagged_conversations"] == {"no_times": 3}
        judged = "select count(*) from evaluated.waits where connection_id = 'talks'"
        assert rows(on_database, judged) == [(0,)]


def test_a_dry_run_shows_no_hashes_and_no_codes(otklik: Otklik, tmp_path: Path) -> None:
    mapping, table = tmp_path / "m.yaml", tmp_path / "t.csv"
    mapping.write_text(
        "columns: {conversation: c, time: at, role: who, text: text, kind: kind, deleted: gone}\n"
        "values: {role: {client: customer, shop: manager}, kind: {image: media, msg: text}}",
        "utf-8",
    )
    table.write_text(
        "c,at,who,kind,text,gone\n1,2026-03-02T09:00:00Z,client,image,,false\n1,2026-03-02T09:01:00Z,shop,msg,x,true\n",
        "utf-8",
    )
    shown = otklik("import", str(table), "--mapping", str(mapping), "--dry-run").stdout
    assert Imports.NAMELESS in shown and f"[{Words.CONTENTS['media']}]" in shown and f"[{Imports.DELETED}]" in shown
    assert "[media]" not in shown and not re.search("[0-9a-f]{16}", shown)
