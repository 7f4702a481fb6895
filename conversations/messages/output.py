"""What the commands print when all goes well, one class per command; the week table first.

Not here: errors (``errors``), help (``help``).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from conversations.messages.numbers import days, number, plural


class Week:
    """The week table."""

    BY_MANAGER: Final = "По менеджерам"
    BY_CHANNEL: Final = "По каналам"
    MANAGER: Final = "Менеджер"
    CHANNEL: Final = "Канал"
    WAITS: Final = "Ожида-\nний, n"
    IN_TARGET: Final = "В норме,\n% от n"
    SLOW: Final = "Медлен-\nно, %"
    NO_REPLY: Final = "Без от-\nвета, %"
    FIRST_REPLY: Final = "Первый\nответ,\nмедиана"
    REPLY: Final = "Ответ,\nмедиана"
    REPLY_P90: Final = "Ответ,\n9 из 10\nдо"
    PENDING: Final = "Ждут\nсейчас"
    TOTAL: Final = "Всего"
    NOTE: Final = (
        "n — закрытые за неделю ожидания клиентов; доли в % от n. Времена в рабочих минутах, только по отвеченным. "
        "«Без ответа» включает истёкшее окно WhatsApp. «Ждут сейчас» ни в одну долю не входит."
    )
    MANAGER_NOTE: Final = (
        "Норма менеджера считается с момента, когда вопрос попал к нему; норма канала — с вопроса клиента."
    )
    EMPTY: Final = "За эту неделю закрытых ожиданий нет."

    @staticmethod
    def title(week: str, first: date, last: date) -> str:
        return f"Неделя {week} ({days(first, last)})"


class Up:
    """`otklik up`."""

    DATABASE: Final = "База данных"
    MIGRATIONS: Final = "Миграции"
    EMULATOR: Final = "Эмулятор RetailCRM"
    LOAD: Final = "Загрузка дней"
    REREAD: Final = "Ночная перечитка"
    PUBLISH: Final = "Публикация недель"
    INVENTED: Final = "Магазин выдуман: имена, телефоны и переписка придуманы, реальных людей здесь нет."
    DONE: Final = "Что сделано"
    LAYER: Final = "Слой"
    TABLES: Final = "Таблиц"
    ROWS: Final = "Строк"
    CHECKS: Final = "Проверки"
    WAITING_UI: Final = "Запускается интерфейс Dagster"
    STOPPING: Final = "Останавливаю..."
    STOPPED: Final = "Остановлено. Данные на месте; следующий запуск продолжит с них."

    @staticmethod
    def database(version: str, where: str) -> str:
        return f"PostgreSQL {version}, {where}"

    @staticmethod
    def checks(passed: int, failed: int, warned: int) -> str:
        text = f"Проверки: {number(passed)} пройдено, {number(failed)} не пройдено"
        return text + (f", {plural(warned, 'предупреждение', 'предупреждения', 'предупреждений')}" if warned else "")

    @staticmethod
    def serving(url: str) -> str:
        return f"Интерфейс Dagster: {url}  (остановить: Ctrl-C)"

    @staticmethod
    def not_serving(command: str) -> str:
        return f"Интерфейс Dagster не запущен; запустить: {command}"

    @staticmethod
    def demo_weeks(first_week: str, last_week: str) -> str:
        return f"Демонстрация: недели {first_week}–{last_week}"

    @staticmethod
    def elapsed(seconds: float) -> str:
        return f"Готово за {seconds:.0f} с."

    @staticmethod
    def ask(command: str) -> str:
        return f"Спросить данные: {command}"


class Load:
    """`otklik run` and `otklik backfill`."""

    @staticmethod
    def loaded(first: date, last: date, seconds: float) -> str:
        return f"Загружены дни {days(first, last)} за {seconds:.0f} с."

    @staticmethod
    def published(week: str) -> str:
        return f"Неделя {week} опубликована."

    WEEK_NOT_CLOSED: Final = "Неделя ещё не закончилась: публикуются только закрытые недели."


class Import:
    """`otklik import`."""

    LABELS: Final = {
        "conversations": "Чатов",
        "messages": "Сообщений",
        "managers": "Менеджеров",
        "first_replies": "Первых ответов",
    }
    FIRST_REPLY_P50: Final = "Первый ответ, медиана, мин"
    REASONS: Final = {
        "flagged": "Помечено сообщений",
        "flagged_conversations": "Помечено чатов",
        "quarantined": "В карантине строк",
    }
    NOTHING: Final = "нет"
    STEPS: Final = ("Чтение файла", "Разбор", "Ожидания и сессии")


class Doctor:
    """`otklik doctor`."""

    TITLE: Final = "Предстартовая проверка"
    CHECK: Final = "Что проверено"
    STATE: Final = "Итог"
    DETAIL: Final = "Подробности и что сделать"
    STATES: Final = {"ok": "в порядке", "warning": "внимание", "failed": "ошибка", "skipped": "не задано"}
    NAMES: Final = {
        "home": "Каталог данных",
        "disk": "Место на диске",
        "policy": "Правила (policy.yaml)",
        "database": "База данных",
        "migrations": "Миграции",
        "analyst": "Роль аналитика",
        "base_url": "Адрес RetailCRM",
        "credentials": "Ключи RetailCRM",
        "account": "Доступ к RetailCRM",
    }
    HOME_NOT_WRITABLE: Final = "{} недоступен для записи: дайте права или задайте другой OTKLIK_HOME"
    DISK: Final = "свободно {} ГиБ, занято {} %"
    DISK_FULL: Final = "Нужен хотя бы 1 ГиБ: освободите место"
    POLICY: Final = "{}, часовой пояс {}"
    NOT_CREATED: Final = "ещё не создана: создаст `otklik up`"
    TOO_OLD: Final = "Нужен PostgreSQL 15 или новее"
    MIGRATED: Final = "все применены"
    ANALYST: Final = "читает витрины и обезличенные представления, тексты закрыты"
    ANALYST_SEES_TEXTS: Final = "видит тексты сообщений: отзовите права на core.messages"
    ANALYST_BLIND: Final = "не видит витрин: выполните `otklik up`"
    NO_SOURCE: Final = "RetailCRM не подключён: задайте RETAILCRM_* в .env (для демонстрации и файлов не нужно)"
    MISSING: Final = "не хватает: {}"
    GIVEN: Final = "заданы (не показываются)"
    OFF: Final = "Проверка выключена (OTKLIK_PREFLIGHT=off)."
    PASSED: Final = "Можно запускать."
    REFUSED: Final = "Запуск остановлен: исправьте отмеченное."


class Probe:
    """`otklik probe`."""

    CAPABILITY: Final = "Что"
    STATE: Final = "Доступ"
    DETAIL: Final = "Подробности"
    OPEN: Final = "есть"
    CLOSED: Final = "нет"


class Sql:
    """`otklik sql`."""

    @staticmethod
    def rows(count: int) -> str:
        return plural(count, "строка", "строки", "строк")


class Service:
    """`otklik service install`."""

    @staticmethod
    def written(path: str) -> str:
        return f"Записан {path}"

    NEXT: Final = "Дальше:"
