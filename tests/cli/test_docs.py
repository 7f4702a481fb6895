"""The pages of docs/ say what the code does: generated ones are current, written ones name what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
import typer.main

from conversations.parsing.formats import FORMATS
from orchestration.cli.app import app
from orchestration.cli.schema import dictionary
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from scripts.docs import pages
from tests.cli.conftest import Otklik

ROOT = Path(__file__).resolve().parents[2]
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
READMES = [ROOT / "README.md", ROOT / "README.ru.md"]


@pytest.mark.parametrize("name", ["data_dictionary.md", "configuration.md"])
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == pages()[name], "run `make docs`"


def _options(command: click.Command) -> set[str]:
    given = (
        {*parameter.opts, *parameter.secondary_opts}
        for parameter in command.params
        if parameter.param_type_name == "option"
    )
    return {option for options in given for option in options if option.startswith("--")} - {"--help"}


def _walk(command: click.Command, name: str) -> dict[str, set[str]]:
    below = getattr(command, "commands", {})
    found = {} if below and name != "otklik" else {name: _options(command)}
    for child_name, child in below.items():
        found |= _walk(child, f"{name} {child_name}")
    return found


def test_the_page_of_commands_names_each_command_and_option_and_no_other() -> None:
    sections = dict(re.findall(r"^## (otklik[^\n]*)\n(.*?)(?=^## |\Z)", COMMANDS_PAGE, re.M | re.S))
    written = {
        name: {option for line in text.splitlines() if line.startswith("- ") for option in _named(line)}
        for name, text in sections.items()
    }

    assert written == _walk(typer.main.get_command(app), "otklik")


def _named(line: str) -> set[str]:
    head = line.split(":", 1)[0]
    return set(re.findall(r"`(--[a-z-]+)`", head))


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_what_a_readme_points_at_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    linked = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    named = re.findall(r"`((?:resources|conversations|assets|tests|docs)/[\w./]+)`", text)
    targets = set(re.findall(r"(?:`|^    )make\s+([a-z]+)", text, re.M))
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))

    assert [target for target in [*linked, *named] if not (ROOT / target).exists()] == []
    assert targets <= made


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_a_readme_has_both_commands_and_every_format_and_setting_that_it_names(path: Path) -> None:
    text = path.read_text("utf-8")
    variables = set(re.findall(r"\b((?:OTKLIK|RETAILCRM|DATABASE|HTTP)_[A-Z_]*[A-Z])\b", text))

    assert "make demo" in text and "make test" in text
    assert all(f"`{name}`" in text for name in FORMATS)
    assert variables <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_analyst_can_run_every_query_of_a_readme(otklik: Otklik, on_database: Warehouse, path: Path) -> None:
    with on_database.connect() as owner:
        for table in dictionary():
            if table.name.startswith("marts."):
                columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
                owner.execute(f"create table if not exists {table.name} ({columns})")
    on_database.migrate()
    text = path.read_text("utf-8")
    blocks = re.findall(r"^    (select .*?;)$", text, re.M | re.S)
    queries = [*blocks, *re.findall(r'(?:`|otklik sql ")(select [^`"]+)[`"]', text)]
    said = {query: otklik("sql", query.rstrip(";")).stderr for query in queries}

    assert len(blocks) == 2 and len(queries) == 6
    assert {query: error for query, error in said.items() if "Ошибка" in error} == {}


def test_the_readmes_are_twins() -> None:
    shapes = [
        [
            line.split(" ")[0]
            for line in path.read_text("utf-8").splitlines()
            if line.startswith(("#", "| ", "1. ", "7. "))
        ]
        for path in READMES
    ]

    assert shapes[0] == shapes[1]


def test_the_dictionary_lists_every_column_with_its_meaning_and_class(otklik: Otklik) -> None:
    tables = json.loads(otklik("schema", "--format", "json").stdout)
    columns = [(table["name"], column) for table in tables for column in table["columns"]]

    assert {table["name"].split(".")[0] for table in tables} == {
        "raw",
        "core",
        "reference",
        "evaluated",
        "marts",
        "ops",
        "keys",
    }
    assert [table["name"] for table in tables if not table["description"]] == []
    assert [(table, column["name"]) for table, column in columns if not column["description"]] == []
    assert {column["pii"] for _, column in columns} <= {"none", "pseudonym", "name", "contact", "content"}


def test_one_table_of_the_dictionary(otklik: Otklik) -> None:
    result = otklik("schema", "core.messages")

    assert result.exit_code == 0
    assert "conversation_id *" in result.stdout
    assert "core.conversations" not in result.stdout
