"""A page's rows made fit for the raw tables: one version per id, canonical JSON, its hash, its fields for ``COPY``.

Here: pure functions. Not here: the tables (``land``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from struct import Struct
from typing import Any, NamedTuple

import orjson

from conversations.source import RawRow
from resources.warehouse.copy_binary import INSTANT_BYTES, JSON_VERSION, instant, microseconds, text

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
COLUMNS = ("payload_hash", "event_at", "updated_at", "first_event_at", "external_id", "payload")
"""What ``copy_row`` writes, in its order: first what has one length in nearly every row and is packed at once."""
_DIGEST = hashlib.sha256().digest_size
_HASH = Struct(f">i{_DIGEST}s")
_HEAD = Struct(f">i{_DIGEST}siqiqiqi")
"""Hash, three instants, the length of the id."""
_JSON = Struct(">iB")


class UnfitRow(ValueError):
    """A row that no table can hold. The text says what is wrong and holds nothing of the row but its id."""


class Latest(NamedTuple):
    """What a page leaves: one row per id. Ids are as the tables can hold them."""

    rows: dict[str, RawRow]
    first_event_at: dict[str, datetime | None]
    """``event_at`` of the earliest version on the page, of the ids that came more than once."""


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


def latest_rows(rows: Sequence[RawRow]) -> Latest:
    """One row per id: of several the one with the latest ``updated_at``, and of equal ones the last.

    Raises:
        UnfitRow: a row without an id, with an instant without a zone, or whose payload is no object.
    """
    for row in rows:
        _check(row)
    found = Latest({row.external_id: row for row in rows}, {})
    if len(found.rows) != len(rows):
        found = _of_several(rows)
    ids = "".join(found.rows)
    if ids.isascii() and "\x00" not in ids:
        return found
    clean = {one: _clean_text(one) for one in found.rows}
    return Latest(*({clean[one]: value for one, value in part.items()} for part in found))  # type: ignore[arg-type]


def _of_several(rows: Sequence[RawRow]) -> Latest:
    latest: dict[str, RawRow] = {}
    first: dict[str, RawRow] = {}
    for row in rows:
        known = latest.get(row.external_id)
        if known is None:
            latest[row.external_id] = row
            continue
        earliest = first.setdefault(row.external_id, known)
        if known.updated_at is None or row.updated_at is None or row.updated_at >= known.updated_at:
            latest[row.external_id] = row
        if earliest.updated_at is not None and row.updated_at is not None and row.updated_at < earliest.updated_at:
            first[row.external_id] = row
    return Latest(latest, {one: row.event_at for one, row in first.items()})


def version_of(external_id: str, latest: Latest) -> Version:
    """The row of an id with its payload as canonical JSON.

    Raises:
        UnfitRow: a payload that is no JSON.
    """
    row = latest.rows[external_id]
    payload = canonical_json(row)
    event_at = row.event_at
    first = latest.first_event_at.get(external_id, event_at) if latest.first_event_at else event_at
    return Version(external_id, event_at, row.updated_at, payload, hashlib.sha256(payload).digest(), first)


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
        try:
            found = orjson.dumps(row.payload, option=_OPTIONS)
        except TypeError:
            found = _dump_slowly(row.payload)
        # an escaped backslash before u0000 is no NUL; the slow way then changes nothing. One character is found many
        # times faster than six, and most rows do not have it
        if b"\\" in found and b"\\u0000" in found:
            cleaned = _clean(row.payload)
            if cleaned != row.payload:
                found = _dump({**cleaned, FLAGS_KEY: {"flags": ["nul_replaced"]}})
    except (TypeError, ValueError, RecursionError):
        raise UnfitRow(f"the payload of {row.external_id!r} is no JSON of bearable depth") from None
    return found


def copy_row(version: Version) -> bytes:
    """The fields of ``COLUMNS`` in the binary format of ``COPY``, without the beginning of the row."""
    external_id, event_at, updated_at, payload, digest, first_event_at = version
    body = _JSON.pack(len(payload) + 1, JSON_VERSION) + payload
    if event_at is None or updated_at is None or first_event_at is None:
        instants = instant(event_at) + instant(updated_at) + instant(first_event_at)
        return _HASH.pack(_DIGEST, digest) + instants + text(external_id) + body
    event = microseconds(event_at)
    # most rows have one time for all three
    updated = event if updated_at is event_at else microseconds(updated_at)
    first = event if first_event_at is event_at else microseconds(first_event_at)
    key, size = external_id.encode(), INSTANT_BYTES
    return _HEAD.pack(_DIGEST, digest, size, event, size, updated, size, first, len(key)) + key + body


def _check(row: RawRow) -> None:
    if not isinstance(row.external_id, str) or not row.external_id:
        raise UnfitRow("it has no id")
    for moment in (row.event_at, row.updated_at):
        if moment is not None and moment.tzinfo is None:
            raise UnfitRow(f"a time of {row.external_id!r} has no zone")
    if not isinstance(row.payload, dict):
        raise UnfitRow(f"the payload of {row.external_id!r} is no object")


def _dump(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload, option=_OPTIONS)
    except TypeError:
        return _dump_slowly(payload)


def _dump_slowly(payload: Any) -> bytes:
    """Integers of more than 64 bits, and halves of surrogate pairs, which no text can hold."""
    found = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if _is_unicode(found):
        return found.encode()
    return _dump({**_clean(payload), FLAGS_KEY: {"flags": ["nul_replaced"]}})


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
