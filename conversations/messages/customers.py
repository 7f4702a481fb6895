"""What ``otklik link-customers`` says: which ids of customers are one human.

Not here: managers and their accounts, which stand in the policy.
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples


class CustomersHelp:
    """Help texts by option."""

    LINK: Final = with_examples(
        "Записать, какие номера клиентов — один человек: его чаты оцениваются вместе. Файл CSV с заголовком "
        "customer_id, person; строки с одним person — один человек. Файл целиком заменяет прежний список.",
        "otklik link-customers customers.csv",
        "otklik link-customers customers.csv --json",
    )
    FILE: Final = "Файл CSV: customer_id — номер из core.customers, person — любое слово"


class Customers:
    """What the command prints. `{}` is filled by the caller."""

    TITLE: Final = "Клиенты с несколькими номерами"
    LABELS: Final = {
        "people": "Людей",
        "customers": "Их номеров",
        "unknown": "Из них ещё не встречались в источниках",
        "conversations": "Чатов будет оценено заново",
    }
    NEXT: Final = (
        "Чаты оценит следующая ночная загрузка или otklik backfill (если есть только файлы, без подключений, — "
        "повторный otklik import), недели — их повторная публикация"
    )
    BAD_FILE: Final = "файл {} не годится: {}"
    NOT_TEXT: Final = "это не текст в UTF-8"
