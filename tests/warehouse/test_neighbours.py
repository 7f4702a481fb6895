"""What two connections of one human may cost each other: nobody's night, no stale credit, no answer without its words.

Here: a chat that goes to another customer, a connection that somebody else works on, the reply of another connection as
evidence. Not here: the judgement itself (``test_humans``).
"""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest

from resources.warehouse import customer_links, neighbours, reference
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.evidence_messages import messages
from resources.warehouse.locks import core_lock, people_lock
from resources.warehouse.reference import replace_people
from resources.warehouse.roles import Role
from tests.warehouse.test_humans import (
    BY_CALL,
    CHAT,
    PHONE,
    POLICY,
    _talks,  # noqa: F401 - a fixture
    happen,
    judged,
    linked,
    waits,
)

IMPATIENT = 0.05


def test_a_connection_that_somebody_works_on_costs_no_other_its_night(
    database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(database)
    judged(database, "shop", "tbank")
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 900, "out")
    monkeypatch.setattr(neighbours, "core_lock", lambda session, name: core_lock(session, name, wait=IMPATIENT))
    with database.connect(autocommit=True) as other, core_lock(other, "tbank"):
        assert judged(database, "shop") == 1
        # its own lock is another matter
        with pytest.raises(Busy, match="tbank"):
            judged(database, "tbank")
    assert waits(database) == [BY_CALL]
    # what nobody could be told of is told by the next run: a call that came meanwhile, a question that it heard of
    with database.connect() as sql:
        happen(sql, PHONE, 600, "out")
        assert sql.execute("select bool_or(is_told) from ops.dirty").fetchone() == (False,)
    assert judged(database, "shop", "tbank") == 2
    assert waits(database) == [(*BY_CALL[:5], 600, *BY_CALL[6:])]
    assert judged(database, "shop", "tbank") == 0
    with database.connect() as sql:
        assert sql.execute("select count(*) from ops.dirty").fetchone() == (0,)


def test_who_publishes_people_waits_for_no_links(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links wait for an account that is being judged, for minutes; a publication writes its people meanwhile."""
    stuck, go_on = threading.Event(), threading.Event()

    def hold(*_: object) -> NoReturn:
        stuck.set()
        assert go_on.wait(30)
        raise Busy("the core tables of tbank are being written")

    monkeypatch.setattr(customer_links, "core_lock", hold)
    failed: list[Busy] = []

    def link() -> None:
        try:
            linked(database)
        except Busy as error:
            failed.append(error)

    waiting = threading.Thread(target=link)
    waiting.start()
    try:
        assert stuck.wait(30)
        monkeypatch.setattr(reference, "people_lock", lambda session: people_lock(session, wait=IMPATIENT))
        replace_people(database.as_role(Role.LOADER), POLICY)
    finally:
        go_on.set()
        waiting.join()
    assert len(failed) == 1


def test_what_answered_in_another_connection_is_found_as_evidence(database: Warehouse) -> None:
    linked(database)
    with database.connect() as sql:
        happen(sql, CHAT, 0, "in")
        happen(sql, PHONE, 900, "out")
        # no reply, and of somebody else
        happen(sql, "tbank:c2", 900, "out")
    judged(database, "shop", "tbank")
    with database.as_role(Role.PUBLISHER).connect() as sql:
        ids = sql.execute("select conversation_id, answering_message_id from evaluated.waits").fetchall()
        found = messages(sql, [*ids, (CHAT, "0000000"), (CHAT, "gone")])
    assert ids == [(CHAT, "0000900")]
    assert {pair: (one.conversation_id, one.content_kind) for pair, one in found.items()} == {
        (CHAT, "0000000"): (CHAT, "text"),
        (CHAT, "0000900"): (PHONE, "call"),
    }
