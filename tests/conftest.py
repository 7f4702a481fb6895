"""Fixtures that all tests share: one PostgreSQL for the whole session, a migrated database of its own per module.

The server is the embedded one in a folder of its own, or that of ``DATABASE_URL``. Databases are cloned from a migrated
template, which takes a fraction of a second. Tests of pure code need none of this.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from resources.settings import Settings
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.server import OWNER, EmbeddedServer

VARIABLES = [name.upper() for name in Settings.model_fields]


class DatabaseServer:
    """A PostgreSQL in which tests may make databases."""

    def __init__(
        self, admin_url: str, owner_url: str, analyst_url: str | None, embedded: EmbeddedServer | None
    ) -> None:
        self.admin_url = urls.with_driver(admin_url, None)
        self._owner_url = urls.with_driver(owner_url, None)
        self._analyst_url = urls.with_driver(analyst_url, None) if analyst_url else None
        self.embedded = embedded
        self.owner = OWNER if embedded else urls.user_of(self._owner_url)
        self._template = f"otklik_template_{os.getpid()}"
        self._made: list[str] = []

    def url(self, database: str) -> str:
        return _in_database(self._owner_url, database)

    def warehouse(self, database: str) -> Warehouse:
        analyst = _in_database(self._analyst_url, database) if self._analyst_url else None
        return Warehouse(self.url(database), analyst_url=analyst)

    def create(self, name: str, template: str = "template0") -> str:
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            statement = sql.SQL("create database {} template {} encoding 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
            if self.owner:
                statement += sql.SQL(" owner {}").format(sql.Identifier(self.owner))
            admin.execute(statement)
        self._made.append(name)
        return name

    def clone(self, name: str) -> str:
        """A fresh migrated database."""
        if self._template not in self._made:
            self.create(self._template)
            with self.warehouse(self._template) as warehouse:
                warehouse.migrate()
        return self.create(f"otklik_{os.getpid()}_{name}"[:63], self._template)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        self._made.remove(name)

    def close(self) -> None:
        for name in list(self._made):
            self.drop(name)


@pytest.fixture(scope="session", autouse=True)
def _bare_environment() -> Iterator[None]:
    """Tests see no account of the machine that they run on."""
    kept = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    os.environ["OTKLIK_TEST_DATABASE_URL"] = kept.get("DATABASE_URL", os.environ.get("OTKLIK_TEST_DATABASE_URL", ""))
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def database_server(_bare_environment: None) -> Iterator[DatabaseServer]:
    """One server for all tests: the embedded one, or that of ``DATABASE_URL``."""
    given = os.environ.get("OTKLIK_TEST_DATABASE_URL")
    if given:
        server = DatabaseServer(given, given, None, None)
        yield server
        server.close()
        return
    # not below pytest's own folder, which only the user who runs the tests may walk to
    folder = Path(tempfile.mkdtemp(prefix="otklik-tests-"))
    folder.chmod(0o755)
    embedded = EmbeddedServer.join(folder / "home")
    server = DatabaseServer(embedded.urls.admin, embedded.urls.owner, embedded.urls.analyst, embedded)
    yield server
    embedded.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def database(database_server: DatabaseServer, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """An empty migrated warehouse that this module has for itself."""
    name = database_server.clone(_slug(request.module.__name__))
    with database_server.warehouse(name) as warehouse:
        yield warehouse
    database_server.drop(name)


@pytest.fixture
def fresh_database(database_server: DatabaseServer, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """An empty migrated warehouse for one test."""
    name = database_server.clone(_slug(request.node.name))
    with database_server.warehouse(name) as warehouse:
        yield warehouse
    database_server.drop(name)


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings that point at a warehouse and nothing else of this machine."""

    def make(warehouse: Warehouse, **fields: object) -> Settings:
        given = {"database_url": warehouse.url, "analyst_database_url": warehouse.analyst_url, **fields}
        return Settings(_env_file=None, **given)  # type: ignore[arg-type, call-arg]

    return make


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())[-40:].strip("_")


def _in_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
