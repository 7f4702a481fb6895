"""Ids of people become keyed hashes: an installation's secret, and all stored ids with it (promise V2).

Until now the id of a telephony's customer and of his conversation was a plain hash of his number, that of an imported
chat and its people a plain hash of a name, that of a recognised call sometimes the name of its file, and the key by
which equal numbers find each other a plain hash of the number. Whoever could read such an id could try all numbers.

**Ids of the past change, too**, also in published weeks, or the weeks would go on giving numbers away. Nothing else
does: every row stays, each id is replaced by one and the same other id wherever it stands, and no figure counts ids
otherwise than by equality. So a publication after this one finds no change and writes no revision. What was exported
before keeps the former ids until it is written anew (sheets: with the next publication), and so do the runs that
Dagster remembers. The interval of a change of percentiles is drawn over sessions in the order of their ids: publishing
such a week again may shift its bounds by what another draw would.

What people wrote is carried over: the list of customers, labels, judgements. A list in a file that names former ids
goes on working (``resources.warehouse.customer_links``). Tables of ``marts`` belong to the publisher; the owner is a
member of that role and changes them under it.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # by the driver, without parameters: the text has colons and percent signs
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    raise RuntimeError("the former ids cannot be made of the keyed ones: restore a backup instead")
