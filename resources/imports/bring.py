"""The whole walk of one file: raw, core, evaluated, and its line in the book of imports.

Here: the order of the steps, which the command and Dagster share, and what may be concluded from what is stored. Not
here: formats, SQL of the layers.

Killed anywhere, the walk is begun again by whoever brings the file again: rows are keyed, and only the line in the book
says that nothing is left to do. It is the last thing that is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from conversations.imports.survey import CHATS, MESSAGES, Settled, Survey, settle
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.records import IdKind, Quarantined, Record
from conversations.source import Parser, RawRecord
from conversations.window import Window, business_day
from resources.imports.errors import BadImport, ConnectionTaken
from resources.imports.opening import ImportedFile
from resources.imports.source import STREAMS, ExportSource
from resources.warehouse.core import replace_window
from resources.warehouse.customer_links import links_of_import
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.imports import (
    DONE,
    FAILED,
    Imported,
    begin_import,
    cover_days,
    find_import,
    is_anything_gone,
    is_cut_within,
    is_dated_otherwise,
    replace_reading,
    source_of_connection,
    turn_back,
    write_import,
)
from resources.warehouse.land import land
from resources.warehouse.locks import account_lock, core_lock
from resources.warehouse.refresh import refresh_evaluated

LOOKING, READING, UNDERSTANDING, JUDGING = range(4)


class Step(Protocol):
    """Something that shows how far a step has come."""

    def to(self, done: int, total: int | None = None) -> None: ...


class _NoStep:
    def to(self, done: int, total: int | None = None) -> None:
        """Nobody looks."""


Steps = Callable[[int], AbstractContextManager[Step]]
"""Called with the number of a step that begins."""


@dataclass(frozen=True)
class Brought:
    """What was done with one file. Counts are of the file; names of people are nowhere in it."""

    connection_id: str
    source: str
    sha256: str
    is_unchanged: bool
    """The same content was read before under the same choices: nothing was done."""
    chats: int = 0
    messages: int = 0
    quarantined: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    inserted: int = 0
    updated: int = 0
    managers: int = 0
    """People of the file on our side; 0 where nothing was done."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rows that could not be understood, by reason code; empty where nothing was done."""


def bring(
    file: ImportedFile,
    warehouse: Warehouse,
    policy: Policy,
    lexicon: Lexicon,
    *,
    run_id: str | None = None,
    steps: Steps | None = None,
) -> Brought:
    """Read a file, understand it, judge it, write it down. Doing it again changes nothing.

    Raises:
        Busy: another process works on the connection; nothing was written.
        ConnectionTaken: rows of another source are stored under that name.
        BadImport: the file cannot be used; nothing of it was stored.
        Undecided: something must be declared first; nothing was stored.
        WarehouseUnavailable: the database went away; bringing the file again goes on.
    """
    shown = steps or (lambda _: nullcontext(_NoStep()))
    with (
        warehouse.connect("otklik import lock", autocommit=True) as session,
        account_lock(session, file.connection_id),
    ):
        other = source_of_connection(session, file.connection_id, file.source)
        if other is not None:
            raise ConnectionTaken(file.connection_id, other)
        known = find_import(session, file.connection_id, file.sha256)
        if known is not None and (known.state, known.choices_hash) == (DONE, file.choices_hash):
            return _unchanged(known)
        # one that was cut off, under whatever choices, may have left rows that this reading does not have
        former = known
        if former is None and is_anything_gone(session, file.connection_id, file.source):
            former = _row(file)
        return _Walk(file, warehouse, policy, lexicon, run_id, shown).do(former)


def write_failure(warehouse: Warehouse, file: ImportedFile, error: BadImport) -> None:
    """Write down that a file could not be imported, where nobody sits who would see the error.

    A file that was imported before, under other choices, keeps its line.
    """
    row = replace(_row(file), state=FAILED, reason=error.code)
    with warehouse.connect("otklik import failed") as sql:
        known = find_import(sql, file.connection_id, file.sha256)
        if known is None or known.state != DONE:
            write_import(sql, row)


def end_of_data(warehouse: Warehouse, connection_id: str, time_zone: str) -> datetime | None:
    """The end of the local day of the connection's last message: what a file is judged at. Never our clock, so that
    the same file gives the same rows whenever it is read (contract, section 8)."""
    with warehouse.connect() as sql:
        row = sql.execute("select max(sent_at) from core.messages where connection_id = %s", [connection_id]).fetchone()
    if row is None or row[0] is None:
        return None
    return Window.of_day(business_day(row[0], time_zone), time_zone).end


def span_of(survey: Survey) -> tuple[datetime | None, datetime | None]:
    """The earliest and the latest message of a file; ``None``: no message has a time."""
    firsts = [chat.first_at for chat in survey.chats.values() if chat.first_at is not None]
    lasts = [chat.last_at for chat in survey.chats.values() if chat.last_at is not None]
    return min(firsts, default=None), max(lasts, default=None)


def managers_of(settled: Mapping[str, Settled]) -> int:
    """How many people of a file write for us; none at all is a name that was misspelt more often than not."""
    return len({key for chat in settled.values() for key, side in chat.sides.items() if side == "manager"})


class _Walk:
    def __init__(
        self,
        file: ImportedFile,
        warehouse: Warehouse,
        policy: Policy,
        lexicon: Lexicon,
        run_id: str | None,
        steps: Steps,
    ) -> None:
        self._file, self._warehouse, self._policy, self._lexicon = file, warehouse, policy, lexicon
        self._zone = policy.organisation.time_zone
        self._run_id, self._steps = run_id, steps

    def do(self, former: Imported | None) -> Brought:
        file, one = self._file, self._file.connection_id
        with self._steps(LOOKING):
            survey = file.survey()
            settled = settle(survey, file.choices)
        source = ExportSource(file, settled)
        with self._warehouse.connect("otklik import begin") as sql:
            begin_import(sql, _row(file))
            is_cut = is_cut_within(sql, one, MESSAGES, file.mark)
        fail_point("imports.begun")
        with self._steps(READING) as step:
            total = sum(chat.messages for chat in survey.chats.values())
            land(source, CHATS, None, self._warehouse, restart=True, run_id=self._run_id)
            landed = land(
                source, MESSAGES, None, self._warehouse, restart=not is_cut, run_id=self._run_id,
                progress=lambda so_far: step.to(so_far.rows, total),
            )  # fmt: skip
        fail_point("imports.landed")
        if former is None:
            with self._warehouse.connect("otklik import") as sql:
                # a longer export under another zone: the messages that both have are no edits of one another
                former = _row(file) if is_dated_otherwise(sql, one, file.source) else None
        if former is not None:
            ids = (row.external_id for page in source.pages(MESSAGES, None, None) for row in page.rows)
            with self._warehouse.connect("otklik import") as sql:
                replace_reading(sql, former, file.source, ids)
        parser = _Counting(file.parser(), settled)
        with self._steps(UNDERSTANDING):
            # rows without a time belong to no window; read under other choices, rows may leave theirs
            is_whole = bool(source.undated) or former is not None
            window = None if is_whole else _days_of(survey, self._zone)
            replace_window(
                self._warehouse, parser, one, file.source, tuple(STREAMS.values()), window, self._zone
            )  # fmt: skip
        fail_point("imports.understood")
        with self._steps(JUDGING):
            links_of_import(self._warehouse, by_number=self._policy.customers.link_by_number)
            judged_at = end_of_data(self._warehouse, one, self._zone)
            if judged_at is not None:
                if former is not None:
                    with (
                        self._warehouse.connect("otklik import judged", autocommit=True) as sql,
                        core_lock(sql, one),
                        sql.transaction(),
                    ):
                        turn_back(sql, one, judged_at)
                refresh_evaluated(
                    self._warehouse, self._policy, None, judged_at, connection_id=one, lexicon=self._lexicon
                )
        first_at, last_at = span_of(survey)
        reasons = source.problems + parser.reasons
        row = replace(
            _row(file), chats=len(survey.chats), messages=source.rows, quarantined=reasons.total(),
            first_at=first_at, last_at=last_at,
        )  # fmt: skip
        with self._warehouse.connect("otklik import book") as sql:
            write_import(sql, row)
            cover_days(sql, one, file.source, self._zone)
        fail_point("imports.written")
        return Brought(
            one, file.source, file.sha256, False, row.chats, row.messages, row.quarantined, first_at, last_at,
            landed.inserted, landed.updated, managers_of(settled), dict(sorted(reasons.items())),
        )  # fmt: skip


def _row(file: ImportedFile) -> Imported:
    return Imported(file.connection_id, file.sha256, file.choices_hash, file.source, file.size, DONE)


def _unchanged(known: Imported) -> Brought:
    return Brought(
        known.connection_id, known.source, known.file_sha256, True, known.chats, known.messages, known.quarantined,
        known.first_at, known.last_at,
    )  # fmt: skip


class _Counting:
    """The parser, counting what only it could not understand of the file's own chats: other files share the tables,
    and what the reader itself refused is counted while it reads."""

    def __init__(self, parser: Parser, chats: Mapping[str, Settled]) -> None:
        self._parser, self._chats = parser, chats
        self.reasons: Counter[str] = Counter()

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        return self._parser.is_vendor_id(kind, local)

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        if row.gone_at is not None:
            # an earlier reading of its file had it, and was wrong
            return
        for record in self._parser.parse(stream, row):
            if isinstance(record, Quarantined) and "problem" not in row.payload:
                chat = row.external_id if stream == CHATS else row.payload.get("chat")
                self.reasons[record.reason] += chat in self._chats
            yield record


def _days_of(survey: Survey, time_zone: str) -> Window | None:
    first, last = span_of(survey)
    if first is None or last is None:
        return None
    return Window.of_days(business_day(first, time_zone), business_day(last, time_zone), time_zone)
