"""A Google Apps Script that is called after an export: one request, what its answer proves, nothing else.

Here: the call and the vendor's one redirect. Not here: when it is called and that it is called once
(``resources.warehouse.script_calls``), what the script does.

A web app of Apps Script answers a POST with 302 to ``script.googleusercontent.com``, where the result is fetched with
GET; the script has run by then. Only that redirect is followed, once. A failure is no exception: whoever exported has
succeeded, and the outcome says what is known of the script. The address is as good as a key: it appears nowhere.
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import requests

from resources.clients.addresses import checked_url, is_local
from resources.clients.errors import BadConfiguration
from resources.clients.public import PublicAdapter
from resources.clients.redact import hide

CONNECTION = "apps_script"
RESULT_HOSTS = ("script.googleusercontent.com", "script.google.com")
"""Where the vendor's redirect may lead."""
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 120.0
_LARGEST_ANSWER = 64 * 1024

State: TypeAlias = Literal["done", "failed", "unknown"]
Reason: TypeAlias = Literal[
    "bad_address",
    "not_reached",
    "no_answer",
    "refused",
    "redirected_elsewhere",
    "no_result",
    "web_page",
    "script_error",
]
"""bad_address: the setting is no plain https address; not_reached: no connection, so nothing ran; no_answer: the
connection ended before an answer; refused: a status of the vendor's that is no success; redirected_elsewhere: to an
address that is not the vendor's for results; no_result: the result could not be fetched; web_page: a page (a sign-in,
an error) in place of a result; script_error: the script says so."""


class Outcome(NamedTuple):
    """What one call proves. ``unknown``: the script may have run."""

    state: State
    reason: Reason | None = None
    status: int | None = None
    """HTTP status, where there was one."""


def call(url: str, function: str | None, timeouts: tuple[float, float] = (_CONNECT_SECONDS, _READ_SECONDS)) -> Outcome:
    """POST ``{"function": …}`` to a script once; never raises for what the network or the vendor does.

    Args:
        timeouts: of connecting and of each wait for the answer, in seconds.
    """
    hide(url)
    try:
        address = checked_url(CONNECTION, url)
    except BadConfiguration:
        return Outcome("failed", "bad_address")
    body = json.dumps({} if function is None else {"function": function}).encode()
    with requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, PublicAdapter())
        try:
            answer = session.post(
                address, data=body, headers={"Content-Type": "application/json"}, timeout=timeouts,
                allow_redirects=False, stream=True,
            )  # fmt: skip
        except requests.ConnectionError as error:
            # a connection that was never made did nothing; one that broke may have
            return Outcome("failed", "not_reached") if _never_left(error) else Outcome("unknown", "no_answer")
        except requests.RequestException:
            return Outcome("unknown", "no_answer")
        with answer:
            if answer.status_code not in (302, 303):
                return _read(answer)
            target = answer.headers.get("Location", "")
        if not _is_result(target, address):
            return Outcome("unknown", "redirected_elsewhere", answer.status_code)
        try:
            with session.get(target, timeout=timeouts, allow_redirects=False, stream=True) as result:
                return _read(result)
        except requests.RequestException:
            return Outcome("unknown", "no_result")


def _is_result(target: str, address: str) -> bool:
    """Whether a redirect is the vendor's own; of a script on this machine (a stand-in) to this machine."""
    parts, own = urlsplit(target), urlsplit(address)
    if is_local(own.hostname or ""):
        return parts.scheme == own.scheme and parts.netloc == own.netloc
    return parts.scheme == "https" and parts.hostname in RESULT_HOSTS and not parts.username


def _read(answer: requests.Response) -> Outcome:
    if answer.status_code != 200:
        return Outcome("failed", "refused", answer.status_code)
    try:
        body = answer.raw.read(_LARGEST_ANSWER, decode_content=True)
    except Exception:  # of the transport below requests: whatever breaks off while reading
        return Outcome("unknown", "no_answer", 200)
    if "html" in answer.headers.get("Content-Type", "").casefold():
        return Outcome("failed", "web_page", 200)
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.get("error"):
        return Outcome("failed", "script_error", 200)
    return Outcome("done", None, 200)


def _never_left(error: requests.ConnectionError) -> bool:
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError) or isinstance(error, requests.exceptions.ConnectTimeout)
