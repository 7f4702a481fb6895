"""The protocols that every way in follows: ``Source`` reads, ``Parser`` understands, ``land()`` writes.

Here: the shapes they hand to each other. Not here: any vendor. A source knows paging and cursors and nothing of tables;
a parser knows one vendor's payload and nothing of I/O; the loader knows neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

from conversations.records import IdKind, Quarantined, Record
from conversations.window import Window

Cursor: TypeAlias = Mapping[str, Any]
"""A JSON object that only its source understands: where reading goes on after the page it came with."""


@dataclass(frozen=True)
class Stream:
    """One list of the vendor's API and the raw table that it lands in."""

    name: str
    """``messages``; the raw table is ``raw.<source>__<name>``."""
    is_windowed: bool
    """True: read by window of event time. False: a directory (channels, users), read whole each time."""
    detects_deletions: bool = False
    """A complete re-read of a window proves that a stored row which was not returned is gone at the source."""


class RawRow(NamedTuple):
    """One item as the vendor sent it."""

    external_id: str
    payload: Mapping[str, Any]
    event_at: datetime | None
    """When it happened by the source's clock, UTC; decides the business day. ``None`` in directories."""
    updated_at: datetime | None
    """The vendor's own version time, UTC; ``None`` where the vendor has none (then the content hash decides)."""


class Page(NamedTuple):
    """One answer of the vendor: its rows and where to go on."""

    rows: list[RawRow]
    cursor: Cursor | None
    """Position after this page; ``None`` when there is nothing more to read."""


class Capability(NamedTuple):
    """One thing that the account may or may not do, as a harmless call showed."""

    name: str
    is_open: bool
    detail: str
    reason: str = ""
    """Why it is closed, for machines: the codes of ``resources.clients.errors``."""


class Source(Protocol):
    """Reads one account of one vendor."""

    name: str
    """The vendor, ``retailcrm``."""
    connection_id: str
    streams: Mapping[str, Stream]

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Read ``stream`` in ``window`` from ``cursor`` (``None``: from the start), page by page.

        Raises:
            SourceError: the family in ``resources.clients.errors``; its text names the connection and what to do.
        """
        ...

    def probe(self) -> list[Capability]:
        """Make one harmless call per capability and say what the account may do."""
        ...


class RawRecord(NamedTuple):
    """A row of a raw table as a parser gets it back."""

    connection_id: str
    external_id: str
    payload: Mapping[str, Any]
    fetched_at: datetime
    gone_at: datetime | None
    """When a complete re-read first missed the row; the vendor does not say when it was deleted."""


class Parser(Protocol):
    """Understands one vendor's payload: one raw row in, records or a reason out. Pure."""

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]: ...

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """Whether an id (``local`` is what stands behind its connection) was given out by the vendor and tells nothing
        of a person, so that it may stay as it is. Every other one is keyed before it is stored
        (``conversations.keyed``): whatever is made of a phone, a name or the name of a file must not be claimed."""
        ...
