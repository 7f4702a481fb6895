"""The Sheets client against the emulated service: sign-in, refusals, quota, and what no text of it may show."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from resources.clients.errors import (
    BadConfiguration,
    DeadlineExceeded,
    Forbidden,
    NeedsAuth,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    TransientError,
    UnknownOutcome,
)
from resources.clients.sheets import SheetsClient
from resources.sheets import publish
from tests.contract.spreadsheets import QUICK, SHEETS_API, asked, client_of, over_quota, tabs_of
from tests.emulators.sheets import SheetsEmulator

ADD: list[dict[str, Any]] = [{"addSheet": {"properties": {"title": "x", "sheetId": 7}}}]


def tokens(emulator: SheetsEmulator) -> int:
    return sum(call.path == "/token" for call in emulator.ledger.calls)


def test_reads_and_changes_what_is_there(emulator: SheetsEmulator, client: SheetsClient) -> None:
    assert client.title(emulator.spreadsheet_id) == "Отклик: демо"
    emulator.edit("'Лист1'!A1:C3", [["a", 1, ""], [], ["", "", 2.5]])
    ragged = client.read(emulator.spreadsheet_id, ["'Лист1'!A1:Z9", "'Лист1'!X1:Z9"])
    assert ragged == [[["a", 1], [], ["", "", 2.5]], []]
    book = client.change(emulator.spreadsheet_id, ADD, "adding")
    assert [(sheet.title, sheet.sheet_id, sheet.hidden) for sheet in book.sheets] == [
        ("Лист1", 0, False),
        ("x", 7, False),
    ]
    assert client.book(emulator.spreadsheet_id) == book
    assert client.calls == asked(emulator) == 4
    assert tokens(emulator) == 1


def test_texts_travel_as_they_are(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """A Cyrillic letter is two bytes of a request, not six."""
    tab = tabs_of(1)[1]
    published = publish(client, emulator.spreadsheet_id, [tab], {})
    sizes = [call.sent for call in emulator.ledger.calls if call.path.endswith("values:batchUpdate")]
    assert sizes == [published.bytes_sent]
    assert sizes[0] < 300


def test_expired_token_is_renewed_once(emulator: SheetsEmulator, client: SheetsClient) -> None:
    """F14: also in the middle, and for a change that must not be made twice: a 401 has changed nothing."""
    client.title(emulator.spreadsheet_id)
    emulator.auth.expire()
    client.change(emulator.spreadsheet_id, ADD, "adding")
    assert tokens(emulator) == 2
    emulator.auth.expire()
    client.title(emulator.spreadsheet_id)
    assert tokens(emulator) == 3
    assert asked(emulator) == 5


def test_token_that_is_never_accepted_is_no_storm(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.faults.add("expire_token", path=SHEETS_API)
    for _ in range(4):
        with pytest.raises(NeedsAuth):
            client.title(emulator.spreadsheet_id)
    assert asked(emulator) == 2


def test_key_that_was_deleted(emulator: SheetsEmulator) -> None:
    stranger = SheetsEmulator()
    account = {**stranger.service_account_info, "token_uri": f"{emulator.base_url}/token"}
    stranger._server.server_close()
    with SheetsClient("sheets", emulator.base_url, {**account, "private_key": _other_key()}, limits=QUICK) as client:
        for _ in range(3):
            with pytest.raises(NeedsAuth, match="invalid_grant"):
                client.title(emulator.spreadsheet_id)
    assert (tokens(emulator), asked(emulator)) == (1, 0)


def test_sign_in_that_fails_is_tried_again_by_one_layer(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.faults.add("status", status=503, path="^/token")
    with pytest.raises(TransientError, match="gave up after 3 attempts"):
        client.title(emulator.spreadsheet_id)
    assert tokens(emulator) == QUICK.attempts
    assert client.calls == 0


@pytest.mark.parametrize("missing", ["client_email", "private_key", "token_uri"])
def test_key_file_without_a_field(missing: str, emulator: SheetsEmulator) -> None:
    account = {name: value for name, value in emulator.service_account_info.items() if name != missing}
    with pytest.raises(BadConfiguration, match=missing):
        SheetsClient("sheets", emulator.base_url, account)


def test_key_that_is_none(emulator: SheetsEmulator) -> None:
    first, *_, last = emulator.service_account_info["private_key"].splitlines()
    account = {**emulator.service_account_info, "private_key": f"{first}\nnot a key\n{last}\n"}
    with (
        SheetsClient("sheets", emulator.base_url, account) as client,
        pytest.raises(BadConfiguration, match="cannot be read") as failed,
    ):
        client.title(emulator.spreadsheet_id)
    assert "not a key" not in repr(failed.value)


def test_sign_in_goes_nowhere_without_encryption(emulator: SheetsEmulator) -> None:
    account = {**emulator.service_account_info, "token_uri": "http://sign-in.example.com/token"}
    with pytest.raises(BadConfiguration, match="not encrypted"):
        SheetsClient("sheets", emulator.base_url, account)


@pytest.mark.parametrize(
    ("role", "error", "remedy"), [(None, Forbidden, "Share the spreadsheet"), ("reader", Forbidden, "as an editor")]
)
def test_spreadsheet_that_is_not_shared(
    role: str | None, error: type[SourceError], remedy: str, emulator: SheetsEmulator, client: SheetsClient
) -> None:
    emulator.share(role)
    with pytest.raises(error, match=remedy):
        client.change(emulator.spreadsheet_id, ADD, "adding")
    assert asked(emulator) == 1


def test_an_api_that_nobody_switched_on_is_no_matter_of_sharing(
    emulator: SheetsEmulator, client: SheetsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Google answers a service account whose project has not enabled the API."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com", "metadata": {"service": "sheets.googleapis.com"}}  # fmt: skip
    said = {"code": 403, "message": "Google Sheets API has not been used in project 1 before or it is disabled.",
            "status": "PERMISSION_DENIED", "details": [info]}  # fmt: skip
    monkeypatch.setattr(emulator, "error", lambda *_: {"error": said})
    emulator.faults.add("status", status=403, path="^/v4/")
    with pytest.raises(BadConfiguration, match="Enable the Google Sheets API"):
        client.title(emulator.spreadsheet_id)


def test_spreadsheet_that_is_not_there(client: SheetsClient) -> None:
    with pytest.raises(NotFound, match="id of the spreadsheet"):
        client.title("1NoSuchSpreadsheet")


def test_refusal_says_what_was_wrong_but_quotes_no_values(emulator: SheetsEmulator, client: SheetsClient) -> None:
    with pytest.raises(Refused, match="already exists"):
        client.change(emulator.spreadsheet_id, [*ADD, *ADD], "adding")
    body = '{"valueInputOption":"RAW","data":[{"range":"Секрет Иванова!A1","values":[["x"]]}]}'
    with pytest.raises(Refused, match="INVALID_ARGUMENT") as failed:
        client.write(emulator.spreadsheet_id, body.encode(), "values 1 of 1")
    assert "Иванова" not in str(failed.value)


@pytest.mark.parametrize("fault", ["lost", "hang", "truncated", "html"])
def test_change_without_an_answer_is_never_sent_again(
    fault: str, emulator: SheetsEmulator, client: SheetsClient
) -> None:
    emulator.faults.add(fault, path=":batchUpdate$", seconds=0.5)
    with pytest.raises(UnknownOutcome):
        client.change(emulator.spreadsheet_id, ADD, "adding")
    assert asked(emulator) == 1
    assert ("x" in emulator.sheets()) == (fault in ("lost", "truncated"))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_change_that_may_have_been_made_is_never_sent_again(
    status: int, emulator: SheetsEmulator, client: SheetsClient
) -> None:
    emulator.faults.add("status", status=status, path=":batchUpdate$")
    with pytest.raises(UnknownOutcome):
        client.change(emulator.spreadsheet_id, ADD, "adding")
    assert asked(emulator) == 1


def test_change_that_surely_was_not_made_is_sent_again(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.faults.add("status", status=429, path=":batchUpdate$", times=2)
    client.change(emulator.spreadsheet_id, ADD, "adding")
    assert asked(emulator) == 3


def test_nobody_listens(emulator: SheetsEmulator) -> None:
    """No connection means not sent: an ordinary failure, not an unknown outcome."""
    with client_of(emulator) as client:
        client.title(emulator.spreadsheet_id)
        emulator._server.stop()
        client._http.close()
        with pytest.raises(TransientError) as failed:
            client.change(emulator.spreadsheet_id, ADD, "adding")
    assert not isinstance(failed.value, UnknownOutcome)


def test_told_pause_is_kept(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.faults.add("status", status=429, retry_after=1, path=SHEETS_API, times=1)
    client.title(emulator.spreadsheet_id)
    assert asked(emulator) == 2
    assert emulator.ledger.early == []
    emulator.faults.add("status", status=429, retry_after=30, path=SHEETS_API)
    with pytest.raises(RateLimited):
        client.title(emulator.spreadsheet_id)
    assert asked(emulator) == 3
    with pytest.raises(DeadlineExceeded):
        client.title(emulator.spreadsheet_id)
    assert asked(emulator) == 3


def test_quota_of_a_user_is_shared_by_his_clients_and_never_exceeded() -> None:
    """Five reads and five writes a 'minute' of a second: no 429, and none too many by the emulator's ledger."""
    limits = {"requests_per_minute": 5, "quota_seconds": 1.0}
    with SheetsEmulator(quota=5, minute=1.0) as emulator:
        with client_of(emulator, **limits) as one, client_of(emulator, **limits) as other:
            patient = [SheetsClient.title, SheetsClient.book]
            for number in range(5):
                for act in patient:
                    act((one, other)[number % 2], emulator.spreadsheet_id)
            publish(one, emulator.spreadsheet_id, tabs_of(1), {}, request_bytes=300)
        assert {call.status for call in emulator.ledger.calls} == {200}
        assert asked(emulator) >= 17
        assert over_quota(emulator, 5, 1.0) == []


def test_no_key_token_or_text_in_the_log(
    emulator: SheetsEmulator, client: SheetsClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    emulator.faults.add("status", status=500, path="values:batchUpdate", times=1)
    emulator.faults.add("lost", path=":batchUpdate$", after=3, times=1)
    publish(client, emulator.spreadsheet_id, tabs_of(1), {})
    said = caplog.text
    assert "reason=" in said
    token = next(iter(emulator.auth._tokens))
    for secret in (token, emulator.service_account_info["private_key"].splitlines()[3], "чат 1-", "Имя 1"):
        assert secret not in said


def _other_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()
