"""Group commit: what many coroutines want written is written by one session, all that waits in one transaction.

Here: the queue, the thread of the session, who is told what. Not here: what is written (``ledger``, ``cards``).

At concurrency 64 a transaction for each call would wait for the disk 130 times a second, and each costs our own CPU as
well. So the first who has something to write waits a moment for others. Nobody is told that his item is written before
its transaction is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

import psycopg

from resources.warehouse.engine import Warehouse, unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[psycopg.Connection[Any], Sequence[Item]], Sequence["Result | Exception"]]
"""Writes items in one transaction of its making; gives a result, or an error, for each, in order. The session commits
each statement by itself."""


class GroupCommit(Generic[Item, Result]):
    """One writing session for many coroutines of one event loop.

    Args:
        work: what is done with items; called in a thread of its own, never twice at once.
        opened: what is done first with the session.
        after_commit: called in that thread after each commit.
        together_seconds: so long the first item waits for others.
        enough: items that wait for no more.
        most: items of one transaction.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        name: str,
        work: Work[Item, Result],
        *,
        opened: Callable[[psycopg.Connection[Any]], None] = lambda _: None,
        after_commit: Callable[[], None] = lambda: None,
        together_seconds: float = 0.0,
        enough: int = 64,
        most: int = 256,
    ) -> None:
        self._warehouse = warehouse
        self._name = name
        self._work = work
        self._prepare = opened
        self._after_commit = after_commit
        self._together_seconds = together_seconds
        self._enough = enough
        self._most = most
        self._hurry = asyncio.Event()
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._opened = ExitStack()
        self._session: psycopg.Connection[Any] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def put(self, item: Item) -> Result:
        """Have an item written; returns when it is committed.

        Raises:
            WarehouseUnavailable: the session was lost; whether the item is written is not known.
            Exception: what the work says of this item.
        """
        told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, told))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        if len(self._waiting) >= self._enough:
            self._hurry.set()
        return await told

    def hurry(self) -> None:
        """Nobody else will come: from now on nothing waits."""
        self._together_seconds = 0.0
        self._hurry.set()

    async def close(self) -> None:
        """Wait for what is being written and end the session."""
        if self._writing is not None:
            self._hurry.set()
            await asyncio.gather(self._writing, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._opened.close)
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            await self._wait_for_others()
            portion, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            items = [item for item, _ in portion]
            try:
                results = await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, items)
            except Exception as error:
                # an error object is raised by everybody who waits: each needs its own traceback, not a common one
                for _, told in portion:
                    if not told.done():
                        told.set_exception(_copy(error))
                continue
            for (_, told), result in zip(portion, results, strict=True):
                if told.done():
                    continue
                if isinstance(result, Exception):
                    told.set_exception(result)
                else:
                    told.set_result(result)

    async def _wait_for_others(self) -> None:
        if self._together_seconds and len(self._waiting) < self._enough:
            alarm = asyncio.get_running_loop().call_later(self._together_seconds, self._hurry.set)
            await self._hurry.wait()
            alarm.cancel()
        self._hurry.clear()

    def _commit(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        with unavailable(self._warehouse.address):
            if self._session is None:
                self._session = self._opened.enter_context(self._warehouse.connect(self._name, autocommit=True))
                self._prepare(self._session)
            results = self._work(self._session, items)
        self._after_commit()
        return results


def _copy(error: Exception) -> Exception:
    try:
        again = type(error)(*error.args)
    except Exception:
        return error
    again.__cause__ = error
    return again
