"""Landing speed: ``land()`` beside a plain COPY into the same keyed table and beside ``pandas.to_sql``.

Timed: wall and CPU seconds of this process, by the same rows into the same empty table. ``land()`` is timed as it is
used: JSON, hashes, one transaction per page with cursor and ids, rows handed over by a source in memory (no network).
The floor gets its lines ready-made: it is what PostgreSQL and the wire cost alone. Not timed: starting the server,
making the rows.

    python -m tests.benchmarks.bench_land --rows 100000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conversations.source import Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import land
from resources.warehouse.raw_rows import COLUMNS, copy_line, latest_rows, version_of
from resources.warehouse.server import EmbeddedServer

START = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=90))
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


def timed(what: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu


def bench(warehouse: Warehouse, count: int) -> None:
    rows = [message(number) for number in range(count)]
    stamp = datetime.now(UTC).isoformat()
    lines = []
    for row in latest_rows(rows).values():
        lines.append(b"bench\t" + copy_line(version_of(row)) + f"\t{stamp}\t{stamp}\n".encode())

    def clear() -> None:
        with warehouse.connect() as connection:
            connection.execute(f"truncate {TABLE}, ops.cursors, ops.read_pages")
            connection.execute("checkpoint") if warehouse.is_embedded else None

    def floor() -> None:
        copy_statement = f"copy {TABLE} (connection_id, {', '.join(COLUMNS)}, fetched_at, first_fetched_at) from stdin"
        with warehouse.connect() as sql, sql.cursor() as cursor, cursor.copy(copy_statement) as copy:
            for first in range(0, len(lines), 1_000):
                copy.write(b"".join(lines[first : first + 1_000]))

    def pages(size: int) -> None:
        land(Memory(rows, size), "messages", WINDOW, warehouse)

    def to_sql(part: list[RawRow]) -> None:
        import pandas as pd
        from sqlalchemy import LargeBinary
        from sqlalchemy.dialects.postgresql import JSONB

        frame = pd.DataFrame(
            [("bench", row.external_id, row.event_at, row.updated_at, row.payload, b"-", START, START) for row in part],
            columns=["connection_id", "external_id", "event_at", "updated_at", "payload", "payload_hash",
                     "fetched_at", "first_fetched_at"],
        )  # fmt: skip
        frame.to_sql(TABLE.partition(".")[2], warehouse.engine, schema="raw", if_exists="append", index=False,
                     dtype={"payload": JSONB(), "payload_hash": LargeBinary()}, chunksize=1_000)  # fmt: skip

    clear()
    floor()  # once for nothing: files and caches grow
    clear()
    base, base_cpu = timed(floor)
    print(f"{count:,} rows into the keyed table, {sum(map(len, lines)) / count:.0f} bytes each")
    show("plain COPY, ready-made lines (floor)", count, base, base_cpu, base)
    for size in (100, 1_000, 5_000):
        clear()
        wall, cpu = timed(lambda size=size: pages(size))  # type: ignore[misc]
        show(f"land(), pages of {size:,}", count, wall, cpu, base)
        wall, cpu = timed(lambda size=size: pages(size))  # type: ignore[misc]
        show(f"land() again, nothing new, pages of {size:,}", count, wall, cpu, base)
    clear()
    part = rows[: max(1_000, count // 5)]
    timed(lambda: to_sql(rows[:10]))
    clear()
    wall, cpu = timed(lambda: to_sql(part))
    show(f"pandas.to_sql, {len(part):,} rows", len(part), wall, cpu, base * len(part) / count)


def show(name: str, rows: int, wall: float, cpu: float, base: float) -> None:
    speed, cost = rows / wall, cpu / rows * 1e5
    print(f"  {name:<48} {speed:>9,.0f} rows/s  {cost:>6.2f} CPU s per 100,000  {base / wall:>5.2f} of the floor")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    count = arguments.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="otklik-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        with Warehouse.at(server.urls.owner) as warehouse:
            warehouse.migrate()
            bench(warehouse, count)
        server.close()


if __name__ == "__main__":
    main()
