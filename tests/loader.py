"""The functions that write, called as production calls them: under the loader's login, on a warehouse of the tests'.

The fixtures ``database`` and ``fresh_database`` are the owner's; whoever tests one of these functions imports it from
here, so that a right that the loader lacks fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from resources.warehouse import completeness, core, refresh
from resources.warehouse import land as landing
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role

P = ParamSpec("P")
R = TypeVar("R")


def _by_the_loader(function: Callable[P, R]) -> Callable[P, R]:
    described = signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = described.bind(*args, **kwargs)
        warehouse = given.arguments["warehouse"]
        if isinstance(warehouse, Warehouse):
            given.arguments["warehouse"] = warehouse.as_role(Role.LOADER)
        return function(*given.args, **given.kwargs)  # type: ignore[arg-type]

    return call


land = _by_the_loader(landing.land)
replace_window = _by_the_loader(core.replace_window)
refresh_evaluated = _by_the_loader(refresh.refresh_evaluated)
refresh_completeness = _by_the_loader(completeness.refresh_completeness)
