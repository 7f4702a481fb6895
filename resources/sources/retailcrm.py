"""RetailCRM as a source: MessageGateway chats and the CRM's users, customers and orders, page by page.

Here: which lists are streams, what a window means for each, paging to the end and resuming. Not here: HTTP and refusals
(``resources.clients``), what a payload means (``conversations.parsing.retailcrm``), tables.

Why a stream is a directory or windowed:

- ``channels``, ``users``, ``bots``, ``crm_users`` are short and change in place: read whole.
- ``chats`` is read whole too: a chat that began last year goes on today, and no filter by activity is documented.
- ``messages`` is windowed by ``time``. The vendor does not say whether ``since``/``until`` mean ``time`` or
  ``created_at``: the window is asked for with an hour on both sides, and a row belongs to it when it happened in it or
  arrived in it.
- ``dialogs`` is windowed by ``created_at``; what happens to a dialog later also comes as system messages.
- ``customers`` and ``orders`` are windowed by their creation: the only date filter that both lists have. Their later
  changes come with the look-back.

Only ``messages`` detects deletions: its list has an ``id[]`` filter, with which ``still_there`` asks for a missed row
before anybody calls it gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from conversations.source import Capability, Cursor, Page, RawRow, Stream
from conversations.window import Window, business_day
from resources.clients.errors import BadAnswer, CursorLoop
from resources.clients.retailcrm_bot import LARGEST_PAGE, RetailCRMBotClient
from resources.clients.retailcrm_v5 import PAGE_SIZES, RetailCRMV5Client
from resources.sources.id_paging import IdPaging, Stuck
from resources.sources.number_paging import NumberPaging
from resources.sources.probing import capabilities

_MARGIN = timedelta(hours=1)
_IDS_PER_CALL = 100


class _Crm(NamedTuple):
    """How a stream of ours is called in API v5."""

    path: str
    date_from: str
    date_to: str


_CRM = {
    "crm_users": _Crm("users", "createdAtFrom", "createdAtTo"),
    # the two lists name the same filter differently
    "customers": _Crm("customers", "dateFrom", "dateTo"),
    "orders": _Crm("orders", "createdAtFrom", "createdAtTo"),
}


class Count(NamedTuple):
    """The vendor's own counter of one stream and local day of the account."""

    stream: str
    day: date
    reported: int


class RetailCRMSource:
    """Reads one RetailCRM account; ``time_zone`` is the account's, because times of API v5 carry none."""

    name = "retailcrm"
    streams: Mapping[str, Stream] = {
        stream.name: stream
        for stream in (
            Stream("channels", is_windowed=False),
            Stream("users", is_windowed=False),
            Stream("bots", is_windowed=False),
            Stream("crm_users", is_windowed=False),
            Stream("customers", is_windowed=True),
            Stream("orders", is_windowed=True),
            Stream("chats", is_windowed=False),
            Stream("dialogs", is_windowed=True),
            Stream("messages", is_windowed=True, detects_deletions=True),
        )
    }
    """In the order in which they are best read: messages last, so that a chat never points past what is stored."""

    def __init__(
        self,
        connection_id: str,
        bot: RetailCRMBotClient,
        crm: RetailCRMV5Client,
        time_zone: str,
        *,
        page_size: int = LARGEST_PAGE,
        crm_page_size: int = PAGE_SIZES[-1],
    ) -> None:
        if page_size < 3:
            raise ValueError("page_size must be at least 3: a server with inclusive bounds fills two rows with them")
        if crm_page_size not in PAGE_SIZES:
            raise ValueError(f"crm_page_size must be one of {PAGE_SIZES}")
        self.connection_id = connection_id
        self.time_zone = time_zone
        self._zone = ZoneInfo(time_zone)
        self._bot = bot
        self._crm = crm
        self._page_size = page_size
        self._crm_page_size = crm_page_size

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Read ``stream`` in ``window`` from ``cursor``, page by page; the last page has no cursor and may be empty.

        Raises:
            ValueError: an unknown stream, or a windowed stream without a window.
            SourceError: the vendor could not be read.
        """
        known = self.streams.get(stream)
        if known is None:
            raise ValueError(f"retailcrm has no stream {stream!r}; there are {', '.join(self.streams)}")
        if known.is_windowed and window is None:
            raise ValueError(f"the stream {stream!r} is read by window")
        if not known.is_windowed:
            window = None
        return self._crm_pages(stream, window, cursor) if stream in _CRM else self._bot_pages(stream, window, cursor)

    def still_there(self, stream: str, external_ids: Collection[str]) -> set[str]:
        """Return those of the ids that the vendor still lists; asked before a missed row is called gone.

        Raises:
            ValueError: not a stream that detects deletions.
            SourceError: the vendor could not be read; then nothing is known.
        """
        return set(self.instants(stream, external_ids))

    def instants(self, stream: str, external_ids: Collection[str]) -> dict[str, datetime]:
        """Return when the rows of these ids happened, for those that the vendor still lists.

        Raises:
            ValueError: a stream without an ``id[]`` filter.
            SourceError: the vendor could not be read; then nothing is known.
        """
        if not self.streams[stream].detects_deletions:
            raise ValueError(f"the stream {stream!r} cannot be asked by id")
        wanted = sorted({int(one) for one in external_ids})
        found: dict[str, datetime] = {}
        for first in range(0, len(wanted), _IDS_PER_CALL):
            part = wanted[first : first + _IDS_PER_CALL]
            for item in self._bot.items(stream, ids=part, limit=_IDS_PER_CALL):
                found[str(item["id"])] = self._event_instants(stream, item)[0]
        # a server that ignores the filter answers with other rows
        return {one: found[one] for one in map(str, wanted) if one in found}

    def counts(self, window: Window) -> list[Count]:
        """Return the vendor's own totals of customers and orders for every local day of the account in the window.

        A day that the window covers only in part, because its zone is not the account's, has no figure.
        """
        days = [day for day in window.days(self.time_zone) if _covers(window, Window.of_day(day, self.time_zone))]
        return [
            Count(stream, day, self._crm.page(crm.path, _of_days(crm, day, day), 1, PAGE_SIZES[0]).total)
            for stream, crm in _CRM.items()
            if self.streams[stream].is_windowed
            for day in days
        ]

    def probe(self) -> list[Capability]:
        """Ask every list for its smallest answer and say which ones are open. Nothing is stored or changed.

        An address that does not answer and a key that is refused are asked once: the patience of a whole reading for
        each list would be minutes of silence, and a refused key knocking nine times is a storm.
        """
        crm: list[tuple[str, Callable[[], object]]] = [("api/credentials", self._crm.credentials)]
        # chats are documented nowhere and looked for by everybody: a closed line here says to use the gateway instead
        for path in (*(known.path for known in _CRM.values()), "chats"):
            crm.append((f"api/v5/{path}", partial(self._crm.page, path, {}, 1, PAGE_SIZES[0])))
        names = [name for name in self.streams if name not in _CRM]
        gateway = [(f"api/bot/v1/{name}", partial(self._bot.items, name, limit=1)) for name in names]
        return [*capabilities(crm), *capabilities(gateway)]

    # MessageGateway ---------------------------------------------------------------------------------------------

    def _bot_pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        paging = IdPaging.from_cursor(cursor)
        asked = {} if window is None else {"since": window.start - _MARGIN, "until": window.end + _MARGIN}
        while (gap := paging.next_gap) is not None:
            items = self._bot.items(stream, **asked, since_id=gap.low, until_id=gap.high, limit=self._page_size)
            try:
                paging.answered([item["id"] for item in items])
            except Stuck:
                raise CursorLoop(
                    self.connection_id,
                    f"the list '{stream}' keeps answering with rows outside of what was asked "
                    f"(since_id {gap.low}, until_id {gap.high})",
                ) from None
            yield Page(_newest(self._bot_row(stream, item) for item in items if self._belongs(stream, item, window)),
                       paging.cursor)  # fmt: skip

    def _belongs(self, stream: str, item: Mapping[str, Any], window: Window | None) -> bool:
        return window is None or any(instant in window for instant in self._event_instants(stream, item))

    def _bot_row(self, stream: str, item: dict[str, Any]) -> RawRow:
        event_at = self._event_instants(stream, item)[0] if self.streams[stream].is_windowed else None
        return RawRow(str(item["id"]), item, event_at, _instant(item, "updated_at"))

    def _event_instants(self, stream: str, item: Mapping[str, Any]) -> list[datetime]:
        """When the row happened, and when it arrived where that is another field."""
        fields = ("time", "created_at") if stream == "messages" else ("created_at",)
        instants = [instant for field in fields if (instant := _instant(item, field)) is not None]
        if not instants:
            # without any time the row could be in no window: it would be lost without a word
            raise BadAnswer(self.connection_id, f"a row of '{stream}' has no readable time (id {item['id']})")
        return instants

    # API v5 -----------------------------------------------------------------------------------------------------

    def _crm_pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        crm = _CRM[stream]
        filters: dict[str, str] = {}
        if window is not None:
            # whole days, one more on both sides: the account's days need not be ours, and the filter takes dates
            first, last = (business_day(instant, self.time_zone) for instant in (window.start, window.end))
            filters = _of_days(crm, first - timedelta(days=1), last + timedelta(days=1))
        paging = NumberPaging.from_cursor(cursor)
        handed: dict[str, int] = {}
        while (number := paging.next_number) is not None:
            page = self._crm.page(crm.path, filters, number, self._crm_page_size)
            try:
                paging.answered(page.number, page.pages, page.total, [str(item["id"]) for item in page.items])
            except ValueError as loop:
                raise CursorLoop(self.connection_id, f"the list '{crm.path}' {loop}") from None
            # a list that shifted is read once more: only what is new or different is handed over again
            items = [item for item in page.items if handed.get(str(item["id"])) != hash(repr(item))]
            handed |= {str(item["id"]): hash(repr(item)) for item in items}
            rows = _newest(self._crm_row(stream, item) for item in items)
            belonging = [row for row in rows if window is None or (row.event_at is not None and row.event_at in window)]
            yield Page(belonging, paging.cursor)

    def _crm_row(self, stream: str, item: dict[str, Any]) -> RawRow:
        event_at = None
        if self.streams[stream].is_windowed:
            try:
                event_at = datetime.fromisoformat(item["createdAt"]).replace(tzinfo=self._zone).astimezone(UTC)
            except (KeyError, TypeError, ValueError):
                raise BadAnswer(
                    self.connection_id, f"a row of '{stream}' has no readable createdAt (id {item['id']})"
                ) from None
        # v5 rows carry no version time: the content decides
        return RawRow(str(item["id"]), item, event_at, None)


def _instant(item: Mapping[str, Any], field: str) -> datetime | None:
    """0 to 6 fraction digits, ``Z`` or an offset (contract, section 2); a text without a zone is no instant."""
    try:
        instant = datetime.fromisoformat(item[field])
    except (KeyError, TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None


def _covers(window: Window, day: Window) -> bool:
    return window.start <= day.start and day.end <= window.end


def _of_days(crm: _Crm, first: date, last: date) -> dict[str, str]:
    return {crm.date_from: first.isoformat(), crm.date_to: last.isoformat()}


def _newest(rows: Iterator[RawRow]) -> list[RawRow]:
    """One row per id: of two versions on one page the later ``updated_at``, else the one that came last."""
    kept: dict[str, RawRow] = {}
    for row in rows:
        old = kept.get(row.external_id)
        if old is None or old.updated_at is None or row.updated_at is None or row.updated_at >= old.updated_at:
            kept[row.external_id] = row
    return list(kept.values())
