"""What ``otklik link-customers`` says: which ids of customers are one human.

Not here: managers and their accounts, which stand in the policy.
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples


class CustomersHelp:
    """Help texts by option."""

    LINK: Final = with_examples(
        "Записать, какие номера клиентов — один человек: его чаты и звонки оцениваются вместе, в каких бы подключениях "
        "они ни были. Файл CSV с заголовком customer_id, person; строки с одним person — один человек, единственная "
        "строка с person — номер, который ни с кем не связывать. Файл целиком заменяет прежний список и важнее связей "
        "по номеру телефона. Без файла — показать, кто с кем связан и какие номера телефона никого не связали.",
        "otklik link-customers",
        "otklik link-customers customers.csv",
        "otklik link-customers customers.csv --json",
    )
    FILE: Final = "Файл CSV: customer_id — номер из core.customers, person — любое слово; без него — показать связи"


class Customers:
    """What the command prints. `{}` is filled by the caller."""

    TITLE: Final = "Клиенты с несколькими номерами"
    LABELS: Final = {
        "people": "Людей",
        "customers": "Их номеров",
        "unknown": "Из них ещё не встречались в источниках",
        "by_number": "Из них связаны по номеру телефона",
        "shared_numbers": "Номеров телефона, которые никого не связали",
        "conversations": "Чатов будет оценено заново",
    }
    STATE: Final = {
        "people": "Людей",
        "customers": "Их номеров",
        "by_list": "Связаны списком",
        "by_number": "Связаны по номеру телефона",
        "shared_numbers": "Номеров телефона, которые никого не связали",
    }
    SHARED: Final = "Один номер телефона, разные клиенты: показано {} из {}"
    DECIDE: Final = (
        "Если это один человек, запишите его номера в список: otklik link-customers customers.csv. Пока это "
        "неизвестно, звонок с такого номера не считается ответом ни одному из них"
    )
    NEXT: Final = (
        "Чаты оценит следующая ночная загрузка или otklik backfill (если есть только файлы, без подключений, — "
        "повторный otklik import), недели — их повторная публикация"
    )
    BAD_FILE: Final = "файл {} не годится: {}"
    NOT_TEXT: Final = "это не текст в UTF-8"
