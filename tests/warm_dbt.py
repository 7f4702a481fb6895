"""dbt imported and its project read once for all tests of a process, forked for each invocation.

Three quarters of what a small ``dbt build`` costs is the import of dbt and what it makes of itself and of the project
at their first use. Here a helper does that, and a child is dbt with the environment, folder and arguments that
production gives its own process: in a process of its own, as in production; it looks by itself whether the project is
still as it was read. It leaves out ``manifest.json``, which nobody reads. That production's way of starting it works as
well is held by the tests that start commands as processes. Not here: the forking (``forking``).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from tests.forking import Helper, Job, serve


class WarmDbt:
    """The helper process of one test process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        bare = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "")}
        self._helper = Helper("tests.warm_dbt", bare)
        self._parsed: bytes | None = None

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> str:
        """As ``assets.marts.dbt.run``."""
        target = Path(arguments[arguments.index("--target-path") + 1])
        parsed = target / "partial_parse.msgpack"
        if self._parsed is not None and not parsed.exists():
            # what a home's second run finds; dbt looks by itself whether it still holds
            target.mkdir(parents=True, exist_ok=True)
            parsed.write_bytes(self._parsed)
        ended = self._helper.run(["dbt", *arguments], environment, self._folder, timeout)
        if ended.code is None:
            raise subprocess.TimeoutExpired("dbt", timeout)
        if self._parsed is None and parsed.exists():
            self._parsed = parsed.read_bytes()
        return ended.output

    def close(self) -> None:
        """End the helper process."""
        self._helper.close()


def _run(_: Job) -> None:
    from dbt.cli.main import cli

    cli()


def _learner() -> Callable[[Job], None]:
    """Read and compile the first job's project in the helper: what dbt makes of itself and of texts is made once."""
    learned: list[Job] = []

    def learn(job: Job) -> None:
        if learned:
            return
        learned.append(job)
        own, folder = dict(os.environ), Path.cwd()
        _become(job["environment"], Path(job["folder"]))
        try:
            _compile(job["arguments"][1:])
        finally:
            _become(own, folder)

    return learn


def _compile(arguments: list[str]) -> None:
    from dbt.cli.main import dbtRunner

    at = next(at for at, word in enumerate(arguments) if word in ("build", "test"))
    after = arguments[at + 1 : arguments.index("--select")]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        # what is wrong with the project or the server, the job itself will say; the static parser would leave threads
        # here that a child's own waits for in vain
        dbtRunner().invoke([*arguments[:at], "--no-static-parser", "compile", *after])
    threads = Path("/proc/self/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "forked with threads, a child may wait for ever"


def _become(environment: Mapping[str, str], folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def _remembered(inject: Callable[[str, Sequence[Any]], str]) -> Callable[[str, Sequence[Any]], str]:
    """Texts with the texts that they build on: a function of its arguments, and a third of what a build costs."""
    made: dict[tuple[str, ...], str] = {}

    def remember(text: str, below: Sequence[Any]) -> str:
        key = (text, *(word for one in below for word in (one.id, one.sql)))
        if key not in made:
            made[key] = inject(text, below)
        return made[key]

    return remember


def _one_tracker() -> None:
    """One tidier of what children leave, instead of one each; what it tidies it need not say."""
    said = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        resource_tracker.ensure_running()
    os.dup2(said, 2)
    os.close(said)


if __name__ == "__main__":
    import dbt.adapters.postgres
    import dbt.cli.main
    import dbt.compilation
    import dbt.parser.manifest
    import dbt.task.build
    import dbt.task.runnable
    import dbt.task.test

    # half a second of each invocation, for a file that nobody reads
    dbt.parser.manifest.write_manifest = dbt.task.runnable.write_manifest = lambda *_, **__: None
    dbt.compilation.inject_ctes_into_sql = _remembered(dbt.compilation.inject_ctes_into_sql)
    _one_tracker()
    serve(_run, _learner())
