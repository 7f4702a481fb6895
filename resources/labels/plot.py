"""The judge's marks against people's, as a picture: one field per criterion, the diagonal is perfect agreement.

Here: drawing. Not here: the figures (``resources.labels.store``). The same labels give the same bytes on one machine.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from conversations.messages import Labels, number

if TYPE_CHECKING:
    from resources.labels.store import Measurement

_COLUMNS, _SIZE, _DPI = 3, 3.4, 100
"""Fields beside one another; inches of a field."""
_DOT, _LINE, _TEXT = "#2563b0", "#c3cbd4", "#1c2733"
_TITLE = 40
"""Characters of a criterion's title."""
Point = tuple[int, float, float, int]


def points(found: Measurement) -> list[Point]:
    """For each mark of the judge: (mark, mean of people's marks, half of its 95 % interval, talks).

    Talks where either side gave no mark are left out; of a talk that several people graded their mean counts.
    """
    people: dict[int, list[float]] = defaultdict(list)
    for item in found.items:
        marks = [given for given in item.people.values() if isinstance(given, int)]
        if isinstance(item.judge, int) and marks:
            people[item.judge].append(sum(marks) / len(marks))
    return [(mark, *_mean(people[mark]), len(people[mark])) for mark in sorted(people)]


def _mean(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, 0.0
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, 1.96 * sqrt(variance / len(values))


def plot(found: Sequence[Measurement], title: str) -> bytes:
    """The PNG of the criteria of one judge."""
    # not pyplot: it keeps figures of the process
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = ceil(len(found) / _COLUMNS)
    made = io.BytesIO()
    # titles come from a sheet: between two dollars matplotlib would read formulas
    with rc_context({"text.parse_math": False}):
        figure = Figure(
            figsize=(_COLUMNS * _SIZE, rows * _SIZE + 0.6), dpi=_DPI, facecolor="white", layout="constrained"
        )
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=12, color=_TEXT)
        for axes, one in zip(figure.subplots(rows, _COLUMNS, squeeze=False).flat, found, strict=False):
            _field(axes, one)
        for axes in figure.axes[len(found) :]:
            axes.set_axis_off()
        figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def _field(axes: Any, found: Measurement) -> None:
    best, drawn = found.criterion.best, points(found)
    axes.plot([0, best], [0, best], color=_LINE, linewidth=1, zorder=1)
    for mark, mean, half, talks in drawn:
        axes.errorbar(mark, mean, yerr=half, color=_DOT, marker="o", capsize=3, zorder=2)
        axes.annotate(f"n = {number(talks)}", (mark, mean), xytext=(5, 4), textcoords="offset points", fontsize=7)
    total = sum(talks for *_, talks in drawn)
    axes.set_title(Labels.PLOT_TITLE.format(found.criterion.title[:_TITLE], number(total)), fontsize=9, color=_TEXT)
    axes.set_xlabel(Labels.PLOT_X, fontsize=8)
    axes.set_ylabel(Labels.PLOT_Y, fontsize=8)
    axes.set_xlim(-0.3, best + 0.3)
    axes.set_ylim(-0.3, best + 0.3)
    axes.set_xticks(range(best + 1))
    axes.set_yticks(range(best + 1))
    axes.tick_params(labelsize=8)
