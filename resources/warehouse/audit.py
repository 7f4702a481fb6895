"""Who did what to accounts, keys and what leaves the platform (promise S15): rows are added and never changed.

Here: one insert. Not here: the acts themselves, which write their row in the transaction of the act.
"""

from __future__ import annotations

import getpass
import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg


def record(
    connection: psycopg.Connection[Any],
    action: str,
    subject: str | None,
    *,
    actor: str | None = None,
    at: datetime | None = None,
) -> None:
    """Add an entry to ``ops.audit``; the caller commits it together with the act.

    Args:
        action: A verb: connect, disable, enable, forget, rotate_keys ...
        subject: What it was done to; never a secret, never a person.
        actor: Who; without it the user of the operating system.
        at: When; without it now.
    """
    connection.execute(
        "insert into ops.audit (audit_id, at, actor, action, subject) values (%s, %s, %s, %s, %s)",
        (uuid.uuid4().hex, at or datetime.now(UTC), actor or user(), action, subject),
    )


def user() -> str:
    """The user of the operating system; a container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        import os

        return f"uid {os.getuid()}"
