"""docker-compose.yml as a text: valid, pinned, closed, with no secret too many; nothing is started."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from resources.settings import COMPOSE_VARIABLES, PROJECT_ROOT, Settings
from tests.deploy import compose
from tests.deploy.compose import Service

TEXT = compose.FILE.read_text("utf-8")
SECRETS = {
    "POSTGRES_PASSWORD", "DATABASE_URL", "LOADER_DATABASE_URL", "PUBLISHER_DATABASE_URL", "ANALYST_DATABASE_URL",
    "DESK_DATABASE_URL", "DAGSTER_PG_URL", "OTKLIK_SECRET_KEYS", "RETAILCRM_API_KEY", "RETAILCRM_BOT_TOKEN",
    "TELEGRAM_BOT_TOKEN", "OTKLIK_EDITORS", "OTKLIK_VIEWERS",
}  # fmt: skip
WORK = {
    "LOADER_DATABASE_URL", "PUBLISHER_DATABASE_URL", "DAGSTER_PG_URL", "OTKLIK_SECRET_KEYS", "RETAILCRM_API_KEY",
    "RETAILCRM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN",
}  # fmt: skip
LOGINS = {name for name in SECRETS if name.endswith("_URL")}
HOLDS = {
    "postgres": LOGINS | {"POSTGRES_PASSWORD"},
    "migrate": LOGINS,
    "code": WORK,
    "watch": WORK - {"RETAILCRM_API_KEY", "RETAILCRM_BOT_TOKEN"},
    "cli": WORK | {"ANALYST_DATABASE_URL"},
    "webserver": {"DAGSTER_PG_URL"},
    "webserver-readonly": {"DAGSTER_PG_URL"},
    "daemon": {"DAGSTER_PG_URL"},
    "proxy": {"OTKLIK_EDITORS", "OTKLIK_VIEWERS"},
    "emulators": {"TELEGRAM_BOT_TOKEN"},
}
"""Which secrets each service needs for its work, by hand."""
NOT_IN_CONTAINERS = {
    "otklik_home": "part of the image",
    "otklik_postgres_bin": "there is no embedded server",
    "otklik_policy": "mounted at its usual place",
    "desk_database_url": "the desk is no service yet",
    "database_url": "the owner's: migrations only",
    "analyst_database_url": "for people's queries only",
}


def named(values: str = "x") -> dict[str, str]:
    """Every variable of the file with a value that names it."""
    return {name: f"{name}-{values}" for name, _, _ in compose.variables(TEXT)}


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    return compose.services(named())


def test_the_file_is_valid_by_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose.FILE)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout + said.stderr


def _compose_programs() -> list[list[str]]:
    found = [["docker-compose"]] if shutil.which("docker-compose") else []
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        found += [["docker", "compose"]] if asked.returncode == 0 else []
    return found


def test_compose_itself_reads_the_file_where_there_is_one(tmp_path: Path, services: dict[str, Service]) -> None:
    env = tmp_path / "env"
    env.write_text("\n".join(f"{name}='{value}'" for name, value in named().items()), "utf-8")
    for program in _compose_programs():
        command = [*program, "--env-file", str(env), "-f", str(compose.FILE), "config"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        # read by the other program, the file says what our reading of it says
        shown = compose.yaml.safe_load(said.stdout)["services"]["code"]["environment"]
        assert {name: str(value) for name, value in shown.items()} == dict(services["code"].environment)


def test_every_service_of_the_plan_is_there(services: dict[str, Service]) -> None:
    always = {name for name, service in services.items() if not service.profiles}

    assert always == {
        "postgres", "migrate", "code", "webserver", "webserver-readonly", "daemon", "watch", "proxy",
    }  # fmt: skip
    assert services["emulators"].profiles == {"demo"}
    order = [service.name for service in compose.in_order(services)]
    assert [name for name in order if name in ("postgres", "migrate", "code", "webserver", "proxy")] == [
        "postgres", "migrate", "code", "webserver", "proxy",
    ]  # fmt: skip


def test_only_the_proxy_can_be_reached_from_outside(services: dict[str, Service]) -> None:
    assert {name for name, service in services.items() if "ports" in service.given} == {"proxy"}
    assert [name for name, service in services.items() if service.given.get("network_mode")] == []


def test_networks_let_each_service_see_what_it_needs(services: dict[str, Service]) -> None:
    networks = compose.raw()["networks"]
    closed = {name for name, given in networks.items() if given.get("internal")}
    ways_out = {name for name, service in services.items() if set(service.given["networks"]) - closed}
    beside = {
        name: {other for other, service in services.items() if name in service.given["networks"]} for name in networks
    }

    # the web servers, the daemon, the migrations and the database cannot call anybody outside
    assert ways_out == {"code", "watch", "cli", "proxy", "emulators"}
    assert beside["web"] == {"proxy", "webserver", "webserver-readonly"}
    assert "proxy" not in beside["database"] | beside["code"]
    assert beside["code"] == {"code", "webserver", "webserver-readonly", "daemon", "cli"}


def test_nothing_runs_as_root_or_may_more_than_it_needs(services: dict[str, Service]) -> None:
    for name, service in services.items():
        given = service.given
        assert int(given["user"].split(":")[0]) > 0, name
        assert given["cap_drop"] == ["ALL"], name
        assert given.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert given["read_only"] is True, name
        assert given["security_opt"] == ["no-new-privileges:true"], name
        assert not given.get("privileged") and "docker.sock" not in str(given), name
        assert re.fullmatch(r"\d+[mg]", given["mem_limit"]) and given["pids_limit"] > 0, name
        assert given["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


def test_services_come_back_after_a_reboot_and_say_how_they_are(services: dict[str, Service]) -> None:
    once = {"migrate", "cli"}

    assert {name for name, service in services.items() if service.given["restart"] == "no"} == once
    for name, service in services.items():
        if name not in once:
            assert service.given["restart"] == "unless-stopped", name
            check = service.given["healthcheck"]
            assert check["test"][0] == "CMD" and {"interval", "timeout", "retries", "start_period"} <= set(check), name


def test_a_message_under_way_is_answered_before_the_watch_is_killed(services: dict[str, Service]) -> None:
    longest = sum(Settings.model_fields[f"http_{part}_timeout_seconds"].default for part in ("connect", "read"))

    assert float(services["watch"].given.get("stop_grace_period", "10s").rstrip("s")) > longest + 10


def test_waits_for_a_service_are_for_its_health_or_its_end(services: dict[str, Service]) -> None:
    for service in services.values():
        for name, condition in service.needs.items():
            once = services[name].given["restart"] == "no"
            assert condition == ("service_completed_successfully" if once else "service_healthy")


def test_images_are_pinned_and_ours_are_never_fetched(services: dict[str, Service]) -> None:
    version = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    built = {service.given["image"] for service in services.values() if "build" in service.given}

    for service in services.values():
        image = service.given["image"]
        if image in built:
            assert image.endswith(f":{version}") and service.given["pull_policy"] == "never"
        else:
            assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?-[a-z]+(@sha256:[0-9a-f]{64})?", image), image
    assert built == {f"otklik-{name}:{version}" for name in ("platform", "proxy", "emulators")}


def test_each_service_gets_the_secrets_of_its_work_and_no_other(services: dict[str, Service]) -> None:
    holds = {
        name: {secret for secret in SECRETS if re.search(rf"(?<!\w){secret}-x", str(service.given))}
        for name, service in services.items()
    }

    assert holds == HOLDS
    # secrets are handed over as variables, not where `docker ps` shows them
    assert [name for name, service in services.items() if "-x" in str(service.command)] == []


def test_every_variable_is_documented_and_every_setting_reaches_the_code(services: dict[str, Service]) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    asked = {name for name, _, _ in compose.variables(TEXT)}
    reached = set(services["code"].environment) & settings

    assert asked <= settings | set(COMPOSE_VARIABLES)
    assert set(COMPOSE_VARIABLES) <= asked, "documented and never read"
    assert settings - reached == {name.upper() for name in NOT_IN_CONTAINERS}
    assert reached <= set(services["watch"].environment) & set(services["cli"].environment)


def test_what_must_be_set_says_how_and_is_set_by_the_script() -> None:
    required = {name: word for name, kind, word in compose.variables(TEXT) if kind == ":?"}
    made = _new_env("otklik.example.ru")

    assert all(required.values())
    assert {name for name in required if not made.get(name)} == {"OTKLIK_EDITORS"}
    with pytest.raises(compose.MissingVariable, match=r"OTKLIK_EDITORS: .*docs/deploy.md"):
        compose.services(made)
    assert compose.services(made | {"OTKLIK_EDITORS": "anna hash"})
    assert set(made) <= {name.upper() for name in Settings.model_fields} | set(COMPOSE_VARIABLES)


def _new_env(*arguments: str) -> dict[str, str]:
    script = PROJECT_ROOT / "deploy" / "new-env.sh"
    made = subprocess.run(["sh", str(script), *arguments], capture_output=True, text=True, check=True)
    return compose.read_env(made.stdout)


def test_passwords_are_new_each_time_and_fit_into_urls() -> None:
    from cryptography.fernet import Fernet

    first, second = _new_env("a.example"), _new_env("a.example")
    secret = {name for name in first if name in SECRETS and first[name]}

    assert all(first[name] != second[name] for name in secret)
    passwords = [re.sub(r"^.*?://\w+:(\w+)@.*$", r"\1", first[name]) for name in secret - {"OTKLIK_SECRET_KEYS"}]
    assert len(set(passwords)) == len(passwords)
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in passwords)
    assert Fernet(first["OTKLIK_SECRET_KEYS"])


def test_the_demo_points_every_vendor_at_the_emulators() -> None:
    demo, plain = _new_env("--demo", "http://localhost"), _new_env("http://localhost")
    added = set(demo) - set(plain)
    ports = compose.services(named())["emulators"].ports

    assert demo["COMPOSE_PROFILES"] == "demo"
    assert {name for name in added if name.endswith("BASE_URL")} == {
        "RETAILCRM_BASE_URL", "SHEETS_BASE_URL", "TELEGRAM_BASE_URL",
    }  # fmt: skip
    assert sorted(int(demo[name].rpartition(":")[2]) for name in added if name.endswith("BASE_URL")) == ports
    assert added - {"COMPOSE_PROFILES"} <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--demo"]])
def test_a_call_without_a_host_is_refused(arguments: list[str]) -> None:
    script = PROJECT_ROOT / "deploy" / "new-env.sh"
    said = subprocess.run(["sh", str(script), *arguments], capture_output=True, text=True, check=False)

    assert said.returncode == 2 and "usage" in said.stderr and said.stdout == ""
