"""``land()``: the one way into the raw tables. Reads a source page by page; no row is lost, doubled or stale.

Here: the transaction of a page, resuming, what is gone at the source. Not here: the text of the statements
(``land_statements``), paging and cursors (the source), what a payload means (the parser).

The promises, and how they are kept:

- A page's rows, its cursor and its ids are one transaction (D2). A killed loader goes on after the last committed page.
  The server stores a page while the next one is read and made; there is one transaction at a time, in their order.
- The disk is waited for once, at the end of a reading, however it ends: what ``land`` returns or raises is told of rows
  that are on it. A server that dies within a reading may lose the pages of its last half second, rows and cursor
  together, and the next call reads them again.
- Rows are keyed; a version is written over another only when it is newer, an equal one is not written at all (D1).
- One session per account and stream: it holds an advisory lock (D4), so that nobody else writes between its statements.
- What was read before a cut may have been changed or deleted until the restart. A resumed call therefore reads the
  window again from the start before the window counts as complete: it ends with what the source held while that very
  call ran. Cut anew, it goes on within that reading and begins another one, ``READINGS_AGAIN`` times at most, so that
  a loader which is killed for ever still ends. Only past that number do pages from before a cut count.
- A window that was read to its end is read from the start next time. Only a complete reading proves that a stored row
  is gone; the source is asked for the missed rows by id where it can be.
- The watermark comes from the source's own times (D3). It tells a person how far a window's rows reach; no reading is
  begun or left out by it: every window is read whole. Nothing that changes by itself is stored: reading again what
  did not change leaves every table as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from conversations.source import Page, Source
from conversations.window import Window
from resources.clients.errors import BadAnswer
from resources.warehouse.copy_binary import count, instant, parts, text
from resources.warehouse.copy_commit import CopyCommit
from resources.warehouse.copy_text import array
from resources.warehouse.cursor_guard import CursorGuard
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.land_statements import PAGE_TABLE, STATEMENTS
from resources.warehouse.locks import stream_lock
from resources.warehouse.raw_rows import (
    COLUMNS,
    Latest,
    UnfitRow,
    copy_row,
    is_newer,
    latest_rows,
    version_of,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(hours=1)
ALL_READ = "end"
"""Stored in place of a cursor (an object) when all pages are in and the reading is not settled yet. A number in its
place, also as the cursor of page 0, says how often the window has been begun again."""
NEVER = 2**31
"""So often a statement would have to come before the driver prepares it unasked."""
READINGS_AGAIN = 3
"""Each one follows a cut within the reading before it: three in a row are no accident but a limit set too low."""


@dataclass(frozen=True)
class Landed:
    """What one call of ``land`` did. Counts are rows, as the source returned them."""

    pages: int = 0
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    gone: int = 0
    """Stored rows that the complete reading missed for the first time."""
    resumed: bool = False
    """This call went on where an earlier one was cut off."""
    rows_by_day: dict[date, int] | None = None
    """Rows of the window that are stored and not gone, by local day of ``event_at``; empty for a directory."""


def land(
    source: Source,
    stream: str,
    window: Window | None,
    warehouse: Warehouse,
    *,
    restart: bool = False,
    time_zone: str = "UTC",
    run_id: str | None = None,
    progress: Callable[[Landed], None] | None = None,
) -> Landed:
    """Read ``stream`` in ``window`` into ``raw.<source>__<stream>`` and return what that did.

    ``window`` is ignored for a directory; ``None`` for a windowed stream reads all that the source has. ``restart``
    forgets where an earlier call was cut off.

    Raises:
        Busy: another process loads the same stream of the same account.
        SourceError: the source could not be read further; committed pages stay and the next call goes on there.
        WarehouseUnavailable: the database went away or is full; likewise.
    """
    bounds = window if source.streams[stream].is_windowed else None
    name = f"otklik land {run_id or ''}".strip()
    with (
        warehouse.connect(name, autocommit=True) as connection,
        stream_lock(connection, source.connection_id, stream),
    ):
        return _Reading(connection, source, stream, bounds, time_zone, progress).run(restart)


class _Made(NamedTuple):
    """A page made fit for the tables, as far as that is possible without asking them."""

    page: Page
    number: int
    latest: Latest
    ids: str
    """What the page's mark says of them: the text of an array."""
    watermark: datetime | None
    new: list[bytes] | None
    """The rows as they are copied if all of them are new; ``None`` where that is not to be expected."""


class _Stored(NamedTuple):
    """A page that is on its way into the tables."""

    made: _Made
    inserted: int
    updated: int


class _Reading:
    """One logical reading of a window, over as many calls as it takes."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        source: Source,
        stream: str,
        window: Window | None,
        time_zone: str,
        progress: Callable[[Landed], None] | None,
    ) -> None:
        self._sql = connection
        self._source = source
        self._stream = stream
        self._window = window
        self._time_zone = time_zone
        self._progress = progress or (lambda _: None)
        self._finds_gone = source.streams[stream].detects_deletions
        self._table = sql.Identifier("raw", f"{source.name}__{stream}")
        start, end = (window.start, window.end) if window is not None else (EPOCH, EPOCH)
        self._key = {"connection_id": source.connection_id, "stream": stream, "start": start, "end": end}
        self._account = text(source.connection_id)
        self._guard = CursorGuard(source.connection_id, stream)
        self._statements = {name: sql.SQL(text).format(table=self._table) for name, text in STATEMENTS.items()}  # type: ignore[arg-type]
        self._ending = CopyCommit(connection)
        self._storing: _Stored | None = None
        self._landed = Landed()
        self._page_number = 0
        self._readings_again = 0
        self._was_empty = self._is_first = False

    def run(self, restart: bool) -> Landed:
        stored = None if restart else self._run("cursor").fetchone()
        cursor: Any = stored[0] if stored is not None and not stored[1] else None
        if cursor is not None:
            pages = self._run("pages").fetchall()
            self._page_number = len(pages)
            for (seen,) in pages:
                self._guard.accept(seen)
                if isinstance(seen, int):
                    self._readings_again = seen
            self._landed = replace(self._landed, resumed=True)
        self._sql.execute(PAGE_TABLE)
        # a page is looked up by key. Left alone, the planner reads a table whole that was small when it last
        # looked, the driver keeps that plan, and every page reads all that has been stored so far
        self._sql.prepare_threshold = NEVER
        self._sql.execute("set enable_seqscan = off")
        # what was empty has no row to look for on every page, and none that could be gone
        (self._was_empty,) = self._one(self._in_window("nothing_stored"))
        self._is_first = self._was_empty
        has_pages_of_before = cursor is not None and not isinstance(cursor, int)
        with self._kept_at_the_end():
            # commits wait for no disk now: one that does comes after them, and the log of the server keeps their order
            self._sql.execute("set synchronous_commit = off")
            if cursor != ALL_READ:
                self._read(cursor if has_pages_of_before else None)
            if has_pages_of_before and self._readings_again < READINGS_AGAIN:
                self._begin_again()
                self._read(None)
            self._sql.execute("reset enable_seqscan; reset synchronous_commit")
            self._settle()
        fail_point("land.completed")
        return replace(self._landed, rows_by_day=self._rows_by_day())

    @contextmanager
    def _kept_at_the_end(self) -> Iterator[None]:
        """A block that ends with a commit waiting for the disk, or makes one when an error ends it."""
        try:
            yield
        except BaseException:
            # a session that is lost can keep nothing, and the error that is on its way must not be covered
            with suppress(psycopg.Error):
                self._sql.execute("reset synchronous_commit")
                self._run("keep")
            raise

    def _begin_again(self) -> None:
        """Forget the pages, so that what is gone is proved by the new reading alone."""
        fail_point("land.before_again")
        self._readings_again += 1
        self._was_empty = self._is_first = False
        with self._sql.transaction():
            self._run("forget_pages")
            self._run("mark_page", page=0, cursor=Jsonb(self._readings_again), page_ids="{}", watermark=None)
        fail_point("land.begun_again")
        self._page_number = 1
        self._guard = CursorGuard(self._source.connection_id, self._stream)

    def _read(self, cursor: Any) -> None:
        pages = self._source.pages(self._stream, self._window, cursor)
        with ExitStack() as ending:
            # in whatever way the reading ends: what it has read so far is stored
            ending.callback(self._finish)
            if (close := getattr(pages, "close", None)) is not None:
                ending.callback(close)
            for page in _with_fail_points(iter(pages)):
                self._guard.accept(page.cursor, frozenset(row.external_id for row in page.rows))
                self._store(page)
                if page.cursor is None:
                    return
            # no page said that it was the last: reading ended with the source's own end
            self._store(Page([], None))

    def _store(self, page: Page) -> None:
        """Make the page while the one before it is being stored, then have it stored."""
        try:
            made = self._made(page)
            self._finish()
            self._storing = self._begin(made)
        except UnfitRow as unfit:
            raise BadAnswer(
                self._source.connection_id,
                f"page {self._page_number + 1} of '{self._stream}' holds a row that cannot be stored: {unfit}",
            ) from None

    def _made(self, page: Page) -> _Made:
        latest = latest_rows(page.rows)
        # row by row to the end: a payload is copied while it is at hand
        new = [copy_row(version_of(one, latest)) for one in latest.rows] if self._is_first else None
        times = [row.updated_at or row.event_at for row in page.rows]
        newest = max((one for one in times if one is not None), default=None)
        ids = array(sorted(latest.rows) if self._finds_gone else [])
        return _Made(page, self._page_number, latest, ids, newest - OVERLAP if newest is not None else None, new)

    def _begin(self, made: _Made) -> _Stored:
        """The transaction of a page: its rows, its ids, its cursor. It is on its way when this returns."""
        try:
            self._sql.execute("begin")
            if made.number == 0:
                self._run("forget_pages")
            new, updated = self._new_and_updated(made)
            cursor = ALL_READ if made.page.cursor is None else dict(made.page.cursor)
            mark = self._run(
                "mark_page", page=made.number, cursor=Jsonb(cursor), page_ids=made.ids, watermark=made.watermark
            )
            if new:
                (now,) = mark.fetchone() or ()
                self._ending.begin(self._statements["copy_new"].as_string(self._sql))
                before = count(len(COLUMNS) + 3) + self._account + 2 * instant(now)
                self._ending.rows(parts(before, new))
                fail_point("land.page_staged")
            fail_point("land.page_before_commit")
            self._ending.end()
        except BaseException:
            self._ending.give_up()
            raise
        self._page_number = made.number + 1
        return _Stored(made, len(new), updated)

    def _finish(self) -> None:
        """Wait for the page that is being stored, if there is one."""
        storing, self._storing = self._storing, None
        if storing is None:
            return
        for may_try_again in (True, self._is_first, False):
            try:
                self._ending.finish()
                break
            except psycopg.errors.UniqueViolation:
                # the window was empty and a page before this one brought the row as well, or somebody who does not ask
                # for locks wrote it meanwhile: it is a stored row now
                if not may_try_again:
                    raise
                self._is_first = False
                storing = self._begin(storing.made)
        rows, landed = len(storing.made.page.rows), self._landed
        self._landed = replace(
            landed,
            pages=landed.pages + 1,
            rows=landed.rows + rows,
            inserted=landed.inserted + storing.inserted,
            updated=landed.updated + storing.updated,
            unchanged=landed.unchanged + rows - storing.inserted - storing.updated,
        )
        fail_point("land.page_committed")
        self._progress(self._landed)

    def _new_and_updated(self, made: _Made) -> tuple[list[bytes], int]:
        """Write what is newer than what is stored; returns the rows that are not stored, and how many were updated.

        Most rows of a nightly reading are stored already: asking first spares them the write that even a refused
        "on conflict" makes. Most rows of a backfill are new: they are copied straight into the table, where the key
        refuses what is stored. A window that was empty is not asked until the key has refused something. Only newer
        versions of stored rows take the way of the upsert.
        """
        if not made.page.rows:
            return [], 0
        if self._is_first and made.new is not None:
            return made.new, 0
        latest = made.latest
        with self._sql.pipeline():
            found = self._run("stored", ids=list(latest.rows))
            # the server looks the page up while its versions are made
            versions = {one: version_of(one, latest) for one in latest.rows}
            stored = {row[0]: row[1:] for row in found}
        new = [copy_row(version) for one, version in versions.items() if one not in stored]
        changed = [versions[one] for one, known in stored.items() if is_newer(versions[one], *known[:3])]
        updated = 0
        if changed:
            with self._sql.cursor() as cursor, cursor.copy(self._statements["copy_changed"]) as copy:
                for part in parts(count(len(COLUMNS)), map(copy_row, changed)):
                    copy.write(part)
            fail_point("land.changes_staged")
            updated = self._run("write").rowcount
            self._sql.execute("truncate page")
        if self._finds_gone and (returned := [one for one, known in stored.items() if known[3]]):
            self._run("returned", ids=returned)
        return new, updated

    def _settle(self) -> None:
        fail_point("land.read_ended")
        gone: list[str] = []
        if self._finds_gone and not self._was_empty:
            gone = [row[0] for row in self._run(self._in_window("missed"))]
            ask = getattr(self._source, "still_there", None)
            if gone and ask is not None:
                there = ask(self._stream, gone)
                gone = [one for one in gone if one not in there]
                fail_point("land.missed_asked")
        fail_point("land.before_completion")
        with self._sql.transaction():
            count = self._run("gone", ids=gone).rowcount if gone else 0
            self._run("complete")
            self._run("forget_pages")
        self._landed = replace(self._landed, gone=count)

    def _rows_by_day(self) -> dict[date, int]:
        if self._window is None:
            return {}
        return dict(self._run("by_day", zone=self._time_zone).fetchall())

    def _in_window(self, name: str) -> str:
        """The statement that looks at the window, or at all rows of the account."""
        return f"{name}_window" if self._window is not None else f"{name}_all"

    def _one(self, name: str) -> tuple[Any, ...]:
        row = self._run(name).fetchone()
        assert row is not None
        return row

    def _run(self, name: str, **more: Any) -> psycopg.Cursor[Any]:
        if "ids" in more:
            more["ids"] = array(more["ids"])
        # an insert by key has one plan; what looks rows up is planned for the rows that it is asked for
        return self._sql.execute(self._statements[name], self._key | more, prepare=name == "mark_page")


def _with_fail_points(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, with a place to die before and after each outside call."""
    while True:
        fail_point("land.before_page")
        page = next(pages, None)
        if page is None:
            return
        fail_point("land.page_read")
        yield page
