"""What can be typed: help with examples everywhere, clear refusals, a quick start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Otklik

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ("up",),
    ("migrate",),
    ("run",),
    ("backfill",),
    ("import",),
    ("operators", "import"),
    ("operators", "list"),
    ("requirements",),
    ("sql",),
    ("explain",),
    ("audit-sheet",),
    ("doctor",),
    ("probe",),
    ("connect",),
    ("connections",),
    ("disable",),
    ("enable",),
    ("rotate-keys",),
    ("digest",),
    ("watch",),
    ("alerts",),
    ("schema",),
    ("service", "install"),
    ("telegram", "chat-id"),
    ("labels", "export"),
    ("labels", "import"),
    ("labels", "measure"),
    ("labels", "repeat"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_examples(otklik: Otklik, command: tuple[str, ...]) -> None:
    result = otklik(*command, "--help")

    assert result.exit_code == 0
    assert "Примеры:" in result.stdout
    assert f"otklik {' '.join(command)}" in result.stdout


def test_the_list_of_commands_is_complete(otklik: Otklik) -> None:
    shown = otklik("--help").stdout

    assert all(f" {command[0]} " in shown for command in COMMANDS)


def test_version_is_that_of_the_project(otklik: Otklik) -> None:
    declared = next(
        line for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines() if line.startswith("version")
    )

    assert otklik("--version").stdout.strip() == f"otklik {declared.split('=')[1].strip().strip(chr(34))}"


HEAVY = {"dagster", "sqlalchemy", "pandas", "polars", "great_expectations", "psycopg", "dbt", "pydantic", "requests"}


def test_help_loads_nothing_heavy() -> None:
    asked = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from orchestration.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--week", "2026-47"), "«2026-47» не похоже на неделю"),
        (("run", "--week", "2026-W54"), "«2026-W54» не похоже на неделю"),
        (("backfill", "--from", "вчера", "--to", "2026-10-31"), "«вчера» не похоже на дату"),
        (("backfill", "--from", "2026-10-31", "--to", "2026-10-01"), "позже последнего"),
        (("import", "no-such-file.json", "--format", "twitter-care"), "нет файла"),
        (("import", "no-file", "--format", "fax"), "Есть: auto, whatsapp, telegram, table, abcd, call"),
        (("probe", "fax"), "Есть: retailcrm"),
        (("explain", "marts.nothing"), "Есть: manager_week"),
        (("schema", "core.nothing"), "нет таблицы"),
        (("schema", "--format", "xml"), "Есть: table, markdown, json"),
        (("doctor", "--mode", "sometimes"), "Есть: off, fail, strict"),
        (("alerts", "forget", "1f6a90c2d4"), "Есть: resend ID, close ID"),
        (("alerts", "resend"), "Есть: resend ID, close ID"),
        (("service", "install", "--kind", "cron"), "systemd"),
    ],
)
def test_wrong_arguments_get_one_line_and_code_2(otklik: Otklik, arguments: tuple[str, ...], said: str) -> None:
    result = otklik(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not result.stdout


def test_wrong_settings_name_the_variable_and_not_its_value(otklik: Otklik) -> None:
    result = otklik("doctor", HTTP_MAX_ATTEMPTS="hunter2")

    assert result.exit_code == 2
    assert "HTTP_MAX_ATTEMPTS" in result.stderr
    assert "hunter2" not in result.stderr


def test_an_unconfigured_source_names_the_connection_and_what_to_do(otklik: Otklik) -> None:
    result = otklik("probe", "retailcrm")

    assert result.exit_code == 1
    assert result.stderr.startswith("Ошибка: retailcrm: подключение не настроено")
    assert ".env" in result.stderr
