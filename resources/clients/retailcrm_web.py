"""The CRM's own chats page, replayed: batched GraphQL with the session, headers and queries that a browser had.

Here: sending a captured operation with other variables, and what its answer must look like. Not here: reading captures
(``resources.clients.captures``), paging over several pages (``resources.sources.retailcrm_web``), what a node means
(``conversations.parsing.retailcrm_web``).

The vendor documents none of this (contract, section 3). Queries are sent as they were captured; of the variables only
paging, the chat and what narrows the list are ours: a filter that somebody had set in the browser must not silently
narrow what is read. One request at a time.

The session is the key. That it is over is said by 401, 403, 419, a redirect, a sign-in page with status 200 or an error
in place of data, for one operation or for the whole batch; each of them is ``SessionExpired``, a ``NeedsAuth``, at once
and without another attempt. An error of the server's own (``INTERNAL...``, a timeout, too many requests) is tried again
like any other bad answer; any other error means that the page has changed: ``Refused``, and the remedy is the same:
capture anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from resources.clients.errors import BadConfiguration, Refused, SessionExpired, SourceError
from resources.clients.http import HttpClient, Limits
from resources.clients.redact import hide

CHANNELS, CHATS, MESSAGES = "ChannelsList", "chatsList", "messages"
OPERATIONS = (CHANNELS, CHATS, MESSAGES)
CHATS_PAGE = MESSAGES_PAGE = 50
BATCH = "/api/graphql/v1/batch"
RECAPTURE = (
    "Sign in to the CRM in the browser and capture a request of the open chats again, the session is the key: "
    "otklik connect retailcrm-web --curl FILE"
)

_FIELDS = {CHANNELS: "channels", CHATS: "chats", MESSAGES: "messages"}
_NOT_REPLAYED = frozenset({"host", "content-length", "content-type", "connection", "accept-encoding", "te"})
_SECRET = re.compile(r"(?i)cookie|authorization|x-.*|.*(?:token|session|csrf|key).*")
_SIGNED_OUT = re.compile(r"(?i)unauth|forbidden|access.?denied|not.?logged|sign.?in|log.?in|session|token|csrf")
_REFUSALS = ("errors", "error", "message")
_SERVERS_OWN = re.compile(r"(?i)internal|timeout|timed.?out|unavailable|temporar|too.?many|rate.?limit|throttl")


class WebPage(NamedTuple):
    """One page of a connection: nodes in no particular order, and where the next page is."""

    nodes: list[dict[str, Any]]
    cursor: str | None
    """Of the end that reading goes on from; ``None``: the answer named none."""
    has_more: bool


class RetailCRMWebClient:
    """Replays captured operations; raises the errors of ``resources.clients.errors``.

    Args:
        address: of the batch, as captured: ``https://mg-s1.example.com/api/graphql/v1/batch``.
        headers: as captured, the cookie among them.
        operations: name to ``{"query": str, "variables": {...}}``; ``chatsList`` must be there.

    Raises:
        BadConfiguration: address, headers or operations cannot be used.
    """

    def __init__(
        self,
        connection_id: str,
        address: str,
        headers: Mapping[str, str],
        operations: Mapping[str, Mapping[str, Any]],
        limits: Limits | None = None,
        **http: Any,
    ) -> None:
        self.connection_id = connection_id
        parts = urlsplit(address)
        self._path = parts.path if parts.path not in ("", "/") else BATCH
        self._operations = {name: dict(operations[name]) for name in OPERATIONS if name in operations}
        if CHATS not in self._operations or not all(_is_usable(one) for one in self._operations.values()):
            raise BadConfiguration(connection_id, "no request of the chat list was captured", RECAPTURE)
        sent = {name: value for name, value in headers.items() if name.lower() not in _NOT_REPLAYED}
        for part in sent.get("cookie", sent.get("Cookie", "")).split(";"):
            hide(part.partition("=")[2].strip())
        plain = {name: value for name, value in sent.items() if not _SECRET.fullmatch(name) and value.isprintable()}
        self._http = HttpClient(
            connection_id,
            f"{parts.scheme}://{parts.netloc}",
            headers={name: value for name, value in sent.items() if _SECRET.fullmatch(name)},
            limits=limits,
            judge=self._judge,
            authorize=lambda: plain,
            **http,
        )

    def __enter__(self) -> RetailCRMWebClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def has(self, operation: str) -> bool:
        """Whether the operation was captured."""
        return operation in self._operations

    def channels(self, page: str = "channels") -> list[dict[str, Any]]:
        """All channels; the list has no pages.

        Raises:
            BadConfiguration: the operation was not captured.
        """
        return self._nodes(CHANNELS, {}, page).nodes

    def chats(self, after: str | None, first: int = CHATS_PAGE, page: str = "chats") -> WebPage:
        """A page of the chats of all channels by last activity, after a cursor."""
        captured = self._operations[CHATS].get("variables") or {}
        variables = {**captured, "sort": "BY_LAST_ACTIVITY", "first": first, "filter": _wide(captured.get("filter"))}
        return self._nodes(CHATS, _placed(variables, "after", after), page)

    def messages(self, chat_id: str, before: str | None, last: int = MESSAGES_PAGE, page: str = "messages") -> WebPage:
        """A page of a chat's messages, deleted ones too, before a cursor: the newest ones without.

        Raises:
            BadConfiguration: the operation was not captured.
        """
        if not self.has(MESSAGES):
            raise BadConfiguration(self.connection_id, "no request of the messages was captured", RECAPTURE)
        captured = self._operations[MESSAGES].get("variables") or {}
        kept = {name: [] for name, value in _object(captured.get("filter")).items() if isinstance(value, list)}
        asked = {**kept, "chatId": chat_id, "withDeleted": True}
        return self._nodes(
            MESSAGES, _placed({**captured, "filter": asked, "last": last}, "before", before, "first", "after"), page
        )

    def _nodes(self, name: str, variables: Mapping[str, Any], page: str) -> WebPage:
        if not self.has(name):
            raise BadConfiguration(self.connection_id, f"no request '{name}' was captured", RECAPTURE)
        batch = [{"operationName": name, "variables": variables, "query": self._operations[name]["query"]}]
        body = json.dumps(batch, ensure_ascii=False).encode()

        def complaint(answers: Any) -> str | None:
            return self._complaint(name, answers, page)

        # any shape: a session that is over may be one object in place of the batch's list
        answers: Any = self._http.post(
            self._path,
            body,
            expect=object,
            page=page,
            complaint=complaint,
            repeatable=True,  # type: ignore[type-var]
        )
        found = answers[0]["data"][_FIELDS[name]]
        info = found.get("pageInfo") or {}
        at, more = ("startCursor", "hasPreviousPage") if name == MESSAGES else ("endCursor", "hasNextPage")
        cursor = info.get(at)
        return WebPage([edge["node"] for edge in found["edges"]], cursor or None, info.get(more) is True)

    # what an answer is ---------------------------------------------------------------------------------------------

    def _complaint(self, name: str, answers: Any, page: str) -> str | None:
        if isinstance(answers, dict) and any(answers.get(one) for one in _REFUSALS):
            return self._of_errors(answers.get("errors") or [answers], page)
        if not isinstance(answers, list) or len(answers) != 1 or not isinstance(answers[0], dict):
            return "the answer does not hold one result for the one operation"
        data, errors = answers[0].get("data"), answers[0].get("errors")
        found = data.get(_FIELDS[name]) if isinstance(data, dict) else None
        if found is None and errors:
            return self._of_errors(errors, page)
        edges = found.get("edges") if isinstance(found, dict) else None
        if not isinstance(edges, list) or not all(_is_edge(edge) for edge in edges):
            return f"there is no list '{_FIELDS[name]}' of nodes with ids in the answer"
        if name != CHANNELS and not isinstance(found.get("pageInfo"), dict):
            return "the answer does not say whether there is another page"
        return None

    def _of_errors(self, errors: Any, page: str) -> str:
        """A complaint for an error that may pass; raises for one that a person has to mend.

        The server's words are never repeated: they may quote what was asked or who asks. Its code is shown.
        """
        said, codes = _words(errors)
        named = f" ({', '.join(codes)})" if codes else ""
        if _SIGNED_OUT.search(said):
            raise SessionExpired(
                self.connection_id, f"the session is over{named}, found while reading {page}", RECAPTURE
            )
        if _SERVERS_OWN.search(said):
            return f"an error of the server in place of data{named}"
        raise Refused(self.connection_id, f"the page does not take the captured request any more{named}: {page}",
                      RECAPTURE)  # fmt: skip

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        if status in (200, 401, 403, 419) or 300 <= status < 400 or (status in (400, 422) and _is_signed_out(body)):
            how = {200: "a web page came instead of data"}.get(status, f"answer {status}")
            return SessionExpired(
                self.connection_id, f"the session is over ({how}), found while reading {page}", RECAPTURE
            )
        return None


def _placed(variables: dict[str, Any], name: str, cursor: str | None, *without: str) -> dict[str, Any]:
    """The variables at a place of the list, not at the captured one."""
    kept = {key: value for key, value in variables.items() if key not in (name, *without)}
    return kept if cursor is None else {**kept, name: cursor}


def _wide(captured: Any) -> dict[str, Any]:
    """The captured filter without what narrows: lists emptied, spans, words and people gone."""
    kept: dict[str, Any] = {"tagsFilteringMode": "ALL"}
    for name, value in _object(captured).items():
        if isinstance(value, list):
            kept[name] = []
        elif name == "tagsFilteringMode":
            kept[name] = value
    return kept


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_usable(operation: Mapping[str, Any]) -> bool:
    return isinstance(operation.get("query"), str) and bool(operation["query"].strip())


def _is_edge(edge: Any) -> bool:
    if not isinstance(edge, dict) or not isinstance(edge.get("node"), dict):
        return False
    number = edge["node"].get("id")
    return isinstance(number, int | str) and not isinstance(number, bool) and number != ""


def _is_signed_out(body: Any) -> bool:
    """Whether the body of a refusal says that the session is over, in whatever shape."""
    answers = body if isinstance(body, list) else [body]
    errors = [error for one in answers if isinstance(one, dict) for error in _listed(one.get("errors") or one)]
    return bool(_SIGNED_OUT.search(_words(errors)[0]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(errors: Any) -> tuple[str, list[str]]:
    """What the errors say, for matching only, and their codes, which may be shown."""
    said: list[str] = []
    codes: list[str] = []
    for error in errors if isinstance(errors, list) else [errors]:
        if not isinstance(error, dict):
            continue
        said.append(str(error.get("message") or error.get("error") or "")[:500])
        more = _object(error.get("extensions"))
        for code in (more.get("code"), more.get("category"), error.get("code")):
            if isinstance(code, str) and re.fullmatch(r"[A-Za-z_]{1,40}", code):
                said.append(code)
                codes.append(code)
    return " ".join(said), sorted(set(codes))
