"""A page's rows made fit for the raw tables: one version per id, canonical JSON, its hash, a line for ``COPY``.

Here: pure functions. Not here: the tables (``land``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from conversations.source import RawRow
from resources.warehouse.copy_text import NULL, escape

FLAGS_KEY = "_otklik"
"""Added to a payload whose text had to be changed: ``{"flags": ["nul_replaced"]}``."""
_REPLACEMENT = "\ufffd"
_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""What only looks like JSON is refused."""
COLUMNS = ("external_id", "event_at", "updated_at", "first_event_at", "payload_hash", "payload")


class UnfitRow(ValueError):
    """A row that no table can hold. The text says what is wrong and holds nothing of the row but its id."""


class Candidate(NamedTuple):
    """The row of one id that a page leaves, before it is made fit."""

    external_id: str
    """As the tables can hold it."""
    row: RawRow
    first_event_at: datetime | None
    """``event_at`` of the earliest version on the page."""


class Version(NamedTuple):
    """A row made fit for the tables."""

    external_id: str
    event_at: datetime | None
    updated_at: datetime | None
    payload: bytes
    """Canonical JSON, UTF-8."""
    payload_hash: bytes
    """SHA-256 of ``payload``."""
    first_event_at: datetime | None


def latest_rows(rows: Iterable[RawRow]) -> dict[str, Candidate]:
    """One row per id: of several the one with the latest ``updated_at``, and of equal ones the last.

    Raises:
        UnfitRow: a row without an id, with an instant without a zone, or whose payload is no object.
    """
    latest: dict[str, RawRow] = {}
    first: dict[str, RawRow] = {}
    for row in rows:
        _check(row)
        known = latest.get(row.external_id)
        if known is None:
            latest[row.external_id] = row
            continue
        earliest = first.setdefault(row.external_id, known)
        if known.updated_at is None or row.updated_at is None or row.updated_at >= known.updated_at:
            latest[row.external_id] = row
        if earliest.updated_at is not None and row.updated_at is not None and row.updated_at < earliest.updated_at:
            first[row.external_id] = row
    found = {}
    for external_id, row in latest.items():
        clean = external_id if external_id.isascii() and "\x00" not in external_id else _clean_text(external_id)
        found[clean] = Candidate(clean, row, first.get(external_id, row).event_at)
    return found


def version_of(candidate: Candidate) -> Version:
    """The row with its payload as canonical JSON.

    Raises:
        UnfitRow: a payload that is no JSON.
    """
    row = candidate.row
    payload = canonical_json(row)
    digest = hashlib.sha256(payload).digest()
    return Version(candidate.external_id, row.event_at, row.updated_at, payload, digest, candidate.first_event_at)


def is_newer(version: Version, payload_hash: bytes, event_at: datetime | None, updated_at: datetime | None) -> bool:
    """Whether a version differs from the stored one and is not older: the condition of the upsert, in words of ours."""
    is_same = (version.payload_hash, version.event_at, version.updated_at) == (payload_hash, event_at, updated_at)
    if is_same:
        return False
    return version.updated_at is None or updated_at is None or version.updated_at >= updated_at


def canonical_json(row: RawRow) -> bytes:
    """The payload as JSON with sorted keys and without what PostgreSQL cannot hold: NUL and halves of surrogate pairs.

    A float that is no number does not occur: sources parse JSON strictly (``http``, ``files``).

    Raises:
        UnfitRow: no JSON, or nested too deeply.
    """
    try:
        text = _dump(row.payload)
        # an escaped backslash before u0000 is no NUL; the slow way then changes nothing
        if b"\\u0000" in text:
            cleaned = _clean(row.payload)
            if cleaned != row.payload:
                text = _dump({**cleaned, FLAGS_KEY: {"flags": ["nul_replaced"]}})
    except (TypeError, ValueError, RecursionError):
        raise UnfitRow(f"the payload of {row.external_id!r} is no JSON of bearable depth") from None
    return text


def copy_line(version: Version) -> bytes:
    """The columns of ``COLUMNS`` as the beginning of a line of ``COPY ... FROM STDIN`` in text format, no line end."""
    event = _instant(version.event_at)
    # most rows have one time for all three: an isoformat costs more than the question
    updated = event if version.updated_at is version.event_at else _instant(version.updated_at)
    first = event if version.first_event_at is version.event_at else _instant(version.first_event_at)
    # the hash is bytes in hex, whose backslash the format doubles
    head = f"{escape(version.external_id)}\t{event}\t{updated}\t{first}\t\\\\x{version.payload_hash.hex()}\t"
    return head.encode() + version.payload.replace(b"\\", b"\\\\")


def _instant(instant: datetime | None) -> str:
    return NULL if instant is None else instant.isoformat()


def _check(row: RawRow) -> None:
    if not isinstance(row.external_id, str) or not row.external_id:
        raise UnfitRow("it has no id")
    for instant in (row.event_at, row.updated_at):
        if instant is not None and instant.tzinfo is None:
            raise UnfitRow(f"a time of {row.external_id!r} has no zone")
    if not isinstance(row.payload, dict):
        raise UnfitRow(f"the payload of {row.external_id!r} is no object")


def _dump(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload, option=_OPTIONS)
    except TypeError:
        # integers of more than 64 bits, and halves of surrogate pairs, which no text can hold
        text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        if _is_unicode(text):
            return text.encode()
        cleaned = {**_clean(payload), FLAGS_KEY: {"flags": ["nul_replaced"]}}
        return _dump(cleaned)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return {_clean_text(key) if isinstance(key, str) else key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _clean_text(text: str) -> str:
    if "\x00" in text or not _is_unicode(text):
        text = text.replace("\x00", _REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
