"""Landing: no row lost, doubled or stale, whatever the source sends and wherever a reading is cut off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from time import sleep
from typing import Any

import pytest

from conversations.source import Page, RawRow
from conversations.window import Window
from resources.clients.errors import BadAnswer, CursorLoop
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.hashes import table_hashes
from resources.warehouse.land import OVERLAP, READINGS_AGAIN
from resources.warehouse.locks import stream_lock
from resources.warehouse.roles import Role
from tests.loader import land
from tests.warehouse.sources import START, WINDOW, FakeSource, PagesSource, row

TABLE = "raw.retailcrm__messages"


class Cut(Exception):
    """The reading ends here."""


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as connection:
        connection.execute(f"truncate {TABLE}, raw.retailcrm__users, ops.cursors, ops.read_pages")


def stored(warehouse: Warehouse, columns: str = "external_id, payload") -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from {TABLE} order by external_id::int").fetchall()


def test_rows_arrive_once_with_their_payload(database: Warehouse) -> None:
    rows = [row(number, hours=number / 10, text="Добрый день! 'кавычки' \\ \t \n 😀 % {}") for number in range(25)]
    landed = land(FakeSource(rows), "messages", WINDOW, database)
    assert (landed.pages, landed.rows, landed.inserted, landed.updated, landed.gone) == (4, 25, 25, 0, 0)
    assert landed.rows_by_day == {date(2026, 5, 4): 25}
    assert not landed.resumed
    assert stored(database) == [(one.external_id, one.payload) for one in rows]


def test_days_are_counted_in_the_zone_that_is_asked_for(database: Warehouse) -> None:
    landed = land(
        FakeSource([row(1, hours=1), row(2, hours=23)]), "messages", WINDOW, database, time_zone="Asia/Almaty"
    )
    assert landed.rows_by_day == {date(2026, 5, 4): 1, date(2026, 5, 5): 1}


def test_second_reading_of_the_same_changes_nothing_at_all(database: Warehouse) -> None:
    source = FakeSource([row(number) for number in range(25)])
    land(source, "messages", WINDOW, database)
    before = table_hashes(database)
    landed = land(source, "messages", WINDOW, database)
    assert (landed.inserted, landed.updated, landed.unchanged) == (0, 0, 25)
    assert table_hashes(database) == before
    assert source.asked == [None, None]


def test_newer_version_replaces_and_older_does_not(database: Warehouse) -> None:
    land(FakeSource([row(1, version=5, text="new")]), "messages", WINDOW, database)
    land(FakeSource([row(1, version=2, text="old")]), "messages", WINDOW, database)
    assert stored(database)[0][1]["text"] == "new"
    landed = land(FakeSource([row(1, version=9, text="newest")]), "messages", WINDOW, database)
    assert landed.updated == 1
    assert stored(database)[0][1]["text"] == "newest"


def test_without_a_version_time_the_content_decides(database: Warehouse) -> None:
    def user(name: str) -> RawRow:
        return RawRow("7", {"name": name}, None, None)

    for name, updated in (("Айгерим", 0), ("Айгерим", 0), ("Айгерим К.", 1)):
        landed = land(FakeSource([user(name)]), "users", None, database)
        assert landed.updated == updated
        assert landed.rows_by_day == {}


def test_of_two_versions_on_one_page_the_newer_wins_in_any_order(database: Warehouse) -> None:
    for rows in itertools.permutations([row(1, version=1, text="a"), row(1, version=3, text="c"), row(1, version=2)]):
        land(FakeSource(list(rows)), "messages", WINDOW, database, restart=True)
        assert [payload["text"] for _, payload in stored(database)] == ["c"]


def test_first_version_keeps_its_time_when_the_message_moves(database: Warehouse) -> None:
    land(FakeSource([row(1, hours=1)]), "messages", WINDOW, database)
    land(FakeSource([row(1, hours=5, version=9)]), "messages", WINDOW, database)
    assert stored(database, "event_at, first_event_at") == [(START + timedelta(hours=5), START + timedelta(hours=1))]


def test_duplicated_pages_and_rows_out_of_order_make_no_difference(database: Warehouse) -> None:
    rows = [row(number) for number in range(30)]
    pages = [Page(rows[20:30], {"p": 1}), Page(rows[20:30], {"p": 2}), Page(rows[5:20][::-1], {"p": 3})]
    pages += [Page(rows[0:8], {"p": 4}), Page([], None)]
    landed = land(PagesSource(iter(pages)), "messages", WINDOW, database)
    assert landed.inserted == 30
    assert stored(database) == [(one.external_id, one.payload) for one in rows]


def test_cut_reading_goes_on_after_the_last_committed_page(database: Warehouse) -> None:
    source = FakeSource([row(number) for number in range(50)])

    def cut(number: int) -> None:
        if number == 3:
            raise Cut

    source.before_page = cut
    with pytest.raises(Cut):
        land(source, "messages", WINDOW, database)
    assert len(stored(database)) == 30
    source.before_page = lambda number: None
    landed = land(source, "messages", WINDOW, database)
    assert landed.resumed
    # from the last committed page to the end, then once more from the start
    assert source.asked == [None, {"position": 30}, None]
    assert landed.inserted == 20
    assert landed.gone == 0
    with database.connect() as connection:
        assert connection.execute("select count(*) from ops.read_pages").fetchone() == (0,)
        state = connection.execute("select cursor, is_complete, watermark from ops.cursors").fetchone()
    assert state == (None, True, START + timedelta(hours=1) - OVERLAP)


def test_restart_forgets_where_it_was_cut(database: Warehouse) -> None:
    source = FakeSource([row(number) for number in range(50)])

    def cut(number: int) -> None:
        if number == 3:
            raise Cut

    source.before_page = cut
    with pytest.raises(Cut):
        land(source, "messages", WINDOW, database)
    source.before_page = lambda number: None
    landed = land(source, "messages", WINDOW, database, restart=True)
    assert not landed.resumed
    assert (landed.inserted, landed.unchanged) == (20, 30)


def test_row_that_a_complete_reading_misses_is_gone_and_may_come_back(database: Warehouse) -> None:
    rows = [row(number) for number in range(25)]
    land(FakeSource(rows), "messages", WINDOW, database)
    landed = land(FakeSource(rows[:12] + rows[13:]), "messages", WINDOW, database)
    assert landed.gone == 1
    assert [one for one, gone in stored(database, "external_id, gone_at is not null") if gone] == ["12"]
    assert landed.rows_by_day == {date(2026, 5, 4): 24}
    before = table_hashes(database)
    assert land(FakeSource(rows[:12] + rows[13:]), "messages", WINDOW, database).gone == 0
    assert table_hashes(database) == before
    land(FakeSource(rows), "messages", WINDOW, database)
    assert not any(gone for (gone,) in stored(database, "gone_at is not null"))


def test_reading_that_was_cut_calls_nothing_gone_that_its_first_part_saw(database: Warehouse) -> None:
    rows = [row(number) for number in range(50)]
    land(FakeSource(rows), "messages", WINDOW, database)
    source = FakeSource(rows[:49])
    for _ in range(3):

        def cut(number: int) -> None:
            if number == 1:
                raise Cut

        source.before_page = cut
        with pytest.raises(Cut):
            land(source, "messages", WINDOW, database)
        assert not any(gone for (gone,) in stored(database, "gone_at is not null"))
    source.before_page = lambda number: None
    landed = land(source, "messages", WINDOW, database)
    assert landed.resumed
    assert landed.gone == 1
    assert [one for one, gone in stored(database, "external_id, gone_at is not null") if gone] == ["49"]


def test_rows_outside_of_the_window_and_of_other_accounts_are_never_called_gone(database: Warehouse) -> None:
    inside, outside = row(1, hours=1), row(2, hours=30)
    land(FakeSource([inside, outside]), "messages", Window(START, START + timedelta(days=3)), database)
    other = FakeSource([row(3)])
    other.connection_id = "other"
    land(other, "messages", WINDOW, database)
    assert land(FakeSource([]), "messages", WINDOW, database).gone == 1
    assert [one for one, gone in stored(database, "external_id, gone_at is not null") if gone] == ["1"]


def test_change_of_rows_already_read_is_in_when_the_restart_ends(database: Warehouse) -> None:
    source = FakeSource([row(number) for number in range(50)])
    # the second cut is within the reading that the first restart began anew
    for numbers, expected in (((3,), 30), ((9, 3), 50)):
        cut_at(source, *numbers)
        with pytest.raises(Cut):
            land(source, "messages", WINDOW, database)
        assert len(stored(database)) == expected
        first, *kept = source.rows
        edited = row(int(kept[0].external_id), version=expected, text="edited")
        source.rows = [edited, *kept[1:]]
        assert first.external_id not in {one.external_id for one in source.rows}
    cut_at(source)
    landed = land(source, "messages", WINDOW, database)
    assert (landed.resumed, landed.gone) == (True, 2)
    there = stored(database, "external_id, payload, gone_at is not null")
    assert [(one, payload) for one, payload, gone in there if not gone] == [
        (one.external_id, one.payload) for one in source.rows
    ]
    assert len(there) == 50


def cut_at(source: FakeSource, *numbers: int) -> None:
    """Cut the n-th next reading before the n-th of these pages."""
    readings = iter(numbers)
    state = {"at": -1}

    def before_page(number: int) -> None:
        if number == 0:
            state["at"] = next(readings, -1)
        if number == state["at"]:
            raise Cut

    source.before_page = before_page


def test_loader_that_is_cut_for_ever_ends_and_calls_nothing_gone_that_came_meanwhile(database: Warehouse) -> None:
    source = FakeSource([row(number) for number in range(30)])

    def cut(number: int) -> None:
        if number == 2:
            raise Cut

    source.before_page = cut
    for _ in range(READINGS_AGAIN + 1):
        with pytest.raises(Cut):
            land(source, "messages", WINDOW, database)
    wider = Window(START - timedelta(days=1), START + timedelta(days=1))
    land(FakeSource([row(number) for number in range(100)], page_size=1000), "messages", wider, database)
    landed = land(source, "messages", WINDOW, database)
    assert (landed.pages, landed.resumed, landed.gone) == (2, True, 0)
    assert land(FakeSource([row(number) for number in range(100)]), "messages", WINDOW, database).resumed is False


def test_source_is_asked_for_missed_rows_before_they_are_called_gone(database: Warehouse) -> None:
    class Asked(FakeSource):
        def still_there(self, stream: str, external_ids: list[str]) -> set[str]:
            self.missed = list(external_ids)
            return {"3"}

    land(FakeSource([row(number) for number in range(5)]), "messages", WINDOW, database)
    source = Asked([row(0), row(1)])
    assert land(source, "messages", WINDOW, database).gone == 2
    assert source.missed == ["2", "3", "4"]
    assert [one for one, gone in stored(database, "external_id, gone_at is not null") if gone] == ["2", "4"]


def test_stream_without_deletions_never_calls_a_row_gone(database: Warehouse) -> None:
    land(FakeSource([row(1), row(2)], detects_deletions=False), "messages", WINDOW, database)
    assert land(FakeSource([row(1)], detects_deletions=False), "messages", WINDOW, database).gone == 0


@pytest.mark.parametrize(
    "bad",
    [
        RawRow("", {"id": 0}, START, None),
        RawRow("1", {"id": START}, START, None),
        RawRow("1", {"id": 0}, datetime(2026, 5, 4, 1), None),
        RawRow("1", ["no", "object"], START, None),  # type: ignore[arg-type]
    ],
)
def test_page_with_a_bad_row_stores_nothing_of_the_page(database: Warehouse, bad: RawRow) -> None:
    pages = [Page([row(1), row(2)], {"p": 1}), Page([row(3), bad, row(4)], {"p": 2}), Page([], None)]
    with pytest.raises(BadAnswer, match="page 2 of 'messages'"):
        land(PagesSource(iter(pages)), "messages", WINDOW, database)
    assert [one for one, _ in stored(database)] == ["1", "2"]
    with database.connect() as connection:
        assert connection.execute("select cursor from ops.cursors").fetchone() == ({"p": 1},)


def test_a_row_that_somebody_else_writes_meanwhile_is_neither_lost_nor_doubled(database: Warehouse) -> None:
    """A writer that asks for no lock: the key refuses, the page is stored once more over what is there now."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'copy %%'"
    loader = database.as_role(Role.LOADER)
    with database.connect() as foreign, loader.connect(autocommit=True) as watcher, ThreadPoolExecutor(1) as pool:
        foreign.execute(
            f"insert into {TABLE} values ('shop', '2', %s, %s, '{{}}', '\\x00', now(), now(), %s, null)",
            (START, START - timedelta(days=1), START),
        )
        landing = pool.submit(land, FakeSource([row(1), row(2), row(3)]), "messages", WINDOW, database)
        while watcher.execute(waiting).fetchone() == (0,):
            assert not landing.done()
            sleep(0.01)
        foreign.commit()
        landed = landing.result()
    assert (landed.inserted, landed.updated) == (2, 1)
    assert [(one, payload["id"]) for one, payload in stored(database)] == [("1", 1), ("2", 2), ("3", 3)]


def forever(cursors: Iterator[int], *, rows: bool) -> Iterator[Page]:
    for number, cursor in enumerate(cursors):
        yield Page([row(number)] if rows else [row(1)], {"id": cursor, "kind": "x"})


@pytest.mark.parametrize(
    ("cursors", "rows"),
    [
        (itertools.repeat(7), True),  # stands still
        (itertools.cycle([5, 6, 7]), True),  # comes back
        (iter([9, 8, 7, 12, *range(13, 99)]), True),  # went down, then up
        (iter([1, 2, 5, 3, *range(100, 199)]), True),  # went up, then down
        (itertools.count(), False),  # moves on, brings the same
    ],
)
def test_endless_paging_is_stopped_as_a_cursor_loop(database: Warehouse, cursors: Iterator[int], rows: bool) -> None:
    with pytest.raises(CursorLoop) as stopped:
        land(PagesSource(forever(cursors, rows=rows)), "messages", WINDOW, database)
    assert stopped.value.reason == "cursor_loop"


def test_lower_cursor_is_never_stored(database: Warehouse) -> None:
    with pytest.raises(CursorLoop):
        land(PagesSource(forever(iter([1, 2, 5, 3]), rows=True)), "messages", WINDOW, database)
    with database.connect() as connection:
        assert connection.execute("select cursor->'id' from ops.cursors").fetchone() == (5,)
    assert len(stored(database)) == 3


def test_loop_over_several_cut_readings_is_seen(database: Warehouse) -> None:
    def cut_after(cursors: list[int]) -> Iterator[Page]:
        yield from forever(iter(cursors), rows=True)
        raise Cut

    for cursors in ([1, 2], [3, 4]):
        with pytest.raises(Cut):
            land(PagesSource(cut_after(cursors)), "messages", WINDOW, database)
    with pytest.raises(CursorLoop):
        land(PagesSource(cut_after([2])), "messages", WINDOW, database)


def test_busy_stream_is_left_alone(database: Warehouse) -> None:
    with database.connect(autocommit=True) as other, stream_lock(other, "shop", "messages"):
        with pytest.raises(Busy, match="another process") as busy:
            land(FakeSource([row(1)]), "messages", WINDOW, database)
        assert busy.value.exit_code == 75
        assert stored(database) == []
        land(FakeSource([RawRow("1", {}, None, None)]), "users", None, database)
    assert land(FakeSource([row(1)]), "messages", WINDOW, database).inserted == 1


def test_progress_is_told_after_each_page(database: Warehouse) -> None:
    told: list[int] = []
    source = FakeSource([row(number) for number in range(25)])
    land(source, "messages", WINDOW, database, progress=lambda landed: told.append(landed.rows))
    assert told == [10, 20, 25, 25]
