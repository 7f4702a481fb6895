"""Chats that move while their list is read: none is missed, and reading ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.sources.web_paging import LOOKS, PATIENCE, Asked, Chat, Stuck, WebPaging

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


class List:
    """A list of chats by activity that somebody writes into."""

    def __init__(self, size: int, is_falling: bool = True) -> None:
        self.at = {str(number): NOON - timedelta(minutes=number) for number in range(size)}
        self.now = NOON
        self.is_falling = is_falling
        self.calls = 0

    def touch(self, chat_id: str) -> None:
        self.now += timedelta(seconds=1)
        self.at[chat_id] = self.now

    def page(self, after: str | None, first: int) -> tuple[list[Chat], str | None, bool]:
        self.calls += 1
        order = sorted(self.at.items(), key=lambda one: (one[1], one[0]), reverse=self.is_falling)
        if after is not None:
            at, number = after.split(" ")
            edge = (datetime.fromisoformat(at), number)
            order = [one for one in order if ((one[1], one[0]) < edge) == self.is_falling and (one[1], one[0]) != edge]
        page = order[:first]
        cursor = f"{page[-1][1].isoformat()} {page[-1][0]}" if page else None
        return [Chat(number, at) for number, at in page], cursor, len(order) > first


def read(listed: List, paging: WebPaging, meanwhile: list[str], first: int = 3) -> list[str]:
    """The chats in the order in which they were read; after each call somebody writes to one."""
    found = []
    for _ in range(10_000):
        asked = paging.next
        if asked is None:
            return found
        if asked.chat_id is None:
            paging.listed(*listed.page(asked.cursor, first))
        else:
            found.append(asked.chat_id)
            paging.read([f"{asked.chat_id}:{len(found)}"], None, False)
        if meanwhile:
            listed.touch(meanwhile.pop())
        cursor = paging.cursor
        if cursor is not None:
            paging = WebPaging.from_cursor(json.loads(json.dumps(cursor)), paging.since, paging.until)
    raise AssertionError("reading does not end")


@given(st.integers(0, 12), st.booleans(), st.lists(st.integers(0, 11), max_size=20), st.integers(1, 4))
def test_no_chat_is_missed_whoever_writes_meanwhile(size: int, is_falling: bool, writes: list[int], first: int) -> None:
    listed = List(size, is_falling)
    found = read(listed, WebPaging(), [str(one % size) for one in writes] if size else [], first)
    assert set(found) == set(listed.at)


def test_a_chat_that_jumps_to_the_top_before_it_was_reached_is_read() -> None:
    listed = List(9)
    found = read(listed, WebPaging(), ["8"])
    assert found.count("8") == 1 and set(found) == set(listed.at)


def test_only_chats_with_activity_since_then_are_read_and_the_rest_of_a_falling_list_is_left() -> None:
    since = NOON - timedelta(minutes=4)
    listed = List(100)
    assert sorted(read(listed, WebPaging(since), [])) == ["0", "1", "2", "3", "4"]
    assert listed.calls <= 4
    rising = List(100, is_falling=False)
    assert sorted(read(rising, WebPaging(since), [])) == ["0", "1", "2", "3", "4"]
    assert rising.calls >= 34


def test_a_chat_whose_activity_cannot_be_read_is_read() -> None:
    paging = WebPaging(since=NOON)
    paging.listed([Chat("1", None), Chat("2", NOON - timedelta(1))], "x", True)
    assert paging.next == Asked("1", None)


def test_a_chat_is_not_read_again_for_what_happened_after_the_window() -> None:
    listed, paging = List(4), WebPaging(until=NOON - timedelta(hours=1))
    found: list[str] = []
    while (asked := paging.next) is not None:
        if asked.chat_id is None:
            paging.listed(*listed.page(asked.cursor, 3))
        else:
            found.append(asked.chat_id)
            listed.touch("0")
            paging.read(["1"], None, False)
    assert sorted(found) == ["0", "1", "2", "3"]


def test_a_shop_that_is_written_to_without_end_is_read_to_an_end() -> None:
    listed, random = List(5), Random(1)
    read(listed, WebPaging(), [str(random.randrange(5)) for _ in range(1000)])
    assert listed.calls <= 3 * LOOKS


def test_pages_of_a_chat_are_read_backwards_and_a_page_in_place_of_another_is_asked_again() -> None:
    paging = WebPaging()
    paging.listed([Chat("88", NOON)], None, False)
    paging.read(["5", "6"], "five", True)
    assert paging.next == Asked("88", "five")
    for _ in range(PATIENCE - 1):
        paging.read(["6", "5"], "five", True)
        assert paging.is_stray and paging.next == Asked("88", "five")
    with pytest.raises(Stuck):
        paging.read(["6"], "five", True)
    paging.read(["3", "5"], "three", False)
    assert not paging.is_stray and paging.next == Asked(None, None)


def test_a_page_of_chats_in_place_of_another_is_asked_again() -> None:
    paging = WebPaging(has_messages=False)
    paging.listed([Chat("1", NOON)], "one", True)
    paging.listed([Chat("1", NOON)], "one", True)
    assert paging.is_stray and paging.next == Asked(None, "one")
    for _ in range(PATIENCE - 2):
        paging.listed([Chat("1", NOON)], "one", True)
    with pytest.raises(Stuck):
        paging.listed([Chat("1", NOON)], "one", True)
