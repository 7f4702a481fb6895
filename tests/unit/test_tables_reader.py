"""Tables by a mapping: who, when, whose chat, and what becomes of rows that cannot be understood."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.imports.survey import Choices, NotThisFormat, Undecided
from conversations.parsing.flags import DOUBTFUL_HOUR
from conversations.records import Conversation, Customer, Manager, Message, Quarantined
from conversations.source import RawRecord
from tests.unit.tabling import mapped, parser, problems, read_units

NOW = datetime(2026, 3, 9, tzinfo=UTC)
PLAIN = """
columns: {conversation: chat, title: title, message_id: id, time: at, zone: zone, author: who, role: role, text: text,
  kind: kind, phone: phone, edited: edited, deleted: deleted, answered: answered, talk_seconds: seconds}
values: {role: {client: customer, operator: manager}}
"""
ROW = {"chat": "7", "title": "Анна", "at": "2026-03-01T09:00:00+03:00", "who": "Анна", "role": "client", "text": "да"}


def table(*rows: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(({**ROW, **row} for row in rows), 1))


def records(survey: Any, rows: Any) -> list[Any]:
    from conversations.imports.survey import settle

    found = []
    for key, settled in settle(survey, Choices()).items():
        found += parser().parse("chats", RawRecord("c", key, settled.payload(), NOW, None))
    for row in rows:
        found += parser().parse("messages", RawRecord("c", row.external_id, row.payload, NOW, None))
    return found


def test_a_row_becomes_a_message_of_its_people() -> None:
    survey, rows = read_units(
        table(
            {"phone": "+7 700 000-00-01", "id": "5"},
            {"who": "Ольга", "role": "Operator ", "at": "2026-03-01T09:05:00+03:00", "text": "здравствуйте", "id": 6},
            {"who": None, "role": "system", "text": "чат закрыт", "at": "2026-03-01T09:06:00+03:00", "id": 7.0},
        ),
        mapped(PLAIN),
    )
    (chat,) = survey.chats.values()
    assert (chat.title, chat.kind, chat.messages) == ("Анна", "private", 3)
    assert (chat.first_at, chat.last_at) == (
        datetime(2026, 3, 1, 6, tzinfo=UTC),
        datetime(2026, 3, 1, 6, 6, tzinfo=UTC),
    )
    found = records(survey, rows)
    (customer,) = [one for one in found if isinstance(one, Customer)]
    (manager,) = [one for one in found if isinstance(one, Manager)]
    (talk,) = [one for one in found if isinstance(one, Conversation)]
    messages = [one for one in found if isinstance(one, Message)]
    assert (customer.name, customer.phone, manager.name) == ("Анна", "+7 700 000-00-01", "Ольга")
    assert talk.customer_id == customer.customer_id
    assert [(one.sender_kind, one.direction, one.text, one.is_public) for one in messages] == [
        ("customer", "in", "да", True),
        ("manager", "out", "здравствуйте", True),
        ("system", "none", "чат закрыт", False),
    ]
    assert [one.message_id for one in messages] == [f"{number:020d}" for number in (5, 6, 7)]
    assert messages[0].customer_id == customer.customer_id
    assert messages[1].manager_id == manager.manager_id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"at": "yesterday"}, "bad_time"),
        ({"at": "2026-03-01"}, "bad_time"),
        ({"at": None}, "bad_time"),
        ({"at": "2026-03-01T09:00:00", "zone": "Mars"}, "bad_zone"),
        ({"at": "1026-03-01T09:00:00"}, "bad_time"),
        ({"chat": " "}, "missing_conversation"),
        ({"role": "boss"}, "unknown_role"),
        ({"role": None}, "unknown_role"),
        ({"kind": "hologram"}, "unknown_kind"),
        ({"text": ["x"]}, "bad_value"),
        ({"deleted": "perhaps"}, "bad_value"),
        ({"seconds": "long"}, "bad_value"),
    ],
)
def test_a_row_that_cannot_be_understood_is_kept_with_its_reason(row: dict[str, Any], reason: str) -> None:
    survey, rows = read_units(table({}, row), mapped(PLAIN))
    assert problems(rows) == [None, reason]
    assert rows[1].payload["original"] == {**ROW, **row}
    assert next(one for one in records(survey, rows) if isinstance(one, Quarantined)).reason == reason
    assert len({one.external_id for one in rows}) == 2


def test_calls_media_edits_and_deletions() -> None:
    survey, rows = read_units(
        table(
            {"kind": "call", "answered": "да", "seconds": "61", "text": None},
            {"kind": "photo", "text": None},
            {"edited": "true"},
            {"edited": "2026-03-01T10:00:00+03:00"},
            {"deleted": 1},
        ),
        mapped(PLAIN),
    )
    call, photo, edited, dated, gone = [one for one in records(survey, rows) if isinstance(one, Message)]
    assert (call.content_kind, call.call_answered, call.talk_seconds) == ("call", True, 61)
    assert (photo.content_kind, photo.text) == ("media", None)
    assert (edited.edited_at, edited.flags) == (None, ("edited_undated",))
    assert dated.edited_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert (gone.text, gone.flags) == (None, ("gone_at_source",))


@pytest.mark.parametrize(
    ("formats", "cell", "zone", "expected"),
    [
        ("'%d.%m.%Y %H:%M'", "02.03.2026 09:15", "Europe/Moscow", datetime(2026, 3, 2, 6, 15)),
        ("unix", 1772432100, "UTC", datetime(2026, 3, 2, 6, 15)),
        ("unix", "1772432100.5", "UTC", datetime(2026, 3, 2, 6, 15, 0, 500_000)),
        ("unix_ms", 1772432100250, "UTC", datetime(2026, 3, 2, 6, 15, 0, 250_000)),
        # 46083 days after 30.12.1899 are 02.03.2026
        ("excel", 46083.385416666664, "Europe/Moscow", datetime(2026, 3, 2, 6, 15)),
        ("iso", "2026-03-02 09:15:00+03:00", "Asia/Tokyo", datetime(2026, 3, 2, 6, 15)),
        ("iso", datetime(2026, 3, 2, 9, 15), "Europe/Moscow", datetime(2026, 3, 2, 6, 15)),
        ("['%d.%m.%Y %H:%M', '%m.%d.%Y %H:%M']", "13.03.2026 09:15", "UTC", datetime(2026, 3, 13, 9, 15)),
        ("['%d.%m.%Y %H:%M', '%m.%d.%Y %H:%M']", "02.03.2026 09:15", "UTC", "ambiguous_time"),
        ("unix", 1772432100250, "UTC", "bad_time"),
        ("unix", "2026-03-02 09:15", "UTC", "bad_time"),
        ("iso", 1772432100, "UTC", "bad_time"),
    ],
)
def test_times_are_read_as_declared_and_never_guessed(formats: str, cell: Any, zone: str, expected: Any) -> None:
    mapping = mapped(PLAIN + f"time: {{format: {formats}, zone: {zone}}}")
    _, (row,) = read_units(table({"at": cell}), mapping)
    if isinstance(expected, str):
        assert row.payload["problem"] == expected
    else:
        assert row.event_at == expected.replace(tzinfo=UTC)


def test_the_zone_of_a_row_counts_before_the_declared_one() -> None:
    rows = table({"at": "2026-03-01T09:00:00", "zone": "UTC+5"}, {"at": "2026-03-01T09:00:00", "zone": None})
    _, found = read_units(rows, mapped(PLAIN), Choices(time_zone="Asia/Tokyo"))
    assert [row.event_at.hour for row in found if row.event_at] == [4, 0]


def test_an_hour_that_comes_twice_is_flagged_and_kept() -> None:
    mapping = mapped(PLAIN + "time: {zone: Europe/Berlin}")
    _, rows = read_units(table({"at": "2026-10-25T02:30:00"}, {"at": "2026-10-25T03:30:00"}), mapping)
    assert [row.payload.get("flags") for row in rows] == [[DOUBTFUL_HOUR], None]
    assert rows[0].event_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_list_of_managers_decides_where_the_table_has_no_roles() -> None:
    text = "columns: {conversation: chat, time: at, author: who, text: text}\n"
    rows = table({}, {"who": "ОЛЬГА"}, {"who": "Борис"})
    with pytest.raises(Undecided) as found:
        read_units(rows, mapped(text))
    assert found.value.what == "staff"
    for mapping, choices in [
        (mapped(text + "staff: [ольга]"), Choices()),
        (mapped(text), Choices(staff=frozenset({"Ольга"}))),
    ]:
        _, read = read_units(rows, mapping, choices)
        assert [row.payload["side"] for row in read] == ["customer", "manager", "customer"]


def test_people_of_ids_are_the_same_in_every_chat_and_namesakes_are_not() -> None:
    from conversations.imports.tables import is_person_id

    text = "columns: {conversation: chat, time: at, author: who, author_id: own, text: text}\nstaff: [u9]"
    rows = table({"own": "u1"}, {"own": "u2"}, {"own": "U1"}, {"own": "u9"}, {"chat": "8", "own": "u1"})
    _, read = read_units(rows, mapped(text))
    keys = [row.payload["author"] for row in read]
    assert keys[0] == keys[4]
    assert len(set(keys)) == 4
    assert all(map(is_person_id, keys))
    assert [row.payload["side"] for row in read][3] == "manager"


def test_ids_tell_nothing_of_names_and_differ_by_case() -> None:
    _, rows = read_units(table({"chat": "Анна +77000000001", "id": "aB"}, {"chat": "анна +77000000001"}), mapped(PLAIN))
    for row in rows:
        assert row.external_id.isascii()
        assert "7700" not in row.external_id
    assert rows[0].payload["chat"] != rows[1].payload["chat"]


def test_messages_of_one_stamp_keep_the_order_of_the_file_as_text_sorts() -> None:
    _, rows = read_units(table(*({"text": str(number)} for number in range(12))), mapped(PLAIN))
    assert sorted(row.external_id for row in rows) == [row.external_id for row in rows]


def test_a_later_longer_export_gives_the_same_messages_the_same_ids() -> None:
    stamps = [f"2026-03-01T09:0{number // 3}:00+03:00" for number in range(9)]
    rows = [{"at": at, "text": str(number)} for number, at in enumerate(stamps)]
    for turn in (list, lambda found: list(reversed(found))):  # old to new, and new to old
        short, long = turn(rows[:7]), turn(rows)
        first = {row.payload["text"]: row.external_id for row in read_units(table(*short), mapped(PLAIN))[1]}
        second = {row.payload["text"]: row.external_id for row in read_units(table(*long), mapped(PLAIN))[1]}
        assert {text: second[text] for text in first} == first
        # whichever way the file goes, the ids go the way of time
        assert [text for text, _ in sorted(second.items(), key=lambda one: one[1])] == [str(n) for n in range(9)]


def test_another_zone_changes_times_and_no_ids() -> None:
    rows = table({"at": "2026-03-01T09:00:00"}, {"at": "2026-03-01T09:00:00"})
    _, here = read_units(rows, mapped(PLAIN), Choices(time_zone="UTC"))
    _, there = read_units(rows, mapped(PLAIN), Choices(time_zone="Asia/Tokyo"))
    assert [row.external_id for row in here] == [row.external_id for row in there]
    assert [row.event_at for row in here] != [row.event_at for row in there]


def test_a_message_id_that_comes_again_is_no_second_message_and_no_loss() -> None:
    _, rows = read_units(table({"id": 1}, {"id": 1, "text": "other"}, {"id": 1, "text": "other"}), mapped(PLAIN))
    assert problems(rows) == [None, "repeated_id", "repeated_id"]
    assert len({row.external_id for row in rows}) == 3


def test_a_column_that_no_row_has_is_named_and_so_is_an_empty_table() -> None:
    with pytest.raises(NotThisFormat, match=r"no row has the column 'txt' \(columns.text\)"):
        read_units(table({}), mapped(PLAIN.replace("text: text", "text: txt")))
    with pytest.raises(NotThisFormat, match="the table has no rows"):
        read_units([], mapped(PLAIN))


def test_a_table_without_conversations_needs_a_title() -> None:
    mapping = mapped("columns: {time: at, author: who, text: text}\nstaff: [Ольга]")
    with pytest.raises(NotThisFormat, match="names no conversation"):
        read_units(table({}), mapping)
    survey, _ = read_units(table({}), mapping, Choices(chat="Лавка"))
    assert [chat.title for chat in survey.chats.values()] == ["Лавка"]


def test_more_conversations_than_can_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from conversations.imports.tables import reader

    monkeypatch.setattr(reader, "MOST_CHATS", 2)
    with pytest.raises(NotThisFormat, match="more than 2 conversations: split the table"):
        read_units(table({"chat": "1"}, {"chat": "2"}, {"chat": "3"}), mapped(PLAIN))
