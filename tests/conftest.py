"""Fixtures that all tests share: one PostgreSQL for the whole session, a migrated database of its own per module.

The server is the embedded one in a folder of its own, or that of ``DATABASE_URL``. Databases are cloned from a migrated
template, which takes a fraction of a second; each gets logins of its own. Tests of pure code need none of this.
``database`` and ``fresh_database`` are the owner's, who may look at everything and prepare anything; what is tested
runs under the role that runs it in production: ``database.as_role(Role.LOADER)``.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from assets.marts import dbt as marts_dbt
from resources.settings import Settings
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import MADE, NAME_BYTES, login_name
from resources.warehouse.server import EmbeddedServer
from resources.warehouse.server_logins import OWNER
from tests.person_keys import SECRET
from tests.quick_dagster import quick
from tests.warm_dbt import WarmDbt
from tests.warm_python import WarmPython

FOLDER = "otklik-tests-"
ROOM = 8 * 1024**3
"""Free memory, in bytes, from which the tests' servers lie in it: each needs a few hundred megabytes."""
VARIABLES = [name.upper() for name in Settings.model_fields]


class DatabaseServer:
    """A PostgreSQL in which tests may make databases."""

    def __init__(self, admin_url: str, owner_url: str, embedded: EmbeddedServer | None) -> None:
        self.admin_url = urls.with_driver(admin_url, None)
        self._owner_url = urls.with_driver(owner_url, None)
        self.embedded = embedded
        self.owner = OWNER if embedded else urls.user_of(self._owner_url)
        self._template = f"otklik_template_{os.getpid()}"
        self._made: list[str] = []

    def url(self, database: str) -> str:
        return _in_database(self._owner_url, database)

    def warehouse(self, database: str) -> Warehouse:
        return Warehouse.at(self.url(database))

    def logins(self, database: str) -> list[str]:
        """The logins that belong to a database, the owner's left out."""
        return [login_name(database, role) for role in MADE]

    def create(self, name: str, template: str = "template0") -> str:
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            statement = sql.SQL("create database {} template {} encoding 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
            if self.owner:
                statement += sql.SQL(" owner {}").format(sql.Identifier(self.owner))
            if admin.info.server_version >= 150_000:
                # a quarter of the CPU of writing every page of ten megabytes to the log, where files lie in memory
                statement += sql.SQL(" strategy file_copy")
            admin.execute(statement)
        self._made.append(name)
        return name

    def clone(self, name: str) -> str:
        """A fresh migrated database."""
        if self._template not in self._made:
            self.create(self._template)
            with self.warehouse(self._template) as warehouse:
                warehouse.migrate()
                with warehouse.connect() as connection:
                    # ids of people order rows: the same in every run of the tests
                    connection.execute("update keys.installation set secret = %s", (SECRET,))
            self._forget_logins(self._template)
        made = self.create(f"otklik_{os.getpid()}_{name}"[:NAME_BYTES], self._template)
        with self.warehouse(made) as warehouse:
            warehouse.give_rights()
        return made

    def drop(self, name: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            admin.execute(sql.SQL("drop role if exists {}").format(_names(self.logins(name))))
        self._made.remove(name)

    def _forget_logins(self, database: str) -> None:
        """Rights are cloned with a database: nobody of the template may be seen in its clones."""
        owner = sql.Identifier(self.owner) if self.owner else sql.SQL("current_user")
        with psycopg.connect(_in_database(self.admin_url, database), autocommit=True) as admin:
            # one by one: PostgreSQL trips over default rights that two of them share
            for login in map(sql.Identifier, self.logins(database)):
                for statement in ("reassign owned by {} to {}", "drop owned by {}", "drop role {}"):
                    admin.execute(sql.SQL(statement).format(login, owner))

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


@pytest.fixture(scope="module", autouse=True)
def _own_environment(_bare_environment: None) -> Iterator[None]:
    """What a command that ran in this process left in the environment does not reach the next module."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _warm_dbt() -> Iterator[None]:
    """dbt is imported once; what runs in a process of its own starts its own."""
    warm = WarmDbt(marts_dbt.PROJECT)
    with mock.patch.object(marts_dbt, "run", warm.run):
        yield
    warm.close()


@pytest.fixture(scope="session", autouse=True)
def _quick_dagster() -> Iterator[None]:
    """Dagster's events in memory cost what they are."""
    with quick():
        yield


@pytest.fixture(scope="session")
def warm_python() -> Iterator[WarmPython]:
    """Processes for small programs that die where they are told to."""
    warm = WarmPython()
    yield warm
    warm.close()


@pytest.fixture(scope="session")
def database_server(_bare_environment: None) -> Iterator[DatabaseServer]:
    """One server for all tests: the embedded one, or that of ``DATABASE_URL``."""
    given = os.environ.get("OTKLIK_TEST_DATABASE_URL")
    if given:
        server = DatabaseServer(given, given, None)
        yield server
        server.close()
        return
    # not below pytest's own folder, which only the user who runs the tests may walk to
    memory = _roomy_memory()
    _forget_the_killed(memory)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=memory))
    folder.chmod(0o755)
    embedded = EmbeddedServer.join(folder / "home")
    server = DatabaseServer(embedded.urls.admin, embedded.urls.owner, embedded)
    with psycopg.connect(embedded.urls.admin, autocommit=True) as admin:
        # the databases of the tests get logins of their own, made by their owner
        admin.execute(sql.SQL("alter role {} createrole").format(sql.Identifier(OWNER)))
        # this server outlives no crash of the machine; tests that kill kill its clients
        for quick in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '256MB'"):
            admin.execute(f"alter system set {quick}")
        if admin.info.server_version >= 160_000:
            # of what a connection costs the test, four fifths are the thousands of rounds that keep a password
            admin.execute("alter system set scram_iterations = 1")
            admin.execute("set scram_iterations = 1")
            for url in (embedded.urls.admin, *embedded.urls.by_role.values()):
                login, password = sql.Identifier(urls.user_of(url) or ""), sql.Literal(urls.password_of(url))
                admin.execute(sql.SQL("alter role {} password {}").format(login, password))
        admin.execute("select pg_reload_conf()")
    yield server
    embedded.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def database(database_server: DatabaseServer) -> Iterator[Warehouse]:
    """An empty migrated warehouse that this module has for itself."""
    # under one name for all modules: dbt parses its project anew where it is told of another database
    name = database_server.clone("module")
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


def _roomy_memory() -> Path | None:
    """A folder in memory with room for the servers of all test processes; making a database there takes a quarter of
    the CPU. ``None`` where there is none: the folder of temporary files does."""
    memory, information = Path("/dev/shm"), Path("/proc/meminfo")
    if not memory.is_dir() or not os.access(memory, os.W_OK) or not information.exists():
        return None
    found = re.search(r"^MemAvailable:\s+(\d+) kB", information.read_text("ascii"), re.MULTILINE)
    is_roomy = found is not None and min(int(found[1]) * 1024, shutil.disk_usage(memory).free) > ROOM
    return memory if is_roomy else None


def _forget_the_killed(memory: Path | None) -> None:
    """Memory is not cleaned by itself: what killed runs of more than an hour ago have left there goes."""
    for left in memory.glob(f"{FOLDER}*") if memory else ():
        with contextlib.suppress(OSError, ValueError):
            is_old = time.time() - left.stat().st_mtime > 3600
            if is_old and not Path(f"/proc/{int(left.name.split('-')[2])}").exists():
                shutil.rmtree(left, ignore_errors=True)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())[-40:].strip("_")


def _names(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _in_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
