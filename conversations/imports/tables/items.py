"""Rows as messages: lists inside rows are taken apart, lines of a log are put together.

Here: which part of the file is one message, and what of the file it keeps as its original. Not here: what it means.
Every row, every element of a list and every line that is not blank is in the original of exactly one item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conversations.imports.tables.cells import Item, at_path
from conversations.imports.tables.logs import MORE, LogLines
from conversations.imports.tables.mapping import TableMapping
from conversations.imports.tables.units import TableUnit, Unreadable, as_json


def items_of(mapping: TableMapping, units: Iterable[TableUnit]) -> Iterator[Item]:
    """The messages of the file in its order; positions only grow, and with ``file.each`` they count messages."""
    if mapping.log is not None:
        return _of_lines(LogLines(mapping.log), units)
    return _of_lists(mapping.file.each, units) if mapping.file.each is not None else _of_rows(units)


def _of_rows(units: Iterable[TableUnit]) -> Iterator[Item]:
    for position, row in units:
        if isinstance(row, Unreadable):
            yield Item(position, {}, original=row.original, problem=row.problem)
        else:
            yield Item(position, row, original=as_json(row))


def _of_lists(path: str, units: Iterable[TableUnit]) -> Iterator[Item]:
    number = 0
    for _, row in units:
        if isinstance(row, Unreadable):
            number += 1
            yield Item(number, {}, original=row.original, problem=row.problem)
            continue
        listed = at_path(row, path)
        if not isinstance(listed, list | tuple) or not listed:
            number += 1
            yield Item(number, {}, row, original=as_json(row), problem="no_messages")
            continue
        for index, one in enumerate(listed):
            number += 1
            leading = _without(row, path.split(".")) if index == 0 else None
            yield Item(number, one, row, original=as_json(one), leading=leading)


def _without(row: Any, path: list[str]) -> Any:
    """The object without the list that the path leads to, as JSON."""
    if not isinstance(row, Mapping) or not path or path[0] not in row:
        return as_json(row)
    kept = {str(key): as_json(value) for key, value in row.items() if key != path[0]}
    if len(path) > 1:
        kept[path[0]] = _without(row[path[0]], path[1:])
    return kept


def _of_lines(lines: LogLines, units: Iterable[TableUnit]) -> Iterator[Item]:
    for line in lines.over(units):
        yield Item(
            line.position,
            line.cells,
            original=line.original,
            is_notice=line.is_system,
            problem=line.problem,
            more=line.cells.get(MORE),
        )
