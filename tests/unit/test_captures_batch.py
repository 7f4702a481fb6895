"""Which of the captured requests are replayed: ours, the best of several, one session, one place; and HAR."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.captures import Capture, Exchange, Gathering, NotACapture, Operation, Request
from conversations.captures.batch import stored_operations
from resources.clients import captures
from resources.clients.redact import redact
from resources.vault import hide_secret

URL = "https://mg.example/api/graphql/v1/batch"
COOKIE = "sid=0123456789abcdef; lang=ru"
HEADERS = (("accept", "*/*"), ("cookie", COOKIE), ("x-client-token", "token-of-the-page"), ("sec-fetch-mode", "cors"))


def item(name: str, query: str | None = None, **variables: Any) -> dict[str, Any]:
    return {"operationName": name, "query": f"query {name} {{ a }}" if query is None else query, "variables": variables}


def exchange(
    *items: dict[str, Any], url: str = URL, headers: Any = HEADERS, status: int | None = None, size: int = 0,
    answer: Any = None,
) -> Exchange:  # fmt: skip
    text = None if answer is None else json.dumps(answer)
    return Exchange(Request("POST", url, headers, json.dumps(items, ensure_ascii=False)), status, size, text)


def gathered(*exchanges: Exchange) -> Capture:
    gathering = Gathering()
    for one in exchanges:
        gathering.add(one)
    return gathering.capture()


def entry(one: Exchange, *, is_packed: bool = False, **content: Any) -> dict[str, Any]:
    """An entry of a HAR file, written by the specification and not by our reader."""
    text = one.answer or ""
    packed = {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"} if is_packed else {"text": text}
    request = one.request
    return {
        "startedDateTime": "2026-03-09T08:00:00.000Z",
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": [{"name": ":authority", "value": "x"}, *({"name": n, "value": v} for n, v in request.headers)],
            "cookies": [],
            "postData": {"mimeType": "application/json", "text": request.body, "params": []},
        },
        "response": {"status": one.status or 200, "content": {"size": len(text), **packed, **content}},
        "timings": {"wait": 1.5},
    }


def har(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": "b"}, "entries": entries}}), "utf-8")
    return path


DATA = [{"data": {"messages": {"edges": []}}}]


def test_operations_of_several_requests_come_together() -> None:
    capture = gathered(
        exchange(item("ChannelsList"), item("chatsList", first=50), item("whoAmI")),
        exchange(item("messages", chatId="88"), headers=(("cookie", "sid=fresh-session"), ("origin", "https://o"))),
    )
    assert capture.address == URL
    assert list(capture.operations) == ["ChannelsList", "chatsList", "messages"] and capture.missing == ()
    assert capture.operations["messages"] == Operation("query messages { a }", {"chatId": "88"})
    assert capture.headers == {"cookie": "sid=fresh-session", "origin": "https://o"}, "the session given last"
    assert capture.others == 1


def test_the_headers_of_the_contract_are_kept_and_no_others() -> None:
    more = (
        *HEADERS,
        ("cookie", "second=part"),
        ("authorization", "Bearer abcdef"),
        ("x-csrf-token", "c"),
        ("dnt", "1"),
    )
    capture = gathered(exchange(item("messages"), headers=more))
    assert capture.headers == {
        "accept": "*/*", "cookie": f"{COOKIE}; second=part", "x-client-token": "token-of-the-page",
        "authorization": "Bearer abcdef", "x-csrf-token": "c",
    }  # fmt: skip


def test_of_several_captures_the_one_with_the_most_data_is_taken() -> None:
    said = [
        (exchange(item("messages", "error"), status=200, size=9999, answer=[{"errors": [{"message": "no"}]}]), False),
        (exchange(item("messages", "small"), status=200, size=10, answer=DATA), False),
        (exchange(item("messages", "large"), status=200, size=500, answer=DATA), True),
        (exchange(item("messages", "refused"), status=401, size=99999), False),
        (exchange(item("messages", "smaller"), status=200, size=499, answer=DATA), False),
    ]
    for turn in range(len(said)):
        turned = [one for one, _ in said[turn:] + said[:turn]]
        assert gathered(*turned).operations["messages"].query == "large"
    assert gathered(*(one for one, is_best in said if not is_best)).operations["messages"].query == "smaller"


def test_what_comes_after_the_session_is_over_does_not_replace_it() -> None:
    over = exchange(item("messages"), headers=(("cookie", "sid=gone"),), status=401)
    assert gathered(exchange(item("messages"), status=200), over).headers["cookie"] == COOKIE


@pytest.mark.parametrize(
    ("exchanges", "code"),
    [
        ([], "no_batch"),
        ([exchange(item("messages"), url="https://mg.example/api/v5/users")], "not_batch"),
        ([exchange(item("messages"), url="http://other.example:99999/api/graphql/v1/batch")], "url"),
        ([exchange(item("messages"), url=URL.replace("mg", one)) for one in "ab"], "addresses"),
        ([Exchange(Request("POST", URL, HEADERS, "a=b"))], "body"),
        ([Exchange(Request("POST", URL, HEADERS, "[" * 100_000))], "body"),
        ([Exchange(Request("POST", URL, HEADERS, "[1]"))], "body"),
        ([Exchange(Request("POST", URL, HEADERS, None))], "body"),
        ([Exchange(Request("POST", URL, HEADERS, " " * ((4 << 20) + 1)))], "large"),
        ([exchange(item("whoAmI"))], "no_operations"),
        ([exchange(item("messages", ""))], "no_operations"),
        ([exchange(item("messages"), headers=(("accept", "*/*"), ("x-client-token", "t")))], "no_session"),
        ([exchange(item("messages"), headers=(("cookie", "a=Привет"),))], "header"),
        ([exchange(item("messages"), headers=(("cookie", "a=b\r\nx: y"),))], "header"),
        ([exchange(item("messages"), headers=(("cookie", "a" * 70_000),))], "large"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_is_refused(exchanges: list[Exchange], code: str) -> None:
    with pytest.raises(NotACapture) as refused:
        gathered(*exchanges)
    assert refused.value.code == code


def test_messages_alone_are_not_enough_unless_the_list_is_known() -> None:
    capture = gathered(exchange(item("messages", chatId="1")))
    with pytest.raises(NotACapture, match="no_chats"):
        capture.usable()
    known = stored_operations(gathered(exchange(item("chatsList", first=3), item("messages", "old"))).secrets())
    both = capture.over(known).usable()
    assert both.operations == {
        "chatsList": Operation("query chatsList { a }", {"first": 3}),
        "messages": Operation("query messages { a }", {"chatId": "1"}),
    }


@pytest.mark.parametrize("text", ["", "[]", "{", '{"messages": 1}', '{"messages": {"query": "q"}}'])
def test_damaged_operations_are_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        stored_operations({"operations": text})
    with pytest.raises(ValueError):
        stored_operations({})


def test_nothing_secret_is_shown() -> None:
    one = exchange(item("messages", "query of ours", chatId="chat-of-somebody"), answer=DATA)
    capture = gathered(one)
    shown = " ".join(map(repr, (one, one.request, capture, capture.operations["messages"], Gathering())))
    for secret in ("0123456789abcdef", "token-of-the-page", "query of ours", "chat-of-somebody"):
        assert secret not in shown
    assert "mg.example" in repr(capture)
    hide_secret(capture.secrets()["headers"])
    assert redact("sid 0123456789abcdef token-of-the-page ru */*") == "sid [redacted] [redacted] ru */*"


# --- HAR ------------------------------------------------------------------------------------------------------------


def test_a_har_gives_what_its_requests_gave(tmp_path: Path) -> None:
    picture = Exchange(Request("GET", "https://mg.example/a.png", (), None), 200, 5, "PNG")
    chats = exchange(item("ChannelsList"), item("chatsList"), status=200, answer=DATA * 2)
    small = exchange(item("messages", "small"), status=200, answer=DATA)
    large = exchange(item("messages", "large «ё»"), status=200, answer=[{"data": {"messages": ["ё" * 400]}}])
    for is_packed in (False, True):
        path = har(
            tmp_path / "a.har", entry(picture), entry(chats), entry(large, is_packed=is_packed),
            entry(small, is_packed=is_packed),
        )  # fmt: skip
        capture = captures.of_har_file(path)
        assert capture == gathered(chats, small, large)
        assert capture.operations["messages"].query == "large «ё»"


def test_a_har_may_hold_cookies_by_themselves_and_a_body_in_base64(tmp_path: Path) -> None:
    one = entry(exchange(item("messages"), headers=(("accept", "*/*"),)))
    one["request"]["cookies"] = [{"name": "sid", "value": "1", "path": "/"}, {"name": "b", "value": "2"}]
    text = one["request"]["postData"]["text"]
    one["request"]["postData"] |= {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
    capture = captures.of_har_file(har(tmp_path / "a.har", one))
    assert capture.headers["cookie"] == "sid=1; b=2" and list(capture.operations) == ["messages"]


def test_odd_entries_beside_good_ones_do_no_harm(tmp_path: Path) -> None:
    good = entry(exchange(item("messages"), status=200, answer=DATA))
    odd: list[Any] = [
        {}, {"request": None}, {"request": {"url": URL}}, {"request": {"url": 5, "method": {}}, "response": []},
        {**good, "request": {**good["request"], "method": "OPTIONS"}},
        {**good, "request": {**good["request"], "postData": {"text": "not json"}}},
        {**good, "response": {"status": "200", "content": {"size": 1.5, "text": 7, "encoding": "base64"}}},
        {**good, "response": {"status": 200, "content": {"size": -1, "text": "%%%", "encoding": "base64"}}},
    ]  # fmt: skip
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [*odd, good, *odd]}}), "utf-8-sig")
    assert list(captures.of_har_file(path).operations) == ["messages"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"curl 'https://a.example'", "curl_not_har"),
        (b"PK\x03\x04rest", "compressed"),
        (b"\x1f\x8b\x08rest", "compressed"),
        ("{}".encode("utf-16"), "encoding"),
        (b"{}", "no_log"),
        (b'{"log": {}}', "no_log"),
        (b"[]", "no_log"),
        (b'{"log": {"entries": []}}', "no_batch"),
        (b'{"log": {"entries": [}}', "json"),
        (b'{"log": {"entries": [{"a": "\xff\xfe\xfd"}]}}', "json"),
        (b'{"log": {"entries": []}} more', "json"),
        (b'{"log": {"entries": [' + b"9" * 3_000_000 + b"]}}", "json"),
        (b'{"log": ' + b"[" * 200_000, "deep"),
        (b'{"a":' * 200_000, "deep"),
        (b"just a text", "json"),
    ],
)
def test_a_file_that_is_no_har_is_one_clear_refusal(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.har"
    path.write_bytes(content)
    with pytest.raises(NotACapture) as refused:
        captures.of_har_file(path)
    assert refused.value.code == code


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_har_that_breaks_off_says_where(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("har")
    whole = har(folder / "a.har", *[entry(exchange(item("messages", 'ё\\"😀'), status=200, answer=DATA))] * 3)
    content = whole.read_bytes()
    cut = data.draw(st.integers(1, len(content) - 1))
    whole.write_bytes(content[:cut])
    with pytest.raises(NotACapture) as refused:
        captures.of_har_file(whole)
    assert (refused.value.code, refused.value.detail) == ("truncated", str(cut))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
        max_leaves=20,
    ),
    st.booleans(),
    st.integers(1, 90),
)
def test_bounded_reading_changes_nothing_that_is_short(value: Any, is_ascii: bool, size: int) -> None:
    import io

    content = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    given_out = bounded(io.BytesIO(content), size, longest=10_000)
    assert given_out == content.strip() or not content.strip()


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('aё😀\\"\n\t\u2028'), min_size=1, max_size=400), st.booleans(), st.integers(1, 40))
def test_long_texts_are_cut_between_letters(text: str, is_ascii: bool, size: int) -> None:
    import io

    content = json.dumps([text, "end"], ensure_ascii=is_ascii).encode()
    cut, end = json.loads(bounded(io.BytesIO(content), size, longest=20), strict=False)
    assert end == "end"
    # what a browser escapes as two halves may be cut between them; nothing else changes
    assert text.startswith(cut.rstrip("\ud83d")) and (len(content) > 30 or cut == text)


def bounded(file: Any, size: int, longest: int) -> bytes:
    class Slow:
        """Gives less than it is asked for."""

        def read(self, _: int) -> bytes:
            return bytes(file.read(size))

    reader = captures.BoundedJson(Slow(), longest)  # type: ignore[arg-type]
    return b"".join(iter(lambda: reader.read(16), b""))


def test_a_large_har_takes_little_memory(tmp_path: Path) -> None:
    """F25 and the issue: 120 MB with an entry of 60 MB in it, below 128 MiB for the whole process."""
    head, _, tail = json.dumps(
        {"log": {"entries": [entry(exchange(item("messages"), status=200, answer=DATA)), "HERE"]}}
    ).partition('"HERE"')
    path = tmp_path / "large.har"
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        file.write('{"response": {"content": {"text": "' + "A" * 60_000_000 + '"}}}')
        for _ in range(60):
            file.write(',{"response": {"content": {"text": "' + "B" * 1_000_000 + '"}}}')
        file.write(tail)
    assert path.stat().st_size > 119_000_000
    # a small process between: the system counts the memory of whoever starts a process as the process's own
    program = (
        "import sys, resource, subprocess;"
        "reading = 'import sys; from pathlib import Path; from resources.clients.captures import of_har_file;'"
        "'print(list(of_har_file(Path(sys.argv[1])).operations))';"
        "subprocess.run([sys.executable, '-c', reading, sys.argv[1]], check=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    found, used = done.stdout.strip().splitlines()
    seconds, peak = map(float, used.split())
    assert found == "['messages']"
    assert peak / (1024 if sys.platform == "darwin" else 1) < 128 * 1024, "KiB"
    assert seconds < 20


def _command(url: str, data: str | None = None, more: str = "") -> str:
    body = "" if data is None else f" \\\n  --data-raw '{data}'"
    return f"curl '{url}' \\\n  -H 'accept: */*' \\\n  -b '{COOKIE}'{more}{body}"


def test_of_everything_that_the_page_asked_ours_is_taken(tmp_path: Path) -> None:
    """ "Copy all as cURL": documents, sockets, preflights, counters and other batches stand around it."""
    path = tmp_path / "all.txt"
    strangers = [
        _command("https://shop.example/chats"),
        _command("wss://mg.example/api/ws"),
        _command(URL, more=" \\\n  -X 'OPTIONS'"),
        _command(URL, "not=json"),
    ]
    ours = _command(URL, json.dumps([item("chatsList", first=3)]))
    path.write_text(" ;\n".join([*strangers[:2], ours, *strangers[2:]]), "utf-8")
    found = captures.of_curl_files([path])
    assert (found.address, list(found.operations)) == (URL, ["chatsList"])

    for left, code in ((strangers[:2], "not_batch"), (strangers, "body")):
        path.write_text(" ;\n".join(left), "utf-8")
        with pytest.raises(NotACapture, match=code):
            captures.of_curl_files([path])
    # an option that is not for us is refused wherever it stands
    path.write_text(f"{ours} ;\n{_command('https://shop.example/chats', more=' -o /tmp/x')}", "utf-8")
    with pytest.raises(NotACapture, match="option"):
        captures.of_curl_files([path])
