"""Several ids of one human: judged together from the next refresh on, apart when the list says so; nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.policy import Policy
from resources.warehouse.customer_links import LinkCounts, replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.evidence import Span, cases
from resources.warehouse.evidence_figures import FIGURES
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import core_lock
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery
from tests.loader import refresh_evaluated

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = Policy.parse("defaults: {no_reply_limit_minutes: 60, reply_target_minutes: 30}")
LINK = {"shop:5": "shop:5", "shop:9": "shop:5"}


@pytest.fixture(autouse=True)
def _talks(database: Warehouse) -> Iterator[None]:
    """Somebody asks in one chat and is answered in another that the source keeps under another id of his."""
    with database.connect() as sql:
        for table in ("core.messages", "core.conversations", "core.customers", "core.channels",
                      "reference.customer_links", "reference.customer_list", "evaluated.waits",
                      "evaluated.sessions", "evaluated.behaviour", "evaluated.advice", "ops.dirty",
                      "ops.as_of"):  # fmt: skip
            sql.execute(f"delete from {table}")
        sql.execute("insert into core.channels values ('shop:61', 'shop', 'whatsapp', 'WhatsApp', true)")
        for number in (5, 7, 9):
            sql.execute("insert into core.customers values (%s, 'shop', 'К', null, null)", (f"shop:{number}",))
            sql.execute(
                "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
                " flags) values (%s, 'shop', 'shop:61', %s, false, '{}')",
                (f"shop:chat{number}", f"shop:{number}"),
            )
        for chat, minutes, sender in ((5, 0, "customer"), (9, 20, "manager"), (7, 5, "customer"), (7, 15, "manager")):
            say(sql, chat, minutes, sender)
    yield


def say(sql: Any, chat: int, minutes: int, sender: str) -> None:
    is_customer = sender == "customer"
    sql.execute(
        "insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
        " manager_id, is_public, delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id)"
        " values (%s, %s, 'shop', %s, %s, %s, %s, true, 'sent', 'text', 'Есть доставка?', '{}', %s, 'messages', '-')",
        (
            f"shop:chat{chat}", f"{minutes:03}", NOON + timedelta(minutes=minutes), "in" if is_customer else "out",
            sender, None if is_customer else "shop:12", NOON,
        ),
    )  # fmt: skip
    sql.execute(
        "insert into ops.dirty values (%s, 'shop', %s) on conflict do nothing",
        (f"shop:chat{chat}", NOON + timedelta(minutes=minutes)),
    )


def judged(database: Warehouse, hours: int = 5) -> int:
    return refresh_evaluated(database, POLICY, None, NOON + timedelta(hours=hours), connection_id="shop").contacts


def linked(database: Warehouse, links: dict[str, str]) -> LinkCounts:
    return replace_list(database.as_role(Role.LOADER), links)


def written_down(database: Warehouse) -> int:
    with database.connect() as sql:
        row = sql.execute("select count(*) from ops.audit where action like '%customer%'").fetchone()
    return int(row[0]) if row else 0


def outcomes(database: Warehouse) -> dict[str, str]:
    with database.connect() as sql:
        return dict(sql.execute("select conversation_id, outcome from evaluated.waits").fetchall())


APART = {"shop:chat5": "no_reply", "shop:chat7": "in_target"}
TOGETHER = {"shop:chat5": "slow_reply", "shop:chat7": "in_target"}


def test_a_reply_under_the_other_id_answers_from_then_on_and_no_longer_when_the_list_is_taken_back(
    database: Warehouse,
) -> None:
    assert judged(database) == 3
    assert outcomes(database) == APART
    assert linked(database, LINK) == LinkCounts(people=1, customers=2, unknown=0, conversations=2, regrouped=2)
    # the two chats of one human, and nobody else
    assert judged(database) == 1
    assert outcomes(database) == TOGETHER
    assert judged(database) == 0
    assert linked(database, {}) == LinkCounts(0, 0, 0, 2, regrouped=2, parted=2)
    assert judged(database) == 2
    assert outcomes(database) == APART


def test_what_comes_later_finds_all_chats_of_the_human(database: Warehouse) -> None:
    linked(database, LINK)
    judged(database)
    assert outcomes(database) == TOGETHER
    with database.connect() as sql:
        say(sql, 9, 400, "customer")
        say(sql, 5, 410, "manager")
    judged(database, 20)
    with database.connect() as sql:
        rows = sql.execute(
            "select opening_message_id, outcome from evaluated.waits where conversation_id = 'shop:chat9'"
        )
        assert rows.fetchall() == [("400", "in_target")]


def test_the_rows_are_those_of_one_run_over_everything(database: Warehouse) -> None:
    judged(database)
    linked(database, LINK)
    judged(database)
    with database.connect() as sql:
        say(sql, 5, 200, "customer")
        say(sql, 9, 290, "manager")
    judged(database, 8)
    step_by_step = table_hashes(database, ("evaluated",))
    with database.connect() as sql:
        for table in ("waits", "sessions", "behaviour", "advice", "left_waiting"):
            sql.execute(f"delete from evaluated.{table}")
        sql.execute("delete from ops.as_of")
    judged(database, 8)
    assert table_hashes(database, ("evaluated",)) == step_by_step


def test_the_list_behind_unique_customers_is_of_humans_and_of_chats_of_nobody(database: Warehouse) -> None:
    figure, span = FIGURES["channel"]["unique_customers"], Span("2026-W19", "week", "Europe/Moscow", 60)

    def listed() -> list[str]:
        with database.connect() as sql:
            return sorted(case.case_id for case in cases(sql, "channel", figure, span, "shop:61"))

    with database.connect() as sql:
        sql.execute("update core.messages set business_on = '2026-05-04'")
    assert listed() == ["shop:5", "shop:7", "shop:9"]
    linked(database, LINK)
    assert listed() == ["shop:5", "shop:7"]
    with database.connect() as sql:
        # as RetailCRM numbers them: a chat of nobody with the number of a customer
        sql.execute("update core.conversations set customer_id = null, conversation_id = 'shop:5'"
                    " where conversation_id = 'shop:chat7'")  # fmt: skip
        sql.execute("update core.messages set conversation_id = 'shop:5' where conversation_id = 'shop:chat7'")
    assert listed() == ["chat shop:5", "shop:5"]


def test_the_same_list_again_changes_nothing(database: Warehouse) -> None:
    linked(database, LINK | {"shop:7": "shop:7", "shop:99": "shop:7"})
    judged(database)

    def state() -> dict[str, str]:
        hashes = table_hashes(database, ("reference", "ops", "evaluated"))
        # every call is written down, whether or not it changed anything
        del hashes["ops.audit"]
        return hashes

    before, calls = state(), written_down(database)
    assert linked(database, LINK | {"shop:7": "shop:7", "shop:99": "shop:7"}) == LinkCounts(2, 4, 1, 0)
    assert state() == before
    assert written_down(database) == calls + 1


def test_an_account_that_is_being_judged_is_left_alone(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "resources.warehouse.customer_links.core_lock", lambda session, name: core_lock(session, name, wait=0.05)
    )
    with database.connect(autocommit=True) as other, core_lock(other, "shop"), pytest.raises(Busy):
        linked(database, LINK)
    with database.connect() as sql:
        assert sql.execute("select count(*) from reference.customer_links").fetchone() == (0,)


def test_killed_before_the_commit(database: Warehouse, nursery: Nursery) -> None:  # noqa: F811
    judged(database)
    before = table_hashes(database, ("reference", "ops"))
    worker = nursery.start("customers", database, WEEK, fail_point="customers.before_commit:1", links=LINK)
    assert worker.wait() == KILLED, worker.words
    assert table_hashes(database, ("reference", "ops")) == before
    worker = nursery.start("customers", database, WEEK, links=LINK)
    assert worker.wait() == 0, worker.words
    judged(database)
    assert outcomes(database) == TOGETHER
