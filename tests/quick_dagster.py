"""Dagster's book-keeping in memory without what each of its thousand events costs there beside itself.

Here: one connection held instead of one opened for every statement, and the list of all days that there are made once.
What is kept and what can be asked of it stays Dagster's own. Not here: an instance on a disk or in PostgreSQL, which is
as in production. Nothing of the product is imported here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from dagster._core.definitions.partitions.definition import TimeWindowPartitionsDefinition
from dagster._core.storage.event_log.in_memory import InMemoryEventLogStorage


@contextmanager
def quick() -> Iterator[None]:
    """As long as it is open, instances in memory are quick."""
    with (
        mock.patch.object(InMemoryEventLogStorage, "__init__", _remembering(InMemoryEventLogStorage.__init__)),
        mock.patch.object(InMemoryEventLogStorage, "_connect", _held(InMemoryEventLogStorage._connect)),
        mock.patch.object(
            TimeWindowPartitionsDefinition,
            "get_partition_keys",
            _made_once(TimeWindowPartitionsDefinition.get_partition_keys),
        ),
    ):
        yield


def _remembering(init: Any) -> Any:
    def remember(storage: Any, *given: Any, **more: Any) -> None:
        storage._made_in = threading.get_ident()
        init(storage, *given, **more)

    return remember


def _held(connect: Any) -> Any:
    """The connection that keeps the memory alive, for the thread that made it; others open theirs."""

    @contextmanager
    def held(storage: Any) -> Iterator[Any]:
        if storage._made_in != threading.get_ident():
            with connect(storage) as own:
                yield own
            return
        with storage._db_lock, storage._held_conn.begin():
            yield storage._held_conn

    return held


def _made_once(ask: Any) -> Any:
    """All keys of a definition, asked again when there is another last one."""
    known: dict[tuple[Any, str | None], tuple[str, ...]] = {}

    def keys(definition: Any, *given: Any, **more: Any) -> Sequence[str]:
        if given or more:
            return ask(definition, *given, **more)
        key = (definition, definition.get_last_partition_key())
        if key not in known:
            known[key] = tuple(ask(definition))
        return list(known[key])

    return keys
