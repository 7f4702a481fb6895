"""The one description of every schema, table and column: meaning, unit and privacy class.

Here: the assembled ``metadata``. The migrations create the same; a test holds the two equal. Not here: marts, which
dbt describes itself, and views (``resources.warehouse.views``).
"""

from resources.warehouse.schema import calls, core, evaluated, keys, ops, publishing, raw, reference, scoring
from resources.warehouse.schema.columns import PII_CLASSES, SCHEMAS, metadata

__all__ = [
    "PII_CLASSES",
    "SCHEMAS",
    "calls",
    "core",
    "evaluated",
    "keys",
    "metadata",
    "ops",
    "publishing",
    "raw",
    "reference",
    "scoring",
]
