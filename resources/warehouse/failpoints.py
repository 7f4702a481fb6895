"""Named places where a test may kill the process: between two commits, and between a commit and an outside call.

Here: the list of all names, which the tests walk through, and the kill. With ``FAILPOINT=<name>:<n>`` in the
environment the process kills itself with SIGKILL at the n-th passage of that place; without it, a passage costs a
comparison. Not here: what must hold afterwards (``tests/chaos``).
"""

from __future__ import annotations

import os
import signal

NAMES = (
    "migrate.revisions_committed",
    "land.before_page",
    "land.page_read",
    "land.page_staged",
    "land.changes_staged",
    "land.page_before_commit",
    "land.page_committed",
    "land.before_again",
    "land.begun_again",
    "land.read_ended",
    "land.missed_asked",
    "land.before_completion",
    "land.completed",
    "core.staged",
    "core.before_commit",
    "core.committed",
    "imports.begun",
    "imports.landed",
    "imports.understood",
    "imports.linked",
    "imports.before_commit",
    "imports.written",
    "reference.before_commit",
    "customers.before_commit",
    "operators.before_commit",
    "requirements.read",
    "requirements.before_commit",
    "evaluated.told",
    "evaluated.staged",
    "evaluated.before_commit",
    "evaluated.committed",
    "eligibility.before_commit",
    "scoring.call_reserved",
    "scoring.call_answered",
    "scoring.ledger_before_commit",
    "scoring.ledger_committed",
    "scoring.cards_before_commit",
    "scoring.cards_committed",
    "completeness.before_write",
    "accounts.before_synced",
    "publish.python_built",
    "publish.between_marts",
    "publish.before_commit",
    "exports.marked",
    "exports.announced",
    "exports.shown",
    "exports.before_commit",
    "exports.script_claimed",
    "exports.script_answered",
    "sheets.staged",
    "sheets.filled",
    "sheets.shown",
    "digest.before_commit",
    "digest.committed",
    "watch.before_commit",
    "watch.committed",
    "outbox.taken",
    "outbox.answered",
    "outbox.settled",
    "connections.key_made",
    "connections.key_added",
    "connections.before_row",
    "connections.row_rotated",
    "connections.rows_rotated",
    "connections.old_keys_dropped",
)
"""Every name that a call of ``fail_point`` uses, in the order in which a run passes them."""

_passages: dict[str, int] = {}


def fail_point(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("FAILPOINT")
    if not wanted:
        return
    if name not in NAMES:
        raise ValueError(f"unknown fail point {name!r}: add it to failpoints.NAMES")
    place, _, number = wanted.partition(":")
    if place != name:
        return
    _passages[name] = _passages.get(name, 0) + 1
    if _passages[name] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
