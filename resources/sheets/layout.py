"""Where our cells lie in somebody's spreadsheet, and the one change that puts new ones there.

Here: staging tabs, the requests that swap, in their order. Not here: our range of one tab (``place``), what is laid
over it (``decoration``, ``colouring``, ``drawing``), when requests are sent (``publish``).

What is ours in a permanent tab is a named range (``otklik_<tab>``): it moves when people insert rows or columns before
it, it survives a renamed tab, and it tells how far our last content reached. Everything outside of it is theirs:

- more columns than before are made by inserting columns, so that what stands to the right moves aside whole;
- fewer columns than before leave empty columns behind: nothing of theirs moves, no formula loses its cell;
- rows are only ever added at the end of the grid; what is left of a longer old range is cleared;
- values are replaced, people's colours, rules and charts stay; the number formats of our columns are set anew;
- of what a tab's look lays over our cells, what people removed or made their own is left so (``memory``);
- a tab with our title that does not hold our range is not ours, and nothing is written into it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resources.clients.errors import Refused
from resources.clients.sheets import Book, NamedRange, Sheet
from resources.sheets.cells import MOST_CELLS
from resources.sheets.colouring import coloured
from resources.sheets.decoration import decorated
from resources.sheets.drawing import drawn
from resources.sheets.look import LINK_BYTES
from resources.sheets.memory import Memory, number_of, remembered
from resources.sheets.packing import Content
from resources.sheets.place import Place

Request = dict[str, Any]

_STAGING = re.compile(r"_otklik_staging_[0-9a-f]{12}_\d+")
_NAME = re.compile(r"[A-Za-z0-9_]{1,60}")


@dataclass(frozen=True)
class Staging:
    """The hidden tabs of one publication, by the number of the content; ids that only it uses."""

    run: str
    """Twelve hexadecimal digits."""

    def title(self, number: int) -> str:
        return f"_otklik_staging_{self.run}_{number}"

    def sheet_id(self, number: int) -> int:
        return number_of(f"{self.run} staging {number}")

    def permanent_id(self, number: int) -> int:
        """For a permanent tab that this publication makes."""
        return number_of(f"{self.run} permanent {number}")

    def is_whole(self, book: Book, count: int) -> bool:
        """Whether all our staging tabs are there."""
        return {self.sheet_id(number) for number in range(count)} <= {sheet.sheet_id for sheet in book.sheets}


def leftovers(book: Book, but: Staging | None = None, count: int = 0) -> list[Sheet]:
    """Staging tabs of publications that did not end."""
    ours = {but.sheet_id(number) for number in range(count)} if but else set()
    return [sheet for sheet in book.sheets if _STAGING.fullmatch(sheet.title) and sheet.sheet_id not in ours]


def removal(sheets: Sequence[Sheet]) -> list[Request]:
    return [{"deleteSheet": {"sheetId": sheet.sheet_id}} for sheet in sheets]


def staged(contents: Sequence[Content], staging: Staging) -> list[Request]:
    """The requests that make the hidden tabs, with a grid that fits."""
    return [
        {
            "addSheet": {
                "properties": {
                    "sheetId": staging.sheet_id(number),
                    "title": staging.title(number),
                    "hidden": True,
                    "gridProperties": {"rowCount": content.height, "columnCount": content.width},
                }
            }
        }
        for number, content in enumerate(contents)
    ]


def swap(
    connection_id: str, book: Book, contents: Sequence[Content], staging: Staging, *, is_decorated: bool = True
) -> list[Request]:
    """The requests of the one change that shows every content in its permanent tab and removes the staging tabs.

    ``is_decorated``: with colours, charts and the like; else what is there of them stays as it is.

    Raises:
        Refused: a tab of this title is not ours, or the spreadsheet would hold too many cells while both are there.
    """
    requests: list[Request] = []
    grown, link_room = 0, LINK_BYTES
    charts = [chart for sheet in book.sheets for chart in sheet.charts]
    titles = [sheet.title for sheet in book.sheets]
    for number, content in enumerate(contents):
        old, sheet = _ours(connection_id, book, content)
        place = Place(content, staging.permanent_id(number) if sheet is None else sheet.sheet_id, old, sheet)
        place.link_room = link_room
        laid_over = _laid_over(place, charts, titles) if is_decorated else _only_lines(place)
        link_room = place.link_room
        grown += place.added_cells
        requests += place.made()
        requests += place.filled(staging.sheet_id(number), range_name(content.title))
        requests += laid_over
    cells = sum(sheet.rows * sheet.columns for sheet in book.sheets) + grown
    if cells > MOST_CELLS:
        raise Refused(
            connection_id,
            f"the spreadsheet would hold {cells:,} cells for a moment, and {MOST_CELLS:,} is the most",
            "Show fewer weeks, or give the exports a spreadsheet of their own",
        )
    hidden = [sheet for sheet in book.sheets if _STAGING.fullmatch(sheet.title)]
    return requests + removal(hidden)


def _laid_over(place: Place, charts: Sequence[Mapping[str, Any]], titles: Collection[str]) -> list[Request]:
    """Everything that the look asks for; before the grid is made, since charts need room in it.

    ``titles``: of all tabs that are there.
    """
    if place.content.tab.look is None and place.memory == Memory():
        return []
    naming, name = _named(place, titles)
    requests, memory = decorated(place)
    colours, rules = coloured(place)
    drawings, made, words = drawn(place, charts)
    memory = replace(memory, rules=rules, charts=made, words=words, name=name)
    return [*naming, *requests, *colours, *drawings, *remembered(place.sheet, place.sheet_id, memory)]


def _named(place: Place, titles: Collection[str]) -> tuple[list[Request], str]:
    """The request that gives the tab its present name, and the name to remember.

    Our range is found by the tab's id, whatever the tab is called: people rename it as they like, and a name of theirs
    stays. Another name of ours takes the place of the one that we gave, unless another tab has it.
    """
    tab, sheet = place.content.tab, place.sheet
    given = "" if tab.called == tab.title else tab.called
    if sheet is None or sheet.title == tab.called:
        return [], given
    is_free = tab.called.casefold() not in {title.casefold() for title in titles if title != sheet.title}
    if sheet.title != (place.memory.name or tab.title) or not is_free:
        return [], place.memory.name
    properties = {"sheetId": place.sheet_id, "title": tab.called}
    return [{"updateSheetProperties": {"properties": properties, "fields": "title"}}], given


def _only_lines(place: Place) -> list[Request]:
    """Nothing but how many lines now stand above the heading: without it the heading would not be found again."""
    return remembered(place.sheet, place.sheet_id, replace(place.memory, above=place.look.above))


def shown_at(book: Book, title: str) -> tuple[Sheet, NamedRange] | None:
    """The permanent tab and our range in it, if they are there."""
    named = next((one for one in book.ranges if one.name == range_name(title)), None)
    sheet = next((one for one in book.sheets if named is not None and one.sheet_id == named.sheet_id), None)
    return (sheet, named) if sheet is not None and named is not None else None


def range_name(title: str) -> str:
    """The name of our range in the tab of this title.

    >>> range_name("chats_raw")
    'otklik_chats_raw'
    """
    # what else a name may hold is the vendor's secret
    plain = title if _NAME.fullmatch(title) else hashlib.sha256(title.encode()).hexdigest()[:12]
    return f"otklik_{plain}"


def _ours(connection_id: str, book: Book, content: Content) -> tuple[NamedRange | None, Sheet | None]:
    place = shown_at(book, content.title)
    if place is not None:
        return place[1], place[0]
    called = content.tab.called
    if any(sheet.title.casefold() == called.casefold() for sheet in book.sheets):
        raise Refused(
            connection_id,
            f"the spreadsheet has a tab {called} that is not ours",
            "Rename that tab: the next publication makes its own, and nothing of yours is written over",
        )
    return None, None
