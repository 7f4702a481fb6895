"""From the messages of a session to what is said in them: the lexicons' look-up, and nothing more.

Here: which messages have words that rules may read, the intents of each. Not here: finding intents in a text
(``conversations.lexicon``), what follows from them (``conversations.behaviour``).

Reading is what costs, so it is done once for each session that has ended with a human reply, managers are read only
where the customer showed a wish to buy, and what is written again and again is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from conversations.behaviour import TALK_SECONDS, Said, has_intent
from conversations.lexicon import PURCHASE_INTENTS, Hit, Side
from conversations.timeline import TimedMessage

_PURCHASE = frozenset(PURCHASE_INTENTS)
_OF_A_LINK = frozenset(("offer", "next_step"))
"""A link to pay is an offer, and the next step (contract, section 5)."""
_NOTHING: frozenset[str] = frozenset()
_REMEMBERED = 50_000
_SHORT = 120
"""Characters up to which a text is worth remembering: greetings, thanks, sizes, ready-made answers."""


class Reader(Protocol):
    """What finds intents; ``conversations.lexicon.Lexicon`` is one."""

    hash: str

    def find(self, text: str | None, side: Side) -> tuple[Hit, ...]:
        """All evidence in one message, in the order of the text."""
        ...


class Words:
    """Reads sessions by one reader; keep it for the whole run, it remembers texts."""

    def __init__(self, reader: Reader) -> None:
        self.hash = reader.hash
        self._reader = reader
        self._known: dict[Side, dict[str, frozenset[str]]] = {"customer": {}, "manager": {}}

    def said(self, messages: Sequence[TimedMessage]) -> list[Said]:
        """What was said in a session, in its order; nothing, where no person answered.

        Args:
            messages: the public messages of customers and managers that count: none that failed or was deleted at once.
        """
        if not any(map(_answers, messages)):
            return []
        heard = [(message, self._of_customer(message)) for message in messages if not _is_unheard(message)]
        is_read = has_intent([one for _, one in heard])
        return [self._of_manager(message) if is_read and one.side == "manager" else one for message, one in heard]

    def intents(self, text: str | None, side: Side) -> frozenset[str]:
        """The intents of a text. Of a refusal that is followed by a new wish in the same message, the wish alone."""
        if not text:
            return _NOTHING
        if len(text) > _SHORT:
            return self._read(text, side)
        known = self._known[side]
        found = known.get(text)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[text] = self._read(text, side)
        return found

    def _read(self, text: str, side: Side) -> frozenset[str]:
        hits = self._reader.find(text, side)
        if not hits:
            return _NOTHING
        found = frozenset([hit.intent for hit in hits])
        if side == "customer" and "refusal" in found:
            refused_to = max(hit.end for hit in hits if hit.intent == "refusal")
            if any(hit.start >= refused_to and hit.intent in _PURCHASE for hit in hits):
                return found - {"refusal"}
        return found

    def _of_customer(self, message: TimedMessage) -> Said:
        """With its intents, if it is the customer's."""
        if message.content_kind == "call":
            is_talk = message.talk_seconds is None or message.talk_seconds >= TALK_SECONDS
            return Said(message.message_id, "manager", _NOTHING, message.manager_id, True, is_talk)
        if message.sender_kind == "manager":
            return Said(message.message_id, "manager", _NOTHING, message.manager_id)
        is_read = message.deleted_at is None
        return Said(message.message_id, "customer", self.intents(message.text, "customer") if is_read else _NOTHING)

    def _of_manager(self, message: TimedMessage) -> Said:
        said = self._of_customer(message)
        if said.is_call or message.deleted_at is not None:
            return said
        found = self.intents(message.text, "manager")
        if message.content_kind == "payment_link":
            found |= _OF_A_LINK
        return said._replace(intents=found)


def _answers(message: TimedMessage) -> bool:
    if message.content_kind == "call":
        return message.call_answered is True
    return message.sender_kind == "manager"


def _is_unheard(message: TimedMessage) -> bool:
    return message.content_kind == "call" and message.call_answered is not True
