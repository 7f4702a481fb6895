"""What ``otklik explain`` says of a judged call and of a day's spending on models.

Here: words. Not here: the other figures (``explain``), what a score may be called (``talks``).
"""

from __future__ import annotations

from typing import Final


class ExplainTalks:
    """The command's output about calls and money."""

    CALLS: Final = "Оценённые звонки, неделя {}"
    CALL_COLUMNS: Final = (
        ("Звонок", "left"), ("Начало", "left"), ("Менеджер", "left"), ("Кто оценил", "left"), ("Итог", "left"),
        ("Балл", "right"), ("Что это за балл", "left"),
    )  # fmt: skip
    ASK_CALL: Final = "Из чего сложился балл: otklik explain call_results {} ЗВОНОК"
    NO_CALL: Final = "{}: звонок {} не оценён. Есть: {}"
    CALL: Final = "Звонок {}, {}, {}"
    JUDGED_BY: Final = "Оценил: {}; критерии: {}, версия {}."
    RESULT: Final = "Итог: {}."
    SCORE: Final = "Балл: {} из 100 ({})."
    NO_SCORE: Final = "Балла нет."
    FORMULA: Final = (
        "Как считается: 100 × Σ (вес × оценка / максимум) / Σ веса — по критериям с отметкой «да» в столбце «Входит», "
        "у которых есть оценка. Автопровал по одному из них — 0."
    )
    CRITERIA_COLUMNS: Final = (
        ("Критерий", "left"), ("Вес", "right"), ("Оценка", "left"), ("Входит", "left"), ("Автопровал", "left"),
        ("Почему", "left"), ("Сказано", "left"),
    )  # fmt: skip
    YES: Final = "да"
    CHANGED: Final = (
        "Критерии не складываются в этот балл: по ним {}. После публикации звонок оценили заново или слова изменились; "
        "опубликуйте неделю: otklik run --week {}"
    )
    GONE: Final = "Слова этой оценки удалены: в звонке их больше нет. Отметки — какими они были при публикации."

    SPENT: Final = "Расходы на модели за {}"
    SPENT_COLUMNS: Final = (
        ("Отдел", "left"), ("Модель", "left"), ("Зачем", "left"), ("Обращений", "right"),
        ("Токенов\nв вопросах", "right"), ("Токенов\nв ответах", "right"), ("Потрачено,\nдолл. США", "right"),
        ("Потеряно,\nдолл. США", "right"), ("В пути,\nдолл. США", "right"),
    )  # fmt: skip
    ASK_SPENT: Final = "Обращения по одному: otklik explain llm_spend_day {} ОТДЕЛ (переписка — «чаты»)"
    CHATS: Final = "чаты"
    CHATS_TOO: Final = ("чаты", "чат", "переписка", "без отдела", "нет", "chats", "chat", "none", "null")
    """What else chats are called, whose calls to models belong to no department."""
    TOTAL: Final = "{}: обращений {}, {} долл. США (потрачено {}, потеряно {}, в пути {})."
    LOST_MEANS: Final = (
        "Потеряно — программу остановили, пока ответ шёл: записана худшая цена. В пути — ответа ещё ждут: то же."
    )
    PAID_COLUMNS: Final = (
        ("Когда", "left"), ("Модель", "left"), ("Зачем", "left"), ("Чем кончилось", "left"), ("Токенов", "right"),
        ("Долл. США", "right"),
    )  # fmt: skip
    PURPOSES: Final = {"first": "вопрос", "repair": "исправление"}
    OUTCOMES: Final = {
        "ok": "ответ",
        "invalid": "ответ не по форме",
        "refused": "отказ",
        "truncated": "ответ обрезан",
        "rate_limited": "слишком часто",
        "timed_out": "не дождались",
        "unavailable": "нет связи",
        "rejected": "не принято",
        "lost": "потеряно",
        "reserved": "в пути",
    }
    MORE: Final = "… и ещё {}: --csv покажет все"
    EQUAL: Final = "Обращения складываются в строку витрины."
    SPENT_CHANGED: Final = (
        "Обращения не складываются в строку витрины: с тех пор были новые. Опубликуйте неделю заново: "
        "otklik run --week {}"
    )

    @staticmethod
    def usd(microusd: int) -> str:
        """US dollars to the last of the millionths that are booked: what is listed adds up as it is shown.

        >>> ExplainTalks.usd(1_150)
        '0,001150'
        """
        return f"{microusd / 1_000_000:.6f}".replace(".", ",")
