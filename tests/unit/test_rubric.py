"""Rubrics out of sheets and files: what people write is understood, or every wrong cell is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.headed import Faulty
from conversations.scoring.instructions import LONGEST_INSTRUCTIONS, line_diff, text_of_rows
from conversations.scoring.rubric import (
    CODES,
    RULE_NAMES,
    RubricError,
    as_json,
    criteria_hash,
    criteria_of_rows,
    criteria_of_yaml,
    diff,
    of_json,
    rubric_of,
)
from conversations.scoring.rules import RULES
from conversations.scoring.shapes import Criterion
from resources.settings import PROJECT_ROOT

HEAD = ["Код", "Критерий", "Вопрос", "Вес"]
LONG = [*HEAD, "Шкала", "Кого касается", "Автопровал", "Может не применяться", "Правило", "Комментарий РОПа"]
PLAIN = ["greeting", "Приветствие", "Поздоровался?", 10]
FILES = sorted((PROJECT_ROOT / "prompts").glob("*/rubric.yaml"))


def faults(rows: list[list[Any]]) -> list[str]:
    with pytest.raises(RubricError) as caught:
        criteria_of_rows(rows)
    return [str(fault) for fault in caught.value.faults]


def test_a_sheet_as_people_write_it() -> None:
    rows = [
        ["Чек-лист отдела продаж"],
        [],
        [" КОД ", "Критерий *", "Как оценивать:", "Вес", *LONG[4:]],
        ["Greeting", " Привет\u00adствие ", "1 — да;\r\n0  — нет", 10.0, "", "", "", "", "greeting", "спросить Олега"],
        [],
        ["price", 42, "Цена?", "30", "0–5", "Клиент", True, "Да"],
        ["polite", "Вежливость", "Вежлив?", 5, "да/нет", "любой", "нет", False],
    ]
    assert criteria_of_rows(rows) == (
        Criterion("greeting", "Приветствие", "1 — да;\n0 — нет", 10, 1, "manager", False, False, "greeting"),
        Criterion("price", "42", "Цена?", 30, 5, "customer", True, True, None),
        Criterion("polite", "Вежливость", "Вежлив?", 5, 1, "anyone", False, False, None),
    )


def test_english_headings() -> None:
    rows = [["code", "criterion", "description", "weight", "scale", "auto-fail", "may not apply", "note"], PLAIN]
    assert criteria_of_rows(rows) == criteria_of_rows([HEAD, PLAIN])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ["no_heading_row"]),
        ([["Код"], PLAIN], ["no_heading_row"]),
        ([HEAD], ["no_criteria"]),
        ([[*HEAD, "Автопровл"], PLAIN], ["E1: unknown_heading"]),
        ([[*HEAD, "Weight"], PLAIN], ["E1: double_heading"]),
        ([["Код", "Критерий", "Вес"], PLAIN], ["1 (question): missing_heading"]),
        ([HEAD, PLAIN, PLAIN], ["A3: double_code"]),
        ([HEAD, PLAIN, ["x", "", "?", 1]], ["B3: empty"]),
        ([HEAD, ["1x", *PLAIN[1:]]], ["A2: bad_code"]),
        ([HEAD, ["приветствие", *PLAIN[1:]]], ["A2: bad_code"]),
        ([HEAD, ["x" * 41, *PLAIN[1:]]], ["A2: bad_code"]),
        ([HEAD, [*PLAIN[:3], 0]], ["D2: out_of_range"]),
        ([HEAD, [*PLAIN[:3], 1001]], ["D2: out_of_range"]),
        ([HEAD, [*PLAIN[:3], 0.3]], ["D2: not_whole"]),
        ([HEAD, [*PLAIN[:3], True]], ["D2: not_whole"]),
        ([HEAD, [*PLAIN[:3], "30 %"]], ["D2: not_whole"]),
        ([LONG, [*PLAIN, "1-5"]], ["E2: bad_scale"]),
        ([LONG, [*PLAIN, 11]], ["E2: out_of_range"]),
        ([LONG, [*PLAIN, 0]], ["E2: out_of_range"]),
        ([LONG, [*PLAIN, 1, "директор"]], ["F2: bad_about"]),
        ([LONG, [*PLAIN, 1, "", "может быть"]], ["G2: not_yes_or_no"]),
        ([LONG, [*PLAIN, 1, "", "", "", "shouts"]], ["I2: unknown_rule"]),
        ([HEAD, ["a", True, "?", 1]], ["B2: not_a_value"]),
        ([HEAD, ["a", "т" * 201, "?", 1]], ["B2: too_long"]),
        ([HEAD, ["a", "т", "?" * 2001, 1]], ["C2: too_long"]),
        ([HEAD, *[[f"c{n}", "т", "?", 1] for n in range(61)]], ["too_many"]),
        ([HEAD, ["1", "", "?", "x"], PLAIN, ["b", "c"]], [
            "A2: bad_code", "B2: empty", "D2: not_whole", "C4: empty", "D4: empty"]),
    ],
)  # fmt: skip
def test_every_wrong_cell_is_named(rows: list[list[Any]], expected: list[str]) -> None:
    assert faults(rows) == expected
    assert {one.rpartition(" ")[2] for one in expected} <= set(CODES)


def test_an_error_never_quotes_a_cell() -> None:
    with pytest.raises(RubricError) as caught:
        criteria_of_rows([HEAD, ["ТАЙНА", "", "ТАЙНА", "ТАЙНА"], *[["ТАЙНА"] * 4] * 40])
    assert "ТАЙНА" not in str(caught.value)
    assert len(str(caught.value)) < 500


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers())


@given(st.lists(st.lists(CELLS, max_size=9), max_size=6))
def test_any_rows_are_criteria_or_faults(rows: list[list[Any]]) -> None:
    for given_rows in (rows, [HEAD, *rows], [LONG, *rows]):
        try:
            found = criteria_of_rows(given_rows)
        except RubricError as error:
            assert error.faults and {fault.code for fault in error.faults} <= set(CODES)
        else:
            assert found and all(1 <= one.best <= 10 and one.weight >= 1 and one.title for one in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_rubrics_that_come_along(path: Path) -> None:
    criteria = criteria_of_yaml(path.read_text("utf-8"))
    assert 6 <= len(criteria) <= 9
    assert sum(one.weight for one in criteria) == 100
    assert sum(one.rule is not None for one in criteria) >= 4, "useful without a model"
    assert [one.code for one in criteria if one.fails_all] == ["politeness"]
    for one in criteria:
        assert all(f"{mark} — " in one.question for mark in range(one.best + 1)), f"{one.code}: a mark is not explained"
        assert one.may_not_apply == ("Не применяется" in one.question)


def test_the_rules_that_a_criterion_may_name_are_those_that_there_are() -> None:
    assert set(RULE_NAMES) == set(RULES)


def test_there_is_a_rubric_for_both_departments_and_for_chats() -> None:
    assert [path.parent.name for path in FILES] == ["chats", "office_calls", "sales_calls"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", ["not_yaml"]),
        ("", ["criteria: wrong_shape"]),
        ("criteria: {}", ["criteria: wrong_shape"]),
        ("criteria: []\nmore: 1", ["criteria: wrong_shape"]),
        ("criteria: []", ["no_criteria"]),
        ("criteria: [1]", ["criteria[0]: wrong_shape"]),
        ("criteria: [{code: a, title: b, question: c, weight: 1, weigth: 2}]", ["criteria[0]: unknown_heading"]),
        ("criteria: [{code: a, title: b, question: c}]", ["criteria[0].weight: empty"]),
        ("criteria: [{code: a, title: b, question: c, weight: [1]}]", ["criteria[0].weight: not_whole"]),
        ("criteria: [{code: a, title: {}, question: c, weight: 1}]", ["criteria[0].title: not_a_value"]),
        ("# " + "x" * 300_000, ["too_long"]),
    ],
)
def test_a_wrong_file_names_its_keys(text: str, expected: list[str]) -> None:
    with pytest.raises(RubricError) as caught:
        criteria_of_yaml(text)
    assert [str(fault) for fault in caught.value.faults] == expected


def test_the_hash_is_that_of_the_content_in_its_order() -> None:
    one, two = criteria_of_rows([HEAD, PLAIN, ["b", "Б", "Б?", 5]])
    text = json.dumps([one._asdict(), two._asdict()], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert criteria_hash((one, two)) == hashlib.sha256(text.encode()).hexdigest()
    assert criteria_hash((two, one)) != criteria_hash((one, two)) != criteria_hash((one,))
    assert rubric_of("r", 3, [one, two]).hash == criteria_hash([one, two])
    assert of_json(json.loads(json.dumps(as_json([one, two])))) == (one, two)


def test_the_difference_of_two_versions() -> None:
    a, b, c = (Criterion(code, code, "?", 1, 1) for code in "abc")
    assert diff((a, b), (a, b)) == {"added": [], "removed": [], "changed": {}, "reordered": False}
    assert diff((a, b), (c, a._replace(weight=2, title="A"))) == {
        "added": ["c"], "removed": ["b"], "changed": {"a": ["title", "weight"]}, "reordered": False,
    }  # fmt: skip
    assert diff((a, b), (b, a))["reordered"]


def test_instructions_are_a_text_of_lines() -> None:
    assert text_of_rows([[], ["Тон", None, " спокойный\t"], [""], [], ["Скидка", 5.0], []]) == (
        "Тон — спокойный\n\nСкидка — 5"
    )
    assert text_of_rows([]) == ""
    with pytest.raises(Faulty, match="B1: not_a_value"):
        text_of_rows([["a", True]])
    assert len(text_of_rows([["я" * LONGEST_INSTRUCTIONS]])) == LONGEST_INSTRUCTIONS
    with pytest.raises(Faulty, match="too_long"):
        text_of_rows([["я" * (LONGEST_INSTRUCTIONS + 1)]])


def test_the_lines_that_came_and_went() -> None:
    assert line_diff("a\n\nb\nc", "a\nc\n\nd") == {"added": ["d"], "removed": ["b"]}
