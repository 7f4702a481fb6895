"""``otklik probe``: one harmless call per capability, to see what an account may do before anything is loaded.

Here: which source, and the table. Not here: the calls (``Source.probe``).
"""

from __future__ import annotations

import json
from contextlib import ExitStack

from conversations.messages import Errors, Probe
from conversations.source import Capability
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_FAILED, EXIT_USAGE, CliError
from resources.settings import Settings

SOURCES = ("retailcrm",)
LONGEST_SECONDS = 60.0
"""Longest time for one call."""
NOT_NEEDED = {"api/v5/chats"}
"""Asked for information: RetailCRM has no such list, chats come from the MessageGateway, and people look for it."""


def probe(source: str, *, as_json: bool) -> None:
    """Print what the account of ``source`` may do; exit code 1 when something is closed."""
    import typer

    found = capabilities(source, Settings())
    if as_json:
        print(json.dumps([capability._asdict() for capability in found], ensure_ascii=False))
    else:
        columns = [(Probe.CAPABILITY, "left"), (Probe.STATE, "left"), (Probe.DETAIL, "left")]
        rows = [(item.name, Probe.OPEN if item.is_open else Probe.CLOSED, item.detail) for item in found]
        screen.show(screen.table(source, columns, rows))
    if missing(found):
        raise typer.Exit(EXIT_FAILED)


def capabilities(source: str, settings: Settings) -> list[Capability]:
    """What the account of ``source`` may do.

    Raises:
        CliError: unknown source.
        SourceError: the source could not be asked at all.
    """
    if source not in SOURCES:
        raise CliError(Errors.UNKNOWN_SOURCE.format(source, ", ".join(SOURCES)), EXIT_USAGE)
    from resources.retailcrm_account import source_of

    # a person waits for the answer: not as long as a load at night would
    patient = min(settings.http_deadline_seconds, LONGEST_SECONDS)
    with ExitStack() as closing:
        return source_of(settings.model_copy(update={"http_deadline_seconds": patient}), closing).probe()


def missing(found: list[Capability]) -> list[Capability]:
    """What is closed and needed."""
    return [item for item in found if not item.is_open and item.name not in NOT_NEEDED]
