"""A load that changes what was said takes the scorecards with it that quote it, of whatever day they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.records import Call, CallTranscript, Conversation, IdKind, Message, Record
from conversations.source import RawRecord, RawRow, Stream
from conversations.window import Window
from resources.warehouse import failpoints
from resources.warehouse.engine import Warehouse
from resources.warehouse.stale_quotes import WORDS_CHANGED
from tests.loader import land, replace_window
from tests.scoring import put_rubrics
from tests.warehouse.sources import START, FakeSource

MESSAGES = Stream("messages", True, True)
SPAN = Window(START, START + timedelta(days=1))
LONG_AGO = START - timedelta(days=40)
"""Of the cards: far beyond what any night scores."""


class Parser:
    """A message of one chat; with a transcript, a call. Without a word it is awaited."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record]:
        said, at = row.payload["text"], datetime.fromisoformat(row.payload["at"])
        chat = f"shop:{row.payload['chat']}"
        yield Conversation(chat, "shop", "shop:61", None, None, False, ())
        kind = "call" if row.payload["is_call"] else "text"
        yield Message(
            chat, row.external_id, "shop", at, None, "out", "manager", None, None, True, "sent", kind,
            None if row.gone_at or kind == "call" else said, None, None, None, None,
            ("gone_at_source",) if row.gone_at else (),
        )  # fmt: skip
        if kind == "call":
            call_id = f"shop:call{row.external_id}"
            phrases = [{"n": 0, "speaker": "manager", "text": said, "start": 0.0, "end": 1.0}]
            yield Call(
                call_id, "shop", None, chat, row.external_id, "shop:61", None, None, None, "out", at, None, 60, True,
                False, (),
            )  # fmt: skip
            state, words = ("ready", json.dumps(phrases)) if said else ("pending", None)
            yield CallTranscript(call_id, "shop", state, words, None, "as_labelled", ())


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    def empty() -> None:
        with database.connect() as connection:
            for schema, table in connection.execute(
                "select schemaname, tablename from pg_tables where schemaname in ('raw', 'core')"
                " or (schemaname = 'ops' and tablename <> 'alembic_version')"
            ).fetchall():
                connection.execute(f"truncate {schema}.{table} cascade")  # type: ignore[arg-type]
            connection.execute("truncate evaluated.scorecards cascade")

    empty()
    with database.connect() as connection:
        put_rubrics(connection)
    yield
    empty()


def said(number: int, text: str, *, chat: int = 1, version: int = 0, is_call: bool = False) -> RawRow:
    at = START + timedelta(hours=number)
    payload = {"at": at.isoformat(), "text": text, "chat": chat, "is_call": is_call}
    return RawRow(str(number), payload, at, START + timedelta(minutes=version))


def loaded(database: Warehouse, *rows: RawRow) -> None:
    source = FakeSource([*rows], page_size=1000)
    source.streams = {MESSAGES.name: MESSAGES}
    land(source, MESSAGES.name, SPAN, database)
    replace_window(database, Parser(), "shop", "retailcrm", [MESSAGES], SPAN, "Europe/Moscow")


def card(database: Warehouse, name: str, ref: str, quote: str, *, chat: int = 1, call: str | None = None) -> None:
    """A scorecard with one quote, given long ago about a talk of long ago."""
    with database.connect() as connection:
        connection.execute(
            "insert into evaluated.scorecards (scorecard_id, subject_kind, subject_id, call_id, judge, state,"
            " is_current, is_auto_fail, flags, rubric_id, rubric_version, evaluation_keys, transcript_hash,"
            " conversation_id, connection_id, channel_id, happened_at, happened_on, happened_week, scored_at)"
            " values (%s, %s, %s, %s, 'model', 'scored', true, false, '{}', 'chats', 1, '{}', '-', %s, 'shop',"
            " 'shop:61', %s, %s, '2026-W13', %s)",
            [name, "call" if call else "session", call or name, call, f"shop:{chat}", LONG_AGO, LONG_AGO.date(),
             datetime.now(UTC)],
        )  # fmt: skip
        values: dict[str, Any] = {
            "scorecard_id": name, "criterion": "greeting", "position": 1, "weight": 1, "best": 1, "given": 1,
            "claimed": "1", "is_auto_fail": False, "reason": "-", "quote": quote, "quote_state": "verified",
            "ref": ref, "speaker": "manager",
        }  # fmt: skip
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        connection.execute(
            f"insert into evaluated.scorecard_criteria ({columns}) values ({places})",  # type: ignore[arg-type]
            [*values.values()],
        )


def cards(database: Warehouse, reason: str | None = None) -> list[str]:
    """The cards with a verdict, or those that lost theirs for this reason."""
    with database.connect() as connection:
        found = connection.execute(
            "select scorecard_id from evaluated.scorecards as c where c.reason is not distinct from %s"
            " and exists (select from evaluated.scorecard_criteria as k where k.scorecard_id = c.scorecard_id)"
            " = (c.state = 'scored') order by 1",
            [reason],
        ).fetchall()
    return [name for (name,) in found]


def awaited(database: Warehouse) -> list[str]:
    return cards(database, WORDS_CHANGED)


def test_a_message_that_was_edited_or_deleted_takes_its_quotes_along(database: Warehouse) -> None:
    rows = [said(1, "Добрый день, это Анна"), said(2, "Цена 100 рублей"), said(3, "До свидания", chat=2)]
    loaded(database, *rows)
    card(database, "of the first", "1", "Добрый день")
    card(database, "of the second", "2", "Цена 100")
    card(database, "of another chat", "3", "До свидания", chat=2)
    loaded(database, *rows)
    assert len(cards(database)) == 3, "nothing has changed"
    loaded(database, rows[0], said(2, "Цена 200 рублей", version=5), rows[2])
    assert cards(database) == ["of another chat", "of the first"]
    assert awaited(database) == ["of the second"], "the next night judges it again"
    # what is edited elsewhere in the message is no matter: the quote is still there
    loaded(database, said(1, "Добрый день!", version=6), rows[2])
    assert cards(database) == ["of another chat", "of the first"]
    # the vendor does not list the first any more
    loaded(database, said(2, "Цена 200 рублей", version=5), rows[2])
    assert cards(database) == ["of another chat"]


def test_a_transcript_that_was_read_anew_takes_its_quotes_along(database: Warehouse) -> None:
    calls = [said(number, f"Предлагаю товар {number}", chat=number, is_call=True) for number in (1, 2)]
    loaded(database, *calls)
    for number in (1, 2):
        card(database, f"call {number}", "0", f"товар {number}", chat=number, call=f"shop:call{number}")
    loaded(database, *calls)
    assert cards(database) == ["call 1", "call 2"]
    loaded(database, said(1, "Предлагаю другое", chat=1, version=5, is_call=True), calls[1])
    assert (cards(database), awaited(database)) == (["call 2"], ["call 1"])


def test_a_call_whose_words_are_gone_has_no_verdict(database: Warehouse) -> None:
    """Whether it quotes something or not: the vendor recognises it once more."""
    calls = [said(number, f"Предлагаю товар {number}", chat=number, is_call=True) for number in (1, 2)]
    loaded(database, *calls)
    for number in (1, 2):
        card(database, f"call {number}", "0", f"товар {number}", chat=number, call=f"shop:call{number}")
    with database.connect() as connection:
        connection.execute("update evaluated.scorecard_criteria set quote = null, quote_state = 'missing', given = 0")
        connection.execute(
            "insert into evaluated.scorecards select (jsonb_populate_record(c, jsonb_build_object('scorecard_id',"
            " c.scorecard_id || ' before', 'is_current', false))).* from evaluated.scorecards as c"
        )
    loaded(database, said(1, "", chat=1, version=5, is_call=True), calls[1])
    assert (cards(database), awaited(database)) == (["call 2"], ["call 1"])
    with database.connect() as connection:
        left = connection.execute("select count(*) from evaluated.scorecards").fetchone()
    assert left == (3,), "of earlier versions nothing is left, and nobody waits for them"


def test_the_message_and_the_card_change_together(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(database, said(1, "Добрый день"))
    card(database, "a", "1", "Добрый день")

    def killed(name: str) -> None:
        if name == "core.before_commit":
            raise KeyboardInterrupt

    monkeypatch.setattr("resources.warehouse.core.fail_point", killed)
    assert "core.before_commit" in failpoints.NAMES
    with pytest.raises(KeyboardInterrupt):
        loaded(database, said(1, "Пока", version=5))
    assert cards(database) == ["a"]
    monkeypatch.undo()
    loaded(database, said(1, "Пока", version=5))
    assert cards(database) == []
