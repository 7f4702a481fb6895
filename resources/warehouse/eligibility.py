"""``refresh_eligibility()``: whose call it is and whether it is judged, written down beside each call.

Here: one transaction per connection that reads its calls, asks the rules and exchanges the rows that differ. Not here:
the rules (``conversations.scoring.eligible``, ``conversations.departments``), who judges (``resources.scoring``).

Who counts calls and who judges them must not differ by a rule that each of them applies on his own: both read the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg

from conversations.departments import Directory, OperatorStay, department_of
from conversations.policy import Policy
from conversations.scoring.eligible import why_not
from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import core_lock

JUDGED = "judged"
"""In the counts: calls that nothing keeps from being judged."""

_DUE = "e.call_id is null or (c.started_at >= %(start)s and c.started_at < %(end)s)"
_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
_CONNECTIONS = f"""
select distinct c.connection_id
from core.calls as c
left join evaluated.call_eligibility as e on e.call_id = c.call_id
where {_DUE}
order by 1
"""  # noqa: S608 - names of our own columns
_CALLS = f"""
select
    c.call_id, c.connection_id, c.business_on, c.operator_id, c.operator_login, c.agent_group, c.is_internal,
    c.is_answered, c.talk_seconds, t.state
from core.calls as c
left join core.call_transcripts as t on t.call_id = c.call_id
left join evaluated.call_eligibility as e on e.call_id = c.call_id
where
    c.connection_id = %(connection_id)s
    and ({_DUE})
"""  # noqa: S608 - names of our own columns
_STAYS = """
select connection_id, operator, valid_from, department_id, office_id, supervisor_id, name from reference.operators
"""
_COLUMNS = (
    "call_id", "connection_id", "business_on", "department_id", "office_id", "supervisor_id", "is_operator_known",
    "why_not",
)  # fmt: skip
_WRITE = f"""
insert into evaluated.call_eligibility as e ({", ".join(_COLUMNS)})
select {", ".join(_COLUMNS)} from judged_calls
on conflict (call_id) do update set {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
where ({", ".join(f"e.{name}" for name in _COLUMNS[1:])})
    is distinct from ({", ".join(f"excluded.{name}" for name in _COLUMNS[1:])})
"""  # noqa: S608 - names of our own columns


class StoredCall(NamedTuple):
    """What of a call decides."""

    call_id: str
    connection_id: str
    business_on: Any
    operator_id: str | None
    operator_login: str | None
    agent_group: str | None
    is_internal: bool
    is_answered: bool | None
    talk_seconds: int | None
    transcript_state: str | None


class EligibilityCounts(NamedTuple):
    """What one refresh found, in calls."""

    by_reason: dict[str, int]
    """``judged``, or why not."""
    written: int
    """Rows that were new or differed."""
    unknown_departments: tuple[str, ...]
    """Departments that the directory names and the policy does not have."""


def refresh_eligibility(
    warehouse: Warehouse, policy: Policy, window: Window | None, only: Collection[str] | None = None
) -> EligibilityCounts:
    """Judge the calls of the window anew, and every call that was never looked at (imported files of any day).

    A directory or a policy that changed reaches the days that a run is about; a second run writes nothing.

    Args:
        window: by the calls' beginnings; ``None``: all calls.
        only: connections to work on; ``None``: all that have such calls.

    Raises:
        Busy: another process writes the core tables of a connection and does not end.
        WarehouseUnavailable: the database went away; connections that were written stay.
    """
    found, written, strangers = Counter[str](), 0, set[str]()
    bounds = dict(zip(("start", "end"), (window.start, window.end) if window else _EVER, strict=True))
    with warehouse.connect("otklik eligibility", autocommit=True) as connection:
        directory = Directory(OperatorStay(*row) for row in connection.execute(_STAYS).fetchall())
        connections = [one for (one,) in connection.execute(_CONNECTIONS, bounds).fetchall()]
        for one in connections:
            if only is not None and one not in only:
                continue
            with core_lock(connection, one), connection.transaction():
                calls = connection.execute(_CALLS, {**bounds, "connection_id": one}).fetchall()
                rows = list(_judged(map(StoredCall._make, calls), directory, policy))
                found.update(row[-1] or JUDGED for row in rows)
                strangers |= {row[3] for row in rows if row[3] is not None and row[3] not in policy.departments}
                written += _exchange(connection, rows)
                fail_point("eligibility.before_commit")
    return EligibilityCounts(dict(sorted(found.items())), written, tuple(sorted(strangers)))


def _judged(calls: Iterator[StoredCall], directory: Directory, policy: Policy) -> Iterator[tuple[Any, ...]]:
    for call in calls:
        operator = (call.connection_id, call.operator_id, call.operator_login, call.business_on)
        stay = directory.stay(*operator)
        department = department_of([stay] if stay else [], call.agent_group, policy.departments, call.business_on)
        is_known = directory.knows(*operator)
        reason = why_not(
            call,
            call.transcript_state,
            is_known,
            policy.telephony,
            has_department=department is not None and department in policy.departments,
        )
        place = (stay.office_id, stay.supervisor_id) if stay else (None, None)
        yield call.call_id, call.connection_id, call.business_on, department, *place, is_known, reason


def _exchange(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> int:
    connection.execute(
        "create temp table judged_calls (like evaluated.call_eligibility including defaults) on commit drop"
    )
    with connection.cursor().copy(f"copy judged_calls ({', '.join(_COLUMNS)}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    return connection.execute(_WRITE).rowcount
