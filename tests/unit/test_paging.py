"""Paging by id and by number against small servers that behave in every way a vendor may."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.sources.id_paging import Gap, IdPaging, Stuck
from resources.sources.number_paging import NumberPaging


@dataclass
class IdServer:
    """A list paged by id bounds."""

    ids: list[int]
    limit: int
    is_descending: bool
    is_inclusive: bool
    counts_from_low: bool
    """With a lower bound the page holds the rows next to it, still in the server's order."""
    shuffles: bool
    random: Random
    arrivals: int = 0

    def answer(self, gap: Gap) -> list[int]:
        low, high = gap
        found = [
            number
            for number in self.ids
            if (low is None or number > low or (self.is_inclusive and number == low))
            and (high is None or number < high or (self.is_inclusive and number == high))
        ]
        takes_lowest = not self.is_descending or (self.counts_from_low and low is not None)
        page = sorted(found, reverse=not takes_lowest)[: self.limit]
        page.sort(reverse=self.is_descending)
        if self.shuffles:
            self.random.shuffle(page)
        if self.arrivals and self.random.random() < 0.2:
            self.arrivals -= 1
            self.ids.append(max(self.ids, default=0) + self.random.randint(1, 5))
        return page


@settings(max_examples=400, deadline=None)
@given(
    ids=st.sets(st.integers(1, 400), max_size=120),
    limit=st.sampled_from([3, 5, 10, 50]),
    is_descending=st.booleans(),
    is_inclusive=st.booleans(),
    counts_from_low=st.booleans(),
    shuffles=st.booleans(),
    arrivals=st.integers(0, 6),
    seed=st.integers(0, 10_000),
)
def test_every_row_is_read_whatever_the_server_does(
    ids: set[int],
    limit: int,
    is_descending: bool,
    is_inclusive: bool,
    counts_from_low: bool,
    shuffles: bool,
    arrivals: int,
    seed: int,
) -> None:
    random = Random(seed)
    server = IdServer(
        sorted(ids), limit, is_descending, is_inclusive, counts_from_low, shuffles, random, arrivals if ids else 0
    )
    paging, seen, calls = IdPaging(), set(), 0
    while paging.next_gap is not None:
        page = server.answer(paging.next_gap)
        seen.update(page)
        paging.answered(page)
        calls += 1
        if paging.cursor is not None and random.random() < 0.3:
            # the reader was killed and goes on from what was stored
            paging = IdPaging.from_cursor(json.loads(json.dumps(paging.cursor)))
    assert seen >= ids
    # what arrived before the last question about the top was answered is there too
    assert calls <= 4 + 4 * (len(server.ids) + 1)


def test_the_usual_order_costs_two_calls_more_than_its_pages() -> None:
    server = IdServer(list(range(1, 1001)), 100, True, False, False, False, Random(1))
    paging, calls = IdPaging(), 0
    while paging.next_gap is not None:
        paging.answered(server.answer(paging.next_gap))
        calls += 1
    assert calls == 10 + 2


def test_a_server_that_ignores_the_bounds_is_given_up_after_five_calls() -> None:
    paging = IdPaging()
    for _ in range(5):
        paging.answered([9, 8, 7])
    with pytest.raises(Stuck):
        paging.answered([9, 8, 7])


def _read_numbered(rows: list[str], size: int, change_after: int, change: str, resume: bool = False) -> set[str]:
    """Read a list newest first; after ``change_after`` calls a row appears on top or one of the first page goes."""
    rows = list(rows)
    paging, seen, calls = NumberPaging(), set(), 0
    while paging.next_number is not None:
        number = paging.next_number
        page = rows[(number - 1) * size : number * size]
        seen.update(page)
        paging.answered(number, max(-(-len(rows) // size), 1), len(rows), page)
        calls += 1
        if calls == change_after and change == "appears":
            rows.insert(0, "new")
        if calls == change_after and change == "goes":
            rows.pop(0)
        if resume and paging.cursor is not None:
            paging = NumberPaging.from_cursor(json.loads(json.dumps(paging.cursor)))
        assert calls < 200
    return seen


@pytest.mark.parametrize("change", ["appears", "goes"])
@pytest.mark.parametrize("change_after", [1, 2, 3, 4])
@pytest.mark.parametrize("resume", [False, True])
def test_rows_that_shift_between_numbered_pages_are_not_lost(change: str, change_after: int, resume: bool) -> None:
    rows = [f"row{number}" for number in range(18)]
    seen = _read_numbered(rows, 4, change_after, change, resume)
    assert seen >= set(rows)


def test_a_page_that_was_swapped_for_an_older_one_is_asked_for_again() -> None:
    paging = NumberPaging()
    paging.answered(1, 3, 5, ["9", "8"])
    paging.answered(2, 3, 5, ["9", "8"])
    assert paging.next_number == 2
    paging.answered(2, 3, 5, ["7", "6"])
    assert paging.next_number == 3


def test_a_list_that_shrank_below_the_page_asked_for_ends() -> None:
    paging = NumberPaging()
    paging.answered(1, 3, 5, ["9", "8"])
    paging.answered(1, 1, 2, ["9", "8"])
    assert paging.next_number == 1, "the list is read once more, since it changed"
    paging.answered(1, 1, 2, ["9", "8"])
    assert paging.next_number is None
