"""What stands in the tabs, made from a snapshot written by hand: words, units, empty cells, what may not leave."""

from __future__ import annotations

import doctest
import importlib
from datetime import UTC, datetime
from typing import Any

import pytest

from assets.exports import frames, status
from assets.exports.frames import CHATS, MANAGERS, MESSAGES
from resources.warehouse.exports import Export
from tests.unit.snapshots import MESSAGE, STATUS, made, snapshot, tab


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
    return [dict(week) for week in status.known_weeks(found, made(title, **given))]


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
    newest, every, lists = frames.TITLES[1:4], (frames.TREND, frames.SNAPSHOTS, MANAGERS, frames.CHANNELS), {
        frames.EXAMPLES, frames.ADVICE, frames.DELTAS, CHATS, MESSAGES
    }  # fmt: skip
    listed = [row[0] for row in rows]
    assert {title: listed.count(title) for title in listed} == {
        **dict.fromkeys(newest, 1), **dict.fromkeys(every, 2), **dict.fromkeys(lists, 1),
    }  # fmt: skip
    assert list(dict.fromkeys(listed)) == list(frames.TITLES[1:]), "what explains the tabs is not listed itself"
    first = listed.index(MANAGERS)
    assert rows[first][1:8] == [
        "1 строка = 1 менеджер за 1 неделю", "2026-W46 (09.11–15.11)", "нет", "полные", "", datetime(2026, 11, 16), 7,
    ]  # fmt: skip
    assert rows[-1][5] == "показаны не все: без 7 самых старых строк"
    late = datetime(2026, 11, 16, 5, 12, tzinfo=UTC)
    kept = exports[MANAGERS]
    stale = Export(MANAGERS, "h", 2, None, None, kept.weeks, kept.published_at, "диск переполнен", late)
    row = status.status_tab({MANAGERS: stale}, "Europe/Moscow").rows[0]
    assert (row[3], row[5]) == ("да, с 16.11.2026 08:12", "диск переполнен")


@pytest.mark.parametrize(
    "module",
    [
        "assets.exports.made", "assets.exports.comparison", "conversations.messages.changes",
        "conversations.messages.readme", "conversations.messages.sheets", "conversations.messages.weekly",
        "conversations.redact",
    ],
)  # fmt: skip
def test_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed
