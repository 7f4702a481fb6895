"""How a tab looks: colours by value, charts, definitions, links, lines above the heading, a warning before edits.

Here: what the caller may ask for, and what is refused. Not here: the requests that make it, cells (``cells``).

    Look(
        caption=["Неделя 46 (9-15 ноября 2026), по состоянию на 16.11.2026 08:10"],
        legend=[Legend("good", "85 % и больше"), Legend("bad", "меньше 70 %")],
        frozen_columns=2,
        rules=[
            ColourRule("Ответы в срок, %", ">=", 0.85, "good"),
            ColourRule("Ответы в срок, %", "<", 0.7, "bad"),
            ColourRule("Изменение", "is", "улучшилось", "good", by="Состояние"),
            ColourRule(None, "is", "Всего", "total", by="Менеджер"),
        ],
        charts=[Chart("Ответы в срок по менеджерам", "bar", "Менеджер", ["Ответы в срок, %"])],
        notes={"Ответы в срок, %": "Доля ожиданий, на которые ответили в срок"},
        links={"Чат": [None, "https://..."]},
        protected=True,
    )

A look is part of the tab's content hash. Columns are named by their headings. Nothing of it is a formula in a cell.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Literal

Tone = Literal["good", "warn", "bad", "muted", "total"]
"""What a colour says: green, amber, red, grey; ``total`` is a row that sums up or heads others: bold on grey."""
When = Literal[">=", ">", "<=", "<", "=", "between", "is", "starts", "contains"]
"""Of numbers: comparisons, ``between`` with both ends included. Of texts: the whole, its beginning, a part; in all of
them Google does not tell capital letters from small ones. An empty cell fits none."""
ChartKind = Literal["bar", "column", "line"]
"""``bar`` lies, ``column`` stands."""
Number = int | float | Decimal

MOST_CAPTIONS = 6
"""Lines above the heading: they are frozen with it, and a frozen half of a screen leaves nothing to read."""
MOST_RULES, MOST_CHARTS = 100, 10
"""Of one tab."""
MOST_LINKS = 2_000
"""Linked cells of one column."""
LINK_BYTES = 1_200_000
"""Of all links of one publication: they travel inside the one change that people see, which should stay below 2 MB."""
LEAST_HEIGHT, MOST_HEIGHT = 21, 400
"""Of a row: one line of letters, half a screen."""
_TONES = ("good", "warn", "bad", "muted", "total")
_TEXTS = ("is", "starts", "contains")
_NUMBERS = (">=", ">", "<=", "<", "=", "between")


@dataclass(frozen=True)
class ColourRule:
    """Colour the cells of a column whose value fits. Of two rules that fit one cell the earlier one wins.

    ``column``: the heading; ``None`` is the whole row (then ``by`` is needed). ``by``: the column whose value of the
    same row is judged, where it is another one; with it texts are compared whole (``is``) only.
    ``value``: a number as it is stored (a share of 85 % is 0.85), a pair of them for ``between``, or a text.
    """

    column: str | None
    when: When
    value: Number | str | tuple[Number, Number]
    tone: Tone
    by: str | None = None


@dataclass(frozen=True)
class Legend:
    """One colour and what it says; all of them stand in one line above the heading, each after a coloured square."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart of rows of the tab, one category and one or more columns of numbers.

    It is made once. People may move, size, recolour or remove it: it follows the rows and is not made again. It is
    known by ``key`` (its title, where none is given): with a title that names the week give a key that does not.
    """

    title: str
    kind: ChartKind
    category: str
    """Heading of the column with the names along the axis."""
    values: Sequence[str]
    """Headings of columns of numbers; their headings name the lines or bars."""
    key: str = ""
    subtitle: str = ""
    """A good place for n, unit and as-of."""
    first: int | None = None
    """Only so many rows from the top; with ``last`` not given and none given here: all rows."""
    last: int | None = None
    """Only so many rows from the end; only with one column of values, which the title names then."""
    reversed: bool = False
    """Draw the last row first: for weeks that are listed with the newest on top."""
    tones: Sequence[Tone] = ()
    """Colours of the columns in their order; without them one calm blue and its neighbours."""
    lowest: Number | None = None
    highest: Number | None = None
    """Ends of the axis of values; a share reads best from 0 to 1."""
    labels: bool = True
    """Write the values at the bars or points; three lines and more have no room for them."""
    place: Literal["right", "below"] = "right"
    """Right of everything that the tab has, or below our rows (and further down when they reach it)."""
    width: int = 640
    height: int | None = None
    """In pixels, when it is made; without a height lying bars get room by their number, the others 360."""

    @property
    def name(self) -> str:
        return self.key or self.title


@dataclass(frozen=True)
class Look:
    """How one tab looks, beside its columns and rows; see the module."""

    caption: Sequence[str] = ()
    """Lines above the heading: of which week, as of when, how to read it. People's own columns move down with ours."""
    legend: Sequence[Legend] = ()
    frozen_columns: int = 0
    rules: Sequence[ColourRule] = ()
    charts: Sequence[Chart] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """By heading: the definition that is shown when the mouse stands on it."""
    wrap: Sequence[str] = ()
    """Headings of columns whose long texts break into lines; the others are cut or run into empty neighbours."""
    row_height: int | None = None
    """Of each row in pixels, where long texts would make rows so tall that a screen shows a handful: their first lines
    are seen, the whole text stands in the cell. Without it a row is as tall as its texts. Set once, like widths."""
    right: Sequence[str] = ()
    """Headings of columns of texts that read like numbers (an arrow and a difference) and stand right as those do."""
    links: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    """By heading: the address that each row's text opens; ``None`` or a missing end is no link. Only for texts, and
    for http and https; rows after the first ``MOST_LINKS``, and those for which ``LINK_BYTES`` have no room, keep their
    text and have no link."""
    protected: bool = False
    """Warn people before they edit our cells; nothing is forbidden."""
    first: bool = False
    """Make the tab as the first of the spreadsheet; a tab that is there stays where people have it."""
    tab_tone: Tone | None = None
    """The colour of the tab's name when it is made."""

    @property
    def above(self) -> int:
        """Rows above the heading."""
        return len(self.caption) + bool(self.legend)

    def text(self) -> str:
        """All of it in one spelling, for the content hash."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, default=str)


def problems(look: Look, names: Sequence[str], numeric: Collection[str], texts: Collection[str]) -> Iterable[str]:
    """What cannot be shown of a look in a tab with these headings, of which these hold numbers and these hold texts."""
    if look.above > MOST_CAPTIONS:
        yield f"{look.above} lines above the heading, {MOST_CAPTIONS} are the most"
    if len(look.rules) > MOST_RULES or len(look.charts) > MOST_CHARTS:
        yield f"{len(look.rules)} rules and {len(look.charts)} charts, {MOST_RULES} and {MOST_CHARTS} are the most"
    if not 0 <= look.frozen_columns < len(names):
        yield f"{look.frozen_columns} of {len(names)} columns cannot be frozen"
    if look.row_height is not None and not LEAST_HEIGHT <= look.row_height <= MOST_HEIGHT:
        yield f"rows of {look.row_height} pixels, {LEAST_HEIGHT} to {MOST_HEIGHT} can be read"
    for heading in (*look.notes, *look.wrap, *look.right, *look.links):
        if heading not in names:
            yield f"no column {heading}"
    for heading in look.links:
        if heading in names and heading not in texts:
            yield f"column {heading} is linked and holds no texts"
    for entry in look.legend:
        if entry.tone not in _TONES:
            yield f"no colour {entry.tone}"
    for rule in look.rules:
        yield from _of_rule(rule, names)
    if len({chart.name for chart in look.charts}) < len(look.charts):
        yield "two charts of one key"
    for chart in look.charts:
        yield from _of_chart(chart, names, numeric)


def _of_rule(rule: ColourRule, names: Sequence[str]) -> Iterable[str]:
    judged = rule.by or rule.column
    if judged is None:
        yield "a rule for whole rows needs the column that it goes by"
    for heading in (rule.column, rule.by):
        if heading is not None and heading not in names:
            yield f"no column {heading}"
    if rule.tone not in _TONES:
        yield f"no colour {rule.tone}"
    if rule.when in _TEXTS:
        if not isinstance(rule.value, str) or not rule.value.strip() or rule.value[0] in "=+":
            # the vendor reads the value of a rule as if it were typed
            yield f"a rule of {judged} needs a text that is no formula"
        if rule.by is not None and rule.when != "is":
            yield f"a rule by another column compares texts whole, not {rule.when}"
    elif rule.when in _NUMBERS:
        ends = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        fits = len(ends) == (2 if rule.when == "between" else 1)
        if not fits or not all(isinstance(end, Number) and not isinstance(end, bool) for end in ends):
            yield f"a rule of {judged} with {rule.when} needs {'two numbers' if rule.when == 'between' else 'a number'}"
    else:
        yield f"no condition {rule.when}"


def _of_chart(chart: Chart, names: Sequence[str], numeric: Collection[str]) -> Iterable[str]:
    if chart.category not in names:
        yield f"chart {chart.name}: no column {chart.category}"
    if not chart.values:
        yield f"chart {chart.name}: no values"
    for heading in chart.values:
        if heading not in numeric:
            yield f"chart {chart.name}: {heading} is no column of numbers"
    if chart.first is not None and chart.last is not None:
        yield f"chart {chart.name}: rows from the top or from the end, not both"
    if chart.last is not None and len(chart.values) > 1:
        # the heading does not stand beside the last rows, and the vendor takes such ranges from neighbours only
        yield f"chart {chart.name}: rows from the end for one column of values only"
    if chart.kind not in ("bar", "column", "line") or chart.place not in ("right", "below"):
        yield f"chart {chart.name}: no kind {chart.kind} or place {chart.place}"
