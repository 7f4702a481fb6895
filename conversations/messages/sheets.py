"""What stands in the sheets: tab titles stay as people know them, headings and words are Russian.

Here: headings, names of values, what is said about a week. Not here: which columns a tab has and what is in them
(``assets.exports.frames``). A share always stands with the number that it is a share of, minutes are working minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from conversations.messages.names import CHANNEL_KINDS


class Masks:
    """What stands in a text instead of a contact."""

    PHONE: Final = "[телефон]"
    EMAIL: Final = "[почта]"
    CARD: Final = "[карта]"
    NAME: Final = "[имя]"
    DOCUMENT: Final = "[документ]"


class Headings:
    """The headings of all tabs."""

    WEEK: Final = "Неделя"
    TEAM: Final = "Команда"
    MANAGER: Final = "Менеджер"
    CHANNEL: Final = "Канал"

    WAITS: Final = "Закрыто вопросов, n"
    IN_TARGET: Final = "В норме, % от n"
    SLOW: Final = "Медленно, % от n"
    NO_REPLY: Final = "Без ответа, % от n"
    FIRST_REPLY: Final = "Первый ответ: медиана, раб. мин"
    FIRST_REPLIES: Final = "Первых ответов"
    REPLY: Final = "Любой ответ: медиана, раб. мин"
    REPLY_P90: Final = "9 из 10 ответов не позже, раб. мин"
    ANSWERED: Final = "Всего ответов"
    PENDING: Final = "Ждут на момент подсчёта"
    NOT_REQUIRED: Final = "Ответ не нужен"
    SESSIONS: Final = "Разговоров с ответом менеджера"
    LEFT_WAITING: Final = "Передал коллеге позже нормы"
    CALLS: Final = "Пропущенных звонков, n"
    CALLS_IN_TARGET: Final = "Перезвонили в норме, % от n"
    DATA: Final = "Данные"

    CHATS: Final = "Чатов"
    CUSTOMERS: Final = "Клиентов"
    MESSAGES_IN: Final = "Сообщений от клиентов"
    MESSAGES_OUT: Final = "Сообщений клиентам"
    ONE_DIRECTION: Final = "Пишет одна сторона, % чатов"
    ASKING: Final = "Разговоров с вопросом"
    BOT_FIRST: Final = "Первым ответил бот, % из них"
    BOT_ONLY: Final = "Разговоров только с ботом"
    BOT_HANDLED: Final = "Вопросов решил бот"

    CHAT: Final = "Чат"
    CUSTOMER: Final = "Клиент"
    OWNER: Final = "Ответственный"
    BEGUN: Final = "Чат начат"
    FIRST_MESSAGE: Final = "Первое сообщение за период"
    LAST_MESSAGE: Final = "Последнее сообщение"
    LAST_SENDER: Final = "Последним писал"
    FROM_CUSTOMER: Final = "Сообщений клиента"
    FROM_MANAGERS: Final = "Сообщений менеджеров"
    FROM_BOTS: Final = "Сообщений бота"
    CHAT_IN_TARGET: Final = "В норме"
    CHAT_SLOW: Final = "Медленно"
    CHAT_NO_REPLY: Final = "Без ответа"
    CHAT_FIRST_REPLY: Final = "Первый ответ, раб. мин"
    WAITING_SINCE: Final = "Ждёт ответа с"
    MARKS: Final = "Отметки"

    SENT_AT: Final = "Время"
    SENDER: Final = "Кто"
    NAME: Final = "Имя"
    TEXT: Final = "Сообщение"
    CONTENT: Final = "Вид"
    DELIVERY: Final = "Доставка"

    TAB: Final = "Вкладка"
    HOLDS: Final = "Что в ней"
    ROWS: Final = "Строк за неделю"
    AS_OF: Final = "Посчитано на"
    DAYS: Final = "Полных дней из 7"
    RECEIVED: Final = "Получено сообщений, %"
    STALE: Final = "Устарело"
    WHY: Final = "Почему"


class Words:
    """Values of cells. A code that is not listed is shown as it is."""

    SENDERS: Final = {
        "customer": "Клиент",
        "manager": "Менеджер",
        "bot": "Бот",
        "autoreply": "Автоответ",
        "campaign": "Рассылка",
        "note": "Заметка (клиент не видит)",
        "system": "Система",
    }
    CONTENTS: Final = {
        "text": "текст",
        "media": "файл",
        "sticker": "стикер",
        "reaction": "реакция",
        "call": "звонок",
        "template": "шаблон",
        "payment_link": "ссылка на оплату",
    }
    DELIVERIES: Final = {
        "sent": "отправлено",
        "delivered": "доставлено",
        "read": "прочитано",
        "failed": "не доставлено",
        "unknown": "",
    }
    EDITED: Final = "изменено"
    DELETED: Final = "удалено"
    MISSED_CALL: Final = "пропущен"
    CLOSED_UNANSWERED: Final = "закрыт без ответа"

    STATUSES: Final = {"ok": "полные", "incomplete": "неполные", "failed": "под вопросом"}
    REASONS: Final = {
        "unmapped_sender": "неизвестный отправитель",
        "clock_skew": "часы источника расходятся",
        "one_direction": "видна только одна сторона переписки",
        "days_not_counted": "по части дней нет счёта источника",
        "incomplete_days": "не все сообщения загружены",
        "not_judged_to_its_end": "конец недели ещё не посчитан",
        "not_judged_again": "новое из других аккаунтов ещё не посчитано",
        "neighbour_incomplete": "неполные данные аккаунта {}, где отвечают тем же клиентам",
    }
    """Reason codes of ``marts.data_status``; the words of a code that is about another account have a place for it."""

    TABS: Final = {
        "manager_summary": "1 строка = 1 менеджер за 1 неделю",
        "channel_summary": "1 строка = 1 канал за 1 неделю",
        "chats_raw": "1 строка = 1 чат, в котором за период писали",
        "messages_raw": "1 строка = 1 сообщение",
        "weekly_digest_managers": "1 строка = 1 менеджер, последняя неделя против прошлой",
        "weekly_digest_channels": "1 строка = 1 канал, последняя неделя против прошлой",
        "manager_report": "1 строка = 1 менеджер: место и чему учить",
        "weekly_trend": "1 строка = 1 неделя всей компании",
        "weekly_behavior_delta_managers": "1 строка = 1 показатель менеджера против прошлой недели",
        "behavior_snapshot_managers": "1 строка = 1 менеджер за 1 неделю, как опубликовано",
        "weekly_examples": "1 строка = 1 разговор для разбора",
        "chat_advice": "1 строка = 1 совет по чату",
        "data_status": "1 строка = 1 вкладка за 1 неделю: свежесть и полнота",
    }
    NO: Final = "нет"
    YES: Final = "да"
    STALE_WEEK: Final = "новая версия недели не прошла проверку, показана прежняя"
    STALE_CHECK: Final = "новые данные не прошли проверку, показаны прежние ({})"
    STALE_FAILED: Final = "новые данные не опубликованы, показаны прежние ({})"
    STALE_UNKNOWN: Final = "связь оборвалась: неизвестно, показаны новые данные или прежние"
    SINCE: Final = "да, с "

    @staticmethod
    def since(moment: str) -> str:
        """The word in the column "Устарело"."""
        return f"{Words.SINCE}{moment}"

    @staticmethod
    def left_out(rows: int) -> str:
        """What is said of a week whose oldest rows are not shown.

        >>> Words.left_out(21), Words.left_out(11)
        ('показаны не все: без 21 самой старой строки', 'показаны не все: без 11 самых старых строк')
        """
        is_one = rows % 10 == 1 and rows % 100 != 11
        return f"показаны не все: без {rows} {'самой старой строки' if is_one else 'самых старых строк'}"

    @staticmethod
    def reasons(codes: str) -> str:
        """Reason codes, comma separated, in words.

        >>> Words.reasons("clock_skew, brand_new")
        'часы источника расходятся, brand_new'
        >>> Words.reasons("neighbour_incomplete:tbank")
        'неполные данные аккаунта tbank, где отвечают тем же клиентам'
        """
        return ", ".join(Words._reason(code) for code in codes.split(", ") if code)

    @staticmethod
    def _reason(code: str) -> str:
        kind, _, about = code.partition(":")
        return Words.REASONS[kind].format(about) if kind in Words.REASONS else code

    @staticmethod
    def joined(parts: Sequence[str]) -> str:
        """Several remarks in one cell.

        >>> Words.joined(["", "удалено", "изменено"])
        'удалено; изменено'
        """
        return "; ".join(part for part in parts if part)


def week_title(week: str, monday: date) -> str:
    """A week as people find it in a calendar; as a text it also sorts by time.

    >>> week_title("2026-W46", date(2026, 11, 9))
    '2026-W46 (09.11–15.11)'
    """
    return f"{week} ({monday:%d.%m}–{monday + timedelta(days=6):%d.%m})"


def channel_title(kind: str, name: str) -> str:
    """A channel by its kind and name, the kind not twice.

    >>> channel_title("whatsapp", "WhatsApp Москва"), channel_title("instagram", "Тёплый край")
    ('WhatsApp Москва', 'Instagram: Тёплый край')
    """
    called = CHANNEL_KINDS.get(kind, kind)
    return name if name.casefold().startswith(called.casefold()) else f"{called}: {name}"


def short_name(name: str) -> str:
    """A person's first name and the initial of the next word that begins with a letter.

    >>> short_name("Галина Ветрова"), short_name("anna_shop"), short_name(" ")
    ('Галина В.', 'anna_shop', '')
    >>> short_name("Анна [телефон]"), short_name("Анна (опт)"), short_name("Анна 🌸 Ветрова")
    ('Анна', 'Анна', 'Анна В.')
    """
    first, *others = name.split() or [""]
    initial = next((word[0] for word in others if word[0].isalpha()), None)
    return first if initial is None else f"{first} {initial}."
