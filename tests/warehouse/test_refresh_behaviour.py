"""Behaviour and advice in the warehouse: written and deleted with their sessions, judged again by other lexicons.

Here: real rows through ``refresh_evaluated``. Not here: that day by day gives what at once gives, for all five tables
(``test_refresh``), the rules themselves (``tests/unit/test_behaviour``, ``tests/unit/test_advice``).
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.lexicon import Lexicon
from conversations.window import Window
from resources.lexicons import load_lexicon
from resources.settings import PROJECT_ROOT, Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.loader import refresh_evaluated
from tests.unit.talk import Talk, instant
from tests.warehouse.test_refresh import CONNECTION, POLICY, moment, store, store_chats


def when(text: str) -> datetime:
    at = moment(instant(text))
    assert at is not None
    return at


def refresh(warehouse: Warehouse, as_of: str, lexicon: Lexicon | None = None, window: Window | None = None) -> Any:
    return refresh_evaluated(warehouse, POLICY, window, when(as_of), connection_id=CONNECTION, lexicon=lexicon)


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as sql:
        return sql.execute(query).fetchall()  # type: ignore[call-overload]


@pytest.fixture
def talk() -> Talk:
    """Two sessions of one chat, the second a month after the first."""
    return (
        Talk(kind="other")
        .customer("10:00", "Ищу куртку, сколько стоит?").say("manager", "10:05", "Здравствуйте!", by="A")
        .customer("+4 Mon 10:00", "куртки есть?").say("manager", "+4 Mon 10:05", "Есть за 7990 ₽, оформляем?", by="B")
    )  # fmt: skip


@pytest.fixture
def stored(fresh_database: Warehouse, talk: Talk) -> Warehouse:
    with fresh_database.connect() as sql:
        store_chats(sql, [talk.contact])
        store(sql, talk.messages)
    return fresh_database


def own_lexicons(folder: Path) -> Lexicon:
    """The product's, without one thing that managers say."""
    shutil.copytree(PROJECT_ROOT / "conversations" / "lexicon" / "data", folder)
    offer = folder / "offer.yaml"
    text = offer.read_text(encoding="utf-8")
    offer.write_text(text.replace("version: ", "version: 9", 1), encoding="utf-8")
    return load_lexicon(Settings(_env_file=None, otklik_lexicon_dir=folder))  # type: ignore[call-arg]


def test_a_row_says_whose_when_and_by_which_rules(stored: Warehouse) -> None:
    counts = refresh(stored, "+4 Mon 12:00")
    assert (counts.behaviour, counts.advice) == (1, 2), "the second session goes on"
    assert rows(
        stored,
        "select session_id, conversation_id, connection_id, channel_id, customer_id, manager_id, ended_on::text,"
        " ended_week, definition_version, policy_hash, lexicon_hash, intent_message_ids, not_good"
        " from evaluated.behaviour",
    ) == [
        (
            "c:m01", "c", "test", "acc other", "customer 0", "A", "2026-04-28", "2026-W18", 1, POLICY.hash,
            Lexicon.default().hash, ["m01"], [],
        )
    ]  # fmt: skip
    advised = rows(
        stored,
        "select advice_id, message_id, manager_id, given_on::text, given_week, wait_id, policy_hash"
        " from evaluated.advice order by advice_id",
    )
    assert advised == [
        (f"c:m01:{rule}", "m01", "A", "2026-04-28", "2026-W18", None, POLICY.hash)
        for rule in ("no_clarifying_question", "no_offer")
    ]


def test_a_session_that_ends_later_gets_its_row_then_and_nothing_else_is_written(stored: Warehouse) -> None:
    refresh(stored, "+4 Mon 12:00")
    first = rows(stored, "select xmin::text, session_id from evaluated.behaviour")
    refresh(stored, "+5 Mon 12:00")
    assert rows(stored, "select manager_id, has_next_step from evaluated.behaviour order by session_id") == [
        ("A", False), ("B", True),
    ]  # fmt: skip
    assert rows(stored, "select xmin::text, session_id from evaluated.behaviour where session_id = 'c:m01'") == first
    before = table_hashes(stored, ["evaluated"])
    assert refresh(stored, "+5 Mon 12:00").contacts == 0
    assert table_hashes(stored, ["evaluated"]) == before


def test_rows_go_with_their_session(stored: Warehouse) -> None:
    """The manager's first answer vanishes: what was said of the session was about nobody."""
    refresh(stored, "+5 Mon 12:00")
    with stored.connect() as sql:
        sql.execute("delete from core.messages where message_id = 'm02'")
        sql.execute("insert into ops.dirty values ('c', 'test', %s)", [when("10:05")])
    refresh(stored, "+5 Mon 12:00")
    assert rows(stored, "select session_id from evaluated.behaviour") == [("c:m03",)]
    assert rows(stored, "select rule from evaluated.advice where session_id = 'c:m01'") == [("no_answer",)]
    orphans = (
        "select session_id from evaluated.{} as a where not exists"
        " (select from evaluated.sessions as s where s.session_id = a.session_id)"
    )
    for table in ("behaviour", "advice"):
        assert rows(stored, orphans.format(table)) == []


def test_an_edited_message_changes_what_was_said(stored: Warehouse) -> None:
    refresh(stored, "+5 Mon 12:00")
    with stored.connect() as sql:
        sql.execute("update core.messages set text = 'Куртка 7990 ₽, оформляем?' where message_id = 'm02'")
        sql.execute("insert into ops.dirty values ('c', 'test', %s)", [when("10:05")])
    refresh(stored, "+5 Mon 12:00")
    query = "select offer_message_ids, has_next_step from evaluated.behaviour where session_id = 'c:m01'"
    assert rows(stored, query) == [(["m02"], True)]


def test_other_lexicons_reach_the_sessions_of_the_window_only(stored: Warehouse, tmp_path: Path) -> None:
    other = own_lexicons(tmp_path / "own")
    assert other.hash != Lexicon.default().hash
    refresh(stored, "+5 Mon 12:00")
    late = Window(when("+4 Mon 00:00"), when("+5 Mon 12:00"))
    assert refresh(stored, "+5 Mon 12:00", other, late).contacts == 1
    by_session = "select session_id, lexicon_hash from evaluated.behaviour order by 1"
    assert rows(stored, by_session) == [("c:m01", Lexicon.default().hash), ("c:m03", other.hash)]
    assert refresh(stored, "+5 Mon 12:00", other, late).contacts == 0
    assert refresh(stored, "+5 Mon 12:00", other).contacts == 1
    assert rows(stored, by_session) == [("c:m01", other.hash), ("c:m03", other.hash)]
    assert refresh(stored, "+5 Mon 12:00", other).contacts == 0


def test_other_rules_reach_a_session_that_only_ends_in_the_window(stored: Warehouse, tmp_path: Path) -> None:
    refresh(stored, "+5 Mon 12:00")
    other = own_lexicons(tmp_path / "own")
    late = Window(when("+4 Mon 12:00"), when("+5 Mon 12:00"))
    assert refresh(stored, "+5 Mon 12:00", other, late).contacts == 1
    by_session = "select session_id, {} from evaluated.{} order by 1"
    assert rows(stored, by_session.format("lexicon_hash", "behaviour"))[1] == ("c:m03", other.hash)
    policy = type(POLICY).model_validate(POLICY.model_dump() | {"new_contact_days": 7})
    assert policy.hash != POLICY.hash
    ended = Window(when("+4 Tue 10:05"), when("+5 Mon 12:00"))
    for window, contacts in ((Window(when("+4 Tue 10:06"), ended.end), 0), (ended, 1), (ended, 0)):
        found = refresh_evaluated(stored, policy, window, when("+5 Mon 12:00"), connection_id=CONNECTION, lexicon=other)
        assert found.contacts == contacts
    assert rows(stored, by_session.format("policy_hash", "sessions")) == [
        ("c:m01", POLICY.hash),
        ("c:m03", policy.hash),
    ]


def test_a_chat_of_nobody_is_not_the_customer_of_the_same_number(fresh_database: Warehouse) -> None:
    """RetailCRM numbers chats and customers alike: chat 5 and customer 5 have nothing to do with each other."""
    talk = Talk("test:5", kind="other").customer("10:00").chat("test:9", "other").say("manager", "10:05", by="A")
    with fresh_database.connect() as sql:
        store_chats(sql, [talk.contact])
        sql.execute("update core.conversations set customer_id = null where conversation_id = 'test:5'")
        sql.execute("update core.conversations set customer_id = 'test:5' where conversation_id = 'test:9'")
        store(sql, talk.messages)
    assert refresh(fresh_database, "+1 Mon 12:00").contacts == 2
    assert rows(fresh_database, "select conversation_id, outcome from evaluated.waits") == [("test:5", "no_reply")]
    for chat in ("test:5", "test:9"):
        with fresh_database.connect() as sql:
            sql.execute("insert into ops.dirty values (%s, 'test', %s)", [chat, when("10:00")])
        assert refresh(fresh_database, "+1 Mon 12:00").contacts == 1
    assert rows(fresh_database, "select conversation_id, outcome from evaluated.waits") == [("test:5", "no_reply")]


def test_words_of_bots_and_notes_are_not_even_read(fresh_database: Warehouse) -> None:
    talk = Talk(kind="other").customer("10:00", "сколько стоит?").say("manager", "10:01", "Здравствуйте", by="A")
    for sender in ("bot", "note", "autoreply", "campaign", "system"):
        talk.say(sender, "10:02", "Куртка 7990 ₽, оформляем? Какой размер?")
    with fresh_database.connect() as sql:
        store_chats(sql, [talk.contact])
        store(sql, talk.messages)
    refresh(fresh_database, "+5 Mon 12:00")
    assert rows(fresh_database, "select made_offer, asked_clarifying, has_next_step from evaluated.behaviour") == [
        (False, False, False)
    ]


def test_after_the_migration_everything_judged_before_is_judged_once_more(stored: Warehouse) -> None:
    """The rows as an older version left them: sessions and waits, nothing else."""
    refresh(stored, "+5 Mon 12:00")
    whole = table_hashes(stored, ["evaluated"])
    migration = PROJECT_ROOT / "resources" / "warehouse" / "migrations" / "versions" / "0003_metrics.sql"
    (marking,) = [one for one in migration.read_text(encoding="utf-8").split(";") if "into ops.dirty" in one]
    with stored.connect() as sql:
        sql.execute("delete from evaluated.behaviour")
        sql.execute("delete from evaluated.advice")
    assert refresh(stored, "+5 Mon 12:00").contacts == 0
    with stored.connect() as sql:
        sql.execute(marking)  # type: ignore[call-overload]
    assert refresh(stored, "+5 Mon 12:00", None, Window(when("+5 Mon 00:00"), when("+5 Mon 12:00"))).contacts == 1
    assert table_hashes(stored, ["evaluated"]) == whole
