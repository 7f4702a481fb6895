"""dbt imported once for all tests of a process, forked for each invocation.

Half of what a small ``dbt build`` costs is the import of dbt. Here a helper imports it, and a child is dbt with the
environment, folder and arguments that production gives its own process: in a process of its own, as in production. That
production's way of starting it works as well is held by the tests that start commands as processes. Not here: the
forking (``forking``).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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


if __name__ == "__main__":
    import dbt.adapters.postgres
    import dbt.cli.main
    import dbt.parser.manifest
    import dbt.task.build
    import dbt.task.test  # noqa: F401

    serve(_run)
