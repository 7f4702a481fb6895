"""The tab data_status: of each tab and week, as of when it is, whether it is complete, whether it is stale and why.

Here: what is known of a week when a tab is shown, and the rows that people read. Not here: its columns
(``status_columns``), where it is kept (``resources.warehouse.exports``). What was known when a tab was shown is kept
with it, so that the tab data_status always speaks of what is in the spreadsheet and not of what is in the marts by now
(promise F29).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.exports.frames import CHATS, MESSAGES, ORDER, README, RESULTS, weeks_of
from assets.exports.made import Sheet
from assets.exports.status_columns import COLUMNS, LOOK, STATUS
from conversations.messages import Headings, TalkWords, Words, channel_title, week_title
from resources.sheets import Tab
from resources.warehouse.exports import Export

if TYPE_CHECKING:
    from assets.exports.snapshot import Snapshot

_WORST = ("ok", "incomplete", "failed")
_LISTS = {CHATS: "chats", MESSAGES: "messages"}
_LIMITED = {**_LISTS, RESULTS: "results"}

Known = Mapping[str, Any]
"""What is known of one week of one tab; JSON values only."""


def known_weeks(snapshot: Snapshot, sheet: Sheet) -> list[Known]:
    """What is known of each week of a tab, newest first."""
    is_list = sheet.title in _LISTS
    counts = sheet.weeks.value_counts()
    return [
        {
            **_of_channels(snapshot, week),
            **({"as_of": _iso(snapshot.judged_until)} if is_list else {}),
            "week": week,
            "monday": snapshot.weeks[week].isoformat(),
            "rows": int(counts.get(week, 0)),
            "left_out": snapshot.left_out.get((_LIMITED.get(sheet.title, ""), week), 0),
        }
        for week in weeks_of(sheet.title, snapshot)
    ]


def _of_channels(snapshot: Snapshot, week: str) -> dict[str, Any]:
    rows = [row for row in snapshot.status.to_dict("records") if row["week"] == week]
    instants = [row["as_of"] for row in rows]
    reported = [row["messages_reported"] for row in rows]
    stored = sum(row["messages_stored"] or 0 for row in rows)
    return {
        "status": max((row["status"] for row in rows), key=_WORST.index),
        "why": [
            f"{channel_title(row['channel_kind'], row['channel_name'])}: {Words.reasons(row['reasons'])}"
            for row in rows
            if row["reasons"]
        ],
        "is_stale": any(row["is_stale"] for row in rows),
        "as_of": None if None in instants else _iso(min(instants)),
        "days_complete": min(int(row["days_complete"]) for row in rows),
        "received": None if None in reported or not sum(reported) else round(float(stored / sum(reported)), 6),
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant is not None else None


def status_tab(shown: Mapping[str, Export], time_zone: str) -> Tab:
    """The tab, from what is shown by tab, in their order, weeks newest first; the tab that explains is not listed."""
    zone = ZoneInfo(time_zone)
    titles = [title for title in ORDER if title in shown and title != README]
    rows = [_row(shown[title], known, zone) for title in titles for known in shown[title].weeks]
    return Tab(STATUS, [column for column, _ in COLUMNS], rows, LOOK)


def marked_tab(seen: Sequence[Sequence[Any]], reason: str, since: datetime, time_zone: str) -> Tab | None:
    """The tab as it stands in the spreadsheet (heading first, unformatted), and that it is stale since when and why.

    ``None``: what stands there has other columns than ours.
    """
    columns = [column for column, _ in COLUMNS]
    headings = [column.name for column in columns]
    if not seen or list(seen[0]) != headings:
        return None
    stale, why = headings.index(Headings.STALE), headings.index(Headings.WHY)
    said = Words.since(f"{_local(since, ZoneInfo(time_zone)):%d.%m.%Y %H:%M}")
    rows = [[*row, *[""] * (len(headings) - len(row))] for row in seen[1:]]
    for row in rows:
        if not str(row[stale]).startswith(Words.SINCE):
            row[stale] = said
        if reason not in str(row[why]):
            row[why] = Words.joined([reason, str(row[why])])
    return Tab(STATUS, columns, rows, LOOK)


def _row(export: Export, known: Known, zone: ZoneInfo) -> Sequence[Any]:
    as_of = known["as_of"]
    remarks = [
        export.stale_reason or "",
        Words.STALE_WEEK if known["is_stale"] else "",
        *known["why"],
        Words.left_out(known["left_out"]) if known["left_out"] else "",
    ]
    return [
        export.tab,
        {**Words.TABS, **TalkWords.TABS}[export.tab],
        week_title(known["week"], date.fromisoformat(known["monday"])),
        _stale(export, known, zone),
        Words.STATUSES.get(known["status"], known["status"]),
        Words.joined(remarks),
        _local(datetime.fromisoformat(as_of), zone) if as_of else None,
        known["days_complete"],
        known["received"],
        known["rows"],
    ]


def _stale(export: Export, known: Known, zone: ZoneInfo) -> str:
    if export.stale_since is not None:
        return Words.since(f"{_local(export.stale_since, zone):%d.%m.%Y %H:%M}")
    return Words.YES if known["is_stale"] else Words.NO


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, microsecond=0)
