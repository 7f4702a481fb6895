"""The drop folder: a folder for each connection, in it files and what was declared about them.

Here: which files lie there, what ``import.yaml`` says, finding a file again by its content. Not here: who looks when
(``orchestration.drop_folder``), the import (``bring``). Names of files are names of people often enough: outside this
module a file is known by hashes.

    <OTKLIK_IMPORT_DIR>/<connection>/import.yaml
    <OTKLIK_IMPORT_DIR>/<connection>/<any name>
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from conversations.imports.survey import Choices, Undecided
from conversations.keyed import PersonKeys
from resources.imports.errors import BadImport
from resources.imports.formats import open_import
from resources.imports.opening import ImportedFile, content_hash

SETTINGS = "import.yaml"
LARGEST_SETTINGS = 256 * 1024
MOST_FILES = 10_000
NAME = re.compile(r"[\w.-]{1,64}")
"""As ``otklik connect`` names accounts."""
_PASSED_OVER = re.compile(r"(^\.)|(\.(part|tmp|crdownload|partial|ya?ml)$)", re.IGNORECASE)
_LATER_PAGE = re.compile(r"messages\d+\.html")
KEY_DIGITS = 12
UNREADABLE = "it cannot be read"


class BadFolder(ValueError):
    """What was declared cannot be used; the text names the key, never a value."""


class Declared(BaseModel):
    """``import.yaml``: what is declared about all files of a folder."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal["auto", "whatsapp", "telegram", "table"] = "auto"
    connection: str | None = Field(None, pattern=rf"^{NAME.pattern}$")
    managers: list[str] = []
    time_zone: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    mapping: str | None = None
    """The name of a file beside this one."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (OSError, KeyError, ValueError):
                raise ValueError("there is no such time zone") from None
        return name

    @field_validator("mapping")
    @classmethod
    def _beside(cls, name: str | None) -> str | None:
        if name is not None and Path(name).name != name:
            raise ValueError("a file in the same folder, without a path")
        return name


@dataclass(frozen=True)
class Folder:
    """One folder of the drop folder, with what was declared about it."""

    path: Path
    connection_id: str
    declared: Declared
    declared_hash: str
    """Of ``import.yaml`` and the mapping: other words read the same files again."""

    def files(self) -> Iterator[Path]:
        """The files to be imported, by name. Links, hidden and half-copied files are passed over."""
        for number, path in enumerate(sorted(self.path.iterdir())):
            if number >= MOST_FILES:
                return
            if path.is_symlink() or not path.is_file() or _PASSED_OVER.search(path.name):
                continue
            if path.name == self.declared.mapping or _LATER_PAGE.fullmatch(path.name):
                continue
            yield path

    def name_key(self, path: Path, keys: PersonKeys) -> str:
        """What stands for a file's name in cursors and tags, which everybody sees who sees runs: a plain hash would
        tell a number that is part of the name."""
        return keys.name_key(self.path.name, path.name)

    def key_of(self, path: Path) -> str:
        """The partition of a file: its connection and the beginning of its content's hash.

        Raises:
            BadImport: it cannot be read.
        """
        return f"{self.connection_id}-{content_hash((path,), self.connection_id)[:KEY_DIGITS]}"

    def opened(self, path: Path, time_zone: str) -> ImportedFile:
        """The file, ready to be brought; ``time_zone`` is the organisation's.

        Raises:
            BadImport: it cannot be used.
        """
        declared = self.declared
        mapping = None if declared.mapping is None else self.path / declared.mapping
        choices = Choices(declared.time_zone or time_zone, declared.date_order, frozenset(declared.managers))
        return open_import(path, self.connection_id, choices, wanted=declared.format, mapping=mapping)


def folders(root: Path) -> tuple[list[Folder], dict[str, str]]:
    """The folders of the drop folder, and of those that cannot be used the reason, by name.

    Raises:
        OSError: the drop folder cannot be read.
    """
    found, refused = [], {}
    for path in sorted(root.iterdir()):
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        try:
            found.append(_folder(path))
        except BadFolder as error:
            refused[path.name] = str(error)
        except OSError:
            refused[path.name] = UNREADABLE
    return found, refused


def find(root: Path, key: str, name_key: str | None = None, keys: PersonKeys | None = None) -> tuple[Folder, Path]:
    """The file of a partition; ``name_key``, made with ``keys``, spares the reading of all others.

    Raises:
        BadImport: it is not there any more, or holds something else by now.
    """
    connection_id = key.rpartition("-")[0]
    known = [folder for folder in folders(root)[0] if folder.connection_id == connection_id]
    for folder in known:
        try:
            for path in folder.files():
                is_meant = name_key is None or keys is None or folder.name_key(path, keys) == name_key
                if is_meant and folder.key_of(path) == key:
                    return folder, path
        except OSError:
            raise BadImport(connection_id, "unreadable") from None
    if name_key is not None:
        return find(root, key)
    raise BadImport(connection_id, "missing")


def undecided(connection_id: str, error: Undecided) -> BadImport:
    """What was not declared, as a fault of the file."""
    return BadImport(connection_id, f"undecided_{error.what}", f"chats: {error.chats}")


def _folder(path: Path) -> Folder:
    text = _read(path / SETTINGS)
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        # days and numbers that there are not, and endless nesting, are no faults of YAML to the library
        raise BadFolder(f"{SETTINGS} is no YAML") from None
    try:
        declared = Declared.model_validate(said or {})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['type']}" for item in error.errors())
        raise BadFolder(f"{SETTINGS}: {wrong}") from None
    connection_id = declared.connection or path.name
    if not NAME.fullmatch(connection_id):
        raise BadFolder("the name of the folder cannot be that of a connection")
    mapping = _read(path / declared.mapping) if declared.mapping else b""
    if declared.mapping and not mapping:
        raise BadFolder("the mapping is not there")
    digest = hashlib.sha256(text + b"\x00" + mapping).hexdigest()
    return Folder(path, connection_id, declared, digest)


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        return b""
    try:
        if path.stat().st_size > LARGEST_SETTINGS:
            raise BadFolder(f"{SETTINGS} or the mapping is too large")
        return path.read_bytes()
    except OSError:
        raise BadFolder(f"{SETTINGS} or the mapping cannot be read") from None
