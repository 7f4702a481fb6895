"""The logins of the embedded server: made with it, as the server's administrator, and never changed afterwards.

Here: their names, passwords and URLs, the two databases. Not here: what a role may do (``roles``, ``rights``), which
``Warehouse.migrate`` brings about. Standard library only at import: the guardian has no database driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from resources.warehouse.postgres_files import Place
from resources.warehouse.roles import MADE, OWNED, Role, derived_password, login_name

WAREHOUSE, DAGSTER = "otklik", "dagster"
ADMIN = "otklik_admin"
LOGINS = {role: login_name(WAREHOUSE, role) for role in (Role.OWNER, *MADE)}
OWNER, ANALYST = LOGINS[Role.OWNER], LOGINS[Role.ANALYST]
PREPARED = 3
"""Version of what ``prepare`` makes: a home that was prepared by an older one is prepared again."""


@dataclass(frozen=True)
class ServerUrls:
    """Logins of one embedded server. Not for logs: they hold passwords."""

    by_role: Mapping[Role, str]
    admin: str

    @property
    def owner(self) -> str:
        """The owner of the warehouse."""
        return self.by_role[Role.OWNER]

    @property
    def analyst(self) -> str:
        """The read-only analyst."""
        return self.by_role[Role.ANALYST]

    @property
    def dagster(self) -> str:
        """Dagster's own database."""
        return self.by_role[Role.DAGSTER]

    def __repr__(self) -> str:
        return "ServerUrls(hidden)"


OWN_DATABASES = ("postgres", "template1")
"""What every server has beside ours, and PostgreSQL lets everybody into."""


def prepare(place: Place, urls: ServerUrls) -> None:
    """Make the logins and the two databases; may be repeated, and finishes what was cut short."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(urls.admin, autocommit=True) as admin:
        for role, name in LOGINS.items():
            if admin.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone() is None:
                admin.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
            admin.execute(
                sql.SQL("alter role {} login nosuperuser nocreatedb nocreaterole password {}").format(
                    sql.Identifier(name), sql.Literal(_password_of(place, role))
                )
            )
            if role in OWNED:
                # the owner migrates what these roles make
                admin.execute(sql.SQL("grant {} to {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
        admin.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(sql.Identifier(ANALYST)))
        for database, role in ((WAREHOUSE, Role.OWNER), (DAGSTER, Role.DAGSTER)):
            names = {"database": sql.Identifier(database), "owner": sql.Identifier(LOGINS[role])}
            if admin.execute("select 1 from pg_database where datname = %s", (database,)).fetchone() is None:
                admin.execute(sql.SQL("create database {database} owner {owner}").format(**names))
            admin.execute(sql.SQL("revoke all on database {database} from public").format(**names))
        for database in OWN_DATABASES:
            # a login that walks in there may fill the disk with temporary tables, or hold up "create database"
            admin.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
        logins = sql.SQL(", ").join(sql.Identifier(LOGINS[role]) for role in MADE if role is not Role.DAGSTER)
        admin.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(WAREHOUSE), logins))
    _hand_over_dagster(urls)
    _close_large_objects(urls)


def _close_large_objects(urls: ServerUrls) -> None:
    """Everybody may make large objects, outside of any schema and its rights; nothing of ours uses them."""
    import psycopg

    with psycopg.connect(urlsplit(urls.admin)._replace(path=f"/{WAREHOUSE}").geturl()) as admin:
        admin.execute(
            """
            do $$ declare routine regprocedure; begin
                for routine in select oid from pg_proc
                    where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^lo(_|read$|write$)'
                loop execute format('revoke all on function %s from public', routine); end loop;
            end $$
            """
        )


def _hand_over_dagster(urls: ServerUrls) -> None:
    """The first version let the owner keep Dagster's tables."""
    import psycopg
    from psycopg import sql

    names = {name: sql.Identifier(LOGINS[role]) for name, role in (("owner", Role.OWNER), ("dagster", Role.DAGSTER))}
    database = sql.Identifier(DAGSTER)
    with psycopg.connect(urlsplit(urls.admin)._replace(path=f"/{DAGSTER}").geturl()) as admin:
        is_owners = admin.execute(
            "select pg_get_userbyid(datdba) = %s from pg_database where datname = current_database()", (OWNER,)
        ).fetchone()
        if is_owners == (True,):
            # takes the owner's databases along, of which one stays his
            admin.execute(sql.SQL("reassign owned by {owner} to {dagster}").format(**names))
            admin.execute(sql.SQL("alter database {} owner to {owner}").format(sql.Identifier(WAREHOUSE), **names))
            admin.execute(sql.SQL("alter database {} owner to {dagster}").format(database, **names))


def urls_of(place: Place, port: int) -> ServerUrls:
    """The logins of the server that listens on ``port``."""

    def login(name: str, password: str, database: str) -> str:
        return f"postgresql://{name}:{password}@127.0.0.1:{port}/{database}"

    return ServerUrls(
        by_role={
            role: login(name, _password_of(place, role), DAGSTER if role is Role.DAGSTER else WAREHOUSE)
            for role, name in LOGINS.items()
        },
        admin=login(ADMIN, password(place, ADMIN), "postgres"),
    )


def _password_of(place: Place, role: Role) -> str:
    """Three passwords are kept in files; those of the other roles follow from the owner's, as on a given server."""
    name = LOGINS[role]
    return password(place, name) if name in (OWNER, ANALYST) else derived_password(password(place, OWNER), name)


def password(place: Place, role: str) -> str:
    """A password that is kept in a file of the home."""
    return (place.secrets / f"{role}.password").read_text("ascii").strip()
