"""The secret that ids of people are keyed with (promise V2).

Here: its table. Not here: how it comes about (migration 0008), who reads it (``resources.warehouse.person_keys``).
"""

from __future__ import annotations

from sqlalchemy import Table

from resources.warehouse.schema.columns import blob, instant, metadata, text

installation = Table(
    "installation",
    metadata,
    text("purpose", "What is keyed with it: persons", key=True),
    blob("secret", "32 random bytes, made by the server itself"),
    instant("made_at", "When the installation got it"),
    schema="keys",
    comment="One row: the secret of all keyed ids. Lost, it cannot be replaced: every customer would be a stranger",
)
