"""A spreadsheet as a page, so that people can look at what was written.

Here: one tab as a table with what its formats say: widths, colours (those of rules, too), bold, alignment, wrapping,
rich text, frozen rows and columns, notes, charts where they stand, what is protected; the other tabs as links. Not
here: values, rules and charts themselves. Scripts, menus and editing are left out.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from tests.emulators.sheets_drawing import colour, picture
from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import Formula, Sheet, Spreadsheet, corner, from_grid_range, letters
from tests.emulators.sheets_rules import format_of
from tests.emulators.sheets_text import shown

SHOWN_ROWS = 400
_WIDTH, _HEIGHT, _MARGIN, _LETTERS = 100, 21, 46, 24
_STYLE = """
*{box-sizing:border-box}
body{margin:0;height:100vh;display:flex;flex-direction:column;background:#f9fbfd;color:#1f1f1f;
font:13px Roboto,"Noto Sans",Arial,sans-serif}
header{display:flex;align-items:center;gap:12px;padding:9px 16px}
header i{width:26px;height:34px;border-radius:3px;background:#0f9d58;display:grid;place-items:center}
header i:before{content:"";width:14px;height:12px;border:2px solid #fff;background:linear-gradient(#fff,#fff) center/2px
100% no-repeat,linear-gradient(#fff,#fff) center/100% 2px no-repeat}
header b{font-size:18px;font-weight:400}header span{color:#5f6368;margin-left:auto}
main{flex:1;overflow:auto;background:#fff;border-top:1px solid #e1e3e6}
table{border-collapse:separate;border-spacing:0;table-layout:fixed;width:0}
td,th{border:solid #e2e3e3;border-width:0 1px 1px 0;height:21px;padding:2px 3px;vertical-align:bottom;font-weight:400;
line-height:16px;background:#fff;position:relative}
th{background:#f8f9fa;color:#5f6368;text-align:center;font-size:12px;border-color:#c7c7c7}
thead th{position:sticky;top:0;z-index:4;height:24px}
tbody th{position:sticky;left:0;z-index:2}
thead th:first-child{left:0;z-index:6}
td div{overflow:hidden;white-space:pre}
td.over div{overflow:visible;position:relative;z-index:1;
width:max-content;min-width:100%;background:inherit}
td.wrap div{white-space:pre-wrap;overflow-wrap:anywhere}
tr.sized td div{max-height:calc(var(--tall) - 5px);overflow:hidden}
td.edge{border-bottom:3px solid #bdc1c6}td.side{border-right:3px solid #bdc1c6}
td.frozen{position:sticky;z-index:3}td.held{position:sticky;z-index:1}td.frozen.held{z-index:5}
tbody th.frozen{z-index:5}td.frozen.over{z-index:6}td.over.side{border-right-color:transparent}
tbody th{vertical-align:middle}
td.note:after{content:"";position:absolute;top:0;right:0;border:solid transparent;border-width:0 7px 7px 0;
border-right-color:#3c4043}
td .chart{position:absolute;z-index:2;box-shadow:0 1px 3px #3c404333;max-width:none}
header span.lock:before{content:"";display:inline-block;width:9px;height:8px;margin-right:7px;border-radius:2px;
background:#5f6368;box-shadow:0 -4px 0 -2px #fff,0 -5px 0 -1px #5f6368}
nav{display:flex;gap:2px;padding:0 16px 0 46px;background:#f0f4f9;border-top:1px solid #e1e3e6;overflow-x:auto}
nav a{padding:9px 14px;color:#444746;text-decoration:none;white-space:nowrap;border-bottom:3px solid transparent}
nav a.on{background:#e1e9f7;color:#0b57d0;font-weight:500}
.more{padding:12px 16px;color:#5f6368}td a{color:#1155cc}
"""


def page(book: Spreadsheet, gid: int | None = None, rows: int = SHOWN_ROWS) -> str:
    """The tab of this id (the first visible one without it), at most ``rows`` rows of it.

    Raises:
        KeyError: no visible tab of this id.
    """
    visible = [sheet for sheet in book.sheets if not sheet.hidden]
    sheet = visible[0] if gid is None else next((one for one in visible if one.sheet_id == gid), None)
    if sheet is None:
        raise KeyError(f"no visible tab {gid}")
    used_rows, used_columns = sheet.used()
    charts = _charts(Book(book), sheet)
    far_row, far_column = _reach(sheet, charts)
    count = min(sheet.row_count, max(used_rows + 5, 30, far_row), rows)
    width = min(sheet.column_count, max(used_columns + 2, 12, far_column))
    links = "".join(
        f'<a href="?gid={one.sheet_id}"{_tab_style(one)}{" class=on" if one is sheet else ""}>{escape(one.title)}</a>'
        for one in visible
    )
    rest = used_rows - count
    every = f"?gid={sheet.sheet_id}&amp;rows={used_rows}"
    more = f'<p class="more">…и ещё строк: {rest}. <a href="{every}">Показать все</a></p>' if rest > 0 else ""
    size = f"{used_rows} × {used_columns}" if used_rows else "пусто"
    locks = "".join(f'<span class="lock">{escape(text)}</span>' for text in _locks(book, sheet))
    return (
        f'<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8"><title>{escape(sheet.title)} · '
        f"{escape(book.title)}</title><style>{_STYLE}</style></head><body><header><i></i><b>{escape(book.title)}</b>"
        f"<span>{escape(sheet.title)}: {size}</span>{locks}</header>"
        f"<main>{_table(book, sheet, count, width, charts)}{more}</main>"
        f"<nav>{links}</nav></body></html>\n"
    )


Charts = dict[tuple[int, int], list[str]]


def _charts(values: Book, sheet: Sheet) -> Charts:
    """The pictures by the cell that they hang on."""
    found: Charts = {}
    for chart in sheet.parts.get("charts", []):
        overlay = chart["position"]["overlayPosition"]
        cell = overlay["anchorCell"]
        place = f'style="left:{overlay["offsetXPixels"]}px;top:{overlay["offsetYPixels"]}px"'
        drawn = picture(values, chart).replace("<svg ", f"<svg {place} ", 1)
        found.setdefault((cell.get("rowIndex", 0), cell.get("columnIndex", 0)), []).append(drawn)
    return found


def _reach(sheet: Sheet, charts: Charts) -> tuple[int, int]:
    """How many rows and columns have to be drawn for every chart to lie on some."""
    row = column = 0
    for chart in sheet.parts.get("charts", []):
        overlay = chart["position"]["overlayPosition"]
        cell = overlay["anchorCell"]
        row = max(row, cell.get("rowIndex", 0) + (overlay["offsetYPixels"] + overlay["heightPixels"]) // _HEIGHT + 2)
        wide = (overlay["offsetXPixels"] + overlay["widthPixels"]) // _WIDTH + 2
        column = max(column, cell.get("columnIndex", 0) + wide)
    return row, column


def _locks(book: Spreadsheet, sheet: Sheet) -> list[str]:
    found = []
    for one in sheet.parts.get("protectedRanges", []):
        area = from_grid_range(book, one["range"], "")
        place = f"{corner(area.top, area.left)}:{corner(area.bottom - 1, area.right - 1)}"
        kind = "предупреждение" if one.get("warningOnly") else "защищено"
        found.append(f"{place}, {kind}: {one.get('description', '')}")
    return found


def _tab_style(sheet: Sheet) -> str:
    ink = colour(sheet.more, "tabColor")
    return f' style="border-color:{ink}"' if ink else ""


def _size(meta: dict[int, dict[str, Any]], place: int, default: int) -> int:
    one = meta.get(place, {})
    return 0 if one.get("hiddenByUser") else int(one.get("pixelSize", default))


def _table(book: Spreadsheet, sheet: Sheet, count: int, width: int, charts: Charts) -> str:
    values = Book(book)
    sizes = [_size(sheet.column_meta, column, _WIDTH) for column in range(width)]
    heads = "".join(f"<th>{letters(column)}</th>" for column in range(width))
    columns = "".join(f'<col style="width:{size}px">' for size in sizes)
    body, top = [], _LETTERS
    for row in range(count):
        height = _size(sheet.row_meta, row, _tallest(sheet, row, width))
        if not height:
            continue
        frozen = row < sheet.frozen_rows
        cells, left = [], _MARGIN
        for column in range(width):
            place = f"top:{top}px;" if frozen else ""
            if column < sheet.frozen_columns:
                place += f"left:{left}px;"
            cells.append(_cell(values, sheet, row, column, place, "".join(charts.get((row, column), []))))
            left += sizes[column]
        number = f'<th class="frozen" style="top:{top}px">' if frozen else "<th>"
        # a row that was given a height keeps it: what does not fit is not seen
        sized = "pixelSize" in sheet.row_meta.get(row, {})
        look = f'class="sized" style="height:{height}px;--tall:{height}px"' if sized else f'style="height:{height}px"'
        body.append(f"<tr {look}>{number}{row + 1}</th>{''.join(cells)}</tr>")
        top += height if frozen else 0
    return (
        f'<table><colgroup><col style="width:{_MARGIN}px">{columns}</colgroup>'
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _tallest(sheet: Sheet, row: int, width: int) -> int:
    """A row that nobody sized is as high as its largest letters need."""
    forms = (sheet.extras.get((row, column), {}).get("userEnteredFormat", {}) for column in range(width))
    sizes = [form.get("textFormat", {}).get("fontSize", 10) for form in forms]
    return max(_HEIGHT, round(max(sizes, default=10) * 4 / 3 * 1.25) + 6) if max(sizes, default=10) > 10 else _HEIGHT


def _cell(values: Book, sheet: Sheet, row: int, column: int, place: str, charts: str) -> str:
    extras = sheet.extras.get((row, column), {})
    own = extras.get("userEnteredFormat", {})
    rule = format_of(values, sheet, row, column)
    form = {**own, **rule, "textFormat": {**own.get("textFormat", {}), **rule.get("textFormat", {})}}
    value = values.value(sheet, row, column)
    text = shown(value, form.get("numberFormat", {}), values.book.locale)
    classes = []
    if row < sheet.frozen_rows:
        classes.append("frozen")
        if row == sheet.frozen_rows - 1:
            classes.append("edge")
    if column < sheet.frozen_columns:
        classes.append("held")
        if column == sheet.frozen_columns - 1:
            classes.append("side")
    wrap = form.get("wrapStrategy", "OVERFLOW_CELL")
    if wrap in ("WRAP", "LEGACY_WRAP"):
        classes.append("wrap")
    elif wrap == "OVERFLOW_CELL" and isinstance(value, str) and sheet.cell(row, column + 1) is None:
        # over the edge of frozen columns a text goes on in frozen rows only: there it stands above what is scrolled
        classes += ["over"] if row < sheet.frozen_rows or column >= sheet.frozen_columns else []
    if extras.get("note"):
        classes.append("note")
    aligned = {"LEFT": "left", "CENTER": "center", "RIGHT": "right"}.get(form.get("horizontalAlignment", ""))
    if aligned is None:
        aligned = "center" if isinstance(value, bool) else "right" if isinstance(value, float) else ""
    style = place + (f"text-align:{aligned};" if aligned else "") + _look(form)
    link = _link(sheet.cell(row, column)) or own.get("textFormat", {}).get("link", {}).get("uri", "")
    inner = f'<a href="{escape(link)}">{escape(text)}</a>' if link else _rich(text, extras.get("textFormatRuns", []))
    attributes = (f' class="{" ".join(classes)}"' if classes else "") + (f' style="{style}"' if style else "")
    if extras.get("note"):
        attributes += f' title="{escape(extras["note"])}"'
    return f"<td{attributes}>{f'<div>{inner}</div>' if text else ''}{charts}</td>"


def _rich(text: str, runs: list[dict[str, Any]]) -> str:
    """A text whose parts have formats of their own; where they begin is counted as UTF-16 counts."""
    units = text.encode("utf-16-le", "surrogatepass")
    starts = [run.get("startIndex", 0) for run in runs]
    if not runs:
        return escape(text)
    parts = [escape(units[: 2 * starts[0]].decode("utf-16-le", "replace"))]
    for run, start, end in zip(runs, starts, [*starts[1:], len(units)], strict=True):
        part = escape(units[2 * start : 2 * end].decode("utf-16-le", "replace"))
        form = run.get("format", {})
        link = form.get("link", {}).get("uri")
        style = _look({"textFormat": form})
        parts.append(f'<a href="{escape(link)}">{part}</a>' if link else f'<span style="{style}">{part}</span>')
    return "".join(parts)


def _look(form: dict[str, Any]) -> str:
    style = ""
    background = colour(form, "backgroundColor")
    if background:
        style += f"background:{background};"
    middle = {"TOP": "top", "MIDDLE": "middle"}.get(form.get("verticalAlignment", ""))
    if middle:
        style += f"vertical-align:{middle};"
    text = form.get("textFormat", {})
    ink = colour(text, "foregroundColor")
    if ink:
        style += f"color:{ink};"
    if text.get("fontSize"):
        style += f"font-size:{int(text['fontSize']) * 4 / 3:.0f}px;line-height:1.25;"
    for name, rule in (("bold", "font-weight:700;"), ("italic", "font-style:italic;")):
        style += rule if text.get(name) else ""
    lines = [name for name, key in (("underline", "underline"), ("line-through", "strikethrough")) if text.get(key)]
    return style + (f"text-decoration:{' '.join(lines)};" if lines else "")


def _link(cell: Any) -> str:
    if not isinstance(cell, Formula):
        return ""
    hit = re.match(r'=HYPERLINK\("(https?://[^"]+)"', cell.text, re.IGNORECASE)
    return hit[1] if hit else ""
