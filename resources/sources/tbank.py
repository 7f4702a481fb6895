"""T-Bank's telephony as a source: calls by day and agent group, and what was said in them.

Here: which group is meant, days and pages, which transcripts are asked for and whether an empty one is awaited. Not
here: HTTP and sessions (``resources.clients.tbank``), where an answer holds what and what it means
(``conversations.parsing.tbank_fields``, ``conversations.parsing.tbank``), tables.

- A group is found by its exact name: the vendor's search puts similar ones first. Of several of that name the one that
  is a work group holds. Without configured groups the calls of everybody are read.
- ``calls`` is asked day by day of the account's own zone, from its first second to its last, group by group. The order
  of a list is unspecified: rows are told apart by the segment's id, and a list that shifts while it is read is read
  again. A segment that several groups list belongs to the first of them, as the policy orders them.
- ``transcripts`` are those of the answered calls of the window, whose list is read again for it; at most four calls at
  once. One without a word is ``pending`` until ``lag`` after the call's end, then ``no_speech``; ``known_ready`` says
  which need not be asked for any more, all others are asked again by every reading of their day.
- Neither proves deletions: nothing says that the list is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from conversations.parsing.tbank_fields import GROUP_KEY, TBankFields, found_at, instant_of
from conversations.source import Capability, Cursor, Page, RawRow, Stream
from conversations.window import Window
from resources.clients.errors import BadConfiguration, CursorLoop, NotFound
from resources.clients.tbank import LARGEST_PAGE, Group, TBankClient
from resources.sources.next_paging import NextPaging
from resources.sources.probing import capabilities

WORK_GROUP = "workGroup"
PARALLEL = 4
"""Transcript calls at once (contract, section 4)."""
PORTION = 32
"""Transcripts that are stored together."""
_Asked: TypeAlias = tuple[str | None, list[Group]]


class TBankSource:
    """Reads one account.

    Args:
        client: asks the vendor.
        time_zone: of the account: its times carry none.
        groups: exact names of the agent groups; none: everybody's calls.
        lag: how long a transcript without a word is awaited after the call's end.
        now: the clock, with a zone.
        known_ready: of these segments those whose transcript need not be asked for again.
    """

    name = "tbank"
    streams: Mapping[str, Stream] = {
        stream.name: stream for stream in (Stream("calls", is_windowed=True), Stream("transcripts", is_windowed=True))
    }
    """Calls first: a transcript without its call would hang in the air."""

    def __init__(
        self,
        client: TBankClient,
        connection_id: str,
        time_zone: str,
        groups: Sequence[str] = (),
        *,
        lag: timedelta = timedelta(hours=1),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        known_ready: Callable[[Sequence[str]], set[str]] = lambda _: set(),
        fields: TBankFields | None = None,
        page_size: int = LARGEST_PAGE,
    ) -> None:
        self.connection_id = connection_id
        self.time_zone = time_zone
        self._client = client
        self._zone = ZoneInfo(time_zone)
        self._names = tuple(dict.fromkeys(groups))
        self._lag = lag
        self._now = now
        self._known_ready = known_ready
        self._fields = fields or TBankFields()
        self._page_size = page_size
        self._groups: list[Group] | None = None
        self._has_answered = False

    def pages(self, stream: str, window: Window | None, cursor: Cursor | None) -> Iterator[Page]:
        """Read ``stream`` in ``window`` from ``cursor``, page by page; the last page has no cursor and may be empty.

        Raises:
            ValueError: an unknown stream, or no window.
            BadConfiguration: a configured agent group does not exist; the text names those that are like it.
            SourceError: the vendor could not be read.
        """
        if stream not in self.streams:
            raise ValueError(f"tbank has no stream {stream!r}; there are {', '.join(self.streams)}")
        if window is None:
            raise ValueError(f"the stream {stream!r} is read by window")
        return self._call_pages(window, cursor) if stream == "calls" else self._transcript_pages(window, cursor)

    def start_session(self) -> None:
        """Ask nothing but whether login and password are good."""
        self._client.start_session()

    def probe(self) -> list[Capability]:
        """Start a session, look for the groups, list today's calls and ask for one transcript; nothing is stored."""
        today = self._now().astimezone(self._zone).date()
        found: list[dict[str, Any]] = []

        def list_calls() -> None:
            groups = self._found_groups()
            for day in (today, today - timedelta(days=1)):
                found.extend(self._client.calls(*_bounds(day), groups, 1, 20, "the calls of today").items)

        def read_one() -> None:
            answered = [item for item in found if self._fields.is_answered(item)]
            if answered:
                self._client.transcript(self._segment(answered[0]))

        checks: list[tuple[str, Callable[[], object]]] = [
            ("session", self.start_session),
            ("agent groups", self._found_groups),
            ("calls", list_calls),
            ("transcripts", read_one),
        ]
        return list(capabilities(checks))

    # groups --------------------------------------------------------------------------------------------------------

    def _found_groups(self) -> list[Group]:
        """The configured groups, looked up once per run."""
        if self._groups is None:
            self._groups = [self._group(name) for name in self._names]
        return self._groups

    def _group(self, name: str) -> Group:
        like = self._client.groups(name)
        exact = [group for group in like if group.name.strip() == name.strip()]
        if len(exact) > 1:
            exact = [group for group in exact if group.type == WORK_GROUP]
        if len(exact) == 1:
            return exact[0]
        candidates = ", ".join(f"'{group.name}' ({group.type or 'no type'})" for group in like[:10]) or "none at all"
        raise BadConfiguration(
            self.connection_id,
            f"the telephony has {'several groups' if exact else 'no agent group'} of the name '{name}'; like it: "
            f"{candidates}",
            "Write the exact name into agent_group of the department in policy.yaml",
        )

    def _asked_groups(self) -> list[_Asked]:
        """What is asked for one after the other: a group with its name, or everybody without one."""
        return [(group.name, [group]) for group in self._found_groups()] or [(None, [])]

    # calls ---------------------------------------------------------------------------------------------------------

    def _call_pages(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        days, groups = list(window.days(self.time_zone)), self._asked_groups()
        places = [(day, number) for day in days for number in range(len(groups))]
        at, paging, elsewhere, mine = self._resumed(cursor, places, groups)
        for place, (day, number) in list(enumerate(places))[at:]:
            group, handed = groups[number][0], dict[str, int]()
            for items in self._pages_of(day, groups[number], paging):
                rows = {row.external_id: row for row in self._rows(items, group, day, window)}
                # listed by an earlier group of the day: it is that group's call; or handed over just like this
                fresh = [row for key, row in rows.items() if key not in elsewhere and handed.get(key) != _hash(row)]
                handed |= {row.external_id: _hash(row) for row in fresh}
                mine |= handed.keys()
                if paging.number is not None:
                    yield Page(fresh, _position(day, group, elsewhere, mine, paging))
            elsewhere, mine, paging = elsewhere | mine, set(), NextPaging()
            if place + 1 == len(places):
                yield Page(fresh, None)
                return
            day, number = places[place + 1]
            if number == 0:
                elsewhere = set()
            yield Page(fresh, _position(day, groups[number][0], elsewhere, mine, paging))

    def _resumed(
        self, cursor: Cursor | None, places: Sequence[tuple[date, int]], groups: Sequence[_Asked]
    ) -> tuple[int, NextPaging, set[str], set[str]]:
        """Where reading goes on; at the start where the cursor is of groups or days that are not asked for any more."""
        if cursor is not None:
            for at, (day, number) in enumerate(places):
                if (day.isoformat(), groups[number][0]) == (cursor["day"], cursor["group"]):
                    return at, NextPaging.from_cursor(cursor), set(cursor["elsewhere"]), set(cursor["mine"])
        return 0, NextPaging(), set(), set()

    def _pages_of(self, day: date, asked: _Asked, paging: NextPaging) -> Iterator[list[dict[str, Any]]]:
        """The pages of one day and group, as ``paging`` goes through them."""
        while (number := paging.number) is not None:
            page = self._client.calls(
                *_bounds(day), asked[1], number, self._page_size, f"calls of {day.isoformat()}, page {number}"
            )
            try:
                was_it = paging.answered([self._fields.identifier(item) for item in page.items], page.next_page)
            except ValueError as loop:
                raise CursorLoop(self.connection_id, f"the list of calls of {day.isoformat()} {loop}") from None
            if was_it:
                yield page.items

    def _rows(self, items: Sequence[dict[str, Any]], group: str | None, day: date, window: Window) -> Iterator[RawRow]:
        for item in items:
            began = self._began(item, day, window)
            if began in window:
                kept = item if group is None else {**item, GROUP_KEY: group}
                yield RawRow(self._fields.identifier(item), kept, began, None)

    def _began(self, item: Mapping[str, Any], day: date, window: Window) -> datetime:
        """When the call began. One without a readable time is of the day it was listed for: it is stored all the same,
        and the parser says what is wrong with it."""
        found = instant_of(found_at(item, self._fields.started), self._zone)
        return max(Window.of_day(day, self.time_zone).start, window.start) if found is None else found

    # transcripts ---------------------------------------------------------------------------------------------------

    def _transcript_pages(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        days = list(window.days(self.time_zone))
        after = None
        if cursor is not None and (resumed := date.fromisoformat(cursor["day"])) in days:
            days, after = days[days.index(resumed) :], cursor["after"]
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="transcripts") as pool:
            for at, day in enumerate(days):
                answered = self._answered_calls(day, window)
                wanted = [one for one in sorted(answered, key=_order) if after is None or _order(one) > _order(after)]
                after = None
                ready = self._known_ready(wanted) if wanted else set()
                wanted = [one for one in wanted if one not in ready]
                is_last_day = at + 1 == len(days)
                for first in range(0, len(wanted), PORTION):
                    portion = wanted[first : first + PORTION]
                    rows = self._transcripts(pool, [answered[one] for one in portion])
                    is_end = is_last_day and first + PORTION >= len(wanted)
                    yield Page(rows, None if is_end else {"day": day.isoformat(), "after": portion[-1]})
                if is_last_day and not wanted:
                    yield Page([], None)

    def _answered_calls(self, day: date, window: Window) -> dict[str, RawRow]:
        """The calls of the day in which something can have been said, by id."""
        found: dict[str, RawRow] = {}
        for group in self._asked_groups():
            for items in self._pages_of(day, group, NextPaging()):
                for row in self._rows(items, None, day, window):
                    if self._fields.is_answered(row.payload) is not False:
                        found[row.external_id] = row
        return found

    def _transcripts(self, pool: ThreadPoolExecutor, calls: Sequence[RawRow]) -> list[RawRow]:
        answers = list(pool.map(self._answer_of, calls))
        absent = next((one for one in answers if isinstance(one, NotFound)), None)
        self._has_answered = self._has_answered or any(isinstance(one, dict) for one in answers)
        if absent is not None and not self._has_answered:
            # one transcript may be missing; if none was ever found, the address is wrong
            raise absent
        return [self._transcript_row(call, one) for call, one in zip(calls, answers, strict=True)]

    def _answer_of(self, call: RawRow) -> dict[str, Any] | NotFound:
        try:
            return self._client.transcript(self._segment(call.payload))
        except NotFound as absent:
            return absent

    def _transcript_row(self, call: RawRow, answer: dict[str, Any] | NotFound) -> RawRow:
        said = answer if isinstance(answer, dict) else {}
        item, fields = call.payload, self._fields
        ended = instant_of(found_at(item, fields.ended), self._zone)
        if ended is None:
            assert call.event_at is not None
            ended = call.event_at + timedelta(seconds=fields.seconds(item) or 0)
        state = "ready" if fields.has_words(said) else "pending" if self._now() < ended + self._lag else "no_speech"
        payload = {
            **said,
            "segmentId": self._segment(item),
            "startDate": found_at(item, fields.started),
            "direction": fields.direction_of(item),
            "phrases": fields.phrases_of(said),
            "state": state,
        }
        return RawRow(call.external_id, payload, call.event_at, None)

    def _segment(self, item: Mapping[str, Any]) -> int | str:
        """The segment's id as the vendor spells it: a number stays a number."""
        return found_at(item, self._fields.segment_id)


def _position(day: date, group: str | None, elsewhere: set[str], mine: set[str], paging: NextPaging) -> dict[str, Any]:
    """A cursor: where reading goes on, and which segments of that day earlier groups and this one have listed."""
    known = {"elsewhere": sorted(elsewhere), "mine": sorted(mine)}
    return {"day": day.isoformat(), "group": group, **known, **paging.cursor}


def _bounds(day: date) -> tuple[str, str]:
    """A day as the vendor asks for it: both ends belong to it."""
    return f"{day.isoformat()} 00:00:00", f"{day.isoformat()} 23:59:59"


def _order(external_id: str) -> tuple[int, str]:
    """Numbers in the order of numbers, whatever else after them by text."""
    return len(external_id), external_id


def _hash(row: RawRow) -> int:
    return hash(repr(row.payload))
