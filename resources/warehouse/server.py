"""The embedded server: one PostgreSQL per home, shared by all processes that need it, with passwords of its own.

Here: set-up, users of the server, refusal when the database of a home is lost. Not here: folders and processes
(``postgres_files``, ``postgres_process``), its logins (``server_logins``) and what is inside the database (``engine``).

Every process that uses the server holds a shared ``flock`` on one file; the kernel drops it when the process ends, in
whatever way. Who leaves last stops the server; when the last one was killed, the guardian (a small process of its own)
does. The guardian also starts a server again that died while somebody used it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.warehouse import postgres_process
from resources.warehouse.errors import HomeLost, ServerFailed, WarehouseError
from resources.warehouse.postgres_files import Binaries, Place, find_binaries, place_of
from resources.warehouse.server_logins import ADMIN, ANALYST, OWNER, PREPARED, ServerUrls, password, prepare, urls_of

LOCK_SECONDS = 120.0
_guardians: list[subprocess.Popen[bytes]] = []
"""Kept: it outlives us on purpose, and a forgotten child process is reported as a leak."""


class EmbeddedServer:
    """One process's hold on the server of a home."""

    _held: dict[tuple[Path, int], EmbeddedServer] = {}  # noqa: RUF012 - one per process, guarded by the lock below
    _guard = threading.RLock()

    urls: ServerUrls

    def __init__(self, home: Path, binaries: Path | None = None) -> None:
        self.home = home
        self._configured = binaries
        self._users = -1
        self._holders = 0

    @classmethod
    def join(cls, home: Path, binaries: Path | None = None) -> EmbeddedServer:
        """The server of a home, started if need be and held until ``close`` or the end of this process."""
        with cls._guard:
            # a forked child inherits the dictionary but must hold the server by itself
            key = (home.resolve(), os.getpid())
            server = cls._held.get(key)
            if server is None:
                server = cls(home, binaries)
                atexit.register(server._leave)
            # asked anew each time: it may have died, and come back on another port, since the last time
            try:
                server.urls = server.ensure()
            except BaseException:
                if server._holders == 0:
                    server._leave()
                raise
            cls._held[key] = server
            server._holders += 1
            return server

    def ensure(self) -> ServerUrls:
        """Make sure that the server runs, recovered from whatever happened to it; returns its logins.

        Raises:
            HomeLost: the home had a database, and it or its key is gone.
            ServerFailed: the server cannot be set up or started.
        """
        place = place_of(self.home)
        with start_lock(place):
            if self._users < 0:
                self._users = _hold(place)
            state = _State.read(place)
            if state is None:
                state = _initialise(place, find_binaries(place, self._configured))
            state.verify(place)
            port = postgres_process.running_port(place)
            if port is None:
                binaries = self._binaries(place)
                state.verify_cluster(place, binaries)
                port = postgres_process.start(place, binaries, state.port)
                state.change(place, port=port, binaries=str(binaries.folder))
            elif port != state.port:
                state.change(place, port=port)
            urls = urls_of(place, port)
            if state.is_prepared < PREPARED:
                prepare(place, urls)
                state.change(place, is_prepared=PREPARED)
        _start_guardian(place)
        return urls

    def close(self) -> None:
        """Leave the server; the last one stops it."""
        with self._guard:
            self._holders -= 1
            if self._holders <= 0:
                self._held.pop((self.home.resolve(), os.getpid()), None)
                atexit.unregister(self._leave)
                self._leave()

    def _leave(self) -> None:
        if self._users < 0:
            return
        # closed, not unlocked: a forked child shares the lock and may still need the server
        os.close(self._users)
        self._users = -1
        with contextlib.suppress(WarehouseError, OSError):
            place = place_of(self.home)
            with start_lock(place):
                stop_if_unused(place)

    def _binaries(self, place: Place) -> Binaries:
        binaries = find_binaries(place, self._configured)
        made_by = int((place.data / "PG_VERSION").read_text("ascii").strip())
        if made_by != binaries.major:
            raise ServerFailed(
                f"the database of {self.home} was made by PostgreSQL {made_by}, and {binaries.folder} is "
                f"{binaries.major}: set OTKLIK_POSTGRES_BIN to a PostgreSQL {made_by}"
            )
        return binaries


@contextlib.contextmanager
def start_lock(place: Place, wait: float = LOCK_SECONDS) -> Iterator[None]:
    """Only one process at a time starts, stops or sets up the server of a home."""
    handle = os.open(place.state / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + wait
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                raise ServerFailed(f"another process starts or stops the server of {place.home} and does not end")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def stop_if_unused(place: Place) -> bool:
    """Stop the server when nobody holds it. Callers hold the start lock."""
    handle = os.open(place.state / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        state = _State.read(place)
        if state is not None and state.binaries:
            postgres_process.stop(place, Binaries(Path(state.binaries), 0))
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(handle)


def restart_if_dead(place: Place) -> None:
    """Start the server again when it died under its users. Callers hold the start lock."""
    state = _State.read(place)
    if state is not None and state.binaries and postgres_process.running_port(place) is None:
        state.verify(place)
        port = postgres_process.start(place, Binaries(Path(state.binaries), 0), state.port)
        state.change(place, port=port)


@dataclass
class _State:
    """What a home remembers of its server, so that a lost database is noticed instead of replaced."""

    cluster: str
    keys: str
    port: int | None = None
    binaries: str = ""
    is_prepared: int = 0
    """The version of ``prepare`` that was done; ``true`` in files of the first."""

    @classmethod
    def read(cls, place: Place) -> _State | None:
        path = place.state / "state.json"
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            if (place.data / "PG_VERSION").exists():
                raise HomeLost(
                    f"{place.data} holds a database, but {path} is gone: restore that file from a backup, or delete "
                    f"{place.home} to begin with an empty database"
                ) from None
            return None
        except (ValueError, TypeError):
            raise HomeLost(
                f"{path} is damaged: restore it from a backup, or delete {place.home} to begin anew"
            ) from None

    def change(self, place: Place, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        _write(place.state / "state.json", json.dumps(self.__dict__, indent=1))

    def verify(self, place: Place) -> None:
        new = place.base / "data.new"
        if not (place.data / "PG_VERSION").exists() and (new / "PG_VERSION").exists():
            new.rename(place.data)  # killed between the last two steps of the first set-up
        if not (place.data / "PG_VERSION").exists():
            raise HomeLost(
                f"the database of {place.home} is gone ({place.data} is missing or empty): bring the disk or a backup "
                f"back, or delete {place.home} to begin with an empty database"
            )
        if self.keys != _keys(place):
            raise HomeLost(
                f"the passwords in {place.secrets} are not those that the database was made with: restore that folder "
                f"from a backup, or delete {place.home} to begin with an empty database"
            )

    def verify_cluster(self, place: Place, binaries: Binaries) -> None:
        found = _identifier(place, binaries, place.data)
        if found != self.cluster:
            raise HomeLost(
                f"{place.data} is not the database that {place.home} had: bring the right disk or backup back, or "
                f"delete {place.home} to begin with an empty database"
            )


def _initialise(place: Place, binaries: Binaries) -> _State:
    for name in (ADMIN, OWNER, ANALYST):
        path = place.secrets / f"{name}.password"
        if not path.exists():
            _write(path, secrets.token_hex(24))
    new = place.base / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    first = place.base / "password.new"
    _write(first, password(place, ADMIN))
    if place.user is not None:
        os.chown(first, *place.user)
    command: list[str | Path] = [binaries["initdb"], "-D", new, "-U", ADMIN, "-A", "scram-sha-256"]
    command += ["--pwfile", first, "-E", "UTF8", "--no-instructions"]
    try:
        # lower() and ordering must know Cyrillic; which locale does that depends on the version
        if binaries.major >= 17:
            made = place.run(
                [*command, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"], capture_output=True
            )
        else:
            made = place.run([*command, "--locale=C.UTF-8"], capture_output=True)
        if made.returncode:
            shutil.rmtree(new, ignore_errors=True)
            made = place.run([*command, "--locale=C"], capture_output=True)
    finally:
        first.unlink(missing_ok=True)
    if made.returncode:
        last = (made.stderr or made.stdout).strip().splitlines()[-1:] or ["no word"]
        raise ServerFailed(f"initdb could not make a database in {new}: {last[0]}")
    state = _State(cluster=_identifier(place, binaries, new), keys=_keys(place), binaries=str(binaries.folder))
    state.change(place)
    new.rename(place.data)
    return state


def _hold(place: Place) -> int:
    handle = os.open(place.state / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _start_guardian(place: Place) -> None:
    handle = os.open(place.state / "guardian.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(handle)
    root = Path(__file__).resolve().parents[2]
    guardian = subprocess.Popen(
        [sys.executable, "-S", "-m", "resources.warehouse.guardian", str(place.home)],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(root)},
    )
    _guardians.append(guardian)


def _identifier(place: Place, binaries: Binaries, data: Path) -> str:
    answer = place.run([binaries["pg_controldata"], "-D", data], capture_output=True)
    for line in answer.stdout.splitlines():
        name, _, value = line.partition(":")
        if name == "Database system identifier":
            return value.strip()
    raise ServerFailed(f"{data} is no readable database: restore it from a backup")


def _keys(place: Place) -> str:
    """A fingerprint of all passwords: tells that they changed, not what they are."""
    try:
        together = "\n".join(password(place, role) for role in (ADMIN, OWNER, ANALYST))
    except OSError:
        return ""
    return hashlib.sha256(together.encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    # renamed into place: a kill must not leave half a file
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
