"""A RetailCRM account as a source.

Here: an account in force to clients to source, and what is said of a refused key. Not here: which accounts are in force
(``resources.accounts``), how long a refused key rests (``resources.refused``), HTTP (``resources.clients``), paging
(``resources.sources.retailcrm``), Dagster (``resources.retailcrm``): ``otklik probe`` and ``otklik doctor`` answer
without importing it.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from random import Random

from resources.accounts import RetailCRMAccount, RetailCRMWebAccount
from resources.clients.errors import BadConfiguration
from resources.clients.http import Limits
from resources.clients.redact import hide
from resources.clients.retailcrm_bot import RetailCRMBotClient
from resources.clients.retailcrm_v5 import RetailCRMV5Client
from resources.clients.retailcrm_web import RECAPTURE
from resources.refused import rest_after_refusal
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource


def source_of(settings: Settings, account: RetailCRMAccount, closing: ExitStack) -> RetailCRMSource:
    """The account's source; its sessions are closed with ``closing``.

    Raises:
        BadConfiguration: an address or a key is missing or unusable; the text names it.
    """
    if account.fault is not None:
        raise account.fault
    one, secrets = account.connection_id, (account.api_key, account.bot_token)
    api_key, bot_token = (secret.get_secret_value() for secret in secrets)
    if not (account.base_url and api_key and bot_token):
        raise BadConfiguration(one, "its address or one of its keys is missing", "Connect it anew: otklik connect")
    hide(api_key)
    hide(bot_token)
    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        attempts=settings.http_max_attempts,
        requests_per_second=account.requests_per_second,
    )
    random = None if settings.otklik_seed is None else Random(settings.otklik_seed)
    bot = closing.enter_context(RetailCRMBotClient(one, account.mg_base_url, bot_token, limits, random=random))
    crm = closing.enter_context(RetailCRMV5Client(one, account.base_url, api_key, limits, random=random))
    return RetailCRMSource(one, bot, crm, account.time_zone)


def refuse_if_refused(account: RetailCRMAccount | RetailCRMWebAccount, now: datetime) -> None:
    """Leave the vendor alone for an hour after it refused the account's key or session.

    Raises:
        NotAskedAgain: the hour is not over.
    """
    if isinstance(account, RetailCRMWebAccount):
        rest_after_refusal(account.account, now, "the session was", RECAPTURE)
    else:
        rest_after_refusal(account.account, now, "the key was", _NEW_KEY)


_NEW_KEY = "Issue a new key at the vendor and put it into the connection's settings; otklik probe tries it at once"
