"""The script after an export: one request, the vendor's one redirect, once for each content, never a failed export."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assets.exports import script
from resources.clients.apps_script import Outcome, call
from resources.warehouse import script_calls
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role

NOW = datetime(2026, 11, 16, 5, tzinfo=UTC)
SHOWN = {"call_results": "a" * 64, "manager_summary": "b" * 64}


class Script:
    """A stand-in for a web app of Apps Script, on this machine."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        self.post: tuple[int, dict[str, str], bytes] = (302, {"Location": "{base}/echo?user_content_key=1"}, b"")
        self.get: tuple[int, dict[str, str], bytes] = (200, {"Content-Type": "application/json"}, b'{"ok": true}')
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.seen.append(("POST", self.path, json.loads(body)))
                self._answer(outer.post)

            def do_GET(self) -> None:
                outer.seen.append(("GET", self.path, None))
                self._answer(outer.get)

            def _answer(self, said: tuple[int, dict[str, str], bytes]) -> None:
                status, headers, body = said
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value.replace("{base}", outer.base))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.base}/macros/s/deployment/exec"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def remote() -> Iterator[Script]:
    made = Script()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_function_is_posted_and_the_result_fetched_once(remote: Script) -> None:
    assert call(remote.url, "afterExport") == Outcome("done", None, 200)
    assert remote.seen == [
        ("POST", "/macros/s/deployment/exec", {"function": "afterExport"}), ("GET", "/echo?user_content_key=1", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("post", "get", "outcome"),
    [
        ((200, {}, b"done"), None, Outcome("done", None, 200)),
        ((500, {}, b""), None, Outcome("failed", "refused", 500)),
        ((429, {"Retry-After": "0"}, b""), None, Outcome("failed", "refused", 429)),
        ((302, {"Location": "http://169.254.169.254/"}, b""), None, Outcome("unknown", "redirected_elsewhere", 302)),
        ((302, {}, b""), None, Outcome("unknown", "redirected_elsewhere", 302)),
        ((0, {}, b""), None, Outcome("unknown", "no_answer")),
        (None, (200, {"Content-Type": "text/html"}, b"<html>Sign in"), Outcome("failed", "web_page", 200)),
        (None, (200, {}, b'{"error": "no such function"}'), Outcome("failed", "script_error", 200)),
        # a second redirect is not followed
        (None, (302, {"Location": "{base}/again"}, b""), Outcome("failed", "refused", 302)),
        (None, (0, {}, b""), Outcome("unknown", "no_result")),
    ],
)
def test_every_answer_is_read_after_one_attempt(remote: Script, post: Any, get: Any, outcome: Outcome) -> None:
    remote.post, remote.get = post or remote.post, get or remote.get
    assert call(remote.url, "f", (2, 2)) == outcome
    assert [method for method, *_ in remote.seen].count("POST") == 1
    assert len(remote.seen) <= 2


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://script.example/exec", "bad_address"), ("https://user:secret@script.example/exec", "bad_address"),
        ("https://10.0.0.1/exec", "not_reached"), ("http://127.0.0.1:9/exec", "not_reached"),
    ],
)  # fmt: skip
def test_no_private_and_no_open_address_is_called(url: str, reason: str) -> None:
    assert call(url, None, (2, 2))[:2] == ("failed", reason)


@pytest.fixture
def publisher(database: Warehouse, remote: Script, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    with database.connect() as sql:
        sql.execute("delete from ops.exports")
    monkeypatch.setenv("APPS_SCRIPT_URL", remote.url)
    monkeypatch.setenv("APPS_SCRIPT_FUNCTION", "afterExport")
    return database.as_role(Role.PUBLISHER)


def posts(remote: Script) -> int:
    return [method for method, *_ in remote.seen].count("POST")


def test_the_same_content_calls_once_and_another_once_more(publisher: Warehouse, remote: Script) -> None:
    told = [script.after_export(publisher, shown, NOW) for shown in (SHOWN, SHOWN, {**SHOWN, "call_results": "c"})]
    assert [(one.passed, one.metadata["was_called"].value) for one in told] == [
        (True, True),
        (True, False),
        (True, True),
    ]
    assert posts(remote) == 2


def test_a_failure_is_a_warning_and_is_not_tried_again(publisher: Warehouse, remote: Script) -> None:
    remote.post = (500, {}, b"")
    told = [script.after_export(publisher, SHOWN, NOW) for _ in range(2)]
    assert [one.passed for one in told] == [False, False]
    assert {str(one.severity) for one in told} == {"AssetCheckSeverity.WARN"}
    assert [one.metadata["outcome"].value for one in told] == ["failed: refused"] * 2
    assert posts(remote) == 1


@pytest.mark.parametrize(("module", "made"), [(script, 1), (script_calls, 0)])
def test_a_call_that_nobody_saw_the_end_of_is_not_made_again(
    publisher: Warehouse, remote: Script, monkeypatch: pytest.MonkeyPatch, module: Any, made: int
) -> None:
    """Ended between the claim and the call, or between the call and its outcome: at most once, never twice."""

    def killed(name: str) -> None:
        raise KeyboardInterrupt(name)

    monkeypatch.setattr(module, "fail_point", killed)
    with pytest.raises(KeyboardInterrupt):
        script.after_export(publisher, SHOWN, NOW)
    monkeypatch.undo()
    monkeypatch.setenv("APPS_SCRIPT_URL", remote.url)
    monkeypatch.setenv("APPS_SCRIPT_FUNCTION", "afterExport")
    told = script.after_export(publisher, SHOWN, NOW)
    assert (told.passed, told.metadata["outcome"].value, posts(remote)) == (False, "unknown", made)


def test_the_address_is_a_secret_and_stands_nowhere(publisher: Warehouse, remote: Script) -> None:
    told = script.after_export(publisher, SHOWN, NOW)
    with publisher.connect() as sql:
        kept = str(sql.execute("select * from ops.exports").fetchall())
    assert "deployment" not in kept + str(told)


def test_without_an_address_nothing_is_called(
    publisher: Warehouse, remote: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPS_SCRIPT_URL")
    assert script.after_export(publisher, SHOWN, NOW).passed
    assert remote.seen == []
