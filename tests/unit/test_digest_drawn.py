"""The picture, the page and the PDF of the digest show its figures, escape what they show and come out the same."""

from __future__ import annotations

import io
import logging
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from conversations.digest import Condition, Digest, digest_of
from conversations.digest_report import report_of
from resources import report as drawn
from resources.picture import HEIGHT, MOST_BARS, WIDTH, picture
from tests.emulators.telegram_forms import read_picture
from tests.unit.digesting import ANNA, BORIS, LINK, change, facts, figures

GREEN, YELLOW, RED = (46, 158, 91), (242, 182, 50), (214, 69, 69)


def whole(**more: Any) -> Digest:
    return digest_of(facts(changes=[change()], **more))


def bars(png: bytes) -> list[tuple[float, ...]]:
    """Shares of green, yellow and red of each bar, measured in the picture."""
    from matplotlib.image import imread

    pixels = (imread(io.BytesIO(png), format="png")[..., :3] * 255).round().astype(int)
    # below the legend and right of the names
    area = pixels[int(HEIGHT * 0.36) :, int(WIDTH * 0.3) :]
    counted = [tuple(int((row == colour).all(axis=1).sum()) for colour in (GREEN, YELLOW, RED)) for row in area]
    found, before = [], 0
    for row in counted:
        full = sum(row)
        # the upper edge of a bar, before its numbers begin
        if full > 500 and before <= 500:
            found.append(tuple(count / full for count in row))
        before = full
    return found


def test_a_bar_is_as_long_as_its_share() -> None:
    png = picture(whole())
    assert read_picture(png) == ("image/png", WIDTH, HEIGHT)
    assert len(png) < 500_000
    wanted = [[row.in_target, row.slow, row.unanswered] for row in (ANNA, BORIS)]
    shares = [[count / sum(counts) for count in counts] for counts in wanted]
    assert bars(png) == [pytest.approx(tuple(one), abs=0.01) for one in shares]


def test_many_managers_are_put_together_and_nobody_is_lost() -> None:
    many = [figures(f"М{place} Б", 30 + place, 0, 10) for place in range(12)]
    found = bars(picture(whole(managers=many)))
    assert len(found) == MOST_BARS
    # whoever has most questions stands first; the rest together at the end
    rest = sorted(many, key=lambda row: -row.settled)[MOST_BARS - 1 :]
    hits, n = sum(row.in_target for row in rest), sum(row.settled for row in rest)
    assert found[-1] == pytest.approx((hits / n, 0, 1 - hits / n), abs=0.01)


def test_small_numbers_are_pale() -> None:
    few = figures("Мало Вопросов", 10, 5, 4)
    assert bars(picture(whole(managers=[few]))) == []
    assert len(bars(picture(whole(managers=[figures("Уже Хватает", 11, 5, 4)])))) == 1


@pytest.mark.parametrize("managers", [[], [figures("Никто", 0, 0, 0)]])
def test_nobody_and_nothing_can_be_drawn(managers: list[Any]) -> None:
    digest = whole(managers=managers, trend=[])
    assert read_picture(picture(digest))[1:] == (WIDTH, HEIGHT)
    assert drawn.pdf(report_of(digest)).startswith(b"%PDF-")


@pytest.mark.parametrize("name", ["Анна $$", "A $x^$", "$\\frac$ и $", "Ц$на", "$Анна$"])
def test_a_name_is_no_formula(name: str) -> None:
    digest = whole(managers=[figures(name, 10, 5, 15)], organisation=name)
    assert len(bars(picture(digest))) == 1
    # a dollar is drawn: between two of them a formula would be
    plain = whole(managers=[figures(name.replace("$", ""), 10, 5, 15)], organisation=name)
    assert picture(digest) != picture(plain)


def test_the_same_digest_is_the_same_bytes() -> None:
    first, again = ((picture(one), drawn.pdf(report_of(one))) for one in (whole(), whole()))
    assert first == again


class Page(HTMLParser):
    """Texts by the tag that they stand in, and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, *one) for one in attrs]
        if tag not in ("meta", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for one, text in self.texts if one == tag]


def test_the_page_holds_every_figure_and_nothing_from_elsewhere() -> None:
    page = Page(drawn.page(report_of(whole()), picture(whole())))
    assert page.of("h1") == ["Отчёт за неделю 2026-W46 (09.11–15.11)"]
    assert page.of("b") == ["64,0 %", "12,0 %", "5"]
    assert "Анна Петрова: в норме ▼ 66,7 % из 75 (было 84,0 % из 50)" in page.of("li")
    cells = page.of("td")
    anna = cells.index("Анна Петрова")
    assert cells[anna : anna + 7] == ["Анна Петрова", "sales", "75", "66,7", "26,7", "6,7", "▼ хуже на 17,3 п.п."]
    total = cells.index("Всего")
    assert cells[total : total + 5] == ["Всего", "125", "64,0", "24,0", "12,0"]
    assert "«В норме» — ответили за 10 мин на первый вопрос разговора и за 30 мин на следующие, рабочее время." in (
        page.of("li")
    )
    addresses = [value for _, name, value in page.attributes if name in ("href", "src")]
    assert addresses[0] == LINK and all(str(one).startswith("data:image/png;base64,") for one in addresses[1:])
    assert not page.of("script")


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a&b"])
def test_names_are_text(evil: str) -> None:
    digest = digest_of(
        facts(
            organisation=evil,
            managers=[figures(evil, 50, 25, 50)],
            changes=[change(name=evil)],
            conditions=[Condition(evil, "failed", "clock_skew", True, 125)],
        )
    )
    text = drawn.page(report_of(digest))
    page = Page(text)
    assert {tag for tag, *_ in page.attributes} <= {"html", "meta", "p", "a", "div", "span", "tr", "td", "li", "ul"}
    assert "<script" not in text and "<img" not in text and "49" not in page.of("td")
    assert any(shown.startswith(evil[:30]) for shown in page.of("td"))


def test_the_pdf_has_letters_for_every_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = drawn.pdf(report_of(whole(managers=[figures("Әсел Жұлдызова ₸ №", 50, 25, 50)])))
    assert not [record for record in caplog.records if "glyph" in record.getMessage().lower()]
    assert len(re.findall(rb"/Type /Page\b", made)) <= 2
    assert len(made) < 300_000
