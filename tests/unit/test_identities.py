"""The list of customers with several ids: its normal form, whom a change concerns, and how it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.identities import IdentityError, connections_of, members, read_identities, regrouped

IDS = st.sampled_from([f"shop:{n}" for n in range(8)])


def test_rows_with_one_person_are_one_human() -> None:
    text = "\ufeffperson,customer_id,remark\nанна,shop:9,x\nboris,shop:7,\nанна,shop:5,\nанна,shop:9,again\n"
    links = read_identities(text)
    assert links == {"shop:9": "shop:5"}
    assert members(links) == dict.fromkeys(("shop:5", "shop:9"), frozenset({"shop:5", "shop:9"}))
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
        ("customer_id,person\nshop:1,a\nkz:1,a", "kz:1: a person has ids of one connection only"),
        ('customer_id,person\n"shop:1,a', "after line 1: unexpected end of data"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(IdentityError) as raised:
        read_identities(text)
    assert problem in str(raised.value)


def partition(of: dict[str, str]) -> set[frozenset[str]]:
    """Humans with several ids, by comparing everybody with everybody."""
    groups = {frozenset(one for one in of if of[one] == of[other]) for other in of}
    return {group for group in groups if len(group) > 1}


def csv(of: dict[str, str]) -> str:
    return "\n".join(["customer_id;person", *(f"{one};{person}" for one, person in of.items())])


@given(st.dictionaries(IDS, st.sampled_from("abc")), st.dictionaries(IDS, st.sampled_from("abc")))
def test_normal_form_and_changes(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = read_identities(csv(old)), read_identities(csv(new))
    assert set(members(after).values()) == partition(new)
    # a star: whoever is pointed at points at nobody
    assert not set(after.values()) & set(after)
    assert all(same_as < one for one, same_as in after.items())
    assert regrouped(before, after) == set().union(*(partition(old) ^ partition(new)))
    assert connections_of(after) == (["shop"] if after else [])
