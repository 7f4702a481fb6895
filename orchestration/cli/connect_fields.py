"""What an account of each vendor consists of: names, variables, what is secret, what stands for a missing value.

Here: the fields and an account made of them. Not here: asking, checking and storing (``connect``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from orchestration.cli import connect_web

if TYPE_CHECKING:
    from resources.accounts import RetailCRMAccount, RetailCRMWebAccount, SheetsAccount, TelegramAccount
    from resources.settings import Settings
    from resources.tbank_account import TBankAccount

ONE_IN_FORCE = ("sheets", "telegram")
"""Vendors of which one account is used at a time."""


class Field(NamedTuple):
    """One value of an account."""

    name: str
    variables: tuple[str, ...]
    """Its names in an env file, ours first."""
    is_secret: bool = False
    """Never shown, not even while it is typed."""
    default: Callable[[Settings, Mapping[str, str]], str] | None = None
    """What stands for a value that was not given; without it the value is asked for."""
    is_private: bool = False
    """Encrypted like a secret, and seen while it is typed."""

    @property
    def is_encrypted(self) -> bool:
        """Whether it is stored with the secrets."""
        return self.is_secret or self.is_private


FIELDS: dict[str, tuple[Field, ...]] = {
    "retailcrm": (
        Field("base_url", ("RETAILCRM_BASE_URL", "RETAILCRM_URL")),
        Field("api_key", ("RETAILCRM_API_KEY",), is_secret=True),
        Field("bot_token", ("RETAILCRM_BOT_TOKEN",), is_secret=True),
        Field("mg_base_url", ("RETAILCRM_MG_BASE_URL",), default=lambda _, given: given["base_url"]),
        Field("time_zone", ("RETAILCRM_TIMEZONE",), default=lambda settings, _: settings.retailcrm_timezone),
    ),
    connect_web.WEB: (
        # all of them out of a capture, none is asked for
        Field("address", ()),
        Field("headers", (), is_secret=True),
        Field("operations", (), is_secret=True),
        Field("time_zone", ()),
    ),
    "tbank": (
        # the names without a prefix are those of the program that people come from
        Field("base_url", ("TBANK_BASE_URL",)),
        Field("login", ("TBANK_LOGIN", "LOGIN"), is_private=True),
        Field("password", ("TBANK_PASSWORD", "PASSWORD"), is_secret=True),
        Field("login_path", ("TBANK_LOGIN_PATH",), default=lambda settings, _: settings.tbank_login_path),
        Field("auth_type", ("TBANK_AUTH_TYPE", "AUTH_TYPE"), default=lambda settings, _: settings.tbank_auth_type),
        Field(
            "auth_system", ("TBANK_AUTH_SYSTEM", "AUTH_SYSTEM"), default=lambda settings, _: settings.tbank_auth_system
        ),
        Field("time_zone", ("TBANK_TIMEZONE",), default=lambda settings, _: settings.tbank_timezone),
        Field("fields", ("TBANK_FIELDS_FILE",), default=lambda *_: ""),
    ),
    "sheets": (
        Field("spreadsheet_id", ("GOOGLE_SHEETS_ID",)),
        Field("service_account", ("GOOGLE_SERVICE_ACCOUNT_JSON",), is_secret=True),
        Field("base_url", ("SHEETS_BASE_URL",), default=lambda settings, _: settings.sheets_base_url),
    ),
    "telegram": (
        Field("bot_token", ("TELEGRAM_BOT_TOKEN",), is_secret=True),
        Field("chat_id", ("TELEGRAM_CHAT_ID",)),
        Field("base_url", ("TELEGRAM_BASE_URL",), default=lambda settings, _: settings.telegram_base_url),
    ),
}


def as_account(
    settings: Settings, vendor: str, name: str, values: Mapping[str, str]
) -> RetailCRMAccount | RetailCRMWebAccount | TBankAccount | SheetsAccount | TelegramAccount:
    """What was typed as the account that it will be.

    Raises:
        BadConfiguration: the values cannot be those of an account.
    """
    from pydantic import SecretStr

    from resources import accounts

    account = accounts.Account(name, vendor)
    if vendor == "retailcrm":
        return accounts.RetailCRMAccount(
            account,
            values["base_url"],
            values["mg_base_url"],
            values["time_zone"],
            settings.retailcrm_requests_per_second,
            SecretStr(values["api_key"]),
            SecretStr(values["bot_token"]),
        )
    if vendor == connect_web.WEB:
        secrets = {one: values[one] for one in ("headers", "operations")}
        pace = settings.retailcrm_requests_per_second
        return accounts.RetailCRMWebAccount(account, values["address"], values["time_zone"], pace, secrets)
    if vendor == "tbank":
        from resources.tbank_account import account_of

        return account_of(settings, account, values, values)
    if vendor == "sheets":
        return accounts.SheetsAccount(
            account,
            values["spreadsheet_id"],
            values["base_url"],
            settings.sheets_requests_per_minute,
            SecretStr(values["service_account"]),
        )
    return accounts.TelegramAccount(account, values["chat_id"], values["base_url"], SecretStr(values["bot_token"]))
