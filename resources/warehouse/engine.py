"""The warehouse: one PostgreSQL database, embedded or given, with its logins and its migrations.

Here: how to get a connection, and that the tables are those of this code. Not here: what is written
(``land``, ``core``, ``refresh``). SQLAlchemy and Alembic are imported where they are used: a loader process needs
neither and must start fast.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from resources.warehouse import urls
from resources.warehouse.errors import MigrationsPending, WarehouseError, WarehouseUnavailable
from resources.warehouse.roles import ANALYST, Role, create_views, describe, grant_analyst
from resources.warehouse.server import EmbeddedServer

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

    from resources.settings import Settings

CONNECT_SECONDS = 10
LEAST_SERVER = 150_000
MIGRATION_LOCK = 7_033_001
Progress = Callable[[str], None]


class Warehouse:
    """One database and its logins. Cheap to make; connections are opened when they are asked for."""

    def __init__(
        self,
        url: str,
        *,
        analyst_url: str | None = None,
        dagster_url: str | None = None,
        server: EmbeddedServer | None = None,
        secrets_folder: Path | None = None,
    ) -> None:
        self.url = urls.with_driver(url, "psycopg")
        self._libpq = urls.with_driver(url, None)
        self._analyst_url = analyst_url
        self._dagster_url = dagster_url
        self._server = server
        self._secrets = secrets_folder
        self._engines: dict[str, Engine] = {}

    @classmethod
    def open(cls, settings: Settings, role: Role = Role.LOADER) -> Warehouse:
        """The warehouse of the settings: the server of ``DATABASE_URL``, else the embedded one, started if need be.

        Sessions are those of ``role``; ``as_role`` gives the same database under another one.

        Raises:
            WarehouseError: with the one thing to do in its text.
        """
        analyst = settings.analyst_database_url
        analyst_url = analyst.get_secret_value() if analyst is not None else None
        if settings.database_url is not None:
            try:
                return cls(
                    settings.database_url.get_secret_value(),
                    analyst_url=analyst_url,
                    secrets_folder=settings.otklik_home / "secrets",
                )
            except ValueError as error:
                raise WarehouseError(str(error)) from None
        server = EmbeddedServer.join(settings.otklik_home, settings.otklik_postgres_bin)
        found = server.urls
        return cls(found.owner, analyst_url=analyst_url or found.analyst, dagster_url=found.dagster, server=server)

    def as_role(self, role: Role) -> Warehouse:
        """The same database under the login of another role; closed together with this one."""
        return self

    @classmethod
    def at(cls, url: str, analyst_url: str | None = None) -> Warehouse:
        """An existing database; nothing is started."""
        return cls(url, analyst_url=analyst_url)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Warehouse({urls.for_people(self.url)})"

    @property
    def is_embedded(self) -> bool:
        """Whether the server is ours."""
        return self._server is not None

    @property
    def address(self) -> str:
        """Host and database, without the login."""
        return urls.for_people(self.url)

    @contextlib.contextmanager
    def connect(
        self, application_name: str = "otklik", *, autocommit: bool = False
    ) -> Iterator[psycopg.Connection[Any]]:
        """A psycopg session as the owner: committed and closed at the end, rolled back on an error.

        Raises:
            WarehouseUnavailable: no connection, or it was lost.
        """
        with unavailable(self.address):
            connection = psycopg.connect(
                self._libpq,
                autocommit=autocommit,
                connect_timeout=CONNECT_SECONDS,
                application_name=application_name,
                options="-c timezone=UTC -c client_min_messages=warning",
            )
            with connection:
                yield connection

    @property
    def engine(self) -> Engine:
        """SQLAlchemy as the owner."""
        return self._engine(self.url)

    def analyst_engine(self) -> Engine:
        """SQLAlchemy as the read-only analyst."""
        return self._engine(self.analyst_url)

    @property
    def analyst_url(self) -> str:
        """The analyst's login."""
        if self._analyst_url is None:
            self._analyst_url = urls.with_login(self._libpq, ANALYST, self._analyst_password())
        return urls.with_driver(self._analyst_url, "psycopg")

    def dagster_storage_url(self) -> str:
        """Where Dagster keeps its runs: a database of its own beside ours, or a schema of the given database."""
        if self._dagster_url is not None:
            return urls.with_driver(self._dagster_url, "psycopg2")
        with self.connect() as connection:
            connection.execute("create schema if not exists dagster")
        return urls.with_driver(urls.with_search_path(self._libpq, "dagster"), "psycopg2")

    def migrate(self, progress: Progress | None = None) -> list[str]:
        """Bring schemas, tables, views, rights and comments up to date; returns the revisions that were applied.

        Safe to call at any time and by several processes: one works, the others wait.

        Raises:
            WarehouseError: the server is too old, or the database is newer than the code.
        """
        from alembic import command

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
            with lock.transaction():
                create_views(lock)
                describe(lock)
                analyst = self._ensure_analyst(lock)
                if analyst is not None:
                    grant_analyst(lock, analyst)
        return pending

    def check_migrations(self) -> None:
        """Make sure that the tables are those of this code.

        Raises:
            MigrationsPending: they are older; the text says what to do.
        """
        pending = self._pending()
        if pending:
            raise MigrationsPending(
                f"the database {self.address} lacks {len(pending)} migration(s) from {pending[0]} on: run otklik up"
            )

    def close(self) -> None:
        """Close all connections; leave the embedded server, which stops when nobody uses it."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _engine(self, url: str) -> Engine:
        if url not in self._engines:
            from sqlalchemy import create_engine

            arguments = {"connect_timeout": CONNECT_SECONDS, "options": "-c timezone=UTC"}
            self._engines[url] = create_engine(url, pool_pre_ping=True, pool_size=4, connect_args=arguments)
        return self._engines[url]

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

    def _ensure_analyst(self, connection: psycopg.Connection[Any]) -> str | None:
        """The analyst's role, made where we may; ``None`` where there is none and we may not."""
        from psycopg import sql

        if self._server is not None:
            return ANALYST
        if self._analyst_url is not None:
            return urls.user_of(self._analyst_url)
        role = connection.execute("select rolcanlogin from pg_roles where rolname = %s", (ANALYST,)).fetchone()
        may = connection.execute(
            "select rolcreaterole or rolsuper from pg_roles where rolname = current_user"
        ).fetchone()
        if may != (True,):
            return ANALYST if role is not None else None
        # one server may hold many warehouses (tests clone dozens at once): roles are shared by all of them
        connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK + 1,))
        name = sql.Identifier(ANALYST)
        if role is None:
            with contextlib.suppress(psycopg.errors.DuplicateObject), connection.transaction():
                connection.execute(sql.SQL("create role {}").format(name))
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            statement = "alter role {} login nosuperuser nocreatedb nocreaterole password {}"
            connection.execute(sql.SQL(statement).format(name, sql.Literal(self._analyst_password())))
            connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(name))
        return ANALYST

    def _analyst_password(self) -> str:
        """Derived from the owner's password, so that all machines with one ``DATABASE_URL`` agree on it."""
        password = urls.password_of(self._libpq)
        if password:
            return hmac.new(password.encode(), ANALYST.encode(), hashlib.sha256).hexdigest()
        if self._secrets is None:
            raise WarehouseError("the analyst's login is unknown: set ANALYST_DATABASE_URL")
        path = self._secrets / "analyst.password"
        if not path.exists():
            self._secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(24), "ascii")
        return path.read_text("ascii").strip()


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
