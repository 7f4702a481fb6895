"""The demo's outside: the emulators as child processes, and the weeks that a home has shown once it shows for ever.

Here: which weeks, which clock, how the emulators are started. Not here: the shop, the spreadsheet and the chat
(``tests.emulators``, a program of its own: production code does not import it), the chain.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conversations.messages import Errors, Up
from conversations.window import business_day, iso_week
from orchestration.cli import children, screen
from orchestration.cli.errors import CliError

WEEKS = 5
"""Closed weeks that are loaded and published; the shop has one more before them, so that no wait begins in a void."""
SHOP = "demo"
"""Which of the emulator's shops."""
_VENDORS = (2, 3)
"""How many the two children serve, each on a port after the first."""
_READY_SECONDS = 120


@dataclass(frozen=True)
class Anchor:
    """What the demo of one home is nailed to: a later run must find the same weeks, or every row would be another."""

    monday: date
    """The Monday after the last closed week."""
    time_zone: str
    is_loaded: bool = False
    """A run came to its end before: the shop's clock starts where that one stopped."""

    @property
    def first_day(self) -> date:
        return self.monday - timedelta(weeks=WEEKS)

    @property
    def last_day(self) -> date:
        return self.monday - timedelta(days=1)

    @property
    def weeks(self) -> list[str]:
        return [iso_week(self.first_day + timedelta(weeks=at)) for at in range(WEEKS)]

    def at(self, hour: int) -> datetime:
        """The shop's clock at an hour of that Monday."""
        return datetime.combine(self.monday, clock_time(hour), ZoneInfo(self.time_zone))


def anchor(home: Path) -> Anchor | None:
    """The remembered anchor of a home; ``None`` where no demo ran."""
    try:
        kept = json.loads((home / "demo.json").read_text("utf-8"))
        return Anchor(date.fromisoformat(kept["monday"]), kept["time_zone"], bool(kept["is_loaded"]))
    except FileNotFoundError:
        return None


def new_anchor(now: datetime, time_zone: str) -> Anchor:
    """The Monday of this week: the last closed week ended with it."""
    today = business_day(now, time_zone)
    return Anchor(today - timedelta(days=today.weekday()), time_zone)


def remember(home: Path, kept: Anchor) -> None:
    """Write the anchor, whole or not at all."""
    text = json.dumps({"monday": kept.monday.isoformat(), "time_zone": kept.time_zone, "is_loaded": kept.is_loaded})
    aside = home / "demo.json.new"
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(home / "demo.json")


@dataclass(frozen=True)
class Outside:
    """The running emulators: the shop and its telephone, the spreadsheets, the operators' chat, a judge."""

    facts: dict[str, dict[str, Any]]
    """By vendor, as the emulators say."""

    @property
    def variables(self) -> dict[str, str]:
        """The settings that point at them."""
        shop, sheets, chat = (self.facts[vendor] for vendor in ("retailcrm", "sheets", "telegram"))
        phone, judge = self.facts["tbank"], self.facts["llm"]
        return {
            "RETAILCRM_BASE_URL": shop["base_url"],
            "RETAILCRM_MG_BASE_URL": shop["mg_base_url"],
            "RETAILCRM_API_KEY": shop["api_key"],
            "RETAILCRM_BOT_TOKEN": shop["bot_token"],
            "GOOGLE_SHEETS_ID": sheets["spreadsheet_id"],
            "GOOGLE_SHEETS_URL": sheets["page"],
            "GOOGLE_SERVICE_ACCOUNT_JSON": sheets["service_account_file"],
            "SHEETS_BASE_URL": sheets["base_url"],
            "TELEGRAM_ENABLED": "1",
            "TELEGRAM_BOT_TOKEN": chat["bot_token"],
            "TELEGRAM_CHAT_ID": str(chat["chat_id"]),
            "TELEGRAM_BASE_URL": chat["base_url"],
            "TBANK_BASE_URL": phone["base_url"],
            "TBANK_LOGIN": phone["login"],
            "TBANK_PASSWORD": phone["password"],
            # nobody's telephony is burdened by it
            "TBANK_REQUESTS_PER_SECOND": "500",
            "REQUIREMENTS_SHEET_ID": sheets["requirements_id"],
            "REQUIREMENTS_OPERATORS_TAB": sheets["operators_tab"],
            "LLM_BASE_URL": judge["base_url"],
            "LLM_API_KEY": judge["api_key"],
            "LLM_MODEL": judge["model"],
        }

    @property
    def spreadsheet_page(self) -> str:
        """Where a person looks at the spreadsheet."""
        return str(self.facts["sheets"]["page"])

    @property
    def chat_page(self) -> str:
        """Where a person reads the operators' chat."""
        return str(self.facts["telegram"]["page"])

    def set_clock(self, now: datetime) -> None:
        """Move the shop's clock: what it has not reached yet does not show."""
        self._post("clock", {"now": now.isoformat()})

    def _post(self, what: str, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            f"{self.facts['retailcrm']['base_url']}/_emulator/{what}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30):
            pass


def start_emulators(root: Path, home: Path, kept: Anchor, now: datetime, group: list[children.Child]) -> Outside:
    """Start the emulators as children and wait for the lines that say that they serve.

    The shop is made anew each time and is the same; spreadsheet and chat keep what was written there.

    Raises:
        CliError: there are no emulators here, or they did not come up.
    """
    if not (root / "tests" / "emulators" / "__main__.py").is_file():
        raise CliError(Errors.NO_CLONE)
    ports = _ports(home)
    shop = ["--only", "retailcrm", "--only", "tbank", "--calls-rate", "0"]
    shop += ["--shop", SHOP, "--monday", kept.monday.isoformat(), "--now", now.isoformat()]
    others = ["--only", "sheets", "--only", "telegram", "--only", "llm", "--llm-delay", "0.05"]
    others += ["--state", str(home / "emulators")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(root)}
    with screen.steps() as steps, steps.step(Up.EMULATOR):
        started = []
        for name, port, arguments in (("emulator", ports[0], shop), ("emulators", ports[1], others)):
            command = [sys.executable, "-m", "tests.emulators", "--port", str(port), *arguments]
            log = home / "logs" / f"{name}.log"
            child = children.start(name, command, log, environment=environment, directory=root, pipe_output=True)
            group.append(child)
            started.append(child)
        return Outside({vendor: facts for child in started for vendor, facts in json.loads(_first_line(child)).items()})


def _ports(home: Path) -> list[int]:
    """The first port of each child, those of the last time if they are free: a link to the spreadsheet stays good."""
    kept = home / "emulators" / "ports.json"
    try:
        ports = [int(port) for port in json.loads(kept.read_text("utf-8"))]
    except (FileNotFoundError, ValueError):
        ports = []
    while len(ports) != len(_VENDORS) or not _are_free(ports):
        ports = [children.free_port() for _ in _VENDORS]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(ports), encoding="utf-8")
    return ports


def _are_free(ports: list[int]) -> bool:
    """Whether every vendor of every child finds its port free and its own."""
    wanted = [port + place for port, vendors in zip(ports, _VENDORS, strict=True) for place in range(vendors)]
    return len(set(wanted)) == len(wanted) and all(children.is_free(port) for port in wanted)


def _first_line(child: children.Child) -> bytes:
    output = child.process.stdout
    assert output is not None
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if select.select([output], [], [], 0.5)[0]:
            line = output.readline()
            if line:
                return line
        if child.exit_code is not None:
            break
    raise CliError(Errors.EMULATOR.format(child.log))


@contextmanager
def pointed_at(outside: Outside, kept: Anchor) -> Iterator[None]:
    """Our own settings mean the emulators while the block lasts, and the days in the UI begin where the shop's do."""
    variables = outside.variables | {"OTKLIK_FIRST_DAY": kept.first_day.isoformat()}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
