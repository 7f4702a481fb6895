"""Lists whose pages name the next one: all rows although they move, an end although the vendor errs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.sources.next_paging import NextPaging


def read(
    paging: NextPaging, rows: list[str], size: int, arrivals: dict[int, tuple[int, str]] | None = None
) -> list[str]:
    """Page through ``rows``; before call ``n`` a row arrives at a place of the list. Through JSON at every page."""
    found: list[str] = []
    for call in range(1000):
        if paging.number is None:
            return found
        if arrivals and call in arrivals:
            place, row = arrivals[call]
            rows.insert(min(place, len(rows)), row)
        part = rows[(paging.number - 1) * size : paging.number * size]
        following = paging.number + 1 if paging.number * size < len(rows) else None
        assert paging.answered(part, following)
        found += part
    raise AssertionError("no end")


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 30),
    # more rows than can arrive: a page that moved as a whole cannot be told from the page before it
    st.integers(3, 7),
    st.dictionaries(st.integers(0, 12), st.tuples(st.integers(0, 30), st.just("")), max_size=2),
)
def test_nothing_that_was_there_is_missed_and_a_few_arrivals_are_found(
    count: int, size: int, moves: dict[int, tuple[int, str]]
) -> None:
    rows = [str(number) for number in range(count)]
    arrivals = {call: (place, f"new{call}") for call, (place, _) in moves.items()}
    assert set(read(NextPaging(), rows, size, arrivals)) >= {str(number) for number in range(count)}


def test_a_row_that_came_again_means_one_more_look() -> None:
    rows = [str(number) for number in range(9)]
    # between pages 2 and 3 a row comes into page 1, and pushes the last of page 2 onto page 3
    found = read(NextPaging(), rows, 3, {2: (0, "new")})
    assert "new" in found and set(found) == set(rows)


@pytest.mark.parametrize(
    ("ids", "following"),
    [
        (["1", "2"], 3),  # the page before once more
        (["3"], 2),  # itself named as the next one
        (["3"], 1),  # backwards
    ],
)
def test_a_page_in_whose_place_another_came_is_asked_for_again_and_not_for_ever(ids: list[str], following: int) -> None:
    paging = NextPaging()
    assert paging.answered(["1", "2"], 2)
    for _ in range(4):
        assert not paging.answered(ids, following)
        assert paging.number == 2
    with pytest.raises(ValueError, match="keeps answering"):
        paging.answered(ids, following)


def test_a_list_that_never_ends_is_left() -> None:
    paging = NextPaging()
    with pytest.raises(ValueError, match="does not end"):
        for number in range(1, 20_000):
            paging.answered([str(number)], number + 1)


def test_a_cursor_goes_on_where_it_stood() -> None:
    paging = NextPaging()
    paging.answered(["1", "2"], 2)
    again = NextPaging.from_cursor(json.loads(json.dumps(paging.cursor)))
    assert (again.number, again.passes) == (2, 1)
    # it still knows the page before it
    assert not again.answered(["2", "1"], 3)
    assert again.answered(["3"], None) and again.number is None
