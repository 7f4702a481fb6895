"""Secrets that nobody has seen before go into every connector; then everything that is kept or shown is searched.

A week is loaded, published, written to a sheet and reported to a chat; then an account whose key was revoked, one whose
server repeats every header that it gets, and a database that is away make errors. Nothing of it may show a secret
(promises S1, S2, S16): no table of ours or of Dagster, no dump, no log, no file, no screen, no sheet, no chat.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet, InvalidToken
from typer.testing import CliRunner

from orchestration.cli.app import app
from resources.clients import redact
from resources.settings import PROJECT_ROOT, Settings
from resources.vault import Vault, new_key
from resources.warehouse import connections, urls
from resources.warehouse.engine import Warehouse
from tests.cli.canaries import dump, files, hits, tables
from tests.conftest import DatabaseServer
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.retailcrm_web import RetailCRMWebEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop.model import Shop
from tests.emulators.telegram import TelegramEmulator
from tests.warm_python import WarmPython

# minutes of a busy worker, and the run has twenty: test_canaries_of_a_day stays in it
pytestmark = pytest.mark.proof

MONDAY = date(2026, 11, 16)
_ACCOUNTS = ("retailcrm", "shop2", "revoked", "parrot", "browser", "phone", "away")
NOW = "2026-11-16T09:30:00+03:00"


COMMAND = "import great_expectations, orchestration.definitions\nfrom orchestration.cli import main\nmain()"


def canary() -> str:
    return base64.b32encode(os.urandom(20)).decode("ascii").lower()


class Parrot(BaseHTTPRequestHandler):
    """Refuses every request and repeats all that came with it, in the words of RetailCRM."""

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        said = {"success": False, "errorMsg": f"cannot serve {self.path} with {dict(self.headers)}: {sent}"}
        body = json.dumps(said).encode("utf-8")
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class World:
    """One installation with its accounts, and everything that it said."""

    def __init__(self, home: Path, database: Warehouse, warm: WarmPython) -> None:
        self.home, self.database, self._warm = home, database, warm
        self.canaries: dict[str, str] = {}
        self.said: list[tuple[str, bytes]] = []
        self.environment: dict[str, str] = {}
        self.codes: dict[str, int] = {}

    def secret(self, name: str, value: str | None = None) -> str:
        self.canaries[name] = value or canary()
        return self.canaries[name]

    def otklik(self, *arguments: str, given: str = "", **variables: str) -> int:
        """Run the command as a function that has been told no secret yet."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.environment, **variables}.items():
                patch.setenv(name, value)
            patch.setitem(Settings.model_config, "env_file", None)
            patch.setattr(redact, "_hidden", set())
            done = CliRunner().invoke(app, list(arguments), input=given)
        return self._heard(arguments, done.exit_code, done.stdout_bytes, done.stderr_bytes)

    def process(self, *arguments: str, **variables: str) -> int:
        """Run the command in a process of its own: with all that libraries print by themselves."""
        done = self._warm.run(COMMAND, *arguments, environment={**self.environment, **variables})
        return self._heard(arguments, done.returncode, done.stdout.encode("utf-8"), b"")

    def started(self, *arguments: str, **variables: str) -> int:
        """As ``process``, in one that a shell would start."""
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=PROJECT_ROOT,
            env={**self.environment, **variables},
            capture_output=True,
            check=False,
        )
        return self._heard(arguments, done.returncode, done.stdout, done.stderr)

    def _heard(self, arguments: tuple[str, ...], code: int, out: bytes, error: bytes) -> int:
        title = " ".join(arguments)
        self.said += [(f"{title}: stdout", out), (f"{title}: stderr", error)]
        self.codes[title] = code
        return code

    def everything_said(self) -> str:
        return "\n".join(f"--- {title}\n{text.decode('utf-8')}" for title, text in self.said)


@pytest.fixture(scope="module")
def parrot() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def sheets() -> Iterator[SheetsEmulator]:
    with SheetsEmulator(quota=None) as running:
        yield running


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as running:
        yield running


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    database: Warehouse,
    sheets: SheetsEmulator,
    telegram: TelegramEmulator,
    parrot: str,
    warm_python: WarmPython,
) -> Iterator[World]:
    """The installation after all of it."""
    world = World(tmp_path_factory.mktemp("home"), database, warm_python)
    shops = [
        RetailCRMEmulator(
            Shop.tiny(seed, MONDAY, messages=60),
            rate=None,
            api_key=world.secret(f"{name} api key"),
            bot_token=world.secret(f"{name} bot token"),
        )
        for seed, name in ((7, "first"), (8, "second"))
    ]
    with shops[0] as first, shops[1] as second:
        password = urls.password_of(urls.with_driver(database.url, None))
        if password:
            world.secret("database password", password)
        world.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ},
            "HOME": str(world.home),
            "OTKLIK_HOME": str(world.home),
            "DATABASE_URL": urls.with_driver(database.url, None),
            "OTKLIK_NOW": NOW,
            "HTTP_MAX_ATTEMPTS": "2",
            "HTTP_DEADLINE_SECONDS": "20",
            "RETAILCRM_REQUESTS_PER_SECOND": "1000",
            "SHEETS_REQUESTS_PER_MINUTE": "1000",
            "RETAILCRM_BASE_URL": first.base_url,
            "RETAILCRM_API_KEY": first.api_key,
            "RETAILCRM_BOT_TOKEN": first.bot_token,
        }
        _connect(world, "shop2", second.base_url, second.api_key, second.bot_token)
        _connect_the_rest(world, sheets, telegram)
        # the address of a script is as good as a key; it is called after the export and repeats it
        world.environment["APPS_SCRIPT_URL"] = f"{parrot}/macros/s/{world.secret('the script')}/exec"
        assert world.process("run", "--week", "2026-W46") == 0, world.everything_said()
        _connect(world, "revoked", second.base_url, world.secret("revoked key"), world.secret("revoked token"))
        _connect(world, "parrot", parrot, world.secret("parrot's key"), world.secret("parrot's token"))
        _connect_a_browser(world, tmp_path_factory.mktemp("captured"), parrot)
        _connect_a_telephone(world, parrot)
        _connect(world, "away", "http://127.0.0.1:9", world.secret("away key"), world.secret("away token"))
        day = ("backfill", "--from", "2026-11-15", "--to", "2026-11-15", "--select", "raw")
        assert world.process(*day, OTKLIK_PREFLIGHT="off") == 1, world.everything_said()
        _ask_a_judge(world, parrot)
        world.started("watch", "--once")
        world.otklik("connections")
        world.otklik("rotate-keys")
        keys = (world.home / "secrets" / "connections.keys").read_text("ascii").splitlines()
        world.secret("newest key", keys[-1])
        away = "postgresql://otklik:{}@127.0.0.1:9/otklik"
        world.otklik("connections", DATABASE_URL=away.format(world.secret("other database password")))
        yield world


def _connect(world: World, name: str, base_url: str, api_key: str, bot_token: str) -> None:
    given = f"RETAILCRM_URL={base_url}\nRETAILCRM_API_KEY={api_key}\nRETAILCRM_BOT_TOKEN={bot_token}\n"
    code = world.otklik("connect", "retailcrm", "--id", name, "--env-file", "-", "--no-check", given=given)
    assert code == 0, world.everything_said()


def _connect_a_browser(world: World, folder: Path, parrot: str) -> None:
    """A request copied from a page that repeats the session in its answers: refused when asked, then stored unasked."""
    cookie, token = f"sid={world.secret('the cookie')}; lang=ru", world.secret("the page's token")
    with RetailCRMWebEmulator(cookie=cookie, client_token=token) as page:
        text = page.curl("chatsList", form="bash-ansi").replace(
            page.address, page.address.replace(page.base_url, parrot)
        )
    (folder / "curl.txt").write_text(text, "utf-8")
    (folder / "cut.txt").write_text(text[:-200], "utf-8")
    command = ("connect", "retailcrm-web", "--id", "browser", "--curl")
    assert world.otklik(*command, str(folder / "cut.txt"), "--no-check") == 2
    assert world.otklik(*command, str(folder / "curl.txt")) == 1, world.everything_said()
    assert world.otklik(*command, str(folder / "curl.txt"), "--no-check") == 0, world.everything_said()
    assert world.otklik("probe", "retailcrm-web") == 1


def _connect_a_telephone(world: World, parrot: str) -> None:
    """A telephony whose refusals repeat login and password: stored unasked, then asked."""
    given = f"TBANK_BASE_URL={parrot}\nTBANK_LOGIN=judge\nTBANK_PASSWORD={world.secret('the telephony password')}\n"
    code = world.otklik("connect", "tbank", "--id", "phone", "--env-file", "-", "--no-check", given=given)
    assert code == 0, world.everything_said()
    assert world.otklik("probe", "tbank") == 1


def _ask_a_judge(world: World, parrot: str) -> None:
    """A gateway that repeats the key: asked by doctor, then for the talks of a day."""
    gateway = {"LLM_BASE_URL": parrot, "LLM_API_KEY": world.secret("the judge's key"), "LLM_MODEL": "openai/gpt-4.1"}
    world.otklik("doctor", **gateway)
    world.process("score", "--from", "2026-11-12", "--to", "2026-11-12", "--chats", **gateway)
    with world.database.connect() as connection:
        assert connection.execute("select count(*) > 0 from ops.llm_calls").fetchone() == (True,), (
            world.everything_said()
        )


def _connect_the_rest(world: World, sheets: SheetsEmulator, telegram: TelegramEmulator) -> None:
    world.secret("first key of the vault", (world.home / "secrets" / "connections.keys").read_text("ascii").split()[-1])
    key_file = json.dumps(sheets.service_account_info)
    for number, line in enumerate(sheets.service_account_info["private_key"].splitlines()[1:-1]):
        world.secret(f"line {number} of the service account's key", line)
    given = f"GOOGLE_SHEETS_ID={sheets.spreadsheet_id}\nGOOGLE_SERVICE_ACCOUNT_JSON='{key_file}'\n"
    assert world.otklik("connect", "sheets", "--env-file", "-", "--base-url", sheets.base_url, given=given) == 0
    world.secret("the bot's token", telegram.bot_token)
    world.secret("the secret half of the token", telegram.bot_token.partition(":")[2])
    given = f"TELEGRAM_BOT_TOKEN={telegram.bot_token}\nTELEGRAM_CHAT_ID={telegram.chat_id}\n"
    assert world.otklik("connect", "telegram", "--env-file", "-", "--base-url", telegram.base_url, given=given) == 0


def test_everything_that_can_leak_has_happened(
    world: World, sheets: SheetsEmulator, telegram: TelegramEmulator
) -> None:
    """The search below proves nothing about what was never done."""
    with world.database.connect() as connection:
        health = dict(connection.execute("select connection_id, status from ops.connections").fetchall())
        (events,) = connection.execute("select count(*) from dagster.event_logs").fetchone()
        (runs,) = connection.execute("select count(*) from dagster.runs").fetchone()
        marts = connection.execute("select count(*) > 0 from marts.manager_week").fetchone()
        sources = connection.execute("select count(distinct connection_id) from core.messages").fetchone()

    assert len(world.canaries) > 38
    assert {name: health[name] for name in _ACCOUNTS} == {
        "retailcrm": "ok",
        "shop2": "ok",
        "revoked": "needs_auth",
        "parrot": "broken",
        "browser": "broken",
        "phone": "needs_auth",
        "away": "broken",
    }
    assert events > 300 and runs >= 3 and marts == (True,) and sources == (2,)
    assert "manager_summary" in sheets.visible()
    assert any("revoked" in text for text in telegram.texts())
    assert world.codes["rotate-keys"] == 0
    assert world.codes["watch --once"] == 0


def test_the_week_was_loaded_published_and_printed(world: World) -> None:
    ((_, printed),) = (one for one in world.said if one[0] == "run --week 2026-W46: stdout")
    for said in ("Неделя 2026-W46 (09.11–15.11.2026)", "По менеджерам", "По каналам"):
        assert said in printed.decode("utf-8")
    with world.database.connect() as connection:
        assert connection.execute("select distinct week from marts.manager_week").fetchall() == [("2026-W46",)]


def test_no_table_holds_a_secret(world: World) -> None:
    url = urls.with_driver(world.database.url, None)
    searched = list(tables(url))
    names = {name.rpartition(".")[0] for name, _ in searched}

    assert {"ops.connections", "ops.incidents", "dagster.event_logs", "dagster.runs", "dagster.snapshots"} <= names
    assert hits(world.canaries, searched) == []


def test_a_stolen_dump_shows_no_credential(world: World) -> None:
    stolen = dump(urls.with_driver(world.database.url, None))
    assert b"connection_id, vendor, origin" in stolen and b"shop2" in stolen
    assert hits(world.canaries, [("the dump", stolen)]) == []

    # the thief has the rows, and a key of his own
    with world.database.connect() as connection:
        rows = connection.execute("select connection_id, credentials, key_id from ops.connections").fetchall()
    sealed = [(name, token, key_id) for name, token, key_id in rows if token is not None]
    assert len(sealed) == 8
    for _, token, _ in sealed:
        with pytest.raises(InvalidToken):
            Fernet(new_key()).decrypt(bytes(token))


def test_no_log_no_file_and_no_screen_shows_one(world: World, database_server: DatabaseServer) -> None:
    kept = [found for found in files(world.home) if not found[0].startswith(f"{world.home.name}/secrets/")]
    if database_server.embedded is not None:
        kept += files(database_server.embedded.home / "postgres" / "server.log")

    assert any("compute_logs" in name or "storage" in name for name, _ in kept)
    assert hits(world.canaries, [*kept, *world.said]) == []


def test_nothing_that_left_the_house_shows_one(
    world: World, sheets: SheetsEmulator, telegram: TelegramEmulator
) -> None:
    shown = json.dumps([list(map(repr, rows)) for rows in sheets.visible().values()], ensure_ascii=False)
    told = json.dumps(telegram.messages(), ensure_ascii=False)
    assert len(shown) > 10_000 and told
    assert hits(world.canaries, [("the sheet", shown.encode()), ("the chat", told.encode())]) == []


def test_the_owner_of_the_key_reads_all_of_them(world: World) -> None:
    settings = Settings(_env_file=None, otklik_home=world.home)  # type: ignore[call-arg]
    with world.database.connect() as connection:
        found = connections.credentials(connection, "shop2", Vault.open(settings))
    assert found == {name: world.canaries[f"second {name.replace('_', ' ')}"] for name in ("api_key", "bot_token")}


def test_the_search_finds_what_is_there(database_server: DatabaseServer) -> None:
    """In every spelling, in every kind of column, in a table that nobody told it of."""
    value = 'a/canary+77, with "quotes"'
    kinds = {"text": value, "bytea": value.encode(), "jsonb": json.dumps({"deep": [value]}), "varchar[]": [value]}
    kinds["bytea "] = zlib.compress(value.encode())
    kinds["text "] = base64.b64encode(b"left" + value.encode() + b"right").decode()
    kinds["text  "] = value.encode().hex()
    name = database_server.create("otklik_canaries_control")
    url = urls.with_driver(database_server.url(name), None)
    with psycopg.connect(url) as connection:
        for number, (kind, written) in enumerate(kinds.items()):
            connection.execute(f"create table found_{number} (value {kind})")
            connection.execute(f"insert into found_{number} values (%s)", (written,))
    found = hits({"it": value}, tables(url))
    stolen = hits({"it": value}, [("the dump", dump(url))])
    database_server.drop(name)

    assert found == [("it", f"public.found_{number}.value") for number in range(len(kinds))]
    assert stolen == [("it", "the dump")]


def test_the_loudest_logging_of_the_libraries_shows_none(
    world: World, telegram: TelegramEmulator, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token in a path is in every line that the HTTP library writes when it is asked to say everything."""
    import io

    from resources.clients.telegram import TelegramClient

    monkeypatch.setattr(redact, "_hidden", set())
    factory = logging.getLogRecordFactory()
    redact.install()
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with TelegramClient("telegram", telegram.base_url, telegram.bot_token) as client:
            client.me()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.setLogRecordFactory(factory)
    assert "getMe" in out.getvalue()
    assert hits(world.canaries, [("the log", out.getvalue().encode())]) == []
