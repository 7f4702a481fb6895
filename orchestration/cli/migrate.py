"""``otklik migrate``: tables, rights and Dagster's storage as this version needs them, before anything else starts.

Here: the order of the two steps. Not here: the migrations (``Warehouse.migrate``; Dagster's own are in its package).
"""

from __future__ import annotations

import os

from conversations.messages import Migrate
from orchestration.cli import screen, serve


def migrate() -> None:
    """Bring the warehouse up to date as its owner, then the database in which Dagster keeps its runs.

    Dagster makes its tables by itself where it finds none, but several processes that start at once would all try, and
    after an update of Dagster nobody would change them.
    """
    from resources.settings import PROJECT_ROOT, Settings
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.roles import Role

    settings = Settings()
    with Warehouse.open(settings, Role.OWNER) as warehouse:
        screen.say(Migrate.applied(warehouse.migrate()))
        storage = warehouse.dagster_storage_url()
        os.environ.update(serve.environment_for_dagster(settings.otklik_home, PROJECT_ROOT, storage, {}))
        with screen.steps() as steps, steps.step(Migrate.DAGSTER):
            import dagster as dg

            with dg.DagsterInstance.get() as instance:
                instance.upgrade()
            serve.declare_pools()
    screen.say(Migrate.STORAGE)
