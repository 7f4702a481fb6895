"""``otklik connect``: where an account's address and keys come from, one question to the vendor, then they are stored.

Here: the env file, the prompts, what is refused. Not here: the fields of each vendor (``connect_fields``), captures
(``connect_web``), encryption and tables (``resources.vault``, ``resources.warehouse.connections``), the question
(``resources.account_check``).

Secrets come from a file, from standard input or from a prompt that does not show them; never as an argument, which
every user of the machine could read in the list of processes.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import Captures, ConnectionErrors, Connections
from orchestration.cli import connect_web, same_account, screen
from orchestration.cli.connect_fields import FIELDS, ONE_IN_FORCE, Field, as_account
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from resources.settings import Settings
    from resources.warehouse.connections import Account
    from resources.warehouse.engine import Warehouse

LARGEST_FILE = 1 << 20


def connect(
    vendor: str,
    name: str | None,
    env_file: str | None,
    base_url: str | None,
    files: connect_web.Files | None = None,
    *,
    check: bool,
    fields: Path | None = None,
) -> None:
    """Take the values, ask the vendor, store.

    Raises:
        CliError: a value is missing or unusable, or the name is taken, or the account is connected already.
        SourceError: the vendor does not accept the key or could not be asked; nothing was stored.
        KeysLost: something stored needs a key that is not there; nothing was stored (D14).
    """
    from resources.settings import Settings
    from resources.warehouse.connections import account
    from resources.warehouse.engine import Warehouse

    if vendor not in FIELDS:
        raise CliError(ConnectionErrors.UNKNOWN_VENDOR.format(vendor, ", ".join(FIELDS)), EXIT_USAGE)
    name = name or vendor
    if not re.fullmatch(r"[\w.-]{1,64}", name):
        raise CliError(ConnectionErrors.NAME.format(name), EXIT_USAGE)
    files = files or connect_web.Files()
    connect_web.refuse(vendor, files, env_file, base_url)
    capture = connect_web.read(files) if vendor == connect_web.WEB else None
    given = {} if env_file is None else from_file(vendor, env_file)
    if base_url is not None:
        given["base_url"] = base_url
    if fields is not None:
        given["fields"] = fields_file(vendor, name, fields)
    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        _refuse_taken(warehouse, vendor, name)
        with warehouse.connect() as connection:
            known = account(connection, name)
            if capture is not None:
                given = connect_web.values(settings, connection, name, known, files, capture)
        values = _checked(vendor, name, _complete(vendor, given, known, settings))
        with warehouse.connect() as connection:
            same_account.refuse(settings, connection, as_account(settings, vendor, name, values))
        if check:
            _ask(settings, vendor, name, values)
        _store(warehouse, settings, vendor, name, values, checked=check)
    if capture is not None:
        screen.say(Captures.DELETE)


# --- where the values come from -------------------------------------------------------------------------------------


def from_file(vendor: str, env_file: str) -> dict[str, str]:
    """The values of an env file, by our names; ``-`` is standard input.

    Raises:
        CliError: it cannot be read.
    """
    from dotenv import dotenv_values

    folder = Path.cwd()
    if env_file == "-":
        text = _text(env_file, sys.stdin.buffer.read(LARGEST_FILE + 1))
    else:
        path = Path(env_file).expanduser()
        if not path.is_file():
            raise CliError(ConnectionErrors.NO_FILE.format(path), EXIT_USAGE)
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            screen.note(Connections.READABLE.format(path, path))
        with path.open("rb") as file:
            text = _text(env_file, file.read(LARGEST_FILE + 1))
        folder = path.resolve().parent
    import io

    said = dotenv_values(stream=io.StringIO(text), interpolate=False)
    found: dict[str, str] = {}
    for field in FIELDS[vendor]:
        for variable in field.variables:
            if said.get(variable):
                found.setdefault(field.name, (said[variable] or "").strip())
    if "service_account" in found:
        found["service_account"] = _key_file(found["service_account"], folder)
    if "fields" in found:
        found["fields"] = fields_file(vendor, vendor, folder / Path(found["fields"]).expanduser())
    return found


def fields_file(vendor: str, name: str, path: Path) -> str:
    """Other names of a vendor's fields, as the JSON that is stored.

    Raises:
        CliError: the vendor has fixed ones, or the file cannot be used.
    """
    import json

    from resources.clients.errors import BadConfiguration
    from resources.tbank_account import read_fields

    if vendor != "tbank":
        raise CliError(ConnectionErrors.ONLY_TBANK.format("--fields"), EXIT_USAGE)
    if not path.expanduser().is_file():
        raise CliError(ConnectionErrors.NO_FILE.format(path), EXIT_USAGE)
    try:
        return json.dumps(read_fields(path, name), ensure_ascii=False)
    except BadConfiguration as error:
        raise CliError(ConnectionErrors.FIELDS.format(path, error.what), EXIT_USAGE) from None


def _text(name: str, content: bytes) -> str:
    if len(content) > LARGEST_FILE:
        raise CliError(ConnectionErrors.UNREADABLE.format(name), EXIT_USAGE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CliError(ConnectionErrors.UNREADABLE.format(name), EXIT_USAGE) from None


def _key_file(said: str, folder: Path) -> str:
    """The content of the service account's key file: the variable holds its path, as in the vendor's own tools."""
    if said.lstrip().startswith("{"):
        return said
    path = folder / Path(said).expanduser()
    if not path.is_file():
        raise CliError(ConnectionErrors.NO_FILE.format(path), EXIT_USAGE)
    with path.open("rb") as file:
        return _text(str(path), file.read(LARGEST_FILE + 1))


def _complete(vendor: str, given: dict[str, str], known: Account | None, settings: Settings) -> dict[str, str]:
    """The values with what a person types, what is known and what is usual."""
    values = dict(given)
    stored = {} if known is None else {key: str(value) for key, value in known.settings.items() if value}
    missing = [field for field in FIELDS[vendor] if field.default is None and not values.get(field.name)]
    if missing and not _is_terminal():
        # what is no secret may stay as it is when only keys are replaced
        missing = [field for field in missing if field.is_encrypted or field.name not in stored]
        if missing:
            names = ", ".join(field.variables[0] for field in missing)
            raise CliError(ConnectionErrors.MISSING.format(names), EXIT_USAGE)
    for field in FIELDS[vendor]:
        if values.get(field.name):
            continue
        if field in missing:
            values[field.name] = _asked(field, stored.get(field.name))
        elif field.name in stored and not _followed(field, stored, settings):
            values[field.name] = stored[field.name]
        else:
            assert field.default is not None
            values[field.name] = field.default(settings, values)
    return values


def _followed(field: Field, stored: Mapping[str, str], settings: Settings) -> bool:
    """Whether a stored value is only what its default made of the others: with a new address it would be the old one,
    and a new token would go there."""
    return field.default is not None and field.default(settings, {"base_url": "", **stored}) == stored[field.name]


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _asked(field: Field, usual: str | None) -> str:
    import typer

    label = Connections.FIELDS[field.name]
    if field.name == "service_account":
        return _key_file(str(typer.prompt(label)).strip(), Path.cwd())
    if field.is_secret:
        return str(typer.prompt(label + Connections.HIDDEN, hide_input=True)).strip()
    return str(typer.prompt(label, default=usual)).strip()


# --- what is refused ------------------------------------------------------------------------------------------------


def _checked(vendor: str, name: str, values: dict[str, str]) -> dict[str, str]:
    from zoneinfo import ZoneInfo

    from resources.accounts import parsed_service_account
    from resources.clients.addresses import checked_headers, checked_url
    from resources.clients.errors import BadConfiguration
    from resources.vault import hide_secret

    for field in FIELDS[vendor]:
        if field.is_secret:
            hide_secret(values[field.name])
    for field in ("base_url", "mg_base_url", "address"):
        if field in values:
            try:
                values[field] = checked_url(name, values[field])
            except BadConfiguration as error:
                raise CliError(ConnectionErrors.ADDRESS, EXIT_USAGE) from error
    if "time_zone" in values:
        try:
            ZoneInfo(values["time_zone"])
        except (KeyError, ValueError, OSError):
            raise CliError(ConnectionErrors.TIME_ZONE.format(values["time_zone"]), EXIT_USAGE) from None
    if vendor == "retailcrm":
        checked_headers(name, {"X-API-KEY": values["api_key"], "X-Bot-Token": values["bot_token"]})
    elif vendor == "sheets":
        values["spreadsheet_id"] = _spreadsheet_id(values["spreadsheet_id"])
        try:
            parsed_service_account(name, values["service_account"])
        except BadConfiguration as error:
            raise CliError(ConnectionErrors.KEY_FILE.format(error.what), EXIT_USAGE) from None
    elif vendor == "telegram" and not re.fullmatch(r"-?\d{1,20}|@\w{3,64}", values["chat_id"]):
        raise CliError(ConnectionErrors.CHAT.format(values["chat_id"]), EXIT_USAGE)
    return values


def _spreadsheet_id(said: str) -> str:
    from resources.accounts import spreadsheet_id_of

    spreadsheet_id = spreadsheet_id_of(said)
    if not re.fullmatch(r"[\w-]{5,128}", spreadsheet_id):
        raise CliError(ConnectionErrors.SPREADSHEET.format(said), EXIT_USAGE)
    return spreadsheet_id


def _refuse_taken(warehouse: Warehouse, vendor: str, name: str) -> None:
    """One name is one account everywhere: of one vendor here, and of one source in the rows that were loaded."""
    from psycopg import sql as composed

    from resources.warehouse.connections import accounts

    prefix = f"{vendor.replace('-', '_')}__"
    with warehouse.connect() as connection:
        everyone = accounts(connection, with_disabled=True)
        taken = [one.vendor for one in everyone if one.connection_id == name and one.vendor != vendor]
        for (table,) in connection.execute("select tablename from pg_tables where schemaname = 'raw'").fetchall():
            holds = composed.SQL("select exists (select from {} where connection_id = %s)")
            row = connection.execute(holds.format(composed.Identifier("raw", table)), [name]).fetchone()
            if row == (True,) and not table.startswith(prefix):
                taken.append(table.split("__")[0])
    if taken:
        raise CliError(ConnectionErrors.TAKEN.format(name, taken[0]), EXIT_USAGE)
    refuse_second(everyone, vendor, name)


def refuse_second(everyone: list[Account], vendor: str, name: str) -> None:
    """There is one spreadsheet and one bot in force: a second one would be ignored without a word.

    Raises:
        CliError: names the one that is in force.
    """
    others = [
        one.connection_id
        for one in everyone
        if one.vendor == vendor and one.is_enabled and one.origin == "stored" and one.connection_id != name
    ]
    if vendor in ONE_IN_FORCE and others:
        raise CliError(ConnectionErrors.ONLY_ONE.format(others[0], others[0]), EXIT_USAGE)


# --- asking and storing ---------------------------------------------------------------------------------------------


def _ask(settings: Settings, vendor: str, name: str, values: Mapping[str, str]) -> None:
    """Ask, and answer in the vendor's own terms where a person can mend it in the vendor's window."""
    import json

    from resources.account_check import ask
    from resources.clients.errors import Forbidden, NotFound, TransientError

    try:
        ask(settings, as_account(settings, vendor, name, values))
    except TransientError as error:
        raise CliError(ConnectionErrors.NOT_ASKED.format(error.what)) from error
    except Forbidden as error:
        if vendor != "sheets":
            raise
        email = json.loads(values["service_account"])["client_email"]
        raise CliError(ConnectionErrors.NOT_SHARED.format(email)) from error
    except NotFound as error:
        if vendor not in ONE_IN_FORCE:
            raise
        text = ConnectionErrors.NO_SPREADSHEET if vendor == "sheets" else ConnectionErrors.NO_CHAT
        place = values["spreadsheet_id" if vendor == "sheets" else "chat_id"]
        raise CliError(text.format(place)) from error


def _store(
    warehouse: Warehouse, settings: Settings, vendor: str, name: str, values: Mapping[str, str], *, checked: bool
) -> None:
    from resources.accounts import environment_accounts
    from resources.vault import Vault
    from resources.warehouse.connections import save

    hidden = {field.name for field in FIELDS[vendor] if field.is_encrypted}
    vault = Vault.open(settings)
    had_keys = vault.newest is not None
    with warehouse.connect() as connection:
        save(
            connection,
            vault,
            name,
            vendor,
            {key: value for key, value in values.items() if key not in hidden},
            {key: value for key, value in values.items() if key in hidden},
            status="ok" if checked else None,
            at=settings.now(),
        )
    screen.say(Connections.connected(name, Connections.VENDORS[vendor], checked))
    if not had_keys:
        screen.note(Connections.NEW_KEY_FILE.format(vault.source))
    if any(account.connection_id == name for account in environment_accounts(settings)):
        screen.note(Connections.ENVIRONMENT_WINS.format(name))
