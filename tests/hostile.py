"""Files that somebody made to do harm, or that broke on their way (promise F25): one function per file, invented.

Here: making them. Not here: what must be said of each (``tests/unit/test_archives.py``, ``tests/cli``). They are small
on the disk; what they would become is not.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

CHAT = "01.02.2026, 10:00 - Анна: здравствуйте\n01.02.2026, 10:05 - Лавка: добрый день\n13.02.2026, 11:00 - Анна: ау\n"
"""A chat that can be imported: day first is proved by the 13th."""
MEBIBYTE = 1024 * 1024


def chat(path: Path, text: str = CHAT) -> Path:
    path.write_text(text, "utf-8")
    return path


def archive(path: Path, *members: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as packing:
        for name, content in members:
            packing.writestr(zipfile.ZipInfo(name), content, method)
    return path


def bomb(path: Path, mebibytes: int = 128) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packing, packing.open("_chat.txt", "w") as member:
        for _ in range(mebibytes):
            member.write(bytes(MEBIBYTE))
    return path


def lying_bomb(path: Path, mebibytes: int = 128) -> Path:
    """The list of members says that it is small."""
    content = bytearray(bomb(path, mebibytes).read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    return path


def many(path: Path, entries: int = 20_000) -> Path:
    return archive(path, ("_chat.txt", CHAT), *((f"{n}.jpg", b"") for n in range(entries)), method=zipfile.ZIP_STORED)


def endless_directory(path: Path, mebibytes: int = 600) -> Path:
    """A list of members that would fill the memory; on the disk it is a hole."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, mebibytes * MEBIBYTE, 4, 0)
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(4 + mebibytes * MEBIBYTE)
        file.seek(0, os.SEEK_END)
        file.write(end)
    return path


def link(path: Path) -> Path:
    info = zipfile.ZipInfo("_chat.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as packing:
        packing.writestr(info, "/etc/passwd")
    return path


def encrypted(path: Path) -> Path:
    content = bytearray(archive(path, ("_chat.txt", CHAT)).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    return path


def duplicates(path: Path) -> Path:
    content = archive(path, ("_chat.txt", CHAT), ("_chaT.txt", CHAT)).read_bytes()
    path.write_bytes(content.replace(b"_chaT.txt", b"_chat.txt"))
    return path


def flipped(path: Path) -> Path:
    """A byte of the packed text was changed on the way."""
    content = bytearray(archive(path, ("_chat.txt", CHAT * 50), method=zipfile.ZIP_STORED).read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    return path


def cut(path: Path) -> Path:
    content = archive(path, ("_chat.txt", CHAT * 50)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def nested(path: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packing:
        packing.writestr("_chat.txt", CHAT)
    return archive(path, ("one.zip", inner.getvalue()), ("two.zip", inner.getvalue()))


def long_line(path: Path, mebibytes: int = 10) -> Path:
    path.write_text(CHAT + "01.02.2026, 10:06 - Анна: " + "ы" * (mebibytes * MEBIBYTE // 2) + "\n" + CHAT, "utf-8")
    return path


def deep_json(path: Path, depth: int = 200_000) -> Path:
    path.write_text('{"name": "x", "type": "personal_chat", "id": 1, "messages": ' + "[" * depth, "utf-8")
    return path


def bytes_of(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
