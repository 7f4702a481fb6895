"""What every source promises when nothing goes wrong: all rows, each once, again the same, resumable anywhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from conversations.keyed import keyed
from conversations.records import Customer
from conversations.source import RawRecord
from tests.contract.cases import FAST, Case, Opened
from tests.contract.reading import Cut, Store, read
from tests.person_keys import KEYS, guesses, spellings

HELD = ("customer_id", "conversation_id", "call_id", "message_id")
WHEN = datetime(2026, 3, 9, tzinfo=UTC)


def test_hands_over_exactly_the_rows_of_the_window(opened: Opened) -> None:
    for stream in opened.source.streams:
        assert read(opened, stream).payloads == opened.truth(stream), stream


def test_reading_again_gives_the_same(opened: Opened) -> None:
    for stream in opened.source.streams:
        first, second = read(opened, stream), read(opened, stream)
        assert first.rows == second.rows


def test_event_times_lie_in_the_window_and_have_a_zone(opened: Opened) -> None:
    for name, stream in opened.source.streams.items():
        for row in read(opened, name).rows.values():
            if stream.is_windowed:
                assert row.event_at is not None and row.event_at in opened.window
                assert row.event_at.utcoffset().total_seconds() == 0


def test_cut_after_every_page_and_resumed_is_equal(case: Case) -> None:
    with case.open() as opened:
        for stream in opened.source.streams:
            whole = read(opened, stream)
            store = Store()
            for _ in range(whole.pages * 3 + 10):
                try:
                    read(opened, stream, store, cut_after=1)
                    break
                except Cut:
                    continue
            else:
                pytest.fail("resuming does not come to an end")
            assert store.payloads == opened.truth(stream), stream
            if opened.emulator is None or opened.source.streams[stream].is_windowed:
                assert store.pages <= whole.pages + 2


def test_resuming_goes_on_after_the_last_committed_page(vendor: Opened) -> None:
    stream = vendor.busiest
    whole = read(vendor, stream)
    assert whole.pages > 3
    store = Store()
    with pytest.raises(Cut):
        read(vendor, stream, store, cut_after=3)
    vendor.emulator.ledger.clear()
    read(vendor, stream, store)
    assert len(vendor.emulator.ledger.calls) == whole.pages - 3


def test_no_cursor_occurs_twice(opened: Opened) -> None:
    for stream in opened.source.streams:
        cursors = [repr(cursor) for cursor in read(opened, stream).cursors]
        assert len(cursors) == len(set(cursors))


def test_an_unknown_stream_is_refused(opened: Opened) -> None:
    with pytest.raises(ValueError, match="no stream 'payments'"):
        list(opened.source.pages("payments", opened.window, None))


def test_the_parser_understands_every_row_of_every_stream(opened: Opened) -> None:
    for stream in opened.source.streams:
        for row in read(opened, stream).rows.values():
            record = RawRecord(opened.source.connection_id, row.external_id, row.payload, WHEN, None)
            found = list(opened.parser.parse(stream, record))
            assert "Quarantined" not in {type(one).__name__ for one in found}, stream


def test_no_stored_id_tells_whose_it_is(opened: Opened) -> None:
    """Promise V2: whatever the parser makes its ids of, what core holds is found by no known number and no name."""
    one = opened.source.connection_id
    ids, known = set[str](), set[str]()
    for stream in opened.source.streams:
        for row in read(opened, stream).rows.values():
            for record in opened.parser.parse(stream, RawRecord(one, row.external_id, row.payload, WHEN, None)):
                stored = keyed(record, opened.parser, KEYS)
                ids |= {str(value) for name, value in stored._asdict().items() if name in HELD and value is not None}
                if isinstance(record, Customer):
                    known |= {said for said in (record.phone, record.name) if said}
    assert ids
    for said in known:
        number = "".join(filter(str.isdigit, said))
        assert not any(said in held or (len(number) > 9 and number[-10:] in held) for held in ids)
    assert not ids & {f"{one}:{guess}" for guess in guesses({*known, *spelled(known)}, [one])}


def spelled(known: set[str]) -> set[str]:
    numbers = ("".join(filter(str.isdigit, said))[-10:] for said in known)
    return {written for number in numbers if len(number) == 10 for written in spellings(number)}


def test_probing_says_what_is_open(opened: Opened) -> None:
    capabilities = opened.source.probe()
    assert capabilities and any(capability.is_open for capability in capabilities)
    assert all(capability.detail for capability in capabilities if not capability.is_open)


def test_probing_a_vendor_that_is_down_does_not_ask_every_list(vendor: Opened) -> None:
    vendor.emulator.faults.add("status", status=500)
    capabilities = vendor.source.probe()
    assert not any(capability.is_open for capability in capabilities)
    assert len(vendor.emulator.ledger.calls) <= 2 * FAST.attempts
    assert any(capability.detail.startswith("not asked: ") for capability in capabilities)
