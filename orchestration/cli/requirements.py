"""``otklik requirements``: what talk is judged by is read now, and shown with what is wrong.

Here: what is printed. Not here: reading and keeping (``resources.requirements``).
"""

from __future__ import annotations

import json

from conversations.messages import Requirements
from orchestration.cli import screen


def requirements(*, as_json: bool) -> None:
    """Read everything and show it.

    Raises:
        WarehouseError: the database cannot be used.
    """
    from conversations.policy import Policy
    from resources.requirements import refresh_requirements
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    policy = Policy.load(settings.policy_path)
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        found = refresh_requirements(warehouse, policy, settings)
    if as_json:
        looks = [look._asdict() | {"is_new": _is_new(found.kept.get(look.tab))} for look in found.looks]
        print(json.dumps(looks, ensure_ascii=False))
        return
    if not found.looks:
        screen.say(Requirements.NOTHING)
        return
    rows = []
    for look in found.looks:
        version = Requirements.NONE if look.version is None else str(look.version)
        shown = Requirements.NEW.format(version) if _is_new(found.kept.get(look.tab)) else version
        rows.append((Requirements.KINDS[look.kind], look.tab, Requirements.STATES[look.state], shown))
    screen.show(screen.table(Requirements.TITLE, [(one, "left") for one in Requirements.COLUMNS], rows))
    for look in found.looks:
        if look.reason is not None:
            screen.say(
                Requirements.REASON.format(place=look.tab, what=Requirements.reason(look.reason)), style="yellow"
            )
    if not found.is_good:
        screen.say(Requirements.STAYS)


def _is_new(kept: object) -> bool:
    return bool(getattr(kept, "is_new", False))
