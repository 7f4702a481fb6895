"""The emulated telephony keeps to the contract, and the shop's calls are the same for the same seed, of every kind."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from tests.emulators.shop.calls import OPERATORS, CallBook, PhoneCall
from tests.emulators.shop.calls_talk import CRITERIA
from tests.emulators.shop.model import SECOND, Shop
from tests.emulators.tbank import CALLS, GROUPS, LOGIN_PATH, TRANSCRIPT, TBankEmulator
from tests.emulators.tbank_rows import TBankOptions

DAY = date(2026, 3, 4)
SELLERS = {"id": 17, "type": "workGroup", "title": "Торговые представители"}


@pytest.fixture(scope="module")
def book() -> CallBook:
    return CallBook(Shop.tiny())


@pytest.fixture
def emulator() -> Iterator[TBankEmulator]:
    with TBankEmulator(rate=None) as running:
        yield running


class Caller:
    """A client of its own: nothing of the product."""

    def __init__(self, emulator: TBankEmulator) -> None:
        self.base = emulator.base_url
        self.headers: dict[str, str] = {}
        who = {"login": emulator.login, "password": emulator.password}
        answer = self.post(emulator.login_path, {**who, "authentificationType": "tqm", "authSystem": "tqm"})
        assert {"userId", "accessToken", "refreshToken", "userLogin", "accessTokenExpiredDate"} == set(answer.json())
        self.headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(self.base + path, json=body, headers=self.headers, timeout=5)

    def groups(self, term: str) -> list[dict[str, Any]]:
        params = {"term": term, "type": "", "parentFolderId": ""}
        answer = requests.get(self.base + GROUPS, params=params, headers=self.headers, timeout=5).json()
        return answer.get("items") or answer["Items"]

    def calls(self, low: str, high: str, page: int = 1, size: int = 1000, agents: Any = (SELLERS,)) -> Any:
        filters = {"date": {"min": low, "max": high}, "agent": list(agents), "isNGramSearch": False}
        paging = {"page": page, "itemsPerPage": size, "itemsCount": 0}
        return self.post(CALLS, {"filters": filters, "paging": paging})


# ---- the calls ------------------------------------------------------------------------------------------------------


def fingerprint(calls: list[PhoneCall]) -> str:
    return repr(calls) + repr([call.talk for call in calls])


def test_any_day_is_the_same_without_the_others(book: CallBook) -> None:
    other = CallBook(Shop.tiny())
    days = [DAY + timedelta(days=n) for n in (-9, 0, 4)]
    there = {day: fingerprint(other.day(day)) for day in reversed(days)}
    assert {day: fingerprint(book.day(day)) for day in days} == there
    assert fingerprint(CallBook(Shop.tiny(seed=2)).day(DAY)) != there[DAY]


def test_one_day_is_busy_and_the_others_are_not(book: CallBook) -> None:
    assert book.busy_day == DAY and len(book.day(DAY)) == 300
    others = [len(book.day(DAY + timedelta(days=n))) for n in range(1, 15)]
    assert min(others) >= 40 and max(others) <= 60 and len(set(others)) > 5
    numbers = [call.segment_id for n in range(15) for call in book.day(DAY + timedelta(days=n))]
    assert len(numbers) == len(set(numbers)) and len({len(str(one)) for one in numbers}) == 1


def test_every_kind_of_call_happens(book: CallBook) -> None:
    calls = [call for n in range(7) for call in book.day(DAY + timedelta(days=n))]
    kinds = Counter(call.kind for call in calls)
    assert set(kinds) == {
        "talk", "kazakh", "personal_data", "injection", "missed", "rung_back", "called_again", "not_reached", "short",
        "internal", "transfer", "voicemail", "wrong_number", "silence",
    }  # fmt: skip
    assert min(kinds.values()) >= 3
    assert all((call.seconds == 0) == (call.kind in ("missed", "not_reached")) for call in calls)
    assert {call.operator for call in calls} - {None} == set(OPERATORS)
    # a call that was missed is answered later by whoever rings back, maybe a colleague
    for call in calls:
        if call.kind == "rung_back":
            before = [m for m in calls if m.kind == "missed" and m.phone == call.phone and m.start < call.start]
            assert before and not call.is_inbound
    said = [call for call in calls if call.kind in ("talk", "rung_back", "kazakh")]
    assert all(6 <= len(call.talk.phrases) <= 40 for call in said)
    texts = {" ".join(phrase.text for phrase in call.talk.phrases) for call in said}
    assert len(texts) == len(said)


def test_a_transfer_is_one_communication_of_two_segments(book: CallBook) -> None:
    parts: dict[str, list[PhoneCall]] = {}
    for call in book.day(DAY):
        parts.setdefault(call.communication_id, []).append(call)
    several = [calls for calls in parts.values() if len(calls) > 1]
    assert several
    for first, second in several:
        assert first.phone == second.phone and first.operator is not second.operator
        assert second.start - first.end == SECOND


def test_what_is_true_of_a_talk_is_what_is_said_in_it(book: CallBook) -> None:
    calls = [call for n in range(7) for call in book.day(DAY + timedelta(days=n)) if "greeting" in call.talk.truth]
    for call in calls:
        truth, spoken = call.talk.truth, call.talk.phrases
        ours = " ".join(phrase.text for phrase in spoken if phrase.speaker == "operator").lower()
        assert set(CRITERIA) <= set(truth)
        assert truth["greeting"] == bool(re.search(r"добрый день|здравствуйте|доброе утро", spoken[0].text.lower()))
        assert truth["farewell"] == any(
            one in ours for one in ("хорошего дня", "до свидания", "всего доброго", "хорошего вечера")
        )
        assert (truth["outcome"] == "refused") == (truth["reason"] is not None)
        assert [phrase.start for phrase in spoken] == sorted(phrase.start for phrase in spoken)
        assert spoken[-1].end < call.seconds
    shares = {name: sum(call.talk.truth[name] for call in calls) / len(calls) for name in CRITERIA}
    assert all(0.3 < share < 1.0 for share in shares.values())


def test_nobody_who_exists_is_called(book: CallBook) -> None:
    shop = Shop.demo(1, date(2026, 3, 9), weeks=1)
    calls = CallBook(shop).day(DAY)
    assert all(re.fullmatch(r"\+7(000|700)00[0-2]\d{4,5}|10\d|11\d", call.phone) for call in calls)
    customers = {customer.phone for customer in shop.customers}
    assert 0.2 < sum(call.phone in customers for call in calls) / len(calls) < 0.7
    said = " ".join(phrase.text for call in calls for phrase in call.talk.phrases)
    mails = re.findall(r"\S+@\S+", said)
    assert mails and all("@example.com" in one for one in mails)


# ---- the vendor -----------------------------------------------------------------------------------------------------


def test_a_session_is_needed_and_login_and_password_for_it(emulator: TBankEmulator) -> None:
    who = {"login": emulator.login, "password": emulator.password, "authentificationType": "tqm", "authSystem": "tqm"}
    for body, status in ((who | {"password": "x"}, 401), (who | {"authSystem": "x"}, 401), ({"login": "x"}, 400)):
        assert requests.post(emulator.base_url + LOGIN_PATH, json=body, timeout=5).status_code == status
    assert requests.get(emulator.base_url + GROUPS, timeout=5).status_code == 401
    caller = Caller(emulator)
    assert caller.groups("офис")
    emulator.expire()
    assert caller.post(TRANSCRIPT, {"segmentId": 1}).status_code == 401


def test_the_group_that_is_meant_is_not_the_first_hit(emulator: TBankEmulator) -> None:
    caller = Caller(emulator)
    names = [one["name"] for one in caller.groups("Торговые представители")]
    assert names[0] != "Торговые представители" and names.count("Торговые представители") == 1
    assert Counter(one["type"] for one in caller.groups("Офис-менеджеры") if one["name"] == "Офис-менеджеры") == {
        "workGroup": 1,
        "folder": 1,
    }


@pytest.mark.parametrize("order", ["asc", "desc", "mixed"])
def test_pages_lead_to_all_calls_of_a_day(order: Any) -> None:
    with TBankEmulator(rate=None, options=TBankOptions(order=order, last_page="absent")) as emulator:
        caller, page, found = Caller(emulator), 1, []
        while page:
            answer = caller.calls("2026-03-03 00:00:00", "2026-03-03 23:59:59", page, 7).json()
            found += [item["segmentId"] for item in answer["items"]]
            page = answer.get("nextPage")
        expected = [c.segment_id for c in emulator.book.day(date(2026, 3, 3)) if 17 in emulator.rows.groups_of(c)]
        assert sorted(found) == sorted(expected)
        assert (found == sorted(found)) == (order == "asc")


def test_both_ends_of_a_search_belong_to_it(emulator: TBankEmulator) -> None:
    caller = Caller(emulator)
    items = caller.calls("2026-03-03 00:00:00", "2026-03-03 23:59:59", agents=()).json()["items"]
    one = items[5]["startDate"].replace("T", " ")
    assert [item["segmentId"] for item in caller.calls(one, one, agents=()).json()["items"]] == [items[5]["segmentId"]]


@pytest.mark.parametrize(
    "body",
    [{}, [], {"filters": {}}, {"filters": {"date": {"min": "2026-03-03", "max": "2026-03-03"}}, "paging": {}}],
)
def test_a_question_of_another_shape_is_not_taken(emulator: TBankEmulator, body: Any) -> None:
    assert Caller(emulator).post(CALLS, body).status_code == 400


def test_a_young_call_has_no_words_yet_in_one_of_several_ways(emulator: TBankEmulator) -> None:
    caller, day = Caller(emulator), emulator.book.day(DAY)
    call = next(one for one in day if one.kind == "talk" and one.transcribed - one.listed > 60 * SECOND)
    emulator.shop.clock = call.listed - 1
    assert caller.post(TRANSCRIPT, {"segmentId": call.segment_id}).status_code == 404
    emulator.shop.clock = call.listed
    assert not caller.post(TRANSCRIPT, {"segmentId": call.segment_id}).json().get("phrases")
    emulator.shop.clock = call.transcribed
    phrases = caller.post(TRANSCRIPT, {"segmentId": call.segment_id}).json()["phrases"]
    assert [one["text"] for one in phrases] == [one.text for one in call.talk.phrases]
    assert {(0 if one.get("phrases") is None else 1) for one in map(emulator.rows.transcript, day, [0] * 300)} == {0, 1}


def test_a_fifth_transcript_at_once_is_refused() -> None:
    with TBankEmulator(rate=None, options=TBankOptions(transcript_seconds=0.3)) as emulator:
        caller, day = Caller(emulator), emulator.book.day(DAY)
        with ThreadPoolExecutor(6) as pool:
            codes = pool.map(lambda call: caller.post(TRANSCRIPT, {"segmentId": call.segment_id}).status_code, day[:6])
        assert sorted(codes) == [200] * 4 + [429] * 2


def test_the_truth_and_the_people_are_told_beside_the_api(emulator: TBankEmulator) -> None:
    truth = requests.get(f"{emulator.base_url}/_emulator/truth?day=2026-03-04", timeout=5).json()
    assert len(truth) == 300 and {one["kind"] for one in truth.values()} >= {"talk", "missed", "injection"}
    operators = requests.get(f"{emulator.base_url}/_emulator/operators", timeout=5).json()
    assert [one["login"] for one in operators if not one["is_listed"]] == ["temp01"]
    # nothing of it is in what a reader is given
    caller = Caller(emulator)
    listed = json.dumps(caller.calls("2026-03-04 00:00:00", "2026-03-04 23:59:59").json())
    assert "injection" not in listed and "greeting" not in listed
