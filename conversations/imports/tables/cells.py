"""One row and the columns that the mapping names in it. Not here: what a column means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from conversations.imports.tables.units import as_text
from conversations.parsing.fields import Odd

_TRUE = frozenset({"true", "1", "yes", "y", "да", "t", "+", "истина"})
_FALSE = frozenset({"false", "0", "no", "n", "нет", "f", "-", "ложь"})
_ABSENT = object()


class Item(NamedTuple):
    """What is one message of the file, with the object around it where it stands in one's list."""

    position: int
    row: Any
    around: Mapping[str, Any] | None = None
    original: Any = None
    """JSON values."""
    leading: Any = None
    """The object around, without the list, where this is its first message; else ``None``."""
    is_notice: bool = False
    """A line of a log that nobody wrote."""
    problem: str | None = None
    more: str | None = None
    """Text of further lines of a log."""


class Cells:
    """The cells of one item by their meaning; notes which columns were seen at all."""

    def __init__(self, paths: Mapping[str, str], constants: Mapping[str, str], item: Item, seen: set[str]) -> None:
        self._paths = paths
        self._constants = constants
        self._item = item
        self._seen = seen

    def raw(self, meaning: str) -> Any:
        """The cell as the library gave it; ``None`` where it is empty, absent or not mapped."""
        path = self._paths.get(meaning)
        if path is None:
            return self._constants.get(meaning)
        found = at_path(self._item.around, path[1:]) if path[0] == "/" else at_path(self._item.row, path)
        if found is _ABSENT:
            return None
        self._seen.add(meaning)
        return None if isinstance(found, str) and not found.strip() else found

    def text(self, meaning: str) -> str | None:
        """The cell as text without blanks around it.

        Raises:
            Odd: ``bad_value``: a list or an object.
        """
        found = self.raw(meaning)
        if found is None:
            return None
        if isinstance(found, dict | list | tuple):
            raise Odd("bad_value")
        text = found if type(found) is str else as_text(found)
        return None if text is None else text.strip()

    def body(self) -> str:
        """The text of the message as it stands, empty where the cell is; with the further lines of a log.

        Raises:
            Odd: ``bad_value``: a list or an object.
        """
        found = self.raw("text")
        if isinstance(found, dict | list | tuple):
            raise Odd("bad_value")
        text = as_text(found) or ""
        return text if self._item.more is None else f"{text}\n{self._item.more}"

    def truth(self, meaning: str) -> bool | None:
        """A truth value; ``None`` where the cell is empty.

        Raises:
            Odd: ``bad_value``: something else.
        """
        found = self.text(meaning)
        if found is None:
            return None
        if found.casefold() in _TRUE:
            return True
        if found.casefold() in _FALSE:
            return False
        raise Odd("bad_value")


def at_path(row: Any, path: str) -> Any:
    """The value under a name, else along a path of names and numbers joined by dots; ``_ABSENT`` where there is none.

    >>> at_path({"a.b": 1}, "a.b"), at_path({"a": [{"b": 2}]}, "a.0.b"), at_path({"a": 1}, "a.b") is _ABSENT
    (1, 2, True)
    """
    if type(row) is dict and path in row:
        return row[path]
    for part in path.split("."):
        if isinstance(row, Mapping) and part in row:
            row = row[part]
        elif isinstance(row, list | tuple) and part.isdecimal() and part.isascii() and int(part[:9]) < len(row):
            row = row[int(part)]
        else:
            return _ABSENT
    return row
