"""Telegram exports in HTML: pages made after the writer's layout, read into the same rows as JSON."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, NotThisFormat, settle
from conversations.imports.telegram import TelegramReader, meaning
from conversations.source import RawRow
from resources.imports.telegram_html import TelegramHtml, page_order
from tests.telegram_pages import HEAD, Said, day, generic, said, whole
from tests.unit.telegram_files import Held

NOON = datetime(2024, 1, 10, 12)
WRAP = '<div class="media_wrap clearfix"><a class="{} clearfix pull_left" href="files/1"><img class="x"/></a></div>'
PHOTO, STICKER = WRAP.format("photo_wrap"), WRAP.format("sticker_wrap")


def pages(*texts: str) -> TelegramHtml:
    names = ["messages.html", *[f"messages{n}.html" for n in range(2, 20)]]
    return TelegramHtml([(name, Held(text.encode())) for name, text in zip(names, texts, strict=False)])


def read(export: TelegramHtml, **choices: Any) -> list[RawRow]:
    declared, reader = Choices(**choices), TelegramReader()
    chats = settle(reader.survey(export.units(), declared), declared)
    return list(reader.rows(export.units(), chats, declared))


def talk(*blocks: str) -> list[RawRow]:
    asked = said(Said(900, NOON, "Анна", "?"))
    return read(pages(whole("Анна", [*blocks, asked])), time_zone="UTC")[:-1]


def one(**more: Any) -> dict[str, Any]:
    """Number, kind and text of a message of the customer."""
    (row,) = talk(said(Said(1, NOON, "Анна", **more)))
    found = meaning(row.payload)
    return {"kind": found.content_kind, "text": found.text, "message": row.payload["message"]}


def test_people_times_and_texts() -> None:
    rows = read(
        pages(
            whole(
                "Анна",
                [
                    day(-1, "10 January 2024"),
                    said(Said(5, NOON, "Анна", 'Сколько стоит <b> & "М"?\nСпасибо')),
                    said(Said(6, NOON + timedelta(seconds=20), None, "и доставка")),
                    said(Said(9, NOON + timedelta(minutes=7), "Менеджер", "45 900", reply_to=5)),
                ],
            )
        )
    )
    assert [row.payload["side"] for row in rows] == ["customer", "customer", "manager"]
    assert [row.external_id.partition(":")[2] for row in rows] == ["000000000005", "000000000006", "000000000009"]
    assert [row.event_at for row in rows] == [
        datetime(2024, 1, 10, 9, 0, tzinfo=UTC),
        datetime(2024, 1, 10, 9, 0, 20, tzinfo=UTC),
        datetime(2024, 1, 10, 9, 7, tzinfo=UTC),
    ]
    assert [meaning(row.payload).text for row in rows] == ['Сколько стоит <b> & "М"?\nСпасибо', "и доставка", "45 900"]
    assert rows[2].payload["message"]["reply_to_message_id"] == 5
    assert not any("problem" in row.payload for row in rows)


def test_old_pages_without_a_zone_use_the_declared_one() -> None:
    page = whole("Анна", [said(Said(1, NOON, "Анна", "a", zone=""))])
    (row,) = read(pages(page), time_zone="Asia/Almaty")
    assert row.event_at == datetime(2024, 1, 10, 6, 0, tzinfo=UTC)


def test_a_date_that_is_none_is_quarantined() -> None:
    page = whole("Анна", [said(Said(1, NOON, "Анна", "a", zone=" UTC+03:00 x")), said(Said(2, NOON, "Анна", "b"))])
    assert [row.payload.get("problem") for row in read(pages(page))] == ["bad_time", None]


def test_forwards_keep_their_sender() -> None:
    (row,) = talk(said(Said(1, NOON, "Анна", "скидки", forwarded_from="Канал & Ко")))
    shown = row.payload["message"]
    assert (shown["from"], shown["forwarded_from"], shown["text"]) == ("Анна", "Канал & Ко", "скидки")
    assert row.event_at == datetime(2024, 1, 10, 9, tzinfo=UTC)


def test_inline_bots_are_no_part_of_a_name() -> None:
    (row,) = talk(said(Said(1, NOON, "Менеджер via @gif", "a")))
    assert (row.payload["message"]["from"], row.payload["message"]["via_bot"]) == ("Менеджер", "@gif")
    assert row.payload["side"] == "bot"


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        (PHOTO, "media"),
        (generic("media_photo", "Photo", "640x480", "Not included, change data exporting settings"), "media"),
        (generic("media_photo", "Sticker", "👍, 12 KB"), "sticker"),
        (STICKER, "sticker"),
        (generic("media_voice_message", "Voice message", "00:07", link="voice/1.ogg"), "media"),
        (generic("media_video", "Video message", "00:07"), "media"),
        (generic("media_file", "прайс.pdf", "1.2 MB"), "media"),
        (generic("media_contact", "Анна", "+7 701 000 00 00"), "media"),
        (generic("media_location", "Location", "1, 2", link="https://maps.example.org/?q=1"), "media"),
        (generic("media_live_location", "Live location"), "media"),
        (generic("media_venue", "Склад", description="улица"), "media"),
        (generic("media_game", "x"), "media"),
        (generic("media_something_new", "x"), "media"),
        (generic("media_invoice", "Заказ", "100 ₸"), "payment_link"),
    ],
)  # fmt: skip
def test_kinds_of_media(media: str, kind: str) -> None:
    found = one(text="подпись", media=media)
    assert (found["kind"], found["text"]) == (kind, "подпись")
    assert one(media=media)["text"] is None


@pytest.mark.parametrize(
    ("classes", "status", "answered", "seconds"),
    [
        ("media_call success", "Incoming (75 seconds)", True, 75),
        ("media_call", "Missed", False, 0),
        ("media_call", "Cancelled", False, 0),
        ("media_call", "Declined", False, 0),
        ("media_call", "Outgoing", False, 0),
    ],
)
def test_calls(classes: str, status: str, answered: bool, seconds: int) -> None:
    (row,) = talk(said(Said(1, NOON, "Анна", media=generic(classes, "Анна", status))))
    found = meaning(row.payload)
    assert (found.content_kind, found.call_answered, found.talk_seconds) == ("call", answered, seconds)
    assert row.payload["side"] == "customer"


def test_notices_get_the_time_around_them_and_say_so() -> None:
    rows = talk(
        day(-1, "10 January 2024"),
        day(3, "Анна joined Telegram"),
        said(Said(4, NOON, "Анна", "a")),
        day(5, "Анна pinned this message"),
        day(-2, "11 January 2024"),
        day(6, "Анна took a screenshot"),
    )
    assert [row.payload["side"] for row in rows] == ["system", "customer", "system", "system"]
    assert [row.event_at for row in rows] == [
        datetime(2024, 1, 9, 21, tzinfo=UTC),
        datetime(2024, 1, 10, 9, tzinfo=UTC),
        datetime(2024, 1, 10, 9, tzinfo=UTC),
        datetime(2024, 1, 10, 21, tzinfo=UTC),
    ]
    assert [row.payload["message"].get("dated_by") for row in rows] == ["day", None, "message_before", "day"]


def test_many_notices_before_the_first_date_stay_in_order() -> None:
    first = [day(-1, "10 January 2024"), *(day(n, f"Анна pinned {n}") for n in range(1, 40))]
    rows = talk(*first, said(Said(50, NOON, "Анна", "a")))
    assert [row.payload["message"]["id"] for row in rows] == [*range(1, 40), 50]


def test_a_page_of_notices_alone_is_dated_in_the_declared_zone() -> None:
    page = whole("Анна", [day(-1, "10 January 2024"), day(3, "Анна joined Telegram"), day(4, "Анна took a screenshot")])
    rows = read(pages(page), time_zone="Asia/Almaty")
    assert [row.event_at for row in rows] == [datetime(2024, 1, 9, 18, tzinfo=UTC)] * 2
    assert [row.payload["position"] for row in rows] == [1, 2]


def test_what_telegram_could_not_export_is_quarantined_and_what_came_before_a_group_grew_is_not() -> None:
    text = "This message is not supported by this version of Telegram Desktop. Please update the application."
    rows = talk(day(5, text), day(-999_999_990, "Анна invited Б"))
    assert [row.payload.get("problem") for row in rows] == ["unsupported", "no_time"]


def test_an_empty_chat_has_no_rows() -> None:
    assert read(pages(whole("Анна", [day(-1, "No exported messages")]))) == []


def test_pages_are_read_in_the_order_of_their_numbers() -> None:
    names = ["messages10.html", "messages2.html", "messages.html", "result.json"]
    assert sorted(names[:3], key=page_order) == ["messages.html", "messages2.html", "messages10.html"]
    assert page_order("result.json") is None
    texts = [whole("Анна", [said(Said(n, NOON + timedelta(days=n), "Анна", "a"))], has_next=n < 3) for n in (1, 2, 3)]
    found = read(TelegramHtml(zip(reversed(["messages.html", "messages2.html", "messages10.html"]),
                                  [Held(text.encode()) for text in reversed(texts)], strict=True)))  # fmt: skip
    assert [row.payload["message"]["id"] for row in found] == [1, 2, 3]
    assert all(row.payload["original"].endswith("</div>") for row in found)


def test_a_whole_account_says_what_kind_its_chats_are() -> None:
    kinds = {"chat_001": "private", "chat_002": "channel", "chat_003": "private", "chat_004": "group"}
    titles = {"chat_001": "Анна", "chat_002": "Новости", "chat_003": "Saved messages", "chat_004": "Анна"}
    entries = "".join(
        f'<a class="entry block_link clearfix" href="../chats/{name}/messages.html#allow_back"><div class="body">'
        f'<div class="pull_right info details">\n{kind}\n</div>'
        f'<div class="name bold">\n{titles[name]}\n</div></div></a>'
        for name, kind in kinds.items()
    )
    texts = {name: whole(title, [said(Said(1, NOON, title, "a"))]) for name, title in titles.items()}
    files = [(f"Export/chats/{name}/messages.html", Held(text.encode())) for name, text in texts.items()]
    rows = read(TelegramHtml([*files, ("Export/lists/chats.html", Held(entries.encode()))]), staff=frozenset({"М"}))
    assert [row.payload.get("problem") for row in rows] == [None, "not_a_conversation", "not_a_conversation", None]
    assert len({row.external_id for row in rows}) == 4


GOOD = whole("Анна", [said(Said(n, NOON, "Анна", f"текст {n}")) for n in range(1, 4)])


def test_a_page_that_breaks_off_anywhere_is_refused() -> None:
    whole_page = GOOD.encode()
    end = whole_page.rindex(b"</html>") + len(b"</html>")
    for cut in range(0, end, 7):
        with pytest.raises(
            NotThisFormat, match=r"^page 1 (breaks off at|is not UTF-8 near) byte \d+$|^page 1 is no page"
        ):
            list(pages(whole_page[:cut].decode("utf-8", "ignore")).units())


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("<html><body>Привет</body></html>", "no page of a chat"),
        (HEAD.format(title="x") + "x" * 600_000 + "</html>", "too long"),
        (whole("x", [said(Said(1, NOON, "x", "y" * 600_000))]), "too long"),
    ],
)
def test_other_pages_are_refused(text: str, said_of_it: str) -> None:
    with pytest.raises(NotThisFormat, match=said_of_it):
        list(pages(text).units())
    with pytest.raises(NotThisFormat, match="not UTF-8"):
        list(TelegramHtml([("messages.html", Held(b"<html>\xff</html>"))]).units())


def test_a_page_of_more_messages_than_pages_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.imports.telegram_html.PAGE_MESSAGES", 2)
    with pytest.raises(NotThisFormat, match="page 1 has more than 2 messages"):
        list(pages(GOOD).units())


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
SAYINGS = st.lists(st.tuples(st.sampled_from(["Анна", "Мы", None]), TEXTS, st.booleans()), min_size=1, max_size=8)


@given(SAYINGS, st.integers(1, 200))
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_comes_out_as_it_was_written(sayings: list, size: int) -> None:
    blocks, expected, sender = [], [], "Анна"
    for number, (author, text, has_photo) in enumerate(sayings, 1):
        name = author or (None if number > 1 else "Анна")
        sender = name or sender
        blocks.append(said(Said(number, NOON, name, text, media=PHOTO if has_photo else "")))
        expected.append((sender, text.strip() or None, "media" if has_photo or not text.strip() else "text"))
    export = TelegramHtml([("messages.html", Held(whole("Анна", blocks).encode(), size))])
    rows = read(export, staff=frozenset({"Мы"}))
    found = [meaning(row.payload) for row in rows]
    assert [row.payload["position"] for row in rows] == list(range(1, len(sayings) + 1))
    assert [
        (row.payload["message"]["from"], it.text, it.content_kind) for row, it in zip(rows, found, strict=True)
    ] == (expected)
    for row, block in zip(rows, blocks, strict=True):
        assert row.payload["original"] == block.strip()


TAGS = ['<div class="message ', 'default"', ' id="message', 'href="', "</div>", "<div>", "<a ", "<br>", "</html>"]
PIECES = st.sampled_from([*TAGS, "<!--", "7", '"', ">", "<", "&lt", "&#0;", "&amp;", "Анна", "\n", "=", "<![CDATA["])


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
def test_arbitrary_markup_is_read_or_refused_and_nothing_is_lost(markup: str) -> None:
    content = HEAD.format(title="Анна") + markup + "</html>"
    try:
        found = list(pages(content).units())
    except NotThisFormat:
        return
    starts = len(re.findall(r'<div\s[^<>]*?\bclass="message\s', content))
    assert len(found) == starts
    assert all(item["html"] in content for _, item in found)


def test_what_stands_behind_a_message_and_is_no_layout_stays_with_it() -> None:
    block = said(Said(1, NOON, "Анна", "a"))
    (kept,) = read(pages(whole("Анна", [block, "\nчужое"])))
    assert kept.payload["original"].rstrip().endswith("</html>")
    assert "чужое" in kept.payload["original"]


def test_escapes_of_names_do_not_matter() -> None:
    page = whole("А & Б", [said(Said(1, NOON, "А & Б", html.escape("a")))])
    assert [row.payload["side"] for row in read(pages(page))] == ["customer"]
