"""The first look through an export: shapes of stamps, dates, names.

Here: one pass over the lines. Not here: what is concluded from it about dates (``.order``) and people (``.people``).
"""

from __future__ import annotations

from datetime import date

from conversations.imports.survey import Chat, DateOrder, NotThisFormat, key_of
from conversations.imports.whatsapp import people
from conversations.imports.whatsapp.clock import hour_of
from conversations.imports.whatsapp.kinds import is_deleted_by_owner, notice
from conversations.imports.whatsapp.order import Evidence
from conversations.imports.whatsapp.prefix import Shape, Stamp

_MOST_WORDS = 64
_OWNER_LENGTH = 60
MARKS = ("\u200e", "\u200f")
"""A body that starts with one was written by the phone, or a file of the phone stands in it."""


class Look:
    """What the lines of one shape show."""

    def __init__(self, shape: Shape, line: int) -> None:
        self.shape, self.first_line = shape, line
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
        self._last: Stamp | None = None

    def see(self, stamp: Stamp, rest: str, line: int) -> None:
        """Take one stamped line; ``rest`` is what follows the stamp."""
        self.lines += 1
        name, start = people.split(rest)
        if name is None:
            self._nobody(rest)
        else:
            self._somebody(name, rest[start:], stamp)
        if stamp.numbers != self._numbers or (name is not None and not self._is_said):
            self.close()
            days = self.evidence.look(stamp.numbers, stamp.era, is_said=name is not None)
            self._numbers, self._is_said, self._run = stamp.numbers, name is not None, (days, stamp)
        self._last = stamp
        if stamp.word:
            self.hours.add(stamp.hour)
            if stamp.word not in self.words and len(self.words) < _MOST_WORDS:
                self.words[stamp.word] = line

    def close(self) -> None:
        """Count the days of the run of lines with one date."""
        if self._run is None or self._last is None:
            return
        days, first = self._run
        for order, day in days.items():
            span = ((day, *_time(first)), (day, *_time(self._last)))
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
        chat = people.chat_of(authors, title, voices, self.owners, self.first_said)
        chat.messages = sum(author.messages for author in authors.values())
        return chat

    def has_clock_of_24_hours(self) -> bool:
        """Whether an hour above 12 shows that the words beside the time do not say the half of the day."""
        return any(int(hour) > 12 for hour in self.hours)


def _time(stamp: Stamp) -> tuple[int, int, int]:
    return hour_of(int(stamp.hour), stamp.word) or 0, int(stamp.minute), int(stamp.second or 0)
