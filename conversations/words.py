"""From the messages of a session to what is said in them: the lexicons' look-up, and nothing more.

Here: which messages have words that rules may read, the intents of each. Not here: finding intents in a text
(``conversations.lexicon``), what follows from them (``conversations.behaviour``).

Reading is what costs, so it is done once for each session that has ended with a human reply, managers are read only
where the customer showed a wish to buy, and what is written again and again is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from conversations.behaviour import TALK_SECONDS, Said
from conversations.lexicon import PURCHASE_INTENTS, Place, Side
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

    def places(self, text: str | None, side: Side) -> Sequence[Place]:
        """Intents of a message, each with its first and last word."""
        ...


class Words:
    """Reads sessions by one reader; keep it for the whole run, it remembers texts."""

    def __init__(self, reader: Reader) -> None:
        self.hash = reader.hash
        self._reader = reader
        self._known: dict[Side, dict[str, frozenset[str]]] = {"customer": {}, "manager": {}}

    def said(self, messages: Sequence[TimedMessage]) -> list[Said]:
        """What was said in a session, in its order.

        Nothing, where no person answered; where the customer wished nothing, only the answers: nothing else of what was
        said matters then (``conversations.behaviour``).

        Args:
            messages: the public messages of customers and managers that count: none that failed or was deleted at once.
        """
        if not any([message.sender_kind == "manager" or message.call_answered for message in messages]):
            return []
        said: list[Said] = []
        answers: list[Said] = []
        written: list[tuple[int, TimedMessage]] = []
        wishes = False
        for message in messages:
            if message.content_kind == "call":
                if message.call_answered is True:
                    is_talk = message.talk_seconds is None or message.talk_seconds >= TALK_SECONDS
                    answers.append(Said(message.message_id, "manager", _NOTHING, message.manager_id, True, is_talk))
                    said.append(answers[-1])
            elif message.sender_kind == "manager":
                answers.append(Said(message.message_id, "manager", _NOTHING, message.manager_id))
                written.append((len(said), message))
                said.append(answers[-1])
            else:
                found = self.intents(message.text, "customer") if message.deleted_at is None else _NOTHING
                wishes = wishes or not _PURCHASE.isdisjoint(found)
                said.append(Said(message.message_id, "customer", found))
        if not answers or not wishes:
            return answers
        for place, message in written:
            said[place] = said[place]._replace(intents=self._of_manager(message))
        return said

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
        places = self._reader.places(text, side)
        if not places:
            return _NOTHING
        found = frozenset([intent for intent, _, _ in places])
        if "refusal" in found:
            refused_to = max(last for intent, _, last in places if intent == "refusal")
            if any(first > refused_to and intent in _PURCHASE for intent, first, _ in places):
                return found - {"refusal"}
        return found

    def _of_manager(self, message: TimedMessage) -> frozenset[str]:
        if message.deleted_at is not None:
            return _NOTHING
        found = self.intents(message.text, "manager")
        return found | _OF_A_LINK if message.content_kind == "payment_link" else found
