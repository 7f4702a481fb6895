"""The sender killed at every fail point and at random moments while answers get lost: no message twice, none without an
end, no incident told twice (F23, D7)."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest

from resources.warehouse import connections, outbox
from resources.warehouse.engine import Warehouse
from resources.warehouse.outbox import TELEGRAM, Message
from resources.warehouse.roles import Role
from tests.chaos.conftest import WEEK, empty
from tests.chaos.nursery import KILLED, Nursery, Worker
from tests.emulators.telegram import TelegramEmulator
from tests.pictures import png

ROUNDS = int(os.environ.get("OTKLIK_CHAOS_ROUNDS", "20"))


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    yield
    empty(database)


@pytest.fixture
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator(per_second=None, overall=100_000) as emulator:
        yield emulator


def sender(nursery: Nursery, database: Warehouse, telegram: TelegramEmulator, fail_point: str | None = None) -> Worker:
    account = {"base_url": telegram.base_url, "bot_token": telegram.bot_token}
    return nursery.start("send", database, WEEK, role=Role.PUBLISHER, fail_point=fail_point, **account)


def put(database: Warehouse, telegram: TelegramEmulator, count: int) -> None:
    with database.connect() as session:
        for number in range(count):
            picture = png() if number % 2 else None
            message = Message(f"m{number:04}", TELEGRAM, str(telegram.chat_id), f"№ {number:04}", picture)
            assert outbox.queue(session, message, datetime.now(UTC))


def states(database: Warehouse) -> dict[str, str]:
    with database.connect() as session:
        rows = session.execute("select body, state from ops.outbox order by message_id").fetchall()
    return dict(rows)


@pytest.mark.parametrize(
    ("name", "state", "arrived"),
    [("outbox.taken", "unknown", 0), ("outbox.answered", "unknown", 1), ("outbox.settled", "sent", 1)],
)
def test_sender_killed_at(
    name: str, state: str, arrived: int, database: Warehouse, nursery: Nursery, telegram: TelegramEmulator
) -> None:
    put(database, telegram, 4)
    worker = sender(nursery, database, telegram, f"{name}:2")
    assert worker.wait() == KILLED, worker.words
    for _ in range(2):
        worker = sender(nursery, database, telegram)
        assert worker.wait() == 0, worker.words
    found = states(database)
    assert found == {"№ 0000": "sent", "№ 0001": state, "№ 0002": "sent", "№ 0003": "sent"}
    assert Counter(telegram.texts()) == Counter({text: 1 for text in found if text != "№ 0001" or arrived})


def test_killed_at_random_moments_while_answers_get_lost(
    database: Warehouse, nursery: Nursery, telegram: TelegramEmulator
) -> None:
    random = Random(23)
    put(database, telegram, 15 * ROUNDS)
    for method in ("sendMessage", "sendPhoto"):
        telegram.faults.add("lost", share=0.05, path=method)
    kills = 0
    for _ in range(ROUNDS):
        worker = sender(nursery, database, telegram)
        time.sleep(random.uniform(0.02, 0.2))
        worker.kill()
        kills += worker.wait() == KILLED
    # whoever dies last leaves nothing behind that the next one does not settle
    while set(states(database).values()) & {"queued", "sending"}:
        worker = sender(nursery, database, telegram)
        assert worker.wait() == 0, worker.words
    found, arrived = states(database), Counter(telegram.texts())
    assert kills >= ROUNDS // 2
    assert len(found) == 15 * ROUNDS
    assert [text for text, times in arrived.items() if times > 1] == []
    assert arrived.keys() <= found.keys()
    assert {text for text, state in found.items() if state == "sent"} <= arrived.keys()
    assert set(found.values()) == {"sent", "unknown"}
    # both ways to an unknown end happened: an answer was lost, a sender died
    with database.connect() as session:
        reasons = dict(session.execute("select reason, count(*) from ops.outbox group by 1").fetchall())
    assert reasons.keys() == {None, "no_answer", "sender_died"}
    assert reasons["sender_died"] <= kills
    # every other one has a picture, and keeps it
    shown = {one["caption"] for one in telegram.messages() if "photo" in one}
    assert shown == {text for text in arrived if int(text[2:]) % 2}
    print(f"sender: kills={kills} rows={len(found)} unknown={reasons['no_answer'] + reasons['sender_died']}")


@pytest.mark.parametrize(("name", "is_written"), [("watch.before_commit", False), ("watch.committed", True)])
def test_watch_killed_at(name: str, is_written: bool, database: Warehouse, nursery: Nursery) -> None:
    account = connections.Account("shop", "retailcrm", "environment", {})
    with database.connect() as session:
        connections.note_environment(session, account)
        connections.report(session, "shop", "needs_auth", "[needs_auth] the key was refused", datetime.now(UTC))
    worker = nursery.start("look", database, WEEK, role=Role.PUBLISHER, fail_point=f"{name}:1")
    assert worker.wait() == KILLED, worker.words
    assert told(database) == ((1, 1) if is_written else (0, 0))
    for _ in range(2):
        worker = nursery.start("look", database, WEEK, role=Role.PUBLISHER)
        assert worker.wait() == 0, worker.words
        assert told(database) == (1, 1)


@pytest.mark.parametrize(("name", "queued"), [("digest.before_commit", 0), ("digest.committed", 2)])
def test_digest_killed_at(
    name: str, queued: int, database: Warehouse, nursery: Nursery, telegram: TelegramEmulator
) -> None:
    """All chats or none have it; whoever queues it again doubles nothing, and each chat gets one picture."""
    chats = [str(telegram.chat_id), str(telegram.person_id)]
    order = {"role": Role.PUBLISHER, "week": "2026-W46", "chats": chats}
    assert nursery.start("digest", database, WEEK, fail_point=f"{name}:1", **order).wait() == KILLED
    assert len(states(database)) == (1 if queued else 0)
    with database.connect() as session:
        assert session.execute("select count(*) from ops.outbox").fetchone() == (queued,)
    for _ in range(2):
        worker = nursery.start("digest", database, WEEK, **order)
        assert worker.wait() == 0, worker.words
        worker = sender(nursery, database, telegram)
        assert worker.wait() == 0, worker.words
    for chat in chats:
        assert [one["caption"] for one in telegram.messages(int(chat)) if "photo" in one] == ["неделя"]


def told(database: Warehouse) -> tuple[int, int]:
    """Incidents and messages about the account."""
    with database.connect() as session:
        row = session.execute(
            "select count(*), (select count(*) from ops.outbox o where o.message_id = any(array_agg(i.incident_id ||"
            " '-open'))) from ops.incidents i where kind = 'connection'"
        ).fetchone()
    assert row is not None
    return row
