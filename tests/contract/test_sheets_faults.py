"""F21: a publication that fails after any of its requests shows all old or all new, and the next one ends right.

Every visible state is looked at, not only the last: the emulator keeps what the tabs show after every single change.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from resources.clients.errors import SourceError, UnknownOutcome
from resources.clients.sheets import SheetsClient
from resources.settings import PROJECT_ROOT
from resources.sheets import publish
from tests.contract.spreadsheets import (
    SHEETS_API,
    asked,
    client_of,
    expected,
    hashes,
    hidden,
    moments,
    over_quota,
    shown,
    tabs_of,
)
from tests.emulators.sheets import SheetsEmulator

PIECES = 450
"""Bytes of a request, so that a publication of these small tabs has several."""
CALLS = 5
OLD, NEW = expected(tabs_of(1)), expected(tabs_of(2))
FAULTS = {
    "refused before": {"kind": "status", "status": 500},
    "unavailable": {"kind": "status", "status": 503},
    "too many": {"kind": "status", "status": 429},
    "cut before": {"kind": "reset"},
    "answer lost": {"kind": "lost"},
    "answer cut": {"kind": "truncated"},
    "hangs": {"kind": "hang", "seconds": 0.5},
    "slow answer": {"kind": "slow", "seconds": 0.5},
    "done too late": {"kind": "late", "seconds": 0.5},
}


@dataclass
class Scene:
    """The old version is published; the new one is to be."""

    emulator: SheetsEmulator
    client: SheetsClient
    previous: dict[str, str]

    def publish(self) -> int:
        """Calls of publishing the new version."""
        tabs = tabs_of(2)
        return publish(self.client, self.emulator.spreadsheet_id, tabs, self.previous, request_bytes=PIECES).calls

    def check_every_moment(self) -> None:
        assert all(moment in (OLD, NEW) for moment in moments(self.emulator))
        seen = [moment == NEW for moment in moments(self.emulator)]
        assert seen == sorted(seen), "a new version was taken back"

    def check_ends_right(self) -> None:
        """The next run, without faults."""
        self.emulator.faults.clear()
        self.publish()
        assert shown(self.emulator) == NEW
        assert hidden(self.emulator) == []
        self.check_every_moment()
        assert over_quota(self.emulator) == []
        assert not self.emulator.ledger.early


@pytest.fixture
def scene() -> Iterator[Scene]:
    with SheetsEmulator(keep_moments=True) as emulator, client_of(emulator) as client:
        published = publish(client, emulator.spreadsheet_id, tabs_of(1), {}, request_bytes=PIECES)
        assert shown(emulator) == OLD
        emulator.moments.clear()
        yield Scene(emulator, client, hashes(published))


def test_number_of_calls_is_what_the_tests_below_walk_through(scene: Scene) -> None:
    scene.emulator.ledger.clear()
    assert scene.publish() == CALLS == asked(scene.emulator)
    scene.check_every_moment()


@pytest.mark.parametrize("k", range(CALLS))
@pytest.mark.parametrize("fault", FAULTS)
def test_one_failure_at_any_request_is_got_over(fault: str, k: int, scene: Scene) -> None:
    scene.emulator.faults.add(**FAULTS[fault], path=SHEETS_API, after=k, times=1)
    scene.publish()
    assert shown(scene.emulator) == NEW
    assert hidden(scene.emulator) == []
    scene.check_every_moment()
    scene.check_ends_right()


@pytest.mark.parametrize("k", range(CALLS))
@pytest.mark.parametrize("fault", ["refused before", "too many", "answer lost", "answer cut", "hangs"])
def test_everything_fails_from_any_request_on(fault: str, k: int, scene: Scene) -> None:
    scene.emulator.faults.add(**FAULTS[fault], path=SHEETS_API, after=k)
    with pytest.raises(SourceError) as failed:
        scene.publish()
    last = k == CALLS - 1
    was_made = last and fault in ("answer lost", "answer cut")
    assert shown(scene.emulator) == (NEW if was_made else OLD)
    assert isinstance(failed.value, UnknownOutcome) or not was_made
    scene.check_every_moment()
    scene.check_ends_right()


def test_a_change_that_was_made_and_cannot_be_read_is_of_unknown_outcome(scene: Scene) -> None:
    """Its answer is lost, its staging tabs are gone, the tabs cannot be read: nobody may say that nothing changed."""
    scene.emulator.faults.add("lost", path=SHEETS_API, after=CALLS - 1, times=1)
    scene.emulator.faults.add("status", status=500, path="values:batchGet")
    with pytest.raises(UnknownOutcome):
        scene.publish()
    assert shown(scene.emulator) == NEW
    scene.check_ends_right()


@pytest.mark.parametrize("k", range(1, CALLS))
def test_refused_for_good_at_any_request_leaves_nothing_behind(k: int, scene: Scene) -> None:
    """A refusal that stays must not pile up hidden tabs until the spreadsheet is full."""
    # the last change is composed and sent once more after a refusal: refuse that, too, not the lookup between them
    times = 2 if k == CALLS - 1 else 1
    scene.emulator.faults.add("status", status=400, path=":batchUpdate$", after=k, times=times)
    with pytest.raises(SourceError):
        scene.publish()
    assert shown(scene.emulator) == OLD
    assert hidden(scene.emulator) == []
    scene.check_ends_right()


@pytest.mark.parametrize("place", ["sheets.staged", "sheets.filled", "sheets.shown"])
def test_killed_between_two_calls(place: str, scene: Scene) -> None:
    told = [scene.emulator.base_url, str(scene.emulator.service_account_file), scene.emulator.spreadsheet_id, "2"]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.contract.spreadsheets", *told],
        cwd=PROJECT_ROOT, env={**os.environ, "FAILPOINT": f"{place}:1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    assert shown(scene.emulator) == (NEW if place == "sheets.shown" else OLD)
    assert len(hidden(scene.emulator)) == (0 if place == "sheets.shown" else 2)
    scene.check_ends_right()


def test_leftovers_that_fill_the_spreadsheet_are_removed_first(scene: Scene) -> None:
    """Nine million cells of a killed publication leave no room for the next one."""
    used = sum(
        one["gridProperties"]["rowCount"] * one["gridProperties"]["columnCount"]
        for one in scene.emulator.sheets().values()
    )
    for number, rows in enumerate((9_000_000, 1_000_000 - used - 5)):
        grid = {"rowCount": rows, "columnCount": 1}
        properties = {"title": f"_otklik_staging_0123456789ab_{number}", "hidden": True, "gridProperties": grid}
        scene.emulator.requests([{"addSheet": {"properties": properties}}])
    assert scene.publish() == CALLS + 3, "refused, looked up, removed, then as always"
    scene.check_ends_right()


def test_what_people_remove_between_two_calls_is_composed_anew(scene: Scene) -> None:
    """The permanent tab goes while the staging tabs are filled: it is made again, and nothing is lost."""
    write = scene.client.write

    def removing(spreadsheet_id: str, body: bytes, what: str) -> list[list[list[object]]]:
        if "manager_summary" in scene.emulator.sheets():
            scene.emulator.requests(
                [{"deleteSheet": {"sheetId": scene.emulator.sheets()["manager_summary"]["sheetId"]}}]
            )
        return write(spreadsheet_id, body, what)

    with patch.object(scene.client, "write", removing):
        scene.publish()
    assert shown(scene.emulator) == NEW
    assert hidden(scene.emulator) == []


def test_staging_tabs_that_somebody_else_removed_are_a_failure(scene: Scene) -> None:
    """Gone staging tabs do not pass for a made change, not even when its answer was lost."""
    change = scene.client.change

    def removing(spreadsheet_id: str, requests: list[dict[str, object]], what: str) -> object:
        if what.startswith("showing"):
            ours = [one["sheetId"] for title, one in scene.emulator.sheets().items() if title.startswith("_otklik")]
            scene.emulator.requests([{"deleteSheet": {"sheetId": one}} for one in ours])
            raise UnknownOutcome("sheets", "the connection failed")
        return change(spreadsheet_id, requests, what)

    with patch.object(scene.client, "change", removing), pytest.raises(SourceError, match="by somebody else"):
        scene.publish()
    assert shown(scene.emulator) == OLD
    scene.check_ends_right()


@pytest.mark.parametrize("answer", ["row missing", "cell changed", "range missing"])
def test_what_was_not_read_back_as_sent_is_not_shown(answer: str, scene: Scene) -> None:
    write = scene.client.write

    def damaged(spreadsheet_id: str, body: bytes, what: str) -> list[list[list[object]]]:
        found = write(spreadsheet_id, body, what)
        if answer == "row missing":
            found[-1].pop()
        elif answer == "cell changed":
            found[0][-1][0] = "чужое"
        else:
            found.pop()
        return found

    lost = pytest.raises(SourceError, match="does not hold what was written")
    with patch.object(scene.client, "write", damaged), lost as failed:
        scene.publish()
    assert "чужое" not in str(failed.value) and "чат 2" not in str(failed.value)
    assert shown(scene.emulator) == OLD
    assert hidden(scene.emulator) == []
    scene.check_ends_right()
