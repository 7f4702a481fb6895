"""Words of ``otklik labels``: files in which people mark talks, the agreement of the judge with them, its plot.

Not here: what the figures are (``conversations.scoring.agreement``) and when a criterion counts
(``conversations.scoring.gates``).
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples


class LabelsHelp:
    """Help texts by command and option."""

    LABELS: Final = "Разметка разговоров людьми: сколько стоит верить оценкам модели."
    EXPORT: Final = with_examples(
        "Выгрузить разговоры на разметку: таблицу с расшифровкой без контактов, столбцом на каждый критерий и пустыми "
        "ячейками. Оценок модели в файле нет. Один файл отдайте хотя бы двум людям: согласие между ними тоже нужно. "
        "Выборка — равная доля каждого отдела (канала) и каждой недели, с постоянным зерном.",
        "otklik labels export --rubric sales_calls --sample 200 --file разметка.xlsx",
        "otklik labels export --rubric chats --sample 50 --file chats.csv",
    )
    IMPORT: Final = with_examples(
        "Принять размеченный файл: всё или ничего, ошибки по ячейкам. Повтор ничего не удваивает, исправленная "
        "отметка заменяет прежнюю, пустая ячейка ничего не меняет.",
        "otklik labels import разметка.xlsx --grader anna",
        "otklik labels import разметка.csv",
    )
    MEASURE: Final = with_examples(
        "Сравнить модель с людьми по каждому критерию и решить, какие критерии показывать и какие считать.",
        "otklik labels measure",
        "otklik labels measure --rubric sales_calls --plot согласие.png",
        "otklik labels measure --json",
    )
    REPEAT: Final = with_examples(
        "Задать модели те же вопросы ещё раз: меняются ли её ответы сами по себе. Стоит денег, в пределах бюджета; "
        "оценки разговоров не меняются, оплаченное дважды не покупается.",
        "otklik labels repeat --rubric sales_calls --sample 60 --dry-run",
        "otklik labels repeat --rubric sales_calls --sample 60",
    )
    DRY_RUN: Final = "Показать, сколько вопросов и денег нужно, и ничего не покупать."
    RUBRIC: Final = "Чек-лист: sales_calls, office_calls, chats …"
    SAMPLE: Final = "Сколько разговоров, не больше."
    FILE: Final = "Куда записать: .xlsx или .csv."
    SEED: Final = "Зерно выборки: другое число — другие разговоры."
    LABELLED: Final = "Размеченный файл: .xlsx или .csv."
    GRADER: Final = "Кто размечал, коротким именем; строки с заполненным столбцом «Кто разметил» важнее."
    PLOT: Final = "Записать график согласия в PNG (нужен один --rubric)."


class Labels:
    """What stands in the files and on the screen. `{}` is filled by the caller."""

    SHEET: Final = "Разметка"
    GUIDE: Final = "Критерии"
    NUMBER: Final = "№"
    TRANSCRIPT: Final = "Разговор"
    GRADER: Final = "Кто разметил"
    KEY: Final = "Код разговора (не менять)"
    CRITERION: Final = "{code} — {title} ({marks})"
    GUIDE_COLUMNS: Final = ("Код", "Критерий", "Что оценивать", "Отметки")
    MARKS: Final = "0–{}"
    NOT_APPLICABLE: Final = "н/п"
    INSUFFICIENT: Final = "н/д"
    GUIDE_NOTE: Final = (
        "Отметка — целое число шкалы; н/п — критерий к этому разговору не относится; н/д — по записи этого не видно. "
        "Пустая ячейка — не размечено. Не подсматривайте ни в чужие отметки, ни в оценки модели."
    )

    NONE_JUDGED: Final = "по чек-листу «{}» модель ещё ничего не оценила: сначала otklik score"
    BAD_FILE_NAME: Final = "«{}»: нужен файл .xlsx или .csv"
    FILE_EXISTS: Final = "файл «{}» уже есть: назовите другой, чтобы не потерять разметку"
    EXPORTED: Final = "{}: разговоров {} из {} оценённых. Файл видят только размечающие: в нём слова клиентов."
    BAD_LABELS: Final = "файл {} не принят, ничего не записано: {}"
    NO_TABLE: Final = "нет листа «Разметка» или его столбцов: нужен файл из otklik labels export"
    MORE_FAULTS: Final = "и ещё {}"
    IMPORTED: Final = "Отметок: новых {}, исправленных {}, прежних {}; разговоров {}, размечали {}."
    NEXT: Final = "Дальше: otklik labels measure"
    FAULTS: Final = {
        "key": "код разговора изменён или пропал",
        "unknown": "такого разговора эта модель по этому чек-листу не оценивала",
        "version": "такой версии чек-листа нет",
        "grader": "не сказано, кто разметил: заполните столбец или --grader (буквы, цифры, точка, дефис; до 40 знаков)",
        "mark": "такой отметки нет: нужно целое число шкалы, н/п или н/д",
        "scale": "отметка вне шкалы критерия",
        "applies": "критерий применим всегда: н/п здесь не ставят",
        "criterion": "столбца такого критерия в чек-листе нет",
        "twice": "один человек разметил этот разговор в файле дважды по-разному",
        "empty": "в файле нет ни одной отметки",
    }

    TITLE: Final = "Согласие модели с людьми: {} (версия {}, {})"
    COLUMNS: Final = (
        ("Критерий", "left"),
        ("Состояние", "left"),
        ("Размечено", "right"),
        ("κ", "right"),
        ("95 %", "right"),
        ("Люди κ", "right"),
        ("α", "right"),
        ("AC1", "right"),
    )
    MORE_COLUMNS: Final = (
        ("Критерий", "left"),
        ("Меняется при повторе", "right"),
        ("Цитата найдена", "right"),
        ("Нет данных", "right"),
    )
    STATES: Final = {
        "calibration": "калибровка",
        "not_published": "не опубликовано",
        "published": "опубликовано",
        "counted": "в счёте",
    }
    REASONS: Final = {
        "few_labels": "размечено меньше 200 разговоров",
        "kappa_unknown": "согласие с людьми не определено",
        "kappa_low": "согласие с людьми ниже 0,60",
        "humans_unknown": "меньше 50 разговоров размечены двумя людьми",
        "humans_disagree": "люди между собой согласны меньше чем на 0,60",
        "flips_unknown": "повторно задано меньше 50 вопросов: otklik labels repeat",
        "flips": "ответ меняется при повторе чаще 5 %",
        "no_answers": "у модели нет ни одной отметки с цитатой",
        "quotes": "не у каждой отметки найдена цитата",
        "insufficient": "слишком часто нет данных: больше 20 %",
        "kappa_below_counting": "для счёта нужно согласие от 0,70",
    }
    NOTHING_MEASURED: Final = "Измерять нечего: нет ни одной отметки людей. Начните с otklik labels export."
    LEGEND: Final = (
        "κ — каппа с квадратичными весами; α — Криппендорфа; AC1 — Гвета; 95 % — интервал бутстрепа. "
        "«Меняется» — доля ответов, которые при повторе вышли иными; «цитата найдена» — доля среди отметок, "
        "которым она нужна."
    )
    WHY: Final = "{}: {}"
    NO_MODEL: Final = "LLM_API_KEY не задан: спрашивать некого"
    NOTHING_TO_REPEAT: Final = (
        "по чек-листу «{}» нет разговоров, оценённых нынешней моделью, промптом и чек-листом: сначала otklik score"
    )
    PLANNED: Final = "Разговоров: {}, вопросов к модели: {}, не дороже {} долл. США (без повторных попыток)."
    REPEATING: Final = "Те же вопросы ещё раз"
    REPEATED: Final = "Разговоров оценено дважды: {}, ответов: {}, из них вышли иными: {} ({}); куплено вопросов: {}."
    NOT_REPEATED: Final = "Не спрошено: {}; без годного ответа: {}."
    PLOT_NEEDS_ONE: Final = "для графика назовите один чек-лист: --rubric"
    PLOTTED: Final = "График: {}"
    PLOT_TITLE: Final = "{} · n = {}"
    PLOT_X: Final = "Отметка модели"
    PLOT_Y: Final = "Средняя отметка людей"
    PLOT_HEAD: Final = "Модель и люди: {}, версия {}, {}"
