"""S10: whatever a base URL is called, nothing of a request gets into a private network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from conversations.messages import Errors
from resources.clients.addresses import checked_url
from resources.clients.errors import BadConfiguration, PrivateAddress, TransientError, WrongHost
from resources.clients.http import HttpClient, Limits
from resources.clients.private import Places, declare, may_connect
from resources.clients.public import is_public
from resources.clients.telegram import TelegramClient
from resources.settings import Settings

QUICK = Limits(connect_seconds=2, read_seconds=2, deadline_seconds=3, attempts=2, first_pause_seconds=0.01)


class Listener:
    """A port of this machine that counts who connects and keeps what is said first."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                made, _ = self._socket.accept()
            except OSError:
                return
            with made:
                made.settimeout(1)
                try:
                    self.heard.append(made.recv(1000))
                except OSError:
                    self.heard.append(b"")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    declare(Places())


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "169.254.170.2", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1",
        "fe80::1%lo", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "192.169.0.1", "2a00:1450:4010::8a", "::ffff:8.8.8.8", "64:ff9b::808:808", "198.18.0.4"],
)
def test_others_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "[::ffff:127.0.0.1]", "0"])
def test_this_machine_under_another_spelling_is_refused_at_once(listener: Listener, host: str) -> None:
    slept: list[float] = []
    client = HttpClient("shop", f"https://{host}:{listener.port}", headers={}, limits=QUICK, sleep=slept.append)
    with pytest.raises(WrongHost, match="private network"):
        client.get("api", expect=dict, page="users")
    assert listener.heard == [] and slept == [], "not connected to, not tried again"


def test_a_name_that_leads_inside_is_refused(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, listener, [["93.184.215.14", "127.0.0.1"]])
    client = HttpClient("shop", f"https://shop.example:{listener.port}", headers={}, limits=QUICK)
    with pytest.raises(WrongHost, match="private network"):
        client.get("api", expect=dict, page="users")
    assert listener.heard == []


def test_a_name_that_changes_its_mind_hears_nothing(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is looked at, this machine when it is connected to."""
    _resolving(monkeypatch, listener, [["93.184.215.14"], ["127.0.0.1"]])
    client = HttpClient("shop", f"https://shop.example:{listener.port}", headers={}, limits=QUICK)
    with pytest.raises(WrongHost, match="private network"):
        client.get("api", expect=dict, page="users")
    listener.close()
    assert b"".join(listener.heard) == b""


@pytest.mark.parametrize("said", ["crm.corp.example", "10.0.0.0/8, CRM.corp.example.", "127.0.0.0/16"])
def test_a_declared_host_of_the_own_network_is_asked(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("HTTP_ALLOWED_PRIVATE_HOSTS", said)
    Settings(_env_file=None)  # type: ignore[call-arg]
    _resolving(monkeypatch, listener, [["127.0.0.1"]])
    client = HttpClient("shop", f"https://crm.corp.example:{listener.port}", headers={}, limits=QUICK)
    with pytest.raises((TransientError, WrongHost), match=r"failed|certificate"):
        client.get("api", expect=dict, page="users")
    assert listener.heard[0][:1] == b"\x16", "a TLS greeting arrived"


def test_http_is_for_hosts_that_were_declared_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network says where a name may lead, not that a session may travel there unencrypted."""
    monkeypatch.setenv("HTTP_ALLOWED_PRIVATE_HOSTS", "crm.corp.example,10.20.0.0/16")
    Settings(_env_file=None)  # type: ignore[call-arg]
    for good in ("http://crm.corp.example:8080", "http://10.20.3.4", "https://other.example"):
        assert checked_url("shop", good) == good
    for bad in ("http://other.corp.example", "http://10.21.0.1", "http://8.8.8.8"):
        with pytest.raises(BadConfiguration, match="not encrypted"):
            checked_url("shop", bad)


def test_only_what_was_declared_last_is_asked(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_ALLOWED_PRIVATE_HOSTS", "crm.corp.example,10.0.0.0/8")
    Settings(_env_file=None)  # type: ignore[call-arg]
    _resolving(monkeypatch, listener, [["127.0.0.1"]])
    assert PrivateAddress.reason in Errors.SOURCES
    for host in ("other.corp.example", "evil-crm.corp.example", "crm.corp.example.evil.example"):
        client = HttpClient("shop", f"https://{host}:{listener.port}", headers={}, limits=QUICK)
        with pytest.raises(PrivateAddress, match="HTTP_ALLOWED_PRIVATE_HOSTS"):
            client.get("api", expect=dict, page="users")
    monkeypatch.delenv("HTTP_ALLOWED_PRIVATE_HOSTS")
    Settings(_env_file=None)  # type: ignore[call-arg]
    client = HttpClient("shop", f"https://crm.corp.example:{listener.port}", headers={}, limits=QUICK)
    with pytest.raises(WrongHost, match="private network"):
        client.get("api", expect=dict, page="users")
    assert listener.heard == []


def test_no_declaration_opens_the_clouds_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ("meta.example", "169.254.0.0/16,fe80::/32"):
        monkeypatch.setenv("HTTP_ALLOWED_PRIVATE_HOSTS", said)
        Settings(_env_file=None)  # type: ignore[call-arg]
        for address in ("169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1"):
            assert not may_connect("meta.example", address)


@pytest.mark.parametrize(
    "said", ["*", "*.corp.example", "https://crm.corp.example", "0.0.0.0/0", "10.0.0.1/8", "10.0.0", "::/0", "a b/c"]
)
def test_a_slip_in_the_declaration_is_an_error_of_the_settings(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("HTTP_ALLOWED_PRIVATE_HOSTS", said)
    with pytest.raises(ValidationError, match=r"item [12] is"):
        Settings(_env_file=None)  # type: ignore[call-arg]


def test_a_message_is_not_sent_inside_either(listener: Listener) -> None:
    client = TelegramClient(
        "telegram", f"https://2130706433:{listener.port}", "1:abcdefghijklmnopqrstuvwxyzabcdefghi", QUICK
    )
    assert (client.send("1", "text").state, client.send("1", "text").reason) == ("later", "not_reached")
    assert listener.heard == []


def test_this_machine_by_its_own_name_is_a_declared_gateway(listener: Listener) -> None:
    for host in ("127.0.0.1", "localhost"):
        client = HttpClient("shop", f"http://{host}:{listener.port}", headers={}, limits=QUICK)
        with pytest.raises(TransientError):
            client.get("api", expect=dict, page="users")
    assert [one[:8] for one in listener.heard if one][:1] == [b"GET /api"]


def _resolving(monkeypatch: pytest.MonkeyPatch, listener: Listener, answers: list[list[str]]) -> None:
    """Names resolve to each of the answers in turn, the last one from then on."""
    left = iter(answers)
    now = answers[-1]

    def resolve(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        found = next(left, now)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, listener.port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
