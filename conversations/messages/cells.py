"""What stands in a cell of a sheet when its text had to be cut. Not here: headings and tabs (``sheets``)."""

from __future__ import annotations

from typing import Final

CUT: Final = " … [обрезано, полный текст хранится в базе]"
