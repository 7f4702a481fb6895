"""What stands in the sheets: tab titles stay as people know them, headings and words are Russian.

Not here: which columns there are and what is in them (``assets.exports.frames``).
"""

from __future__ import annotations

from typing import Final


class Masks:
    """What stands in a text instead of a contact."""

    PHONE: Final = "[телефон]"
    EMAIL: Final = "[почта]"
    CARD: Final = "[карта]"
