"""What ``otklik telegram chat-id`` says: which chats wrote to the bot, and what to do when none did.

Not here: what the bot says (``alerts``, ``digest``).
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples


class TelegramHelp:
    """Help texts by command and option."""

    TELEGRAM: Final = "Бот Telegram: узнать номер чата."
    CHAT_ID: Final = with_examples(
        "Показать чаты, в которых боту писали за последние сутки, и их номера: один из них — TELEGRAM_CHAT_ID.",
        "otklik telegram chat-id",
        "otklik telegram chat-id --json",
    )


class Telegram:
    """What the command prints. `{}` is filled by the caller."""

    TITLE: Final = "Чаты, в которых писали боту @{}"
    COLUMNS: Final = (("Номер чата", "left"), ("Вид", "left"), ("Название или имя", "left"))
    KINDS: Final = {
        "private": "личный чат",
        "group": "группа",
        "supergroup": "группа",
        "channel": "канал",
    }
    NEXT: Final = "Впишите нужный номер в .env: TELEGRAM_CHAT_ID={}"
    EMPTY: Final = (
        "боту @{0} за последние сутки никто не писал. Что сделать: 1) добавьте бота в группу дежурных или откройте "
        "с ним личный чат; 2) напишите там /start@{0}; 3) запустите команду снова"
    )
    NO_TOKEN: Final = "нет токена бота: впишите TELEGRAM_BOT_TOKEN в .env или выполните otklik connect telegram"
    TAKEN: Final = (
        "сообщения этого бота забирает другая программа (или у него включён webhook), поэтому чаты не видны. "
        "Остановите её или сделайте для Отклика своего бота у @BotFather"
    )
