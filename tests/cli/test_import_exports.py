"""``otklik import`` of exported chats: what is stored, what is only shown, what must be declared, what is refused.

Expected figures are counted from the texts that the tests themselves write.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conversations.messages import Imports
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests import hostile
from tests.cli.conftest import Otklik
from tests.unit.test_archives import CORPUS

pytestmark = pytest.mark.usefixtures("on_database")
TITLE = "Чат WhatsApp с контактом Анна.txt"


def rows(database: Warehouse, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(statement, values).fetchall()  # type: ignore[arg-type]


def test_a_private_chat_is_understood_by_the_name_of_its_file(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    path = hostile.chat(tmp_path / TITLE)
    result = otklik("import", str(path), "--connection", "one", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    (file,) = told["files"]
    assert (file["format"], file["state"], file["chats"], file["messages"]) == ("whatsapp", "done", 1, 3)
    assert (file["inserted"], file["quarantined"]) == (3, 0)
    # 10:00 in Moscow, the organisation's zone
    assert file["first_at"] == "2026-02-01T07:00:00+00:00"
    summary = told["connections"]["one"]
    assert (summary["conversations"], summary["messages"], summary["managers"]) == (1, 3, 1)
    # one question answered after five minutes, one not at all
    assert (summary["first_replies"], summary["first_reply_p50_seconds"]) == (1, 300)

    before = table_hashes(on_database)
    again = otklik("import", str(path), "--connection", "one", "--json")
    assert json.loads(again.stdout)["files"][0]["state"] == "unchanged"
    assert table_hashes(on_database) == before
    assert Imports.UNCHANGED in otklik("import", str(path), "--connection", "one").stdout


def test_a_later_export_of_the_chat_is_an_addition(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    path = hostile.chat(tmp_path / TITLE)
    assert otklik("import", str(path), "--connection", "growing").exit_code == 0
    hostile.chat(path, hostile.CHAT + "13.02.2026, 11:01 - Лавка: слушаю\n")
    told = json.loads(otklik("import", str(path), "--connection", "growing", "--json").stdout)
    assert (told["files"][0]["inserted"], told["connections"]["growing"]["messages"]) == (1, 4)
    assert rows(on_database, "select count(*) from core.messages where connection_id = 'growing'") == [(4,)]


def test_a_dry_run_shows_what_is_understood_and_stores_nothing(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    path = hostile.chat(tmp_path / "_chat.txt", hostile.CHAT + "13.02.2026, 11:05 - Пётр: и мне\n")
    before = table_hashes(on_database)
    shown = otklik("import", str(path), "--dry-run")
    assert shown.exit_code == 0
    assert Imports.DRY_RUN in shown.stdout and "--manager" in shown.stdout
    assert all(name in shown.stdout for name in ("Анна", "Лавка", "Пётр"))
    told = json.loads(otklik("import", str(path), "--dry-run", "--json", "--manager", "лавка ").stdout)
    (chat,) = told["files"][0]["chats"]
    assert {one["name"]: (one["side"], one["messages"]) for one in chat["people"]} == {
        "Анна": ("customer", 2), "Лавка": ("manager", 1), "Пётр": ("customer", 1)
    }  # fmt: skip
    shown = otklik("import", str(path), "--dry-run", "--manager", "Лавка")
    assert "здравствуйте" in shown.stdout and Imports.SIDES["manager"] in shown.stdout
    assert table_hashes(on_database) == before


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (hostile.CHAT.replace("13.02", "03.02"), (), "--date-order"),
        (hostile.CHAT + "13.02.2026, 11:05 - Пётр: и мне\n", (), "--manager"),
        (hostile.CHAT, ("--time-zone", "Mars/Olympus"), "Mars/Olympus"),
        (hostile.CHAT, ("--date-order", "rot13"), "rot13"),
        (hostile.CHAT, ("--managers", "absent.txt"), "absent.txt"),
        (hostile.CHAT, ("--mapping", "absent.yaml"), "absent.yaml"),
    ],
)
def test_what_must_be_declared_is_asked_for_by_the_option(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path, text: str, options: tuple[str, ...], said: str
) -> None:
    before = table_hashes(on_database)
    result = otklik("import", str(hostile.chat(tmp_path / "_chat.txt", text)), "--connection", "asked", *options)
    assert result.exit_code == 2
    assert said in result.stderr and "Traceback" not in result.output
    assert table_hashes(on_database) == before


def test_an_order_that_the_file_disproves_is_to_be_left_out(otklik: Otklik, tmp_path: Path) -> None:
    result = otklik("import", str(hostile.chat(tmp_path / TITLE)), "--dry-run", "--date-order", "mdy")
    assert result.exit_code == 1
    assert Imports.FAULTS["other_date_order"] in " ".join(result.stderr.split())


def test_a_file_without_conversations_says_so(otklik: Otklik, tmp_path: Path) -> None:
    """Saved messages only: nobody is missing a manager, and the rows that are no conversation are counted."""
    path = tmp_path / "result.json"
    note = {"id": 1, "type": "message", "date": "2026-03-02T12:00:00", "from": "О", "from_id": "user1", "text": "x"}
    path.write_text(json.dumps({"type": "saved_messages", "id": 1, "messages": [note]}), "utf-8")
    shown = otklik("import", str(path), "--dry-run").stdout
    assert Imports.NO_CHATS in shown and Imports.NO_MANAGERS not in " ".join(shown.split())
    assert "not_a_conversation" in shown


def test_a_list_of_managers_is_read_from_a_file(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    path = hostile.chat(tmp_path / "_chat.txt", hostile.CHAT + "13.02.2026, 11:05 - Пётр: отвечу\n")
    listed = tmp_path / "managers.txt"
    listed.write_text("# наши\nЛавка\n\nПётр\n", "utf-8")
    result = otklik("import", str(path), "--connection", "listed", "--managers", str(listed))
    assert result.exit_code == 0, result.stderr
    assert rows(on_database, "select name from core.managers where connection_id = 'listed' order by 1") == [
        ("Лавка",), ("Пётр",)
    ]  # fmt: skip


def test_good_files_of_a_batch_are_imported_and_each_bad_one_is_one_line(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    """F25: the whole corpus in one call, with two good files among it."""
    paths = [make(tmp_path / name) for name, (make, _) in CORPUS.items()]
    good = [hostile.chat(tmp_path / TITLE), hostile.archive(tmp_path / "WhatsApp Chat - Вера.zip",
            ("_chat.txt", hostile.CHAT.replace("Анна", "Вера")))]  # fmt: skip
    before = {path for path in tmp_path.rglob("*")}
    order = [paths[0], good[0], *paths[1:], good[1]]
    result = otklik("import", *map(str, order), "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert [one["state"] for one in told["files"]].count("done") == 2
    assert {one["file"]: one["reason"] for one in told["files"] if one["state"] == "failed"} == {
        name: code for name, (_, code) in CORPUS.items()
    }
    lines = [line for line in result.stderr.splitlines() if line.startswith("Ошибка:")]
    assert len(lines) == len(CORPUS) + 1 and lines[-1].endswith(f"{len(CORPUS)} из {len(order)}")
    for name, (_, code) in CORPUS.items():
        assert sum(f" {name}: {Imports.FAULTS[code]}" in line for line in lines) == 1, name
    assert rows(on_database, "select count(*) from core.messages where connection_id = 'whatsapp_export'") == [(6,)]
    assert rows(
        on_database, "select state, count(*) from ops.imports where connection_id = 'whatsapp_export' group by 1"
    ) == [("done", 2)]
    assert set(tmp_path.rglob("*")) == before


MARKS = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NASTY = [
    "Robert'); drop table core.messages; --",
    "%s %(connection_id)s %n 100%",
    "{0} {connection} {{x}} ${HOME} $(id)",
    "\"quotes\" 'and' `ticks` \\ \\x41 \\u0041",
    "[bold red]rich[/bold red] [link=file:///etc/passwd]x[/link]",
    "\u202eоборот\u202c \u2066и\u2069 \u200bнуль",
    '=HYPERLINK("http://x") @SUM(1) +1 -1',
    "ы" * 5000,
    "<script>alert(1)</script> & &amp;",
    "tab\there\vand\fthere \x1b[31mred\x07",
    "нуль\x00внутри",
]


def test_names_and_texts_are_data_whatever_they_hold(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    """F26: through the reader, raw, core, evaluated, the screen and JSON."""
    names = [f"{word[:60]} {n}" for n, word in enumerate(NASTY) if "\x00" not in word]
    lines = ["13.02.2026, 09:00 - Лавка: начнём"]
    lines += [f"13.02.2026, 10:{n:02d} - {names[n % len(names)]}: {word}" for n, word in enumerate(NASTY)]
    path = hostile.chat(tmp_path / "'; drop table x; -- [red]%s{0}.txt", "\n".join(lines) + "\n")
    arguments = ("import", str(path), "--connection", "nasty", "--manager", "Лавка", "--chat", NASTY[0])
    shown = otklik(*arguments, "--dry-run")
    assert shown.exit_code == 0, shown.stderr
    assert "\u202e" not in shown.stdout and "\x1b" not in shown.stdout and "drop table x" in shown.stdout
    told = otklik(*arguments, "--json")
    assert told.exit_code == 0, told.stderr
    assert (json.loads(told.stdout)["files"][0]["messages"], json.loads(told.stdout)["files"][0]["quarantined"]) == (
        len(lines), 0
    )  # fmt: skip
    stored = rows(
        on_database, "select text from core.messages where connection_id = 'nasty' order by sent_at, message_id"
    )
    expected = ["начнём", *(word.replace("\x00", "\ufffd") for word in NASTY)]
    # a mark of direction is no part of what was said; raw keeps the line as it stood
    assert [MARKS.sub("", text) for (text,) in stored] == [MARKS.sub("", text) for text in expected]
    originals = str(rows(on_database, "select payload -> 'original' from raw.whatsapp_export__messages"))
    assert all(repr(word.replace("\x00", "\ufffd"))[1:-1] in originals for word in NASTY)
    found = rows(on_database, "select count(*) from core.customers where connection_id = 'nasty'")
    assert found == [(len(names),)]
    assert otklik(*arguments, "--json").exit_code == 0
    for column in ("external_id", "payload ->> 'chat'", "payload ->> 'author'"):
        ids = rows(on_database, f"select {column} from raw.whatsapp_export__messages where connection_id = 'nasty'")  # type: ignore[arg-type]
        assert not [one for (one,) in ids if one and any(word[:8] in one for word in (*NASTY, "Лавка"))]


def test_a_published_format_is_recognised_and_several_kinds_go_together(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    fixture = Path(__file__).resolve().parents[1] / "fixtures" / "abcd_conversations.json"
    chat = hostile.chat(tmp_path / TITLE)
    told = json.loads(otklik("import", str(fixture), str(chat), "--json").stdout)
    assert [one["format"] for one in told["files"]] == ["abcd", "whatsapp"]
    assert set(told["connections"]) == {"abcd", "whatsapp_export"}
    # two sources are never one account
    taken = otklik("import", str(chat), "--connection", "abcd")
    assert taken.exit_code == 2 and "--connection" in taken.stderr
