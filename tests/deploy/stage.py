"""Plays docker-compose.yml as plain processes: each service's own command, environment, health check and order.

Here: what Docker would do between the file and the programs: names of hosts become loopback, ports become free ones,
paths of the image and of volumes become folders. Not here: the PostgreSQL image's first start (``server``), what is
asked of the running whole (``test_played``).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.cli import children
from tests.deploy import compose, image
from tests.deploy.compose import Service

BESIDE = Path(sys.executable).parent
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
PROGRAMS = ("python", "dagster", "dagster-webserver", "dagster-daemon", "otklik")
"""Programs of the image that the environment of the tests has, too."""


@dataclass
class Container:
    """A service that was started: its process, and what it printed."""

    service: Service
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]
    directory: Path
    user: dict[str, int | list[int]] = field(default_factory=dict)
    exit_code: int | None = None

    def said(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


class Stage:
    """The whole file, played below one folder."""

    def __init__(
        self, folder: Path, values: Mapping[str, str], programs: Mapping[str, Path], profiles: set[str]
    ) -> None:
        self.folder, self.programs = folder, programs
        self.services = {
            name: service
            for name, service in compose.services(values).items()
            if not service.profiles or service.profiles & profiles
        }
        self.ports = {}
        for name, service in self.services.items():
            self.ports |= {
                (name, port): free for port, free in zip(service.ports, free_ports(len(service.ports)), strict=True)
            }
        trees = image.build(folder / "images")
        self.images = {
            service.given["image"]: trees[service.given["build"]["target"]]
            for service in self.services.values()
            if "build" in service.given
        }
        self.running: dict[str, Container] = {}

    # --- what Docker translates -----------------------------------------------------------------------------------

    def volume(self, name: str) -> Path:
        """The folder that stands for a named volume, or the file of the project that is mounted."""
        if name.startswith("./"):
            return compose.ROOT / name
        place = self.folder / "volumes" / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def environment(self, service: Service) -> dict[str, str]:
        """What the service's process sees: the image's variables, its own, and nothing of ours."""
        built = self.images.get(service.given["image"])
        given = {**(built.environment if built else {}), **service.environment}
        own = {name: self.translated(value, service) for name, value in given.items() if name != "PATH"}
        for (host, port), free in self.ports.items():
            # a host and its port in two variables
            for name, value in given.items():
                partner = name.replace("_HOST", "_PORT")
                if name != partner and value == host and given.get(partner) == str(port):
                    own |= {name: "127.0.0.1", partner: str(free)}
        return {
            "PATH": os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.volume(f"{service.name}-tmp")),
            "TMPDIR": str(self.volume(f"{service.name}-tmp")),
            "LANG": "C.UTF-8",
            # in the image the project is installed; here its tree stands before the one that is tested
            **({"PYTHONPATH": str(built.path(built.directory))} if built else {}),
            **own,
        }

    def translated(self, text: str, service: Service) -> str:
        """A value with other services on loopback, the service's own ports free ones, and paths where they are."""
        for (host, port), free in self.ports.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(host)}:{port}(?!\d)", f"127.0.0.1:{free}", text)
            if host == service.name:
                text = re.sub(rf"(?<![\w.-])127\.0\.0\.1:{port}(?!\d)", f"127.0.0.1:{free}", text)
                text = str(free) if text == str(port) else text.replace(f"--port={port}", f"--port={free}")
        text = text.replace("0.0.0.0", "127.0.0.1")
        return self.place(text, service) if text.startswith("/") else text

    def place(self, path: str, service: Service) -> str:
        """Where a path inside the container is here."""
        for inside, outside in sorted(service.mounts.items(), key=lambda pair: -len(pair[0])):
            if path == inside or path.startswith(inside + "/"):
                return str(self.volume(outside)) + path[len(inside) :]
        for shared in service.given.get("tmpfs", []):
            inside = shared.split(":")[0]
            if path == inside or path.startswith(inside + "/"):
                return str(self.volume(f"{service.name}-{inside.strip('/').replace('/', '-')}")) + path[len(inside) :]
        built = self.images.get(service.given["image"])
        is_ours = path.startswith(("/opt/", "/var/", "/etc/caddy/"))
        # a write there would be one to the image: the test looks for them
        return str(built.path(path)) if built is not None and is_ours else path

    def arguments(self, service: Service, words: list[str]) -> list[str]:
        """A command with its program and its words translated."""
        program, *rest = words
        found = self.programs.get(program) or (BESIDE / program if program in PROGRAMS else None)
        assert found is not None, f"{service.name}: the tests have no {program}"
        # an option that names a host is followed by it
        hosts = (
            "127.0.0.1" if before.endswith("host") and word in self.services else word
            for before, word in zip(words, rest, strict=False)
        )
        return [str(found), *(self.translated(word, service) for word in hosts)]

    # --- running --------------------------------------------------------------------------------------------------

    def start(self, name: str, extra: list[str] | None = None, **user: int | list[int]) -> Container:
        """Start a service's command (``extra`` in the place of the file's arguments)."""
        service = self.services[name]
        words = service.command if extra is None else [*service.given["entrypoint"], *extra]
        return self.spawn(service, self.arguments(service, words), **user)

    def spawn(self, service: Service, command: list[str], **user: int | list[int]) -> Container:
        """Start a translated command as the process of a service."""
        built = self.images.get(service.given["image"])
        directory = built.path(built.directory) if built else self.folder
        for inside, outside in service.mounts.items():
            # a volume is there under the path of the container
            place = built.path(inside) if built else None
            if place is not None and not place.exists() and not place.is_symlink():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(self.volume(outside))
        log = self.folder / "logs" / f"{service.name}.log"
        log.parent.mkdir(exist_ok=True)
        environment = self.environment(service)
        with log.open("ab") as output, no_signal_ignored():
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **user,  # type: ignore[call-overload]
            )
        container = Container(service, process, log, environment, directory, user)
        self.running[service.name] = container
        return container

    def is_healthy(self, name: str) -> bool:
        """What the service's own health check says; one without is healthy while it runs."""
        container = self.running[name]
        assert container.process.poll() is None, f"{name} ended by itself:\n{container.said()}"
        check = container.service.given.get("healthcheck")
        if check is None:
            return True
        command = self.arguments(container.service, check["test"][1:])
        asked = subprocess.run(
            command, env=container.environment, cwd=container.directory, capture_output=True, check=False
        )
        return asked.returncode == 0

    def wait(self, name: str, condition: str, seconds: float) -> None:
        """Wait until a service meets the condition of another one."""
        deadline = time.monotonic() + seconds
        container = self.running[name]
        while time.monotonic() < deadline:
            if condition == "service_completed_successfully":
                code = container.process.poll()
                assert code in (None, 0), f"{name} failed with {code}:\n{container.said()}"
                if code == 0:
                    container.exit_code = 0
                    return
            begun = time.monotonic()
            if condition == "service_healthy" and self.is_healthy(name):
                return
            # a question may import Dagster: asked without a break it would keep busy what it waits for
            time.sleep(max(0.2, time.monotonic() - begun))
        raise AssertionError(f"{name} did not reach {condition} within {seconds:.0f} s:\n{container.said()}")

    def stop(self) -> None:
        """End all, those first on which nobody depends; none is killed unless it outlasts its grace period."""
        for service in reversed(compose.in_order({name: self.services[name] for name in self.running})):
            container = self.running[service.name]
            if container.exit_code is not None:
                continue
            number = getattr(signal, service.given.get("stop_signal", "SIGTERM"))
            if container.process.poll() is None:
                container.process.send_signal(number)
            grace = float(str(service.given.get("stop_grace_period", "10s")).rstrip("s"))
            try:
                container.exit_code = container.process.wait(grace)
            except subprocess.TimeoutExpired:
                container.exit_code = -signal.SIGKILL
            # with the first process of a container all others in it end
            with contextlib.suppress(ProcessLookupError):
                os.killpg(container.process.pid, signal.SIGKILL)

    def pids(self) -> dict[int, str]:
        """Every living process of the whole: pid to service."""
        sessions = {container.process.pid: name for name, container in self.running.items()}
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    session = os.getsid(int(entry.name))
                except ProcessLookupError:
                    continue
                if session in sessions:
                    found[int(entry.name)] = sessions[session]
        return found

    def listening(self) -> set[tuple[str, str, int]]:
        """(service, address, port) of every TCP port that one of the processes listens on."""
        sockets = {}
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
                parts = line.split()
                if parts[3] == "0A":
                    address, port = parts[1].split(":")
                    sockets[parts[9]] = (_address(address), int(port, 16))
        found = set()
        for pid, name in self.pids().items():
            try:
                handles = list(Path(f"/proc/{pid}/fd").iterdir())
                links = [str(handle.readlink()) for handle in handles]
            except OSError:
                continue
            for link in links:
                inode = link.removeprefix("socket:[").rstrip("]")
                if inode in sockets:
                    found.add((name, *sockets[inode]))
        return found


@contextlib.contextmanager
def no_signal_ignored() -> Iterator[None]:
    """What is started here begins with every signal as the system has it, as in a container.

    What this process ignores its children would ignore as well. A shell starts background jobs with SIGINT ignored, and
    Dagster gives SIGTERM whatever SIGINT has: its code server could then not be ended at all, only be killed.
    """
    ignored = [one for one in ENDING if signal.getsignal(one) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def free_ports(count: int) -> list[int]:
    """Free ports, one after the other: a program may take several from its first on.

    Below the ports that the system hands to clients: what is free now must still be when the program comes up.
    """
    while count:
        first = random.randrange(10_000, 19_000)
        if all(children.is_free(port) for port in range(first, first + count)):
            return list(range(first, first + count))
    return []


def _address(text: str) -> str:
    """An address of /proc/net: bytes in words of the machine's order."""
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(bytes.fromhex(word)[::-1] for word in words))
    return str(getattr(address, "ipv4_mapped", None) or address)
