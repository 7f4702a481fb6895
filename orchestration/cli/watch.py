"""``otklik watch``: looks at the platform every minute, keeps incidents, tells people; a process of its own, so that it
notices when the daemon dies.

Here: the loop, and what is opened for it. Not here: what is looked at (``resources.alerts``, ``orchestration.alerts``)
and what counts as trouble (``conversations.alerts``). Nothing that one look meets ends the loop.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import Alerts
from orchestration.cli import screen

if TYPE_CHECKING:
    import dagster as dg

    from conversations.policy import Policy
    from orchestration.alerts import DagsterWatch
    from resources.accounts import TelegramAccount
    from resources.alerts import Delivered, Looked
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

log = logging.getLogger("otklik.watch")

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AWAY_LEAST = timedelta(minutes=2)
"""A database that was away for less is a restart, and nobody's trouble."""


def command() -> list[str]:
    """How a parent starts it."""
    return [str(Path(sys.executable).with_name("otklik")), "watch"]


def watch(*, once: bool, every: int) -> None:
    """Look, tell, wait, until SIGTERM or Ctrl-C; with ``once`` a single time.

    Raises:
        WarehouseError: with ``once``, the database is away; without, it is waited for.
    """
    from resources.settings import Settings

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    log.setLevel(logging.INFO)
    stop = threading.Event()
    # no exception in the middle of a call: the message that is under way would end as unknown
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _STOPPING}
    watcher = Watcher(Settings(), stop.is_set)
    try:
        if once:
            screen.say(_said(*watcher.round()))
            return
        screen.note(Alerts.WATCHING.format(every))
        while not stop.is_set():
            watcher.round_or_log()
            stop.wait(every)
    finally:
        watcher.close()
        for number, handler in before.items():
            signal.signal(number, handler)


class Watcher:
    """What stays between two looks: Dagster's storage, the last policy that could be read, since when the database is
    away."""

    def __init__(self, settings: Settings, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self._settings = settings
        self._given = dict(os.environ)
        self._is_stopping = is_stopping
        self._policy: Policy | None = None
        self._dagster: DagsterWatch | None = None
        self._away_since: datetime | None = None

    def round_or_log(self) -> None:
        """One round; what goes wrong is logged by its kind, and the next round tries again."""
        from resources.warehouse.errors import WarehouseError, WarehouseUnavailable

        try:
            looked, delivered = self.round()
        except WarehouseError as error:
            # tables that are older than the program are there
            if isinstance(error, WarehouseUnavailable):
                self._away_since = self._away_since or datetime.now(UTC)
            log.error("cannot look: reason=%s", type(error).__name__)
        except Exception as error:
            from resources.clients.redact import redacted_traceback

            log.error("cannot look: reason=unexpected\n%s", redacted_traceback(error))
        else:
            done = delivered
            log.info(
                "looked: busy=%s open=%d opened=%d closed=%d sent=%s failed=%s unknown=%s postponed=%s",
                looked.is_busy, looked.open_now, len(looked.changes.opened), len(looked.changes.closed),
                *((done.sent, done.failed, done.unknown, done.postponed) if done else ("-",) * 4),
            )  # fmt: skip

    def round(self) -> tuple[Looked, Delivered | None]:
        """One look and one delivery.

        Raises:
            WarehouseError: the database is away, or its tables are older than the code.
        """
        from resources.alerts import look
        from resources.warehouse.engine import Warehouse
        from resources.warehouse.roles import Role

        settings = self._settings
        with Warehouse.open(settings, Role.PUBLISHER) as warehouse:
            warehouse.check_migrations()
            policy = self._read_policy()
            telegram = _telegram(settings, warehouse)
            looked = look(
                warehouse,
                policy,
                settings.now(),
                self._dagster_of(warehouse, policy),
                home=settings.otklik_home,
                operators_chat=telegram.chat_id if telegram is not None else None,
                ui_url=settings.otklik_ui_url,
                database_away=self._away(),
            )
            if not looked.is_busy:
                self._away_since = None
            if telegram is None:
                return looked, None
            return looked, deliver_by(settings, warehouse, telegram, self._is_stopping)

    def close(self) -> None:
        """Let Dagster's storage go."""
        if self._dagster is not None:
            self._dagster.close()

    def _away(self) -> tuple[datetime, datetime] | None:
        now = datetime.now(UTC)
        since = self._away_since
        return (since, now) if since is not None and now - since >= AWAY_LEAST else None

    def _read_policy(self) -> Policy:
        from conversations.policy import Policy, PolicyError

        try:
            self._policy = Policy.load(self._settings.policy_path)
        except PolicyError:
            # its reader fails loudly by itself; who is told must not depend on it
            log.error("the policy cannot be read: reason=policy")
            self._policy = self._policy or Policy.default()
        return self._policy

    def _dagster_of(self, warehouse: Warehouse, policy: Policy) -> DagsterWatch:
        # at every look: the embedded server may have come back on another port
        os.environ.update(_environment(self._settings, warehouse, self._given))
        if self._dagster is None:
            from orchestration.alerts import DagsterWatch

            self._dagster = DagsterWatch(_instance, policy.reread_days)
        return self._dagster


def send_queued(warehouse: Warehouse) -> None:
    """Send what is queued now, without a look at the platform; nothing where messages are switched off."""
    from resources.settings import Settings
    from resources.warehouse.roles import Role

    settings = Settings()
    telegram = _telegram(settings, warehouse)
    if telegram is not None:
        deliver_by(settings, warehouse.as_role(Role.PUBLISHER), telegram)


def deliver_by(
    settings: Settings,
    warehouse: Warehouse,
    telegram: TelegramAccount,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send what is queued as the bot of the account, and write down how the account is."""
    from resources.alerts import deliver
    from resources.clients.http import Limits
    from resources.clients.telegram import TelegramClient
    from resources.warehouse import connections
    from resources.warehouse.roles import Role

    limits = Limits(
        connect_seconds=settings.http_connect_timeout_seconds,
        read_seconds=settings.http_read_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        attempts=settings.http_max_attempts,
    )
    account = telegram.account
    token = telegram.bot_token.get_secret_value()
    with TelegramClient(telegram.connection_id, telegram.base_url, token, limits) as bot:
        done = deliver(warehouse, bot, is_stopping=is_stopping)
    found = done.refused if done.refused in ("needs_auth", "wrong_host") else None
    if found is not None or (done.sent and account.status != "ok"):
        status = {None: "ok", "needs_auth": "needs_auth"}.get(found, "broken")
        with warehouse.as_role(Role.LOADER).connect() as connection:
            connections.note_environment(connection, account)
            connections.report(
                connection, account.connection_id, status, f"[{found}]" if found else None, datetime.now(UTC)
            )  # type: ignore[arg-type]
    return done


def _telegram(settings: Settings, warehouse: Warehouse) -> TelegramAccount | None:
    """The bot to speak with; one whose key is gone or may not be read is none: incidents are kept, and told later."""
    from resources.accounts import telegram_account
    from resources.warehouse.errors import CredentialsDamaged, KeysLost, LoginRefused
    from resources.warehouse.roles import Role

    try:
        with warehouse.as_role(Role.LOADER).connect() as connection:
            found = telegram_account(settings, connection)
    except (KeysLost, CredentialsDamaged, LoginRefused) as error:
        log.error("messages cannot be sent: reason=%s", type(error).__name__)
        return None
    if found is not None and found.fault is not None:
        log.error("messages cannot be sent: reason=%s", found.fault.reason)
        return None
    return found


def _environment(settings: Settings, warehouse: Warehouse, given: Mapping[str, str]) -> dict[str, str]:
    """Where Dagster's storage is: as the parent or the container says, else as the other commands find it."""
    from orchestration.cli import serve
    from resources.settings import PROJECT_ROOT

    if given.get("DAGSTER_HOME") and given.get("DAGSTER_PG_URL"):
        return {}
    storage = warehouse.dagster_storage_url()
    found = serve.environment_for_dagster(settings.otklik_home, PROJECT_ROOT, storage, {})
    return {name: found[name] for name in ("DAGSTER_HOME", "DAGSTER_PG_URL")}


def _instance() -> dg.DagsterInstance:
    import dagster as dg

    return dg.DagsterInstance.get()


def _said(looked: Looked, delivered: Delivered | None) -> str:
    if looked.is_busy:
        return Alerts.LOOKED_BUSY
    changes = looked.changes
    told = (delivered.sent, delivered.failed + delivered.unknown + delivered.postponed) if delivered else (0, 0)
    return Alerts.LOOKED.format(looked.open_now, len(changes.opened), len(changes.closed), *told)
