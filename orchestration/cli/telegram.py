"""``otklik telegram chat-id``: the chats that wrote to the bot, so that one of them can be named as the operators'.

Here: whose token is asked with, the table. Not here: the call (``resources.clients.telegram``). Names of chats and
people are shown on the screen and nowhere else: not in JSON, not in a log.
"""

from __future__ import annotations

import json

from conversations.messages import Telegram
from orchestration.cli import screen
from orchestration.cli.errors import CliError
from resources.settings import Settings

LONGEST_SECONDS = 60.0
"""A person waits for the answer."""


def chat_id(*, as_json: bool) -> None:
    """Print the chats; no chat has to be configured for it, and messages need not be switched on.

    Raises:
        CliError: there is no token, nobody wrote, or somebody else takes the messages; says what to do.
        SourceError: Telegram refused or did not answer.
    """
    from resources.clients.errors import Refused
    from resources.clients.http import Limits
    from resources.clients.telegram import TelegramClient

    settings = Settings()
    connection_id, base_url, token = _bot(settings)
    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=min(settings.http_deadline_seconds, LONGEST_SECONDS),
        attempts=settings.http_max_attempts,
    )
    with TelegramClient(connection_id, base_url, token, limits) as bot:
        name = bot.me()
        try:
            chats = bot.chats()
        except Refused:
            raise CliError(Telegram.TAKEN) from None
    if as_json:
        print(json.dumps([{"chat_id": one.chat_id, "kind": one.kind} for one in chats], ensure_ascii=False))
        return
    if not chats:
        raise CliError(Telegram.EMPTY.format(name))
    rows = [(one.chat_id, Telegram.KINDS.get(one.kind, one.kind), one.title) for one in chats]
    screen.show(screen.table(Telegram.TITLE.format(name), Telegram.COLUMNS, rows))
    screen.say(Telegram.NEXT.format(chats[0].chat_id))


def _bot(settings: Settings) -> tuple[str, str, str]:
    """Name, address and token: those of the environment, else of the account that was connected."""
    from resources.accounts import TELEGRAM, telegram_account
    from resources.warehouse.engine import Warehouse

    if settings.telegram_bot_token is not None:
        return TELEGRAM, settings.telegram_base_url, settings.telegram_bot_token.get_secret_value()
    if settings.has_database:
        # a chat that is named already, or silence that was asked for, does not matter here
        asked = settings.model_copy(update={"telegram_enabled": True, "telegram_chat_id": None})
        with Warehouse.open(settings) as warehouse, warehouse.connect() as connection:
            account = telegram_account(asked, connection)
        if account is not None and account.fault is not None:
            raise account.fault
        if account is not None:
            return account.connection_id, account.base_url, account.bot_token.get_secret_value()
    raise CliError(Telegram.NO_TOKEN)
