"""What unit tests share: the two judges of the contract tests, and hypothesis profiles.

``HYPOTHESIS_PROFILE=thorough`` looks at thousands of examples and draws new ones every time. The default draws the
same examples every time, so that a run of the whole suite is repeatable.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.judging import JUDGES, Judge

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)

settings.register_profile("default", deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW)
settings.register_profile("thorough", deadline=None, suppress_health_check=_SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def examples(number: int) -> int:
    """So many examples in the default profile, fifty times as many in the thorough one."""
    return number * 50 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else number


@pytest.fixture(params=sorted(JUDGES))
def judge(request: pytest.FixtureRequest) -> Judge:
    """The oracle and the product, one after the other."""
    return JUDGES[request.param]
