"""Which login a role has: derived from the owner's or given, made where the owner may, never shared by two warehouses.

Owners here are ordinary logins with CREATEROLE, as a hosted PostgreSQL gives them, not administrators.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from resources.settings import Settings
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import LoginRefused, MigrationsPending, WarehouseError
from resources.warehouse.roles import MADE, Role, login_name
from tests.conftest import DatabaseServer

Make = Callable[..., str]


def settings(**fields: object) -> Settings:
    return Settings(_env_file=None, **fields)  # type: ignore[arg-type, call-arg]


@pytest.fixture
def owned(database_server: DatabaseServer) -> Iterator[Make]:
    """An empty database with an owner of its own; its URL."""
    names: list[str] = []
    admin = psycopg.connect(database_server.admin_url, autocommit=True)

    def make(suffix: str, password: str | None = None, rights: str = "createrole") -> str:
        name = f"otklik_{os.getpid()}_{suffix}"
        names.append(name)
        secret = password or os.urandom(12).hex()
        admin.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(f"{name}_o"), sql.Literal(secret))
        )
        if rights:
            admin.execute(sql.SQL("alter role {} {}").format(sql.Identifier(f"{name}_o"), sql.SQL(rights)))
        admin.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(f"{name}_o")))
        plain = urls.with_login(database_server.admin_url, f"{name}_o", secret)
        return plain.rpartition("/")[0] + f"/{name}"

    yield make
    for name in names:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        for login in (*database_server.logins(name), f"{name}_x", f"{name}_o"):
            admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(login)))
    admin.close()


def who(warehouse: Warehouse) -> str:
    with warehouse.connect() as connection:
        ((user,),) = connection.execute("select session_user").fetchall()
    return user


def database_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_two_warehouses_of_one_server_share_no_login(owned: Make) -> None:
    first, second = owned("first"), owned("second")
    assert urls.password_of(first) != urls.password_of(second)
    with Warehouse.at(first) as one, Warehouse.at(second) as two:
        one.migrate()
        before = {role: one.as_role(role).url for role in MADE}
        two.migrate()
        one.migrate()
        two.migrate()
        for warehouse, url in ((one, first), (two, second)):
            for role in MADE:
                assert who(warehouse.as_role(role)) == f"{database_of(url)}_{role}"
        assert {role: one.as_role(role).url for role in MADE} == before
        passwords = [urls.password_of(each.as_role(role).url) for each in (one, two) for role in MADE]
        assert len(set(passwords)) == len(passwords)
        # nobody of the one gets into the other, not even to look around
        for role in MADE:
            login = urls.with_driver(one.as_role(role).url, None)
            elsewhere = login.rpartition("/")[0] + f"/{database_of(second)}"
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(elsewhere)


def test_names_of_long_databases_do_not_meet() -> None:
    base = "склад" * 6
    names = {login_name(base + end, role) for end in ("_a", "_b") for role in MADE}
    assert len(names) == 2 * len(MADE)
    assert all(len(name.encode()) <= 63 for name in names)


def test_owner_with_another_password_gives_the_logins_others(owned: Make, database_server: DatabaseServer) -> None:
    url = owned("again", password="old-" + os.urandom(6).hex())
    with Warehouse.at(url) as warehouse:
        warehouse.migrate()
        old = warehouse.as_role(Role.LOADER).url
    new = "new-" + os.urandom(6).hex()
    owner = urls.user_of(url) or ""
    with psycopg.connect(database_server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(owner), sql.Literal(new)))
    with Warehouse.at(urls.with_login(url, owner, new)) as warehouse:
        with pytest.raises(LoginRefused, match="LOADER_DATABASE_URL"), warehouse.as_role(Role.LOADER).connect():
            pass
        assert warehouse.migrate() == []
        assert who(warehouse.as_role(Role.LOADER)) == f"{database_of(url)}_loader"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(urls.with_driver(old, None))


def test_login_of_one_role_is_enough_and_leads_to_no_other(owned: Make, tmp_path: Path) -> None:
    url = owned("alone")
    with Warehouse.at(url) as warehouse:
        warehouse.migrate()
        loader, publisher = (warehouse.as_role(role).url for role in (Role.LOADER, Role.PUBLISHER))
    only = settings(loader_database_url=loader, otklik_home=tmp_path / "home")
    with Warehouse.open(only) as code:
        assert not code.is_embedded
        code.check_migrations()
        code.ensure_migrated()
        assert who(code) == f"{database_of(url)}_loader"
        assert not code.knows(Role.OWNER)
        for role, variable in ((Role.OWNER, "DATABASE_URL"), (Role.PUBLISHER, "PUBLISHER_DATABASE_URL")):
            with pytest.raises(WarehouseError, match=variable):
                code.as_role(role)
        with pytest.raises(WarehouseError, match="DATABASE_URL"):
            code.migrate()
    both = settings(loader_database_url=loader, publisher_database_url=publisher, otklik_home=tmp_path / "home")
    with Warehouse.open(both) as code:
        assert who(code.as_role(Role.PUBLISHER)) == f"{database_of(url)}_publisher"
    # no server was started and no secret was made on the way
    assert not (tmp_path / "home").exists()


def test_given_logins_are_made_with_their_own_names_and_passwords(owned: Make) -> None:
    url = owned("given")
    name, secret = f"{database_of(url)}_x", os.urandom(12).hex()
    mine = settings(database_url=url, loader_database_url=urls.with_login(url, name, secret))
    with Warehouse.open(mine, Role.OWNER) as warehouse:
        warehouse.migrate()
        assert who(warehouse.as_role(Role.LOADER)) == name
        with warehouse.as_role(Role.LOADER).connect() as loader:
            loader.execute("create temp table staging as select * from core.messages")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                loader.execute("delete from raw.retailcrm__messages")
        assert who(warehouse.as_role(Role.PUBLISHER)) == f"{database_of(url)}_publisher"


def test_owner_may_play_every_role_if_somebody_says_so(owned: Make) -> None:
    url = owned("one", rights="")
    roles = ("loader_database_url", "publisher_database_url", "analyst_database_url", "desk_database_url")
    mine = settings(database_url=url, dagster_pg_url=url, **dict.fromkeys(roles, url))
    with Warehouse.open(mine, Role.OWNER) as warehouse:
        assert warehouse.migrate()
        assert warehouse.migrate() == []
        warehouse.as_role(Role.LOADER).check_migrations()


def test_owner_who_may_make_no_login_is_told_what_to_ask_for(owned: Make, database_server: DatabaseServer) -> None:
    url = owned("poor", rights="")
    owner = urls.user_of(url) or ""
    with Warehouse.at(url) as warehouse:
        with pytest.raises(WarehouseError) as refused:
            warehouse.migrate()
        said = str(refused.value)
        assert "createrole" in said
        assert all(f"{database_of(url)}_{role}" in said for role in (Role.LOADER, Role.PUBLISHER, Role.DAGSTER))
        assert urls.password_of(url) not in said
        # an administrator does it; the analyst and the desk are not needed
        secret = os.urandom(12).hex()
        with psycopg.connect(database_server.admin_url, autocommit=True) as admin:
            for role in (Role.LOADER, Role.PUBLISHER, Role.DAGSTER):
                login = sql.Identifier(login_name(database_of(url), role))
                admin.execute(sql.SQL("create role {} login password {}").format(login, sql.Literal(secret)))
                if role is Role.DAGSTER:
                    with pytest.raises(WarehouseError, match=r"grant .*_publisher, .*_dagster to"):
                        warehouse.migrate()
                if role is not Role.LOADER:
                    admin.execute(sql.SQL("grant {} to {}").format(login, sql.Identifier(owner)))
        assert warehouse.migrate() == []
    logins = {role: urls.with_login(url, login_name(database_of(url), role), secret) for role in Role}
    mine = settings(loader_database_url=logins[Role.LOADER], publisher_database_url=logins[Role.PUBLISHER])
    with Warehouse.open(mine) as code:
        code.check_migrations()
        code.as_role(Role.PUBLISHER).check_migrations()


def test_mighty_login_is_refused(owned: Make, database_server: DatabaseServer) -> None:
    url = owned("mighty")
    with psycopg.connect(database_server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} superuser").format(sql.Identifier(f"{database_of(url)}_analyst")))
    with Warehouse.at(url) as warehouse, pytest.raises(WarehouseError, match="_analyst may make roles"):
        warehouse.migrate()


def reads_raw(warehouse: Warehouse, role: Role) -> bool:
    try:
        with warehouse.as_role(role).connect() as connection:
            connection.execute("select * from raw.retailcrm__messages")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def test_login_leaves_the_roles_that_the_owner_let_it_join(owned: Make) -> None:
    url = owned("joined")
    group = sql.Identifier(f"{database_of(url)}_x")
    analyst, desk = (sql.Identifier(f"{database_of(url)}_{role}") for role in (Role.ANALYST, Role.DESK))
    with Warehouse.at(url) as warehouse:
        warehouse.migrate()
        assert warehouse.give_rights() == 0
        with warehouse.connect() as owner:
            owner.execute(sql.SQL("create role {}").format(group))
            owner.execute(sql.SQL("grant usage on schema raw to {}").format(group))
            owner.execute(sql.SQL("grant select on raw.retailcrm__messages to {}").format(group))
            owner.execute(sql.SQL("grant {} to {} with admin option").format(group, analyst))
            owner.execute(sql.SQL("grant {} to {}").format(analyst, desk))
        with warehouse.as_role(Role.ANALYST).connect() as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.commit()
            connection.execute(sql.SQL("grant {} to {}").format(group, desk))
        assert reads_raw(warehouse, Role.ANALYST) and reads_raw(warehouse, Role.DESK)
        # group to analyst, analyst to desk, and what the analyst gave the desk
        assert warehouse.give_rights() == 3
        assert not reads_raw(warehouse, Role.ANALYST) and not reads_raw(warehouse, Role.DESK)
        assert warehouse.give_rights() == 0
        # the owner stays what he needs to be
        assert warehouse.migrate() == []


def test_membership_that_the_owner_may_not_end_is_told_with_the_statement(
    owned: Make, database_server: DatabaseServer
) -> None:
    url = owned("reader")
    analyst, loader = (f"{database_of(url)}_{role}" for role in (Role.ANALYST, Role.LOADER))
    with (
        psycopg.connect(database_server.admin_url, autocommit=True) as admin,
        Warehouse.at(url) as warehouse,
    ):
        warehouse.migrate()
        admin.execute(sql.SQL("grant pg_read_all_data to {}").format(sql.Identifier(analyst)))
        with warehouse.connect() as owner:
            owner.execute(sql.SQL("grant delete on raw.retailcrm__messages to {}").format(sql.Identifier(loader)))
        assert reads_raw(warehouse, Role.ANALYST)
        if admin.info.server_version < 160_000:
            # there an owner who may make roles may end every ordinary membership
            assert warehouse.give_rights() == 2
        else:
            with pytest.raises(WarehouseError, match="administrator") as refused:
                warehouse.migrate()
            with pytest.raises(WarehouseError, match="pg_read_all_data"):
                warehouse.give_rights()
            assert urls.password_of(url) not in str(refused.value)
            # what the text says is enough, and everything else was done before it
            admin.execute(str(refused.value).split("'")[1].encode())
        assert not reads_raw(warehouse, Role.ANALYST)
        assert warehouse.give_rights() == 0
        with warehouse.connect() as owner:
            row = owner.execute(
                "select has_table_privilege(%s::text, 'raw.retailcrm__messages', 'delete')", (loader,)
            ).fetchone()
        assert row == (False,)


def test_login_that_is_not_there_yet_is_not_taken_for_a_server_that_is_away(owned: Make) -> None:
    url = owned("early")
    with Warehouse.open(settings(database_url=url)) as warehouse:
        with pytest.raises(LoginRefused, match="run otklik up") as refused:
            warehouse.check_migrations()
        assert urls.password_of(url) not in str(refused.value)
        with pytest.raises(MigrationsPending):
            warehouse.as_role(Role.OWNER).check_migrations()
        warehouse.ensure_migrated()
        warehouse.check_migrations()


def test_restored_copy_gets_logins_of_its_own(database_server: DatabaseServer, fresh_database: Warehouse) -> None:
    """A copy has the rights of the first one's logins: they may not get in, and those of the copy have theirs."""
    fresh_database.close()
    first = database_of(fresh_database.url)
    copy = database_server.create(f"{first[:40]}_copy", template=first)
    try:
        with database_server.warehouse(copy) as warehouse:
            warehouse.give_rights()
            warehouse.as_role(Role.LOADER).check_migrations()
            assert who(warehouse.as_role(Role.PUBLISHER)) == f"{copy}_publisher"
            stranger = urls.with_driver(fresh_database.as_role(Role.LOADER).url, None)
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(stranger.rpartition("/")[0] + f"/{copy}")
    finally:
        database_server.drop(copy)


def test_unknown_login_names_the_variable() -> None:
    for role, variable in ((Role.ANALYST, "ANALYST_DATABASE_URL"), (Role.LOADER, "LOADER_DATABASE_URL")):
        with pytest.raises(WarehouseError, match=variable):
            Warehouse.at("postgresql://u@h/d").as_role(role)


def test_url_of_another_database_system_names_its_variable_without_repeating_it() -> None:
    with pytest.raises(WarehouseError, match="LOADER_DATABASE_URL is not of the form") as refused:
        Warehouse.open(settings(loader_database_url="mysql://u:canary@h/d"))
    assert "canary" not in str(refused.value)


def test_key_of_an_owner_without_a_password_is_kept_in_the_home(tmp_path: Path) -> None:
    mine = settings(database_url="postgresql://u@h/d", otklik_home=tmp_path)
    first, second = (Warehouse.open(mine).as_role(Role.ANALYST).url for _ in range(2))
    assert first == second
    (path,) = (tmp_path / "secrets").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() not in first
    assert first != Warehouse.open(mine).as_role(Role.LOADER).url


def test_logins_do_not_show(owned: Make) -> None:
    url = "postgresql://owner:canary@h/d"
    with contextlib.closing(Warehouse.open(settings(database_url=url))) as warehouse:
        password = urls.password_of(warehouse.url) or ""
        shown = f"{warehouse!r} {warehouse.as_role(Role.PUBLISHER)!r} {warehouse._logins!r}"
    assert password and password not in shown
    assert "canary" not in shown


def test_what_the_owner_made_before_there_were_roles_is_handed_over(owned: Make) -> None:
    url = owned("older")
    with Warehouse.at(url) as warehouse:
        with warehouse.connect() as owner:
            for schema in ("marts", "marts_next", "dagster"):
                owner.execute(f"create schema {schema}")
                owner.execute(f"create table {schema}.kept (n serial, body text)")
                owner.execute(f"create view {schema}.seen as select n from {schema}.kept")
        warehouse.migrate()
        with warehouse.as_role(Role.PUBLISHER).connect() as publisher:
            for schema in ("marts", "marts_next"):
                publisher.execute(f"insert into {schema}.kept (body) values ('x')")
                publisher.execute(f"alter table {schema}.kept add column more int")
                publisher.execute(f"drop view {schema}.seen")
        with warehouse.as_role(Role.DAGSTER).connect() as dagster:
            dagster.execute("insert into dagster.kept (body) values ('x')")
            dagster.execute("drop table dagster.kept cascade")
        with warehouse.as_role(Role.ANALYST).connect() as analyst:
            assert analyst.execute("select n from marts.kept").fetchall() == [(1,)]
        # the owner goes on to migrate what he no longer owns by himself
        with warehouse.connect() as owner:
            owner.execute("alter table marts.kept drop column more")
