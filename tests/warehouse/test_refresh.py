"""Refreshing day by day leaves the same rows as judging everything at once, and judges nobody without a reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from conversations.evaluate import compile_policy, evaluate
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.timeline import (
    SECOND,
    Advice,
    Behaviour,
    Chat,
    Contact,
    Evaluation,
    LeftWaiting,
    Session,
    TimedEvent,
    TimedMessage,
    Wait,
)
from conversations.window import Window
from conversations.words import Words
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.loader import refresh_evaluated
from tests.unit.test_restart import history, times

POLICY = Policy.parse(
    """
organisation: {calendar: shop}
calendars: {shop: {time_zone: Europe/Moscow, weekly: {mon: 09:00-18:00, tue: 09:00-18:00, wed: 09:00-18:00}}}
channels: {telegram: {bot_can_resolve: true}, other: {hard_window_hours: 20}}
"""
)
STRICTER = Policy.parse("{defaults: {reply_target_minutes: 1, first_reply_target_minutes: 1}}")
CONNECTION = "test"
MESSAGE = (
    f"insert into core.messages ({', '.join(TimedMessage._fields)}, connection_id, flags, raw_stream, raw_id)"
    f" values ({', '.join(['%s'] * len(TimedMessage._fields))}, 'test', '{{}}', 'messages', '-')"
)
RESULTS = {
    "waits": Wait, "sessions": Session, "left_waiting": LeftWaiting, "behaviour": Behaviour, "advice": Advice,
}  # fmt: skip


def moment(instant: int | None) -> datetime | None:
    return None if instant is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)


def people(number: int, size: int) -> list[Contact]:
    """Customers with up to three chats each, ids of their own."""
    found = []
    for seed in range(number):
        contact = history(1000 + seed, size)
        found.append(
            Contact(
                tuple(chat._replace(conversation_id=f"{seed}{chat.conversation_id}") for chat in contact.chats),
                [each._replace(conversation_id=f"{seed}{each.conversation_id}") for each in contact.messages],
                [each._replace(conversation_id=f"{seed}{each.conversation_id}") for each in contact.events],
            )
        )
    return found


def store_chats(sql: psycopg.Connection[Any], contacts: Iterable[Contact]) -> None:
    for number, contact in enumerate(contacts):
        for chat in contact.chats:
            sql.execute(
                "insert into core.channels (channel_id, connection_id, kind, name, is_active)"
                " values (%s, 'test', %s, '-', true) on conflict do nothing",
                (channel_of(chat), chat.channel_kind),
            )
            sql.execute(
                "insert into core.conversations (conversation_id, connection_id, channel_id, customer_id, is_untimed,"
                " flags) values (%s, 'test', %s, %s, false, '{}')",
                (chat.conversation_id, channel_of(chat), f"customer {number}"),
            )


def channel_of(chat: Chat) -> str:
    return f"{chat.account_id} {chat.channel_kind}"


def store(sql: psycopg.Connection[Any], rows: Iterable[TimedMessage | TimedEvent]) -> None:
    """Rows into core, their conversations marked as replace_window marks them."""
    for row in rows:
        if isinstance(row, TimedMessage):
            at = moment(row.sent_at)
            values = [moment(value) if name.endswith("_at") else value for name, value in row._asdict().items()]
            sql.execute(MESSAGE, values)
        else:
            at = moment(row.at)
            sql.execute(
                "insert into core.events (conversation_id, event_id, connection_id, at, kind, manager_id, raw_stream,"
                " raw_id) values (%s, %s, 'test', %s, %s, %s, 'messages', '-')",
                (row.conversation_id, row.event_id, at, row.kind, row.manager_id),
            )
        sql.execute(
            "insert into ops.dirty values (%s, 'test', %s)"
            " on conflict (conversation_id) do update set since = least(dirty.since, excluded.since)",
            (row.conversation_id, at),
        )


def accounts(contact: Contact) -> Contact:
    """As the tables have it: the channel is the account."""
    return contact._replace(chats=tuple(chat._replace(account_id=channel_of(chat)) for chat in contact.chats))


def expected(contacts: Iterable[Contact], policy: Policy, as_of: int) -> dict[str, list[tuple[Any, ...]]]:
    rules = compile_policy(policy, {})
    words = Words(Lexicon.default())
    judged: list[Evaluation] = [evaluate(accounts(contact), rules, as_of, None, words) for contact in contacts]
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in RESULTS}
    for evaluation in judged:
        for table, results in evaluation._asdict().items():
            for result in results:
                found[table].append(tuple(result))
    return {table: sorted(rows, key=str) for table, rows in found.items()}


def stored(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the tables, instants counted from 1970 again, by Python's own arithmetic."""
    found = {}
    with warehouse.connect() as sql:
        for table, result in RESULTS.items():
            rows = sql.execute(f"select {', '.join(result._fields)} from evaluated.{table}").fetchall()
            found[table] = sorted((tuple(map(plain, row)) for row in rows), key=str)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return tuple(value) if isinstance(value, list) else value


def test_day_by_day_as_at_once(fresh_database: Warehouse) -> None:
    contacts = people(40, 50)
    rows = sorted(
        (row for contact in contacts for row in (*contact.messages, *contact.events)),
        key=lambda row: row.sent_at if isinstance(row, TimedMessage) else row.at,
    )
    moments = [row.sent_at if isinstance(row, TimedMessage) else row.at for row in rows]
    cuts = [moments[len(moments) * share // 8] for share in range(1, 8)] + [moments[-1] + 20 * 86_400 * SECOND]
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
    done = 0
    read = []
    for cut in cuts:
        upto = sum(1 for at in moments if at <= cut)
        with fresh_database.connect() as sql:
            store(sql, rows[done:upto])
        done = upto
        counts = refresh_evaluated(fresh_database, POLICY, None, moment(cut), connection_id=CONNECTION)
        read.append(counts.messages)
        assert stored(fresh_database) == expected(
            [
                contact._replace(
                    messages=[each for each in contact.messages if (each.sent_at or 0) <= cut],
                    events=[each for each in contact.events if each.at <= cut],
                )
                for contact in contacts
            ],
            POLICY,
            cut,
        )
    assert done == len(rows)
    assert read[-1] < sum(len(contact.messages) for contact in contacts)


def test_nothing_new_means_nothing_written(fresh_database: Warehouse) -> None:
    contacts = people(10, 40)
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
        store(sql, (row for contact in contacts for row in (*contact.messages, *contact.events)))
    end = max(max(times(contact)) for contact in contacts)
    first = refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    assert first.contacts == 10
    before = table_hashes(fresh_database)
    again = refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    assert (again.contacts, again.waits) == (0, 0)
    assert table_hashes(fresh_database) == before


def test_an_earlier_as_of_does_not_take_back_what_was_settled(fresh_database: Warehouse) -> None:
    contacts = people(5, 40)
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
        store(sql, (row for contact in contacts for row in (*contact.messages, *contact.events)))
    end = max(max(times(contact)) for contact in contacts)
    refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    before = stored(fresh_database)
    counts = refresh_evaluated(fresh_database, POLICY, None, moment(end - 86_400 * SECOND), connection_id=CONNECTION)
    assert counts.as_of == moment(end)
    assert stored(fresh_database) == before


def test_rows_after_as_of_are_judged_later(fresh_database: Warehouse) -> None:
    contacts = people(6, 40)
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
        store(sql, (row for contact in contacts for row in (*contact.messages, *contact.events)))
    moments = sorted(at for contact in contacts for at in times(contact))
    middle, end = moments[len(moments) // 2], moments[-1]
    refresh_evaluated(fresh_database, POLICY, None, moment(middle), connection_id=CONNECTION)
    assert stored(fresh_database) == expected(contacts, POLICY, middle)
    refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    assert stored(fresh_database) == expected(contacts, POLICY, end)


def test_other_rules_reach_the_sessions_of_the_window_only(fresh_database: Warehouse) -> None:
    contacts = people(8, 40)
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
        store(sql, (row for contact in contacts for row in (*contact.messages, *contact.events)))
    moments = sorted(at for contact in contacts for at in times(contact))
    end = moment(moments[-1])
    assert end is not None
    refresh_evaluated(fresh_database, POLICY, None, end, connection_id=CONNECTION)
    late = Window(end - timedelta(days=10), end)
    counts = refresh_evaluated(fresh_database, STRICTER, late, end, connection_id=CONNECTION)
    assert counts.contacts > 0
    with fresh_database.connect() as sql:
        rows = sql.execute(
            "select bool_or(policy_hash = %s) filter (where started_at < %s),"
            " bool_and(policy_hash = %s) filter (where started_at >= %s) from evaluated.sessions",
            (STRICTER.hash, late.start - timedelta(days=5), STRICTER.hash, late.start),
        ).fetchone()
    assert rows is not None
    assert rows[1] is True
    refresh_evaluated(fresh_database, STRICTER, None, end, connection_id=CONNECTION)
    assert stored(fresh_database) == expected(contacts, STRICTER, moments[-1])


def test_without_an_as_of_everybody_is_judged_again(fresh_database: Warehouse) -> None:
    """The way back when somebody has emptied the evaluated tables."""
    contacts = people(6, 40)
    with fresh_database.connect() as sql:
        store_chats(sql, contacts)
        store(sql, (row for contact in contacts for row in (*contact.messages, *contact.events)))
    end = max(max(times(contact)) for contact in contacts)
    refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    before = stored(fresh_database)
    assert before["waits"]
    with fresh_database.connect() as sql:
        for table in RESULTS:
            sql.execute(f"delete from evaluated.{table}")
        sql.execute("delete from ops.as_of")
    refresh_evaluated(fresh_database, POLICY, None, moment(end), connection_id=CONNECTION)
    assert stored(fresh_database) == before


def test_a_refresh_says_as_of_when() -> None:
    with pytest.raises(ValueError, match="as of when"):
        refresh_evaluated(None, POLICY, None, connection_id=CONNECTION)  # type: ignore[arg-type]
