"""What operators read: every kind of trouble says what, why, since when, whose, what to do, and is safe HTML."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.alerts import Kind
from conversations.messages.alerts import REASONS, Alert, closed, duration, opened, passed, title

ZONE = "Europe/Moscow"
SINCE = datetime(2026, 11, 21, 0, 14, tzinfo=UTC)
UI = "https://otklik.example/"
RUN = {"run_id": "7f0c", "job": "load_daily", "first": "2026-11-20", "last": "2026-11-20"}
WEEK = {"run_id": "7f0c", "job": "publish_week", "first": "2026-11-16", "last": "2026-11-16"}


def alert(kind: Kind, subject: str, reason: str = "", **details: Any) -> Alert:
    return Alert(kind, subject, reason, SINCE, details)


EVERY_KIND = [
    alert(Kind.RUN_FAILED, "load_daily 2026-11-20", "unavailable", **RUN),
    alert(
        Kind.CHECK_FAILED, "publish_week 2026-11-16", "failed_check", **WEEK, checks=["marts/channel_week: is_unique"]
    ),
    alert(Kind.LATE, "shop", "not_read"),
    alert(Kind.LATE, "evaluated", "not_judged"),
    alert(Kind.CONNECTION, "shop", "needs_auth", vendor="retailcrm"),
    alert(Kind.CONNECTION, "shop", "session_expired", vendor="retailcrm-web"),
    alert(Kind.HEARTBEAT, "daemon", "silent"),
    alert(Kind.NO_WEEK, "2026-W47", "not_published"),
    alert(Kind.RUN_FAILED, "score_days 2026-11-20", "needs_auth", **RUN | {"job": "score_days"}),
    alert(Kind.SCORING, "bought", "over_budget"),
    alert(Kind.SCORING, "bought", "no_model"),
    alert(Kind.SCORING, "scored", "not_scored", first="2026-11-18", last="2026-11-19"),
    alert(Kind.DISK, "/srv/otklik", "filling", percent=91),
    alert(Kind.DATABASE, "warehouse", "away"),
]


def plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", text))


@pytest.mark.parametrize("one", EVERY_KIND, ids=lambda one: f"{one.kind}-{one.subject.split()[0]}")
def test_every_message_says_what_why_since_when_whose_and_what_to_do(one: Alert) -> None:
    text = opened(one, "Анна", ZONE, UI)
    lines = plain(text).splitlines()
    assert lines[0] == f"🔴 {title(one)}"
    assert [line for line in lines if line.endswith(": 21.11.2026 03:14")]
    assert "Ответственный: Анна" in lines
    assert [line for line in lines if line.startswith(("Почему: ", "Где: /"))]
    assert [line for line in lines if line.startswith("Что делать: ") and len(line) > 20]
    assert re.search(r'<a href="https://otklik\.example/(runs(/7f0c)?|deployment/daemons)">Открыть', text)
    assert "<a " not in opened(one, "Анна", ZONE, None)
    # short enough for a glance, and every tag is closed
    assert len(lines) <= 8 and len(plain(text)) < 450
    for tag in ("b", "code", "a"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>")


@pytest.mark.parametrize("one", EVERY_KIND, ids=lambda one: f"{one.kind}-{one.subject.split()[0]}")
def test_every_end_says_what_is_well_again_and_how_long_it_lasted(one: Alert) -> None:
    text = plain(closed(one, SINCE + timedelta(hours=4, minutes=12), ZONE))
    assert text.startswith("✅ ")
    assert text.endswith("Длилось 4 ч 12 мин: с 21.11.2026 03:14 до 07:26. Делать ничего не нужно.")
    assert plain(closed(one, SINCE + timedelta(days=1), ZONE)).count("22.11.2026 03:14") == 1


def test_what_ended_before_anybody_could_be_told_is_one_message() -> None:
    text = plain(passed(EVERY_KIND[-1], SINCE + timedelta(minutes=7), "Анна", ZONE))
    assert text == (
        "✅ База данных была недоступна и вернулась\n"
        "Длилось 7 мин: с 21.11.2026 03:14 до 03:21.\n"
        "Ответственный: Анна\n"
        "Что делать: проверьте, прошли ли запуски за это время"
    )  # fmt: skip


def test_a_failed_load_as_it_is_read() -> None:
    assert plain(opened(EVERY_KIND[0], "дежурный", ZONE, UI)) == (
        "🔴 Загрузка за 20.11.2026 не удалась\n"
        "Почему: источник не отвечает\n"
        "Началось: 21.11.2026 03:14\n"
        "Ответственный: дежурный\n"
        "Что делать: подождите и повторите: записанное сохранено\n"
        "otklik backfill --from 2026-11-20 --to 2026-11-20\n"
        "Открыть запуск"
    )


def test_a_refused_key_as_it_is_read() -> None:
    assert plain(opened(EVERY_KIND[4], "администратор", ZONE, None)) == (
        "🔴 Подключение не работает: shop\n"
        "Почему: ключ больше не принимают\n"
        "Началось: 21.11.2026 03:14\n"
        "Ответственный: администратор\n"
        "Что делать: выпустите новый ключ и подключите его\n"
        "otklik connect retailcrm --id shop"
    )


def test_what_a_time_means_is_said() -> None:
    said = {one.kind: plain(opened(one, "Анна", ZONE, None)) for one in EVERY_KIND}
    assert "Последние данные: 21.11" in said[Kind.LATE]
    assert "Последний отклик: 21.11" in said[Kind.HEARTBEAT]
    assert "Срок был: 21.11" in said[Kind.NO_WEEK]


def test_days_and_weeks_of_runs() -> None:
    many = {**RUN, "last": "2026-11-22"}
    assert title(alert(Kind.RUN_FAILED, "", **many)) == "Загрузка за 20.11–22.11.2026 не удалась"
    assert title(alert(Kind.CHECK_FAILED, "", **WEEK)) == "Публикация недели 2026-W47 не прошла проверку"
    weeks = {**WEEK, "last": "2026-11-23"}
    assert title(alert(Kind.RUN_FAILED, "", **weeks)) == "Публикация недель 2026-W47…2026-W48 не удалась"
    assert title(alert(Kind.RUN_FAILED, "", job="__ASSET_JOB")) == "Загрузка таблиц не удалась"


def test_what_comes_from_outside_is_shown_and_not_obeyed() -> None:
    name = '<b>x</b>&"\u202e\n' + "я" * 500
    text = opened(alert(Kind.CONNECTION, name, "needs_auth"), "<i>Анна</i>", ZONE, 'https://x/"><b>')
    assert "&lt;b&gt;x&lt;/b&gt;&amp;" in text
    assert "&lt;i&gt;Анна&lt;/i&gt;" in text
    assert '"><b>' not in text
    assert "\u202e" not in text
    assert len(plain(text)) < 600
    checks = [f"marts/x: <check {number}>" for number in range(50)]
    named = opened(alert(Kind.CHECK_FAILED, "", "failed_check", **WEEK, checks=checks), "Анна", ZONE, None)
    assert "<code>marts/x: &lt;check 4&gt;</code> и ещё 45" in named


def test_a_reason_that_nobody_knows_is_a_defect_of_ours() -> None:
    for code in ("unexpected", "SomethingNew", ""):
        assert REASONS["unexpected"][0] in opened(alert(Kind.RUN_FAILED, "", code, **RUN), "Анна", ZONE, None)
    assert REASONS["database"][0] in opened(alert(Kind.RUN_FAILED, "", "sql_40001", **RUN), "Анна", ZONE, None)
    assert REASONS["sql_53100"][0] in opened(alert(Kind.RUN_FAILED, "", "sql_53100", **RUN), "Анна", ZONE, None)


def test_every_reason_of_a_client_has_its_words() -> None:
    from resources.clients import errors

    codes = {kind.reason for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "reason")}
    # the families themselves are never raised
    assert codes - {"source", "permanent"} <= set(REASONS)


def test_spans_are_written_in_their_two_largest_units() -> None:
    assert duration(timedelta(days=21, hours=5, minutes=59)) == "21 день 5 ч"
    assert duration(timedelta(seconds=-5)) == "меньше минуты"


def test_what_nobody_has_scored_comes_with_the_command_that_does() -> None:
    for one in (
        alert(Kind.SCORING, "scored", "not_scored", first="2026-11-18", last="2026-11-19"),
        alert(Kind.RUN_FAILED, "score_days", "unavailable", job="score_days", first="2026-11-18", last="2026-11-19"),
    ):
        assert "<code>otklik score --from 2026-11-18 --to 2026-11-19</code>" in opened(one, "Анна", ZONE, None)
    assert "otklik score" not in opened(alert(Kind.SCORING, "bought", "over_budget"), "Анна", ZONE, None)
