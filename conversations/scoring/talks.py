"""Talks out of what is stored: the phrases of a call, the messages of a session.

Here: who counts as whom, what has no words. Not here: reading tables (``resources.scoring``), whether the talk can be
judged (``suitable``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, Protocol

from conversations.scoring.shapes import Phrase, Speaker, Talk

_SPEAKERS: Final[dict[str, Speaker]] = {"manager": "manager", "customer": "customer", "bot": "bot"}
_IN_CHATS: Final[dict[str, Speaker]] = {
    "manager": "manager",
    "customer": "customer",
    "bot": "bot",
    "autoreply": "bot",
    "campaign": "bot",
}
"""Notes and the system's lines are not said to anybody and are left out."""


class Spoken(Protocol):
    """What of a message is needed; a ``conversations.records.Message`` has it."""

    @property
    def message_id(self) -> str: ...
    @property
    def sender_kind(self) -> str: ...
    @property
    def text(self) -> str | None: ...


def talk_of_call(phrases: str | None, on: date | None = None) -> Talk:
    """The talk of a call.

    Args:
        phrases: ``core.call_transcripts.phrases``: JSON array of ``{"n", "speaker", "text", "start", "end"}``; nothing
            is a talk without phrases. A phrase without a word is left out, a speaker beyond the known ones is
            ``unknown``, the numbers stay.
        on: local day of the call: dates that people name are understood from it.

    Raises:
        ValueError: the text is not such an array.
    """
    try:
        rows = json.loads(phrases) if phrases else []
    except (ValueError, RecursionError):
        # the original error would hold a piece of the talk
        raise ValueError("the phrases of a call must be a JSON array") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the phrases of a call must be a JSON array of objects")
    found = []
    for place, row in enumerate(rows):
        text = row.get("text")
        if isinstance(text, str) and text.strip():
            speaker = _SPEAKERS.get(str(row.get("speaker")), "unknown")
            ref = str(row.get("n", place))
            found.append(Phrase(ref, speaker, text, _seconds(row.get("start")), _seconds(row.get("end"))))
    return Talk("call", tuple(found), on)


def talk_of_session(rows: Iterable[Spoken], on: date | None = None) -> Talk:
    """The talk of a session of a chat.

    Args:
        rows: its public messages in the contract's order, without failed ones and what was deleted. Calls, stickers and
            pictures without words are left out, and so are notes and the system's lines.
        on: local day on which the session ended.
    """
    found = []
    for row in rows:
        speaker = _IN_CHATS.get(row.sender_kind)
        if speaker is not None and row.text and row.text.strip():
            found.append(Phrase(row.message_id, speaker, row.text))
    return Talk("session", tuple(found), on)


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
