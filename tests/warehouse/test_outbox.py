"""The outbox: nothing twice, nothing lost; and incidents, whose messages it carries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from resources.alerts import deliver, pause
from resources.clients.telegram import Outcome
from resources.warehouse import outbox
from resources.warehouse.engine import Warehouse
from resources.warehouse.outbox import TELEGRAM, Message
from resources.warehouse.roles import Role

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SENT = Outcome("sent", external_id="17")


class Bot:
    """Answers as it is told, and remembers what it was asked to send."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[str, str]] = []

    def send(self, chat_id: str, text: str) -> Outcome:
        self.calls.append((chat_id, text))
        return self.outcomes.pop(0) if self.outcomes else SENT


@pytest.fixture
def session(database: Warehouse) -> Iterator[psycopg.Connection]:
    """As the publisher, who sends."""
    with database.as_role(Role.PUBLISHER).connect() as connection:
        yield connection
    with database.connect() as connection:
        connection.execute("delete from ops.outbox")


def put(session: psycopg.Connection, *names: str, to: str = "-1", at: datetime = NOW) -> None:
    for number, name in enumerate(names):
        assert outbox.queue(session, Message(name, TELEGRAM, to, f"text of {name}"), at + timedelta(seconds=number))
    session.commit()


def states(session: psycopg.Connection) -> dict[str, tuple[str, int, str | None]]:
    session.commit()
    rows = session.execute("select message_id, state, attempts, reason from ops.outbox").fetchall()
    return {one: (state, attempts, reason) for one, state, attempts, reason in rows}


def send(database: Warehouse, bot: Bot, now: datetime = NOW + timedelta(minutes=1), **options: float):
    return deliver(
        database.as_role(Role.PUBLISHER),
        bot,
        clock=lambda: now,
        sleep=lambda _: None,
        pause_of=lambda _: 0.0,
        **options,
    )


def test_the_same_message_is_one_row(session: psycopg.Connection) -> None:
    put(session, "a")
    assert not outbox.queue(session, Message("a", TELEGRAM, "-2", "another text"), NOW)
    assert states(session) == {"a": ("queued", 0, None)}


def test_messages_are_sent_once_in_their_order(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "b", "a", "c")
    bot = Bot()
    done = send(database, bot)
    assert (done.sent, done.failed, done.unknown) == (3, 0, 0)
    assert [text for _, text in bot.calls] == ["text of b", "text of a", "text of c"]
    send(database, bot)
    assert len(bot.calls) == 3
    row = session.execute("select external_id, settled_at from ops.outbox where message_id = 'a'").fetchone()
    assert row == ("17", NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome("failed", "blocked"), "failed"),
        (Outcome("unknown", "no_answer"), "unknown"),
        (Outcome("later", "rate_limited", wait_seconds=30), "queued"),
    ],
)
def test_what_a_call_proves_is_written_down(
    outcome: Outcome, state: str, database: Warehouse, session: psycopg.Connection
) -> None:
    put(session, "a")
    send(database, Bot(outcome))
    assert states(session) == {"a": (state, 1, outcome.reason)}


def test_what_waits_is_sent_when_its_time_has_come_and_not_before(
    database: Warehouse, session: psycopg.Connection
) -> None:
    put(session, "a")
    send(database, Bot(Outcome("later", "rate_limited", wait_seconds=30)), NOW + timedelta(minutes=1))
    early, due = Bot(), Bot()
    send(database, early, NOW + timedelta(seconds=89))
    assert early.calls == []
    send(database, due, NOW + timedelta(seconds=90))
    assert len(due.calls) == 1
    assert states(session) == {"a": ("sent", 2, None)}


def test_an_end_is_not_told_before_its_beginning(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "begin", "end")
    put(session, "other", to="-2")
    bot = Bot(Outcome("later", "rate_limited", wait_seconds=30))
    send(database, bot)
    assert [text for _, text in bot.calls] == ["text of begin", "text of other"]
    assert states(session)["end"] == ("queued", 0, None)


def test_a_chat_that_moved_gets_the_message_at_its_new_place(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "a")
    bot = Bot(Outcome("later", "moved", moved_to="-100"))
    send(database, bot)
    assert [chat for chat, _ in bot.calls] == ["-1", "-100"]
    assert states(session)["a"][:2] == ("sent", 2)


@pytest.mark.parametrize("reason", ["needs_auth", "wrong_host", "not_reached"])
def test_a_bot_that_is_not_let_in_asks_once_and_waits(
    reason: str, database: Warehouse, session: psycopg.Connection
) -> None:
    put(session, "a", "b")
    put(session, "c", to="-2")
    bot = Bot(Outcome("later", reason, wait_seconds=60))
    assert send(database, bot).refused == reason
    assert len(bot.calls) == 1
    assert {state for state, *_ in states(session).values()} == {"queued"}


def test_what_a_dead_sender_left_becomes_unknown_and_is_never_sent_again(
    database: Warehouse, session: psycopg.Connection
) -> None:
    put(session, "a", "b")
    assert outbox.take(session, TELEGRAM, NOW + timedelta(minutes=1)).message_id == "a"
    session.commit()
    bot = Bot()
    assert send(database, bot).unknown == 1
    assert [text for _, text in bot.calls] == ["text of b"]
    assert states(session) == {"a": ("unknown", 1, "sender_died"), "b": ("sent", 1, None)}


def test_a_second_sender_leaves_the_letters_of_a_living_one_alone(
    database: Warehouse, session: psycopg.Connection
) -> None:
    put(session, "a")
    assert outbox.lock(session, TELEGRAM)
    outbox.take(session, TELEGRAM, NOW + timedelta(minutes=1))
    session.commit()
    bot = Bot()
    assert send(database, bot).is_busy
    assert bot.calls == []
    assert states(session)["a"][0] == "sending"
    outbox.unlock(session, TELEGRAM)


def test_a_late_answer_does_not_overwrite_what_was_judged_meanwhile(session: psycopg.Connection) -> None:
    put(session, "a")
    letter = outbox.take(session, TELEGRAM, NOW)
    assert outbox.recover(session, TELEGRAM, NOW) == 1
    assert not outbox.settle(session, letter, "sent", NOW, external_id="1")
    assert not outbox.postpone(session, letter, "rate_limited", NOW)
    assert states(session)["a"] == ("unknown", 1, "sender_died")


def test_only_a_person_repeats_what_may_have_arrived(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "lost", "refused", "fine")
    send(database, Bot(Outcome("unknown", "no_answer"), Outcome("failed", "blocked")))
    for _ in range(3):
        send(database, Bot())
    assert {one: row[0] for one, row in states(session).items()} == {
        "lost": "unknown", "refused": "failed", "fine": "sent",
    }  # fmt: skip
    assert [outbox.resend(session, one, NOW, actor="anna") for one in ("lost", "refused", "fine", "none")] == [
        "unknown", "failed", "sent", "",
    ]  # fmt: skip
    assert outbox.resend(session, "lost", NOW) == "queued"
    session.commit()
    bot = Bot()
    send(database, bot)
    assert sorted(text for _, text in bot.calls) == ["text of lost", "text of refused"]
    assert {row[:2] for row in states(session).values()} == {("sent", 2), ("sent", 1)}
    audit = session.execute("select actor, action, subject from ops.audit order by subject").fetchall()
    assert audit == [("anna", "resend", "lost"), ("anna", "resend", "refused")]


def test_old_news_is_given_up(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "old", at=NOW - timedelta(hours=25))
    put(session, "young", at=NOW - timedelta(hours=23))
    bot = Bot()
    assert send(database, bot, NOW).failed == 1
    assert [text for _, text in bot.calls] == ["text of young"]
    assert states(session)["old"] == ("failed", 0, "expired")


def test_the_beginning_of_what_lasts_is_news_however_old(database: Warehouse, session: psycopg.Connection) -> None:
    """The messenger was out of reach for a day, and the trouble is still there."""
    for incident_id in ("lasts", "over"):
        session.execute(
            "insert into ops.incidents (incident_id, fingerprint, kind, owner, subject, reason, details, since,"
            " opened_at, seen_at, times, closed_at) values (%(id)s, %(id)s, 'late', 'default', 'shop', '', '{}',"
            " %(at)s, %(at)s, %(at)s, 1, %(closed)s)",
            {"id": incident_id, "at": NOW, "closed": NOW if incident_id == "over" else None},
        )
        put(session, f"{incident_id}-open", at=NOW - timedelta(hours=30))
    bot = Bot()
    send(database, bot, NOW)
    assert [text for _, text in bot.calls] == ["text of lasts-open"]
    assert states(session)["over-open"][0] == "failed"
    session.execute("update ops.incidents set closed_at = %s", (NOW,))


def test_a_delivery_ends_in_its_time_and_the_rest_waits(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, *(f"m{number}" for number in range(5)))
    assert send(database, Bot(), budget_seconds=0.0).sent == 0
    assert {state for state, *_ in states(session).values()} == {"queued"}


def test_messages_to_one_chat_keep_their_distance(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "a", "b", to="-1")
    put(session, "c", "d", to="7")
    waits: list[float] = []
    deliver(database.as_role(Role.PUBLISHER), Bot(), clock=lambda: NOW + timedelta(minutes=1), sleep=waits.append)
    assert sorted(waits) == pytest.approx([1.05, 3.1], abs=0.3)
    # 20 a minute in a group, one a second in a chat
    assert 60 / pause("-1001") <= 20 and 1 / pause("740000002") <= 1 and pause("@channel") == pause("-1001")


def test_people_are_shown_what_did_not_arrive_for_certain(database: Warehouse, session: psycopg.Connection) -> None:
    put(session, "a", "b", "c")
    send(database, Bot(SENT, Outcome("unknown", "no_answer"), Outcome("later", "rate_limited", wait_seconds=9)))
    assert {entry.message_id for entry in outbox.entries(session)} == {"b", "c"}
    assert len(outbox.entries(session, since=NOW - timedelta(days=1))) == 3
