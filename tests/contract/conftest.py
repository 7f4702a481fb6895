"""Fixtures of the contract suite: sources, each test once per case; a spreadsheet and its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resources.clients.sheets import SheetsClient
from tests.contract.cases import CASES, GATEWAYS, VENDORS, Case, Opened
from tests.contract.spreadsheets import client_of
from tests.emulators.sheets import SheetsEmulator


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Every source in every variant."""
    return request.param


@pytest.fixture
def opened(case: Case) -> Iterator[Opened]:
    """A case, opened."""
    with case.open() as found:
        yield found


@pytest.fixture(params=VENDORS, ids=lambda case: case.name)
def vendor_case(request: pytest.FixtureRequest) -> Case:
    """Every source with a network."""
    return request.param


@pytest.fixture
def vendor(vendor_case: Case) -> Iterator[Opened]:
    """A source with a network, opened."""
    with vendor_case.open() as found:
        yield found


@pytest.fixture(params=GATEWAYS, ids=lambda case: case.name)
def gateway(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """RetailCRM's chats, whose emulator can change rows while they are read."""
    with request.param.open() as found:
        yield found


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[SheetsEmulator]:
    """A new spreadsheet; a module with ``KEEP_MOMENTS`` also has what was visible after each change."""
    with SheetsEmulator(keep_moments=getattr(request.module, "KEEP_MOMENTS", False)) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: SheetsEmulator) -> Iterator[SheetsClient]:
    """Who may write into it."""
    with client_of(emulator) as client:
        yield client
