"""What a customer's words alone say: a closing remark that needs no answer, a wish to speak to a person.

Here: rules on one text (contract, section 1.1 and ruling 15). Not here: what stood before the message in the chat
(``conversations.walk``), which words count (``conversations.policy``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

CLOSING_LENGTH = 25
"""Longest raw text, in characters, that can still be a mere closing remark."""

# joiners, variation selectors and skin tones change how an emoji looks, not what it says
_DECORATION = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_REMEMBERED = 10_000


def tokens(text: str) -> tuple[str, ...]:
    """Words and emoji of a text: lower case, ё as е, without punctuation and skin tones.

    >>> tokens("Спасибо, всё понятно 👍🏽!")
    ('спасибо', 'все', 'понятно', '👍')
    """
    found: list[str] = []
    word: list[str] = []
    for character in _plain(text):
        category = unicodedata.category(character)[0]
        if category in "LNM":
            word.append(character)
            continue
        if word:
            found.append("".join(word))
            word = []
        if category == "S":
            found.append(character)
    if word:
        found.append("".join(word))
    return tuple(found)


class ClosingRule:
    """Knows the closing list of an organisation.

    >>> rule = ClosingRule(["спасибо", "ок", "👍"])
    >>> [rule.closes("text", text) for text in ("Спасибо!", "ок 👍", "спасибо, а цена?", "ок 5", ")))")]
    [True, True, False, False, False]
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(token for word in words for token in tokens(word))
        self._known: dict[str, bool] = {}

    def closes(self, content_kind: str, text: str | None) -> bool:
        """Is this a closing remark by its form? Pictures, cards and links never are, stickers are."""
        if content_kind == "text":
            if text is None or len(text) > CLOSING_LENGTH:
                return False
            known = self._known.get(text)
            if known is None:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                known = self._known[text] = self._says_only_goodbye(text)
            return known
        if content_kind == "sticker":
            return not text or (len(text) <= CLOSING_LENGTH and not _asks_or_counts(text))
        return False

    def _says_only_goodbye(self, text: str) -> bool:
        if _asks_or_counts(text):
            return False
        said = tokens(text)
        return bool(said) and all(token in self._words for token in said)


class HumanRequestRule:
    """Knows the phrases by which a customer asks a bot for a person.

    A phrase is a row of words that must occur in this order, other words between them allowed; ``*`` at the end of a
    word stands for any ending; ``=`` before the phrase means that nothing else may be said.

    >>> rule = HumanRequestRule(["позов* оператор*", "=оператор"])
    >>> [rule.asks(text) for text in ("Позовите, пожалуйста, оператора", "Оператор!", "какой оператор доставки?")]
    [True, True, False]
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        phrases = list(phrases)
        self._pattern = re.compile("|".join(map(_phrase_pattern, phrases))) if phrases else None
        # one word of each phrase: nearly all texts have none of them and need not be cut into tokens
        self._hints = tuple({max(map(_stem, phrase.split()), key=len) for phrase in phrases})

    def asks(self, text: str | None) -> bool:
        """Does the customer ask for a person?"""
        if self._pattern is None or not text:
            return False
        plain = _plain(text)
        if not any(hint in plain for hint in self._hints):
            return False
        return self._pattern.search(" ".join(("", *tokens(text), ""))) is not None


def _plain(text: str) -> str:
    return _DECORATION.sub("", unicodedata.normalize("NFC", text.lower())).replace("ё", "е")


def _stem(word: str) -> str:
    return " ".join(tokens(word.strip("=*")))


def _asks_or_counts(text: str) -> bool:
    return "?" in text or "？" in text or any(character.isdigit() for character in text)


def _phrase_pattern(phrase: str) -> str:
    whole = phrase.startswith("=")
    words = []
    for part in phrase.removeprefix("=").split():
        words.append(f" {re.escape(_stem(part))}" + (r"\w*" if part.endswith("*") else ""))
    if not words or any(word in (" ", r" \w*") for word in words):
        raise ValueError(f"{phrase!r} is no phrase: write words, with * for any ending")
    if whole:
        return "^" + "".join(words) + " $"
    return r"(?: \S+)*?".join(words) + "(?= )"
