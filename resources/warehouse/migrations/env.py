"""Alembic's entry: runs the revisions on the connection that ``Warehouse.migrate`` hands over.

Here: nothing but the hand-over. Not here: the choice of a database; Alembic is never started by its own command.
"""

from __future__ import annotations

from alembic import context

from resources.warehouse.migrations import configuration

context.configure(connection=context.config.attributes["connection"], **configuration())
with context.begin_transaction():
    context.run_migrations()
