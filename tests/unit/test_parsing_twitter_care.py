"""The twitter-care format: its quirks in a small invented file of the same shape, and the file source around it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.parsing.flags import MEANINGS, OUT_OF_WAITS
from conversations.parsing.formats import FORMATS
from conversations.parsing.twitter_care import TwitterCareParser, reply_delay
from conversations.records import Channel, Conversation, Customer, Manager, Message, Quarantined, Record
from conversations.source import RawRecord
from resources.clients.errors import BadFile
from resources.sources.files import FileSource

FIXTURES = Path(__file__).parent.parent / "fixtures"
FILE = FIXTURES / "twitter_care_conversations.json"
DOCUMENT = {item["dialogHeader"]["sessionID"]: item for item in json.loads(FILE.read_text("utf-8"))}


def parse(payload: dict[str, Any], session: str = "plain") -> list[Record | Quarantined]:
    row = RawRecord("twitter_care", session, payload, datetime(2026, 3, 9, tzinfo=UTC), None)
    return list(TwitterCareParser().parse("conversations", row))


def of_kind(records: list[Any], kind: type) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


def shown(session: str) -> tuple[Conversation, list[tuple[Any, ...]]]:
    records = parse(DOCUMENT[session], session)
    (conversation,) = of_kind(records, Conversation)
    messages = [
        (one.source_seq, one.message_id, one.sender_kind, one.sent_at and f"{one.sent_at:%d %H:%M}", one.flags)
        for one in of_kind(records, Message)
    ]
    return conversation, messages


def test_a_plain_conversation() -> None:
    records = parse(DOCUMENT["plain"])
    assert records[:4] == [
        Channel("twitter_care:TeplyCare", "twitter_care", "twitter", "TeplyCare", True),
        Manager("twitter_care:TeplyCare", "twitter_care", "TeplyCare", None, True),
        Customer("twitter_care:zima", "twitter_care", "zima", None, None),
        Conversation(
            "twitter_care:plain",
            "twitter_care",
            "twitter_care:TeplyCare",
            "twitter_care:zima",
            datetime(2020, 4, 1, 9, tzinfo=UTC),
            False,
            (),
        ),
    ]
    asked, answered = of_kind(records, Message)
    assert (asked.direction, asked.customer_id, asked.manager_id) == ("in", "twitter_care:zima", None)
    assert (answered.direction, answered.customer_id, answered.manager_id) == ("out", None, "twitter_care:TeplyCare")
    assert (answered.sent_at - asked.sent_at).total_seconds() == 3600


def test_an_earlier_reply_of_the_agent_is_the_first_one() -> None:
    assert shown("agent_inside")[1] == [
        (1, "201", "customer", "02 09:00", ()),
        (2, "202", "manager", "02 09:10", ()),
        (3, "203", "customer", "02 09:30", ()),
        (4, "204", "manager", "02 12:00", ()),
    ]


def test_a_reply_before_its_question_makes_the_conversation_untimed_and_is_kept() -> None:
    conversation, messages = shown("negative_reply_time")
    assert (conversation.is_untimed, conversation.flags) == (True, ("negative_reply_time",))
    assert messages == [
        (1, "301", "customer", "03 22:00", ()),
        (2, "302", "manager", None, ("negative_reply_time",)),
    ]


def test_a_second_customer_is_flagged_and_somebody_else() -> None:
    conversation, messages = shown("second_customer")
    assert (conversation.is_untimed, conversation.flags) == (False, ("second_customer",))
    assert conversation.customer_id == "twitter_care:osen"
    assert messages == [
        (1, "401", "customer", "04 10:00", ()),
        (2, "402", "customer", "04 11:00", ("second_customer",)),
        (3, "403", "manager", "04 12:00", ()),
    ]
    second = of_kind(parse(DOCUMENT["second_customer"]), Message)[1]
    assert second.customer_id == "twitter_care:passerby"
    assert set(second.flags) <= OUT_OF_WAITS <= set(MEANINGS)


def test_a_final_reply_that_seems_to_precede_is_kept_as_dated_and_last_in_order() -> None:
    conversation, messages = shown("reply_before_last_message")
    assert (conversation.is_untimed, conversation.flags) == (False, ())
    assert messages[-1] == (4, "504", "manager", "05 11:00", ("reply_before_last_message",))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("01:26:55.0", 5215), ("00:00:38.0", 38), ("-12:14:20.", -44060), ("23:59:59", 86399), ("-00:58:45.", -3525)],
)
def test_durations(text: str, seconds: int) -> None:
    assert reply_delay(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "1 day, 00:00:01", "00:60:00", "12:00", "+01:00:00", "ab:cd:ef"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        reply_delay(text)


def _changed(**changes: Any) -> dict[str, Any]:
    payload = json.loads(json.dumps(DOCUMENT["plain"]))
    for path, value in changes.items():
        *parents, field = path.split("__")
        target = payload
        for parent in parents:
            target = target[int(parent) if parent.isdigit() else parent]
        target[field] = value
    return payload


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "missing_field"),
        (_changed(dialogContent=[]), "no_messages"),
        (_changed(dialogContent=["hi"]), "bad_message"),
        (_changed(dialogContent=[{"client9": "x", "datetime": "2020-04-01T09:00:00Z"}]), "unmapped_sender"),
        (_changed(dialogContent__0__datetime="yesterday"), "bad_time"),
        (_changed(dialogContent__0__datetime="2020-04-01T09:00:00"), "bad_time"),
        (_changed(dialogHeader__conversationDateTime=None), "bad_time"),
        (_changed(dialogHeader__duration="1 day"), "bad_duration"),
        (_changed(dialogHeader__company=""), "missing_field"),
        (_changed(agentURL__url_utterance=None), "missing_field"),
    ],
)
def test_what_is_not_understood_is_quarantined_as_a_whole(payload: dict[str, Any], reason: str) -> None:
    assert parse(payload) == [Quarantined("twitter_care", "conversations", "plain", reason, None)]


def test_the_format_is_registered_with_its_fixture() -> None:
    for format in FORMATS.values():
        assert (FIXTURES / format.fixture).is_file()
        assert format.title and format.shape


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON (line 1, column 1)"),
        (b'[{"dialogHeader": ', "is not JSON"),
        (b'[{"dialogHeader": NaN}]', "holds NaN"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"{}", "the file is not a JSON array"),
        (b'[{"dialogHeader": {"sessionID": "a"}}, {"text": "+77011234567"}]', "conversation 2 has no"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" + b"7" * 5_000 + b"]", "a number that is too long"),
    ],
)
def test_an_unusable_file_is_one_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "week.json"
    path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        list(FileSource(path, "twitter-care", "import").pages("conversations", None, None))
    assert str(caught.value).startswith("import: the file week.json ")
    assert says in str(caught.value)
    assert "77011234567" not in str(caught.value)


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"no\.json does not exist\. Check the path"):
        list(FileSource(tmp_path / "no.json", "twitter-care").pages("conversations", None, None))
    with pytest.raises(BadFile, match="a file that you may read"):
        list(FileSource(tmp_path, "twitter-care").pages("conversations", None, None))
    with pytest.raises(BadFile, match=r"Known formats: abcd, .*twitter-care"):
        FileSource(FILE, "excel")


def test_a_file_that_changed_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    path.write_bytes(FILE.read_bytes())
    source = FileSource(path, "twitter-care", page_size=2)
    first = next(iter(source.pages("conversations", None, None)))
    assert [row.external_id for row in first.rows] == ["plain", "agent_inside"]
    rest = [row.external_id for page in source.pages("conversations", None, first.cursor) for row in page.rows]
    assert len(rest) == 3
    path.write_text(json.dumps([DOCUMENT["plain"]]), "utf-8")
    again = [row.external_id for page in source.pages("conversations", None, first.cursor) for row in page.rows]
    assert again == ["plain"]
