"""The telephony as a source, over HTTP: which group is meant, days, lag, parallel transcripts, sessions that end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conversations.parsing.tbank_fields import fields_of
from conversations.window import Window
from resources.clients.errors import BadConfiguration, NeedsAuth, NotFound, TransientError
from resources.clients.tbank import TBankClient
from resources.sources.tbank import TBankSource
from tests.contract.cases import FAST
from tests.emulators.shop.calls import OFFICE, SALES, CallBook
from tests.emulators.shop.model import MINUTE, Shop, micros
from tests.emulators.tbank import CALLS, TRANSCRIPT, TBankEmulator
from tests.emulators.tbank_rows import TBankOptions

ZONE = "Europe/Moscow"
DAY = date(2026, 3, 4)
WINDOW = Window.of_day(DAY, ZONE)
AFTER = datetime(2026, 3, 9, 5, tzinfo=UTC)


@contextmanager
def telephony(
    *, options: TBankOptions | None = None, busy: int = 40, now: datetime = AFTER, **source: Any
) -> Iterator[tuple[TBankEmulator, TBankSource]]:
    shop = Shop.tiny()
    shop.set_clock(now)
    book = CallBook(shop, busy_day=DAY, busy=busy, usual=(6, 8))
    with (
        TBankEmulator(shop, book=book, rate=None, options=options) as emulator,
        TBankClient("tel", emulator.base_url, emulator.login, emulator.password, limits=FAST) as client,
    ):
        more = {"groups": (SALES, OFFICE), "now": lambda: now, **source}
        yield emulator, TBankSource(client, "tel", ZONE, **more)


def rows(source: TBankSource, stream: str = "calls", window: Window = WINDOW) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for page in source.pages(stream, window, None):
        found |= {row.external_id: row for row in page.rows}
    return found


def paths(emulator: TBankEmulator) -> Counter[str]:
    return Counter(call.path.rsplit("/", 1)[1] for call in emulator.ledger.calls)


# ---- groups ---------------------------------------------------------------------------------------------------------


def test_the_exact_group_is_meant_and_not_the_first_one_that_is_like_it() -> None:
    with telephony(groups=(SALES,)) as (emulator, source):
        found = rows(source)
    truth = emulator.book.day(DAY)
    assert set(found) == {str(call.segment_id) for call in truth if 17 in emulator.rows.groups_of(call)}
    assert {row.payload["otklik_group"] for row in found.values()} == {SALES}
    assert 0 < len(found) < len(truth)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Торговые", "'Торговые представители' (workGroup)"),
        ("торговые представители", "'Торговые представители' (workGroup)"),
        ("Склад", "like it: none at all"),
    ],
)
def test_a_group_that_is_not_there_is_said_with_those_that_are_like_it(name: str, said: str) -> None:
    with telephony(groups=(SALES, name)) as (emulator, source), pytest.raises(BadConfiguration) as caught:
        rows(source)
    assert f"'{name}'" in caught.value.what and said in caught.value.what
    assert "agent_group" in caught.value.remedy
    assert paths(emulator)["callsessions"] == 0


def test_groups_are_looked_up_once() -> None:
    with telephony() as (emulator, source):
        rows(source)
        rows(source, "transcripts")
        rows(source)
    assert paths(emulator)["autocomplete-search"] == 2
    assert paths(emulator)["session-start"] == 1


def test_a_segment_that_two_groups_list_is_that_of_the_first_one_also_after_a_cut() -> None:
    """Виктор is in both groups: whichever page the reading is cut at, his calls are of the first."""
    with telephony(busy=90, page_size=9) as (emulator, source):
        both = {str(c.segment_id) for c in emulator.book.day(DAY) if emulator.rows.groups_of(c) == {17, 18}}
        assert both
        whole = rows(source)
        assert {whole[one].payload["otklik_group"] for one in both} == {SALES}
        cursor, merged = None, {}
        for _ in range(100):
            page = next(iter(source.pages("calls", WINDOW, cursor)))
            merged |= {row.external_id: row for row in page.rows}
            cursor = page.cursor
            if cursor is None:
                break
        assert merged == whole


# ---- days -----------------------------------------------------------------------------------------------------------


def test_days_are_asked_to_the_second_one_by_one() -> None:
    window = Window.of_days(DAY, DAY + timedelta(days=2), ZONE)
    with telephony(groups=()) as (emulator, source):
        day = emulator.book.day(DAY)
        # the first second of a day and the last one belong to it
        day[0].start, day[-1].start = micros(WINDOW.start), micros(WINDOW.end - timedelta(seconds=1))
        asked: list[Any] = []
        original = source._client.calls
        source._client.calls = lambda *a, **k: (asked.append(a[:2]), original(*a, **k))[1]  # type: ignore[method-assign]
        found = rows(source, window=window)
        expected = {str(call.segment_id) for n in range(3) for call in emulator.book.day(DAY + timedelta(days=n))}
    assert set(found) == expected
    assert asked == [(f"2026-03-0{n} 00:00:00", f"2026-03-0{n} 23:59:59") for n in (4, 5, 6)]


def test_a_day_of_another_zone_takes_parts_of_two_days() -> None:
    window = Window.of_day(DAY, "Asia/Almaty")
    with telephony() as (emulator, source):
        found = rows(source, window=window)
        low, high = micros(window.start), micros(window.end)
        near = [*emulator.book.day(DAY - timedelta(days=1)), *emulator.book.day(DAY)]
    assert set(found) == {str(call.segment_id) for call in near if low <= call.start < high}
    assert all(row.event_at in window for row in found.values())


def test_a_call_that_comes_in_while_its_day_is_read_is_found_in_the_same_run() -> None:
    with telephony(options=TBankOptions(order="desc"), page_size=6, groups=(SALES,)) as (emulator, source):
        emulator.faults.add("insert_between", times=1, after=2)
        found = rows(source)
        truth = emulator.ledger.rows("calls", WINDOW.start, WINDOW.end)
        listed = {key for key in truth if 17 in emulator.rows.groups_of(emulator.rows.call(int(key)))}
    assert set(found) == listed


def test_a_call_without_a_readable_time_is_stored_on_the_day_it_was_listed_for() -> None:
    with telephony(fields=fields_of({"started": "began"})) as (_, source):
        found = rows(source)
    assert found and {row.event_at for row in found.values()} == {WINDOW.start}


# ---- transcripts ----------------------------------------------------------------------------------------------------


def states(found: dict[str, Any]) -> Counter[str]:
    return Counter(row.payload["state"] for row in found.values())


def test_an_empty_transcript_is_awaited_for_an_hour_and_then_there_was_no_speech() -> None:
    """At noon: what ended more than an hour ago is there or silent, what ended later may be awaited."""
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    with telephony(busy=120, now=noon) as (emulator, source):
        # in the first call of the day nobody says a word
        next(call for call in emulator.book.day(DAY) if call.seconds).talk.phrases.clear()
        found = rows(source, "transcripts")
        truth = {str(c.segment_id): c for c in emulator.book.day(DAY)}
        assert states(found).keys() == {"ready", "pending", "no_speech"}
        for key, row in found.items():
            call, clock = truth[key], micros(noon)
            words = call.talk.phrases and call.transcribed <= clock
            expected = "ready" if words else "pending" if clock < call.end + 60 * MINUTE else "no_speech"
            assert row.payload["state"] == expected
            assert row.payload["phrases"] or expected != "ready"
        emulator.shop.set_clock(noon + timedelta(hours=2))
        later = TBankSource(source._client, "tel", ZONE, (SALES, OFFICE), now=lambda: noon + timedelta(hours=2))
        again = rows(later, "transcripts")
    awaited = {key for key, row in found.items() if row.payload["state"] == "pending"}
    assert {again[key].payload["state"] for key in awaited} <= {"ready", "no_speech"}
    assert "ready" in {again[key].payload["state"] for key in awaited}


def test_missed_calls_have_no_transcript_and_ready_ones_are_not_asked_for_again() -> None:
    with telephony() as (emulator, source):
        first = rows(source, "transcripts")
        truth = emulator.book.day(DAY)
        assert set(first) == {str(call.segment_id) for call in truth if call.seconds}
        ready = {key for key, row in first.items() if row.payload["state"] == "ready"}
        emulator.ledger.clear()
        asked: list[str] = []
        source._known_ready = lambda ids: (asked.extend(ids), ready)[1]
        again = rows(source, "transcripts")
    assert set(asked) == set(first)
    assert set(again) == set(first) - ready
    assert paths(emulator)["segment"] == len(again)


def test_at_most_four_transcripts_are_asked_for_at_once() -> None:
    with telephony(options=TBankOptions(transcript_seconds=0.03), busy=30) as (emulator, source):
        found = rows(source, "transcripts")
        assert emulator.most_parallel == 4
        assert emulator.ledger.summary()["by_status"] == {"200": len(emulator.ledger.calls)}
    assert len(found) > 20


def test_transcripts_are_stored_in_portions_and_go_on_where_they_were_cut() -> None:
    with telephony(busy=80) as (emulator, source):
        pages = source.pages("transcripts", WINDOW, None)
        first = next(pages)
        pages.close()
        assert first.cursor == {"day": "2026-03-04", "after": first.rows[-1].external_id}
        emulator.ledger.clear()
        rest = {row.external_id for page in source.pages("transcripts", WINDOW, first.cursor) for row in page.rows}
        assert paths(emulator)["segment"] == len(rest)
        whole = {str(call.segment_id) for call in emulator.book.day(DAY) if call.seconds}
    assert rest == whole - {row.external_id for row in first.rows}


def test_one_transcript_that_is_not_there_is_no_failure_and_none_at_all_is() -> None:
    with telephony() as (emulator, source):
        emulator.faults.add("status", status=404, path=TRANSCRIPT, after=5, times=1)
        assert states(rows(source, "transcripts"))["no_speech"] >= 1
    with telephony() as (emulator, source):
        emulator.faults.add("status", status=404, path=TRANSCRIPT)
        with pytest.raises(NotFound):
            rows(source, "transcripts")


def test_an_outage_ends_a_portion_at_once() -> None:
    with telephony(busy=80) as (emulator, source):
        emulator.faults.add("status", status=500, path=TRANSCRIPT)
        with pytest.raises(TransientError, match="transcript of segment"):
            rows(source, "transcripts")
        # those that were under way, and no other
        assert paths(emulator)["segment"] <= 8 * FAST.attempts
    assert not [one for one in threading.enumerate() if one.name.startswith("transcripts") and one.is_alive()]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 429, "retry_after": 0.2}),
        ("status", {"status": 500}),
        ("reset", {}),
        ("reset_midway", {}),
        ("html", {}),
        ("truncated", {}),
        ("wrong_shape", {}),
    ],
)
def test_a_bad_network_and_bad_answers_leave_the_same_transcripts(kind: str, options: dict[str, Any]) -> None:
    with telephony(busy=30) as (emulator, source):
        whole = rows(source, "transcripts")
        emulator.faults.add(kind, path=TRANSCRIPT, share=0.5, times=3, **options)
        assert rows(source, "transcripts") == whole
        assert emulator.ledger.summary()["by_fault"] == {kind: 3}


def test_an_error_quotes_the_number_that_the_vendors_support_asks_for() -> None:
    with telephony() as (emulator, source):
        emulator.faults.add("status", status=500, path=CALLS)
        with pytest.raises(TransientError, match=r"calls of 2026-03-04, page 1 \(x-correlation-id 0d7e-emulator\)"):
            rows(source)


# ---- sessions -------------------------------------------------------------------------------------------------------


def test_a_session_that_ends_is_begun_once_more_whoever_notices_first() -> None:
    with telephony(options=TBankOptions(transcript_seconds=0.01), busy=60) as (emulator, source):
        pages = source.pages("transcripts", WINDOW, None)
        found = {row.external_id for row in next(pages).rows}
        emulator.expire()
        found |= {row.external_id for page in pages for row in page.rows}
        assert found == {str(call.segment_id) for call in emulator.book.day(DAY) if call.seconds}
        assert paths(emulator)["session-start"] == 2
        # each of the four found out by itself
        assert 1 <= emulator.ledger.summary()["by_status"]["401"] <= 4


def test_a_password_that_was_changed_needs_a_person_and_makes_no_storm() -> None:
    with telephony(busy=60) as (emulator, source):
        pages = source.pages("transcripts", WINDOW, None)
        next(pages)
        emulator.expire()
        emulator.password = "another"
        before = len(emulator.ledger.calls)
        with pytest.raises(NeedsAuth, match="login and password were not accepted"):
            list(pages)
        # four that were under way, and one start of a session
        assert len(emulator.ledger.calls) - before <= 5
        for _ in range(3):
            with pytest.raises(NeedsAuth):
                rows(source)
        assert paths(emulator)["session-start"] == 2


def test_a_new_session_that_is_not_accepted_either_is_the_end() -> None:
    with telephony() as (emulator, source):
        emulator.faults.add("expire_token", path=CALLS)
        with pytest.raises(NeedsAuth, match="although a session had just begun"):
            rows(source)
        assert paths(emulator) == {"session-start": 2, "autocomplete-search": 2, "callsessions": 2}
