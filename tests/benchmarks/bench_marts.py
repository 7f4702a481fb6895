"""From core to the marts of weeks over a whole history, and what a day of marts costs over ten times the history.

Timed: ``refresh_evaluated`` (core to evaluated) and dbt's build with its tests (evaluated and core to marts), as the
platform calls them. CPU seconds are those of this process, of dbt's and of PostgreSQL's together. The day is built in
the same database first with a tenth of the history and then with all of it; its rows must be the same both times. Not
timed: making the data, starting the server, the marts that Python adds (``bench_delta``).

Beside them, in the same run and on the same messages: a window query written by hand that knows nothing but first
replies by manager and week; and the usual pandas script, ``groupby.apply`` over chats and then over manager and week,
for counts of waits and percentiles of replies in calendar and working time (no limits, holidays, sessions, hand-offs,
channels, behaviour). The script does a tenth of the chats and is scaled up: it takes each chat by itself, so its time
is linear in them. dbt's start, some seconds, is part of our side: with few messages it is most of it.

    python -m tests.benchmarks.bench_marts --messages 1000000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from assets.marts.dbt import build
from conversations.policy import Policy
from conversations.window import Window, iso_week
from resources.warehouse.engine import Warehouse
from resources.warehouse.refresh import refresh_evaluated
from resources.warehouse.server import EmbeddedServer
from tests.benchmarks.bench_refresh import CONNECTION, DAYS, FIRST, ZONE, conversations, mark

PARTS = 10
LEAST_TIMES_PANDAS, MOST_OF_A_DAY = 5.0, 1.3
"""CPU of the pandas script beside ours from core to the same weeks; of a day's statements with all of the history
beside a tenth of it (dbt's own seconds, the same for any history, would hide a growth)."""
ROUNDS, STATEMENTS = 3, 20
LAST = FIRST + timedelta(days=DAYS * PARTS)
DAY = LAST - timedelta(days=30)
VARIABLES = {"time_zone": ZONE, "definition_version": 1, "early_delete_seconds": 60}
WEEKLY_HOURS = [["09:00-13:00", "14:00-18:00"]] * 5 + [["10:00-15:00"], []]
"""The calendar of the policy, as the pandas script knows it."""
WINDOW_QUERY = """
    with talk as (
        select conversation_id, sent_at, sender_kind,
            lag(sender_kind) over w as before,
            min(sent_at) filter (where sender_kind = 'manager')
                over (w rows between 1 following and unbounded following) as answered_at,
            row_number() over (partition by conversation_id, sender_kind order by sent_at, message_id) as nth
        from core.messages
        where sender_kind in ('customer', 'manager')
        window w as (partition by conversation_id order by sent_at, message_id)
    ), firsts as (
        select t.sent_at, t.answered_at, m.manager_id
        from talk as t
        inner join core.messages as m
            on t.conversation_id = m.conversation_id and t.answered_at = m.sent_at and m.sender_kind = 'manager'
        where t.sender_kind = 'customer' and t.nth = 1 and t.before is null
    )
    select to_char(sent_at at time zone 'Europe/Moscow', 'IYYY"-W"IW') as week, manager_id, count(*),
        percentile_cont(0.5) within group (order by extract(epoch from answered_at - sent_at)),
        percentile_cont(0.9) within group (order by extract(epoch from answered_at - sent_at))
    from firsts group by 1, 2
"""


def part(messages: int, number: int) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """One of ten parts of the history, 90 days long, with as many messages a day as any other."""
    later = timedelta(days=DAYS * number)
    for chat, rows, _ in conversations(messages // PARTS, random.Random(number)):
        name = f"{chat}:{number}"
        yield name, [(name, f"{number}-{row[1]}", row[2] + later, *row[3:]) for row in rows]


def fill(warehouse: Warehouse, messages: int, number: int) -> int:
    """Core rows of a part; returns how many messages."""
    made = list(part(messages, number))
    with warehouse.connect() as sql, sql.cursor() as cursor:
        with cursor.copy(
            "copy core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed, flags)"
            " from stdin"
        ) as copy:
            for chat, _ in made:
                copy.write_row((chat, CONNECTION, "bench:1", f"c{chat}", False, []))
        cursor.execute("create temporary table new (like core.messages including defaults)")
        with cursor.copy(
            "copy new (conversation_id, message_id, connection_id, sent_at, direction, sender_kind, manager_id,"
            " is_public, delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id) from stdin"
        ) as copy:
            for _, rows in made:
                for chat, message_id, at, sender, manager, text in rows:
                    direction = {"customer": "in", "manager": "out", "system": "none"}[sender]
                    copy.write_row((chat, message_id, CONNECTION, at, direction, sender, manager, sender != "system",
                                    "read", "text", text, [], at, "messages", message_id))  # fmt: skip
        cursor.execute(f"update new set business_on = (sent_at at time zone '{ZONE}')::date")
        cursor.execute("insert into core.messages select * from new")
        mark(sql, f"conversation_id like '%:{number}'")
    return sum(len(rows) for _, rows in made)


def prepare(warehouse: Warehouse) -> None:
    """The channel and twenty managers; one person has two accounts."""
    with warehouse.connect() as sql:
        sql.execute("insert into core.channels values ('bench:1', 'bench', 'whatsapp', '-', true)")
        sql.execute(
            "insert into core.managers select 'bench:' || n, 'bench', '-', null, true from generate_series(0, 19) as n"
        )
        sql.execute(
            "insert into reference.people select manager_id, case when manager_id = 'bench:19' then 'bench:18'"
            " else manager_id end, '-' from core.managers"
        )


def analyzed(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as sql:
        sql.execute("vacuum analyze")


def server_cpu(warehouse: Warehouse) -> float:
    """CPU seconds of this server and of its processes, ended ones included; of no other server of the machine."""
    with warehouse.connect() as sql:
        postmaster = _fields(Path(f"/proc/{sql.info.backend_pid}"))[1]
    ticks = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                fields = _fields(process)
                if process.name == postmaster or fields[1] == postmaster:
                    ticks += sum(map(int, fields[11:15]))
    return ticks / 100


def _fields(process: Path) -> list[str]:
    """What Linux says of a process, from its state on."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def cpu(warehouse: Warehouse) -> float:
    """CPU seconds of this process, of its ended children and of PostgreSQL."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in own) + server_cpu(warehouse)


def timed(label: str, warehouse: Warehouse, work: Callable[[], Any]) -> dict[str, Any]:
    """CPU and clock seconds of ``work``, printed, with what it returned."""
    began, wall = cpu(warehouse), time.monotonic()
    found = work()
    figures = {"cpu": cpu(warehouse) - began, "wall": time.monotonic() - wall, "found": found}
    print(f"{label:52} {figures['cpu']:8.2f} CPU s {figures['wall']:8.1f} s   {found}", flush=True)
    return figures


def judged(warehouse: Warehouse, label: str) -> dict[str, Any]:
    """Core to evaluated, of what is marked."""
    policy, as_of = Policy.load("policy.yaml"), Window.of_day(LAST, ZONE).end
    return timed(
        f"core to evaluated, {label}",
        warehouse,
        lambda: refresh_evaluated(warehouse, policy, None, as_of, connection_id=CONNECTION).messages,
    )


def built(warehouse: Warehouse, home: Path, label: str, variables: dict[str, str], period: Any) -> dict[str, Any]:
    """dbt's build and tests of a range."""

    def work() -> dict[str, int]:
        done = build(warehouse, home, VARIABLES | variables, period=period)
        if done.failed:
            raise SystemExit(f"failed: {[test.name for test in done.failed]}")
        return dict(done.rows)

    return timed(label, warehouse, work)


def day(warehouse: Warehouse, home: Path, label: str) -> dict[str, Any]:
    """The day's marts built once, and its statements alone several times, the cheapest; with the rows."""
    variables = {"first_day": DAY.isoformat(), "last_day": DAY.isoformat()}
    figures = built(warehouse, home, f"marts of a day, {label}", variables, "day")
    compiled = home / "dbt" / "target" / "compiled" / "otklik" / "models" / "marts"
    queries = [(compiled / f"{name}.sql").read_text() for name in ("manager_day", "channel_day")]

    def work() -> int:
        with warehouse.connect() as sql:
            # no time of a statement is its planner's or a cold cache's alone
            return sum(len(sql.execute(query).fetchall()) for query in queries for _ in range(STATEMENTS))

    rounds = [timed(f"  its statements, {STATEMENTS} times", warehouse, work) for _ in range(ROUNDS)]
    figures["statements"] = min(one["cpu"] for one in rounds) / STATEMENTS
    with warehouse.connect() as sql:
        figures["rows"] = [sorted(map(str, sql.execute(query).fetchall())) for query in queries]
    return figures


def pandas_script(url: str, answer: str) -> None:
    """What a team writes first, in a process of its own."""
    import numpy as np
    import pandas as pd
    from sqlalchemy import create_engine

    engine, warehouse = create_engine(url), Warehouse.at(url)

    opening = [
        [tuple(pd.Timedelta(f"{clock}:00") for clock in hours.split("-")) for hours in found] for found in WEEKLY_HOURS
    ]

    def business_seconds(wait: pd.Series) -> float:
        """Open hours of each local day that the wait touches."""
        if pd.isna(wait["answered_at"]):
            return np.nan
        begin, end, total = wait["opened_at"].tz_convert(ZONE), wait["answered_at"].tz_convert(ZONE), 0.0
        for midnight in pd.date_range(begin.normalize(), end.normalize(), freq="D"):
            for opens, closes in opening[midnight.weekday()]:
                overlap = min(end, midnight + closes) - max(begin, midnight + opens)
                total += max(overlap.total_seconds(), 0.0)
        return total

    def waits_of(chat: pd.DataFrame) -> pd.DataFrame:
        is_customer = chat["sender_kind"].eq("customer")
        opens = is_customer & ~is_customer.shift(fill_value=False)
        replies = chat[["sent_at", "manager_id"]].where(~is_customer).bfill()
        waits = pd.DataFrame({
            "opened_at": chat.loc[opens, "sent_at"],
            "answered_at": replies.loc[opens, "sent_at"],
            "manager_id": replies.loc[opens, "manager_id"],
        })  # fmt: skip
        return waits.assign(is_first=[True, *[False] * (len(waits) - 1)][: len(waits)])

    def figures_of(group: pd.DataFrame) -> pd.Series:
        answered = group[group["seconds"].notna()]
        first = answered[answered["is_first"]]
        in_target = answered["business"] <= np.where(answered["is_first"], 600, 1800)
        figures = {"waits": len(group), "in_target": in_target.sum(), "unanswered": group["seconds"].isna().sum()}
        for name, found in (("reply", answered), ("first_reply", first)):
            for clock in ("seconds", "business"):
                figures |= {f"{name}_p{q}_{clock}": found[clock].quantile(q / 100) for q in (50, 90)}
        return pd.Series(figures)

    def work() -> int:
        frame = pd.read_sql(
            "select conversation_id, message_id, sent_at, sender_kind, manager_id from core.messages"
            f" where sender_kind in ('customer', 'manager') and conversation_id like '%%:{PARTS - 1}'"
            " order by conversation_id, sent_at, message_id",
            engine,
        )
        waits = frame.groupby("conversation_id")[["sent_at", "sender_kind", "manager_id"]].apply(waits_of)
        waits["seconds"] = (waits["answered_at"] - waits["opened_at"]).dt.total_seconds()
        waits["business"] = waits.apply(business_seconds, axis=1)
        settled = waits["answered_at"].fillna(waits["opened_at"]).dt.tz_convert(ZONE)
        waits["week"] = settled.dt.strftime("%G-W%V")
        weeks = waits.fillna({"manager_id": "none"}).groupby(["week", "manager_id"]).apply(figures_of)
        weeks.to_sql("pandas_weeks", engine, if_exists="replace")
        return len(weeks)

    Path(answer).write_text(json.dumps(timed("pandas groupby.apply, weeks of a tenth", warehouse, work)))


def beside(url: str) -> dict[str, Any]:
    """The pandas script's figures."""
    with tempfile.NamedTemporaryFile() as answer:
        subprocess.run([sys.executable, "-m", __spec__.name, "--pandas", url, answer.name], check=True)
        return json.loads(Path(answer.name).read_text())


def main() -> int:
    """Print the figures; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--pandas", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pandas:
        pandas_script(*arguments.pandas)
        return 0
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        try:
            warehouse = Warehouse.at(server.urls.owner)
            warehouse.migrate()
            prepare(warehouse)
            messages = fill(warehouse, arguments.messages, PARTS - 1)
            tenth = judged(warehouse, "a tenth of the history")
            analyzed(warehouse)
            short = day(warehouse, Path(folder), f"{messages:,} messages in {DAYS} days")
            messages += sum(fill(warehouse, arguments.messages, number) for number in range(PARTS - 1))
            rest = judged(warehouse, "the rest")
            analyzed(warehouse)
            long = day(warehouse, Path(folder), f"{messages:,} in {DAYS * PARTS} days")
            weeks = {"first_week": iso_week(FIRST), "last_week": iso_week(LAST)}
            marts = built(warehouse, Path(folder), f"marts of all weeks, {messages:,} messages", weeks, "week")
            window = timed("window query, first replies only", warehouse, lambda: _count(warehouse))
            pandas = beside(server.urls.owner)
        finally:
            server.close()
    whole = tenth["cpu"] + rest["cpu"] + marts["cpu"]
    print()
    print(f"core to marts of all weeks, messages per CPU second {messages / whole:12,.0f}")
    print(f"of that the marts alone, CPU s                      {marts['cpu']:12.1f}")
    print(f"window query to marts, CPU                          {window['cpu'] / marts['cpu']:12.2f}")
    script, growth = pandas["cpu"] * PARTS, long["statements"] / short["statements"]
    times = script / whole
    print(f"pandas groupby.apply to core to marts, CPU          {times:12.1f}   (at least {LEAST_TIMES_PANDAS})")
    print(f"pandas groupby.apply to the marts alone, CPU        {script / marts['cpu']:12.1f}")
    print(f"a day's statements, CPU ms                          {long['statements'] * 1000:12.1f}")
    print(f"a day's statements, all of the history to a tenth   {growth:12.2f}   (at most {MOST_OF_A_DAY})")
    print(f"a day with dbt's start and tests, the same          {long['cpu'] / short['cpu']:12.2f}")
    kept = {
        "times pandas": times >= LEAST_TIMES_PANDAS,
        "a day over the history": growth <= MOST_OF_A_DAY,
        "a day has the same rows": short["rows"] == long["rows"],
    }
    for name in (name for name, holds in kept.items() if not holds):
        print(f"missed: {name}")
    return 0 if all(kept.values()) else 1


def _count(warehouse: Warehouse) -> int:
    with warehouse.connect() as sql:
        return len(sql.execute(WINDOW_QUERY).fetchall())


if __name__ == "__main__":
    sys.exit(main())
