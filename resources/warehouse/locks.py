"""Who works on what: advisory locks of PostgreSQL, which vanish with the session of their holder (D4).

Here: the lock of an account, of one of its streams, of its core tables, of the people, of the links of
customers, of the requirements, of a run.
Not here: the lock of the embedded server's files (``server``).

The lock of an account is held for the whole run, in a session of its own: who finds it taken asks the vendor nothing
and writes nothing. The locks of a stream and of core tables are held by the very session that writes: when that session
is lost, so is the right to write.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from typing import Any

import psycopg

from resources.warehouse.errors import Busy

PAUSE_SECONDS = 0.2


_GATE = "otklik:claiming"
GATE_SECONDS = 30.0
"""It is held for milliseconds; a holder whose machine vanished must not stop every run (P7)."""
_BUSY = "{} is being loaded by another process: wait for it to end, or run the same command again later"


def claim_accounts(connection: psycopg.Connection[Any], connection_ids: Collection[str], wait: float = 0.0) -> set[str]:
    """Take the locks of the accounts for the life of the session; returns those that others hold.

    All of them are taken in one go: of two runs over the same accounts that begin together, one gets every account and
    the other none, instead of each a part.
    """
    with _held(connection, _GATE, "somebody has been taking the locks of accounts for long", GATE_SECONDS):
        busy = _not_taken(connection, connection_ids)
    deadline = time.monotonic() + wait
    while busy and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        busy = _not_taken(connection, busy)
    return busy


def _not_taken(connection: psycopg.Connection[Any], connection_ids: Collection[str]) -> set[str]:
    return {one for one in connection_ids if not _try(connection, _account(one))}


def account_busy(connection_id: str) -> Busy:
    """What to raise for an account that somebody else holds."""
    return Busy(_BUSY.format(connection_id))


@contextlib.contextmanager
def account_lock(connection: psycopg.Connection[Any], connection_id: str) -> Iterator[None]:
    """The right to work on one account, for the time of the block.

    Raises:
        Busy: another process has it; nothing was waited for.
    """
    if claim_accounts(connection, [connection_id]):
        raise account_busy(connection_id)
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.Error):
            _release(connection, _account(connection_id))


@contextlib.contextmanager
def stream_lock(connection: psycopg.Connection[Any], connection_id: str, stream: str) -> Iterator[None]:
    """The right to write one raw stream of one account.

    Raises:
        Busy: another process has it; nothing was waited for.
    """
    what = f"the stream '{stream}' of {connection_id} is being loaded by another process"
    with _held(connection, f"otklik:stream:{connection_id}:{stream}", what, 0.0):
        yield


@contextlib.contextmanager
def core_lock(connection: psycopg.Connection[Any], connection_id: str, wait: float = 120.0) -> Iterator[None]:
    """The right to write the core tables of one account.

    Raises:
        Busy: another process has had it for longer than ``wait`` seconds.
    """
    what = f"the core tables of {connection_id} are being written by another process"
    with _held(connection, f"otklik:core:{connection_id}", what, wait):
        yield


@contextlib.contextmanager
def people_lock(connection: psycopg.Connection[Any], wait: float = 30.0) -> Iterator[None]:
    """The right to write who is who.

    Raises:
        Busy: another process has had it for longer than ``wait`` seconds.
    """
    with _held(connection, "otklik:people", "the people are being written by another process", wait):
        yield


@contextlib.contextmanager
def links_lock(connection: psycopg.Connection[Any], wait: float = 30.0) -> Iterator[None]:
    """The right to write which ids of customers are one human. Whoever has it may wait for accounts that are being
    judged, so it is not the lock of the people: nobody who publishes waits for that.

    Raises:
        Busy: another process has had it for longer than ``wait`` seconds.
    """
    with _held(connection, "otklik:links", "the links of customers are being written by another process", wait):
        yield


@contextlib.contextmanager
def requirements_lock(connection: psycopg.Connection[Any], wait: float = 30.0) -> Iterator[None]:
    """The right to write versions of rubrics and instructions, and the directory of operators.

    Raises:
        Busy: another process has had it for longer than ``wait`` seconds.
    """
    with _held(connection, "otklik:requirements", "the requirements are being written by another process", wait):
        yield


@contextlib.contextmanager
def scoring_lock(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The right to buy answers and to write scorecards: one at a time, so that nobody buys what somebody is buying.

    Raises:
        Busy: another process has it; nothing was waited for.
    """
    with _held(connection, "otklik:scoring", "talks are being scored by another process", 0.0):
        yield


@contextlib.contextmanager
def run_lock(connection: psycopg.Connection[Any], run_id: str, wait: float = 0.0) -> Iterator[None]:
    """The sign that the worker of a run is alive: held for the life of the run.

    Raises:
        Busy: another process has been working on the same run for longer than ``wait`` seconds.
    """
    with _held(connection, f"otklik:run:{run_id}", f"the run {run_id} is already being worked on", wait):
        yield


def is_run_alive(connection: psycopg.Connection[Any], run_id: str) -> bool:
    """Whether somebody holds the lock of a run. A free lock under a started run means that its worker is dead."""
    key = f"otklik:run:{run_id}"
    if not _try(connection, key):
        return True
    _release(connection, key)
    return False


@contextlib.contextmanager
def _held(connection: psycopg.Connection[Any], key: str, what: str, wait: float) -> Iterator[None]:
    deadline = time.monotonic() + wait
    while not _try(connection, key):
        if time.monotonic() >= deadline:
            raise Busy(f"{what}: wait for it to end, or run the same command again later")
        time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        # a lost session has lost the lock as well, and an error that is on its way must not be covered
        with contextlib.suppress(psycopg.Error):
            _release(connection, key)


def _account(connection_id: str) -> str:
    return f"otklik:account:{connection_id}"


def _try(connection: psycopg.Connection[Any], key: str) -> bool:
    row = connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
    return row == (True,)


def _release(connection: psycopg.Connection[Any], key: str) -> None:
    connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (key,))
