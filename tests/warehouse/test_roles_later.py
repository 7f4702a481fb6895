"""With which rights things come that are made later: those of marts and no others, whatever was set before.

Not here: the rights of what is there (``test_roles``).
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import MADE, Role


def name(database: Warehouse, role: Role) -> sql.Identifier:
    return sql.Identifier(urls.user_of(database.as_role(role).url) or "")


def set_as(database: Warehouse, maker: Role, change: str, to: sql.Composable) -> None:
    """By the maker himself, who always may."""
    with database.as_role(maker).connect() as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.commit()
        connection.execute(sql.SQL("alter default privileges " + change).format(to))


def defaults(database: Warehouse) -> dict[tuple[str, str, str], str]:
    """What ``psql`` shows by ``\\ddp``, of the roles of this database."""
    makers = [urls.user_of(database.as_role(role).url) for role in Role]
    with database.connect() as connection:
        rows = connection.execute(
            "select defaclrole::regrole::text, coalesce(defaclnamespace::regnamespace::text, '-'),"
            " defaclobjtype::text, (select string_agg(i, ' ' order by i) from unnest(defaclacl::text[]) i)"
            " from pg_default_acl where defaclrole::regrole::text = any(%s)",
            (makers,),
        ).fetchall()
    return {(maker, schema, kind): items for maker, schema, kind, items in rows}


def declared(database: Warehouse) -> dict[tuple[str, str, str], str]:
    """By hand: what owner and publisher put into ``marts`` is read by analyst and desk."""
    owner, publisher, analyst, desk = (
        urls.user_of(database.as_role(role).url) for role in (Role.OWNER, Role.PUBLISHER, Role.ANALYST, Role.DESK)
    )
    return {(maker or "", "marts", "r"): f"{analyst}=r/{maker} {desk}=r/{maker}" for maker in (owner, publisher)}


def test_only_marts_come_with_rights(fresh_database: Warehouse) -> None:
    assert defaults(fresh_database) == declared(fresh_database)


@pytest.mark.parametrize(
    ("maker", "change", "to", "rights"),
    [
        # of a table, PostgreSQL 15 and 16 know seven rights, and 17 eight
        (Role.PUBLISHER, "in schema marts grant all on tables to {}", None, range(7, 9)),
        (Role.PUBLISHER, "grant select, insert on tables to {}", None, [2]),
        (Role.PUBLISHER, "in schema marts grant usage on types to {}", Role.DESK, [1]),
        (Role.PUBLISHER, "in schema marts grant update on tables to {}", Role.ANALYST, [1]),
        (Role.PUBLISHER, "in schema marts_next grant select on tables to {}", Role.ANALYST, [1]),
        # taken and given again without it
        (Role.PUBLISHER, "in schema marts grant select on tables to {} with grant option", Role.ANALYST, [2]),
        (Role.PUBLISHER, "in schema marts revoke select on tables from {}", Role.DESK, [1]),
        (Role.OWNER, "grant select on tables to {}", Role.ANALYST, [1]),
        (Role.OWNER, "in schema raw grant select on tables to {}", Role.ANALYST, [1]),
        (Role.OWNER, "grant usage on sequences to {}", None, [1]),
        (Role.OWNER, "grant usage, create on schemas to {}", Role.DESK, [2]),
        (Role.OWNER, "in schema core grant execute on functions to {}", Role.DESK, [1]),
        (Role.DAGSTER, "in schema dagster grant select on tables to {}", None, [1]),
    ],
)
def test_later_rights_are_brought_back(
    database: Warehouse, maker: Role, change: str, to: Role | None, rights: list[int]
) -> None:
    before = defaults(database)
    set_as(database, maker, change, sql.SQL("public") if to is None else name(database, to))
    assert defaults(database) != before
    assert database.give_rights() in rights
    assert defaults(database) == before == declared(database)
    assert database.give_rights() == 0


def test_what_is_made_after_it_is_closed_again(database: Warehouse) -> None:
    set_as(database, Role.PUBLISHER, "in schema marts grant all on tables to {}", sql.SQL("public"))
    assert database.migrate() == []
    with database.as_role(Role.PUBLISHER).connect() as publisher:
        publisher.execute("create table marts.later (week text)")
    with database.as_role(Role.ANALYST).connect() as analyst:
        assert analyst.execute("select * from marts.later").fetchall() == []
    for role in set(MADE) - {Role.PUBLISHER}:
        with (
            database.as_role(role).connect() as session,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            session.execute("set transaction read write")
            session.execute("delete from marts.later")


def test_tightened_defaults_and_strangers_are_left_alone(database: Warehouse) -> None:
    """Less for everybody than PostgreSQL gives is no hole; somebody else's login is an administrator's affair."""
    set_as(database, Role.OWNER, "revoke execute on functions from {}", sql.SQL("public"))
    try:
        tightened = defaults(database)
        assert database.give_rights() == 0
        assert defaults(database) == tightened != declared(database)
    finally:
        set_as(database, Role.OWNER, "grant execute on functions to {}", sql.SQL("public"))
    assert defaults(database) == declared(database)


def test_login_that_makes_nothing_stops_no_migration(database: Warehouse) -> None:
    """What it sets for itself is about nothing: it may make no table, and the owner may not always undo it."""
    set_as(database, Role.DESK, "grant select on tables to {}", sql.SQL("public"))
    first, second = database.give_rights(), database.give_rights()
    assert first in (0, 1)
    assert second == 0
    set_as(database, Role.DESK, "revoke select on tables from {}", sql.SQL("public"))
    assert defaults(database) == declared(database)
