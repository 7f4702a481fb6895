"""Closing remarks and requests for a person, on texts alone."""

from __future__ import annotations

import pytest

from conversations.needs_reply import ClosingRule, HumanRequestRule, tokens
from conversations.policy import Policy

CLOSING = ClosingRule(Policy.default().closing_words)
REQUEST = HumanRequestRule(Policy.default().human_request_phrases)


@pytest.mark.parametrize(
    "text",
    [
        "спасибо",
        "Спасибо!",
        "СПАСИБО, ПОНЯТНО",
        "ок",
        "Ок 👍🏽",
        "👍👍",
        "🙏",
        "хорошо, договорились",
        "спасибо,ок",
        "ок :)",
    ],
)
def test_closes(text: str) -> None:
    assert CLOSING.closes("text", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ")))",
        "...",
        None,
        "спасибо?",
        "ок 5",
        "ок ❤",
        "спасибо, а сколько стоит",
        "спасибо спасибо спасибо ок",  # 26 characters
        "хорошо" + " " * 20,  # the length is that of the raw text
        "спасибище",
    ],
)
def test_does_not_close(text: str | None) -> None:
    assert not CLOSING.closes("text", text)


def test_25_characters_still_close() -> None:
    assert CLOSING.closes("text", "спасибо спасибо ок хорошо")


def test_only_texts_and_stickers_close() -> None:
    assert CLOSING.closes("sticker", None)
    assert CLOSING.closes("sticker", "🦊")
    assert not CLOSING.closes("sticker", "42?")
    assert not any(CLOSING.closes(kind, "спасибо") for kind in ("media", "template", "payment_link", "call"))


def test_yo_is_e_and_decorations_fall_away() -> None:
    assert tokens("Всё-таки ЁЖ… 👍🏿❤️") == ("все", "таки", "еж", "👍", "❤")


def test_a_full_memory_starts_anew() -> None:
    rule = ClosingRule(["ок"])
    assert not any(
        rule.closes("text", f"слово {'я' * (n % 5)}{chr(0x400 + n % 250)}{chr(0x400 + n // 250)}")
        for n in range(10_050)
    )
    assert rule.closes("text", "ок")


@pytest.mark.parametrize(
    "text",
    [
        "Оператор",
        "позовите оператора!",
        "Соедините меня, пожалуйста, с менеджером",
        "хочу поговорить с живым человеком",
        "нужен менеджер срочно",
        "Переключите на оператора",
        "адам керек",
    ],
)
def test_asks_for_a_person(text: str) -> None:
    assert REQUEST.asks(text)


@pytest.mark.parametrize(
    "text", [None, "", "какой оператор доставки", "менеджер вчера написал", "человек-паук есть?", "нужен чехол"]
)
def test_does_not_ask_for_a_person(text: str | None) -> None:
    assert not REQUEST.asks(text)


def test_no_phrases_ask_for_nobody_and_empty_phrases_are_refused() -> None:
    assert not HumanRequestRule([]).asks("оператор")
    with pytest.raises(ValueError, match="no phrase"):
        HumanRequestRule(["*"])
