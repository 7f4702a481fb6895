"""Recognised calls of files: ``call-analytics`` and ``harper-valley``, one raw row per call.

Here: what the files' fields mean. Not here: reading files (``resources.sources.files``). Origin of the shapes:

- ``call-analytics``: github.com/aws-samples/amazon-transcribe-post-call-analytics (2025, Apache-2.0): one object per
  call with ``ConversationAnalytics`` and ``SpeechSegments``. Its time has no zone of its own: ``ConversationLocation``
  names one. It does not say who called: the customer is assumed to have, and the call says so (``direction_assumed``).
- ``harper-valley``: github.com/cricketclub/gridspace-stanford-harper-valley (2020, Apache-2.0): a transcript, a list of
  segments, and beside it, in the folder ``metadata``, what is known of the call. Channel 1 is the caller, 2 the agent;
  the human transcript is taken. Without the file beside it the call is known by the name of its file, and its agent by
  nothing.

Nothing says who a caller is in another call: a customer and a conversation are known by the call alone. Labels that are
surely the wrong way round are put right (``speakers``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conversations.imports.survey import key_of
from conversations.messages.names import CHANNEL_KINDS
from conversations.parsing.calls import message_of
from conversations.parsing.fields import Odd, mapping, optional_text
from conversations.parsing.flags import DIRECTION_ASSUMED, UNKNOWN_SPEAKER
from conversations.parsing.speakers import repaired
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
from conversations.source import RawRecord, RawRow

STREAM = "calls"
CALL_ANALYTICS, HARPER_VALLEY = "call-analytics", "harper-valley"
_ROLES = {"agent": "manager", "customer": "customer"}
_CHANNELS = {"1": "customer", "2": "manager"}
_LONGEST_CALL = 7 * 86_400
"""Seconds; what is beyond is no offset within a call."""


def call_analytics_rows(document: Any) -> Iterator[RawRow]:
    """The one call of a file, keyed by its GUID, else the name of its transcription job, else its content.

    Raises:
        ValueError: the document is not of this format.
    """
    analytics = document.get("ConversationAnalytics") if isinstance(document, dict) else None
    if not isinstance(analytics, dict) or not isinstance(document.get("SpeechSegments"), list):
        raise ValueError("there is no ConversationAnalytics with SpeechSegments beside it")
    named = _told(analytics, "GUID") or optional_text(_job(analytics), "TranscriptionJobName")
    key = named or hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]
    yield RawRow(key, {"format": CALL_ANALYTICS, "document": document}, None, None)


def harper_valley_rows(document: Any) -> Iterator[RawRow]:
    """The one call of a transcript file, ``document`` with its ``name`` and what is ``beside`` it.

    Raises:
        ValueError: the document is not of this format.
    """
    transcript, beside = document["document"], document["beside"]
    if not isinstance(transcript, list) or not transcript:
        raise ValueError("the file is not a JSON array of segments")
    for number, segment in enumerate(transcript, 1):
        if not isinstance(segment, dict) or "human_transcript" not in segment or "channel_index" not in segment:
            raise ValueError(f"segment {number} has no human_transcript or no channel_index")
    if beside is not None and not isinstance(beside, dict):
        raise ValueError("what lies in the folder metadata is no object")
    name = optional_text(beside or {}, "sid") or document["name"]
    yield RawRow(name, {"format": HARPER_VALLEY, "transcript": transcript, "metadata": beside}, None, None)


class CallFilesParser:
    """One raw row is one call: its people, its place in a conversation, what was said."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """None: where nothing else names a call its file does, and files are called by numbers and names."""
        return False

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row; a call that cannot be understood is quarantined as a whole."""
        parse = {CALL_ANALYTICS: _call_analytics, HARPER_VALLEY: _harper_valley}.get(str(row.payload.get("format")))
        try:
            if parse is None:
                raise Odd("unknown_format")
            return list(parse(row))
        except Odd as odd:
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, None)]


def _call_analytics(row: RawRecord) -> Iterator[Record]:
    document = mapping(row.payload, "document")
    analytics = mapping(document, "ConversationAnalytics")
    started_at = _local_time(analytics)
    seconds = _seconds(_number(analytics.get("Duration")))
    sides = {
        str(one.get("Speaker")): _ROLES.get(str(one.get("DisplayText")).strip().casefold(), "unknown")
        for one in analytics.get("SpeakerLabels") or ()
        if isinstance(one, dict)
    }
    phrases = [
        {
            "speaker": sides.get(str(one.get("SegmentSpeaker")), "unknown"),
            "text": optional_text(one, "OriginalText") or optional_text(one, "DisplayText") or "",
            "start": _seconds(one.get("SegmentStartTime")),
            "end": _seconds(one.get("SegmentEndTime")),
        }
        for one in document.get("SpeechSegments") or ()
        if isinstance(one, dict)
    ]
    agent = _told(analytics, "Agent")
    yield from _records(
        row,
        started_at,
        None if seconds is None else started_at + timedelta(seconds=seconds),
        (key_of("agent", agent) if agent else "agent", agent or "Agent"),
        None,
        phrases,
        optional_text(analytics, "LanguageCode"),
        (DIRECTION_ASSUMED,),
    )


def _harper_valley(row: RawRecord) -> Iterator[Record]:
    segments = [one for one in row.payload.get("transcript") or () if isinstance(one, dict)]
    known = row.payload.get("metadata") or {}
    started_at, ended_at = _epoch(known.get("start_time_ms")), _epoch(known.get("end_time_ms"))
    phrases = []
    for one in segments:
        begin, length = _number(one.get("offset_ms")), _number(one.get("duration_ms"))
        end = None if begin is None or length is None else (begin + length) / 1000
        phrases.append(
            {
                "speaker": _CHANNELS.get(str(one.get("channel_index")), "unknown"),
                "text": optional_text(one, "human_transcript") or "",
                "start": _seconds(None if begin is None else begin / 1000),
                "end": _seconds(end),
            }
        )
        said_at = _epoch(one.get("start_timestamp_ms"))
        if started_at is None and said_at is not None and begin is not None:
            started_at = said_at - timedelta(milliseconds=begin)
    if started_at is None:
        raise Odd("bad_time")
    if ended_at is None:
        last = max((phrase["end"] for phrase in phrases if phrase["end"] is not None), default=None)
        ended_at = None if last is None else started_at + timedelta(seconds=last)
    agent, caller = (known.get(side) if isinstance(known.get(side), dict) else {} for side in ("agent", "caller"))
    speaker = agent.get("speaker_id")
    yield from _records(
        row,
        started_at,
        ended_at,
        (f"agent{speaker}" if isinstance(speaker, int) else "agent", _name(agent, "agent_name") or "Agent"),
        _name(caller, "first and last name"),
        phrases,
        "en-US",
        (),
        direction="in",
    )


def _records(
    row: RawRecord,
    started_at: datetime,
    ended_at: datetime | None,
    operator: tuple[str, str],
    customer: str | None,
    phrases: Sequence[Mapping[str, Any]],
    language: str | None,
    flags: tuple[str, ...],
    *,
    direction: str | None = None,
) -> Iterator[Record]:
    connection = row.connection_id
    # a file is no live channel: no week waits for its calls
    channel = Channel(f"{connection}:phone", connection, "phone", CHANNEL_KINDS["phone"], False)
    manager = Manager(f"{connection}:{operator[0]}", connection, operator[1], None, True)
    one = f"{connection}:{row.external_id}"
    call = Call(
        call_id=one,
        connection_id=connection,
        communication_id=None,
        conversation_id=one,
        message_id=row.external_id,
        channel_id=channel.channel_id,
        operator_id=manager.manager_id,
        customer_id=one,
        agent_group=None,
        direction="in",
        started_at=started_at,
        ended_at=ended_at,
        talk_seconds=None if ended_at is None else max(0, int((ended_at - started_at).total_seconds())),
        is_answered=True,
        is_internal=False,
        flags=flags,
        operator_login=None,
    )
    yield from (channel, manager, Customer(one, connection, customer, None, None))
    yield Conversation(one, connection, channel.channel_id, one, None, False, ())
    yield call
    yield message_of(call)
    spoken = [phrase for phrase in phrases if phrase["text"].strip()]
    right, speakers = repaired(spoken, direction="in" if direction == "in" else None)
    numbered = [{"n": n, **phrase} for n, phrase in enumerate(right)]
    yield CallTranscript(
        call_id=one,
        connection_id=connection,
        state="ready" if numbered else "no_speech",
        phrases=json.dumps(numbered, ensure_ascii=False, separators=(",", ":")) if numbered else None,
        language=language,
        speakers=speakers,
        flags=(UNKNOWN_SPEAKER,) if any(phrase["speaker"] == "unknown" for phrase in right) else (),
    )


def _told(analytics: Mapping[str, Any], field: str) -> str | None:
    """A text of the analytics, which writes ``"None"`` for what it does not know."""
    found = optional_text(analytics, field)
    return None if found == "None" else found


def _job(analytics: Mapping[str, Any]) -> Mapping[str, Any]:
    sources = analytics.get("SourceInformation")
    first = sources[0] if isinstance(sources, list) and sources and isinstance(sources[0], dict) else {}
    job = first.get("TranscribeJobInfo")
    return job if isinstance(job, dict) else {}


def _local_time(analytics: Mapping[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(str(analytics.get("ConversationTime")))
        zone = ZoneInfo(str(analytics.get("ConversationLocation"))) if found.tzinfo is None else found.tzinfo
        return found.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError):
        raise Odd("bad_time") from None


def _epoch(value: Any) -> datetime | None:
    """An instant of milliseconds since 1970; ``None`` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**13:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value)


def _number(value: Any) -> float | None:
    try:
        found = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and 0 <= found < 1000 * _LONGEST_CALL else None


def _seconds(value: Any) -> float | None:
    found = _number(value)
    return None if found is None or found > _LONGEST_CALL else round(found, 3)


def _name(side: Mapping[str, Any], field: str) -> str | None:
    known = side.get("metadata")
    return optional_text(known, field) if isinstance(known, dict) else None
