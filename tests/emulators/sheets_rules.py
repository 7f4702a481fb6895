"""Conditional formats: kept, moved with their cells, and worked out for whoever looks at a cell.

Here: ``addConditionalFormatRule`` and its like, what a condition may be, which cells it fits. Not here: the page that
shows the colours (``sheets_page``). What the vendor does not tell is decided so: a rule about numbers fits no empty
cell, a text is compared without regard to capital letters, and of the rules that fit a cell the first one colours it.
"""

from __future__ import annotations

import re
from typing import Any

from tests.emulators.sheets_formulas import Book, Failure, worked_out
from tests.emulators.sheets_grid import Formula, Sheet, Spreadsheet, from_grid_range
from tests.emulators.sheets_references import moved, shift
from tests.emulators.sheets_schema import Refused
from tests.emulators.sheets_text import entered, shown

Given = dict[str, Any]
NUMBERS = {
    "NUMBER_GREATER": lambda value, one: value > one,
    "NUMBER_GREATER_THAN_EQ": lambda value, one: value >= one,
    "NUMBER_LESS": lambda value, one: value < one,
    "NUMBER_LESS_THAN_EQ": lambda value, one: value <= one,
    "NUMBER_EQ": lambda value, one: value == one,
    "NUMBER_NOT_EQ": lambda value, one: value != one,
    "NUMBER_BETWEEN": lambda value, low, high: low <= value <= high,
    "NUMBER_NOT_BETWEEN": lambda value, low, high: not low <= value <= high,
}
TEXTS = {
    "TEXT_EQ": lambda text, part: text == part,
    "TEXT_CONTAINS": lambda text, part: part in text,
    "TEXT_NOT_CONTAINS": lambda text, part: part not in text,
    "TEXT_STARTS_WITH": lambda text, part: text.startswith(part),
    "TEXT_ENDS_WITH": lambda text, part: text.endswith(part),
}
_PLAIN = {"BLANK": 0, "NOT_BLANK": 0, "CUSTOM_FORMULA": 1}
_TEXT_FIELDS = {"bold", "italic", "strikethrough", "foregroundColor", "foregroundColorStyle"}
_FIELDS = {"textFormat", "backgroundColor", "backgroundColorStyle"}


def add(book: Spreadsheet, given: Given, where: str) -> None:
    rule = given.get("rule", {})
    sheet = _checked(book, rule, where)
    rules = list(sheet.parts.get("conditionalFormats", []))
    index = given.get("index", 0)
    if not 0 <= index <= len(rules):
        raise Refused(400, f"{where}index[{index}] is out of the range 0 to {len(rules)}")
    rules.insert(index, rule)
    sheet.parts["conditionalFormats"] = rules


def update(book: Spreadsheet, given: Given, where: str) -> Given:
    if ("rule" in given) == ("newIndex" in given):
        raise Refused(400, f"{where}Exactly one of rule and newIndex must be set.")
    sheet = _checked(book, given["rule"], where) if "rule" in given else book.sheet(given.get("sheetId", 0), where)
    rules, index = list(sheet.parts.get("conditionalFormats", [])), given.get("index", 0)
    old = _taken(rules, index, where)
    new_index = given.get("newIndex", index)
    if not 0 <= new_index <= len(rules):
        raise Refused(400, f"{where}newIndex[{new_index}] is out of the range 0 to {len(rules)}")
    rules.insert(new_index, given.get("rule", old))
    sheet.parts["conditionalFormats"] = rules
    told = {"newRule": rules[new_index], "newIndex": new_index, "oldRule": old, "oldIndex": index}
    return {"updateConditionalFormatRule": told}


def delete(book: Spreadsheet, given: Given, where: str) -> Given:
    sheet = book.sheet(given.get("sheetId", 0), where)
    rules = list(sheet.parts.get("conditionalFormats", []))
    old = _taken(rules, given.get("index", 0), where)
    sheet.parts["conditionalFormats"] = rules
    return {"deleteConditionalFormatRule": {"rule": old}}


def _taken(rules: list[Given], index: int, where: str) -> Given:
    if not 0 <= index < len(rules):
        raise Refused(400, f"{where}No conditional format on sheet at index: {index}")
    return rules.pop(index)


def _checked(book: Spreadsheet, rule: Given, where: str) -> Sheet:
    """The tab of a rule that the vendor would take."""
    areas = [from_grid_range(book, one, where) for one in rule.get("ranges", [])]
    if not areas or any(one.sheet is not areas[0].sheet for one in areas):
        raise Refused(400, f"{where}The ranges of a rule must be on one sheet.")
    if ("booleanRule" in rule) == ("gradientRule" in rule):
        raise Refused(400, f"{where}Exactly one kind of rule is required.")
    if "booleanRule" in rule:
        condition, form = rule["booleanRule"].get("condition", {}), rule["booleanRule"].get("format", {})
        _check_condition(book, condition, where)
        for name in [*(set(form) - _FIELDS), *(set(form.get("textFormat", {})) - _TEXT_FIELDS)]:
            raise Refused(400, f"{where}{name} is not supported by conditional formatting")
    return areas[0].sheet


def _check_condition(book: Spreadsheet, condition: Given, where: str) -> None:
    kind = condition.get("type", "CONDITION_TYPE_UNSPECIFIED")
    values = [one.get("userEnteredValue", "") for one in condition.get("values", [])]
    wanted = 2 if kind.endswith("BETWEEN") else _PLAIN.get(kind, 1)
    if kind not in NUMBERS and kind not in TEXTS and kind not in _PLAIN:
        raise Refused(400, f"{where}{kind} is not supported by conditional formatting")
    if len(values) != wanted:
        raise Refused(400, f"{where}{kind} requires {wanted} ConditionValues, but {len(values)} are given")
    if kind == "CUSTOM_FORMULA" and not values[0].startswith(("=", "+")):
        raise Refused(400, f"{where}Invalid ConditionValue.userEnteredValue: {values[0]}")
    for value in values:
        typed = entered(value, book.locale)[0]
        if kind in NUMBERS and not isinstance(typed, float | Formula):
            # 0.8 is no number where a comma is
            raise Refused(400, f"{where}Invalid ConditionValue.userEnteredValue: {value}")


def shifted_formulas(rules: list[Given], move: Any) -> list[Given]:
    """Rules whose formulas follow their cells."""
    found = []
    for rule in rules:
        boolean = rule.get("booleanRule")
        values = boolean["condition"].get("values", []) if boolean else []
        if any(one.get("userEnteredValue", "").startswith("=") for one in values):
            values = [
                {**one, "userEnteredValue": moved(Formula(text), move).text}
                if (text := one.get("userEnteredValue", "")).startswith("=")
                else one
                for one in values
            ]
            condition = {**boolean["condition"], "values": values}
            rule = {**rule, "booleanRule": {**boolean, "condition": condition}}
        found.append(rule)
    return found


def format_of(values: Book, sheet: Sheet, row: int, column: int) -> Given:
    """What the rules of a tab add to the format of a cell."""
    for rule in sheet.parts.get("conditionalFormats", []):
        if "booleanRule" not in rule:
            continue
        areas = [from_grid_range(values.book, one, "") for one in rule["ranges"]]
        inside = any(one.top <= row < one.bottom and one.left <= column < one.right for one in areas)
        if inside and _fits(values, sheet, rule, row, column):
            found: Given = rule["booleanRule"].get("format", {})
            return found
    return {}


def _fits(values: Book, sheet: Sheet, rule: Given, row: int, column: int) -> bool:
    condition = rule["booleanRule"]["condition"]
    kind = condition["type"]
    texts = [one["userEnteredValue"] for one in condition.get("values", [])]
    first = from_grid_range(values.book, rule["ranges"][0], "")
    there = shift(row - first.top, column - first.left)
    value = values.value(sheet, row, column)
    if kind in ("BLANK", "NOT_BLANK"):
        return (value in (None, "")) == (kind == "BLANK")
    try:
        typed = [
            worked_out(values, sheet, moved(one, there).text) if isinstance(one, Formula) else one
            for one in (entered(text, values.book.locale)[0] for text in texts)
        ]
    except Failure:
        return False
    if kind == "CUSTOM_FORMULA":
        return isinstance(typed[0], bool | float) and bool(typed[0])
    if kind in NUMBERS:
        is_number = isinstance(value, float) and not isinstance(value, bool)
        return is_number and all(isinstance(one, float) for one in typed) and bool(NUMBERS[kind](value, *typed))
    form = sheet.extras.get((row, column), {}).get("userEnteredFormat", {}).get("numberFormat", {})
    text = shown(value, form, values.book.locale).casefold()
    return bool(text) and bool(TEXTS[kind](text, re.sub(r"^'", "", texts[0]).casefold()))
