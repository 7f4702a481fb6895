"""``otklik operators`` and ``otklik requirements``: a file's way into the directory, what is shown, what is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from conversations.headed import Faulty
from conversations.messages import Requirements
from conversations.operators import CODES as OF_OPERATORS
from conversations.scoring.credentials import KINDS
from conversations.scoring.rubric import CODES as OF_RUBRICS
from resources.clients.errors import (
    BadAnswer,
    BadConfiguration,
    DeadlineExceeded,
    Forbidden,
    NeedsAuth,
    NotFound,
    RateLimited,
    Refused,
    TransientError,
    WrongHost,
)
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik

pytestmark = pytest.mark.usefixtures("on_database", "policy")
LIST = "Оператор;ФИО;Отдел;Офис;Супервайзер;Телефон;С даты\n"


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("departments:\n  sales: {name: Продажи, rubric: sales_calls, prompt: sales_calls}\n", "utf-8")
    monkeypatch.setenv("OTKLIK_POLICY", str(path))
    return path


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "operators.csv"
    path.write_text(text, "utf-8")
    return str(path)


def workbook(path: Path, *rows: list[Any]) -> str:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return str(path)


def test_a_file_gets_in_and_is_shown(otklik: Otklik, on_database: Warehouse, tmp_path: Path) -> None:
    assert "Справочник пуст" in otklik("operators", "list").stdout
    file = written(
        tmp_path, LIST + "314;Анна;Продажи;Алматы;Пётр;8 701 000 00 01;\n314;Анна;;;;;04.05.2026\n\nv;Вера;sales;;;;\n"
    )
    counts = json.loads(otklik("operators", "import", file, "--json").stdout)
    assert counts == {"rows": 3, "added": 3, "changed": 0, "removed": 0, "shortened": 0, "beside": 0}
    again = otklik("operators", "import", file)
    assert again.exit_code == 0 and "Строк в файле" in again.stdout and "обновит" not in again.stdout
    rows = json.loads(otklik("operators", "list", "--json").stdout)
    assert [(one["operator"], one["department"], one["valid_from"], one["valid_until"]) for one in rows] == [
        ("314", "sales", None, "2026-05-04"), ("314", None, "2026-05-04", None), ("v", "sales", None, None),
    ]  # fmt: skip
    assert (rows[0]["office"], rows[0]["supervisor"], rows[0]["phone"]) == ("Алматы", "Пётр", "77010000001")
    shown = otklik("operators", "list").stdout
    assert "по 03.05.2026" in shown and "с 04.05.2026" in shown


def test_a_workbook_is_the_same_list(otklik: Otklik, tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "операторы.xlsx", ["Операторы"], [], ["Оператор", "ФИО", "Отдел", "С даты"],
        [314, "Анна", "Продажи", datetime(2026, 5, 4)],
    )  # fmt: skip
    assert otklik("operators", "import", file, "--connection", "second").exit_code == 0
    rows = json.loads(otklik("operators", "list", "--json").stdout)
    assert ("second", "314", "2026-05-04") in [(one["connection"], one["operator"], one["valid_from"]) for one in rows]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LIST + "314;;склад;;;;\n5;Борис;склад;;;телефон;\n", "B2: пусто; C3: такого отдела нет в политике"),
        (LIST, "нет ни одной строки"),
        ("Оператор;ФИО;Одел\n1;А;\n", "C1: неизвестный заголовок; 1 (department_id): нет обязательного столбца"),
        ("что угодно\n", "нет строки заголовков"),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path, text: str, said: str
) -> None:
    before = otklik("operators", "list", "--json").stdout
    result = otklik("operators", "import", written(tmp_path, text))
    assert result.exit_code == 1
    assert said in result.stderr and "Борис" not in result.output and "Traceback" not in result.output
    assert otklik("operators", "list", "--json").stdout == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Оператор;ФИО\n1;Анна\n".encode("cp1251"), "UTF-8"),
        (b"PK\x03\x04 not a zip", "архив"),
        (b"", "пуст"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(otklik: Otklik, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    result = otklik("operators", "import", str(path))
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert said in result.stderr


def test_requirements_are_read_and_shown(otklik: Otklik, tmp_path: Path, policy: Path) -> None:
    shown = otklik("requirements")
    assert shown.exit_code == 0
    assert "prompts/sales_calls/rubric.yaml" in shown.stdout and "1 — новая" in shown.stdout
    (look,) = json.loads(otklik("requirements", "--json").stdout)
    assert (look["state"], look["version"], look["is_new"]) == ("ok", 1, False)
    broken = otklik("requirements", OTKLIK_PROMPTS_DIR=str(tmp_path))
    assert broken.exit_code == 0
    assert "нет файла" in broken.stdout and "последняя хорошая версия" in broken.stdout
    policy.write_text("{}", "utf-8")
    assert "departments" in otklik("requirements").stdout


def test_every_code_has_its_words() -> None:
    of_google = {
        error.reason
        for error in (
            TransientError, RateLimited, DeadlineExceeded, BadConfiguration, NeedsAuth, Forbidden, NotFound, Refused,
            WrongHost, BadAnswer,
        )
    }  # fmt: skip
    assert {*OF_RUBRICS, *OF_OPERATORS, *KINDS, *of_google} <= set(Requirements.FAULTS)
    assert Requirements.reason(str(Faulty([]))) == ""
