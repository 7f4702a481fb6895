"""What the checks of a layer cost beside the work of that layer, over a whole history of messages.

Timed: the clock, since checks are mostly PostgreSQL's work: landing from memory (no network, so the layer is cheaper
than in life), parsing into core, judging into evaluated; beside each, all checks of the layer over the same days.
Great Expectations is imported and used once before. The alternative in the same run: the same bounds by the library on
the table's rows read into a frame, as its tutorials do it. Not timed: making the data, starting the server.

    python -m tests.benchmarks.bench_checks --messages 500000
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

from assets.checks.core import CORE
from assets.checks.evaluated import EVALUATED
from assets.checks.judge import judge
from assets.checks.raw import RAW
from assets.checks.rules import Counted
from assets.core.accounts import DATED_STREAMS, DATED_TABLES, DIRECTORY_STREAMS, DIRECTORY_TABLES
from assets.spans import Span
from conversations.parsing.retailcrm import RetailCRMParser
from conversations.policy import Policy
from conversations.source import Cursor, Page, RawRow
from conversations.window import Window
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.core import replace_window
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import land
from resources.warehouse.refresh import refresh_evaluated
from resources.warehouse.retailcrm_context import parser_context
from resources.warehouse.server import EmbeddedServer
from tests.benchmarks.bench_refresh import CONNECTION, DAYS, FIRST, ZONE, conversations

MOST = 0.2
SPAN = Span(FIRST, FIRST + timedelta(days=DAYS))
WINDOW = SPAN.window(ZONE)


class Memory:
    """All streams of an account, ready."""

    name = RetailCRMSource.name
    connection_id = CONNECTION
    streams = RetailCRMSource.streams

    def __init__(self, rows: dict[str, list[RawRow]]) -> None:
        self.rows = rows

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        rows = self.rows.get(stream, [])
        for first in range(0, max(len(rows), 1), 1_000):
            last = first + 1_000
            yield Page(rows[first:last], {"at": last} if last < len(rows) else None)

    def probe(self) -> list[Any]:
        return []


def account(count: int) -> dict[str, list[RawRow]]:
    """The vendor's rows of the chats of ``bench_refresh``."""
    rows: dict[str, list[RawRow]] = {
        "channels": [RawRow("1", {"id": 1, "type": "whatsapp", "is_active": True, "name": "-"}, None, None)],
        "users": [RawRow(str(n), {"id": n, "name": "-", "is_active": True}, None, None) for n in range(20)],
        "crm_users": [RawRow("1", {"id": 1, "active": True}, None, None)],
        "chats": [],
        "messages": [],
        "dialogs": [],
    }
    for chat_number, (_, messages, events) in enumerate(conversations(count, random.Random(7)), 1):
        customer = {"id": chat_number, "type": "customer", "name": "-"}
        chat = {"id": chat_number, "channel": {"id": 1, "type": "whatsapp"}, "customer": customer}
        rows["chats"].append(RawRow(str(chat_number), chat, None, None))
        for number, event in enumerate(events):
            at, key = event[4], f"{chat_number}{number:02}"
            dialog = {
                "id": int(key), "chat_id": chat_number, "created_at": at.isoformat(), "is_assigned": True,
                "responsible": {"id": int(event[5].partition(":")[2]), "type": "user"},
            }  # fmt: skip
            rows["dialogs"].append(RawRow(key, dialog, at, at))
        for _, message_id, at, sender, manager, text in messages:
            user = {"id": int((manager or "x:0").partition(":")[2]), "type": "user"}
            who = customer if sender == "customer" else user
            payload = {
                "id": int(message_id), "time": at.isoformat(), "type": "text" if sender != "system" else "system",
                "scope": "public", "chat_id": chat_number, "from": who, "content": text, "status": "seen",
                "is_read": True, "is_edit": False, "channel_id": 1, "created_at": at.isoformat(),
            }  # fmt: skip
            rows["messages"].append(RawRow(message_id, payload, at, at))
    rows["messages"].sort(key=lambda row: int(row.external_id))
    return rows


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def checks(warehouse: Warehouse, tables: Sequence[Counted]) -> int:
    return len(list(judge(warehouse, SPAN, [(table, rule) for table in tables for rule in table.rules])))


def tutorial(warehouse: Warehouse) -> None:
    """Two of the bounds on core.messages the usual way: the rows into a frame, expectations on its columns."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations import expectations as expect

    frame = pd.read_sql("select message_id, sent_at, sender_kind, direction from core.messages", warehouse.engine)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.add_pandas("t").add_dataframe_asset("m").add_batch_definition_whole_dataframe("all")
    rules = [
        expect.ExpectColumnValuesToNotBeNull(column="sender_kind"),
        expect.ExpectColumnValuesToBeInSet(column="direction", value_set=["in", "out", "none"]),
    ]
    suite = gx.ExpectationSuite(name="t", expectations=rules)
    batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite)


def bench(warehouse: Warehouse, count: int) -> bool:
    source, policy = Memory(account(count)), Policy.load("policy.yaml")

    def raw() -> None:
        for stream in source.rows:
            land(source, stream, WINDOW, warehouse)  # type: ignore[arg-type]

    def core() -> None:
        for streams, window, tables in (
            (DIRECTORY_STREAMS, None, DIRECTORY_TABLES), (DATED_STREAMS, WINDOW, DATED_TABLES)
        ):  # fmt: skip
            with warehouse.connect() as connection:
                context = parser_context(connection, CONNECTION, window)
            parser = RetailCRMParser(
                no_reply_needed_marks=policy.no_reply_needed_marks,
                autoreply_names=policy.autoreply_bot_names,
                time_zone=ZONE,
                **context,
            )
            chosen = [source.streams[stream] for stream in streams]
            replace_window(warehouse, parser, CONNECTION, source.name, chosen, window, ZONE, tables=set(tables))

    def evaluated() -> None:
        refresh_evaluated(warehouse, policy, None, WINDOW.end.astimezone(UTC), connection_id=CONNECTION)

    layers: list[tuple[str, Callable[[], None], Sequence[Counted]]] = [
        ("raw", raw, RAW), ("core", core, CORE), ("evaluated", evaluated, EVALUATED)
    ]  # fmt: skip
    checks(warehouse, RAW)  # imports, and the library's own set-up
    holds = True
    print(f"{count:,} messages in {DAYS} days; made {date.today():%Y-%m-%d}")
    for name, work, tables in layers:
        took = timed(work)
        with warehouse.connect(autocommit=True) as sql:
            sql.execute("analyze")
        judged = min(timed(lambda tables=tables: checks(warehouse, tables)) for _ in range(2))  # type: ignore[misc]
        number, share = sum(len(table.rules) for table in tables), judged / took
        holds = holds and share <= MOST
        print(f"  {name:<10} work {took:7.1f} s   {number:3} checks {judged:6.2f} s {share:7.1%}  (at most {MOST:.0%})")
    usual = timed(lambda: tutorial(warehouse))
    print(f"  the usual way, 2 checks of core.messages on its rows in a frame: {usual:.2f} s")
    return holds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=500_000)
    count = arguments.parse_args().messages
    with tempfile.TemporaryDirectory(prefix="otklik-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        try:
            with Warehouse.at(server.urls.owner) as warehouse:
                warehouse.migrate()
                return 0 if bench(warehouse, count) else 1
        finally:
            server.close()


if __name__ == "__main__":
    sys.exit(main())
