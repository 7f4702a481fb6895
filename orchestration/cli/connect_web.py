"""``otklik connect retailcrm-web``: a request copied from the browser becomes an account.

Here: which files, what of them is shown, what is kept of an earlier capture. Not here: reading captures
(``resources.clients.captures``), the question to the vendor and storing (``connect``).

A session that expired is captured again with any one request of the page: the queries that are known stay.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from conversations.messages import CaptureErrors, Captures, ConnectionErrors, Connections
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    import psycopg

    from conversations.captures import Capture, Operation
    from resources.settings import Settings
    from resources.warehouse.connections import Account

WEB = "retailcrm-web"


class Files(NamedTuple):
    """What was typed about a capture."""

    curl: tuple[Path, ...] = ()
    har: Path | None = None
    time_zone: str | None = None


def refuse(vendor: str, files: Files, env_file: str | None, base_url: str | None) -> None:
    """Refuse options that belong to another vendor.

    Raises:
        CliError: names the option.
    """
    ours = {"--curl": bool(files.curl), "--har": files.har is not None, "--time-zone": files.time_zone is not None}
    others = {"--env-file": env_file is not None, "--base-url": base_url is not None}
    if vendor != WEB:
        for option in (option for option, is_given in ours.items() if is_given):
            raise CliError(CaptureErrors.ONLY_WEB.format(option), EXIT_USAGE)
        return
    for option in (option for option, is_given in others.items() if is_given):
        raise CliError(CaptureErrors.NOT_FOR_WEB.format(option), EXIT_USAGE)
    if files.curl and files.har:
        raise CliError(CaptureErrors.BOTH, EXIT_USAGE)
    if not files.curl and not files.har:
        raise CliError(CaptureErrors.NO_FILES, EXIT_USAGE)


def read(files: Files) -> Capture:
    """The capture in the files.

    Raises:
        CliError: a file that is not there, cannot be read or is no capture; one line that says what to do.
    """
    from conversations.captures import NotACapture
    from resources.clients import captures

    paths = [Path(one).expanduser() for one in ((files.har,) if files.har else files.curl)]
    for path in paths:
        if not path.is_file():
            raise CliError(ConnectionErrors.NO_FILE.format(path), EXIT_USAGE)
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            screen.note(Connections.READABLE.format(path, path))
    named = ", ".join(path.name for path in paths)
    try:
        return captures.of_har_file(paths[0]) if files.har else captures.of_curl_files(paths)
    except NotACapture as refused:
        text = CaptureErrors.why(refused.code, refused.detail)
        raise CliError(CaptureErrors.IN_FILE.format(named, text), EXIT_USAGE) from None
    except OSError as error:
        text = CaptureErrors.UNREADABLE.format(type(error).__name__)
        raise CliError(CaptureErrors.IN_FILE.format(named, text), EXIT_USAGE) from None


def values(
    settings: Settings, connection: psycopg.Connection[Any], name: str, known: Account | None, files: Files,
    capture: Capture,
) -> dict[str, str]:  # fmt: skip
    """Show what was found; the values of the account, with the operations of an earlier capture of the same place.

    Raises:
        CliError: without a list of chats nothing can be read.
        KeysLost: what is stored needs a key that is not there (D14).
    """
    from conversations.captures import NotACapture

    stored = {} if known is None else known.settings
    whole = capture.over(_known(settings, connection, name, capture, stored))
    _show(capture, whole)
    try:
        whole.usable()
    except NotACapture as refused:
        raise CliError(CaptureErrors.why(refused.code, refused.detail), EXIT_USAGE) from None
    zone = files.time_zone or str(stored.get("time_zone") or settings.retailcrm_timezone)
    return {"address": whole.address, "time_zone": zone, **whole.secrets()}


def _known(
    settings: Settings, connection: psycopg.Connection[Any], name: str, capture: Capture, stored: Mapping[str, Any]
) -> dict[str, Operation]:
    """The operations that are stored for the same place; none where there are none or they are damaged."""
    from conversations.captures.batch import stored_operations
    from resources.vault import Vault
    from resources.warehouse.connections import credentials
    from resources.warehouse.errors import CredentialsDamaged, NoSuchConnection

    if stored.get("address") != capture.address:
        return {}
    try:
        return stored_operations(credentials(connection, name, Vault.open(settings)))
    except (CredentialsDamaged, NoSuchConnection, ValueError):
        return {}


def _show(capture: Capture, whole: Capture) -> None:
    """What was found and what is missing; names of headers and operations, no value."""
    from conversations.captures import OPERATIONS

    def state(operation: str) -> str:
        if operation in capture.operations:
            return Captures.FOUND
        return Captures.KEPT if operation in whole.operations else Captures.ABSENT

    title = Captures.TITLE.format(urlsplit(capture.address).netloc)
    columns = [(heading, "left") for heading in (Captures.OPERATION, Captures.STATE, Captures.GIVES)]
    screen.show(screen.table(title, columns, [(one, state(one), Captures.WHAT[one]) for one in OPERATIONS]))
    screen.say(Captures.session(sorted(capture.headers), capture.others))
    for operation in whole.missing:
        if operation in Captures.WITHOUT:
            screen.say(Captures.WITHOUT[operation])
