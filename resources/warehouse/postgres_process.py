"""The embedded PostgreSQL as a process: configuration, start, crash recovery, stop.

Here: what happens to processes and to files that they leave behind. Standard library only: the guardian imports it.
Not here: who may use the server (``server``). Callers hold the start lock of the home.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
from pathlib import Path

from resources.warehouse.errors import ServerFailed
from resources.warehouse.postgres_files import Binaries, Place

START_SECONDS = 60.0
STOP_SECONDS = 30
LEAVING_SECONDS = 10.0
LARGEST_LOG = 10 * 1024 * 1024
PORTS = range(20_000, 30_000)
"""Below the ports that the system hands to clients, so that no passing connection takes ours while we are down."""

CONFIGURATION = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 120
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
# a laptop: small, but large enough for a million messages
shared_buffers = 128MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
wal_compression = on
min_wal_size = 160MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_level = minimal
max_wal_senders = 0
# a failing statement may hold what people wrote: the log says that it failed, not what it was
log_min_error_statement = panic
log_error_verbosity = terse
"""

ACCESS = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


def running_port(place: Place) -> int | None:
    """The port of the running server of this place; ``None`` when it does not run or is not ready."""
    lines = _pid_file(place)
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    pid = int(lines[0])
    return int(lines[3]) if _is_ours(place, pid) else None


def start(place: Place, binaries: Binaries, port: int | None) -> int:
    """Start the server, recover from whatever ended it before; returns its port.

    Raises:
        ServerFailed: it did not come up; the text holds the last line of its log.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        port = port if port is not None and _is_free(port) else _free_port()
        _configure(place, port)
        _clear_leftovers(place)
        _rotate_log(place)
        end = place.log.stat().st_size if place.log.exists() else 0
        seconds = max(1, int(deadline - time.monotonic()))
        command = [binaries["pg_ctl"], "start", "-w", "-t", str(seconds), "-D", place.data, "-l", place.log, "-s"]
        place.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if running_port(place) == port:
            return port
        said = _log_since(place, end)
        if time.monotonic() > deadline:
            raise ServerFailed(f"PostgreSQL did not start within {START_SECONDS:.0f} s: {said}. Its log: {place.log}")
        if "Address already in use" in said or "could not bind" in said or "could not create any TCP" in said:
            port = None
        elif "shared memory block" not in said and "is starting up" not in said and "lock file" not in said:
            raise ServerFailed(f"PostgreSQL does not start: {said}. Its log: {place.log}")
        time.sleep(0.3)


def stop(place: Place, binaries: Binaries) -> None:
    """Stop the server if it runs, and wait for its processes; open sessions are ended, committed work is kept."""
    if not _pid_file(place):
        return
    command = [binaries["pg_ctl"], "stop", "-w", "-m", "fast", "-t", str(STOP_SECONDS), "-D", place.data, "-s"]
    place.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # pg_ctl returns when the pid file is gone, which the server deletes before it ends
    _wait_for_the_last(place, LEAVING_SECONDS)


def processes_in(data: Path) -> list[int] | None:
    """Pids of all processes that work in a data folder; ``None`` where the system does not tell."""
    if not Path("/proc/self/cwd").exists():
        return None
    wanted = str(data)
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if str(Path(f"/proc/{entry.name}/cwd").readlink()) == wanted:
                    found.append(int(entry.name))
    return found


def _clear_leftovers(place: Place) -> None:
    # After a kill -9 or a reboot the pid file names a process that is dead, a zombie, or by now somebody else's.
    # PostgreSQL refuses to start over the latter two. The file may go only when nobody works in the folder any more:
    # orphaned backends end by themselves within seconds, and two servers on one folder would destroy it.
    if _wait_for_the_last(place, START_SECONDS / 2):
        (place.data / "postmaster.pid").unlink(missing_ok=True)
        for left in (place.base / "run").glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)


def _wait_for_the_last(place: Place, seconds: float) -> bool:
    """Whether no process works in the data folder any more; ``False`` also where the system does not tell."""
    deadline = time.monotonic() + seconds
    while inside := processes_in(place.data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return inside is not None


def _configure(place: Place, port: int) -> None:
    sockets = place.base / "run"
    sockets.mkdir(mode=0o700, exist_ok=True)
    # the path of a socket has room for 107 bytes; TCP is enough where it does not fit
    text = CONFIGURATION.format(port=port, sockets=sockets if len(os.fsencode(sockets)) < 85 else "")
    for path, content in ((place.data / "postgresql.conf", text), (place.data / "pg_hba.conf", ACCESS)):
        path.write_text(content, "utf-8")
        path.chmod(0o600)
        if place.user is not None:
            os.chown(path, *place.user)
    if place.user is not None:
        os.chown(sockets, *place.user)


def _rotate_log(place: Place) -> None:
    if place.log.exists() and place.log.stat().st_size > LARGEST_LOG:
        place.log.replace(place.log.with_suffix(".log.1"))


def _log_since(place: Place, end: int) -> str:
    try:
        with place.log.open("rb") as log:
            log.seek(end)
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return "no log was written"
    telling = [line for line in lines if "FATAL" in line or "could not" in line or "PANIC" in line]
    return "; ".join((telling or lines)[-3:]) or "no line was logged"


def _pid_file(place: Place) -> list[str]:
    try:
        lines = (place.data / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return []
    return lines if lines and lines[0].strip().isdigit() else []


def _is_ours(place: Place, pid: int) -> bool:
    inside = processes_in(place.data)
    if inside is not None:
        return pid in inside
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise ServerFailed("no free port between 20000 and 30000 on 127.0.0.1: stop what listens there")
