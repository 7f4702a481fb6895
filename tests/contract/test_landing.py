"""What every source promises together with ``land()``: raw equals the vendor, again and again, and gaps are seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from conversations.parsing.retailcrm import RetailCRMParser
from conversations.source import RawRecord
from resources.clients.errors import BadAnswer, NeedsAuth
from resources.warehouse.completeness import POINTERS, Completeness
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.land import Landed
from resources.warehouse.retailcrm_context import parser_context
from tests.contract.cases import VENDORS, ZONE, Case, Opened
from tests.loader import land, refresh_completeness

WHEN = datetime(2026, 3, 9, tzinfo=UTC)


def stored(warehouse: Warehouse, opened: Opened, stream: str) -> dict[str, Any]:
    """The rows of a raw table that are not gone, read past the code that wrote them."""
    statement = f"select external_id, payload::text from raw.{opened.source.name}__{stream} where gone_at is null"
    with warehouse.connect() as connection:
        return {key: json.loads(text) for key, text in connection.execute(statement)}


def land_all(opened: Opened, warehouse: Warehouse) -> None:
    for stream in opened.source.streams:
        land(opened.source, stream, opened.window, warehouse)


def test_raw_equals_the_source_and_landing_again_changes_nothing(opened: Opened, fresh_database: Warehouse) -> None:
    land_all(opened, fresh_database)
    for stream in opened.source.streams:
        assert stored(fresh_database, opened, stream) == opened.truth(stream), stream
    before = table_hashes(fresh_database)
    land_all(opened, fresh_database)
    assert table_hashes(fresh_database) == before


def test_a_failed_reading_keeps_its_pages_and_ends_equal(vendor: Opened, fresh_database: Warehouse) -> None:
    stream = vendor.busiest
    vendor.emulator.faults.add("truncated", after=2, path=vendor.fault_path)
    with pytest.raises(BadAnswer):
        land(vendor.source, stream, vendor.window, fresh_database)
    assert 0 < len(stored(fresh_database, vendor, stream)) < len(vendor.truth(stream))
    vendor.emulator.faults.clear()
    assert land(vendor.source, stream, vendor.window, fresh_database).resumed
    assert stored(fresh_database, vendor, stream) == vendor.truth(stream)


def test_a_revoked_key_keeps_the_committed_pages(vendor_case: Case, fresh_database: Warehouse) -> None:
    with vendor_case.open() as vendor:
        vendor.emulator.faults.add("expire_token", after=2, path=vendor.account_path)
        with pytest.raises(NeedsAuth):
            land(vendor.source, vendor.busiest, vendor.window, fresh_database)
        kept = stored(fresh_database, vendor, vendor.busiest)
        assert kept and kept.items() <= vendor.truth(vendor.busiest).items()


def test_a_long_list_that_shifts_is_read_once_more_and_is_no_loop(fresh_database: Warehouse) -> None:
    """A card goes after the first page: the first row of every later page moves up and would be missed."""
    with VENDORS[-1].open(shop_messages=5000) as vendor:
        shop, pages = vendor.emulator.shop, []

        def remove_newest(landed: Landed) -> None:
            pages.append(landed.pages)
            if len(pages) == 1:
                shop.customers.remove(next(one for one in reversed(shop.customers) if one.crm_id))

        land(vendor.source, vendor.busiest, vendor.window, fresh_database, progress=remove_newest)
        assert stored(fresh_database, vendor, vendor.busiest).items() >= vendor.truth(vendor.busiest).items()
        assert len(pages) > 2 * 10


def test_a_deleted_message_is_gone_and_never_removed(gateway: Opened, fresh_database: Warehouse) -> None:
    land(gateway.source, "messages", gateway.window, fresh_database)
    before = gateway.truth("messages")
    deleted = sorted(before)[5]
    gateway.emulator.shop.delete_message(int(deleted))
    assert land(gateway.source, "messages", gateway.window, fresh_database).gone == 1
    assert stored(fresh_database, gateway, "messages") == gateway.truth("messages") == _without(before, deleted)
    with fresh_database.connect() as connection:
        (count,) = connection.execute("select count(*) from raw.retailcrm__messages").fetchone()
    assert count == len(before)


# ---- completeness against the vendor's own counters -----------------------------------------------------------------


@pytest.fixture
def landed(gateway: Opened, fresh_database: Warehouse) -> Iterator[tuple[Opened, Warehouse]]:
    land_all(gateway, fresh_database)
    yield gateway, fresh_database


def measured(opened: Opened, warehouse: Warehouse) -> list[Completeness]:
    rows = refresh_completeness(warehouse, opened.source, opened.window, ZONE)
    with warehouse.connect() as connection:
        kept = connection.execute(
            "select connection_id, channel_id, business_on, measure, reported, stored from ops.completeness"
        ).fetchall()
    assert sorted(map(tuple, rows)) == sorted(kept)
    return rows


def test_everything_landed_is_complete(landed: tuple[Opened, Warehouse]) -> None:
    opened, warehouse = landed
    rows = measured(opened, warehouse)
    assert all(row.reported == row.stored for row in rows)
    assert {row.channel_id for row in rows if row.measure == POINTERS} == {"shop:61", "shop:62"}
    # every chat names at least its last message, every dialog two more at most
    chats, dialogs = opened.truth("chats"), opened.truth("dialogs")
    named = {chat["last_message"]["id"] for chat in chats.values() if chat["last_message"]}
    named |= {dialog[end] for dialog in dialogs.values() for end in ("begin_message_id", "ending_message_id")}
    named &= {int(key) for key in opened.truth("messages")}
    assert sum(row.reported for row in rows if row.measure == POINTERS) == len(named)
    customers = opened.truth("customers")
    assert sum(row.reported for row in rows if row.measure == "customers") == len(customers)


def test_a_lost_row_shows_on_its_channel_and_day(landed: tuple[Opened, Warehouse]) -> None:
    opened, warehouse = landed
    chat = next(chat for chat in opened.truth("chats").values() if chat["last_message"])
    lost = chat["last_message"]["id"]
    with warehouse.connect() as connection:
        connection.execute("delete from raw.retailcrm__messages where external_id = %s", (str(lost),))
        connection.execute(
            "delete from raw.retailcrm__customers where external_id = %s", (min(opened.truth("customers")),)
        )
    short = [row for row in measured(opened, warehouse) if row.stored < row.reported]
    assert [(row.measure, row.reported - row.stored) for row in sorted(short, key=lambda row: row.measure)] == [
        ("customers", 1),
        (POINTERS, 1),
    ]
    assert {row.channel_id for row in short} == {"", f"shop:{chat['channel']['id']}"}
    land(opened.source, "messages", opened.window, warehouse)
    land(opened.source, "customers", opened.window, warehouse)
    assert all(row.reported == row.stored for row in measured(opened, warehouse))


def test_a_pointer_to_a_deleted_message_is_no_gap(landed: tuple[Opened, Warehouse]) -> None:
    opened, warehouse = landed
    chat = next(chat for chat in opened.truth("chats").values() if chat["last_message"])
    lost = chat["last_message"]["id"]
    with warehouse.connect() as connection:
        connection.execute("delete from raw.retailcrm__messages where external_id = %s", (str(lost),))
    opened.emulator.shop.delete_message(lost)
    assert all(row.reported == row.stored for row in measured(opened, warehouse))


def test_measuring_again_changes_nothing(landed: tuple[Opened, Warehouse]) -> None:
    opened, warehouse = landed
    measured(opened, warehouse)
    before = table_hashes(warehouse)
    measured(opened, warehouse)
    assert table_hashes(warehouse) == before


# ---- what one row does not tell -------------------------------------------------------------------------------------


def test_hand_offs_are_the_assignments_that_took_a_dialog_from_a_bot(landed: tuple[Opened, Warehouse]) -> None:
    opened, warehouse = landed
    expected = set()
    for dialog in opened.emulator.shop.dialogs:
        assigned = [m for m in dialog.messages if m.action == "dialog_assign"]
        for before, after in pairwise(assigned):
            if (before.responsible or ("",))[0] == "bot" and (after.responsible or ("",))[0] == "user":
                expected.add(str(after.id))
    assert expected
    with warehouse.connect() as connection:
        context = parser_context(connection, "shop", opened.window)
        assert context["handoff_message_ids"] == expected
        assert context["mg_user_ids"] == {"28": "12", "29": "13", "30": "14"}
        whole = parser_context(connection, "shop", None)
    assert whole == context
    parser = RetailCRMParser(time_zone=ZONE, **context)
    kinds = [
        record.kind
        for key, payload in opened.truth("messages").items()
        for record in parser.parse("messages", RawRecord("shop", key, payload, WHEN, None))
        if type(record).__name__ == "Event"
    ]
    assert kinds.count("handoff") == len(expected)


def _without(rows: Any, key: str) -> dict[str, Any]:
    return {one: row for one, row in rows.items() if one != key}
