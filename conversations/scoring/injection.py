"""Orders to the judge inside a talk: somebody tells the model what to answer.

Here: whether a talk holds one. It changes no mark by itself; a scorecard is flagged, and one claim without proof then
leaves it without a score (``scorecard``). Not here: the words (``conversations/lexicon/speech/order_to_judge.yaml``).

Looked for are orders about marks and instructions in Russian, Kazakh and English, whoever says them and whichever way
they are typed, and signs that no talk has: roles of a chat, JSON with marks, our own frame around a talk. A text of
one phrase is read as a whole, neighbouring phrases of one speaker too: recognised speech is cut anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conversations.lexicon import Lexicon
from conversations.scoring.shapes import Talk

_ORDER = "order_to_judge"
_MOST = 200_000
"""Characters of a talk that are read; a longer one is flagged as cut, and no model sees its end."""
_SIGNS = re.compile(
    r"(?xi)"
    r" < \s{0,4} / ? \s{0,4} (?: system | assistant | user | instructions? ) \s{0,4} >"
    r" | < \| [^|]{1,40} \| >"
    r" | \[ / ? \s{0,4} (?: INST | SYS ) \s{0,4} \]"
    r" | [\"'«“]? \b (?: score | is_suitable | criteria ) [\"'»”] \s{0,4} : "
    r" | \#{2,6} \s{0,4} (?: system | instructions? | инструкци | систем )"
    r" | (?: НАЧАЛО | КОНЕЦ ) \s{1,4} ЗАПИСИ \s{1,4} (?: [0-9a-f]{6} | = )"
    r" | ^ \s{0,4} (?: system | система ) \s{0,4} : "
)
_OF_SIGNS = re.compile(r"[<\[:#=]")
_OF_OUR_FRAME = re.compile(r"[0-9a-fA-F]{6}")
"""Without any of both no sign is there: most talks have none, and a look for these costs a tenth."""


def is_suspected(talk: Talk) -> bool:
    """Whether anybody in the talk gives the judge an order."""
    speech = Lexicon.speech()
    read = _read(talk)
    may_hold_signs = _may_hold_signs(" ".join([text for _, text in read]))
    for text in _texts(read):
        if may_hold_signs and _may_hold_signs(text) and _SIGNS.search(text):
            return True
        if not speech.is_silent(text, "customer") and speech.reading(text, "customer").says(_ORDER):
            return True
    return False


def _may_hold_signs(text: str) -> bool:
    return bool(_OF_SIGNS.search(text) or _OF_OUR_FRAME.search(text))


def _read(talk: Talk) -> list[tuple[str, str]]:
    """Speakers and texts, as far as they are read."""
    read = []
    length = 0
    for phrase in talk.phrases:
        if length >= _MOST:
            break
        text = phrase.text[: _MOST - length]
        length += len(text)
        read.append((phrase.speaker, text))
    return read


def _texts(read: Sequence[tuple[str, str]]) -> Iterator[str]:
    said: list[str] = []
    last = None
    for speaker, text in read:
        if speaker != last and said:
            if len(said) > 1:
                yield " ".join(said)
            said = []
        last = speaker
        said.append(text)
        yield text
    if len(said) > 1:
        yield " ".join(said)
