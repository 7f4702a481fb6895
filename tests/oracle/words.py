"""Closing messages by their words alone (contract, section 1.1; ruling 15)."""

from __future__ import annotations

import unicodedata

from tests.oracle.policy import OraclePolicy
from tests.oracle.reading import Told


def is_closing(message: Told, policy: OraclePolicy) -> bool:
    """Whether the words alone are those of a closing message (section 1.1, ruling 15)."""
    if message.row.content_kind == "sticker":
        return True
    text = message.row.text or ""
    if message.row.content_kind != "text" or len(text) > 25 or "?" in text:
        return False
    if any(character.isdigit() for character in text):
        return False
    words = tokens(text)
    return bool(words) and all(word in policy.closing_words for word in words)


def tokens(text: str) -> list[str]:
    """Words and single emoji of a text without punctuation and skin tones."""
    found, word = [], ""
    for character in text.lower().replace("ё", "е"):
        category = unicodedata.category(character)
        if character.isspace() or category == "So":
            found += [word] if word else []
            word = ""
            found += [character] if category == "So" else []
        elif not category.startswith("P") and not "\U0001f3fb" <= character <= "\U0001f3ff" and character != "\ufe0f":
            word += character
    return [*found, word] if word else found
