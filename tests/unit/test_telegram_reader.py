"""Who wrote what and when in a Telegram export, quirk by quirk; expectations are written down, not computed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, NotThisFormat, Undecided, settle
from conversations.imports.telegram import TelegramReader, is_person_id
from conversations.imports.telegram.keys import LATE, RECENT, MessageKeys
from conversations.messages import REASONS
from conversations.source import RawRow
from tests.unit.telegram_files import START, message, notice

HEADER = {"ordinal": 1, "list": None, "id": 7, "type": "personal_chat", "name": "Анна"}


def read(units: list, **choices: Any) -> list[RawRow]:
    """Both looks through the units."""
    declared, reader = Choices(**choices), TelegramReader()
    chats = settle(reader.survey(iter(units), declared), declared)
    return list(reader.rows(iter(units), chats, declared))


def read_chat(messages: list, *, kind: str | None = "personal_chat", **choices: Any) -> list[RawRow]:
    return read([(HEADER | {"type": kind}, one) for one in messages], **choices)


def problems(rows: list[RawRow]) -> list[str | None]:
    return [row.payload.get("problem") for row in rows]


def sides(rows: list[RawRow]) -> list[str | None]:
    return [row.payload["side"] for row in rows]


def test_the_person_a_personal_chat_is_named_after_is_the_customer() -> None:
    rows = read_chat([message(1, "user7"), message(2, "user900"), message(3, "user7")])
    assert sides(rows) == ["customer", "manager", "customer"]
    assert [row.external_id for row in rows] == ["user7:000000000001", "user7:000000000002", "user7:000000000003"]
    assert [row.payload["author"] for row in rows] == ["user7", "user900", "user7"]
    assert [row.payload["position"] for row in rows] == [1, 2, 3]


def test_a_customer_who_has_not_written_yet_does_not_make_the_manager_one() -> None:
    assert sides(read_chat([message(1, "user900")])) == ["manager"]


def test_a_chat_in_which_the_named_person_is_nobody_has_to_be_declared() -> None:
    strangers = [message(1, "user111"), message(2, "user222")]
    with pytest.raises(Undecided, match="staff"):
        read_chat(strangers)
    assert sides(read_chat(strangers, staff=frozenset({"user222"}))) == ["customer", "manager"]


def test_a_declared_manager_stays_one_in_a_chat_named_after_him() -> None:
    rows = read_chat([message(1, "user7"), message(2, "user900")], staff=frozenset({"user7"}))
    assert sides(rows) == ["manager", "manager"]


def test_in_groups_everybody_who_is_not_declared_is_a_customer() -> None:
    rows = read_chat(
        [message(1, "user1"), message(2, "user2"), message(3, "channel5")],
        kind="private_supergroup", staff=frozenset({"Имя er2"}),
    )  # fmt: skip
    assert sides(rows) == ["customer", "manager", "customer"]
    assert rows[0].external_id == "channel7:000000000001"
    assert read_chat([message(1, "user1")], kind="private_group", staff=frozenset({"x"}))[0].external_id[:6] == "chat7:"


def test_a_bot_is_a_bot_and_what_we_send_through_one_is_its() -> None:
    rows = read_chat([message(1, "user7"), message(2, "user900")], kind="bot_chat")
    assert sides(rows) == ["bot", "manager"]
    rows = read_chat([message(1, "user7", via_bot="@gif"), message(2, "user900", via_bot="@pay")])
    assert sides(rows) == ["customer", "bot"]


def test_a_deleted_account_has_an_id_and_no_name() -> None:
    rows = read_chat([{**message(1, "user7"), "from": None}, message(2, "user900")])
    assert (problems(rows), sides(rows)) == ([None, None], ["customer", "manager"])
    assert rows[0].payload["author"] == "user7"


@pytest.mark.parametrize(("peer", "key"), [(4_294_967_303, "user7"), (7, "user7"), (8_589_934_600, "chat8")])
def test_numeric_ids_of_old_exports_are_the_same_people(peer: int, key: str) -> None:
    rows = read_chat([{**message(1, "user7"), "from_id": peer}], staff=frozenset({"x"}))
    assert rows[0].payload["author"] == key


def test_names_alone_are_known_by_a_hash_and_never_stand_in_an_id() -> None:
    item = {"type": "message", "text": "a", "date_unixtime": str(START)}
    units = [({"ordinal": 1, "name": "Анна"}, {**item, "from": name}) for name in ("Анна", "Менеджер", "Анна")]
    rows = read(units)
    assert sides(rows) == ["customer", "manager", "customer"]
    assert not is_person_id(rows[0].payload["author"])
    assert [row.external_id.partition(":")[2] for row in rows] == [f"t{START}-000{n}" for n in (1, 2, 3)]
    assert not any("Анна" in row.external_id or "Анна" in row.payload["author"] for row in rows)


@pytest.mark.parametrize("kind", ["saved_messages", "replies", "verify_codes", "public_channel", "private_channel"])
def test_what_is_no_conversation_is_kept_and_counted_and_asks_for_nothing(kind: str) -> None:
    units = [(HEADER | {"type": kind}, message(1, "user1")), (HEADER | {"ordinal": 2, "id": 8}, message(1, "user8"))]
    survey = TelegramReader().survey(iter(units), Choices())
    assert survey.facts == {"not_conversations": {kind: 1}}
    assert list(survey.chats) == ["user8"]
    rows = read(units)
    assert problems(rows) == ["not_a_conversation", None]
    assert rows[0].payload["original"] == units[0][1]


def test_the_universal_time_counts_and_the_local_one_only_without_it() -> None:
    old = {key: value for key, value in message(2, "user7").items() if key != "date_unixtime"}
    rows = read_chat([message(1, "user7"), old], time_zone="Asia/Almaty")
    assert rows[0].event_at == datetime(2024, 1, 10, 12, 1, tzinfo=UTC)
    assert rows[1].event_at == datetime(2024, 1, 10, 9, 0, tzinfo=UTC)
    assert rows[1].payload["at"] == "2024-01-10T09:00:00+00:00"


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ({"date": "2023-10-29T02:30:00"}, "ambiguous_time"),
        ({"date": "2023-03-26T02:30:00"}, "bad_time"),
        ({"date": "yesterday"}, "bad_time"),
        ({"date": 7}, "bad_time"),
        ({"date": "0001-01-01T00:00:00"}, "bad_time"),
        ({"date": "9999-12-31T23:59:59-23:00"}, "bad_time"),
        ({"date_unixtime": "soon", "date": "2024-01-10T15:00:00"}, "bad_time"),
        ({"date_unixtime": "0"}, "bad_time"),
        ({"date": "1970-01-01T03:00:00"}, "bad_time"),
        ({"date_unixtime": "9" * 400}, "bad_time"),
        ({}, "no_time"),
    ],
)
def test_a_time_that_is_none_is_never_guessed(when: dict, problem: str) -> None:
    one = {"id": 2, "type": "message", "from_id": "user7", "text": "a", **when}
    rows = read_chat([message(1, "user7"), one], time_zone="Europe/Berlin")
    assert (problems(rows), rows[1].event_at, rows[1].payload["at"]) == ([None, problem], None, None)


def test_a_chat_without_any_time_is_untimed_and_whole() -> None:
    units = [(HEADER, {"id": n, "type": "message", "from_id": "user7", "text": "a"}) for n in (1, 2)]
    survey = TelegramReader().survey(iter(units), Choices())
    assert survey.chats["user7"].flags == {"no_times"}
    assert problems(read(units)) == [None, None]


def test_edits_carry_their_time_and_a_stamp_of_1970_is_no_edit() -> None:
    edited = message(1, "user7", edited="2024-01-10T16:00:00", edited_unixtime=str(START + 3_600))
    never = message(2, "user7", edited="1970-01-01T03:00:00", edited_unixtime="0")
    old = {**message(3, "user7"), "edited": "1970-01-01T03:00:00"}
    rows = read_chat([edited, never, old])
    assert "edited_at" not in rows[2].payload
    assert rows[0].payload["edited_at"] == "2024-01-10T13:00:00+00:00"
    assert rows[0].updated_at == datetime(2024, 1, 10, 13, 0, tzinfo=UTC)
    assert "edited_at" not in rows[1].payload
    assert rows[1].updated_at == rows[1].event_at


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"id": 5, "type": "unsupported"}, "unsupported"),
        ({**message(5, "user7"), "type": "story"}, "unknown_type"),
        (message(5, None), "no_author"),
        (None, "not_an_object"),
        ([1], "not_an_object"),
        ("text", "not_an_object"),
        (message(1, "user7", "again"), "repeated_id"),
    ],
)
def test_what_cannot_be_understood_is_kept_with_its_reason(item: Any, problem: str) -> None:
    rows = read_chat([message(1, "user7"), item, message(9, "user900")])
    assert problems(rows) == [None, problem, None]
    assert rows[1].payload["original"] == item
    assert len({row.external_id for row in rows}) == 3


def test_every_reason_has_words() -> None:
    codes = {"not_an_object", "no_time", "bad_time", "ambiguous_time", "unsupported", "unknown_type", "no_author",
             "not_a_conversation", "repeated_id", "bad_text"}  # fmt: skip
    assert codes <= set(REASONS)


def test_notices_have_no_author_and_calls_have_one() -> None:
    rows = read_chat([notice(1, "pin_message", "user900"), notice(2, "phone_call", "user7", duration_seconds=60)])
    assert (sides(rows), problems(rows)) == (["system", "customer"], [None, None])
    assert [row.payload["author"] for row in rows] == [None, "user7"]


def test_chats_without_ids_are_known_by_name_and_same_names_stay_apart() -> None:
    named = {"name": "Чат", "type": "private_group"}
    units = [({"ordinal": n, **named}, message(1, "user1")) for n in (1, 2)]
    rows = read(units, staff=frozenset({"x"}))
    assert len({row.external_id for row in rows}) == 2
    assert read(units[:1], staff=frozenset({"x"}))[0].external_id == rows[0].external_id


def test_a_nameless_chat_is_known_by_its_first_message() -> None:
    first = [({"ordinal": 1}, message(n, "user1")) for n in (1, 2)]
    longer = [*first, ({"ordinal": 1}, message(3, "user2"))]
    staff = frozenset({"user2"})
    assert [row.external_id for row in read(longer, staff=staff)[:2]] == [
        row.external_id for row in read(first, staff=staff)
    ]


@pytest.mark.parametrize("most", ["MOST_CHATS", "MOST_PEOPLE"])
def test_more_chats_or_people_than_any_account_has_are_refused(monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    monkeypatch.setattr(f"conversations.imports.telegram.reader.{most}", 2)
    units = [(HEADER | {"ordinal": n, "id": n}, message(1, f"user{n}")) for n in (1, 2, 3)]
    TelegramReader().survey(iter(units[:2]), Choices())
    with pytest.raises(NotThisFormat, match="more than"):
        TelegramReader().survey(iter(units), Choices())


def test_endless_names_are_cut_for_people_and_kept_in_the_row() -> None:
    name = "Ы" * 20_000
    survey = TelegramReader().survey(iter([(HEADER, {**message(1, "user7"), "from": name})]), Choices())
    assert survey.chats["user7"].authors["user7"].name == name[:10_000]
    assert read_chat([{**message(1, "user7"), "from": name}])[0].payload["original"]["from"] == name


def test_ids_that_do_not_grow_are_kept_once_and_doubles_apart() -> None:
    keys = MessageKeys()
    found = [keys.of("c", {"id": number}, position, None) for position, number in enumerate([5, 9, 7, 9, 7, 10], 1)]
    assert found == [
        ("000000000005", False), ("000000000009", False), ("000000000007", False),
        ("000000000009.4", True), ("000000000007.5", True), ("000000000010", False),
    ]  # fmt: skip
    assert keys.of("d", {"id": 5}, 7, None) == ("000000000005", False)
    assert keys.of("c", {"id": 5}, 8, None) == ("000000000005.8", True)


def test_forgotten_stamps_and_late_ids_never_collide() -> None:
    keys, seen = MessageKeys(), set()
    moments = [datetime.fromtimestamp(START + n, UTC) for n in range(RECENT + 50)]
    for position, at in enumerate([*moments, *moments], 1):
        seen.add(keys.of("c", {}, position, at)[0])
    assert len(seen) == 2 * len(moments)


def test_a_file_that_was_turned_round_has_no_doubles() -> None:
    keys = MessageKeys()
    found = [keys.of("c", {"id": -n}, n, None) for n in range(1, LATE + 100)]
    assert len({key for key, _ in found}) == len(found)
    assert not any(is_second for _, is_second in found)
    assert keys.of("c", {"id": -50}, 0, None)[1]


@given(st.lists(st.integers(-9, 9), max_size=30), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_every_id_comes_once_in_whatever_order(numbers: list[int], late: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("conversations.imports.telegram.keys.LATE", late)
        keys = MessageKeys()
        found = [keys.of("c", {"id": number}, position, None) for position, number in enumerate(numbers)]
    assert len({key for key, _ in found}) == len(numbers)
    seen: set[int] = set()
    for number, (_, is_second) in zip(numbers, found, strict=True):
        assert is_second or number not in seen
        seen.add(number)


def test_a_later_export_of_the_chat_gives_the_same_ids() -> None:
    items = [message(n, "user7") for n in range(1, 20)]
    earlier = [row.external_id for row in read_chat(items[:12])]
    assert [row.external_id for row in read_chat(items)[:12]] == earlier
    assert sorted(earlier) == earlier
