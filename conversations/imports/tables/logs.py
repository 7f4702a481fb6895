"""Lines of a chat log, taken apart by declared patterns.

Here: the walk over the lines. Not here: a pattern (``patterns``), what the groups mean (``understood``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from conversations.imports.tables.mapping import Log
from conversations.imports.tables.patterns import LogPattern
from conversations.imports.tables.units import LINE, TableUnit, Unreadable

LONGEST_MESSAGE = 1_000_000
"""Characters that continued lines may add up to; what goes on after that is not understood."""


class LogLine(NamedTuple):
    """One message of a log, or one line that is none."""

    position: int
    cells: Mapping[str, Any]
    original: str
    """Its lines as they stand in the file."""
    is_system: bool = False
    problem: str | None = None


class LogLines:
    """Puts the lines of a log together to messages. Blank lines hold nothing and are passed over."""

    def __init__(self, log: Log) -> None:
        self._message = LogPattern(log.message)
        self._system = [LogPattern(one) for one in log.system]
        self._day = LogPattern(log.day) if log.day else None
        self._continues = log.continues
        self._date: str | None = None

    def over(self, units: Iterable[TableUnit]) -> Iterator[LogLine]:
        """One ``LogLine`` per message, in the order of the file."""
        self._date = None
        open_one: LogLine | None = None
        more: list[str] = []
        size = 0
        for position, row in units:
            if isinstance(row, Unreadable):
                line, found = str(row.original), LogLine(position, {}, str(row.original), problem=row.problem)
            else:
                line = str(row[LINE])
                if not line.strip() and not (open_one and self._continues):
                    continue
                found = self._line(position, line)
            goes_on = open_one is not None and self._continues and found.problem == "no_match"
            if goes_on and size + len(line) <= LONGEST_MESSAGE:
                more.append(line)
                size += len(line) + 1
                continue
            if open_one is not None:
                yield _whole(open_one, more)
            open_one, more, size = None, [], 0
            if found.problem is None and not found.is_system:
                open_one = found
            elif line.strip():
                yield found
        if open_one is not None:
            yield _whole(open_one, more)

    def _line(self, position: int, line: str) -> LogLine:
        cells = self._message.groups_of(line)
        if cells is not None:
            return LogLine(position, self._dated(cells), line)
        if self._day is not None and (day := self._day.groups_of(line)) is not None:
            self._date = day.get("date")
            return LogLine(position, {"date": self._date, "text": line}, line, True)
        for pattern in self._system:
            cells = pattern.groups_of(line)
            if cells is not None:
                return LogLine(position, self._dated({"text": line, **cells}), line, True)
        return LogLine(position, {}, line, problem="no_match")

    def _dated(self, cells: dict[str, str | None]) -> dict[str, str | None]:
        return {**cells, "date": self._date} if self._day is not None else cells


def _whole(line: LogLine, more: list[str]) -> LogLine:
    """The message with the lines that go on with it; blank ones at its end are kept in the original alone."""
    if not more:
        return line
    return line._replace(
        cells=line.cells | {MORE: "\n".join(more).rstrip()}, original="\n".join([line.original, *more])
    )


MORE = "\x00more"
"""Beside the groups: the text of the lines that go on with the message. No group can be called so."""
