"""What outcomes, channels, layers and reason codes are called. An unknown code is shown as it is, never hidden."""

from __future__ import annotations

from typing import Final

from conversations.messages.exported import EXPORTED
from conversations.messages.tables import ROWS

OUTCOMES: Final = {
    "in_target": "в норме",
    "slow_reply": "медленно",
    "no_reply": "без ответа",
    "window_expired": "окно истекло",
    "not_required": "ответ не нужен",
    "bot_handled": "решил бот",
    "pending": "ждут ответа сейчас",
}
"""Outcome of a wait (contract, section 4.2)."""

CHANNEL_KINDS: Final = {
    "whatsapp": "WhatsApp",
    "instagram": "Instagram",
    "telegram": "Telegram",
    "twitter": "Twitter",
    "vk": "ВКонтакте",
    "viber": "Viber",
    "fbmessenger": "Facebook Messenger",
    "phone": "Телефон",
    "internal": "Звонки между сотрудниками",
    "consultant": "Чат на сайте",
    "custom": "Другой канал",
}

NO_MANAGER: Final = "Без менеджера"
"""The row of waits that nobody owns; never dropped (contract, section 4.5)."""

LAYERS: Final = {
    "raw": "raw — как прислал источник",
    "core": "core — чаты, сообщения, люди",
    "reference": "reference — кто есть кто",
    "evaluated": "evaluated — ожидания, сессии, поведение, советы",
    "marts": "marts — витрины недели",
    "ops": "ops — служебные",
}

REASONS: Final = {
    "unmapped_sender": "неизвестный отправитель",
    "unknown_scope": "неизвестная видимость сообщения",
    "unknown_message_type": "неизвестный вид сообщения",
    "bad_time": "время не читается",
    "missing_field": "нет обязательного поля",
    "bad_amount": "сумма не читается",
    "second_customer": "второй клиент в чужом чате (вне времени ответа)",
    "no_times": "чат без времени сообщений (вне ожиданий и недель)",
    "negative_reply_time": "ответ раньше вопроса (вне времени ответа)",
    "reply_before_last_message": "ответ раньше последнего сообщения",
    "gone_at_source": "удалено в источнике",
    "unknown_delivery_status": "неизвестный статус доставки",
    "hidden_number": "звонок со скрытого номера (вне ожиданий)",
    "unknown_speaker": "в расшифровке есть голос, о котором не сказано чей",
    "direction_assumed": "источник не говорит, кто звонил: считается, что клиент",
    "unknown_format": "неизвестный вид записи",
    "unknown_direction": "неизвестно, кто звонил",
    "unknown_state": "неизвестное состояние расшифровки",
    "is_partial": "известно только последнее сообщение чата (вне ожиданий)",
    **ROWS,
    **EXPORTED,
}
"""Reason codes of flags and of the quarantine; an unknown code is shown as it is."""


def reason(code: str) -> str:
    """A reason code with its meaning.

    >>> reason("bad_time")
    'bad_time: время не читается'
    """
    return f"{code}: {REASONS[code]}" if code in REASONS else code
