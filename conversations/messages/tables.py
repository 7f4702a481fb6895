"""Why a row of a table or a line of a log is not understood, in words. Not here: what is wrong with a whole file."""

from __future__ import annotations

from typing import Final

ROWS: Final = {
    "no_match": "строка не подходит ни под один образец",
    "wrong_cells": "ячеек не столько, сколько столбцов",
    "bad_quotes": "кавычки в строке не сходятся",
    "bad_json": "строка не JSON",
    "too_deep": "слишком глубокая вложенность",
    "not_an_object": "не объект с полями",
    "no_messages": "в разговоре нет списка сообщений",
    "missing_conversation": "не сказано, чей это чат",
    "no_author": "не сказано, кто пишет",
    "unknown_role": "роль не описана в values.role",
    "unknown_direction": "направление не описано в values.direction",
    "unknown_kind": "вид сообщения не описан в values.kind",
    "bad_zone": "нет такого часового пояса",
    "ambiguous_time": "время читается двояко",
    "bad_value": "значение не читается",
    "repeated_id": "id сообщения встречается второй раз",
    "undated_notice": "служебная строка без времени",
    "doubtful_hour": "в этот час переводили часы: время могло быть на час другим",
}
"""By the reason codes of ``conversations.imports.tables`` and ``resources.imports.tables``; the last one is a flag."""
