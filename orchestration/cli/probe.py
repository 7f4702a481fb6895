"""``otklik probe``: one harmless call per capability, to see what an account may do before anything is loaded.

Here: which source, and the table. Not here: the calls (``Source.probe``).
"""

from __future__ import annotations

import json

from conversations.messages import Errors, Probe
from conversations.source import Capability, Source
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_FAILED, EXIT_USAGE, CliError
from resources.settings import Settings

SOURCES = ("retailcrm",)
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
    return retailcrm(settings).probe()


def missing(found: list[Capability]) -> list[Capability]:
    """What is closed and needed."""
    return [item for item in found if not item.is_open and item.name not in NOT_NEEDED]


def retailcrm(settings: Settings) -> Source:
    """The RetailCRM account of the settings.

    Raises:
        BadConfiguration: address or key missing.
    """
    from resources.clients.http import Limits
    from resources.clients.retailcrm_bot import RetailCRMBotClient
    from resources.clients.retailcrm_v5 import RetailCRMV5Client
    from resources.sources.retailcrm import RetailCRMSource

    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        # a person waits for the answer: not as long as a load at night would
        deadline_seconds=min(settings.http_deadline_seconds, 60.0),
        attempts=settings.http_max_attempts,
        requests_per_second=settings.retailcrm_requests_per_second,
    )
    name = settings.retailcrm_connection_id
    key = settings.retailcrm_api_key.get_secret_value() if settings.retailcrm_api_key else ""
    token = settings.retailcrm_bot_token.get_secret_value() if settings.retailcrm_bot_token else ""
    crm = RetailCRMV5Client(name, settings.retailcrm_base_url or "", key, limits)
    bot = RetailCRMBotClient(name, settings.retailcrm_mg_url or "", token, limits)
    return RetailCRMSource(name, bot, crm, settings.retailcrm_timezone)
