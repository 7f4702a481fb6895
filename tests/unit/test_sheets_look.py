"""Looks that cannot be shown are refused before anything is asked; what is asked reads the same everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clients.sheets import NamedRange, Sheet
from resources.sheets import Chart, ColourRule, Column, InvalidTab, Kind, Legend, Look, Tab
from resources.sheets.cells import check_size
from resources.sheets.colouring import _exact, _from_here
from resources.sheets.memory import KEY, Memory, remembered
from resources.sheets.packing import prepared
from resources.sheets.palette import CELLS, FAINT, HEADING, INK, spelled, style
from resources.sheets.place import Place

COLUMNS = [Column("Имя"), Column("Доля", Kind.PERCENT), Column("n", Kind.INTEGER)]


def tab(look: Look | None, rows: int = 1) -> Tab:
    return Tab("t", COLUMNS, [["Анна", 0.5, 3]] * rows, look)


def chart(**changes: Any) -> Chart:
    return Chart(**{"title": "x", "kind": "bar", "category": "Имя", "values": ["Доля"], **changes})


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (Look(caption=["x"] * 7), "7 lines above the heading"),
        (Look(frozen_columns=3), "3 of 3 columns"),
        (Look(notes={"Имена": "x"}), "no column Имена"),
        (Look(wrap=["Имена"]), "no column Имена"),
        (Look(right=["Имена"]), "no column Имена"),
        (Look(row_height=20), "rows of 20 pixels"),
        (Look(row_height=401), "rows of 401 pixels"),
        (Look(links={"Имена": []}), "no column Имена"),
        (Look(links={"n": []}), "n is linked and holds no texts"),
        (Look(legend=[Legend("green", "x")]), "no colour green"),  # type: ignore[arg-type]
        (Look(rules=[ColourRule("Имена", "is", "x", "good")]), "no column Имена"),
        (Look(rules=[ColourRule("Имя", "is", "x", "good", by="Имена")]), "no column Имена"),
        (Look(rules=[ColourRule(None, "is", "x", "good")]), "needs the column"),
        (Look(rules=[ColourRule("Имя", "is", "", "good")]), "needs a text"),
        (Look(rules=[ColourRule("Имя", "is", "=A1", "good")]), "needs a text"),
        (Look(rules=[ColourRule("Имя", "is", 5, "good")]), "needs a text"),
        (Look(rules=[ColourRule("n", "starts", "1", "good", by="Имя")]), "compares texts whole"),
        (Look(rules=[ColourRule("n", ">=", "5", "good")]), "needs a number"),
        (Look(rules=[ColourRule("n", "between", 5, "good")]), "needs two numbers"),
        (Look(rules=[ColourRule("n", ">=", (1, 2), "good")]), "needs a number"),
        (Look(rules=[ColourRule("n", "!=", 5, "good")]), "no condition !="),  # type: ignore[arg-type]
        (Look(rules=[ColourRule("n", "=", 5, "green")]), "no colour green"),  # type: ignore[arg-type]
        (Look(rules=[ColourRule("n", "=", n, "good") for n in range(101)]), "101 rules"),
        (Look(charts=[chart(), chart()]), "two charts of one key"),
        (Look(charts=[chart(category="Имена")]), "no column Имена"),
        (Look(charts=[chart(values=["Имя"])]), "Имя is no column of numbers"),
        (Look(charts=[chart(values=[])]), "no values"),
        (Look(charts=[chart(first=1, last=1)]), "not both"),
        (Look(charts=[chart(last=1, values=["Доля", "n"])]), "one column of values only"),
        (Look(charts=[chart(kind="pie")]), "no kind pie"),
    ],
)
def test_what_no_tab_can_show(look: Look, said: str) -> None:
    with pytest.raises(InvalidTab, match=f"t: .*{said}"):
        prepared(tab(look))


def test_the_look_is_content_and_no_look_is_what_it_always_was() -> None:
    plain = prepared(tab(None)).content_hash
    looks = [Look(), Look(protected=True), Look(notes={"n": "x"}), Look(rules=[ColourRule("n", ">", 1, "bad")])]
    hashes = {prepared(tab(look)).content_hash for look in looks}
    assert len(hashes) == 4 and plain not in hashes
    assert prepared(tab(Look(protected=True))).content_hash in hashes, "equal looks are equal"
    # known from before there were looks: an update of the product must not write every tab anew
    assert plain == "9dc5e6fd240196270559f7e287fcd725777f08753ba1dd4d2f0982baeec4715b"


def test_lines_above_count_as_cells() -> None:
    wide = [Column(str(n)) for n in range(500)]
    check_size([Tab("t", wide, [[]] * 9_997, Look(caption=["x"], legend=[Legend("good", "x")]))])
    with pytest.raises(InvalidTab, match="5,000,500 cells"):
        check_size([Tab("t", wide, [[]] * 9_998, Look(caption=["x"], legend=[Legend("good", "x")]))])


@given(st.decimals(-(10**9), 10**9, places=6))
def test_a_number_of_a_rule_has_no_decimal_mark_and_is_exact(number: Decimal) -> None:
    text = _exact(number)
    assert not set(text) & set(".,eE ")
    over, _, under = text.removeprefix("=").partition("/")
    assert Decimal(over) == number * Decimal(under or 1)
    assert text.startswith("=") == bool(under)


def test_a_formula_is_the_same_wherever_its_rule_has_moved() -> None:
    assert _from_here('=($C5<>"")*($C5>=17/20)', 4, 1) == '=([0;1]<>"")*([0;1]>=17/20)'
    assert _from_here('=($D7<>"")*($D7>=17/20)', 6, 2) == '=([0;1]<>"")*([0;1]>=17/20)'
    assert _from_here('=$C5="B2 хуже"', 4, 1) == '=[0;1]="B2 хуже"', "a text is no reference"
    assert _from_here("17", 4, 1) == "17"


@given(st.integers(0, 2**24 - 1))
def test_a_colour_comes_back_from_eight_bits(number: int) -> None:
    colour = f"#{number:06x}"
    told = {name: round(255 * part) / 255 for name, part in style(colour)["rgbColor"].items()}
    assert spelled({"backgroundColorStyle": {"rgbColor": told}}, "backgroundColor") == colour
    # a part that is zero is left out, and old answers have the old field alone
    assert spelled({"backgroundColor": {k: v for k, v in told.items() if v}}, "backgroundColor") == colour


def test_words_can_be_read_on_their_colours() -> None:
    """4.5 to 1, as WCAG counts contrast."""
    pairs = [(ink, behind or "#ffffff") for behind, ink in CELLS.values()]
    for ink, behind in [*pairs, (INK, HEADING), (FAINT, "#ffffff"), (INK, "#ffffff")]:
        light, dark = sorted((_luminance(ink), _luminance(behind)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, behind)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    lit = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * lit[0] + 0.7152 * lit[1] + 0.0722 * lit[2]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"above":"x"', '{"unknown":1}', "null"])
def test_an_unreadable_note_is_not_believed_and_replaced(text: str) -> None:
    note = {"metadataId": 7, "metadataKey": KEY, "metadataValue": text}
    sheet = Sheet(1, "t", 9, 9, False, metadata=(note,))
    assert Memory.of(sheet) == Memory()
    (request,) = remembered(sheet, 1, Memory(above=2))
    assert request["updateDeveloperMetadata"]["dataFilters"] == [{"developerMetadataLookup": {"metadataId": 7}}]


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 9), st.integers(1, 30), st.integers(0, 30))
def test_the_heading_never_moves_against_the_rows_beside_it(had: int, above: int, top: int, old: int, new: int) -> None:
    """Lines above come and go; whole rows inserted at the top of our range are the only thing that shifts people's."""
    note = {"metadataId": 7, "metadataKey": KEY, "metadataValue": f'{{"above":{had}}}'}
    sheet = Sheet(1, "t", top + had + 1 + old, 3, False, metadata=(note,))
    named = NamedRange("r", "otklik_t", 1, top, top + had + 1 + old, 0, 3)
    place = Place(prepared(tab(Look(caption=["x"] * above), new)), 1, named, sheet)
    assert place.heading == top + had + place.inserted
    assert place.top >= top and place.bottom == place.heading + 1 + new
    assert place.old_bottom == top + had + 1 + old + place.inserted
