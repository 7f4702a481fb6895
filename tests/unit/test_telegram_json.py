"""Streaming of ``result.json``: what comes out is what the standard library reads; what is broken is said once."""

from __future__ import annotations

import io
import json
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.imports.survey import NotThisFormat
from resources.imports import telegram_json
from resources.imports.telegram_json import Repaired, TelegramJson
from tests.unit.telegram_files import Held, chat, message

ACCOUNT = {
    "about": "Here is the data",
    "personal_information": {"user_id": 1, "first_name": "М"},
    "contacts": {"about": "", "list": [{"messages": ["not a chat"]}]},
    "chats": {"about": "", "list": [chat([message(1, "user7"), message(2, "user1")]), chat([], number=8)]},
    "left_chats": {"about": "", "list": [chat([message(5, "user2")], "private_supergroup", 9, "Группа")]},
}


def units(content: bytes | dict, size: int | None = None) -> list:
    return [(dict(header), item) for header, item in TelegramJson(Held(content, size)).units()]


def refusal(content: bytes | dict) -> str:
    with pytest.raises(NotThisFormat) as refused:
        units(content)
    return str(refused.value)


def test_a_single_chat_gives_its_messages_in_order() -> None:
    found = units(chat([message(1, "user7"), message(2, "user1")]))
    assert [item["id"] for _, item in found] == [1, 2]
    assert found[0][0] == {"ordinal": 1, "list": None, "id": 7, "type": "personal_chat", "name": "Анна"}


def test_a_whole_account_gives_the_messages_of_both_lists_and_of_nothing_else() -> None:
    found = units(ACCOUNT)
    assert [(header["ordinal"], header["list"], header["id"], item["id"]) for header, item in found] == [
        (1, "chats", 7, 1),
        (1, "chats", 7, 2),
        (3, "left_chats", 9, 5),
    ]
    assert [one["id"] for one in TelegramJson(Held(ACCOUNT)).chats()] == [7, 8, 9]


def test_a_header_after_the_messages_is_not_lost() -> None:
    first = {"messages": [message(1, "user7")], "id": 7, "name": "Анна", "type": "personal_chat"}
    found = units({"chats": {"list": [first, {"messages": [message(2, "user7")]}]}})
    assert found[0][0] == {"ordinal": 1, "list": "chats", "id": 7, "type": "personal_chat", "name": "Анна"}
    assert found[1][0] == {"ordinal": 2, "list": "chats"}


def test_nothing_is_looked_for_behind_the_messages_of_chats_that_have_no_name() -> None:
    own = {"type": "saved_messages", "id": 1, "messages": [message(1, "user1")]}
    opened = []

    class Counted(Held):
        def __call__(self):
            opened.append(1)
            return super().__call__()

    assert len(list(TelegramJson(Counted(own)).units())) == len(opened) == 1


def test_a_file_of_messages_alone_is_a_chat_without_a_name() -> None:
    assert units({"messages": [{"text": "a"}, 7, None]}) == [
        ({"ordinal": 1, "list": None}, item) for item in ({"text": "a"}, 7, None)
    ]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert len(units(b"\xef\xbb\xbf" + json.dumps(chat([message(1, "user7")])).encode())) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"a\x00b", "a\x00b"),
        (rb"\x1F\x0a", "\x1f\n"),
        (rb"\\x41", "\\x41"),
        (rb"\\\x41", "\\A"),
        (rb"\\\\x41", "\\\\x41"),
        (rb"\"\x41\n", '"A\n'),
        (rb"\u0041x41", "Ax41"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 16, None])
def test_escapes_that_json_does_not_know_are_repaired_and_escaped_ones_are_not(
    written: bytes, read: str, size: int | None
) -> None:
    assert units(b'{"messages": [{"text": "' + written + b'"}]}', size)[0][1] == {"text": read}


def by_hand(content: bytes) -> bytes:
    r"""``\xNN`` to ``\u00NN`` byte by byte: the slow and obvious way."""
    made, at = b"", 0
    while at < len(content):
        step = 1
        if content[at : at + 1] == b"\\":
            step = 2
            if re.fullmatch(rb"\\x[0-9A-Fa-f]{2}", content[at : at + 4]):
                made, at = made + b"\\u00" + content[at + 2 : at + 4], at + 4
                continue
        made, at = made + content[at : at + step], at + step
    return made


@given(
    st.lists(st.sampled_from([b"\\", b"x", b"4", b"1", b"g", b'"', b"n", "я".encode(), b" "]), max_size=60),
    st.lists(st.integers(1, 9), min_size=1, max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_the_repair_does_not_depend_on_where_the_blocks_end(parts: list[bytes], sizes: list[int]) -> None:
    content = b"".join(parts)

    class Uneven(io.BytesIO):
        turn = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.turn += 1
            return super().read(sizes[self.turn % len(sizes)])

    source = Repaired(Uneven(content))
    assert b"".join(iter(lambda: source.read(7), b"")) == by_hand(content)
    assert source.position == len(content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
HEADERS = st.fixed_dictionaries({}, optional={"id": st.integers(), "type": st.text(max_size=5), "name": st.none()})
CHATS = st.tuples(HEADERS, st.lists(VALUES, max_size=4), st.booleans())


@given(st.lists(CHATS, min_size=1, max_size=3), st.integers(1, 40), st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_json_stands_there_comes_out_as_the_standard_library_reads_it(
    chats: list, size: int, is_ascii: bool
) -> None:
    listed = [
        {**header, "messages": items} if is_first else {"messages": items, **header}
        for header, items, is_first in chats
    ]
    content = json.dumps({"chats": {"list": listed}}, ensure_ascii=is_ascii).encode()
    again = json.loads(content)["chats"]["list"]
    expected = [item for one in again for item in one["messages"]]
    assert [item for _, item in units(content, size)] == expected


@pytest.mark.parametrize("content", [ACCOUNT, chat([message(1, "user7", "a\\b\n\x1f"), message(2, None)])])
def test_a_file_that_breaks_off_anywhere_is_refused_with_the_place(content: dict) -> None:
    whole = json.dumps(content, ensure_ascii=False).encode()
    for cut in range(len(whole)):
        assert refusal(whole[:cut]) == f"the file breaks off at byte {cut}"


@pytest.mark.parametrize(
    "content",
    [b"[]", b"7", b'{"a": 1}', b'{"chats": {}}', b'{"chats": {"list": []}}', b'{"messages": {}}', b'{"chats": [1]}'],
)
def test_json_of_another_kind_is_refused(content: bytes) -> None:
    assert "messages" in refusal(content)


def test_a_list_of_something_else_is_refused() -> None:
    assert refusal(b'{"chats": {"list": [7]}}') == "an item of chats is not a chat"


@pytest.mark.parametrize(
    "broken",
    [b"{,}", b'{"messages": [\xff]}', b'{"messages": ["\xff\xfe"]}', b'{"messages": [nan]}', b'{"messages": []} x',
     b"\xff\xfe{\x00}\x00", b"\x00\x00", b'{"messages": ["\x01"]}', b'{"messages": ["\\q"]}'],
)  # fmt: skip
def test_what_is_no_json_is_refused_and_not_quoted(broken: bytes) -> None:
    assert re.fullmatch(r"the file is not JSON near byte \d+|the file breaks off at byte \d+", refusal(broken))


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\x41messagchtl ', max_size=80).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        units(content)
    except NotThisFormat as refused:
        assert len(str(refused)) < 100


def test_numbers_that_no_machine_holds_stay_readable() -> None:
    found = units(b'{"messages": [{"a": 1e999, "b": 123456789012345678901234567890, "c": 1.5, "d": -7}]}')
    assert found[0][1] == {"a": "1E+999", "b": "123456789012345678901234567890", "c": 1.5, "d": -7}
    for digits in (4_000, 5_000, 20_000, 100_000):
        # inside of an object, Python's refusal of such a number would end the process
        assert "impossible number" in refusal(b'{"messages": [{"id": ' + b"9" * digits + b', "x": [1, {"a": 2}]}]}')
    assert units(b'{"messages": [' + b"9" * 3_999 + b"]}")


def test_depth_and_size_of_an_item_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b'{"messages": [' + b"[" * 70 + b"]" * 70 + b"]}"
    assert re.fullmatch(r"an item before byte \d+ has more than 64 levels", refusal(deep))
    assert units(b'{"messages": [' + b"[" * 60 + b"]" * 60 + b"]}")
    wide = b'{"messages": [[' + b"1," * telegram_json.MESSAGE_VALUES + b"1]]}"
    assert "values" in refusal(wide)
    monkeypatch.setattr(telegram_json, "MESSAGE_BYTES", 100_000)
    assert "larger than 100000 bytes" in refusal({"messages": ["x" * 300_000]})
    assert "larger than 100000 bytes" in refusal({"about": "x" * 300_000, "messages": []})
    many = {"contacts": {"list": [{"n": "x" * 50}] * 5_000}, "messages": [{"text": "y" * 1_000}] * 500}
    assert len(units(many)) == 500


def test_endless_chats_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_json, "MOST_CHATS", 2)
    assert refusal({"chats": {"list": [{"name": "x"}] * 3}}) == "more than 2 chats"


def test_endless_nesting_is_refused_without_taking_memory() -> None:
    tracemalloc.start()
    assert "levels" in refusal(b'{"id": 7, "type": "personal_chat", "name": null, "messages": [' + b'{"a":' * 50_000)
    assert "levels" in refusal(b'{"other": ' + b"[" * 300_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
