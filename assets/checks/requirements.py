"""What is wrong with what talk is judged by: a tab that cannot be used, an operator of a department that is gone.

Here: warnings that a person has to look at. They block nothing: the last good version is in force, and calls count for
waits whoever answered them. Not here: what must be true of who is who (``reference``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg

from assets.failures import explained
from resources.warehouse_resource import WarehouseResource


class _Check(NamedTuple):
    table: str
    name: str
    description: str
    statement: str
    """Rows that contradict: a reason or a place, and how many."""


_CHECKS = (
    _Check(
        "requirement_looks",
        "every_requirement_could_be_used",
        "Every tab and file that the policy names was understood when it was read last; a credential refuses it.",
        "select tab || ': ' || state || coalesce(' (' || reason || ')', ''), 1 from reference.requirement_looks"
        " where state <> 'ok' order by 1",
    ),
    _Check(
        "rubrics",
        "every_department_has_a_rubric",
        "Some version of the checklist of every department was read: without one nothing of it can be judged.",
        "select d.department_id, 1 from reference.departments d"
        " where not exists (select from reference.rubrics r where r.rubric_id = d.rubric_id) order by 1",
    ),
    _Check(
        "instructions",
        "a_version_differs_from_the_one_before",
        "No version of instructions repeats the one before it: a version is a change.",
        "select instructions_id, count(*) from (select instructions_id, content_hash = lag(content_hash) over"
        " (partition by instructions_id order by version) as is_same from reference.instructions) v"
        " where is_same group by 1 order by 1",
    ),
    _Check(
        "departments",
        "an_agent_group_belongs_to_one_department",
        "No agent group is named by two departments: its calls would be judged by the first of them.",
        "select 'groups', count(*) from (select agent_group from reference.departments where agent_group is not null"
        " group by 1 having count(*) > 1) g having count(*) > 0",
    ),
    _Check(
        "operators",
        "every_operator_is_in_a_known_department",
        "The department of every operator is one of the policy, or he is in none.",
        "select department_id, count(*) from reference.operators o where department_id is not null and not exists"
        " (select from reference.departments d where d.department_id = o.department_id) group by 1 order by 1",
    ),
    _Check(
        "operators",
        "a_phone_is_one_operators",
        "No telephone number belongs to two operators who are in a department at the same time.",
        "select 'phones', count(*) from (select phone from (select connection_id, operator, name, phone, department_id,"
        " valid_from, lead(valid_from, 1, 'infinity') over (partition by connection_id, lower(operator) order by"
        " valid_from) as valid_to from reference.operators) o where phone is not null and department_id is not null"
        " and exists (select from (select operator, name, phone, department_id, valid_from, lead(valid_from, 1,"
        " 'infinity') over (partition by connection_id, lower(operator) order by valid_from) as valid_to"
        " from reference.operators) p where p.phone = o.phone and p.name <> o.name and p.department_id is not null"
        " and p.valid_from < o.valid_to and o.valid_from < p.valid_to) group by 1) twice having count(*) > 0",
    ),
    _Check(
        "offices",
        "every_office_is_somebodys",
        "No office is there that no operator belongs to.",
        "select 'offices', count(*) from reference.offices f where not exists"
        " (select from reference.operators o where o.office_id = f.office_id) having count(*) > 0",
    ),
    _Check(
        "supervisors",
        "every_supervisor_is_somebodys",
        "No supervisor is there whom no operator has.",
        "select 'supervisors', count(*) from reference.supervisors s where not exists"
        " (select from reference.operators o where o.supervisor_id = s.supervisor_id) having count(*) > 0",
    ),
)
NAMES = frozenset(check.name for check in _CHECKS)
STATEMENTS = {dg.AssetCheckKey(dg.AssetKey(["reference", one.table]), one.name): one.statement for one in _CHECKS}


@dg.multi_asset_check(
    name="requirements_checks",
    specs=[
        dg.AssetCheckSpec(one.name, asset=["reference", one.table], description=one.description, blocking=False)
        for one in _CHECKS
    ],
    can_subset=True,
)
def requirements_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Counts what contradicts, by places and codes."""
    with explained(context), warehouse.open().connect("otklik-checks") as connection:
        for key in sorted(context.selected_asset_check_keys):
            found = connection.execute(STATEMENTS[key]).fetchall()  # constants of this module, never input
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"found": {str(place): int(count) for place, count in found}, "count": len(found)},
            )
