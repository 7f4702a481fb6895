"""The picture of Monday's digest: a PNG that can be read on a phone without opening it.

Here: drawing. Not here: which figures and in which words (``conversations.digest``, ``conversations.messages.digest``).
The same digest gives the same bytes on one machine: nothing of the drawing depends on a clock or on what was drawn
before.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from conversations.messages import number, share, short_name
from conversations.messages.digest import Digests, as_of, bounded, compared, of_waits, title
from conversations.metrics import metric

if TYPE_CHECKING:
    from conversations.digest import Digest

WIDTH, HEIGHT = 1080, 810
MOST_BARS = 7
_DPI = 100
_GOOD, _SLOW, _BAD = "#2e9e5b", "#f2b632", "#d64545"
_TEXT, _MUTED, _LINE = "#1c2733", "#6b7785", "#d9dfe5"
_LEAST = metric("in_target_share").minimum
"""Below this many waits a bar is pale: nothing is concluded from it."""
_PALE = 0.38
_NAME = 17
"""Characters that fit beside a bar."""


def picture(digest: Digest) -> bytes:
    """The PNG: the company's share and its way over the weeks, below it the answers of each manager."""
    # not pyplot: it keeps figures of the process, and a server draws for ever
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = io.BytesIO()
    # names come from outside: between two dollars matplotlib would read formulas
    with rc_context({"text.parse_math": False}):
        figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        _head(figure, digest)
        _trend(figure, digest)
        _bars(figure, _rows(digest))
        figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def _head(figure: Any, digest: Digest) -> None:
    facts, total = digest.facts, digest.total
    beside = f"{title(digest)} · {as_of(facts.as_of, facts.time_zone)}"
    figure.text(0.035, 0.955, beside, fontsize=19, color=_MUTED, va="center")
    figure.text(0.035, 0.865, share(facts.company.value), fontsize=58, color=_TEXT, va="center", weight="bold")
    said = of_waits(total.in_target, total.settled) if total.settled else Digests.NO_WAITS
    figure.text(0.035, 0.775, f"{Digests.IN_TARGET}: {said}", fontsize=23, color=_TEXT, va="center", weight="bold")
    colour = {"improved": _GOOD, "worsened": _BAD}.get(facts.company.status, _MUTED)
    if total.settled:
        figure.text(0.035, 0.722, compared(facts.company), fontsize=19, color=colour, va="center")


def _trend(figure: Any, digest: Digest) -> None:
    weeks = [(week, hits / n if n else None) for week, hits, n in digest.facts.trend]
    if sum(value is not None for _, value in weeks) < 2:
        return
    axes = figure.add_axes((0.66, 0.765, 0.3, 0.125))
    places = [place for place, (_, value) in enumerate(weeks) if value is not None]
    values = [100 * value for _, value in weeks if value is not None]
    axes.plot(places, values, color=_GOOD, linewidth=4, marker="o", markersize=9, clip_on=False)
    low, high = min(values), max(values)
    room = max(high - low, 10.0)
    axes.set_ylim(low - 0.35 * room, high + 0.6 * room)
    axes.set_xlim(-0.3, len(weeks) - 0.7)
    for place, value in {places[0]: values[0], places[-1]: values[-1]}.items():
        axes.annotate(f"{value:.0f}", (place, value), (0, 12), textcoords="offset points", fontsize=18, ha="center")
    axes.set_yticks([])
    axes.set_xticks([0, len(weeks) - 1], [week.partition("-")[2] for week in (weeks[0][0], weeks[-1][0])])
    axes.tick_params(length=0, labelsize=16, labelcolor=_MUTED)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.text(0.955, 0.907, Digests.PICTURE_TREND, fontsize=16, color=_MUTED, va="center", ha="right")


def _rows(digest: Digest) -> list[tuple[str, int, int, int, int]]:
    """Name, in target, slow, unanswered, n: who has most questions first, the small ones together last."""
    rows = sorted(digest.facts.managers, key=lambda row: (-row.settled, row.name, row.key))
    rows = [row for row in rows if row.settled]
    shown, rest = (rows, []) if len(rows) <= MOST_BARS else (rows[: MOST_BARS - 1], rows[MOST_BARS - 1 :])
    found = [(bounded(row.name), row.in_target, row.slow, row.unanswered, row.settled) for row in shown]
    if rest:
        sums = (sum(getattr(row, name) for row in rest) for name in ("in_target", "slow", "unanswered", "settled"))
        found.append((Digests.PICTURE_OTHERS.format(len(rest)), *sums))  # type: ignore[arg-type]
    return found


def _bars(figure: Any, rows: list[tuple[str, int, int, int, int]]) -> None:
    has_few = any(n < _LEAST for *_, n in rows)
    foot = 0.085 if has_few else 0.03
    axes = figure.add_axes((0.305, foot, 0.565, 0.62 - foot))
    axes.set_xlim(0, 100)
    axes.set_ylim(max(len(rows), 4) - 0.45, -0.55)
    axes.set_axis_off()
    for place, (name, good, slow, bad, n) in enumerate(rows):
        strength = 1.0 if n >= _LEAST else _PALE
        left = 0.0
        for count, colour in ((good, _GOOD), (slow, _SLOW), (bad, _BAD)):
            width = 100 * count / n
            axes.barh(place, width, left=left, height=0.66, color=colour, alpha=strength)
            # one digit needs less room than two
            if width >= (4 if width < 9.5 else 9):
                said, ink = f"{width:.0f}", _TEXT if colour == _SLOW or strength < 1 else "white"
                axes.text(left + width / 2, place, said, fontsize=19, color=ink, ha="center", va="center_baseline")
            left += width
        axes.text(-2, place, _cut(name), fontsize=20, color=_TEXT, ha="right", va="center_baseline")
        axes.text(102, place, f"{Digests.OF} {number(n)}", fontsize=18, color=_MUTED, ha="left", va="center_baseline")
    _legend(figure)
    if has_few:
        figure.text(0.305, 0.04, Digests.PICTURE_FEW, fontsize=16, color=_MUTED, va="center")


def _legend(figure: Any) -> None:
    figure.text(0.035, 0.655, Digests.PICTURE_PEOPLE, fontsize=19, color=_TEXT, va="center", weight="bold")
    words = ((Digests.IN_TARGET, _GOOD), (Digests.SLOW, _SLOW), (Digests.NO_REPLY, _BAD))
    for place, (word, colour) in zip((0.47, 0.617, 0.787), words, strict=True):
        figure.text(place, 0.655, "■", fontsize=22, color=colour, va="center")
        figure.text(place + 0.031, 0.655, word, fontsize=18, color=_TEXT, va="center")


def _cut(name: str) -> str:
    name = name if len(name) <= _NAME else short_name(name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


__all__ = ["HEIGHT", "MOST_BARS", "WIDTH", "picture"]
