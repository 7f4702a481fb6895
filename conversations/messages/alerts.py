"""What operators are told: one message when trouble begins, one when it is over, and the words of ``otklik alerts``.

Here: texts, as Telegram's HTML (everything from outside escaped) and as plain lines. Not here: what trouble is
(``conversations.alerts``), who is told (the policy), sending.

A message says what happened, why, since when, whose it is and what to do; it never holds a customer's words, name or
phone: its parts are our own codes, names of accounts, days and times.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from conversations.alerts import BOUGHT, EVALUATION, Kind
from conversations.messages.alert_reasons import REASONS
from conversations.messages.numbers import day, days, plural
from conversations.window import iso_week

_LONGEST_NAME = 80
_MOST_CHECKS = 5


class Alert(NamedTuple):
    """What the text of a message is made from."""

    kind: Kind
    subject: str
    reason: str
    since: datetime
    details: Mapping[str, Any]


class Alerts:
    """Words of the messages and of ``otklik alerts`` and ``otklik watch``."""

    OPENED: Final = "🔴"
    CLOSED: Final = "✅"
    WHY: Final = "Почему"
    WHERE: Final = "Где"
    SINCE: Final = "Началось"
    SINCES: Final = {Kind.LATE: "Последние данные", Kind.HEARTBEAT: "Последний отклик", Kind.NO_WEEK: "Срок был"}
    OWNER: Final = "Ответственный"
    DO: Final = "Что делать"
    CHECKS: Final = "Проверки"
    OPEN_RUN: Final = "Открыть запуск"
    OPEN_UI: Final = "Открыть Dagster"
    LOOK_AT_RUNS: Final = "проверьте, прошли ли запуски за это время"
    NOTHING: Final = "Делать ничего не нужно."
    JOBS: Final = {
        "load_daily": "Загрузка",
        "score_days": "Оценка разговоров",
        "publish_days": "Публикация",
        "publish_week": "Публикация",
    }

    TITLE: Final = "Происшествия"
    NONE: Final = "Открытых происшествий нет."
    MESSAGES: Final = "Сообщения, которые не доставлены наверняка"
    COLUMNS: Final = ("id", "Что", "Началось", "Ответственный", "Состояние")
    MESSAGE_COLUMNS: Final = ("id", "Кому", "Состояние", "Причина", "Когда")
    LASTS: Final = "длится"
    OVER: Final = "кончилось {}"
    STATES: Final = {
        "queued": "ждёт отправки",
        "sending": "отправляется",
        "sent": "отправлено",
        "failed": "не отправлено",
        "unknown": "неизвестно",
    }
    MESSAGE_REASONS: Final = {
        "sender_died": "отправка прервана",
        "no_answer": "ответ потерян",
        "unavailable": "Telegram ответил сбоем",
        "bad_answer": "ответ не читается",
        "rate_limited": "слишком часто",
        "needs_auth": "токен бота не принят",
        "wrong_host": "по адресу отвечает не Telegram",
        "not_reached": "нет связи с Telegram",
        "moved": "чат переехал: впишите новый id",
        "blocked": "бота заблокировали или удалили из чата",
        "chat_not_found": "бот не видит такого чата",
        "too_long": "текст слишком длинный",
        "bad_text": "Telegram не разобрал текст",
        "refused": "Telegram отказал",
        "no_pictures": "в этом чате боту нельзя слать картинки",
        "bad_picture": "Telegram не принял картинку",
        "picture_too_large": "картинка слишком большая",
        "overtaken": "вместо него отправлено новое",
        "expired": "устарело",
    }
    UNKNOWN_HINT: Final = (
        "«Неизвестно» — ответ Telegram потерян: сообщение могло дойти. Посмотрите в чате; если его там нет, "
        "повторите: otklik alerts resend ID"
    )
    RESENT: Final = "{}: поставлено в очередь, отправит otklik watch."
    CLOSED_BY_HAND: Final = "{}: закрыто."
    UNKNOWN_ACTION: Final = "неизвестное действие «{}». Есть: resend ID, close ID"
    NO_MESSAGE: Final = "нет сообщения «{}»: список покажет otklik alerts"
    NOT_RESENT: Final = "{}: {}; повторяют только «не отправлено» и «неизвестно»"
    NO_INCIDENT: Final = "нет открытого происшествия «{}»: список покажет otklik alerts"
    NOT_WATCHED: Final = "За платформой никто не следит: запустите otklik watch (последний взгляд: {})."
    NEVER: Final = "не было"
    TELEGRAM_OFF: Final = "Telegram не подключён: происшествия видны только здесь (otklik connect telegram)."
    WATCHING: Final = "Слежу раз в {} с. Остановить: Ctrl-C."
    LOOKED: Final = "Открыто происшествий: {}, новых: {}, закрыто: {}. Отправлено сообщений: {}, не доставлено: {}."
    LOOKED_BUSY: Final = "Следит другой процесс: этот подождёт."


class AlertsHelp:
    """``--help`` of ``otklik watch`` and ``otklik alerts``."""

    WATCH: Final = (
        "Следить за платформой: упавшие запуски, просроченные данные, ключи, расписания, неделя в срок, диск. "
        "О каждом происшествии — одно сообщение в Telegram, и ещё одно, когда оно кончилось.\n\n\b\nПримеры:\n"
        "  otklik watch\n  otklik watch --once"
    )
    WATCH_ONCE: Final = "Посмотреть один раз, отправить что есть и закончить (для cron)."
    WATCH_EVERY: Final = "Пауза между взглядами, секунд."
    ALERTS: Final = (
        "Открытые происшествия и недоставленные сообщения; закрыть или повторить вручную.\n\n"
        "resend ID — отправить сообщение ещё раз. Сама платформа не повторяет то, что могло дойти: это решает человек. "
        "close ID — закрыть происшествие, если повторять запуск незачем.\n\n\b\nПримеры:\n"
        "  otklik alerts\n  otklik alerts --all --json\n  otklik alerts resend 1f6a90c2d4-open\n"
        "  otklik alerts close 1f6a90c2d4"
    )
    ACTION: Final = "resend или close; без него — список."
    ID: Final = "id сообщения или происшествия из списка."
    ALL: Final = "И закрытые за последние 30 дней, и доставленные сообщения."


def opened(alert: Alert, owner: str, time_zone: str, ui_url: str | None) -> str:
    """The message that trouble began, as Telegram's HTML."""
    why, do = _why(alert), _do(alert)
    lines = [f"{Alerts.OPENED} <b>{_shown(title(alert))}</b>"]
    lines.append(f"{Alerts.WHERE if alert.kind is Kind.DISK else Alerts.WHY}: {_shown(why)}")
    if checks := list(alert.details.get("checks") or ()):
        named = ", ".join(f"<code>{_shown(name)}</code>" for name in checks[:_MOST_CHECKS])
        more = f" и ещё {len(checks) - _MOST_CHECKS}" if len(checks) > _MOST_CHECKS else ""
        lines.append(f"{Alerts.CHECKS}: {named}{more}")
    lines.append(f"{Alerts.SINCES.get(alert.kind, Alerts.SINCE)}: {moment(alert.since, time_zone)}")
    lines.append(f"{Alerts.OWNER}: {_shown(owner)}")
    lines.append(f"{Alerts.DO}: {_shown(do)}")
    if command := _command(alert):
        lines.append(f"<code>{_shown(command)}</code>")
    if ui_url:
        lines.append(_link(alert, ui_url))
    return "\n".join(lines)


def closed(alert: Alert, over: datetime, time_zone: str) -> str:
    """The message that it is over, as Telegram's HTML."""
    lasted = duration(over - alert.since)
    since = moment(alert.since, time_zone)
    return (
        f"{Alerts.CLOSED} <b>{_shown(ending(alert))}</b>\n"
        f"Длилось {lasted}: с {since} до {_until(alert.since, over, time_zone)}. {Alerts.NOTHING}"
    )


def passed(alert: Alert, over: datetime, owner: str, time_zone: str) -> str:
    """The one message about trouble that had ended before anybody could be told."""
    text = closed(alert, over, time_zone).removesuffix(Alerts.NOTHING).rstrip()
    return f"{text}\n{Alerts.OWNER}: {_shown(owner)}\n{Alerts.DO}: {Alerts.LOOK_AT_RUNS}"


def title(alert: Alert) -> str:
    """What happened, in one line."""
    name = _bounded(alert.subject)
    match alert.kind:
        case Kind.RUN_FAILED | Kind.CHECK_FAILED:
            tail = "не прошла проверку" if alert.kind is Kind.CHECK_FAILED else "не удалась"
            return f"{_job(alert.details)} {tail}"
        case Kind.LATE if alert.subject == EVALUATION:
            return "Переписка давно не оценивалась"
        case Kind.LATE:
            return f"Нет свежих данных: {name}"
        case Kind.CONNECTION:
            return f"Подключение не работает: {name}"
        case Kind.HEARTBEAT:
            return "Расписания не работают: Dagster молчит"
        case Kind.NO_WEEK:
            return f"Неделя {name} не опубликована"
        case Kind.SCORING:
            return "Разговоры оценены не все" if alert.subject == BOUGHT else "Разговоры не оцениваются"
        case Kind.DISK:
            return f"Диск занят на {alert.details.get('percent', '?')} %"
        case Kind.DATABASE:
            return "База данных была недоступна"


def ending(alert: Alert) -> str:
    """That it is over, in one line."""
    name = _bounded(alert.subject)
    match alert.kind:
        case Kind.RUN_FAILED | Kind.CHECK_FAILED:
            return f"{_job(alert.details)} прошла"
        case Kind.LATE if alert.subject == EVALUATION:
            return "Переписка снова оценивается"
        case Kind.LATE:
            return f"Данные снова свежие: {name}"
        case Kind.CONNECTION:
            return f"Подключение в порядке: {name}"
        case Kind.HEARTBEAT:
            return "Расписания снова работают"
        case Kind.NO_WEEK:
            return f"Неделя {name} опубликована"
        case Kind.SCORING:
            return "Разговоры снова оцениваются"
        case Kind.DISK:
            return "На диске снова есть место"
        case Kind.DATABASE:
            return "База данных была недоступна и вернулась"


def moment(instant: datetime, time_zone: str) -> str:
    """An instant as people write it, in the organisation's zone.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 21, 0, 14, tzinfo=UTC), "Europe/Moscow")
    '21.11.2026 03:14'
    """
    return f"{instant.astimezone(ZoneInfo(time_zone)):%d.%m.%Y %H:%M}"


def duration(span: timedelta) -> str:
    """A span in its two largest units.

    >>> [duration(timedelta(minutes=m)) for m in (0, 5, 252, 60, 1445, 4500)]
    ['меньше минуты', '5 мин', '4 ч 12 мин', '1 ч', '1 день', '3 дня 3 ч']
    """
    minutes = max(int(span.total_seconds()) // 60, 0)
    hours, minutes = divmod(minutes, 60)
    whole_days, hours = divmod(hours, 24)
    if whole_days:
        parts = [plural(whole_days, "день", "дня", "дней"), f"{hours} ч" if hours else ""]
    else:
        parts = [f"{hours} ч" if hours else "", f"{minutes} мин" if minutes else ""]
    return " ".join(part for part in parts if part) or "меньше минуты"


def _until(since: datetime, over: datetime, time_zone: str) -> str:
    begin, end = (instant.astimezone(ZoneInfo(time_zone)) for instant in (since, over))
    return f"{end:%H:%M}" if begin.date() == end.date() else moment(over, time_zone)


def _why(alert: Alert) -> str:
    match alert.kind:
        case Kind.LATE if alert.subject == EVALUATION:
            return "загрузки проходят, а оценка — нет"
        case Kind.LATE:
            return "источник давно не читался до конца"
        case Kind.HEARTBEAT:
            return "служба расписаний не подаёт признаков жизни"
        case Kind.NO_WEEK:
            return "срок прошёл, а отчёта за неделю нет"
        case Kind.DISK:
            return _bounded(alert.subject)
    why, _ = _reason(alert.reason)
    if accounts := list(alert.details.get("connections") or ()):
        return f"{why} ({', '.join(_bounded(name) for name in accounts)})"
    return why


def _do(alert: Alert) -> str:
    match alert.kind:
        case Kind.LATE if alert.subject == EVALUATION:
            return "загрузите последние дни ещё раз"
        case Kind.LATE:
            return "посмотрите последние запуски и проверьте источник"
        case Kind.HEARTBEAT:
            return "перезапустите otklik up (или службу daemon)"
        case Kind.NO_WEEK:
            return "посмотрите последние запуски, затем опубликуйте неделю"
        case Kind.DISK:
            return "освободите место, пока загрузки не остановились"
    return _reason(alert.reason)[1]


def cause(code: str) -> str:
    """What went wrong, in words for people, by the reason for machines.

    >>> cause("dbt")
    'витрины не собрались'
    """
    return _reason(code)[0]


def _reason(code: str) -> tuple[str, str]:
    if code.startswith("sql_") and code not in REASONS:
        code = "database"
    return REASONS.get(code, REASONS["unexpected"])


def _command(alert: Alert) -> str | None:
    """What to type, where one line does it."""
    first, last = alert.details.get("first"), alert.details.get("last")
    match alert.kind:
        case Kind.LATE if alert.subject != EVALUATION:
            return "otklik connections"
        case Kind.NO_WEEK:
            return f"otklik run --week {alert.subject}"
        case Kind.CONNECTION if alert.reason == "session_expired":
            return f"otklik connect retailcrm-web --id {_bounded(alert.subject)} --curl ФАЙЛ"
        case Kind.CONNECTION if alert.reason == "needs_auth" and alert.details.get("vendor"):
            return f"otklik connect {alert.details['vendor']} --id {_bounded(alert.subject)}"
        case Kind.CONNECTION:
            return "otklik connections"
        case Kind.RUN_FAILED | Kind.CHECK_FAILED if alert.details.get("job") == "load_daily" and first and last:
            return f"otklik backfill --from {first} --to {last}"
        case Kind.RUN_FAILED | Kind.CHECK_FAILED if alert.details.get("job") == "score_days" and first and last:
            return f"otklik score --from {first} --to {last}"
        case Kind.SCORING if first and last:
            return f"otklik score --from {first} --to {last}"
        case Kind.RUN_FAILED | Kind.CHECK_FAILED if alert.details.get("job") == "publish_week" and first == last:
            return f"otklik run --week {iso_week(date.fromisoformat(first))}" if first else None
    return None


def _job(details: Mapping[str, Any]) -> str:
    """``Загрузка за 20.11.2026``, ``Публикация недели 2026-W47``, ``Загрузка (свой набор таблиц) …``."""
    job = str(details.get("job", ""))
    name = Alerts.JOBS.get(job, "Загрузка таблиц" if job.startswith("__") else f"Работа {_bounded(job)}")
    if not details.get("first"):
        return name
    first, last = (date.fromisoformat(str(details[end])) for end in ("first", "last"))
    if job == "publish_week":
        weeks = iso_week(first), iso_week(last)
        return f"{name} недели {weeks[0]}" if first == last else f"{name} недель {weeks[0]}…{weeks[1]}"
    return f"{name} за {day(first)}" if first == last else f"{name} за {days(first, last)}"


def _link(alert: Alert, ui_url: str) -> str:
    base, run = ui_url.rstrip("/"), alert.details.get("run_id")
    match alert.kind:
        case Kind.HEARTBEAT:
            path, words = "/deployment/daemons", Alerts.OPEN_UI
        case Kind.RUN_FAILED | Kind.CHECK_FAILED if run:
            path, words = f"/runs/{run}", Alerts.OPEN_RUN
        case _:
            path, words = "/runs", Alerts.OPEN_UI
    return f'<a href="{html.escape(base + path)}">{words}</a>'


def _shown(text: str) -> str:
    """Telegram's HTML knows three characters that must be escaped; what turns the writing direction is left out."""
    plain = "".join(c if unicodedata.category(c) not in ("Cc", "Cf") else " " for c in text)
    return html.escape(plain, quote=False)


def _bounded(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
