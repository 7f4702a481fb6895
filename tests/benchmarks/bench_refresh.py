"""Core to evaluated: messages per CPU second, memory, and what one day costs beside a whole history.

Timed: ``refresh_evaluated`` as the platform calls it, reading and writing included, in one process; CPU seconds are
those of this process, PostgreSQL's own are printed beside. The messages are of a few texts, so what words cost is not
in it: ``bench_behaviour`` measures that. Once more it runs with a reader that finds nothing, which is what waits and
sessions cost, with every session's row of behaviour. Not timed: making the data, starting the server. The
alternative in the same run is the usual pandas script: ``read_sql``, vectorised time from the first unanswered customer
message to the next manager message per chat, ``to_sql``; it knows no calendars, sessions, limits, bots or hand-offs.

    python -m tests.benchmarks.bench_refresh --messages 1000000
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from conversations.policy import Policy
from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.server import EmbeddedServer

DAYS = 90
FIRST = date(2026, 1, 5)
ZONE = "Europe/Moscow"
CONNECTION = "bench"
LEAST_PER_SECOND, MOST_MEMORY, MOST_OF_A_DAY = 60_000, 1024, 0.1
"""Messages per CPU second without words and MiB of the full refresh; CPU of one day beside it."""
LEAST_WITH_WORDS = 15_000
"""What waits and sessions at 60,000 and words at 20,000 messages per CPU second allow together."""
TALK = (
    "customer",
    "manager",
    "customer",
    "customer",
    "manager",
    "system",
    "customer",
    "manager",
    "manager",
    "customer",
)


def conversations(
    messages: int, chance: random.Random
) -> Iterator[tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
    """Chats with two or three talks each, spread over the days: messages and events of each."""
    start = Window.of_day(FIRST, ZONE).start
    made, number = 0, 0
    while made < messages:
        chat = f"bench:{number:07}"
        number += 1
        rows: list[tuple[Any, ...]] = []
        events: list[tuple[Any, ...]] = []
        at = start + timedelta(days=chance.random() * (DAYS - 14), seconds=chance.random())
        for _ in range(chance.choice((1, 2, 2, 3))):
            manager = f"bench:{chance.randrange(20)}"
            events.append((chat, f"e{len(events)}", CONNECTION, "assigned", at + timedelta(seconds=30), manager))
            for sender in TALK[: chance.randrange(5, 11)]:
                at += timedelta(seconds=chance.choice((20, 60, 200, 900, 4000)) * (1 + chance.random()))
                message_id = str(100_000_000 + made)
                made += 1
                text = (
                    "Здравствуйте, есть ли 42 размер и сколько стоит доставка?" if sender == "customer" else "Да, есть"
                )
                if sender == "customer" and chance.random() < 0.1:
                    text = "Спасибо"
                rows.append((chat, message_id, at, sender, manager if sender == "manager" else None, text))
            at += timedelta(days=chance.choice((1.5, 3, 5)))
        yield chat, rows, events


def fill(warehouse: Warehouse, messages: int) -> None:
    """Core tables of an invented account."""
    chance = random.Random(7)
    made = list(conversations(messages, chance))
    with warehouse.connect() as sql:
        sql.execute("insert into core.channels values ('bench:1', 'bench', 'whatsapp', '-', true)")
        with sql.cursor() as cursor:
            with cursor.copy(
                "copy core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed, flags)"
                " from stdin"
            ) as copy:
                for chat, _, _ in made:
                    copy.write_row((chat, CONNECTION, "bench:1", f"c{chat}", False, []))
            with cursor.copy(
                "copy core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
                " manager_id, is_public, delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id)"
                " from stdin"
            ) as copy:
                for _, rows, _ in made:
                    for chat, message_id, at, sender, manager, text in rows:
                        direction = {"customer": "in", "manager": "out", "system": "none"}[sender]
                        copy.write_row(
                            (chat, message_id, CONNECTION, at, direction, sender, manager, sender != "system", "read",
                             "text", text, [], at, "messages", message_id)
                        )  # fmt: skip
            with cursor.copy(
                "copy core.events (conversation_id, event_id, connection_id, kind, at, manager_id, raw_stream, raw_id)"
                " from stdin"
            ) as copy:
                for _, _, events in made:
                    for event in events:
                        copy.write_row((*event, "messages", event[1]))
        mark(sql, "true")
        sql.execute("analyze")


def mark(sql: Any, condition: str) -> None:
    """Mark conversations as changed, as replace_window does."""
    sql.execute(
        "insert into ops.dirty select conversation_id, connection_id, min(sent_at) from core.messages"
        f" where {condition} group by 1, 2 on conflict do nothing"
    )


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def server_cpu(warehouse: Warehouse) -> float:
    """CPU seconds of all server processes, ended ones included."""
    ticks = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if "postgres" not in (process / "comm").read_text():
                    continue
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15]))
    return ticks / 100


def timed(label: str, warehouse: Warehouse, work: Any) -> dict[str, float]:
    began, wall, server = cpu(), time.monotonic(), server_cpu(warehouse)
    counts = work()
    figures = {"cpu": cpu() - began, "wall": time.monotonic() - wall, "server": server_cpu(warehouse) - server}
    print(
        f"{label:30} {figures['cpu']:7.2f} CPU s (PostgreSQL about {figures['server']:.1f}),"
        f" {figures['wall']:6.1f} s  {counts}",
        flush=True,
    )
    return figures


class Silent:
    """Finds nothing."""

    hash = "silent"

    def places(self, text: str | None, side: str) -> list[Any]:
        return []


def ours(url: str, task: str) -> None:
    """One measurement in a process of its own, so that memory is that of the refresh."""
    from resources.warehouse.refresh import refresh_evaluated

    warehouse = Warehouse.at(url)
    policy = Policy.load("policy.yaml")
    end = Window.of_day(FIRST + timedelta(days=DAYS), ZONE).end
    last = Window.of_day(FIRST + timedelta(days=DAYS - 20), ZONE)
    counts: list[Any] = []
    reader: Any = None
    if task == "silent":
        reader = Silent()
        with warehouse.connect() as sql:
            sql.execute("truncate evaluated.waits, evaluated.sessions, evaluated.left_waiting")
            sql.execute("truncate evaluated.behaviour, evaluated.advice")
            sql.execute("delete from ops.as_of")
    if task == "day":
        with warehouse.connect() as sql:
            mark(sql, f"sent_at >= '{last.start.isoformat()}' and sent_at < '{last.end.isoformat()}'")
    figures = timed(
        {
            "full": "refresh, everything",
            "day": "refresh, one day's chats",
            "again": "refresh, nothing new",
            "silent": "refresh, everything, no words",
        }[task],
        warehouse,
        lambda: (
            counts.append(refresh_evaluated(warehouse, policy, None, end, connection_id=CONNECTION, lexicon=reader))
            or counts[0]
        ),
    )
    figures["messages"] = counts[0].messages
    figures["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(sys.argv[-1]).write_text(json.dumps(figures))


def pandas_script(url: str) -> None:
    """What a team writes first."""
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(url)
    warehouse = Warehouse.at(url)

    def work() -> int:
        frame = pd.read_sql(
            "select conversation_id, message_id, sent_at, sender_kind, manager_id from core.messages"
            " where sender_kind in ('customer', 'manager') order by conversation_id, sent_at, message_id",
            engine,
        )
        is_customer = frame["sender_kind"].eq("customer")
        same = frame["conversation_id"].eq(frame["conversation_id"].shift())
        opens = is_customer & ~(same & is_customer.shift(fill_value=False))
        replies = frame["sent_at"].where(~is_customer)
        frame["answered_at"] = replies.groupby(frame["conversation_id"]).bfill()
        waits = frame[opens].copy()
        waits["wait_seconds"] = (waits["answered_at"] - waits["sent_at"]).dt.total_seconds()
        waits[["conversation_id", "message_id", "sent_at", "answered_at", "wait_seconds"]].to_sql(
            "pandas_waits", engine, index=False, if_exists="replace", method="multi", chunksize=1000
        )
        return len(waits)

    figures = timed("pandas script", warehouse, work)
    figures["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(sys.argv[-1]).write_text(json.dumps(figures))


def run(url: str, task: str) -> dict[str, float]:
    with tempfile.NamedTemporaryFile() as answer:
        subprocess.run([sys.executable, "-m", __spec__.name, "--task", task, "--url", url, answer.name], check=True)
        return json.loads(Path(answer.name).read_text())


def missed(full: Mapping[str, float], day: Mapping[str, float], silent: Mapping[str, float]) -> list[str]:
    """The printed limits that the figures do not keep."""
    kept = {
        "messages per CPU second": full["messages"] / full["cpu"] >= LEAST_WITH_WORDS,
        "messages per CPU second without words": silent["messages"] / silent["cpu"] >= LEAST_PER_SECOND,
        "peak memory": full["rss"] <= MOST_MEMORY,
        "one day to full": day["cpu"] / full["cpu"] <= MOST_OF_A_DAY,
    }
    return [name for name, holds in kept.items() if not holds]


def main() -> int:
    """Print the figures; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--task", choices=["full", "day", "again", "silent", "pandas"], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("answer", nargs="?", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task == "pandas":
        pandas_script(arguments.url)
        return 0
    if arguments.task:
        ours(arguments.url, arguments.task)
        return 0
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        try:
            warehouse = Warehouse.at(server.urls.owner)
            warehouse.migrate()
            fill(warehouse, arguments.messages)
            print(f"{arguments.messages:,} messages in {DAYS} days; made {datetime.now(UTC):%Y-%m-%d}")
            full, day, again, silent = (run(server.urls.owner, task) for task in ("full", "day", "again", "silent"))
            pandas = run(server.urls.owner, "pandas")
        finally:
            server.close()
    print()
    print(
        f"messages per CPU second, full refresh   {full['messages'] / full['cpu']:10,.0f}"
        f"   (at least {LEAST_WITH_WORDS:,})"
    )
    print(
        f"messages per CPU second without words   {silent['messages'] / silent['cpu']:10,.0f}"
        f"   (at least {LEAST_PER_SECOND:,})"
    )
    print(f"peak memory, full refresh, MiB          {full['rss']:10,.0f}   (at most {MOST_MEMORY:,})")
    print(f"one day to full, CPU                    {day['cpu'] / full['cpu']:10.3f}   (at most {MOST_OF_A_DAY})")
    print(f"nothing new to full, CPU                {again['cpu'] / full['cpu']:10.3f}")
    print(
        f"pandas script to full refresh, CPU      {pandas['cpu'] / full['cpu']:10.2f}   memory {pandas['rss']:,.0f} MiB"
    )
    for name in missed(full, day, silent):
        print(f"missed: {name}")
    return 1 if missed(full, day, silent) else 0


if __name__ == "__main__":
    sys.exit(main())
