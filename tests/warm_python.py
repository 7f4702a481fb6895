"""Programs of a few lines, each in a process of its own that need not import anything: half of a kill test is imports.

Here: a helper that carries out what a program imports, so that its child only runs it. Not here: the forking
(``forking``). For programs whose start is part of what is tested this is not the way.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping

from tests.forking import Helper, Job, serve


class WarmPython:
    """The helper process of one test process; started when it is needed."""

    def __init__(self) -> None:
        self._helper = Helper("tests.warm_python")

    def run(
        self, code: str, *arguments: str, environment: Mapping[str, str], check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """As ``python -c CODE ARGUMENTS`` from the project's folder; both outputs together are its ``stdout``."""
        argv = ["-c", *arguments]
        ended = self._helper.run(argv, environment, code=code)
        assert ended.code is not None, "nothing was said of a time"
        done = subprocess.CompletedProcess(argv, ended.code, ended.output)
        assert done.returncode == 0 or not check, done.stdout
        return done

    def close(self) -> None:
        """End the helper process."""
        self._helper.close()


def _import(job: Job) -> None:
    imports = [node for node in ast.parse(job["code"]).body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "<imports>", "exec"), {})


def _run(job: Job) -> None:
    exec(compile(job["code"], "<program>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    serve(_run, _import)
