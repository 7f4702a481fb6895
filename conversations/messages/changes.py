"""What metrics are called, and in which words a week is compared with the week before.

Here: names of metrics and of what their n counts, the nine states of a comparison (metric contract, section 7), the
arrow. Not here: when a state holds (``conversations.delta``), how numbers are written (``numbers``).
"""

from __future__ import annotations

from typing import Final


class Metrics:
    """What metrics are called in sheets; a metric that is not listed is shown by its code."""

    NAMES: Final = {
        "in_target_share": "В норме",
        "slow_reply_share": "Медленно",
        "no_reply_share": "Без ответа",
        "first_reply_p50_business_seconds": "Первый ответ: медиана, рабочее время",
        "first_reply_p50_seconds": "Первый ответ: медиана, по часам",
        "reply_p50_business_seconds": "Любой ответ: медиана, рабочее время",
        "reply_p50_seconds": "Любой ответ: медиана, по часам",
        "missed_calls_in_target_share": "Перезвонили в норме",
        "asked_clarifying_share": "Задан уточняющий вопрос",
        "made_offer_share": "Сделано предложение",
        "has_next_step_share": "Есть следующий шаг",
        "no_next_step_share": "Нет следующего шага",
        "good_share": "Хороший разговор",
        "llm_score_avg": "Оценка модели",
        "auto_fail_share": "Автопровалы",
    }
    COUNTED: Final = {
        "in_target_share": "закрытых вопросов",
        "slow_reply_share": "закрытых вопросов",
        "no_reply_share": "закрытых вопросов",
        "first_reply_p50_business_seconds": "первых ответов",
        "first_reply_p50_seconds": "первых ответов",
        "reply_p50_business_seconds": "ответов",
        "reply_p50_seconds": "ответов",
        "missed_calls_in_target_share": "пропущенных звонков",
        "asked_clarifying_share": "разговоров с желанием купить",
        "made_offer_share": "разговоров с желанием купить",
        "has_next_step_share": "разговоров, где шаг был возможен",
        "no_next_step_share": "разговоров, где шаг был возможен",
        "good_share": "разговоров с 2 и более сообщениями менеджера",
        "llm_score_avg": "звонков и чатов, чья оценка считается",
        "auto_fail_share": "звонков и чатов, чья оценка считается",
    }
    """What n counts."""
    SHARE_UNIT: Final = "%"
    SHARE_CHANGE: Final = "п.п."
    TIME_UNIT: Final = "мин"
    SCORE_UNIT: Final = "балл"
    """Of 0 to 100."""

    @staticmethod
    def name(code: str) -> str:
        """The metric in words.

        >>> Metrics.name("no_reply_share"), Metrics.name("brand_new_share")
        ('Без ответа', 'brand_new_share')
        """
        return Metrics.NAMES.get(code, code)


class Changes:
    """This week against the week before, in words."""

    STATES: Final = {
        "no_previous_week": "— (нет прошлой недели)",
        "previous_empty": "— (не было обращений)",
        "current_empty": "нет данных",
        "not_comparable": "— (изменились правила)",
        "data_incomplete": "— (данные неполные)",
        "low_sample": "— (мало обращений)",
        "no_change_detected": "без заметных изменений",
        "improved": "лучше",
        "worsened": "хуже",
    }
    """By ``delta_status``; the last two only ever stand with an arrow."""
    MEANINGS: Final = {
        "no_previous_week": "за прошлую неделю строки нет: новый менеджер, отпуск или первая неделя системы",
        "previous_empty": "на прошлой неделе считать было нечего: n = 0",
        "current_empty": "на этой неделе считать нечего: n = 0",
        "not_comparable": "между неделями изменились нормы, график или правила подсчёта",
        "data_incomplete": "за одну из недель загружено меньше 98 % сообщений или это неизвестно",
        "low_sample": "меньше 20 случаев в одной из недель: видны обе доли и n, вывода нет",
        "no_change_detected": "разница в пределах случайной или меньше 5 п.п. (медианы: 20 % и 2 минут)",
        "improved": "разница не случайна и заметна, в хорошую сторону",
        "worsened": "разница не случайна и заметна, в плохую сторону",
    }
    UP: Final = "▲"
    DOWN: Final = "▼"
    BETTER: Final = (f"{UP} {STATES['improved']}", f"{DOWN} {STATES['improved']}")
    WORSE: Final = (f"{UP} {STATES['worsened']}", f"{DOWN} {STATES['worsened']}")

    @staticmethod
    def verdict(status: str, delta: float | None) -> str:
        """The state in words; an arrow, the way the number went, only where a change may be called one.

        >>> Changes.verdict("improved", -0.2), Changes.verdict("worsened", -0.2)
        ('▼ лучше', '▼ хуже')
        >>> Changes.verdict("no_change_detected", -0.1), Changes.verdict("brand_new", None)
        ('без заметных изменений', 'brand_new')
        """
        said = Changes.STATES.get(status, status)
        if status not in ("improved", "worsened") or delta is None:
            return said
        return f"{Changes.UP if delta > 0 else Changes.DOWN} {said}"
