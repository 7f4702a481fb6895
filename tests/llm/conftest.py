"""A gateway for each test of the door; litellm imported once, before any of them is timed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.llm import LlmEmulator
from tests.llm.asking import ask, request_of, scoring


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """The first call of a process imports a second of modules, more on a busy machine: not in a test's time."""
    with LlmEmulator() as emulator:
        ask(emulator, [request_of()], policy=scoring(deadline_seconds=120.0))


@pytest.fixture
def gateway() -> Iterator[LlmEmulator]:
    with LlmEmulator() as emulator:
        yield emulator
