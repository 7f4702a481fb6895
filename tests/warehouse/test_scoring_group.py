"""Group commit: who comes soon is written together, nobody waits for those who will not come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from resources.scoring.group import GroupCommit
from resources.warehouse.engine import Warehouse

LONG = 30.0
"""Seconds that no test takes: who is told earlier has not waited for others."""


def run(database: Warehouse, work: Callable[[GroupCommit[int, int], list[list[int]]], Awaitable[None]]) -> list[Any]:
    """The groups that were written."""
    written: list[list[int]] = []

    def write(_: Any, items: Sequence[int]) -> list[int | Exception]:
        written.append(list(items))
        return [ValueError(item) if item < 0 else item * 10 for item in items]

    async def inside() -> None:
        group: GroupCommit[int, int] = GroupCommit(database, "test", write, together_seconds=LONG, enough=3)
        try:
            await work(group, written)
        finally:
            await group.close()

    began = time.monotonic()
    asyncio.run(inside())
    assert time.monotonic() - began < LONG / 2
    return written


def test_enough_of_them_wait_for_no_more(database: Warehouse) -> None:
    async def work(group: GroupCommit[int, int], written: list[list[int]]) -> None:
        first = [asyncio.create_task(group.put(n)) for n in (1, 2)]
        await asyncio.sleep(0.05)
        assert written == []
        assert await group.put(3) == 30
        assert [await one for one in first] == [10, 20]

    assert run(database, work) == [[1, 2, 3]]


def test_who_hurries_is_written_at_once_and_so_are_all_after_him(database: Warehouse) -> None:
    async def work(group: GroupCommit[int, int], _: list[list[int]]) -> None:
        first = asyncio.create_task(group.put(1))
        await asyncio.sleep(0)
        group.hurry()
        assert await first == 10 and await group.put(2) == 20

    assert run(database, work) == [[1], [2]]


def test_closing_writes_what_waits(database: Warehouse) -> None:
    async def work(group: GroupCommit[int, int], _: list[list[int]]) -> None:
        waits.append(asyncio.create_task(group.put(1)))
        await asyncio.sleep(0)

    waits: list[asyncio.Task[int]] = []
    assert run(database, work) == [[1]]


def test_an_error_is_told_to_whom_it_is_about(database: Warehouse) -> None:
    async def work(group: GroupCommit[int, int], _: list[list[int]]) -> None:
        found = await asyncio.gather(group.put(1), group.put(-2), group.put(3), return_exceptions=True)
        assert (found[0], found[2]) == (10, 30)
        with pytest.raises(ValueError, match="-2"):
            raise found[1]  # type: ignore[misc]

    assert run(database, work) == [[1, -2, 3]]
