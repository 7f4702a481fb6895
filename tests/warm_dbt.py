"""dbt imported once for all tests of a process, forked for each invocation.

Half of what a small ``dbt build`` costs is the import of dbt. Here a helper process imports it and then forks a child
per invocation, with the environment, folder and arguments that production gives its own process: the child is dbt, in a
process of its own, as in production. That production's way of starting it works as well is held by the tests that
start commands as processes. Nothing of the product is imported here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_HELPER = """
import json, os, signal, sys, time
from dbt.cli.main import cli
import dbt.adapters.postgres, dbt.parser.manifest, dbt.task.build, dbt.task.test
print("ready", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if not pid:
        os.environ.clear()
        os.environ.update(job["environment"])
        os.chdir(job["folder"])
        output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["dbt", *job["arguments"]]
        code = 0
        try:
            cli()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            code = 2
        sys.stdout.flush()
        os._exit(code)
    deadline = time.monotonic() + job["timeout"]
    ended = 0
    while not ended and time.monotonic() < deadline:
        ended, _ = os.waitpid(pid, os.WNOHANG)
        time.sleep(0 if ended else 0.01)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    print("ended" if ended else "late", flush=True)
"""


class WarmDbt:
    """The helper process of one test process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._helper: subprocess.Popen[str] | None = None
        self._parsed: bytes | None = None

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> str:
        """As ``assets.marts.dbt.run``."""
        if self._helper is None:
            bare = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "")}
            self._helper = subprocess.Popen(
                [sys.executable, "-c", _HELPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=bare
            )
            assert self._said() == "ready"
        target = Path(arguments[arguments.index("--target-path") + 1])
        parsed = target / "partial_parse.msgpack"
        if self._parsed is not None and not parsed.exists():
            # what a home's second run finds; dbt looks by itself whether it still holds
            target.mkdir(parents=True, exist_ok=True)
            parsed.write_bytes(self._parsed)
        with tempfile.NamedTemporaryFile(suffix=".dbt") as output:
            job = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(self._folder),
                "output": output.name,
                "timeout": timeout,
            }
            assert self._helper.stdin is not None
            self._helper.stdin.write(json.dumps(job) + "\n")
            self._helper.stdin.flush()
            if self._said() == "late":
                raise subprocess.TimeoutExpired("dbt", timeout)
            if self._parsed is None and parsed.exists():
                self._parsed = parsed.read_bytes()
            return Path(output.name).read_text("utf-8", "replace")

    def close(self) -> None:
        """End the helper process."""
        if self._helper is not None:
            self._helper.communicate(timeout=30)

    def _said(self) -> str:
        assert self._helper is not None and self._helper.stdout is not None
        return self._helper.stdout.readline().strip()
