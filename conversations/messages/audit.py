"""What ``otklik audit-sheet`` says of the spreadsheet.

Here: words of findings. Not here: when a finding is one (``orchestration.cli.audit_sheet``).
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples
from conversations.messages.numbers import number, plural


class AuditHelp:
    """Help texts by command and option."""

    AUDIT: Final = with_examples(
        "Проверить таблицу Google: вкладки, заголовки, число строк и столбцов, свежесть, формулы и ошибки.\n\n"
        "В отчёте нет ни текстов, ни телефонов, ни имён; чужие вкладки только сосчитаны. Ничего не меняется.",
        "otklik audit-sheet",
        "otklik audit-sheet --output report.json",
    )
    OUTPUT: Final = (
        "Куда записать отчёт JSON; «-» — вывести на экран. По умолчанию sheet_audit_report.json в текущей папке, а если"
        " она закрыта для записи — в OTKLIK_HOME."
    )


class Audit:
    """What the command prints. `{}` is filled by the caller."""

    TITLE: Final = "Вкладки таблицы"
    COLUMNS: Final = (
        ("Вкладка", "left"), ("Строк", "right"), ("Столбцов", "right"), ("Недели", "left"), ("Показано", "left"),
        ("Итог", "left"),
    )  # fmt: skip
    GOOD: Final = "в порядке"
    FINDINGS: Final = {
        "missing_tab": "вкладки нет",
        "taken_title": "вкладка с таким названием не наша: переименуйте её",
        "never_published": "ещё не публиковалась",
        "headings_changed": "заголовки изменены, столбцов: {}",
        "rows_differ": "строк меньше или больше, чем записано: {}",
        "formula_cells": "формул среди наших ячеек: {}",
        "error_cells": "ошибок в наших ячейках: {}",
        "contacts": "ячеек с телефоном, почтой или картой: {}",
        "stale": "устарела: новое не показано",
        "unfinished": "запись не закончена",
        "behind": "опубликованных недель, которых здесь нет: {}",
        "hidden": "вкладка скрыта",
        "staging_left": "остались служебные вкладки: {}, следующая публикация их уберёт",
        "week_not_published": "последняя закрытая неделя не опубликована",
        "nearly_full": "ячеек в таблице: {} из 10 млн",
    }
    REMEDY: Final = "Вернуть наши вкладки как надо: запустите exports с rewrite в интерфейсе Dagster."
    NO_SHEET: Final = "таблица не подключена: задайте GOOGLE_SHEETS_ID или выполните otklik connect sheets"
    WRITTEN: Final = "Отчёт: {}"
    PASSED: Final = "Таблица в порядке."
    NOT_WRITTEN: Final = (
        "таблица проверена, но отчёт не записан в {}: {}. Укажите другой файл (--output) или выведите на экран:"
        " --output -"
    )

    @staticmethod
    def finding(code: str, count: int | None) -> str:
        """A finding in words.

        >>> Audit.finding("formula_cells", 2), Audit.finding("stale", None)
        ('формул среди наших ячеек: 2', 'устарела: новое не показано')
        """
        said = Audit.FINDINGS[code]
        return said.format(number(count)) if count is not None else said

    @staticmethod
    def others(count: int) -> str:
        """The tabs of people.

        >>> Audit.others(2)
        'Не наши: 2 вкладки (не читались).'
        """
        return f"Не наши: {plural(count, 'вкладка', 'вкладки', 'вкладок')} (не читались)."

    @staticmethod
    def failed(errors: int) -> str:
        """The last line when something is wrong."""
        return f"не в порядке: {plural(errors, 'ошибка', 'ошибки', 'ошибок')}, см. отчёт"
