"""What we made in a tab, kept with the tab itself.

Here: the note that a publication leaves behind as developer metadata of the tab, which people do not see and which goes
when the tab goes. Not here: what is made (``decoration``, ``drawing``).

It is why people have the last word: what the note says we made and what is no longer there, somebody removed, and it is
not made again. And it is why only what we made is ever changed or removed. A tab without a note that holds our range
was published before there were looks: everything is made once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from resources.clients.sheets import Sheet

Request = dict[str, Any]
KEY = "otklik_look"
"""Of the note; its text stays far below the 30,000 characters that the vendor lets a tab keep."""


@dataclass(frozen=True)
class Memory:
    """What was made in one tab."""

    above: int = 0
    """Rows of ours above the heading."""
    frozen: int = 0
    notes: str = ""
    """A digest of the notes on the headings."""
    style: str = ""
    """A digest of how headings and rows are set."""
    links: tuple[int, ...] = ()
    """Linked columns, counted from our first."""
    is_protected: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    """What was asked for -> how it is known again, both as digests."""
    charts: Mapping[str, str] = field(default_factory=dict)
    """Key -> a digest of how the chart was drawn; its words and ranges apart."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Key of a chart -> a digest of its title and subtitle."""
    name: str = ""
    """What we called the tab, where that is not its title."""

    @classmethod
    def of(cls, sheet: Sheet | None) -> Memory:
        """What the tab's note says; of an unreadable one nothing is believed."""
        entry = _entry(sheet)
        if entry is None:
            return cls()
        try:
            found = json.loads(str(entry.get("metadataValue", "")))
            return cls(**{**found, "links": tuple(found.get("links", ()))})
        except (ValueError, TypeError, AttributeError):
            return cls()


def remembered(sheet: Sheet | None, sheet_id: int, memory: Memory) -> list[Request]:
    """The request that leaves the note, if it says something new."""
    noted = {name: value for name, value in asdict(memory).items() if value or name != "name"}
    entry, text = _entry(sheet), json.dumps(noted, separators=(",", ":"), sort_keys=True)
    if entry is not None and entry.get("metadataValue") == text:
        return []
    lookup = {"developerMetadataLookup": {"metadataId": entry["metadataId"]}} if entry is not None else {}
    if memory == Memory():
        return [{"deleteDeveloperMetadata": {"dataFilter": lookup}}] if entry is not None else []
    if entry is None:
        made = {"metadataKey": KEY, "metadataValue": text, "location": {"sheetId": sheet_id}, "visibility": "DOCUMENT"}
        return [{"createDeveloperMetadata": {"developerMetadata": made}}]
    new = {"dataFilters": [lookup], "developerMetadata": {"metadataValue": text}, "fields": "metadataValue"}
    return [{"updateDeveloperMetadata": new}]


def digest(value: Any) -> str:
    """Twelve letters that stand for a value of JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def number_of(seed: str) -> int:
    """An id for a tab or a chart that follows from what it is for: 31 bits, never 0, which is a first tab's."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % (2**31 - 2) + 1


def _entry(sheet: Sheet | None) -> Mapping[str, Any] | None:
    return next((one for one in sheet.metadata if one.get("metadataKey") == KEY), None) if sheet else None
