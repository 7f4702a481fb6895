"""The emulated RetailCRM account over real HTTP: paging, limits, tokens, faults, ledger, control, the program."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulators.retailcrm import API_KEY, BOT_TOKEN, RetailCRMEmulator
from tests.emulators.retailcrm_bot import BotOptions
from tests.emulators.shop import Shop

HEADERS = {"X-Bot-Token": BOT_TOKEN, "X-API-KEY": API_KEY}


@pytest.fixture
def emulator() -> Iterator[RetailCRMEmulator]:
    with RetailCRMEmulator(Shop.tiny(), rate=None) as running:
        yield running


def get(emulator: RetailCRMEmulator, path: str, **params: Any) -> requests.Response:
    return requests.get(f"{emulator.base_url}/api/{path}", params=params, headers=HEADERS, timeout=10)


def walk(emulator: RetailCRMEmulator, limit: int = 30, **filters: Any) -> list[dict[str, Any]]:
    """All messages, backwards by ``until_id``, as the vendor's fixtures suggest."""
    rows: list[dict[str, Any]] = []
    until: dict[str, Any] = {}
    while page := get(emulator, "bot/v1/messages", limit=limit, **until, **filters).json():
        if {row["id"] for row in page} <= {row["id"] for row in rows}:
            break
        rows += page
        until = {"until_id": min(row["id"] for row in page)}
    return rows


@pytest.mark.parametrize("options", [BotOptions(), BotOptions(inclusive_ids=True), BotOptions(order="asc")])
def test_paging_gives_the_whole_truth(options: BotOptions) -> None:
    with RetailCRMEmulator(Shop.tiny(), rate=None, bot=options) as emulator:
        if options.order == "asc":
            rows, since = [], 0
            while page := get(emulator, "bot/v1/messages", limit=30, since_id=since).json():
                rows += page
                since = max(row["id"] for row in page)
        else:
            rows = walk(emulator)
        assert {str(row["id"]): row for row in rows} == emulator.ledger.rows("messages")


def test_windows_filter_by_time_and_the_ledger_is_half_open(emulator: RetailCRMEmulator) -> None:
    start, end = datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
    form = "%Y-%m-%dT%H:%M:%S.%fZ"
    rows = walk(emulator, since=start.strftime(form), until=(end - timedelta(microseconds=1)).strftime(form))
    assert rows
    assert {str(row["id"]): row for row in rows} == emulator.ledger.rows("messages", start, end)
    times = [datetime.fromisoformat(row["time"]) for row in rows]
    assert start <= min(times) and max(times) < end


def test_newest_first_and_times_in_both_spellings(emulator: RetailCRMEmulator) -> None:
    rows = get(emulator, "bot/v1/messages", limit=100).json()
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids, reverse=True)
    assert {row["time"][-6:] if "+" in row["time"] else "Z" for row in rows} == {"+03:00", "Z"}
    digits = {len(row["created_at"].partition(".")[2].rstrip("Z")) for row in rows}
    assert 0 in digits and len(digits) > 3


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("bot/v1/messages", {"limit": 1001}, 400),
        ("bot/v1/messages", {"limit": "many"}, 400),
        ("bot/v1/messages", {"since": "yesterday"}, 400),
        ("bot/v1/messages", {"sinse_id": 1}, 400),
        ("bot/v1/nothing", {}, 404),
        ("v5/chats", {}, 404),
        ("v5/users", {"limit": 30}, 400),
        ("v5/orders", {"filter[createdAtFrom]": "tomorrow"}, 400),
        ("v5/orders", {"filter[nonsense]": "1"}, 400),
    ],
)
def test_what_the_vendor_refuses_is_refused(
    emulator: RetailCRMEmulator, path: str, params: dict[str, Any], status: int
) -> None:
    answer = get(emulator, path, **params)
    assert answer.status_code == status
    assert ("errors" in answer.json()) if path.startswith("bot") else (answer.json()["success"] is False)


def test_tokens_are_asked_for_and_never_written_down(emulator: RetailCRMEmulator) -> None:
    url = f"{emulator.base_url}/api"
    assert requests.get(f"{url}/bot/v1/users", timeout=5).status_code == 401
    assert requests.get(f"{url}/bot/v1/users", headers={"X-Bot-Token": "wrong"}, timeout=5).status_code == 401
    assert requests.get(f"{url}/v5/users", headers={"X-API-KEY": "wrong"}, timeout=5).status_code == 403
    assert requests.get(f"{url}/v5/users?apiKey={API_KEY}", timeout=5).status_code == 200
    assert API_KEY not in json.dumps(emulator.ledger.listing())
    assert emulator.ledger.summary()["secrets_in_url"] == 1


def test_v5_pages_and_polymorphic_fields() -> None:
    from datetime import date

    with RetailCRMEmulator(Shop.demo(1, date(2026, 11, 16), weeks=1), rate=None) as emulator:
        found, page = {}, 1
        while True:
            body = get(emulator, "v5/orders", limit=20, page=page).json()
            found |= {str(row["id"]): row for row in body["orders"]}
            if body["pagination"]["currentPage"] >= body["pagination"]["totalPageCount"]:
                break
            page += 1
        assert found == emulator.ledger.rows("orders")
        assert len(found) == body["pagination"]["totalCount"] > 20
        assert get(emulator, "v5/orders", limit=20, page=page + 1).json()["orders"] == []
        assert all(isinstance(row["payments"], dict) for row in found.values())
        history = get(emulator, "v5/orders/history", **{"filter[sinceId]": 0, "limit": 100}).json()["history"]
        assert [row["id"] for row in history] == sorted(row["id"] for row in history)


def test_the_documented_limit_holds() -> None:
    with RetailCRMEmulator(Shop.tiny(), rate=10, burst=12) as emulator:
        answers = [get(emulator, "bot/v1/bots") for _ in range(60)]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        with pytest.raises(requests.JSONDecodeError):
            refused[0].json()


@pytest.mark.parametrize("form", ["seconds", "date", "vendor"])
def test_early_calls_are_counted(emulator: RetailCRMEmulator, form: str) -> None:
    emulator.faults.add("status", status=429, retry_after=3, form=form, times=1)
    refused = get(emulator, "bot/v1/users")
    assert refused.status_code == 429
    if form == "date":
        assert parsedate_to_datetime(refused.headers["Retry-After"]) > datetime.now(UTC) - timedelta(seconds=1)
    assert get(emulator, "bot/v1/users").status_code == 200
    assert len(emulator.ledger.early) == 1
    time.sleep(4.1)
    get(emulator, "bot/v1/users")
    assert len(emulator.ledger.early) == 1


def test_broken_answers(emulator: RetailCRMEmulator) -> None:
    def faulty(kind: str, **options: Any) -> requests.Response:
        emulator.faults.clear()
        emulator.faults.add(kind, **options)
        return get(emulator, "bot/v1/messages", limit=20)

    for kind in ("reset", "reset_midway", "hang"):
        with pytest.raises(requests.RequestException):
            faulty(kind, seconds=0.1)
    for kind in ("html", "truncated"):
        answer = faulty(kind)
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    assert faulty("wrong_host").text.startswith("<")
    assert isinstance(faulty("wrong_shape").json(), dict)
    assert "x_emulator" in faulty("unknown_fields").json()[0]
    assert "x_emulator" in next(iter(emulator.ledger.rows("messages").values()))
    assert "robot" in faulty("unknown_enum").text
    assert faulty("forbid").status_code == 403
    answers = [faulty("expire_token", after=1).status_code, *(get(emulator, "bot/v1/bots").status_code for _ in "ab")]
    assert answers == [200, 401, 401]


def test_faults_in_rows(emulator: RetailCRMEmulator) -> None:
    honest = [row["id"] for row in get(emulator, "bot/v1/messages", limit=20).json()]

    def ids(kind: str, **params: Any) -> list[int]:
        emulator.faults.clear()
        emulator.faults.add(kind)
        return [row["id"] for row in get(emulator, "bot/v1/messages", limit=20, **params).json()]

    doubled = ids("duplicate_rows")
    assert len(doubled) > len(honest) and set(doubled) == set(honest)
    assert sorted(ids("shuffle"), reverse=True) == honest
    assert ids("ignore_cursor", until_id=honest[-1]) == honest
    assert ids("repeat_page", until_id=honest[-1]) == honest


def test_the_shop_changes_between_two_pages(emulator: RetailCRMEmulator) -> None:
    before = emulator.ledger.rows("messages")
    emulator.faults.add("insert_between", times=1)
    emulator.faults.add("edit_between", times=1)
    emulator.faults.add("delete_between", times=1)
    get(emulator, "bot/v1/messages", limit=20)
    after = emulator.ledger.rows("messages")
    assert len(after.keys() - before.keys()) == 1
    assert len(before.keys() - after.keys()) == 1
    assert before.keys() - after.keys() <= emulator.ledger.gone("messages").keys()
    assert [key for key in before.keys() & after.keys() if before[key] != after[key]]


def test_control_over_http_and_state_over_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with RetailCRMEmulator(Shop.tiny(), rate=None, state=state) as emulator:
        url = f"{emulator.base_url}/_emulator"
        assert requests.post(f"{url}/faults", json={"kind": "nonsense"}, timeout=5).status_code == 400
        number = requests.post(f"{url}/faults", json={"kind": "status", "status": 500}, timeout=5).json()["id"]
        assert get(emulator, "bot/v1/bots").status_code == 500
        requests.delete(f"{url}/faults", params={"id": number}, timeout=5)
        assert get(emulator, "bot/v1/bots").status_code == 200
        assert requests.get(f"{url}/ledger", timeout=5).json()["by_status"] == {"500": 1, "200": 1}
        window = {"start": "2026-03-02T00:00:00+03:00", "end": "2026-03-03T00:00:00+03:00", "stream": "messages"}
        rows = requests.get(f"{url}/ledger", params=window, timeout=5).json()
        assert rows == emulator.ledger.rows(
            "messages", *(datetime.fromisoformat(window[name]) for name in ("start", "end"))
        )
        doomed = int(next(iter(rows)))
        requests.post(f"{url}/mutate", json={"op": "delete", "message_id": doomed}, timeout=5)
        requests.post(f"{url}/clock", json={"now": "2026-03-10T08:00:00+03:00"}, timeout=5)
    with RetailCRMEmulator(Shop.tiny(), rate=None, state=state) as emulator:
        assert str(doomed) not in emulator.ledger.rows("messages")
        now = requests.get(f"{emulator.base_url}/_emulator/clock", timeout=5).json()["now"]
        assert datetime.fromisoformat(now) == datetime(2026, 3, 10, 5, tzinfo=UTC)


def test_the_program_starts_says_where_it_is_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "tests.emulators", "--port", "0", "--shop", "tiny", "--monday", "2026-03-09"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())["retailcrm"]
        answer = requests.get(f"{ready['mg_base_url']}/api/bot/v1/channels", headers=HEADERS, timeout=5)
        assert answer.status_code == 200
        process.terminate()
        assert process.wait(10) == 0
