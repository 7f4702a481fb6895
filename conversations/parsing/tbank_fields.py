"""Where T-Bank's answers hold what we need: the one place to correct when an account shows other names.

Here: paths into the JSON of groups, calls and transcripts, the vendor's words for directions and voices, and how an
account's settings replace them. Not here: reading (``resources.sources.tbank``), what is made of it
(``conversations.parsing.tbank``).

The vendor documents the search of calls and the shape of a transcript's phrases nowhere (contract, section 4: [C] is
seen in one public client, [I] is inferred). A path is a dotted name, ``client.phone``; the first one that leads to a
value holds. docs/tbank.md shows an override.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from conversations.parsing.fields import Odd

GROUP_KEY = "otklik_group"
"""The agent group in whose list a call was found: the only thing of ours in the stored row of a call."""
Direction = Literal["in", "out"]


class BadFields(ValueError):
    """An override that cannot be used; the text names the field."""


@dataclass(frozen=True)
class TBankFields:
    """Paths, each a tuple of alternatives, and vocabularies in lower case."""

    groups: tuple[str, ...] = ("items", "Items")
    """The list in the search of groups [I]."""
    group_id: tuple[str, ...] = ("id",)
    group_name: tuple[str, ...] = ("name",)
    group_type: tuple[str, ...] = ("type",)
    calls: tuple[str, ...] = ("items",)
    """The list of calls [C]."""
    next_page: tuple[str, ...] = ("nextPage",)
    segment_id: tuple[str, ...] = ("segmentId", "id")
    communication_id: tuple[str, ...] = ("communicationId",)
    """What the segments of one communication share [I]; may be absent."""
    started: tuple[str, ...] = ("startDate",)
    ended: tuple[str, ...] = ("endDate",)
    duration: tuple[str, ...] = ("duration",)
    """Seconds."""
    answered: tuple[str, ...] = ()
    """A truth value; without one a call of 0 seconds was answered by nobody [I]."""
    operator_id: tuple[str, ...] = ("operatorUserId",)
    operator_login: tuple[str, ...] = ("operatorUserLogin",)
    operator_name: tuple[str, ...] = ("operatorUserFullName",)
    direction: tuple[str, ...] = ("callDirection",)
    client_phone: tuple[str, ...] = ("clientPhoneNumber",)
    phrases: tuple[str, ...] = ("phrases",)
    phrase_channel: tuple[str, ...] = ("channel",)
    phrase_text: tuple[str, ...] = ("text",)
    phrase_start: tuple[str, ...] = ("startTime",)
    """Seconds from the beginning of the call [I]."""
    phrase_end: tuple[str, ...] = ("endTime",)
    language: tuple[str, ...] = ("language",)
    inbound: tuple[str, ...] = ("inbound",)
    """The vendor's words for a call of a customer."""
    outbound: tuple[str, ...] = ("outbound",)
    operator: tuple[str, ...] = ("operator",)
    """The vendor's words for the channel of our side [I]; anything else but ``client`` is unknown."""
    client: tuple[str, ...] = ("client",)

    # what a row says, read by source and parser alike ---------------------------------------------------------------

    def identifier(self, item: Mapping[str, Any]) -> str:
        """The segment's id as text, never through a float.

        Raises:
            Odd: there is none.
        """
        found = found_at(item, self.segment_id)
        if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
            raise Odd("missing_field")
        return str(found)

    def seconds(self, item: Mapping[str, Any]) -> int | None:
        """Whole seconds of talk; ``None`` where the vendor says nothing usable."""
        found = found_at(item, self.duration)
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 10**7:
            return None
        return int(found)

    def is_answered(self, item: Mapping[str, Any]) -> bool | None:
        """Whether somebody answered; ``None``: nothing tells."""
        told = found_at(item, self.answered)
        if isinstance(told, bool):
            return told
        seconds = self.seconds(item)
        return None if seconds is None else seconds > 0

    def direction_of(self, item: Mapping[str, Any]) -> Direction | None:
        """Who called; ``None`` for a word that nobody documented."""
        said = str(found_at(item, self.direction) or "").strip().casefold()
        return "in" if said in self.inbound else "out" if said in self.outbound else None

    def phrases_of(self, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The phrases of a transcript; none where there are none yet."""
        found = found_at(answer, self.phrases)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def has_words(self, answer: Mapping[str, Any]) -> bool:
        """Whether anybody said anything."""
        return any(self.text_of(phrase) for phrase in self.phrases_of(answer))

    def text_of(self, phrase: Mapping[str, Any]) -> str:
        """What was said, without outer blanks."""
        found = found_at(phrase, self.phrase_text)
        return found.strip() if isinstance(found, str) else ""


def found_at(value: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    """What the first path leads to that leads to anything but null.

    >>> found_at({"client": {"phone": "7"}, "id": 5}, ("phone", "client.phone"))
    '7'
    """
    for path in paths:
        found: Any = value
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


def instant_of(said: Any, zone: ZoneInfo) -> datetime | None:
    """A vendor's time in UTC: without a zone it is of ``zone``; ``None`` for what is no time.

    >>> instant_of("2026-03-02T10:00:05", ZoneInfo("Europe/Moscow")).isoformat()
    '2026-03-02T07:00:05+00:00'
    """
    if not isinstance(said, str):
        return None
    try:
        found = datetime.fromisoformat(said.strip())
        # where the clock showed it twice, the first reading holds (contract, ruling 11)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def fields_of(override: Mapping[str, Any] | None) -> TBankFields:
    """The usual fields with those of an account in their place.

    >>> fields_of({"client_phone": "client.phone"}).client_phone
    ('client.phone',)

    Raises:
        BadFields: no such field, or its value is neither a text nor a list of texts.
    """
    known = {field.name for field in fields(TBankFields)}
    found: dict[str, tuple[str, ...]] = {}
    for name, said in (override or {}).items():
        if name not in known:
            raise BadFields(f"there is no field {name!r}; there are {', '.join(sorted(known))}")
        paths = [said] if isinstance(said, str) else said
        if not isinstance(paths, list | tuple) or not all(isinstance(one, str) and one.strip() for one in paths):
            raise BadFields(f"{name}: a name or a list of names is needed")
        if not paths and name != "answered":
            raise BadFields(f"{name}: at least one name is needed")
        is_word = name in ("inbound", "outbound", "operator", "client")
        found[name] = tuple(one.strip().casefold() if is_word else one.strip() for one in paths)
    return replace(TBankFields(), **found)
