"""An account out of the browser: what is copied there is shown and stored, and nothing secret is on screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversations.captures import CODES
from conversations.messages import CaptureErrors
from resources.accounts import retailcrm_web_accounts
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.retailcrm_web import RetailCRMWebEmulator

WEB = "retailcrm-web"
ALL = ("ChannelsList", "chatsList", "messages")


@pytest.fixture
def page() -> Iterator[RetailCRMWebEmulator]:
    with RetailCRMWebEmulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HTTP_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("HTTP_DEADLINE_SECONDS", "5")
    yield
    with database.connect() as connection:
        connection.execute("truncate ops.connections, ops.audit")


def saved(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return str(path)


def rows(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(
            "select connection_id, vendor, settings, status from ops.connections order by 1"
        ).fetchall()


def secrets_of(database: Warehouse, name: str, home: Path) -> dict[str, Any]:
    settings = Settings(_env_file=None, otklik_home=home)  # type: ignore[call-arg]
    with database.connect() as connection:
        found = connections.credentials(connection, name, Vault.open(settings))
    return {key: json.loads(value) for key, value in found.items()}


def shows_no_secret(page: RetailCRMWebEmulator, output: str) -> bool:
    session = page.cookie.partition("=")[2].partition(";")[0]
    return not any(secret in output for secret in (page.cookie, session, page.client_token, "lastNotSystemMessage"))


@pytest.mark.parametrize("form", ["bash", "bash-ansi"])
def test_copied_requests_connect_an_account(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path, form: str
) -> None:
    chats = saved(tmp_path, "web_curl.txt", page.curl("ChannelsList", "chatsList", form=form))
    messages = saved(tmp_path, "web_messages_curl.txt", page.curl("messages", form=form))
    result = otklik("connect", WEB, "--curl", chats, "--curl", messages, "--time-zone", "Asia/Almaty")

    assert result.exit_code == 0, result.output
    assert "Подключено: retailcrm-web (RetailCRM, веб-чаты), ключ принят" in result.stdout
    assert f"Что есть в захвате (127.0.0.1:{page.port})" in result.stdout
    assert [result.stdout.count(name) for name in ALL] == [1, 1, 1]
    assert "cookie" in result.stdout and "x-client-token" in result.stdout and "удалите его" in result.stdout
    assert shows_no_secret(page, result.output)
    assert rows(on_database) == [(WEB, WEB, {"address": page.address, "time_zone": "Asia/Almaty"}, "ok")]
    # verbatim, the comment in Russian included, whatever the quotes were
    assert secrets_of(on_database, WEB, tmp_path) == {"headers": page.headers(), "operations": page.operations(*ALL)}
    assert [call.path for call in page.ledger.calls] == ["/api/graphql/v1/batch#chatsList"], "asked once"


def test_a_har_connects_the_same_account(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    har = saved(tmp_path, "chats.har", json.dumps(page.har()))
    result = otklik("connect", WEB, "--har", har, "--name", "shop2")

    assert result.exit_code == 0, result.output
    assert shows_no_secret(page, result.output)
    assert rows(on_database) == [("shop2", WEB, {"address": page.address, "time_zone": "Europe/Moscow"}, "ok")]
    kept = secrets_of(on_database, "shop2", tmp_path)
    assert kept["headers"] == page.headers() and list(kept["operations"]) == list(ALL)
    assert {name: one["query"] for name, one in kept["operations"].items()} == {
        name: one["query"] for name, one in page.operations(*ALL).items()
    }
    (account,) = _accounts(on_database, tmp_path)
    assert (account.address, account.time_zone, account.fault) == (page.address, "Europe/Moscow", None)
    assert shows_no_secret(page, repr(account))


def _accounts(database: Warehouse, home: Path) -> list[Any]:
    with database.connect() as connection:
        return retailcrm_web_accounts(Settings(_env_file=None, otklik_home=home), connection)  # type: ignore[call-arg]


def test_without_messages_the_person_is_told_what_that_costs(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "a", page.curl("chatsList")))
    assert result.exit_code == 0, result.output
    assert "Без messages видны только последние сообщения" in result.stdout.replace("\n", " ")
    assert "Без ChannelsList" in result.stdout
    asked = otklik("probe", WEB)
    assert asked.exit_code == 0, "what was not captured is no illness"
    assert "not captured" in asked.stdout.replace("\n", " ")


def test_an_expired_session_is_captured_again_with_any_one_request(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    first = saved(tmp_path, "a", page.curl(*ALL))
    assert otklik("connect", WEB, "--curl", first, "--time-zone", "Asia/Almaty").exit_code == 0
    page.cookie = "crm_session=signed-in-again-0123456789; locale=ru"
    refused = otklik("connect", WEB, "--curl", first)
    assert refused.exit_code == 1 and "сессия браузера истекла" in refused.stderr
    assert "Traceback" not in refused.output

    again = otklik("connect", WEB, "--curl", saved(tmp_path, "b", page.curl("messages")))
    assert again.exit_code == 0, again.output
    assert "нет, остаётся прежний" in again.stdout
    kept = secrets_of(on_database, WEB, tmp_path)
    assert kept["headers"]["cookie"] == page.cookie and list(kept["operations"]) == list(ALL)
    assert rows(on_database)[0][2]["time_zone"] == "Asia/Almaty"


def test_operations_of_another_place_are_not_kept(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    assert otklik("connect", WEB, "--curl", saved(tmp_path, "a", page.curl(*ALL))).exit_code == 0
    moved = page.curl("messages").replace("127.0.0.1", "localhost")
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "b", moved))
    assert result.exit_code == 2 and "нет запроса chatsList" in result.stderr
    assert rows(on_database)[0][2]["address"] == page.address


@pytest.mark.parametrize("how", ["401", "403", "html", "errors", "redirect"])
def test_a_session_that_is_over_is_not_stored_and_asked_once(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path, how: str
) -> None:
    page.expired = how
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "a", page.curl(*ALL)))
    assert result.exit_code == 1
    assert "сессия браузера истекла" in result.stderr and "--curl" in result.stderr
    assert shows_no_secret(page, result.output)
    assert rows(on_database) == [] and len(page.ledger.calls) == 1


def test_an_account_whose_session_ends_says_so_everywhere(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    assert otklik("connect", WEB, "--curl", saved(tmp_path, "a", page.curl(*ALL))).exit_code == 0
    page.expired = "html"
    asked = otklik("probe", WEB)
    assert asked.exit_code == 1
    assert rows(on_database)[0][3] == "needs_auth"
    shown = otklik("connections").stdout.replace("\n", " ")
    assert "сессия истекла" in shown and "сессия браузера истекла" in shown
    page.expired = None
    assert otklik("probe", WEB).exit_code == 0
    assert rows(on_database)[0][3] == "ok"


def test_without_a_source_all_doors_are_shown(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    nothing = otklik("probe")
    assert nothing.exit_code == 1
    assert nothing.stdout.count("не подключена") == 3
    assert otklik("connect", WEB, "--curl", saved(tmp_path, "a", page.curl("chatsList"))).exit_code == 0
    with RetailCRMEmulator(rate=None, scopes={"api/credentials", "api/v5/users", "api/bot/v1/"}) as shop:
        keys = {
            "RETAILCRM_BASE_URL": shop.base_url,
            "RETAILCRM_API_KEY": shop.api_key,
            "RETAILCRM_BOT_TOKEN": shop.bot_token,
        }
        asked = otklik("probe", **keys)
        plain = json.loads(otklik("probe", "--json", **keys).stdout)
    table = asked.stdout[asked.stdout.index("Какая дверь открыта") :]
    flat = " ".join(table.split())
    assert asked.exit_code == 1
    assert {item["connection"] for item in plain} == {"retailcrm", WEB}
    assert "не подключена" not in flat
    assert flat.index("Bot API") < flat.index("API v5") < flat.index("веб-чаты")
    assert flat.count("частично") == 2, "API v5 by its rights, the web door by what was captured"
    assert "чатов и сообщений: в API v5 их нет" in flat and "api/v5/orders" in flat
    assert "нет захвата messages" in flat


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        ((WEB,), None, "нужен захват из браузера"),
        ((WEB, "--curl", "no-such-file"), None, "нет файла no-such-file"),
        ((WEB, "--curl", "{}", "--har", "{}"), "", "что-то одно"),
        ((WEB, "--curl", "{}", "--env-file", "{}"), "", "--env-file не для retailcrm-web"),
        (("retailcrm", "--har", "{}"), "", "--har только для retailcrm-web"),
        (("sheets", "--time-zone", "Europe/Moscow"), None, "--time-zone только для retailcrm-web"),
        ((WEB, "--curl", "{}"), "", "файл пуст"),
        ((WEB, "--curl", "{}"), 'curl ^"https://a.example^" ^\r\n', "Copy as cURL (cmd)"),
        ((WEB, "--curl", "{}"), "Invoke-WebRequest -Uri x", "Copy as PowerShell"),
        ((WEB, "--curl", "{}"), "curl 'https://a.example' -o /tmp/secret-place", "ключ -o здесь не принимается"),
        ((WEB, "--curl", "{}"), '{"log": {}}', "дайте через --har"),
        ((WEB, "--har", "{}"), "curl 'https://a.example'", "дайте его через --curl"),
        ((WEB, "--har", "{}"), '{"log": {"entries": [{"request": {"url": "htt', "обрывается (байт 45)"),
        ((WEB, "--har", "{}"), '{"log": {"entries": []}}', "нет запросов к …/api/graphql/v1/batch"),
    ],
)
def test_what_cannot_be_connected_is_one_line(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path, arguments: tuple[str, ...], text: str | None, said: str
) -> None:
    path = saved(tmp_path, "capture", text or "")
    result = otklik("connect", *(one.replace("{}", path) for one in arguments))
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "secret-place" not in result.output
    assert rows(on_database) == []


def test_a_http_address_and_an_unknown_zone_are_refused(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    open_address = page.curl("chatsList").replace("127.0.0.1", "shop.example")
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "a", open_address))
    assert result.exit_code == 2 and "адрес не годится" in result.stderr
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "b", page.curl("chatsList")), "--time-zone", "Moon/Sea")
    assert result.exit_code == 2 and "Moon/Sea" in result.stderr
    assert rows(on_database) == [] and page.ledger.calls == []


def test_an_address_of_a_private_network_says_which_setting_declares_it(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    inside = page.curl("chatsList").replace(page.base_url, "https://192.168.254.7")
    result = otklik("connect", WEB, "--curl", saved(tmp_path, "a", inside))
    assert result.exit_code == 1 and "HTTP_ALLOWED_PRIVATE_HOSTS" in result.stderr
    assert rows(on_database) == [] and page.ledger.calls == []


def test_a_file_that_others_can_read_is_remarked_on(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    path = saved(tmp_path, "a", page.curl("chatsList"))
    Path(path).chmod(0o644)
    result = otklik("connect", WEB, "--curl", path, "--no-check")
    assert result.exit_code == 0 and "chmod 600" in result.stderr
    assert "источник не спрашивали" in result.stdout and page.ledger.calls == []


def test_every_refusal_has_its_words() -> None:
    assert set(CaptureErrors.WHY) == CODES
    for code in CODES:
        assert CaptureErrors.why(code, "x") and "()" not in CaptureErrors.why(code, "")


def test_one_account_is_not_connected_through_two_doors(
    otklik: Otklik, on_database: Warehouse, page: RetailCRMWebEmulator, tmp_path: Path
) -> None:
    """All of its talk would count twice; the page's own host tells, not that of the gateway."""
    with RetailCRMEmulator(rate=None) as shop:
        # the page of this very shop sends its host along
        page.base_url = shop.base_url
        keys = {
            "RETAILCRM_BASE_URL": shop.base_url,
            "RETAILCRM_API_KEY": shop.api_key,
            "RETAILCRM_BOT_TOKEN": shop.bot_token,
        }
        capture = saved(tmp_path, "a", page.curl(*ALL))
        env = saved(tmp_path, "env", "\n".join(f"{name}={value}" for name, value in keys.items()))

        refused = otklik("connect", WEB, "--curl", capture, **keys)
        assert refused.exit_code == 2 and "уже подключён как retailcrm" in refused.stderr
        assert "дважды" in refused.stderr and page.ledger.calls == [] and not secrets_stored(on_database)

        assert otklik("connect", "retailcrm", "--env-file", env).exit_code == 0
        assert otklik("connect", WEB, "--curl", capture).exit_code == 2
        assert otklik("disable", "retailcrm").exit_code == 0
        assert otklik("connect", WEB, "--curl", capture).exit_code == 0
        assert otklik("connect", WEB, "--curl", capture).exit_code == 0, "the same one anew"
        assert otklik("connect", WEB, "--curl", capture, "--name", "again").exit_code == 2

        enabled = otklik("enable", "retailcrm")
        assert enabled.exit_code == 2 and f"уже подключён как {WEB}" in enabled.stderr
        with on_database.connect() as connection:
            assert connection.execute(
                "select disabled_at is null from ops.connections where connection_id = 'retailcrm'"
            ).fetchone() == (False,)

        # variables that come later are seen by whoever looks
        warned = otklik("probe", RETAILCRM_CONNECTION_ID="shop", **keys)
        assert f"shop и {WEB} ведут в один аккаунт" in " ".join(warned.output.split())


def secrets_stored(database: Warehouse) -> bool:
    with database.connect() as connection:
        return connection.execute("select from ops.connections where credentials is not null").fetchone() is not None
