"""A ``COPY`` and the ``COMMIT`` after it, handed to the server at once and waited for later.

Here: how the last statements of a transaction travel, on the driver's ``pgconn``: by itself the driver waits for every
statement, so what comes next could be made only after the disk has answered. Not here: what a page is and what is
copied (``land``).

Both statements are one message: the server goes on to the commit by itself, whatever the sender does meanwhile.
Between ``end`` and ``finish`` nothing else may be asked of the session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

T = TypeVar("T")
Waits = Generator[Wait, Ready, T]
"""What ``Connection.wait`` drives: it says what it waits for and is told what has come."""
COMMIT = b"commit"
LONGEST = 1 << 20
"""Bytes of a message: the server refuses one of a gigabyte."""


class CopyCommit:
    """The ends of a session's transactions, one after the other. Who uses it begins them."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._is_copying = False

    def begin(self, copy: str) -> None:
        """Ask the server to take rows by the statement ``copy`` and to commit after them."""
        self._pgconn.send_query(copy.encode() + b";" + COMMIT)
        self._is_copying = True

    def rows(self, parts: Iterable[bytes]) -> None:
        """Hand over rows; returns when they are on their way.

        Raises:
            psycopg.Error: the server refuses the statement. What it says of rows comes with ``finish``.
        """
        self._connection.wait(self._ready_for_rows())
        for part in parts:
            left = memoryview(part)
            while left:
                # all of it is gone before more follows: a buffer that takes nothing could not be made larger
                if not self._pgconn.put_copy_data(left[:LONGEST]):
                    raise psycopg.OperationalError("no memory for rows that are to be copied")
                self._connection.wait(self._sent())
                left = left[LONGEST:]

    def end(self) -> None:
        """Say that there are no more rows, so that the server commits; without ``begin`` it is told that alone."""
        if self._is_copying:
            self._pgconn.put_copy_end()
        else:
            self._pgconn.send_query(COMMIT)
        self._connection.wait(self._sent())

    def finish(self) -> None:
        """Wait until all of it is committed.

        Raises:
            psycopg.Error: it is not; the transaction is rolled back.
        """
        try:
            self._connection.wait(self._committed())
        except BaseException:
            self.give_up()
            raise
        self._is_copying = False

    def give_up(self) -> None:
        """Leave the session without a transaction, wherever it stands: for a session that goes on, or is closed."""
        self._is_copying = False
        # a session that is lost has no transaction, and the error that is on its way must not be covered
        with contextlib.suppress(psycopg.Error):
            if self._pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._connection.wait(self._drained())
            self._connection.rollback()

    def _sent(self) -> Waits[None]:
        while self._pgconn.flush():
            # a server that has something to say may take nothing in until it is heard
            if (yield Wait.RW) & Ready.R:
                self._pgconn.consume_input()

    def _result(self) -> Waits[PGresult | None]:
        while self._pgconn.is_busy():
            if (yield Wait.R):
                self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _ready_for_rows(self) -> Waits[None]:
        yield from self._sent()
        result = yield from self._result()
        if result is None or result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            raise psycopg.ProgrammingError("the statement takes no rows")
        if result.status != ExecStatus.COPY_IN:
            raise self._error(result)

    def _committed(self) -> Waits[None]:
        problem: psycopg.Error | None = None
        last: PGresult | None = None
        # to the end: an answer left over would be taken for that of the next statement
        while (result := (yield from self._result())) is not None:
            last = result
            if result.status != ExecStatus.COMMAND_OK:
                problem = problem or self._error(result)
        if problem is not None:
            raise problem
        # a transaction that had failed before answers "rollback", which is no error to the server
        if last is None or last.command_status != b"COMMIT":
            raise psycopg.InternalError("the server has not committed")

    def _drained(self) -> Waits[None]:
        yield from self._sent()
        while (result := (yield from self._result())) is not None:
            if result.status == ExecStatus.COPY_IN:
                self._pgconn.put_copy_end(b"given up")
                yield from self._sent()

    def _error(self, result: PGresult) -> psycopg.Error:
        return error_from_result(result, encoding=self._connection.info.encoding)
