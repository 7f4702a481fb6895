"""A migration that dies between its two commits, tables, then views, comments and rights: the next one finishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from resources.settings import PROJECT_ROOT
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import LoginRefused
from resources.warehouse.roles import MADE, Role
from tests.conftest import DatabaseServer

MIGRATE = """
import os
from resources.warehouse.engine import Warehouse
Warehouse.at(os.environ["TO_MIGRATE"]).migrate()
"""


def migrate(url: str, fail_point: str) -> int:
    given = {**os.environ, "TO_MIGRATE": url, "FAILPOINT": fail_point, "PYTHONPATH": str(PROJECT_ROOT)}
    return subprocess.run([sys.executable, "-c", MIGRATE], cwd=PROJECT_ROOT, env=given, check=False).returncode


def look(warehouse: Warehouse) -> tuple[bool, bool, bool]:
    """Whether there are tables, views, comments."""
    with warehouse.connect() as connection:
        row = connection.execute(
            "select to_regclass('core.messages') is not null, to_regclass('core.messages_masked') is not null,"
            " obj_description(to_regclass('core.messages')) is not null"
        ).fetchone()
    assert row is not None
    return row


def test_migration_killed_between_its_commits(database_server: DatabaseServer) -> None:
    name = database_server.create(f"otklik_{os.getpid()}_cut_short")
    try:
        with database_server.warehouse(name) as warehouse:
            assert migrate(warehouse.url, "migrate.revisions_committed:1") == -signal.SIGKILL
            assert look(warehouse) == (True, False, False)
            warehouse.check_migrations()
            with pytest.raises(LoginRefused), warehouse.as_role(Role.LOADER).connect():
                pass
            assert warehouse.migrate() == []
            assert look(warehouse) == (True, True, True)
            for role in MADE:
                with warehouse.as_role(role).connect() as connection:
                    assert connection.execute("select 1").fetchone() == (1,)
            warehouse.as_role(Role.LOADER).check_migrations()
            with warehouse.as_role(Role.ANALYST).connect() as analyst:
                assert analyst.execute("select count(*) from core.messages_masked").fetchone() == (0,)
    finally:
        database_server.drop(name)
