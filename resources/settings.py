"""Settings: everything that differs between machines and accounts, read from the environment in one place.

Here: names, defaults and meanings of the variables; ``.env.example`` is printed from this module and a test holds the
two equal. Not here: business policy (``policy.yaml``) and anything that connects to something. Nothing is required, so
that every module can be imported on a bare machine; a missing value is an error of the call that needs it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from resources.clients.private import declare, places_of

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """The environment, typed. Secrets are ``SecretStr``: they do not show in logs, errors or ``repr``."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    otklik_home: Path = Field(
        Path(".otklik"),
        description="Where the embedded database, its passwords and Dagster's files live; relative to the project",
        validate_default=True,
    )
    database_url: SecretStr | None = Field(
        None,
        description="An own PostgreSQL 15+ instead of the embedded one: postgresql://user:password@host:5432/otklik",
    )
    loader_database_url: SecretStr | None = Field(
        None,
        description="Login that loads and judges; empty: derived from DATABASE_URL, the owner's",
    )
    publisher_database_url: SecretStr | None = Field(
        None, description="Login that publishes marts, sheets and messages; empty: derived from DATABASE_URL"
    )
    analyst_database_url: SecretStr | None = Field(
        None, description="Login of the read-only analyst; empty: derived from DATABASE_URL"
    )
    desk_database_url: SecretStr | None = Field(
        None, description="Login of the desk, where customers are answered; empty: derived from DATABASE_URL"
    )
    dagster_pg_url: SecretStr | None = Field(
        None, description="Where Dagster keeps its runs and events; empty: beside the tables of DATABASE_URL"
    )
    otklik_postgres_bin: Path | None = Field(
        None, description="Folder with initdb, pg_ctl and postgres; empty: from the wheel, else from the system"
    )
    otklik_policy: Path | None = Field(None, description="The business policy; empty: policy.yaml of the project")
    otklik_lexicon_dir: Path | None = Field(
        None, description="Folder with own lexicons (docs/lexicons.md); empty: those that come with the product"
    )
    otklik_prompts_dir: Path | None = Field(
        None, description="Folder with own prompts and rubrics (docs/scoring.md); empty: prompts/ of the project"
    )
    otklik_import_dir: Path | None = Field(
        None, description="Folder with a folder per connection whose files are imported (docs/imports.md); empty: none"
    )
    otklik_first_day: date = Field(
        date(2024, 1, 1), description="First day that can be loaded: where the partitions in the Dagster UI begin"
    )
    otklik_preflight: Literal["off", "fail", "strict"] = Field(
        "fail", description="What otklik doctor does with findings: off, fail (errors stop), strict (warnings stop too)"
    )
    otklik_now: datetime | None = Field(
        None,
        description="A fixed clock, with its zone: 2026-05-04T08:10:00+03:00; empty: the machine's clock",
    )
    otklik_seed: int | None = Field(
        None, description="Seed of everything random (pauses between attempts); empty: none"
    )
    otklik_secret_keys: SecretStr | None = Field(
        None,
        description="Keys of stored credentials, newest first, separated by commas; empty: a file below OTKLIK_HOME",
    )
    otklik_ui_url: str | None = Field(
        None, description="Where people open the Dagster UI: the links in alerts; empty: alerts have no links"
    )
    retailcrm_base_url: str | None = Field(None, description="RetailCRM account: https://<account>.retailcrm.ru")
    retailcrm_api_key: SecretStr | None = Field(None, description="RetailCRM API v5 key (users, customers, orders)")
    retailcrm_mg_base_url: str | None = Field(
        None, description="MessageGateway host given with the bot token; empty: RETAILCRM_BASE_URL"
    )
    retailcrm_bot_token: SecretStr | None = Field(None, description="MessageGateway bot token (chats and messages)")
    retailcrm_timezone: str = Field(
        "Europe/Moscow", description="Zone of the times that API v5 gives without one: the zone of the account"
    )
    retailcrm_connection_id: str = Field("retailcrm", description="Name of this account in our tables", min_length=1)
    retailcrm_requests_per_second: float = Field(10.0, description="Most requests a second to one host", gt=0)
    google_sheets_id: str | None = Field(
        None, description="The spreadsheet that is written: the part of its link after /d/; empty: no sheets"
    )
    google_service_account_json: Path | None = Field(
        None, description="Key file of the service account with which the spreadsheet is shared"
    )
    google_sheets_url: str | None = Field(
        None, description="Where people open the spreadsheet: the link in the digest; empty: at docs.google.com"
    )
    sheets_base_url: str = Field("https://sheets.googleapis.com", description="Where the Google Sheets API is")
    sheets_requests_per_minute: int = Field(
        60, description="Most reads and most writes a minute, each: the vendor's quota of one user", gt=0
    )
    telegram_enabled: bool = Field(False, description="Whether messages to Telegram are sent: 1 or 0")
    telegram_bot_token: SecretStr | None = Field(None, description="Token of the bot that speaks, from @BotFather")
    telegram_chat_id: str | None = Field(
        None, description="The operators' chat: alerts go there unless the policy names another for their owner"
    )
    telegram_base_url: str = Field("https://api.telegram.org", description="Where the Telegram Bot API is")
    tbank_base_url: str | None = Field(
        None, description="T-Bank speech analytics: https://tqm-cloud.tbank.ru; empty: no telephony by the environment"
    )
    tbank_login: str | None = Field(None, description="Login of the T-Bank speech analytics")
    tbank_password: SecretStr | None = Field(None, description="Its password")
    tbank_auth_type: str = Field("tqm", description="How the login is checked, as the vendor spells it")
    tbank_auth_system: str = Field("tqm", description="The system that checks it")
    tbank_login_path: str = Field(
        "/v2/bff-core-app/auth/session-start", description="Where a session is started; the vendor has had several"
    )
    tbank_timezone: str = Field("Europe/Moscow", description="Zone of the vendor's times, which come without one")
    tbank_connection_id: str = Field("tbank", description="Name of this account in our tables", min_length=1)
    tbank_requests_per_second: float = Field(
        5.0, description="Most calls a second; the vendor publishes no limit and blocks bursts", gt=0
    )
    tbank_fields_file: Path | None = Field(
        None, description="File with other names of the vendor's fields (docs/tbank.md); empty: the usual ones"
    )
    requirements_sheet_id: str | None = Field(
        None,
        description="Spreadsheet with criteria, instructions and operators: the part of its link after /d/; empty: the "
        "files below prompts/ hold",
    )
    requirements_operators_tab: str | None = Field(
        None, description="Its tab with the directory of operators; empty: imported by otklik operators"
    )
    results_sheet_name: str | None = Field(
        None, description="What the tab with the results of calls is called; empty: call_results"
    )
    apps_script_url: SecretStr | None = Field(
        None, description="Google Apps Script to call after the results were exported (its /exec address); empty: none"
    )
    apps_script_function: str | None = Field(None, description="The function that the script is asked to run")
    llm_base_url: str | None = Field(
        None, description="Gateway or provider of the language model: https://litellm.example/v1; empty: the provider's"
    )
    llm_api_key: SecretStr | None = Field(None, description="Its key; empty: talk is judged by rules only")
    llm_model: str = Field(
        "litellm_proxy/gpt-4.1",
        description="Model that judges, as LiteLLM writes it: openai/gpt-4.1, litellm_proxy/<m>",
    )
    llm_fallback_models: str = Field(
        "", description="Models that are asked when it does not answer, in order, separated by commas"
    )
    http_connect_timeout_seconds: float = Field(5.0, description="Longest wait for a connection", gt=0)
    http_read_timeout_seconds: float = Field(30.0, description="Longest wait for an answer", gt=0)
    http_deadline_seconds: float = Field(180.0, description="Longest time for one call, all attempts included", gt=0)
    http_max_attempts: int = Field(8, description="Most attempts of one call", ge=1)
    http_allowed_private_hosts: str = Field(
        "",
        description="Hosts of your own network that may be asked, also by http: crm.corp.example,10.20.0.0/16; "
        "empty: public addresses only",
    )

    @field_validator("otklik_home")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        path = path.expanduser()
        return path if path.is_absolute() else PROJECT_ROOT / path

    @field_validator("otklik_now")
    @classmethod
    def _with_zone(cls, instant: datetime | None) -> datetime | None:
        if instant is not None and instant.tzinfo is None:
            raise ValueError("needs a zone, for example 2026-05-04T08:10:00+03:00")
        return instant

    @field_validator("http_allowed_private_hosts")
    @classmethod
    def _places(cls, said: str) -> str:
        places_of(said)
        return said

    def model_post_init(self, context: Any, /) -> None:
        """Declare the private hosts: every client of the process looks there, whoever made it."""
        declare(places_of(self.http_allowed_private_hosts))

    @property
    def policy_path(self) -> Path:
        """The policy file in force."""
        return self.otklik_policy or PROJECT_ROOT / "policy.yaml"

    @property
    def retailcrm_mg_url(self) -> str | None:
        """Where the MessageGateway is."""
        return self.retailcrm_mg_base_url or self.retailcrm_base_url

    @property
    def has_embedded_database(self) -> bool:
        """Whether ``otklik up`` has created the embedded database already; opening it would create it."""
        return (self.otklik_home / "server" / "state.json").exists()

    @property
    def has_database(self) -> bool:
        """Whether there is a database to open: a given one, or the embedded one that exists already."""
        return bool(self.database_url or self.loader_database_url or self.has_embedded_database)

    def now(self) -> datetime:
        """The instant that counts as now, in UTC."""
        return (self.otklik_now or datetime.now(UTC)).astimezone(UTC)


COMPOSE_TITLE = "# --- Only read by docker-compose.yml; `sh deploy/new-env.sh HOST` writes them and the passwords ---"
COMPOSE_VARIABLES = {
    "OTKLIK_SITE": "Host name under which people open Otklik; with http:// in front: without TLS",
    "OTKLIK_EDITORS": "Who may do everything: a line `name hash` for each, in single quotes (docs/deploy.md, Users)",
    "OTKLIK_VIEWERS": "Who may look and change nothing, at /view: lines as above; empty: nobody",
    "POSTGRES_PASSWORD": "Password of the administrator of the database server",
}
"""What the compose file asks for and the program itself never reads; a test holds both lists equal to the file."""


def env_example() -> str:
    """The text of ``.env.example``: every variable with its meaning and default, all commented out.

    >>> env_example().splitlines()[0]
    '# Copy to .env and fill in what you need; every line is optional.'
    """
    lines = ["# Copy to .env and fill in what you need; every line is optional."]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        lines += ["", f"# {field.description}", f"#{name.upper()}={default}"]
    lines += ["", COMPOSE_TITLE]
    for name, meaning in COMPOSE_VARIABLES.items():
        lines += ["", f"# {meaning}", f"#{name}="]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(env_example(), end="")
