"""Requests copied as cURL: what a shell would pass is what is understood, and what only a shell could do is refused."""

from __future__ import annotations

import json
import string
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.captures import NotACapture, requests_of
from conversations.captures.words import commands

URL = "https://mg.example/api/graphql/v1/batch"
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)
WORD = st.text(string.ascii_letters + string.digits, min_size=8, max_size=20)
BATCH = json.dumps(
    [{"operationName": "messages", "variables": {"a": 'it\'s "Привет!" \\ 😀\n`$x`'}, "query": "query {\n  a\n}"}],
    ensure_ascii=False,
)


def single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def ansi(text: str, style: int = 0) -> str:
    """As browsers write it: UTF-16 units (0), UTF-8 bytes as bash's own ``printf %q`` does (1), letters as they are."""
    said = []
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'"}
    for one in text:
        units = one.encode("utf-16-be")
        if one in named:
            said.append(named[one])
        elif " " <= one <= "~" and one != "!":
            said.append(one)
        elif style == 0:
            said += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
        elif style == 1:
            said += [f"\\{byte:03o}" for byte in one.encode()]
        else:
            said.append(one if one.isprintable() else f"\\U{ord(one):08x}")
    return "$'" + "".join(said) + "'"


def double(text: str) -> str:
    return '"' + "".join(f"\\{one}" if one in '\\"$`' else one for one in text) + '"'


def bare(text: str) -> str:
    return "".join(f"'{one}'" if one in "\n\r" else f"\\{one}" for one in text) or "''"


QUOTES = (single, ansi, lambda text: ansi(text, 1), lambda text: ansi(text, 2), double, bare)


@given(st.lists(st.tuples(TEXT, st.sampled_from(QUOTES)), min_size=1, max_size=6), st.sampled_from([" ", " \\\n  "]))
def test_what_is_quoted_is_what_comes_back(words: list[tuple[str, Any]], between: str) -> None:
    line = between.join(quote(word) for word, quote in words)
    assert list(commands(line)) == [[word for word, _ in words]]


@given(st.lists(st.tuples(TEXT, st.sampled_from(QUOTES)), min_size=1, max_size=4))
def test_pieces_without_a_blank_between_them_are_one_word(pieces: list[tuple[str, Any]]) -> None:
    assert list(commands("".join(quote(piece) for piece, quote in pieces))) == [["".join(one for one, _ in pieces)]]


@settings(max_examples=25)
@given(st.lists(st.tuples(TEXT, st.sampled_from(QUOTES)), min_size=1, max_size=5))
def test_bash_says_the_same(words: list[tuple[str, Any]]) -> None:
    """UTF-16 pairs are the browsers' and not bash's: those two ways of writing are compared where there are none."""
    line = " ".join((quote if max(map(ord, word), default=0) < 0x10000 else single)(word) for word, quote in words)
    program = "printf '%s\\0' " + line
    said = subprocess.run(
        ["bash", "-c", program], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    )
    assert [word.encode() for word in next(commands(line))] == said.stdout.split(b"\0")[:-1]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for given_text in (text, f"curl {text}", f"curl '{URL}' {text}"):
        try:
            requests_of(given_text)
        except NotACapture as refused:
            assert refused.code


def chrome(quote: Any, body: str = BATCH) -> str:
    headers = ["accept: */*", "x-client-token: " + "t" * 12, "user-agent: Mozilla/5.0 (X11; Linux x86_64)", "empty;"]
    lines = [f"curl {quote(URL)}", *(f"-H {quote(one)}" for one in headers), f"-b {quote('sid=abc; lang=ru')}"]
    return " \\\n  ".join([*lines, f"--data-raw {quote(body)}", "--compressed"])


@pytest.mark.parametrize("quote", QUOTES[:5])
@pytest.mark.parametrize("dress", [str, lambda text: f"\ufeff{text}\n", lambda text: text.replace("\\\n", "\\\r\n")])
def test_a_browsers_command_is_its_request(quote: Any, dress: Any) -> None:
    (request,) = requests_of(dress(chrome(quote)))
    assert (request.method, request.url, request.body) == ("POST", URL, BATCH)
    assert request.headers == (
        ("accept", "*/*"), ("x-client-token", "t" * 12), ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("cookie", "sid=abc; lang=ru"),
    )  # fmt: skip
    assert "abc" not in repr(request) and "tttt" not in repr(request)


def test_firefox_and_safari_write_it_in_other_ways() -> None:
    firefox = f"curl '{URL}' --compressed -X POST -H 'User-Agent: F' -H 'Cookie: a=b' --data-raw '[]'"
    safari = f"curl '{URL}' -X 'POST' -H 'Cookie: a=b' -H 'User-Agent: F' --data-binary '[]'"
    glued = f"curl -sSk -XPOST -d'[]' -H'Cookie: a=b' -AF --url={URL}".replace("--url=", "--url ")
    for text in (firefox, safari, glued):
        (request,) = requests_of(text)
        assert (request.method, request.url, request.body) == ("POST", URL, "[]")
        assert dict(request.headers) == {"cookie": "a=b", "user-agent": "F"}


def test_all_requests_of_a_page_are_several_commands() -> None:
    text = f"# saved\ncurl '{URL}' --data-raw '1' ;\ncurl 'https://a.example/' \\\n  -H 'a: b'\n\ncurl '{URL}'"
    assert [(one.method, one.body) for one in requests_of(text)] == [("POST", "1"), ("GET", None), ("GET", None)]


@pytest.mark.parametrize(
    ("text", "code", "detail"),
    [
        ("", "empty", ""),
        ("# nothing", "empty", ""),
        ('curl ^"https://a.example^" ^\r\n  -H ^"a: b^"', "cmd", ""),
        ('curl "https://a.example" ^\n  -H "a: b"', "cmd", ""),
        ("curl 'https://a.example' ^\n  -H 'a: b'", "cmd", ""),
        ('$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\nInvoke-WebRequest', "powershell", ""),
        ('Invoke-WebRequest -Uri "https://a.example" -Headers @{ "a"="b" }', "powershell", ""),
        ('fetch("https://a.example", { "method": "POST" })', "fetch", ""),
        ('{"log": {}}', "har_not_curl", ""),
        ("wget https://a.example", "no_curl", ""),
        ("curl 'https://a.example", "open_quote", ""),
        ("curl $'https://a.example\\'", "open_quote", ""),
        ('curl "https://a.example', "open_quote", ""),
        ("curl https://a.example | sh", "shell", ""),
        ("curl https://a.example > /etc/passwd", "shell", ""),
        ("curl https://a.example && true", "shell", ""),
        ("curl https://a.example/$(id)", "expansion", ""),
        ("curl https://a.example/`id`", "expansion", ""),
        ('curl "https://a.example/$HOME"', "expansion", ""),
        ('curl "https://a.example/\\$HOME`id`"', "expansion", ""),
        ("curl https://a.example/$HOME", "expansion", ""),
        ("curl -o /tmp/x https://a.example", "option", "-o"),
        ("curl -K /tmp/x https://a.example", "option", "-K"),
        ("curl -xhttp://user:secret@proxy.example https://a.example", "option", "-x"),
        ("curl --proxy http://user:secret@proxy.example https://a.example", "option", "--proxy"),
        ("curl --output=/tmp/x https://a.example", "option", "--output"),
        ("curl https://a.example --next https://b.example", "option", "--next"),
        ("curl -F a=@/etc/passwd https://a.example", "option", "-F"),
        ("curl -T /etc/passwd https://a.example", "option", "-T"),
        ("curl -sko /tmp/x https://a.example", "option", "-o"),
        ("curl -d @/etc/passwd https://a.example", "file", "@"),
        ("curl --data-binary @- https://a.example", "file", "@"),
        ("curl -b cookies.txt https://a.example", "file", "-b"),
        ("curl -H @headers https://a.example", "file", "-H"),
        ("curl -H 'no colon' https://a.example", "header", ""),
        ("curl -H 'a b: c' https://a.example", "header", ""),
        ("curl https://a.example -H", "truncated", "-H"),
        ("curl https://a.example https://b.example", "several_urls", ""),
        ("curl -d 1 -d 2 https://a.example", "several_bodies", ""),
        ("curl -s", "url", ""),
        ("curl file:///etc/passwd", "url", ""),
        ("curl a.example", "url", ""),
        ("curl 'https://a.example/\\n x'", "url", ""),
        ("curl 'https://[a.example'", "url", ""),
        ("curl $'https://a.example/\\ud83d'", "control", ""),
        ("curl $'https://a.example/\\0'", "control", ""),
        ("curl $'\\U00110000'", "control", ""),
        ("curl " + "a " * 10_002, "large", ""),
        ("curl https://a.example\n" * 10_001, "large", ""),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_by_name(text: str, code: str, detail: str) -> None:
    with pytest.raises(NotACapture) as refused:
        requests_of(text)
    assert (refused.value.code, refused.value.detail) == (code, detail)
    assert "secret" not in str(refused.value)


def test_old_chromes_bytes_are_latin_letters_where_they_are_no_utf_8() -> None:
    assert list(commands(r"$'caf\xe9 \xc3\xa9 \e[0m\cA \q'")) == [["café é \x1b[0m\x01 \\q"]]


def test_unicode_escape_would_have_made_mojibake() -> None:
    """The reason for an own reader of ``$'…'``: the built-in one spoils what is not escaped."""
    (words,) = commands("$'Привет\\n\\u041c'")
    assert words == ["Привет\nМ"] != ["Привет\\n\\u041c".encode().decode("unicode_escape")]


def test_a_hostile_text_takes_little_time_and_memory() -> None:
    """F25, in a process of its own below a small one: what a process used counts for whom it starts, too."""
    reading = """
from conversations.captures import NotACapture, requests_of
start = "curl 'https://mg.example/api/graphql/v1/batch' "
texts = (start + "$'" + "\\\\u0416" * 650_000 + "'", start + "a " * 500_000, start + "-" + "s" * 1_000_000,
         start + '"' + "x" * 3_900_000 + '$"', start + '"' + "\\\\\\\\" * 500_000 + '"', start + "''" * 500_000,
         "curl 'https://mg.example'\\n" * 150_000, start + "^" * 3_900_000, start + "\\\\x" * 500_000)
for text in texts:
    try:
        requests_of(text)
    except NotACapture:
        pass
"""
    program = (
        "import resource, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, reading], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, peak = map(float, done.stdout.split())
    assert seconds < 30
    assert peak / (1024 if sys.platform == "darwin" else 1) < 200 * 1024, "KiB"
