"""Requests that fill tabs: their number, their size, and that nothing is lost between them."""

from __future__ import annotations

import json
import re
from math import ceil
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.sheets import Column, Kind, Tab
from resources.sheets.packing import LARGEST_REQUEST, REQUEST_BYTES, Request, packed, prepared


def tab(title: str, rows: list[list[Any]], width: int) -> Tab:
    return Tab(title, [Column(f"c{n}", Kind.INTEGER) for n in range(width)], rows)


def replayed(requests: list[Request], titles: list[str]) -> dict[str, dict[tuple[int, int], Any]]:
    """What a spreadsheet holds after these bodies: read from their JSON, not from the pieces."""
    grids: dict[str, dict[tuple[int, int], Any]] = {title: {} for title in titles}
    for request in requests:
        for block in json.loads(request.body)["data"]:
            place = re.fullmatch(r"'(.+)'!([A-Z]+)(\d+):([A-Z]+)(\d+)", block["range"])
            assert place is not None
            title, left, top, right, bottom = place.groups()
            cells = block["values"]
            assert len(cells) == int(bottom) - int(top) + 1
            for down, row in enumerate(cells):
                assert len(row) <= column(right) - column(left) + 1
                for along, cell in enumerate(row):
                    where = (int(top) - 1 + down, column(left) + along)
                    grid = grids[title.replace("''", "'")]
                    assert where not in grid, "written twice"
                    grid[where] = cell
    return grids


def column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) + 1
    return number - 1


def cell(random: Random) -> str | int | None:
    text = "".join(random.choices('aя😀"\\\n', k=random.randint(0, 40)))
    return random.choice([text, random.randint(-999, 999), None])


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 30)), min_size=1, max_size=3),
    most=st.integers(400, 3000),
    seed=st.integers(0, 10**6),
)
def test_every_cell_is_written_once_in_requests_that_are_small_enough(
    sizes: list[tuple[int, int]], most: int, seed: int
) -> None:
    random = Random(seed)
    contents = [
        prepared(tab(f"t{n}", [[cell(random) for _ in range(width)] for _ in range(height)], width))
        for n, (height, width) in enumerate(sizes)
    ]
    titles = [f"it's {n}" for n in range(len(contents))]
    requests = packed(contents, titles, most)
    for content, (title, grid) in zip(contents, replayed(requests, titles).items(), strict=True):
        wanted = {(r, c): cell for r, row in enumerate(content.rows) for c, cell in enumerate(row)}
        assert {**dict.fromkeys(wanted, ""), **grid} == wanted, title
    for request in requests:
        assert len(request.body) <= most or (len(request.pieces) == 1 and len(request.pieces[0].rows[0]) == 1)
    # what the pieces say is what the bodies say
    told = [(len(piece.rows), piece.row, piece.column) for request in requests for piece in request.pieces]
    assert sum(rows for rows, _, _ in told) >= sum(content.height for content in contents)


@pytest.mark.parametrize(("rows", "letters"), [(50_000, 20), (9_000, 600), (700, 9_000), (130, 45_000)])
def test_requests_are_as_few_as_their_bytes_allow(rows: int, letters: int) -> None:
    """ceil(bytes / 2,000,000), for short rows and for rows of which few fit into a request."""
    random = Random(rows)
    content = prepared(tab("t", [[n, "я" * random.randint(letters // 2, letters)] for n in range(rows)], 2))
    requests = packed([content], ["t"])
    sizes = [len(request.body) for request in requests]
    assert ceil(sum(sizes) / LARGEST_REQUEST) <= len(requests) <= ceil(sum(sizes) / 2_000_000)
    assert max(sizes) <= LARGEST_REQUEST


def test_rows_that_fit_badly_take_more_room_rather_than_one_request_more() -> None:
    """41 rows of 96,500 bytes are less than two requests hold, but only 20 of them fit into 2,000,000 bytes."""
    content = prepared(tab("t", [["x" * 48_250, "x" * 48_250]] * 41, 2))
    sizes = [len(request.body) for request in packed([content], ["t"])]
    assert len(sizes) == ceil(sum(sizes) / REQUEST_BYTES) == 2
    assert REQUEST_BYTES < max(sizes) <= LARGEST_REQUEST


def test_a_row_larger_than_a_request_is_cut_between_its_cells() -> None:
    row = ["я" * 49_000 for _ in range(45)]
    content = prepared(tab("t", [row, ["x"]], 45))
    requests = packed([content], ["t"])
    assert max(len(request.body) for request in requests) <= REQUEST_BYTES
    grid = replayed(requests, ["t"])["t"]
    assert [grid[1, n] for n in range(45)] == row
    assert grid[2, 0] == "x"


def test_tabs_share_a_request() -> None:
    contents = [prepared(tab(f"t{n}", [["x"]], 1)) for n in range(4)]
    requests = packed(contents, ["a", "b", "c", "d"])
    assert [len(request.pieces) for request in requests] == [4]
    body = json.loads(requests[0].body)
    assert body["valueInputOption"] == "RAW"
    assert body["includeValuesInResponse"] is True and body["responseValueRenderOption"] == "UNFORMATTED_VALUE"
