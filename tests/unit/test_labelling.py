"""The table that people mark: which talks are in it, how it comes back from Excel, what is refused and where."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.messages import Labels
from conversations.scoring.labelling import (
    BadCell,
    Judge,
    Judged,
    Label,
    chosen,
    headings,
    is_table,
    judges_of,
    key_of,
    read,
    row_of,
)
from conversations.scoring.shapes import Criterion, Rubric
from resources.labels import files

JUDGE = Judge("sales", 3, "f" * 64, "openai/judge")
GREETING = Criterion("greeting", "Приветствие", "Поздоровался?", 5, 1)
OFFER = Criterion("offer", "=Предложение; «с ценой»", "Предложил?", 20, 2, may_not_apply=True)
RUBRIC = Rubric("sales", 3, (GREETING, OFFER), "0" * 64)
RUBRICS = {("sales", 3): RUBRIC}
SAID = '1. Менеджер: Добрый день;\n2. Клиент: =СУММ(A1) "цена"?\n3. Клиент: \x07 ну'


def talk(subject_id: str = "c1", stratum: str = "sales 2026-W47") -> Judged:
    return Judged(JUDGE, "call", subject_id, stratum)


def table(*rows: tuple[Any, ...], grader: Any = "anna") -> list[list[Any]]:
    """Rows of (talk, greeting, offer)."""
    made: list[list[Any]] = [list(headings(RUBRIC.criteria))]
    for number, (subject_id, greeting, offer) in enumerate(rows, 1):
        made.append([number, SAID, greeting, offer, grader, key_of(talk(subject_id))])
    return made


def label(subject_id: str, criterion: str, given: Any, grader: str = "anna") -> Label:
    return Label(JUDGE, "call", subject_id, criterion, grader, given)


# --- which talks -----------------------------------------------------------------------------------------------------


def test_every_stratum_gives_the_same_share_and_a_small_one_at_least_one() -> None:
    talks = [
        talk(f"{name}{n}", name) for name, count in (("a", 60), ("b", 30), ("c", 9), ("d", 1)) for n in range(count)
    ]
    picked = chosen(talks, 20, 0)
    # 12, 6, 1.8 and 0.2 talks: the smallest gets one before remainders are rounded up
    assert Counter(one.stratum for one in picked) == {"a": 12, "b": 6, "c": 1, "d": 1}
    assert len({one.subject_id for one in picked}) == 20


def test_the_sample_depends_on_its_seed_alone() -> None:
    talks = [talk(str(n), str(n % 3)) for n in range(50)]
    assert chosen(talks, 10, 1) == chosen(reversed(talks), 10, 1) != chosen(talks, 10, 2)


@given(counts=st.lists(st.integers(1, 30), max_size=8), size=st.integers(1, 120), seed=st.integers(0, 5))
def test_a_sample_has_as_many_as_asked_for_or_all(counts: list[int], size: int, seed: int) -> None:
    talks = [talk(f"{stratum}-{n}", str(stratum)) for stratum, count in enumerate(counts) for n in range(count)]
    picked = chosen(talks, size, seed)
    assert len(picked) == len(set(picked)) == min(size, len(talks))
    taken = Counter(one.stratum for one in picked)
    assert all(taken[str(n)] <= count for n, count in enumerate(counts))
    assert size < len(counts) or all(taken[str(n)] for n in range(len(counts)))


# --- the table -------------------------------------------------------------------------------------------------------


def test_what_a_person_gets_holds_no_mark_and_no_word_of_the_judge() -> None:
    assert headings(RUBRIC.criteria) == [
        "№", "Разговор", "greeting — Приветствие (0–1, н/д)", "offer — =Предложение; «с ценой» (0–2, н/п, н/д)",
        "Кто разметил", "Код разговора (не менять)",
    ]  # fmt: skip
    assert row_of(1, talk(), SAID, RUBRIC.criteria)[:-1] == ["1", SAID, "", "", ""]
    assert len(row_of(1, talk(), "я" * 40_000, RUBRIC.criteria)[1]) == 32_000


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_table_goes_out_and_comes_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels.{ending}"
    rows = [headings(RUBRIC.criteria), *(row_of(n, talk(f"c{n}"), SAID, RUBRIC.criteria) for n in range(1, 4))]
    files.write(path, rows, RUBRIC.criteria)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    back = files.read(path)
    assert is_table(back) and judges_of(back) == {JUDGE}
    assert read(back, RUBRICS) == ([], [BadCell("C2", "empty")])
    back[1][2], back[1][4], back[3][3] = "1", "anna", "н/п"
    assert read(back, RUBRICS, "boris") == (
        [label("c1", "greeting", 1), label("c3", "offer", "not_applicable", "boris")], [],
    )  # fmt: skip
    with pytest.raises(FileExistsError):
        files.write(path, rows, RUBRIC.criteria)


def test_no_text_of_a_workbook_is_a_formula(tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "labels.xlsx"
    files.write(path, [headings(RUBRIC.criteria), row_of(1, talk(), "=1+1", RUBRIC.criteria)], RUBRIC.criteria)
    book = openpyxl.load_workbook(path)
    kinds = {cell.data_type for sheet in book for row in sheet for cell in row if cell.value is not None}
    assert kinds == {"s"} and book[Labels.SHEET]["B2"].value == "=1+1"
    assert [row[0].value for row in book[Labels.GUIDE]][1:3] == ["greeting", "offer"]


def test_no_text_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    files.write(path, [headings(RUBRIC.criteria), row_of(1, talk(), " =1+1", RUBRIC.criteria)], RUBRIC.criteria)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") and "' =1+1" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "content", [b"", b"a;b\r\n1;2\r\n", b"\xff\xfe\x00", b"PK\x03\x04", 'Разговор\n"open'.encode()]
)
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_another_file_is_refused_without_a_word_of_it(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"other.{ending}"
    path.write_bytes(content)
    with pytest.raises(files.BadLabelFile) as caught:
        files.read(path)
    assert str(caught.value) == ""


# --- what was written into it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (0, 0), (2, 2), (2.0, 2), ("2", 2), (" 1 ", 1), ("1,0", 1), ("2.00", 2), ("Н/П", "not_applicable"),
        ("не  применимо", "not_applicable"), ("n/a", "not_applicable"), ("нд", "insufficient_evidence"),
        ("Нет данных", "insufficient_evidence"),
    ],
)  # fmt: skip
def test_a_mark_as_people_and_spreadsheets_write_it(said: Any, expected: Any) -> None:
    assert read(table(("c1", None, said)), RUBRICS) == ([label("c1", "offer", expected)], [])


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (table(("c1", 2, None)), [BadCell("C2", "scale")]),
        (table(("c1", "да", "1.5"), ("c2", True, -1)),
         [BadCell("C2", "mark"), BadCell("D2", "mark"), BadCell("C3", "mark"), BadCell("D3", "mark")]),
        (table(("c1", "н/п", 1)), [BadCell("C2", "applies")]),
        (table(("c1", 1, 1), grader=None), [BadCell("E2", "grader")]),
        (table(("c1", 1, 1), grader="Анна Иванова"), [BadCell("E2", "grader")]),
        (table(("c1", 1, 1), ("c1", 1, 2)), [BadCell("D3", "twice")]),
        (table(("c1", None, None)), [BadCell("C2", "empty")]),
    ],
)  # fmt: skip
def test_a_fault_names_its_cell(rows: list[list[Any]], faults: list[BadCell]) -> None:
    assert read(rows, RUBRICS)[1] == faults


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "key"), ("c1", "key"), ("[1]", "key"), ("[" * 99_999, "key"),
        ('["call", "c1", "sales", "3", "f", "m"]', "key"), ('["talk", "c1", "sales", 3, "f", "m"]', "key"),
        ('["call", "c\\u00001", "sales", 3, "f", "m"]', "key"),
        ('["call", "c1", "sales", 2147483648, "f", "m"]', "key"),
        ('["call", "c1", "sales", 4, "f", "m"]', "version"),
    ],
)  # fmt: skip
def test_a_row_without_its_key_is_refused(key: str, fault: str) -> None:
    rows = table(("c1", 1, None))
    rows[1][-1] = key
    assert read(rows, RUBRICS)[1] == [BadCell("F2", fault)]  # type: ignore[arg-type]


def test_a_column_that_the_rubric_does_not_have_is_refused_and_a_column_of_notes_is_not() -> None:
    rows = table(("c1", 1, 1))
    rows[0] += ["politeness — Вежливость (0–1)", "Мои заметки"]
    rows[1] += [1, "сомневаюсь"]
    assert read(rows, RUBRICS)[1] == [BadCell("G2", "criterion")]
    rows[0][-2] = "Вежливость"
    assert read(rows, RUBRICS) == ([label("c1", "greeting", 1), label("c1", "offer", 1)], [])


def test_the_same_mark_twice_is_one() -> None:
    assert read(table(("c1", 1, None), ("c1", "1", None)), RUBRICS) == ([label("c1", "greeting", 1)], [])


@given(st.lists(st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=8), max_size=7), max_size=5))
def test_no_cells_break_the_reading(cells: list[list[Any]]) -> None:
    rows = [list(headings(RUBRIC.criteria)), *cells]
    judges_of(rows)
    labels, faults = read(rows, RUBRICS, "anna")
    assert faults or labels
