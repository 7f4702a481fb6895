"""The week as a person reads it in the terminal: by manager and by channel, from the published marts.

Here: which columns are shown, in which order, and the totals of counts. Not here: any metric; medians and shares of one
row come from the marts as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conversations.messages import Week, WeekCalls, channel_title, minutes, number, share
from conversations.window import monday_of
from orchestration.cli import screen, week_calls

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from resources.warehouse.engine import Warehouse

_LEFT, _RIGHT = "left", "right"
_FIGURES = (
    (Week.WAITS, _RIGHT),
    (Week.IN_TARGET, _RIGHT),
    (Week.SLOW, _RIGHT),
    (Week.NO_REPLY, _RIGHT),
    (Week.FIRST_REPLY, _RIGHT),
    (Week.REPLY, _RIGHT),
    (Week.REPLY_P90, _RIGHT),
    (Week.PENDING, _RIGHT),
)
# A manager who had nothing to do with the week is left out; the row without a manager stands last.
_MANAGERS = """
select manager_name as name, coalesce(team_id, '') as beside, data_status,
       waits_settled, in_target, slow_reply, unanswered,
       in_target_share, slow_reply_share, no_reply_share, first_reply_p50_business_seconds,
       reply_p50_business_seconds, reply_p90_business_seconds, pending_now
from marts.manager_week
where week = :week and (waits_settled > 0 or pending_now > 0 or coalesce(chat_sessions_touched, sessions_touched) > 0)
order by manager_id is null, team_id nulls last, manager_name, manager_key
"""
_CHANNELS = """
select channel_name as name, channel_kind as beside, data_status,
       waits_settled, in_target, slow_reply, unanswered,
       in_target_share, slow_reply_share, no_reply_share, first_reply_p50_business_seconds,
       reply_p50_business_seconds, reply_p90_business_seconds, pending_now
from marts.channel_week
where week = :week and (waits_settled > 0 or pending_now > 0 or calls_in + calls_out + calls_internal = 0)
order by channel_kind, channel_name, channel_id
"""
_SUMMED = ("waits_settled", "in_target", "slow_reply", "unanswered", "pending_now")


def reading(warehouse: Warehouse) -> Engine:
    """Who reads the marts for the screen: the analyst, or the publisher where the analyst cannot log in.

    The week is published by then; a login that only ``otklik sql`` needs must not make the command fail.
    """
    from sqlalchemy.exc import OperationalError

    from resources.warehouse.errors import WarehouseError
    from resources.warehouse.roles import Role

    try:
        engine = warehouse.analyst_engine()
        with engine.connect():
            return engine
    except (OperationalError, WarehouseError):
        return warehouse.as_role(Role.PUBLISHER).engine


def show(engine: Engine, week: str) -> None:
    """Print both tables of a published week."""
    from sqlalchemy import text

    with engine.connect() as connection:
        managers = connection.execute(text(_MANAGERS), {"week": week}).mappings().all()
        channels = connection.execute(text(_CHANNELS), {"week": week}).mappings().all()
        calls = week_calls.rows_of(connection, week)
    rows = [*managers, *channels]
    if not rows and not calls:
        screen.say(Week.EMPTY)
        return
    monday = monday_of(week)
    screen.say(Week.title(week, monday, monday + timedelta(days=6)), style="bold")
    channel_names = [channel_title(row["beside"], row["name"]) for row in channels]
    screen.show(
        _drawn(Week.BY_MANAGER, Week.MANAGER, managers, [row["name"] for row in managers], by="beside"),
        _drawn(Week.BY_CHANNEL, Week.CHANNEL, channels, channel_names),
    )
    screen.note(Week.NOTE)
    screen.note(Week.VIEWS)
    if calls:
        screen.show(week_calls.drawn(calls))
        if week_calls.is_trial(calls):
            screen.note(WeekCalls.TRIAL_NOTE)
        if week_calls.is_by_rules(calls):
            screen.note(WeekCalls.RULES_NOTE)
    if bad := sorted(
        {f"{row['name']}: {Week.STATUSES[row['data_status']]}" for row in channels if row["data_status"] != "ok"}
    ):
        screen.say(Week.INCOMPLETE.format("; ".join(bad)), style="yellow")


def _drawn(
    title: str, heading: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, by: str | None = None
) -> Any:
    """One table with its totals; ``by``: rows that share this value stand under it as their heading."""
    drawn = screen.table(title, [(heading, _LEFT), *_FIGURES], [])
    group = ""
    for row, name in zip(rows, names, strict=True):
        if by and row[by] != group:
            group = row[by]
            if group:
                screen.add_row(drawn, [group], style="dim italic")
        screen.add_row(drawn, [f"  {name}" if by and group else name, *_figures(row)])
    if rows:
        drawn.add_section()
        screen.add_row(drawn, [Week.TOTAL, *_figures(_total(rows))], style="bold")
    return drawn


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        number(row["waits_settled"]),
        share(row["in_target_share"]),
        share(row["slow_reply_share"]),
        share(row["no_reply_share"]),
        minutes(row["first_reply_p50_business_seconds"]),
        minutes(row["reply_p50_business_seconds"]),
        minutes(row["reply_p90_business_seconds"]),
        number(row["pending_now"]),
    )


def _total(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts add up, shares follow from them; a median of medians is no median, so there is none."""
    total: dict[str, Any] = {name: sum(row[name] for row in rows) for name in _SUMMED}
    whole = total["waits_settled"]
    for numerator, name in (("in_target", "in_target"), ("slow_reply", "slow_reply"), ("unanswered", "no_reply")):
        total[f"{name}_share"] = total[numerator] / whole if whole else None
    unknown = ("first_reply_p50_business_seconds", "reply_p50_business_seconds", "reply_p90_business_seconds")
    return total | dict.fromkeys(unknown)
