"""By what talk is judged, brought up to date: spreadsheet and files are read, and what changed becomes a version.

Here: reading, understanding, one transaction that keeps it. Not here: what a checklist, a text or a directory may say
(``conversations``), the tables (``resources.warehouse.requirements``, ``resources.warehouse.operators``).

Nothing here stops a run. What cannot be read, understood or be stored, since a credential stands in it, leaves the last
good version in force and is written down as a look, by code and place and never by content: a check turns red.
Everything is read before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import psycopg

from conversations.headed import Faulty, told
from conversations.operators import Directory, read_directory
from conversations.policy import Policy
from conversations.scoring.credentials import credentials_in, credentials_in_text
from conversations.scoring.instructions import text_of_rows
from conversations.scoring.required import Required, names_of, required
from conversations.scoring.rubric import LARGEST_FILE, criteria_of_rows, criteria_of_yaml
from conversations.scoring.shapes import Criterion
from resources.accounts import spreadsheet_id_of
from resources.clients.errors import SourceError
from resources.requirements_account import requirements_account
from resources.settings import PROJECT_ROOT, Settings
from resources.sheets.requirements import Rows, read_tabs
from resources.warehouse.audit import record
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import requirements_lock
from resources.warehouse.operators import OperatorCounts, exchange_operators
from resources.warehouse.requirements import (
    Kept,
    Look,
    LookState,
    keep_instructions,
    keep_rubric,
    replace_departments,
    version_in_force,
    write_looks,
)

Understood: TypeAlias = tuple[Criterion, ...] | str | Directory


@dataclass(frozen=True)
class Requirements:
    """What one call found and did."""

    looks: tuple[Look, ...]
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """By place: versions of rubrics and of instructions that are in force, as far as they could be read."""
    operators: OperatorCounts | None = None
    """``None``: there is no tab of operators, or it could not be used."""

    @property
    def new_versions(self) -> int:
        """Versions that were written."""
        return sum(one.is_new for one in self.kept.values())

    @property
    def is_good(self) -> bool:
        """Whether everything could be used."""
        return all(look.state == "ok" for look in self.looks)


@dataclass(frozen=True)
class _Read:
    """One thing after it was read: understood, or the reason why not."""

    wanted: Required
    found: Understood | None
    refused: bool = False
    reason: str | None = None


def refresh_requirements(warehouse: Warehouse, policy: Policy, settings: Settings) -> Requirements:
    """Read everything that the policy names and keep what changed. Doing it again writes nothing but when it looked.

    Every new version is written down in ``ops.audit`` (promise S15).

    Raises:
        Busy: another process has been keeping requirements for long.
        KeysLost: the stored credential's key is gone (D14).
        WarehouseUnavailable: the database went away; nothing was changed.
    """
    read = _read_all(warehouse, policy, settings)
    fail_point("requirements.read")
    now = settings.now()
    with (
        warehouse.connect("otklik requirements", autocommit=True) as connection,
        requirements_lock(connection),
        connection.transaction(),
    ):
        replace_departments(connection, policy.departments)
        kept: dict[str, Kept] = {}
        operators: OperatorCounts | None = None
        for one in read:
            if isinstance(one.found, Directory):
                operators = exchange_operators(connection, one.found, "sheet")
            elif isinstance(one.found, str):
                kept[one.wanted.place] = keep_instructions(connection, one.wanted.name, one.found, now)
            elif one.found is not None:
                source = "file" if one.wanted.tab is None else "sheet"
                kept[one.wanted.place] = keep_rubric(connection, one.wanted.name, one.found, source, now)  # type: ignore[arg-type]
        for one in read:
            if (version := kept.get(one.wanted.place)) is not None and version.is_new:
                record(connection, f"new_{one.wanted.kind}", f"{one.wanted.name} version {version.version}")
        looks = [_look(connection, one) for one in read]
        write_looks(connection, looks, now)
        fail_point("requirements.before_commit")
    return Requirements(tuple(looks), kept, operators)


class Readable(NamedTuple):
    """How one thing could be read now."""

    place: str
    state: LookState
    reason: str | None


def look_at_requirements(warehouse: Warehouse | None, policy: Policy, settings: Settings) -> list[Readable]:
    """Read everything as ``refresh_requirements`` does and write nothing; without a database no tab can be read, as
    nobody knows the account.

    Raises:
        KeysLost: the stored credential's key is gone (D14).
        WarehouseUnavailable: the database went away.
    """
    return [Readable(one.wanted.place, _state(one), one.reason) for one in _read_all(warehouse, policy, settings)]


def _read_all(warehouse: Warehouse | None, policy: Policy, settings: Settings) -> list[_Read]:
    spreadsheet_id, has_sheet = _spreadsheet(settings)
    wanted = required(
        policy.departments, policy.scoring, has_sheet=has_sheet, operators_tab=settings.requirements_operators_tab
    )
    tabs = _tabs(warehouse, settings, spreadsheet_id, [one.tab for one in wanted if one.tab is not None])
    return [_read(one, tabs, policy, settings) for one in wanted]


def rubric_file(settings: Settings, rubric_id: str) -> Path:
    """Where the file of a rubric is; a relative folder is one of the project, wherever the process was started."""
    folder = settings.otklik_prompts_dir
    root = PROJECT_ROOT / "prompts" if folder is None else PROJECT_ROOT / folder.expanduser()
    return root / rubric_id / "rubric.yaml"


def _spreadsheet(settings: Settings) -> tuple[str, bool]:
    written = (settings.requirements_sheet_id or "").strip()
    return (spreadsheet_id_of(written), True) if written else ("", False)


def _tabs(
    warehouse: Warehouse | None, settings: Settings, spreadsheet_id: str, titles: Sequence[str]
) -> dict[str, Rows | str]:
    """The rows of each tab, or the code of why there are none; a spreadsheet that cannot be read is no tab's error."""
    if not titles:
        return {}
    account = None
    if warehouse is not None:
        with warehouse.connect("otklik requirements") as connection:
            account = requirements_account(settings, connection, spreadsheet_id)
    if account is None:
        return dict.fromkeys(titles, "no_account")
    # it brings all of Dagster, and most have no spreadsheet
    from resources.sheets_resource import client_of

    try:
        with client_of(settings, account) as client:
            return read_tabs(client, spreadsheet_id, titles)
    except SourceError as error:
        return dict.fromkeys(titles, error.reason)


def _read(wanted: Required, tabs: Mapping[str, Rows | str], policy: Policy, settings: Settings) -> _Read:
    if wanted.tab is None:
        return _file(wanted, rubric_file(settings, wanted.name))
    rows = tabs[wanted.tab]
    if isinstance(rows, str):
        return _Read(wanted, None, reason=rows)
    secrets = credentials_in(rows)
    if secrets:
        return _Read(wanted, None, refused=True, reason=told(secrets))
    understand: dict[str, Callable[[Rows], Understood]] = {
        "criteria": criteria_of_rows,
        "instructions": text_of_rows,
        "operators": lambda rows: read_directory(
            rows, names_of(policy.departments), settings.tbank_connection_id, may_be_empty=True
        ),
    }
    return _understood(wanted, lambda: understand[wanted.kind](rows))


def _file(wanted: Required, path: Path) -> _Read:
    try:
        if path.stat().st_size > 4 * LARGEST_FILE:
            return _Read(wanted, None, reason="too_long")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return _Read(wanted, None, reason="no_file")
    except (OSError, UnicodeDecodeError):
        return _Read(wanted, None, reason="unreadable")
    secrets = credentials_in_text(text)
    if secrets:
        return _Read(wanted, None, refused=True, reason=told(secrets))
    return _understood(wanted, lambda: criteria_of_yaml(text))


def _understood(wanted: Required, understand: Callable[[], Understood]) -> _Read:
    try:
        return _Read(wanted, understand())
    except Faulty as error:
        return _Read(wanted, None, reason=str(error))


def _look(connection: psycopg.Connection[Any], one: _Read) -> Look:
    version = version_in_force(connection, one.wanted.kind, one.wanted.name)
    return Look(one.wanted.place, one.wanted.kind, _state(one), one.reason, version)


def _state(one: _Read) -> LookState:
    return "ok" if one.found is not None else "refused" if one.refused else "broken"
