"""Google Sheets API v4 with a service account: the few calls that publishing needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from resources.clients.http import Limits

LIMITS = Limits(
    # one copy of 50,000 rows may take the vendor longer than a page of chats; it gives up itself at about 180 s
    read_seconds=180.0,
    deadline_seconds=400.0,
    # a quota is full for up to a minute: the pauses must reach over it
    first_pause_seconds=2.0,
    longest_pause_seconds=32.0,
)


class SheetsClient:
    """Speaks as one service account; raises the errors of ``resources.clients.errors``."""

    def __init__(
        self,
        connection_id: str,
        base_url: str,
        service_account: Mapping[str, Any],
        *,
        limits: Limits | None = None,
        requests_per_minute: int = 60,
        **http: Any,
    ) -> None:
        """``service_account`` is the parsed key file; its ``token_uri`` is where the sign-in goes."""
        self.connection_id = connection_id
        self.limits = replace(limits or LIMITS)
