"""What ``otklik explain`` says: the name and the formula of every figure, and where its list comes from.

Here: words. Not here: what a figure counts (``resources.warehouse.evidence_figures``), metrics with a delta and the
nine states (``changes``).
"""

from __future__ import annotations

from typing import Final

from conversations.messages.changes import Changes
from conversations.messages.help import with_examples
from conversations.messages.numbers import NONE, minutes, number, plural, share
from conversations.messages.talks import TALK_FIGURES

_SETTLED: Final = "вопросы клиентов, которые за это время закрылись: в норме, медленно, без ответа или окно истекло"
_JUDGED: Final = "закончившиеся разговоры с ответом менеджера"
_INTENT: Final = f"{_JUDGED}, в которых клиент хотел купить (цена, наличие, покупка, размер, доставка)"
_STEP: Final = f"{_INTENT}, не отказался, не оплатил и не остался без ответа"


class ExplainHelp:
    """Help texts by command and option."""

    EXPLAIN: Final = with_examples(
        "Показать, из каких ожиданий, разговоров и сообщений сложилось число витрины, таблицы или дайджеста.\n\n"
        "Ключи: неделя (или день), менеджер или канал, показатель. Чего не назвать, из того покажется список.",
        'otklik explain manager_week 2026-W46 "Анна Петрова" no_reply_share',
        "otklik explain channel_week 2026-W46 whatsapp reply_p50_business_seconds",
        "otklik explain manager_week_delta 2026-W46 Анна no_reply_share",
        "otklik explain weekly_examples 2026-W46 Анна",
        "otklik explain digest 2026-W46 in_target_share",
        "otklik explain revision 2026-W46",
        "otklik explain manager_week 2026-W46 Анна no_reply_share --csv > list.csv",
    )
    MART: Final = "Витрина или вкладка таблицы: manager_week, channel_week, manager_week_delta …"
    KEYS: Final = "Неделя или день, менеджер или канал, показатель."
    CSV: Final = "Вывести список в CSV."
    TEXTS: Final = "Показать сообщения целиком; телефоны, почта и карты скрыты."
    SQL: Final = "Напечатать запрос для BI: его может выполнить аналитик."
    REVISION: Final = "Версия недели; по умолчанию последняя."


class Explain:
    """What the command prints. `{}` is filled by the caller."""

    FIGURES: Final = {
        "waits_settled": ("Закрыто вопросов", _SETTLED),
        "in_target": ("В норме, вопросов", "вопросы, на которые ответили не позже нормы"),
        "slow_reply": ("Медленно, вопросов", "вопросы, на которые ответили позже нормы, но до предельного срока"),
        "no_reply": ("Без ответа до предельного срока, вопросов", "вопросы, по которым вышел предельный срок"),
        "window_expired": ("Окно истекло, вопросов", "вопросы, по которым закрылось окно ответа мессенджера"),
        "unanswered": ("Без ответа, вопросов", "вышел предельный срок или закрылось окно ответа мессенджера"),
        "not_required": ("Ответ не нужен, вопросов", "ответ не понадобился; ни в одну долю не входят"),
        "bot_handled": ("Вопросов решил бот", "бот ответил, человек не понадобился"),
        "in_target_share": ("В норме", f"в норме / {_SETTLED}"),
        "slow_reply_share": ("Медленно", f"медленно / {_SETTLED}"),
        "no_reply_share": ("Без ответа", f"вышел предельный срок или окно мессенджера / {_SETTLED}"),
        "answered": ("Всего ответов", "вопросы, на которые ответили до предельного срока"),
        "first_replies": ("Первых ответов", "отвеченные первые вопросы разговоров, которые начал клиент"),
        "missed_calls_settled": ("Пропущенных звонков", "пропущенные звонки, по которым всё решилось"),
        "missed_calls_in_target": ("Перезвонили в норме", "пропущенные звонки, на которые ответили не позже нормы"),
        "missed_calls_slow_reply": ("Перезвонили медленно", "пропущенные звонки, на которые ответили позже нормы"),
        "missed_calls_no_reply": ("Не перезвонили", "пропущенные звонки, по которым вышел предельный срок"),
        "missed_calls_window_expired": ("Не перезвонили: окно истекло", "по ним закрылось окно ответа мессенджера"),
        "missed_calls_in_target_share": ("Перезвонили в норме", "перезвонили в норме / пропущенные звонки"),
        "left_waiting": ("Передал коллеге позже нормы", "вопросы, которые держал дольше нормы и передал"),
        "pending_now": ("Ждут на момент подсчёта", "вопросы, открытые к концу недели и ещё не закрытые"),
        "sessions_touched": ("Разговоров с ответом менеджера", "закончившиеся разговоры, где он ответил хоть раз"),
        "chat_sessions_touched": ("Переписок с ответом менеджера", "закончившиеся разговоры, где он написал хоть раз"),
        "messages_sent": ("Сообщений менеджера", "сообщения, которые он написал клиентам"),
        "chats": ("Чатов", "чаты, в которых за это время писали"),
        "unique_customers": ("Клиентов", "разные клиенты этих чатов"),
        "messages_in": ("Сообщений от клиентов", "сообщения клиентов"),
        "messages_out": ("Сообщений клиентам", "сообщения менеджеров и ботов; автоответы не считаются"),
        "one_direction_chats": ("Чатов, где пишет одна сторона", "чаты, в которых за всю историю слышна одна сторона"),
        "one_direction_share": ("Пишет одна сторона", "чаты, где слышна одна сторона / чаты, в которых писали"),
        "sessions_ended": ("Закончилось разговоров", "закончившиеся разговоры"),
        "bot_only_sessions": ("Разговоров только с ботом", "закончившиеся разговоры, которые решил бот"),
        "asking_sessions": ("Разговоров с вопросом", "закончившиеся разговоры с вопросом клиента"),
        "bot_first_sessions": ("Первым ответил бот, разговоров", "бот или автоответ написал раньше человека"),
        "bot_first_share": ("Первым ответил бот", "первым ответил бот / закончившиеся разговоры с вопросом"),
        "sessions_judged": ("Разобрано разговоров", _JUDGED),
        "sessions_with_intent": ("Разговоров с желанием купить", _INTENT),
        "asked_clarifying": ("Задан уточняющий вопрос", "о потребности, до предложения или вместе с ним"),
        "asked_clarifying_share": ("Задан уточняющий вопрос", f"с уточняющим вопросом / {_INTENT}"),
        "made_offer": ("Сделано предложение", "названы товар и цена, наличие или условия, либо отправлена ссылка"),
        "made_offer_share": ("Сделано предложение", f"с предложением / {_INTENT}"),
        "next_step_judged": ("Разговоров, где шаг был возможен", _STEP),
        "has_next_step": (
            "Есть следующий шаг",
            "в последней реплике менеджера есть действие: заказ, оплата, дата",
        ),
        "has_next_step_share": ("Есть следующий шаг", f"с действием в последней реплике менеджера / {_STEP}"),
        "no_next_step": ("Нет следующего шага", "в последней реплике менеджера действия нет"),
        "no_next_step_share": ("Нет следующего шага", f"без действия в последней реплике менеджера / {_STEP}"),
        "good_judged": ("Разговоров с 2 и более сообщениями", f"{_JUDGED}: от двух его сообщений"),
        "good": (
            "Хороших разговоров",
            "ответы в норме, есть вопрос или предложение и шаг (если хотели купить), оценка модели не ниже порога",
        ),
        "good_share": ("Хороший разговор", f"хорошие / {_JUDGED}: от двух его сообщений"),
    }
    """By column: the name, and what is counted; of a share: what of what."""
    PERCENTILES: Final = {
        "reply": ("Любой ответ", "отвеченные вопросы, по времени ожидания"),
        "first_reply": ("Первый ответ", "отвеченные первые вопросы разговоров, которые начал клиент, по времени"),
    }
    PERCENTS: Final = {50: "медиана", 90: "9 из 10 не позже"}
    CLOCKS: Final = {True: "рабочее время", False: "по часам"}

    MANAGER_VIEW: Final = "Время идёт с момента, когда вопрос попал к менеджеру."
    CHANNEL_VIEW: Final = "Время идёт с вопроса клиента."
    COUNTED: Final = "Как считается: {}."
    AS_OF: Final = "Посчитано на {}, правила версии {}."
    REVISION: Final = "Версия недели {}."
    DATA: Final = "Данные: {}."
    NO_VALUE: Final = "не из чего считать"
    OF: Final = "{} = {} из {}"
    OF_N: Final = "{} мин, n = {}"

    EQUAL: Final = "Список складывается в это число."
    KEPT: Final = "Список сохранён при публикации."
    CHANGED: Final = (
        "Список не складывается в это число: по нему {}. После публикации пришли сообщения или изменились правила; "
        "опубликуйте неделю заново: otklik run --week {}"
    )
    CASES: Final = (
        ("№", "left"), ("Когда", "left"), ("Чат", "left"), ("Что", "left"), ("Ждал,\nмин", "right"),
        ("Сообщения", "left"), ("Фрагмент", "left"),
    )  # fmt: skip
    HIT: Final = "✓ {}"
    WHATS: Final = {
        "no_intent": "не хотел купить",
        "refused": "отказался",
        "paid": "оплатил",
        "ended_by_customer": "последним писал клиент",
        "customer": "клиент",
        "manager": "менеджер",
        "bot": "бот",
        "hit": "да",
        "miss": "нет",
        "left_waiting": "держал",
    }
    """What is said of a case beside the outcomes of waits."""
    WHY_NOT_GOOD: Final = {
        "slow_reply": "медленный ответ",
        "no_reply": "без ответа",
        "no_question_or_offer": "ни вопроса, ни предложения",
        "no_next_step": "нет следующего шага",
        "auto_fail": "автопровал",
        "low_score": "оценка модели ниже порога",
    }
    LEGEND: Final = "✓ — входит в числитель. «Ждал» — {}; время местное ({}). Сообщения — номера в чате."
    NO_TEXTS: Final = "Тексты закрыты правилами (exports.texts: none)."
    TAKEN_BACK: Final = "(удалено)"
    NO_TEXT: Final = "({})"
    HEADINGS: Final = (
        "case_id", "is_hit", "at", "until", "conversation_id", "session_id", "channel", "manager", "what",
        "business_seconds", "seconds", "message_ids", "snippet",
    )  # fmt: skip
    """Columns of ``--csv`` and names in ``--json``."""

    FIGURES_TITLE: Final = "Показатели строки"
    FIGURE_COLUMNS: Final = (("Показатель", "left"), ("Столбец", "left"), ("Значение", "right"))
    ASK: Final = "Из чего сложилось число: otklik explain {} {} {} СТОЛБЕЦ"
    PERIODS: Final = "{}: есть {}."
    SUBJECTS: Final = "Есть: {}."
    NONE_PUBLISHED: Final = "ещё ничего не опубликовано: otklik run --week НЕДЕЛЯ"

    THIS_WEEK: Final = "Эта неделя"
    WEEK_BEFORE: Final = "Неделей раньше"
    VERDICT: Final = "Вывод: {}"
    WHY: Final = "Почему: {}."
    CHANGE: Final = "Изменение: {} (с учётом случайности: от {} до {})."
    EFFECT: Final = (
        "Случаи одного разговора похожи друг на друга, поэтому n для интервала меньше: разделено на {} (эта неделя) "
        "и на {} (неделей раньше)."
    )
    CHANCE: Final = "Такая или большая разница при неизменной работе: {}."
    IS_HEADLINE: Final = "Входит в «главные изменения» недели."
    NO_HEADLINE: Final = "Не входит в «главные изменения»: после поправки на число сравнений может быть случайностью."
    AVERAGE: Final = "В среднем за 4 прошлые недели: {} (недель с данными: {})."
    NOT_KEPT: Final = "Строки за эту неделю нет."
    PREVIOUS_GONE: Final = "Список прошлой недели не складывается в {}: его версия {} не сохранена."

    REVISIONS: Final = "Версии недели {}"
    REVISION_COLUMNS: Final = (
        ("Версия", "left"), ("Опубликована", "left"), ("Посчитана на", "left"), ("Почему", "left"),
        ("Изменилось\nчисел", "right"), ("Изменилось\nслучаев", "right"), ("Из них связь\nклиентов", "right"),
    )  # fmt: skip
    CHANGES_TITLE: Final = "Что изменилось в версии {}"
    CHANGE_COLUMNS: Final = (
        ("Кто", "left"), ("Показатель", "left"), ("Было", "left"), ("Стало", "left"),
    )  # fmt: skip
    REASONS: Final = {
        "first": "первая публикация",
        "late_data": "пришли поздние сообщения",
        "links": "связь клиентов изменилась",
        "rules": "изменились правила",
    }
    NO_CHANGES: Final = "Цифры с тех пор не менялись."

    EXAMPLES: Final = "Примеры недели {}"
    ADVICE: Final = "Советы по чатам недели {}"
    LIST_COLUMNS: Final = (
        ("Менеджер", "left"), ("Что", "left"), ("Чат", "left"), ("Сообщение", "left"), ("Ждал,\nмин", "right"),
        ("Фрагмент", "left"),
    )  # fmt: skip
    EMPTY: Final = "За неделю {} строк нет."
    DAY_COLUMNS: Final = (
        ("День", "left"), ("Заявлено\nисточником", "right"), ("Есть\nу нас", "right"),
        ("Закрыто\nвопросов", "right"), ("Из них часы\nрасходятся", "right"),
    )  # fmt: skip
    NEIGHBOUR: Final = (
        "Аккаунт {0} отвечает тем же клиентам, и его данные неполные: {1}. Ответ мог быть там. Загрузите эти дни "
        "(otklik backfill), затем опубликуйте неделю снова; аккаунт больше не нужен: otklik disable {0}."
    )
    QUARANTINED: Final = "Не разобрано: {} — {}. Это строки всего подключения."
    STATUS_CHANGED: Final = (
        "Дни не складываются в строку витрины: с тех пор догрузили данные. Опубликуйте неделю заново: "
        "otklik run --week {}"
    )

    NO_MART: Final = "нет витрины «{}». Есть: {}"
    NO_PERIOD: Final = "{}: нет {}. Есть: {}"
    NO_SUBJECT: Final = "{}: нет «{}». Есть: {}"
    MANY_SUBJECTS: Final = "«{}» подходит не одному: {}. Напишите точнее"
    NO_FIGURE: Final = "нет показателя «{}». Есть: {}"
    NO_SQL: Final = "одних витрин для этого списка мало: нужны таблицы evaluated, аналитику они закрыты"
    NO_REVISION: Final = "у недели {} нет версии {}. Есть: {}"
    TOO_MANY_KEYS: Final = "лишние ключи: {}"

    @staticmethod
    def figure(name: str) -> tuple[str, str]:
        """Name and formula of a figure.

        >>> Explain.figure("first_reply_p50_business_seconds")[0], Explain.figure("chats")[0]
        ('Первый ответ: медиана, рабочее время', 'Чатов')
        """
        if name in Explain.FIGURES:
            return Explain.FIGURES[name]
        if name in TALK_FIGURES:
            return TALK_FIGURES[name]
        for prefix, (title, formula) in Explain.PERCENTILES.items():
            if name.startswith(f"{prefix}_p"):
                percent = Explain.PERCENTS[int(name.removeprefix(f"{prefix}_p")[:2])]
                clock = Explain.CLOCKS["business" in name]
                return f"{title}: {percent}, {clock}", f"{percent} — {formula}, {clock}"
        return name, name

    @staticmethod
    def value(kind: str, value: float | None, hits: int, n: int) -> str:
        """A figure with its unit and n.

        >>> Explain.value("share", 0.0625, 1, 16), Explain.value("count", 5, 5, 5)
        ('6,2 % = 1 из 16', '5')
        >>> Explain.value("percentile", 90.0, 4, 4), Explain.value("share", None, 0, 0)
        ('1,50 мин, n = 4', '— (не из чего считать)')
        >>> Explain.value("score", 81.25, 4, 4), Explain.value("sum", 754, 6, 6)
        ('81,2 балла из 100, n = 4', '12,57 мин, n = 6')
        """
        if value is None:
            return f"— ({Explain.NO_VALUE})"
        if kind == "share":
            return Explain.OF.format(share(float(value)), number(hits), number(n))
        if kind == "score":
            return f"{Explain.short(kind, value)}, n = {number(n)}"
        return Explain.OF_N.format(minutes(value), number(n)) if kind in ("percentile", "sum") else number(int(value))

    @staticmethod
    def short(kind: str, value: float | None) -> str:
        """The same without n, for a list of figures."""
        if kind == "share":
            return share(None if value is None else float(value))
        if kind in ("percentile", "sum"):
            return f"{minutes(value)} мин" if value is not None else minutes(None)
        if kind == "score":
            return NONE if value is None else f"{float(value):.1f}".replace(".", ",") + " балла из 100"
        return number(None if value is None else int(value))

    @staticmethod
    def change(kind: str, delta: float) -> str:
        """A difference of two weeks in its unit.

        >>> Explain.change("share", -0.1234), Explain.change("percentile", 90.0)
        ('−12,3 п.п.', '+1,50 мин')
        >>> Explain.change("score", -3.5)
        '−3,5 балла'
        """
        if kind == "score":
            size = f"{abs(delta):.1f} балла"
        else:
            size = f"{abs(delta) * 100:.1f} п.п." if kind == "share" else f"{abs(delta) / 60:.2f} мин"
        return f"{'−' if delta < 0 else '+'}{size}".replace(".", ",", 1)

    @staticmethod
    def chance(p_value: float) -> str:
        """A probability for people.

        >>> Explain.chance(0.0321), Explain.chance(0.0002)
        ('3,2 %', 'меньше 0,1 %')
        """
        return "меньше 0,1 %" if p_value < 0.001 else share(p_value)

    @staticmethod
    def list_of(cases: int, hits: int) -> str:
        """How long the list is."""
        said = plural(cases, "случай", "случая", "случаев")
        return f"Список: {said}." if hits == cases else f"Список: {said}, из них входят в числитель {number(hits)}."

    @staticmethod
    def state(status: str) -> str:
        """A state of a comparison and what it means."""
        return f"{Changes.STATES.get(status, status)}: {Changes.MEANINGS.get(status, status)}"
