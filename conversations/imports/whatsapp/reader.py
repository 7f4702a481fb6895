"""Exports of single WhatsApp chats (`.txt`), from Android and iOS, in any language.

Here: lines to raw rows. Not here: opening files, and what a body means (``.kinds``).

- All stamps of an export have one shape (``.prefix``); a line with a stamp of another shape belongs to the message that
  it stands in. Their number is in ``Survey.facts["other_stamps"]``.
- Times have no zone: ``Choices.time_zone``. A time that the clocks had twice counts as the first.
- Exports have no ids. A message's key is its stamp and its place among the messages of that stamp, so the same chat
  exported again has the same ids, as long as it begins where it began. Only the last 4,096 stamps (and as many again)
  are remembered: a message that stands far behind its time gets its line instead.
- A missed call without a name (Android) was made by the other side: in a private chat it is the customer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from conversations.imports.survey import Chat, Choices, DateOrder, NotThisFormat, Settled, Side, Survey, key_of
from conversations.imports.whatsapp import people
from conversations.imports.whatsapp.clock import hour_of, is_known
from conversations.imports.whatsapp.kinds import is_missed_call, is_sentences, notice
from conversations.imports.whatsapp.looking import MARKS, look_through
from conversations.imports.whatsapp.prefix import Shape, Stamp, may_begin, quick_for, stamp_of
from conversations.imports.whatsapp.years import day_of
from conversations.source import RawRow

LONGEST_MESSAGE = 1_000_000
"""Characters; what goes on longer is cut into rows of this size, the further ones with the problem ``too_long``."""

REMEMBERED_STAMPS = 4_096
_NEVER = re.compile("(?!)")
_ZEROS = "0\u0660\u06f0\u0966\u09e6"
_SIXTY = {
    "".join(chr(ord(zero) + int(digit)) for digit in f"{number:02d}"): (number, f"{number:02d}")
    for zero in _ZEROS
    for number in range(60)
} | {"": (0, "00")}
"""Minutes and seconds in the digits that exports have most: Latin, Arabic, Persian, Devanagari, Bengali; none is 0."""
_AFTER = [timedelta(seconds=seconds) for seconds in range(3_600)]
"""By seconds from the full hour: adding one costs a third of making an instant."""
_REMEMBERED_DAYS, _REMEMBERED_HOURS = 256, 4_096
_REMEMBERED_NAMES = 4_096


class _Hour(NamedTuple):
    """An hour of the chat's clock in UTC, when its minutes are those of UTC; keys begin with the local hour."""

    at: datetime
    text: str
    key: str


class _Time(NamedTuple):
    at: datetime
    text: str
    key: str


_Begun: TypeAlias = tuple[str, datetime | None, dict[str, Any]]
"""Id, time and payload of a row."""


class WhatsAppReader:
    """Reads one export; units are its lines without their ends."""

    def survey(self, units: Iterable[str], choices: Choices) -> Survey:
        """Look through all lines.

        Raises:
            NotThisFormat: no line has a stamp, the dates or the declared order contradict the file, the word beside the
                time is of no known language.
            Undecided: ``date_order``.
        """
        looks = look_through(units, choices.chat)
        if not looks:
            raise NotThisFormat("no line begins with the date and time of a WhatsApp export")
        look = max(looks.values(), key=lambda one: one.lines)
        look.close()
        order, proof = look.evidence.decide(choices.date_order)
        if order not in look.spans:
            raise NotThisFormat("no date of the file is one of a calendar that is read")
        is_24 = look.has_clock_of_24_hours()
        unknown = [line for word, line in look.words.items() if not is_known(word)]
        if not is_24 and unknown and 2 * len(unknown) >= len(look.words):
            raise NotThisFormat(f"line {min(unknown)}: the word beside the time is of no known language")
        chat = look.chat(choices.chat)
        zone = ZoneInfo(choices.time_zone)
        first, last = (
            datetime(day.year, day.month, day.day, *time, tzinfo=zone).astimezone(UTC)
            for day, *time in look.spans[order]
        )
        chat.first_at, chat.last_at = first, last
        facts = {
            "date_order": order,
            "date_order_proof": proof,
            "platform": "ios" if look.shape.bracket or not look.shape.dash else "android",
            "shape": list(look.shape),
            "is_24_hours": is_24 or not look.words,
            "other_stamps": sum(one.lines for one in looks.values()) - look.lines,
        }
        return Survey({chat.key: chat}, facts)

    def rows(self, units: Iterable[str], chats: Mapping[str, Settled], choices: Choices) -> Iterator[RawRow]:
        """One row per stamp; lines before the first one are a row of their own (problem ``no_stamp``)."""
        (settled,) = chats.values()
        return _Rows(settled).of(units)


class _Rows:
    """Puts lines together to raw rows of one chat. The path of most lines is short: speed is promised."""

    def __init__(self, settled: Settled) -> None:
        facts = settled.facts
        self._chat: Chat = settled.chat
        self._sides = settled.sides
        self._order: DateOrder = facts["date_order"]
        self._ignores_words = bool(facts["is_24_hours"])
        self._zone = ZoneInfo(settled.time_zone)
        self._shape = Shape(*facts["shape"])
        self._ordinal = Ordinals(REMEMBERED_STAMPS).key
        self._match = _NEVER.match
        self._groups = (0, 0, 0, 0, 0)
        self._hours: dict[tuple[str, str, str], _Hour] = {}
        self._days: dict[str, tuple[datetime | None, str]] = {}
        self._names: dict[str, tuple[str, Side]] = {}
        self._titled = people.named(self._chat.title)

    def of(self, units: Iterable[str]) -> Iterator[RawRow]:
        """All rows of the file.

        The path of most lines is written out here: a stamp like the one before, an hour and a name seen before.
        """
        chat, names, hours, ordinal = self._chat.key, self._names, self._hours, self._ordinal
        # the constructor of a named tuple costs three times as much
        sixty, after, new_tuple = _SIXTY, _AFTER, tuple.__new__
        match, (day_at, word_at, hour_at, minute_at, second_at) = self._match, self._groups
        lines, size, has_stamp = list[str](), 0, False
        begun: _Begun = "", None, {}
        author: str | None
        side: Side | None
        for number, line in enumerate(units, 1):
            found = match(line)
            if found is not None:
                day, word, hour_text, minute_text, second_text = found.group(
                    day_at, word_at, hour_at, minute_at, second_at
                )
                hour = hours.get((day, word, hour_text)) or self._hour(line, day, word, hour_text)
                if hour is not None and minute_text in sixty and second_text in sixty:
                    end = found.end()
                    cut = line.find(": ", end)
                    known = names.get(line[end:cut]) if cut > 0 else None
                    if known is not None and line[cut + 2 : cut + 3] not in MARKS:
                        (author, side), body_at = known, cut + 2
                    else:
                        author, side, body_at = self._whose(line, end)
                    (minute, minute_shown), (second, second_shown) = sixty[minute_text], sixty[second_text]
                    begin, at_shown, key_shown = hour
                    key = f"{key_shown}{minute_shown}{second_shown}" if second_text else f"{key_shown}{minute_shown}"
                    fresh: _Begun | None = (
                        f"{chat}:{ordinal(key, number)}",
                        begin + after[60 * minute + second],
                        {
                            "chat": chat, "at": f"{at_shown}:{minute_shown}:{second_shown}+00:00", "author": author,
                            "side": side, "position": number, "original": line, "body_at": body_at,
                        },
                    )  # fmt: skip
                else:
                    fresh = self._begin_slowly(line, number)
            elif may_begin(line):
                fresh = self._begin_slowly(line, number)
                match, (day_at, word_at, hour_at, minute_at, second_at) = self._match, self._groups
            else:
                fresh = None
            if fresh is None:
                size += len(line) + 1
                if lines and size < LONGEST_MESSAGE:
                    lines.append(line)
                    continue
                fresh = self._problem("too_long" if has_stamp else "no_stamp", line, number)
            else:
                has_stamp = True
            if lines:
                identity, at, payload = begun
                if len(lines) > 1:
                    payload["original"] = "\n".join(lines)
                yield new_tuple(RawRow, (identity, payload, at, None))
            begun, lines, size = fresh, [line], len(line)
        if lines:
            identity, at, payload = begun
            payload["original"] = "\n".join(lines)
            yield RawRow(identity, payload, at, None)

    def _begin_slowly(self, line: str, number: int) -> _Begun | None:
        stamp = stamp_of(line)
        if stamp is None or stamp.shape != self._shape:
            return None
        self._learn(stamp, line)
        time = self._time(stamp)
        if isinstance(time, str):
            return self._problem(time, line, number)
        author, side, body_at = self._whose(line, stamp.end)
        payload = {
            "chat": self._chat.key,
            "at": time.text,
            "author": author,
            "side": side,
            "position": number,
            "original": line,
            "body_at": body_at,
        }
        return f"{self._chat.key}:{self._ordinal(time.key, number)}", time.at, payload

    def _problem(self, reason: str, line: str, number: int) -> _Begun:
        payload = {
            "chat": self._chat.key,
            "at": None,
            "author": None,
            "side": None,
            "position": number,
            "original": line,
            "problem": reason,
        }
        return f"{self._chat.key}:none-p{number:012d}", None, payload

    def _learn(self, stamp: Stamp, line: str) -> None:
        """Remember what stamps look like."""
        if self._match(line) is None:
            short = quick_for(stamp, line)
            if short is not None:
                self._match, self._groups = short.pattern.match, short.groups
                self._hours.clear()
                self._days.clear()

    def _hour(self, line: str, day: str, word: str, hour_text: str) -> _Hour | None:
        """An hour that was not seen before; ``None`` where it has to be looked at minute by minute."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _REMEMBERED_DAYS:
                self._days.clear()
            known = self._days[day] = self._day(line)
        midnight, shown = known
        hour = hour_of(int(hour_text), self._word(word))
        if midnight is None or hour is None:
            return None
        at = midnight + timedelta(hours=hour)
        found = _Hour(at, f"{at:%Y-%m-%dT%H}", f"{shown}T{hour:02d}")
        if len(self._hours) >= _REMEMBERED_HOURS:
            self._hours.clear()
        self._hours[day, word, hour_text] = found
        return found

    def _day(self, line: str) -> tuple[datetime | None, str]:
        """When the day begins, in UTC, where it begins at a full hour and all its hours have 60 minutes."""
        stamp = stamp_of(line)
        day = day_of(stamp.numbers, stamp.era, self._order) if stamp is not None else None
        if day is None:
            return None, ""
        begin = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        offset, later = begin.utcoffset(), begin.replace(hour=23, minute=59).utcoffset()
        at = begin.astimezone(UTC)
        return (at if offset == later and not at.minute and not at.second else None), f"{day:%Y%m%d}"

    def _word(self, word: str) -> str:
        return word if not self._ignores_words or is_known(word) else ""

    def _time(self, stamp: Stamp) -> _Time | str:
        """The instant; a text is the reason why there is none."""
        day = day_of(stamp.numbers, stamp.era, self._order)
        word = self._word(stamp.word)
        hour, minute, second = hour_of(int(stamp.hour), word), int(stamp.minute), int(stamp.second or 0)
        if hour is None and word and not is_known(word):
            return "unknown_day_period"
        if day is None or hour is None or minute > 59 or second > 59:
            return "bad_time"
        at = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=self._zone).astimezone(UTC)
        local = f"{day:%Y%m%d}T{hour:02d}{minute:02d}"
        return _Time(at, at.isoformat(), f"{local}{second:02d}" if stamp.second else local)

    def _whose(self, line: str, start: int) -> tuple[str | None, Side | None, int]:
        """The author's key, his side and where the body begins."""
        rest = line[start:]
        name, at = people.split(rest, self._titled)
        if name is None:
            name, at = people.perhaps(rest)
            key = None if name is None else key_of(people.cleaned(name))
            return (key, self._sides[key], start + at) if key in self._sides else self._nobody(rest, start)
        body_at, known = start + at, self._names.get(name)
        key = known[0] if known is not None else key_of(people.cleaned(name))
        if line[body_at : body_at + 1] in MARKS:
            is_notice = notice(line[body_at:], people.cleaned(name))
            is_voice = (
                people.is_same(self._chat.title or "", people.cleaned(name))
                if self._chat.kind == "group"
                else key == self._chat.customer_key and is_sentences(line[body_at:])
            )
            if is_notice or (is_notice is None and (is_voice or key not in self._sides)):
                return None, "system", body_at
        if key not in self._sides:
            return self._nobody(rest, start)
        if known is None and len(self._names) < _REMEMBERED_NAMES:
            self._names[name] = key, self._sides[key]
        return key, self._sides[key], body_at

    def _nobody(self, rest: str, start: int) -> tuple[str | None, Side | None, int]:
        customer = self._chat.customer_key
        if self._chat.kind == "private" and customer in self._sides and is_missed_call(rest):
            return customer, self._sides[customer], start
        return None, "system", start


class Ordinals:
    """Numbers messages of one stamp as they stand in the file, for as many stamps as it remembers.

    Message keys of one stamp sort as text like the file; a message whose stamp is older than all that are remembered
    gets its line for a number, so no key comes twice.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._forgotten = ""

    def key(self, stamp: str, line: int) -> str:
        """The key of the next message with that stamp."""
        count = self._young.get(stamp)
        if count is None:
            count = self._old.get(stamp)
            if count is None:
                if stamp <= self._forgotten:
                    return f"{stamp}-p{line:012d}"
                count = 0
            if len(self._young) >= self._remembered:
                self._forgotten = max(self._forgotten, max(self._old, default=""))
                self._young, self._old = {}, self._young
        self._young[stamp] = count = count + 1
        return f"{stamp}-{count:04d}" if count < 10_000 else f"{stamp}-o{count:012d}"
