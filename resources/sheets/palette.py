"""The colours of tabs, and how requests spell them. Not here: where which stands (``decoration``, ``drawing``).

Words on coloured cells keep a contrast of at least 4.5 to 1; no colour says anything that a word or a number beside it
does not say, too.
"""

from __future__ import annotations

from typing import Any

from resources.sheets.look import Tone

CELLS: dict[Tone, tuple[str | None, str]] = {
    "good": ("#e2f3e6", "#0b6b2e"),
    "warn": ("#fff1cf", "#7a4b00"),
    "bad": ("#fbe2df", "#a3201a"),
    "muted": (None, "#70757a"),
    "total": ("#eceff3", "#1f2937"),
}
"""Behind the text, and the text."""
STRONG: dict[Tone, str] = {
    "good": "#34a26a", "warn": "#f0b13c", "bad": "#dd5a4f", "muted": "#9aa0a6", "total": "#3f4a5a",
}  # fmt: skip
"""Of bars, lines, squares of a legend and names of tabs."""
SERIES = ("#3b6fb6", "#f0b13c", "#34a26a", "#8e6bbf", "#dd5a4f", "#5f9ea8")
"""Of the lines and bars of a chart that says nothing good or bad."""
HEADING = "#e6ebf2"
INK = "#1f2937"
FAINT = "#5f6368"


def style(colour: str) -> dict[str, Any]:
    """A colour as a ``ColorStyle``.

    >>> style("#ff0000")
    {'rgbColor': {'red': 1.0, 'green': 0.0, 'blue': 0.0}}
    """
    parts = zip(("red", "green", "blue"), range(1, 7, 2), strict=True)
    return {"rgbColor": {name: round(int(colour[at : at + 2], 16) / 255, 4) for name, at in parts}}


def spelled(holder: dict[str, Any], name: str) -> str | None:
    """A colour as the API tells it, in the way of this module: it comes back in 8 bits and maybe in the old field."""
    found = holder.get(f"{name}Style", {}).get("rgbColor", holder.get(name))
    if found is None:
        return None
    return "#" + "".join(f"{round(255 * found.get(part, 0)):02x}" for part in ("red", "green", "blue"))
