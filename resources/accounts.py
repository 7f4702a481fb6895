"""Which accounts are in force, with addresses and secrets: those that were connected, and that of the environment.

Here: a dataclass per vendor (T-Bank's is in ``resources.tbank_account``) and the rule of precedence: an account of the
environment wins over a stored one of the same name. Not here: storing (``resources.warehouse.connections``), clients
(``resources.clients``).

Every function takes a session of the loader: other roles may not read credentials. The environment's account is
written down when it is asked for, so that its health has a place; the caller commits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from pydantic import SecretStr

from resources.clients.errors import BadConfiguration
from resources.settings import Settings
from resources.vault import Vault, hide_secret
from resources.warehouse import connections
from resources.warehouse.connections import ENVIRONMENT, Account
from resources.warehouse.errors import CredentialsDamaged, NoSuchConnection

RETAILCRM, RETAILCRM_WEB, SHEETS, TELEGRAM = "retailcrm", "retailcrm-web", "sheets", "telegram"
TBANK = "tbank"
VENDORS = (RETAILCRM, RETAILCRM_WEB, TBANK, SHEETS, TELEGRAM)
READ_VENDORS = (RETAILCRM, RETAILCRM_WEB, TBANK)
"""Whose conversations are read; sheets and messengers are written to, and late only as part of a week."""
_REMEDY = "Set it in the environment or in .env; otklik doctor checks it"


@dataclass(frozen=True)
class RetailCRMAccount:
    """One RetailCRM account."""

    account: Account
    base_url: str
    mg_base_url: str
    """The MessageGateway; the same address as ``base_url`` unless another was given."""
    time_zone: str
    requests_per_second: float
    api_key: SecretStr
    bot_token: SecretStr
    fault: BadConfiguration | None = None
    """Why it cannot even be tried; raise it instead of asking the vendor."""

    @property
    def connection_id(self) -> str:
        """The account's name in all our tables."""
        return self.account.connection_id


@dataclass(frozen=True)
class RetailCRMWebAccount:
    """One RetailCRM account whose chats are read as its own web page reads them, with a captured session."""

    account: Account
    address: str
    """Of the batched calls, as captured: ``https://…/api/graphql/v1/batch``."""
    time_zone: str
    """For times that come without a zone."""
    requests_per_second: float
    secrets: Mapping[str, str] = field(repr=False)
    """``headers``: JSON object, names in lower case; ``operations``: JSON object ``{name: {"query": "…", "variables":
    {…}}}``, verbatim as captured. ``chatsList`` is always there, ``ChannelsList`` and ``messages`` need not be."""
    fault: BadConfiguration | None = None
    """Why it cannot even be tried; raise it instead of asking the vendor."""

    @property
    def connection_id(self) -> str:
        """The account's name in all our tables."""
        return self.account.connection_id


@dataclass(frozen=True)
class SheetsAccount:
    """The spreadsheet that is written, and the service account that writes it."""

    account: Account
    spreadsheet_id: str
    base_url: str
    requests_per_minute: int
    service_account: SecretStr
    """The vendor's key file as it came: JSON."""
    fault: BadConfiguration | None = None

    @property
    def connection_id(self) -> str:
        """The account's name in ``ops.connections``."""
        return self.account.connection_id

    def service_account_info(self) -> dict[str, Any]:
        """The key file, parsed: ``client_email``, ``private_key``, ``token_uri`` ...

        Raises:
            BadConfiguration: it cannot be used; the text names what is missing.
        """
        if self.fault is not None:
            raise self.fault
        return parsed_service_account(self.connection_id, self.service_account.get_secret_value())


@dataclass(frozen=True)
class TelegramAccount:
    """The bot that speaks, and the operators' chat."""

    account: Account
    chat_id: str
    base_url: str
    bot_token: SecretStr
    fault: BadConfiguration | None = None

    @property
    def connection_id(self) -> str:
        """The account's name in ``ops.connections``."""
        return self.account.connection_id


def environment_accounts(settings: Settings) -> list[Account]:
    """The accounts that the variables describe, without their secrets."""
    found: list[Account] = []
    if settings.retailcrm_base_url or settings.retailcrm_api_key or settings.retailcrm_bot_token:
        values = {
            "base_url": _address(settings.retailcrm_base_url),
            "mg_base_url": _address(settings.retailcrm_mg_url),
            "time_zone": settings.retailcrm_timezone,
        }
        found.append(Account(settings.retailcrm_connection_id, RETAILCRM, ENVIRONMENT, values))
    if settings.tbank_base_url or settings.tbank_login or settings.tbank_password:
        values = {"base_url": _address(settings.tbank_base_url), "time_zone": settings.tbank_timezone}
        found.append(Account(settings.tbank_connection_id, TBANK, ENVIRONMENT, values))
    if settings.google_sheets_id:
        spreadsheet_id = spreadsheet_id_of(settings.google_sheets_id)
        values = {"spreadsheet_id": spreadsheet_id, "base_url": _address(settings.sheets_base_url)}
        found.append(Account(SHEETS, SHEETS, ENVIRONMENT, values))
    if settings.telegram_enabled and (settings.telegram_bot_token or settings.telegram_chat_id):
        values = {"chat_id": settings.telegram_chat_id or "", "base_url": _address(settings.telegram_base_url)}
        found.append(Account(TELEGRAM, TELEGRAM, ENVIRONMENT, values))
    return found


def retailcrm_accounts(settings: Settings, connection: psycopg.Connection[Any]) -> list[RetailCRMAccount]:
    """All enabled RetailCRM accounts, in the order in which they were connected; one without an address or key is
    among them with its ``fault``.

    Raises:
        KeysLost: a stored credential's key is gone: nothing may start (D14).
    """
    return [
        _stored_retailcrm(settings, account, values, fault)
        if account.origin != ENVIRONMENT
        else _retailcrm_of(settings, account)
        for account, values, fault in in_force(settings, connection, RETAILCRM)
    ]


def retailcrm_of_environment(settings: Settings) -> list[RetailCRMAccount]:
    """The RetailCRM account that the variables describe, if any: what can be asked without a database."""
    return [_retailcrm_of(settings, one) for one in environment_accounts(settings) if one.vendor == RETAILCRM]


def retailcrm_web_accounts(settings: Settings, connection: psycopg.Connection[Any]) -> list[RetailCRMWebAccount]:
    """All enabled accounts that are read with a captured session, in the order in which they were connected. They are
    connected by a person only: no variable describes a session.

    Raises:
        KeysLost: a stored credential's key is gone: nothing may start (D14).
    """
    return [
        RetailCRMWebAccount(
            account,
            str(account.settings.get("address") or ""),
            str(account.settings.get("time_zone") or settings.retailcrm_timezone),
            settings.retailcrm_requests_per_second,
            values,
            fault,
        )
        for account, values, fault in in_force(settings, connection, RETAILCRM_WEB)
    ]


def sheets_account(settings: Settings, connection: psycopg.Connection[Any]) -> SheetsAccount | None:
    """The spreadsheet to write; ``None`` when none is connected.

    Raises:
        KeysLost: the stored credential's key is gone (D14).
    """
    for account, values, fault in in_force(settings, connection, SHEETS):
        secret = values.get("service_account", "")
        if account.origin == ENVIRONMENT:
            secret, fault = key_of_environment(settings)
        if fault is None:
            try:
                parsed_service_account(account.connection_id, secret)
            except BadConfiguration as error:
                fault = error
        return SheetsAccount(
            account,
            str(account.settings.get("spreadsheet_id") or ""),
            str(account.settings.get("base_url") or settings.sheets_base_url),
            settings.sheets_requests_per_minute,
            SecretStr(secret),
            fault,
        )
    return None


def telegram_account(settings: Settings, connection: psycopg.Connection[Any]) -> TelegramAccount | None:
    """The bot to speak with; ``None`` when none is connected, or ``TELEGRAM_ENABLED=0`` is set: that silences a stored
    one, too.

    Raises:
        KeysLost: the stored credential's key is gone (D14).
    """
    if is_silenced(settings):
        return None
    for account, values, fault in in_force(settings, connection, TELEGRAM):
        token, chat_id = values.get("bot_token", ""), str(account.settings.get("chat_id") or "")
        if account.origin == ENVIRONMENT:
            token = value_of(settings.telegram_bot_token)
            fault = first_missing(account.connection_id, {"TELEGRAM_BOT_TOKEN": token, "TELEGRAM_CHAT_ID": chat_id})
        base_url = str(account.settings.get("base_url") or settings.telegram_base_url)
        return TelegramAccount(account, chat_id, base_url, SecretStr(token), fault)
    return None


def is_silenced(settings: Settings) -> bool:
    """Whether ``TELEGRAM_ENABLED=0`` was said, not merely left out."""
    return not settings.telegram_enabled and "telegram_enabled" in settings.model_fields_set


def spreadsheet_id_of(said: str) -> str:
    """The id of a spreadsheet from its link or from itself.

    >>> spreadsheet_id_of("https://docs.google.com/spreadsheets/d/abc_DEF-1/edit#gid=0"), spreadsheet_id_of("abc_DEF-1")
    ('abc_DEF-1', 'abc_DEF-1')
    """
    found = re.search(r"/d/([\w-]+)", said)
    return found[1] if found else said


def parsed_service_account(connection_id: str, text: str) -> dict[str, Any]:
    """A service account's key file.

    Raises:
        BadConfiguration: it is none; the text names what is missing and no value.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    needed = ("client_email", "private_key", "token_uri")
    if not isinstance(document, dict):
        raise BadConfiguration(connection_id, "the service account's key file is no JSON object", _KEY_FILE)
    missing = [name for name in needed if not isinstance(document.get(name), str) or not document[name]]
    if missing:
        raise BadConfiguration(connection_id, f"the service account's key file has no {', '.join(missing)}", _KEY_FILE)
    hide_secret(text)
    return document


_KEY_FILE = "Create a key of the service account at the vendor, as JSON, and give that file"


def in_force(
    settings: Settings, connection: psycopg.Connection[Any], vendor: str
) -> Iterator[tuple[Account, Mapping[str, str], BadConfiguration | None]]:
    """The enabled accounts of a vendor: that of the environment first, then the stored ones with their secrets."""
    vault = Vault.open(settings)
    described = {account.connection_id: account for account in environment_accounts(settings)}
    for account in described.values():
        if account.vendor == vendor:
            connections.note_environment(connection, account)
    rows = {account.connection_id: account for account in connections.accounts(connection, vendor)}
    connections.check_keys(connection, vault)
    for name in sorted(rows, key=lambda name: name not in described):
        row = rows[name]
        if name in described:
            yield _as_described(row, described[name]), {}, None
        elif row.origin != ENVIRONMENT:
            yield row, *_secrets_of(connection, row, vault)


def _as_described(row: Account, described: Account) -> Account:
    """The health of the row with the addresses of the environment."""
    return Account(
        row.connection_id, row.vendor, ENVIRONMENT, described.settings,
        row.status, row.reason, row.checked_at, row.synced_at, row.disabled_at,
    )  # fmt: skip


def _secrets_of(
    connection: psycopg.Connection[Any], account: Account, vault: Vault
) -> tuple[Mapping[str, str], BadConfiguration | None]:
    """The secrets of one account; those that open with no key are this account's trouble only (F28)."""
    try:
        return connections.credentials(connection, account.connection_id, vault), None
    except (CredentialsDamaged, NoSuchConnection):
        return {}, BadConfiguration(
            account.connection_id, "its stored credentials are damaged or gone", "Connect it anew: otklik connect"
        )


def _retailcrm_of(settings: Settings, account: Account) -> RetailCRMAccount:
    api_key, bot_token = value_of(settings.retailcrm_api_key), value_of(settings.retailcrm_bot_token)
    needed = {
        "RETAILCRM_BASE_URL": settings.retailcrm_base_url or "",
        "RETAILCRM_API_KEY": api_key,
        "RETAILCRM_BOT_TOKEN": bot_token,
    }
    return RetailCRMAccount(
        account,
        settings.retailcrm_base_url or "",
        settings.retailcrm_mg_url or "",
        settings.retailcrm_timezone,
        settings.retailcrm_requests_per_second,
        SecretStr(api_key),
        SecretStr(bot_token),
        first_missing(account.connection_id, needed),
    )


def _stored_retailcrm(
    settings: Settings, account: Account, values: Mapping[str, str], fault: BadConfiguration | None
) -> RetailCRMAccount:
    base_url = str(account.settings.get("base_url") or "")
    return RetailCRMAccount(
        account,
        base_url,
        str(account.settings.get("mg_base_url") or base_url),
        str(account.settings.get("time_zone") or settings.retailcrm_timezone),
        settings.retailcrm_requests_per_second,
        SecretStr(values.get("api_key", "")),
        SecretStr(values.get("bot_token", "")),
        fault,
    )


def key_of_environment(settings: Settings) -> tuple[str, BadConfiguration | None]:
    """The key file of the service account that the variables name, or why there is none."""
    path = settings.google_service_account_json
    if path is None:
        return "", BadConfiguration(SHEETS, "GOOGLE_SERVICE_ACCOUNT_JSON is not set", _REMEDY)
    try:
        return path.expanduser().read_text("utf-8"), None
    except (OSError, UnicodeDecodeError) as error:
        return "", BadConfiguration(SHEETS, f"the file {path} cannot be read ({type(error).__name__})", _KEY_FILE)


def first_missing(connection_id: str, needed: Mapping[str, str]) -> BadConfiguration | None:
    """The first variable without a value, as the account's fault."""
    for variable, value in needed.items():
        if not value:
            return BadConfiguration(connection_id, f"{variable} is not set", _REMEDY)
    return None


def value_of(secret: SecretStr | None) -> str:
    """A secret of the environment; from here on no text of this process shows it."""
    value = secret.get_secret_value() if secret is not None else ""
    hide_secret(value)
    return value


def _address(url: str | None) -> str:
    """The address as it may be stored and shown: without a login, a query or a fragment."""
    parts = urlsplit(url or "")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
