"""T-Bank's quality management (TQM): sessions, agent groups, calls and transcripts of one account.

Here: paths, bodies, the session and what a refusal of it means (contract, section 4). Not here: days and pages
(``resources.sources.tbank``), where an answer holds what (``conversations.parsing.tbank_fields``).

The session is started by login and password before the first call. A call that is answered with 401 starts one more
session and is made once more, whichever thread notices first; the others wait for it. A session that is refused without
ever having been accepted means that the account is closed to us: ``NeedsAuth``, and nothing more is sent. All calls
only read, so each may be repeated. Safe between threads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

from conversations.parsing.fields import Odd
from conversations.parsing.tbank_fields import TBankFields, found_at
from resources.clients.errors import BadConfiguration, NeedsAuth, NotFound, PermanentError, SourceError
from resources.clients.http import HttpClient, Limits
from resources.clients.redact import hide

LOGIN_PATH = "/v2/bff-core-app/auth/session-start"
GROUPS_PATH = "/v2/bff-core-app/organizational-structures/autocomplete-search"
CALLS_PATH = "/v2/bff-communication-search/callsessions"
TRANSCRIPT_PATH = "/v2/bff-core-app/transcription/segment"
LARGEST_PAGE = 1000
_CREDENTIALS = (
    "The key of this connection is a login and a password: check them at the vendor and connect it anew, "
    "otklik connect tbank"
)
_LOGIN_PATH = "Check the base URL, and TBANK_LOGIN_PATH: the vendor has had several addresses for starting a session"
Found = TypeVar("Found")


class Group(NamedTuple):
    """An agent group: a department as the telephony knows it."""

    id: int | str
    name: str
    type: str


class CallPage(NamedTuple):
    """One page of calls, in no particular order."""

    items: list[dict[str, Any]]
    next_page: int | None


class _SessionOver(PermanentError):
    """The session is not accepted; seen by this module only."""

    reason = "session_over"


class TBankClient:
    """Reads one account; raises the errors of ``resources.clients.errors``.

    Args:
        login_path: where a session is started.
        auth_type, auth_system: sent with the login, ``tqm`` both in the client that is known.

    Raises:
        BadConfiguration: address, login or password cannot be used.
    """

    def __init__(
        self,
        connection_id: str,
        base_url: str,
        login: str,
        password: str,
        *,
        login_path: str = LOGIN_PATH,
        auth_type: str = "tqm",
        auth_system: str = "tqm",
        fields: TBankFields | None = None,
        limits: Limits | None = None,
        **http: Any,
    ) -> None:
        if not login or not password:
            raise BadConfiguration(connection_id, "its login or its password is missing", _CREDENTIALS)
        hide(password)
        self.connection_id = connection_id
        self._login_path = login_path
        # the vendor's own spelling
        who = {"login": login, "password": password, "authentificationType": auth_type, "authSystem": auth_system}
        self._who = json.dumps(who, ensure_ascii=False).encode()
        self._fields = fields or TBankFields()
        self._lock = threading.RLock()
        self._token: str | None = None
        self._is_proved = False
        self._refusal: NeedsAuth | None = None
        self._mine = threading.local()
        self._http = HttpClient(
            connection_id, base_url, headers={}, limits=limits, judge=self._judge, authorize=self._headers,
            trace="x-correlation-id", **http,
        )  # fmt: skip

    def __enter__(self) -> TBankClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def start_session(self) -> None:
        """Start a session if there is none: the cheapest question whether login and password are good."""
        with self._lock:
            self._session()

    def groups(self, term: str) -> list[Group]:
        """The groups whose names are like ``term``: the first one need not be the one that is meant."""
        params = [("term", term), ("type", ""), ("parentFolderId", "")]

        def send() -> Any:
            # any shape: a bare list is as good as one in an envelope
            return self._http.get(GROUPS_PATH, params, expect=object, page="the agent groups",  # type: ignore[type-var]
                                  complaint=self._no_groups)  # fmt: skip

        answer: Any = self._ask(send)
        fields = self._fields
        return [
            Group(
                found_at(item, fields.group_id),
                str(found_at(item, fields.group_name) or ""),
                str(found_at(item, fields.group_type) or ""),
            )
            for item in self._listed(answer, fields.groups)
        ]

    def calls(
        self, first: str, last: str, groups: Sequence[Group], page: int, size: int = LARGEST_PAGE, name: str = "calls"
    ) -> CallPage:
        """Page ``page`` (from 1) of the calls that began from ``first`` to ``last``, both included, to the second.

        Args:
            first, last: the account's own clock, ``2026-03-02 00:00:00``.
            groups: those whose agents spoke; none: of everybody [I].
            name: how errors name the page.

        Raises:
            BadAnswer: the page has no list of calls with ids, or a next page that is no number.
        """
        agents = [{"id": group.id, "type": group.type, "title": group.name} for group in groups]
        asked = {
            "filters": {"date": {"min": first, "max": last}, "agent": agents, "isNGramSearch": False},
            "paging": {"page": page, "itemsPerPage": size, "itemsCount": 0},
        }
        answer = self._post(CALLS_PATH, asked, name, self._no_calls)
        following = found_at(answer, self._fields.next_page)
        return CallPage(found_at(answer, self._fields.calls), following)

    def transcript(self, segment_id: int | str) -> dict[str, Any]:
        """What was said in a segment, as the vendor sends it; without phrases where nothing was recognised (yet)."""
        return self._post(
            TRANSCRIPT_PATH, {"segmentId": segment_id}, f"the transcript of segment {segment_id}", lambda _: None
        )

    # answers -------------------------------------------------------------------------------------------------------

    def _listed(self, answer: Any, paths: tuple[str, ...]) -> Any:
        """A list inside the answer, or the answer where it is the list itself."""
        return answer if isinstance(answer, list) else found_at(answer, paths)

    def _no_groups(self, answer: Any) -> str | None:
        items = self._listed(answer, self._fields.groups) if isinstance(answer, list | dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return "there is no list of groups in the answer"
        if not all(isinstance(found_at(item, self._fields.group_id), int | str) for item in items):
            return "a group has no id"
        return None

    def _no_calls(self, answer: dict[str, Any]) -> str | None:
        items, following = found_at(answer, self._fields.calls), found_at(answer, self._fields.next_page)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return "there is no list of calls in the answer"
        try:
            for item in items:
                self._fields.identifier(item)
        except Odd:
            return "a call has no id"
        if following is not None and (isinstance(following, bool) or not isinstance(following, int)):
            return "the number of the next page is no number"
        return None

    # the session ---------------------------------------------------------------------------------------------------

    def _post(
        self, path: str, asked: Any, name: str, complaint: Callable[[dict[str, Any]], str | None]
    ) -> dict[str, Any]:
        body = json.dumps(asked, ensure_ascii=False).encode()
        return self._ask(
            lambda: self._http.post(path, body, expect=dict, page=name, complaint=complaint, repeatable=True)
        )

    def _ask(self, send: Callable[[], Found]) -> Found:
        """Make a call with the session, with a new one if it is over."""
        with self._lock:
            token = self._session()
        try:
            return self._proved(token, send)
        except _SessionOver as over:
            with self._lock:
                if self._token == token:
                    # the call is made under the lock: until the new session is proved nobody else tries it
                    return self._again(over, send)
                renewed = self._session()
        try:
            return self._sent(renewed, send)
        except _SessionOver as still:
            self._refuse(still)

    def _again(self, over: _SessionOver, send: Callable[[], Found]) -> Found:
        if not self._is_proved:
            self._refuse(over)
        self._token, self._is_proved = None, False
        token = self._session()
        try:
            return self._proved(token, send)
        except _SessionOver as still:
            self._refuse(still)

    def _refuse(self, over: _SessionOver) -> NoReturn:
        self._refusal = NeedsAuth(self.connection_id, f"{over.what}, although a session had just begun", _CREDENTIALS)
        raise self._refusal from None

    def _session(self) -> str:
        """The token in force; the caller holds the lock."""
        if self._refusal is not None:
            raise self._refusal
        if self._token is None:
            answer = self._sent(
                None,
                lambda: self._http.post(
                    self._login_path,
                    self._who,
                    expect=dict,
                    page="the start of a session",
                    complaint=_no_token,
                    repeatable=True,
                ),
            )
            hide(answer["accessToken"])
            self._token = answer["accessToken"]
        return self._token

    def _proved(self, token: str, send: Callable[[], Found]) -> Found:
        found = self._sent(token, send)
        if self._token == token:
            self._is_proved = True
        return found

    def _sent(self, token: str | None, send: Callable[[], Found]) -> Found:
        self._mine.token = token
        return send()

    def _headers(self) -> dict[str, str]:
        token = self._mine.token
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        is_login = self._mine.token is None
        if is_login and status in (400, 401, 403, 422):
            return NeedsAuth(self.connection_id, f"login and password were not accepted ({status})", _CREDENTIALS)
        if is_login and status == 404:
            return NotFound(self.connection_id, f"no session can be started at {self._login_path} (404)", _LOGIN_PATH)
        if status == 401:
            return _SessionOver(self.connection_id, f"the vendor answered 401 at {page}")
        return None


def _no_token(answer: dict[str, Any]) -> str | None:
    token = answer.get("accessToken")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        return "the answer holds no access token"
    return None
