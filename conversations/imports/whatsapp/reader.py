"""Exports of single WhatsApp chats (`.txt`), from Android and iOS, in any language.

Here: lines to raw rows. Not here: opening files, and what a body means (``.kinds``).

- All stamps of an export have one shape (``.prefix``); a line with a stamp of another shape belongs to the message that
  it stands in. Their number is in ``Survey.facts["other_stamps"]``.
- Times have no zone: ``Choices.time_zone``. A time that the clocks had twice counts as the first.
- Exports have no ids. A message's key is its stamp and its place among the messages of that stamp, so the same chat
  exported again has the same ids, as long as it begins where it began. Only the last 4,096 stamps are remembered: a
  message that stands far behind its time gets its line instead.
- A missed call without a name (Android) was made by the other side: in a private chat it is the customer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from conversations.imports.survey import Chat, Choices, DateOrder, NotThisFormat, Settled, Survey, key_of
from conversations.imports.whatsapp import people
from conversations.imports.whatsapp.clock import hour_of, is_known
from conversations.imports.whatsapp.kinds import is_missed_call, notice
from conversations.imports.whatsapp.looking import MARKS, Look
from conversations.imports.whatsapp.prefix import Scanner, Shape, Stamp
from conversations.imports.whatsapp.years import day_of
from conversations.source import RawRow

LONGEST_MESSAGE = 1_000_000
"""Characters; what goes on longer is cut into rows of this size, the further ones with the problem ``too_long``."""

REMEMBERED_STAMPS = 4_096
_WITHOUT_STAMP = 2_000
"""Lines at the start of a file without any stamp after which it is no export."""
_REMEMBERED_TIMES = 8_192
_REMEMBERED_NAMES = 4_096


class _Time(NamedTuple):
    at: datetime
    text: str
    key: str


class WhatsAppReader:
    """Reads one export; units are its lines without their ends."""

    def survey(self, units: Iterable[str], choices: Choices) -> Survey:
        """Look through all lines.

        Raises:
            NotThisFormat: no line has a stamp, the dates or the declared order contradict the file, the word beside the
                time is of no known language.
            Undecided: ``date_order``.
        """
        looks: dict[Shape, Look] = {}
        scan = Scanner()
        for number, line in enumerate(units, 1):
            stamp = scan(line)
            if stamp is not None:
                look = looks.get(stamp.shape)
                if look is None:
                    look = looks[stamp.shape] = Look(stamp.shape, number)
                look.see(stamp, line[stamp.end :], number)
            elif number >= _WITHOUT_STAMP and not looks:
                break
        if not looks:
            raise NotThisFormat("no line begins with the date and time of a WhatsApp export")
        look = max(looks.values(), key=lambda one: one.lines)
        look.close()
        order, proof = look.evidence.decide(choices.date_order)
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
        rows = _Rows(settled)
        for line in units:
            row = rows.take(line)
            if row is not None:
                yield row
        last = rows.flush()
        if last is not None:
            yield last


class _Rows:
    """Puts lines together to raw rows of one chat."""

    def __init__(self, settled: Settled) -> None:
        facts = settled.facts
        self._chat: Chat = settled.chat
        self._sides = settled.sides
        self._order: DateOrder = facts["date_order"]
        self._ignores_words = bool(facts["is_24_hours"])
        self._zone = ZoneInfo(settled.time_zone)
        self._shape = Shape(*facts["shape"])
        self._scan = Scanner(self._shape)
        self._times: dict[str, _Time | str] = {}
        self._names: dict[str, str] = {}
        self._ordinals = Ordinals(REMEMBERED_STAMPS)
        self._line = 0
        self._has_stamp = False
        self._id = ""
        self._payload: dict[str, Any] = {}
        self._at: datetime | None = None
        self._lines: list[str] = []
        self._size = 0

    def take(self, line: str) -> RawRow | None:
        """Take the next line; gives the row that it closes."""
        self._line += 1
        stamp = self._scan(line)
        if stamp is not None:
            done = self.flush()
            self._has_stamp = True
            self._start(stamp, line)
            return done
        if self._lines and self._size + len(line) < LONGEST_MESSAGE:
            self._lines.append(line)
            self._size += len(line) + 1
            return None
        done = self.flush()
        self._problem("too_long" if self._has_stamp else "no_stamp", line)
        return done

    def flush(self) -> RawRow | None:
        """The row of the lines taken since the last one."""
        lines = self._lines
        if not lines:
            return None
        payload = self._payload
        payload["original"] = lines[0] if len(lines) == 1 else "\n".join(lines)
        self._lines = []
        return RawRow(self._id, payload, self._at, None)

    def _start(self, stamp: Stamp, line: str) -> None:
        time = self._time(stamp, line)
        if isinstance(time, str):
            self._problem(time, line)
            return
        author, side, body_at = self._whose(line, stamp.end)
        self._id = f"{self._chat.key}:{self._ordinals.key(time.key, self._line)}"
        self._payload = {
            "chat": self._chat.key, "at": time.text, "author": author, "side": side, "position": self._line,
            "original": line, "body_at": body_at,
        }  # fmt: skip
        self._at = time.at
        self._lines = [line]
        self._size = len(line)

    def _problem(self, reason: str, line: str) -> None:
        self._id = f"{self._chat.key}:none-p{self._line:012d}"
        self._payload = {
            "chat": self._chat.key, "at": None, "author": None, "side": None, "position": self._line,
            "original": line, "problem": reason,
        }  # fmt: skip
        self._at = None
        self._lines = [line]
        self._size = len(line)

    def _time(self, stamp: Stamp, line: str) -> _Time | str:
        """The instant; a text is the reason why there is none."""
        text = line[: stamp.end]
        known = self._times.get(text)
        if known is None:
            if len(self._times) >= _REMEMBERED_TIMES:
                self._times.clear()
            known = self._times[text] = self._understood(stamp)
        return known

    def _understood(self, stamp: Stamp) -> _Time | str:
        day = day_of(stamp.numbers, stamp.era, self._order)
        word = stamp.word if not self._ignores_words or is_known(stamp.word) else ""
        hour, minute, second = hour_of(int(stamp.hour), word), int(stamp.minute), int(stamp.second or 0)
        if hour is None and word and not is_known(word):
            return "unknown_day_period"
        if day is None or hour is None or minute > 59 or second > 59:
            return "bad_time"
        local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=self._zone)
        at = local.astimezone(UTC)
        shown = f"{local:%Y%m%dT%H%M%S}" if stamp.second else f"{local:%Y%m%dT%H%M}"
        return _Time(at, at.isoformat(), shown)

    def _whose(self, line: str, start: int) -> tuple[str | None, str | None, int]:
        """The author's key, his side and where the body begins."""
        rest = line[start:]
        name, at = people.split(rest)
        if name is None:
            name, at = people.perhaps(rest)
            key = self._key(name) if name is not None else None
            return (key, self._sides[key], start + at) if key in self._sides else self._nobody(rest, start)
        key, body_at = self._key(name), start + at
        if line[body_at : body_at + 1] in MARKS:
            is_notice = notice(line[body_at:], people.cleaned(name))
            is_voice = self._chat.kind == "group" and people.is_same(self._chat.title or "", people.cleaned(name))
            if is_notice or (is_notice is None and (is_voice or key not in self._sides)):
                return None, "system", body_at
        return (key, self._sides[key], body_at) if key in self._sides else self._nobody(rest, start)

    def _nobody(self, rest: str, start: int) -> tuple[str | None, str | None, int]:
        customer = self._chat.customer_key
        if self._chat.kind == "private" and customer in self._sides and is_missed_call(rest):
            return customer, self._sides[customer], start
        return None, "system", start

    def _key(self, name: str) -> str:
        key = self._names.get(name)
        if key is None:
            if len(self._names) >= _REMEMBERED_NAMES:
                self._names.clear()
            key = self._names[name] = key_of(people.cleaned(name))
        return key


class Ordinals:
    """Numbers messages of one stamp as they stand in the file, for as many stamps as it remembers.

    Message keys of one stamp sort as text like the file; a message whose stamp is older than all that are remembered
    gets its line for a number, so no key comes twice.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._counts: dict[str, int] = {}
        self._forgotten = ""

    def key(self, stamp: str, line: int) -> str:
        """The key of the next message with that stamp."""
        counts = self._counts
        count = counts.get(stamp)
        if count is None:
            if stamp <= self._forgotten:
                return f"{stamp}-p{line:012d}"
            if len(counts) >= self._remembered:
                oldest = next(iter(counts))
                del counts[oldest]
                self._forgotten = max(self._forgotten, oldest)
                if stamp <= self._forgotten:
                    return f"{stamp}-p{line:012d}"
            count = 0
        counts[stamp] = count = count + 1
        return f"{stamp}-{count:04d}" if count < 10_000 else f"{stamp}-o{count:012d}"
