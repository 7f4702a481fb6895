"""Child processes of the command: started in groups of their own, ended with everything that they started.

Here: life and death of a process group, and free ports. Not here: which programs (``serve``, ``demo``).

``dagster dev`` is not used: it leaves its children on the port when its parent ends. Each child here leads a group of
its own; ending the group takes the code servers below it along. Should this command itself be killed, Linux tells the
children so (parent-death signal), so that nothing stays on the port then either.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 20.0
"""How long a group may take to end in order; killed after that."""


class Child:
    """One started program with its log file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.process, self.log = name, process, log

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self.process.poll()

    def ask_to_end(self) -> None:
        """Ask the whole group to end, and do not wait."""
        self._signal(signal.SIGTERM)

    def end(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """End the whole group: ask, wait, kill what is left."""
        deadline = time.monotonic() + grace_seconds
        self.ask_to_end()
        while time.monotonic() < deadline and (self.process.poll() is None or self._group_lives()):
            time.sleep(0.1)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def start(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str],
    directory: Path,
    pipe_output: bool = False,
) -> Child:
    """Start a program in a process group of its own; its errors (and output, unless piped) go to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as handle:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe_output else handle,
            stderr=handle,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
    return Child(name, process, log)


@contextlib.contextmanager
def running() -> Iterator[list[Child]]:
    """A list of children that are ended when the block is left, however it is left."""
    children: list[Child] = []
    try:
        yield children
    finally:
        end_all(children)


def end_all(children: Sequence[Child]) -> None:
    """End all groups, each in its own time but all at once."""
    for child in children:
        child.ask_to_end()
    for child in reversed(children):
        child.end()


@contextlib.contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP act like Ctrl-C: the blocks around this one are left in order.

    SIGINT is set as well: a shell starts background programs with it ignored, and Dagster gives SIGTERM whatever SIGINT
    has, so the command could then not be stopped in order at all.
    """
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, _frame: object) -> None:
        # a second signal must not cut the clean-up short
        for other in stopping:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(f"signal {number}")

    before = {number: signal.signal(number, interrupt) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(preferred: int | None = None) -> int:
    """A port of the loopback address that nobody listens on; ``preferred`` if that is free."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    """Whether ``port`` of the loopback address can be listened on."""
    return free_port(port) == port


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
