"""A small process beside the embedded server: stops it when its last user is gone, starts it again when it died.

Here: the loop. Standard library only, no database driver: it lives as long as anybody uses the server and costs next
to nothing. Run as ``python -m resources.warehouse.guardian HOME``; ``server`` does that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path

from resources.warehouse.errors import WarehouseError
from resources.warehouse.postgres_files import place_of
from resources.warehouse.server import restart_if_dead, start_lock, stop_if_unused

PAUSE_SECONDS = 0.5
PAUSE_AFTER_FAILURE_SECONDS = 5.0


def watch(home: Path) -> None:
    """Look after the server of a home until nobody uses it or the home is gone."""
    if not (home / "server").is_dir():
        return
    place = place_of(home)
    mine = os.open(place.state / "guardian.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not _take(mine):
        return
    while (home / "server").is_dir():
        pause = PAUSE_SECONDS
        try:
            with start_lock(place, wait=0.0):
                if stop_if_unused(place):
                    # given back under the start lock: the next user must not take us for a guardian at work
                    os.close(mine)
                    return
                restart_if_dead(place)
        except (WarehouseError, OSError):
            # somebody else starts or stops it now, or it cannot be started: users see the reason themselves
            pause = PAUSE_AFTER_FAILURE_SECONDS if not _is_busy(place.state) else PAUSE_SECONDS
        time.sleep(pause)


def _take(handle: int) -> bool:
    # who looks whether a guardian lives takes the lock for a moment: one refusal is no proof of another guardian
    for _ in range(20):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1)
    return False


def _is_busy(state: Path) -> bool:
    with contextlib.suppress(OSError):
        handle = os.open(state / "start.lock", os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
