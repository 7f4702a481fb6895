"""Customers who are one human under several ids: what people wrote down and what a telephone number says, made one.

Here: reading the list, which ids a number joins, the normal form of both. Not here: the tables
(``resources.warehouse.customer_links``), numbers (``conversations.numbers``), how a reply in one of the chats answers
in the other (``conversations.evaluate``).

Contract, section 2: a chat that the source split over two ids of one customer is joined before anything is judged; and
ruling 9: an answered call on any channel answers. A telephony knows nobody by anything but his number, so there the
number **is** the customer: whoever alone has it in another connection is joined to it. Otherwise a manager who wrote
back after a missed call, or rang back after a message, is shown as one who did not answer, which is a false accusation
and the worse mistake of the two. Nobody is joined by a name, nor by a phone that no telephony knows, nor by a number
that two customers of one connection share, and where people wrote down who is who, that holds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import NamedTuple

COLUMNS = ("customer_id", "person")
BY_LIST, BY_NUMBER = "list", "number"
"""Why an id is linked."""


class IdentityError(ValueError):
    """The list cannot be used; the text names the line and what is wrong, and no name or phone."""


def read_identities(text: str) -> dict[str, str]:
    """Read a list in CSV (comma or semicolon, a heading with ``COLUMNS``); returns it in normal form.

    Rows with one ``person`` (any word) are one human, whatever connections the ids belong to. Normal form: every id
    points at the smallest one of its human; one that stands alone points at itself and is joined to nobody by a number.

    >>> read_identities("customer_id;person\\nshop:9;a\\nshop:5;a\\ntbank:7;b\\n")
    {'shop:5': 'shop:5', 'shop:9': 'shop:5', 'tbank:7': 'tbank:7'}

    Raises:
        IdentityError: no such columns, an empty cell, one id under two persons.
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
    people: dict[str, list[str]] = {}
    for customer_id, person in person_of.items():
        people.setdefault(person, []).append(customer_id)
    return dict(sorted((one, min(ids)) for ids in people.values() for one in ids))


def renamed(listed: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """A list in normal form with other ids for some customers, in normal form.

    >>> renamed({"shop:5": "shop:5", "tbank:9": "shop:5"}, {"tbank:9": "a:1"})
    {'a:1': 'a:1', 'shop:5': 'a:1'}
    """
    people: dict[str, set[str]] = {}
    for one, same_as in listed.items():
        people.setdefault(same_as, set()).add(names.get(one, one))
    return dict(sorted((one, min(ids)) for ids in people.values() for one in ids))


class Linked(NamedTuple):
    """Who is one human, by the list and by numbers."""

    links: dict[str, tuple[str, str]]
    """Every id but the smallest of a human: that smallest one, and ``BY_LIST`` or ``BY_NUMBER``."""
    shared: list[tuple[str, ...]]
    """Ids that have one number and were not joined, since it would make one human of several customers."""


def link(listed: Mapping[str, str], numbers: Iterable[Iterable[str]]) -> Linked:
    """Join ids by people's list and by numbers.

    Args:
        listed: as ``read_identities`` gives it.
        numbers: for each number that a telephony knows, all ids that have it: the telephony's and the others'.

    A number joins its ids to one human unless that would make one of

    - two ids of one connection that the list does not know as one: a telephone in a family or an office;
    - two humans of the list;
    - a human of the list and an id of a connection of which the list already names one for him.

    An id that stands alone in the list is joined to nobody; the others are joined without it. The outcome depends on
    nothing but the arguments: no order, no former outcome.
    """
    people: dict[str, set[str]] = {}
    for one, same_as in listed.items():
        people.setdefault(same_as, set()).add(one)
    human_of = {one: human for human in people.values() for one in human}
    joined: list[set[str]] = [human for human in people.values() if len(human) > 1]
    shared: set[tuple[str, ...]] = set()
    for ids in numbers:
        met = {one for one in ids if len(human_of.get(one, ())) != 1}
        humans = {listed[one]: human_of[one] for one in met if one in listed}
        strangers = {one for one in met if one not in listed}
        if len(humans) + len(strangers) < 2:
            continue
        taken = [connection_of(one) for one in strangers]
        taken += {connection_of(one) for human in humans.values() for one in human}
        if len(humans) > 1 or len(set(taken)) < len(taken):
            shared.add(tuple(sorted(met)))
        else:
            joined.append(strangers.union(*humans.values()))
    reasons = {one: BY_LIST if len(human_of.get(one, ())) > 1 else BY_NUMBER for human in joined for one in human}
    roots = _roots(joined)
    return Linked({one: (root, reasons[one]) for one, root in sorted(roots.items()) if one != root}, sorted(shared))


def _roots(groups: Iterable[set[str]]) -> dict[str, str]:
    """The smallest id of everybody's human; groups that touch are one: a human of the list may have two numbers."""
    human_of: dict[str, set[str]] = {}
    for group in groups:
        whole = set(group).union(*(human_of[one] for one in group if one in human_of))
        for one in whole:
            human_of[one] = whole
    return {one: min(human) for one, human in human_of.items()}


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


def parted(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """The ids that were one human with some other id and no longer are.

    >>> sorted(parted({"b": "a", "c": "a"}, {"b": "a"})), parted({"b": "a"}, {"b": "a", "c": "a"})
    (['a', 'b', 'c'], set())
    """
    old, new = members(before), members(after)
    return {one for one, human in old.items() if not human <= new.get(one, frozenset())}


def connection_of(customer_id: str) -> str:
    """The connection that an id belongs to."""
    return customer_id.partition(":")[0]


def connections_of(ids: Iterable[str]) -> list[str]:
    """The connections that the ids belong to, in order."""
    return sorted({connection_of(one) for one in ids})
