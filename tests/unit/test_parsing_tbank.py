"""T-Bank's payloads in our words: people, conversations, calls among colleagues, what a transcript holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.parsing.tbank import TBankParser, normal_number
from conversations.parsing.tbank_fields import BadFields, TBankFields, fields_of
from conversations.policy_scoring import Telephony
from conversations.records import Call, CallTranscript, Channel, Conversation, Customer, Manager, Message, Quarantined
from conversations.source import RawRecord

WHEN = datetime(2026, 3, 9, tzinfo=UTC)
ITEM = {
    "segmentId": 880015,
    "startDate": "2026-03-02T10:00:05",
    "endDate": "2026-03-02T10:04:41",
    "duration": 276,
    "operatorUserId": 314,
    "operatorUserLogin": "operator1",
    "operatorUserFullName": "Оператор 1",
    "callDirection": "outbound",
    "clientPhoneNumber": "+77010000001",
    "otklik_group": "Торговые представители",
}
"""The item of the contract, section 4, and the group in whose list it was."""


def parsed(parser: TBankParser | None = None, stream: str = "calls", **changes: Any) -> dict[type, Any]:
    """The records of the item with changes, one per kind."""
    payload = {name: value for name, value in {**ITEM, **changes}.items() if value is not ...}
    row = RawRecord("tel", str(payload.get("segmentId", "x")), payload, WHEN, None)
    found = list((parser or TBankParser()).parse(stream, row))
    assert len({type(one) for one in found}) == len(found)
    return {type(one): one for one in found}


# ---- calls ----------------------------------------------------------------------------------------------------------


def test_a_call_of_the_contract() -> None:
    found = parsed()
    call, customer = found[Call], found[Customer]
    assert set(found) == {Channel, Manager, Customer, Conversation, Call, Message}
    assert found[Channel] == Channel("tel:phone", "tel", "phone", "Телефон", True)
    assert found[Manager] == Manager("tel:314", "tel", "Оператор 1", None, True)
    assert customer.phone == "+77010000001" and "701" not in customer.customer_id
    assert found[Conversation][:4] == (customer.customer_id, "tel", "tel:phone", customer.customer_id)
    assert call == Call(
        "tel:880015",
        "tel",
        None,
        customer.customer_id,
        "880015",
        "tel:phone",
        "tel:314",
        customer.customer_id,
        "Торговые представители",
        "out",
        datetime(2026, 3, 2, 7, 0, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 7, 4, 41, tzinfo=UTC),
        276,
        True,
        False,
        (),
        "operator1",
    )
    message = found[Message]
    assert (message.conversation_id, message.message_id, message.sent_at) == call[3:5] + call[10:11]
    assert (message.direction, message.sender_kind, message.manager_id, message.customer_id) == (
        "out", "manager", "tel:314", None,
    )  # fmt: skip
    assert (message.content_kind, message.call_answered, message.talk_seconds, message.text) == (
        "call", True, 276, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "seconds", "sides"),
    [
        # who called, how long: direction, sender, manager, is it answered, does the message name a customer
        ("inbound", 40, ("in", "customer", "tel:314", True, True)),
        ("inbound", 0, ("in", "customer", None, False, True)),
        ("outbound", 40, ("out", "manager", "tel:314", True, False)),
        ("outbound", 0, ("out", "manager", "tel:314", False, False)),
        ("inbound", None, ("in", "customer", None, None, True)),
    ],
)
def test_who_speaks_to_whom(direction: str, seconds: int | None, sides: tuple[Any, ...]) -> None:
    message = parsed(callDirection=direction, duration=seconds)[Message]
    assert sides == (
        message.direction,
        message.sender_kind,
        message.manager_id,
        message.call_answered,
        message.customer_id is not None,
    )


def test_one_number_is_one_customer_however_it_was_dialled() -> None:
    spellings = ["+7 (701) 000-00-01", "87010000001", "77010000001", 77010000001, "7010000001", " +77010000001 "]
    assert {parsed(clientPhoneNumber=one)[Customer].customer_id for one in spellings} == {
        parsed()[Customer].customer_id
    }
    assert parsed(clientPhoneNumber="+77010000002")[Customer] != parsed()[Customer]
    assert [normal_number(one) for one in ("", "  ", "anonymous", "٧٠١", None, True, 5.5)] == [None] * 7
    # abroad: a leading 8 is no prefix of ours, ten digits are whole
    assert [normal_number(one) for one in ("+82105551234", "+4930123456")] == ["82105551234", "4930123456"]


def test_a_call_among_colleagues_touches_no_customer() -> None:
    parser = TBankParser(
        telephony=Telephony(internal_numbers=("8 495 000-00-00",), internal_number_digits=4),
        operator_phones={"+7 (000) 000-00-07", "нет"},
    )
    for number in ("+74950000000", "80000000007", "1042", 17):
        found = parsed(parser, clientPhoneNumber=number)
        assert set(found) == {Channel, Manager, Conversation, Call}
        assert found[Call].is_internal and found[Call].customer_id is None
        assert (found[Channel].channel_id, found[Call].conversation_id) == ("tel:internal", "tel:internal")
        assert found[Conversation].customer_id is None
    for number in ("10423", "+74950000001"):
        assert not parsed(parser, clientPhoneNumber=number)[Call].is_internal
    assert parsed(clientPhoneNumber="10423")[Call].is_internal


@pytest.mark.parametrize("number", [None, "", "anonymous", ...])
def test_a_hidden_number_is_nobody_who_waits(number: Any) -> None:
    found = parsed(clientPhoneNumber=number, callDirection="inbound", duration=0)
    assert set(found) == {Channel, Manager, Conversation, Call}
    assert found[Call].flags == ("hidden_number",) and not found[Call].is_internal
    assert found[Call].conversation_id == "tel:call880015"


def test_an_operator_is_known_by_what_there_is() -> None:
    assert parsed(operatorUserId=None)[Manager] == Manager("tel:operator1", "tel", "Оператор 1", None, True)
    assert parsed(operatorUserFullName="")[Manager].name == "operator1"
    nobody = parsed(operatorUserId=None, operatorUserLogin=None, operatorUserFullName=None)
    assert Manager not in nobody and nobody[Call].operator_id is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"startDate": "вчера"}, "bad_time"),
        ({"startDate": ...}, "bad_time"),
        ({"startDate": 20260302}, "bad_time"),
        ({"callDirection": "robot"}, "unknown_direction"),
        ({"callDirection": ...}, "unknown_direction"),
    ],
)
def test_what_nobody_documented_is_set_aside_by_its_reason(changes: dict[str, Any], reason: str) -> None:
    (quarantined,) = parsed(**changes).values()
    at = None if reason == "bad_time" else datetime(2026, 3, 2, 7, 0, 5, tzinfo=UTC)
    assert quarantined == Quarantined("tel", "calls", "880015", reason, at)


def test_odd_lengths_and_ends_are_not_guessed() -> None:
    for said in (-5, "276", True, 10**9):
        call = parsed(duration=said)[Call]
        assert (call.talk_seconds, call.is_answered) == (None, None)
    assert parsed(endDate="2026-03-02T09:00:00")[Call].ended_at == datetime(2026, 3, 2, 7, 4, 41, tzinfo=UTC)
    assert parsed(endDate=None, duration=None)[Call].ended_at is None
    assert parsed(startDate="2026-03-02T10:00:05+05:00")[Call].started_at.hour == 5
    almaty = TBankParser("Asia/Almaty")
    assert parsed(almaty)[Call].started_at == datetime(2026, 3, 2, 5, 0, 5, tzinfo=UTC)


# ---- transcripts ----------------------------------------------------------------------------------------------------


def transcript(phrases: Any, parser: TBankParser | None = None, **more: Any) -> CallTranscript:
    payload = {"segmentId": 880015, "startDate": ITEM["startDate"], "direction": "in", "state": "ready", **more}
    row = RawRecord("tel", "880015", {**payload, "phrases": phrases}, WHEN, None)
    (found,) = (parser or TBankParser()).parse("transcripts", row)
    assert isinstance(found, CallTranscript)
    return found


def test_phrases_have_speakers_and_times_in_the_order_in_which_they_were_said() -> None:
    found = transcript(
        [
            {"channel": "operator", "text": "Добрый день! ", "startTime": 0.5, "endTime": 1.5},
            {"channel": "operator", "text": "Да, есть.", "startTime": 4.25, "endTime": 5},
            {"channel": "client", "text": "Есть размер?", "startTime": 2, "endTime": 3.125},
            {"channel": "client", "text": "  ", "startTime": 6, "endTime": 7},
            {"channel": "mixed", "text": "Ага", "startTime": 8, "endTime": "x"},
        ]
    )
    assert (found.call_id, found.state, found.speakers, found.flags) == (
        "tel:880015", "ready", "as_labelled", ("unknown_speaker",),
    )  # fmt: skip
    assert json.loads(found.phrases or "") == [
        {"n": 0, "speaker": "manager", "text": "Добрый день!", "start": 0.5, "end": 1.5},
        {"n": 1, "speaker": "customer", "text": "Есть размер?", "start": 2.0, "end": 3.125},
        {"n": 2, "speaker": "manager", "text": "Да, есть.", "start": 4.25, "end": 5.0},
        {"n": 3, "speaker": "unknown", "text": "Ага", "start": 8.0, "end": None},
    ]


def test_without_times_phrases_stay_as_they_came() -> None:
    found = transcript([{"channel": "client", "text": "б"}, {"channel": "operator", "text": "а", "startTime": 1.0}])
    assert [one["text"] for one in json.loads(found.phrases or "")] == ["б", "а"]


def test_labels_that_are_the_wrong_way_round_are_put_right() -> None:
    said = [
        ("client", "Компания «Тёплый край», слушаю вас. Спасибо за звонок!"),
        ("operator", "Здравствуйте, у меня не работает молния."),
        ("client", "Понимаю вас. Чем могу помочь?"),
        ("operator", "Хочу вернуть."),
    ]
    phrases = [{"channel": voice, "text": text, "startTime": float(n)} for n, (voice, text) in enumerate(said)]
    found = transcript(phrases)
    assert found.speakers == "swapped"
    assert [one["speaker"] for one in json.loads(found.phrases or "")] == ["manager", "customer"] * 2
    # whoever answers a call of ours speaks for his own company
    assert transcript(phrases, direction="out").speakers != "swapped"


@pytest.mark.parametrize("state", ["pending", "no_speech"])
def test_a_transcript_without_words_holds_none(state: str) -> None:
    found = transcript([], state=state)
    assert (found.state, found.phrases) == (state, None)


def test_a_state_that_nobody_knows_is_set_aside() -> None:
    row = RawRecord("tel", "880015", {"phrases": [], "startDate": ITEM["startDate"]}, WHEN, None)
    (found,) = TBankParser().parse("transcripts", row)
    assert isinstance(found, Quarantined) and found.reason == "unknown_state"


# ---- other names ----------------------------------------------------------------------------------------------------


def test_other_names_of_fields_are_followed_everywhere() -> None:
    fields = fields_of(
        {
            "segment_id": "call.id",
            "client_phone": ["client.phone", "clientPhoneNumber"],
            "direction": "type",
            "inbound": ["IN", "incoming"],
            "answered": "isAnswered",
            "phrase_channel": "speaker.role",
            "operator": "agent",
            "client": "customer",
        }
    )
    parser = TBankParser(fields=fields)
    found = parsed(parser, type="in", isAnswered=False, client={"phone": "+77010000009"}, segmentId=1)
    assert (found[Call].direction, found[Call].is_answered, found[Customer].phone) == ("in", False, "+77010000009")
    assert parsed(parser, type="Incoming", isAnswered=None)[Call].is_answered is True
    said = transcript([{"speaker": {"role": "Agent"}, "text": "Алло"}], parser)
    assert json.loads(said.phrases or "")[0]["speaker"] == "manager"
    assert fields.identifier({"call": {"id": 7}}) == "7"


@pytest.mark.parametrize(
    "override",
    [{"clientphone": "x"}, {"duration": 5}, {"duration": []}, {"duration": [""]}, {"inbound": [1]}, {"calls": None}],
)
def test_an_override_that_means_nothing_is_refused_by_name(override: dict[str, Any]) -> None:
    with pytest.raises(BadFields, match=next(iter(override))):
        fields_of(override)


def test_no_override_is_the_usual_fields() -> None:
    assert fields_of(None) == fields_of({}) == TBankFields()
