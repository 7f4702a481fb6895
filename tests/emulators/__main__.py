"""``python -m tests.emulators``: the emulators as a program."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.emulators.llm import LlmEmulator, Manner
from tests.emulators.retailcrm import API_KEY, BOT_TOKEN, RetailCRMEmulator
from tests.emulators.retailcrm_web import RetailCRMWebEmulator
from tests.emulators.sheets import SheetsEmulator
from tests.emulators.shop import requirements
from tests.emulators.shop.calls import CallBook
from tests.emulators.shop.model import ZONE, Shop, last_monday
from tests.emulators.tbank import TBankEmulator
from tests.emulators.telegram import TelegramEmulator

DEFAULT = ("retailcrm", "sheets", "telegram")
VENDORS = (*DEFAULT, "retailcrm-web", "tbank", "llm")
REQUIREMENTS_ID = "1Otklik-Demo-Requirements-00000000000000000"
TOKEN_VARIABLE = "EMULATOR_BOT_TOKEN"
EXAMPLES = f"""examples:
  python -m tests.emulators --port 8070
      RetailCRM with the demo's shop, six weeks up to the last closed one, on http://127.0.0.1:8070,
      Google Sheets on the next port, Telegram on the one after
  python -m tests.emulators --only retailcrm --port 0 --seed 2 --monday 2026-11-16
      another shop, fixed in time, on a free port; the port is in the line that is printed
  python -m tests.emulators --only sheets --only telegram --port 0 --state /tmp/emulators
      spreadsheets and chats that are there again after a restart
  python -m tests.emulators --only retailcrm-web --port 8080
      the chats page of the CRM behind a browser's session; what a browser would save of it:
      curl -o page.har http://127.0.0.1:8080/_emulator/har, then otklik connect retailcrm-web --har page.har
  python -m tests.emulators --only tbank --port 8090 --busy-day 2026-11-18
      the shop's telephone: 300 calls on that day, 40 to 60 on every other; what is true of them:
      curl 'http://127.0.0.1:8090/_emulator/truth?day=2026-11-18'
  python -m tests.emulators --only llm --port 8095 --llm-delay 1
      a gateway whose judge is a few rules; what it may do wrong: curl http://127.0.0.1:8095/_emulator/modes
  curl -H 'X-Bot-Token: demo-bot-token' 'http://127.0.0.1:8070/api/bot/v1/messages?limit=3'
  curl -H 'X-API-KEY: demo-api-key' 'http://127.0.0.1:8070/api/v5/orders?limit=20&page=1'
  curl -X POST -d '{{"kind": "status", "status": 429, "share": 0.3, "retry_after": 1}}' \\
      http://127.0.0.1:8070/_emulator/faults

The shop is invented: people, phones and talks are made up. Credentials: X-API-KEY demo-api-key,
X-Bot-Token demo-bot-token. The service account's key and Telegram's bot token are made at start and stand in the
line that is printed (the key as the path of its file); {TOKEN_VARIABLE} gives another bot token.
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; print one JSON line when ready."""
    parser = argparse.ArgumentParser(
        "python -m tests.emulators",
        description="Small servers that behave like the vendors' APIs, over an invented shop.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", choices=VENDORS, action="append", metavar="VENDOR", help=f"serve only this one: {', '.join(VENDORS)}"
    )
    parser.add_argument(
        "--port", type=int, default=8070, help="first port, the next ones follow; 0: free ones (default: 8070)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--public-host", help="name that callers use, in addresses that are told (default: --host)")
    parser.add_argument("--seed", type=int, default=1, help="another number is another shop (default: 1)")
    parser.add_argument(
        "--monday", type=date.fromisoformat, help="the Monday after the last week (default: of this week)"
    )
    parser.add_argument("--weeks", type=int, default=6, help="weeks of talks before that Monday (default: 6)")
    parser.add_argument("--shop", choices=("demo", "tiny"), default="demo", help="the whole shop or a few chats")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the shop's clock (default: that Monday, 08:00)")
    parser.add_argument("--state", type=Path, help="folder that keeps what was changed, keys and tokens over a restart")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second per token, 0: no limit (default: 10)")
    parser.add_argument(
        "--calls-rate", type=float, default=20.0, help="the same of the telephony, per session (default: 20)"
    )
    parser.add_argument("--llm-delay", type=float, default=0.3, help="seconds a judge takes (default: 0.3)")
    parser.add_argument(
        "--llm-prices",
        type=float,
        nargs=2,
        default=(0.1, 0.4),
        metavar=("IN", "OUT"),
        help="US dollars per million tokens that a judge says it takes (default: 0.1 0.4, as the policy has it)",
    )
    parser.add_argument(
        "--busy-day", type=date.fromisoformat, help="the day with 300 telephone calls (default: the last Wednesday)"
    )
    given = parser.parse_args(arguments)
    given.monday = given.monday or last_monday()
    if given.monday.weekday() != 0:
        parser.error(f"--monday: {given.monday} is not a Monday")
    if not 1 <= given.weeks <= 60:
        parser.error("--weeks: from 1 to 60")
    if given.state is not None:
        if given.state.exists() and not given.state.is_dir():
            parser.error(f"--state: {given.state} is not a folder")
        given.state.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ready: dict[str, Any] = {}
    with contextlib.ExitStack() as running:
        for place, vendor in enumerate(given.only or DEFAULT):
            port = given.port + place if given.port else 0
            try:
                ready[vendor] = _STARTS[vendor](given, port, running)
            except OSError as error:
                print(f"cannot listen on {given.host}:{port}: {error.strerror}; try --port 0", file=sys.stderr)
                return 1
        print(json.dumps(ready, ensure_ascii=False), flush=True)
        stop.wait()
    return 0


def _address(given: argparse.Namespace, base_url: str) -> str:
    return base_url.replace(given.host, given.public_host, 1) if given.public_host else base_url


_shops: dict[tuple[object, ...], Shop] = {}
"""One shop behind all vendors of a process: its clock is moved once."""


def _shop(given: argparse.Namespace) -> Shop:
    key = (given.shop, given.seed, given.monday, given.weeks)
    if key in _shops:
        return _shops[key]
    shop = _shops[key] = (
        Shop.demo(given.seed, given.monday, given.weeks)
        if given.shop == "demo"
        else Shop.tiny(given.seed, given.monday)
    )
    if given.now:
        shop.set_clock(given.now if given.now.tzinfo else given.now.replace(tzinfo=ZoneInfo(ZONE)))
    return shop


def _retailcrm(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    shop = _shop(given)
    state = given.state / "retailcrm.json" if given.state else None
    emulator = running.enter_context(
        RetailCRMEmulator(shop, host=given.host, port=port, rate=given.rate or None, state=state)
    )
    return {
        "base_url": _address(given, emulator.base_url),
        "mg_base_url": _address(given, emulator.mg_base_url),
        "api_key": API_KEY,
        "bot_token": BOT_TOKEN,
        "shop": shop.label,
        "monday": given.monday.isoformat(),
        "seed": given.seed,
        "chats": len(shop.chats),
        "messages": len(shop.messages),
    }


def _retailcrm_web(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    shop = _shop(given)
    emulator = running.enter_context(RetailCRMWebEmulator(shop, host=given.host, port=port, rate=given.rate or None))
    base_url = _address(given, emulator.base_url)
    return {
        "base_url": base_url,
        "har": f"{base_url}/_emulator/har",
        "curl": f"{base_url}/_emulator/curl",
        "shop": shop.label,
        "chats": len(shop.chats),
        "messages": len(shop.messages),
    }


def _sheets(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    state = given.state / "sheets" if given.state else None
    emulator = running.enter_context(
        SheetsEmulator(host=given.host, port=port, state=state, public_host=given.public_host)
    )
    if REQUIREMENTS_ID not in emulator.books:
        kept = requirements.tabs()
        emulator.add_spreadsheet(REQUIREMENTS_ID, requirements.TITLE, tuple(kept))
        for tab, values in kept.items():
            emulator.edit(f"'{tab}'!A1", values, REQUIREMENTS_ID)
    return {
        "base_url": emulator.base_url,
        "spreadsheet_id": emulator.spreadsheet_id,
        "requirements_id": REQUIREMENTS_ID,
        "operators_tab": requirements.OPERATORS_TAB,
        "service_account_file": str(emulator.service_account_file),
        "page": emulator.page_url(),
    }


def _telegram(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    state = given.state / "telegram" if given.state else None
    token = os.environ.get(TOKEN_VARIABLE) or None
    emulator = running.enter_context(TelegramEmulator(host=given.host, port=port, bot_token=token, state=state))
    base_url = _address(given, emulator.base_url)
    return {
        "base_url": base_url,
        "bot_token": emulator.bot_token,
        "chat_id": emulator.chat_id,
        "page": f"{base_url}/_emulator/chat/{emulator.chat_id}",
    }


def _tbank(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    shop = _shop(given)
    book = CallBook(shop, busy_day=given.busy_day)
    emulator = running.enter_context(
        TBankEmulator(shop, book=book, host=given.host, port=port, rate=given.calls_rate or None)
    )
    return {
        "base_url": _address(given, emulator.base_url),
        "login": emulator.login,
        "password": emulator.password,
        "shop": shop.label,
        "busy_day": book.busy_day.isoformat(),
        "calls_on_it": len(book.day(book.busy_day)),
    }


def _llm(given: argparse.Namespace, port: int, running: contextlib.ExitStack) -> dict[str, Any]:
    paid_in, paid_out = given.llm_prices
    manner = Manner(delay=given.llm_delay, input_per_million_usd=paid_in, output_per_million_usd=paid_out)
    emulator = running.enter_context(LlmEmulator(host=given.host, port=port, seed=given.seed, manner=manner))
    return {
        "base_url": f"{_address(given, emulator.base_url)}/v1",
        "api_key": emulator.api_key,
        "model": "litellm_proxy/эмулятор-оценщика",
    }


_STARTS = {
    "retailcrm": _retailcrm,
    "retailcrm-web": _retailcrm_web,
    "sheets": _sheets,
    "tbank": _tbank,
    "telegram": _telegram,
    "llm": _llm,
}


if __name__ == "__main__":
    sys.exit(main())
