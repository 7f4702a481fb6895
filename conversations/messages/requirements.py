"""What ``otklik requirements`` and ``otklik operators`` say: checklists, instructions, who answers the telephone.

Not here: what is wrong with a table (``conversations.headed`` and its callers know the codes; here are their words).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conversations.messages.help import with_examples


class RequirementsHelp:
    """Help texts by command and option."""

    REQUIREMENTS: Final = with_examples(
        "Прочитать чек-листы, указания и справочник операторов — из таблицы требований или из файлов prompts/ — и "
        "показать, что действует. Изменение становится новой версией; что прочитать нельзя, оставляет прежнюю.",
        "otklik requirements",
        "otklik requirements --json",
    )
    OPERATORS: Final = "Справочник операторов: кто отвечает на звонки, в каком отделе и с какого дня."
    IMPORT: Final = with_examples(
        "Принять справочник: всё или ничего, ошибки по ячейкам. Столбцы: Оператор (id или логин), ФИО, Отдел; могут "
        "быть Подключение, Офис, Супервайзер, Телефон, С даты. Файл заменяет прежние строки своих подключений; строки "
        "листа таблицы остаются.",
        "otklik operators import операторы.xlsx",
        "otklik operators import operators.csv --json",
    )
    LIST: Final = with_examples(
        "Показать справочник: каждая строка действует до следующей строки того же оператора.",
        "otklik operators list",
        "otklik operators list --json",
    )
    FILE: Final = "Справочник: .csv (UTF-8) или .xlsx с одним заполненным листом."
    CONNECTION: Final = "Подключение строк, где оно не названо (по умолчанию — телефония из окружения)."


class Requirements:
    """What the commands print. `{}` is filled by the caller."""

    TITLE: Final = "По чему оцениваются разговоры"
    COLUMNS: Final = ("Что", "Где", "Состояние", "Версия")
    KINDS: Final = {"criteria": "Критерии", "instructions": "Указания", "operators": "Операторы"}
    STATES: Final = {"ok": "прочитано", "broken": "не годится", "refused": "отклонено"}
    NEW: Final = "{} — новая"
    NONE: Final = "нет"
    NOTHING: Final = "Политика не называет ни одного отдела: добавьте departments в policy.yaml (docs/scoring.md)"
    REASON: Final = "{place}: {what}"
    STAYS: Final = "Где прочитать не удалось, действует последняя хорошая версия."
    IMPORTED: Final = "Справочник операторов"
    LABELS: Final = {
        "rows": "Строк в файле",
        "added": "Добавлено",
        "changed": "Изменено",
        "removed": "Убрано",
        "shortened": "Прежних сроков стало короче",
        "beside": "Оставлено файлу",
    }
    NEXT: Final = "Отделы у звонков обновит следующая ночная загрузка или otklik backfill"
    LIST_COLUMNS: Final = (
        "Подключение", "Оператор", "ФИО", "Отдел", "Офис", "Супервайзер", "Телефон", "Действует", "Откуда"
    )  # fmt: skip
    ALWAYS: Final = "всегда"
    FROM: Final = "с {}"
    TO: Final = "по {}"
    SOURCES: Final = {"file": "файл", "sheet": "таблица"}
    EMPTY: Final = "Справочник пуст: otklik operators import операторы.xlsx"
    BAD_FILE: Final = "файл {} не годится: {}"
    NOT_TEXT: Final = "это не текст в UTF-8"
    NOT_CSV: Final = "строка {} — не CSV"
    TOO_LARGE: Final = "больше {} МиБ"
    FAULTS: Final = {
        # tables of people
        "no_heading_row": "нет строки заголовков",
        "unknown_heading": "неизвестный заголовок",
        "double_heading": "заголовок повторяется",
        "missing_heading": "нет обязательного столбца",
        "no_criteria": "нет ни одного критерия",
        "no_rows": "нет ни одной строки",
        "too_many": "слишком много строк",
        "empty": "пусто",
        "too_long": "слишком длинно",
        "not_a_value": "не текст и не число",
        # criteria
        "bad_code": "код — латинские буквы, цифры и _, первой буква, до 40 знаков",
        "double_code": "код повторяется",
        "not_whole": "нужно целое число",
        "out_of_range": "число вне допустимых",
        "bad_scale": "шкала пишется как 1, 0–2 или да/нет",
        "bad_about": "менеджер, клиент или любой",
        "not_yes_or_no": "да или нет",
        "unknown_rule": "нет такого правила",
        "not_yaml": "не YAML",
        "wrong_shape": "не та структура",
        # operators
        "unknown_department": "такого отдела нет в политике",
        "bad_phone": "не похоже на телефон",
        "bad_day": "не дата",
        "double_row": "оператор на эту дату уже есть выше",
        # the spreadsheet and the files
        "no_tab": "нет такого листа",
        "too_large": "лист слишком велик",
        "no_account": "нет сервисного аккаунта: GOOGLE_SERVICE_ACCOUNT_JSON или otklik connect sheets",
        "no_file": "нет файла",
        "unreadable": "файл не читается как текст UTF-8",
        "forbidden": "таблица не открыта сервисному аккаунту",
        "not_found": "нет такой таблицы",
        "needs_auth": "ключ сервисного аккаунта не принят",
        "unavailable": "Google не ответил",
        "rate_limited": "Google просит подождать",
        "deadline": "Google не ответил вовремя",
        "configuration": "файл ключа или адрес Google не годится",
        "refused": "Google не принял запрос",
        "wrong_host": "по адресу Google ответил кто-то другой",
        "private_address": "адрес Google ведёт во внутреннюю сеть",
        "bad_answer": "ответ Google обрывается или слишком велик",
        # credentials
        "private_key": "закрытый ключ: уберите его из таблицы и смените",
        "jwt": "токен доступа: уберите его из таблицы и смените",
        "api_key": "ключ доступа: уберите его из таблицы и смените",
        "url_with_password": "адрес с паролем: уберите его из таблицы и смените пароль",
        "named_secret": "похоже на пароль или токен: уберите его из таблицы и смените",
        "long_token": "похоже на ключ: уберите его из таблицы и смените",
    }
    """Reason codes of a look and of a refused file."""

    @classmethod
    def told(cls, faults: Sequence[tuple[str, str]]) -> str:
        """Faults as people read them: place and what is wrong there.

        >>> Requirements.told([("B7", "empty"), ("", "no_rows")])
        'B7: пусто; нет ни одной строки'
        """
        shown = [(place, cls.FAULTS.get(code, code)) for place, code in faults]
        return "; ".join(cls.REASON.format(place=place, what=what) if place else what for place, what in shown)

    @classmethod
    def reason(cls, stored: str) -> str:
        """The reason of a look, ``B7: empty; C9: too_long``, as people read it."""
        parts = [part.rpartition(": ") for part in stored.split("; ")]
        return cls.told([(place, code) for place, _, code in parts])
