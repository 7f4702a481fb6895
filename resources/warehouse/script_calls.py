"""``ops.exports``: that a script was called for what a spreadsheet shows, at most once for each content.

Here: the two rows of book-keeping around the call. Not here: the call (``resources.clients.apps_script``). The row is
committed before the call: killed in between, nobody knows whether the script ran, and it is not called again for the
same content (at most once). Its address is kept as a fingerprint only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from resources.warehouse.engine import Warehouse
from resources.warehouse.exports import shown
from resources.warehouse.failpoints import fail_point

UNKNOWN = "unknown"
_NAME = "otklik-exports"


def destination_of(url: str) -> str:
    """The name of a script in ``ops.exports``; nobody can read its address out of it."""
    return f"apps_script:{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def content_of(hashes: Mapping[str, str]) -> str:
    """What a spreadsheet shows, as one hash of its tabs' hashes."""
    lines = "\n".join(f"{tab}\t{content}" for tab, content in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def begin(database: Warehouse, destination: str, function: str, content: str, now: datetime) -> str | None:
    """Claim the call for this content; returns ``None`` when it may be made, else how the one made before went:
    empty for success, else its reason. Of two at once one gets it."""
    with database.connect(_NAME) as connection:
        claimed = connection.execute(
            """
            insert into ops.exports as was (
                destination, tab, content_hash, row_count, weeks, published_at, stale_reason, stale_since
            ) values (%(destination)s, %(function)s, %(content)s, 0, '[]', %(now)s, %(reason)s, %(now)s)
            on conflict (destination, tab) do update set
                content_hash = excluded.content_hash, published_at = excluded.published_at,
                stale_reason = excluded.stale_reason, stale_since = excluded.stale_since
            where was.content_hash <> excluded.content_hash
            returning true
            """,
            {"destination": destination, "function": function, "content": content, "now": now, "reason": UNKNOWN},
        ).fetchone()
        if claimed is None:
            return shown(connection, destination)[function].stale_reason or ""
    fail_point("exports.script_claimed")
    return None


def settle(database: Warehouse, destination: str, function: str, reason: str | None) -> None:
    """Keep how the call went; ``reason`` is ``None`` after success."""
    with database.connect(_NAME) as connection:
        connection.execute(
            "update ops.exports set stale_reason = %(reason)s,"
            " stale_since = case when %(reason)s::text is null then null else stale_since end"
            " where destination = %(destination)s and tab = %(function)s",
            {"destination": destination, "function": function, "reason": reason},
        )
