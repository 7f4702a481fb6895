"""Every expected failure becomes a sentence and an exit code; an unexpected one keeps its traceback."""

from __future__ import annotations

import pytest

from conversations.messages import Errors
from orchestration.cli.errors import EXIT_BUSY, EXIT_INTERRUPTED, explain
from resources.clients import errors as client_errors
from resources.warehouse.errors import Busy, HomeLost, WarehouseUnavailable


def _family(kind: type[client_errors.SourceError]) -> list[type[client_errors.SourceError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _family(child))]


# what the HTTP layer keeps to itself never gets out of it
PUBLIC = [kind for kind in _family(client_errors.SourceError) if kind.__module__ == client_errors.__name__]
CONCRETE = [kind for kind in PUBLIC if kind.reason not in ("source", "permanent")]


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.__name__)
def test_each_source_error_has_words_of_its_own(kind: type[client_errors.SourceError]) -> None:
    explained = explain(kind("shop-7", "something happened"))

    assert explained is not None
    assert explained.text == f"shop-7: {Errors.SOURCES[kind.reason]}"
    assert explained.exit_code == 1
    assert explained.detail == f"[{kind.reason}] something happened"


def test_busy_is_75() -> None:
    explained = explain(Busy("retailcrm/messages is being loaded"))

    assert explained is not None
    assert explained.exit_code == EXIT_BUSY == 75


def test_the_cause_of_a_wrapped_error_is_found() -> None:
    try:
        try:
            raise client_errors.NeedsAuth("retailcrm", "the key is not accepted")
        except client_errors.NeedsAuth as error:
            raise RuntimeError("step failed") from error
    except RuntimeError as wrapped:
        explained = explain(wrapped)

    assert explained is not None
    assert explained.text.startswith("retailcrm: ключ не принят")


def test_a_lost_home_says_what_it_says() -> None:
    explained = explain(HomeLost("the database is gone: bring it back"))

    assert explained is not None
    assert explained.text == "the database is gone: bring it back"


def test_an_unreachable_database_points_at_the_doctor() -> None:
    explained = explain(WarehouseUnavailable("no answer"))

    assert explained is not None
    assert "otklik doctor" in explained.text


def test_an_interruption_is_130() -> None:
    explained = explain(KeyboardInterrupt())

    assert explained is not None
    assert explained.exit_code == EXIT_INTERRUPTED


def test_a_defect_of_ours_is_not_explained_away() -> None:
    assert explain(ZeroDivisionError()) is None
