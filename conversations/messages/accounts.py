"""What a person reads about work on several accounts: which of them failed, and what each may do.

Here: words of ``otklik run``, ``backfill``, ``probe`` and ``doctor`` about accounts. Not here: connecting them
(``connections``), single failures (``errors``).
"""

from __future__ import annotations

from typing import Final


class Accounts:
    """`{}` is filled by the caller."""

    FAILED: Final = "не вышло с подключениями: {} из {}. {}"
    OTHERS: Final = "Остальные загружены."
    NONE_LEFT: Final = "Ни одно не загружено."
    ONE: Final = "{}: {}"
    UNEXPECTED: Final = "неожиданная ошибка, подробности в журнале запуска"

    NOT_CONNECTED: Final = (
        "Ни RetailCRM, ни телефония не подключены: otklik connect retailcrm (или tbank), или RETAILCRM_* (TBANK_*) "
        "в .env (для демонстрации и файлов не нужно)"
    )

    @staticmethod
    def failed(failed: int, of: int, each: list[str]) -> str:
        """One line for the whole run.

        >>> Accounts.failed(1, 10, ["shop7: ключ не принят"])
        'не вышло с подключениями: 1 из 10. shop7: ключ не принят. Остальные загружены.'
        """
        rest = Accounts.OTHERS if failed < of else Accounts.NONE_LEFT
        return f"{Accounts.FAILED.format(failed, of, '; '.join(each))}. {rest}"
