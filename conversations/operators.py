"""The directory of operators as people write it: who answers the telephone, where he belongs and since when.

Here: rows of a table or of a sheet become stays, or errors that name the cell. Not here: reading files and sheets, the
table (``resources.warehouse.operators``), which department a call belongs to (``conversations.departments``).

A row holds from its day until the operator's next row. Nothing is guessed: an unknown heading, a department that the
policy does not have or a day that is none is refused, all at once, by places and codes and never by content.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from conversations.headed import Fault, Faulty, Odd, cell_name, clean, headed, is_empty, text_of
from conversations.people import ALWAYS

_HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "connection_id": ("подключение", "счет", "аккаунт", "connection", "connection_id"),
    "operator": ("оператор", "id оператора", "логин", "id", "operator", "login"),
    "name": ("имя", "фио", "сотрудник", "name"),
    "department_id": ("отдел", "department"),
    "office": ("офис", "филиал", "office"),
    "supervisor": ("супервайзер", "руководитель", "supervisor"),
    "phone": ("телефон", "номер", "phone"),
    "valid_from": ("с", "с даты", "действует с", "valid_from", "from"),
}
_NEEDED: Final = ("operator", "name", "department_id")
_LONGEST = 200
MOST_ROWS = 20_000
_SERIAL_ZERO, _SERIALS = date(1899, 12, 30), range(18_000, 110_000)
"""Days of a spreadsheet are numbers: those from 1949 to 2201."""
_DAY = re.compile(r"(?:(\d{4})-(\d{2})-(\d{2})|(\d{1,2})\.(\d{1,2})\.(\d{4}))(?:[T ]00:00(?::00)?)?", re.ASCII)

CODES: Final = (
    "no_heading_row", "unknown_heading", "double_heading", "missing_heading", "no_rows", "too_many", "empty",
    "too_long", "not_a_value", "unknown_department", "bad_phone", "bad_day", "double_row",
)  # fmt: skip
"""What can be wrong (words for people: ``conversations.messages.operators``)."""


class DirectoryError(Faulty):
    """The directory cannot be used; says all that is wrong, by places and codes."""


class Listed(NamedTuple):
    """One row of ``reference.operators``, without where it came from."""

    connection_id: str
    operator: str
    valid_from: date
    name: str
    department_id: str | None
    office_id: str | None
    supervisor_id: str | None
    phone: str | None
    """Digits."""


class Directory(NamedTuple):
    """What a list of operators says; offices and supervisors by their ids."""

    operators: tuple[Listed, ...]
    """In the order of their keys."""
    offices: dict[str, str]
    supervisors: dict[str, str]


def read_directory(
    rows: Sequence[Sequence[Any]], departments: Mapping[str, str], connection_id: str, *, may_be_empty: bool = False
) -> Directory:
    """Understand a list with a heading; cells as a library or the Sheets API gives them, rows may be ragged.

    A department is written by its key or its name in the policy; an empty one says that the operator is in none. Of
    ``Офис`` and ``Супервайзер`` the name is written: equal names are one.

    Args:
        departments: key to name.
        connection_id: the telephony account of rows that name none.
        may_be_empty: whether a heading without rows says that there is nobody.

    Raises:
        DirectoryError: names every cell that is wrong.
    """
    try:
        at, columns = headed(rows, _HEADINGS, _NEEDED)
    except Faulty as error:
        raise DirectoryError(error.faults) from None
    if len(rows) - at > MOST_ROWS:
        raise DirectoryError([Fault("", "too_many")])
    known = {_folded(word): key for key, name in departments.items() for word in (name, key)}
    faults: list[Fault] = []
    found: dict[tuple[str, str, date], Listed] = {}
    offices: dict[str, str] = {}
    supervisors: dict[str, str] = {}
    for number, row in enumerate(rows[at + 1 :], at + 2):
        cells = {name: row[column] if column < len(row) else None for name, column in columns.items()}
        if all(is_empty(value) for value in cells.values()):
            continue
        values = _values(cells, {name: cell_name(number, column) for name, column in columns.items()}, known, faults)
        if values is None:
            continue
        office, supervisor = values.pop("office"), values.pop("supervisor")
        listed = Listed(
            **{**values, "connection_id": values["connection_id"] or connection_id},
            office_id=_remember(offices, office, _folded(office or "")),
            supervisor_id=_remember(supervisors, supervisor, _hashed(supervisor or "")),
        )
        key = (listed.connection_id, _folded(listed.operator), listed.valid_from)
        if key in found:
            faults.append(Fault(cell_name(number, columns["operator"]), "double_row"))
        found[key] = listed
    if not found and not faults and not may_be_empty:
        faults.append(Fault("", "no_rows"))
    if faults:
        raise DirectoryError(faults)
    return Directory(tuple(sorted(found.values(), key=lambda one: one[:3])), offices, supervisors)


def digits_of(phone: str) -> str:
    """A telephone number as it is compared: digits, Russian and Kazakh ones from 7 on.

    >>> digits_of("8 (926) 123-45-67"), digits_of("9261234567"), digits_of("201")
    ('79261234567', '79261234567', '201')
    """
    digits = re.sub(r"\D", "", phone, flags=re.ASCII)
    if len(digits) == 11 and digits[0] == "8":
        return f"7{digits[1:]}"
    return f"7{digits}" if len(digits) == 10 and digits[0] in "79" else digits


def _values(
    cells: Mapping[str, Any], places: Mapping[str, str], departments: Mapping[str, str], faults: list[Fault]
) -> dict[str, Any] | None:
    readers = {name: _text for name in _HEADINGS} | {
        "department_id": lambda value: _department(value, departments),
        "phone": _phone,
        "valid_from": _day,
    }
    values: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            values[name] = read(cells.get(name))
            if values[name] is None and name in ("operator", "name"):
                raise Odd("empty")
        except Odd as odd:
            faults.append(Fault(places.get(name, ""), odd.code))
            return None
    return values


def _text(value: Any) -> str | None:
    return None if is_empty(value) else text_of(value, _LONGEST)


def _department(value: Any, departments: Mapping[str, str]) -> str | None:
    written = _text(value)
    if written is None:
        return None
    found = departments.get(_folded(written))
    if found is None:
        raise Odd("unknown_department")
    return found


def _phone(value: Any) -> str | None:
    written = _text(value)
    if written is None:
        return None
    digits = digits_of(written)
    if not 2 <= len(digits) <= 15 or re.search(r"[^\d\s()+.*#-]", written):
        raise Odd("bad_phone")
    return digits


def _day(value: Any) -> date:
    if is_empty(value):
        return ALWAYS
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value in _SERIALS:
            return _SERIAL_ZERO + timedelta(days=int(value))
        raise Odd("bad_day")
    found = _DAY.fullmatch(clean(value)) if isinstance(value, str) else None
    if found is None:
        raise Odd("bad_day")
    year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Odd("bad_day") from None


def _remember(names: dict[str, str], name: str | None, key: str) -> str | None:
    if name is None:
        return None
    names.setdefault(key, name)
    return key


def _hashed(name: str) -> str:
    """An id of a person that is no name."""
    return f"sv-{hashlib.sha256(_folded(name).encode()).hexdigest()[:16]}"


def _folded(text: str) -> str:
    return text.strip().casefold()
