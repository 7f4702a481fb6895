"""A page's rows made fit for the raw tables: one version per id, canonical JSON, its hash, a line for ``COPY``.

Here: pure functions. Not here: the tables (``land``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from conversations.source import RawRow
from resources.warehouse.copy_text import field

FLAGS_KEY = "_otklik"
"""Added to a payload whose text had to be changed: ``{"flags": ["nul_replaced"]}``."""
_REPLACEMENT = "\ufffd"


class UnfitRow(ValueError):
    """A row that no table can hold. The text says what is wrong and holds nothing of the row but its id."""


class Version(NamedTuple):
    """The version of one row that a page leaves."""

    external_id: str
    event_at: datetime | None
    updated_at: datetime | None
    payload: str
    payload_hash: str
    first_event_at: datetime | None
    """``event_at`` of the earliest version on the page."""


def latest_versions(rows: Iterable[RawRow]) -> dict[str, Version]:
    """One version per id: of several the one with the latest ``updated_at``, and of equal ones the last.

    Raises:
        UnfitRow: a row without an id, with an instant without a zone, or with a payload that is no JSON.
    """
    latest: dict[str, RawRow] = {}
    first: dict[str, RawRow] = {}
    for row in rows:
        _check(row)
        known = latest.get(row.external_id)
        if known is None:
            latest[row.external_id] = first[row.external_id] = row
            continue
        if known.updated_at is None or row.updated_at is None or row.updated_at >= known.updated_at:
            latest[row.external_id] = row
        earliest = first[row.external_id]
        if earliest.updated_at is not None and row.updated_at is not None and row.updated_at < earliest.updated_at:
            first[row.external_id] = row
    versions = {}
    for external_id, row in latest.items():
        text = canonical_json(row)
        digest = hashlib.sha256(text.encode()).hexdigest()
        first_at = first[external_id].event_at
        clean = _clean_text(external_id)
        versions[clean] = Version(clean, row.event_at, row.updated_at, text, digest, first_at)
    return versions


def is_newer(version: Version, payload_hash: bytes, event_at: datetime | None, updated_at: datetime | None) -> bool:
    """Whether a version differs from the stored one and is not older: the condition of the upsert, in words of ours."""
    is_same = (bytes.fromhex(version.payload_hash), version.event_at, version.updated_at) == (
        payload_hash,
        event_at,
        updated_at,
    )
    if is_same:
        return False
    return version.updated_at is None or updated_at is None or version.updated_at >= updated_at


def canonical_json(row: RawRow) -> str:
    """The payload as JSON with sorted keys and without what PostgreSQL cannot hold: NUL and halves of surrogate pairs.

    Raises:
        UnfitRow: no JSON, not a number, or nested too deeply.
    """
    try:
        text = _dump(row.payload)
        # an escaped backslash before u0000 is no NUL; the slow way then changes nothing
        if "\\u0000" in text or not _is_unicode(text):
            cleaned = _clean(row.payload)
            if cleaned != row.payload:
                text = _dump({**cleaned, FLAGS_KEY: {"flags": ["nul_replaced"]}})
    except (TypeError, ValueError, RecursionError):
        raise UnfitRow(f"the payload of {row.external_id!r} is no JSON of bearable depth") from None
    return text


def copy_line(version: Version) -> bytes:
    """One line of ``COPY ... FROM STDIN`` in text format."""
    times = (version.event_at, version.updated_at)
    # the hash is bytes in hex, whose backslash the format doubles
    values = (field(version.external_id), *map(field, times), f"\\\\x{version.payload_hash}")
    return ("\t".join((*values, field(version.first_event_at), version.payload.replace("\\", "\\\\"))) + "\n").encode()


def _check(row: RawRow) -> None:
    if not isinstance(row.external_id, str) or not row.external_id:
        raise UnfitRow("it has no id")
    for instant in (row.event_at, row.updated_at):
        if instant is not None and instant.tzinfo is None:
            raise UnfitRow(f"a time of {row.external_id!r} has no zone")
    if not isinstance(row.payload, dict):
        raise UnfitRow(f"the payload of {row.external_id!r} is no object")


def _dump(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


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
