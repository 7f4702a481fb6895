"""The title of a chat as its export's file name tells it.

Here: names in any language. Not here: who in the chat has that name (``.people``).
"""

from __future__ import annotations

import re

from conversations.imports.whatsapp.locales import words
from conversations.imports.whatsapp.prefix import unmarked

_ENDING = re.compile(r"(?:\.(?:txt|zip))+$", re.IGNORECASE)
_COPY = re.compile(r"(?:[ _]?\(\d{1,3}\)|[ _]-[ _]?(?:copy|копия|kopie|copia))$", re.IGNORECASE)
_DASHED = re.compile(r"^[^-–]{0,20}whatsapp[^-–]{0,20}[ _][-–][ _](.+)$", re.IGNORECASE)


def title_of(file_name: str) -> str | None:
    """The chat's title; ``None`` if the name tells none (`_chat.txt`, a name that somebody gave).

    >>> title_of("Чат WhatsApp с контактом Анна Петрова.txt"), title_of("WhatsApp Chat - +7 701 000-00-00.zip")
    ('Анна Петрова', '+7 701 000-00-00')
    >>> title_of("Alev ile WhatsApp Sohbeti (1).txt"), title_of("_chat.txt")
    ('Alev', None)
    """
    name = unmarked(file_name.replace("\\", "/").rpartition("/")[2])
    stem = _ENDING.sub("", name).strip()
    for _ in range(2):
        stem = _COPY.sub("", stem).strip()
    found = next((match for pattern in words().titles if (match := pattern.match(stem))), None)
    found = found or _DASHED.match(stem)
    if found is None:
        return None
    title = found[1]
    if "_" in title and " " not in title and " " not in stem:
        title = title.replace("_", " ")
    return title.strip() or None
