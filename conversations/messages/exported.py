"""Why a row of a messenger's export was not understood, in words."""

from __future__ import annotations

from typing import Final

EXPORTED: Final = {
    "no_time": "у сообщения нет времени",
    "unsupported": "Telegram не выгрузил сообщение: его вид не поддержан",
    "not_a_conversation": "не разговор с клиентом: избранное, ответы или канал",
    "unknown_type": "неизвестный тип записи",
    "bad_text": "текст сообщения не читается",
}
"""By the reason codes of ``conversations.imports.telegram`` that tables do not have as well."""
