"""Words that the layout of a sheet brings along. Not here: headings and tabs (``sheets``), what stands in cells."""

from __future__ import annotations

from typing import Final

PROTECTED: Final = "Эти ячейки заполняет Отклик: ваши правки в них пропадут при следующем обновлении"
"""Why people are warned before they edit our cells; by these words our warning is known again."""
SWATCH: Final = "■"
"""Stands before each colour of a legend, in that colour."""
