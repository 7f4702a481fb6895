"""A kind of file of the tests' own, and files of it: lines ``instant|author|text``.

Here: the smallest reader there can be, so that storing can be tested without any real format. A line without an instant
is a message without a time, a line that is no triple is a problem.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from conversations.imports.survey import Author, Chat, Choices, NotThisFormat, Settled, Survey, key_of
from conversations.parsing.imported import ImportedParser, Meant
from conversations.source import RawRow
from resources.imports.opening import Counted, ImportedFile, content_hash, look_at, opened
from resources.imports.text import lines

SOURCE = "whatsapp_export"
STAFF = frozenset({"Лавка"})


class TinyReader:
    """One chat for a file, whose title is declared."""

    def survey(self, units: Iterable[str], choices: Choices) -> Survey:
        chat = Chat(key_of(choices.chat or ""), choices.chat, "group")
        for number, line in enumerate(units, 1):
            if line.startswith("#"):
                raise NotThisFormat(f"line {number}")
            parts = line.split("|")
            chat.messages += 1
            if len(parts) != 3:
                continue
            author = chat.authors.setdefault(key_of(parts[1]), Author(key_of(parts[1]), parts[1]))
            author.messages += 1
            if parts[0]:
                at = _instant(parts[0], choices)
                chat.first_at, chat.last_at = min(chat.first_at or at, at), max(chat.last_at or at, at)
        return Survey({chat.key: chat})

    def rows(self, units: Iterable[str], chats: Mapping[str, Settled], choices: Choices) -> Iterator[RawRow]:
        (settled,) = chats.values()
        chat = settled.chat.key
        for number, line in enumerate(units, 1):
            payload: dict[str, Any] = {"chat": chat, "position": number, "original": line, "at": None, "author": None}
            parts = line.split("|")
            if len(parts) != 3:
                yield RawRow(f"{chat}:problem-{number}", {**payload, "side": None, "problem": "no_stamp"}, None, None)
                continue
            at, name, text = parts
            at = _instant(at, choices).isoformat() if at else at
            key = key_of(name)
            payload |= {"at": at or None, "author": key, "side": settled.sides[key], "text": text}
            event_at = datetime.fromisoformat(at) if at else None
            yield RawRow(f"{chat}:{at}-{key}-{key_of(text)}", payload, event_at, None)


def _instant(text: str, choices: Choices) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(month=at.day, day=at.month) if choices.date_order == "mdy" else at


def meaning(payload: Mapping[str, Any]) -> Meant:
    return Meant(payload["text"])


def tiny_file(
    path: Path,
    connection_id: str = "files",
    *,
    chat: str = "Анна",
    staff: frozenset[str] = STAFF,
    version: str = "1",
    date_order: Literal["mdy"] | None = None,
) -> ImportedFile:
    """The file at ``path`` as one of this kind; ``mdy`` takes its months for days."""

    @contextlib.contextmanager
    def units(counted: Counted) -> Iterator[Iterator[str]]:
        with opened(path, connection_id) as file:
            yield lines(counted.over(file), connection_id)

    return ImportedFile(
        connection_id=connection_id,
        format="tiny",
        source=SOURCE,
        paths=(path,),
        sha256=content_hash((path,), connection_id),
        seen=(look_at(path, connection_id),),
        reader=TinyReader(),
        parser=lambda: ImportedParser("whatsapp", "WhatsApp", meaning),
        choices=Choices(chat=chat, staff=staff, date_order=date_order),
        open_units=units,
        version=version,
    )


def talk(messages: int, *, day: int = 2, asks: str = "Анна", answers: str = "Лавка") -> list[str]:
    """Lines of a talk: questions and answers in turn, one a minute from 10:00 in Moscow, of a working day."""
    began = datetime(2026, 2, day, 7, tzinfo=UTC)
    return [
        f"{(began + timedelta(minutes=n)).isoformat()}|{(asks, answers)[n % 2]}|слово {n}?" for n in range(messages)
    ]


def written(path: Path, rows: Iterable[str]) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return path
