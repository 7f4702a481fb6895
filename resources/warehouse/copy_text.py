"""Values as fields of ``COPY ... FROM STDIN`` in text format.

Here: one function per kind of value. The driver's own row writer asks the type of every value again and is several
times slower. Not here: what is copied (``core``), the binary format (``copy_binary``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

NULL = "\\N"


def field(value: object) -> str:
    r"""One value of any type that our tables hold.

    >>> field(None), field(True), field(7), field("a\tb\\c"), field(("x", 'y"z'))
    ('\\N', 't', '7', 'a\\tb\\\\c', '{"x","y\\\\"z"}')
    """
    if value is None:
        return NULL
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return escape(array(value))
    return str(value)


def line(values: Iterable[object]) -> str:
    """One row."""
    return "\t".join(map(field, values)) + "\n"


def escape(text: str) -> str:
    """A text as a field: no character of it can end the field or the row."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if text.isprintable():
        return text
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def array(values: Iterable[str]) -> str:
    r"""Texts as the text of an array; as a parameter cast to ``text[]`` it costs a tenth of the driver's own way.

    >>> array(["x", 'y"z', "", 'a","b'])
    '{"x","y\\"z","","a\\",\\"b"}'
    """
    quoted = [
        f'"{value}"' if value.isalnum() else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    ]
    return "{" + ",".join(quoted) + "}"
