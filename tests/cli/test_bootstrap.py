"""The set-up finds a working interpreter and says what is missing; what it installs is pinned by hash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = "import sys\nprint('handed over to', sys.version_info[:2] >= (3, 11), sys.argv[1:])\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose second half of the set-up only reports that it was reached."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap.sh", tmp_path / "scripts")
    (tmp_path / "scripts" / "bootstrap.py").write_text(STUB)
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def bootstrap(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(project)} | variables
    return subprocess.run(
        ["bash", str(project / "scripts" / "bootstrap.sh"), "--quiet"], env=environment, capture_output=True, text=True
    )


def test_a_shim_that_fails_is_passed_by(project: Path) -> None:
    program(project / "bin", "python3.12", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    program(project / "bin", "python3.13", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    answer = bootstrap(project, PATH=f"{project / 'bin'}:/usr/bin:/bin")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "handed over to True ['--quiet']"
    assert "command not found" not in answer.stderr


def test_a_version_manager_beside_the_path_is_searched(project: Path) -> None:
    folder = project / ".pyenv" / "versions" / "3.12.99" / "bin"
    folder.parent.mkdir(parents=True)
    program(folder, "python3.12", f'#!/bin/sh\ntouch {project}/used\nexec {sys.executable} "$@"\n')
    bootstrap(project, PATH="/usr/bin:/bin")

    assert (project / "used").exists()


def test_a_wrong_choice_is_named(project: Path) -> None:
    answer = bootstrap(project, OTKLIK_PYTHON="/no/such/python")

    assert answer.returncode == 1
    assert answer.stderr.startswith("otklik: OTKLIK_PYTHON=/no/such/python is not a working Python")


def test_everything_that_is_installed_is_pinned_by_hash() -> None:
    for name in ("requirements.lock", "scripts/uv.lock.txt"):
        text = (ROOT / name).read_text("utf-8")
        pins = re.findall(
            r"^([a-z0-9][\w.\-\[\]]*)==\S+(?:[^\n\\]*)\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
        )

        assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.M)) > 0
        assert "://" not in text, "a lock names no host"


def test_the_targets_of_make_are_explained() -> None:
    shown = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout

    for target in ("setup", "demo", "test", "lint", "bench", "chaos", "docs", "lock", "clean", "help"):
        assert f"make {target} " in shown


def test_ci_runs_what_a_person_runs() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()

    assert lines[-1] == "exec make test </dev/null"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
