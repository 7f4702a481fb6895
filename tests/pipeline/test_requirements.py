"""What talk is judged by, from the spreadsheet to versions: a change is a version, anything broken changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.reference.requirements import REQUIREMENTS
from conversations.policy import Policy
from conversations.scoring.rubric import criteria_of_yaml
from orchestration.definitions import defs
from resources.requirements import Requirements, refresh_requirements
from resources.settings import PROJECT_ROOT, Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.requirements import (
    NoRubric,
    instructions_in_force,
    rubric_in_force,
    rubric_of_version,
)
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery
from tests.emulators.sheets import SheetsEmulator

POLICY = """
departments:
  sales: {name: Торговые представители, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls,
          criteria_tab: Критерии, instructions_tab: Указания}
  office: {name: Офис-менеджеры, rubric: office_calls, prompt: office_calls}
"""
HEAD = ["Код", "Критерий", "Вопрос", "Вес"]
GREETING, PRICE = ["greeting", "Приветствие", "Поздоровался?", 10], ["price", "Цена", "Назвал цену?", 20]
CANARY = "sk-" + "c4n4ry" * 6
OFFICE = "prompts/office_calls/rubric.yaml"


TABS: dict[str, list[list[Any]]] = {
    "Критерии": [HEAD, GREETING],
    "Указания": [["Будь строг"]],
    "Операторы": [["Оператор", "ФИО", "Отдел"], ["anna", "Анна", "sales"]],
}
TABLES = ("rubrics", "instructions", "operators", "requirement_looks", "departments", "offices", "supervisors")


@pytest.fixture(scope="module")
def google() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None, tabs=tuple(TABS)) as emulator:
        yield emulator


@pytest.fixture
def sheets(google: SheetsEmulator) -> SheetsEmulator:
    """The spreadsheet as it is before somebody touches it."""
    google.share("writer")
    google.faults.clear()
    for tab, rows in TABS.items():
        write(google, tab, rows)
    return google


def write(google: SheetsEmulator, tab: str, rows: list[list[Any]]) -> None:
    """Put the rows into the tab, and nothing beside them."""
    google.edit(f"'{tab}'!A1", [[*row, *[""] * (8 - len(row))] for row in [*rows, *[[]] * (12 - len(rows))]])


@pytest.fixture
def empty(database: Warehouse) -> Warehouse:
    """The module's database, in which nothing was ever read."""
    with database.connect() as sql:
        for table in TABLES:
            sql.execute(f"delete from reference.{table}")
    return database


@pytest.fixture
def settings(sheets: SheetsEmulator, empty: Warehouse) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=empty.url,
        requirements_sheet_id=sheets.spreadsheet_id,
        requirements_operators_tab="Операторы",
        google_service_account_json=sheets.service_account_file,
        sheets_base_url=sheets.base_url,
        http_max_attempts=1,
        http_deadline_seconds=5,
    )


@pytest.fixture
def read(settings: Settings, empty: Warehouse) -> Any:
    def refresh(policy: str = POLICY, **fields: Any) -> Requirements:
        given = settings.model_copy(update=fields)
        return refresh_requirements(empty.as_role(Role.LOADER), Policy.parse(policy), given)

    return refresh


def states(found: Requirements) -> dict[str, tuple[str, str | None, int | None]]:
    return {look.tab: (look.state, look.reason, look.version) for look in found.looks}


def everything(database: Warehouse) -> str:
    """Every row of the reference tables as text."""
    with database.connect() as sql:
        return "".join(
            str(sql.execute(f"select * from reference.{table} order by 1, 2").fetchall()) for table in TABLES
        )


def kept(database: Warehouse) -> dict[str, str]:
    """What is judged by, without when it was looked at."""
    tables = table_hashes(database, ("reference",))
    return {name: tables[name] for name in tables if name != "reference.requirement_looks"}


def test_a_change_is_a_version_and_nothing_else_is(read: Any, sheets: SheetsEmulator, empty: Warehouse) -> None:
    first = read()
    assert states(first) == {
        "Критерии": ("ok", None, 1), "Указания": ("ok", None, 1), OFFICE: ("ok", None, 1),
        "Операторы": ("ok", None, None),
    }  # fmt: skip
    assert first.new_versions == 3
    with empty.connect() as sql:
        before = rubric_in_force(sql, "sales_calls")
        assert [one.code for one in before.criteria] == ["greeting"]
        assert instructions_in_force(sql, "Указания") == "Будь строг"
        assert (instructions_in_force(sql, None), instructions_in_force(sql, "нет такого")) == ("", "")
        of_file = criteria_of_yaml((PROJECT_ROOT / OFFICE).read_text("utf-8"))
        assert rubric_in_force(sql, "office_calls").criteria == of_file
        assert sql.execute("select * from reference.departments order by 1").fetchall() == [
            ("office", "Офис-менеджеры", None, "office_calls", "office_calls"),
            ("sales", "Торговые представители", "Торговые представители", "sales_calls", "sales_calls"),
        ]
    unchanged = kept(empty)
    again = read()
    assert (again.new_versions, kept(empty)) == (0, unchanged)

    sheets.edit("'Критерии'!A2", [[*GREETING[:3], 15], PRICE])
    sheets.edit("'Указания'!A1", [["Будь добр"]])
    assert read().new_versions == 2
    with empty.connect() as sql:
        now = rubric_in_force(sql, "sales_calls")
        assert (now.version, [one.weight for one in now.criteria]) == (2, [15, 20])
        assert rubric_of_version(sql, "sales_calls", 1) == before
        diffs = sql.execute("select version, diff, source from reference.rubrics where rubric_id = 'sales_calls'")
        assert diffs.fetchall() == [
            (1, None, "sheet"),
            (2, {"added": ["price"], "removed": [], "changed": {"greeting": ["weight"]}, "reordered": False}, "sheet"),
        ]
        assert sql.execute("select diff from reference.instructions where version = 2").fetchone() == (
            {"added": ["Будь добр"], "removed": ["Будь строг"]},
        )
        with pytest.raises(NoRubric, match="otklik requirements"):
            rubric_of_version(sql, "sales_calls", 3)
        acts = sql.execute("select action, subject from ops.audit where action like 'new_%' order by at").fetchall()
    assert acts[-5:] == [
        ("new_criteria", "sales_calls version 1"), ("new_instructions", "Указания version 1"),
        ("new_criteria", "office_calls version 1"),
        ("new_criteria", "sales_calls version 2"), ("new_instructions", "Указания version 2"),
    ]  # fmt: skip
    # what was there before is a version of its own when it comes back
    sheets.edit("'Критерии'!A2", [GREETING, ["", "", "", ""]])
    read()
    with empty.connect() as sql:
        back = rubric_in_force(sql, "sales_calls")
        assert (back.version, back.criteria, back.hash) == (3, before.criteria, before.hash)


BREAKS: list[tuple[str, str, list[list[Any]], str, str]] = [
    ("Критерии", "D2", [["много"]], "broken", "D2: not_whole"),
    ("Критерии", "A1", [["Кот"]], "broken", "A1: unknown_heading; 1 (code): missing_heading"),
    ("Критерии", "F9", [[CANARY]], "refused", "F9: api_key"),
    ("Указания", "A2", [["Пароль", CANARY]], "refused", "B2: api_key"),
    ("Указания", "A1", [["=1=1"]], "broken", "A1: not_a_value"),
    ("Операторы", "C2", [["склад"]], "broken", "C2: unknown_department"),
]


def test_a_broken_tab_leaves_the_last_good_version_and_the_others_alone(
    read: Any, sheets: SheetsEmulator, empty: Warehouse
) -> None:
    expected = states(read())
    before = kept(empty)
    for tab, cell, values, state, reason in BREAKS:
        sheets.edit(f"'{tab}'!{cell}", values)
        found = read()
        assert states(found) == expected | {tab: (state, reason, expected[tab][2])}
        assert kept(empty) == before
        assert CANARY not in everything(empty) and CANARY not in repr(found)
        write(sheets, tab, TABS[tab])
        assert states(read()) == expected


def test_a_credential_of_the_first_reading_is_stored_nowhere(
    read: Any, sheets: SheetsEmulator, empty: Warehouse
) -> None:
    sheets.edit("'Критерии'!C2", [[f"Поздоровался? {CANARY}"]])
    assert states(read())["Критерии"] == ("refused", "C2: api_key", None)
    assert CANARY not in everything(empty)
    with empty.connect() as sql, pytest.raises(NoRubric):
        rubric_in_force(sql, "sales_calls")
    sheets.edit("'Критерии'!C2", [["Поздоровался?"]])
    assert states(read())["Критерии"] == ("ok", None, 1)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda s: s.share(None), "forbidden"),
        (lambda s: s.faults.add("status", status=500, times=20), "unavailable"),
    ],
)
def test_a_spreadsheet_that_cannot_be_read_stops_nothing(
    act: Any, reason: str, read: Any, sheets: SheetsEmulator, empty: Warehouse
) -> None:
    read()
    before = kept(empty)
    act(sheets)
    found = states(read())
    assert found.pop(OFFICE) == ("ok", None, 1), "files need no spreadsheet"
    assert {state[:2] for state in found.values()} == {("broken", reason)}
    assert kept(empty) == before


def test_a_tab_that_is_missing_is_named_and_the_others_are_read(
    read: Any, sheets: SheetsEmulator, empty: Warehouse
) -> None:
    found = states(read(POLICY.replace("Указания", "It's gone")))
    assert found["It's gone"] == ("broken", "no_tab", None)
    assert found["Критерии"] == ("ok", None, 1)
    # and what nobody asks for any more is no longer looked at
    assert set(states(read())) == {"Критерии", "Указания", OFFICE, "Операторы"}


def test_without_a_spreadsheet_the_files_hold(read: Any, empty: Warehouse, tmp_path: Path) -> None:
    found = read(requirements_sheet_id=None)
    assert set(states(found)) == {"prompts/sales_calls/rubric.yaml", OFFICE}
    with empty.connect() as sql:
        assert len(rubric_in_force(sql, "sales_calls").criteria) == 8
        assert sql.execute("select distinct source from reference.rubrics").fetchall() == [("file",)]
    # an installation's own folder, in which one is missing and one holds a key
    (tmp_path / "sales_calls").mkdir()
    (tmp_path / "sales_calls" / "rubric.yaml").write_text(f"criteria: []  # {CANARY}", "utf-8")
    before = kept(empty)
    found = read(requirements_sheet_id=None, otklik_prompts_dir=tmp_path)
    assert states(found) == {
        "prompts/sales_calls/rubric.yaml": ("refused", "line 1: api_key", 1), OFFICE: ("broken", "no_file", 1)
    }  # fmt: skip
    assert kept(empty) == before and CANARY not in everything(empty)


def test_a_spreadsheet_without_an_account_says_so(read: Any) -> None:
    found = states(read(google_service_account_json=None))
    assert found["Критерии"] == ("broken", "no_account", None)


def test_two_places_for_one_rubric_are_no_policy() -> None:
    from conversations.policy import PolicyError

    for text in (
        POLICY.replace("rubric: office_calls", "rubric: sales_calls"),
        POLICY.replace("instructions_tab: Указания", "instructions_tab: Критерии"),
        POLICY + "  third: {name: Т, rubric: other, prompt: x, criteria_tab: Критерии}\n",
    ):
        with pytest.raises(PolicyError, match=r"two values of criteria_tab|named for two things"):
            Policy.parse(text)


@pytest.mark.parametrize("place", ["requirements.read", "requirements.before_commit"])
def test_killed_on_the_way(
    place: str,
    read: Any,
    sheets: SheetsEmulator,
    settings: Settings,
    empty: Warehouse,
    nursery: Nursery,  # noqa: F811
) -> None:
    read()
    before = table_hashes(empty, ("reference",))
    sheets.edit("'Критерии'!A3", [PRICE])
    order = {
        "policy": POLICY,
        "settings": settings.model_dump(
            mode="json", include={"requirements_sheet_id", "google_service_account_json", "sheets_base_url"}
        ),
    }
    worker = nursery.start("requirements", empty, WEEK, fail_point=f"{place}:1", **order)
    assert worker.wait() == KILLED, worker.words
    assert table_hashes(empty, ("reference",)) == before
    assert nursery.start("requirements", empty, WEEK, **order).wait() == 0
    with empty.connect() as sql:
        assert rubric_in_force(sql, "sales_calls").version == 2


def test_the_asset_goes_on_and_its_check_is_red(
    sheets: SheetsEmulator,
    settings: Settings,
    empty: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    for name in ("database_url", "requirements_sheet_id", "google_service_account_json", "sheets_base_url"):
        value = getattr(settings, name)
        monkeypatch.setenv(name.upper(), value.get_secret_value() if hasattr(value, "get_secret_value") else str(value))
    monkeypatch.setenv("OTKLIK_POLICY", str(policy))
    sheets.edit("'Критерии'!A3", [[*PRICE[:3], CANARY]])
    chosen = [dg.AssetKey(["reference", table]) for table in REQUIREMENTS]
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=chosen,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        events = "".join(str(record.event_log_entry) for record in instance.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)))  # fmt: skip
    assert result.success
    checks = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert not checks["every_requirement_could_be_used"].passed
    assert checks["every_requirement_could_be_used"].severity == dg.AssetCheckSeverity.WARN
    assert not checks["every_department_has_a_rubric"].passed, "sales has none yet"
    assert "D3: api_key" in str(checks["every_requirement_could_be_used"].metadata)
    assert CANARY not in events + "".join(str(event) for event in result.all_events)
