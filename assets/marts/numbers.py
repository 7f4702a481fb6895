"""Three or more numbers of its own for every published mart and week or day, shown with its materialization.

Here: one query per mart. Not here: the marts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from assets.marts.description import Period, marts
from conversations.advice import OF_SESSIONS, OF_WAITS
from conversations.examples import ORDER
from resources.warehouse.engine import Warehouse

K = TypeVar("K", str, date)
_STATUSES = ("improved", "worsened", "no_change_detected", "low_sample", "no_previous_week")
_OF_DELTAS = {
    "headlines": "count(*) filter (where is_headline)",
    **{status: f"count(*) filter (where delta_status = '{status}')" for status in _STATUSES},
}
_LATEST = "revision = (select max(r.revision) from marts.week_revisions as r where r.week = told.week)"
_NUMBERS: dict[str, dict[str, str]] = {
    "manager_week": {name: f"sum({name})" for name in ("waits_settled", "unanswered", "pending_now")},
    "channel_week": {name: f"sum({name})" for name in ("waits_settled", "chats", "unanswered")},
    "data_status": {
        "channels_ok": "count(*) filter (where status = 'ok')",
        "channels_not_ok": "count(*) filter (where status <> 'ok')",
        "quarantined": "sum(quarantined)",
    },
    "manager_day": {name: f"sum({name})" for name in ("waits_settled", "unanswered", "messages_sent")},
    "channel_day": {name: f"sum({name})" for name in ("waits_settled", "chats", "unanswered")},
    "call_results": {
        "by_a_model": "count(*) filter (where judge = 'model')",
        "scored": "count(*) filter (where state = 'scored')",
        "unsuitable": "count(*) filter (where state = 'unsuitable')",
        "unscored": "count(*) filter (where state = 'unscored')",
    },
    "llm_spend_day": {
        name: f"sum({name})" for name in ("calls", "calls_lost", "cost_microusd", "prompt_tokens", "completion_tokens")
    },
    "published_waits": {
        "revision": "max(revision)",
        "waits": f"count(*) filter (where {_LATEST})",
        "unanswered": f"count(*) filter (where {_LATEST} and outcome in ('no_reply', 'window_expired'))",
    },
    "published_sessions": {
        "revision": "max(revision)",
        "sessions": f"count(*) filter (where {_LATEST})",
        "with_intent": f"count(*) filter (where {_LATEST} and has_intent)",
        "good": f"count(*) filter (where {_LATEST} and is_good)",
    },
    "published_scores": {
        "revision": "max(revision)",
        "scores": f"count(*) filter (where {_LATEST})",
        "automatic_fails": f"count(*) filter (where {_LATEST} and has_counted_fail)",
    },
    "behavior_snapshot": {
        "revision": "max(revision)",
        "figures": f"count(*) filter (where {_LATEST})",
        "not_complete": f"count(*) filter (where {_LATEST} and not is_complete)",
    },
    "week_revisions": {
        "revision": "max(revision)",
        "late_data": "count(*) filter (where reason = 'late_data')",
        "links": "count(*) filter (where reason = 'links')",
        "last_changed_cases": f"sum(changed_cases) filter (where {_LATEST})",
        "last_changed_cases_by_links": f"sum(changed_cases_by_links) filter (where {_LATEST})",
        "rules": "count(*) filter (where reason = 'rules')",
    },
    "week_changes": {
        "last_changed_revision": "max(revision)",
        "changes_of_managers": "count(*) filter (where subject_kind = 'manager')",
        "changes_of_channels": "count(*) filter (where subject_kind = 'channel')",
    },
    "weekly_examples": {
        "managers": "count(distinct manager_key)",
        **{kind: f"count(*) filter (where kind = '{kind}')" for kind in ORDER},
    },
    "chat_advice": {
        "managers": "count(distinct manager_key)",
        **{rule: f"count(*) filter (where rule = '{rule}')" for rule in (*OF_WAITS, *OF_SESSIONS)},
        "by_a_model": "count(*) filter (where source = 'model')",
    },
    "manager_week_delta": _OF_DELTAS,
    "channel_week_delta": _OF_DELTAS,
}


def numbers(warehouse: Warehouse, weeks: Sequence[str]) -> dict[tuple[str, str], dict[str, int]]:
    """By mart and week: the rows that are published, and the mart's own figures; 0 where a week has no row."""
    return _numbers(warehouse, "week", "week", weeks)


def numbers_of_days(warehouse: Warehouse, days: Sequence[date]) -> dict[tuple[str, date], dict[str, int]]:
    """The same by mart and day."""
    return _numbers(warehouse, "day", "business_on", days)


def _numbers(
    warehouse: Warehouse, period: Period, key: str, wanted: Sequence[K]
) -> dict[tuple[str, K], dict[str, int]]:
    found: dict[tuple[str, K], dict[str, int]] = {}
    with warehouse.connect("otklik-publish") as connection:
        for mart in marts(period):
            asked = {"dagster/partition_row_count": "count(*)", **_NUMBERS[mart.name]}
            # names and expressions of this module only
            query = f"select {key}, {', '.join(asked.values())} from marts.{mart.name} as told where {key} = any(%s) group by 1"  # noqa: E501, S608
            told = {one: values for one, *values in connection.execute(query, [list(wanted)])}  # type: ignore[arg-type]
            for one in wanted:
                values = told.get(one, [0] * len(asked))
                found[mart.name, one] = {name: int(value or 0) for name, value in zip(asked, values, strict=True)}
    return found
