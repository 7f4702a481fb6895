"""The Dagster UI and daemon as children of the command, on the loopback address only: the UI has no login (S3).

Here: starting, waiting until it answers, watching. Not here: what Dagster shows (``orchestration.definitions``).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from conversations.messages import Errors, Up
from orchestration.cli import children, screen
from orchestration.cli.errors import CliError

DEFAULT_PORT = 3000
START_SECONDS = 240
"""A cold start on two busy cores took 20 to 90 s; the daemon and the code servers start at the same time."""


def dagster_home(home: Path, root: Path) -> Path:
    """The DAGSTER_HOME of this installation, with our ``dagster.yaml`` in it."""
    directory = home / "dagster"
    directory.mkdir(parents=True, exist_ok=True)
    source, target = root / "orchestration" / "dagster.yaml", directory / "dagster.yaml"
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
    return directory


def serve(root: Path, home: Path, environment: Mapping[str, str], port: int | None, group: list[children.Child]) -> str:
    """Start webserver and daemon, wait until the UI answers; its URL.

    Raises:
        CliError: the port is taken, a child ended, or nothing answered in time.
    """
    if port is not None and not children.is_free(port):
        raise CliError(Errors.PORT.format(port))
    port = port or children.free_port(DEFAULT_PORT)
    workspace, logs = str(root / "workspace.yaml"), home / "logs"
    beside = Path(sys.executable).parent
    webserver = [str(beside / "dagster-webserver"), "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    daemon = [str(beside / "dagster-daemon"), "run", "-w", workspace]
    for name, command in (("dagster-webserver", webserver), ("dagster-daemon", daemon)):
        log = logs / f"{name}.log"
        group.append(children.start(name, command, log, environment=environment, directory=root))
    url = f"http://127.0.0.1:{port}"
    with screen.steps() as steps, steps.step(Up.WAITING_UI):
        _wait_for(f"{url}/server_info", group)
    return url


def declare_pools() -> None:
    """Tell Dagster's queue the pools before the first run is in it."""
    import dagster as dg

    from orchestration import pools

    with dg.DagsterInstance.get() as instance:
        pools.declare_pools(instance)


def watch(group: list[children.Child]) -> None:
    """Stay until a child ends (an error) or the person interrupts.

    Raises:
        CliError: a child ended by itself.
    """
    while True:
        _nobody_ended(group)
        time.sleep(1)


def environment_for_dagster(home: Path, root: Path, storage_url: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment plus what Dagster and the code location need."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(dagster_home(home, root)),
        "DAGSTER_PG_URL": storage_url,
        "OTKLIK_HOME": str(home),
        # a code location that starts on a busy machine was given up after 60 s
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",
        "PYTHONPATH": str(root),
        **extra,
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _wait_for(url: str, group: list[children.Child]) -> None:
    # the machine's proxy settings are for the outside, not for our own loopback address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _nobody_ended(group)
        try:
            with opener.open(url, timeout=5) as answer:
                if json.load(answer):
                    return
        except (urllib.error.URLError, OSError, ValueError):
            time.sleep(0.5)
    raise CliError(Errors.UI.format(START_SECONDS, group[0].log))


def _nobody_ended(group: list[children.Child]) -> None:
    for child in group:
        if child.exit_code is not None:
            raise CliError(Errors.UI_ENDED.format(child.name, child.exit_code, child.log))
