"""The tabs of the spreadsheet: which there are, in which order, of which weeks, and from what they are made.

Here: the register. Not here: the columns of each tab (the modules beside), how a value becomes a cell (``made``), what
is read (``snapshot``), the tab data_status (``status``). Functions of their arguments: no database, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from assets.exports import cases, comparison, lists, published, readme, report, summaries, talks
from assets.exports.made import Made, Sheet, message, person, sheet, week
from assets.exports.status_columns import COLUMNS, STATUS
from conversations.messages import Headings, ReadMe, TalkWords, WeeklyWords, Words, week_title
from conversations.policy import Policy
from conversations.policy_exports import Texts
from resources.sheets import Look

if TYPE_CHECKING:
    from pandas import DataFrame

    from assets.exports.snapshot import Snapshot

__all__ = ["TITLES", "Made", "Sheet", "columns_of", "message", "person", "sheet_of", "sheets", "weeks_of"]

README = ReadMe.TITLE
DIGEST_MANAGERS, DIGEST_CHANNELS = "weekly_digest_managers", "weekly_digest_channels"
REPORT, TREND = "manager_report", "weekly_trend"
DELTAS, SNAPSHOTS = "weekly_behavior_delta_managers", "behavior_snapshot_managers"
EXAMPLES, ADVICE = "weekly_examples", "chat_advice"
BESIDE, RESULTS = "calls_and_chats", "call_results"
CHATS, MESSAGES, MANAGERS, CHANNELS = "chats_raw", "messages_raw", "manager_summary", "channel_summary"
"""The titles that people know."""
TITLES = (
    README, DIGEST_MANAGERS, DIGEST_CHANNELS, REPORT, TREND, EXAMPLES, ADVICE, DELTAS, SNAPSHOTS, MANAGERS, CHANNELS,
    CHATS, MESSAGES,
)  # fmt: skip
"""The tabs that are always there, in their order: what is read first stands first."""
OF_TALKS = (BESIDE, RESULTS)
"""Those that are there once there was a call or a score."""
ORDER = (*TITLES[:4], BESIDE, *TITLES[4:7], RESULTS, *TITLES[7:])
"""All of them in their order."""
_HOW = {
    DIGEST_MANAGERS: "digest", DIGEST_CHANNELS: "digest", REPORT: "report", DELTAS: "deltas", EXAMPLES: "examples",
    ADVICE: "advice", SNAPSHOTS: "snapshots", TREND: "trend",
}  # fmt: skip
_NEWEST = (README, DIGEST_MANAGERS, DIGEST_CHANNELS, REPORT, BESIDE)
_EVERY = (TREND, SNAPSHOTS, MANAGERS, CHANNELS)


def weeks_of(title: str, snapshot: Snapshot) -> Sequence[str]:
    """The weeks that a tab speaks of, newest first: the newest, those of the lists, or all that are shown."""
    if title in _NEWEST:
        return list(snapshot.weeks)[:1]
    return list(snapshot.weeks) if title in _EVERY else snapshot.raw_weeks


def titles_of(*, has_talks: bool) -> tuple[str, ...]:
    """The tabs that are shown, in their order."""
    return ORDER if has_talks else TITLES


def columns_of(title: str, *, has_talks: bool = False) -> list[Made]:
    """The columns of a tab; how texts are let out does not change them, whether there are calls or scores does."""
    return _columns(title, week({}), "masked", has_talks)


def _columns(title: str, of_week: Made, texts: Texts, has_talks: bool) -> list[Made]:
    of_managers = talks.SUMMARY_COLUMNS if has_talks else []
    of_channels = talks.CHANNEL_COLUMNS if has_talks else []
    found: dict[str, list[Made]] = {
        README: readme.COLUMNS,
        DIGEST_MANAGERS: comparison.DIGEST_MANAGERS,
        DIGEST_CHANNELS: comparison.DIGEST_CHANNELS,
        REPORT: report.REPORT,
        TREND: [of_week, *published.TREND],
        DELTAS: [of_week, *comparison.COMPARISONS],
        SNAPSHOTS: [of_week, *published.SNAPSHOTS],
        EXAMPLES: [of_week, *cases.examples(texts)],
        ADVICE: [of_week, *cases.advice(texts)],
        MANAGERS: [of_week, *summaries.MANAGER_COLUMNS, *of_managers],
        CHANNELS: [of_week, *summaries.CHANNEL_COLUMNS, *of_channels],
        BESIDE: talks.BESIDE,
        RESULTS: [of_week, *talks.results(texts)],
        CHATS: lists.chats(texts),
        MESSAGES: [of_week, *lists.messages(texts)],
    }
    return found[title]


def sheets(snapshot: Snapshot, policy: Policy, names: Mapping[str, str] | None = None) -> list[Sheet]:
    """The tabs that are shown, in their order; ``names``: what some of them are called instead of their titles."""
    tabs = _Tabs(snapshot, policy, names or {})
    return [tabs.made(title) for title in titles_of(has_talks=snapshot.has_talks)]


def sheet_of(title: str, snapshot: Snapshot, policy: Policy) -> Sheet:
    """One of them."""
    return _Tabs(snapshot, policy, {}).made(title)


class _Tabs:
    def __init__(self, snapshot: Snapshot, policy: Policy, names: Mapping[str, str]) -> None:
        self._snapshot, self._policy, self._names = snapshot, policy, names
        self._titles = {one: week_title(one, monday) for one, monday in snapshot.weeks.items()}
        self._newest = next(iter(snapshot.weeks))

    def made(self, title: str) -> Sheet:
        rows = self._rows(title)
        columns = _columns(title, week(self._titles), self._policy.exports.texts, self._snapshot.has_talks)
        look = self._look(title, rows)
        explained = readme.notes(one.column.name for one in columns)
        made = sheet(title, rows, columns, replace(look, notes=explained))
        return replace(made, name=self._names.get(title))

    def _rows(self, title: str) -> DataFrame:
        found = self._snapshot
        made: dict[str, Callable[[], DataFrame]] = {
            README: self._readme,
            DIGEST_MANAGERS: lambda: comparison.beside(
                found.managers, "manager_key", found.manager_deltas, self._newest
            ),
            DIGEST_CHANNELS: lambda: comparison.beside(
                found.channels, "channel_id", found.channel_deltas, self._newest
            ),
            REPORT: lambda: report.report(found.managers, found.manager_deltas, found.misses, self._newest),
            TREND: lambda: published.company(found.channels),
            DELTAS: lambda: comparison.with_cases(found.manager_deltas),
            SNAPSHOTS: lambda: published.one_row_each(found.snapshots),
            EXAMPLES: lambda: found.examples,
            ADVICE: lambda: found.advice,
            MANAGERS: lambda: found.managers,
            CHANNELS: lambda: found.channels,
            CHATS: lambda: found.chats,
            MESSAGES: lambda: found.messages,
            BESIDE: lambda: talks.with_talk(found.managers, self._newest),
            RESULTS: self._results,
        }
        return made[title]()

    def _results(self) -> DataFrame:
        assert self._snapshot.results is not None
        return self._snapshot.results

    def _readme(self) -> DataFrame:
        status, as_of = self._status()
        has_talks = self._snapshot.has_talks
        titles = titles_of(has_talks=has_talks)
        headings = [
            one.column.name for title in titles if title != README for one in columns_of(title, has_talks=has_talks)
        ]
        headings += [column.name for column, _ in COLUMNS]
        return readme.rows(
            self._titles[self._newest], self._snapshot.weeks[self._newest], ReadMe.data(status, as_of),
            [*titles, STATUS], headings, self._policy, self._names,
        )  # fmt: skip

    def _look(self, title: str, rows: DataFrame) -> Look:
        caption = self._caption(title)
        made: dict[str, Callable[[], Look]] = {
            README: lambda: readme.look(caption),
            DIGEST_MANAGERS: lambda: comparison.digest_look(
                Headings.MANAGER, caption, WeeklyWords.CHART_MANAGERS, len(rows)
            ),
            DIGEST_CHANNELS: lambda: comparison.digest_look(
                Headings.CHANNEL, caption, WeeklyWords.CHART_CHANNELS, len(rows)
            ),
            REPORT: lambda: report.report_look(caption),
            TREND: lambda: published.trend_look(caption),
            DELTAS: lambda: comparison.comparisons_look(caption),
            SNAPSHOTS: lambda: published.snapshots_look(caption),
            EXAMPLES: lambda: cases.examples_look(caption, rows),
            ADVICE: lambda: cases.advice_look(caption, rows),
            MANAGERS: lambda: summaries.look(3),
            CHANNELS: lambda: summaries.look(2),
            CHATS: lists.look,
            MESSAGES: lists.look,
            BESIDE: lambda: talks.beside_look(caption, len(rows)),
            RESULTS: lambda: talks.results_look(caption, rows),
        }
        return made[title]()

    def _caption(self, title: str) -> list[str]:
        _, as_of = self._status()
        shown = self._titles[self._newest]
        weeks = len(weeks_of(title, self._snapshot))
        told = WeeklyWords.caption(shown, as_of) if weeks == 1 else WeeklyWords.captions(shown, weeks, as_of)
        how = WeeklyWords.HOW[_HOW[title]] if title in _HOW else TalkWords.HOW.get(title)
        if title == ADVICE and "model" in set(self._snapshot.advice["source"]):
            how = TalkWords.HOW_ADVICE
        return [told, *([how] if how else [])]

    def _status(self) -> tuple[str, str]:
        """Of the newest week in words: as good as its worst channel, and as of when."""
        rows = self._snapshot.status[self._snapshot.status["week"] == self._newest]
        order = list(Words.STATUSES)
        worst = max(rows["status"], key=order.index)
        instants = list(rows["as_of"])
        zone = ZoneInfo(self._policy.time_zone)
        return Words.STATUSES[worst], "?" if None in instants else _local(min(instants), zone)


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%d.%m.%Y %H:%M}"
