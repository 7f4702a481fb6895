"""A helper process that imports what costs much once, and forks a child for each job: half of a small program's time is
its imports.

Here: both sides, the process that asks and the helper that forks. Not here: what a job does (``warm_python``,
``warm_dbt``: each is the program of its own helper). A child has the environment, folder, arguments and output that its
job says; it can be killed, and ends, as a program started from nothing. Nothing of the product is imported here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
Job = Mapping[str, Any]


class Ended(NamedTuple):
    """What came of a job."""

    code: int | None
    """As a shell's; below 0: the signal that ended it; ``None``: it took too long and was killed."""
    output: str
    """Both outputs together."""


class Helper:
    """The helper process of one test process, started when it is needed.

    Args:
        module: the program of the helper; it calls ``serve``.
        environment: the helper's own; without it, that of the test process.
    """

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, arguments: list[str], environment: Mapping[str, str], folder: Path = ROOT,
        timeout: float | None = None, **more: Any,
    ) -> Ended:  # fmt: skip
        """Have a child do the job."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module], cwd=ROOT, env=self._environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert self._said() == "ready"
        with tempfile.NamedTemporaryFile(suffix=".said") as output:
            job = {"arguments": arguments, "environment": dict(environment), "folder": str(folder),
                   "output": output.name, "timeout": timeout, **more}  # fmt: skip
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            return Ended(json.loads(self._said()), Path(output.name).read_text("utf-8", "replace"))

    def close(self) -> None:
        """End the helper."""
        if self._process is not None:
            self._process.communicate(timeout=30)

    def _said(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout.readline().strip()


def serve(run: Callable[[Job], object], before: Callable[[Job], object] = lambda _: None) -> None:
    """The helper's side: a job per line, until there are no more.

    Args:
        run: what a child does with its job.
        before: what the helper does before it forks.
    """
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        before(job)
        pid = os.fork()
        if not pid:
            _be_the_child(job, run)
        print(json.dumps(_code(pid, job["timeout"])), flush=True)


def _be_the_child(job: Job, run: Callable[[Job], object]) -> None:
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = job["arguments"]
    code = 0
    try:
        run(job)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(pid: int, timeout: float | None) -> int | None:
    """How the child ended; one that takes too long is killed."""
    if timeout is None:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None
