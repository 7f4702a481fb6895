"""RetailCRM MessageGateway Bot API v1: channels, users, bots, chats, dialogs and messages of one account.

Here: the paths and filters of this API, as the vendor's own Go and PHP clients use them
(https://github.com/retailcrm/mg-bot-api-client-go). Not here: paging over several pages
(``resources.sources.retailcrm``), what a payload means (``conversations.parsing.retailcrm``).

Every list is a bare JSON array without a total. 503 is the vendor's word for "too fast". Mass mailings are hidden
unless ``include_mass_communication=1`` is sent; it never is, they do not belong into the work of managers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from resources.clients.http import HttpClient, Limits

LARGEST_PAGE = 1000
"""Default is 100, the maximum is said to be 1000; neither is in the vendor's documentation."""


class RetailCRMBotClient:
    """Reads lists; raises the errors of ``resources.clients.errors``."""

    def __init__(
        self, connection_id: str, base_url: str, bot_token: str, limits: Limits | None = None, **http: Any
    ) -> None:
        self.connection_id = connection_id
        self._http = HttpClient(connection_id, base_url, headers={"X-Bot-Token": bot_token}, limits=limits, **http)

    def __enter__(self) -> RetailCRMBotClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def items(
        self,
        name: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        since_id: int | None = None,
        until_id: int | None = None,
        ids: Iterable[int] = (),
        limit: int = LARGEST_PAGE,
    ) -> list[dict[str, Any]]:
        """One answer of the list ``channels``, ``users``, ``bots``, ``chats``, ``dialogs`` or ``messages``.

        Order, and whether the bounds are inclusive, are not documented: the caller must not rely on either.

        Raises:
            BadAnswer: an item is no object or has no whole number as id.
        """
        params = [("limit", str(limit))]
        params += [(key, _moment(value)) for key, value in (("since", since), ("until", until)) if value is not None]
        params += [
            (key, str(value)) for key, value in (("since_id", since_id), ("until_id", until_id)) if value is not None
        ]
        params += [("id[]", str(one)) for one in ids]
        page = _page_name(name, params)
        return self._http.get(f"api/bot/v1/{name}", params, expect=list, page=page, complaint=_complaint)


def _complaint(items: list[Any]) -> str | None:
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("id"), int) or isinstance(item["id"], bool):
            return "an item of the list is no object with a whole number as id"
    return None


def _moment(instant: datetime) -> str:
    # UTC with microseconds, as the vendor's PHP client writes it
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _page_name(name: str, params: list[tuple[str, str]]) -> str:
    said = ", ".join(f"{key} {value}" for key, value in params if key not in ("limit", "id[]"))
    asked = sum(key == "id[]" for key, _ in params)
    return " ".join(filter(None, (name, f"({said})" if said else "", f"({asked} ids)" if asked else "")))
