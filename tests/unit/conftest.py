"""Hypothesis profiles of the unit tests: ``HYPOTHESIS_PROFILE=thorough`` looks for thousands of examples.

The default draws the same examples every time, so that a run of the whole suite is repeatable; the thorough profile
draws new ones.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)

settings.register_profile("default", deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW)
settings.register_profile("thorough", deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def examples(number: int) -> int:
    """So many examples in the default profile, fifty times as many in the thorough one."""
    return number * 50 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else number
