"""A file that somebody brings: twice is once, a later export is an addition, a kill anywhere costs nothing.

What is expected is counted from the lines that the test itself wrote.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conversations.imports.survey import Undecided, key_of, settle
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.imports import bring as importing
from resources.imports.bring import Brought, bring, write_failure
from resources.imports.errors import BadImport, ConnectionTaken
from resources.imports.opening import ImportedFile
from resources.imports.source import ExportSource
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.hashes import table_hashes
from resources.warehouse.imports import turn_back
from resources.warehouse.locks import account_lock, core_lock
from resources.warehouse.roles import Role
from tests.importing import talk, tiny_file, written
from tests.person_keys import KEYS

POLICY, LEXICON = Policy.default(), Lexicon.default()
FAIL_POINTS = (
    "imports.begun",
    "imports.landed",
    "imports.understood",
    "imports.linked",
    "imports.before_commit",
    "imports.written",
)
LAYERS = ("raw", "core", "evaluated", "ops")


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    with database.connect() as sql:
        tables = sql.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('raw', 'core', 'evaluated', 'ops') and tablename <> 'alembic_version'"
        ).fetchall()
        sql.execute(f"truncate {', '.join(table for (table,) in tables)}")  # type: ignore[arg-type]


def brought(database: Warehouse, file: ImportedFile) -> Brought:
    return bring(file, database.as_role(Role.LOADER), POLICY, LEXICON)


def counted(database: Warehouse, connection_id: str = "files") -> dict[str, int]:
    statement = """
        select (select count(*) from core.conversations where connection_id = %(one)s),
               (select count(*) from core.messages where connection_id = %(one)s),
               (select count(*) from core.quarantine where connection_id = %(one)s),
               (select count(*) from evaluated.waits where connection_id = %(one)s)
    """
    with database.connect() as sql:
        row = sql.execute(statement, {"one": connection_id}).fetchone()
    assert row is not None
    return dict(zip(("conversations", "messages", "quarantined", "waits"), row, strict=True))


def times(database: Warehouse) -> list[tuple[object, ...]]:
    with database.connect() as sql:
        return [
            *sql.execute("select message_id, sent_at, window_at, business_on from core.messages order by 1").fetchall(),
            *sql.execute("select wait_id, opened_at, answered_at from evaluated.waits order by 1").fetchall(),
        ]


def hashes(database: Warehouse) -> dict[str, str]:
    return table_hashes(database, LAYERS)


def test_a_file_goes_all_the_way_and_twice_is_once(database: Warehouse, tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", talk(6))
    first = brought(database, tiny_file(path))
    before = hashes(database)
    again = brought(database, tiny_file(path))

    assert (first.is_unchanged, first.chats, first.messages, first.inserted, first.quarantined) == (False, 1, 6, 6, 0)
    assert (first.first_at, first.last_at) == (
        datetime(2026, 2, 2, 7, 0, tzinfo=UTC),
        datetime(2026, 2, 2, 7, 5, tzinfo=UTC),
    )
    assert counted(database) == {"conversations": 1, "messages": 6, "quarantined": 0, "waits": 3}
    assert again.is_unchanged and (again.messages, again.chats) == (6, 1)
    assert hashes(database) == before


def test_a_later_export_of_the_chat_adds_what_is_new(database: Warehouse, tmp_path: Path) -> None:
    brought(database, tiny_file(written(tmp_path / "a.txt", talk(6))))
    second = brought(database, tiny_file(written(tmp_path / "b.txt", talk(10))))
    both = hashes(database)

    assert (second.messages, second.inserted) == (10, 4)
    assert counted(database) == {"conversations": 1, "messages": 10, "quarantined": 0, "waits": 5}
    with database.connect() as sql:
        files = sql.execute("select messages, state from ops.imports order by messages").fetchall()
    assert files == [(6, "done"), (10, "done")]
    # an older export once more: nothing is lost and nothing comes back
    brought(database, tiny_file(tmp_path / "a.txt"))
    assert hashes(database) == both


def test_an_export_of_other_days_leaves_the_days_of_the_first_alone(database: Warehouse, tmp_path: Path) -> None:
    brought(database, tiny_file(written(tmp_path / "a.txt", [*talk(4, day=2), "не сообщение"])))
    brought(database, tiny_file(written(tmp_path / "b.txt", talk(6, day=9))))
    assert counted(database) == {"conversations": 1, "messages": 10, "quarantined": 1, "waits": 5}


def test_what_cannot_be_understood_is_kept_and_counted(database: Warehouse, tmp_path: Path) -> None:
    odd = ["без времени", *talk(4), "|Анна|когда-нибудь"]
    first = brought(database, tiny_file(written(tmp_path / "a.txt", odd)))
    assert (first.messages, first.quarantined, dict(first.reasons)) == (6, 1, {"no_stamp": 1})
    # a message without a time is stored as well, and keeps its talk out of waits
    assert counted(database) == {"conversations": 1, "messages": 5, "quarantined": 1, "waits": 0}
    with database.connect() as sql:
        row = sql.execute("select messages, quarantined, reason from ops.imports").fetchone()
        originals = sql.execute("select payload ->> 'original' from raw.whatsapp_export__messages").fetchall()
    assert row == (6, 1, None)
    assert sorted(one for (one,) in originals) == sorted(odd)


def test_other_choices_read_the_file_again(database: Warehouse, tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", talk(6))
    brought(database, tiny_file(path))
    turned = brought(database, tiny_file(path, staff=frozenset({"Анна"})))

    assert (turned.is_unchanged, turned.inserted, turned.updated) == (False, 0, 6)
    with database.connect() as sql:
        sides = sql.execute("select sender_kind, count(*) from core.messages group by 1 order by 1").fetchall()
    assert sides == [("customer", 3), ("manager", 3)]
    assert brought(database, tiny_file(path, version="2")).is_unchanged is False


def test_marks_of_a_file_read_again_are_made_under_the_lock_of_its_core_tables(
    database: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever judges another connection of its humans tells them under that lock: two writers of marks could meet."""
    seen = list[bool]()

    def looked(sql: psycopg.Connection[Any], connection_id: str, judged_at: datetime) -> None:
        with database.connect(autocommit=True) as other:
            try:
                with core_lock(other, connection_id, wait=0):
                    seen.append(False)
            except Busy:
                seen.append(True)
        turn_back(sql, connection_id, judged_at)

    monkeypatch.setattr(importing, "turn_back", looked)
    path = written(tmp_path / "a.txt", talk(6))
    brought(database, tiny_file(path, date_order="mdy"))
    brought(database, tiny_file(path))
    assert seen == [True]


def dated_wrong(database: Warehouse) -> None:
    with database.connect() as sql:
        sql.execute(
            "update raw.whatsapp_export__messages set event_at = event_at - interval '30 days',"
            " first_event_at = first_event_at - interval '30 days', payload_hash = ''"
        )
        sql.execute(
            "update core.messages set sent_at = sent_at - interval '30 days',"
            " window_at = window_at - interval '30 days'"
        )


def test_a_longer_export_in_another_zone_dates_what_both_have_anew(database: Warehouse, tmp_path: Path) -> None:
    brought(database, tiny_file(written(tmp_path / "a.txt", talk(6))))
    dated_wrong(database)
    brought(database, tiny_file(written(tmp_path / "b.txt", talk(10))))
    with database.connect() as sql:
        sent = sql.execute("select sent_at from core.messages order by 1").fetchall()
    assert sent == [(datetime(2026, 2, 2, 7, n, tzinfo=UTC),) for n in range(10)]
    assert counted(database)["waits"] == 5


def test_a_file_read_in_another_zone_is_dated_anew(database: Warehouse, tmp_path: Path) -> None:
    """Ids of real files do not depend on the zone; here they are kept by hand, and the stored instants are moved."""
    path = written(tmp_path / "a.txt", talk(6))
    brought(database, tiny_file(path))
    expected = times(database)
    dated_wrong(database)
    with database.connect() as sql:
        sql.execute("update ops.imports set choices_hash = 'another'")
    assert times(database) != expected
    brought(database, tiny_file(path))
    assert times(database) == expected


def test_what_a_wrong_reading_brought_is_taken_back(database: Warehouse, tmp_path: Path) -> None:
    """A wrong title gives every row another id, as a wrong order of the date does."""
    other = written(tmp_path / "other.txt", talk(8, day=9))
    brought(database, tiny_file(other, chat="Вера"))
    path = written(tmp_path / "a.txt", talk(6))
    brought(database, tiny_file(path, chat="Опечатка"))
    assert counted(database)["messages"] == 14
    for title in ("Анна", "Опечатка", "Анна"):
        again = brought(database, tiny_file(path, chat=title))
        assert not again.is_unchanged
        assert (counted(database)["messages"], counted(database)["waits"]) == (14, 7)
        with database.connect() as sql:
            there = sql.execute(
                "select distinct payload ->> 'chat' from raw.whatsapp_export__messages where gone_at is null"
            ).fetchall()
        assert {one for (one,) in there} == {key_of(title), key_of("Вера")}
    # of a file that is not the last one nothing is taken back: its rows may be another's by now
    brought(database, tiny_file(other, chat="Вера Петровна"))
    assert counted(database)["messages"] == 22
    assert brought(database, tiny_file(path, chat="Анна")).is_unchanged


def test_a_wrong_order_of_the_date_moves_no_clock_for_good(database: Warehouse, tmp_path: Path) -> None:
    """Of 9 February it makes 2 September: what is not answered yet must not count as never answered afterwards."""
    waiting = "2026-02-09T15:00:00+00:00|Анна|а сегодня?"
    path = written(tmp_path / "a.txt", [*talk(6, day=9), waiting])
    brought(database, tiny_file(path, date_order="mdy"))
    with database.connect() as sql:
        assert sql.execute("select as_of from ops.as_of").fetchall() == [(datetime(2026, 9, 2, 21, tzinfo=UTC),)]
    brought(database, tiny_file(path))
    with database.connect() as sql:
        assert sql.execute("select as_of from ops.as_of").fetchall() == [(datetime(2026, 2, 9, 21, tzinfo=UTC),)]
        waits = sql.execute("select outcome, count(*) from evaluated.waits group by 1 order by 1").fetchall()
        days = sql.execute("select business_on::text, reported from ops.completeness").fetchall()
    assert waits == [("in_target", 3), ("pending", 1)]
    assert days == [("2026-02-09", 7)]


def test_nothing_is_stored_of_a_file_that_cannot_be_used(database: Warehouse, tmp_path: Path) -> None:
    before = hashes(database)
    bad = written(tmp_path / "a.txt", [*talk(3000), "# обрыв"])
    with pytest.raises(BadImport, match="line 3001"):
        brought(database, tiny_file(bad))
    nobody = written(tmp_path / "b.txt", talk(4))
    with pytest.raises(Undecided):
        brought(database, tiny_file(nobody, staff=frozenset()))
    assert hashes(database) == before
    for path, error in (
        (bad, BadImport("files", "long_line", "line 3")),
        (nobody, BadImport("files", "undecided_staff")),
    ):
        write_failure(database.as_role(Role.LOADER), tiny_file(path), error)
    with database.connect() as sql:
        assert sql.execute("select state, reason from ops.imports order by reason").fetchall() == [
            ("failed", "long_line"), ("failed", "undecided_staff")
        ]  # fmt: skip
    # brought with what was missing, it is done; a failure does not cover what was imported
    brought(database, tiny_file(nobody))
    write_failure(database.as_role(Role.LOADER), tiny_file(nobody), BadImport("files", "empty"))
    with database.connect() as sql:
        assert sql.execute("select state from ops.imports order by state").fetchall() == [("done",), ("failed",)]


def test_a_file_that_changes_while_it_is_read_is_refused(database: Warehouse, tmp_path: Path) -> None:
    file = tiny_file(written(tmp_path / "a.txt", talk(6)))
    written(tmp_path / "a.txt", talk(7))
    with pytest.raises(BadImport, match="changed"):
        brought(database, file)
    assert counted(database)["messages"] == 0


def test_a_busy_or_taken_connection_is_left_alone(database: Warehouse, tmp_path: Path) -> None:
    file = tiny_file(written(tmp_path / "a.txt", talk(6)))
    with database.connect(autocommit=True) as session, account_lock(session, "files"), pytest.raises(Busy):
        brought(database, file)
    with database.connect() as sql:
        sql.execute(
            "insert into raw.telegram_export__chats (connection_id, external_id, payload, payload_hash, fetched_at,"
            " first_fetched_at) values ('files', '1', '{}', '', now(), now())"
        )
    before = hashes(database)
    with pytest.raises(ConnectionTaken) as taken:
        brought(database, file)
    assert (taken.value.source, taken.value.connection_id) == ("telegram_export", "files")
    assert hashes(database) == before


def test_pages_are_bounded_and_a_cursor_goes_on_behind_its_rows(tmp_path: Path) -> None:
    file = tiny_file(written(tmp_path / "a.txt", talk(25)))
    settled = settle(file.survey(), file.choices)
    source = ExportSource(file, settled, page_rows=10)
    pages = list(source.pages("messages", None, None))
    assert [len(page.rows) for page in pages] == [10, 10, 5]
    assert [page.cursor and page.cursor["rows"] for page in pages] == [10, 20, None]
    rest = [row for page in source.pages("messages", None, pages[0].cursor) for row in page.rows]
    assert rest == [row for page in pages[1:] for row in page.rows]
    # of another content or other choices, a cursor means nothing
    foreign = {"rows": 10, "sha256": "of another file"}
    assert sum(len(page.rows) for page in source.pages("messages", None, foreign)) == 25
    assert (source.rows, source.undated) == (25, 0)
    with pytest.raises(ValueError, match="no stream"):
        next(source.pages("orders", None, None))


def test_long_messages_end_a_page(tmp_path: Path) -> None:
    rows = [row + "x" * 500_000 for row in talk(40)]
    file = tiny_file(written(tmp_path / "a.txt", rows))
    settled = settle(file.survey(), file.choices)
    sizes = [len(page.rows) for page in ExportSource(file, settled).pages("messages", None, None)]
    assert sum(sizes) == 40 and max(sizes) <= 16


def killed_at(place: str, database: Warehouse, file: ImportedFile) -> None:
    child = os.fork()
    if child == 0:
        os.environ["FAILPOINT"] = place
        try:
            with Warehouse.at(database.url) as own:
                bring(file, own, POLICY, LEXICON)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -9, f"{place} was not passed"


@pytest.mark.parametrize(
    "place", [*FAIL_POINTS, "land.page_committed", "core.before_commit", "evaluated.before_commit"]
)
def test_killed_anywhere_and_brought_again_nothing_is_missing_or_doubled(
    place: str, database: Warehouse, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.txt", ["без времени", *talk(50)])
    killed_at(f"{place}:1", database, tiny_file(path))
    brought(database, tiny_file(path))
    after = hashes(database)
    assert counted(database) == {"conversations": 1, "messages": 50, "quarantined": 1, "waits": 25}
    for table in ("raw", "core", "evaluated"):
        assert any(name.startswith(table) for name in after)
    brought(database, tiny_file(path))
    assert hashes(database) == after


# the first page is that of the chats
@pytest.mark.parametrize("place", ["land.page_committed:2", "imports.landed:1", "core.committed:1"])
@pytest.mark.parametrize("is_first_done", [False, True])
def test_killed_under_wrong_choices_nothing_of_them_is_left(
    place: str, is_first_done: bool, database: Warehouse, tmp_path: Path
) -> None:
    """A wrong title and the sides the wrong way round, cut off; then the right ones, as if never wrong."""
    path = written(tmp_path / "a.txt", talk(20))
    right, wrong = tiny_file(path), tiny_file(path, chat="Опечатка", staff=frozenset({"Анна"}))
    if is_first_done:
        brought(database, right)
    killed_at(place, database, wrong)
    assert not brought(database, right).is_unchanged
    with database.connect() as sql:
        said = sql.execute("select conversation_id, sender_kind, count(*) from core.messages group by 1, 2").fetchall()
        live = sql.execute("select count(*) from raw.whatsapp_export__messages where gone_at is null").fetchone()
        waits = sql.execute("select count(*), count(distinct owner_manager_id) from evaluated.waits").fetchone()
    chat = KEYS.full_id("files", key_of("Анна"))
    assert sorted(said) == [(chat, "customer", 10), (chat, "manager", 10)]
    assert live == (20,) and waits == (10, 1)
    assert brought(database, right).is_unchanged


def test_a_file_that_is_cut_off_for_ever_takes_no_other_with_it(database: Warehouse, tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.txt", talk(20)), written(tmp_path / "b.txt", talk(30, day=9))
    for _ in range(5):
        killed_at("land.read_ended:2", database, tiny_file(first))
    assert brought(database, tiny_file(second)).inserted == 30
    assert counted(database)["messages"] == 30
    brought(database, tiny_file(first))
    assert counted(database)["messages"] == 50
