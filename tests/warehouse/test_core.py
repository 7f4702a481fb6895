"""Replacing a window of core: what the raw rows say now, once, in whatever order windows are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from conversations.records import Channel, Conversation, Event, IdKind, Manager, Message, Quarantined, Record
from conversations.source import RawRecord, RawRow, Stream
from conversations.window import Window
from resources.warehouse import core
from resources.warehouse.core import Counts
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import core_lock
from tests.loader import land, replace_window
from tests.warehouse.sources import START, FakeSource

USERS, CRM_USERS = Stream("users", False), Stream("crm_users", False)
CHATS, DIALOGS, MESSAGES = Stream("chats", False), Stream("dialogs", True), Stream("messages", True, True)
ZONE = "Europe/Moscow"


def day(number: int) -> Window:
    return Window(START + timedelta(days=number), START + timedelta(days=number + 1))


SPAN = Window(START, START + timedelta(days=5))


class PlainParser:
    """Reads payloads of these tests: ``kind`` says which record a row is."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        payload = row.payload
        chat = f"shop:{payload.get('chat', 1)}"
        if "broken" in payload:
            raise RuntimeError("this text must not reach anybody")
        if "odd" in payload:
            for reason in payload["odd"]:
                yield Quarantined(row.connection_id, stream, row.external_id, reason, None)
            return
        match stream:
            case "users" | "crm_users":
                yield Manager(f"shop:{payload['person']}", "shop", payload["name"], payload.get("team"), True)
            case "chats":
                yield Channel("shop:61", "shop", "whatsapp", "WA", True)
                customer, flags = payload.get("customer"), tuple(payload.get("flags", ()))
                yield Conversation(chat, "shop", "shop:61", customer, None, False, flags)
            case "dialogs" | "messages":
                if stream == "messages":
                    yield message(row, chat)
                for number, at in payload.get("events", {}).items():
                    yield Event(chat, f"e{number}", "shop", "assigned", datetime.fromisoformat(at), None)


def message(row: RawRecord, chat: str) -> Message:
    flags = ("gone_at_source",) if row.gone_at else ()
    return Message(
        chat, row.external_id, "shop", datetime.fromisoformat(row.payload["at"]), None, "in", "customer", None, None,
        True, "sent", "text", None if row.gone_at else row.payload.get("text"), None, None, None, None, flags,
    )  # fmt: skip


def said(number: int, hours: float, *, version: int = 0, **payload: Any) -> RawRow:
    at = START + timedelta(hours=hours)
    return RawRow(str(number), {"at": at.isoformat(), **payload}, at, START + timedelta(minutes=version))


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        for schema, table in connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('raw', 'core')"
            " or (schemaname = 'ops' and tablename <> 'alembic_version')"
        ).fetchall():
            connection.execute(f"truncate {schema}.{table} cascade")


def put(database: Warehouse, stream: Stream, rows: list[RawRow], window: Window | None = SPAN) -> None:
    source = FakeSource(rows, page_size=1000)
    source.streams = {stream.name: stream}
    land(source, stream.name, window, database)


def replaced(database: Warehouse, streams: list[Stream], window: Window | None = SPAN, **options: Any) -> Counts:
    return replace_window(database, PlainParser(), "shop", "retailcrm", streams, window, ZONE, **options)


def rows(database: Warehouse, table: str, columns: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(f"select {columns} from core.{table} order by 1").fetchall()


def test_raw_rows_become_core_rows_with_their_local_day(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1, text="Сколько?\t\n\\ 'x' \"y\""), said(2, 20.5), said(3, 21)])
    counts = replaced(database, [MESSAGES])
    assert counts.raw_rows == 3
    assert counts.rows["messages"] == 3
    assert {on: one["messages"] for on, one in counts.by_day.items()} == {date(2026, 5, 4): 2, date(2026, 5, 5): 1}
    assert counts.touched == {"shop:1"}
    assert rows(database, "messages", "message_id, business_on") == [
        ("1", date(2026, 5, 4)),
        ("2", date(2026, 5, 4)),
        ("3", date(2026, 5, 5)),
    ]
    ((_, text, ingested, stream, raw_id, window_at), *_) = rows(
        database, "messages", "message_id, text, ingested_at, raw_stream, raw_id, window_at"
    )
    assert text == "Сколько?\t\n\\ 'x' \"y\""
    assert (stream, raw_id, window_at) == ("messages", "1", START + timedelta(hours=1))
    with database.connect() as connection:
        fetched = connection.execute(
            "select fetched_at from raw.retailcrm__messages where external_id = '1'"
        ).fetchone()
    assert fetched == (ingested,)


def test_doing_a_window_again_changes_nothing(database: Warehouse) -> None:
    put(database, MESSAGES, [said(n, n, events={n: (START + timedelta(hours=n)).isoformat()}) for n in range(30)])
    put(database, CHATS, [RawRow("1", {"chat": 1, "flags": ["a", 'b"c\\d']}, None, None)], None)
    streams = [CHATS, MESSAGES]
    replaced(database, streams)
    dirty(database)
    before = table_hashes(database)
    counts = replaced(database, streams)
    assert counts.touched == frozenset()
    assert counts.rows["messages"] == 30
    assert table_hashes(database) == before
    assert rows(database, "conversations", "flags") == [(["a", 'b"c\\d'],)]


def test_only_the_window_is_replaced(database: Warehouse) -> None:
    put(database, MESSAGES, [said(n, n * 24 + 1, chat=n) for n in range(4)])
    replaced(database, [MESSAGES])
    put(database, MESSAGES, [said(n, n * 24 + 1, chat=n, version=5, text="new") for n in range(4)])
    assert replaced(database, [MESSAGES], day(1)).touched == {"shop:1"}
    assert rows(database, "messages", "message_id, text") == [("0", None), ("1", "new"), ("2", None), ("3", None)]


def test_changed_conversations_are_marked_from_the_first_changed_row_on(database: Warehouse) -> None:
    put(database, MESSAGES, [said(n, n, chat=n % 2) for n in range(2, 8)])
    replaced(database, [MESSAGES])
    two, three, five = (START + timedelta(hours=hours) for hours in (2, 3, 5))
    assert dirty(database) == [("shop:0", two), ("shop:1", three)]
    replaced(database, [MESSAGES])
    assert dirty(database) == []
    put(
        database,
        MESSAGES,
        [said(5, 5, chat=1, text="edited", version=3)] + [said(n, n, chat=n % 2) for n in (2, 3, 4, 7)],
    )
    assert replaced(database, [MESSAGES]).touched == {"shop:0", "shop:1"}
    # 5 was edited, 6 is gone
    assert dirty(database) == [("shop:0", START + timedelta(hours=6)), ("shop:1", five)]


def dirty(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(
            "with taken as (delete from ops.dirty returning *) select conversation_id, since from taken order by 1"
        ).fetchall()


def test_a_chat_that_goes_to_another_customer_has_the_rest_of_the_former_judged_again(database: Warehouse) -> None:
    """What was said in it may have answered there: by nobody's customer any more."""

    def bring(owner: str) -> None:
        owners = enumerate((owner, "shop:a", "shop:b", "shop:c"), 1)
        put(database, CHATS, [said(chat, 0, chat=chat, customer=one, version=len(owner)) for chat, one in owners])
        replaced(database, [CHATS])

    def marked() -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            return connection.execute("delete from ops.dirty returning conversation_id, is_told").fetchall()

    with database.connect() as connection:
        # b is the same human as a
        connection.execute("insert into reference.customer_links values ('shop:b', 'shop:a', 'list')")
    bring("shop:a")
    assert len(marked()) == 4
    bring("shop:a")
    assert marked() == []
    bring("shop:other")
    assert sorted(marked()) == [("shop:1", False), ("shop:2", False), ("shop:3", False)]
    with database.connect() as connection:
        connection.execute("delete from reference.customer_links")


@pytest.mark.parametrize("order", [(0, 2), (2, 0)])
def test_message_that_moved_to_another_day_is_in_one_window_only(database: Warehouse, order: tuple[int, ...]) -> None:
    put(database, MESSAGES, [said(1, 1), said(2, 2)])
    replaced(database, [MESSAGES])
    put(database, MESSAGES, [said(1, 49, version=9), said(2, 2)])
    for number in order:
        replaced(database, [MESSAGES], day(number))
    moved = START + timedelta(hours=49)
    assert rows(database, "messages", "message_id, window_at, sent_at") == [
        # the time of the first version stays its time
        ("1", moved, START + timedelta(hours=1)),
        ("2", START + timedelta(hours=2), START + timedelta(hours=2)),
    ]


def test_message_that_is_gone_stays_without_its_text(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1, text="a"), said(2, 2, text="b")])
    replaced(database, [MESSAGES])
    put(database, MESSAGES, [said(2, 2, text="b")])
    assert replaced(database, [MESSAGES]).touched == {"shop:1"}
    assert rows(database, "messages", "message_id, text, flags") == [("1", None, ["gone_at_source"]), ("2", "b", [])]


def test_event_told_twice_is_stored_once_whatever_is_done_first(database: Warehouse) -> None:
    at = (START + timedelta(hours=30)).isoformat()
    put(database, DIALOGS, [RawRow("d1", {"events": {1: at}}, START + timedelta(hours=1), None)])
    put(database, MESSAGES, [said(1, 30, events={1: at})])
    states = []
    for windows in ([day(0), day(1)], [day(1), day(0)], [SPAN], [day(0), day(1), day(0)]):
        for window in windows:
            replaced(database, [DIALOGS, MESSAGES], window)
        states.append(table_hashes(database, ("core",)))
        # the message saw it happen, the dialog's row only knows of it
        assert rows(database, "events", "event_id, raw_stream") == [("e1", "messages")]
        with database.connect() as connection:
            connection.execute("truncate core.events, core.messages")
    assert all(state == states[0] for state in states)


def test_dialog_that_says_something_else_later_does_not_remove_what_a_message_saw(database: Warehouse) -> None:
    first, later = ((START + timedelta(hours=hours)).isoformat() for hours in (30, 60))
    put(database, DIALOGS, [RawRow("d1", {"events": {1: first}}, START + timedelta(hours=1), START)])
    put(database, MESSAGES, [said(1, 30, events={1: first})])
    replaced(database, [DIALOGS, MESSAGES])
    put(database, DIALOGS, [RawRow("d1", {"events": {2: later}}, START + timedelta(hours=1), START + timedelta(1))])
    replaced(database, [DIALOGS, MESSAGES], day(0))
    assert rows(database, "events", "event_id, raw_stream") == [("e1", "messages"), ("e2", "dialogs")]


def test_event_that_no_row_tells_any_more_is_removed(database: Warehouse) -> None:
    at = (START + timedelta(hours=2)).isoformat()
    put(database, MESSAGES, [said(1, 1, events={1: at})])
    replaced(database, [MESSAGES])
    put(database, MESSAGES, [said(1, 1, version=3)])
    assert replaced(database, [MESSAGES]).touched == {"shop:1"}
    assert rows(database, "events", "event_id") == []


def test_directories_are_written_by_key_and_the_later_stream_wins(database: Warehouse) -> None:
    put(database, USERS, [RawRow("1", {"person": 1, "name": "aigerim"}, None, None)], None)
    put(database, CRM_USERS, [RawRow("9", {"person": 1, "name": "Айгерим", "team": "retail"}, None, None)], None)
    replaced(database, [USERS, CRM_USERS])
    assert rows(database, "managers", "manager_id, name, team_id") == [("shop:1", "Айгерим", "retail")]
    replaced(database, [CRM_USERS, USERS])
    assert rows(database, "managers", "name, team_id") == [("aigerim", "retail")]
    put(database, CRM_USERS, [RawRow("9", {"person": 1, "name": "Айгерим", "team": None}, None, None)], None)
    replaced(database, [USERS, CRM_USERS])
    assert rows(database, "managers", "name, team_id") == [("Айгерим", None)]


def test_unknown_senders_are_quarantined_and_counted_until_they_are_understood(database: Warehouse) -> None:
    put(
        database,
        MESSAGES,
        [said(1, 1, odd=["unmapped_sender"]), said(2, 2, odd=["a", "a", "b"]), said(3, 30, odd=["a"])],
    )
    counts = replaced(database, [MESSAGES])
    assert counts.unmapped_senders == 1
    assert counts.quarantined == {"unmapped_sender": 1, "a": 3, "b": 1}
    assert rows(database, "quarantine", "external_id, reason, items") == [
        ("1", "unmapped_sender", 1),
        ("2", "a", 2),
        ("2", "b", 1),
        ("3", "a", 1),
    ]
    put(database, MESSAGES, [said(n, n, version=2) for n in (1, 2)] + [said(3, 30, version=2)])
    assert replaced(database, [MESSAGES], day(0)).quarantined == {}
    assert rows(database, "quarantine", "external_id") == [("3",)]


def test_row_that_breaks_the_parser_is_quarantined_and_the_others_go_on(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1, broken=True), said(2, 2)])
    counts = replaced(database, [MESSAGES])
    assert counts.quarantined == {"parser_error": 1}
    assert rows(database, "messages", "message_id") == [("2",)]


def test_other_accounts_are_left_alone(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1)])
    replaced(database, [MESSAGES])
    with database.connect() as connection:
        connection.execute("update core.messages set connection_id = 'other', conversation_id = 'other:1'")
    put(database, MESSAGES, [])
    replaced(database, [MESSAGES])
    assert rows(database, "messages", "connection_id") == [("other",), ("shop",)]


def test_only_the_named_tables_are_written(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1, events={1: START.isoformat()})])
    assert set(replaced(database, [MESSAGES], tables={"events"}).rows) == {"events"}
    assert rows(database, "messages", "message_id") == []
    assert rows(database, "events", "event_id") == [("e1",)]
    with pytest.raises(ValueError, match="no core tables"):
        replaced(database, [MESSAGES], tables={"no_such"})


def test_without_a_window_everything_is_taken(database: Warehouse) -> None:
    put(database, MESSAGES, [said(1, 1), RawRow("2", {"at": START.isoformat()}, None, None)], None)
    assert replaced(database, [MESSAGES], None).rows["messages"] == 2
    assert replaced(database, [MESSAGES], None).touched == frozenset()


def test_portions_make_no_difference(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, MESSAGES, [said(n, n / 10) for n in range(50)])
    replaced(database, [MESSAGES])
    before = table_hashes(database, ("core",))
    with database.connect() as connection:
        connection.execute("truncate core.messages")
    monkeypatch.setattr(core, "PORTION", 7)
    replaced(database, [MESSAGES])
    assert table_hashes(database, ("core",)) == before


def test_two_writers_of_one_account_do_not_meet(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connect(autocommit=True) as other, core_lock(other, "shop"):
        monkeypatch.setattr(core, "core_lock", lambda connection, name: core_lock(connection, name, wait=0.3))
        with pytest.raises(Busy, match="core tables of shop"):
            replaced(database, [MESSAGES])
