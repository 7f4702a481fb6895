"""What kind of file it is, by its content, and the reader that goes with it.

Here: telling kinds apart, finding the chat in an archive, putting reader, units and parser together. Not here: what a
kind looks like inside (``conversations.imports``), decoding (``text``, ``telegram_json``, ``telegram_html``,
``tables``).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from conversations.imports.survey import Choices
from resources.imports.archives import Archive, open_archive
from resources.imports.errors import BadImport
from resources.imports.opening import Counted, ImportedFile, Units, content_hash, look_at, opened
from resources.imports.text import HEAD, encoding_of, lines

AUTO, WHATSAPP, TELEGRAM, TABLE = "auto", "whatsapp", "telegram", "table"
EXPORTS = (WHATSAPP, TELEGRAM, TABLE)
SOURCES = {WHATSAPP: "whatsapp_export", TELEGRAM: "telegram_export", TABLE: "table_import"}
"""Format to the source that names the raw tables, and the connection where none is named."""
VERSIONS = {WHATSAPP: "1", TELEGRAM: "1", TABLE: "1"}
"""To be raised when a reader reads the same file differently: imported files are then read again."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_JSON = re.compile(r"\s*(?:\{|\[\s*[\"{\[])")
_DATED = re.compile(r"^[\W_]{0,4}\d{1,4}\D{1,3}\d{1,2}\D{1,3}\d{1,4}", re.MULTILINE)
"""Three numbers at the beginning of some line: what no text has less of than an exported chat."""
_DOCUMENTS = {"twitter-care": '"dialogHeader"', "abcd": '"convo_id"', "harper-valley": '"human_transcript"'}
"""Keys that show which list of objects it is."""
_CALL = '"ConversationAnalytics"'
_TELEGRAM_KEYS = ('"messages"', '"chats"', '"left_chats"', '"personal_information"')
_PAGE = re.compile(r"messages(\d*)\.html")
_LIST = "lists/chats.html"
MOST_PAGES = 20_000
"""Of an export in HTML: a thousand messages a page."""
LARGEST_MAPPING = 1024 * 1024
_PACKED = re.compile(r"\.(zip|rar|7z|gz|tgz|tar)$", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What a file turned out to be."""

    format: str
    shape: str
    """``text``, ``json``, ``html``, ``table``, ``document`` (a format of ``conversations.parsing.formats``)."""
    paths: tuple[Path, ...]
    members: tuple[str, ...] = ()
    """Of the archive, in order; empty: the file itself."""


def recognise(path: Path, connection_id: str, wanted: str = AUTO, *, has_mapping: bool = False) -> Found:
    """Tell what kind of file it is. A folder stands for the export of Telegram in it.

    Raises:
        BadImport: it is none that can be imported, or not the wanted one; or it cannot be read.
    """
    path = _in_folder(path, connection_id)
    look_at(path, connection_id)
    if wanted == TABLE or (has_mapping and wanted == AUTO):
        if not has_mapping:
            raise BadImport(connection_id, "needs_mapping")
        return Found(TABLE, "table", (path,))
    with opened(path, connection_id) as file:
        head = file.read(HEAD)
        if head.startswith(_ZIP):
            file.seek(0)
            with open_archive(file, connection_id) as archive:
                return _in_archive(path, archive, connection_id, wanted)
    if head.startswith(b"PAR1"):
        raise BadImport(connection_id, "needs_mapping")
    encoding, mark = encoding_of(head, connection_id)
    text = head[mark:].decode(encoding, "replace")
    if wanted == WHATSAPP:
        return Found(WHATSAPP, "text", (path,))
    if text.lstrip().startswith("<"):
        return Found(TELEGRAM, "html", _pages_beside(path, connection_id))
    if _JSON.match(text) or wanted == TELEGRAM:
        return _document(path, text, connection_id, wanted)
    if _DATED.search(text):
        return Found(WHATSAPP, "text", (path,))
    raise BadImport(connection_id, "unknown_format")


def open_import(
    path: Path,
    connection_id: str | None,
    choices: Choices,
    *,
    wanted: str = AUTO,
    mapping: Path | None = None,
    found: Found | None = None,
) -> ImportedFile:
    """A file ready to be surveyed and brought; ``found`` is what ``recognise`` said of it, if it was asked.

    The title of a chat that the file does not name is taken from the name of the file, unless it was declared.

    Raises:
        BadImport: as ``recognise``; the mapping cannot be used.
    """
    known = found or recognise(path, connection_id or wanted, wanted, has_mapping=mapping is not None)
    one = connection_id or SOURCES[known.format]
    make = {WHATSAPP: _whatsapp, TELEGRAM: _telegram, TABLE: _table}[known.format]
    return make(known, one, choices, mapping)


def _in_folder(path: Path, connection_id: str) -> Path:
    if not path.is_dir():
        return path
    for name in ("result.json", "messages.html", _LIST):
        if (path / name).is_file():
            return path / name
    raise BadImport(connection_id, "no_file")


def _document(path: Path, text: str, connection_id: str, wanted: str) -> Found:
    if wanted == TELEGRAM:
        return Found(TELEGRAM, "json", (path,))
    if text.lstrip().startswith("["):
        for name, key in _DOCUMENTS.items():
            if key in text:
                return Found(name, "document", (path,))
    elif _CALL in text:
        return Found("call-analytics", "document", (path,))
    elif any(key in text for key in _TELEGRAM_KEYS):
        return Found(TELEGRAM, "json", (path,))
    raise BadImport(connection_id, "unknown_format")


def _pages_beside(path: Path, connection_id: str) -> tuple[Path, ...]:
    """The pages of a chat lie in one folder: ``messages.html``, ``messages2.html`` ...; those of a whole account in
    ``chats/chat_001`` ..., and their list in ``lists/chats.html``."""
    if path.as_posix().endswith(f"/{_LIST}"):
        found = [path, *path.parent.parent.glob("chats/*/messages*.html")]
    elif path.name == "messages.html":
        found = list(path.parent.glob("messages*.html"))
    else:
        return (path,)
    # only the file that somebody named may be a link: what lies beside it must not lead elsewhere
    beside = [one for one in found if _PAGE.fullmatch(one.name) and not (one.is_symlink() or one.parent.is_symlink())]
    pages = sorted({(str(one.parent), _page(one.name), one) for one in [*beside, path]})
    if len(pages) > MOST_PAGES:
        raise BadImport(connection_id, "too_large", f"{len(pages)} pages")
    return tuple(one for _, _, one in pages)


def _page(name: str) -> int:
    found = _PAGE.fullmatch(_base(name))
    return int(found[1] or 1) if found else 0


def _in_archive(path: Path, archive: Archive, connection_id: str, wanted: str) -> Found:
    names = [name for name in archive.members if not name.startswith("__MACOSX/") and not _base(name).startswith("._")]
    if "[Content_Types].xml" in names:
        raise BadImport(connection_id, "needs_mapping")
    if wanted != WHATSAPP:
        results = [name for name in names if _base(name) == "result.json"]
        if results:
            return Found(TELEGRAM, "json", (path,), (_only(results, connection_id),))
        pages = [name for name in names if _PAGE.fullmatch(_base(name))]
        if pages:
            pages.sort(key=lambda name: (name.rpartition("/")[0], _page(name)))
            lists = [name for name in names if f"/{name}".endswith(f"/{_LIST}")]
            return Found(TELEGRAM, "html", (path,), (*lists, *pages))
    if wanted != TELEGRAM:
        texts = [name for name in names if name.lower().endswith(".txt")]
        if texts:
            return Found(WHATSAPP, "text", (path,), (_chat_of(texts, connection_id),))
    if names and all(_PACKED.search(name) for name in names):
        raise BadImport(connection_id, "archive_nested")
    raise BadImport(connection_id, "archive_nothing")


def _chat_of(texts: list[str], connection_id: str) -> str:
    """The exported chat among the texts of an archive: people send each other text files, too."""
    from conversations.imports.whatsapp import title_of

    own = [name for name in texts if _base(name) == "_chat.txt"]
    return _only(own or [name for name in texts if title_of(_base(name)) is not None] or texts, connection_id)


def _only(names: list[str], connection_id: str) -> str:
    if len(names) > 1:
        raise BadImport(connection_id, "archive_several", f"{len(names)} chats")
    return names[0]


def _base(name: str) -> str:
    return name.rpartition("/")[2]


@contextlib.contextmanager
def _stream(path: Path, member: str | None, connection_id: str, counted: Counted) -> Iterator[BinaryIO]:
    with opened(path, connection_id) as file:
        if member is None:
            yield counted.over(file)
            return
        with open_archive(file, connection_id) as archive, archive.open(member) as unpacked:
            yield counted.over(unpacked)


def _made(found: Found, connection_id: str, choices: Choices, **more: Any) -> ImportedFile:
    return ImportedFile(
        connection_id=connection_id,
        format=found.format,
        source=SOURCES[found.format],
        paths=found.paths,
        seen=tuple(look_at(path, connection_id) for path in found.paths),
        sha256=content_hash(found.paths, connection_id),
        choices=choices,
        **{"version": VERSIONS[found.format], **more},
    )


def _whatsapp(found: Found, connection_id: str, choices: Choices, mapping: Path | None) -> ImportedFile:
    from conversations.imports.whatsapp import WhatsAppReader, meaning, title_of
    from conversations.parsing.imported import ImportedParser

    (path,) = found.paths
    member = found.members[0] if found.members else None
    if choices.chat is None:
        title = title_of(_base(member)) if member else None
        choices = replace(choices, chat=title or title_of(path.name))

    @contextlib.contextmanager
    def units(counted: Counted) -> Iterator[Iterator[str]]:
        with _stream(path, member, connection_id, counted) as stream:
            yield lines(stream, connection_id)

    return _made(
        found, connection_id, choices,
        reader=WhatsAppReader(), open_units=units, parser=lambda: ImportedParser("whatsapp", "WhatsApp", meaning),
    )  # fmt: skip


def _telegram(found: Found, connection_id: str, choices: Choices, mapping: Path | None) -> ImportedFile:
    from conversations.imports.telegram import TelegramReader, is_person_id, is_vendor_key, meaning
    from conversations.parsing.imported import ImportedParser

    units = _telegram_html if found.shape == "html" else _telegram_json
    return _made(
        found, connection_id, choices,
        reader=TelegramReader(),
        open_units=units(found, connection_id),
        parser=lambda: ImportedParser(
            "telegram", "Telegram", meaning, has_person_ids=is_person_id, is_vendor_key=is_vendor_key
        ),
    )  # fmt: skip


def _telegram_json(found: Found, connection_id: str) -> Units:
    from resources.imports.telegram_json import TelegramJson

    (path,) = found.paths
    member = found.members[0] if found.members else None

    @contextlib.contextmanager
    def units(counted: Counted) -> Iterator[Iterator[Any]]:
        yield TelegramJson(lambda: _stream(path, member, connection_id, counted)).units()

    return units


def _telegram_html(found: Found, connection_id: str) -> Units:
    from resources.imports.telegram_html import TelegramHtml

    @contextlib.contextmanager
    def units(counted: Counted) -> Iterator[Iterator[Any]]:
        if not found.members:
            pages = [(str(path), partial(_stream, path, None, connection_id, counted)) for path in found.paths]
            yield TelegramHtml(pages).units()
            return
        with opened(found.paths[0], connection_id) as file, open_archive(file, connection_id) as archive:
            yield TelegramHtml([(name, partial(_member, archive, name, counted)) for name in found.members]).units()

    return units


@contextlib.contextmanager
def _member(archive: Archive, name: str, counted: Counted) -> Iterator[BinaryIO]:
    with archive.open(name) as unpacked:
        yield counted.over(unpacked)


def _table(found: Found, connection_id: str, choices: Choices, mapping: Path | None) -> ImportedFile:
    from conversations.imports.tables import MappingError, TableMapping, TableReader, is_person_id, meaning
    from conversations.messages import Imports
    from conversations.parsing.imported import ImportedParser
    from resources.imports.tables import table_units

    (path,) = found.paths
    if mapping is None:
        raise BadImport(connection_id, "needs_mapping")
    try:
        declared = TableMapping.parse(_small_text(mapping, connection_id))
    except MappingError as error:
        raise BadImport(connection_id, "bad_mapping", str(error)) from None

    @contextlib.contextmanager
    def units(counted: Counted) -> Iterator[Iterator[Any]]:
        with table_units(path, declared, connection_id, counted) as rows:
            yield rows

    return _made(
        found, connection_id, replace(choices, staff=choices.staff | frozenset(declared.staff)),
        reader=TableReader(declared),
        open_units=units,
        version=f"{VERSIONS[TABLE]} {declared.version()}",
        parser=lambda: ImportedParser("file", Imports.FILE_CHANNEL, meaning, has_person_ids=is_person_id),
    )  # fmt: skip


def _small_text(path: Path, connection_id: str) -> str:
    """A file that a person wrote by hand."""
    try:
        with opened(path, connection_id) as file:
            return file.read(LARGEST_MAPPING).decode("utf-8-sig")
    except (UnicodeDecodeError, OSError):
        raise BadImport(connection_id, "bad_mapping", "it is no text in UTF-8") from None
