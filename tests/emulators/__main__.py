"""``python -m tests.emulators``: the emulators as a program."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.emulators.retailcrm import API_KEY, BOT_TOKEN, RetailCRMEmulator
from tests.emulators.shop.model import ZONE, Shop, last_monday

VENDORS = ("retailcrm",)
EXAMPLES = """examples:
  python -m tests.emulators --port 8070
      the demo's shop, six weeks up to the last closed one, on http://127.0.0.1:8070
  python -m tests.emulators --only retailcrm --port 0 --seed 2 --monday 2026-11-16
      another shop, fixed in time, on a free port; the port is in the line that is printed
  curl -H 'X-Bot-Token: demo-bot-token' 'http://127.0.0.1:8070/api/bot/v1/messages?limit=3'
  curl -H 'X-API-KEY: demo-api-key' 'http://127.0.0.1:8070/api/v5/orders?limit=20&page=1'
  curl -X POST -d '{"kind": "status", "status": 429, "share": 0.3, "retry_after": 1}' \\
      http://127.0.0.1:8070/_emulator/faults

The shop is invented: people, phones and talks are made up. Credentials: X-API-KEY demo-api-key,
X-Bot-Token demo-bot-token.
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; print one JSON line when ready."""
    parser = argparse.ArgumentParser(
        "python -m tests.emulators",
        description="Small servers that behave like the vendors' APIs, over an invented shop.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=VENDORS, action="append", metavar="VENDOR", help="serve only this one")
    parser.add_argument("--port", type=int, default=8070, help="port; 0 takes a free one (default: 8070)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--seed", type=int, default=1, help="another number is another shop (default: 1)")
    parser.add_argument(
        "--monday", type=date.fromisoformat, help="the Monday after the last week (default: of this week)"
    )
    parser.add_argument("--weeks", type=int, default=6, help="weeks of talks before that Monday (default: 6)")
    parser.add_argument("--shop", choices=("demo", "tiny"), default="demo", help="the whole shop or a few chats")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the shop's clock (default: that Monday, 08:00)")
    parser.add_argument("--state", type=Path, help="file that keeps the clock and changed messages over a restart")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second per token, 0: no limit (default: 10)")
    given = parser.parse_args(arguments)
    monday = given.monday or last_monday()
    if monday.weekday() != 0:
        parser.error(f"--monday: {monday} is not a Monday")
    if not 1 <= given.weeks <= 60:
        parser.error("--weeks: from 1 to 60")
    shop = Shop.demo(given.seed, monday, given.weeks) if given.shop == "demo" else Shop.tiny(given.seed, monday)
    if given.now:
        shop.set_clock(given.now if given.now.tzinfo else given.now.replace(tzinfo=ZoneInfo(ZONE)))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        emulator = RetailCRMEmulator(shop, host=given.host, port=given.port, rate=given.rate or None, state=given.state)
    except OSError as error:
        print(f"cannot listen on {given.host}:{given.port}: {error.strerror}; try --port 0", file=sys.stderr)
        return 1
    with emulator:
        ready = {
            "base_url": emulator.base_url,
            "mg_base_url": emulator.mg_base_url,
            "api_key": API_KEY,
            "bot_token": BOT_TOKEN,
            "shop": shop.label,
            "monday": monday.isoformat(),
            "seed": given.seed,
            "chats": len(shop.chats),
            "messages": len(shop.messages),
        }
        print(json.dumps({"retailcrm": ready}, ensure_ascii=False), flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
