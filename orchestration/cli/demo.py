"""The demo's shop: the emulator as a child process, and the weeks that a home has shown once it shows for ever.

Here: which weeks, which clock, how the emulator is started. Not here: the shop (``tests.emulators``, a program of its
own: production code does not import it), the chain.
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
class Emulator:
    """A running emulator."""

    facts: dict[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """The settings that point at it."""
        return {
            "RETAILCRM_BASE_URL": self.facts["base_url"],
            "RETAILCRM_MG_BASE_URL": self.facts["mg_base_url"],
            "RETAILCRM_API_KEY": self.facts["api_key"],
            "RETAILCRM_BOT_TOKEN": self.facts["bot_token"],
        }

    def set_clock(self, now: datetime) -> None:
        """Move the shop's clock: what it has not reached yet does not show."""
        self._post("clock", {"now": now.isoformat()})

    def _post(self, what: str, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            f"{self.facts['base_url']}/_emulator/{what}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30):
            pass


def start_emulator(root: Path, home: Path, kept: Anchor, now: datetime, group: list[children.Child]) -> Emulator:
    """Start the emulator as a child and wait for the line that says that it serves.

    Raises:
        CliError: there are no emulators here, or it did not come up.
    """
    if not (root / "tests" / "emulators" / "__main__.py").is_file():
        raise CliError(Errors.NO_CLONE)
    command = [sys.executable, "-m", "tests.emulators", "--only", "retailcrm", "--port", "0"]
    command += ["--shop", SHOP, "--monday", kept.monday.isoformat(), "--now", now.isoformat()]
    log = home / "logs" / "emulator.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(root)}
    with screen.steps() as steps, steps.step(Up.EMULATOR):
        child = children.start("emulator", command, log, environment=environment, directory=root, pipe_output=True)
        group.append(child)
        return Emulator(json.loads(_first_line(child))["retailcrm"])


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
def pointed_at(emulator: Emulator, kept: Anchor) -> Iterator[None]:
    """Our own settings read the emulator while the block lasts, and the days in the UI begin where the shop's do."""
    variables = emulator.variables | {"OTKLIK_FIRST_DAY": kept.first_day.isoformat()}
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
