"""Landing speed: ``land()`` beside a plain COPY into the same keyed table, ``pandas.to_sql`` and dlt's merge.

Timed: wall and CPU seconds of this process, the best of ``--rounds`` rounds in which all take turns, by the same rows
into the same empty table. 2 % of the rows come twice, the second time with an edit. ``land()`` is timed as it is used:
JSON, hashes, one transaction per page with cursor and ids, rows handed over by a source in memory (no network). The
floor gets its lines ready-made and each row once: it is what PostgreSQL and the wire cost alone. ``to_sql`` and dlt get
the rows in memory as well; ``to_sql`` each once, since it cannot upsert: as documents ready for the same table, and as
scripts use it, a column per field. dlt lives in a venv of its own, made here.
Not timed: starting the server, making the rows, imports.

    python -m tests.benchmarks.bench_land --rows 100000 [--without-dlt]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conversations.source import Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import land
from resources.warehouse.raw_rows import COLUMNS, copy_line, latest_rows, version_of
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


def timed(what: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu


def distinct(rows: list[RawRow]) -> list[RawRow]:
    return list({row.external_id: row for row in rows}.values())


class Bench:
    """The ways of landing the same rows."""

    def __init__(self, warehouse: Warehouse, count: int) -> None:
        self.warehouse, self.rows = warehouse, messages(count)
        self.once = distinct(self.rows)
        stamp = datetime.now(UTC).isoformat().encode()
        versions = [version_of(row) for row in latest_rows(self.once).values()]
        self.lines = [b"bench\t" + copy_line(one) + b"\t" + stamp + b"\t" + stamp + b"\n" for one in versions]

    def clear(self) -> None:
        with self.warehouse.connect() as connection:
            connection.execute(f"truncate {TABLE}, ops.cursors, ops.read_pages")

    def floor(self) -> None:
        statement = f"copy {TABLE} (connection_id, {', '.join(COLUMNS)}, fetched_at, first_fetched_at) from stdin"
        with self.warehouse.connect() as sql, sql.cursor() as cursor, cursor.copy(statement) as copy:
            for first in range(0, len(self.lines), 1_000):
                copy.write(b"".join(self.lines[first : first + 1_000]))

    def land(self, page_size: int) -> int:
        landed = land(Memory(self.rows, page_size), "messages", WINDOW, self.warehouse)
        return landed.inserted + landed.updated

    def to_sql(self) -> None:
        import pandas as pd
        from sqlalchemy import LargeBinary
        from sqlalchemy.dialects.postgresql import JSONB

        values = [("bench", one.external_id, one.event_at, one.updated_at, one.payload, b"-", START, START)
                  for one in self.once]  # fmt: skip
        names = ["connection_id", "external_id", "event_at", "updated_at", "payload", "payload_hash",
                 "fetched_at", "first_fetched_at"]  # fmt: skip
        pd.DataFrame(values, columns=names).to_sql(
            TABLE.partition(".")[2], self.warehouse.engine, schema="raw", if_exists="append", index=False,
            dtype={"payload": JSONB(), "payload_hash": LargeBinary()},
        )  # fmt: skip

    def usual_to_sql(self) -> None:
        """As a script does it: a column per field, a table of pandas' own making, no key."""
        import pandas as pd

        frame = pd.json_normalize([row.payload for row in self.once])
        for name in frame.columns[[isinstance(value, list) for value in frame.iloc[0]]]:
            frame[name] = frame[name].map(json.dumps)
        frame.to_sql("pandas_messages", self.warehouse.engine, if_exists="replace", index=False)

    def dlt(self, folder: Path) -> tuple[float, float]:
        file = folder / "rows.jsonl"
        if not file.exists():
            file.write_text("".join(json.dumps(row.payload, ensure_ascii=False) + "\n" for row in self.rows), "utf-8")
        script = str(Path(__file__).with_name("dlt_merge.py"))
        url = urls.with_driver(self.warehouse.url, None)
        command = [str(other_python("dlt", DLT)), script, url, str(file)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        with self.warehouse.connect() as connection:
            connection.execute("drop schema if exists dlt_bench, dlt_bench_staging cascade")
        return answer["wall"], answer["cpu"]


def bench(warehouse: Warehouse, count: int, rounds: int, with_dlt: bool) -> None:
    bench = Bench(warehouse, count)
    best: dict[str, tuple[float, float]] = {}

    def keep(name: str, seconds: tuple[float, float]) -> None:
        best[name] = min(best.get(name, seconds), seconds)

    bench.floor()  # once for nothing: files and caches grow
    with tempfile.TemporaryDirectory(prefix="otklik-bench-rows-") as folder:
        for number in range(rounds):
            bench.clear()
            keep("plain COPY, ready-made lines (floor)", timed(bench.floor))
            for size in PAGES:
                bench.clear()
                keep(f"land(), pages of {size:,}", timed(lambda size=size: bench.land(size)))
                written: list[int] = []
                again = timed(lambda size=size, written=written: written.append(bench.land(size)))
                keep(f"land() again, nothing new, pages of {size:,}", again)
                assert written == [0], "an unchanged batch was written again"
            bench.clear()
            keep("pandas.to_sql into the same table", timed(bench.to_sql))
            keep("pandas.json_normalize().to_sql", timed(bench.usual_to_sql))
            if with_dlt and number == 0:
                keep("dlt merge", bench.dlt(Path(folder)))
    print(f"{count:,} rows, 2 % of them twice, {sum(map(len, bench.lines)) / len(bench.lines):.0f} bytes each")
    base = best["plain COPY, ready-made lines (floor)"][0]
    for name, (wall, cpu) in best.items():
        cost = cpu / count * 1e5
        speed = f"{count / wall:>9,.0f} rows/s  {cost:>6.2f} CPU s per 100,000"
        print(f"  {name:<48} {speed}  {base / wall:>5.2f} of the floor")
    landed, again = best[f"land(), pages of {BAR:,}"][0], best[f"land() again, nothing new, pages of {BAR:,}"][0]
    ready, usual = best["pandas.to_sql into the same table"][0], best["pandas.json_normalize().to_sql"][0]
    ratios = [
        ("of a plain COPY", base / landed, 0.5),
        ("of it when nothing is new", base / again, 0.8),
        ("times pandas.to_sql of ready documents", ready / landed, 4.0),
        ("times pandas.json_normalize().to_sql", usual / landed, 4.0),
    ]
    if with_dlt:
        ratios.append(("times dlt's merge", best["dlt merge"][0] / landed, 8.0))
    for name, ratio, bar in ratios:
        verdict = "holds" if ratio >= bar else "MISSED"
        print(f"  land() in pages of {BAR:,}: {ratio:.2f} {name}; the bar is {bar:g}: {verdict}")


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
            bench(warehouse, given.rows, given.rounds, not given.without_dlt)
        server.close()


if __name__ == "__main__":
    main()
