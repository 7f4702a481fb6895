"""``otklik alerts``: what is wrong now, which messages did not arrive for certain, and what a person decides about it.

Here: the two tables and the two acts. Not here: incidents and messages themselves (``resources.warehouse``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from conversations.messages import NONE, Alerts, Errors
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.policy import Policy
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.incidents import Row
    from resources.warehouse.outbox import Entry

SHOWN = timedelta(days=30)
UNWATCHED = timedelta(minutes=5)
"""A look is due every minute."""


def alerts(action: str | None, one: str | None, *, everything: bool, as_json: bool) -> None:
    """List, ``resend ID`` or ``close ID``.

    Raises:
        CliError: no such action, message or incident.
    """
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.roles import Role

    if action not in (None, "resend", "close") or (action is None) != (one is None):
        raise CliError(Alerts.UNKNOWN_ACTION.format(" ".join(filter(None, (action, one)))), EXIT_USAGE)
    settings = Settings()
    with Warehouse.open(settings, Role.PUBLISHER) as warehouse:
        warehouse.check_migrations()
        if action == "resend":
            _resend(warehouse, str(one))
        elif action == "close":
            _close(warehouse, str(one))
        else:
            _list(warehouse, Policy.load(settings.policy_path), everything=everything, as_json=as_json)


def _resend(warehouse: Warehouse, message_id: str) -> None:
    from resources.warehouse import outbox

    with warehouse.connect() as connection:
        found = outbox.resend(connection, message_id, datetime.now(UTC))
    if not found:
        raise CliError(Alerts.NO_MESSAGE.format(message_id))
    if found not in ("failed", "unknown"):
        raise CliError(Alerts.NOT_RESENT.format(message_id, Alerts.STATES[found]))
    screen.say(Alerts.RESENT.format(message_id))


def _close(warehouse: Warehouse, incident_id: str) -> None:
    from resources.warehouse import incidents

    with warehouse.connect() as connection:
        if not incidents.close_by_hand(connection, incident_id, datetime.now(UTC)):
            raise CliError(Alerts.NO_INCIDENT.format(incident_id))
    screen.say(Alerts.CLOSED_BY_HAND.format(incident_id))


def _list(warehouse: Warehouse, policy: Policy, *, everything: bool, as_json: bool) -> None:
    from resources.warehouse import incidents, outbox

    since = datetime.now(UTC) - SHOWN if everything else None
    with warehouse.connect() as connection:
        rows = incidents.rows(connection, closed_since=since)
        entries = outbox.entries(connection, since=since)
        looked = incidents.seen(connection, "platform")
    looked_at = looked[1] if looked is not None else None
    if as_json:
        shown = {
            "looked_at": looked_at,
            "incidents": [row._asdict() for row in rows],
            "messages": [entry._asdict() for entry in entries],
        }
        print(json.dumps(shown, ensure_ascii=False, default=_plain))
        return
    _draw(rows, entries, policy)
    if looked_at is None or datetime.now(UTC) - looked_at > UNWATCHED:
        when = Alerts.NEVER if looked_at is None else _moment(looked_at, policy)
        screen.say(f"{Errors.PREFIX} {Alerts.NOT_WATCHED.format(when)}", style="yellow")


def _draw(rows: list[Row], entries: list[Entry], policy: Policy) -> None:
    from conversations.messages.alerts import Alert, title

    if rows:
        lines = [
            (
                row.incident_id,
                title(Alert(row.kind, row.subject, row.reason, row.since, row.details)),
                _moment(row.since, policy),
                policy.owners.named(row.owner).name,
                Alerts.LASTS if row.closed_at is None else Alerts.OVER.format(_moment(row.closed_at, policy)),
            )
            for row in rows
        ]
        screen.show(screen.table(Alerts.TITLE, [(name, "left") for name in Alerts.COLUMNS], lines))
    else:
        screen.say(Alerts.NONE)
    if entries:
        told = [
            (
                entry.message_id,
                entry.recipient,
                Alerts.STATES.get(entry.state, entry.state),
                Alerts.MESSAGE_REASONS.get(entry.reason or "", entry.reason or NONE),
                _moment(entry.settled_at or entry.created_at, policy),
            )
            for entry in entries
        ]
        screen.show(screen.table(Alerts.MESSAGES, [(name, "left") for name in Alerts.MESSAGE_COLUMNS], told))
        if any(entry.state == "unknown" for entry in entries):
            screen.say(Alerts.UNKNOWN_HINT)


def _moment(instant: datetime, policy: Policy) -> str:
    from conversations.messages.alerts import moment

    return moment(instant, policy.time_zone)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
