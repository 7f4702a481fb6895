"""``otklik operators``: the directory of operators is read, checked and put in the place of the last; or shown.

Here: what is printed. Not here: what a list may say (``conversations.operators``), the table.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from conversations.messages import Requirements, day, number
from orchestration.cli import screen
from orchestration.cli.errors import CliError


def bring(path: Path, connection: str | None, *, as_json: bool) -> None:
    """Put the file's list in the place of the last one; print what that means.

    Raises:
        CliError: the list cannot be used; names every cell, and nothing was changed.
        BadImport: the file cannot be read.
        Busy: somebody else is writing requirements.
    """
    from conversations.operators import DirectoryError, read_directory
    from conversations.policy import Policy
    from conversations.scoring.required import names_of
    from resources.imports.lists import list_rows
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.operators import replace_operators

    settings = Settings()
    policy = Policy.load(settings.policy_path)
    account = connection or settings.tbank_connection_id
    try:
        directory = read_directory(list_rows(path, account), names_of(policy.departments), account)
    except DirectoryError as error:
        raise CliError(Requirements.BAD_FILE.format(path.name, Requirements.told(error.faults))) from None
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        counts = asdict(replace_operators(warehouse, directory, "file"))
    if as_json:
        print(json.dumps(counts))
        return
    rows = [(label, number(counts[key])) for key, label in Requirements.LABELS.items() if key != "beside"]
    screen.show(screen.table(Requirements.IMPORTED, [("", "left"), ("", "right")], rows))
    if counts["added"] or counts["changed"] or counts["removed"]:
        screen.say(Requirements.NEXT)


_LISTED = """
select o.connection_id, o.operator, o.name, coalesce(d.name, o.department_id), f.name, s.name, o.phone, o.valid_from,
    lead(o.valid_from) over (partition by o.connection_id, lower(o.operator) order by o.valid_from), o.source
from reference.operators as o
left join reference.departments as d using (department_id)
left join reference.offices as f using (office_id)
left join reference.supervisors as s using (supervisor_id)
order by o.connection_id, o.name, lower(o.operator), o.valid_from
"""
_KEYS = (
    "connection", "operator", "name", "department", "office", "supervisor", "phone", "valid_from", "valid_until",
    "source",
)  # fmt: skip


def show(*, as_json: bool) -> None:
    """Print the directory.

    Raises:
        WarehouseError: the database cannot be used.
    """
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    with Warehouse.open(Settings()) as warehouse:
        warehouse.ensure_migrated()
        with warehouse.connect() as connection:
            found = connection.execute(_LISTED).fetchall()
    if as_json:
        print(json.dumps([_as_json(row) for row in found], ensure_ascii=False))
        return
    if not found:
        screen.say(Requirements.EMPTY)
        return
    columns = [(heading, "left") for heading in Requirements.LIST_COLUMNS]
    rows = [(*(cell or "—" for cell in row[:7]), _span(row[7], row[8]), Requirements.SOURCES[row[9]]) for row in found]
    screen.show(screen.table(Requirements.IMPORTED, columns, rows))


def _as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        key: (None if value == date.min else value.isoformat()) if isinstance(value, date) else value
        for key, value in zip(_KEYS, row, strict=True)
    }


def _span(begin: date, next_begin: date | None) -> str:
    """From the first to the last day of a stay."""
    parts = [] if begin == date.min else [Requirements.FROM.format(day(begin))]
    if next_begin is not None:
        parts.append(Requirements.TO.format(day(next_begin - timedelta(days=1))))
    return " ".join(parts) or Requirements.ALWAYS
