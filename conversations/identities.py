"""Customers who are one human under several ids: what a person writes down, made ready for the judgement.

Here: reading the list and its normal form. Not here: the table (``resources.warehouse.customer_links``), how a reply in
one of the chats answers in the other (``conversations.evaluate``).

Contract, section 2: a chat that the source split over two ids of one customer is joined before anything is judged. No
id is ever joined by a guess (a name, a phone): the list comes from people or from a system that knows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping

COLUMNS = ("customer_id", "person")


class IdentityError(ValueError):
    """The list cannot be used; the text names the line and what is wrong, and no name or phone."""


def read_identities(text: str) -> dict[str, str]:
    """Read a list in CSV (comma or semicolon, a heading with ``COLUMNS``); returns links in normal form.

    Rows with one ``person`` (any word) are one human. Normal form: every id but the smallest of a human points at the
    smallest one; who has one id only needs no link.

    >>> read_identities("customer_id;person\\nshop:9;a\\nshop:5;a\\nshop:7;b\\n")
    {'shop:9': 'shop:5'}

    Raises:
        IdentityError: no such columns, an empty cell, one id under two persons, ids of two connections under one.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise IdentityError(f"line 1: there is no column {', '.join(missing)}")
    person_of: dict[str, str] = {}
    try:
        for row in reader:
            customer_id, person = ((row[column] or "").strip() for column in COLUMNS)
            if not customer_id or not person:
                raise IdentityError(f"line {reader.line_num}: a cell is empty")
            if person_of.setdefault(customer_id, person) != person:
                raise IdentityError(f"line {reader.line_num}: {customer_id} is named under two persons")
    except csv.Error as error:
        raise IdentityError(f"after line {reader.line_num}: {error}") from None
    return _normal(person_of)


def _normal(person_of: Mapping[str, str]) -> dict[str, str]:
    people: dict[str, list[str]] = {}
    for customer_id, person in person_of.items():
        people.setdefault(person, []).append(customer_id)
    links: dict[str, str] = {}
    for ids in people.values():
        if len({one.partition(":")[0] for one in ids}) > 1:
            raise IdentityError(f"{min(ids)}: a person has ids of one connection only, the others are judged apart")
        links |= {one: min(ids) for one in ids if one != min(ids)}
    return dict(sorted(links.items()))


def members(links: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Everybody who is part of a human with several ids, with all ids of that human."""
    groups: dict[str, set[str]] = {}
    for customer_id, same_as in links.items():
        groups.setdefault(same_as, {same_as}).add(customer_id)
    return {one: frozenset(group) for group in groups.values() for one in group}


def regrouped(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """The ids whose human has other ids now than before: their conversations have to be judged again, all of them."""
    old, new = members(before), members(after)
    return {one for one in {*old, *new} if old.get(one) != new.get(one)}


def connections_of(ids: Iterable[str]) -> list[str]:
    """The connections that the ids belong to, in order."""
    return sorted({one.partition(":")[0] for one in ids})
