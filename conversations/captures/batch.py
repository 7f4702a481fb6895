"""What of the captured requests can be replayed: the batched GraphQL operations, the session, the place.

Here: which operations a RetailCRM account is read with, the choice among several captures of one, the headers that are
replayed (contract of the web door). Not here: the forms that captures come in, the replay, storing.

The text of a query is replayed as it was captured: the interface is undocumented, and only what its own page asks for
is sure to be answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from conversations.captures.curl import checked
from conversations.captures.shapes import Exchange, NotACapture

ENDPOINT = "/api/graphql/v1/batch"
"""How the path of the batched calls ends, whatever the host."""
OPERATIONS = ("ChannelsList", "chatsList", "messages")
NEEDED = "chatsList"
"""Without the list of chats nothing else can be asked for."""
HEADERS = (
    "accept", "content-type", "origin", "referer", "user-agent", "x-client-token", "cookie", "authorization",
)  # fmt: skip
"""Those that are replayed. Any other one with ``csrf`` or ``xsrf`` in its name is, too."""

LARGEST_BODY = 4 << 20
LARGEST_QUERY = 256 << 10
LARGEST_HEADERS = 64 << 10
_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.A)


class Operation(NamedTuple):
    """One captured operation."""

    query: str
    """Verbatim."""
    variables: Mapping[str, Any]
    """As captured: a template, of which the replay changes what it pages by."""

    def __repr__(self) -> str:
        return f"Operation({len(self.query)} characters, variables {sorted(self.variables)})"


@dataclass(frozen=True, repr=False)
class Capture:
    """Everything that is needed to ask again."""

    address: str
    """Of the batched calls, without a login, a query or a fragment: ``https://mg-s1.retailcrm.pro/api/graphql/…``."""
    headers: Mapping[str, str]
    """By name in lower case; cookies and tokens among them."""
    operations: Mapping[str, Operation]
    """Those of ``OPERATIONS`` that were found."""
    others: int = 0
    """How many further operations the captured batches held."""

    def __repr__(self) -> str:
        return f"Capture({urlsplit(self.address).hostname}, {', '.join(self.operations) or 'no operations'})"

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of ``OPERATIONS`` that were not found."""
        return tuple(name for name in OPERATIONS if name not in self.operations)

    def over(self, operations: Mapping[str, Operation]) -> Capture:
        """This capture with the operations that are known from before and not in it.

        A session that expired is captured again with any one request of the page; the rest stays as it was.
        """
        return Capture(self.address, self.headers, {**operations, **self.operations}, self.others)

    def usable(self) -> Capture:
        """This capture, if an account can be read with it.

        Raises:
            NotACapture: ``no_chats``.
        """
        if NEEDED not in self.operations:
            raise NotACapture("no_chats", NEEDED)
        return self

    def secrets(self) -> dict[str, str]:
        """What is stored encrypted: ``headers`` and ``operations``, each a JSON object."""
        known = {name: {"query": one.query, "variables": one.variables} for name, one in self.operations.items()}
        return {
            "headers": json.dumps(dict(self.headers), ensure_ascii=False),
            "operations": json.dumps(known, ensure_ascii=False),
        }


def stored_operations(secrets: Mapping[str, str]) -> dict[str, Operation]:
    """The operations out of what ``Capture.secrets`` gave.

    Raises:
        ValueError: it is none of that.
    """
    try:
        known = json.loads(secrets["operations"])
        return {name: Operation(str(one["query"]), dict(one["variables"])) for name, one in known.items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no stored operations ({type(error).__name__})") from None


@dataclass(repr=False)
class _Found:
    rank: tuple[bool, bool, int]
    operation: Operation


@dataclass(repr=False)
class Gathering:
    """Takes captured exchanges one by one and keeps the best of each operation.

    Best: answered without an error, with data in the answer, the largest answer, the latest. The headers are those of
    the latest exchange that was answered well: a session lives on and its cookies change.
    """

    _address: str | None = None
    _headers: dict[str, str] | None = None
    _is_well: bool = False
    _found: dict[str, _Found] = field(default_factory=dict)
    _others: set[str] = field(default_factory=set)

    def add(self, exchange: Exchange) -> None:
        """Take one exchange.

        Raises:
            NotACapture: ``not_batch``, ``body``, ``addresses``, or a header that cannot be sent.
        """
        request = exchange.request
        parts = urlsplit(checked(request.url))
        if not parts.path.endswith(ENDPOINT) or request.method != "POST" or parts.scheme not in ("https", "http"):
            raise NotACapture("not_batch")
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        if self._address not in (None, address):
            raise NotACapture("addresses")
        items = _batch(request.body)
        self._address = address
        is_well = exchange.status is None or 200 <= exchange.status < 300
        if is_well or not self._is_well:
            self._headers, self._is_well = kept_headers(request.headers), is_well
        answers = _answers(exchange.answer, len(items))
        for item, has_data in zip(items, answers, strict=True):
            self._take(item, (is_well, has_data, exchange.answer_bytes))

    def _take(self, item: Mapping[str, Any], rank: tuple[bool, bool, int]) -> None:
        name, query, variables = item.get("operationName"), item.get("query"), item.get("variables")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return
        if name not in OPERATIONS:
            if len(self._others) < 1000:
                self._others.add(name)
            return
        if not isinstance(query, str) or not query.strip() or len(query) > LARGEST_QUERY:
            return
        known = self._found.get(name)
        if known is None or rank >= known.rank:
            self._found[name] = _Found(rank, Operation(query, variables if isinstance(variables, dict) else {}))

    def capture(self) -> Capture:
        """What was found, in the order of ``OPERATIONS``.

        Raises:
            NotACapture: ``no_batch``, ``no_operations``, ``no_session``.
        """
        if self._address is None or self._headers is None:
            raise NotACapture("no_batch")
        if not self._found:
            raise NotACapture("no_operations")
        if not {"cookie", "authorization"} & set(self._headers):
            raise NotACapture("no_session")
        found = {name: self._found[name].operation for name in OPERATIONS if name in self._found}
        return Capture(self._address, self._headers, found, len(self._others))


def kept_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that are replayed; several cookie headers become one.

    Raises:
        NotACapture: ``header``: one that no request can carry; names it.
    """
    kept: dict[str, str] = {}
    for name, value in headers:
        if name not in HEADERS and not _is_csrf(name):
            continue
        value = value.strip()
        if not value.isascii() or not value.isprintable():
            raise NotACapture("header", name if name in HEADERS else "x-csrf")
        if value:
            kept[name] = f"{kept[name]}; {value}" if name == "cookie" and name in kept else value
    if sum(map(len, kept.values())) > LARGEST_HEADERS:
        raise NotACapture("large")
    return kept


def _is_csrf(name: str) -> bool:
    return "csrf" in name or "xsrf" in name


def _batch(body: str | None) -> list[Mapping[str, Any]]:
    """The items of a batch; one call that was sent without a batch around it is a batch of one."""
    if body is None:
        raise NotACapture("body")
    if len(body) > LARGEST_BODY:
        raise NotACapture("large")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise NotACapture("body") from None
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, dict) for item in items):
        raise NotACapture("body")
    return items


def _answers(text: str | None, count: int) -> list[bool]:
    """Whether each item of the batch was answered with data, as far as the file tells."""
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        value = None
    answers = value if isinstance(value, list) else [value]
    if len(answers) != count:
        return [False] * count
    return [isinstance(one, dict) and bool(one.get("data")) and not one.get("errors") for one in answers]
