"""One publication: every changed tab is shown whole and new, or all of them stay as they were (D9).

Here: the order of the calls, and what is done when one fails. Not here: the requests (``layout``, ``packing``), the
calls and their repetition (``resources.clients.sheets``), what is in the tabs and where hashes are kept (the caller).

1. One change makes a hidden staging tab for each changed tab; its answer tells the structure of the spreadsheet.
2. The staging tabs are filled, packed by bytes. Each answer holds what the cells hold after it, read by the vendor from
   the grid: the number of rows and every cell are compared with what was sent.
3. One change copies all staging tabs into our ranges of the permanent tabs and deletes them. It is atomic, and it is
   the only call that touches what people see.

That is ``ceil(bytes / 2 MB) + 2`` calls, the reading back included, and none when no content changed. The two changes
are never sent again blindly. When an answer is lost, the structure of the spreadsheet tells whether the change was
made: staging tabs there, or gone; since the second change deletes what it needs, it cannot be made twice. What a killed
publication leaves behind has titles that only staging tabs have; the change that shows the next one deletes it.

Between 1 and 3 people may change the spreadsheet. If they remove what the change needs, it is refused as a whole and
composed anew. If they insert columns to the left of ours in that time, our range is written where it was.
Colour rules have no id and are changed by their place in the list that step 1 answered: a conditional format that
people add, move or remove before ours in that time makes us change the wrong one. Reading again would be another call.
One publication at a time per spreadsheet: the caller holds a lock. Two at once cannot show a half either, but one of
them deletes the other's staging tabs, and that one fails.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from resources.clients.errors import BadAnswer, PermanentError, Refused, SourceError, UnknownOutcome
from resources.clients.sheets import Book, SheetsClient
from resources.sheets.cells import Tab, check_size
from resources.sheets.layout import Staging, leftovers, removal, shown_at, staged, swap
from resources.sheets.memory import Memory
from resources.sheets.packing import REQUEST_BYTES, Content, Piece, Request, a1, packed, prepared
from resources.warehouse.failpoints import fail_point

log = logging.getLogger(__name__)

_REQUEST = re.compile(r"requests\[\d+\]\.\w+")
_ROUNDS = 3
"""How often a change is composed and sent, when its outcome had to be looked up or people changed the spreadsheet."""


@dataclass(frozen=True)
class TabResult:
    """What one tab holds now."""

    content_hash: str
    """Of headings, kinds and cells; keep it and give it as ``previous`` the next time."""
    rows: int
    """Below the heading."""
    changed: bool


@dataclass(frozen=True)
class Published:
    """What one publication did."""

    calls: int
    """Requests to the Sheets API, repeated ones included; the sign-in goes to another address and is not among them."""
    tabs: Mapping[str, TabResult]
    bytes_sent: int = 0
    """Bodies of the filling requests, each counted once."""
    is_decorated: bool = True
    """False: the vendor refused what the looks ask for, and the new values are shown with the old colours and charts.
    The looks are asked for again when the content changes."""


def publish(
    client: SheetsClient,
    spreadsheet_id: str,
    tabs: Sequence[Tab],
    previous: Mapping[str, str],
    *,
    announce: Callable[[Collection[str]], None] | None = None,
    request_bytes: int = REQUEST_BYTES,
) -> Published:
    """Show the tabs whose content is not what ``previous`` says (tab -> hash), all at once.

    Repeating it with the same tabs is harmless: the same content is shown again.

    ``announce`` is told the titles of the tabs that will change, before anything is asked: whoever keeps ``previous``
    forgets their hashes there, or a kill after the last change would leave hashes of what is no longer shown.

    Raises:
        InvalidTab: a tab that cannot be a sheet, or too many cells; nothing was asked.
        UnknownOutcome: the last change may have been made; people see all old or all new.
        SourceError: nothing that people see has changed.
    """
    check_size(tabs)
    contents = [prepared(tab) for tab in tabs]
    changed = [content for content in contents if previous.get(content.title) != content.content_hash]
    titles = {content.title for content in changed}
    if changed and announce is not None:
        announce(titles)
    before = client.calls
    publication = _Publication(client, spreadsheet_id, changed, request_bytes)
    sent = publication.run() if changed else 0
    results = {
        content.title: TabResult(content.content_hash, content.count, content.title in titles) for content in contents
    }
    return Published(client.calls - before, results, sent, publication.is_decorated)


def read_back(client: SheetsClient, spreadsheet_id: str, title: str) -> list[list[object]] | None:
    """What stands in our range of a tab, the heading first, rows ragged; ``None``: there is no such tab.

    Raises:
        SourceError: it could not be read.
    """
    place = shown_at(client.book(spreadsheet_id), title)
    if place is None:
        return None
    sheet, named = place
    top = named.top + Memory.of(sheet).above
    bottom = sheet.rows if named.bottom is None else named.bottom
    right = sheet.columns if named.right is None else named.right
    (rows,) = client.read(spreadsheet_id, [a1(sheet.title, top, named.left, bottom - top, right - named.left)])
    return rows


class _Publication:
    def __init__(
        self, client: SheetsClient, spreadsheet_id: str, contents: Sequence[Content], request_bytes: int
    ) -> None:
        self._client, self._id, self._contents = client, spreadsheet_id, contents
        self._staging = Staging(secrets.token_hex(6))
        self.is_decorated = True
        titles = [self._staging.title(number) for number in range(len(contents))]
        self._requests = packed(contents, titles, request_bytes)

    def run(self) -> int:
        book = self._stage()
        fail_point("sheets.staged")
        try:
            # what is refused in the end should not be filled first
            swap(self._client.connection_id, book, self._contents, self._staging)
            for number, request in enumerate(self._requests, start=1):
                self._fill(request, f"values {number} of {len(self._requests)}")
            fail_point("sheets.filled")
            self._show(book)
        except PermanentError:
            self._sweep()
            raise
        fail_point("sheets.shown")
        return sum(len(request.body) for request in self._requests)

    def _stage(self) -> Book:
        """Make the staging tabs.

        A title that is taken and a full spreadsheet are refused alike: with leftovers removed it is tried once more.
        """
        requests, swept = staged(self._contents, self._staging), False
        for left in reversed(range(_ROUNDS)):
            try:
                return self._client.change(self._id, requests, "making the staging tabs")
            except (UnknownOutcome, Refused) as failed:
                book = self._client.book(self._id)
                if self._is_whole(book):
                    return book
                old = leftovers(book)
                if not left or (isinstance(failed, Refused) and (swept or not old)):
                    raise
                if isinstance(failed, Refused):
                    self._remove_leftovers(book)
                    swept = True
        raise AssertionError("the last round returns or raises")

    def _remove_leftovers(self, book: Book) -> None:
        try:
            self._client.change(self._id, removal(leftovers(book)), "removing old staging tabs")
        except (UnknownOutcome, Refused) as failed:
            # the next attempt to make ours shows whether they are gone
            log.warning("%s: reason=%s while removing old staging tabs", self._client.connection_id, failed.reason)

    def _fill(self, request: Request, what: str) -> None:
        answers = self._client.write(self._id, request.body, what)
        if len(answers) != len(request.pieces):
            raise self._differs(what, "not every range was answered")
        for piece, got in zip(request.pieces, answers, strict=True):
            wrong = _difference(piece, got)
            if wrong is not None:
                raise self._differs(what, f"tab {self._contents[piece.number].title}: {wrong}")

    def _differs(self, what: str, how: str) -> BadAnswer:
        return BadAnswer(
            self._client.connection_id,
            f"the sheet does not hold what was written ({what}; {how})",
            "Nothing is shown of it: publish again; if it stays so, report this line",
        )

    def _show(self, book: Book) -> None:
        """The one change that people see.

        An answer may be lost, and a lost request may be made late: then the next one is refused, because the staging
        tabs are gone. So after either the structure is looked up, and only with all staging tabs there it goes again.
        """
        unknown: UnknownOutcome | None = None
        for left in reversed(range(_ROUNDS)):
            requests = swap(
                self._client.connection_id, book, self._contents, self._staging, is_decorated=self.is_decorated
            )
            try:
                self._client.change(self._id, requests, "showing the new tabs")
                return
            except (UnknownOutcome, Refused) as failed:
                if isinstance(failed, UnknownOutcome):
                    unknown = failed
                book = self._looked_up(unknown)
                if self._is_whole(book):
                    # a refusal may come from what people changed meanwhile: composed anew it fits, or it never does
                    is_twice = isinstance(failed, Refused) and left < _ROUNDS - 1
                    if not left or (is_twice and not self._undecorate(failed)):
                        raise
                    continue
                if unknown is not None and self._is_shown(book, unknown):
                    return
                raise Refused(
                    self._client.connection_id,
                    "the staging tabs were removed by somebody else before they were shown",
                    "Let one publication at a time write into this spreadsheet, then publish again",
                ) from None

    def _undecorate(self, failed: SourceError) -> bool:
        """Do without colours and charts from now on; whether that is another change at all.

        Figures are worth more than their colours: a look that the vendor does not take must not keep a week back.
        """
        if not self.is_decorated or all(content.tab.look is None for content in self._contents):
            return False
        self.is_decorated = False
        # the vendor's words may quote a link, and so a customer: what they say of the place is enough
        found = _REQUEST.search(str(failed))
        log.warning(
            "%s: reason=%s, shown without colours and charts (%s)",
            self._client.connection_id, failed.reason, found[0] if found else "no request named",
        )  # fmt: skip
        return True

    def _looked_up(self, unknown: UnknownOutcome | None) -> Book:
        try:
            return self._client.book(self._id)
        except SourceError:
            if unknown is not None:
                raise unknown from None
            raise

    def _is_whole(self, book: Book) -> bool:
        return self._staging.is_whole(book, len(self._contents))

    def _is_shown(self, book: Book, unknown: UnknownOutcome) -> bool:
        """Whether every permanent tab holds our content: read, since gone staging tabs alone would prove nothing.

        Raises:
            UnknownOutcome: they could not be read.
        """
        places = [shown_at(book, content.title) for content in self._contents]
        ranges = [
            a1(place[0].title, place[1].top, place[1].left, content.height, content.width)
            for place, content in zip(places, self._contents, strict=True)
            if place is not None
        ]
        if len(ranges) < len(self._contents):
            return False
        try:
            found = self._client.read(self._id, ranges)
        except SourceError:
            raise unknown from None
        return len(found) == len(ranges) and all(
            _difference(Piece(number, 0, 0, content.rows), got) is None
            for number, (content, got) in enumerate(zip(self._contents, found, strict=True))
        )

    def _sweep(self) -> None:
        """Remove the staging tabs of a publication that cannot work; what is not removed now, the next one removes."""
        try:
            ours = [sheet for sheet in self._client.book(self._id).sheets if self._is_ours(sheet.sheet_id)]
            if ours:
                self._client.change(self._id, removal(ours), "removing the staging tabs")
        except SourceError as failed:
            log.warning("%s: reason=%s while removing staging tabs", self._client.connection_id, failed.reason)

    def _is_ours(self, sheet_id: int) -> bool:
        return sheet_id in {self._staging.sheet_id(number) for number in range(len(self._contents))}


def _difference(piece: Piece, got: Sequence[Sequence[object]]) -> str | None:
    """What of a block came back otherwise than it was sent; never what stands in a cell."""
    sent = [_seen(row) for row in piece.rows]
    while sent and not sent[-1]:
        sent.pop()
    back = [_seen(row) for row in got]
    while back and not back[-1]:
        back.pop()
    if len(back) != len(sent):
        return f"{len(back)} rows instead of {len(sent)}"
    for number, (one, other) in enumerate(zip(sent, back, strict=True), start=piece.row + 1):
        if one != other or any(type(a) is not type(b) for a, b in zip(one, other, strict=True)):
            return f"row {number} differs"
    return None


def _seen(row: Sequence[object]) -> list[object]:
    """A row as it compares: without empty cells at its end, whole numbers whole, line ends of one kind."""
    cells: list[object] = []
    for cell in row:
        if type(cell) is str:
            cells.append(cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell)
        elif type(cell) is float and cell.is_integer():
            cells.append(int(cell))
        else:
            cells.append("" if cell is None else cell)
    while cells and cells[-1] == "":
        cells.pop()
    return cells
