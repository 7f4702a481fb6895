"""What ``otklik score`` says: what a run would buy, how it went, what is left.

Not here: words of scorecards themselves (``scoring``).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from conversations.messages.help import with_examples
from conversations.messages.numbers import days, number, plural


class ScoreHelp:
    """Help texts by option."""

    SCORE: Final = with_examples(
        "Оценить разговоры за дни: правила — бесплатно, языковая модель — в пределах бюджета. Оплаченный ответ второй "
        "раз не покупается: прерванную команду можно просто повторить.",
        "otklik score --from 2026-05-04 --to 2026-05-10 --dry-run",
        "otklik score --from 2026-05-04 --to 2026-05-10",
        "otklik score --from 2026-05-04 --to 2026-05-10 --department sales",
        "otklik score --from 2026-05-04 --to 2026-05-10 --again sales_calls",
    )
    FROM: Final = "Первый день, 2026-05-04."
    TO: Final = "Последний день."
    DEPARTMENT: Final = "Только звонки этого отдела (ключ из policy.yaml, departments)."
    CALLS: Final = "Только звонки."
    CHATS: Final = "Только чаты."
    DRY_RUN: Final = "Ничего не покупать: показать, сколько разговоров, вопросов, токенов и денег понадобится."
    AGAIN: Final = (
        "Чек-лист, по которому оценить заново и то, что уже оценено другой его версией, другим промптом или моделью; "
        "можно повторять."
    )


class Score:
    """What the command prints."""

    TITLE: Final = "Что будет куплено"
    CHATS: Final = "Чаты"
    TOTAL: Final = "Всего"
    COLUMNS: Final = (
        ("Отдел", "left"),
        ("Разго-\nворов", "right"),
        ("Не о чем\nсудить", "right"),
        ("Уже\nоплачено", "right"),
        ("Оценка\nостаётся", "right"),
        ("К\nпокупке", "right"),
        ("Вопро-\nсов", "right"),
        ("Токенов\nвопросов", "right"),
        ("Токенов\nответов, до", "right"),
        ("Долларов\nСША, до", "right"),
    )
    WORST: Final = (
        "Сумма — по наибольшей цене одного вызова на вопрос; повторы после негодного ответа — сверх неё, обычный ответ "
        "дешевле. Больше бюджета не будет потрачено ни при каких условиях."
    )
    NO_MODEL: Final = "LLM_API_KEY не задан: оценивают только правила, это бесплатно."
    ONLY_RULES: Final = "Оценили только правила: LLM_API_KEY не задан."
    NOTHING: Final = (
        "За эти дни нет разговоров, которые оцениваются: загрузите дни (otklik backfill) и проверьте departments и "
        "scoring в policy.yaml."
    )
    UNKNOWN_DEPARTMENT: Final = "отдела «{}» нет в policy.yaml; есть: {}"
    CHATS_OFF: Final = "оценка чатов выключена: scoring.chats.enabled в policy.yaml"
    BOTH: Final = "--calls и --chats вместе не нужны: без них оценивается и то и другое"
    CHATS_OF_DEPARTMENT: Final = "у чатов нет отделов: --department и --chats вместе не имеют смысла"
    PROBLEM: Final = "Не оценить: {}"
    STOPPED: Final = {
        "run": "потрачен бюджет запуска (scoring.budget.run_usd)",
        "day": "потрачен дневной бюджет (scoring.budget.day_usd)",
        "department": "потрачен дневной бюджет отдела или чатов (day_budget_usd)",
        "unavailable": "модель не отвечает",
        "refused": "модель не принимает запросы",
    }
    NOT_READY: Final = {
        "no_rubric": "нет чек-листа",
        "no_prompt": "нет промпта",
        "broken": "ошибка программы, она в журнале",
    }

    @staticmethod
    def usd(microusd: int) -> str:
        """Dollars with four decimals: a call costs a part of a cent.

        >>> Score.usd(1_234_560)
        '1,2346'
        """
        return f"{microusd / 1_000_000:.4f}".replace(".", ",")

    @staticmethod
    def scoring(first: date, last: date) -> str:
        """The step that runs."""
        return f"Оценка разговоров за {days(first, last)}"

    @staticmethod
    def progress(first: date, last: date, done: int, total: int, per_minute: float) -> str:
        """How far the step is, and how fast.

        >>> Score.progress(date(2026, 5, 4), date(2026, 5, 4), 120, 1300, 71.6).rpartition(": ")[2]
        '120 из 1\u202f300, 72 в минуту'
        """
        return f"{Score.scoring(first, last)}: {number(done)} из {number(total)}, {number(round(per_minute))} в минуту"

    @staticmethod
    def pace(calls: int, seconds: float) -> str:
        """How long it took and how fast a model was asked.

        >>> Score.pace(300, 240.4)
        'Заняло 240 с, вызовов модели в минуту: 75.'
        """
        rate = number(round(calls * 60 / seconds)) if seconds else "—"
        return f"Заняло {number(round(seconds))} с, вызовов модели в минуту: {rate}."

    @staticmethod
    def budget(run_cap: int, day_left: int) -> str:
        """What may be spent."""
        return f"Бюджет запуска {Score.usd(run_cap)}, на сегодня осталось {Score.usd(day_left)} долл. США."

    @staticmethod
    def enough(needed: int, run_cap: int, day_left: int) -> str | None:
        """A warning where the worst does not fit."""
        if needed <= min(run_cap, day_left):
            return None
        return "Может не хватить: что не поместится, останется на следующий запуск."

    @staticmethod
    def old(count: int) -> str:
        """Talks judged by another version."""
        told = plural(count, "разговор оценён", "разговора оценены", "разговоров оценены")
        return f"{told} по другой версии чек-листа и так и останутся; заново — --again ЧЕК-ЛИСТ."

    @staticmethod
    def judged(scored: int, unsuitable: int, unscored: int, cached: int, kept: int) -> str:
        """How many talks came to what."""
        return (
            f"Оценено моделью: {number(scored)}, не о чем судить: {number(unsuitable)}, "
            f"не удалось: {number(unscored)}; из оплаченного раньше: {number(cached)}, осталась прежняя оценка: "
            f"{number(kept)}."
        )

    @staticmethod
    def by_rules(count: int) -> str:
        """Talks judged by rules."""
        return f"Оценено правилами: {plural(count, 'разговор', 'разговора', 'разговоров')}."

    @staticmethod
    def paid(calls: int, prompt_tokens: int, completion_tokens: int, microusd: int) -> str:
        """What it cost."""
        return (
            f"Вызовов модели: {number(calls)}, токенов: {number(prompt_tokens)} + {number(completion_tokens)}, "
            f"потрачено {Score.usd(microusd)} долл. США."
        )

    @staticmethod
    def unscored(reason: str, count: int) -> str:
        """Talks without a valid answer, by reason."""
        return f"Без оценки ({reason}): {number(count)}"

    @staticmethod
    def left(count: int, why: str) -> str:
        """What was not bought."""
        told = plural(count, "разговор остался", "разговора остались", "разговоров остались")
        return f"Остановлено: {why}. {told}; повторите команду, оплаченное второй раз не покупается."

    @staticmethod
    def lost(count: int) -> str:
        """Calls of runs that died."""
        told = plural(count, "вызов", "вызова", "вызовов")
        return f"{told} прерванных запусков без ответа: учтены по наибольшей цене."
