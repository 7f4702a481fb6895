"""Recognised calls of files as a raw table.

Here: that the table exists and what it holds, for the graph. Not here: a run that fills it: a file is brought by a
person with ``otklik import``, and what comes from a person has no schedule.
"""

from __future__ import annotations

import dagster as dg

from assets.tables import spec

CALL_FILES = spec(
    "raw", "call_files__calls", kinds={"file", "postgres"}, tags={"pii": "content", "source": "call_files"}
)

CALL_FILES_ASSETS: list[dg.AssetSpec] = [CALL_FILES]
