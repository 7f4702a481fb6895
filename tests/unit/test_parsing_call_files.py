"""Recognised calls of files: who spoke, when, and that labels which are the wrong way round come out right."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.messages.names import REASONS
from conversations.parsing.call_files import CallFilesParser, call_analytics_rows, harper_valley_rows
from conversations.parsing.flags import DIRECTION_ASSUMED, MEANINGS
from conversations.records import (
    Call,
    CallTranscript,
    Channel,
    Conversation,
    Customer,
    Manager,
    Message,
    Quarantined,
)
from conversations.source import RawRecord
from resources.clients.errors import BadFile
from resources.sources.files import FileSource

FIXTURES = Path(__file__).parents[1] / "fixtures"
ANALYTICS = FIXTURES / "call_analytics_call.json"
HARPER = FIXTURES / "harper_valley" / "transcript" / "call.json"
NIGHT = datetime(2026, 3, 9, 3, 30, 0, 250000, tzinfo=UTC)
"""23:30 in New York on the day on which its clocks had gone forward."""
CALLED = datetime(2026, 1, 2, 10, tzinfo=UTC)


def parsed(path: Path, format_name: str) -> list[Any]:
    (page,) = FileSource(path, format_name).pages("calls", None, None)
    (row,) = page.rows
    return parse(row.external_id, dict(row.payload))


def parse(key: str, payload: dict[str, Any]) -> list[Any]:
    return list(CallFilesParser().parse("calls", RawRecord("call_files", key, payload, CALLED, None)))


def one(records: list[Any], kind: type) -> Any:
    (found,) = (record for record in records if isinstance(record, kind))
    return found


def said(records: list[Any]) -> list[tuple[Any, ...]]:
    phrases = json.loads(one(records, CallTranscript).phrases)
    return [(p["n"], p["speaker"], p["text"], p["start"], p["end"]) for p in phrases]


def test_a_call_of_the_analytics() -> None:
    records = parsed(ANALYTICS, "call-analytics")
    key = "call_files:invented_call_1.mp3"
    assert records[:4] == [
        Channel("call_files:phone", "call_files", "phone", "Телефон", False),
        Manager("call_files:agent", "call_files", "Agent", None, True),
        Customer(key, "call_files", None, None, None),
        Conversation(key, "call_files", "call_files:phone", key, None, False, ()),
    ]
    call = one(records, Call)
    assert (call.call_id, call.conversation_id, call.operator_id) == (key, key, "call_files:agent")
    assert (call.started_at, call.ended_at) == (NIGHT, NIGHT + timedelta(seconds=12.9))
    assert (call.direction, call.talk_seconds, call.is_answered, call.flags) == ("in", 12, True, (DIRECTION_ASSUMED,))
    message = one(records, Message)
    assert (message.sent_at, message.sender_kind, message.content_kind) == (NIGHT, "customer", "call")
    assert (message.call_answered, message.talk_seconds, message.manager_id) == (True, 12, "call_files:agent")
    assert (message.message_id, call.message_id) == ("invented_call_1.mp3", "invented_call_1.mp3")


def test_labels_that_are_the_wrong_way_round_come_out_right() -> None:
    records = parsed(ANALYTICS, "call-analytics")
    transcript = one(records, CallTranscript)
    assert (transcript.speakers, transcript.state, transcript.language) == ("swapped", "ready", "en-US")
    assert said(records) == [
        (0, "customer", "Hello?", 0.1, 0.4),
        (1, "manager", "Thank you for calling Pine Lamps, this is Vera.", 0.5, 3.25),
        (2, "customer", "Hi, my lamp came broken.", 3.5, 6.0),
        (3, "manager", "I am sorry to hear that. How can I help you?", 6.1, 9.75),
        (4, "customer", "Send me a new one, please.", 10.0, 12.5),
    ]


def test_a_call_of_the_corpus_with_what_lies_beside_it() -> None:
    records = parsed(HARPER, "harper-valley")
    assert one(records, Manager) == Manager("call_files:agent7", "call_files", "Vera", None, True)
    assert one(records, Customer).name == "Nora Pine"
    call = one(records, Call)
    assert (call.call_id, call.started_at, call.talk_seconds) == ("call_files:00aa", CALLED, 9)
    assert (call.direction, call.flags, one(records, CallTranscript).speakers) == ("in", (), "as_labelled")
    assert said(records) == [
        (0, "manager", "hello this is pine valley bank how can i help you", 1.5, 3.3),
        (1, "customer", "i lost my card", 4.0, 4.9),
        (2, "manager", "which card was it", 5.2, 6.5),
        (3, "customer", "debit", 7.0, 7.4),
        (4, "customer", "[noise]", 8.0, 8.3),
    ]


def test_without_the_file_beside_it_a_call_is_known_by_its_name(tmp_path: Path) -> None:
    alone = tmp_path / "transcript" / "77bb.json"
    alone.parent.mkdir()
    alone.write_bytes(HARPER.read_bytes())
    records = parsed(alone, "harper-valley")
    call = one(records, Call)
    assert (call.call_id, call.started_at, call.talk_seconds) == ("call_files:77bb", CALLED, 8)
    assert (one(records, Manager).name, one(records, Customer).name) == ("Agent", None)
    assert said(records) == said(parsed(HARPER, "harper-valley"))


def test_what_lies_beside_decides_whether_a_file_is_the_same(tmp_path: Path) -> None:
    """A page of a longer reading goes on only where both files are still those that it was read from."""
    folders = [tmp_path / "transcript", tmp_path / "metadata"]
    for folder in folders:
        folder.mkdir()
        (folder / "call.json").write_bytes((HARPER.parents[1] / folder.name / "call.json").read_bytes())
    source = FileSource(folders[0] / "call.json", "harper-valley")
    (folders[1] / "call.json").write_text("{", "utf-8")
    with pytest.raises(BadFile, match="is not JSON"):
        list(source.pages("calls", None, None))
    (folders[1] / "call.json").write_text("[]", "utf-8")
    with pytest.raises(BadFile, match="what lies in the folder metadata"):
        list(source.pages("calls", None, None))


DOCUMENT = json.loads(ANALYTICS.read_text("utf-8"))
SEGMENTS = json.loads(HARPER.read_text("utf-8"))


def changed(**values: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["ConversationAnalytics"] |= values
    return document


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"format": "fax"}, "unknown_format"),
        ({}, "unknown_format"),
        ({"format": "call-analytics"}, "missing_field"),
        ({"format": "call-analytics", "document": changed(ConversationTime=None)}, "bad_time"),
        ({"format": "call-analytics", "document": changed(ConversationLocation="Mars/Base")}, "bad_time"),
        ({"format": "call-analytics", "document": changed(ConversationLocation=None)}, "bad_time"),
        ({"format": "harper-valley", "transcript": [{"human_transcript": "x", "channel_index": 1}]}, "bad_time"),
    ],
)
def test_what_is_not_understood_is_quarantined(payload: dict[str, Any], reason: str) -> None:
    assert parse("1", payload) == [Quarantined("call_files", "calls", "1", reason, None)]
    assert reason in REASONS


def test_a_named_agent_is_one_person_in_every_call_and_its_time_may_have_a_zone() -> None:
    document = changed(Agent="Vera Pine", ConversationTime="2026-03-08T23:30:00+05:00", Duration="long")
    records = parse("1", {"format": "call-analytics", "document": document})
    again = parse("2", {"format": "call-analytics", "document": changed(Agent="vera  PINE")})
    assert one(records, Manager).manager_id == one(again, Manager).manager_id != "call_files:agent"
    assert one(records, Call).started_at == datetime(2026, 3, 8, 18, 30, tzinfo=UTC)
    assert (one(records, Call).ended_at, one(records, Call).talk_seconds) == (None, None)


def test_a_voice_that_nobody_named_is_nobodys_and_silence_is_no_speech() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["SpeechSegments"][0]["SegmentSpeaker"] = "spk_9"
    document["SpeechSegments"][2] |= {"SegmentStartTime": "soon", "OriginalText": None}
    records = parse("1", {"format": "call-analytics", "document": document})
    assert said(records)[0][1] == "unknown" and said(records)[2][2:4] == ("Hi, my lamp came broken.", None)
    assert one(records, CallTranscript).flags == ("unknown_speaker",)
    document["SpeechSegments"] = []
    silent = one(parse("1", {"format": "call-analytics", "document": document}), CallTranscript)
    assert (silent.state, silent.phrases) == ("no_speech", None)


@pytest.mark.parametrize(
    ("rows", "document", "says"),
    [
        (call_analytics_rows, [], "there is no ConversationAnalytics"),
        (call_analytics_rows, {"ConversationAnalytics": {}}, "there is no ConversationAnalytics"),
        (harper_valley_rows, {"document": {}, "name": "a", "beside": None}, "not a JSON array"),
        (harper_valley_rows, {"document": [], "name": "a", "beside": None}, "not a JSON array"),
        (harper_valley_rows, {"document": [*SEGMENTS, {}], "name": "a", "beside": None}, "segment 6 has no"),
    ],
)
def test_another_document_is_refused(rows: Any, document: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        list(rows(document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ODD = {name: JSON for name in DOCUMENT["ConversationAnalytics"]}


SPOKEN = ["SegmentSpeaker", "OriginalText", "SegmentStartTime", "SegmentEndTime"]


@given(st.fixed_dictionaries({}, optional=ODD), st.lists(st.dictionaries(st.sampled_from(SPOKEN), JSON), max_size=3))
def test_any_analytics_are_a_call_or_a_reason(values: dict[str, Any], segments: list[Any]) -> None:
    document = changed(**values) | {"SpeechSegments": segments}
    found = parse("1", {"format": "call-analytics", "document": document})
    assert isinstance(found[0], Channel | Quarantined)


FIELDS = ["channel_index", "human_transcript", "offset_ms", "duration_ms", "start_timestamp_ms"]


KNOWN = ["start_time_ms", "end_time_ms", "agent", "caller"]


@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=3), st.dictionaries(st.sampled_from(KNOWN), JSON)
)
def test_any_segments_are_a_call_or_a_reason(segments: list[Any], known: dict[str, Any]) -> None:
    found = parse("1", {"format": "harper-valley", "transcript": segments, "metadata": known})
    assert isinstance(found[0], Channel | Quarantined)


def test_the_flag_has_its_words() -> None:
    assert DIRECTION_ASSUMED in MEANINGS and DIRECTION_ASSUMED in REASONS
