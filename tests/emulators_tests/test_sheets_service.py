"""The emulated Google Sheets as a service: sign-in, rights, quota, faults, ledger, pages, restart, the program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from google.auth import crypt, jwt
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from tests.emulators.google_auth import GRANT, PUBLIC_AUDIENCE, READONLY, SPREADSHEETS
from tests.emulators.sheets import SPREADSHEET_ID, SheetsEmulator


@pytest.fixture
def emulator() -> Iterator[SheetsEmulator]:
    with SheetsEmulator() as running:
        yield running


def token(emulator: SheetsEmulator, scope: str = SPREADSHEETS) -> str:
    info = emulator.service_account_info
    signed = service_account.Credentials.from_service_account_info(info, scopes=[scope])
    signed.refresh(Request())
    return str(signed.token)


def call(
    emulator: SheetsEmulator, path: str, body: Any = None, authorization: str | None = None, **params: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {authorization}"} if authorization else {}
    url = f"{emulator.base_url}/v4/spreadsheets/{SPREADSHEET_ID}{path}"
    if body is None:
        return requests.get(url, params=params, headers=headers, timeout=10)
    return requests.post(url, params=params, json=body, headers=headers, timeout=10)


def written(text: str, value: str) -> dict[str, Any]:
    return {"valueInputOption": "RAW", "data": [{"range": text, "values": [[value]]}]}


# ---- who may call -------------------------------------------------------------------------------------------------


def test_the_key_file_is_private_and_gone_afterwards() -> None:
    with SheetsEmulator() as emulator:
        file = emulator.service_account_file
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text())["token_uri"] == f"{emulator.base_url}/token"
    assert not file.exists()


def test_calls_need_a_token_that_is_good_now() -> None:
    with SheetsEmulator(token_lifetime=4.0) as emulator:
        good = token(emulator)
        assert call(emulator, "", authorization=good).status_code == 200
        assert call(emulator, "").json()["error"]["status"] == "PERMISSION_DENIED"
        assert call(emulator, "", authorization="made-up").json()["error"]["status"] == "UNAUTHENTICATED"
        time.sleep(4.1)
        assert call(emulator, "", authorization=good).status_code == 401
        fresh = token(emulator)
        emulator.auth.expire()
        assert call(emulator, "", authorization=fresh).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, None),
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"exp": -10}, "invalid_grant"),
        ({"exp": 7200}, "invalid_grant"),
        ({"iat": 4000, "exp": 4100}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "https://www.googleapis.com/auth/nothing"}, "invalid_scope"),
        ({"sub": "director@company.example"}, "unauthorized_client"),
    ],
)
def test_refuses_claims_that_google_refuses(
    emulator: SheetsEmulator, change: dict[str, Any], error: str | None
) -> None:
    info, now = emulator.service_account_info, int(time.time())
    claims = {"iss": info["client_email"], "aud": PUBLIC_AUDIENCE, "scope": SPREADSHEETS, "iat": 0, "exp": 3600}
    claims |= change
    claims |= {name: now + claims[name] for name in ("iat", "exp")}
    assertion = jwt.encode(crypt.RSASigner.from_service_account_info(info), claims)
    answer = requests.post(f"{emulator.base_url}/token", data={"grant_type": GRANT, "assertion": assertion}, timeout=10)
    assert answer.json().get("error") == error


def test_refuses_a_signature_of_another_key(emulator: SheetsEmulator, tmp_path: Path) -> None:
    from tests.emulators.google_auth import GoogleAuth

    other = GoogleAuth(tmp_path, f"{emulator.base_url}/token", key=1).info()
    other["private_key_id"] = emulator.auth.key_id
    now = int(time.time())
    claims = {
        "iss": emulator.auth.email,
        "aud": PUBLIC_AUDIENCE,
        "scope": SPREADSHEETS,
        "iat": now,
        "exp": now + 60,
    }
    for info, status in ((other, 400), (emulator.service_account_info, 200)):
        assertion = jwt.encode(crypt.RSASigner.from_service_account_info(info), claims)
        form = {"grant_type": GRANT, "assertion": assertion}
        assert requests.post(f"{emulator.base_url}/token", data=form, timeout=10).status_code == status


def test_rights_of_scope_and_of_the_document(emulator: SheetsEmulator) -> None:
    full, reading = token(emulator), token(emulator, READONLY)
    body = written("A1", "x")
    assert call(emulator, "/values:batchUpdate", body, reading).status_code == 403
    assert call(emulator, "", authorization=reading).status_code == 200
    emulator.share("reader")
    assert call(emulator, "/values:batchUpdate", body, full).status_code == 403
    assert call(emulator, "", authorization=full).status_code == 200
    emulator.share(None)
    assert call(emulator, "", authorization=full).json()["error"]["status"] == "PERMISSION_DENIED"
    url = f"{emulator.base_url}/v4/spreadsheets/1nothing"
    got = requests.get(url, headers={"Authorization": f"Bearer {full}"}, timeout=10)
    assert (got.status_code, got.json()["error"]["status"]) == (404, "NOT_FOUND")


# ---- quota, sizes, faults -----------------------------------------------------------------------------------------


def test_quota_counts_reads_and_writes_apart() -> None:
    with SheetsEmulator(quota=3, minute=5.0) as emulator:
        good = token(emulator)
        codes = [
            [call(emulator, "", authorization=good).status_code for _ in range(4)],
            [call(emulator, "/values:batchUpdate", written("A1", "x"), good).status_code for _ in range(4)],
        ]
        assert codes == [[200, 200, 200, 429]] * 2
        error = call(emulator, "", authorization=good).json()["error"]
        assert (error["status"], error["details"][0]["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
        time.sleep(5.1)
        assert call(emulator, "", authorization=good).status_code == 200


@pytest.mark.parametrize(("large", "status"), [("refuse", 400), ("slow", 200), ("allow", 200)])
def test_a_body_over_two_megabytes(large: str, status: int) -> None:
    with SheetsEmulator(large=large) as emulator:
        good = token(emulator)
        rows = [["я" * 17_000]] * 21
        body = {"valueInputOption": "RAW", "data": [{"range": "A1", "values": rows}]}
        begun = time.monotonic()
        assert call(emulator, "/values:batchUpdate", body, good).status_code == status
        waited = time.monotonic() - begun
        assert emulator.ledger.calls[-1].sent > 2 * 1024 * 1024
        assert (waited > 0.04) if large == "slow" else True
        rows *= 5
        assert (
            call(emulator, "/values:batchUpdate", body | {"data": [{"range": "A1", "values": rows}]}, good).status_code
            == 400
        )


def test_faults_before_and_after_the_deed(emulator: SheetsEmulator) -> None:
    good = token(emulator)
    seen = []
    for number, kind in enumerate(("reset", "lost", "overtaken"), start=1):
        emulator.faults.add(kind, path="values:batchUpdate", after=1, times=1, seconds=2.0)
        assert call(emulator, "/values:batchUpdate", written("A1", f"{number}a"), good).status_code == 200
        with pytest.raises(requests.ConnectionError):
            call(emulator, "/values:batchUpdate", written("A1", f"{number}b"), good)
        seen.append(emulator.values("A1")[0][0])
        emulator.faults.clear()
    assert seen == ["1a", "2b", "3a"]
    deadline = time.monotonic() + 30
    while emulator.values("A1") != [["3b"]]:
        assert time.monotonic() < deadline, "done after the caller was gone"
        time.sleep(0.05)
    emulator.faults.add("status", status=503, times=1)
    emulator.faults.add("status", status=429, times=2)
    codes = [call(emulator, "", authorization=good).json()["error"]["code"] for _ in range(2)]
    assert codes == [503, 429]


def test_the_ledger_counts_and_keeps_no_secret(emulator: SheetsEmulator) -> None:
    good = token(emulator)
    call(emulator, f"/values/{quote('Лист1!A1:B2')}", authorization=good)
    call(emulator, "/values:batchUpdate", written("A1", "секрет"), good)
    kept = requests.get(f"{emulator.base_url}/_emulator/ledger", timeout=10).text
    assert [one["path"].rpartition("/")[2] for one in json.loads(kept)["list"]] == [
        "token",
        "Лист1!A1:B2",
        "values:batchUpdate",
    ]
    assert good not in kept
    assert "секрет" not in kept


def test_every_visible_moment_is_kept() -> None:
    with SheetsEmulator(keep_moments=True) as watched:
        watched.edit("A1", [["старое"]])
        properties = {"title": "скрытая", "sheetId": 5, "hidden": True}
        watched.requests([{"addSheet": {"properties": properties}}])
        watched.edit("'скрытая'!A1", [["новое"]])
        copy = {"source": {"sheetId": 5}, "destination": {"sheetId": 0}}
        watched.requests([{"copyPaste": copy}, {"deleteSheet": {"sheetId": 5}}])
        assert [moment["Лист1"][0][0] for moment in watched.moments] == ["старое"] * 3 + ["новое"]
        assert all(set(moment) == {"Лист1"} for moment in watched.moments)


def test_two_writers_at_once_lose_nothing(emulator: SheetsEmulator) -> None:
    good = token(emulator)

    def write(column: str) -> None:
        for row in range(1, 11):
            call(emulator, "/values:batchUpdate", written(f"{column}{row}", f"{column}{row}"), good)

    threads = [threading.Thread(target=write, args=(column,)) for column in "ABC"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emulator.values("A1:C10") == [[f"{column}{row}" for column in "ABC"] for row in range(1, 11)]


# ---- for people ---------------------------------------------------------------------------------------------------


def test_the_page_shows_what_people_see(emulator: SheetsEmulator) -> None:
    grid = {"rowCount": 50, "columnCount": 4, "frozenRowCount": 1}
    for number, (title, hidden) in enumerate((("Итоги <недели>", False), ("_staging", True)), start=5):
        properties = {"title": title, "sheetId": number, "hidden": hidden, "gridProperties": grid}
        emulator.requests([{"addSheet": {"properties": properties}}])
    emulator.edit("'Итоги <недели>'!A1", [["Имя", "Доля"], ["<b>Аня</b>", "12,5%"], ["Олег", "=B2*2"]])
    page = requests.get(f"{emulator.page_url()}?gid=5", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    for shown in ("Итоги &lt;недели&gt;", "&lt;b&gt;Аня&lt;/b&gt;", "12,50%", "0,25", 'href="?gid=0"'):
        assert shown in page.text
    for hidden_text in ("_staging", "<b>Аня"):
        assert hidden_text not in page.text
    as_json = requests.get(f"{emulator.page_url()}?as=json", timeout=10).json()
    assert as_json == {"Лист1": [], "Итоги <недели>": [["Имя", "Доля"], ["<b>Аня</b>", 0.125], ["Олег", 0.25]]}
    assert requests.get(f"{emulator.page_url()}?gid=6", timeout=10).status_code == 400


def test_people_act_over_http_too(emulator: SheetsEmulator) -> None:
    control = f"{emulator.base_url}/_emulator"
    requests.post(f"{control}/edit", json={"range": "A1", "values": [["=2*3"]]}, timeout=10).raise_for_status()
    assert emulator.values("A1") == [[6]]
    assert requests.get(f"{control}/formulas", timeout=10).json() == {"Лист1": ["=2*3"]}
    refused = requests.post(f"{control}/requests", json={"requests": [{"deleteSheet": {"sheetId": 0}}]}, timeout=10)
    assert "can't remove all the sheets" in refused.json()["error"]
    requests.post(f"{control}/share", json={"role": None}, timeout=10).raise_for_status()
    assert call(emulator, "", authorization=token(emulator)).status_code == 403


def test_state_outlives_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.emulators", "--only", "sheets", "--only", "telegram", "--port", "0"]
    facts = []
    for number in range(2):
        process = subprocess.Popen([*command, "--state", str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        facts.append(json.loads(process.stdout.readline()))
        sheets = facts[-1]["sheets"]
        info = json.loads(Path(sheets["service_account_file"]).read_text())
        signed = service_account.Credentials.from_service_account_info(info, scopes=[SPREADSHEETS])
        signed.refresh(Request())
        headers = {"Authorization": f"Bearer {signed.token}"}
        url = f"{sheets['base_url']}/v4/spreadsheets/{sheets['spreadsheet_id']}/values"
        if not number:
            body = written("A1", "останется")
            requests.post(f"{url}:batchUpdate", json=body, headers=headers, timeout=10).raise_for_status()
        else:
            assert requests.get(f"{url}/A1", headers=headers, timeout=10).json()["values"] == [["останется"]]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert facts[0]["telegram"]["bot_token"] == facts[1]["telegram"]["bot_token"]
    assert (tmp_path / "telegram" / "telegram.json").stat().st_mode & 0o777 == 0o600
