"""Children end with everything that they started, in whatever way the command ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.cli import children

ROOT = Path(__file__).resolve().parents[2]
# A child that starts a grandchild which listens on a port and ignores a polite request to end.
LISTENER = (
    "import signal, socket, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "time.sleep(120)\n"
)
PARENT = (
    "import subprocess, sys, time\n"
    f"subprocess.Popen([sys.executable, '-c', {LISTENER!r}, sys.argv[1]])\n"
    "time.sleep(120)\n"
)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition: object, seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_the_whole_group_ends_with_the_block(tmp_path: Path) -> None:
    port = children.free_port()
    with pytest.raises(ZeroDivisionError), children.running() as group:
        command = [sys.executable, "-c", PARENT, str(port)]
        group.append(children.start("p", command, tmp_path / "log", environment=os.environ, directory=tmp_path))
        assert eventually(lambda: listens(port))
        group[0].end(grace_seconds=1.0)
        raise ZeroDivisionError

    assert eventually(lambda: not listens(port))
    assert group[0].exit_code is not None


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    with children.running() as group:
        command = [sys.executable, "-c", "print('hello')"]
        group.append(
            children.start("p", command, tmp_path / "logs" / "p.log", environment=os.environ, directory=tmp_path)
        )
        assert eventually(lambda: group[0].exit_code == 0)

    assert (tmp_path / "logs" / "p.log").read_text() == "hello\n"


def test_children_end_when_the_command_is_killed(tmp_path: Path) -> None:
    port = children.free_port()
    listener = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(120)"
    command = (
        "import os, sys, time\nfrom pathlib import Path\nfrom orchestration.cli import children\n"
        f"children.start('p', [sys.executable, '-c', {listener!r}, '{port}'], Path({str(tmp_path / 'log')!r}),"
        f" environment=os.environ, directory=Path({str(tmp_path)!r}))\ntime.sleep(120)"
    )
    parent = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT)
    assert eventually(lambda: listens(port))
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    assert eventually(lambda: not listens(port))


def test_a_stop_signal_leaves_the_blocks_in_order() -> None:
    left, before = [], signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), children.stop_signals_interrupt():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        finally:
            left.append("in order")

    assert left == ["in order"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_taken_port_is_not_offered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert not children.is_free(port)
        assert children.free_port(port) != port
