"""A rubric out of what people wrote: rows of a sheet or a YAML file become criteria, or errors that name the cell.

Here: headings, the values of each column, the hash and the difference of two versions. Not here: reading sheets and
files, keeping versions (``resources.requirements``, ``resources.warehouse.requirements``), credentials that somebody
pasted into a cell (``credentials``).

Nothing is guessed, and all errors are told at once. They say the place and a code, never what stands in the cell.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from conversations.headed import Fault, Faulty, Odd, cell_name, clean, headed, is_empty, text_of
from conversations.scoring.shapes import Criterion, Rubric

RULE_NAMES: Final = (
    "greeting",
    "named_himself",
    "asked_clarifying",
    "made_offer",
    "has_next_step",
    "farewell",
    "no_rudeness",
)
"""Rules that can give a mark without a model (``conversations.scoring.rules``)."""
MOST_CRITERIA, MOST_WEIGHT, HIGHEST_MARK = 60, 1_000, 10
LONGEST_TITLE, LONGEST_QUESTION, LARGEST_FILE = 200, 2_000, 256 * 1024
"""Characters."""
_HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "code": ("код", "код критерия", "code"),
    "title": ("критерий", "название", "название критерия", "criterion", "title"),
    "question": ("вопрос", "описание", "вопрос/описание", "как оценивать", "question", "description"),
    "weight": ("вес", "weight"),
    "best": ("максимум", "шкала", "максимум/шкала", "максимальный балл", "scale", "max", "best"),
    "about": ("кого касается", "чья реплика", "about"),
    "fails_all": ("автопровал", "авто-провал", "auto-fail", "auto fail", "auto_fail", "fails_all"),
    "may_not_apply": ("может не применяться", "может быть неприменим", "may not apply", "may_not_apply"),
    "rule": ("правило", "rule"),
}
_NEEDED: Final = ("code", "title", "question", "weight")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SCALE = re.compile(r"0\s*[-–—…/.]+\s*(\d{1,3})")
_YES_NO = frozenset({"да/нет", "да / нет", "yes/no", "yes / no"})
_ABOUT: Final = {
    "manager": ("менеджер", "менеджера", "сотрудник", "сотрудника", "оператор", "оператора", "manager"),
    "customer": ("клиент", "клиента", "покупатель", "покупателя", "customer"),
    "anyone": ("любой", "любого", "все", "всех", "anyone", "any"),
}
_ABOUT_OF: Final = {word: about for about, words in _ABOUT.items() for word in words}
_YES: Final = frozenset({"да", "yes", "true", "истина", "1", "+", "x", "х", "v"})
_NO: Final = frozenset({"нет", "no", "false", "ложь", "0", "-", "–", "—"})

CODES: Final = (
    "no_heading_row",
    "unknown_heading",
    "double_heading",
    "missing_heading",
    "no_criteria",
    "too_many",
    "empty",
    "bad_code",
    "double_code",
    "too_long",
    "not_whole",
    "out_of_range",
    "bad_scale",
    "bad_about",
    "not_yes_or_no",
    "unknown_rule",
    "not_a_value",
    "not_yaml",
    "wrong_shape",
)
"""What can be wrong (words for people: ``conversations.messages.requirements``)."""


class RubricError(Faulty):
    """No rubric can be made of it; says all that is wrong, by places and codes."""


def criteria_of_rows(rows: Sequence[Sequence[Any]]) -> tuple[Criterion, ...]:
    """The criteria of a tab as the Sheets API gives its values: unformatted, rows ragged.

    >>> rows = [["Код", "Критерий", "Вопрос", "Вес"], ["greeting", "Приветствие", "Поздоровался?", 10]]
    >>> criteria_of_rows(rows)[0].best
    1

    Raises:
        RubricError: names every cell that is wrong.
    """
    try:
        at, columns = headed(rows, _HEADINGS, _NEEDED)
    except Faulty as error:
        raise RubricError(error.faults) from None
    faults: list[Fault] = []
    found: list[tuple[Criterion, str]] = []
    for number, row in enumerate(rows[at + 1 :], at + 2):
        cells = {name: row[column] if column < len(row) else None for name, column in columns.items()}
        if all(is_empty(value) for value in cells.values()):
            continue
        places = {name: cell_name(number, column) for name, column in columns.items()}
        criterion = _criterion(cells, places, str(number), faults)
        if criterion is not None:
            found.append((criterion, places["code"]))
    return _whole(found, faults)


def criteria_of_yaml(text: str) -> tuple[Criterion, ...]:
    """The criteria of a ``rubric.yaml``: a list under ``criteria``, its keys the fields of ``Criterion``.

    Raises:
        RubricError: names every key that is wrong.
    """
    if len(text) > LARGEST_FILE:
        raise RubricError([Fault("", "too_long")])
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        raise RubricError([Fault("", "not_yaml")]) from None
    listed = document.get("criteria") if isinstance(document, dict) and set(document) == {"criteria"} else None
    if not isinstance(listed, list):
        raise RubricError([Fault("criteria", "wrong_shape")])
    faults: list[Fault] = []
    found: list[tuple[Criterion, str]] = []
    for number, one in enumerate(listed):
        place = f"criteria[{number}]"
        if not isinstance(one, dict):
            faults.append(Fault(place, "wrong_shape"))
            continue
        faults += [Fault(place, "unknown_heading") for key in one if key not in Criterion._fields]
        criterion = _criterion(one, {name: f"{place}.{name}" for name in Criterion._fields}, place, faults)
        if criterion is not None:
            found.append((criterion, f"{place}.code"))
    return _whole(found, faults)


def as_json(criteria: Iterable[Criterion]) -> list[dict[str, Any]]:
    """The criteria as ``reference.rubrics`` keeps them."""
    return [criterion._asdict() for criterion in criteria]


def of_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Criterion, ...]:
    """The way back from ``as_json``."""
    return tuple(Criterion(**one) for one in stored)


def criteria_hash(criteria: Iterable[Criterion]) -> str:
    """sha256 of the criteria as canonical JSON, 64 hex digits; their order counts, the judge reads them in it."""
    text = json.dumps(as_json(criteria), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rubric_of(rubric_id: str, version: int, criteria: Iterable[Criterion]) -> Rubric:
    """The criteria with their hash."""
    listed = tuple(criteria)
    return Rubric(rubric_id, version, listed, criteria_hash(listed))


def diff(old: Sequence[Criterion], new: Sequence[Criterion]) -> dict[str, Any]:
    """What changed, by codes: ``added``, ``removed``, ``changed`` (code to fields), ``reordered``."""
    before, after = {one.code: one for one in old}, {one.code: one for one in new}
    changed = {
        code: [name for name in Criterion._fields if getattr(before[code], name) != getattr(after[code], name)]
        for code in after
        if code in before and before[code] != after[code]
    }
    common = [code for code in before if code in after]
    return {
        "added": [code for code in after if code not in before],
        "removed": [code for code in before if code not in after],
        "changed": changed,
        "reordered": common != [code for code in after if code in before],
    }


def _criterion(cells: Mapping[str, Any], places: Mapping[str, str], row: str, faults: list[Fault]) -> Criterion | None:
    """One criterion; ``None`` where something is wrong with it, which is added to ``faults``."""
    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        try:
            if name in _NEEDED and is_empty(cells.get(name)):
                raise Odd("empty")
            values[name] = read(cells.get(name))
        except Odd as odd:
            faults.append(Fault(places.get(name, row), odd.code))
    return Criterion(**values) if len(values) == len(_READERS) else None


def _whole(found: Sequence[tuple[Criterion, str]], faults: list[Fault]) -> tuple[Criterion, ...]:
    seen: set[str] = set()
    for criterion, place in found:
        if criterion.code in seen:
            faults.append(Fault(place, "double_code"))
        seen.add(criterion.code)
    if len(found) > MOST_CRITERIA:
        faults.append(Fault("", "too_many"))
    if not found and not faults:
        faults.append(Fault("", "no_criteria"))
    if faults:
        raise RubricError(faults)
    return tuple(criterion for criterion, _ in found)


def _code(value: Any) -> str:
    code = text_of(value, LONGEST_TITLE).lower()
    if not _CODE.fullmatch(code):
        raise Odd("bad_code")
    return code


def _whole_number(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", clean(value), re.ASCII):
        value = int(clean(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Odd("not_whole")
    return value


def _weight(value: Any) -> int:
    weight = _whole_number(value)
    if not 1 <= weight <= MOST_WEIGHT:
        raise Odd("out_of_range")
    return weight


def _best(value: Any) -> int:
    if is_empty(value):
        return 1
    if isinstance(value, str):
        scale = clean(value).casefold()
        if scale in _YES_NO:
            return 1
        if found := _SCALE.fullmatch(scale):
            value = int(found[1])
    try:
        best = _whole_number(value)
    except Odd:
        raise Odd("bad_scale") from None
    if not 1 <= best <= HIGHEST_MARK:
        raise Odd("out_of_range")
    return best


def _about(value: Any) -> str:
    if is_empty(value):
        return "manager"
    about = _ABOUT_OF.get(clean(value).casefold()) if isinstance(value, str) else None
    if about is None:
        raise Odd("bad_about")
    return about


def _yes(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if is_empty(value):
        return False
    word = clean(str(value)).casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise Odd("not_yes_or_no")


def _rule(value: Any) -> str | None:
    if is_empty(value):
        return None
    rule = text_of(value, LONGEST_TITLE).lower()
    if rule not in RULE_NAMES:
        raise Odd("unknown_rule")
    return rule


_READERS: Final = {
    "code": _code,
    "title": lambda value: text_of(value, LONGEST_TITLE),
    "question": lambda value: text_of(value, LONGEST_QUESTION, keep_lines=True),
    "weight": _weight,
    "best": _best,
    "about": _about,
    "fails_all": _yes,
    "may_not_apply": _yes,
    "rule": _rule,
}
