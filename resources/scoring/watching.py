"""Who waits for a scoring run in the same process is told how far it is and what it came to.

Here: the way from a run to who started it. Not here: how that is shown (``orchestration.cli``). A run inside of Dagster
has no return value and one step: without this a person who waits an hour would see nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from resources.scoring.run import Counts


@dataclass
class Watcher:
    """Somebody who waits."""

    progress: Callable[[int, int], None]
    counts: list[Counts] = field(default_factory=list)
    """What each run came to, in order."""


_watcher: ContextVar[Watcher | None] = ContextVar("otklik_scoring_watcher", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[Watcher]:
    """Be told of the runs inside of the block."""
    token = _watcher.set(watcher)
    try:
        yield watcher
    finally:
        _watcher.reset(token)


def tell_progress(done: int, total: int) -> None:
    """Say how many talks are done, and how many there are, to whoever waits."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher.progress(done, total)


def tell_counts(counts: Counts) -> None:
    """Say what the run came to."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher.counts.append(counts)
