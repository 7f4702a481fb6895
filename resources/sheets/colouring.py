"""Colours by value: the conditional formats of our columns.

Here: what a rule is to the vendor, how ours are known again, the requests. Not here: other things that are laid over
cells (``decoration``, ``drawing``).

A conditional format has no id. Ours are known by what they say (condition and colours, references counted from the
cell where the rule begins) and by lying inside our range; a rule that somebody changed, or stretched over cells of
theirs, is theirs. Ours stand behind people's own, whose rules therefore win.

Two traps of the vendor are gone around. A value of a condition is read as if it were typed, in the spreadsheet's own
language: 0.8 is no number in Russia, and "март" may be a date; so a share is written as a fraction, ``=4/5``, and a
whole text inside a formula. And whether an empty cell is less than 5 is told nowhere: where zero would fit, the
condition asks for a filled cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from resources.sheets.look import ColourRule, Number
from resources.sheets.memory import digest
from resources.sheets.packing import letters
from resources.sheets.palette import CELLS, spelled, style
from resources.sheets.place import Place, corners

Request = dict[str, Any]
_NATIVE = {
    ">=": "NUMBER_GREATER_THAN_EQ", ">": "NUMBER_GREATER", "<=": "NUMBER_LESS_THAN_EQ", "<": "NUMBER_LESS",
    "=": "NUMBER_EQ", "between": "NUMBER_BETWEEN", "starts": "TEXT_STARTS_WITH", "contains": "TEXT_CONTAINS",
}  # fmt: skip
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([1-9]\d*)")
_QUOTED = re.compile(r'("(?:[^"]|"")*")')


def coloured(place: Place) -> tuple[list[Request], dict[str, str]]:
    """The requests, and what of the look is made then: what was asked for -> how it is known again."""
    wanted = {digest([rule.column, rule.when, rule.value, rule.tone, rule.by]): rule for rule in place.look.rules}
    rules = {key: _rule(rule, place) for key, rule in wanted.items()}
    made = {key: _known_by(rule, place) for key, rule in rules.items()}
    if place.sheet is None:
        return [_add(rule, number) for number, rule in enumerate(rules.values())], made
    theirs = dict(place.memory.rules)
    found = _found({**made, **theirs} if theirs else made, place)
    # what was made once and is gone, somebody removed
    fresh = [key for key in rules if key not in theirs and key not in found]
    kept = [key for key in rules if key in found]
    gone = [index for key, index in found.items() if key not in rules]
    new = {key: _keeping(rules[key], made[key] == theirs.get(key), place.sheet.rules[found[key]]) for key in kept}
    places = [found[key] for key in kept]
    if not fresh and places == sorted(places):
        changed = [key for key in kept if _differs(new[key], place.sheet.rules[found[key]], place)]
        requests = [_update(new[key], found[key]) for key in changed]
        return requests + _removal(gone, place.sheet_id), made
    # their order decides which colour wins, so all of them are put anew
    out = [*gone, *places]
    start = len(place.sheet.rules) - len(out)
    again = [new.get(key, rules[key]) for key in rules if key in kept or key in fresh]
    return _removal(out, place.sheet_id) + [_add(rule, start + number) for number, rule in enumerate(again)], made


def _rule(rule: ColourRule, place: Place) -> Request:
    left, right = place.left, place.right
    if rule.column is not None:
        left = place.column(rule.column)
        right = left + 1
    background, ink = CELLS[rule.tone]
    form: Request = {"textFormat": {"foregroundColorStyle": style(ink)}}
    if background is not None:
        form["backgroundColorStyle"] = style(background)
    if rule.tone == "total":
        form["textFormat"]["bold"] = True
    # a rule needs a row, and the grid has one below the heading
    ranges = [place.range(place.below, max(place.bottom, place.below + 1), left, right)]
    return {"ranges": ranges, "booleanRule": {"condition": _condition(rule, place), "format": form}}


def _condition(rule: ColourRule, place: Place) -> Request:
    ends = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    values = [end if isinstance(end, str) else _exact(end) for end in ends]
    if rule.by is None and rule.when in _NATIVE and not _fits_zero(rule):
        return {"type": _NATIVE[rule.when], "values": [{"userEnteredValue": value} for value in values]}
    cell = f"${letters(place.column(rule.by or rule.column or ''))}{place.below + 1}"
    if isinstance(rule.value, str):
        quoted = rule.value.replace('"', '""')
        formula = f'={cell}="{quoted}"'
    elif rule.when == "between":
        low, high = (value.removeprefix("=") for value in values)
        formula = f'=({cell}<>"")*({cell}>={low})*({cell}<={high})'
    else:
        formula = f'=({cell}<>"")*({cell}{rule.when}{values[0].removeprefix("=")})'
    return {"type": "CUSTOM_FORMULA", "values": [{"userEnteredValue": formula}]}


def _exact(number: Number) -> str:
    """A number that reads the same in every language.

    >>> _exact(0.85), _exact(20), _exact(-1.5)
    ('=17/20', '20', '=-3/2')
    """
    found = Fraction(str(number))
    return str(found) if found.denominator == 1 else f"={found}"


def _fits_zero(rule: ColourRule) -> bool:
    if isinstance(rule.value, str):
        return False
    if isinstance(rule.value, tuple):
        return rule.value[0] <= 0 <= rule.value[1]
    value = rule.value
    return {">=": value <= 0, ">": value < 0, "<=": value >= 0, "<": value > 0, "=": value == 0}[rule.when]


def _known_by(rule: Mapping[str, Any], place: Place) -> str:
    """What it says, and behind an @ the column where it begins, counted from our first."""
    boolean = rule["booleanRule"]
    top, _, left, _ = corners(rule["ranges"][0])
    form = boolean.get("format", {})
    condition = boolean.get("condition", {})
    values = [_from_here(str(one.get("userEnteredValue", "")), top, left) for one in condition.get("values", [])]
    ink = spelled(form.get("textFormat", {}), "foregroundColor")
    return f"{digest([condition.get('type'), values, spelled(form, 'backgroundColor'), ink])}@{left - place.left}"


def _from_here(text: str, top: int, left: int) -> str:
    """A formula with its references counted from a cell: the same wherever the rule has moved to."""
    if not text.startswith("="):
        return text

    def counted(hit: re.Match[str]) -> str:
        column = 0
        for letter in hit[1]:
            column = column * 26 + ord(letter) - 64
        return f"[{int(hit[2]) - 1 - top};{column - 1 - left}]"

    parts = _QUOTED.split(text)
    return "".join(part if part.startswith('"') else _REFERENCE.sub(counted, part) for part in parts)


def _found(marks: Mapping[str, str], place: Place) -> dict[str, int]:
    """Where our rules stand in the tab: key -> index.

    Two columns may have rules that say the same: each is looked for in its own column first, and then where somebody
    moved the column to.
    """
    assert place.sheet is not None
    standing = {
        index: _known_by(rule, place) for index, rule in enumerate(place.sheet.rules) if _is_inside(rule, place)
    }
    found: dict[str, int] = {}
    for is_exact in (True, False):
        for key in [key for key in marks if key not in found]:
            for index, known in standing.items():
                same = known == marks[key] if is_exact else known.split("@")[0] == marks[key].split("@")[0]
                if same:
                    found[key] = index
                    del standing[index]
                    break
    return found


def _is_inside(rule: Mapping[str, Any], place: Place) -> bool:
    if "booleanRule" not in rule or not rule.get("ranges") or place.old is None:
        return False
    top = place.old_top + place.memory.above + 1
    end = max(place.old_bottom - place.inserted, top + 1)
    for part in rule["ranges"]:
        first, last, left, right = corners(part)
        if first < top or last is None or last > end or left < place.left or right is None or right > place.old_right:
            return False
    return True


def _keeping(rule: Request, is_same: bool, standing: Mapping[str, Any]) -> Request:
    """Our rule with the formats that somebody added to it, bold for one."""
    if not is_same:
        return rule
    return {**rule, "booleanRule": {**rule["booleanRule"], "format": standing["booleanRule"]["format"]}}


def _differs(rule: Mapping[str, Any], standing: Mapping[str, Any], place: Place) -> bool:
    lies = [[corners(part) for part in one["ranges"]] for one in (rule, standing)]
    return lies[0] != lies[1] or _known_by(rule, place) != _known_by(standing, place)


def _add(rule: Request, index: int) -> Request:
    return {"addConditionalFormatRule": {"rule": rule, "index": index}}


def _update(rule: Request, index: int) -> Request:
    return {"updateConditionalFormatRule": {"rule": rule, "index": index}}


def _removal(indexes: list[int], sheet_id: int) -> list[Request]:
    # from the end, since every removal moves what stands behind it
    return [
        {"deleteConditionalFormatRule": {"sheetId": sheet_id, "index": index}}
        for index in sorted(indexes, reverse=True)
    ]
