"""How the telephony spells what it lists: calls, transcripts, groups, and which of them a question asks for.

Here: rows and the reading of a question's body. Not here: sessions and sockets (``tbank``), who called whom
(``shop.calls``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tests.emulators.shop.calls import GROUPS, CallBook, PhoneCall
from tests.emulators.shop.model import ZONE, micros, moment_of

_ENGINE = "асрм-7"


@dataclass(frozen=True)
class TBankOptions:
    """What nobody documents, so that a reader must bear all of it."""

    envelope: Literal["items", "Items"] = "items"
    """Of the search of groups."""
    order: Literal["desc", "asc", "mixed"] = "mixed"
    last_page: Literal["null", "absent"] = "null"
    id_field: Literal["segmentId", "id"] = "segmentId"
    parallel: int = 4
    """More transcript calls at once are refused with 429."""
    transcript_seconds: float = 0.0
    """How long a transcript takes to be looked up."""
    largest_page: int = 1000


class BadQuestion(ValueError):
    """The vendor does not take the body."""


class Rows:
    """The rows of one account at a moment of the shop's clock."""

    def __init__(self, book: CallBook, options: TBankOptions) -> None:
        self.book, self.options = book, options
        self.zone = ZoneInfo(ZONE)
        self._by_id: dict[int, PhoneCall] = {}

    # what is asked for -------------------------------------------------------------------------------------------

    def asked(self, body: Any, clock: int) -> tuple[list[PhoneCall], int, int]:
        """The calls that a search finds in the vendor's order, the page and its size.

        Raises:
            BadQuestion: a field is missing or of another kind.
        """
        try:
            filters, paging = body["filters"], body["paging"]
            low, high = (datetime.strptime(filters["date"][end], "%Y-%m-%d %H:%M:%S") for end in ("min", "max"))
            agents = {int(one["id"]) for one in filters["agent"] if one["type"] == "workGroup" and one["title"]}
            page, size = int(paging["page"]), int(paging["itemsPerPage"])
            if (
                len(agents) != len(filters["agent"])
                or "itemsCount" not in paging
                or filters["isNGramSearch"] is not False
            ):
                raise BadQuestion("unknown filter")
        except (KeyError, TypeError, ValueError) as error:
            raise BadQuestion(type(error).__name__) from None
        if page < 1 or not 1 <= size <= self.options.largest_page or high < low:
            raise BadQuestion("page or dates")
        # both ends belong to the window, to the second
        start, end = (micros(moment.replace(tzinfo=self.zone)) for moment in (low, high))
        found = [
            call
            for call in self.seen(low.date(), high.date(), clock)
            if start <= call.start <= end and (not agents or agents & self.groups_of(call))
        ]
        if self.options.order == "mixed":
            found.sort(key=lambda call: str(call.segment_id)[::-1])
        else:
            found.sort(key=lambda call: (call.start, call.segment_id), reverse=self.options.order == "desc")
        return found, page, size

    def groups_of(self, call: PhoneCall) -> set[int]:
        """The groups in whose lists the call is: those of its operator, else that of its queue."""
        return set(call.operator.groups) if call.operator else {call.group}

    def seen(self, first: date, last: date, clock: int) -> list[PhoneCall]:
        """The calls of local days that the search shows at a moment."""
        return [call for call in self.book.between(first, last) if call.listed <= clock]

    def call(self, segment_id: int) -> PhoneCall | None:
        """A call by its id: the id tells the day."""
        try:
            day = date.fromordinal(segment_id // 10_000 + 700_000)
        except (ValueError, OverflowError):
            return None
        return next((one for one in self.book.day(day) if one.segment_id == segment_id), None)

    # rows ----------------------------------------------------------------------------------------------------------

    def item(self, call: PhoneCall) -> dict[str, Any]:
        """A call of the list."""
        operator = call.operator
        return {
            self.options.id_field: call.segment_id,
            "communicationId": call.communication_id,
            "startDate": self._local(call.start),
            "endDate": self._local(call.end),
            "duration": call.seconds,
            "operatorUserId": operator.id if operator else None,
            "operatorUserLogin": operator.login if operator else None,
            "operatorUserFullName": operator.name if operator else None,
            "callDirection": "inbound" if call.is_inbound else "outbound",
            "clientPhoneNumber": dialled(call),
        }

    def transcript(self, call: PhoneCall, clock: int) -> dict[str, Any]:
        """What was said, or nothing yet, in one of the ways to say nothing."""
        if call.transcribed > clock:
            return ({"phrases": []}, {}, {"phrases": None})[call.segment_id % 3]
        phrases = [
            {
                "channel": "mixed" if (call.segment_id * 31 + n) % 499 == 0 else one.speaker,
                "text": one.text,
                "startTime": one.start,
                "endTime": one.end,
            }
            for n, one in enumerate(call.talk.phrases)
        ]
        return {"phrases": phrases, "engine": _ENGINE}

    def groups(self, term: str) -> list[dict[str, Any]]:
        """What the search of groups finds, in its own order: the most similar one is not the first."""
        folded = term.casefold()
        return [{"id": one, "name": name, "type": kind} for one, name, kind in GROUPS if folded in name.casefold()]

    def _local(self, at: int) -> str:
        return moment_of(at).astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")


def dialled(call: PhoneCall) -> str | None:
    """The number as telephone systems write it: with a plus, with 8, bare, or hidden."""
    if len(call.phone) < 8:
        return call.phone
    way = call.segment_id % 20
    if way == 3:
        return "8" + call.phone[2:]
    if way == 7:
        return call.phone[1:]
    return None if way == 11 and call.kind == "missed" else call.phone
