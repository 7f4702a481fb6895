"""Programs of a few lines, each in a process of its own that need not import anything: half of a kill test is imports.

A helper process carries out what a program imports and then forks a child that runs it, with the environment and the
arguments that it is given. A child can be killed, and ends, as a program started from nothing. For programs whose start
is part of what is tested this is not the way. Nothing of the product is imported here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_HELPER = """
import ast, json, os, sys, traceback
for line in sys.stdin:
    job = json.loads(line)
    tree = ast.parse(job["code"])
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), "<imports>", "exec"), {})
    pid = os.fork()
    if not pid:
        os.environ.clear()
        os.environ.update(job["environment"])
        output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["-c", *job["arguments"]]
        code = 0
        try:
            exec(compile(tree, "<program>", "exec"), {"__name__": "__main__"})
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class WarmPython:
    """The helper process of one test process; started when it is needed."""

    def __init__(self) -> None:
        self._helper: subprocess.Popen[str] | None = None

    def run(
        self, code: str, *arguments: str, environment: Mapping[str, str], check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """As ``python -c CODE ARGUMENTS`` from the project's folder; both outputs together are its ``stdout``."""
        if self._helper is None:
            self._helper = subprocess.Popen(
                [sys.executable, "-c", _HELPER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._helper.stdin is not None and self._helper.stdout is not None
        with tempfile.NamedTemporaryFile(suffix=".said") as output:
            job = {"code": code, "arguments": arguments, "environment": dict(environment), "output": output.name}
            self._helper.stdin.write(json.dumps(job) + "\n")
            self._helper.stdin.flush()
            ended = int(self._helper.stdout.readline())
            done = subprocess.CompletedProcess(
                ["-c", *arguments], ended, Path(output.name).read_text("utf-8", "replace")
            )
        assert ended == 0 or not check, done.stdout
        return done

    def close(self) -> None:
        """End the helper process."""
        if self._helper is not None:
            self._helper.communicate(timeout=30)
