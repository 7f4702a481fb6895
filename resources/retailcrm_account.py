"""The RetailCRM account of the settings as a source.

Here: settings to clients to source. Not here: HTTP (``resources.clients``), paging (``resources.sources.retailcrm``),
Dagster (``resources.retailcrm``): ``otklik probe`` and ``otklik doctor`` answer without importing it.
"""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

from pydantic import SecretStr

from resources.clients.errors import BadConfiguration
from resources.clients.http import Limits
from resources.clients.redact import hide
from resources.clients.retailcrm_bot import RetailCRMBotClient
from resources.clients.retailcrm_v5 import RetailCRMV5Client
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource


def source_of(settings: Settings, closing: ExitStack) -> RetailCRMSource:
    """The source that the settings describe; its sessions are closed with ``closing``.

    Raises:
        BadConfiguration: a variable is missing or unusable; the text names it.
    """
    connection_id = settings.retailcrm_connection_id
    base_url = _required(settings.retailcrm_base_url, "RETAILCRM_BASE_URL", connection_id)
    mg_url = settings.retailcrm_mg_url or base_url
    api_key = _secret(settings.retailcrm_api_key, "RETAILCRM_API_KEY", connection_id)
    bot_token = _secret(settings.retailcrm_bot_token, "RETAILCRM_BOT_TOKEN", connection_id)
    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        attempts=settings.http_max_attempts,
        requests_per_second=settings.retailcrm_requests_per_second,
    )
    random = None if settings.otklik_seed is None else Random(settings.otklik_seed)
    bot = closing.enter_context(RetailCRMBotClient(connection_id, mg_url, bot_token, limits, random=random))
    crm = closing.enter_context(RetailCRMV5Client(connection_id, base_url, api_key, limits, random=random))
    return RetailCRMSource(connection_id, bot, crm, settings.retailcrm_timezone)


def _required(value: str | None, variable: str, connection_id: str) -> str:
    if not value:
        raise BadConfiguration(
            connection_id, f"{variable} is not set", "Set it in the environment or in .env; otklik doctor checks it"
        )
    return value


def _secret(value: SecretStr | None, variable: str, connection_id: str) -> str:
    found = _required(value.get_secret_value() if value is not None else None, variable, connection_id)
    hide(found)
    return found
