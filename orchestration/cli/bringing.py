"""Exported chats and tables on the command line: brought one by one, or only shown as they are understood.

Here: one file's walk with its progress, what is printed of it. Not here: the loop over files and the old formats
(``importing``), the walk itself (``resources.imports.bring``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversations.imports.survey import Author, Choices, Settled, Survey, Undecided, settle
from conversations.messages import Imports, Words, number, reason
from conversations.parsing.flags import GONE_AT_SOURCE
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.lexicon import Lexicon
    from conversations.policy import Policy
    from conversations.records import Message
    from resources.imports.bring import Brought
    from resources.imports.formats import Found
    from resources.imports.opening import ImportedFile
    from resources.warehouse.engine import Warehouse

SHOWN_CHATS, SHOWN_PEOPLE, SHOWN_TALKS, SHOWN_MESSAGES, SHOWN_LETTERS = 20, 40, 3, 8, 90
LONGEST_LIST = 1024 * 1024
_HASH = re.compile("[0-9a-f]{16}")
"""What ``survey.key_of`` makes."""


def choices_of(
    managers: list[str], managers_file: Path | None, time_zone: str, date_order: str | None, chat: str | None
) -> Choices:
    """What was declared on the command line.

    Raises:
        CliError: a zone or an order that there is not, a list of managers that cannot be read.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CliError(Imports.TIME_ZONE.format(time_zone), EXIT_USAGE) from None
    if date_order not in (None, *Imports.ORDERS):
        raise CliError(Imports.DATE_ORDER.format(date_order), EXIT_USAGE)
    staff = {*managers, *(_listed(managers_file) if managers_file else ())}
    return Choices(time_zone, date_order, frozenset(staff), chat)  # type: ignore[arg-type]


def _listed(path: Path) -> list[str]:
    try:
        if path.stat().st_size > LONGEST_LIST:
            raise ValueError
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise CliError(Imports.MANAGERS_FILE.format(path), EXIT_USAGE) from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def opened(path: Path, found: Found, connection: str | None, choices: Choices, mapping: Path | None) -> ImportedFile:
    """The file, ready to be surveyed.

    Raises:
        BadImport: it or its mapping cannot be used.
    """
    from resources.imports.formats import open_import

    return open_import(path, connection, choices, mapping=mapping, found=found)


def store(file: ImportedFile, warehouse: Warehouse, policy: Policy, lexicon: Lexicon) -> Brought:
    """The whole walk of one file, with its progress.

    Raises:
        Busy, BadImport, Undecided, ConnectionTaken, WarehouseUnavailable: as ``bring``.
    """
    from resources.imports.bring import bring

    with screen.steps() as steps:

        def step(place: int) -> AbstractContextManager[Any]:
            return steps.step(Imports.STEPS[place])

        return bring(file, warehouse, policy, lexicon, steps=step)


def told(path: Path, file: ImportedFile, brought: Brought) -> dict[str, Any]:
    """What was done with the file, as JSON."""
    return {
        "file": path.name,
        "format": file.format,
        "connection": brought.connection_id,
        "state": "unchanged" if brought.is_unchanged else "done",
        "chats": brought.chats,
        "messages": brought.messages,
        "inserted": brought.inserted,
        "updated": brought.updated,
        "managers": brought.managers,
        "quarantined": brought.quarantined,
        "reasons": dict(brought.reasons),
        "first_at": _iso(brought.first_at),
        "last_at": _iso(brought.last_at),
    }


def show(path: Path, file: ImportedFile, brought: Brought) -> None:
    """Print what was done with the file, for a person."""
    if brought.is_unchanged:
        screen.say(Imports.ONE.format(path.name, Imports.UNCHANGED))
        return
    values = {
        "format": Imports.FORMATS[file.format],
        "chats": number(brought.chats),
        "messages": number(brought.messages),
        "span": Imports.span(brought.first_at, brought.last_at),
        "inserted": number(brought.inserted),
        "updated": number(brought.updated),
    }
    _show_figures(path, values, brought.reasons)
    if not brought.managers:
        screen.say(_nobody(brought.chats), style="bold yellow")


def dry_run(path: Path, file: ImportedFile, *, as_json: bool) -> dict[str, Any]:
    """Show how the file is understood and store nothing; returns the same as JSON.

    Raises:
        BadImport, Undecided: the file cannot be used, or not even be looked through as it is. That nobody was declared
            a manager is shown, not raised.
    """
    from resources.imports.bring import managers_of

    survey = file.survey()
    undecided: str | None = None
    settled: Mapping[str, Settled] = {}
    try:
        settled = settle(survey, file.choices)
    except Undecided as error:
        undecided = Imports.UNDECIDED[error.what].format(error.chats)
    known = _understood(file, settled) if undecided is None else _Understood(_messages(survey), None)
    if not as_json:
        _show_dry(path, file, survey, settled, known)
        if undecided or not managers_of(settled):
            screen.say(undecided or _nobody(len(survey.chats)), style="bold yellow")
        screen.say(Imports.DRY_RUN)
    return {
        "file": path.name,
        "format": file.format,
        "state": "dry_run",
        "undecided": undecided,
        "facts": survey.facts,
        "chats": [_chat(survey, key, settled.get(key)) for key in survey.chats],
        "messages": known.rows,
        "reasons": dict(sorted((known.reasons or {}).items())),
    }


@dataclass
class _Understood:
    """What a dry run found: how many rows, why some cannot be understood, the first messages of the first chats."""

    rows: int = 0
    reasons: Counter[str] | None = field(default_factory=Counter)
    """``None``: not looked at, since something must be declared first."""
    talks: dict[str, list[Message]] = field(default_factory=dict)

    def add(self, chat: str | None, message: Message) -> None:
        if chat is not None and (len(self.talks) < SHOWN_TALKS or chat in self.talks):
            talk = self.talks.setdefault(chat, [])
            if len(talk) < SHOWN_MESSAGES:
                talk.append(message)


def _understood(file: ImportedFile, settled: Mapping[str, Settled]) -> _Understood:
    from conversations.records import Message, Quarantined
    from conversations.source import RawRecord
    from resources.imports.source import ExportSource

    parser, epoch = file.parser(), datetime(1970, 1, 1, tzinfo=UTC)
    found, source = _Understood(), ExportSource(file, settled)
    reasons = found.reasons = Counter[str]()
    for stream in source.streams:
        for page in source.pages(stream, None, None):
            for row in page.rows:
                raw = RawRecord(file.connection_id, row.external_id, row.payload, epoch, None)
                for record in parser.parse(stream, raw):
                    if isinstance(record, Quarantined):
                        reasons[record.reason] += 1
                    elif isinstance(record, Message):
                        found.add(row.payload.get("chat"), record)
    found.rows = source.rows
    return found


def _show_dry(
    path: Path,
    file: ImportedFile,
    survey: Survey,
    settled: Mapping[str, Settled],
    known: _Understood,
) -> None:
    order = survey.facts.get("date_order")
    values = {
        "format": Imports.FORMATS[file.format],
        "chats": number(len(survey.chats)),
        "messages": number(known.rows),
        "span": Imports.span(*_span(survey)),
    }
    if order is not None:
        values["date_order"] = Imports.ORDERS.get(str(order), str(order))
    _show_figures(path, values, known.reasons)
    rows = list(_people(survey, settled))
    columns = [(Imports.CHAT, "left"), (Imports.AUTHOR, "left"), (Imports.SIDE, "left"), (Imports.COUNT, "right")]
    screen.show(screen.table(Imports.CHATS, columns, rows))
    if len(survey.chats) > SHOWN_CHATS:
        screen.say(Imports.more_chats(len(survey.chats) - SHOWN_CHATS))
    for key, messages in known.talks.items():
        chat = settled[key].chat
        lines = [_line(message, settled[key]) for message in messages]
        columns = [(Imports.WHEN, "left"), (Imports.SIDE, "left"), (Imports.WHO, "left"), (Imports.TEXT, "left")]
        screen.show(screen.table(Imports.TALK.format(_title(chat.title)), columns, lines))


def _people(survey: Survey, settled: Mapping[str, Settled]) -> Iterator[tuple[str, ...]]:
    left = SHOWN_PEOPLE
    for chat in list(survey.chats.values())[:SHOWN_CHATS]:
        title = _title(chat.title)
        for author in sorted(chat.authors.values(), key=lambda one: -one.messages)[:left]:
            side = settled[chat.key].sides[author.key] if chat.key in settled else author.side
            yield title, _name(author), Imports.SIDES[side], number(author.messages)
            left -= 1
            title = ""


def _line(message: Message, settled: Settled) -> tuple[str, ...]:
    author = (message.manager_id or message.customer_id or "").rsplit(":", 1)[-1]
    person = settled.chat.authors.get(author)
    side = message.sender_kind if message.sender_kind in Imports.SIDES else "system"
    text = message.text if message.text is not None else f"[{_without_text(message)}]"
    when = f"{message.sent_at.astimezone(UTC):%d.%m.%Y %H:%M}" if message.sent_at else Imports.NO_TIME
    shown = " ".join(text.split())
    name = _name(person) if person else ""
    return when, Imports.SIDES[side], name, shown[:SHOWN_LETTERS] + "…" * (len(shown) > SHOWN_LETTERS)


def _without_text(message: Message) -> str:
    is_gone = GONE_AT_SOURCE in message.flags
    return Imports.DELETED if is_gone else Words.CONTENTS.get(message.content_kind, message.content_kind)


def _nobody(chats: int) -> str:
    return Imports.NO_MANAGERS if chats else Imports.NO_CHATS


def _name(author: Author) -> str:
    """His name, else his id; the hash that stands for both says nothing to anybody."""
    return author.name or (Imports.NAMELESS if _HASH.fullmatch(author.key) else author.key)


def _show_figures(path: Path, values: Mapping[str, str], reasons: Mapping[str, int] | None) -> None:
    rows = [(Imports.LABELS[key], value) for key, value in values.items()]
    if reasons is not None:
        rows.append((Imports.LABELS["quarantined"], number(sum(reasons.values())) if reasons else Imports.NOTHING))
        rows += [(f"  {reason(code)}", number(count)) for code, count in reasons.items()]
    screen.show(screen.table(path.name, [("", "left"), ("", "right")], rows))


def _chat(survey: Survey, key: str, settled: Settled | None) -> dict[str, Any]:
    chat = survey.chats[key]
    people = [
        {
            "key": one.key,
            "name": one.name,
            "side": settled.sides[one.key] if settled else one.side,
            "messages": one.messages,
        }
        for one in chat.authors.values()
    ]
    return {
        "title": chat.title,
        "kind": chat.kind,
        "messages": chat.messages,
        "first_at": _iso(chat.first_at),
        "last_at": _iso(chat.last_at),
        "flags": sorted(chat.flags),
        "people": people,
    }


def _messages(survey: Survey) -> int:
    return sum(chat.messages for chat in survey.chats.values())


def _span(survey: Survey) -> tuple[datetime | None, datetime | None]:
    from resources.imports.bring import span_of

    return span_of(survey)


def _title(title: str | None) -> str:
    return title or Imports.UNTITLED


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
