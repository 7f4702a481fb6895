"""The few kinds of columns that all tables are built from, so that no column lacks a comment and a privacy class.

Here: one function per type. Not here: tables. ``Column.info["pii"]`` is the privacy class of promise V1:

``none``       codes, counts and times that are nobody's in particular
``pseudonym``  an id by which the vendor or we can find a person
``name``       a person's name
``contact``    a phone, an address
``content``    what people wrote, or a payload that may hold all of the above

``Column.info["unit"]`` names the unit of a quantity.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

Pii = Literal["none", "pseudonym", "name", "contact", "content"]
PII_CLASSES: tuple[str, ...] = ("none", "pseudonym", "name", "contact", "content")
SCHEMAS = {
    "raw": "As received from the vendors, payload verbatim; written by land() only",
    "core": "Source-free conversations, messages, events, people and orders; derived from raw",
    "reference": "What people tell the platform: who is who, departments, rubrics; from the policy, files and sheets",
    "evaluated": "Waits, sessions, behaviour, advice and scorecards; derived from core by the rules in force",
    "marts": "What people read: figures by manager, channel and week",
    "ops": "The platform's own book-keeping: cursors, completeness, versions",
    "keys": "Secrets that must live as long as the rows that rest on them; read by the loader alone",
}

metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"},
)


def text(name: str, comment: str, pii: Pii = "none", *, key: bool = False, null: bool = False) -> Column[str]:
    """A text column; ``pii`` is the privacy class."""
    return _column(name, Text(), comment, pii, key, null)


def texts(name: str, comment: str, pii: Pii = "none", *, null: bool = False) -> Column[list[str]]:
    """An array of texts."""
    return _column(name, ARRAY(Text()), comment, pii, False, null)


def json(name: str, comment: str, pii: Pii, *, null: bool = False) -> Column[Any]:
    """A JSON document."""
    return _column(name, JSONB(none_as_null=True), comment, pii, False, null)


def instant(name: str, comment: str, *, key: bool = False, null: bool = False) -> Column[Any]:
    """A moment, UTC, to the microsecond."""
    return _column(name, DateTime(timezone=True), comment, "none", key, null)


def day(name: str, comment: str, *, key: bool = False, null: bool = False) -> Column[Any]:
    """A local date in the organisation's zone."""
    return _column(name, Date(), comment, "none", key, null)


def integer(name: str, comment: str, unit: str, *, key: bool = False, null: bool = False) -> Column[int]:
    """A whole quantity that stays below two thousand million."""
    return _column(name, Integer(), comment, "none", key, null, unit)


def big(name: str, comment: str, unit: str, *, key: bool = False, null: bool = False) -> Column[int]:
    """A whole quantity of any size."""
    return _column(name, BigInteger(), comment, "none", key, null, unit)


def seconds(name: str, comment: str, *, null: bool = True) -> Column[int]:
    """A duration in whole seconds."""
    return _column(name, Integer(), comment, "none", False, null, "seconds")


def number(name: str, comment: str, unit: str, *, null: bool = False) -> Column[Any]:
    """A quantity that is no whole one, exact."""
    return _column(name, Numeric(), comment, "none", False, null, unit)


def boolean(name: str, comment: str, *, null: bool = False) -> Column[bool]:
    """A statement that is true or false."""
    return _column(name, Boolean(), comment, "none", False, null)


def digest(name: str, comment: str) -> Column[bytes]:
    """A hash of content; tells equality, not the content."""
    return _column(name, LargeBinary(), comment, "none", False, False)


def blob(name: str, comment: str, *, null: bool = False) -> Column[bytes]:
    """Bytes that mean nothing without a key kept elsewhere."""
    return _column(name, LargeBinary(), comment, "none", False, null)


def _column(
    name: str, kind: TypeEngine[Any], comment: str, pii: Pii, key: bool, null: bool, unit: str | None = None
) -> Column[Any]:
    info: dict[str, str] = {"pii": pii}
    if unit is not None:
        info["unit"] = unit
    return Column(
        name, kind, primary_key=key, nullable=null and not key, autoincrement=False, comment=comment, info=info
    )
