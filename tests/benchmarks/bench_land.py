"""Landing speed: ``land()`` beside a plain COPY into the same keyed table, ``pandas.to_sql`` and dlt's merge.

Timed: wall seconds, the best of ``--rounds`` rounds in which all take turns, by the same rows into the same empty
table; beside it the CPU seconds of both sides, of the asking process and of all processes of the server, which other
work on the machine disturbs less. 2 % of the rows come twice, the second time with an edit.

``land()`` is timed as it is used: JSON, hashes, one transaction per page with cursor and ids, rows handed over by a
source in memory (no network). The floor is the faster one of two: lines of text and binary rows, both ready-made, each
row once; it is what PostgreSQL and the wire cost alone. Its one commit waits for the disk, and so does the last one of
``land()``, which returns when everything is on it. ``to_sql`` gets each row once, since it cannot upsert, with hash
and times ready-made, documents as they come from the vendor, a DataFrame made of them within its time; and once more
as scripts use it, a column per field. dlt lives in a venv of its own, made here.
Not timed: starting the server, making the rows, imports.

The bar of ``to_sql`` is held by psycopg2, the driver that it is used with: ``pandas[postgresql]`` and dagster-postgres
bring it and SQLAlchemy takes it for ``postgresql://``. psycopg 3 sends the inserts of ``executemany`` in one pipeline;
it is shown beside it and has no bar, since on a quiet machine the floor itself is 3.8 times as fast: no landing can be
4 times.

Ends with 1 where a bar is missed.

    python -m tests.benchmarks.bench_land --rows 100000 [--without-dlt]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine

from conversations.source import Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.warehouse import copy_binary as binary
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import land
from resources.warehouse.postgres_files import Place, place_of
from resources.warehouse.raw_rows import COLUMNS, Version, copy_row, latest_rows, version_of
from resources.warehouse.server import EmbeddedServer
from tests.benchmarks.other_venv import other_python

START = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=90))
PAGES = (100, 1_000, 5_000)
BAR = 1_000
"""The page that is held to the bars: RetailCRM hands out messages by the thousand."""
DLT = "dlt[postgres]==1.31.0"
TABLE = "raw.retailcrm__messages"


class Memory:
    """A source whose pages are ready."""

    name = "retailcrm"
    connection_id = "bench"
    streams = {"messages": Stream("messages", True, True)}  # noqa: RUF012

    def __init__(self, rows: list[RawRow], page_size: int) -> None:
        self._rows, self._page_size = rows, page_size

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        for first in range(0, len(self._rows), self._page_size):
            last = first + self._page_size
            yield Page(self._rows[first:last], {"at": last} if last < len(self._rows) else None)

    def probe(self) -> list[Any]:
        return []


def message(number: int) -> RawRow:
    """A message about as large as the vendor's."""
    at = START + timedelta(seconds=number % (89 * 86_400), microseconds=number)
    stamp = at.isoformat()
    payload = {
        "id": number, "time": stamp, "type": "text", "scope": "public", "chat_id": number % 5_000, "is_read": True,
        "is_edit": False, "status": "seen", "dialog": {"id": number % 9_000}, "channel_id": 61, "quote": None,
        "from": {"id": 12, "external_id": "28", "type": "user", "name": "Оператор 1", "available": True},
        "content": f"Добрый день! Ваш заказ {number} собран, отправим сегодня после обеда. Удобно получить завтра?",
        "created_at": stamp, "updated_at": stamp, "items": [], "note": "", "order": None, "product": None,
    }  # fmt: skip
    return RawRow(str(number), payload, at, at)


def messages(count: int) -> list[RawRow]:
    """``count`` rows of which every fiftieth is an edit of the one 25 before it."""
    rows = []
    for number in range(count):
        row = message(number)
        if number % 50 == 49:
            before = rows[number - 25]
            edited = before.updated_at + timedelta(minutes=1) if before.updated_at else None
            payload = {**before.payload, "is_edit": True}
            row = RawRow(before.external_id, payload, before.event_at, edited)
        rows.append(row)
    return rows


class Spent(NamedTuple):
    """Seconds of one way to land the rows."""

    wall: float
    client: float
    """CPU of the process that hands the rows over."""
    server: float
    """CPU of all processes of PostgreSQL."""

    @property
    def cpu(self) -> float:
        """CPU of both sides."""
        return self.client + self.server


def server_cpu(place: Place) -> float:
    """CPU seconds of the server so far: its first process, that one's children, also those that ended."""
    first = (place.data / "postmaster.pid").read_text("ascii").split()[0]
    looks = []
    for _ in range(4):
        # a session that ends at this very moment may be missed by one look
        time.sleep(0.05)
        looks.append(_ticks(first))
    return max(looks) / os.sysconf("SC_CLK_TCK")


def _ticks(first: str) -> int:
    ticks = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry.name}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
                # a child that has ended and is not waited for yet counts by itself, a later one by its parent
                last = 15 if entry.name == first else 13
                if first in (entry.name, fields[1]):
                    ticks += sum(map(int, fields[11:last]))
    return ticks


def distinct(rows: list[RawRow]) -> list[RawRow]:
    return list({row.external_id: row for row in rows}.values())


def line(row: RawRow, version: Version, stamp: str) -> bytes:
    """A row as a line of ``COPY`` in text format."""
    times = "\t".join(str(one) for one in (version.event_at, version.updated_at, version.first_event_at, stamp, stamp))
    head = f"bench\t{row.external_id}\t{times}\t\\\\x{version.payload_hash.hex()}\t"
    return head.encode() + version.payload.replace(b"\\", b"\\\\") + b"\n"


class Bench:
    """The ways of landing the same rows."""

    def __init__(self, warehouse: Warehouse, place: Place, count: int) -> None:
        self.warehouse, self._place, self.rows = warehouse, place, messages(count)
        self.once = distinct(self.rows)
        latest = latest_rows(self.once)
        versions = [version_of(row.external_id, latest) for row in self.once]
        stamp = datetime.now(UTC)
        self.hashes = [version.payload_hash for version in versions]
        self.lines = [line(row, one, stamp.isoformat()) for row, one in zip(self.once, versions, strict=True)]
        begin = binary.count(len(COLUMNS) + 3) + binary.text("bench") + 2 * binary.instant(stamp)
        self.binary = [begin + copy_row(one) for one in versions]
        # as SQLAlchemy makes of ``postgresql://`` and as the product opens its own
        url = urls.with_driver(warehouse.url, None)
        self.engines = {
            name: create_engine(urls.with_driver(url, name), connect_args={"options": "-c timezone=UTC"})
            for name in ("psycopg2", "psycopg")
        }

    def timed(self, what: Callable[[], object]) -> Spent:
        server = server_cpu(self._place)
        wall, cpu = time.perf_counter(), time.process_time()
        what()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return Spent(wall, cpu, server_cpu(self._place) - server)

    def clear(self) -> None:
        with self.warehouse.connect(autocommit=True) as connection:
            connection.execute(f"truncate {TABLE}, ops.cursors, ops.read_pages")
            connection.execute("drop table if exists pandas_messages")

    def floor_text(self) -> None:
        columns = (
            "external_id, event_at, updated_at, first_event_at, fetched_at, first_fetched_at, payload_hash, payload"
        )
        self._copy(f"copy {TABLE} (connection_id, {columns}) from stdin", self.lines, b"", b"")

    def floor_binary(self) -> None:
        columns = f"connection_id, fetched_at, first_fetched_at, {', '.join(COLUMNS)}"
        statement = f"copy {TABLE} ({columns}) from stdin (format binary)"
        self._copy(statement, self.binary, binary.HEADER, binary.END)

    def _copy(self, statement: str, rows: list[bytes], before: bytes, after: bytes) -> None:
        with self.warehouse.connect() as sql, sql.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(before)
            for first in range(0, len(rows), 1_000):
                copy.write(b"".join(rows[first : first + 1_000]))
            copy.write(after)

    def land(self, page_size: int) -> int:
        landed = land(Memory(self.rows, page_size), "messages", WINDOW, self.warehouse)
        return landed.inserted + landed.updated

    def to_sql(self, driver: str) -> None:
        import pandas as pd
        from sqlalchemy import LargeBinary
        from sqlalchemy.dialects.postgresql import JSONB

        values = [
            ("bench", row.external_id, row.event_at, row.updated_at, row.payload, digest, START, START, row.event_at)
            for row, digest in zip(self.once, self.hashes, strict=True)
        ]
        names = ["connection_id", "external_id", "event_at", "updated_at", "payload", "payload_hash",
                 "fetched_at", "first_fetched_at", "first_event_at"]  # fmt: skip
        pd.DataFrame(values, columns=names).to_sql(
            TABLE.partition(".")[2], self.engines[driver], schema="raw", if_exists="append", index=False,
            dtype={"payload": JSONB(), "payload_hash": LargeBinary()},
        )  # fmt: skip

    def usual_to_sql(self) -> None:
        """As a script does it: a column per field, a table of pandas' own making, no key."""
        import pandas as pd

        frame = pd.json_normalize([row.payload for row in self.once])
        for name in frame.columns[[isinstance(value, list) for value in frame.iloc[0]]]:
            frame[name] = frame[name].map(json.dumps)
        frame.to_sql("pandas_messages", self.engines["psycopg"], if_exists="replace", index=False)

    def dlt(self, folder: Path) -> Spent:
        file = folder / "rows.jsonl"
        if not file.exists():
            file.write_text("".join(json.dumps(row.payload, ensure_ascii=False) + "\n" for row in self.rows), "utf-8")
        script = str(Path(__file__).with_name("dlt_merge.py"))
        url = urls.with_driver(self.warehouse.url, None)
        command = [str(other_python("dlt", DLT)), script, url, str(file)]
        answer: dict[str, float] = {}

        def run() -> None:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            answer.update(json.loads(done.stdout.splitlines()[-1]))

        spent = self.timed(run)
        with self.warehouse.connect() as connection:
            connection.execute("drop schema if exists dlt_bench, dlt_bench_staging cascade")
        return Spent(answer["wall"], answer["cpu"], spent.server)


FLOORS = ("plain COPY of ready-made lines of text", "plain COPY of ready-made binary rows")
PANDAS = {
    "psycopg2": "pandas.to_sql into the same table, psycopg2",
    "psycopg": "pandas.to_sql into the same table, psycopg 3",
}
USUAL = "pandas.json_normalize().to_sql, psycopg 3"
DLT_MERGE = "dlt merge"
WHY_PSYCOPG2 = """\
pandas[postgresql] and dagster-postgres bring it, and SQLAlchemy takes it for
postgresql://. psycopg 3 sends executemany's inserts in one pipeline and is shown without a bar: beside it stands how
much faster the plain COPY of ready-made rows is. No landing can do better, and it is itself about 4 times as fast."""


def bench(warehouse: Warehouse, place: Place, count: int, rounds: int, with_dlt: bool) -> int:
    """Print what was measured; returns how many bars are missed."""
    bench = Bench(warehouse, place, count)
    best: dict[str, Spent] = {}

    def keep(name: str, what: Callable[[], object]) -> None:
        bench.clear()
        spent = bench.timed(what)
        best[name] = min(best.get(name, spent), spent)

    bench.floor_text()  # once for nothing: files and caches grow
    with tempfile.TemporaryDirectory(prefix="otklik-bench-rows-") as folder:
        for _ in range(rounds):
            keep(FLOORS[0], bench.floor_text)
            keep(FLOORS[1], bench.floor_binary)
            for size in PAGES:
                keep(landing(size), lambda size=size: bench.land(size))
                written: list[int] = []
                again = bench.timed(lambda size=size, written=written: written.append(bench.land(size)))
                best[landing_again(size)] = min(best.get(landing_again(size), again), again)
                assert written == [0], "an unchanged batch was written again"
            for driver, name in PANDAS.items():
                keep(name, lambda driver=driver: bench.to_sql(driver))
            keep(USUAL, bench.usual_to_sql)
            if with_dlt:
                bench.clear()
                spent = bench.dlt(Path(folder))
                best[DLT_MERGE] = min(best.get(DLT_MERGE, spent), spent)
    return report(best, count, sum(map(len, bench.lines)) / len(bench.lines))


def landing(size: int) -> str:
    return f"land(), pages of {size:,}"


def landing_again(size: int) -> str:
    return f"land() again, nothing new, pages of {size:,}"


def report(best: dict[str, Spent], count: int, width: float) -> int:
    """Print it; returns how many bars are missed."""
    print(f"{count:,} rows, 2 % of them twice, {width:.0f} bytes each; CPU s per 100,000 rows: asking + server")
    floor = min((best[name] for name in FLOORS), key=lambda spent: spent.wall)
    for name, spent in best.items():
        client, server = (seconds / count * 1e5 for seconds in (spent.client, spent.server))
        print(
            f"  {name:<46} {count / spent.wall:>9,.0f} rows/s  {client:>6.2f} + {server:>5.2f} CPU s"
            f"  {floor.wall / spent.wall:>5.2f} of the floor"
        )
    landed, again = best[landing(BAR)], best[landing_again(BAR)]
    print(f"land() in pages of {BAR:,}, as a multiple of:")
    compared: list[tuple[str, Spent, Spent, float | None]] = [
        ("the faster plain COPY", floor, landed, 0.5),
        ("it when nothing is new", floor, again, 0.8),
        (PANDAS["psycopg2"], best[PANDAS["psycopg2"]], landed, 4.0),
        *((name, best[name], landed, None) for name in (PANDAS["psycopg"], USUAL)),
        *((name, best[name], landed, 8.0) for name in (DLT_MERGE,) if name in best),
    ]
    missed = 0
    for name, other, ours, bar in compared:
        ratio, cpu = other.wall / ours.wall, other.cpu / ours.cpu
        if bar is None:
            verdict = f"no bar: the plain COPY is {other.wall / floor.wall:.2f} of it"
        else:
            verdict = f"the bar is {bar:g}: {'holds' if ratio >= bar else 'MISSED'}"
            missed += ratio < bar
        print(f"  {name:<46} {ratio:>5.2f} (CPU {cpu:.2f}); {verdict}")
    print(f"The bar of to_sql is held by psycopg2: {WHY_PSYCOPG2}")
    return missed


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--without-dlt", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="otklik-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        with Warehouse.at(server.urls.owner) as warehouse:
            warehouse.migrate()
            missed = bench(warehouse, place_of(server.home), given.rows, given.rounds, not given.without_dlt)
        server.close()
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
