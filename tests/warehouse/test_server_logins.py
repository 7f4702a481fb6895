"""The logins of the embedded server reach their own database and nothing beside it, in an older home as well.

Not here: starting and stopping it (``test_server``), rights within a database (``test_roles``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.postgres_files import place_of
from resources.warehouse.roles import Role
from resources.warehouse.server import EmbeddedServer

REACHED = {role: {"otklik"} for role in Role} | {Role.OWNER: {"otklik", "dagster"}, Role.DAGSTER: {"dagster"}}
"""By hand. The owner is the dagster login's member, who owns the other database."""
LARGE_OBJECTS = (
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select lo_creat(-1)",
    "select lo_put(1, 0, 'x')",
)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="otklik-logins-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def at(url: str, database: str) -> str:
    return url.rpartition("/")[0] + f"/{database}"


def reached(server: EmbeddedServer) -> dict[Role, set[str]]:
    """Where each login really gets in."""
    found: dict[Role, set[str]] = {role: set() for role in Role}
    for role, url in server.urls.by_role.items():
        for database in ("otklik", "dagster", "postgres", "template1"):
            try:
                psycopg.connect(at(url, database)).close()
            except psycopg.OperationalError as error:
                assert "permission denied for database" in str(error)
            else:
                found[role].add(database)
    return found


def refused(server: EmbeddedServer, role: Role) -> list[str]:
    """Which statements on large objects fail for want of a right."""
    found = []
    with psycopg.connect(server.urls.by_role[role], autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        for statement in LARGE_OBJECTS:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                found.append(statement)
    return found


def test_logins_reach_their_own_database_only(home: Path) -> None:
    server = EmbeddedServer.join(home)
    try:
        assert reached(server) == REACHED
        for role in set(Role) - {Role.DAGSTER}:
            assert refused(server, role) == list(LARGE_OBJECTS), role
        with psycopg.connect(at(server.urls.admin, "otklik")) as admin:
            assert admin.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)
    finally:
        server.close()


def test_home_of_an_earlier_version_is_closed_as_well(home: Path) -> None:
    server = EmbeddedServer.join(home)
    try:
        with psycopg.connect(server.urls.admin, autocommit=True) as admin:
            for database in ("postgres", "template1"):
                admin.execute(
                    sql.SQL("grant connect, temporary on database {} to public").format(sql.Identifier(database))
                )
        with psycopg.connect(at(server.urls.admin, "otklik")) as admin:
            admin.execute("grant execute on function lo_create(oid), lo_put(oid, bigint, bytea) to public")
        assert reached(server) == {role: names | {"postgres", "template1"} for role, names in REACHED.items()}
    finally:
        server.close()
    state = place_of(home).state / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "is_prepared": 2}))
    server = EmbeddedServer.join(home)
    try:
        assert reached(server) == REACHED
        assert refused(server, Role.ANALYST) == list(LARGE_OBJECTS)
    finally:
        server.close()


def test_migration_ends_the_memberships_of_its_logins(home: Path) -> None:
    """The owner may not; the server's administrator is ours as well."""
    settings = Settings(_env_file=None, otklik_home=home)  # type: ignore[call-arg]
    with Warehouse.open(settings) as warehouse:
        owner = warehouse.as_role(Role.OWNER)
        owner.migrate()
        server = EmbeddedServer.join(home)
        with psycopg.connect(server.urls.admin, autocommit=True) as admin:
            admin.execute("grant pg_read_all_data to otklik_analyst, otklik_dagster")
            admin.execute("grant otklik_loader to otklik_desk")
        server.close()
        for role in (Role.ANALYST, Role.DESK):
            with warehouse.as_role(role).connect() as session:
                assert session.execute("select * from raw.retailcrm__messages").fetchall() == []
        assert owner.migrate() == []
        for role in (Role.ANALYST, Role.DESK):
            with warehouse.as_role(role).connect() as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("select * from raw.retailcrm__messages")
        with owner.connect() as connection:
            members = connection.execute(
                "select roleid::regrole::text, member::regrole::text from pg_auth_members"
                " where member::regrole::text ~ '^otklik_' order by 1"
            ).fetchall()
        # the owner migrates what these two make
        assert members == [("otklik_dagster", "otklik_owner"), ("otklik_publisher", "otklik_owner")]
        assert owner.give_rights() == 0
