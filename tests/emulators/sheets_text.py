"""Typed text into values and values into text, as a spreadsheet of a locale does it.

Here: ``USER_ENTERED`` (formulas, numbers, dates, percent, truth), and the formatted look of a value. Close enough to
catch a caller who writes chat texts as typed ones: a phone becomes a number, ``1-2`` a date, ``=`` a formula.
Not here: ``RAW``, which is no parsing at all.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from tests.emulators.sheets_grid import Cell, Formula

EPOCH = datetime(1899, 12, 30)
_DATES = ("%d.%m.%Y", "%d.%m.%y", "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")
_SHORT = re.compile(r"(\d{1,2})[./-](\d{1,2})")
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")
_MOMENT = re.compile(r"(\S+) (\d{1,2}:[0-5]\d(?::[0-5]\d)?)")


def entered(text: str, locale: str) -> tuple[Cell, dict[str, Any] | None]:
    """What a typed text becomes, and the number format that it brings along."""
    if not text:
        return None, None
    if text.startswith("'"):
        return text[1:] or None, None
    if text.startswith("=") and len(text) > 1:
        return Formula(text), None
    stripped = text.strip()
    truth = {"TRUE": True, "FALSE": False, "ИСТИНА": True, "ЛОЖЬ": False}.get(stripped.upper())
    if truth is not None:
        return truth, None
    number = _number(stripped, locale)
    if number is not None:
        return number
    serial = _moment(stripped)
    if serial is not None:
        return serial
    if re.match(r"[+-][A-Za-zА-Яа-я(]", stripped):
        # a sign before a name begins a formula: typing +A1 means =+A1
        return Formula("=" + stripped), None
    return text, None


def _number(text: str, locale: str) -> tuple[float, dict[str, Any] | None] | None:
    comma = "." if locale.startswith("en") else ","
    groups = "," if comma == "." else "[ \u00a0\u202f]"
    hit = re.fullmatch(
        rf"([+-]?)(\d{{1,3}}(?:{groups}\d{{3}})+|\d+)({re.escape(comma)}\d*)?(?:[eE]([+-]?\d+))?\s?(%|₽|\$|€)?", text
    )
    if hit is None:
        return None
    whole = re.sub(groups, "", hit[2])
    value = float(f"{hit[1]}{whole}.{(hit[3] or ',0')[1:] or '0'}e{hit[4] or 0}")
    if hit[5] == "%":
        return value / 100, {"type": "PERCENT", "pattern": "0.00%" if hit[3] else "0%"}
    if hit[5]:
        return value, {"type": "CURRENCY", "pattern": f"#,##0.00{hit[5]}"}
    return value, {"type": "NUMBER", "pattern": "#,##0.##"} if whole != hit[2] else None


def _moment(text: str) -> tuple[float, dict[str, Any]] | None:
    hit = _MOMENT.fullmatch(text)
    if hit is not None:
        day, clock = _moment(hit[1]), _moment(hit[2])
        if day is not None and clock is not None and day[1]["type"] == "DATE":
            return day[0] + clock[0], {"type": "DATE_TIME", "pattern": "dd.mm.yyyy hh:mm:ss"}
    for form in _DATES:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        return float((found - EPOCH).days), {"type": "DATE", "pattern": "dd.mm.yyyy"}
    hit = _SHORT.fullmatch(text)
    if hit is not None:
        try:
            day_only = date(date.today().year, int(hit[2]), int(hit[1]))
        except ValueError:
            return None
        return float((day_only - EPOCH.date()).days), {"type": "DATE", "pattern": "dd.mm"}
    hit = _CLOCK.fullmatch(text)
    if hit is not None and int(hit[1]) < 24:
        seconds = int(hit[1]) * 3600 + int(hit[2]) * 60 + int(hit[3] or 0)
        return seconds / 86400, {"type": "TIME", "pattern": "h:mm:ss" if hit[3] else "h:mm"}
    return None


def shown(value: Any, pattern: dict[str, Any], locale: str) -> str:
    """A value as a person sees it in the cell."""
    if value is None:
        return ""
    english = locale.startswith("en")
    if isinstance(value, bool):
        return str(value).upper() if english else ("ИСТИНА" if value else "ЛОЖЬ")
    if not isinstance(value, float):
        return str(value)
    form = pattern.get("pattern", "")
    kind = pattern.get("type", "")
    if kind == "TEXT":
        return _general(value).replace(".", "." if english else ",")
    if kind in ("DATE", "TIME", "DATE_TIME") or re.search(r"[dyhs]", form):
        return _dated(value, form or {"DATE": "dd.mm.yyyy", "TIME": "h:mm:ss"}.get(kind, "dd.mm.yyyy hh:mm:ss"))
    if not form:
        form = {"PERCENT": "0.00%", "NUMBER": "#,##0.00", "CURRENCY": "#,##0.00"}.get(kind, "")
    if not form:
        return _general(value).replace(".", "." if english else ",")
    return _patterned(value, form, english)


def _general(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.10g}"
    return re.sub(r"e([+-])0*", lambda hit: f"E{hit[1]}", text)


def _patterned(value: float, form: str, english: bool) -> str:
    hit = re.search(r"[#0,]*[#0](?:\.([0#]+))?(%?)", form)
    if hit is None:
        return form
    part = hit[0]
    if hit[2]:
        value *= 100
    fraction = hit[1] or ""
    text = f"{abs(value):,.{len(fraction)}f}"
    for _ in range(fraction.count("#")):
        if text.endswith("0"):
            text = text[:-1]
    text = text.rstrip(".") if fraction else text
    whole, _, rest = text.partition(".")
    if "," not in part:
        whole = whole.replace(",", "")
    elif not english:
        whole = whole.replace(",", "\u00a0")
    text = whole + (("." if english else ",") + rest if rest else "") + hit[2]
    sign = "-" if value < 0 and re.search(r"[1-9]", text) else ""
    return (form[: hit.start()] + sign + text + form[hit.end() :]).replace('"', "").replace("\\", "")


def _dated(value: float, form: str) -> str:
    # whole seconds: 1/86400 has no exact double
    moment = EPOCH + timedelta(seconds=round(value * 86400))
    parts = {
        "yyyy": f"{moment:%Y}", "yy": f"{moment:%y}", "dd": f"{moment:%d}", "d": str(moment.day),
        "hh": f"{moment:%H}", "h": str(moment.hour), "ss": f"{moment:%S}", "s": str(moment.second),
    }  # fmt: skip
    text, clock = "", False
    for token in re.findall(r"y+|d+|h+|H+|m+|s+|.", form):
        if token[0] in "mM" and len(token) <= 2:
            number = moment.minute if clock else moment.month
            text += f"{number:02}" if len(token) == 2 else str(number)
        else:
            text += parts.get(token.lower(), token)
        if token[0] in "hH":
            clock = True
        elif token[0] in "yd":
            clock = False
    return text
