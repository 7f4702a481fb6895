"""The first start of the postgres service: what the entry point of the official image does before its command.

Here: initdb with POSTGRES_INITDB_ARGS, the scripts of /docker-entrypoint-initdb.d against a server without TCP, who may
connect. Not here: the command itself, which is the file's.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from resources.warehouse.postgres_files import Binaries, Place, find_binaries, place_of
from tests.deploy.stage import Container, Stage

DATA = "/var/lib/postgresql/data"
SCRIPTS = "/docker-entrypoint-initdb.d/"
PROGRAMS = ("postgres", "psql", "pg_isready", "pg_dump", "pg_restore", "initdb", "pg_ctl")


def binaries(folder: Path) -> tuple[Place, Binaries]:
    """PostgreSQL of the machine, readable by the user that it may run as."""
    place = place_of(folder)
    return place, find_binaries(place, None)


def start(stage: Stage, place: Place, found: Binaries) -> Container:
    """Set the volume up if it is new, then start the service's command."""
    service = stage.services["postgres"]
    user: dict[str, Any] = {}
    if place.user is not None:
        user = {"user": place.user[0], "group": place.user[1], "extra_groups": []}
    data, sockets = place.base / "data", place.base / "run"
    port = stage.ports["postgres", 5432]
    if not data.exists():
        sockets.mkdir(mode=0o700)
        if place.user is not None:
            os.chown(sockets, *place.user)
        _first_start(stage, found, data, sockets, port, user)
    arguments = stage.arguments(service, service.command)
    # the image's own sample configuration listens on all addresses of the container
    arguments += ["-D", str(data), "-p", str(port), "-k", str(sockets), "-c", "listen_addresses=127.0.0.1"]
    return stage.spawn(service, arguments, **user)


def set_up(stage: Stage, found: Binaries, sockets: Path, port: int, user: dict[str, Any]) -> None:
    """Run the mounted scripts, as the administrator over the socket."""
    service = stage.services["postgres"]
    environment = stage.environment(service) | {"PGHOST": str(sockets), "PGPORT": str(port)}
    environment["PATH"] = f"{found.folder}{os.pathsep}{environment['PATH']}"
    for inside, outside in sorted(service.mounts.items()):
        if inside.startswith(SCRIPTS):
            # read by us: the user of the server may not be allowed to walk to the project
            script = stage.volume(outside).read_bytes()
            done = subprocess.run(["sh", "-s"], input=script, env=environment, cwd="/", capture_output=True, **user)
            assert done.returncode == 0 and not done.stderr, done.stderr.decode()


def _first_start(stage: Stage, found: Binaries, data: Path, sockets: Path, port: int, user: dict[str, Any]) -> None:
    service = stage.services["postgres"]
    given = service.environment
    password = sockets / "password"
    password.write_text(given["POSTGRES_PASSWORD"], "ascii")
    if user:
        os.chown(password, user["user"], user["group"])
    options = {**user, "cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, "capture_output": True}
    arguments = ["--auth-host=scram-sha-256", "--auth-local=trust", *given["POSTGRES_INITDB_ARGS"].split()]
    made = subprocess.run(
        [found["initdb"], "-D", data, "-U", given["POSTGRES_USER"], "--pwfile", password, *arguments], **options
    )
    assert made.returncode == 0, made.stderr.decode()
    password.unlink()
    control = [found["pg_ctl"], "-D", data, "-s", "-w"]
    log = sockets.parent / "first.log"
    quiet = f"-p {port} -k {sockets} -c listen_addresses='' -c fsync=off"
    started = subprocess.run([*control, "start", "-l", log, "-o", quiet], **{**options, "capture_output": False})
    assert started.returncode == 0, log.read_text("utf-8")
    try:
        set_up(stage, found, sockets, port, user)
    finally:
        subprocess.run([*control, "stop", "-m", "fast"], **options)
