"""The rights matrix of S5: every role, every schema, table, view and column, every right, against a table by hand.

Twice: as the catalog says it, and by really running the statements as each role. Not here: where logins come from
(``test_logins``), what the masked views show (``test_views``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import MADE, Role
from tests.conftest import DatabaseServer
from tests.warehouse.rights_matrix import MATRIX

LETTERS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
}
ALL = "rawdDxt"
"""What the owner of a table may."""

CONNECTIONS_OF_THE_PUBLISHER = {
    "connection_id", "vendor", "origin", "settings", "status", "reason", "checked_at", "synced_at", "disabled_at",
    "created_at", "updated_at",
}  # fmt: skip
"""All but the credentials and the fingerprint of their key."""
# U: may use what is in it, C: may make things in it
SCHEMAS = """
            loader  publisher  analyst  desk  dagster
raw         U       -          -        -     -
core        U       U          U        U     -
reference   U       U          -        U     -
evaluated   U       U          U        U     -
marts       -       UC         U        U     -
marts_next  -       UC         -        -     -
ops         U       U          -        U     -
keys        U       -          -        -     -
dagster     -       -          -        -     UC
public      U       U          U        U     U
"""
# c: connect, T: temporary tables, C: schemas
DATABASE = """
          loader  publisher  analyst  desk  dagster
database  cT      c          c        c     c
"""


def read(matrix: str) -> dict[tuple[Role, str], str]:
    """The letters by role and thing."""
    head, *lines = [line.split() for line in matrix.strip().splitlines()]
    assert {Role(name) for name in head} == set(MADE)
    found = {}
    for thing, *cells in lines:
        for name, cell in zip(head, cells, strict=True):
            found[Role(name), thing] = {"-": "", "all": ALL}.get(cell, cell)
    return found


def things(matrix: str) -> list[str]:
    return [line.split()[0] for line in matrix.strip().splitlines()[1:]]


@pytest.fixture(scope="module", autouse=True)
def _marts(database: Warehouse) -> None:
    """What is made while the platform runs, by those who make it."""
    with database.as_role(Role.PUBLISHER).connect() as publisher:
        publisher.execute("create table marts_next.manager_week (week text)")
        publisher.execute("create table marts.manager_week (like marts_next.manager_week including all)")
        publisher.execute("create view marts.some_view as select week from marts.manager_week")
    with database.as_role(Role.DAGSTER).connect() as dagster:
        dagster.execute("create table dagster.runs (run_id text)")


@pytest.fixture(scope="module")
def logins(database: Warehouse) -> dict[Role, str]:
    found = {role: urls.user_of(database.as_role(role).url) for role in MADE}
    assert len(set(found.values())) == len(MADE)
    return {role: login for role, login in found.items() if login}


@pytest.fixture(params=MADE)
def role(request: pytest.FixtureRequest) -> Role:
    return request.param


@pytest.fixture
def session(database: Warehouse, role: Role) -> Iterator[psycopg.Connection]:
    """The role as it logs in, without the read-only setting that a session may take back by itself."""
    with database.as_role(role).connect(autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        yield connection


def relations(database: Warehouse) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^pg_|^information_schema$' order by 1"
        )
        return [name for (name,) in rows]


def test_matrix_names_every_table_and_schema(database: Warehouse) -> None:
    assert sorted(things(MATRIX)) == relations(database)
    with database.connect() as connection:
        schemas = connection.execute(
            "select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$' order by 1"
        ).fetchall()
    assert sorted(things(SCHEMAS)) == [name for (name,) in schemas]


def test_tables_by_the_catalog(database: Warehouse, logins: dict[Role, str]) -> None:
    expected = read(MATRIX)
    with database.connect() as connection:
        unexpected = []
        rights = dict(LETTERS)
        if connection.info.server_version >= 170_000:
            rights["m"] = "MAINTAIN"
        for (role, table), letters in expected.items():
            own = "m" if letters == ALL else ""
            row = connection.execute(
                "select string_agg(letter, '' order by n) from unnest(%s::text[], %s::text[]) with ordinality"
                " as t (letter, right_, n) where has_table_privilege(%s::text, %s::text, right_)",
                (list(rights), list(rights.values()), logins[role], table),
            ).fetchone()
            assert row is not None
            if set(row[0] or "") != set(letters + own) & set(rights):
                unexpected.append((role, table, row[0], letters))
            if letters != ALL:
                handed_on = connection.execute(
                    "select bool_or(has_table_privilege(%s::text, %s::text, right_ || ' with grant option'))"
                    " from unnest(%s::text[]) as right_",
                    (logins[role], table, list(rights.values())),
                ).fetchone()
                assert handed_on == (False,), (role, table)
    assert unexpected == []


def test_columns_by_the_catalog(database: Warehouse, logins: dict[Role, str]) -> None:
    statement = """
        select a.attname from pg_attribute a
        where a.attrelid = %(table)s::regclass and a.attnum > 0 and not a.attisdropped
            and has_column_privilege(%(login)s::text, a.attrelid, a.attnum, %(right)s)
            and not has_table_privilege(%(login)s::text, a.attrelid, %(right)s)
    """
    found = set()
    with database.connect() as connection:
        for role, login in logins.items():
            for table in things(MATRIX):
                for right in ("SELECT", "INSERT", "UPDATE", "REFERENCES"):
                    rows = connection.execute(statement, {"table": table, "login": login, "right": right})
                    found |= {(role, table, right, column) for (column,) in rows}
    expected = {(Role.PUBLISHER, "ops.connections", "SELECT", column) for column in CONNECTIONS_OF_THE_PUBLISHER}
    assert found == expected


def test_schemas_and_database_by_the_catalog(database: Warehouse, logins: dict[Role, str]) -> None:
    with database.connect() as connection:
        for (role, schema), letters in read(SCHEMAS).items():
            row = connection.execute(
                "select has_schema_privilege(%(l)s, %(s)s, 'usage'), has_schema_privilege(%(l)s, %(s)s, 'create')",
                {"l": logins[role], "s": schema},
            ).fetchone()
            assert row == ("U" in letters, "C" in letters), (role, schema)
        for (role, _), letters in read(DATABASE).items():
            row = connection.execute(
                "select has_database_privilege(%(l)s, current_database(), 'connect'),"
                " has_database_privilege(%(l)s, current_database(), 'temporary'),"
                " has_database_privilege(%(l)s, current_database(), 'create')",
                {"l": logins[role]},
            ).fetchone()
            assert row == ("c" in letters, "T" in letters, "C" in letters), role


def test_logins_are_ordinary_and_members_of_nothing(database: Warehouse, logins: dict[Role, str]) -> None:
    names = list(logins.values())
    with database.connect() as connection:
        mighty = connection.execute(
            "select rolname from pg_roles where rolname = any(%s) and (rolsuper or rolcreaterole or rolcreatedb"
            " or rolreplication or rolbypassrls or not rolcanlogin)",
            (names,),
        ).fetchall()
        members = connection.execute(
            "select member::regrole::text, roleid::regrole::text from pg_auth_members"
            " where member::regrole::text = any(%s)",
            (names,),
        ).fetchall()
        owned = connection.execute(
            "select distinct n.nspname, pg_get_userbyid(c.relowner) from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_|^information_schema$'"
        ).fetchall()
        ((owner,),) = connection.execute("select current_user").fetchall()
    assert mighty == members == []
    makers = {"marts": logins[Role.PUBLISHER], "marts_next": logins[Role.PUBLISHER], "dagster": logins[Role.DAGSTER]}
    assert dict(owned) == dict.fromkeys(("raw", "core", "reference", "evaluated", "ops", "keys"), owner) | makers


def test_somebody_else_may_nothing(database: Warehouse, database_server: DatabaseServer) -> None:
    with psycopg.connect(database_server.admin_url, autocommit=True) as admin:
        admin.execute("create role otklik_stranger login")
    try:
        with database.connect() as connection:
            tables = connection.execute(
                "select t from unnest(%s::text[]) t where has_any_column_privilege('otklik_stranger', t, 'select')"
                " or has_any_column_privilege('otklik_stranger', t, 'insert')",
                (things(MATRIX),),
            ).fetchall()
            row = connection.execute(
                "select bool_or(has_database_privilege('otklik_stranger', current_database(), r))"
                " from unnest('{connect,temporary,create}'::text[]) r"
            ).fetchone()
        assert tables == []
        assert row == (False,)
    finally:
        with psycopg.connect(database_server.admin_url, autocommit=True) as admin:
            admin.execute("drop role otklik_stranger")


def may(session: psycopg.Connection, statement: str) -> bool:
    """Whether the role gets so far that something else than a right decides; nothing stays."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error as error:
        assert error.sqlstate and error.sqlstate[:2] in ("23", "55"), f"{statement}: {error}"
    return True


def test_every_statement_on_every_table(database: Warehouse, session: psycopg.Connection, role: Role) -> None:
    expected = read(MATRIX)
    with database.connect() as connection:
        first = dict(
            connection.execute(
                "select attrelid::regclass::text, attname from pg_attribute"
                " where attnum = 1 and attrelid::regclass::text = any(%s)",
                (things(MATRIX),),
            ).fetchall()
        )
        kinds = dict(
            connection.execute(
                "select c.oid::regclass::text, pg_relation_is_updatable(c.oid, false) = 0 from pg_class as c"
                " where c.relkind = 'v' and c.oid::regclass::text = any(%s)",
                (things(MATRIX),),
            ).fetchall()
        )
    views, joins = set(kinds), {view for view, is_fixed in kinds.items() if is_fixed}
    unexpected = []
    for table in things(MATRIX):
        column = first[table]
        tries = {
            "r": f"select * from {table} limit 1",
            "a": f"insert into {table} default values",
            # its "where" reads, which is a right of its own
            "w": f"update {table} set {column} = null",
            "d": f"delete from {table}",
            "D": f"truncate {table}",
        }
        if table in views:
            del tries["D"]
        if table in joins:
            # PostgreSQL refuses to write a joined view before it looks at any right
            tries = {"r": tries["r"]}
        done = {letter for letter, statement in tries.items() if may(session, statement)}
        if done != set(expected[role, table]) & set(tries):
            unexpected.append((table, sorted(done), expected[role, table]))
    assert unexpected == []


def test_no_role_makes_or_changes_what_is_not_its_own(
    session: psycopg.Connection, role: Role, database: Warehouse
) -> None:
    owner = urls.user_of(database.url)
    schemas = read(SCHEMAS)
    for schema in things(SCHEMAS):
        is_own = "C" in schemas[role, schema]
        assert may(session, f"create table {schema}.mine (a int)") == is_own, schema
        assert may(session, f"create function {schema}.f() returns int language sql as 'select 1'") == is_own, schema
    assert may(session, "create temp table mine (a int)") == ("T" in read(DATABASE)[role, "database"])
    statements = [
        "create schema mine",
        "create role mine",
        "create database mine",
        "create extension pg_trgm",
        f'set role "{owner}"',
        "alter table core.messages add column mine int",
        "drop table raw.retailcrm__messages",
        "create index on core.messages (text)",
        "comment on table core.messages is 'mine'",
        "create trigger mine before insert on core.messages execute function suppress_redundant_updates_trigger()",
        "select * from pg_authid",
        "select pg_read_file('/etc/hostname')",
        "copy (select 1) to program 'true'",
    ]
    refused = [statement for statement in statements if not can(session, statement)]
    assert refused == statements
    # who may not hand a right on is told so by a warning, and nothing is given
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        session.execute("grant select on core.messages to public")
    with database.connect() as connection:
        row = connection.execute("select has_table_privilege('public', 'core.messages', 'select')").fetchone()
    assert row == (False,)


def can(session: psycopg.Connection, statement: str) -> bool:
    # CREATE DATABASE wants no transaction around it, and none of these may succeed anyway
    try:
        session.execute(statement)  # type: ignore[call-overload]
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error as error:
        # a member of nothing may not set the role; what does not exist cannot be reached either
        raise AssertionError(f"{statement}: {error.sqlstate} {error}") from None
    return True


def test_nobody_but_the_loader_reads_credentials(session: psycopg.Connection, role: Role) -> None:
    assert may(session, "select credentials from ops.connections") == (role is Role.LOADER)
    assert may(session, "select key_id from ops.connections") == (role is Role.LOADER)
    readable = f"select {', '.join(sorted(CONNECTIONS_OF_THE_PUBLISHER))} from ops.connections"
    assert may(session, readable) == (role in (Role.LOADER, Role.PUBLISHER))


def test_rights_are_brought_back_and_a_second_time_changes_nothing(
    database: Warehouse, logins: dict[Role, str]
) -> None:
    from resources.warehouse.rights import give

    def given() -> int:
        with database.connect() as connection:
            return give(connection, logins)

    assert given() == 0
    loader, analyst = logins[Role.LOADER], logins[Role.ANALYST]
    with database.connect() as connection:
        connection.execute(f'grant delete on raw.retailcrm__messages to "{loader}"')
        connection.execute(f'grant select (text) on core.messages to "{analyst}"')
        connection.execute(f'grant select on core.messages_masked to "{analyst}" with grant option')
        connection.execute(f'grant create on schema ops to "{loader}"')
        connection.execute(f'revoke insert on core.messages from "{loader}"')
        connection.execute("grant select on core.messages to public")
        connection.execute("grant temporary on database current_database() to public".replace(
            "current_database()", f'"{connection.info.dbname}"'))  # fmt: skip
    # the handed-on right is taken and given again
    assert given() == 8
    assert given() == 0
    test_tables_by_the_catalog(database, logins)
    test_columns_by_the_catalog(database, logins)
    test_schemas_and_database_by_the_catalog(database, logins)
