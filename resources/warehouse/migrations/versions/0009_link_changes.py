"""Which customers' links changed, and with which change: the reason of a new revision of a published week (promise P8).

Links that stand are no change; what was linked before this revision counts as it was published.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute("drop table ops.link_changes")
