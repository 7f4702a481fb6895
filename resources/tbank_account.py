"""A T-Bank telephony account: which ones are in force, and one as a source.

Here: an account to client to source, and how soon a refused login is tried again. Not here: HTTP
(``resources.clients.tbank``), days and pages (``resources.sources.tbank``), Dagster (``resources.tbank``): ``otklik
probe`` and ``otklik doctor`` answer without importing it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import yaml
from pydantic import SecretStr

from conversations.parsing.tbank_fields import BadFields, TBankFields, fields_of
from resources.accounts import TBANK, environment_accounts, first_missing, in_force, value_of
from resources.clients.errors import BadConfiguration
from resources.clients.http import Limits
from resources.clients.redact import hide
from resources.clients.tbank import LOGIN_PATH, TBankClient
from resources.refused import rest_after_refusal
from resources.settings import Settings
from resources.sources.tbank import TBankSource
from resources.warehouse.connections import ENVIRONMENT, Account

LARGEST_FIELDS_FILE = 64 * 1024
_REMEDY = "Connect it anew: otklik connect tbank"


@dataclass(frozen=True)
class TBankAccount:
    """One telephony account."""

    account: Account
    base_url: str
    login_path: str
    auth_type: str
    auth_system: str
    time_zone: str
    """Of the vendor's times, which come without one."""
    requests_per_second: float
    login: SecretStr
    password: SecretStr
    fields: TBankFields = field(default_factory=TBankFields)
    fault: BadConfiguration | None = None
    """Why it cannot even be tried; raise it instead of asking the vendor."""

    @property
    def connection_id(self) -> str:
        """The account's name in all our tables."""
        return self.account.connection_id


def tbank_accounts(settings: Settings, connection: psycopg.Connection[Any]) -> list[TBankAccount]:
    """All enabled telephony accounts, that of the environment first; one that cannot be used is among them with its
    ``fault``.

    Raises:
        KeysLost: a stored credential's key is gone: nothing may start (D14).
    """
    return [
        _of_environment(settings, account)
        if account.origin == ENVIRONMENT
        else _stored(settings, account, secrets, fault)
        for account, secrets, fault in in_force(settings, connection, TBANK)
    ]


def tbank_of_environment(settings: Settings) -> list[TBankAccount]:
    """The telephony account that the variables describe, if any: what can be asked without a database."""
    return [_of_environment(settings, one) for one in environment_accounts(settings) if one.vendor == TBANK]


def account_of(
    settings: Settings,
    account: Account,
    values: Mapping[str, Any],
    secrets: Mapping[str, str],
    fault: BadConfiguration | None = None,
) -> TBankAccount:
    """An account from what is stored of it, or is about to be; what is missing is as the settings say."""
    fields, said = TBankFields(), values.get("fields") or None
    try:
        fields = fields_of(json.loads(said) if isinstance(said, str) else said)
    except (BadFields, ValueError, AttributeError) as error:
        fault = fault or BadConfiguration(account.connection_id, f"its fields cannot be used: {error}", _REMEDY)
    return TBankAccount(
        account,
        str(values.get("base_url") or ""),
        str(values.get("login_path") or LOGIN_PATH),
        str(values.get("auth_type") or settings.tbank_auth_type),
        str(values.get("auth_system") or settings.tbank_auth_system),
        str(values.get("time_zone") or settings.tbank_timezone),
        settings.tbank_requests_per_second,
        SecretStr(secrets.get("login", "")),
        SecretStr(secrets.get("password", "")),
        fields,
        fault,
    )


def read_fields(path: Path, connection_id: str) -> dict[str, Any]:
    """A file with other names of fields, YAML or JSON, checked.

    Raises:
        BadConfiguration: it cannot be read or names a field that there is not; the text says which.
    """
    remedy = "Correct the file, docs/tbank.md shows one"
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(LARGEST_FIELDS_FILE + 1)
        found = yaml.safe_load(content.decode("utf-8-sig")) if len(content) <= LARGEST_FIELDS_FILE else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = f"the file {path} cannot be read ({type(error).__name__})"
        raise BadConfiguration(connection_id, what, remedy) from None
    if not isinstance(found, dict):
        raise BadConfiguration(connection_id, f"the file {path} holds no names with values", remedy)
    try:
        fields_of(found)
    except BadFields as error:
        raise BadConfiguration(connection_id, f"the file {path}: {error}", remedy) from None
    return found


def tbank_source_of(
    settings: Settings,
    account: TBankAccount,
    closing: ExitStack,
    groups: Sequence[str] = (),
    known_ready: Callable[[Sequence[str]], set[str]] = lambda _: set(),
    lag: timedelta = timedelta(hours=1),
    limits: Limits | None = None,
) -> TBankSource:
    """The account's source; its session is closed with ``closing``.

    Args:
        groups: exact names of the agent groups whose calls are read (``departments.*.agent_group`` of the policy).
        known_ready: of these segments those whose transcript need not be asked for again.
        lag: how long an empty transcript is awaited (``telephony.transcript_lag_minutes`` of the policy).
        limits: the settings' unless given.

    Raises:
        BadConfiguration: address, login or password are missing or unusable; the text names which.
    """
    if account.fault is not None:
        raise account.fault
    login, password = account.login.get_secret_value(), account.password.get_secret_value()
    if not (account.base_url and login and password):
        raise BadConfiguration(account.connection_id, "its address, its login or its password is missing", _REMEDY)
    hide(password)
    patience = limits or Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        attempts=settings.http_max_attempts,
        requests_per_second=account.requests_per_second,
    )
    client = TBankClient(
        account.connection_id,
        account.base_url,
        login,
        password,
        login_path=account.login_path,
        auth_type=account.auth_type,
        auth_system=account.auth_system,
        fields=account.fields,
        limits=patience,
        random=None if settings.otklik_seed is None else Random(settings.otklik_seed),
    )
    return TBankSource(
        closing.enter_context(client),
        account.connection_id,
        account.time_zone,
        groups,
        lag=lag,
        now=settings.now,
        known_ready=known_ready,
        fields=account.fields,
    )


def refuse_if_refused(account: TBankAccount, now: datetime) -> None:
    """Leave the vendor alone for an hour after it refused the login.

    Raises:
        NotAskedAgain: the hour is not over.
    """
    rest_after_refusal(
        account.account,
        now,
        "the login was",
        "Check login and password at the vendor and connect it anew; otklik probe tries it at once",
    )


def _stored(
    settings: Settings, account: Account, secrets: Mapping[str, str], fault: BadConfiguration | None
) -> TBankAccount:
    return account_of(settings, account, account.settings, secrets, fault)


def _of_environment(settings: Settings, account: Account) -> TBankAccount:
    login, password = settings.tbank_login or "", value_of(settings.tbank_password)
    needed = {"TBANK_BASE_URL": settings.tbank_base_url or "", "TBANK_LOGIN": login, "TBANK_PASSWORD": password}
    fault = first_missing(account.connection_id, needed)
    values: dict[str, Any] = {"base_url": settings.tbank_base_url, "login_path": settings.tbank_login_path}
    if settings.tbank_fields_file is not None and fault is None:
        try:
            values["fields"] = read_fields(settings.tbank_fields_file, account.connection_id)
        except BadConfiguration as error:
            fault = error
    return account_of(settings, account, values, {"login": login, "password": password}, fault)
