"""Who is one human: the list of people and its normal form, whom a number joins, whom a change concerns, refusals."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.identities import (
    IdentityError,
    connections_of,
    link,
    members,
    read_identities,
    regrouped,
)

IDS = st.sampled_from([f"shop:{n}" for n in range(5)] + [f"tbank:{n}" for n in range(3)])


def plain(links: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {one: root for one, (root, _) in links.items()}


def test_rows_with_one_person_are_one_human() -> None:
    text = "\ufeffperson,customer_id,remark\nанна,shop:9,x\nboris,shop:7,\nанна,tbank:5,\nанна,shop:9,again\n"
    listed = read_identities(text)
    assert listed == {"shop:7": "shop:7", "shop:9": "shop:9", "tbank:5": "shop:9"}
    links = plain(link(listed, []).links)
    assert links == {"tbank:5": "shop:9"}
    assert members(links) == dict.fromkeys(("tbank:5", "shop:9"), frozenset({"tbank:5", "shop:9"}))
    assert read_identities("customer_id,person\n") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: there is no column customer_id, person"),
        ("customer_id\nshop:1", "line 1: there is no column person"),
        ("customer_id,person\nshop:1,", "line 2: a cell is empty"),
        ("customer_id,person\nshop:1", "line 2: a cell is empty"),
        ("customer_id,person\n ,a", "line 2: a cell is empty"),
        ("customer_id,person\nshop:1,a\nshop:1,b", "line 3: shop:1 is named under two persons"),
        ('customer_id,person\n"shop:1,a', "after line 1: unexpected end of data"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(IdentityError) as raised:
        read_identities(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("listed", "numbers", "links", "shared"),
    [
        # the number of a telephony is the customer who alone has it elsewhere
        ({}, [["tbank:a", "shop:5"]], {"tbank:a": ("shop:5", "number")}, []),
        ({}, [["tbank:a", "shop:5", "web:1"]], {"tbank:a": ("shop:5", "number"), "web:1": ("shop:5", "number")}, []),
        # two telephonies know one number
        ({}, [["tbank:a", "second:a"]], {"tbank:a": ("second:a", "number")}, []),
        # a family: nobody knows who of them rang, in no connection
        ({}, [["tbank:a", "shop:5", "shop:6"]], {}, [("shop:5", "shop:6", "tbank:a")]),
        ({}, [["tbank:a", "shop:5", "shop:6", "web:1"]], {}, [("shop:5", "shop:6", "tbank:a", "web:1")]),
        # unless people know that they are one
        ({"shop:5": "shop:5", "shop:6": "shop:5"}, [["tbank:a", "shop:5", "shop:6"]],
         {"shop:6": ("shop:5", "list"), "tbank:a": ("shop:5", "number")}, []),
        # or one of them is kept apart
        ({"shop:6": "shop:6"}, [["tbank:a", "shop:5", "shop:6"]], {"tbank:a": ("shop:5", "number")}, []),
        ({"shop:5": "shop:5"}, [["tbank:a", "shop:5"]], {}, []),
        ({"tbank:a": "tbank:a"}, [["tbank:a", "shop:5"]], {}, []),
        # two humans of the list stay two
        ({"shop:5": "shop:5", "shop:6": "shop:5", "web:1": "web:1", "web:2": "web:1"},
         [["tbank:a", "shop:5", "web:1"]],
         {"shop:6": ("shop:5", "list"), "web:2": ("web:1", "list")}, [("shop:5", "tbank:a", "web:1")]),
        # the list says under which number he rings
        ({"shop:5": "shop:5", "tbank:b": "shop:5"}, [["tbank:a", "shop:5"]],
         {"tbank:b": ("shop:5", "list")}, [("shop:5", "tbank:a")]),
        # a human of the list rings from two numbers
        ({"shop:5": "shop:5", "shop:6": "shop:5"}, [["tbank:a", "shop:5"], ["tbank:b", "shop:6"]],
         {"shop:6": ("shop:5", "list"), "tbank:a": ("shop:5", "number"), "tbank:b": ("shop:5", "number")}, []),
    ],
)  # fmt: skip
def test_whom_a_number_joins(
    listed: dict[str, str],
    numbers: list[list[str]],
    links: dict[str, tuple[str, str]],
    shared: list[tuple[str, ...]],
) -> None:
    for order in itertools.permutations(numbers):
        found = link(dict(reversed(listed.items())), [reversed(ids) for ids in order])
        assert (found.links, found.shared) == (links, shared)


def partition(of: dict[str, str]) -> set[frozenset[str]]:
    """Humans with several ids, by comparing everybody with everybody."""
    groups = {frozenset(one for one in of if of[one] == of[other]) for other in of}
    return {group for group in groups if len(group) > 1}


def csv(of: dict[str, str]) -> str:
    return "\n".join(["customer_id;person", *(f"{one};{person}" for one, person in of.items())])


@given(st.dictionaries(IDS, st.sampled_from("abc")), st.dictionaries(IDS, st.sampled_from("abc")))
def test_normal_form_and_changes(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = (plain(link(read_identities(csv(one)), []).links) for one in (old, new))
    assert set(members(after).values()) == partition(new)
    # a star: whoever is pointed at points at nobody
    assert not set(after.values()) & set(after)
    assert all(same_as < one for one, same_as in after.items())
    assert regrouped(before, after) == set().union(*(partition(old) ^ partition(new)))
    assert set(connections_of(after)) <= {"shop", "tbank"}


@given(st.dictionaries(IDS, st.sampled_from("abc")), st.dictionaries(IDS, st.sampled_from("1234")), st.randoms())
def test_numbers_never_go_against_the_list_nor_join_strangers_of_one_connection(
    people: dict[str, str], number_of: dict[str, str], shuffle: random.Random
) -> None:
    listed = read_identities(csv(people))
    numbers = [[one for one in number_of if number_of[one] == number] for number in sorted(set(number_of.values()))]
    found = link(listed, numbers)
    humans = list(members(plain(found.links)).values())
    for human in humans:
        assert len({people[one] for one in human if one in people}) <= 1
        for one, other in itertools.combinations(sorted(human), 2):
            if connections_of([one]) == connections_of([other]) and not {one, other} <= set(people):
                # an id that the list does not name, beside another of its connection: by another number of a human of
                # the list only
                assert number_of[one] != number_of[other]
                assert human & set(people)
    for group in partition(people):
        assert any(group <= human for human in humans)
    alone = {one for one in people if not any(one in group for group in partition(people))}
    assert alone.isdisjoint(members(plain(found.links)))
    for ids in numbers:
        shuffle.shuffle(ids)
    shuffle.shuffle(numbers)
    assert link(dict(shuffle.sample(sorted(listed.items()), len(listed))), numbers) == found
