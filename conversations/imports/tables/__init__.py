"""Tables and logs of any origin, read by a declared mapping: which column means what.

Here: the mapping file (``mapping``), times (``times``), lines of logs (``patterns``, ``logs``), one row understood
(``cells``, ``people``, ``understood``), the reader (``reader``), what a stored row means (``meaning``). Not here:
opening CSV, XLSX, JSON and Parquet (``resources.imports.tables``), any particular file's columns (``docs/imports`` has
examples).
"""

from conversations.imports.tables.mapping import MappingError, TableMapping
from conversations.imports.tables.meaning import meaning
from conversations.imports.tables.people import is_person_id
from conversations.imports.tables.reader import TableReader
from conversations.imports.tables.units import TableUnit, Unreadable

__all__ = ["MappingError", "TableMapping", "TableReader", "TableUnit", "Unreadable", "is_person_id", "meaning"]
