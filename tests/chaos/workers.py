"""Worker processes that can be killed and started again quickly: a nursery imports everything once and forks them.

Run as ``python -m tests.chaos.workers``; one JSON command a line on stdin, one JSON answer a line on stdout. Here:
what a worker does (load a stream, measure it, do a window, say who is who, judge it, score it, look for trouble, send),
as production code does it. Not here: who is killed when (``nursery``, the tests). A worker's last words go to the file
that the command names.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conversations.operators import read_directory
from conversations.parsing.retailcrm import RetailCRMParser
from conversations.policy import Policy
from conversations.window import Window
from resources.alerts import Seen, deliver, look
from resources.clients.errors import SourceError
from resources.clients.http import Limits
from resources.clients.retailcrm_bot import RetailCRMBotClient
from resources.clients.retailcrm_v5 import RetailCRMV5Client
from resources.clients.telegram import TelegramClient
from resources.digest import enqueue
from resources.requirements import refresh_requirements
from resources.settings import Settings
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.completeness import refresh_completeness
from resources.warehouse.core import replace_window
from resources.warehouse.customer_links import replace_list
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseError
from resources.warehouse.land import land
from resources.warehouse.operators import replace_operators
from resources.warehouse.reference import replace_people
from resources.warehouse.refresh import refresh_evaluated
from tests.pictures import png

CONNECTION = "shop"
ZONE = "Europe/Moscow"
LIMITS = Limits(
    connect_seconds=2,
    read_seconds=5,
    deadline_seconds=20,
    attempts=3,
    requests_per_second=10_000,
    first_pause_seconds=0.01,
    longest_pause_seconds=0.05,
)


def source_of(
    base_url: str, api_key: str, bot_token: str, page_size: int, closing: contextlib.ExitStack
) -> RetailCRMSource:
    """The account that the emulator at ``base_url`` plays."""
    bot = closing.enter_context(RetailCRMBotClient(CONNECTION, base_url, bot_token, LIMITS))
    crm = closing.enter_context(RetailCRMV5Client(CONNECTION, base_url, api_key, LIMITS))
    return RetailCRMSource(CONNECTION, bot, crm, ZONE, page_size=page_size, crm_page_size=20)


def work(order: dict[str, Any]) -> int:
    """Do one order; returns the exit code that the command would end with."""
    window = Window(datetime.fromisoformat(order["start"]), datetime.fromisoformat(order["end"]))
    try:
        with contextlib.ExitStack() as closing:
            warehouse = closing.enter_context(Warehouse.at(order["database"]))
            if order["what"] in ("land", "completeness"):
                source = source_of(order["base_url"], order["api_key"], order["bot_token"], order["page_size"], closing)
            if order["what"] == "completeness":
                refresh_completeness(warehouse, source, window, ZONE)
            elif order["what"] == "land":
                wait_for(order.get("at"))
                land(source, order["stream"], window, warehouse, time_zone=ZONE)
            elif order["what"] == "send":
                bot = TelegramClient("telegram", order["base_url"], order["bot_token"], LIMITS)
                deliver(warehouse, closing.enter_context(bot), pause_of=lambda _: 0.0)
            elif order["what"] == "eligibility":
                refresh_eligibility(warehouse, Policy.default(), window)
            elif order["what"] == "score":
                from tests.chaos.scorers import work as score

                score(warehouse, order)
            elif order["what"] == "digest":
                enqueue(warehouse, order["week"], order["chats"], "неделя", png())
            elif order["what"] == "look":
                now, home = datetime.now(UTC), Path(order["words"]).parent
                look(warehouse, Policy.default(), now, lambda _: Seen(), home=home, operators_chat="-1001")
            elif order["what"] == "core":
                streams = [RetailCRMSource.streams[name] for name in ("chats", "dialogs", "messages")]
                replace_window(warehouse, RetailCRMParser(), CONNECTION, "retailcrm", streams, window, ZONE)
            elif order["what"] == "people":
                replace_people(warehouse, Policy.parse(order["policy"]))
            elif order["what"] == "requirements":
                settings = Settings(_env_file=None, **order["settings"])  # type: ignore[call-arg]
                refresh_requirements(warehouse, Policy.parse(order["policy"]), settings)
            elif order["what"] == "operators":
                replace_operators(warehouse, read_directory(order["rows"], {}, "tbank"), "file")
            elif order["what"] == "customers":
                replace_list(warehouse, order["links"])
            else:
                refresh_evaluated(warehouse, Policy.default(), window, connection_id=CONNECTION)
    except (SourceError, WarehouseError) as error:
        Path(order["words"]).write_text(f"{type(error).__name__}: {error}", "utf-8")
        return getattr(error, "exit_code", 1)
    return 0


def wait_for(moment: float | None) -> None:
    """The barrier of workers that are to begin at once."""
    while moment is not None and time.time() < moment:
        time.sleep(0.0005)


def main() -> None:
    """Fork a worker per ``fork`` command, wait for one per ``wait`` command."""
    for command in map(json.loads, sys.stdin):
        if "wait" in command:
            _, status = os.waitpid(command["wait"], 0)
            print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)
            continue
        if command["what"] == "score":
            # before the fork: each of them would import for seconds
            from tests.chaos import scorers

            scorers.warm()
        pid = os.fork()
        if pid == 0:
            os.environ.update(command.get("environment", {}))
            code = 70
            try:
                code = work(command)
            except BaseException as error:
                Path(command["words"]).write_text(f"unexpected {type(error).__name__}: {error}", "utf-8")
            finally:
                os._exit(code)
        print(json.dumps(pid), flush=True)


if __name__ == "__main__":
    main()
