"""What stands in the tabs, made from a snapshot written by hand: words, units, empty cells, what may not leave."""

from __future__ import annotations

import doctest
import importlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from assets.exports import frames, status
from assets.exports.frames import CHATS, MANAGERS, MESSAGES
from assets.exports.snapshot import Snapshot
from resources.warehouse.exports import Export

WEEKS = {"2026-W46": date(2026, 11, 9), "2026-W45": date(2026, 11, 2)}
FIGURES = {
    "waits_settled": 4, "in_target_share": Decimal("0.500000"), "slow_reply_share": Decimal("0.250000"),
    "no_reply_share": Decimal("0.250000"), "first_reply_p50_business_seconds": 90.0, "first_replies": 1,
    "reply_p50_business_seconds": 455.0, "reply_p90_business_seconds": 3600.0, "answered": 3, "pending_now": 0,
    "not_required": 2, "missed_calls_settled": 0, "missed_calls_in_target_share": None, "data_status": "incomplete",
}  # fmt: skip
NOTHING = {
    **FIGURES, "waits_settled": 0, "in_target_share": None, "slow_reply_share": None, "no_reply_share": None,
    "first_reply_p50_business_seconds": None, "first_replies": 0, "reply_p50_business_seconds": None,
    "reply_p90_business_seconds": None, "answered": 0,
}  # fmt: skip
MESSAGE = {
    "week": "2026-W46", "conversation_id": "crm:1", "sent_at": datetime(2026, 11, 10, 9, 30, 5, 123456),
    "sender_kind": "customer", "is_public": True, "content_kind": "text", "text": "Мой номер 8 926 123-45-67",
    "delivery_status": "read", "is_edited": True, "is_deleted": False, "call_answered": None, "flags": [],
    "channel_kind": "whatsapp", "channel_name": "WhatsApp Москва", "manager_name": None,
    "customer_name": "Галина Ветрова",
}  # fmt: skip
CHAT = {
    "week": "2026-W46", "conversation_id": "crm:1", "created_at": None, "first_at": datetime(2026, 11, 10, 9),
    "last_at": datetime(2026, 11, 10, 10), "flags": ["second_customer"], "channel_kind": "vk", "channel_name": "Север",
    "customer_name": "+7 701 123-45-67", "manager_name": None, "team_id": None, "last_sender": "bot",
    "from_customer": 1, "from_managers": 0, "from_bots": 1, "waits": 1, "in_target": 0, "slow_reply": 0,
    "unanswered": 1, "waiting_since": datetime(2026, 11, 10, 9, 30), "closed_unanswered": True,
    "first_reply_seconds": None,
}  # fmt: skip
STATUS = {
    "week": "2026-W46", "channel_id": "crm:61", "channel_kind": "whatsapp", "channel_name": "WhatsApp Москва",
    "status": "ok", "reasons": "", "is_stale": False, "as_of": datetime(2026, 11, 15, 21, tzinfo=UTC),
    "days_complete": 7, "messages_reported": 100, "messages_stored": 100,
}  # fmt: skip


def frame(rows: list[dict[str, Any]]) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, dtype=object)


def snapshot(**given: Any) -> Snapshot:
    manager = {"week": "2026-W46", "manager_key": "crm:1", "team_id": "sales", "manager_name": "Анна Ким",
               "sessions_touched": 3, "left_waiting": 1}  # fmt: skip
    rows = {
        "managers": [
            {**manager, **FIGURES},
            {**manager, **NOTHING, "manager_key": "none", "manager_name": "Без менеджера", "team_id": None},
        ],
        "channels": [
            {"week": "2026-W46", "channel_id": "crm:61", "channel_kind": "vk", "channel_name": "Север", "chats": 2,
             "unique_customers": 2, "messages_in": 3, "messages_out": 1, "one_direction_share": None,
             "asking_sessions": 1, "bot_first_share": None, "bot_only_sessions": 0, "bot_handled": 0, **FIGURES},
        ],
        "status": [STATUS, {**STATUS, "week": "2026-W45"}],
        "chats": [CHAT],
        "messages": [MESSAGE],
        **given,
    }  # fmt: skip
    return Snapshot(
        weeks=WEEKS, raw_weeks=["2026-W46"], judged_until=datetime(2026, 11, 15, 22, tzinfo=UTC),
        left_out={("messages", "2026-W46"): 7}, **{name: frame(found) for name, found in rows.items()},
    )  # fmt: skip


def tab(title: str, texts: Any = "masked", **given: Any) -> list[dict[str, Any]]:
    (sheet,) = [one for one in frames.sheets(snapshot(**given), texts) if one.title == title]
    shown = sheet.tab()
    return [dict(zip([column.name for column in shown.columns], row, strict=True)) for row in shown.rows]


def test_a_manager_in_minutes_and_shares_beside_their_n() -> None:
    anna, nobody = tab(MANAGERS)
    assert list(anna)[:4] == ["Неделя", "Команда", "Менеджер", "Закрыто вопросов, n"]
    assert (anna["Неделя"], anna["Команда"], anna["Менеджер"]) == ("2026-W46 (09.11–15.11)", "sales", "Анна Ким")
    assert (anna["Закрыто вопросов, n"], anna["В норме, % от n"], anna["Без ответа, % от n"]) == (4, 0.5, 0.25)
    assert (anna["Первый ответ: медиана, раб. мин"], anna["Первых ответов"]) == (1.5, 1)
    assert (anna["Любой ответ: медиана, раб. мин"], anna["9 из 10 ответов не позже, раб. мин"]) == (7.58, 60.0)
    assert anna["Данные"] == "неполные"
    assert nobody["Команда"] is None
    unknown = ["В норме, % от n", "Медленно, % от n", "Без ответа, % от n", "Первый ответ: медиана, раб. мин",
               "Любой ответ: медиана, раб. мин", "Перезвонили в норме, % от n"]  # fmt: skip
    assert [nobody[heading] for heading in unknown] == [None] * 6, "unknown is never zero"
    assert (nobody["Закрыто вопросов, n"], nobody["Ждут на момент подсчёта"]) == (0, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Анна +7 701 123-45-67", "Анна"), ("Анна 8 (701) 123-45-67 Ким", "Анна К."), ("Анна (опт)", "Анна"),
        ("anna@mail.ru", "[почта]"), ("Анна 🌸", "Анна"), ("Ким Ю.С.", "Ким Ю."),
    ],
)  # fmt: skip
def test_a_name_with_more_than_a_name_in_it(name: str, expected: str) -> None:
    assert frames.person(name, "masked") == expected


def test_a_message_as_the_policy_lets_it_out() -> None:
    (masked,), (full,), (none,) = (tab(MESSAGES, texts) for texts in ("masked", "full", "none"))
    assert (masked["Сообщение"], masked["Имя"]) == ("Мой номер [телефон]", "Галина В.")
    assert (full["Сообщение"], full["Имя"]) == ("Мой номер 8 926 123-45-67", "Галина Ветрова")
    assert (none["Сообщение"], none["Имя"]) == (None, None)
    assert (masked["Канал"], masked["Кто"], masked["Вид"]) == ("WhatsApp Москва", "Клиент", "текст")
    assert (masked["Время"], masked["Отметки"]) == (datetime(2026, 11, 10, 9, 30, 5), "изменено")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"is_deleted": True, "text": None, "flags": ["gone_at_source"]}, "удалено; изменено"),
        ({"is_edited": False, "content_kind": "call", "call_answered": False}, "пропущен"),
        ({"is_edited": False, "content_kind": "call", "call_answered": True}, ""),
        ({"is_edited": False, "flags": ["brand_new"]}, "brand_new"),
    ],
)
def test_what_is_odd_about_a_message(given: dict[str, Any], expected: str) -> None:
    (row,) = tab(MESSAGES, messages=[{**MESSAGE, **given}])
    assert row["Отметки"] == expected


def test_managers_keep_their_names_and_unknown_codes_are_shown() -> None:
    said = {**MESSAGE, "sender_kind": "manager", "manager_name": "Анна Ким", "content_kind": "hologram"}
    (row,) = tab(MESSAGES, "none", messages=[said])
    assert (row["Кто"], row["Имя"], row["Вид"]) == ("Менеджер", "Анна Ким", "hologram")


def test_a_chat_with_what_is_known_of_it() -> None:
    (chat,) = tab(CHATS)
    assert (chat["Канал"], chat["Клиент"], chat["Ответственный"]) == ("ВКонтакте: Север", "[телефон]", None)
    assert (chat["Последним писал"], chat["Ждёт ответа с"]) == ("Бот", datetime(2026, 11, 10, 9, 30))
    assert (chat["Первый ответ, раб. мин"], chat["Чат начат"]) == (None, None)
    assert chat["Отметки"].startswith("закрыт без ответа; второй клиент")


def known(title: str, **given: Any) -> list[dict[str, Any]]:
    found = snapshot(**given)
    (sheet,) = [one for one in frames.sheets(found, "masked") if one.title == title]
    return [dict(week) for week in status.known_weeks(found, sheet)]


def test_a_week_is_as_good_as_its_worst_channel() -> None:
    other = {**STATUS, "channel_name": "WhatsApp Алматы", "status": "incomplete", "days_complete": 5,
             "reasons": "incomplete_days, days_not_counted", "messages_stored": 50,
             "as_of": datetime(2026, 11, 15, 20, tzinfo=UTC)}  # fmt: skip
    newest, before = known(MANAGERS, status=[STATUS, other, {**STATUS, "week": "2026-W45", "is_stale": True}])
    assert (newest["status"], newest["days_complete"], newest["received"]) == ("incomplete", 5, 0.75)
    assert newest["as_of"] == "2026-11-15T20:00:00+00:00"
    assert newest["why"] == ["WhatsApp Алматы: не все сообщения загружены, по части дней нет счёта источника"]
    assert (newest["rows"], before["rows"], before["is_stale"]) == (2, 0, True)
    unknown = {**STATUS, "as_of": None, "messages_reported": None, "messages_stored": None}
    (nothing, _) = known(MANAGERS, status=[unknown, {**STATUS, "week": "2026-W45"}])
    assert (nothing["as_of"], nothing["received"]) == (None, None)


def test_lists_speak_of_their_own_weeks_instant_and_limit() -> None:
    (week,) = known(MESSAGES)
    assert (week["week"], week["as_of"], week["left_out"]) == ("2026-W46", "2026-11-15T22:00:00+00:00", 7)


def test_the_tab_data_status_says_stale_since_when_and_why() -> None:
    exports = {
        title: Export(title, "h", 2, "2026-W45", "2026-W46", known(title), datetime(2026, 11, 16, 5, tzinfo=UTC))
        for title in frames.TITLES
    }
    rows = status.status_tab(exports, "Europe/Moscow").rows
    assert [row[0] for row in rows] == [MANAGERS, MANAGERS, "channel_summary", "channel_summary", CHATS, MESSAGES]
    assert rows[0][1:8] == [
        "1 строка = 1 менеджер за 1 неделю", "2026-W46 (09.11–15.11)", "нет", "полные", "", datetime(2026, 11, 16), 7,
    ]  # fmt: skip
    assert rows[-1][5] == "показаны не все: без 7 самых старых строк"
    late = datetime(2026, 11, 16, 5, 12, tzinfo=UTC)
    kept = exports[MANAGERS]
    stale = Export(MANAGERS, "h", 2, None, None, kept.weeks, kept.published_at, "диск переполнен", late)
    row = status.status_tab({MANAGERS: stale}, "Europe/Moscow").rows[0]
    assert (row[3], row[5]) == ("да, с 16.11.2026 08:12", "диск переполнен")


@pytest.mark.parametrize("module", ["assets.exports.frames", "conversations.messages.sheets", "conversations.redact"])
def test_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed
