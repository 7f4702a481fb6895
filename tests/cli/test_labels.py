"""``otklik labels``: from judged calls to a table, from marks to figures and gates; a new judge starts at nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conversations.messages import Labels
from resources.labels import files
from resources.warehouse.engine import Warehouse
from tests.cards import CRITERIA, put_cards, put_rubric
from tests.cli.conftest import Otklik

NA, NONE = "not_applicable", "insufficient_evidence"
POLICY = """
organisation: {name: Пример, time_zone: Europe/Moscow}
departments: {sales: {name: Продажи, rubric: sales_calls, prompt: sales_calls}}
"""


@pytest.fixture
def judged(fresh_database: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Warehouse:
    """An installation with a policy and a rubric."""
    monkeypatch.setenv("DATABASE_URL", fresh_database.url)
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    monkeypatch.setenv("OTKLIK_POLICY", str(policy))
    put_rubric(fresh_database)
    return fresh_database


def rows_of(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as sql:
        return sql.execute(query).fetchall()


def mark(path: Path, marks: dict[str, tuple[Any, Any]], grader: str | None = None) -> None:
    """Fill in a table as a person does, by call."""
    rows = files.read(path)
    for row in rows[1:]:
        row[2:4] = marks.get(json.loads(row[-1])[1], (None, None))
        row[4] = grader
    path.unlink()
    files.write(path, [["" if cell is None else str(cell) for cell in row] for row in rows], CRITERIA)


GATES = "select criterion, state, reasons, labelled, kappa, human_kappa, fell_at is not null from reference.criterion_gates order by 1"  # noqa: E501


def test_the_way_of_a_label(otklik: Otklik, judged: Warehouse, tmp_path: Path) -> None:
    calls = put_cards(judged, [(1, 2), (0, 0), (1, NA), (1, 1), (0, NONE), (1, 2)])
    path = tmp_path / "labels.xlsx"
    shown = otklik("labels", "export", "--rubric", "sales_calls", "--file", str(path))
    assert shown.exit_code == 0 and "разговоров 6 из 6" in shown.stdout

    rows = files.read(path)
    assert {row[1] for row in rows[1:]} == {
        "1. Менеджер: Добрый день, компания Тёплый край.\n2. Клиент: Перезвоните мне на [телефон]"
    }
    assert all(row[2:5] == [None, None, None] for row in rows[1:])
    assert "сказал" not in str(rows)
    again = otklik("labels", "export", "--rubric", "sales_calls", "--file", str(path))
    assert again.exit_code == 2 and "уже есть" in again.stderr

    people = [(1, 2), (0, 1), (1, "н/п"), (0, 1), (0, 0), (1, "нд")]
    mark(path, dict(zip(calls, people, strict=True)), grader="anna")
    assert (
        "новых 12, исправленных 0, прежних 0; разговоров 6, размечали 1" in otklik("labels", "import", str(path)).stdout
    )
    assert "новых 0, исправленных 0, прежних 12" in otklik("labels", "import", str(path)).stdout
    mark(path, {calls[0]: (1, 2), calls[3]: (1, 1)})
    assert "новых 4," in otklik("labels", "import", str(path), "--grader", "boris").stdout
    assert rows_of(judged, "select subject from ops.audit where action = 'import_labels' order by at") == [
        ("12 marks",), ("12 marks",), ("4 marks",),
    ]  # fmt: skip

    shown = otklik("labels", "measure", "--json")
    assert shown.exit_code == 0, shown.stderr
    found = json.loads(shown.stdout)
    by_code = {one["criterion"]: one for one in found}
    greeting, offer = by_code["greeting"], by_code["offer"]
    # yes of the judge 4 of 6, of people 3.5, since two are apart on the fourth talk: half a talk apart
    assert greeting["labelled"] == 6 and greeting["human_items"] == 2
    assert greeting["kappa"] == pytest.approx(1 - 0.5 * 6 / (4 * 2.5 + 2 * 3.5))
    assert greeting["human_kappa"] == pytest.approx(0.0) and greeting["verified_share"] == 1
    # the judge's "no evidence" is labelled and not compared, the person's is no label
    assert offer["labelled"] == 5 and offer["answers"] == 6 and offer["insufficient_share"] == pytest.approx(1 / 5)
    # compared 2:2, 0:1, n:n, 1:1; by chance the judge's 2 is 6 apart from people's four, 0 is 10, n is 12, 1 is 5
    assert offer["kappa"] == pytest.approx(1 - 1 * 4 / 33)
    assert {one["state"] for one in found} == {"calibration"}
    table = otklik("labels", "measure").stdout
    assert "калибровка" in table and "n = 6" in table and "размечено меньше 200 разговоров" in table
    assert rows_of(judged, GATES)[0][:4] == (
        "greeting",
        "calibration",
        ["few_labels", "humans_unknown", "flips_unknown"],
        6,
    )


def test_the_plot_is_a_picture(otklik: Otklik, judged: Warehouse, tmp_path: Path) -> None:
    calls = put_cards(judged, [(1, 2), (0, 0), (1, 1)])
    path, picture = tmp_path / "labels.csv", tmp_path / "plot.png"
    otklik("labels", "export", "--rubric", "sales_calls", "--file", str(path))
    mark(path, dict.fromkeys(calls, (1, 1)))
    otklik("labels", "import", str(path), "--grader", "anna")
    assert otklik("labels", "measure", "--plot", str(picture)).exit_code == 2
    assert otklik("labels", "measure", "--rubric", "sales_calls", "--plot", str(picture)).exit_code == 0
    first = picture.read_bytes()
    assert first.startswith(b"\x89PNG") and len(first) > 5_000
    otklik("labels", "measure", "--rubric", "sales_calls", "--plot", str(picture))
    assert picture.read_bytes() == first


def test_a_broken_table_changes_nothing(otklik: Otklik, judged: Warehouse, tmp_path: Path) -> None:
    calls = put_cards(judged, [(1, 2), (0, 0)])
    path = tmp_path / "labels.csv"
    otklik("labels", "export", "--rubric", "sales_calls", "--file", str(path))
    mark(path, {calls[0]: (1, 9), calls[1]: (1, 1)})
    result = otklik("labels", "import", str(path), "--grader", "anna")
    assert result.exit_code == 1 and re.search(r"D[23]: отметка вне шкалы", result.stderr)
    mark(path, {calls[0]: (1, 1)})
    path.write_text(path.read_text("utf-8").replace(calls[0], "tbank:999"), "utf-8")
    result = otklik("labels", "import", str(path), "--grader", "anna")
    assert result.exit_code == 1 and "tbank:999: " + Labels.FAULTS["unknown"] in " ".join(result.stderr.split())
    assert rows_of(judged, "select count(*) from reference.labels") == [(0,)]
    path.write_text("a;b\n", "utf-8")
    assert "otklik labels export" in otklik("labels", "import", str(path)).stderr


def test_where_nothing_is_judged_or_labelled(otklik: Otklik, judged: Warehouse, tmp_path: Path) -> None:
    result = otklik("labels", "export", "--rubric", "sales_calls", "--file", str(tmp_path / "x.csv"))
    assert result.exit_code == 1 and "otklik score" in result.stderr and not (tmp_path / "x.csv").exists()
    assert otklik("labels", "export", "--rubric", "a", "--file", str(tmp_path / "x.pdf")).exit_code == 2
    assert "Измерять нечего" in otklik("labels", "measure").stdout
    assert otklik("labels", "measure", "--json").stdout.strip() == "[]"
