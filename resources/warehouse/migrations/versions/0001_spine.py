"""The spine: schemas, the raw tables of RetailCRM and of the twitter-care file, core, evaluated, ops.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RAW_TABLES = (
    "retailcrm__channels",
    "retailcrm__users",
    "retailcrm__bots",
    "retailcrm__chats",
    "retailcrm__dialogs",
    "retailcrm__messages",
    "retailcrm__crm_users",
    "retailcrm__customers",
    "retailcrm__orders",
    "twitter_care__conversations",
)
RAW_TABLE = """
create table raw.{name} (
    connection_id text not null,
    external_id text not null,
    event_at timestamptz,
    updated_at timestamptz,
    payload jsonb not null,
    payload_hash bytea not null,
    fetched_at timestamptz not null,
    first_fetched_at timestamptz not null,
    first_event_at timestamptz,
    gone_at timestamptz,
    constraint {name}_pkey primary key (connection_id, external_id)
);
create index {name}_window_idx on raw.{name} (event_at, connection_id)
"""


def upgrade() -> None:
    for schema in ("raw", "core", "evaluated", "marts", "ops"):
        op.execute(f"create schema if not exists {schema}")
    for name in RAW_TABLES:
        op.execute(RAW_TABLE.format(name=name))
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    raise RuntimeError("there is no way back before the first revision: restore a backup")
