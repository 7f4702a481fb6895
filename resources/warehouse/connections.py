"""Accounts of vendors: where they are, how they are, and their credentials, encrypted.

Here: ``ops.connections``, one row per account, and the replacement of keys. Not here: the keys
(``resources.vault``), what the settings of a vendor mean and which account is in force (``resources.accounts``).

The caller commits, except for ``rotate``. Every act of a person writes its row of ``ops.audit`` with it. Whoever writes
credentials holds a lock until the commit: a row can never be encrypted with a key that a rotation is about to drop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg.types.json import Jsonb

from resources.clients.errors import Forbidden, NeedsAuth, RateLimited, SourceError
from resources.clients.redact import redact
from resources.vault import Vault, lost
from resources.warehouse.audit import record
from resources.warehouse.errors import NoSuchConnection
from resources.warehouse.failpoints import fail_point

Status: TypeAlias = Literal["ok", "needs_auth", "rate_limited", "broken"]
STORED, ENVIRONMENT = "stored", "environment"
_KEYS_LOCK = "otklik:connections:keys"
_SELECT = (
    "select connection_id, vendor, origin, settings, status, reason, checked_at, synced_at, disabled_at"
    " from ops.connections where (%(vendor)s::text is null or vendor = %(vendor)s)"
    " and (%(id)s::text is null or connection_id = %(id)s) and (%(with_disabled)s or disabled_at is null)"
    " order by created_at, connection_id"
)


@dataclass(frozen=True)
class Account:
    """One row of ``ops.connections`` without its credentials."""

    connection_id: str
    vendor: str
    """retailcrm, sheets, telegram."""
    origin: str = STORED
    """``stored``: connected by a person, credentials here; ``environment``: described by variables."""
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Addresses and other values that are no secret."""
    status: str | None = None
    """A ``Status``; ``None``: not asked yet."""
    reason: str | None = None
    """Why it is not ok: ``[code] what happened``, redacted; the codes are those of ``resources.clients.errors``."""
    checked_at: datetime | None = None
    synced_at: datetime | None = None
    disabled_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether it is to be used."""
        return self.disabled_at is None


def accounts(
    connection: psycopg.Connection[Any], vendor: str | None = None, *, with_disabled: bool = False
) -> list[Account]:
    """The accounts, of one vendor or of all, in the order in which they were connected. Reads no credentials."""
    rows = connection.execute(_SELECT, {"vendor": vendor, "id": None, "with_disabled": with_disabled})
    return [Account(*row) for row in rows]


def account(connection: psycopg.Connection[Any], connection_id: str) -> Account | None:
    """One account by its name, disabled or not."""
    row = connection.execute(_SELECT, {"vendor": None, "id": connection_id, "with_disabled": True}).fetchone()
    return Account(*row) if row is not None else None


def key_of(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """The fingerprint of the key that each account's stored credentials need, by the account's name."""
    rows = connection.execute("select connection_id, key_id from ops.connections where credentials is not null")
    return dict(rows.fetchall())


def credentials(connection: psycopg.Connection[Any], connection_id: str, vault: Vault) -> dict[str, str]:
    """The secrets of a stored account, decrypted; each is kept out of all logs of this process from now on.

    Raises:
        NoSuchConnection: there is no such account, or it has no stored credentials.
        KeysLost: their key is not in the vault (D14).
        CredentialsDamaged: they open with no key.
    """
    row = connection.execute(
        "select credentials, key_id from ops.connections where connection_id = %s", (connection_id,)
    ).fetchone()
    if row is None or row[0] is None:
        raise NoSuchConnection(f"no credentials are stored for {connection_id}: connect it (otklik connect)")
    return vault.open_sealed(connection_id, row[0], row[1])


def check_keys(connection: psycopg.Connection[Any], vault: Vault, *, with_disabled: bool = False) -> None:
    """Make sure that every stored credential has its key: without it nothing may start (D14).

    Raises:
        KeysLost: names the accounts, their keys and what to do.
    """
    missing = _missing(connection, vault, with_disabled)
    if missing:
        vault.reload()
        missing = _missing(connection, vault, with_disabled)
    if missing:
        raise lost(missing, vault)


def save(
    connection: psycopg.Connection[Any],
    vault: Vault,
    connection_id: str,
    vendor: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    status: Status | None = None,
    actor: str | None = None,
    at: datetime | None = None,
) -> None:
    """Store an account or replace its settings and credentials; it is in use from then on.

    The first account of an installation makes the first key, where the environment gives none.

    Args:
        status: What asking the vendor found; ``None``: not asked.

    Raises:
        NoSuchConnection: the name is another vendor's account.
        KeysLost: something stored needs a key that is not there; no new key is made beside it (D14).
    """
    now = at or datetime.now(UTC)
    _hold_keys(connection)
    known = account(connection, connection_id)
    if known is not None and known.vendor != vendor:
        raise NoSuchConnection(f"{connection_id} is an account of {known.vendor}: choose another name (--id)")
    check_keys(connection, vault, with_disabled=True)
    vault.first_key()
    fail_point("connections.key_made")
    sealed = vault.seal(connection_id, secrets)
    connection.execute(
        "insert into ops.connections (connection_id, vendor, origin, settings, credentials, key_id, status, checked_at,"
        " created_at, updated_at) values (%(id)s, %(vendor)s, 'stored', %(settings)s, %(token)s, %(key_id)s,"
        " %(status)s, %(checked_at)s, %(now)s, %(now)s)"
        " on conflict (connection_id) do update set origin = 'stored', settings = excluded.settings,"
        " credentials = excluded.credentials, key_id = excluded.key_id, status = excluded.status, reason = null,"
        " checked_at = excluded.checked_at, disabled_at = null, updated_at = excluded.updated_at",
        {
            "id": connection_id,
            "vendor": vendor,
            "settings": Jsonb(dict(settings)),
            "token": sealed.token,
            "key_id": sealed.key_id,
            "status": status,
            "checked_at": None if status is None else now,
            "now": now,
        },
    )
    record(connection, "connect", connection_id, actor=actor, at=now)


def note_environment(connection: psycopg.Connection[Any], described: Account) -> bool:
    """Write down an account that variables describe, so that its health has a place; says whether anything changed.

    An account of the same name that a person connected keeps its row and its credentials; while the variables are
    there, they are in force (``resources.accounts``).
    """
    now = datetime.now(UTC)
    changed = connection.execute(
        "insert into ops.connections as c (connection_id, vendor, origin, settings, created_at, updated_at)"
        " values (%(id)s, %(vendor)s, 'environment', %(settings)s, %(now)s, %(now)s)"
        " on conflict (connection_id) do update set vendor = excluded.vendor, settings = excluded.settings,"
        " status = null, reason = null, checked_at = null, updated_at = excluded.updated_at"
        " where c.origin = 'environment' and (c.vendor, c.settings) is distinct from"
        " (excluded.vendor, excluded.settings)",
        {
            "id": described.connection_id,
            "vendor": described.vendor,
            "settings": Jsonb(dict(described.settings)),
            "now": now,
        },
    ).rowcount
    return changed == 1


def disable(
    connection: psycopg.Connection[Any], connection_id: str, *, forget: bool = False, actor: str | None = None
) -> None:
    """Stop using an account. Its rows stay, and so do its credentials unless they are to be forgotten.

    Raises:
        NoSuchConnection: there is none of that name.
    """
    now = datetime.now(UTC)
    _change(connection, connection_id, _DISABLE, now)
    record(connection, "disable", connection_id, actor=actor, at=now)
    if forget:
        _change(connection, connection_id, _FORGET, now)
        record(connection, "forget", connection_id, actor=actor, at=now)


def enable(connection: psycopg.Connection[Any], connection_id: str, *, actor: str | None = None) -> None:
    """Use an account again.

    Raises:
        NoSuchConnection: there is none of that name, or its credentials were forgotten.
    """
    now = datetime.now(UTC)
    _change(connection, connection_id, _ENABLE, now)
    row = connection.execute(
        "select origin = 'stored' and credentials is null from ops.connections where connection_id = %s",
        (connection_id,),
    ).fetchone()
    if row == (True,):
        raise NoSuchConnection(f"the credentials of {connection_id} were forgotten: connect it anew (otklik connect)")
    record(connection, "enable", connection_id, actor=actor, at=now)


def report(
    connection: psycopg.Connection[Any], connection_id: str, status: Status, reason: str | None, at: datetime
) -> None:
    """Write down how an account is; ``reason`` is redacted. An account without a row has no health to keep."""
    connection.execute(
        "update ops.connections set status = %s, reason = %s, checked_at = %s where connection_id = %s",
        (status, redact(reason) if reason else None, at, connection_id),
    )


def report_error(connection: psycopg.Connection[Any], error: SourceError, at: datetime) -> Status:
    """Write down what an error of the source means for its account; returns the status."""
    status = status_of(error)
    report(connection, error.connection_id, status, f"[{error.reason}] {error.what}", at)
    return status


def status_of(error: SourceError) -> Status:
    """The health of an account whose reading ended with ``error``."""
    if isinstance(error, NeedsAuth | Forbidden):
        return "needs_auth"
    return "rate_limited" if isinstance(error, RateLimited) else "broken"


def synced(connection: psycopg.Connection[Any], connection_id: str, at: datetime) -> None:
    """Write down that all streams of an account were read to their end: it is well."""
    connection.execute(
        "update ops.connections set status = 'ok', reason = null, checked_at = %(at)s, synced_at = %(at)s"
        " where connection_id = %(id)s",
        {"at": at, "id": connection_id},
    )


def rotate(connection: psycopg.Connection[Any], vault: Vault, *, actor: str | None = None) -> int:
    """Encrypt every stored credential with the newest key; returns how many were encrypted anew.

    Keys of a file: a new one is made first and the old ones are dropped last, when no row needs them. Keys of the
    environment: a person has put the new one first and drops the old ones afterwards. Each row is committed by itself,
    together with its audit entry; killed anywhere, every row stays readable, and the same call goes on.

    Args:
        connection: In autocommit mode; nothing else may be done with it meanwhile.

    Raises:
        KeysLost: a row needs a key that is not there; nothing was changed.
        CredentialsDamaged: a row opens with no key; the old keys are kept.
    """
    if not connection.autocommit:
        raise ValueError("rotate commits row by row: give it a session in autocommit mode")
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (_KEYS_LOCK,))
        try:
            return _rotate(connection, vault, actor)
        finally:
            if not connection.closed:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (_KEYS_LOCK,))


def _rotate(connection: psycopg.Connection[Any], vault: Vault, actor: str | None) -> int:
    check_keys(connection, vault, with_disabled=True)
    if vault.newest is None:
        return 0
    if vault.path is not None:
        vault.add_key()
        fail_point("connections.key_added")
    old = connection.execute(
        "select connection_id from ops.connections where credentials is not null and key_id is distinct from %s"
        " order by connection_id",
        (vault.newest,),
    ).fetchall()
    for (connection_id,) in old:
        with connection.transaction():
            values = credentials(connection, connection_id, vault)
            sealed = vault.seal(connection_id, values)
            connection.execute(
                "update ops.connections set credentials = %s, key_id = %s where connection_id = %s",
                (sealed.token, sealed.key_id, connection_id),
            )
            record(connection, "rotate_keys", connection_id, actor=actor)
            fail_point("connections.before_row")
        fail_point("connections.row_rotated")
    if vault.path is not None:
        fail_point("connections.rows_rotated")
        vault.drop_old_keys()
        fail_point("connections.old_keys_dropped")
    return len(old)


def _hold_keys(connection: psycopg.Connection[Any]) -> None:
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (_KEYS_LOCK,))


def _missing(connection: psycopg.Connection[Any], vault: Vault, with_disabled: bool) -> dict[str, str]:
    rows = connection.execute(
        "select connection_id, key_id from ops.connections where credentials is not null"
        " and (%s or disabled_at is null)",
        (with_disabled,),
    )
    return {name: key_id or "?" for name, key_id in rows if key_id not in vault.key_ids}


_DISABLE = "update ops.connections set disabled_at = coalesce(disabled_at, %(now)s) where connection_id = %(id)s"
_FORGET = (
    "update ops.connections set credentials = null, key_id = null, updated_at = %(now)s where connection_id = %(id)s"
)
_ENABLE = (
    "update ops.connections set disabled_at = null, status = null, reason = null, checked_at = null"
    " where connection_id = %(id)s"
)


def _change(connection: psycopg.Connection[Any], connection_id: str, statement: str, now: datetime) -> None:
    if connection.execute(statement, {"id": connection_id, "now": now}).rowcount == 0:
        raise NoSuchConnection(f"there is no connection {connection_id}: otklik connections lists them")
