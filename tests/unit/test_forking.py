"""The processes that tests fork: each ends as a program started from nothing would, and says so."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forking import Helper

SLEEPS = "import time\ntime.sleep(600)"


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    helper = Helper("tests.warm_python")
    yield helper
    helper.close()


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("pass", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(75)", 75),
        ("import sys\nsys.exit('words')", 1),
        ("1 / 0", 1),
        (f"import os\nos.kill(os.getpid(), {signal.SIGKILL:d})", -signal.SIGKILL),
    ],
)
def test_a_child_ends_like_a_program(helper: Helper, code: str, ends: int) -> None:
    assert helper.run(["-c"], dict(os.environ), code=code).code == ends


def test_a_child_has_what_its_job_says_and_nothing_of_another(helper: Helper, tmp_path: Path) -> None:
    code = "import os, sys\nprint(sorted(os.environ), sys.argv[1:], os.getcwd(), flush=True)\nsys.stderr.write('!')"
    said = helper.run(["-c", "x"], {"ONLY": "1"}, tmp_path, code=code)
    assert said.output == f"['ONLY'] ['x'] {tmp_path}\n!"
    helper.run(["-c"], {}, code="import builtins\nbuiltins.left = 1")
    assert helper.run(["-c"], {}, code="import builtins\nraise SystemExit(hasattr(builtins, 'left'))").code == 0


def test_a_child_that_takes_too_long_is_killed(helper: Helper) -> None:
    assert helper.run(["-c"], {}, timeout=0.2, code=SLEEPS).code is None
    assert helper.run(["-c"], {}, timeout=600, code="pass").code == 0
