"""The rows of a Parquet file, streamed under a limit of memory. Not here: what a column means.

DuckDB reads the file and nothing else: it may open no other, load no extension and write nowhere. Names of columns are
data: the statement is made of numbers only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from conversations.imports.survey import NotThisFormat
from resources.imports.opening import Counted

MEMORY = "128MiB"
MOST_COLUMNS = 2_000
_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = "TIMESTAMP WITH TIME ZONE"
_CONFIG = {
    "threads": "1",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextlib.contextmanager
def parquet_rows(file: BinaryIO, counted: Counted) -> Iterator[Iterator[tuple[int, Any]]]:
    """Row 0 holds the names of the columns, then every row with its number.

    Raises:
        NotThisFormat: no Parquet, damaged, or a column of it does not fit into the memory that it may have.
    """
    import duckdb

    with contextlib.ExitStack() as stack:
        try:
            session = stack.enter_context(duckdb.connect(":memory:", config={"memory_limit": MEMORY, **_CONFIG}))
            # the open file, not its name: in a name, * and [ would mean others
            place = f"/dev/fd/{file.fileno()}"
            session.execute("set allowed_paths = ?", [[place]])
            session.execute("set enable_external_access = false")
            session.execute("set lock_configuration = true")
            columns = session.execute("describe select * from read_parquet(?)", [place]).fetchall()
        except duckdb.Error as error:
            raise _told(error) from None
        if len(columns) > MOST_COLUMNS:
            raise NotThisFormat(f"more than {MOST_COLUMNS} columns")
        yield _rows(session, place, [(str(name), str(kind)) for name, kind, *_ in columns], counted)


def _rows(session: Any, place: str, columns: list[tuple[str, str]], counted: Counted) -> Iterator[tuple[int, Any]]:
    import duckdb

    names = [f"c{number}" for number in range(len(columns))]
    # instants as microseconds: as times they need one more library, and infinite ones have none
    taken = [_taken(name, kind) for name, (_, kind) in zip(names, columns, strict=True)]
    statement = f"select {', '.join(taken)} from read_parquet(?) as t({', '.join(names)})"  # noqa: S608
    instants = [number for number, (_, kind) in enumerate(columns) if kind == _INSTANT]
    yield 0, [name for name, _ in columns]
    number = 0
    try:
        answer = session.execute(statement, [place])
        while batch := answer.fetchmany(_BATCH):
            for found in batch:
                number += 1
                row = list(found)
                for at in instants:
                    row[at] = _instant(row[at])
                counted.position += sum(len(one) for one in row if isinstance(one, str | bytes))
                yield number, row
    except duckdb.Error as error:
        raise _told(error) from None
    except (OverflowError, ValueError):
        raise NotThisFormat(f"row {number + 1} holds a time that there is not") from None


def _taken(name: str, kind: str) -> str:
    if kind == _INSTANT:
        return f"case when isfinite({name}) then epoch_us({name}) end"
    # nested ones and times of day with a zone
    return f"{name}::varchar" if "WITH TIME ZONE" in kind else name


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


def _told(error: Exception) -> NotThisFormat:
    import duckdb

    if isinstance(error, duckdb.OutOfMemoryException):
        return NotThisFormat(f"its row groups need more than {MEMORY} of memory: write it with smaller ones")
    return NotThisFormat("it is no Parquet file or damaged")
