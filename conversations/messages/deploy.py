"""What ``otklik migrate`` says. Not here: errors (``errors``)."""

from __future__ import annotations

from typing import Final

from conversations.messages.numbers import plural


class Migrate:
    """The migrations, as the owner of the database."""

    HELP: Final = (
        "Привести таблицы, права и хранилище Dagster к этой версии программы. Нужен вход владельца базы "
        "(DATABASE_URL); можно повторять.\n\nНа сервере это делает сервис migrate при каждом обновлении, до "
        "остальных.\n\n\b\nПримеры:\n"
        "  otklik migrate\n"
        "  docker compose run --rm migrate"
    )
    CURRENT: Final = "Таблицы и права соответствуют этой версии."
    DAGSTER: Final = "Хранилище Dagster"
    STORAGE: Final = "Хранилище Dagster соответствует этой версии."

    @staticmethod
    def applied(revisions: list[str]) -> str:
        """Which revisions were applied.

        >>> Migrate.applied(["0001", "0002"])
        'Применено 2 миграции: 0001, 0002.'
        """
        count = plural(len(revisions), "миграция", "миграции", "миграций")
        return f"Применено {count}: {', '.join(revisions)}." if revisions else Migrate.CURRENT
