"""What a tab is made of: columns, and how a value of the warehouse becomes a cell.

Here: names instead of ids, minutes instead of seconds, texts without contacts, one function per kind of column. Not
here: which columns a tab has (the modules beside), headings and words (``conversations.messages``). Functions of their
arguments: no database, no clock.

An unknown value is an empty cell, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conversations.messages import Headings, Words, channel_title, short_name
from conversations.policy_exports import Texts
from conversations.redact import mask
from resources.sheets import Column, Kind, Legend, Look, Tab, Tone

if TYPE_CHECKING:
    from pandas import DataFrame, Series

H = Headings


@dataclass(frozen=True)
class Sheet:
    """One tab before it is written."""

    title: str
    columns: Sequence[Column]
    frame: DataFrame
    """One column per heading, in their order."""
    weeks: Series
    """The ISO week of each row."""
    look: Look | None = None
    name: str | None = None
    """What the tab is called in the spreadsheet, if not by its title."""

    def tab(self) -> Tab:
        """What is written."""
        return Tab(self.title, self.columns, self.frame.to_numpy().tolist(), self.look, self.name)


@dataclass(frozen=True)
class Made:
    """One column of a tab and how it is made."""

    column: Column
    source: str
    """The column of the warehouse that it shows, for whoever asks where a figure comes from."""
    make: Callable[[DataFrame], Any]


def sheet(title: str, rows: DataFrame, made: Sequence[Made], look: Look | None = None) -> Sheet:
    """A tab of these rows, which have a column ``week``."""
    import pandas as pd

    cells = {one.column.name: _objects(one.make(rows), rows) for one in made}
    frame = pd.DataFrame(cells, index=rows.index, columns=[one.column.name for one in made], dtype=object)
    return Sheet(title, [one.column for one in made], frame, rows["week"], look)


def _objects(values: Any, rows: DataFrame) -> Series:
    """The values as they are: no column of numbers becomes one of floats because a cell is empty."""
    import pandas as pd

    return pd.Series(list(values), index=rows.index, dtype=object)


def week(titles: dict[str, str]) -> Made:
    """The week of a row; ``titles`` are the words of each."""
    return Made(Column(H.WEEK, Kind.TEXT, 170), "week", lambda rows: rows["week"].map(titles))


def text(heading: str, name: str, width: int | None = None) -> Made:
    """A text as it is."""
    return Made(Column(heading, Kind.TEXT, width), name, lambda rows: rows[name])


def count(heading: str, name: str, width: int = 120) -> Made:
    """A whole number."""
    return Made(Column(heading, Kind.INTEGER, width), name, lambda rows: rows[name])


def share(heading: str, name: str, source: str = "", width: int = 140) -> Made:
    """A share from 0 to 1, shown as a percentage."""
    return Made(
        Column(heading, Kind.PERCENT, width),
        source or name,
        lambda rows: [None if v is None else round(float(v), 6) for v in rows[name]],
    )


def minutes(heading: str, name: str, source: str = "") -> Made:
    """Seconds as minutes with two decimals."""
    return Made(
        Column(heading, Kind.DECIMAL, 125),
        source or name,
        lambda rows: [None if seconds is None else round(float(seconds) / 60, 2) for seconds in rows[name]],
    )


def moment(heading: str, name: str) -> Made:
    """A local time."""
    return Made(
        Column(heading, Kind.DATETIME, 130),
        name,
        lambda rows: [None if at is None else at.replace(microsecond=0) for at in rows[name]],
    )


def day(heading: str, name: str) -> Made:
    """The day of a local time."""
    return Made(
        Column(heading, Kind.DATE, 110), name, lambda rows: [None if at is None else at.date() for at in rows[name]]
    )


def named(heading: str, name: str, words: dict[str, str], width: int | None = None) -> Made:
    """A code in words; one that is not listed as it is."""
    return Made(Column(heading, Kind.TEXT, width), name, lambda rows: [words.get(code, code) for code in rows[name]])


def legend(words: Mapping[Tone, str]) -> list[Legend]:
    """What colours mean, by colour."""
    return [Legend(tone, said) for tone, said in words.items()]


CHANNEL = Made(
    Column(H.CHANNEL, Kind.TEXT, 190),
    "channel_name",
    lambda rows: [channel_title(*pair) for pair in zip(rows["channel_kind"], rows["channel_name"], strict=True)],
)
DATA = named(H.DATA, "data_status", Words.STATUSES, 110)


def person(name: str | None, texts: Texts) -> str | None:
    """A customer's name as the policy lets it out.

    >>> person("Галина Ветрова", "full"), person("Галина Ветрова", "masked"), person("Галина Ветрова", "none")
    ('Галина Ветрова', 'Галина В.', None)
    >>> person("+7 701 123-45-67", "masked")
    '[телефон]'
    """
    if name is None or texts == "none":
        return None
    return name if texts == "full" else short_name(mask(name))


def message(text: str | None, texts: Texts) -> str | None:
    """The text of a message as the policy lets it out.

    >>> message("Мой номер 8 926 123-45-67", "masked")
    'Мой номер [телефон]'
    """
    if text is None or texts == "none":
        return None
    return text if texts == "full" else mask(text)
