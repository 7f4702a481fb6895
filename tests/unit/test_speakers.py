"""Labels that are the wrong way round: exchanged on strong evidence alone, in doubt left as they are and told."""

from __future__ import annotations

import pytest

from conversations.parsing.speakers import repaired

SWAP = {"manager": "customer", "customer": "manager"}


def said(*lines: str) -> list[dict[str, object]]:
    """``м: текст`` and ``к: текст`` as phrases with the labels that they should have."""
    sides = {"м": "manager", "к": "customer", "?": "unknown"}
    return [
        {"n": n, "speaker": sides[line[0]], "text": line[3:], "start": float(n), "end": n + 0.5}
        for n, line in enumerate(lines)
    ]


def swapped(phrases: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**phrase, "speaker": SWAP.get(str(phrase["speaker"]), phrase["speaker"])} for phrase in phrases]


INBOUND = {
    "ru": said(
        "м: Компания «Северный лён», Анна, слушаю вас.",
        "к: Здравствуйте, есть льняные халаты?",
        "м: Да, есть. Какой размер нужен?",
        "к: Сорок восьмой.",
        "м: Вижу ваш заказ от вторника, добавлю туда. Могу ещё чем-то помочь?",
        "к: Нет, спасибо.",
    ),
    "thanks": said(
        "м: Спасибо за звонок в наш салон, чем могу быть полезна?",
        "к: Добрый день. Я по поводу доставки.",
        "м: Как могу к вам обращаться?",
        "к: Ольга.",
    ),
    "kk": said(
        "м: Қоңырау шалғаныңызға рахмет, қалай көмектесе аламын?",
        "к: Сәлеметсіз бе, тапсырысым қайда?",
    ),
    "en": said(
        "м: Thank you for calling Acme. How can I help you today?",
        "к: Hi, I lost my card.",
        "м: Is there anything else I can help you with?",
        "к: No, bye.",
    ),
}


@pytest.mark.parametrize("language", INBOUND)
def test_right_labels_stay(language: str) -> None:
    phrases = INBOUND[language]
    assert repaired(phrases) == (phrases, "as_labelled")


@pytest.mark.parametrize("language", INBOUND)
def test_labels_that_are_surely_wrong_are_exchanged_and_nothing_else(language: str) -> None:
    phrases = INBOUND[language]
    wrong = swapped(phrases)
    before = [dict(phrase) for phrase in wrong]
    assert repaired(wrong) == (phrases, "swapped")
    assert wrong == before, "what was handed over is left alone"
    assert repaired(repaired(wrong)[0]) == (phrases, "as_labelled")


def test_a_call_of_ours_is_never_exchanged() -> None:
    """A secretary answers for her own company: her label is right."""
    phrases = swapped(INBOUND["thanks"])
    assert repaired(phrases, direction="out") == (phrases, "doubtful")
    assert repaired(phrases, direction="in")[1] == "swapped"


@pytest.mark.parametrize(
    "lines",
    [
        # one way of speaking for a company is no proof
        ("к: Чем могу помочь?", "м: Алло.", "к: Алло, вы слышите?"),
        # both speak for a company
        ("к: Компания «Ромашка», слушаю. Чем могу помочь?", "м: Здравствуйте, меня зовут Анна, компания «Лён»."),
        ("к: Спасибо за звонок, чем могу помочь?", "м: Чем могу помочь?"),
        # only somebody unknown besides
        ("к: Компания «Ромашка», слушаю. Чем могу помочь?", "?: Алло."),
    ],
)
def test_doubt_changes_nothing_and_is_told(lines: tuple[str, ...]) -> None:
    phrases = said(*lines)
    assert repaired(phrases) == (phrases, "doubtful")


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("м: Алло.", "к: Алло."),
        # customers thank for a call at its end
        (*[f"{'мк'[n % 2]}: Ясно, понятно, {n}." for n in range(8)], "к: Спасибо за звонок!"),
        ("?: Чем могу помочь?", "?: Спасибо за звонок"),
    ],
)
def test_without_evidence_the_labels_hold(lines: tuple[str, ...]) -> None:
    phrases = said(*lines)
    assert repaired(phrases) == (phrases, "as_labelled")


def test_phrases_of_nobody_stay_nobodys() -> None:
    wrong = [*swapped(INBOUND["ru"]), *said("?: (шум)")]
    phrases, state = repaired(wrong)
    assert (state, phrases[-1]["speaker"]) == ("swapped", "unknown")
