"""Processes that load a day when they are told to, several at once: orders go in, ends come out as they happen.

Here: both sides. Each order is done by a fork of a process that has imported everything already: imports take longer
than the work. Not here: what is held against it (``test_busy``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from types import TracebackType

KILLED = -9


class Backfillers:
    """The tests' end."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.pipeline.backfiller"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Backfillers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=600)

    def begin(self, day: date, select: Sequence[str], failpoint: str = "") -> None:
        """Begin a run of this day, beside those that have begun already; without a selection, of everything."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([day.isoformat(), list(select), failpoint]) + "\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """The next run that ends: the exit code that the command would have, or ``KILLED``, and its last word."""
        assert self._process.stdout is not None
        code, said = json.loads(self._process.stdout.readline())
        return code, said


def _run(day: date, select: list[str]) -> tuple[int, str]:
    import dagster as dg

    from orchestration import runner
    from orchestration.cli.errors import explain
    from tests.quick_dagster import quick

    with quick(), dg.DagsterInstance.ephemeral() as instance:
        try:
            runner.run_days(day, day, select or None, instance=instance)
        except runner.RunFailed as error:
            return explain(error).exit_code, str(error)
    return 0, ""


def _say(code: int, said: str) -> None:
    os.write(1, (json.dumps([code, said]) + "\n").encode())


def _attend(order: str) -> None:
    """Have a child do it; say how it ended where it could not."""
    day, select, failpoint = json.loads(order)
    child = os.fork()
    if not child:
        os.environ["FAILPOINT"] = failpoint
        try:
            _say(*_run(date.fromisoformat(day), select))
        finally:
            os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        _say(code, "")


def main() -> None:
    """Fork somebody to attend to each order, and take the next."""
    attending = set()
    for order in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                _attend(order)
            finally:
                os._exit(0)
        attending.add(pid)
    for pid in attending:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    import great_expectations  # noqa: F401
    import pandas as pd  # noqa: F401

    import orchestration.cli.errors
    import orchestration.runner  # noqa: F401

    main()
