"""docker-compose.yml played: its services as plain processes, then what a person would try on the server.

One test session starts everything once, with the invented shop as the only source. Nothing of the file is replaced but
addresses and paths (``stage``); the proxy is a caddy, the database a PostgreSQL of this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.deploy import compose, server
from tests.deploy.site import Site
from tests.deploy.stage import Stage, free_ports
from tests.deploy.test_image import files

ROOT = compose.ROOT
STOP_RELOAD = 'mutation { reloadRepositoryLocation(repositoryLocationName: "otklik") { __typename } }'


class Played(NamedTuple):
    stage: Stage
    site: Site
    editor: tuple[str, str]
    viewer: tuple[str, str]
    monday: date
    """Of the last closed week of the invented shop."""
    files_before: set[str]
    """What was in the images before anything ran."""


def caddy() -> Path:
    """A caddy to play the proxy with; fetched once when the machine has none."""
    made = subprocess.run(["sh", str(ROOT / "scripts" / "caddy.sh")], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


def made_env(proxy: Path, site: str, users: dict[str, str]) -> dict[str, str]:
    """The .env of the demo, with an editor and a viewer."""
    script = ROOT / "deploy" / "new-env.sh"
    text = subprocess.run(["sh", str(script), "--demo", site], capture_output=True, text=True, check=True).stdout
    for variable, (name, password) in zip(("OTKLIK_EDITORS", "OTKLIK_VIEWERS"), users.items(), strict=True):
        command = [str(proxy), "hash-password", "--algorithm", "bcrypt"]
        hashed = (
            subprocess.run(command, input=f"{password}\n{password}\n", capture_output=True, text=True, check=True)
            .stdout.strip()
            .splitlines()[-1]
        )
        text = text.replace(f"{variable}=\n", f"{variable}='{name} {hashed}'\n")
    return compose.read_env(text)


def last_closed_monday(demo: dict[str, Any]) -> date:
    return date.fromisoformat(demo["retailcrm"]["monday"]) - timedelta(days=7)


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    proxy, (port, health_port) = caddy(), free_ports(2)
    users = {"editor": os.urandom(8).hex(), "viewer": os.urandom(8).hex()}
    values = made_env(proxy, f"http://127.0.0.1:{port}", users)
    # not below pytest's own folder, which only the user who runs the tests may walk to
    folder = Path(tempfile.mkdtemp(prefix="otklik-played-"))
    folder.chmod(0o755)
    place, binaries = server.binaries(folder / "server")
    programs = {name: binaries[name] for name in server.PROGRAMS} | {"caddy": proxy, "wget": _wget(folder)}
    stage = Stage(folder, values, programs, {"demo", "tools"})
    stage.ports["proxy", 2020] = health_port
    before = files(folder / "images")
    try:
        for service in compose.in_order(stage.services):
            if "tools" in service.profiles:
                continue
            for needed, condition in service.needs.items():
                stage.wait(needed, condition, 600)
            if service.name == "postgres":
                server.start(stage, place, binaries)
            else:
                stage.start(service.name)
        for name, service in stage.services.items():
            if name in stage.running and service.given["restart"] != "no":
                stage.wait(name, "service_healthy", 600)
        demo = json.loads(stage.running["emulators"].said(1))
        monday = last_closed_monday(demo)
        people = list(users.items())
        yield Played(stage, Site(f"http://127.0.0.1:{port}"), people[0], people[1], monday, before)
    finally:
        stage.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wget(folder: Path) -> Path:
    """The proxy's image asks with busybox; a machine without it asks the same with Python."""
    shim = folder / "wget"
    shim.write_text(
        f"#!/bin/sh\nfor url; do :; done\nexec {shutil.which('python3')} {ROOT}/deploy/health.py http $url\n"
    )
    shim.chmod(0o755)
    return shim


def cli(played: Played, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``docker compose run --rm cli ARGUMENTS``."""
    container = played.stage.start("cli", list(arguments))
    code = container.process.wait(600)
    del played.stage.running["cli"]
    said = container.log.read_text("utf-8")
    container.log.unlink()
    return subprocess.CompletedProcess(arguments, code, said)


def session(played: Played, database: str) -> psycopg.Connection:
    """The administrator's, in which everything is of one moment."""
    password = played.stage.services["postgres"].environment["POSTGRES_PASSWORD"]
    port = played.stage.ports["postgres", 5432]
    opened = psycopg.connect(host="127.0.0.1", port=port, user="postgres", password=password, dbname=database)
    opened.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return opened


def test_every_port_is_on_loopback_and_every_service_listens_where_it_says(played: Played) -> None:
    found = played.stage.listening()
    expected = {(name, port) for (name, _), port in played.stage.ports.items()}
    expected.add(("proxy", int(played.site.url.rpartition(":")[2])))

    assert {address for _, address, _ in found} == {"127.0.0.1"}
    assert {(name, port) for name, _, port in found} == expected


def test_nobody_gets_in_without_a_password(played: Played) -> None:
    for path in ("/", "/view/", "/graphql", "/view/graphql", "/server_info", "/assets", "/view/runs", "/view/../"):
        assert played.site.ask(path, None).status == 401, path
    # each of these costs a second of hashing, on purpose
    for path, user in (("/", ("editor", "wrong")), ("/view/", ("nobody", played.editor[1])), ("/", played.viewer)):
        assert played.site.ask(path, user).status == 401, (path, user[0])


def test_editors_and_viewers_see_the_platform(played: Played) -> None:
    page = played.site.ask("/", played.editor)
    assert page.status == 200 and b"<html" in page.body.lower()
    assert page.headers["X-Frame-Options"] == "DENY" and "Server" not in page.headers
    for user in (played.viewer, played.editor):
        seen = played.site.ask("/view/", user)
        assert seen.status == 200 and b"/view/" in seen.body
        nodes = played.site.graphql(user, "{ assetNodes { assetKey { path } } }", "/view/graphql")["assetNodes"]
        assert ["marts", "manager_week"] in [node["assetKey"]["path"] for node in nodes]


def test_viewers_can_change_nothing(played: Played) -> None:
    day = played.monday.isoformat()
    refused = played.site.launch(played.viewer, "load_daily", day, path="/view/graphql")
    reload = played.site.graphql(played.viewer, STOP_RELOAD, "/view/graphql")["reloadRepositoryLocation"]
    # not by an editor either, under this address
    by_editor = played.site.launch(played.editor, "load_daily", day, path="/view/graphql")
    runs = played.site.graphql(played.editor, "{ runsOrError { ... on Runs { results { runId } } } }")

    assert (refused["__typename"], reload["__typename"], by_editor["__typename"]) == ("UnauthorizedError",) * 3
    assert runs["runsOrError"]["results"] == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_can_neither_ask_nor_start_anything(played: Played, site: str) -> None:
    question = "/graphql?query=%7Bversion%7D"
    foreign = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "no-cors"}

    assert played.site.ask(question, played.editor).status == 200
    assert played.site.ask(question, played.editor, Sec_Fetch_Site="same-origin").status == 200
    assert played.site.ask(question, played.editor, **foreign).status == 403
    assert played.site.ask(question, played.editor, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate").status == 403
    assert played.site.ask("/", played.editor, **foreign).status == 403
    # a link from a chat
    assert played.site.ask("/", played.editor, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate").status == 200


def test_a_run_is_started_from_the_ui(played: Played) -> None:
    """Through queue, daemon and code server, with the loader's login, from the shop's address."""
    day = played.monday.isoformat()
    assert played.site.run(played.editor, "load_daily", day, 600, "raw/retailcrm__channels") == "SUCCESS", _logs(played)

    with session(played, "otklik") as sql:
        (channels,) = sql.execute("select count(*) from raw.retailcrm__channels").fetchone()
    assert channels > 0
    denied = cli(played, "sql", "select text from core.messages")
    assert denied.returncode == 1 and "permission denied" in denied.stdout


@pytest.mark.proof
def test_a_day_is_loaded_and_its_week_published_from_the_ui(played: Played) -> None:
    day = played.monday + timedelta(days=1)
    assert played.site.run(played.editor, "load_daily", day.isoformat(), 600) == "SUCCESS", _logs(played)
    assert played.site.run(played.editor, "publish_week", played.monday.isoformat(), 600) == "SUCCESS", _logs(played)

    asked = cli(played, "sql", "--csv", "select count(*) > 0, sum(waits_settled) > 0 from marts.manager_week")
    assert (asked.returncode, asked.stdout.splitlines()[-1]) == (0, "True,True"), asked.stdout
    # the week is in the spreadsheet, with a manager's name
    google = Site(f"http://127.0.0.1:{played.stage.ports['emulators', 8071]}")
    spreadsheet = f"/_emulator/sheets/{played.stage.services['code'].environment['GOOGLE_SHEETS_ID']}"
    tab = re.search(r'href="(\?gid=\d+)">manager_summary<', google.ask(spreadsheet, None).body.decode())
    named = cli(played, "sql", "--csv", "select min(manager_name) from marts.manager_week")
    assert tab is not None
    assert named.stdout.splitlines()[-1] in google.ask(spreadsheet + tab[1], None).body.decode()


def test_the_command_on_the_server_needs_no_owner(played: Played) -> None:
    doctor = cli(played, "doctor", "--json")
    found = {item["check"]: item["state"] for item in json.loads(doctor.stdout.splitlines()[-1])}

    assert doctor.returncode == 0, doctor.stdout
    assert {found[check] for check in ("home", "policy", "database", "migrations", "analyst")} == {"ok"}


def secret_words(played: Played) -> set[str]:
    """All passwords and keys that the services were given."""
    secrets = {value for name, value in played.stage.services["migrate"].environment.items() if "URL" in name} | {
        played.stage.services["postgres"].environment["POSTGRES_PASSWORD"],
        played.editor[1],
        played.viewer[1],
    }
    words = {secret.rpartition("@")[0].rpartition(":")[2] or secret for secret in secrets}
    words |= {played.stage.services["code"].environment[name] for name in ("OTKLIK_SECRET_KEYS", "TELEGRAM_BOT_TOKEN")}
    assert len(words) == 11
    return words


def test_logs_and_commands_hold_no_secret(played: Played) -> None:
    words = secret_words(played)
    # the emulator tells its own token at start
    for log in set((played.stage.folder / "logs").iterdir()) - {played.stage.running["emulators"].log}:
        text = log.read_text("utf-8", "replace")
        assert [word for word in words if word in text] == [], log.name
    for pid in played.stage.pids():
        line = Path(f"/proc/{pid}/cmdline")
        assert not line.exists() or [word for word in words if word.encode() in line.read_bytes()] == []


def test_the_code_server_and_the_web_servers_do_not_know_the_owner(played: Played) -> None:
    owner = played.stage.services["migrate"].environment["DATABASE_URL"].split(":")[2].split("@")[0].encode()
    for pid, name in played.stage.pids().items():
        environment = Path(f"/proc/{pid}/environ")
        if name not in ("postgres", "migrate") and environment.exists():
            assert owner not in environment.read_bytes(), name
            if name in ("webserver", "webserver-readonly", "daemon", "proxy"):
                assert b"otklik_loader" not in environment.read_bytes(), name


def test_a_login_opens_its_own_database_only(played: Played) -> None:
    given = played.stage.services["migrate"].environment
    own = {name: "dagster" if name == "DAGSTER_PG_URL" else "otklik" for name in given if name.endswith("_URL")}
    opened = set()
    for name in own:
        login, _, _ = given[name].partition("://")[2].partition("@")
        for database in ("otklik", "dagster", "postgres", "template1"):
            url = f"postgresql://{login}@127.0.0.1:{played.stage.ports['postgres', 5432]}/{database}"
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
                opened.add((name, database))

    assert len(own) == 6
    assert opened == set(own.items())


def test_a_backup_holds_no_secret_and_restores_equal(played: Played, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    dump = ["--username=postgres", "--format=custom"]
    restore = ["--username=postgres", "--exit-on-error", "--single-transaction"]
    assert f"pg_dump {' '.join(dump)} " in guide and f"pg_restore {' '.join(restore)} --dbname=" in guide
    _, binaries = server.binaries(played.stage.folder / "server")
    given = played.stage.services["postgres"].environment
    environment = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(played.stage.ports["postgres", 5432]),
        "PGPASSWORD": given["POSTGRES_PASSWORD"],
    }

    def run(program: str, *arguments: str) -> bytes:
        done = subprocess.run([binaries[program], *arguments], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    for database, owner in (("otklik", "otklik_owner"), ("dagster", "dagster")):
        # the services write all the time: what is dumped and what it is compared with are of one moment
        with session(played, database) as now:
            (moment,) = now.execute("select pg_export_snapshot()").fetchone()
            text = run("pg_dump", "--username=postgres", f"--snapshot={moment}", database).decode()
            file = tmp_path / database
            file.write_bytes(run("pg_dump", *dump, f"--snapshot={moment}", database))
            dumped = _contents(now)
        assert [word for word in secret_words(played) if word in text] == []
        run("psql", "-qU", "postgres", "-c", f"create database restored_{database} owner {owner}")
        run("pg_restore", *restore, f"--dbname=restored_{database}", str(file))
        with session(played, f"restored_{database}") as now:
            assert _contents(now) == dumped
        assert {"raw.retailcrm__channels", "public.event_logs"} & {
            name for name, (_, _, rows, _) in dumped.items() if rows
        }


def _contents(session: psycopg.Connection) -> dict[str, tuple[Any, ...]]:
    """Table to owner, rights, number of rows and a hash over all of them."""
    tables = """
        select format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner), c.relacl::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
    """
    return {
        name: (
            *facts,
            *session.execute(
                f"select count(*), md5(string_agg(md5(t::text), '' order by md5(t::text))) from {name} as t"
            ).fetchone(),
        )
        for name, *facts in session.execute(tables).fetchall()
    }


def test_the_scripts_of_the_database_may_be_run_again(played: Played) -> None:
    place, binaries = server.binaries(played.stage.folder / "server")
    user = {} if place.user is None else {"user": place.user[0], "group": place.user[1], "extra_groups": []}
    server.set_up(played.stage, binaries, place.base / "run", played.stage.ports["postgres", 5432], user)

    assert cli(played, "sql", "select 1").returncode == 0


def test_the_images_are_not_written_to_and_all_ends_in_order(played: Played) -> None:
    # what is not a volume stands on a read-only disk there
    written = files(played.stage.folder / "images") - played.files_before
    started = set(played.stage.pids().values())
    played.stage.stop()
    running = played.stage.running
    assert written == set()
    assert started == set(running) - {"migrate"}
    ended = {name: container.exit_code for name, container in running.items()}
    assert ended == dict.fromkeys(running, 0), _logs(played)
    # a grandchild that is on its way out may be a moment longer; a container would take it along
    deadline = time.monotonic() + 120
    while played.stage.pids() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert played.stage.pids() == {}


def _logs(played: Played) -> str:
    return "\n".join(f"--- {name}\n{container.said()}" for name, container in played.stage.running.items())
