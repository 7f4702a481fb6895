"""``otklik connections``, ``disable``, ``enable``, ``rotate-keys``: the accounts, in use or not, and their keys.

Here: the table, what is said after an act. Not here: connecting (``orchestration.cli.connect``), the acts themselves
(``resources.warehouse.connections``).
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from conversations.messages import NONE, ConnectionErrors, Connections, Errors, plural
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from resources.settings import Settings
    from resources.warehouse.connections import Account

_STYLES = {
    "ok": "green", "needs_auth": "bold red", "broken": "bold red", "no_key": "bold red", "rate_limited": "yellow",
}  # fmt: skip


def show(*, as_json: bool) -> None:
    """Print all accounts, those of the environment included; nothing is asked of a vendor."""
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect() as connection:
            found = listed(settings, connection)
    if as_json:
        print(json.dumps([_plain(line) for line in found], ensure_ascii=False))
    elif not found:
        screen.say(Connections.EMPTY)
    else:
        _draw(found, _zone(settings))


def listed(settings: Settings, connection: Any) -> list[dict[str, Any]]:
    """One line per account: its row, and which keys are in force."""
    from resources.accounts import environment_accounts, is_silenced
    from resources.vault import Vault
    from resources.warehouse.connections import accounts, key_of

    vault = Vault.open(settings)
    described = {account.connection_id: account for account in environment_accounts(settings)}
    keys = key_of(connection)
    rows = {account.connection_id: account for account in accounts(connection, with_disabled=True)}
    # described and never used yet: nobody has written it down
    everyone = [*rows.values(), *(account for name, account in described.items() if name not in rows)]
    taken_over = {account.vendor for name, account in described.items() if rows.get(name, account).is_enabled}
    lines = []
    for account in everyone:
        name, has_stored = account.connection_id, account.connection_id in keys
        line = {
            "connection": name,
            "vendor": account.vendor,
            "origin": _origin(account, name in described, has_stored),
            "address": dict(described.get(name, account).settings),
            "state": account.status or "unknown",
            "key": keys.get(name),
            "reason": account.reason,
            "checked_at": account.checked_at,
            "synced_at": account.synced_at,
            "disabled_at": account.disabled_at,
        }
        if not account.is_enabled:
            line["state"] = "disabled"
        elif has_stored and keys[name] not in vault.key_ids:
            line |= {"state": "no_key", "reason": Connections.NO_KEY.format(name, keys[name], vault.source)}
        elif account.vendor == "telegram" and is_silenced(settings):
            line["state"] = "silenced"
        elif account.vendor in ("sheets", "telegram") and account.vendor in taken_over and name not in described:
            line["state"] = "shadowed"
        lines.append(line)
    return lines


def disable(name: str, *, forget: bool) -> None:
    """Stop using an account.

    Raises:
        NoSuchConnection: there is none of that name.
    """
    from resources.settings import Settings
    from resources.warehouse import connections
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect() as connection:
            _note(settings, connection, name)
            connections.disable(connection, name, forget=forget)
    screen.say((Connections.FORGOTTEN if forget else Connections.DISABLED).format(name, name))


def enable(name: str) -> None:
    """Use an account again.

    Raises:
        NoSuchConnection: there is none of that name, or its keys were forgotten.
        CliError: another account of a vendor of which one is used at a time is in force, or another connection to the
            same account is.
    """
    from orchestration.cli.connect import refuse_second
    from orchestration.cli.same_account import refuse_enabled
    from resources.settings import Settings
    from resources.warehouse import connections
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect() as connection:
            everyone = connections.accounts(connection, with_disabled=True)
            for account in everyone:
                if account.connection_id == name:
                    refuse_second(everyone, account.vendor, name)
            connections.enable(connection, name)
            refuse_enabled(settings, connection, name)
    screen.say(Connections.ENABLED.format(name))


def rotate_keys(*, only_print: bool) -> None:
    """Replace the key of all stored credentials; or print a fresh key and change nothing.

    Raises:
        KeysLost: something stored needs a key that is not there; nothing was changed.
        CliError: the keys are the environment's and there is no newer one.
    """
    from resources.settings import Settings
    from resources.vault import Vault, new_key
    from resources.warehouse.connections import rotate
    from resources.warehouse.engine import Warehouse

    if only_print:
        print(new_key())
        return
    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        vault = Vault.open(settings)
        with warehouse.connect("otklik rotate-keys", autocommit=True) as connection:
            count = rotate(connection, vault)
    if vault.newest is None and vault.path is not None:
        screen.say(Connections.NO_KEYS)
        return
    if vault.path is None and count == 0 and len(vault.key_ids) < 2:
        raise CliError(ConnectionErrors.NO_SECOND_KEY, EXIT_USAGE)
    screen.say(Connections.rotated(plural(count, *Connections.ROWS), vault.source, vault.path is not None))


def _note(settings: Settings, connection: Any, name: str) -> None:
    """An account of the environment gets its row with the first act on it."""
    from resources.accounts import environment_accounts
    from resources.warehouse.connections import note_environment

    for account in environment_accounts(settings):
        if account.connection_id == name:
            note_environment(connection, account)


def _origin(account: Account, is_described: bool, has_stored: bool) -> str:
    if is_described:
        return "environment_wins" if has_stored else "environment"
    if account.origin == "environment":
        return "environment_gone"
    return "stored" if has_stored else "forgotten"


def _draw(lines: list[dict[str, Any]], zone: ZoneInfo) -> None:
    headings = (
        Connections.NAME, Connections.VENDOR, Connections.ORIGIN, Connections.STATE, Connections.CHECKED,
        Connections.SYNCED,
    )  # fmt: skip
    drawn = screen.table(Connections.TITLE, [(heading, "left") for heading in headings], [])
    for line in lines:
        screen.add_row(
            drawn,
            [
                line["connection"],
                Connections.VENDORS.get(line["vendor"], line["vendor"]),
                Connections.ORIGINS[line["origin"]],
                _state(line),
                _moment(line["checked_at"], zone, NONE),
                _moment(line["synced_at"], zone, Connections.NEVER if line["vendor"].startswith("retailcrm") else NONE),
            ],
            style=_STYLES.get(line["state"]),
        )
    screen.show(drawn)
    for line in lines:
        if line["state"] == "no_key":
            screen.say(line["reason"])
        elif line["reason"] and line["state"] in _STYLES:
            screen.say(f"{line['connection']}: {why(line['reason'])}")
        if line["origin"] in Connections.NOTES:
            screen.say(Connections.NOTES[line["origin"]].format(line["connection"]))


def _state(line: dict[str, Any]) -> str:
    if line["state"] == "needs_auth" and str(line["reason"]).startswith("[session_expired]"):
        return Connections.SESSION_OVER
    return Connections.STATES[line["state"]]


def why(reason: str) -> str:
    """A stored reason in words of ours; what the other side said stays behind it."""
    found = re.fullmatch(r"\[(\w+)\] (.*)", reason, re.S)
    if found is None or found[1] not in Errors.SOURCES:
        return reason
    return f"{Errors.SOURCES[found[1]]} ({found[2]})"


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in line.items()}


def _moment(instant: datetime | None, zone: ZoneInfo, unknown: str) -> str:
    return unknown if instant is None else f"{instant.astimezone(zone):%d.%m.%Y %H:%M}"


def _zone(settings: Settings) -> ZoneInfo:
    from conversations.policy import Policy

    return ZoneInfo(Policy.load(settings.policy_path).organisation.time_zone)
