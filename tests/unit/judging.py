"""One scenario for two judges: what the contract tests and the properties share.

Here: a small language for conversations, the oracle's policy as a policy of the product, comparison of judgements.
Not here: expected values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from conversations.business_hours import BusinessHours
from conversations.evaluate import evaluate
from conversations.policy import WEEKDAYS, Policy
from conversations.rules import Rules, compile_policy
from conversations.timeline import (
    SECOND,
    Contact,
    Evaluation,
    Instant,
    LeftWaiting,
    Session,
    TimedMessage,
    Wait,
)
from tests.oracle.judge import judge
from tests.oracle.policy import CalendarVersion, Choices, Hours, OraclePolicy

Judge = Callable[[Contact, OraclePolicy, Instant], Evaluation]

MOSCOW = "Europe/Moscow"

_HOURS: dict[str, BusinessHours | None] = {}
"""The product's calendars by what they say."""

OF_RESTARTS = {"last_message_id", "ends_outgoing"}
"""Fields of ``Session`` that are no figures of the contract: they only let a later evaluation begin behind it."""

COMPUTED = {"settled_at", "limit_at", "ended_at"}
"""Instants that rules compute; the contract cuts them to seconds, all others are instants of messages and events."""


def at(text: str, zone: str = MOSCOW) -> Instant:
    """``"2026-04-27 09:10"`` or ``"... 09:10:05"``, local time, as an instant."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return int(moment.timestamp()) * SECOND + moment.microsecond


def message(chat: str, message_id: str, sent_at: Instant | None, sender: str, **fields: Any) -> TimedMessage:
    """A public, delivered text; ``fields`` say what is different."""
    values: dict[str, Any] = {
        "source_seq": None,
        "ingested_at": sent_at or 0,
        "direction": "in" if sender == "customer" else "out",
        "manager_id": None,
        "is_public": sender != "note",
        "delivery_status": "delivered",
        "content_kind": "text",
        "edited_at": None,
        "deleted_at": None,
        "text": "Есть ли доставка в Тверь?" if sender == "customer" else None,
        "call_answered": None,
        "talk_seconds": None,
    }
    values.update(fields)
    return TimedMessage(conversation_id=chat, message_id=message_id, sent_at=sent_at, sender_kind=sender, **values)


def engine(contact: Contact, policy: OraclePolicy, as_of: Instant) -> Evaluation:
    """The product's judgement of a scenario written for the oracle."""
    return evaluate(contact, rules_of(policy), as_of)


JUDGES: dict[str, Judge] = {"oracle": judge, "engine": engine}


def rules_of(policy: OraclePolicy) -> Rules:
    """The same settings in the product's own words, as they would stand in ``policy.yaml``."""
    content = {
        "organisation": {"time_zone": policy.zone, "calendar": _choices(policy.organisation_calendars) or "none"},
        "calendars": {name: [_version(one) for one in versions] for name, versions in policy.calendars.items()},
        "teams": {team: _choices(choices) for team, choices in policy.team_calendars.items()},
        "people": {
            f"the-{manager}": {
                "accounts": [manager],
                "team": [{"valid_from": day, "team": team} for day, team in moves],
            }
            for manager, moves in policy.moves.items()
        }
        | {person: {"accounts": list(accounts)} for person, accounts in policy.persons.items()},
        "channels": {kind: _channel(policy, kind) for kind in sorted({*policy.channels, *policy.channel_calendars})},
        "session_idle_hours": policy.session_idle // 3600,
        "late_reply_days": policy.late_reply // 86400,
        "new_contact_days": policy.new_contact // 86400,
        "early_delete_seconds": policy.early_delete,
        "closing_words": sorted(policy.closing_words),
        "human_request_phrases": list(policy.human_requests),
    }
    rules = compile_policy(Policy.model_validate(content), policy.manager_teams)
    # to lay out a year of intervals takes longer than to judge a story, and most stories have the same calendars
    rules.hours.update((name, _HOURS.setdefault(repr(of), rules.hours[name])) for name, of in policy.calendars.items())
    return rules


def _choices(choices: Choices) -> list[dict[str, Any]]:
    return [{"valid_from": day, "calendar": calendar_id} for day, calendar_id in choices]


def _version(version: CalendarVersion) -> dict[str, Any]:
    return {
        "valid_from": version.valid_from,
        "time_zone": version.zone,
        "weekly": {day: _hours(hours) for day, hours in zip(WEEKDAYS, version.weekly, strict=True)},
        "exceptions": {day: _hours(hours) for day, hours in version.exceptions.items()},
    }


def _hours(hours: Hours) -> list[str] | str:
    def clock(minute: int) -> str:
        return f"{minute // 60:02d}:{minute % 60:02d}"

    return [f"{clock(start)}-{clock(end if end <= 1440 else end - 1440)}" for start, end in hours] or "closed"


def _channel(policy: OraclePolicy, kind: str) -> list[dict[str, Any]]:
    entries: dict[date | None, dict[str, Any]] = {}
    for one in policy.channels.get(kind, ()):
        entries[one.valid_from] = {
            "valid_from": one.valid_from,
            "first_reply_target_minutes": one.first_target // 60,
            "reply_target_minutes": one.target // 60,
            "no_reply_limit_minutes": one.limit // 60,
            "missed_call_target_minutes": one.missed_call_target // 60,
            "missed_call_limit_minutes": one.missed_call_limit // 60,
            "hard_window_hours": 0 if one.window is None else one.window // 3600,
            "bot_can_resolve": one.bot_can_resolve,
        }
    for day, calendar_id in policy.channel_calendars.get(kind, ()):
        entries.setdefault(day, {"valid_from": day})["calendar"] = calendar_id
    return list(entries.values())


def comparable(judged: Evaluation) -> dict[str, dict[Any, dict[str, Any]]]:
    """Rows by key with their fields, in a form in which two judges can be compared."""
    return {
        "waits": _by_key(judged.waits, lambda wait: (wait.wait_id, wait.wait_kind)),
        "sessions": _by_key(judged.sessions, lambda session: session.session_id),
        "left_waiting": _by_key(
            judged.left_waiting, lambda left: (left.wait_id, left.manager_id, left.replaced_at // SECOND)
        ),
    }


def _by_key(rows: Iterable[Wait | Session | LeftWaiting], key: Callable[[Any], Any]) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        fields = row._asdict()
        for name in OF_RESTARTS & fields.keys():
            del fields[name]
        for name in COMPUTED & fields.keys():
            fields[name] = None if fields[name] is None else fields[name] // SECOND
        assert key(row) not in found, "two rows with one key"
        found[key(row)] = fields
    return found


def differences(one: Evaluation, two: Evaluation) -> list[str]:
    """What two judgements disagree on, a line for each field."""
    first, second = comparable(one), comparable(two)
    lines = []
    for table in first:
        for key in sorted(first[table].keys() | second[table].keys(), key=repr):
            left, right = first[table].get(key), second[table].get(key)
            if left is None or right is None:
                lines.append(f"{table} {key}: only in the {'second' if left is None else 'first'}")
                continue
            lines += [
                f"{table} {key} {name}: {left[name]!r} and {right[name]!r}"
                for name in left
                if left[name] != right[name]
            ]
    return lines
