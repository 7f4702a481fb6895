"""Logs: patterns that cannot run away, days of their own lines, notices, messages of several lines."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from conversations.imports.tables.patterns import LogPattern
from tests.unit.tabling import example, mapped, problems, read

TALK = """\
--- Day changed Wed Sep 04 2019
23:59 < anna> my order has not come

  it was the blue one
23:59 -!- boris has joined #shop
--- Day changed Thu Sep 05 2019
00:01 <@boris> looking
"""


def test_a_log_with_days_of_their_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(TALK, "utf-8")
    survey, rows = read(path, example("irssi.yaml"))
    # 23:59 in Moscow is 20:59 in UTC; a line that only names a day has no time and is no message
    assert [(row.event_at, row.payload["side"], row.payload.get("text")) for row in rows] == [
        (None, "system", None),
        (datetime(2019, 9, 4, 20, 59, tzinfo=UTC), "customer", "my order has not come\n\n  it was the blue one"),
        (datetime(2019, 9, 4, 20, 59, tzinfo=UTC), "system", "boris has joined #shop"),
        (None, "system", None),
        (datetime(2019, 9, 4, 21, 1, tzinfo=UTC), "manager", "looking"),
    ]
    assert problems(rows) == ["undated_notice", None, None, "undated_notice", None]
    assert "\n".join(row.payload["original"] for row in rows) + "\n" == TALK
    assert [row.payload["position"] for row in rows] == [1, 2, 5, 6, 7]
    assert {author.name for author in next(iter(survey.chats.values())).authors.values()} == {"anna", "boris"}


def test_a_line_that_fits_nothing_is_kept_where_messages_have_one_line(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(
        "stripe 2019-09-04 [22:44:46] <nick> hi\nnoise\n\nstripe 2019-99-04 [22:44:46] <nick> hi\n", "utf-8"
    )
    _, rows = read(path, example("irc.yaml"))
    assert problems(rows) == [None, "no_match", "bad_time"]
    assert rows[1].payload["original"] == "noise"


def test_no_pattern_keeps_the_reader_busy() -> None:
    began = time.process_time()
    assert LogPattern("(a+)+$|(?P<x>(a|aa)+)b").groups_of("a" * 500_000 + "!") is None
    assert LogPattern(r"(?P<t>(.*,)*)\d").groups_of("ы," * 200_000 + "x") is None
    assert time.process_time() - began < 5


def test_groups_are_text_whatever_the_script() -> None:
    assert LogPattern(r"<(?P<nick>[^>]+)> (?P<text>.*)").groups_of("<Әсел 🙂> сәлем") == {
        "nick": "Әсел 🙂",
        "text": "сәлем",
    }


def test_continued_lines_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("09:00 < anna> x\n" + ("y" * 1000 + "\n") * 1500, "utf-8")
    mapping = mapped("""
        log: {message: '(?P<clock>\\d\\d:\\d\\d) < (?P<nick>[^>]+)> (?P<text>.*)', continues: true}
        columns: {author: nick, text: text}
        constants: {conversation: shop}
        untimed: true
        staff: [boris]
    """)
    _, rows = read(path, mapping)
    assert len(rows[0].payload["text"]) <= 1_000_002
    assert set(problems(rows)[1:]) == {"no_match"}
    assert sum(row.payload["original"].count("y") for row in rows) == 1_500_000
