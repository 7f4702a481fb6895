"""The command as a function: arguments in, exit code and both outputs out, on a database of the module's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.app import app
from resources.settings import Settings
from resources.warehouse.engine import Warehouse

Otklik = Callable[..., Result]


@pytest.fixture
def otklik(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Otklik:
    """Runs ``otklik ARGUMENTS``; no database and no account are set."""
    monkeypatch.setenv("OTKLIK_HOME", str(tmp_path))
    # what the command sets for Dagster ends with the test
    for name in ("DAGSTER_HOME", "DAGSTER_PG_URL", "DAGSTER_GRPC_TIMEOUT_SECONDS", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    # the developer's own .env must not decide a test
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    def run(*arguments: str, **variables: str) -> Result:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def on_database(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """The module's database is the one that the command opens."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    if database.analyst_url:
        monkeypatch.setenv("ANALYST_DATABASE_URL", database.analyst_url)
    yield database
