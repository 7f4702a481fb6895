"""Is a key accepted, and is the place there? One harmless question each, asked before an account is stored.

Here: which question for which vendor. Not here: everything that an account may do (``otklik probe``), storing.
"""

from __future__ import annotations

from contextlib import ExitStack

from resources.accounts import RetailCRMAccount, RetailCRMWebAccount, SheetsAccount, TelegramAccount
from resources.clients.http import Limits
from resources.settings import Settings
from resources.tbank_account import TBankAccount, tbank_source_of

LONGEST_SECONDS = 30.0
"""A person waits for the answer."""
MOST_ATTEMPTS = 2


def ask(
    settings: Settings,
    account: RetailCRMAccount | RetailCRMWebAccount | TBankAccount | SheetsAccount | TelegramAccount,
) -> None:
    """Ask the vendor whether it knows us.

    Raises:
        SourceError: it does not, or it could not be asked; the families are in ``resources.clients.errors``.
    """
    if account.fault is not None:
        raise account.fault
    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=min(settings.http_read_timeout_seconds, LONGEST_SECONDS),
        deadline_seconds=min(settings.http_deadline_seconds, LONGEST_SECONDS),
        attempts=min(settings.http_max_attempts, MOST_ATTEMPTS),
    )
    with ExitStack() as closing:
        if isinstance(account, RetailCRMAccount):
            _ask_retailcrm(account, limits, closing)
        elif isinstance(account, RetailCRMWebAccount):
            _ask_web(settings, account, limits, closing)
        elif isinstance(account, TBankAccount):
            # a session is started: login, password and the address of the start are good
            tbank_source_of(settings, account, closing, limits=limits).start_session()
        elif isinstance(account, SheetsAccount):
            _ask_sheets(account, limits, closing)
        else:
            _ask_telegram(account, limits, closing)


def _ask_retailcrm(account: RetailCRMAccount, limits: Limits, closing: ExitStack) -> None:
    from resources.clients.retailcrm_bot import RetailCRMBotClient
    from resources.clients.retailcrm_v5 import RetailCRMV5Client

    name = account.connection_id
    api_key, bot_token = account.api_key.get_secret_value(), account.bot_token.get_secret_value()
    closing.enter_context(RetailCRMV5Client(name, account.base_url, api_key, limits)).credentials()
    closing.enter_context(RetailCRMBotClient(name, account.mg_base_url, bot_token, limits)).items("channels", limit=1)


def _ask_web(settings: Settings, account: RetailCRMWebAccount, limits: Limits, closing: ExitStack) -> None:
    from resources.retailcrm_web_account import web_source_of

    # the first page of chats: the session, the headers and the query are good
    next(iter(web_source_of(settings, account, closing, limits).pages("chats", None, None)))


def _ask_sheets(account: SheetsAccount, limits: Limits, closing: ExitStack) -> None:
    from resources.clients.sheets import SheetsClient

    client = SheetsClient(
        account.connection_id,
        account.base_url,
        account.service_account_info(),
        limits=limits,
        requests_per_minute=account.requests_per_minute,
    )
    closing.enter_context(client).title(account.spreadsheet_id)


def _ask_telegram(account: TelegramAccount, limits: Limits, closing: ExitStack) -> None:
    from resources.clients.telegram import TelegramClient

    token = account.bot_token.get_secret_value()
    client = closing.enter_context(TelegramClient(account.connection_id, account.base_url, token, limits))
    client.me()
    client.chat(account.chat_id)
