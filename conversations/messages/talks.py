"""Calls and scores in words: headings of the spreadsheet, what a model's score may be called, advice of a model.

Here: words. Not here: when a score counts (contract, section 10), which columns a tab has (``assets.exports.talks``).
A score always stands beside its n and is never shown without what it is: a score that counts, or a calibration.
"""

from __future__ import annotations

from typing import Final


class Talks:
    """Headings of columns about calls and scores."""

    CALLS_IN: Final = "Звонков от клиентов"
    CALLS_OUT: Final = "Звонков клиентам"
    CALLS_ANSWERED: Final = "Состоялось звонков"
    CALLS_MINUTES: Final = "Разговоров по телефону, мин"
    CALLS_SHORT: Final = "Короткие звонки"
    CALLS_INTERNAL: Final = "Внутренние звонки"
    CALLS_JUDGED: Final = "Оценено звонков"

    SCORE: Final = "Оценка модели"
    SCORE_N: Final = "Оценено моделью"
    FAILS: Final = "Автопровалы, %"
    INSUFFICIENT: Final = "Без доказательств, %"
    UNSCORED: Final = "Не оценено моделью"
    TRIAL: Final = "Пробная оценка модели"
    TRIAL_N: Final = "Пробных оценок"
    RULES: Final = "Оценка по правилам"
    RULES_N: Final = "Оценено по правилам"

    CALLS_SCORE: Final = "Звонки: оценка модели"
    CALLS_SCORE_N: Final = "Звонки: оценено моделью"
    CALLS_TRIAL: Final = "Звонки: пробная оценка"
    CALLS_TRIAL_N: Final = "Звонки: пробных оценок"
    CALLS_RULES: Final = "Звонки: оценка по правилам"
    CALLS_RULES_N: Final = "Звонки: оценено по правилам"
    UNIT: Final = "Команда или отдел"
    CHATS_TOUCHED: Final = "Переписок с ответом менеджера"
    CHATS_SCORE: Final = "Чаты: оценка модели"
    CHATS_SCORE_N: Final = "Чаты: оценено моделью"
    CHATS_TRIAL: Final = "Чаты: пробная оценка"
    CHATS_TRIAL_N: Final = "Чаты: пробных оценок"
    CHATS_RULES: Final = "Чаты: оценка по правилам"
    CHATS_RULES_N: Final = "Чаты: оценено по правилам"

    CALL: Final = "Звонок"
    STARTED: Final = "Начало"
    DIRECTION: Final = "Кто звонил"
    LENGTH: Final = "Длительность, мин"
    DEPARTMENT: Final = "Отдел"
    OFFICE: Final = "Офис"
    SUPERVISOR: Final = "Руководитель"
    JUDGE: Final = "Кто оценил"
    RESULT: Final = "Итог"
    POINTS: Final = "Балл (0–100)"
    POINTS_ARE: Final = "Что это за балл"
    FAILED: Final = "Автопровал"
    MARKS: Final = "Оценки по критериям"
    PROOF: Final = "Чем подтверждено"
    TOPIC: Final = "Тема"
    SUMMARY: Final = "О чём говорили"
    RECOMMENDATIONS: Final = "Рекомендации"
    AGREEMENTS: Final = "Договорённости"
    DECLINES: Final = "Причины отказа"


class TalkWords:
    """Values of cells."""

    CALIBRATION: Final = "калибровка"
    NOT_PUBLISHED: Final = "не опубликовано"
    STATES: Final = {"calibration": CALIBRATION, "not_published": NOT_PUBLISHED}
    """By ``llm_state``, where no score counts."""
    SCORE_STATES: Final = {
        "counted": "входит в оценку менеджера",
        "calibration": CALIBRATION,
        "rules": "по правилам, без модели",
        "not_published": NOT_PUBLISHED,
    }
    DIRECTIONS: Final = {"in": "клиент", "out": "мы"}
    RULES_JUDGE: Final = "правила"
    MODEL_JUDGE: Final = "модель {}"
    CARD_STATES: Final = {"scored": "оценён", "unsuitable": "не разговор", "unscored": "не оценён"}
    REASONS: Final = {
        "voicemail": "автоответчик",
        "wrong_number": "ошиблись номером",
        "no_dialogue": "разговора не было",
        "internal": "внутренний звонок",
        "other": "другое",
        "refused": "модель отказалась отвечать",
        "truncated": "ответ модели обрезан",
        "empty": "модель ничего не ответила",
        "not_json": "ответ модели не по форме",
        "wrong_schema": "ответ модели не по форме",
        "out_of_scale": "оценка вне шкалы",
        "missing_criterion": "в ответе нет части критериев",
        "invented_criterion": "в ответе лишний критерий",
        "not_proved": "слишком много баллов без доказательств",
        "suspected_injection": "в разговоре приказывали оценщику, баллы не доказаны",
        "over_budget": "кончился бюджет",
        "words_changed": "слова разговора изменились, оценка ночью",
    }
    """Why a call was not scored; a code that is not listed is shown as it is."""
    NOT_GIVEN: Final = {"not_applicable": "не применимо", "insufficient_evidence": "нет доказательств"}
    FAIL: Final = "да"

    MODEL_ADVICE: Final = "По мнению модели"
    MODEL_ADVICE_MEANING: Final = "Рекомендация языковой модели по разговору; правила её не проверяли."

    CHART: Final = "Звонки и чаты: отвечено в норме"
    CHART_UNIT: Final = "доля пропущенных звонков и вопросов; n — в таблице"
    TABS: Final = {
        "call_results": "1 строка = 1 оценённый звонок",
        "calls_and_chats": "1 строка = 1 менеджер: звонки и чаты рядом, последняя неделя",
    }
    HOW: Final = {
        "call_results": "Балл с пометкой «калибровка» — пробный: в оценку менеджера не входит. "
        "Слова в кавычках сказаны в звонке. Длинный текст весь виден в выбранной ячейке.",
        "calls_and_chats": "«Калибровка» — критерии ещё не сверены с людьми: балла модели нет. "
        "Оценка по правилам считается без модели.",
    }

    HOW_ADVICE: Final = (
        "Советы по правилам; «По мнению модели» — рекомендация модели, правила её не проверяли. "
        "Рядом сообщение, о котором речь"
    )
    """How to read the advice where a model advised, too."""

    @staticmethod
    def mark(title: str, given: int | None, best: int, not_given: str | None, gate: str) -> str:
        """One criterion of a call.

        >>> TalkWords.mark("Приветствие", 1, 1, None, "counted"), TalkWords.mark("Шаг", 0, 2, None, "calibration")
        ('Приветствие: 1 из 1', 'Шаг: 0 из 2 (калибровка)')
        >>> TalkWords.mark("Цена", None, 1, "not_applicable", "rules"), TalkWords.mark("Х", 1, 1, None, "not_published")
        ('Цена: не применимо', 'Х: не опубликовано')
        """
        if gate == "not_published":
            return f"{title}: {TalkWords.NOT_PUBLISHED}"
        said = TalkWords.NOT_GIVEN.get(str(not_given), not_given) if given is None else f"{given} из {best}"
        return f"{title}: {said}{f' ({TalkWords.CALIBRATION})' if gate == 'calibration' else ''}"

    @staticmethod
    def proof(title: str, reason: str, quote: str | None) -> str:
        """What stands behind a mark.

        >>> TalkWords.proof("Приветствие", "поздоровался", "Добрый день")
        'Приветствие: поздоровался — «Добрый день»'
        """
        parts = [part for part in (reason, f"«{quote}»" if quote else "") if part]
        return f"{title}: {' — '.join(parts)}" if parts else title

    @staticmethod
    def average(value: float | None, n: int, state: str | None) -> float | str | None:
        """An average that counts as a number, else the word that says why there is none.

        >>> TalkWords.average(81.25, 4, "counted"), TalkWords.average(None, 0, "calibration")
        (81.25, 'калибровка')
        >>> TalkWords.average(None, 0, None) is None
        True
        """
        if n and value is not None:
            return round(float(value), 2)
        return TalkWords.STATES.get(state) if state is not None else None


_OF_MODEL: Final = "по критериям, которые сверены с людьми и допущены к оценке; пусто или слово — таких нет"
DEFINITIONS_OF_TALKS: Final = {
    Talks.CALLS_IN: "звонки клиентов, принятые и пропущенные; внутренние не считаются",
    Talks.CALLS_OUT: "звонки, которые сделали мы; внутренние не считаются",
    Talks.CALLS_ANSWERED: "из тех и других — где сняли трубку",
    Talks.CALLS_MINUTES: "сколько минут длились состоявшиеся звонки",
    Talks.CALLS_SHORT: "состоявшиеся звонки короче порога из policy.yaml; их не оценивают",
    Talks.CALLS_INTERNAL: "звонки между своими; ни в какое другое число не входят",
    Talks.CALLS_JUDGED: "звонки, у которых есть оценка по правилам или от модели",
    Talks.SCORE: f"средний балл 0–100 за звонки и чаты {_OF_MODEL}",
    Talks.SCORE_N: "сколько звонков и чатов стоит за средним баллом модели",
    Talks.FAILS: "на сколько из них пришёлся автопровал",
    Talks.INSUFFICIENT: "сколько ответов модели осталось без оценки: нет слов, которые её доказывают",
    Talks.UNSCORED: "звонки и чаты, по которым модель не дала годного ответа",
    Talks.TRIAL: "средний балл по критериям, которые ещё не сверены с людьми; в оценку и сравнения не входит",
    Talks.TRIAL_N: "сколько звонков и чатов стоит за пробным баллом",
    Talks.RULES: "средний балл 0–100 за звонки и чаты по правилам, без модели",
    Talks.RULES_N: "сколько звонков и чатов стоит за средним баллом по правилам",
    Talks.CALLS_SCORE: f"средний балл 0–100 за звонки {_OF_MODEL}",
    Talks.CALLS_SCORE_N: "сколько звонков стоит за средним баллом модели",
    Talks.CALLS_TRIAL: "средний балл звонков по критериям, которые ещё не сверены с людьми; в оценку не входит",
    Talks.CALLS_TRIAL_N: "сколько звонков стоит за пробным баллом",
    Talks.CALLS_RULES: "средний балл 0–100 за звонки по правилам, без модели",
    Talks.CALLS_RULES_N: "сколько звонков стоит за баллом по правилам",
    Talks.UNIT: "команда менеджера в воскресенье этой недели; если её нет — отдел, в котором были его звонки",
    Talks.CHATS_TOUCHED: "закончившиеся разговоры, в которых менеджер написал хоть раз; звонки не считаются",
    Talks.CHATS_SCORE: f"средний балл 0–100 за чаты {_OF_MODEL}",
    Talks.CHATS_SCORE_N: "сколько чатов стоит за средним баллом модели",
    Talks.CHATS_TRIAL: "средний балл чатов по критериям, которые ещё не сверены с людьми; в оценку не входит",
    Talks.CHATS_TRIAL_N: "сколько чатов стоит за пробным баллом",
    Talks.CHATS_RULES: "средний балл 0–100 за чаты по правилам, без модели",
    Talks.CHATS_RULES_N: "сколько чатов стоит за баллом по правилам",
    Talks.CALL: "номер звонка; если он подчёркнут, ссылка открывает разговор",
    Talks.STARTED: "начало звонка, по времени организации",
    Talks.DIRECTION: "кто набрал номер",
    Talks.LENGTH: "сколько минут говорили",
    Talks.DEPARTMENT: "отдел, по чьим критериям оценён звонок",
    Talks.OFFICE: "офис сотрудника в день звонка, по справочнику",
    Talks.SUPERVISOR: "руководитель сотрудника в день звонка, по справочнику",
    Talks.JUDGE: "языковая модель или правила",
    Talks.RESULT: "оценён, не разговор или не оценён, и почему",
    Talks.POINTS: "балл звонка от 0 до 100",
    Talks.POINTS_ARE: "входит ли балл в оценку менеджера",
    Talks.FAILED: "да: нарушено то, что обнуляет весь звонок",
    Talks.MARKS: "оценка каждого критерия и наибольшая возможная",
    Talks.PROOF: "почему так и какими словами разговора это доказано; телефоны, почта и карты закрыты",
    Talks.TOPIC: "тема разговора, по мнению модели",
    Talks.SUMMARY: "пересказ, по мнению модели",
    Talks.RECOMMENDATIONS: "что модель советует менеджеру",
    Talks.AGREEMENTS: "о чём договорились, по мнению модели",
    Talks.DECLINES: "почему клиент отказался, по мнению модели",
}
"""What every heading means."""

_ADMITTED: Final = "с оценкой по критериям, которые сверены с людьми"
_PARTS: Final = {"": "звонки и чаты", "calls_": "звонки", "chats_": "чаты"}
_AVERAGES: Final = {
    "llm": ("Оценка модели", _ADMITTED),
    "calibration": ("Пробная оценка модели", "с пробной оценкой: критерии ещё не сверены с людьми"),
    "rules": ("Оценка по правилам", "с оценкой по правилам"),
}
_OF_PART: Final = {"": "", "calls_": "Звонки: ", "chats_": "Чаты: "}
TALK_FIGURES: Final[dict[str, tuple[str, str]]] = {
    "calls_in": (Talks.CALLS_IN, DEFINITIONS_OF_TALKS[Talks.CALLS_IN]),
    "calls_out": (Talks.CALLS_OUT, DEFINITIONS_OF_TALKS[Talks.CALLS_OUT]),
    "calls_answered": (Talks.CALLS_ANSWERED, "звонки, в которых сняли трубку"),
    "calls_talk_seconds": ("Разговоров по телефону", "сумма длительности состоявшихся звонков"),
    "calls_short": (Talks.CALLS_SHORT, DEFINITIONS_OF_TALKS[Talks.CALLS_SHORT]),
    "calls_internal": (Talks.CALLS_INTERNAL, "звонки между своими"),
    "calls_judged": (Talks.CALLS_JUDGED, DEFINITIONS_OF_TALKS[Talks.CALLS_JUDGED]),
    **{
        f"{part}{name}_evaluated": (f"{_OF_PART[part]}{title}, сколько", f"{what} {which}")
        for part, what in _PARTS.items()
        for name, (title, which) in _AVERAGES.items()
    },
    **{
        f"{part}{name}_score_avg": (f"{_OF_PART[part]}{title}", f"средний балл, {what} {which}")
        for part, what in _PARTS.items()
        for name, (title, which) in _AVERAGES.items()
    },
    "auto_fail": ("Автопровалов", f"с автопровалом, звонки и чаты {_ADMITTED}"),
    "auto_fail_share": ("Автопровалы", f"с автопровалом / звонки и чаты {_ADMITTED}"),
    "llm_criteria": ("Вопросов к модели", "критерии, о которых спросили модель, во всех звонках и чатах"),
    "llm_insufficient": ("Без доказательств, ответов", "ответы модели, для которых не нашлось слов разговора"),
    "llm_insufficient_share": ("Без доказательств", "ответы модели без доказательств / все её ответы"),
    "llm_unscored": (Talks.UNSCORED, DEFINITIONS_OF_TALKS[Talks.UNSCORED]),
}
"""What ``otklik explain`` calls each figure, and what it counts."""
