"""RetailCRM API v5: users, customers and orders of one account.

Here: the paths, filters and refusals of this API, as the vendor's own clients and fixtures show them
(https://docs.retailcrm.ru/Developers/API/APIVersions/APIv5). Not here: paging over several pages
(``resources.sources.retailcrm``), what a payload means (``conversations.parsing.retailcrm``). There is no list of chats
in v5: ``/api/v5/chats`` answers 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from resources.clients.errors import Forbidden, NeedsAuth, SourceError, WrongHost
from resources.clients.http import HttpClient, Limits

PAGE_SIZES = (20, 50, 100)
"""The only values of ``limit`` that the API takes; any other is refused with 400."""


_COUNTERS = ("currentPage", "totalPageCount", "totalCount")


class V5Page(NamedTuple):
    """One page of a list with the vendor's own counters."""

    items: list[dict[str, Any]]
    number: int
    """``currentPage`` of the answer, not of the request."""
    pages: int
    total: int


class RetailCRMV5Client:
    """Reads lists page by page; raises the errors of ``resources.clients.errors``."""

    def __init__(
        self, connection_id: str, base_url: str, api_key: str, limits: Limits | None = None, **http: Any
    ) -> None:
        self.connection_id = connection_id
        # the key goes into a header: `?apiKey=` works too, and ends up in the logs of every proxy on the way
        self._http = HttpClient(
            connection_id, base_url, headers={"X-API-KEY": api_key}, limits=limits, judge=self._judge, **http
        )

    def __enter__(self) -> RetailCRMV5Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def credentials(self) -> dict[str, Any]:
        """What the key may do; the cheapest call there is."""
        return self._http.get("api/credentials", expect=dict, page="credentials")

    def page(self, name: str, filters: Mapping[str, str], number: int, size: int = 100) -> V5Page:
        """Page ``number`` (from 1) of the list ``users``, ``customers`` or ``orders``.

        ``filters`` are sent PHP-bracketed: ``{"createdAtFrom": "2026-05-04"}`` becomes ``filter[createdAtFrom]``.

        Raises:
            BadAnswer: the page has no list of that name or no pagination.
        """
        params = [(f"filter[{key}]", value) for key, value in filters.items()]
        params += [("limit", str(size)), ("page", str(number))]
        answer = self._http.get(
            f"api/v5/{name}",
            params,
            expect=dict,
            page=f"{name}, page {number}",
            complaint=lambda answer: _complaint(answer, name),
        )
        return V5Page(answer[name], *(int(answer["pagination"][key]) for key in _COUNTERS))

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        """The vendor answers a wrong key with 403 and a wrong account with 404; only the text tells them apart."""
        said = body.get("errorMsg") if isinstance(body, dict) else None
        if not isinstance(said, str) or status not in (400, 401, 403, 404):
            return None
        if '"apiKey"' in said:
            return NeedsAuth(self.connection_id, f"the API key was not accepted ({status}) for {page}")
        if said.startswith("Account does not exist"):
            return WrongHost(self.connection_id, f"there is no such account at this address ({status})")
        if said.startswith("Access denied"):
            return Forbidden(self.connection_id, f"the API key may not read {page} ({status})")
        return None


def _complaint(answer: dict[str, Any], name: str) -> str | None:
    items, pagination = answer.get(name), answer.get("pagination")
    if not isinstance(items, list) or not all(isinstance(item, dict) and "id" in item for item in items):
        return f"there is no list '{name}' of objects with ids in the answer"
    if not isinstance(pagination, dict) or not all(isinstance(pagination.get(key), int) for key in _COUNTERS):
        return "the answer has no usable pagination"
    return None
