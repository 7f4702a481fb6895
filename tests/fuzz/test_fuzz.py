"""A moment of the fuzzer in every test run; ten minutes of it are ``make fuzz``."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import once
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_bent_files_are_refused_or_there_as_a_whole(name: str) -> None:
    taken = sum(once(TARGETS[name], seed) for seed in range(700))
    assert 20 < taken < 700


@pytest.mark.parametrize("name", TARGETS)
def test_the_files_that_are_bent_are_good(name: str) -> None:
    assert all(TARGETS[name].read(file) for file in TARGETS[name].files)
