"""The warehouse: one PostgreSQL database, embedded or given, with its logins and its migrations.

Here: how to get a connection as which role, and that the tables are those of this code. Not here: which login a role
has (``logins``) and what it may do (``roles``, ``rights``), what is written (``land``, ``core``, ``refresh``).
SQLAlchemy and Alembic are imported where they are used: a loader process needs neither and must start fast.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from resources.warehouse import urls
from resources.warehouse.errors import LoginRefused, MigrationsPending, WarehouseError, WarehouseUnavailable
from resources.warehouse.failpoints import fail_point
from resources.warehouse.logins import VARIABLES, Logins
from resources.warehouse.memberships import leave
from resources.warehouse.rights import give, hand_over
from resources.warehouse.roles import MADE, Role
from resources.warehouse.server import EmbeddedServer
from resources.warehouse.server_logins import LOGINS
from resources.warehouse.views import create_views, describe

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

    from resources.settings import Settings

CONNECT_SECONDS = 10
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
KEEPALIVE_OF_SERVER = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
"""Both ends notice within half a minute that the other's machine vanished. By default the server waits two hours, and
for so long a dead worker would hold the locks of its run and accounts (F4)."""
LEAST_SERVER = 150_000
MIGRATION_LOCK = 7_033_001
DAGSTER_SCHEMA = "dagster"
_REFUSALS = (
    "authentication failed",
    "permission denied for database",
    "is not permitted to log in",
    "no password supplied",
    'role "',
)
"""How the server says, before there is a session and thus a code, that it is there and refuses the login."""
Progress = Callable[[str], None]


class Warehouse:
    """One database under the login of one role. Cheap to make; connections are opened when they are asked for."""

    def __init__(
        self, logins: Logins, role: Role, *, server: EmbeddedServer | None = None, root: Warehouse | None = None
    ) -> None:
        self.role = role
        self._logins = logins
        self._libpq = logins.url(role)
        self.url = urls.with_driver(self._libpq, "psycopg")
        self._server = server
        self._root = root or self
        self._family: dict[Role, Warehouse] = {role: self} if root is None else root._family
        self._is_embedded = server is not None if root is None else root._is_embedded
        self._engine: Engine | None = None

    @classmethod
    def open(cls, settings: Settings, role: Role = Role.LOADER) -> Warehouse:
        """The warehouse of the settings: the server of ``DATABASE_URL``, else the embedded one, started if need be.

        Sessions are those of ``role``; ``as_role`` gives the same database under another one. A role's own variable
        (``LOADER_DATABASE_URL`` ...) is enough for sessions of that role: the owner's login need not be known.

        Raises:
            WarehouseError: with the one thing to do in its text.
        """
        logins = Logins.of(settings)
        if logins is not None:
            return cls(logins, role)
        server = EmbeddedServer.join(settings.otklik_home, settings.otklik_postgres_bin)
        return cls(Logins(server.urls.by_role), role, server=server)

    @classmethod
    def at(cls, url: str, analyst_url: str | None = None, role: Role = Role.OWNER) -> Warehouse:
        """An existing database by its owner's URL; nothing is started."""
        return cls(Logins({Role.OWNER: url} | ({Role.ANALYST: analyst_url} if analyst_url else {})), role)

    def as_role(self, role: Role) -> Warehouse:
        """The same database under the login of another role; closed together with this one.

        Raises:
            WarehouseError: the login is not known; names the variable to set.
        """
        if role not in self._family:
            self._family[role] = Warehouse(self._logins, role, root=self._root)
        return self._family[role]

    def knows(self, role: Role) -> bool:
        """Whether ``as_role`` can give that role here."""
        return self._logins.knows(role)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Warehouse({urls.for_people(self.url)} as {self.role})"

    @property
    def is_embedded(self) -> bool:
        """Whether the server is ours."""
        return self._is_embedded

    @property
    def address(self) -> str:
        """Host and database, without the login."""
        return urls.for_people(self.url)

    @contextlib.contextmanager
    def connect(
        self, application_name: str = "otklik", *, autocommit: bool = False
    ) -> Iterator[psycopg.Connection[Any]]:
        """A psycopg session: committed and closed at the end, rolled back on an error.

        Raises:
            WarehouseUnavailable: no connection, or it was lost.
            LoginRefused: the server answers and does not let the role in.
        """
        with unavailable(self.address):
            try:
                connection = psycopg.connect(
                    self._libpq,
                    autocommit=autocommit,
                    connect_timeout=CONNECT_SECONDS,
                    application_name=application_name,
                    options=f"-c timezone=UTC -c client_min_messages=warning {KEEPALIVE_OF_SERVER}",
                    **KEEPALIVE,
                )
            except psycopg.OperationalError as error:
                if self.role is not Role.OWNER and any(words in str(error) for words in _REFUSALS):
                    raise LoginRefused(
                        f"the database {self.address} does not let {urls.user_of(self._libpq)} in, the login of the "
                        f"{self.role}: run otklik up, which makes it, or set {VARIABLES[self.role]}"
                    ) from None
                raise
            with connection:
                yield connection

    @property
    def engine(self) -> Engine:
        """SQLAlchemy under the login of the role."""
        if self._engine is None:
            from sqlalchemy import create_engine

            options = f"-c timezone=UTC {KEEPALIVE_OF_SERVER}"
            arguments = {"connect_timeout": CONNECT_SECONDS, "options": options, **KEEPALIVE}
            self._engine = create_engine(self.url, pool_pre_ping=True, pool_size=4, connect_args=arguments)
        return self._engine

    def analyst_engine(self) -> Engine:
        """SQLAlchemy as the read-only analyst."""
        return self.as_role(Role.ANALYST).engine

    @property
    def analyst_url(self) -> str:
        """The analyst's login."""
        return self.as_role(Role.ANALYST).url

    def dagster_storage_url(self) -> str:
        """Where Dagster keeps its runs: a database of its own beside ours, or a schema of the given database."""
        url = self._logins.url(Role.DAGSTER)
        if not (self._is_embedded or self._logins.is_given(Role.DAGSTER)):
            url = urls.with_search_path(url, DAGSTER_SCHEMA)
        return urls.with_driver(url, "psycopg2")

    def migrate(self, progress: Progress | None = None) -> list[str]:
        """Bring schemas, tables, views, rights and comments up to date; returns the revisions that were applied.

        Safe to call at any time and by several processes: one works, the others wait.

        Raises:
            WarehouseError: this is not the owner's login, the server is too old, a role's login is missing and the
                owner may not make it, one is a member of another role and the owner may not end that (everything else
                is done by then), or the database is newer than the code.
        """
        from alembic import command

        self._only_owner()
        say = progress or (lambda _: None)
        with self.connect("otklik migrate", autocommit=True) as lock:
            if lock.info.server_version < LEAST_SERVER:
                raise WarehouseError(
                    f"{self.address} is PostgreSQL {lock.info.server_version // 10_000}: 15 is the least"
                )
            lock.execute("select pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            pending = self._pending()
            if pending:
                say(f"{len(pending)}")
                with self.engine.begin() as connection:
                    connection.exec_driver_sql("create schema if not exists ops")
                    command.upgrade(self._alembic(connection), "head")
            fail_point("migrate.revisions_committed")
            with lock.transaction():
                create_views(lock)
                describe(lock)
                _, foreign = self._give_rights(lock)
            self._refuse(foreign)
        return pending

    def give_rights(self) -> int:
        """Make the logins of all roles and give each exactly its rights: for a database that was copied or restored.

        Returns how many rights, default rights and memberships were changed.

        Raises:
            WarehouseError: as ``migrate``.
        """
        self._only_owner()
        with self.connect("otklik migrate", autocommit=True) as lock:
            lock.execute("select pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            with lock.transaction():
                changed, foreign = self._give_rights(lock)
            self._refuse(foreign)
        return changed

    def ensure_migrated(self) -> None:
        """``migrate`` where the owner's login is known, else ``check_migrations``: a process without it can only look.

        Raises:
            WarehouseError: as either.
        """
        if self.knows(Role.OWNER):
            self.as_role(Role.OWNER).migrate()
        else:
            self.check_migrations()

    def check_migrations(self) -> None:
        """Make sure that the tables are those of this code.

        Raises:
            MigrationsPending: they are older; the text says what to do.
        """
        try:
            pending = self._pending()
        except psycopg.errors.InsufficientPrivilege:
            raise MigrationsPending(
                f"the {self.role} may not look into the database {self.address}: run otklik up, which gives the rights"
            ) from None
        if pending:
            raise MigrationsPending(
                f"the database {self.address} lacks {len(pending)} migration(s) from {pending[0]} on: run otklik up"
            )

    def close(self) -> None:
        """Close all connections; leave the embedded server, which stops when nobody uses it.

        What ``as_role`` gave closes itself only.
        """
        for member in list(self._family.values()) if self._root is self else [self]:
            if member._engine is not None:
                member._engine.dispose()
                member._engine = None
        if self._server is not None:
            self._server.close()
            self._server = None

    def _only_owner(self) -> None:
        if self.role is not Role.OWNER:
            raise WarehouseError(
                f"only the owner changes tables and rights, and this is the {self.role}: open the warehouse as "
                f"{Role.OWNER} ({VARIABLES[Role.OWNER]})"
            )

    def _give_rights(self, connection: psycopg.Connection[Any]) -> tuple[int, list[str]]:
        """How much was changed, and what an administrator has to run."""
        # the logins of the embedded server are made with it
        logins = self._logins.names() if self._is_embedded else self._logins.make(connection)
        if self._root._server is not None:
            # its owner may grant no role and end no membership; its administrator is ours
            with psycopg.connect(self._root._server.urls.admin, autocommit=True) as admin:
                ended, foreign = leave(admin, [LOGINS[role] for role in MADE])
        else:
            owner = urls.user_of(self._libpq)
            ended, foreign = leave(connection, {login for login in logins.values() if login != owner})
        hand_over(connection, logins)
        return ended + give(connection, logins), foreign

    def _refuse(self, foreign: list[str]) -> None:
        if foreign:
            raise WarehouseError(
                f"logins of {self.address} are members of other roles and may by them do more than is declared, and "
                f"the owner may not end that: let an administrator of the server run '{'; '.join(foreign)}'"
            )

    def _alembic(self, connection: object = None) -> Config:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        return config

    def _pending(self) -> list[str]:
        from alembic.script import ScriptDirectory

        with self.connect() as connection:
            exists = connection.execute("select to_regclass('ops.alembic_version') is not null").fetchone()
            row = (
                connection.execute("select version_num from ops.alembic_version").fetchone()
                if exists == (True,)
                else None
            )
        known = [script.revision for script in ScriptDirectory.from_config(self._alembic()).walk_revisions()][::-1]
        if row is None:
            return known
        if row[0] not in known:
            raise WarehouseError(
                f"the database {self.address} is at revision {row[0]}, which this code does not know: update the code"
            )
        return known[known.index(row[0]) + 1 :]


@contextlib.contextmanager
def unavailable(address: str) -> Iterator[None]:
    """Turn the driver's many ways to say that the server is away, or full, into one clear error."""
    try:
        yield
    except psycopg.errors.DiskFull:
        raise WarehouseUnavailable(
            f"the disk of the database {address} is full: free some space and run the same command again; "
            "what was committed stays"
        ) from None
    except psycopg.OperationalError as error:
        if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
            raise
        first = (str(error).strip().splitlines() or ["no answer"])[0]
        raise WarehouseUnavailable(
            f"the database {address} is away ({first}): start it and run the same command again; "
            "what was committed stays"
        ) from None
