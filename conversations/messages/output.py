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
    WAITS: Final = "Закры-\nто\nвопро-\nсов, n"
    IN_TARGET: Final = "В\nнорме,\n% от n"
    SLOW: Final = "Мед-\nленно,\n% от n"
    NO_REPLY: Final = "Без\nответа,\n% от n"
    FIRST_REPLY: Final = "Первый\nответ:\nмедиана,\nмин"
    REPLY: Final = "Любой\nответ:\nмедиана,\nмин"
    REPLY_P90: Final = "9 из 10\nответов\nне позже,\nмин"
    PENDING: Final = "Ждут\nсей-\nчас, n"
    TOTAL: Final = "Всего"
    NOTE: Final = (
        "n — вопросы клиентов, по которым за неделю всё решилось; доли — от n. Минуты рабочие, только по отвеченным. "
        "«Без ответа» — вышел предельный срок или окно WhatsApp. «Ждут сейчас» ни в одну долю не входит."
    )
    VIEWS: Final = (
        "У менеджера время идёт с момента, когда вопрос попал к нему, у канала — с вопроса клиента: "
        "поэтому доли в двух таблицах расходятся, а n совпадает."
    )
    EMPTY: Final = "За эту неделю данных нет."
    STATUSES: Final = {"ok": "данные полные", "incomplete": "данные неполные", "failed": "публикация остановлена"}
    INCOMPLETE: Final = "Осторожно с выводами — {}."

    @staticmethod
    def title(week: str, first: date, last: date) -> str:
        return f"Неделя {week} ({days(first, last)})"


class WeekCalls:
    """The table of calls and scores."""

    TITLE: Final = "Звонки и оценки разговоров"
    MANAGER: Final = "Менеджер"
    FIGURES: Final = (
        "Звонков\nот кли-\nентов, n",
        "Звонков\nклиен-\nтам, n",
        "Разго-\nворов,\nмин",
        "Пропу-\nщено, n",
        "Перезво-\nнили в\nнорме,\n% от n",
        "Звонки:\nбалл",
        "Чаты:\nбалл",
    )
    SCORE: Final = "{} (n={})"
    TRIAL: Final = "{}* (n={})"
    RULES: Final = "{}° (n={})"
    NONE: Final = "—"
    TRIAL_NOTE: Final = (
        "* калибровка: критерии ещё не сверены с оценками людей, балл пробный и в показатели менеджера не входит "
        "(otklik labels). Балл — от 0 до 100, n — оценённых разговоров."
    )
    RULES_NOTE: Final = (
        "° по правилам, без модели: слова найдены в разговоре по словарям; с баллом модели не сравнивается. "
        "Балл — от 0 до 100, n — оценённых разговоров."
    )


class Up:
    """`otklik up`."""

    EMULATOR: Final = "Эмуляторы: RetailCRM и телефония выдуманного магазина, Google Таблицы, Telegram, оценщик"
    JUDGE_INVENTED: Final = (
        "Языковой модели в демо нет: вместо неё эмулятор из нескольких правил. Его оценки показывают, как всё "
        "устроено, и ничего не говорят о качестве разговоров."
    )
    REREAD: Final = "Ночная перечитка последних дней"
    INVENTED: Final = "Магазин выдуман: люди, телефоны и переписка придуманы."
    ROWS: Final = "Строк по слоям"
    LAYER: Final = "Слой"
    TABLES: Final = "Таблиц"
    COUNT: Final = "Строк"
    WAITING_UI: Final = "Запускается интерфейс Dagster"
    STOPPING: Final = "Останавливаю, это займёт несколько секунд…"
    STOPPED: Final = "Остановлено. Данные на месте; следующий запуск продолжит с них."
    ASK: Final = 'Спросить данные:     {} sql "select * from marts.manager_week"'
    SPREADSHEET: Final = "Таблица:             {}   (как её видят в Google Таблицах)"
    CHAT: Final = "Чат Telegram:        {}   (отчёт понедельника и тревоги)"
    DIGEST: Final = "Отчёт понедельника:  {} digest   (для печати: --pdf отчёт.pdf)"
    EXPLAIN: Final = "Откуда число:        {} explain manager_week {}"
    UI: Final = "Интерфейс Dagster:   {}   (остановить: Ctrl-C)"
    NO_UI: Final = "Интерфейс Dagster:   не запущен; запустить: {}"
    DATABASE: Final = "База данных:         PostgreSQL {}, {}"
    EMBEDDED: Final = "встроенная, каталог {}"
    OWN: Final = "своя, из DATABASE_URL"
    WEEKS: Final = "Загружены и опубликованы недели {}–{} ({})."

    @staticmethod
    def elapsed(seconds: float) -> str:
        return f"Готово за {seconds:.0f} с."


class Load:
    """`otklik run` and `otklik backfill`."""

    @staticmethod
    def loading(first: date, last: date) -> str:
        return f"Загрузка дней {days(first, last)}"

    @staticmethod
    def publishing(first: str, last: str) -> str:
        return f"Публикация недели {first}" if first == last else f"Публикация недель {first}–{last}"

    @staticmethod
    def publishing_days(first: date, last: date) -> str:
        return f"Публикация дней {days(first, last)}"

    @staticmethod
    def checks(passed: int) -> str:
        return f"Проверок пройдено: {number(passed)}, не пройдено: 0."

    @staticmethod
    def loaded(first: date, last: date, seconds: float) -> str:
        return f"Загружены дни {days(first, last)} за {seconds:.0f} с."

    @staticmethod
    def published(week: str) -> str:
        return f"Неделя {week} опубликована."


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
        "lexicons": "Словари",
        "database": "База данных",
        "migrations": "Миграции",
        "analyst": "Роль аналитика",
        "people": "Кто есть кто",
        "base_url": "Адрес RetailCRM",
        "credentials": "Ключи RetailCRM",
        "account": "Доступ к RetailCRM",
        "telephony": "Телефония Т-Банка",
        "prompts": "Промпты",
        "requirements": "Чек-листы и указания",
        "model": "Языковая модель",
    }
    HOME_NOT_WRITABLE: Final = "{} недоступен для записи: дайте права или задайте другой OTKLIK_HOME"
    DISK: Final = "свободно {} ГиБ, занято {} %"
    DISK_FULL: Final = "Нужен хотя бы 1 ГиБ: освободите место"
    POLICY: Final = "{}, часовой пояс {}"
    LEXICONS: Final = "поставляемые с продуктом"
    OWN_LEXICONS: Final = "свои: {}, намерений: {}, записей: {}"
    NOT_CREATED: Final = "ещё не создана: создаст `otklik up`"
    TOO_OLD: Final = "Нужен PostgreSQL 15 или новее"
    MIGRATED: Final = "все применены"
    ANALYST: Final = "читает витрины и обезличенные представления, тексты закрыты"
    PEOPLE: Final = "учётных записей менеджеров: {}, людей: {}"
    PEOPLE_MISSING: Final = (
        "В policy.yaml, раздел people, названы учётные записи, которых нет ни в одном источнике: {} ({}). Исправьте их "
        "или загрузите источник"
    )
    POLICY_FIRST: Final = "сначала исправьте policy.yaml"
    UNTIMED: Final = "чатов без времени сообщений: {} (хранятся, вне ожиданий и недель)"
    ANALYST_SEES_TEXTS: Final = "видит тексты сообщений: отзовите права на core.messages"
    ANALYST_BLIND: Final = "не видит витрин: выполните `otklik up`"
    OPEN: Final = "открыто разделов: {}"
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
