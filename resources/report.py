"""The report of a week as a page (HTML) and as a PDF, for e-mail and printing.

Here: layout. Not here: what the report says (``conversations.digest_report``). The page is one file without scripts and
without anything from another place; whatever it shows is escaped by the template. The PDF has fonts with Cyrillic and
Kazakh letters in it. The same report gives the same bytes.
"""

from __future__ import annotations

import base64
import importlib.util
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conversations.digest_report import Cell, Report, Table, Tile

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_COLOURS = {"plain": (28, 39, 51), "good": (22, 128, 68), "bad": (192, 45, 45), "muted": (107, 119, 133)}
_LINE, _SHADE = (217, 223, 229), (244, 246, 248)
_FONT = "report"
_MARGIN, _ROW = 12.0, 6.4


def page(report: Report, picture: bytes | None = None) -> str:
    """The report as one HTML file; the picture stands in it."""
    import jinja2

    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True).from_string(
        _TEMPLATE.read_text("utf-8")
    )
    image = None if picture is None else base64.b64encode(picture).decode("ascii")
    return template.render(report=report, image=image)


def pdf(report: Report) -> bytes:
    """The report as A4 pages, landscape."""
    from fpdf import FPDF

    made = FPDF(orientation="L", unit="mm", format="A4")
    # a document's own date and id would make every printing another file
    made.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))
    made.set_margins(_MARGIN, _MARGIN)
    made.set_auto_page_break(True, _MARGIN)
    made.set_title(report.title)
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        made.add_font(_FONT, style, _fonts() / name)
    made.add_page()
    _line(made, report.title, 18, style="B")
    _line(made, report.subtitle, 10, tone="muted")
    made.ln(2)
    _tiles(made, report.tiles)
    for caveat in report.caveats:
        _line(made, f"! {caveat}", 10, tone="bad")
    made.ln(2)
    _line(made, report.changes_title, 12, style="B")
    for change in report.changes:
        _line(made, change.text, 10, tone=change.tone)
    for table in report.tables:
        made.ln(3)
        _table(made, table)
    made.ln(3)
    _line(made, report.notes_title, 11, style="B")
    for note in report.notes:
        _line(made, note, 8.5, tone="muted")
    if report.link:
        made.set_font(_FONT, "", 10)
        made.set_text_color(36, 129, 204)
        made.cell(0, 7, report.link_text, link=report.link, new_x="LMARGIN", new_y="NEXT")
    return bytes(made.output())


def _tiles(made: Any, tiles: Any) -> None:
    gap, top = 4.0, made.get_y()
    width = (made.epw - gap * (len(tiles) - 1)) / len(tiles)
    bottom = top
    for place, tile in enumerate(tiles):
        bottom = max(bottom, _tile(made, tile, made.l_margin + place * (width + gap), top, width))
    made.set_y(bottom + 3)


def _tile(made: Any, tile: Tile, left: float, top: float, width: float) -> float:
    """Draw one; where it ends."""
    made.set_draw_color(*_LINE)
    made.rect(left, top, width, 27)
    for text, size, style, tone, height in (
        (tile.label, 9, "", "plain", 5.5), (tile.value, 22, "B", "plain", 10.0), (tile.note, 8.5, "", tile.tone, 4.2),
    ):  # fmt: skip
        made.set_xy(left + 3, top + 2 if text is tile.label else made.get_y())
        made.set_font(_FONT, style, size)
        made.set_text_color(*_COLOURS[tone])
        made.multi_cell(width - 6, height, text, align="L", new_x="LEFT", new_y="NEXT")
    return top + 27


def _table(made: Any, table: Table) -> None:
    from fpdf.fonts import FontFace

    # a heading does not stay alone at the foot of a page
    if made.get_y() + 5 * _ROW > made.h - _MARGIN:
        made.add_page()
    _line(made, table.title, 12, style="B")
    made.set_font(_FONT, "", 9)
    made.set_draw_color(*_LINE)
    made.set_text_color(*_COLOURS["plain"])
    last = len(table.rows) - 1
    numbers = [any(row[column].is_number for row in table.rows) for column in range(len(table.headings))]
    with made.table(
        col_widths=tuple(table.widths),
        headings_style=FontFace(emphasis="BOLD", fill_color=_SHADE, size_pt=8),
        line_height=_ROW * 0.72,
        padding=1,
        borders_layout="HORIZONTAL_LINES",
        text_align=tuple("RIGHT" if is_number else "LEFT" for is_number in numbers),
    ) as drawn:
        heading = drawn.row()
        for text in table.headings:
            heading.cell(text)
        for place, cells in enumerate(table.rows):
            row = drawn.row()
            for cell in cells:
                row.cell(cell.text, style=_face(cell, is_bold=table.has_total and place == last))


def _face(cell: Cell, *, is_bold: bool) -> Any:
    from fpdf.fonts import FontFace

    return FontFace(emphasis="BOLD" if is_bold else None, color=_COLOURS[cell.tone])


def _line(made: Any, text: str, size: float, *, style: str = "", tone: str = "plain") -> None:
    made.set_font(_FONT, style, size)
    made.set_text_color(*_COLOURS[tone])
    made.multi_cell(0, size * 0.52, text, align="L", new_x="LMARGIN", new_y="NEXT")


@cache
def _fonts() -> Path:
    """DejaVu comes with matplotlib; the library itself need not be imported for it."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None and found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations)), "mpl-data", "fonts", "ttf")
