"""docs/deploy.md names what exists: services, commands, files, versions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import typer.main
import yaml

from orchestration.cli.app import app
from resources.settings import COMPOSE_VARIABLES, Settings
from tests.deploy import compose, image

ROOT = compose.ROOT
GUIDE = (ROOT / "docs" / "deploy.md").read_text("utf-8")


def test_the_table_of_services_is_that_of_the_file() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.M)

    assert sorted(rows) == sorted(compose.raw()["services"])


def test_every_command_of_the_guide_exists() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    called = set(re.findall(r"docker compose run --rm (?:-\S+ |\"\S+\" )*cli ([a-z-]+)", GUIDE))

    assert len(called) >= 7
    assert called <= known


def test_every_service_that_a_compose_command_names_exists() -> None:
    services = set(compose.raw()["services"])
    named = set(re.findall(r"docker compose (?:exec|logs|up -d)(?: -T| --\S+| \d+)* ([a-z]+)", GUIDE))

    assert {"postgres", "proxy", "code"} <= named <= services


def test_the_tunnel_survives_both_shells(tmp_path: Path) -> None:
    """What ssh is given is read by the server's shell once more."""
    line = next(line for line in GUIDE.splitlines() if line.startswith("    ssh -L"))
    (tmp_path / "ssh").write_text('#!/bin/sh\nif [ "$1" = -L ]; then echo "$2"; else shift; exec sh -c "$*"; fi\n')
    (tmp_path / "docker").write_text("#!/bin/sh\ncase $3 in *IPAddress}}*) echo 10.0.0.5 ;; esac\n")
    for program in ("ssh", "docker"):
        (tmp_path / program).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(["sh", "-c", line], env={"PATH": path}, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("5432:10.0.0.5:5432", "")


def test_files_and_variables_of_the_guide_exist() -> None:
    files = set(re.findall(r"(?<![\w/.])((?:deploy|tests|docs)/[\w./-]*\w)", GUIDE))
    variables = set(re.findall(r"\b((?:OTKLIK|RETAILCRM|GOOGLE|TELEGRAM|ANALYST|DAGSTER)_[A-Z_]*[A-Z])\b", GUIDE))

    assert len(files) >= 4
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert variables <= {name.upper() for name in Settings.model_fields} | set(COMPOSE_VARIABLES)


def test_hashes_are_made_by_the_caddy_that_checks_them() -> None:
    bases = {rest.split(" AS ")[0] for instruction, rest in image.instructions() if instruction == "FROM"}

    assert re.findall(r"caddy:\S+", GUIDE) == [base for base in bases if base.startswith("caddy:")]


def test_the_file_for_an_own_postgres_leaves_nothing_waiting_for_ours() -> None:
    class Loader(yaml.SafeLoader):
        """Knows compose's tag that takes a value away."""

    Loader.add_constructor("!reset", lambda loader, node: "reset")
    text = (ROOT / "deploy" / "own-postgres.yml").read_text("utf-8")
    given = yaml.load(text, Loader)
    services = compose.raw()["services"]

    assert set(given["services"]) <= set(services) and set(given["networks"]) <= set(compose.raw()["networks"])
    assert {name for name, service in services.items() if "postgres" in service.get("depends_on", {})} == {
        name for name, service in given["services"].items() if service.get("depends_on") == "reset"
    }
    assert given["services"]["postgres"]["profiles"] not in ([], ["demo"], ["tools"])


def test_the_scripts_are_posix_shell() -> None:
    for script in (*(ROOT / "deploy").glob("*.sh"), ROOT / "scripts" / "caddy.sh"):
        checked = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert script.read_text("utf-8").startswith("#!/bin/sh\n") and script.stat().st_mode & 0o111
