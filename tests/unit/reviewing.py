"""Small talks, rubrics and answers for the tests of scoring. Not here: expectations."""

from __future__ import annotations

import json
from typing import Any

from conversations.scoring.prompts import prompt_of
from conversations.scoring.request import prepare
from conversations.scoring.rubric import rubric_of
from conversations.scoring.shapes import Criterion, Parameters, Phrase, Prepared, Rubric, Talk

PROMPT = prompt_of("p", 1, 'Оцени. {criteria_list}\n{custom_instructions}\n{"вид": "ответа"}\n{transcription}\n')
PARAMETERS = Parameters("openai/some-model", 0.0, 2_000, 24_000, 6, mask_names=False)
RUBRIC = rubric_of(
    "sales",
    1,
    (
        Criterion("greeting", "Приветствие", "Поздоровался?", 10, 1, rule="greeting"),
        Criterion("offer", "Предложение", "Предложил?", 30, 2, may_not_apply=True, rule="made_offer"),
        Criterion("polite", "Без грубости", "Не грубил?", 20, 1, fails_all=True, rule="no_rudeness"),
        Criterion("pleased", "Клиент доволен", "Сказал ли клиент, что доволен?", 40, 2, about="customer"),
    ),
)
TALK = (
    ("manager", "Добрый день! Компания «Ромашка», чем помочь?"),
    ("customer", "Здравствуйте, сколько стоит ёлка? Мой номер 8 926 123-45-67."),
    ("manager", "Ёлка стоит 5 000 рублей, спасибо за вопрос. Записал: 8 926 123-45-67."),
    ("customer", "Отлично, мне всё нравится, беру"),
)


def talk_of(*said: tuple[str, str], kind: str = "call", **more: Any) -> Talk:
    """A talk of (speaker, text); numbered from 0."""
    phrases = tuple(Phrase(str(n), speaker, text) for n, (speaker, text) in enumerate(said))  # type: ignore[arg-type]
    return Talk(kind, phrases, **more)  # type: ignore[arg-type]


def prepared(talk: Talk | None = None, rubric: Rubric = RUBRIC, **parameters: Any) -> Prepared:
    """The talk as it is asked about."""
    return prepare(talk or talk_of(*TALK), rubric, PROMPT, "", PARAMETERS._replace(**parameters))


def shown(request: Any) -> str:
    """The transcript of a request, by the lines that frame it."""
    text = request.messages[-1]["content"]
    return text.split(" ===\n", 1)[1].rsplit("\n=== ", 1)[0]


def mark(score: int | str, quote: str | None = None, reason: str = "потому что") -> dict[str, Any]:
    """What a judge says of one criterion."""
    return {"reason": reason, "quote": quote, "score": score}


def content(**changed: Any) -> dict[str, Any]:
    """A valid answer by ``RUBRIC`` as an object, with some fields changed."""
    whole = {
        "is_suitable": True,
        "unsuitable_reason": None,
        "summary": "Клиент купил ёлку.",
        "topic": "покупка ёлки",
        "sentiment": "positive",
        "criteria": {
            "greeting": mark(1, "Добрый день"),
            "offer": mark(2, "Ёлка стоит 5 000 рублей"),
            "polite": mark(1, "спасибо за вопрос"),
            "pleased": mark(2, "мне всё нравится"),
        },
        "recommendations": [{"text": "Спросите о доставке.", "quote": "Ёлка стоит 5 000 рублей"}],
        "agreements": [{"text": "Клиент берёт ёлку.", "due": "2026-12-30", "quote": "беру"}],
        "decline_reasons": [],
    }
    return {**whole, **changed}


def with_marks(**marks: Any) -> dict[str, Any]:
    """A valid answer with some criteria changed; ``None`` leaves one out."""
    criteria = {**content()["criteria"], **marks}
    return content(criteria={code: each for code, each in criteria.items() if each is not None})


def text_of(whole: Any) -> str:
    """The answer as a model would send it."""
    return json.dumps(whole, ensure_ascii=False)
