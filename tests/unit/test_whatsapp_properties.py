"""What holds for any file: nothing is lost, nothing comes twice, a later export keeps its ids, and both ways through
the lines (the short one and the full one) see the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, NotThisFormat, Settled, Undecided, settle
from conversations.imports.whatsapp import WhatsAppReader, meaning, reader, title_of
from conversations.imports.whatsapp.prefix import quick_for, stamp_of
from conversations.imports.whatsapp.reader import Ordinals
from conversations.source import RawRow
from tests.unit.whatsapp_exports import PHONES, Said, talk

MARKED = st.sampled_from(["", "\u200e", "\u200f", "\ufeff", "\u202a", " ", "\u202f", "\x00", "\r"])
STAMPS = st.builds(
    "{}{}{:02}{}{:02}{}{}{}{}{:02}:{:02}{}{}".format,
    MARKED, st.sampled_from(["[", ""]), st.integers(0, 40), st.sampled_from("./- "), st.integers(0, 32),
    st.sampled_from("./-"), st.sampled_from(["22", "2022", "2565", "1401", "0"]), st.sampled_from([", ", " ", "، "]),
    MARKED, st.integers(0, 30), st.integers(0, 70), st.sampled_from(["", ":07", " PM", " م", " бум", ":07 AM"]),
    st.sampled_from(["] ", " - ", ": ", "]", " -"]),
)  # fmt: skip
PIECES = st.sampled_from(
    ["Анна: ", "B: ", ": ", "\u200eimage omitted", "<Media omitted>", "null", "a.jpg (file attached)", "x" * 50, '"',
     "\u200e<attached: 1.jpg>", " <This message was edited>", "Missed voice call", "https://maps.google.com/?q=1"]
)  # fmt: skip
BODIES = st.lists(st.one_of(PIECES, st.text(max_size=10)), max_size=4).map("".join)


@st.composite
def files(draw: st.DrawFn) -> list[str]:
    """Lines of one shape with odd ones between them."""
    bracket, sep, joint = draw(st.booleans()), draw(st.sampled_from("./-")), draw(st.sampled_from([", ", " ", "، "]))
    tail = draw(st.sampled_from(["", ":{s:02}", " PM", "\u202fAM", ":{s:02} م"]))
    end = "] " if bracket else draw(st.sampled_from([" - ", " – "]))
    shape = ("[" if bracket else "") + f"{{d:02}}{sep}{{m:02}}{sep}{{y}}{joint}{{H}}:{{M:02}}{tail}{end}"
    stamps = st.builds(
        shape.format, d=st.integers(1, 29), m=st.integers(1, 12), y=st.just(draw(st.sampled_from([22, 2022, 2565]))),
        H=st.integers(0, 24), M=st.integers(0, 60), s=st.integers(0, 60),
    )  # fmt: skip
    line = st.builds("".join, st.tuples(MARKED, stamps, st.sampled_from(["Анна: ", "B: ", "", "C: "]), BODIES))
    odd = st.one_of(st.text(max_size=40), st.builds("".join, st.tuples(STAMPS, BODIES)))
    return draw(st.lists(st.one_of(line, line, odd), max_size=25))


def read(lines: list[str], choices: Choices) -> list[RawRow]:
    survey = WhatsAppReader().survey(lines, choices)
    (chat,) = survey.chats.values()
    try:
        chats = settle(survey, choices)
    except Undecided:
        chats = {chat.key: Settled(chat, dict.fromkeys(chat.authors, "customer"), choices.time_zone, survey.facts)}
    return list(WhatsAppReader().rows(lines, chats, choices))


@given(files(), st.sampled_from([None, "dmy", "mdy"]), st.sampled_from(["UTC", "Asia/Almaty", "America/St_Johns"]))
@settings(max_examples=250, deadline=None)
def test_any_lines_are_refused_or_kept_whole(lines: list[str], order: str | None, zone: str) -> None:
    choices = Choices(time_zone=zone, date_order=order, chat="Анна")  # type: ignore[arg-type]
    try:
        rows = read(lines, choices)
    except (NotThisFormat, Undecided):
        return
    assert "\n".join(row.payload["original"] for row in rows) == "\n".join(lines)
    positions = [row.payload["position"] for row in rows]
    assert positions == sorted(set(positions))
    assert len({row.external_id for row in rows}) == len(rows)
    for row in rows:
        assert ("problem" in row.payload) == (row.event_at is None)
        if "problem" not in row.payload:
            assert row.payload["at"] == row.event_at.isoformat()  # type: ignore[union-attr]
            assert row.payload["side"] in ("customer", "manager", "system")
            meaning(row.payload)


@given(st.text(max_size=60))
def test_any_file_name_has_a_title_or_none(name: str) -> None:
    assert title_of(name) != ""


@given(STAMPS, st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_the_short_pattern_finds_what_the_full_one_finds(start: str, rest: str) -> None:
    line = start + rest
    stamp = stamp_of(line)
    assume(stamp is not None)
    assert stamp is not None
    short = quick_for(stamp, line)
    found = short.pattern.match(line) if short is not None else None
    if short is not None and found is not None:
        _, word, hour, minute, second = found.group(*short.groups)
        assert (word, hour, minute, second) == (stamp.word, stamp.hour, stamp.minute, stamp.second)
        assert found.end() == stamp.end


def talked(count: int, seed: int) -> list[str]:
    choose, at, lines = random.Random(seed), datetime(2022, 3, 13, 9, 0), []
    for number in range(count):
        at += timedelta(seconds=choose.choice((0, 0, 1, 70, 4000, 90_000)))
        lines.append(f"{at:%d.%m.%Y, %H:%M} - {choose.choice(('Анна', 'Shop'))}: {number}")
        lines += ["and more"] * choose.choice((0, 0, 0, 2))
    return lines


@given(st.integers(2, 60), st.integers(1, 60), st.integers(0, 1_000))
@settings(max_examples=60, deadline=None)
def test_a_later_export_of_a_chat_keeps_the_ids_of_its_messages(before: int, more: int, seed: int) -> None:
    choices = Choices(chat="Анна")
    lines = talked(before + more, seed)
    first = read(lines[: next(at for at, line in enumerate(lines) if line.endswith(f": {before}"))], choices)
    later = read(lines, choices)
    assert [(row.external_id, row.payload) for row in first] == [
        (row.external_id, row.payload) for row in later[: len(first)]
    ]


@given(st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_message_keys_sort_as_the_file_within_one_stamp(seed: int) -> None:
    rows = read(talked(80, seed), Choices(chat="Анна"))
    assert [row.external_id for row in rows] == sorted(row.external_id for row in rows)


@given(st.lists(st.integers(0, 30), max_size=300), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_ordinals_never_repeat_however_little_they_remember(stamps: list[int], remembered: int) -> None:
    ordinals = Ordinals(remembered)
    keys = [ordinals.key(f"20220323T10{stamp:02}", line) for line, stamp in enumerate(stamps, 1)]
    assert len(set(keys)) == len(keys)
    for stamp in set(stamps):
        of_stamp = [key for key, one in zip(keys, stamps, strict=True) if one == stamp]
        assert of_stamp == sorted(of_stamp)


def test_ten_thousand_messages_of_one_minute_sort_and_differ() -> None:
    ordinals = Ordinals(8)
    keys = [ordinals.key("20220323T1000", line) for line in range(1, 12_001)]
    assert keys == sorted(keys) and len(set(keys)) == 12_000


def test_lines_before_the_first_stamp_and_endless_messages_are_rows_with_a_reason() -> None:
    long = "y" * 300_000
    lines = ["Exported by somebody", "", "23.03.2022, 13:31 - A: x", long, long, long, long, "24.03.2022, 13:31 - A: z"]
    rows = read(lines, Choices())
    assert [(row.payload["position"], row.payload.get("problem")) for row in rows] == [
        (1, "no_stamp"), (3, None), (7, "too_long"), (8, None)
    ]  # fmt: skip
    assert all(len(row.payload["original"]) <= reader.LONGEST_MESSAGE for row in rows)
    assert "\n".join(row.payload["original"] for row in rows) == "\n".join(lines)


def test_a_copied_piece_of_another_chat_stays_in_its_message() -> None:
    copied = ["[12:30, 05/12/2021] Аня: привет", "[12:31, 05/12/2021] Оля: да", "01/02/22, 10:00:00: Eva: x"]
    lines = ["23.03.2022, 13:31 - A: смотри", *copied, "24.03.2022, 13:31 - B: ок", "24.03.2022, 13:31 - B: ок"]
    choices = Choices(chat="A")
    rows = read(lines, choices)
    assert [row.payload["original"].count("\n") for row in rows] == [3, 0, 0]
    assert WhatsAppReader().survey(lines, choices).facts["other_stamps"] == 3


def test_a_file_without_stamps_is_given_up_early() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "just a line of some text"

    with pytest.raises(NotThisFormat):
        WhatsAppReader().survey(endless(), Choices())
    assert taken < 10_000


def test_every_name_being_another_one_is_no_export() -> None:
    lines = (f"23.03.2022, 13:31 - name {number}: x" for number in range(60_000))
    with pytest.raises(NotThisFormat, match="names"):
        WhatsAppReader().survey(lines, Choices())


def test_the_messengers_own_lines_are_rows_of_the_side_system_for_every_phone() -> None:
    for phone in PHONES:
        talks: list[Said] = talk("Анна", "Shop", phone.language)
        rows = read(list(phone.lines(talks)), Choices(chat="Анна", date_order=None))
        assert [row.payload["side"] for row in rows].count("system") == 1


def test_the_short_pattern_finds_lines_that_the_phone_marked() -> None:
    """Else each of them sends the reader the long way and empties what it remembers: half the speed of iOS exports."""
    line = "[23.03.2022, 13:31:07] Анна: да"
    stamp = stamp_of(line)
    assert stamp is not None
    short = quick_for(stamp, line)
    assert short is not None
    found = short.pattern.match(f"\u200e{line}")
    assert found is not None and found.end() == stamp.end + 1
