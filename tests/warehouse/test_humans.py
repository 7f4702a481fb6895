"""One human in two connections: a call answers his chat, a message his missed call, whatever was loaded first.

Here: a messenger's and a telephony's account, joined by the number or by people. Not here: who is joined to whom
(``tests.unit.test_identities``), one connection (``test_customer_links``, ``test_call_waits``), what connections cost
each other (``test_neighbours``).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.policy import Policy
from resources.warehouse.customer_links import LinkCounts, find_links, refresh_links, replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery
from tests.loader import refresh_evaluated
from tests.person_keys import KEYS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = Policy.parse(
    "defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30, first_reply_target_minutes: 30}"
)
"""Around the clock; missed calls keep their own T of 15 minutes and N of 480."""
CHAT, PHONE, OTHER, THIRD = "shop:c5", "tbank:c1", "shop:c6", "tbank:c2"
CUSTOMERS = {CHAT: ("shop:5", "8 (701) 000-00-01"), OTHER: ("shop:6", "+7 701 000-00-02"),
             PHONE: ("tbank:a", "+77010000001"), THIRD: ("tbank:b", "+77010000003")}  # fmt: skip
TABLES = ("core.messages", "core.conversations", "core.customers", "core.channels", "reference.customer_links",
          "reference.customer_list", "evaluated.left_waiting", "evaluated.waits", "evaluated.sessions",
          "evaluated.behaviour", "evaluated.advice", "ops.dirty", "ops.as_of")  # fmt: skip


@pytest.fixture(autouse=True)
def _talks(database: Warehouse) -> Iterator[None]:
    with database.connect() as sql:
        for table in TABLES:
            sql.execute(f"delete from {table}")
        sql.execute("insert into core.channels values ('shop:61', 'shop', 'whatsapp', 'WhatsApp', true)")
        sql.execute("insert into core.channels values ('tbank:phone', 'tbank', 'phone', 'Телефон', true)")
        for chat, (customer, phone) in CUSTOMERS.items():
            acquaint(sql, chat, customer, phone)
    yield


def acquaint(sql: Any, chat: str, customer: str, phone: str | None) -> None:
    connection = customer.split(":")[0]
    sql.execute(
        "insert into core.customers values (%s, %s, 'К', %s, null, %s)",
        (customer, connection, phone, KEYS.number_key(phone)),
    )
    sql.execute(
        "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed, flags)"
        " values (%s, %s, %s, %s, false, '{}')",
        (chat, connection, "shop:61" if connection == "shop" else "tbank:phone", customer),
    )


def happen(sql: Any, chat: str, seconds: int, direction: str, answered: bool = True) -> None:
    """A message of the customer (in) or of a manager, in a telephony a call; marked as core marks what it writes."""
    connection, at = chat.split(":")[0], NOON + timedelta(seconds=seconds)
    is_call, is_in = connection == "tbank", direction == "in"
    sql.execute(
        "insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
        " manager_id, is_public, delivery_status, content_kind, text, call_answered, talk_seconds, flags, ingested_at,"
        " raw_stream, raw_id) values (%s, %s, %s, %s, %s, %s, %s, true, 'sent', %s, %s, %s, %s, '{}', %s, 'r', '-')",
        (
            chat, f"{seconds:07}", connection, at, direction, "customer" if is_in else "manager",
            None if is_in and not (is_call and answered) else f"{connection}:1", "call" if is_call else "text",
            None if is_call else "Есть доставка?", answered if is_call else None, 60 * answered if is_call else None,
            NOON,
        ),
    )  # fmt: skip
    sql.execute(
        "insert into ops.dirty as d values (%s, %s, %s) on conflict (conversation_id) do update"
        " set since = least(d.since, excluded.since), is_told = false",
        (chat, connection, at),
    )


def judged(database: Warehouse, *order: str, hours: float = 12) -> int:
    """How many humans the connections judged, one after the other."""
    until = NOON + timedelta(hours=hours)
    return sum(refresh_evaluated(database, POLICY, None, until, connection_id=one).contacts for one in order)


def waits(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute(
            "select connection_id, channel_id, conversation_id, wait_kind, outcome, wait_seconds, reply_kind,"
            " reply_manager_id from evaluated.waits order by conversation_id, opened_at, wait_kind"
        ).fetchall()


def linked(database: Warehouse, by_number: bool = True) -> LinkCounts:
    return refresh_links(database.as_role(Role.LOADER), by_number=by_number)


def listed(database: Warehouse, people: dict[str, str], by_number: bool = True) -> LinkCounts:
    return replace_list(database.as_role(Role.LOADER), people, by_number=by_number)


def links(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as sql:
        return sql.execute("select * from reference.customer_links order by 1").fetchall()


ORDERS = list(itertools.permutations(("shop", "tbank")))
BY_CALL = ("shop", "shop:61", CHAT, "message", "in_target", 900, "call", "tbank:1")
BY_MESSAGE = ("tbank", "tbank:phone", PHONE, "missed_call", "in_target", 600, "message", "shop:1")


@pytest.mark.parametrize("order", ORDERS)
def test_r9_a_question_in_a_chat_is_answered_by_a_call_in_the_telephony(
    order: tuple[str, ...], database: Warehouse
) -> None:
    """10:00 in the chat, the manager phones at 10:15, the call is answered: 15 minutes, reply_kind call."""
    linked(database)
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 900, "out")
    judged(database, *order)
    # the call is the answer, and opens nothing in its own account
    assert waits(database) == [BY_CALL]
    assert judged(database, *order) == 0


@pytest.mark.parametrize("order", ORDERS)
def test_a_missed_call_is_answered_by_a_message_in_the_messenger(order: tuple[str, ...], database: Warehouse) -> None:
    linked(database)
    with database.connect() as sql:
        happen(sql, PHONE, 0, "in", answered=False)
        happen(sql, CHAT, 600, "out")
    judged(database, *order)
    assert waits(database) == [BY_MESSAGE]


def test_what_comes_a_day_later_judges_the_human_again_wherever_it_comes(database: Warehouse) -> None:
    linked(database)
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 30, "in", answered=False)
    judged(database, "shop", "tbank")
    assert [row[4] for row in waits(database)] == ["no_reply", "no_reply"]
    with database.connect() as sql:
        happen(sql, PHONE, 900, "out")
    # the telephony's late page, judged in the telephony: the chat's account has been told
    assert judged(database, "tbank") == 1
    assert [row[4] for row in waits(database)] == ["no_reply", "in_target"]
    assert judged(database, "shop") == 1
    assert waits(database) == [BY_CALL, (*BY_MESSAGE[:5], 870, "call", "tbank:1")]


def test_links_made_and_taken_back_judge_whom_they_concern_and_nobody_else(database: Warehouse) -> None:
    with database.connect() as sql:
        for chat in (CHAT, OTHER):
            happen(sql, chat, 0, "in")
        happen(sql, PHONE, 900, "out")
        happen(sql, THIRD, 900, "out")
    judged(database, "shop", "tbank")
    apart = table_hashes(database, ("evaluated",))
    assert [row[4] for row in waits(database)] == ["no_reply", "no_reply"]
    assert linked(database) == LinkCounts(1, 2, unknown=0, conversations=2, by_number=1, regrouped=2)
    assert links(database) == [("tbank:a", "shop:5", "number")]
    assert judged(database, "shop", "tbank") == 2
    assert [row[4] for row in waits(database)] == ["in_target", "no_reply"]
    before = table_hashes(database, ("reference", "core", "ops"))
    assert linked(database).conversations == 0
    assert table_hashes(database, ("reference", "core", "ops")) == before
    # the policy says no
    assert linked(database, by_number=False).conversations == 2
    assert judged(database, "tbank", "shop") == 2
    assert table_hashes(database, ("evaluated",)) == apart


def test_a_number_of_two_customers_joins_nobody_and_people_decide(database: Warehouse) -> None:
    with database.connect() as sql:
        acquaint(sql, "shop:c7", "shop:7", "77010000001")
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 900, "out")
    counts = linked(database)
    assert (counts.people, counts.shared_numbers, links(database)) == (0, 1, [])
    assert find_links(database.as_role(Role.LOADER), by_number=True).shared == [("shop:5", "shop:7", "tbank:a")]
    judged(database, "shop", "tbank")
    assert [row[4] for row in waits(database)] == ["no_reply"]
    # one of the two is somebody else
    assert listed(database, {"shop:7": "shop:7"}).by_number == 1
    judged(database, "shop", "tbank")
    assert waits(database) == [BY_CALL]
    # nobody of them rang: the caller is kept apart, and the night does not join him again
    listed(database, {"tbank:a": "tbank:a"})
    linked(database)
    judged(database, "shop", "tbank")
    assert (links(database), [row[4] for row in waits(database)]) == ([], ["no_reply"])
    # a list alone joins what no number joins, over connections as well
    listed(database, {"shop:5": "shop:5", "tbank:a": "shop:5"}, by_number=False)
    judged(database, "shop", "tbank")
    assert links(database) == [("tbank:a", "shop:5", "list")]
    assert waits(database) == [BY_CALL]


def test_who_only_stands_in_a_directory_is_nobody_to_join_and_keys_are_made_good(database: Warehouse) -> None:
    """The CRM lists a customer of its own beside the messenger's; he has no chat."""
    with database.connect() as sql:
        sql.execute("insert into core.customers values ('shop:crm5', 'shop', 'К', '87010000001', null)")
        # stored before there were keys
        sql.execute("update core.customers set number_key = null")
        sql.execute("insert into core.customers values ('shop:crm6', 'shop', 'К', 'нет', null)")
    linked(database)
    assert links(database) == [("tbank:a", "shop:5", "number")]
    with database.connect() as sql:
        keys = dict(sql.execute("select customer_id, number_key from core.customers").fetchall())
    assert keys["shop:crm5"] == keys["shop:5"] == keys["tbank:a"] != keys["tbank:b"]
    assert keys["shop:crm6"] == ""


def test_an_account_that_stands_still_is_judged_as_of_its_own_time(database: Warehouse) -> None:
    """Disabled at one o'clock: what the others see later changes nothing of it, what they learn of earlier does."""
    linked(database)
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
    judged(database, "shop", "tbank", hours=0.5)
    with database.connect() as sql:
        happen(sql, PHONE, 2_700, "out")
    assert judged(database, "tbank", hours=12) == 1
    assert judged(database, "shop", hours=0.5) == 0
    assert [row[4:6] for row in waits(database)] == [("pending", None)]
    with database.connect() as sql:
        happen(sql, PHONE, 1_200, "out")
    judged(database, "tbank", hours=12)
    assert judged(database, "shop", hours=0.5) == 1
    assert [row[4:6] for row in waits(database)] == [("in_target", 1_200)]
    # enabled again: the late call is seen, and was no answer
    assert judged(database, "shop", hours=12) == 1
    assert [row[4:6] for row in waits(database)] == [("in_target", 1_200)]


@pytest.mark.parametrize("number", range(8))
def test_step_by_step_in_any_order_is_as_everything_at_once(number: int, database: Warehouse) -> None:
    """Messages and calls come early and late, accounts are judged up to different hours, links come and go."""
    draw, chats = random.Random(number), (CHAT, PHONE, OTHER, THIRD)
    hours = {"shop": 0.0, "tbank": 0.0}
    seconds = draw.sample(range(0, 40 * 3_600, 50), 60)
    for step in range(20):
        with database.connect() as sql:
            for at in seconds[3 * step : 3 * step + 3]:
                happen(sql, draw.choice(chats), at, draw.choice(("in", "in", "out")), draw.random() < 0.5)
            if draw.random() < 0.1:
                sql.execute(
                    "update core.messages set deleted_at = sent_at + interval '30 seconds'"
                    " where sender_kind = 'manager' and content_kind = 'text'"
                )
                sql.execute("update ops.dirty set since = '1900-01-01 00:00Z', is_told = false")
        if step % 6 == 2:
            linked(database, by_number=draw.random() < 0.7)
        if step % 6 == 5:
            people = {one: one for one in ("shop:5", "shop:6", "tbank:a", "tbank:b")}
            people |= {draw.choice(("shop:6", "tbank:a", "tbank:b")): "shop:5"}
            listed(database, people, by_number=draw.random() < 0.5)
        for one in draw.sample(("shop", "tbank"), draw.choice((0, 1, 2))):
            hours[one] += draw.choice((0, 1, 3, 6))
            judged(database, one, hours=hours[one])
    linked(database)
    for one in draw.sample(("shop", "tbank"), 2):
        judged(database, one, hours=hours[one])
    # whoever was judged second has told the first
    for one in ("shop", "tbank"):
        judged(database, one, hours=hours[one])
    assert judged(database, "tbank", "shop", hours=0) == 0
    step_by_step = table_hashes(database, ("evaluated",))
    with database.connect() as sql:
        assert sql.execute("select count(*) from evaluated.waits").fetchone()[0] > 3  # type: ignore[index]
        for table in ("left_waiting", "waits", "sessions", "behaviour", "advice"):
            sql.execute(f"delete from evaluated.{table}")
        sql.execute("delete from ops.as_of")
    for one in draw.sample(("shop", "tbank"), 2):
        judged(database, one, hours=hours[one])
    assert table_hashes(database, ("evaluated",)) == step_by_step


def test_two_accounts_judged_at_once_do_not_wait_for_each_other_for_ever(database: Warehouse) -> None:
    linked(database)
    with ThreadPoolExecutor(2) as pool:
        for turn in range(4):
            with database.connect() as sql:
                for chat in (CHAT, PHONE, OTHER, THIRD):
                    happen(sql, chat, 600 * turn, "in")
            both = [pool.submit(judged, database, one) for one in ("shop", "tbank")]
            assert all(one.result(timeout=60) > 0 for one in both)
    judged(database, "shop", "tbank")
    assert judged(database, "shop", "tbank") == 0


@pytest.mark.parametrize("fail_point", ["customers.before_commit", "evaluated.told", "evaluated.before_commit"])
def test_killed_anywhere_and_done_again(fail_point: str, database: Warehouse, nursery: Nursery) -> None:  # noqa: F811
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 900, "out")
        sql.execute("update core.messages set sent_at = sent_at - interval '63 days'")
        sql.execute("update ops.dirty set since = since - interval '63 days'")
    for what in ("customers", "evaluated"):
        if fail_point.startswith(what):
            worker = nursery.start(what, database, WEEK, links={}, fail_point=f"{fail_point}:1")
            assert worker.wait() == KILLED, worker.words
        worker = nursery.start(what, database, WEEK, links={})
        assert worker.wait() == 0, worker.words
    assert waits(database) == [(*BY_CALL[:4], "slow_reply", *BY_CALL[5:])]
    with database.connect() as sql:
        assert sql.execute("select connection_id, is_told from ops.dirty").fetchall() == [("tbank", True)]
