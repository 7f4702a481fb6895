"""A tab that is called otherwise than it is known by: found by its id, renamed by us as long as the name is ours."""

from __future__ import annotations

import pytest

from resources.clients.errors import Refused
from resources.clients.sheets import SheetsClient
from resources.sheets import Column, InvalidTab, Look, Tab, publish, read_back
from tests.contract.spreadsheets import hashes
from tests.emulators.sheets import SheetsEmulator

KEY = "call_results"


def tab(name: str | None, said: str = "а", key: str = KEY) -> Tab:
    return Tab(key, [Column("Звонок")], [[said]], Look(caption=["итоги"]), name)


def show(emulator: SheetsEmulator, client: SheetsClient, name: str | None, said: str = "а") -> int:
    """Publish the tab; the id of the one tab that is ours."""
    publish(client, emulator.spreadsheet_id, [tab(name, said)], {})
    assert read_back(client, emulator.spreadsheet_id, KEY) == [["Звонок"], [said]]
    (ours,) = [sheet["sheetId"] for title, sheet in emulator.sheets().items() if title not in ("Лист1", "Чужой")]
    return int(ours)


def titles(emulator: SheetsEmulator) -> list[str]:
    return list(emulator.sheets())


def rename(emulator: SheetsEmulator, sheet_id: int, title: str) -> None:
    properties = {"sheetId": sheet_id, "title": title}
    emulator.requests([{"updateSheetProperties": {"properties": properties, "fields": "title"}}])


def test_a_new_tab_has_the_name_and_an_old_one_gets_it(emulator: SheetsEmulator, client: SheetsClient) -> None:
    first = show(emulator, client, "Результаты")
    assert titles(emulator) == ["Лист1", "Результаты"]
    # another name, none, and one again: always the same tab
    for name in ("Итоги звонков", None, "Результаты", "РЕЗУЛЬТАТЫ"):
        assert show(emulator, client, name, name or "без имени") == first
        assert titles(emulator) == ["Лист1", name or KEY]


def test_a_tab_that_was_there_before_the_name_gets_it(emulator: SheetsEmulator, client: SheetsClient) -> None:
    before = show(emulator, client, None)
    assert show(emulator, client, "Результаты") == before
    assert titles(emulator) == ["Лист1", "Результаты"]


def test_a_name_that_people_gave_stays(emulator: SheetsEmulator, client: SheetsClient) -> None:
    ours = show(emulator, client, "Результаты")
    rename(emulator, ours, "Моё")
    for name in ("Результаты", "Итоги", None):
        assert show(emulator, client, name, str(name)) == ours
        assert titles(emulator) == ["Лист1", "Моё"]
    # whoever gives the tab our name back gives us the say again
    rename(emulator, ours, "Результаты")
    show(emulator, client, "Итоги", "снова")
    assert titles(emulator) == ["Лист1", "Итоги"]


def test_another_tabs_name_is_not_taken(emulator: SheetsEmulator, client: SheetsClient) -> None:
    emulator.requests([{"addSheet": {"properties": {"title": "Чужой"}}}])
    with pytest.raises(Refused, match="чужой that is not ours"):
        publish(client, emulator.spreadsheet_id, [tab("чужой")], {})
    show(emulator, client, None)
    show(emulator, client, "чужой", "б")
    assert titles(emulator) == ["Лист1", "Чужой", KEY], "the values are shown, the name is not"
    with pytest.raises(InvalidTab, match="same title"):
        publish(client, emulator.spreadsheet_id, [tab("chats_raw"), tab(None, key="chats_raw")], {})
    with pytest.raises(InvalidTab, match="100 characters"):
        publish(client, emulator.spreadsheet_id, [tab("и" * 101)], {})


def test_a_new_name_alone_is_a_change_and_the_same_name_none(emulator: SheetsEmulator, client: SheetsClient) -> None:
    known = hashes(publish(client, emulator.spreadsheet_id, [tab("Результаты")], {}))
    assert publish(client, emulator.spreadsheet_id, [tab("Результаты")], known).calls == 0
    again = publish(client, emulator.spreadsheet_id, [tab("Итоги")], known)
    assert again.calls == 3 and titles(emulator) == ["Лист1", "Итоги"]
