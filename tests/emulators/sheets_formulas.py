"""Formulas: what they show.

Here: the arithmetic and the few functions that people's own columns use in tests and in the demo; anything else is
``#NAME?``, as an unknown function is. Nothing here reaches out: a formula that would fetch an address shows ``#REF!``,
and the spreadsheet's list of formulas tells a test that one got in. Not here: where a formula is stored,
how its references move (``sheets_references``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.emulators.sheets_grid import Formula, Sheet, Spreadsheet, number

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?%?)|(?P<text>\"(?:[^\"]|\"\")*\")"
    r"|(?P<ref>(?:(?:'(?:[^']|'')+'|[^\W\d]\w*)!)?(?:\$?[A-Za-z]{1,3}\$?[1-9]\d*(?::\$?[A-Za-z]{1,3}(?:\$?[1-9]\d*)?)?"
    r"|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3})(?![\w(!]))"
    r"|(?P<error>(?:(?:'(?:[^']|'')+'|[^\W\d]\w*)!)?#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!))"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<op><>|<=|>=|[-+*/^&=<>(),;%]))"
)


class Failure(Exception):
    """A formula's error, as the cell shows it."""


class Book:
    """The values of one spreadsheet as they are now; formulas are worked out once."""

    def __init__(self, book: Spreadsheet) -> None:
        self.book = book
        self._known: dict[tuple[int, int, int], Any] = {}
        self._open: set[tuple[int, int, int]] = set()

    def value(self, sheet: Sheet, row: int, column: int) -> Any:
        """What the cell holds or its formula comes to; an error is its text."""
        cell = sheet.cell(row, column)
        if not isinstance(cell, Formula):
            return cell
        key = (sheet.sheet_id, row, column)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            return "#REF!"
        self._open.add(key)
        try:
            value = _Reader(self, sheet, cell.text).result()
        except Failure as failure:
            value = str(failure)
        except RecursionError:
            value = "#ERROR!"
        finally:
            self._open.discard(key)
        self._known[key] = value
        return value


def worked_out(values: Book, sheet: Sheet, text: str) -> Any:
    """What a formula of a tab comes to that stands in no cell.

    Raises:
        Failure: it has an error.
    """
    return _Reader(values, sheet, text).result()


class _Reader:
    """One formula, read from left to right."""

    def __init__(self, values: Book, sheet: Sheet, text: str) -> None:
        self._values, self._sheet = values, sheet
        self._tokens: list[tuple[str, str]] = []
        at = 1
        while at < len(text):
            hit = _TOKEN.match(text, at)
            if hit is None:
                if not text[at:].strip():
                    break
                raise Failure("#ERROR!")
            at = hit.end()
            kind = str(hit.lastgroup)
            self._tokens.append((kind, hit[kind]))

    def result(self) -> Any:
        value = self._compare()
        if self._tokens:
            raise Failure("#ERROR!")
        while isinstance(value, list):
            value = value[0] if value else None
        # an empty cell that is referred to counts as zero
        return 0.0 if value is None else value

    def _take(self, *wanted: str) -> str | None:
        if self._tokens and self._tokens[0][0] == "op" and self._tokens[0][1] in wanted:
            return self._tokens.pop(0)[1]
        return None

    def _compare(self) -> Any:
        left = self._join()
        while (op := self._take("=", "<>", "<", ">", "<=", ">=")) is not None:
            right = self._join()
            left = _compared(_scalar(left), _scalar(right), op)
        return left

    def _join(self) -> Any:
        left = self._sum()
        while self._take("&"):
            left = _text(_scalar(left)) + _text(_scalar(self._sum()))
        return left

    def _sum(self) -> Any:
        left = self._product()
        while (op := self._take("+", "-")) is not None:
            right = _number(self._product())
            left = _number(left) + (right if op == "+" else -right)
        return left

    def _product(self) -> Any:
        left = self._power()
        while (op := self._take("*", "/")) is not None:
            right = _number(self._power())
            if op == "/" and right == 0:
                raise Failure("#DIV/0!")
            left = _number(left) * right if op == "*" else _number(left) / right
        return left

    def _power(self) -> Any:
        left = self._unary()
        while self._take("^"):
            left = _number(left) ** _number(self._unary())
        return left

    def _unary(self) -> Any:
        if self._take("-"):
            return -_number(self._unary())
        if self._take("+"):
            return self._unary()
        value = self._atom()
        while self._take("%"):
            value = _number(value) / 100
        return value

    def _atom(self) -> Any:
        if self._take("("):
            value = self._compare()
            if not self._take(")"):
                raise Failure("#ERROR!")
            return value
        if not self._tokens:
            raise Failure("#ERROR!")
        kind, text = self._tokens.pop(0)
        if kind == "number":
            return float(text[:-1]) / 100 if text.endswith("%") else float(text)
        if kind == "text":
            return text[1:-1].replace('""', '"')
        if kind == "error":
            raise Failure("#" + text.rpartition("#")[2])
        if kind == "ref":
            return self._range(text)
        if kind == "name":
            if text.upper() in ("TRUE", "FALSE") and not (self._tokens and self._tokens[0][1] == "("):
                return text.upper() == "TRUE"
            if self._take("("):
                return self._call(text.upper())
            raise Failure("#NAME?")
        raise Failure("#ERROR!")

    def _call(self, name: str) -> Any:
        arguments: list[Any] = []
        while not self._take(")"):
            if arguments and not self._take(",", ";"):
                raise Failure("#ERROR!")
            try:
                arguments.append(self._compare())
            except Failure as failure:
                if name != "IFERROR":
                    raise
                arguments.append(failure)
        if name in ("IMPORTXML", "IMPORTDATA", "IMPORTHTML", "IMPORTFEED", "IMPORTRANGE", "IMAGE", "WEBSERVICE"):
            raise Failure("#REF!")
        function = FUNCTIONS.get(name)
        if function is None:
            raise Failure("#NAME?")
        try:
            return function(*arguments)
        except (TypeError, IndexError, ValueError):
            raise Failure("#N/A") from None

    def _range(self, text: str) -> list[list[Any]]:
        tab, _, cells = text.rpartition("!")
        sheet: Sheet | None = self._sheet
        if tab:
            sheet = self._values.book.titled(tab[1:-1].replace("''", "'") if tab.startswith("'") else tab)
        if sheet is None:
            raise Failure("#REF!")
        first, _, last = cells.replace("$", "").partition(":")
        ends = [re.fullmatch(r"([A-Za-z]+)(\d*)", part) for part in (first, last or first)]
        (left, top), (right, bottom) = ((number(hit[1]), hit[2]) for hit in ends if hit)
        rows = range(int(top or 1) - 1, int(bottom) if bottom else sheet.row_count)
        columns = range(left, right + 1)
        if rows.stop > sheet.row_count or columns.stop > sheet.column_count:
            raise Failure("#REF!")
        used = max(len(sheet.rows), rows.start + 1)
        found = [
            [self._values.value(sheet, row, column) for column in columns] for row in rows[: used - rows.start] or rows
        ]
        for row in found:
            for value in row:
                if isinstance(value, str) and re.fullmatch(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|ERROR!)", value):
                    raise Failure(value)
        return found


def _flat(*values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(*value)
        else:
            yield value


def _scalar(value: Any) -> Any:
    while isinstance(value, list):
        value = value[0] if value else None
    return value


def _number(value: Any) -> float:
    value = _scalar(value)
    if value is None or value == "":
        return 0.0
    if isinstance(value, str):
        raise Failure("#VALUE!")
    return float(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _compared(left: Any, right: Any, op: str) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        left, right = _text(left).casefold(), _text(right).casefold()
    else:
        left, right = float(left or 0), float(right or 0)
    return bool({
        "=": left == right, "<>": left != right, "<": left < right,
        ">": left > right, "<=": left <= right, ">=": left >= right,
    }[op])  # fmt: skip


def _numbers(*values: Any) -> list[float]:
    return [float(value) for value in _flat(*values) if isinstance(value, float) and not isinstance(value, bool)]


def _criterion(wanted: Any) -> Callable[[Any], bool]:
    hit = re.fullmatch(r"(<>|<=|>=|<|>|=)?(.*)", _text(wanted), re.DOTALL)
    assert hit is not None
    right: Any = hit[2]
    if re.fullmatch(r"-?\d+(\.\d+)?", right):
        right = float(right)
    return lambda value: value is not None and _compared(value, right, hit[1] or "=")


def _average(*values: Any) -> float:
    found = _numbers(*values)
    if not found:
        raise Failure("#DIV/0!")
    return sum(found) / len(found)


def _vlookup(key: Any, table: list[list[Any]], column: Any, is_sorted: Any = True) -> Any:
    for row in table:
        if row[0] is not None and _compared(row[0], _scalar(key), "="):
            return row[int(_number(column)) - 1]
    raise Failure("#N/A")


def _iferror(value: Any, other: Any = "") -> Any:
    return _scalar(other) if isinstance(value, Failure) else _scalar(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": lambda *v: sum(_numbers(*v)),
    "AVERAGE": _average,
    "MIN": lambda *v: min(_numbers(*v), default=0.0),
    "MAX": lambda *v: max(_numbers(*v), default=0.0),
    "COUNT": lambda *v: float(len(_numbers(*v))),
    "COUNTA": lambda *v: float(sum(value is not None for value in _flat(*v))),
    "IF": lambda c, a, b=False: _scalar(a) if _scalar(c) else _scalar(b),
    "IFERROR": _iferror,
    "ROUND": lambda v, n=0.0: float(round(_number(v), int(_number(n)))),
    "ABS": lambda v: abs(_number(v)),
    "LEN": lambda v: float(len(_text(_scalar(v)))),
    "CONCATENATE": lambda *v: "".join(_text(value) for value in _flat(*v)),
    "HYPERLINK": lambda url, label=None: _scalar(label if label is not None else url),
    "COUNTIF": lambda table, wanted: float(sum(_criterion(_scalar(wanted))(value) for value in _flat(table))),
    "SUMIF": lambda table, wanted, sums=None: sum(
        amount
        for value, amount in zip(_flat(table), _flat(sums if sums is not None else table), strict=False)
        if _criterion(_scalar(wanted))(value) and isinstance(amount, float)
    ),
    "VLOOKUP": _vlookup,
}
