"""Charts over rows of a tab of ours.

Here: what a chart is to the vendor, where it stands, how it follows the rows. Not here: other decorations.

A chart is made once, with an id that follows from its tab and its key, so it is known again wherever it was moved to.
Afterwards only its ranges and words are renewed, and those words only that nobody changed; how it is drawn is renewed
when the look itself has changed. A chart that somebody removed is not made again.

New charts stand where no cell of people can be: right of the whole grid (in a tab that is made with them: right of our
columns), or below our rows, and never where rows or columns are frozen. Those below are moved down before our rows
reach them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import ceil
from typing import Any

from resources.sheets.look import Chart
from resources.sheets.memory import digest, number_of
from resources.sheets.palette import FAINT, INK, SERIES, STRONG, style
from resources.sheets.place import GRID_HEIGHT, GRID_WIDTH, Place, corners, widths

Request = dict[str, Any]
Known = dict[str, str]
_GAP = 20
_TYPES = {"bar": ("BAR", "BOTTOM_AXIS"), "column": ("COLUMN", "LEFT_AXIS"), "line": ("LINE", "LEFT_AXIS")}
"""Kind -> the vendor's, and where its values are told."""


def drawn(place: Place, all_charts: Sequence[Mapping[str, Any]]) -> tuple[list[Request], Known, Known]:
    """The requests, and of what is made then: digests of drawing and of words by key. Asks for room in the grid.

    ``all_charts``: of the whole spreadsheet; a chart may have been moved to another tab.
    """
    by_id = {chart["chartId"]: chart for chart in all_charts}
    asked = {digest(chart.name): chart for chart in place.look.charts}
    drawings = {key: digest(_spec(chart, place, with_ranges=False)) for key, chart in asked.items()}
    words = {key: digest([chart.title, chart.subtitle]) for key, chart in asked.items()}
    requests: list[Request] = []
    fresh: list[tuple[int, Chart]] = []
    for key, chart in asked.items():
        number = _id(place, key)
        standing = by_id.get(number)
        if standing is not None:
            is_redrawn = place.memory.charts.get(key, drawings[key]) != drawings[key]
            spec = _spec(chart, place) if is_redrawn else _followed(standing["spec"], chart, place, key)
            # rows that are inserted move its ranges first, also where they then seem to lie right
            if spec is not None and (place.inserted or spec != standing["spec"]):
                requests.append({"updateChartSpec": {"chartId": number, "spec": spec}})
        elif key not in place.memory.charts:
            fresh.append((number, chart))
    requests += _moved_down(place)
    for (number, chart), position in zip(fresh, _positions(place, [chart for _, chart in fresh]), strict=True):
        new = {"chartId": number, "spec": _spec(chart, place), "position": {"overlayPosition": position}}
        requests.append({"addChart": {"chart": new}})
    gone = [_id(place, key) for key in place.memory.charts if key not in asked]
    requests += [{"deleteEmbeddedObject": {"objectId": number}} for number in gone if number in by_id]
    return requests, drawings, words


def _spec(chart: Chart, place: Place, with_ranges: bool = True) -> Request:
    kind, axis = _TYPES[chart.kind]
    names_axis = "LEFT_AXIS" if axis == "BOTTOM_AXIS" else "BOTTOM_AXIS"
    window = {
        name: float(value)
        for name, value in (("viewWindowMin", chart.lowest), ("viewWindowMax", chart.highest))
        if value is not None
    }
    options = {"viewWindowOptions": {**window, "viewWindowMode": "EXPLICIT"}} if window else {}
    basic: Request = {
        "chartType": kind,
        "legendPosition": "TOP_LEGEND" if len(chart.values) > 1 else "NO_LEGEND",
        "axis": [{"position": names_axis}, {"position": axis, **options}],
        "headerCount": 0 if chart.last is not None else 1,
    }
    spec: Request = {
        "titleTextFormat": {"bold": True, "fontSize": 14, "foregroundColorStyle": style(INK)},
        "subtitleTextFormat": {"fontSize": 10, "foregroundColorStyle": style(FAINT)},
        "basicChart": basic,
    }
    if with_ranges:
        spec["title"] = chart.title
        if chart.subtitle:
            spec["subtitle"] = chart.subtitle
        domain, *values = _sources(chart, place)
        basic["domains"] = [{"domain": domain, **({"reversed": True} if chart.reversed else {})}]
        basic["series"] = [{"series": one, **_series(chart, at, axis)} for at, one in enumerate(values)]
    else:
        # what the ranges stand for: other columns are another drawing
        basic["domains"] = [chart.category, chart.reversed]
        basic["series"] = [[name, _series(chart, at, axis)] for at, name in enumerate(chart.values)]
    return spec


def _series(chart: Chart, at: int, axis: str) -> Request:
    colour = STRONG[chart.tones[at]] if at < len(chart.tones) else SERIES[at % len(SERIES)]
    series: Request = {"targetAxis": axis, "colorStyle": style(colour)}
    is_line = chart.kind == "line"
    if chart.labels and not (is_line and len(chart.values) > 2):
        # the labels of three lines would lie over one another
        placement = "ABOVE" if is_line else "OUTSIDE_END"
        text = {"fontSize": 10, "foregroundColorStyle": style(INK)}
        series["dataLabel"] = {"type": "DATA", "placement": placement, "textFormat": text}
    if is_line:
        series["lineStyle"] = {"type": "SOLID", "width": 2}
        series["pointStyle"] = {"shape": "CIRCLE", "size": 6}
    return series


def _sources(chart: Chart, place: Place) -> list[Request]:
    """The ranges of the category and of each column of values, with the heading where it stands beside the rows."""
    top, bottom = place.heading, max(place.bottom, place.below + 1)
    if chart.first is not None:
        bottom = min(bottom, place.below + max(chart.first, 1))
    if chart.last is not None:
        top = max(place.below, bottom - max(chart.last, 1))
    columns = [place.column(name) for name in (chart.category, *chart.values)]
    return [{"sourceRange": {"sources": [place.range(top, bottom, at, at + 1)]}} for at in columns]


def _followed(standing: Mapping[str, Any], chart: Chart, place: Place, key: str) -> Request | None:
    """The chart as it stands, over the rows as they are now; ``None``: somebody made another chart of it."""
    spec: Request = deepcopy(dict(standing))
    domain, *values = _sources(chart, place)
    basic = spec.get("basicChart", {})
    domains, series = basic.get("domains", []), basic.get("series", [])
    if len(domains) != 1 or len(series) != len(values):
        return None
    for holder, wanted in zip([domains[0], *series], [domain, *values], strict=True):
        part = holder.get("domain" if holder is domains[0] else "series", {})
        lies = [corners(one) for one in part.get("sourceRange", {}).get("sources", [])]
        if lies != [corners(one) for one in wanted["sourceRange"]["sources"]]:
            part["sourceRange"] = wanted["sourceRange"]
    if digest([spec.get("title", ""), spec.get("subtitle", "")]) == place.memory.words.get(key):
        spec["title"] = chart.title
        spec.pop("subtitle", None)
        if chart.subtitle:
            spec["subtitle"] = chart.subtitle
    return spec


def _positions(place: Place, charts: Sequence[Chart]) -> list[Request]:
    """Where new charts stand: those on the right one under another, those below side by side."""
    found = []
    edge = place.right if place.sheet is None else place.columns
    # what is frozen does not scroll, and nobody says what becomes of a chart that begins there
    row = place.below
    along = sum(widths(place.content.tab.columns)[: place.look.frozen_columns])
    for chart in charts:
        if chart.place == "right":
            found.append(_position(place, chart, row, edge, _GAP))
            row += _rows(chart, place)
        else:
            column, offset = _column_at(place, along)
            found.append(_position(place, chart, max(place.bottom, place.below + 1) + 1, column, offset))
            along += chart.width + _GAP
    return found


def _position(place: Place, chart: Chart, row: int, column: int, offset: int) -> Request:
    # a chart that reaches over the edge of the grid may be refused, or pushed onto the cells
    place.make_room(row + _rows(chart, place), column + ceil((offset + chart.width + _GAP) / GRID_WIDTH))
    anchor = {"sheetId": place.sheet_id, "rowIndex": row, "columnIndex": column}
    return {
        "anchorCell": anchor, "offsetXPixels": offset, "offsetYPixels": 0,
        "widthPixels": chart.width, "heightPixels": _height(chart, place),
    }  # fmt: skip


def _height(chart: Chart, place: Place) -> int:
    if chart.height is not None:
        return chart.height
    if chart.kind != "bar":
        return 360
    count = min(place.content.count, chart.first or chart.last or place.content.count)
    return min(max(110 + count * (18 * len(chart.values) + 10), 260), 1200)


def _rows(chart: Chart, place: Place) -> int:
    """Of the grid that a new chart covers."""
    return ceil((_height(chart, place) + _GAP) / GRID_HEIGHT)


def _column_at(place: Place, pixels: int) -> tuple[int, int]:
    """The column that begins so far from our first one, and the rest; nobody knows how wide people made them."""
    for number, width in enumerate(widths(place.content.tab.columns)):
        if pixels < width:
            return place.left + number, pixels
        pixels -= width
    return place.right + pixels // GRID_WIDTH, pixels % GRID_WIDTH


def _moved_down(place: Place) -> list[Request]:
    """Charts of ours below our rows, all by as many rows as the first of them needs."""
    if place.sheet is None or place.old is None:
        return []
    ours = {_id(place, digest(chart.name)) for chart in place.look.charts if chart.place == "below"}
    below = []
    for standing in place.sheet.charts:
        overlay = standing.get("position", {}).get("overlayPosition", {})
        cell = overlay.get("anchorCell", {})
        row, column = cell.get("rowIndex", 0) + place.inserted, cell.get("columnIndex", 0)
        if standing["chartId"] in ours and row >= place.old_bottom and column < place.old_right:
            below.append((standing["chartId"], row, column, overlay.get("heightPixels", 0)))
    further = place.bottom + 1 - min((row for _, row, _, _ in below), default=place.bottom + 1)
    if further <= 0:
        return []
    requests = []
    for number, row, column, height in below:
        place.make_room(row + further + ceil((height + _GAP) / GRID_HEIGHT), 0)
        anchor = {"sheetId": place.sheet_id, "rowIndex": row + further, "columnIndex": column}
        position = {"overlayPosition": {"anchorCell": anchor}}
        requests.append(
            {"updateEmbeddedObjectPosition": {"objectId": number, "newPosition": position, "fields": "anchorCell"}}
        )
    return requests


def _id(place: Place, key: str) -> int:
    return number_of(f"{place.sheet_id} chart {key}")
