"""Makes the file tree of an image out of the Dockerfile, without Docker: what COPY takes and .dockerignore lets by.

Here: FROM, COPY, ENV, WORKDIR, USER and CMD of our Dockerfile. Not here: RUN; the packages of the image are those of
the machine that tests, held by the lock. A file that the Dockerfile forgets is missing in the tree as well.
"""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = "/opt/venv"
"""What RUN makes and COPY carries from stage to stage: here the environment of the tests stands for it."""


@dataclass
class Stage:
    """One stage: its own tree and what it sets."""

    name: str
    base: str
    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "root"
    commands: list[str] = field(default_factory=list)
    """What RUN would run."""

    def path(self, path: str) -> Path:
        """Where a path of the image is in the tree."""
        absolute = path if path.startswith("/") else f"{self.directory}/{path}"
        return self.root / absolute.lstrip("/")


def instructions(path: Path = ROOT / "Dockerfile") -> Iterator[tuple[str, str]]:
    """Instruction and the rest of the line, continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.M)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            instruction, _, rest = line.strip().partition(" ")
            yield instruction.upper(), rest.strip()


def build(folder: Path, context: Path = ROOT) -> dict[str, Stage]:
    """Build the trees of all stages below ``folder``; by name."""
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    for instruction, rest in instructions(context / "Dockerfile"):
        if instruction == "FROM":
            base, name = rest.split(" AS ")
            current = _begin(name, base, stages.get(base), folder)
            stages[name] = current
            continue
        assert current is not None
        _apply(current, instruction, rest, stages, context)
    return stages


def allowed(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore lets a file of the context through; of several patterns the last one decides."""
    verdict = True
    for pattern in patterns:
        wanted = pattern.removeprefix("!").rstrip("/")
        parts = path.split("/")
        heads = ["/".join(parts[: at + 1]) for at in range(len(parts))]
        if wanted.startswith("**/"):
            hit = any(fnmatch.fnmatch(part, wanted[3:]) for part in parts)
        else:
            hit = any(head.count("/") == wanted.count("/") and fnmatch.fnmatch(head, wanted) for head in heads)
        if hit:
            verdict = pattern.startswith("!")
    return verdict


def _begin(name: str, base: str, parent: Stage | None, folder: Path) -> Stage:
    root = folder / name
    if parent is None:
        root.mkdir(parents=True)
        return Stage(name, base, root)
    shutil.copytree(parent.root, root)
    return Stage(name, base, root, dict(parent.environment), parent.directory, parent.user)


def _apply(stage: Stage, instruction: str, rest: str, stages: dict[str, Stage], context: Path) -> None:
    if instruction == "ENV":
        stage.environment |= dict(part.split("=", 1) for part in shlex.split(rest))
    elif instruction == "WORKDIR":
        stage.directory = rest
        stage.path(rest).mkdir(parents=True, exist_ok=True)
    elif instruction == "USER":
        stage.user = rest
    elif instruction == "RUN":
        stage.commands.append(rest)
    elif instruction == "COPY":
        words = rest.split()
        origin = stages[words.pop(0).removeprefix("--from=")] if words[0].startswith("--from=") else None
        *sources, target = words
        for source in sources:
            if not source.startswith(INSTALLED):
                _copy(stage, source, target, origin, context)
    elif instruction not in ("CMD",):
        raise AssertionError(f"the tests do not know the instruction {instruction}")


def _copy(stage: Stage, source: str, target: str, origin: Stage | None, context: Path) -> None:
    place = stage.path(target)
    found = origin.path(source) if origin is not None else context / source
    assert found.exists(), f"COPY {source}: there is no such file"
    if found.is_dir():
        patterns = [] if origin is not None else ignore_patterns(context)
        for file in sorted(path for path in found.rglob("*") if path.is_file()):
            if origin is not None or allowed(file.relative_to(context).as_posix(), patterns):
                copied = place / file.relative_to(found)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copied)
        return
    if origin is None:
        assert allowed(source, ignore_patterns(context)), f"COPY {source}: .dockerignore keeps it out"
    place = place / found.name if target.endswith("/") else place
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(found, place)


def ignore_patterns(context: Path = ROOT) -> list[str]:
    """The lines of .dockerignore."""
    lines = (context / ".dockerignore").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
