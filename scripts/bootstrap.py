"""Builds .venv from requirements.lock: finds or fetches uv, installs by hash, compiles bytecode, links the project.

Here: everything between "a Python exists" and ".venv/bin/otklik runs"; the standard library only, since nothing is
installed yet. Not here: the search for the interpreter (``bootstrap.sh``), the database (``otklik up``).

A second call does nothing when the stamp still fits (lock, project file, interpreter, place). The machine's own package
settings (pip and uv configuration, caches, certificates) are used as they are; no registry is named here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "scripts" / "uv.lock.txt"
STAMP = VENV / ".otklik-stamp"


class SetupError(Exception):
    """The set-up cannot go on; the text says what is missing and what to do."""


def main() -> int:
    quiet = "--quiet" in sys.argv[1:]
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # `make demo` and `make test` may be started at once
        if is_current():
            if not quiet:
                say(".venv is up to date")
            return 0
        started = time.monotonic()
        try:
            build(find_uv())
        except SetupError as error:
            say(str(error))
            return 1
        say(f".venv is ready ({time.monotonic() - started:.0f} s)")
        return 0


def say(text: str) -> None:
    print(f"otklik: {text}", file=sys.stderr, flush=True)


# --- the stamp ------------------------------------------------------------------------------------------------------


def stamp() -> str:
    """What .venv was made of: another lock, project file, interpreter or place makes it stale."""
    digest = hashlib.sha256()
    for part in (LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(VENV).encode()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def is_current() -> bool:
    python = VENV / "bin" / "python"
    if not (STAMP.is_file() and STAMP.read_text().strip() == stamp() and (VENV / "bin" / "otklik").is_file()):
        return False
    return runs([python, "-c", "pass"])  # the interpreter below .venv may have been removed since


# --- uv -------------------------------------------------------------------------------------------------------------


def find_uv() -> list[str]:
    """The command that runs uv: the machine's own, an earlier download of ours, or a fresh one from the hash lock.

    Raises:
        SetupError: there is no uv and no pip to get it with; names the package to install.
    """
    own = TOOLS / "uv" / "bin" / "uv"
    for found in (os.environ.get("UV", ""), shutil.which("uv") or "", str(own)):
        if found and runs([found, "--version"]):
            return [found]
    say("fetching uv")
    if uv_by_venv(own) or uv_by_target():
        return [str(own)]
    if is_debian() and os.geteuid() == 0:
        package = debian_venv_package()
        say(f"installing {package}, because this Python has neither ensurepip nor pip")
        apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet_run(["apt-get", "update"], env=apt)
        quiet_run(["apt-get", "install", "-y", "--no-install-recommends", package], env=apt)
        if uv_by_venv(own):
            return [str(own)]
    if is_debian():
        advice = f"run `apt-get install {debian_venv_package()}` as root, or put uv on PATH"
    else:
        advice = "install the venv module or pip for this Python, or put uv on PATH"
    raise SetupError(
        f"{sys.executable} could not fetch uv (no working venv or pip, or the package index is out of reach): {advice}"
    )


def uv_by_venv(own: Path) -> bool:
    if not runs([sys.executable, "-c", "import venv, ensurepip; ensurepip.version()"]):
        return False
    target = TOOLS / "uv"
    shutil.rmtree(target, ignore_errors=True)
    return (
        quiet_run([sys.executable, "-m", "venv", str(target)])
        and quiet_run([str(target / "bin" / "python"), "-m", "pip", "install", *pip_options()])
        and runs([str(own), "--version"])
    )


def uv_by_target() -> bool:
    # Debian marks its Python as externally managed; --target leaves that Python alone and is allowed
    if not runs([sys.executable, "-m", "pip", "--version"]):
        return False
    target = TOOLS / "uv"
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--target", str(target), *pip_options()]
    return quiet_run(command) and runs([str(target / "bin" / "uv"), "--version"])


def pip_options() -> list[str]:
    return ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--quiet", "-r", str(UV_LOCK)]


def is_debian() -> bool:
    return shutil.which("apt-get") is not None


def debian_venv_package() -> str:
    is_default = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
    return "python3-venv" if is_default else f"python{sysconfig.get_python_version()}-venv"


# --- .venv ----------------------------------------------------------------------------------------------------------


def build(uv: list[str]) -> None:
    """Make .venv equal to the lock and the project importable in it.

    Raises:
        SetupError: a step failed; what uv said was printed above.
    """
    env = uv_environment()
    STAMP.unlink(missing_ok=True)
    python = VENV / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not runs([python, "-c", f"import sys; sys.exit(sys.version.split()[0] != {sys.version.split()[0]!r})"]):
        say(f"making .venv with Python {version} ({sys.executable})")
        step([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], env)
    say("installing the locked packages (half a minute to a few minutes, once)")
    step([*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK)], env)
    # the build backend is in the lock: nothing is fetched for this step
    link = ["--no-deps", "--no-build-isolation", "--quiet", "--python", str(python), "--editable", str(ROOT)]
    step([*uv, "pip", "install", *link], env)
    STAMP.write_text(stamp() + "\n")


def uv_environment() -> dict[str, str]:
    env = {**os.environ, "UV_COMPILE_BYTECODE": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    # without bytecode every later process would compile its imports again
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env.pop("VIRTUAL_ENV", None)
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    env.setdefault("UV_LINK_MODE", "copy" if different_disks(env) else "hardlink")
    if not any(name in env for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")):
        # uv does not read pip's settings: a company's own mirror would be passed by
        mirror = env.get("PIP_INDEX_URL") or configured_index()
        if mirror:
            env["UV_DEFAULT_INDEX"] = mirror
    return env


def configured_index() -> str:
    if not runs([sys.executable, "-m", "pip", "--version"]):
        return ""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""


def different_disks(env: dict[str, str]) -> bool:
    cache = Path(env.get("UV_CACHE_DIR") or Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    while not cache.exists():
        cache = cache.parent
    return cache.stat().st_dev != ROOT.stat().st_dev


def step(command: list[str], env: dict[str, str]) -> None:
    if subprocess.run(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(f"`{' '.join(Path(part).name for part in command[:3])}` failed; its own words are above")


def runs(command: list[str | Path]) -> bool:
    try:
        return (
            subprocess.run(
                [str(part) for part in command], capture_output=True, stdin=subprocess.DEVNULL, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


def quiet_run(command: list[str], env: dict[str, str] | None = None) -> bool:
    """Run a step that may fail; its error text is shown only then."""
    answer = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode:
        print(answer.stderr.strip()[-2000:], file=sys.stderr)
    return answer.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
