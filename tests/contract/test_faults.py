"""What every source with a network promises when the vendor misbehaves (promises F8 to F14)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from resources.clients import redact
from resources.clients.errors import (
    BadAnswer,
    CursorLoop,
    DeadlineExceeded,
    Forbidden,
    NeedsAuth,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
    WrongHost,
)
from tests.contract.cases import FAST, Case, Opened
from tests.contract.reading import Store, read


def _read_busiest(vendor: Opened, store: Store | None = None) -> Store:
    return read(vendor, vendor.busiest, store)


# ---- limits (F8) ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "form"), [(429, "seconds"), (429, "date"), (429, "vendor"), (503, "seconds"), (503, "vendor")]
)
def test_a_storm_of_refusals_ends_equal_and_nobody_calls_early(vendor_case: Case, status: int, form: str) -> None:
    with vendor_case.open() as vendor:
        vendor.emulator.faults.add(
            "status", status=status, share=0.4, times=2, retry_after=0.6, form=form, path=vendor.fault_path
        )
        assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)
        assert vendor.emulator.ledger.summary()["by_fault"] == {"status": 2}
        assert vendor.emulator.ledger.early == []


def test_a_wait_longer_than_the_deadline_is_not_cut_short_but_given_up(vendor: Opened) -> None:
    vendor.emulator.faults.add("status", status=429, retry_after=3600, path=vendor.fault_path)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        _read_busiest(vendor)
    # not an hour, and not the deadline of 20 seconds either
    assert time.monotonic() - started < 15
    assert caught.value.retry_after == 3600
    # the next call of this client would be early too: it is refused without leaving
    with pytest.raises(DeadlineExceeded):
        _read_busiest(vendor)
    assert vendor.emulator.ledger.early == []
    assert vendor.asked == 1


def test_a_refusal_without_any_time_is_tried_again_a_bounded_number_of_times(vendor: Opened) -> None:
    vendor.emulator.faults.add("status", status=503, form="none", path=vendor.fault_path)
    with pytest.raises(RateLimited, match="gave up after 8 attempts"):
        _read_busiest(vendor)
    assert vendor.asked == FAST.attempts


def test_our_own_pace_stays_below_the_vendors_limit(vendor_case: Case) -> None:
    with vendor_case.open(rate=25.0, limits=replace(FAST, requests_per_second=25)) as vendor:
        for _ in range(5):
            _read_busiest(vendor)
        assert set(vendor.emulator.ledger.summary()["by_status"]) == {"200"}
        assert len(vendor.emulator.ledger.calls) >= 15


# ---- a bad network (F9) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_some_server_errors_end_equal(vendor: Opened, status: int) -> None:
    vendor.emulator.faults.add("status", status=status, share=0.4, path=vendor.fault_path)
    assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)


@pytest.mark.parametrize("kind", ["reset", "reset_midway"])
def test_some_cut_connections_end_equal(vendor: Opened, kind: str) -> None:
    vendor.emulator.faults.add(kind, share=0.4, path=vendor.fault_path)
    assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)


@pytest.mark.parametrize(("kind", "options"), [("status", {"status": 500}), ("reset", {}), ("reset_midway", {})])
def test_a_vendor_that_is_down_is_tried_a_bounded_number_of_times(vendor: Opened, kind: str, options: dict) -> None:
    vendor.emulator.faults.add(kind, path=vendor.fault_path, **options)
    with pytest.raises(TransientError, match="gave up after 8 attempts"):
        _read_busiest(vendor)
    assert vendor.asked == FAST.attempts


def test_a_vendor_that_says_nothing_is_left_by_the_deadline(vendor_case: Case) -> None:
    limits = replace(FAST, read_seconds=0.3, deadline_seconds=1.0)
    with vendor_case.open(limits=limits) as vendor:
        vendor.emulator.faults.add("hang", path=vendor.fault_path)
        started = time.monotonic()
        with pytest.raises(TransientError, match=vendor.busiest):
            _read_busiest(vendor)
        # the vendor would say nothing for a minute
        assert time.monotonic() - started < 20


def test_one_hanging_call_does_not_end_the_reading(vendor_case: Case) -> None:
    with vendor_case.open(limits=replace(FAST, read_seconds=0.3)) as vendor:
        vendor.emulator.faults.add("hang", times=1, after=2, path=vendor.fault_path)
        assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)


def test_an_unreachable_vendor_is_named_with_what_to_do(vendor_case: Case) -> None:
    with vendor_case.open(base_url="http://127.0.0.1:9") as vendor, pytest.raises(TransientError) as caught:
        _read_busiest(vendor)
    assert str(caught.value).startswith("shop: ")
    assert "base URL" in caught.value.remedy


# ---- bad answers (F10) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html", "truncated", "wrong_shape"])
def test_one_unreadable_page_is_tried_again(vendor: Opened, kind: str) -> None:
    vendor.emulator.faults.add(kind, times=1, after=1, path=vendor.fault_path)
    if kind in vendor.signs_of_expiry:
        # where a session is the key, a sign-in page is its refusal, and asking again is a storm
        with pytest.raises(NeedsAuth):
            _read_busiest(vendor)
        assert len(vendor.emulator.ledger.calls) == 2
        return
    assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)


@pytest.mark.parametrize(("kind", "error"), [("html", WrongHost), ("truncated", BadAnswer), ("wrong_shape", BadAnswer)])
def test_a_page_that_stays_unreadable_fails_by_name_and_stores_nothing(
    vendor: Opened, kind: str, error: type[SourceError]
) -> None:
    store = Store()
    vendor.emulator.faults.add(kind, after=2, path=vendor.fault_path)
    with pytest.raises(NeedsAuth if kind in vendor.signs_of_expiry else error, match=vendor.page_name):
        _read_busiest(vendor, store)
    # the two pages before it stay, and their cursor with them
    assert store.pages == 2
    vendor.emulator.faults.clear()
    if kind in vendor.signs_of_expiry:
        return
    assert _read_busiest(vendor, store).payloads == vendor.truth(vendor.busiest)


def test_undocumented_fields_are_kept(vendor: Opened) -> None:
    vendor.emulator.faults.add("unknown_fields", path=vendor.fault_path)
    store = _read_busiest(vendor)
    vendor.emulator.faults.clear()
    assert all("x_emulator" in payload for payload in store.payloads.values())
    known = {
        key: {name: value for name, value in payload.items() if name != "x_emulator"}
        for key, payload in store.payloads.items()
    }
    assert known == vendor.truth(vendor.busiest)


def test_an_undocumented_value_is_stored_raw(vendor: Opened) -> None:
    vendor.emulator.faults.add("unknown_enum", path=vendor.fault_path)
    store = _read_busiest(vendor)
    assert set(store.payloads) == set(vendor.truth(vendor.busiest))
    assert any("robot" in repr(payload) for payload in store.payloads.values())


# ---- doubles, disorder, changes while reading (F11, F12) ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["duplicate_rows", "repeat_page", "shuffle"])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_doubles_and_disorder_end_equal(vendor: Opened, kind: str, share: float) -> None:
    if kind == "repeat_page":
        # without an end this is a loop, which has a test of its own
        share = min(share, 0.3)
    vendor.emulator.faults.add(kind, share=share, path=vendor.fault_path)
    assert _read_busiest(vendor).payloads == vendor.truth(vendor.busiest)


@pytest.mark.parametrize("kind", ["insert_between", "edit_between", "delete_between"])
def test_changes_between_two_pages_are_there_after_the_next_reading(gateway: Opened, kind: str) -> None:
    gateway.emulator.faults.add(kind, times=4, path=gateway.fault_path)
    store = _read_busiest(gateway)
    gateway.emulator.faults.clear()
    gone = gateway.emulator.ledger.gone(gateway.busiest, gateway.window.start, gateway.window.end)
    missing = set(gateway.truth(gateway.busiest)) - set(store.payloads)
    assert not missing, "what arrives while reading is found in the same run"

    again = _read_busiest(gateway)
    assert again.payloads == gateway.truth(gateway.busiest)
    store.cursor = None
    merged = _read_busiest(gateway, store)
    assert {key: merged.payloads[key] for key in again.payloads} == again.payloads
    if kind == "delete_between":
        assert gone and not set(gone) & set(again.payloads)
        assert gateway.source.still_there(gateway.busiest, [*gone, *again.payloads]) == set(again.payloads)


# ---- paging that does not move (F13) --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ignore_cursor", "repeat_page"])
def test_paging_that_does_not_move_is_a_loop_within_a_few_calls(vendor: Opened, kind: str) -> None:
    vendor.emulator.faults.add(kind, path=vendor.fault_path)
    store = Store()
    with pytest.raises(CursorLoop, match="keeps answering"):
        _read_busiest(vendor, store)
    assert vendor.asked <= 10
    # what was committed stays good: reading goes on once the vendor has come to his senses
    vendor.emulator.faults.clear()
    assert _read_busiest(vendor, store).payloads == vendor.truth(vendor.busiest)


# ---- keys and addresses (F14) ---------------------------------------------------------------------------------------


def test_a_key_revoked_in_the_middle_needs_a_person_and_makes_no_storm(vendor: Opened) -> None:
    store = Store()
    vendor.emulator.faults.add("expire_token", after=2, path=vendor.account_path)
    with pytest.raises(NeedsAuth) as caught:
        _read_busiest(vendor, store)
    assert (store.pages, vendor.asked) == (2, 2 + vendor.calls_of_a_refusal)
    assert "key" in caught.value.remedy
    # every further use of this connection fails the same way without a call
    before = len(vendor.emulator.ledger.calls)
    for _ in range(5):
        with pytest.raises(NeedsAuth):
            _read_busiest(vendor)
    assert len(vendor.emulator.ledger.calls) == before


def test_a_missing_right_is_said_after_one_call_and_closes_nothing_else(vendor: Opened) -> None:
    vendor.emulator.faults.add("forbid", path=vendor.fault_path)
    is_all = "forbid" in vendor.signs_of_expiry
    with pytest.raises(NeedsAuth if is_all else Forbidden, match=f"shop: .*{vendor.busiest}"):
        _read_busiest(vendor)
    assert vendor.asked == 1
    if is_all:
        # a session has no rights of its own: it is over, for every list
        with pytest.raises(NeedsAuth):
            read(vendor, vendor.neighbour)
        assert len(vendor.emulator.ledger.calls) == 1
        return
    if not vendor.neighbour:
        assert any(capability.is_open for capability in vendor.source.probe())
        return
    assert read(vendor, vendor.neighbour).payloads == vendor.truth(vendor.neighbour)


def test_a_host_that_is_no_account_is_named_at_once(vendor: Opened) -> None:
    vendor.emulator.faults.add("wrong_host", path=vendor.fault_path)
    with pytest.raises(WrongHost) as caught:
        _read_busiest(vendor)
    assert "base URL" in caught.value.remedy
    assert vendor.asked == 1


# ---- what errors and logs say ---------------------------------------------------------------------------------------


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Every line that any logger formats, with tracebacks, as a log file would show it."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    factory = logging.getLogRecordFactory()
    redact.install()
    handler = Collect(level=logging.DEBUG)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 429, "retry_after": 900}),
        ("status", {"status": 500}),
        ("status", {"status": 400}),
        ("status", {"status": 404}),
        ("reset", {}),
        ("html", {}),
        ("truncated", {}),
        ("wrong_shape", {}),
        ("ignore_cursor", {}),
        ("expire_token", {}),
        ("forbid", {}),
        ("wrong_host", {}),
    ],
)
def test_every_error_names_the_connection_and_the_remedy_and_no_secret(
    vendor: Opened, records: list[str], kind: str, options: dict
) -> None:
    vendor.emulator.faults.add(kind, **options)
    with pytest.raises(SourceError) as caught:
        _read_busiest(vendor)
    error = caught.value
    logging.getLogger("some.library").error("failed with %s", error, exc_info=error)

    assert str(error) == f"shop: {error.what}. {error.remedy}"
    assert error.what and len(error.remedy) > 20
    assert "\n" not in str(error)
    everything = "\n".join([str(error), repr(error), *records])
    for secret in vendor.secrets:
        assert secret not in everything
    texts = [payload.get("content") for payload in vendor.truth(vendor.busiest).values()]
    assert not [text for text in texts if text and text in everything]


def test_secrets_do_not_leave_in_addresses(vendor: Opened) -> None:
    for stream in vendor.source.streams:
        read(vendor, stream)
    assert vendor.emulator.ledger.summary()["secrets_in_url"] == 0


def test_an_unknown_list_is_not_found(vendor: Opened) -> None:
    vendor.emulator.faults.add("status", status=404, path=vendor.fault_path)
    with pytest.raises(NotFound):
        _read_busiest(vendor)
