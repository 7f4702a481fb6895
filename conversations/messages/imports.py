"""What is said about files that people bring: what is wrong with one, what must be declared, what was understood.

Not here: what is wrong with a row (``names.REASONS``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from conversations.messages.help import with_examples
from conversations.messages.numbers import plural


class Imports:
    """`otklik import` of exported chats and tables."""

    FAULTS: Final = {
        "missing": "такого файла нет: проверьте путь",
        "no_file": "это не файл: укажите сам выгруженный файл или папку выгрузки Telegram",
        "unreadable": "файл не открывается: проверьте права на чтение",
        "empty": "файл пуст: выгрузите чат ещё раз",
        "too_large": "файл слишком велик: выгрузите чаты по одному",
        "changed": "файл изменился во время чтения: дождитесь конца копирования и повторите",
        "unknown_format": (
            "непонятно, что это за файл: укажите --format (whatsapp, telegram, twitter-care, abcd, call-analytics, "
            "harper-valley), для таблицы — файл соответствия --mapping"
        ),
        "not_this_format": "файл не этого формата или обрывается: проверьте файл или укажите другой --format",
        "not_utf8": "текст не в UTF-8: сохраните файл в UTF-8",
        "utf16_unmarked": "текст в UTF-16 без метки порядка байтов: сохраните файл в UTF-8",
        "binary": "это не текст: укажите выгруженный txt, json или zip",
        "long_line": "слишком длинная строка: в выгрузке чата таких не бывает",
        "needs_mapping": "это таблица: опишите её столбцы в файле и укажите его через --mapping",
        "bad_mapping": "файл соответствия не годится: исправьте его (docs/imports.md)",
        "other_columns": (
            "в таблице не те столбцы, что в файле соответствия: исправьте в нём columns, file.skip или file.delimiter"
        ),
        "undecided_date_order": "по файлу нельзя отличить день от месяца: задайте порядок даты",
        "other_date_order": "даты в файле доказывают другой порядок, чем указан: уберите --date-order (date_order)",
        "undecided_staff": "неизвестно, кто из пишущих менеджер: назовите менеджеров",
        "undecided_time_zone": "в файле время без часового пояса: задайте пояс",
        "archive_damaged": "архив повреждён или обрывается: выгрузите или скопируйте его ещё раз",
        "archive_encrypted": "архив под паролем: распакуйте его и загрузите то, что внутри",
        "archive_bomb": "архив распаковывается в объём, какого у чатов не бывает: не открывайте его",
        "archive_entries": "в архиве слишком много файлов: выгрузите чат без медиафайлов",
        "archive_names": "имена в архиве ведут за его пределы: не распаковывайте его, выгрузите чат ещё раз",
        "archive_links": "в архиве ссылки вместо файлов: не распаковывайте его, выгрузите чат ещё раз",
        "archive_duplicates": "в архиве два файла с одним именем: выгрузите чат ещё раз",
        "archive_method": "архив упакован необычным способом: распакуйте его и загрузите то, что внутри",
        "archive_nested": "в архиве только другие архивы: распакуйте его",
        "archive_nothing": "в архиве нет чата: выгрузите чат ещё раз",
        "archive_several": "в архиве несколько чатов: распакуйте его и загрузите файлы по одному",
    }
    """By ``resources.imports.errors.FAULTS``."""
    UNDECIDED: Final = {
        "date_order": (
            "по файлу нельзя отличить день от месяца: укажите --date-order dmy (сначала день), "
            "mdy (сначала месяц) или ymd"
        ),
        "staff": (
            "неизвестно, кто из пишущих менеджер (чатов: {}): назовите менеджеров через --manager «Имя» или "
            "--managers ФАЙЛ, а в личном чате WhatsApp можно клиента через --chat «Имя»; кто писал, покажет --dry-run"
        ),
        "time_zone": "в файле время без часового пояса: укажите --time-zone, например Europe/Moscow",
    }
    """By ``Undecided.what``; {} is the number of chats."""
    ONE: Final = "{}: {}"
    NO_FILES: Final = "не назван ни один файл"
    MANAGERS_FILE: Final = "список менеджеров {} не читается: нужен текст в UTF-8, по одному имени в строке"
    TIME_ZONE: Final = "нет часового пояса «{}»: пишите как Europe/Moscow"
    DATE_ORDER: Final = "«{}» не порядок даты. Есть: dmy, mdy, ymd"
    NO_MAPPING: Final = "нет файла соответствия {}"
    FAILED: Final = "не загружено файлов: {} из {}"
    STEPS: Final = ("Просмотр файла", "Чтение файла", "Разбор", "Ожидания и сессии")
    NO_MANAGERS: Final = (
        "В файле не пишет ни один менеджер: все пишущие считаются клиентами. "
        "Если среди них есть ваши, назовите их через --manager точно так, как в файле."
    )
    NO_CHATS: Final = "В файле нет ни одного разговора с клиентом: считать нечего."
    UNCHANGED: Final = "уже загружен, ничего не изменилось"
    LABELS: Final = {
        "format": "Формат",
        "chats": "Чатов",
        "messages": "Сообщений и уведомлений",
        "span": "Период (UTC)",
        "date_order": "Порядок даты",
        "inserted": "Новых",
        "updated": "Обновлено",
        "quarantined": "В карантине строк",
    }
    FORMATS: Final = {"whatsapp": "WhatsApp", "telegram": "Telegram", "table": "таблица"}
    ORDERS: Final = {"dmy": "день, месяц, год", "mdy": "месяц, день, год", "ymd": "год, месяц, день"}
    FILE_CHANNEL: Final = "Файл"
    DRY_RUN: Final = "Это проба: ничего не записано."
    CHATS: Final = "Чаты"
    CHAT: Final = "Чат"
    AUTHOR: Final = "Кто пишет"
    SIDE: Final = "Сторона"
    COUNT: Final = "Сообщений"
    SPAN: Final = "Период (UTC)"
    SIDES: Final = {"customer": "клиент", "manager": "менеджер", "bot": "бот", "system": "служебное", None: "?"}
    UNTITLED: Final = "без названия"
    NAMELESS: Final = "без имени"
    DELETED: Final = "удалено"
    TALK: Final = "Как понят чат «{}»"
    WHEN: Final = "Когда (UTC)"
    WHO: Final = "Кто"
    TEXT: Final = "Что"
    NO_TIME: Final = "без времени"
    NOTHING: Final = "нет"

    @staticmethod
    def span(first: datetime | None, last: datetime | None) -> str:
        """From the earliest to the latest message."""
        if first is None or last is None:
            return Imports.NO_TIME
        return f"{first:%d.%m.%Y %H:%M} – {last:%d.%m.%Y %H:%M}"

    @staticmethod
    def more_chats(count: int) -> str:
        """Chats that are not shown."""
        return f"и ещё {plural(count, 'чат', 'чата', 'чатов')}"


class ImportsHelp:
    """Help of `otklik import`."""

    IMPORT: Final = with_examples(
        "Загрузить файлы с перепиской (WhatsApp, Telegram, таблицы), посчитать ожидания и вывести сводку.\n\n"
        "Тот же файл второй раз ничего не меняет; более поздняя выгрузка того же чата дополняет его.",
        'otklik import "Чат WhatsApp с контактом Анна.txt"',
        'otklik import _chat.txt --manager "Лавка" --date-order dmy',
        'otklik import result.json --manager "Ольга" --manager user123456',
        "otklik import chats.csv --mapping chats.yaml --dry-run",
        "otklik import dev.json --format twitter-care --json",
    )
    FILES: Final = "Файлы: txt и zip WhatsApp, result.json, messages.html, zip или папка Telegram, таблицы."
    FORMAT: Final = (
        "auto, whatsapp, telegram, table, twitter-care, abcd, call-analytics или harper-valley; auto — определить по "
        "содержимому."
    )
    CONNECTION: Final = "Имя подключения, под которым данные лягут в хранилище; по умолчанию имя формата."
    MANAGER: Final = "Менеджер: имя, как в файле, или id; можно повторять. Остальные пишущие — клиенты."
    MANAGERS: Final = "Файл со списком менеджеров, по одному в строке."
    TIME_ZONE: Final = "Часовой пояс времени в файле, где его нет; по умолчанию пояс организации из policy.yaml."
    DATE_ORDER: Final = "Порядок даты dmy, mdy или ymd; нужен, только если файл сам его не доказывает."
    CHAT: Final = "Название чата, если файл его не говорит: в личном чате WhatsApp это имя клиента."
    MAPPING: Final = "Файл соответствия столбцов таблицы полям сообщения (YAML; docs/imports.md)."
    DRY_RUN: Final = "Только показать, как файл понят: чаты, пишущие, период, первые сообщения. Ничего не записать."
