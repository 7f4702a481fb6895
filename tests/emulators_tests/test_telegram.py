"""The emulated Bot API over real HTTP: tokens, forms, HTML of messages, refusals, limits, faults, a chat's page."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.emulators.telegram import TelegramEmulator
from tests.emulators.telegram_page import marked
from tests.pictures import png


@pytest.fixture
def emulator() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None) as running:
        yield running


def ask(emulator: TelegramEmulator, method: str, **form: Any) -> tuple[int, Any]:
    """Status and result, or description of the refusal."""
    answer = requests.post(f"{emulator.base_url}/bot{emulator.bot_token}/{method}", data=form, timeout=10)
    body = answer.json()
    assert body["ok"] is (answer.status_code == 200)
    assert body.get("error_code", 200) == answer.status_code
    return answer.status_code, body["result"] if body["ok"] else body["description"]


def html(emulator: TelegramEmulator, text: str) -> tuple[int, Any]:
    return ask(emulator, "sendMessage", chat_id=emulator.chat_id, text=text, parse_mode="HTML")


# ---- tokens, methods, forms ---------------------------------------------------------------------------------------


def test_tokens_and_methods(emulator: TelegramEmulator) -> None:
    assert ask(emulator, "getMe")[1]["is_bot"] is True
    assert ask(emulator, "GETME")[0] == 200
    assert ask(emulator, "getMo") == (404, "Not Found: method not found")
    for token, status in (("123:" + "x" * 35, 401), ("123", 404), ("", 404)):
        assert requests.get(f"{emulator.base_url}/bot{token}/getMe", timeout=10).status_code == status
    kept = requests.get(f"{emulator.base_url}/_emulator/ledger", timeout=10).text
    assert "/bot***/getMe" in kept
    assert emulator.bot_token not in kept


def test_all_three_kinds_of_body_and_the_query(emulator: TelegramEmulator) -> None:
    url = f"{emulator.base_url}/bot{emulator.bot_token}/sendMessage"
    form = {"chat_id": str(emulator.chat_id), "text": "привет & пока"}
    for more in ({"data": form}, {"json": form}, {"files": {k: (None, v) for k, v in form.items()}}, {"params": form}):
        assert requests.post(url, timeout=10, **more).json()["result"]["text"] == "привет & пока"  # type: ignore[arg-type]
    assert requests.get(url, params=form, timeout=10).status_code == 200
    assert emulator.texts() == ["привет & пока"] * 5
    broken = requests.post(url, data=b"{", headers={"Content-Type": "application/json"}, timeout=10)
    assert broken.status_code == 400


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"chat_id": "", "text": "x"}, 400, "Bad Request: chat_id is empty"),
        ({"chat_id": "12345", "text": "x"}, 400, "Bad Request: chat not found"),
        ({"text": ""}, 400, "Bad Request: message text is empty"),
        ({"text": " \n "}, 400, "Bad Request: message text is empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, 400, "Bad Request: message text is empty"),
        ({"text": "я" * 4097}, 400, "Bad Request: message is too long"),
        ({"text": "🙂" * 2049}, 400, "Bad Request: message is too long"),
        ({"text": "x", "parse_mode": "xml"}, 400, "Bad Request: unsupported parse_mode"),
        ({"text": "x", "reply_markup": "{"}, 400, "Bad Request: can't parse reply markup JSON object"),
    ],
)
def test_refuses_what_telegram_refuses(
    emulator: TelegramEmulator, form: dict[str, str], status: int, said: str
) -> None:
    assert ask(emulator, "sendMessage", **{"chat_id": emulator.chat_id, **form}) == (status, said)
    assert emulator.messages() == []


def test_length_is_counted_after_the_entities(emulator: TelegramEmulator) -> None:
    assert html(emulator, "<b>" + "&lt;" * 4096 + "</b>")[0] == 200
    assert html(emulator, "<b>" + "&lt;" * 4097 + "</b>")[0] == 400


# ---- HTML ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<b>да", 'Can\'t find end tag corresponding to start tag "b"'),
        ("цена < 5", 'Unsupported start tag "" at byte offset 9'),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("<i><b>x</i></b>", 'Unmatched end tag at byte offset 7, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("x<b", "Unclosed start tag at byte offset 1"),
        ('x<a href="y"', 'Unclosed start tag "a" at byte offset 1'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_cannot_be_parsed(emulator: TelegramEmulator, text: str, said: str) -> None:
    assert html(emulator, text) == (400, f"Bad Request: can't parse entities: {said}")


def test_html_that_can(emulator: TelegramEmulator) -> None:
    text = (
        "\n <b>🙂 <i>оба</i></b> a &lt; b &amp;&#33; R&D > <a href='https://x.example/?a=1&amp;b=2'>там</a><pre><code "
    )
    text += 'class="language-sql">select</code></pre> '
    message = html(emulator, text)[1]
    assert message["text"] == "🙂 оба a < b &! R&D > тамselect"
    seen = [(one["type"], one["offset"], one["length"]) for one in message["entities"]]
    # the smile counts twice
    assert seen == [("bold", 0, 6), ("italic", 3, 3), ("text_link", 22, 3), ("pre", 25, 6)]
    assert message["entities"][3]["language"] == "sql"
    assert message["entities"][2]["url"] == "https://x.example/?a=1&b=2"


def test_the_page_shows_entities_and_nothing_else_as_html(emulator: TelegramEmulator) -> None:
    message = html(emulator, "<b>🙂 &lt;script&gt; <i>оба</i></b>")[1]
    shown = "<b>🙂 &lt;script&gt; <i>оба</i></b>"
    assert marked(message["text"], message["entities"]) == shown
    emulator.say("вопрос <u>", emulator.chat_id)
    page = requests.get(f"{emulator.base_url}/_emulator/chat/{emulator.chat_id}", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert shown in page.text
    assert "вопрос &lt;u&gt;" in page.text
    assert [one["text"] for one in emulator.messages()] == ["🙂 <script> оба"], "only what the bot has said"


# ---- chats --------------------------------------------------------------------------------------------------------


def test_chats_that_do_not_take_a_message(emulator: TelegramEmulator) -> None:
    emulator.block(emulator.person_id)
    blocked = "Forbidden: bot was blocked by the user"
    assert ask(emulator, "sendMessage", chat_id=emulator.person_id, text="x") == (403, blocked)
    emulator.unblock(emulator.person_id)
    assert ask(emulator, "sendMessage", chat_id=emulator.person_id, text="x")[0] == 200
    new = emulator.migrate()
    url = f"{emulator.base_url}/bot{emulator.bot_token}/sendMessage"
    moved = requests.post(url, data={"chat_id": emulator.chat_id, "text": "x"}, timeout=10).json()
    assert (moved["error_code"], moved["parameters"]) == (400, {"migrate_to_chat_id": new})
    assert ask(emulator, "sendMessage", chat_id=new, text="x")[0] == 200
    emulator.block(new)
    assert ask(emulator, "getChat", chat_id=new) == (403, "Forbidden: bot was kicked from the supergroup chat")


def test_photos(emulator: TelegramEmulator) -> None:
    url = f"{emulator.base_url}/bot{emulator.bot_token}/sendPhoto"

    def send(data: bytes | None, **form: Any) -> tuple[int, Any]:
        files = {"photo": ("week.png", data)} if data is not None else None
        body = requests.post(url, data={"chat_id": emulator.chat_id, **form}, files=files, timeout=10).json()
        return body.get("error_code", 200), body.get("result", body.get("description"))

    sent = send(png(), caption="<b>Неделя</b>", parse_mode="HTML")[1]
    assert (sent["photo"][0]["width"], sent["photo"][0]["height"]) == (3, 2)
    assert (sent["caption"], sent["caption_entities"][0]["type"]) == ("Неделя", "bold")
    assert send(None, photo=sent["photo"][0]["file_id"])[0] == 200
    assert send(None) == (400, "Bad Request: there is no photo in the request")
    assert send(b"not a picture") == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    assert send(png()[:-20]) == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    assert send(png(9000, 2000)) == (400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    assert send(png(), caption="я" * 1025) == (400, "Bad Request: message caption is too long")
    emulator.forbid_photos()
    assert send(png()) == (400, "Bad Request: not enough rights to send photos to the chat")
    shown = requests.get(f"{emulator.base_url}/_emulator/photo/{sent['photo'][0]['file_id']}", timeout=10)
    assert shown.content == png()


def test_updates_are_confirmed_by_the_offset(emulator: TelegramEmulator) -> None:
    first, second = emulator.say("один"), emulator.say("два")
    got = ask(emulator, "getUpdates")[1]
    assert [(one["update_id"], one["message"]["text"]) for one in got] == [(first, "один"), (second, "два")]
    assert [one["update_id"] for one in ask(emulator, "getUpdates", offset=second)[1]] == [second]
    assert [one["update_id"] for one in ask(emulator, "getUpdates", offset=0)[1]] == [second]
    assert ask(emulator, "getUpdates", offset=second + 1)[1] == []
    threading.Timer(0.2, emulator.say, ("три",)).start()
    begun = time.monotonic()
    assert ask(emulator, "getUpdates", timeout=60)[1][0]["message"]["text"] == "три"
    assert time.monotonic() - begun < 45


def test_two_pollers_are_a_conflict(emulator: TelegramEmulator) -> None:
    def poll() -> None:
        # refused itself while the other one is there, which leaves at once
        while ask(emulator, "getUpdates", timeout=60)[0] == 409:
            pass

    poller = threading.Thread(target=poll)
    poller.start()
    codes = {200}
    while 409 not in codes and poller.is_alive():
        codes.add(ask(emulator, "getUpdates")[0])
    emulator.say("конец")
    poller.join()
    assert codes == {200, 409}


# ---- limits and faults --------------------------------------------------------------------------------------------


def test_limits_of_a_chat_and_of_a_group() -> None:
    with TelegramEmulator(per_second=200.0, per_minute=3, minute=60.0) as emulator:

        def send(chat_id: int) -> int:
            time.sleep(0.06)
            return ask(emulator, "sendMessage", chat_id=chat_id, text="x")[0]

        assert [send(emulator.chat_id) for _ in range(3)] == [200, 200, 200]
        url = f"{emulator.base_url}/bot{emulator.bot_token}/sendMessage"
        full = requests.post(url, data={"chat_id": emulator.chat_id, "text": "x"}, timeout=10).json()
        assert full["error_code"] == 429
        assert full["description"] == f"Too Many Requests: retry after {full['parameters']['retry_after']}"
        assert 1 <= full["parameters"]["retry_after"] <= 60
        assert [send(emulator.person_id) for _ in range(5)] == [200] * 5, "a person is no group"
        assert emulator.early == []
        assert send(emulator.chat_id) == 429
        assert [chat for chat, _ in emulator.early] == [emulator.chat_id], "came before the time that was told"
        assert len(emulator.messages()) == 3


def test_one_message_a_second_to_one_chat() -> None:
    with TelegramEmulator() as emulator:
        codes = [ask(emulator, "sendMessage", chat_id=emulator.person_id, text="x")[0] for _ in range(4)]
        assert codes == [200, 200, 429, 429], "a burst of two passes"


def test_faults(emulator: TelegramEmulator) -> None:
    url = f"{emulator.base_url}/bot{emulator.bot_token}/sendMessage"

    def send(text: str) -> requests.Response:
        return requests.post(url, data={"chat_id": emulator.chat_id, "text": text}, timeout=10)

    emulator.faults.add("lost", path="sendMessage", times=1)
    with pytest.raises(requests.ConnectionError):
        send("дошло")
    emulator.faults.add("reset", path="sendMessage", times=1)
    with pytest.raises(requests.ConnectionError):
        send("не дошло")
    assert emulator.texts() == ["дошло"]
    emulator.faults.add("status", status=429, retry_after=2, times=1)
    limited = send("x")
    assert limited.json()["parameters"] == {"retry_after": 2}
    emulator.faults.add("status", status=502, times=1)
    assert send("x").text.startswith("<html>")
    emulator.faults.add("status", status=401, times=1)
    assert send("x").json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert json.loads(requests.get(f"{emulator.base_url}/_emulator/ledger", timeout=10).text)["calls"] == 5
