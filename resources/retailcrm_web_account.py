"""A RetailCRM account behind a captured browser session, as a source.

Here: an account in force to client to source. Not here: which accounts are in force (``resources.accounts``), HTTP
(``resources.clients``), paging (``resources.sources.retailcrm_web``), Dagster (``resources.retailcrm``).
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from random import Random
from typing import Any

from resources.accounts import RetailCRMWebAccount
from resources.clients.errors import BadConfiguration
from resources.clients.http import Limits
from resources.clients.retailcrm_web import RECAPTURE, RetailCRMWebClient
from resources.settings import Settings
from resources.sources.retailcrm_web import RetailCRMWebSource


def web_source_of(
    settings: Settings, account: RetailCRMWebAccount, closing: ExitStack, limits: Limits | None = None
) -> RetailCRMWebSource:
    """The account's source; its session is closed with ``closing``. ``limits``: the settings' unless given.

    Raises:
        BadConfiguration: address, headers or operations are missing or unusable; the text names which.
    """
    if account.fault is not None:
        raise account.fault
    patience = limits or Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        attempts=settings.http_max_attempts,
        requests_per_second=account.requests_per_second,
    )
    client = RetailCRMWebClient(
        account.connection_id,
        account.address,
        _stored(account, "headers"),
        _stored(account, "operations"),
        patience,
        random=None if settings.otklik_seed is None else Random(settings.otklik_seed),
    )
    return RetailCRMWebSource(account.connection_id, closing.enter_context(client), time_zone=account.time_zone)


def _stored(account: RetailCRMWebAccount, name: str) -> dict[str, Any]:
    """A JSON object among the stored secrets."""
    try:
        found = json.loads(account.secrets.get(name, ""))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found:
        raise BadConfiguration(account.connection_id, f"its captured {name} are missing or damaged", RECAPTURE)
    return found
