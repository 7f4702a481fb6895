"""The tab that is read first: as of when the week is, what to look at, what every tab, state and column means.

Here: its rows. Not here: the words (``conversations.messages.readme``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from assets.exports.made import Made, legend, text
from conversations.messages import (
    DEFINITIONS,
    DEFINITIONS_OF_TALKS,
    Changes,
    Headings,
    ReadMe,
    TalkWords,
    WeeklyWords,
    Words,
)
from conversations.policy import Policy
from conversations.rules import channel_timeline
from conversations.window import Window, iso_week
from resources.sheets import ColourRule, Look

if TYPE_CHECKING:
    from pandas import DataFrame

_MEANINGS = {**DEFINITIONS, **DEFINITIONS_OF_TALKS}
COLUMNS: list[Made] = [
    text(ReadMe.SECTION, "section", 150),
    text(ReadMe.WHAT, "what", 300),
    text(ReadMe.MEANING, "meaning", 820),
]


def rows(
    week: str, monday: date, said: str, tabs: Sequence[str], headings: Iterable[str], policy: Policy,
    names: Mapping[str, str],
) -> DataFrame:  # fmt: skip
    """The rows, all of the newest week.

    Args:
        said: as of when the week is, and whether it is complete.
        tabs: titles in the order of the tabs.
        headings: of every column of every tab; each is explained once, where it comes first.
        names: what tabs are called instead of their titles, which the other tabs know them by.
    """
    import pandas as pd

    said_of = {**Words.TABS, **TalkWords.TABS}
    found = [
        (ReadMe.AS_OF, week, said),
        *((ReadMe.HOW, what, meaning.format(iso_week(monday))) for what, meaning in ReadMe.STEPS),
        *((ReadMe.HOW, what, meaning) for what, meaning in _rules(monday, policy)),
        *((ReadMe.STATES, what, meaning) for what, meaning in _states()),
        *(
            (ReadMe.TABS, f"{names[tab]} ({tab})" if tab in names else tab, said_of[tab])
            for tab in tabs
            if tab in said_of
        ),
        *((ReadMe.ADVICE, what, meaning) for what, meaning in WeeklyWords.ADVICE.values()),
        *((ReadMe.COLUMNS, heading, _MEANINGS[heading]) for heading in dict.fromkeys(headings)),
    ]
    frame = pd.DataFrame(found, columns=["section", "what", "meaning"], dtype=object)
    frame["week"] = iso_week(monday)
    return frame


def _rules(monday: date, policy: Policy) -> Iterator[tuple[str, str]]:
    """The norms in force when the week began, and what a wait and a talk are."""
    start: datetime = Window.of_week(iso_week(monday), policy.time_zone).start
    norms = channel_timeline(policy, None).at(int(start.timestamp()))
    what, meaning = ReadMe.NORM
    yield what, meaning.format(*(n // 60 for n in (norms.first_target, norms.target, norms.call_target, norms.limit)))
    yield ReadMe.WAIT
    what, meaning = ReadMe.TALK
    yield what, meaning.format(policy.session_idle_hours)
    yield ReadMe.VIEWS


def _states() -> Iterator[tuple[str, str]]:
    for status, said in Changes.STATES.items():
        arrows = {"improved": Changes.BETTER, "worsened": Changes.WORSE}.get(status)
        yield " / ".join(arrows) if arrows else said, Changes.MEANINGS[status]


def look(caption: Sequence[str]) -> Look:
    """Of the tab: sections that can be told apart, and the first tab of a new spreadsheet."""
    return Look(
        caption=caption,
        legend=legend(WeeklyWords.LEGEND_README),
        rules=[
            ColourRule(None, "is", ReadMe.AS_OF, "total", by=ReadMe.SECTION),
            ColourRule(ReadMe.WHAT, "is", " / ".join(Changes.BETTER), "good"),
            ColourRule(ReadMe.WHAT, "is", " / ".join(Changes.WORSE), "bad"),
        ],
        wrap=[ReadMe.MEANING],
        protected=True,
        first=True,
        tab_tone="good",
    )  # fmt: skip


def notes(headings: Iterable[str]) -> dict[str, str]:
    """The definitions of a tab's columns, to be shown on their headings."""
    return {heading: _MEANINGS[heading] for heading in headings if heading in _MEANINGS and heading != Headings.WEEK}
