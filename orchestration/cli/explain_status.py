"""``otklik explain data_status``: why the data of a channel's week are whole or not, day by day.

Here: the table of days and the reasons in words. Not here: the counts (``resources.warehouse.evidence_status``), which
chats show one side only (``otklik explain channel_week ... one_direction_chats``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conversations.messages import NONE, Explain, Words, day, number, reason
from orchestration.cli import explain_asked as explain
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from orchestration.cli.explain_lists import Drawing


def show(drawing: Drawing, keys: list[str]) -> None:
    """Print the days behind a row of ``marts.data_status``.

    Raises:
        CliError: no such week or channel.
    """
    from resources.warehouse import evidence as of
    from resources.warehouse import evidence_status as status

    if len(keys) > 2:
        raise CliError(Explain.TOO_MANY_KEYS.format(" ".join(keys[2:])), EXIT_USAGE)
    week, subject, _ = explain.asked(drawing, of.Mart("data_status", "channel", "week"), keys)
    if week is None or subject is None:
        return
    row = of.rows_of(drawing.connection, "data_status", week=week, channel_id=subject.key)[0]
    span = of.Span(
        week,
        "week",
        drawing.policy.time_zone,
        drawing.policy.early_delete_seconds,
        drawing.policy.telephony.short_call_seconds,
    )
    found = status.days(drawing.connection, subject.key, row["connection_id"], *span.days)
    missing = status.gaps(drawing.connection, row["connection_id"], *span.days, drawing.policy.time_zone)
    odd = status.quarantined(drawing.connection, row["connection_id"], span.window)
    told = {
        "messages_reported": sum(one.reported or 0 for one in found) if row["days_counted"] else None,
        "messages_stored": sum(one.stored or 0 for one in found) if row["days_counted"] else None,
        "waits_checked": sum(one.settled_waits for one in found),
        "waits_skewed": sum(one.skewed_waits for one in found),
        "quarantined": sum(odd.values()),
    }
    is_equal = all(row[name] == value for name, value in told.items())
    if drawing.as_json:
        days = [one._asdict() for one in found]
        drawing.told.append(
            {
                "mart": "data_status",
                "row": row,
                "days": days,
                "incomplete_neighbours": missing,
                "quarantined": odd,
                "list_adds_up": is_equal,
            }
        )
        return
    if drawing.as_csv:
        drawing.csv(status.Day._fields, found)
        return
    screen.say(f"{explain.subject_title(subject)}, {explain.period_title(week)}", style="bold")
    screen.say(Explain.DATA.format(Words.STATUSES.get(row["status"], row["status"])))
    if row["reasons"]:
        screen.say(Explain.WHY.format(Words.reasons(row["reasons"])))
    lines = [(day(one.business_on), *(_count(value) for value in one[1:])) for one in found]
    screen.show(screen.table(None, Explain.DAY_COLUMNS, lines))
    for neighbour, lacking in missing.items():
        screen.say(Explain.NEIGHBOUR.format(neighbour, ", ".join(day(one) for one in lacking)))
    for code, rows in odd.items():
        screen.say(Explain.QUARANTINED.format(reason(code), number(rows)))
    if is_equal:
        screen.say(Explain.EQUAL)
    else:
        screen.say(Explain.STATUS_CHANGED.format(week), style="yellow")


def _count(value: int | None) -> str:
    return NONE if value is None else number(value)
