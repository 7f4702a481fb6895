"""Who wrote a row: a name, an id, a side, as far as the row and the mapping say it.

Here: one row's author and his key. Not here: who is a manager where the table does not say it (``survey.settle``).

Keys show nothing of a name. A person with an id is the same in every chat; one with a name alone, and one of whom the
table says only the side, is known within his chat (customers) or in the whole connection (managers and bots). Where the
table says sides, the side is part of the key: a bot that writes under a manager's name is somebody else.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple, get_args

from conversations.imports.survey import Choices, Side, folded, key_of
from conversations.imports.tables.cells import Cells
from conversations.imports.tables.mapping import TableMapping
from conversations.parsing.fields import Odd

LONGEST_NAME = 10_000
"""Characters: names are held in memory."""
_ID = "id-"
_DIRECTIONS: dict[str, Side] = {"in": "customer", "out": "manager"}


class Person(NamedTuple):
    """The author of one row."""

    key: str
    name: str | None
    side: Side | None
    """``None``: neither the row nor the mapping's list of managers says it."""


class People:
    """Finds the authors of one table."""

    def __init__(self, mapping: TableMapping, choices: Choices) -> None:
        self._roles: dict[str, Side] = {**{one: one for one in get_args(Side)}, **mapping.values.role}
        self._directions = {**{one: one for one in _DIRECTIONS}, **mapping.values.direction}
        self._says_sides = mapping.has("role", "direction")
        self._has_staff = bool(mapping.staff)
        self._staff = {folded(one) for one in (*mapping.staff, *choices.staff)}

    def of(self, cells: Cells, is_notice: bool) -> Person | None:
        """The author of a row; ``None`` for a notice, which nobody wrote.

        Raises:
            Odd: ``unknown_role``, ``unknown_direction``: a word that nobody declared; ``no_author``.
        """
        side = "system" if is_notice else self._side(cells)
        if side == "system":
            return None
        name, own_id = cells.text("author"), cells.text("author_id")
        if max(len(name or ""), len(own_id or "")) > LONGEST_NAME:
            raise Odd("bad_value")
        if side is None:
            if name is None and own_id is None:
                raise Odd("no_author")
            is_ours = any(one is not None and _folded(one) in self._staff for one in (name, own_id))
            side = "manager" if is_ours else "customer" if self._has_staff else None
            return Person(_key(None, own_id, name), name or own_id, side)
        return Person(_key(side, own_id, name), name, side)

    def _side(self, cells: Cells) -> Side | None:
        role = cells.text("role")
        if role is not None:
            side = self._roles.get(role.casefold())
            if side is None:
                raise Odd("unknown_role")
            return side
        word = cells.text("direction")
        if word is not None:
            direction = self._directions.get(word.casefold())
            if direction is None:
                raise Odd("unknown_direction")
            return _DIRECTIONS[direction]
        if self._says_sides:
            # an empty cell among roles: nothing says whose the row is
            raise Odd("unknown_role")
        return None


_folded = lru_cache(maxsize=4_096)(folded)
"""The same names come in every row."""


def is_person_id(key: str) -> bool:
    """Whether the key of a person is made of an id of the table, and means him in every chat."""
    return key.startswith(_ID)


def exact_key(*parts: str) -> str:
    """A key of ids, which differ by case and by every sign: 16 hexadecimal digits.

    >>> exact_key("aB") == exact_key("ab"), len(exact_key("x"))
    (False, 16)
    """
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


@lru_cache(maxsize=4_096)
def _key(side: Side | None, own_id: str | None, name: str | None) -> str:
    says = "" if side is None else side
    if own_id is not None:
        return f"{_ID}{exact_key(says, own_id)}"
    return key_of(says, name or "")
