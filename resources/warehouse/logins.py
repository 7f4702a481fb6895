"""The logins of the roles: which URL a session of a role uses, and making the logins where the owner may.

Here: names, passwords, URLs. Not here: what a role may do (``roles``, ``rights``). A login comes from its variable, or
is derived from the owner's: ``<database>_<role>`` with a password that follows from the owner's, so that all machines
with one ``DATABASE_URL`` agree on it. Who is given a role's own URL only (a code server: ``LOADER_DATABASE_URL``,
``PUBLISHER_DATABASE_URL``) can neither learn nor derive the owner's.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from resources.warehouse import urls
from resources.warehouse.errors import WarehouseError
from resources.warehouse.roles import MADE, NEEDED, OWNED, Role, derived_password, login_name

if TYPE_CHECKING:
    from resources.settings import Settings

VARIABLES = {
    Role.OWNER: "DATABASE_URL",
    Role.LOADER: "LOADER_DATABASE_URL",
    Role.PUBLISHER: "PUBLISHER_DATABASE_URL",
    Role.ANALYST: "ANALYST_DATABASE_URL",
    Role.DESK: "DESK_DATABASE_URL",
    Role.DAGSTER: "DAGSTER_PG_URL",
}
"""Where a login may be given."""


class Logins:
    """The URLs of one database by role, in libpq's form. Not for logs: they hold passwords."""

    def __init__(self, given: Mapping[Role, str], secrets_folder: Path | None = None) -> None:
        """``given`` by role.

        Raises:
            ValueError: one is no PostgreSQL URL; the text does not repeat it.
        """
        self._given = {role: urls.with_driver(url, None, VARIABLES[role]) for role, url in given.items()}
        self._secrets = secrets_folder

    @classmethod
    def of(cls, settings: Settings) -> Logins | None:
        """The logins that the settings give; ``None`` where the embedded server is meant.

        Raises:
            WarehouseError: one is no PostgreSQL URL.
        """
        fields = {role: getattr(settings, variable.lower()) for role, variable in VARIABLES.items()}
        given = {role: secret.get_secret_value() for role, secret in fields.items() if secret is not None}
        # where Dagster keeps its runs says nothing about the warehouse
        if not given.keys() - {Role.DAGSTER}:
            return None
        try:
            return cls(given, settings.otklik_home / "secrets")
        except ValueError as error:
            raise WarehouseError(str(error)) from None

    def __repr__(self) -> str:
        return f"Logins({', '.join(self._given)})"

    def knows(self, role: Role) -> bool:
        """Whether sessions of the role can be opened."""
        return role in self._given or Role.OWNER in self._given

    def is_given(self, role: Role) -> bool:
        """Whether the role's login was chosen by somebody, not derived by us."""
        return role in self._given

    def url(self, role: Role) -> str:
        """The role's login.

        Raises:
            WarehouseError: it is not known; names the variable to set.
        """
        if role in self._given:
            return self._given[role]
        owner = self._given.get(Role.OWNER)
        if owner is None:
            hint = "" if role is Role.OWNER else f", or DATABASE_URL (the owner's), from which {role}'s is derived"
            raise WarehouseError(f"the {role}'s login is unknown: set {VARIABLES[role]}{hint}")
        name = login_name(urls.database_of(owner) or "", role)
        return urls.with_login(owner, name, derived_password(self._key(owner, role), name))

    def names(self) -> dict[Role, str]:
        """The name of every login that belongs to this database, the owner's left out."""
        found = {}
        for role in MADE:
            name = urls.user_of(self.url(role)) if self._is_here(role) else None
            if name is not None:
                found[role] = name
        return found

    def make(self, connection: psycopg.Connection[Any]) -> dict[Role, str]:
        """Make the logins that are missing and set the passwords, where the owner may; returns those that are there.

        Called by the owner, within a transaction.

        Raises:
            WarehouseError: a login is missing or may do too much; says what an administrator has to do.
        """
        owner, is_super, may = _row(
            connection, "select rolname, rolsuper, rolsuper or rolcreaterole from pg_roles where rolname = current_user"
        )
        wanted = {role: name for role, name in self.names().items() if name != owner}
        there = dict(
            connection.execute(
                "select rolname, rolsuper or rolcreaterole or rolbypassrls or rolreplication from pg_roles"
                " where rolname = any(%s)",
                (list(wanted.values()),),
            ).fetchall()
        )
        if mighty := sorted(name for name, is_mighty in there.items() if is_mighty):
            raise WarehouseError(
                f"{', '.join(mighty)} may make roles or pass over rights, and only the owner may: take that away "
                "(alter role ... nosuperuser nocreaterole nobypassrls noreplication) or name another login"
            )
        if not may and (missing := [role for role in NEEDED if role in wanted and wanted[role] not in there]):
            raise WarehouseError(_ask_administrator(owner, {role: wanted[role] for role in missing}))
        for role, name in wanted.items():
            if may:
                self._make(connection, role, name, is_there=name in there)
                there[name] = False
        made = {role: name for role, name in wanted.items() if name in there}
        if not is_super:
            _join(connection, owner, {role: name for role, name in made.items() if role in OWNED})
        return made | {role: owner for role, name in self.names().items() if name == owner}

    def _make(self, connection: psycopg.Connection[Any], role: Role, name: str, *, is_there: bool) -> None:
        login, password = sql.Identifier(name), urls.password_of(self.url(role))
        if not is_there:
            connection.execute(sql.SQL("create role {} login").format(login))
        # of a role that somebody else made, PostgreSQL 16 lets only its makers change anything
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(sql.SQL("alter role {} login").format(login))
            if password:
                connection.execute(sql.SQL("alter role {} password {}").format(login, sql.Literal(password)))
            if role is Role.ANALYST:
                connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(login))

    def _is_here(self, role: Role) -> bool:
        """Whether the role's login is one of this database: Dagster may keep its runs anywhere."""
        if role is not Role.DAGSTER or role not in self._given or Role.OWNER not in self._given:
            return self.knows(role)
        return urls.for_people(self._given[role]) == urls.for_people(self._given[Role.OWNER])

    def _key(self, owner: str, role: Role) -> str:
        """What passwords are derived from: the owner's, or a secret of this home where he has none."""
        password = urls.password_of(owner)
        if password:
            return password
        if self._secrets is None:
            raise WarehouseError(f"the {role}'s login is unknown: set {VARIABLES[role]}")
        path = self._secrets / "logins.key"
        if not path.exists():
            self._secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
            # written aside and linked: of two processes one is first, and nobody reads half a key
            part = path.with_name(f"logins.key.{secrets.token_hex(4)}")
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(24), "ascii")
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(part)
            part.unlink()
        return path.read_text("ascii").strip()


def _join(connection: psycopg.Connection[Any], owner: str, makers: Mapping[Role, str]) -> None:
    """The owner hands schemas over to the roles that make them, and goes on to migrate what is in them."""
    for name in makers.values():
        if _row(connection, "select pg_has_role(current_user, %s, 'usage')", name) == (True,):
            continue
        grant = sql.SQL("grant {} to {}").format(sql.Identifier(name), sql.Identifier(owner))
        try:
            with connection.transaction():
                connection.execute(grant)
        except psycopg.errors.InsufficientPrivilege:
            raise WarehouseError(_ask_administrator(owner, makers)) from None


def _ask_administrator(owner: str, logins: Mapping[Role, str]) -> str:
    names = ", ".join(logins.values())
    joined = ", ".join(name for role, name in logins.items() if role in OWNED)
    variables = ", ".join(VARIABLES[role] for role in logins)
    return (
        f"the login {owner} may not make the logins {names}: let an administrator of the server run "
        f"'alter role {owner} createrole', or create them (create role ... login password ...)"
        f"{f', run grant {joined} to {owner},' if joined else ''} and set {variables}"
    )


def _row(connection: psycopg.Connection[Any], statement: str, *values: object) -> Any:
    return connection.execute(statement, values).fetchone()
