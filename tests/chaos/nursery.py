"""The tests' end of ``workers``: start a worker, kill it, hear how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.emulators.retailcrm import RetailCRMEmulator

PAGE_SIZE = 50
KILLED = -signal.SIGKILL


class Nursery:
    """Starts workers from a process that has imported everything already."""

    def __init__(self, folder: Path) -> None:
        self._words = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.workers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, what: str, database: Warehouse, window: Window, **order: Any) -> Worker:
        """Start a worker; ``fail_point`` makes it kill itself."""
        fail_point = order.pop("fail_point", None)
        words = self._words / f"{len(list(self._words.iterdir()))}.txt"
        words.touch()
        command = {
            "what": what,
            # what a worker does, production does as the loader, or as the publisher
            "database": database.as_role(order.pop("role", Role.LOADER)).url,
            "start": window.start.isoformat(),
            "end": window.end.isoformat(),
            "words": str(words),
            "environment": {"FAILPOINT": fail_point} if fail_point else {},
            **order,
        }
        return Worker(self, self._say(command), words)

    def load(self, database: Warehouse, window: Window, emulator: RetailCRMEmulator, **order: Any) -> Worker:
        """Start a loader of the emulator's messages, or ``what`` else asks the emulator."""
        account = {
            "base_url": emulator.base_url,
            "api_key": emulator.api_key,
            "bot_token": emulator.bot_token,
            "page_size": PAGE_SIZE,
            "stream": "messages",
        }
        return self.start(order.pop("what", "land"), database, window, **(account | order))

    def close(self) -> None:
        """End the nursery; workers end by themselves."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _say(self, command: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return int(json.loads(self._process.stdout.readline()))


class Worker:
    """One process that works."""

    def __init__(self, nursery: Nursery, pid: int, words: Path) -> None:
        self._nursery = nursery
        self.pid = pid
        self._words = words
        self._code: int | None = None

    @property
    def words(self) -> str:
        """What it said when it failed."""
        return self._words.read_text("utf-8")

    def kill(self) -> None:
        """SIGKILL; may come too late."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    @property
    def is_over(self) -> bool:
        """Whether it ended: it is then a zombie until ``wait``."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text("ascii")
        except FileNotFoundError:
            return True
        return stat.rpartition(")")[2].split()[0] == "Z"

    def wait(self) -> int:
        """Its exit code, negative for a signal."""
        if self._code is None:
            self._code = self._nursery._say({"wait": self.pid})
        return self._code
