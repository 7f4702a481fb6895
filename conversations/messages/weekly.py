"""What stands in the tabs of the week: digests, comparisons, the report, examples, advice.

Here: headings, words of values, lines above the heading. Not here: which columns a tab has (``assets.exports``), names
of metrics and states (``changes``), the tab that explains all of them (``readme``).
"""

from __future__ import annotations

from typing import Final

from conversations.messages.numbers import plural


class Weekly:
    """Headings of the tabs of the week, beside ``Headings``."""

    BEFORE: Final = "В норме неделей раньше, %"
    BEFORE_N: Final = "Неделей раньше, n"
    CHANGE: Final = "Изменение, п.п."
    VERDICT: Final = "Вывод"
    AVERAGE: Final = "В среднем за 4 прошлые недели, %"
    MAIN: Final = "Главное за неделю"
    NO_REPLY_CHANGE: Final = "Без ответа: изменение, п.п."
    NO_REPLY_VERDICT: Final = "Без ответа: вывод"
    FIRST_N: Final = "Первых ответов, n"
    FIRST_VERDICT: Final = "Первый ответ: вывод"
    STEP_N: Final = "Разговоров, где шаг возможен, n"
    STEP: Final = "Есть следующий шаг, % от них"
    STEP_VERDICT: Final = "Следующий шаг: вывод"

    METRIC: Final = "Показатель"
    COUNTED: Final = "n — это"
    UNIT: Final = "Единица"
    NOW: Final = "Эта неделя"
    NOW_N: Final = "Эта неделя, n"
    WAS: Final = "Неделей раньше"
    DELTA: Final = "Изменение (у % — в п.п.)"
    LOW: Final = "Изменение: не меньше"
    HIGH: Final = "Изменение: не больше"
    IS_MAIN: Final = "Главное изменение"
    AVERAGE_4: Final = "В среднем за 4 прошлые недели"
    REVISION: Final = "Версия недели"

    INTENT: Final = "Разговоров с желанием купить, n"
    CLARIFYING: Final = "Задан уточняющий вопрос, % от них"
    OFFER: Final = "Сделано предложение, % от них"
    GOOD_N: Final = "Разговоров с 2 и более сообщениями, n"
    GOOD: Final = "Хороший разговор, % от них"
    REASON: Final = "Почему эта версия"
    CHANGED: Final = "Изменилось показателей"

    PLACE: Final = "Место"
    SURE_LOW: Final = "Вероятный диапазон: от, %"
    SURE_HIGH: Final = "Вероятный диапазон: до, %"
    FOCUS: Final = "Фокус обучения"
    OWN: Final = "У менеджера, %"
    OWN_CASES: Final = "Случаев из n"
    OTHERS: Final = "У остальных, %"
    OTHERS_N: Final = "У остальных, n"
    OTHERS_WHO: Final = "С кем сравнили"
    GAP: Final = "Разница, п.п."
    CHATS: Final = "Чаты для разбора"

    KIND: Final = "Что показывает"
    NUMBER: Final = "№"
    WAITED: Final = "Ждал, мин"
    SNIPPET: Final = "Фрагмент"
    ADVICE: Final = "Совет"
    ABOUT: Final = "О чём"
    WHEN: Final = "Когда"


class WeeklyWords:
    """Values of cells and lines above the heading."""

    UNIT_SHARE: Final = "%"
    UNIT_BUSINESS: Final = "раб. мин"
    UNIT_CLOCK: Final = "мин"
    YES: Final = "да"
    REASONS: Final = {
        "first": "первая публикация",
        "late_data": "пришли поздние сообщения",
        "links": "связь клиентов изменилась",
        "rules": "изменились правила",
    }
    """By ``marts.week_revisions.reason``."""
    COMPLETE: Final = {True: "полные", False: "неполные"}

    NOT_RANKED: Final = {
        "nobody": "—",
        "data_incomplete": "— (данные неполные)",
        "low_sample": "— (мало вопросов)",
    }
    FOCUS: Final = {
        "no_reply_share": "Не оставлять без ответа",
        "slow_reply_share": "Отвечать быстрее",
        "missed_calls_in_target_share": "Перезванивать вовремя",
        "asked_clarifying_share": "Уточнять, что нужно клиенту",
        "made_offer_share": "Называть товар и цену",
        "has_next_step_share": "Вести к следующему шагу",
    }
    """What to train, by the metric in which somebody is behind."""
    NO_FOCUS: Final = "явного фокуса нет"
    TOO_FEW: Final = "мало данных для вывода"
    CHART_MANAGERS: Final = "В норме, % закрытых вопросов, по менеджерам"
    CHART_CHANNELS: Final = "В норме, % закрытых вопросов, по каналам"
    CHART_COMPANY: Final = "Вся компания по неделям"
    CHART_COMPANY_UNIT: Final = "доли закрытых вопросов"
    LEGEND_CHANGES: Final = {
        "good": "лучше, и это не случайность",
        "bad": "хуже, и это не случайность",
        "muted": "вывода нет: почему — написано",
    }
    LEGEND_EXAMPLES: Final = {"bad": "без ответа", "warn": "есть что исправить", "good": "так держать"}
    LEGEND_README: Final = {
        "good": "лучше",
        "warn": "обратите внимание",
        "bad": "хуже",
        "muted": "вывода нет",
    }
    """What colours mean, by colour."""
    HOW: Final = {
        "digest": "n — из скольких случаев доля. Стрелка стоит, только если разница не случайна и не меньше 5 п.п. "
        "(у медианы — 20 % и 2 минут)",
        "report": "Место — от и до: порядок внутри не доказан. Фокус обучения — в чём он точно отстаёт от остальных",
        "deltas": "Каждый показатель против прошлой недели. Главное изменение значимо и среди всех сравнений недели",
        "examples": "До 5 разговоров на менеджера: сначала без ответа, потом медленные; зелёный — хороший пример",
        "advice": "Советы по правилам, без искусственного интеллекта; рядом сообщение, о котором речь",
        "snapshots": "Недели, как они опубликованы; поздние сообщения делают новую версию недели",
        "trend": "Все каналы вместе, время идёт с вопроса клиента",
    }
    """The second line above the heading, by tab: how to read it."""
    TEAM: Final = "команда"
    ALL: Final = "все менеджеры"

    KINDS: Final = {
        "no_reply": "Без ответа",
        "slow_reply": "Медленный ответ",
        "no_next_step": "Нет следующего шага",
        "good": "Хороший разговор",
    }
    ADVICE: Final = {
        "no_answer": (
            "Нет ответа",
            "Клиент не дождался ответа. Напишите или перезвоните ему и разберите, почему он остался без внимания.",
        ),
        "slow_first_answer": (
            "Долгий первый ответ",
            "Клиент ждал первого ответа дольше нормы. Сначала коротко ответьте, подробности пришлите позже.",
        ),
        "no_offer": (
            "Нет предложения",
            "Клиент хотел купить, но не услышал ни предложения, ни следующего шага. Назовите товар, цену и срок.",
        ),
        "no_next_step": (
            "Нет следующего шага",
            "Предложение есть, а что делать дальше, не сказано. Предложите оформить, оплатить или назначить время.",
        ),
        "no_clarifying_question": (
            "Нет уточняющего вопроса",
            "Клиент хотел купить, а о потребности не спросили. Уточните размер, цвет, срок или для кого.",
        ),
    }
    """What each rule of advice is about, and what it advises."""

    @staticmethod
    def place(first: int, last: int) -> str:
        """A place or a range of places.

        >>> WeeklyWords.place(2, 2), WeeklyWords.place(1, 4)
        ('2', '1–4')
        """
        return str(first) if first == last else f"{first}–{last}"

    @staticmethod
    def of(hits: int, cases: int) -> str:
        """Hits of cases.

        >>> WeeklyWords.of(8, 30)
        '8 из 30'
        """
        return f"{hits} из {cases}"

    @staticmethod
    def caption(week: str, as_of: str) -> str:
        """Which week, as of when: the first line of a tab of one week.

        >>> WeeklyWords.caption("2026-W46 (09.11–15.11)", "16.11.2026 00:00")
        'Неделя 2026-W46 (09.11–15.11), посчитано на 16.11.2026 00:00'
        """
        return f"Неделя {week}, посчитано на {as_of}"

    @staticmethod
    def captions(newest: str, weeks: int, as_of: str) -> str:
        """The same of a tab of several weeks.

        >>> WeeklyWords.captions("2026-W46 (09.11–15.11)", 4, "16.11.2026 00:00")
        '4 недели, последняя — 2026-W46 (09.11–15.11), посчитана на 16.11.2026 00:00'
        """
        return f"{plural(weeks, 'неделя', 'недели', 'недель')}, последняя — {newest}, посчитана на {as_of}"
