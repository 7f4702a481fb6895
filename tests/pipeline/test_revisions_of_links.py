"""A number that a second customer takes parts two who were one: the published week stays, its next revision says why.

Here: the links, their judgement and the marts of Python as production has them, dbt played by the stand-in. Not here:
other reasons of a revision (``test_revisions``), whom a number joins (``tests.unit.test_identities``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from assets.marts.numbers import numbers
from resources.warehouse.customer_links import LinkCounts, refresh_links, replace_list, weeks_concerned
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.pipeline.standin import ANNA, WHATSAPP, Floor
from tests.warehouse.test_humans import CHAT, PHONE, POLICY, happen, judged

W19, W20 = "2026-W19", "2026-W20"
NUMBER = "+7 701 000-00-01"


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    """A question at noon in the chat, a call a quarter of an hour later in the telephony: one human by his number."""
    with database.connect() as sql:
        for table in ("core.conversations", "core.customers", "reference.customer_links", "reference.customer_list",
                      "ops.link_changes", "ops.dirty", "ops.as_of"):  # fmt: skip
            sql.execute(f"delete from {table}")
    with ExitStack() as closing:
        made = Floor(database, closing, POLICY)
        made.put("core.channels", channel_id="tbank:phone", connection_id="tbank", kind="phone", name="Телефон")
        arrive(made, "shop:5", CHAT)
        arrive(made, "tbank:a", PHONE)
        with database.connect() as sql:
            happen(sql, CHAT, 0, "in")
            happen(sql, PHONE, 900, "out")
        assert linked(made) == LinkCounts(1, 2, unknown=0, conversations=2, by_number=1, regrouped=2)
        judged(database, "shop", "tbank")
        yield made


def arrive(floor: Floor, customer: str, chat: str) -> None:
    connection = customer.partition(":")[0]
    channel = WHATSAPP if connection == "shop" else "tbank:phone"
    floor.put("core.customers", customer_id=customer, connection_id=connection, phone=NUMBER)
    floor.put("core.conversations", conversation_id=chat, connection_id=connection, channel_id=channel,
              customer_id=customer)  # fmt: skip


def linked(floor: Floor) -> LinkCounts:
    return refresh_links(floor.database.as_role(Role.LOADER), by_number=True)


def listed(floor: Floor, people: dict[str, str]) -> LinkCounts:
    return replace_list(floor.database.as_role(Role.LOADER), people)


def revisions(floor: Floor) -> list[tuple[Any, ...]]:
    names = ("revision", "reason", "changed_cases", "changed_cases_by_links", "links_change")
    return [tuple(row[name] for name in names) for row in floor.rows("week_revisions", week=W19)]


def outcomes(floor: Floor, revision: int) -> list[str]:
    return [row["outcome"] for row in floor.rows("published_waits", week=W19, revision=revision, conversation_id=CHAT)]


def test_a_week_that_links_change_says_so_and_what_was_shown_stays(floor: Floor) -> None:
    floor.publish(W19, W20)
    assert revisions(floor) == [(1, "first", 0, 0, 1)]
    assert outcomes(floor, 1) == ["in_target"]

    # a second customer of the shop has the number by now: whose call it was is not known any more
    arrive(floor, "shop:7", "shop:c7")
    found = linked(floor)
    assert (found.regrouped, found.parted, found.shared_numbers) == (2, 2, 1)
    assert weeks_concerned(floor.publisher) == [W19]
    floor.publish(W19)
    assert len(revisions(floor)) == 1, "nothing is judged anew yet"

    # another case of the week comes late, still before that judgement: none of it is by links
    floor.wait(W19, ANNA)
    floor.publish(W19)
    assert revisions(floor)[1:] == [(2, "late_data", 1, 0, 1)]

    judged(floor.database, "shop", "tbank")
    floor.publish(W19)
    assert revisions(floor)[2:] == [(3, "links", 1, 1, 2)]
    assert [outcomes(floor, one) for one in (1, 2, 3)] == [["in_target"], ["in_target"], ["no_reply"]]
    told = numbers(floor.publisher, [W19])["week_revisions", W19]
    assert (told["links"], told["last_changed_cases"], told["last_changed_cases_by_links"]) == (1, 1, 1)

    # people say who it is, and something else is late as well: both are counted, and late data is what it is called
    listed(floor, {"shop:5": "shop:5", "tbank:a": "shop:5"})
    judged(floor.database, "shop", "tbank")
    floor.wait(W19, ANNA)
    floor.publish(W19)
    assert revisions(floor)[3:] == [(4, "late_data", 2, 1, 3)]
    assert outcomes(floor, 4) == ["in_target"]
    before = revisions(floor)
    floor.publish(W19, W20)
    assert revisions(floor) == before
    assert [row["week"] for row in floor.rows("week_revisions", reason="links")] == [W19]


def test_a_week_published_before_there_were_such_columns_gets_its_next_revision(floor: Floor) -> None:
    floor.publish(W19)
    for column in ("changed_cases", "changed_cases_by_links", "links_change"):
        floor.owner.execute(f"alter table marts.week_revisions drop column {column}")
    floor.wait(W19, ANNA)
    floor.publish(W19)
    assert revisions(floor) == [(1, "first", None, None, None), (2, "late_data", 1, 0, 1)]
