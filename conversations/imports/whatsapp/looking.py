"""The first look through an export: shapes of stamps, dates, names.

Here: one pass over the lines. Not here: what is concluded from it about dates (``.order``) and people (``.people``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from conversations.imports.survey import Chat, DateOrder, NotThisFormat, key_of
from conversations.imports.whatsapp import people
from conversations.imports.whatsapp.clock import hour_of
from conversations.imports.whatsapp.kinds import is_deleted_by_owner, notice, owner_texts
from conversations.imports.whatsapp.order import Evidence
from conversations.imports.whatsapp.prefix import Shape, Stamp, may_begin, quick_for, stamp_of

_WITHOUT_STAMP = 2_000
"""Lines at the start of a file without any stamp after which it is no export."""
_MOST_WORDS = 64
_OWNER_LENGTH = 60
MARKS = ("\u200e", "\u200f")
"""A body that starts with one was written by the phone, or a file of the phone stands in it."""


class Look:
    """What the lines of one shape show."""

    def __init__(self, shape: Shape, line: int, titled: re.Pattern[str] | None = None) -> None:
        self.shape, self.first_line, self._titled = shape, line, titled
        self.lines = 0
        self.evidence = Evidence()
        self.said: dict[str, int] = {}
        self.perhaps: dict[str, int] = {}
        self.voices: dict[str, int] = {}
        self.unclear: dict[str, int] = {}
        self.owners: set[str] = set()
        self.words: dict[str, int] = {}
        self.hours: set[str] = set()
        self.first_said = ""
        self.spans: dict[DateOrder, tuple[tuple[date, int, int, int], tuple[date, int, int, int]]] = {}
        self._numbers: tuple[str, str, str] | None = None
        self._is_said = False
        self._run: tuple[dict[DateOrder, date], Stamp] | None = None
        self.last_line = ""

    def see(self, stamp: Stamp, line: str, number: int) -> bool:
        """Take one stamped line; whether somebody wrote it."""
        self.lines += 1
        rest = line[stamp.end :]
        name, start = people.split(rest, self._titled)
        if name is None:
            self._nobody(rest)
        else:
            self._somebody(name, rest[start:], stamp)
        if stamp.numbers != self._numbers or (name is not None and not self._is_said):
            self.close()
            days = self.evidence.look(stamp.numbers, stamp.era, is_said=name is not None)
            self._numbers, self._is_said, self._run = stamp.numbers, name is not None, (days, stamp)
        self.last_line = line
        if stamp.word:
            self.see_word(stamp.word, stamp.hour, number)
        return name is not None

    def see_word(self, word: str, hour: str, number: int) -> None:
        """Take the word beside a time."""
        self.hours.add(hour)
        if word not in self.words and len(self.words) < _MOST_WORDS:
            self.words[word] = number

    def close(self) -> None:
        """Count the days of the run of lines with one date."""
        last = stamp_of(self.last_line)
        if self._run is None or last is None:
            return
        days, first = self._run
        for order, day in days.items():
            span = ((day, *_time(first)), (day, *_time(last)))
            known = self.spans.get(order, span)
            self.spans[order] = (min(known[0], *span), max(known[1], *span))
        self._run = None

    def _nobody(self, rest: str) -> None:
        name, _ = people.perhaps(rest)
        if name is not None and len(self.perhaps) < people.MOST_AUTHORS:
            self.perhaps[name] = self.perhaps.get(name, 0) + 1

    def _somebody(self, name: str, body: str, stamp: Stamp) -> None:
        if body[:1] in MARKS and body:
            is_notice = notice(body, people.cleaned(name))
            if is_notice is not False:
                counts = self.voices if is_notice else self.unclear
                counts[name] = counts.get(name, 0) + 1
                return
        if len(body) < _OWNER_LENGTH and is_deleted_by_owner(body):
            self.owners.add(name)
        self.said[name] = self.said.get(name, 0) + 1
        if not self.first_said:
            self.first_said = f"{stamp.numbers} {stamp.hour} {stamp.minute} {people.cleaned(name)}"
        elif len(self.said) > 2 * people.MOST_AUTHORS:
            raise NotThisFormat(f"more than {people.MOST_AUTHORS} different names of authors")

    def chat(self, title: str | None) -> Chat:
        """The chat with its authors.

        A name under which there are only unclear bodies after a mark is an author, unless the chat is called so.
        """
        authors = people.counted(self.said)
        alone: dict[str, int] = {}
        for name, count in [*self.unclear.items(), *self.perhaps.items()]:
            known = authors.get(key_of(people.cleaned(name)))
            if known is not None:
                known.messages += count
            elif (
                name in self.unclear
                and name not in self.voices
                and not people.is_same(title or "", people.cleaned(name))
            ):
                alone[name] = count
        authors.update(people.counted(alone))
        voices = [*self.voices, *(name for name in self.unclear if name not in alone)]
        strangers = filter(people.is_stranger, self.said)
        chat = people.chat_of(authors, title, voices, self.owners, self.first_said, strangers)
        chat.messages = sum(author.messages for author in authors.values())
        return chat

    def has_clock_of_24_hours(self) -> bool:
        """Whether an hour above 12 shows that the words beside the time do not say the half of the day."""
        return any(int(hour) > 12 for hour in self.hours)


def _time(stamp: Stamp) -> tuple[int, int, int]:
    return hour_of(int(stamp.hour), stamp.word) or 0, min(int(stamp.minute), 59), min(int(stamp.second or 0), 59)


def look_through(lines: Iterable[str], title: str | None = None) -> dict[Shape, Look]:
    """What the lines of every shape show; ``title``: of the chat, where it is known."""
    titled = people.named(title)
    looks: dict[Shape, Look] = {}
    owners = owner_texts()
    look, match, day_at, word_at, hour_at, day = None, None, 0, 0, 0, ""
    said: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if match is not None and look is not None:
            found = match(line)
            if found is not None:
                start = found.end()
                cut = line.find(": ", start)
                name = line[start:cut]
                # most lines: another message of one day by somebody who wrote before
                is_theirs = cut > 0 and name in said and found[day_at] == day
                if is_theirs and line[cut + 2 : cut + 3] in MARKS:
                    is_theirs = notice(line[cut + 2 :], people.cleaned(name)) is False
                if is_theirs:
                    said[name] += 1
                    look.lines += 1
                    look.last_line = line
                    if found[word_at]:
                        look.see_word(found[word_at], found[hour_at], number)
                    if len(line) - cut < _OWNER_LENGTH and line[cut + 2 :] in owners:
                        look.owners.add(name)
                    continue
        if not may_begin(line):
            if number >= _WITHOUT_STAMP and not looks:
                break
            continue
        stamp = stamp_of(line)
        if stamp is None:
            continue
        seen = looks.get(stamp.shape)
        if seen is None:
            seen = looks[stamp.shape] = Look(stamp.shape, number, titled)
        is_said = seen.see(stamp, line, number)
        if look is None or (seen is not look and seen.lines > 2 * look.lines) or match is None:
            look, said, day = seen, seen.said, ""
            short = quick_for(stamp, line)
            if short is not None:
                match, (day_at, word_at, hour_at, _, _) = short.pattern.match, short.groups
        if seen is look:
            found = match(line) if match is not None and is_said else None
            day = found[day_at] if found is not None else ""
    return looks
