"""What ``otklik COMMAND --help`` says: purpose, options, examples. Commands and options themselves are in ``app``."""

from __future__ import annotations

from typing import Final


def with_examples(text: str, *examples: str) -> str:
    """A help text with its examples below."""
    # \b keeps the lines as they are; without it the help would flow them together
    return text + "\n\n\b\nПримеры:\n" + "\n".join(f"  {line}" for line in examples)


class Help:
    """Help texts by command and option."""

    APP: Final = "Отклик: переписка с клиентами из CRM и мессенджеров — и неделя каждого менеджера из неё."
    VERSION: Final = "Показать версию."

    UP: Final = with_examples(
        "Поднять всё: базу, миграции и интерфейс Dagster на 127.0.0.1, до Ctrl-C.\n\n"
        "С --demo: выдуманный магазин, эмулятор RetailCRM, загрузка последних пяти закрытых недель и их таблица.",
        "otklik up",
        "otklik up --demo",
        "otklik up --demo --no-serve",
    )
    UP_DEMO: Final = "Показать на выдуманном магазине, без ключей и без сети."
    UP_NO_SERVE: Final = "Закончить после вывода, интерфейс Dagster не запускать."
    UP_PORT: Final = "Порт интерфейса; если не задан и 3000 занят, берётся свободный."

    RUN: Final = with_examples(
        "Всё за одну неделю: загрузить её дни, пересчитать и опубликовать.",
        "otklik run --week 2026-W47",
    )
    RUN_WEEK: Final = "Неделя ISO, например 2026-W47."

    BACKFILL: Final = with_examples(
        "Загрузить дни с первого по последний включительно, одним запуском.",
        "otklik backfill --from 2026-10-01 --to 2026-10-31",
        "otklik backfill --from 2026-10-01 --to 2026-10-31 --select core/messages",
    )
    BACKFILL_FROM: Final = "Первый день, ГГГГ-ММ-ДД."
    BACKFILL_TO: Final = "Последний день, включительно."
    BACKFILL_SELECT: Final = "Только эти таблицы (слой/имя); можно повторять."

    JSON: Final = "Вывести одной строкой JSON."

    SQL: Final = with_examples(
        "Выполнить запрос под ролью аналитика: только чтение, без текстов и телефонов.",
        'otklik sql "select * from marts.manager_week order by week desc limit 10"',
        'otklik sql "select * from marts.channel_week" --csv > channels.csv',
    )
    SQL_QUERY: Final = "Запрос SQL."
    SQL_CSV: Final = "Вывести CSV (разделитель — запятая, UTF-8)."

    DOCTOR: Final = with_examples(
        "Проверить перед запуском адреса, ключи, базу, миграции и диск.\n\n"
        "off — ничего не проверять; fail — остановить при ошибках; strict — остановить и при предупреждениях.",
        "otklik doctor",
        "otklik doctor --mode strict",
        "otklik doctor --json",
    )
    DOCTOR_MODE: Final = "off, fail или strict; по умолчанию OTKLIK_PREFLIGHT."

    PROBE: Final = with_examples(
        "Сделать по одному безвредному вызову и показать, что можно этому аккаунту.\n\n"
        "Без источника — все подключения и двери RetailCRM: Bot API, API v5 и веб-чаты; какая открыта и чего через "
        "неё нет.",
        "otklik probe",
        "otklik probe retailcrm",
        "otklik probe retailcrm-web",
        "otklik probe tbank",
    )
    PROBE_SOURCE: Final = "Источник: retailcrm, retailcrm-web или tbank; без него — все."

    SCHEMA: Final = with_examples(
        "Словарь данных: таблицы, столбцы, описания, персональные данные.",
        "otklik schema",
        "otklik schema core.messages",
        "otklik schema --format markdown > docs/data_dictionary.md",
    )
    SCHEMA_TABLE: Final = "Только эта таблица (схема.имя) или схема."
    SCHEMA_FORMAT: Final = "table, markdown или json."

    SERVICE: Final = "Службы операционной системы: для тех, кто живёт без docker compose."
    SERVICE_INSTALL: Final = with_examples(
        "Записать файлы служб systemd (Linux) или launchd (macOS): интерфейс и расписания после перезагрузки.",
        "otklik service install --print",
        "otklik service install",
        "sudo otklik service install --system",
    )
    SERVICE_PRINT: Final = "Только показать файлы."
    SERVICE_DIR: Final = "Куда записать; по умолчанию каталог служб пользователя или системы."
    SERVICE_SYSTEM: Final = "Служба системы (нужны права root) или пользователя."
    SERVICE_KIND: Final = "systemd или launchd; по умолчанию по операционной системе."
