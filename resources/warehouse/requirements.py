"""By what talk is judged, in versions: checklists and instructions as snapshots, and how the last reading of each went.

Here: keeping a snapshot, reading the version in force. Not here: where they come from (``resources.requirements``),
what a checklist is (``conversations.scoring.rubric``).

What is in force is the highest version. A version is never changed and never removed: scorecards name the one that they
were made by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson
import psycopg

from conversations.policy_scoring import Departments
from conversations.scoring.instructions import instructions_hash, line_diff
from conversations.scoring.rubric import as_json, criteria_hash, diff, of_json
from conversations.scoring.shapes import Criterion, Rubric
from resources.warehouse.errors import WarehouseError

Source: TypeAlias = Literal["sheet", "file"]
LookState: TypeAlias = Literal["ok", "broken", "refused"]
"""broken: cannot be used or not be read; refused: a credential stands in it."""
LookKind: TypeAlias = Literal["criteria", "instructions", "operators"]


class NoRubric(WarehouseError):
    """No version of a rubric was ever read: nothing can be judged by it."""

    def __init__(self, rubric_id: str) -> None:
        self.rubric_id = rubric_id
        super().__init__(
            f"the rubric '{rubric_id}' was never read: otklik requirements reads it and says what is wrong with it"
        )


class Kept(NamedTuple):
    """A snapshot in force."""

    version: int
    is_new: bool
    """Written now; otherwise the one of before says the same and nothing was written."""
    diff: dict[str, Any] | None
    """What changed against the version before; ``None``: nothing, or there was none."""


class Look(NamedTuple):
    """How the last reading of a tab or of a file went."""

    tab: str
    kind: LookKind
    state: LookState
    reason: str | None
    """Codes and places; never content."""
    version: int | None
    """What is in force."""


def rubric_in_force(connection: psycopg.Connection[Any], rubric_id: str) -> Rubric:
    """The newest version of a rubric.

    Raises:
        NoRubric: there is none.
    """
    found = _newest_rubric(connection, rubric_id)
    if found is None:
        raise NoRubric(rubric_id)
    return found


def rubric_of_version(connection: psycopg.Connection[Any], rubric_id: str, version: int) -> Rubric:
    """A rubric as it was then.

    Raises:
        NoRubric: there is no such version.
    """
    row = connection.execute(
        "select version, criteria, content_hash from reference.rubrics where rubric_id = %s and version = %s",
        (rubric_id, version),
    ).fetchone()
    if row is None:
        raise NoRubric(rubric_id)
    return Rubric(rubric_id, row[0], of_json(row[1]), row[2])


def instructions_in_force(connection: psycopg.Connection[Any], instructions_id: str | None) -> str:
    """The newest text of a tab with instructions; empty where there is no tab, or it was never read."""
    row = connection.execute(
        "select content from reference.instructions where instructions_id = %s order by version desc limit 1",
        (instructions_id,),
    ).fetchone()
    return row[0] if row else ""


def keep_rubric(
    connection: psycopg.Connection[Any], rubric_id: str, criteria: Iterable[Criterion], source: Source, now: datetime
) -> Kept:
    """Make the criteria the version in force; nothing is written where they are already.

    The caller commits, and holds ``requirements_lock``: two writers must not take one version.
    """
    listed = tuple(criteria)
    before = _newest_rubric(connection, rubric_id)
    digest = criteria_hash(listed)
    if before is not None and before.hash == digest:
        return Kept(before.version, False, None)
    version = 1 if before is None else before.version + 1
    changes = None if before is None else diff(before.criteria, listed)
    connection.execute(
        "insert into reference.rubrics (rubric_id, version, content_hash, criteria, diff, source, taken_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (rubric_id, version, digest, _text(as_json(listed)), _text(changes), source, now),
    )
    return Kept(version, True, changes)


def keep_instructions(connection: psycopg.Connection[Any], instructions_id: str, content: str, now: datetime) -> Kept:
    """As ``keep_rubric``, for a text of instructions."""
    row = connection.execute(
        "select version, content_hash, content from reference.instructions where instructions_id = %s"
        " order by version desc limit 1",
        (instructions_id,),
    ).fetchone()
    digest = instructions_hash(content)
    if row is not None and row[1] == digest:
        return Kept(row[0], False, None)
    version = 1 if row is None else row[0] + 1
    changes = None if row is None else line_diff(row[2], content)
    connection.execute(
        "insert into reference.instructions (instructions_id, version, content_hash, content, diff, taken_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (instructions_id, version, digest, content, _text(changes), now),
    )
    return Kept(version, True, changes)


def replace_departments(connection: psycopg.Connection[Any], departments: Departments) -> None:
    """Make the departments those of the policy; the caller commits."""
    wanted = {(key, one.name, one.agent_group, one.rubric, one.prompt) for key, one in departments.items()}
    stored = connection.execute(
        "select department_id, name, agent_group, rubric_id, prompt_id from reference.departments"
    ).fetchall()
    if set(stored) == wanted:
        return
    connection.execute("delete from reference.departments")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into reference.departments (department_id, name, agent_group, rubric_id, prompt_id)"
            " values (%s, %s, %s, %s, %s)",
            sorted(wanted, key=itemgetter(0)),
        )


def version_in_force(connection: psycopg.Connection[Any], kind: LookKind, name: str) -> int | None:
    """The newest version of a rubric or of instructions; ``None``: none yet, or something without versions."""
    statements = {
        "criteria": "select max(version) from reference.rubrics where rubric_id = %s",
        "instructions": "select max(version) from reference.instructions where instructions_id = %s",
    }
    if kind not in statements:
        return None
    row = connection.execute(statements[kind], (name,)).fetchone()
    return row[0] if row else None


def write_looks(connection: psycopg.Connection[Any], looks: Sequence[Look], now: datetime) -> None:
    """Exchange all looks for these: what nobody asks for any more is no longer shown. The caller commits."""
    connection.execute("delete from reference.requirement_looks where not tab = any(%s)", ([one.tab for one in looks],))
    for look in looks:
        connection.execute(
            "insert into reference.requirement_looks (tab, kind, state, reason, version, looked_at)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (tab) do update set kind = excluded.kind,"
            " state = excluded.state, reason = excluded.reason, version = excluded.version,"
            " looked_at = excluded.looked_at",
            (*look, now),
        )


def _newest_rubric(connection: psycopg.Connection[Any], rubric_id: str) -> Rubric | None:
    row = connection.execute(
        "select version, criteria, content_hash from reference.rubrics where rubric_id = %s"
        " order by version desc limit 1",
        (rubric_id,),
    ).fetchone()
    return None if row is None else Rubric(rubric_id, row[0], of_json(row[1]), row[2])


def _text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
