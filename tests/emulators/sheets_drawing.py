"""Charts as pictures, so that people can look at what was asked for.

Here: a basic chart (bars, columns, lines, areas as lines) as SVG, from the values that its ranges hold now: title,
subtitle, legend, axes, labels, gaps where a value is missing. Not here: requests about charts (``sheets_charts``). Near
to what Google draws, not the same: its letters, margins and steps are its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import Sheet, from_grid_range
from tests.emulators.sheets_text import shown

Given = dict[str, Any]
_COLOURS = ("#4285f4", "#ea4335", "#fbbc04", "#34a853", "#ff6d01", "#46bdc6")
_GRID, _INK, _FAINT = "#e3e6ea", "#202124", "#5f6368"
_LETTER = 0.56
"""Width of a letter as a part of its size."""


@dataclass
class Values:
    """A column of a chart: what heads it, the numbers or names, and how they are shown."""

    name: str
    cells: list[Any]
    texts: list[str]


@dataclass
class Box:
    """Where the bars and lines may be."""

    left: float
    top: float
    right: float
    bottom: float


def colour(holder: Given, name: str) -> str:
    """A colour of the API as CSS writes it; empty without one."""
    found = holder.get(f"{name}Style", {}).get("rgbColor", holder.get(name))
    if found is None:
        return ""
    return "#" + "".join(f"{round(255 * found.get(part, 0)):02x}" for part in ("red", "green", "blue"))


def picture(values: Book, chart: Given) -> str:
    """The chart as SVG in its own size."""
    overlay, spec = chart["position"]["overlayPosition"], chart["spec"]
    width, height, basic = overlay["widthPixels"], overlay["heightPixels"], spec["basicChart"]
    headers = basic.get("headerCount", 1)
    names = [_read(values, one["domain"], headers) for one in basic.get("domains", [])]
    series = [_read(values, one["series"], headers) for one in basic.get("series", [])]
    count = max((len(one.cells) for one in series), default=0)
    labels = names[0].texts if names else [str(n + 1) for n in range(count)]
    if basic.get("domains", [{}])[0].get("reversed"):
        labels.reverse()
        for one in series:
            one.cells.reverse()
            one.texts.reverse()
    parts, top = _titles(spec, series, basic, width)
    box = Box(16, top + 6, width - 24, height - 14)
    lowest, highest, step = _scale(series, basic)
    draw = _bars if basic["chartType"] == "BAR" else _upright
    parts += draw(box, labels, series, basic, (lowest, highest, step))
    name = escape(spec.get("altText") or spec.get("title", ""))
    return (
        f'<svg class="chart" role="img" aria-label="{name}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Roboto,Noto Sans,Arial,sans-serif">'
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="3" fill="#fff" stroke="#dadce0"/>'
        f"{''.join(parts)}</svg>"
    )


def _read(values: Book, data: Given, headers: int) -> Values:
    cells: list[Any] = []
    texts: list[str] = []
    for source in data.get("sourceRange", {}).get("sources", []):
        area = from_grid_range(values.book, source, "")
        for row in range(area.top, area.bottom):
            for column in range(area.left, area.right):
                cells.append(values.value(area.sheet, row, column))
                texts.append(_text(values, area.sheet, row, column))
    name = " ".join(texts[:headers])
    return Values(name, cells[headers:], texts[headers:])


def _text(values: Book, sheet: Sheet, row: int, column: int) -> str:
    form = sheet.extras.get((row, column), {}).get("userEnteredFormat", {}).get("numberFormat", {})
    return shown(values.value(sheet, row, column), form, values.book.locale)


def _titles(spec: Given, series: list[Values], basic: Given, width: float) -> tuple[list[str], float]:
    parts, top = [], 12.0
    for name, size in (("title", 16), ("subtitle", 12)):
        if spec.get(name):
            form = spec.get(f"{name}TextFormat", {})
            size = round(form.get("fontSize", size * 3 / 4) * 4 / 3)
            top += size + 4
            bold = ' font-weight="700"' if form.get("bold") else ""
            ink = colour(form, "foregroundColor") or _FAINT
            most = int((width - 40) / (size * _LETTER))
            parts.append(_words(20, top, _cut(spec[name], most), size, ink, more=bold))
    if basic.get("legendPosition") not in (None, "NO_LEGEND"):
        top += 22
        along = 20.0
        for number, one in enumerate(series):
            ink = _ink(basic["series"][number], number)
            parts.append(f'<rect x="{along}" y="{top - 10}" width="11" height="11" rx="2" fill="{ink}"/>')
            parts.append(_words(along + 16, top, one.name, 12, _INK))
            along += 16 + len(one.name) * 12 * _LETTER + 18
    return parts, top


def _scale(series: list[Values], basic: Given) -> tuple[float, float, float]:
    """Ends of the axis of values and the step of its lines."""
    numbers = [cell for one in series for cell in one.cells if isinstance(cell, float)] or [0.0]
    at = "BOTTOM_AXIS" if basic["chartType"] == "BAR" else "LEFT_AXIS"
    window = next(
        (axis.get("viewWindowOptions", {}) for axis in basic.get("axis", []) if axis["position"] == at),
        {},
    )
    least = 0.0 if basic["chartType"] != "LINE" else min(numbers)
    lowest = window.get("viewWindowMin", min(least, *numbers))
    highest = window.get("viewWindowMax", max(0.0, *numbers))
    if highest <= lowest:
        highest = lowest + 1
    rough = (highest - lowest) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= rough * 0.999)
    if "viewWindowMin" not in window:
        lowest = math.floor(lowest / step) * step
    if "viewWindowMax" not in window:
        highest = math.ceil(highest / step - 1e-9) * step
    return lowest, highest, step


def _ticks(scale: tuple[float, float, float], series: list[Values]) -> list[tuple[float, str]]:
    lowest, highest, step = scale
    is_share = any(text.endswith("%") for one in series for text in one.texts)
    found = []
    for number in range(int((highest - lowest) / step + 1e-6) + 1):
        value = lowest + number * step
        text = f"{value * 100:.0f}%" if is_share else f"{value:.10g}".replace(".", ",")
        found.append((value, text))
    return found


def _bars(
    box: Box, labels: list[str], series: list[Values], basic: Given, scale: tuple[float, float, float]
) -> list[str]:
    longest = min(max((len(label) for label in labels), default=0), 26)
    left = box.left + longest * 12 * _LETTER + 14
    right, bottom = box.right - 34, box.bottom - 20
    along = lambda value: left + (value - scale[0]) / (scale[1] - scale[0]) * (right - left)  # noqa: E731
    parts = []
    for value, text in _ticks(scale, series):
        x = along(value)
        parts.append(f'<path d="M{x:.1f} {box.top}V{bottom}" stroke="{_GRID}"/>')
        parts.append(_words(x, bottom + 16, text, 11, _FAINT, "middle"))
    room = (bottom - box.top) / max(len(labels), 1)
    thick = min(room * 0.7 / max(len(series), 1), 26)
    for place, label in enumerate(labels):
        middle = box.top + room * (place + 0.5)
        parts.append(_words(left - 8, middle + 4, _cut(label, 26), 12, _INK, "end"))
        for number, one in enumerate(series):
            if place >= len(one.cells) or not isinstance(one.cells[place], float):
                continue
            y = middle - thick * len(series) / 2 + thick * number
            start, end = sorted((along(max(scale[0], min(0, scale[1]))), along(min(one.cells[place], scale[1]))))
            ink = _ink(basic["series"][number], number)
            shape = f'x="{start:.1f}" y="{y:.1f}" width="{max(end - start, 0.5):.1f}" height="{thick - 1:.1f}"'
            parts.append(f'<rect {shape} rx="2" fill="{ink}"/>')
            if _is_labelled(basic["series"][number]):
                parts.append(_words(end + 5, y + thick / 2 + 4, one.texts[place], 11, _INK))
    return parts


def _upright(
    box: Box, labels: list[str], series: list[Values], basic: Given, scale: tuple[float, float, float]
) -> list[str]:
    ticks = _ticks(scale, series)
    left = box.left + max(len(text) for _, text in ticks) * 11 * _LETTER + 10
    room = (box.right - left) / max(len(labels), 1)
    most = max(int(room / (11 * _LETTER)), 3)
    every = 1 if all(len(label) <= most * 2 for label in labels) else 2
    bottom = box.bottom - (34 if any(len(label) > most for label in labels) else 20)
    up = lambda value: bottom - (value - scale[0]) / (scale[1] - scale[0]) * (bottom - box.top - 14)  # noqa: E731
    parts = []
    for value, text in ticks:
        parts.append(f'<path d="M{left} {up(value):.1f}H{box.right}" stroke="{_GRID}"/>')
        parts.append(_words(left - 6, up(value) + 4, text, 11, _FAINT, "end"))
    for place, label in enumerate(labels):
        if place % every == 0:
            for line, words in enumerate(_lines(label, most)):
                parts.append(_words(left + room * (place + 0.5), bottom + 16 + 13 * line, words, 11, _INK, "middle"))
    for number, one in enumerate(series):
        ink, given = _ink(basic["series"][number], number), basic["series"][number]
        points = [
            (left + room * (place + 0.5), up(min(cell, scale[1])), one.texts[place])
            if isinstance(cell, float)
            else None
            for place, cell in enumerate(one.cells)
        ]
        if basic["chartType"] == "COLUMN":
            parts += _columns(points, number, len(series), room, up(max(scale[0], min(0, scale[1]))), ink)
        else:
            parts += _line(points, given, ink, bool(basic.get("interpolateNulls")))
        if _is_labelled(given):
            thick = min(room * 0.7 / len(series), 46)
            shift = thick * (number - (len(series) - 1) / 2) if basic["chartType"] == "COLUMN" else 0
            down = 16 if given["dataLabel"].get("placement") == "BELOW" else -7
            parts += [_words(one[0] + shift, one[1] + down, one[2], 11, _INK, "middle") for one in points if one]
    return parts


Point = tuple[float, float, str] | None


def _columns(points: list[Point], number: int, of: int, room: float, zero: float, ink: str) -> list[str]:
    thick = min(room * 0.7 / of, 46)
    found = []
    for point in points:
        if point is not None:
            x = point[0] - thick * of / 2 + thick * number
            top, bottom = sorted((point[1], zero))
            shape = f'x="{x:.1f}" y="{top:.1f}" width="{thick - 1:.1f}" height="{max(bottom - top, 0.5):.1f}"'
            found.append(f'<rect {shape} rx="2" fill="{ink}"/>')
    return found


def _line(points: list[Point], given: Given, ink: str, joined: bool) -> list[str]:
    path, is_open = "", False
    for point in points:
        if point is None:
            is_open = is_open and joined
            continue
        path += f"{'L' if is_open else 'M'}{point[0]:.1f} {point[1]:.1f}"
        is_open = True
    width = given.get("lineStyle", {}).get("width", 2)
    found = [f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{width}"/>'] if path else []
    if "pointStyle" in given:
        size = given["pointStyle"].get("size", 6) / 2
        found += [
            f'<circle cx="{one[0]:.1f}" cy="{one[1]:.1f}" r="{size + 0.5}" fill="{ink}" stroke="#fff"/>'
            for one in points
            if one
        ]
    return found


def _ink(given: Given, number: int) -> str:
    return colour(given, "color") or _COLOURS[number % len(_COLOURS)]


def _is_labelled(given: Given) -> bool:
    return bool(given.get("dataLabel", {}).get("type") == "DATA")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _lines(label: str, most: int) -> list[str]:
    """At most two lines, broken between words."""
    if len(label) <= most:
        return [label]
    first, rest = "", label.split()
    while rest and len(f"{first} {rest[0]}".strip()) <= most:
        first = f"{first} {rest.pop(0)}".strip()
    if not first:
        return [_cut(label, most)]
    return [first, *([_cut(" ".join(rest), most)] if rest else [])]


def _words(x: float, y: float, text: str, size: float, ink: str, anchor: str = "start", more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}" text-anchor="{anchor}"'
    return f"<text {place}{more}>{escape(text)}</text>"
