"""A decorated tab for the tests about looks, and what a spreadsheet holds of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from resources.sheets import Chart, ColourRule, Column, Kind, Legend, Look, Tab
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import Sheet
from tests.emulators.sheets_page import page
from tests.emulators.sheets_rules import format_of

TITLE = "weekly_digest"
NAMES = ["Анна", "Борис", "Вера", "Глеб", "Дина", "Егор", "Жанна", "Зоя"]
LOOK = Look(
    caption=["Неделя 46", "=1+1 остаётся словами"],
    legend=[Legend("good", "85 % и больше 😀"), Legend("bad", "меньше 70 %")],
    frozen_columns=1,
    rules=[
        ColourRule("В срок", ">=", 0.85, "good"),
        ColourRule("В срок", "<", 0.7, "bad"),
        ColourRule("Состояние", "is", "хуже", "bad"),
        ColourRule("Менеджер", "is", "хуже", "warn", by="Состояние"),
    ],
    charts=[Chart("Неделя 46: в срок", "bar", "Менеджер", ["В срок"], key="in_target")],
    notes={"В срок": "Доля ожиданий, на которые ответили в срок"},
    links={"Чат": ["https://crm.example.test/1", None, "https://crm.example.test/3"]},
    protected=True,
)


def tab(rows: int = 4, look: Look | None = LOOK, **changes: Any) -> Tab:
    """Managers with shares of 95, 80, 65, 50 % and again; every second one without a chat."""
    columns = [
        Column("Менеджер"), Column("В срок", Kind.PERCENT), Column("Ожиданий", Kind.INTEGER), Column("Состояние"),
        Column("Чат"),
    ]  # fmt: skip
    cells = [
        [
            NAMES[n % 8],
            (95 - 15 * (n % 4)) / 100,
            20 + n,
            "хуже" if n % 4 == 2 else "лучше",
            f"чат {n}" if n % 2 == 0 else "",
        ]
        for n in range(rows)
    ]
    return Tab(TITLE, columns, cells, replace(look, **changes) if look else None)


def sheet_of(emulator: SheetsEmulator, title: str = TITLE) -> Sheet:
    found = emulator.books[emulator.spreadsheet_id].titled(title)
    assert found is not None
    return found


def whole(emulator: SheetsEmulator) -> list[Any]:
    """Everything that the spreadsheet holds, for comparing it before and after."""
    book = emulator.books[emulator.spreadsheet_id]
    sheets = [
        (one.sheet_id, one.title, one.row_count, one.column_count, one.frozen_rows, one.frozen_columns, one.more,
         list(one.rows), one.extras, one.row_meta, one.column_meta, one.parts)
        for one in book.sheets
    ]  # fmt: skip
    return [*sheets, book.named, book.metadata]


def colours(emulator: SheetsEmulator, column: int, top: int = 4, bottom: int = 8) -> list[str]:
    """What the rules say of cells: the letter of good, warn, bad, or a dot."""
    sheet = sheet_of(emulator)
    values = Book(emulator.books[emulator.spreadsheet_id])
    tones = {0.8863: "g", 1.0: "w", 0.9843: "b"}
    found = (format_of(values, sheet, row, column) for row in range(top, bottom))
    return [tones[form["backgroundColorStyle"]["rgbColor"]["red"]] if form else "." for form in found]


def rules(emulator: SheetsEmulator) -> list[dict[str, Any]]:
    return list(sheet_of(emulator).parts.get("conditionalFormats", []))


def charts(emulator: SheetsEmulator) -> list[dict[str, Any]]:
    return list(sheet_of(emulator).parts.get("charts", []))


def protected(emulator: SheetsEmulator) -> list[dict[str, Any]]:
    return list(sheet_of(emulator).parts.get("protectedRanges", []))


def rows_of(found: dict[str, Any]) -> tuple[int, int]:
    return found["startRowIndex"], found["endRowIndex"]


def shown_page(emulator: SheetsEmulator, title: str = TITLE) -> str:
    book = emulator.books[emulator.spreadsheet_id]
    return page(book, sheet_of(emulator, title).sheet_id)
