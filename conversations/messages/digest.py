"""The words of Monday's digest, and its text as Telegram's HTML; what its picture and its report say.

Here: texts, the length that fits one phone screen, escaping. Not here: what is told (``conversations.digest``), the
layout of the report (``conversations.digest_report``), drawing (``resources.picture``, ``resources.report``).

Everything that comes from outside (names, reasons) is escaped; a number stands with its unit and its n.
"""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from conversations.messages.changes import Changes, Metrics
from conversations.messages.numbers import NONE, minutes, number, plural, share
from conversations.messages.sheets import Words, week_title

if TYPE_CHECKING:
    # the texts are imported with every command
    from conversations.delta import Delta
    from conversations.digest import Change, Condition, Digest, Figures

LONGEST = 1024
"""Most UTF-16 units of a picture's caption after its entities were parsed (Bot API)."""
MOST_LINES, LINE_CHARACTERS = 22, 42
"""What a phone shows of a caption together with the whole picture above it: lines of that many characters."""
_LONGEST_NAME = 32


class Digests:
    """Words of the digest, its picture, its report and ``otklik digest``."""

    AS_OF: Final = "данные на {}"
    COMPANY: Final = "Вся компания"
    SUM_OF_CHANNELS: Final = "Складывается из всех каналов."
    ASK: Final = "Откуда число: otklik explain digest {} in_target_share"
    IN_TARGET: Final = "В норме"
    SLOW: Final = "Медленно"
    NO_REPLY: Final = "Без ответа"
    WAITING: Final = "Ждут ответа сейчас"
    NO_WAITS: Final = "Вопросов клиентов за неделю не было"
    MAIN: Final = "Главные изменения"
    NO_MAIN: Final = "Значимых изменений нет"
    BETTER: Final = "🟢"
    WORSE: Final = "🔴"
    MOST: Final = "больше всего: {}"
    MOST_UNANSWERED: Final = "Без ответа больше всего"
    CAUTION: Final = "Данные неполные"
    SHORT: Final = {
        "first_reply_p50_business_seconds": "медиана первого ответа",
        "first_reply_p50_seconds": "медиана первого ответа по часам",
        "reply_p50_business_seconds": "медиана ответа",
        "reply_p50_seconds": "медиана ответа по часам",
    }
    """Names that are too long for a phone."""
    WORK_MINUTES: Final = "раб. мин"
    STALE: Final = "показана прежняя версия"
    MORE_CHANNELS: Final = " и ещё {}"
    LINK: Final = "Подробно в таблице"
    WAS: Final = "было {} из {}"

    LATE: Final = "Отчёт задерживается: {}"
    LATE_WHY: Final = "Почему: {}"
    LATE_CHECK: Final = "новые цифры не прошли проверку"
    LATE_NOT_THERE: Final = "неделя ещё не опубликована"
    LATE_DATA: Final = "загружены не все данные"
    LATE_NEXT: Final = "Отчёт придёт сюда сам, как только всё будет готово. Делать ничего не нужно."
    LATE_OLD: Final = "В таблице пока прежние цифры."
    LATE_PARTIAL: Final = "Цифры в таблице неполные."

    PICTURE_TREND: Final = "В норме по неделям, %"
    PICTURE_PEOPLE: Final = "По менеджерам, % вопросов"
    OF: Final = "из"
    PICTURE_OTHERS: Final = "ещё {}"
    PICTURE_FEW: Final = "Бледно: меньше 20 вопросов, выводов не делаем."

    REPORT: Final = "Отчёт за неделю {}"
    MANAGERS: Final = "Менеджеры"
    CHANNELS: Final = "Каналы"
    MANAGER: Final = "Менеджер"
    CHANNEL: Final = "Канал"
    TEAM: Final = "Команда"
    ANSWERED: Final = "Вопросов, n"
    COMPARED: Final = "против прошлой недели"
    MEDIAN: Final = "Ответ: медиана, раб. мин"
    NEXT_STEP: Final = "Следующий шаг, % (n)"
    PENDING: Final = "Ждут сейчас"
    ALL: Final = "Всего"
    NOTES: Final = "Как читать"
    NOTE_N: Final = "n — вопросы клиентов, по которым за неделю всё решилось; доли считаются от n."
    NOTE_TARGET: Final = "«В норме» — ответили за {} на первый вопрос разговора и за {} на следующие, рабочее время."
    NOTE_TARGETS: Final = "«В норме» — ответили за срок, заданный в правилах для канала, рабочее время."
    NOTE_NO_REPLY: Final = "«Без ответа» — вышел предельный срок или окно WhatsApp; поздний ответ этого не меняет."
    NOTE_WAITING: Final = "«Ждут ответа сейчас» — вопросы без ответа на момент подсчёта; ни в одну долю не входят."
    NOTE_ARROWS: Final = (
        "Стрелка стоит только там, где разница не случайна и заметна (от 5 п.п.; медианы — от 20 % и 2 минут). "
        "В главные попадает то, что выдержало поправку на число сравнений."
    )
    NOTE_VIEWS: Final = (
        "У компании и каналов время идёт с вопроса клиента, у менеджера — с момента, когда вопрос попал к нему: "
        "n совпадает, доли могут расходиться."
    )
    NOTE_EXPLAIN: Final = "Любое число раскрывается до сообщений: otklik explain digest; подробнее — «Читать первым»."
    REVISION: Final = "версия {}"

    QUEUED: Final = "Поставлено в очередь для чата {}; отправит otklik watch."
    ALREADY: Final = "Чату {} отчёт за неделю {} уже отправляли. Ещё раз: otklik digest --week {} --send --again"
    WRITTEN: Final = "Записано: {}"
    NOT_WRITTEN: Final = "{} записать нельзя: {}"
    NO_WEEK: Final = "неделя {} не опубликована: сначала otklik run --week {}"
    NOTHING: Final = "опубликованных недель нет: сначала otklik run --week 2026-W46"
    NO_CHATS: Final = "отправлять некому: назовите чаты в policy.yaml (digest) или подключите бота"
    AGAIN_ALONE: Final = "--again повторяет отправку: добавьте --send"
    QUEUED_LATE: Final = (
        "Короткое сообщение поставлено в очередь, чатов: {} из {}; остальные уже получили его или отчёт. "
        "Отправит otklik watch."
    )
    CONTRADICTS: Final = (
        "отчёт за неделю {} не отправлен: итог и строки менеджеров или каналов не сходятся, расхождений {}. "
        "Опубликуйте неделю заново: otklik run --week {}"
    )
    TOO_LONG: Final = "отчёт за неделю {} не отправлен: в подписи {} знаков, Telegram принимает не больше {}"
    INCOMPLETE: Final = (
        "Данные неполные: сам отчёт не уходит, вместо него короткое сообщение. "
        "Отправить отчёт всё равно: --send --again"
    )
    INCOMPLETE_SENT: Final = "Данные неполные, отчёт уходит по вашему решению (--again)."


class DigestHelp:
    """``--help`` of ``otklik digest``."""

    DIGEST: Final = (
        "Понедельничный отчёт: показать, записать в файл, отправить в Telegram.\n\n"
        "Сам он уходит по понедельникам, раз за неделю в каждый чат, после публикации недели. --send ставит его в "
        "очередь рукой, если он ещё не уходил; если данные неполные, уходит короткое сообщение. --again отправляет сам "
        "отчёт, даже ещё раз.\n\n\b\nПримеры:\n"
        "  otklik digest\n  otklik digest --week 2026-W46 --html week.html --pdf week.pdf --picture week.png\n"
        "  otklik digest --send"
    )
    WEEK: Final = "Неделя, например 2026-W46; без неё последняя опубликованная."
    HTML: Final = "Записать отчёт страницей: для письма или браузера."
    PDF: Final = "Записать отчёт в PDF: для печати."
    PICTURE: Final = "Записать картинку (PNG)."
    SEND: Final = "Поставить в очередь на отправку, если этой неделе ещё не отправляли."
    AGAIN: Final = "Вместе с --send: отправить ещё раз, и при неполных данных тоже."


def telegram_text(digest: Digest) -> str:
    """The caption under the picture, as Telegram's HTML: at most 1024 units and one phone screen.

    What does not fit is left out from the end of the lists, and the number of main changes left out is said.
    """
    sizes = [(len(digest.main), len(digest.unanswered), len(digest.caveats))]
    while any(sizes[-1]):
        changes, named, caveats = sizes[-1]
        # names first, then changes: those are what people open the message for
        if named > 1 or (named and changes <= 1):
            sizes.append((changes, named - 1, caveats))
        elif caveats > 1:
            sizes.append((changes, named, caveats - 1))
        else:
            sizes.append((max(changes - 1, 0), named, caveats if changes else 0))
    texts = (_text(digest, *size) for size in sizes)
    return next((text for text in texts if _fits(text)), _text(digest, 0, 0, 0))


def late_text(week: str, monday: date, why: str, link: str | None, *, is_published: bool = False) -> str:
    """The short message instead of a digest, as Telegram's HTML.

    Args:
        why: see ``Digests.LATE_*`` and ``late_data``.
        is_published: the week stands in the spreadsheet, on incomplete data; else what stood there before.
    """
    lines = [f"⏳ <b>{escape(Digests.LATE.format(week_title(week, monday)))}</b>"]
    lines.append(escape(Digests.LATE_WHY.format(why)))
    shown = f"{Digests.LATE_PARTIAL if is_published else Digests.LATE_OLD} " if link else ""
    lines.append(shown + Digests.LATE_NEXT)
    if link:
        lines.append(anchor(link))
    return "\n".join(lines)


def late_data(conditions: Sequence[Condition]) -> str:
    """Which channels are incomplete, and why."""
    bad = [one for one in conditions if one.status != "ok"]
    return f"{Digests.LATE_DATA}: {_channels(bad, 3)}" if bad else Digests.LATE_DATA


def title(digest: Digest) -> str:
    """``Тёплый край: 2026-W46 (09.11–15.11)``"""
    return f"{bounded(digest.facts.organisation)}: {week_title(digest.facts.week, digest.facts.monday)}"


def as_of(instant: datetime | None, time_zone: str) -> str:
    """As of when the figures are.

    >>> from datetime import UTC
    >>> as_of(datetime(2026, 11, 16, 5, 0, tzinfo=UTC), "Europe/Moscow"), as_of(None, "UTC")
    ('данные на 16.11.2026 08:00', 'данные на —')
    """
    said = NONE if instant is None else f"{instant.astimezone(ZoneInfo(time_zone)):%d.%m.%Y %H:%M}"
    return Digests.AS_OF.format(said)


def of_waits(hits: int, n: int) -> str:
    """``412 из 527 вопросов``: the genitive after "из".

    >>> of_waits(1, 21), of_waits(3, 5)
    ('1 из 21 вопроса', '3 из 5 вопросов')
    """
    word = "вопроса" if n % 10 == 1 and n % 100 != 11 else "вопросов"
    return f"{number(hits)} из {number(n)} {word}"


def compared(change: Delta) -> str:
    """The company's comparison in a line: an arrow only where there may be one, both n."""
    if change.previous_n is None or change.previous_value is None:
        return Changes.verdict(change.status, change.delta)
    was, said = Digests.WAS.format(share(change.previous_value), number(change.previous_n)), change.status.value
    if change.delta is None:
        return f"{was}: {Changes.verdict(said, None).removeprefix('— ').strip('()')}"
    by = f" на {points(change.delta)}" if said in ("improved", "worsened") else ""
    return f"{Changes.verdict(said, change.delta)}{by}: {was}"


def points(delta: float) -> str:
    """A change of a share.

    >>> points(-0.0583)
    '5,8 п.п.'
    """
    return f"{abs(delta) * 100:.1f}".replace(".", ",") + f" {Metrics.SHARE_CHANGE}"


def change_text(one: Change) -> str:
    """``в норме ▼ 61,5 % из 65 (было 84,0 % из 50)``, without the subject; plain text."""
    arrow = Changes.verdict(one.status, one.delta).partition(" ")[0]
    name = Digests.SHORT.get(one.metric) or Metrics.name(one.metric)
    if one.is_score:
        now, was = (f"{value:.1f}".replace(".", ",") for value in (one.value or 0.0, one.previous_value or 0.0))
        title = f"{name[:1].lower()}{name[1:]}"
        return f"{title} {arrow} {now} из 100 по {number(one.n)} (было {was} по {number(one.previous_n)})"
    if not one.is_share:
        unit = Digests.WORK_MINUTES if "business" in one.metric else Metrics.TIME_UNIT
        now, was = minutes(one.value), minutes(one.previous_value)
        return f"{name} {arrow} {now} {unit} по {number(one.n)} (было {was} по {number(one.previous_n)})"
    # names of metrics begin with a Russian word
    was = f"{share(one.previous_value)} из {number(one.previous_n)}"
    return f"{name[:1].lower()}{name[1:]} {arrow} {share(one.value)} из {number(one.n)} (было {was})"


def unanswered_text(row: Figures) -> str:
    """``9 из 41``, with its unit where it stands alone."""
    return f"{number(row.unanswered)} из {number(row.settled)}"


def target_note(first: int | None, other: int | None) -> str:
    """What "in target" means this week."""
    if first is None or other is None:
        return Digests.NOTE_TARGETS
    return Digests.NOTE_TARGET.format(*(f"{seconds / 60:g}".replace(".", ",") + " мин" for seconds in (first, other)))


def condition_text(one: Condition) -> str:
    """A channel whose figures are not whole, and why."""
    why = [Words.reasons(one.reasons)] if one.reasons else []
    if one.is_stale:
        why.append(Digests.STALE)
    return f"{bounded(one.channel)} ({'; '.join(why)})" if why else bounded(one.channel)


def bounded(name: str) -> str:
    """A name that breaks no layout: without control and direction characters, cut where it is endless."""
    plain = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") else c for c in name).split())
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[: _LONGEST_NAME - 1]}…"


def escape(text: str) -> str:
    """For Telegram's HTML, which knows three characters."""
    return html.escape(text, quote=False)


def anchor(link: str) -> str:
    """The one link."""
    return f'<a href="{html.escape(link)}">{Digests.LINK}</a>'


def units(text: str) -> int:
    """How long Telegram finds a text: UTF-16 units after the entities were parsed.

    >>> units("<b>🔴 a</b> &lt;")
    6
    """
    return len(html.unescape(_untagged(text)).encode("utf-16-le")) // 2


# --- one size of the caption ------------------------------------------------------------------------------------------


def _text(digest: Digest, changes: int, named: int, caveats: int) -> str:
    facts = digest.facts
    blocks = [[f"<b>{escape(title(digest))}</b>", f"<i>{escape(as_of(facts.as_of, facts.time_zone))}</i>"]]
    blocks.append(_company(digest))
    blocks.append(_main(digest, changes))
    rest: list[str] = []
    if named:
        said = ", ".join(f"{bounded(row.name)} {unanswered_text(row)}" for row in digest.unanswered[:named])
        rest.append(f"{Digests.MOST_UNANSWERED}: {escape(said)}")
    if digest.caveats:
        said = (
            _channels(digest.caveats, caveats) if caveats else plural(len(digest.caveats), "канал", "канала", "каналов")
        )
        rest.append(f"⚠️ {Digests.CAUTION}: {escape(said)}")
    if facts.link:
        rest.append(anchor(facts.link))
    return "\n\n".join("\n".join(block) for block in [*blocks, rest] if block)


def _company(digest: Digest) -> list[str]:
    facts, total = digest.facts, digest.total
    if total.settled:
        head = f"<b>{Digests.IN_TARGET} {share(facts.company.value)}</b> — {of_waits(total.in_target, total.settled)}"
        lines = [head, escape(compared(facts.company))]
        lines.append(
            f"{Digests.NO_REPLY} {share(total.unanswered / total.settled)} — {number(total.unanswered)}"
            f" из {number(total.settled)}"
        )
    else:
        lines = [f"<b>{Digests.NO_WAITS}</b>"]
    waiting = f"{Digests.WAITING}: {number(total.pending)}"
    if total.pending and digest.waiting:
        most = digest.waiting[0]
        waiting += f" ({escape(bounded(most.name))} — {number(most.pending)})"
    return [*lines, waiting]


def _main(digest: Digest, shown: int) -> list[str]:
    left_out = len(digest.main) - shown + digest.more_main
    if not digest.main:
        return [f"<b>{Digests.NO_MAIN}</b>"]
    lines = [f"<b>{Digests.MAIN}</b>"] if shown else [f"<b>{Digests.MAIN}</b>: {number(left_out)}, в таблице"]
    for one in digest.main[:shown]:
        mark = Digests.WORSE if one.status == "worsened" else Digests.BETTER
        lines.append(f"{mark} {escape(bounded(one.name))}: {escape(change_text(one))}")
    return [*lines, f"…ещё {number(left_out)} в таблице"] if shown and left_out else lines


def _channels(conditions: Sequence[Condition], most: int) -> str:
    said = "; ".join(condition_text(one) for one in conditions[:most])
    rest = len(conditions) - most
    return said + (Digests.MORE_CHANNELS.format(rest) if rest > 0 else "")


def _fits(text: str) -> bool:
    plain = html.unescape(_untagged(text))
    lines = sum(max(1, math.ceil(len(line) / LINE_CHARACTERS)) for line in plain.split("\n"))
    return units(text) <= LONGEST and lines <= MOST_LINES


def _untagged(text: str) -> str:
    """Without the tags that stand in our own texts; what came from outside is escaped and has none."""
    parts = text.split("<")
    return parts[0] + "".join(part.partition(">")[2] for part in parts[1:])


def plain_text(text: str) -> str:
    """The digest's HTML as a person reads it in a terminal; the link's address after its words."""
    shown = text
    if "<a href=" in shown:
        before, _, rest = shown.partition('<a href="')
        address, _, rest = rest.partition('">')
        words, _, after = rest.partition("</a>")
        shown = f"{before}{words}: {address}{after}"
    return html.unescape(_untagged(shown))
