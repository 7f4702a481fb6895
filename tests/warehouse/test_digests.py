"""The digest in the outbox: once per chat and week, the short message only before it, a picture that travels along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conversations.policy import Policy
from resources.alerts import Seen, deliver, look
from resources.clients.telegram import Outcome
from resources.warehouse import connections, digests, outbox
from resources.warehouse.engine import Warehouse
from resources.warehouse.outbox import TELEGRAM, Message
from resources.warehouse.roles import Role
from tests.pictures import png

NOW = datetime(2026, 11, 16, 5, 30, tzinfo=UTC)
"""A Monday, 08:30 in Moscow."""
WEEK, CHATS = "2026-W46", ("-1001", "7")
SENT = Outcome("sent", external_id="17")


class Bot:
    """Answers as it is told, and remembers what it was asked to send."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[str, str, bytes | None]] = []

    def send(self, chat_id: str, text: str) -> Outcome:
        return self.send_photo(chat_id, None, text)  # type: ignore[arg-type]

    def send_photo(self, chat_id: str, picture: bytes, caption: str) -> Outcome:
        self.calls.append((chat_id, caption, picture))
        return self.outcomes.pop(0) if self.outcomes else SENT


@pytest.fixture
def session(database: Warehouse) -> Iterator[psycopg.Connection]:
    """As the publisher, who sends."""
    with database.as_role(Role.PUBLISHER).connect() as connection:
        yield connection
    with database.connect() as connection:
        for table in ("outbox", "incidents", "looks", "connections"):
            connection.execute(f"delete from ops.{table}")


def put(session: psycopg.Connection, body: str = "неделя") -> dict[str, bool]:
    queued = digests.queue_digest(session, WEEK, CHATS, body, png(), NOW)
    session.commit()
    return queued


def late(session: psycopg.Connection) -> int:
    told = digests.queue_late(session, WEEK, CHATS, "поздно", NOW)
    session.commit()
    return told


def send(database: Warehouse, bot: Bot, now: datetime = NOW + timedelta(minutes=1)) -> Any:
    return deliver(
        database.as_role(Role.PUBLISHER), bot, clock=lambda: now, sleep=lambda _: None, pause_of=lambda _: 0.0
    )


def states(session: psycopg.Connection) -> dict[str, tuple[str, str | None]]:
    session.commit()
    rows = session.execute("select message_id, state, reason from ops.outbox").fetchall()
    return {one: (state, reason) for one, state, reason in rows}


def test_a_chat_gets_the_digest_of_a_week_once(database: Warehouse, session: psycopg.Connection) -> None:
    assert put(session) == {"-1001": True, "7": True}
    bot = Bot()
    send(database, bot)
    assert bot.calls == [("-1001", "неделя", png()), ("7", "неделя", png())]
    # published again, with other figures: revision 2 is no second digest (F20)
    assert put(session, "другие цифры") == {"-1001": False, "7": False}
    send(database, bot)
    assert len(bot.calls) == 2
    assert digests.queue_digest(session, "2026-W47", CHATS, "x", png(), NOW) == {"-1001": True, "7": True}


def test_a_group_that_became_a_supergroup_gets_it_once(database: Warehouse, session: psycopg.Connection) -> None:
    late(session)
    put(session)
    bot = Bot(Outcome("later", "moved", moved_to="-100777"))
    send(database, bot)
    send(database, bot, NOW + timedelta(minutes=5))
    assert sorted(chat for chat, _, _ in bot.calls) == ["-1001", "-100777", "7"]
    # the policy is put right, and the week is published again
    chats = ("-100777", "8")
    assert digests.queue_digest(session, WEEK, chats, "неделя", png(), NOW) == {"-100777": False, "8": True}
    assert digests.queue_late(session, WEEK, chats, "поздно", NOW) == 0
    assert digests.queue_digest(session, "2026-W47", chats, "x", png(), NOW) == {"-100777": True, "8": True}


def test_a_short_message_follows_no_changed_id(database: Warehouse, session: psycopg.Connection) -> None:
    late(session)
    send(database, Bot(Outcome("later", "moved", moved_to="-100777")))
    assert digests.queue_late(session, WEEK, ("-100777",), "поздно", NOW) == 0


@pytest.mark.parametrize("outcome", [Outcome("unknown", "no_answer"), Outcome("failed", "blocked")])
def test_what_may_have_arrived_or_was_refused_is_not_sent_again_by_itself(
    outcome: Outcome, database: Warehouse, session: psycopg.Connection
) -> None:
    put(session)
    send(database, Bot(outcome, outcome))
    assert not any(put(session).values())
    bot = Bot()
    send(database, bot)
    assert bot.calls == []


def test_the_short_message_is_said_once_and_only_before_the_digest(
    database: Warehouse, session: psycopg.Connection
) -> None:
    assert (late(session), late(session)) == (2, 0)
    bot = Bot()
    send(database, bot)
    assert [(text, picture) for _, text, picture in bot.calls] == [("поздно", None)] * 2
    assert put(session) == {"-1001": True, "7": True}
    send(database, bot)
    assert [text for _, text, _ in bot.calls[2:]] == ["неделя"] * 2
    # a later publication that fails says nothing: they have the week
    assert late(session) == 0


def test_a_digest_that_was_sent_makes_the_short_message_needless(session: psycopg.Connection) -> None:
    put(session)
    assert late(session) == 0
    assert not any(one.startswith("digest-late") for one in states(session))


def test_a_short_message_that_still_waits_is_given_up_for_the_digest(
    database: Warehouse, session: psycopg.Connection
) -> None:
    late(session)
    put(session)
    bot = Bot()
    send(database, bot)
    assert [text for _, text, _ in bot.calls] == ["неделя"] * 2
    assert states(session)[f"digest-late:{WEEK}:7"] == ("failed", "overtaken")
    # nobody has to look at it
    assert outbox.entries(session) == []


def test_a_person_may_send_it_once_more(database: Warehouse, session: psycopg.Connection) -> None:
    put(session)
    for _ in range(2):
        digests.queue_again(session, WEEK, CHATS[:1], "ещё раз", png(), NOW)
    session.commit()
    bot = Bot()
    send(database, bot)
    assert [text for chat, text, _ in bot.calls if chat == "-1001"] == ["неделя", "ещё раз", "ещё раз"]
    acts = session.execute("select action, subject from ops.audit where action = 'digest_again'").fetchall()
    assert acts == [("digest_again", WEEK)] * 2


def test_a_digest_is_news_until_the_next_one(database: Warehouse, session: psycopg.Connection) -> None:
    """The messenger was out of reach for days."""
    put(session)
    late_bot = Bot(Outcome("later", "needs_auth", wait_seconds=60))
    send(database, late_bot, NOW + timedelta(days=3))
    assert {state for state, _ in states(session).values()} == {"queued"}
    send(database, Bot(), NOW + timedelta(days=6, hours=1))
    assert {state for state, _ in states(session).values()} == {"failed"}


@pytest.mark.parametrize("reason", ["no_pictures", "bad_picture", "picture_too_large"])
def test_what_is_refused_for_its_picture_arrives_without_it(
    reason: str, database: Warehouse, session: psycopg.Connection
) -> None:
    assert outbox.queue(session, Message("a", TELEGRAM, "-1", "текст", png()), NOW)
    session.commit()
    bot = Bot(Outcome("failed", reason))
    send(database, bot)
    assert bot.calls == [("-1", "текст", png()), ("-1", "текст", None)]
    assert states(session)["a"][0] == "sent"


def test_a_picture_waits_with_its_text(database: Warehouse, session: psycopg.Connection) -> None:
    outbox.queue(session, Message("a", TELEGRAM, "-1", "текст", png()), NOW)
    session.commit()
    send(database, Bot(Outcome("later", "rate_limited", wait_seconds=30)))
    assert states(session)["a"] == ("queued", "rate_limited")
    bot = Bot()
    send(database, bot, NOW + timedelta(minutes=5))
    assert bot.calls == [("-1", "текст", png())]


@pytest.mark.parametrize(
    ("now", "rules", "told"),
    [
        # before nine nobody misses it
        (NOW, {"digest": {"chats": ["-5"]}}, ()),
        (NOW + timedelta(minutes=30), {"digest": {"chats": ["-5", "@heads"]}}, ("-5", "@heads")),
        (NOW + timedelta(days=4), {"digest": {"chats": ["-5", "@heads"]}}, ("-5", "@heads")),
        # who is told of the incident is not told twice
        (NOW + timedelta(minutes=30), {}, ()),
        (NOW + timedelta(minutes=30), {"digest": {"chats": ["-1001", "-5"]}}, ("-5",)),
        (NOW + timedelta(minutes=30), {"owners": {"marts": {"name": "аналитик", "chat": "-9"}}}, ("-1001",)),
        (NOW + timedelta(minutes=30), {"digest": {"chats": ["-5"], "enabled": False}}, ()),
    ],
)
def test_the_watch_says_that_the_week_is_late(
    now: datetime, rules: dict[str, Any], told: tuple[str, ...],
    database: Warehouse, session: psycopg.Connection, tmp_path: Path,
) -> None:  # fmt: skip
    account = connections.Account("shop", "retailcrm", "environment", {})
    with database.as_role(Role.LOADER).connect() as loader:
        connections.note_environment(loader, account)
    with database.connect() as owner:
        owner.execute("update ops.connections set created_at = %s", (NOW - timedelta(days=90),))
        connections.synced(owner, "shop", now)

    for _ in range(2):
        publisher, policy = database.as_role(Role.PUBLISHER), Policy.model_validate(rules)
        look(publisher, policy, now, lambda _: Seen(), home=tmp_path, operators_chat="-1001", clock=lambda: now)
        found = {one: state for one, state in states(session).items() if one.startswith("digest")}
        assert found == {f"digest-late:{WEEK}:{chat}": ("queued", None) for chat in told}
    body = session.execute("select body from ops.outbox where message_id like 'digest-late%%' limit 1").fetchone()
    assert body is None or ("неделя ещё не опубликована" in body[0] and WEEK in body[0])
