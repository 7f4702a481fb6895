"""Who may do what in the database (promise S5): the roles, the names of their logins, and every right they have.

Here: the declaration, standard library only. Not here: the statements that bring it about (``rights``), how a session
gets its login (``logins``), the masked views (``views``). What is not written here is closed: a table that a later
migration adds belongs to nobody but the owner until it is named below.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """As whom a session works."""

    OWNER = "owner"
    """Owns the tables and changes them: migrations, nothing else."""
    LOADER = "loader"
    """Reads sources and judges: writes raw, core, evaluated and their book-keeping; keeps the accounts."""
    PUBLISHER = "publisher"
    """Builds and swaps marts, writes sheets and messages; sees no credential and nothing raw."""
    ANALYST = "analyst"
    """Reads marts and masked views."""
    DESK = "desk"
    """Answers customers: reads core, evaluated and marts, queues messages."""
    DAGSTER = "dagster"
    """Keeps Dagster's own tables, which Dagster makes and changes by itself; sees nothing of ours."""


Rights = frozenset[str]
READ: Rights = frozenset({"SELECT"})
ADD: Rights = READ | {"INSERT"}
KEEP: Rights = ADD | {"UPDATE"}
REPLACE: Rights = KEEP | {"DELETE"}

TABLES: Mapping[Role, Mapping[str, Rights]] = {
    Role.LOADER: {
        # what was received is never lost: a row that is gone at the source is marked
        "raw.*": KEEP,
        "core.*": REPLACE,
        "reference.*": REPLACE,
        "evaluated.*": REPLACE,
        "ops.alembic_version": READ,
        "ops.cursors": KEEP,
        "ops.read_pages": ADD | {"DELETE"},
        "ops.as_of": KEEP,
        "ops.dirty": REPLACE,
        "ops.link_changes": KEEP,
        "ops.completeness": REPLACE,
        "ops.connections": KEEP,
        "ops.imports": KEEP,
        "ops.llm_calls": KEEP,
        "ops.audit": ADD,
        "keys.installation": READ,
    },
    Role.PUBLISHER: {
        "core.*": READ,
        "reference.*": READ,
        "evaluated.*": READ,
        "ops.alembic_version": READ,
        "ops.as_of": READ,
        # which changes of links a week already shows
        "ops.dirty": READ,
        "ops.link_changes": READ,
        "ops.completeness": READ,
        "ops.llm_calls": READ,
        "ops.audit": ADD,
        "ops.exports": KEEP,
        "ops.outbox": KEEP,
        "ops.incidents": KEEP,
        "ops.looks": KEEP,
    },
    Role.DESK: {
        "core.*": READ,
        "reference.*": READ,
        "evaluated.*": READ,
        "marts.*": READ,
        "ops.alembic_version": READ,
        "ops.outbox": ADD,
    },
    Role.ANALYST: {"marts.*": READ},
}
"""Rights by table; ``schema.*`` is every table of it, no view. The owner of a table has them all."""
VIEWS_OF: Mapping[Role, Rights] = {Role.ANALYST: READ}
"""Who reads the masked views."""
CONTENT_VIEWS_OF: Mapping[Role, Rights] = {Role.LOADER: READ, Role.PUBLISHER: READ, Role.DESK: READ}
"""Who reads the views that hold what was said: whoever may read the tables below them."""
COLUMNS: Mapping[Role, Mapping[str, tuple[str, ...]]] = {
    Role.PUBLISHER: {
        "ops.connections": (
            "connection_id", "vendor", "origin", "settings", "status", "reason", "checked_at", "synced_at",
            "disabled_at", "created_at", "updated_at",
        )
    }
}  # fmt: skip
"""Columns that may be read of a table that is otherwise closed."""
OWNED: Mapping[Role, tuple[str, ...]] = {Role.PUBLISHER: ("marts", "marts_next"), Role.DAGSTER: ("dagster",)}
"""Schemas in which a role makes and changes the tables by itself."""
TEMPORARY = frozenset({Role.LOADER})
"""Who stages rows in temporary tables; to everybody else one would be something written."""
NEEDED = (Role.LOADER, Role.PUBLISHER, Role.DAGSTER)
"""Roles without which nothing works; the others are left out where the server gives no login for them."""
MADE = (*NEEDED, Role.ANALYST, Role.DESK)
"""All roles but the owner's."""
NAME_BYTES = 63
"""The longest name that PostgreSQL keeps whole."""


def login_name(database: str, role: Role) -> str:
    """The login of a role in a database: one server may hold several warehouses, and they share none.

    >>> login_name("otklik", Role.LOADER)
    'otklik_loader'
    >>> len(login_name("x" * 63, Role.PUBLISHER))
    63
    """
    name = f"{database}_{role}"
    if len(name.encode()) <= NAME_BYTES:
        return name
    # cut names of two databases must not meet
    mark = f"_{hashlib.sha256(database.encode()).hexdigest()[:12]}_{role}"
    kept = database.encode()[: NAME_BYTES - len(mark)].decode(errors="ignore")
    return kept + mark


def derived_password(key: str, login: str) -> str:
    """The password of a login that nobody chose: all machines that know the key agree on it.

    It tells nothing of the key, and nothing of another login's password.
    """
    return hmac.new(key.encode(), login.encode(), hashlib.sha256).hexdigest()
