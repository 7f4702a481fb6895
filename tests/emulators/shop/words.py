"""Turns the shop's vocabulary into sentences: entries of the text files, filled with the facts of one talk."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

_SLOT = re.compile(r"<(\w+)>")
_SENTENCE = re.compile(r"([.!?] )([а-яёәғқңөұүһі])")
_HERE = Path(__file__).parent
# the vocabulary is written as women say it; men say it like this
_MALE = {
    "Проверила": "Проверил",
    "Оформила": "Оформил",
    "Записала": "Записал",
    "Перенесла": "Перенёс",
    "Завела": "Завёл",
    "Отправила": "Отправил",
    "Добавила": "Добавил",
    "Отложила": "Отложил",
    "отложила": "отложил",
    "прислала": "прислал",
    "передала": "передал",
    "Вернулась": "Вернулся",
    "ошиблась": "ошибся",
    "Взяла": "Взял",
    "применила": "применил",
    "Поставила": "Поставил",
    "Поняла": "Понял",
    "поняла": "понял",
    "Увидела": "Увидел",
    "Заказывала": "Заказывал",
    "Разочарована": "Разочарован",
    "носила": "носил",
    "хотела": "хотел",
    "Хотела": "Хотел",
    "оплатила": "оплатил",
    "Оплатила": "Оплатил",
    "Разобралась сама": "Разобрался сам",
    "сама": "сам",
    "срезала": "срезал",
    "Покупала": "Покупал",
    "писала": "писал",
    "с мужем": "с женой",
    "первой": "первым",
    "ожидала": "ожидал",
    "Запросила": "Запросил",
    "Связалась": "Связался",
    "Согласна": "Согласен",
    "отправила": "отправил",
    "отменила": "отменил",
    "записала": "записал",
    "завела": "завёл",
    "постирала": "постирал",
    "Просила": "Просил",
}
_MALE_PATTERN = re.compile("|".join(rf"\b{word}\b" for word in sorted(_MALE, key=len, reverse=True)))
_EMOJI = (" 🙂", " 🙏", "!!", " ❤️", ")", "))", " 😊")


@lru_cache(maxsize=4)
def _load(name: str) -> Any:
    # the C loader is ten times faster and not everywhere
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_HERE / name).read_text("utf-8"), loader)


def people() -> dict[str, Any]:
    """Names, products, cities."""
    return _load("people.yaml")


class Words:
    """The vocabulary of one language."""

    def __init__(self, language: str, random: Random) -> None:
        texts = _load(f"texts_{language}.yaml")
        self.language = language
        self._random = random
        self._entries: dict[str, list[Any]] = texts["words"]
        self.topics: dict[str, Any] = texts["topics"]

    def __contains__(self, entry: str) -> bool:
        return entry in self._entries

    def say(self, entry: str, facts: dict[str, Any], is_male: bool = False, line: int | None = None) -> tuple[str, int]:
        """One of the ways to say ``entry``, and the number of the line that was taken.

        An answer takes the ``line`` of its question; where the question had more lines, any.
        """
        if facts.get("kind") == "clothes" and f"{entry}_clothes" in self._entries:
            entry = f"{entry}_clothes"
        lines = self._entries[entry]
        if line is None or line >= len(lines):
            line = self._random.randrange(len(lines))
        chosen = lines[line]
        text = self._fill(self._random.choice(chosen) if isinstance(chosen, list) else chosen, facts)
        text = text.strip().replace("  ", " ")
        if is_male and self.language == "ru":
            text = _MALE_PATTERN.sub(lambda found: _MALE[found[0]], text)
        return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text[:1].upper() + text[1:]), line

    def _fill(self, text: str, facts: dict[str, Any]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in facts:
                return facts[name]
            return self._fill(self._random.choice(self._entries[name]), facts)

        return _SLOT.sub(value, text) if "<" in text else text

    def typed(self, text: str) -> str:
        """The same as a customer types it on a telephone."""
        random = self._random
        # no greeting was chosen, or one that ends in a comma: the sentence goes on in lower case
        text = re.sub(r", ([А-ЯЁӘҒҚҢӨҰҮҺІ])(?=[а-яёәғқңөұүһі])", lambda found: f", {found[1].lower()}", text, count=1)
        roll = random.random()
        if roll < 0.3:
            text = text[:1].lower() + text[1:]
        if random.random() < 0.5:
            text = text.rstrip(".")
        if random.random() < 0.12 and not text.endswith("?"):
            text = text.rstrip(".!") + random.choice(_EMOJI)
        if 0.3 < roll < 0.36:
            text = text.replace("?", "??", 1)
        return text


def money(amount: int, currency: str) -> str:
    """``7 990 ₽``."""
    return f"{amount:,}".replace(",", " ") + (" ₸" if currency == "KZT" else " ₽")
