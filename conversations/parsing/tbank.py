"""T-Bank's calls and transcripts.

Here: what a row means in our words. Not here: where a row holds what (``tbank_fields``), reading
(``resources.sources.tbank``). One row in, records or one reason code out: ``missing_field``, ``bad_time``,
``unknown_direction``, ``unknown_state``.

Choices that the vendor leaves open (contract, section 4):

- The telephony is one channel account of kind ``phone``; a customer is known by his number, and a conversation is
  everything with that number. His id is a hash of the number in normal form, which core holds keyed with the
  installation's secret (``conversations.keyed``): a plain one is as good as the number.
- A call of 0 seconds was answered by nobody, unless the account's fields name a truth value that says otherwise.
- A call among colleagues (a number of ours, an extension, a phone of the directory of operators) is a call of the
  conversation ``internal``, in a channel of that kind, without a message: it opens and answers no wait. A hidden number
  is nobody that could be rung back: its call has a conversation of its own without a customer and a message, too.
- A voice that is neither the operator's nor the client's is ``unknown``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conversations.imports.survey import key_of
from conversations.messages import CHANNEL_KINDS
from conversations.parsing.calls import message_of
from conversations.parsing.fields import Odd
from conversations.parsing.flags import HIDDEN_NUMBER, UNKNOWN_SPEAKER
from conversations.parsing.speakers import repaired
from conversations.parsing.tbank_fields import GROUP_KEY, TBankFields, found_at, instant_of
from conversations.policy_scoring import Telephony
from conversations.records import (
    Call,
    CallTranscript,
    Channel,
    Conversation,
    Customer,
    IdKind,
    Manager,
    Quarantined,
    Record,
)
from conversations.source import RawRecord

INTERNAL = "internal"
PHONE = "phone"
_UNKNOWN_CALLER = "call"
"""Before the segment's id: the conversation of a hidden number. No hash begins so."""
_NO_DIGIT = re.compile(r"[^0-9]")
_STATES = ("ready", "pending", "no_speech")


class TBankParser:
    """Understands both streams of ``TBankSource``.

    Args:
        time_zone: of the account: its times carry none.
        telephony: which numbers are ours.
        operator_phones: phones of the directory of operators, as people wrote them.
    """

    def __init__(
        self,
        time_zone: str = "Europe/Moscow",
        telephony: Telephony | None = None,
        operator_phones: Collection[str] = frozenset(),
        fields: TBankFields | None = None,
    ) -> None:
        self._zone = ZoneInfo(time_zone)
        self._telephony = telephony or Telephony()
        own = (*self._telephony.internal_numbers, *operator_phones)
        self._own = frozenset(number for number in map(normal_number, own) if number)
        self._fields = fields or TBankFields()
        self._parsers = {"calls": self._call, "transcripts": self._transcript}

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """A segment's is, so is a conversation that is known by a segment; one with a number is not."""
        if kind in ("customer", "conversation"):
            return kind == "conversation" and (local == INTERNAL or local.startswith(_UNKNOWN_CALLER))
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row of one stream.

        Raises:
            KeyError: a stream that the source does not have.
        """
        parse = self._parsers[stream]
        try:
            return list(parse(row))
        except Odd as odd:
            event_at = instant_of(found_at(row.payload, self._fields.started), self._zone)
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, event_at)]

    # calls ---------------------------------------------------------------------------------------------------------

    def _call(self, row: RawRecord) -> Iterator[Record]:
        item, connection, fields = row.payload, row.connection_id, self._fields
        started_at = self._instant(item, fields.started)
        direction = fields.direction_of(item)
        if started_at is None:
            raise Odd("bad_time")
        if direction is None:
            raise Odd("unknown_direction")
        number = normal_number(found_at(item, fields.client_phone))
        is_internal = number is not None and self._is_internal(number)
        kind = INTERNAL if is_internal else PHONE
        channel = Channel(f"{connection}:{kind}", connection, kind, CHANNEL_KINDS[kind], True)
        yield channel
        operator = self._operator(connection, item)
        if operator is not None:
            yield operator
        customer_id = None
        talk = INTERNAL if is_internal else f"{_UNKNOWN_CALLER}{row.external_id}"
        conversation_id = f"{connection}:{talk}"
        if number is not None and not is_internal:
            customer_id = conversation_id = f"{connection}:{key_of('phone', number)}"
            yield Customer(customer_id, connection, None, f"+{number}", None)
        yield Conversation(conversation_id, connection, channel.channel_id, customer_id, None, False, ())
        seconds, is_answered = fields.seconds(item), fields.is_answered(item)
        call = Call(
            call_id=f"{connection}:{row.external_id}",
            connection_id=connection,
            communication_id=_text(found_at(item, fields.communication_id)),
            conversation_id=conversation_id,
            message_id=row.external_id,
            channel_id=channel.channel_id,
            operator_id=operator.manager_id if operator else None,
            customer_id=customer_id,
            agent_group=_text(item.get(GROUP_KEY)),
            direction=direction,
            started_at=started_at,
            ended_at=self._ended(item, started_at, seconds),
            talk_seconds=seconds,
            is_answered=is_answered,
            is_internal=is_internal,
            flags=(HIDDEN_NUMBER,) if number is None else (),
            operator_login=_text(found_at(item, fields.operator_login)),
        )
        yield call
        if customer_id is not None:
            yield message_of(call)

    def _instant(self, item: Mapping[str, Any], paths: tuple[str, ...]) -> datetime | None:
        return instant_of(found_at(item, paths), self._zone)

    def _ended(self, item: Mapping[str, Any], started_at: datetime, seconds: int | None) -> datetime | None:
        """When it ended: as the vendor says, else by its length; never before it began."""
        said = self._instant(item, self._fields.ended)
        if said is not None and said >= started_at:
            return said
        return None if seconds is None else started_at + timedelta(seconds=seconds)

    def _is_internal(self, number: str) -> bool:
        return number in self._own or len(number) <= self._telephony.internal_number_digits

    def _operator(self, connection: str, item: Mapping[str, Any]) -> Manager | None:
        """Who spoke for us; ``None`` where the call reached nobody in particular."""
        fields = self._fields
        login = _text(found_at(item, fields.operator_login))
        known = _text(found_at(item, fields.operator_id)) or login
        if known is None:
            return None
        name = _text(found_at(item, fields.operator_name)) or login or known
        return Manager(f"{connection}:{known}", connection, name, None, True)

    # transcripts ---------------------------------------------------------------------------------------------------

    def _transcript(self, row: RawRecord) -> Iterator[Record]:
        payload, fields = row.payload, self._fields
        state = payload.get("state")
        if state not in _STATES:
            raise Odd("unknown_state")
        phrases, speakers, flags = None, "as_labelled", ()
        if state == "ready":
            said = payload.get("phrases")
            if not isinstance(said, list):
                raise Odd("missing_field")
            labelled = _in_order([self._phrase(one) for one in said if isinstance(one, dict) and fields.text_of(one)])
            direction = payload.get("direction")
            right, speakers = repaired(labelled, direction=direction if direction in ("in", "out") else None)
            if any(one["speaker"] == "unknown" for one in right):
                flags = (UNKNOWN_SPEAKER,)
            numbered = [{"n": n, **one} for n, one in enumerate(right)]
            phrases = json.dumps(numbered, ensure_ascii=False, separators=(",", ":"))
        yield CallTranscript(
            call_id=f"{row.connection_id}:{row.external_id}",
            connection_id=row.connection_id,
            state=state,
            phrases=phrases,
            language=_text(found_at(payload, fields.language)),
            speakers=speakers,
            flags=flags,
        )

    def _phrase(self, phrase: Mapping[str, Any]) -> dict[str, Any]:
        fields = self._fields
        voice = str(found_at(phrase, fields.phrase_channel) or "").strip().casefold()
        speaker = "manager" if voice in fields.operator else "customer" if voice in fields.client else "unknown"
        start, end = (_seconds(found_at(phrase, paths)) for paths in (fields.phrase_start, fields.phrase_end))
        return {"speaker": speaker, "text": fields.text_of(phrase), "start": start, "end": end}


def normal_number(said: Any) -> str | None:
    """A telephone number as digits with its country, whichever way it was dialled; ``None`` where there is none.

    >>> {normal_number(one) for one in ("+7 (701) 000-00-01", "87010000001", "7010000001", 77010000001)}
    {'77010000001'}
    >>> normal_number("104"), normal_number("anonymous"), normal_number(None)
    ('104', None, None)
    """
    if isinstance(said, bool) or not isinstance(said, int | str):
        return None
    text = str(said).strip()
    digits = _NO_DIGIT.sub("", text) if text.isascii() else ""
    if not digits:
        return None
    # Russia and Kazakhstan share the country 7 and dial 8 inside it
    if len(digits) == 11 and digits[0] == "8" and not text.startswith("+"):
        return "7" + digits[1:]
    return "7" + digits if len(digits) == 10 and digits[0] in "3479" and not text.startswith("+") else digits


def _in_order(phrases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As they were said: a recogniser may list one channel after the other. Where a time is missing, as they came."""
    if any(one["start"] is None for one in phrases):
        return phrases
    return sorted(phrases, key=lambda one: one["start"])


def _seconds(said: Any) -> float | None:
    """Seconds from the beginning of the call; ``None`` for what is no such number."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 10**6:
        return None
    return round(float(said), 3)


def _text(said: Any) -> str | None:
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said)
    return said.strip() or None if isinstance(said, str) else None
