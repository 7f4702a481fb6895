"""What a model wrote comes out as text: no link, image, HTML, formula or control character survives (promise S8)."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.scoring.plain_text import plain_text

BAD = re.compile(r"https?:|www\.|javascript:|data:|[<>`]|\]\(|\x00", re.I)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Спросил о цене (5 000 ₽), тот взял.", "Спросил о цене (5 000 ₽), тот взял."),
        ("См. https://evil.example/x?y=1 сейчас", "См. [ссылка] сейчас"),
        ("пишите на evil.ru/promo", "пишите на [ссылка]"),
        ("WWW.EVIL.COM", "[ссылка]"),
        ("![x](https://evil.example/a.png) готово", "x готово"),
        ("[нажмите](javascript:alert(1))", "[нажмите] ([ссылка]"),
        ("<img src=x onerror=alert(1)>Хорошо", "Хорошо"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<scr<script>ipt>alert(1)", "‹script›alert(1)"),
        ("&lt;b&gt;жирно&lt;/b&gt;", "жирно"),
        ("&amp;lt;b&amp;gt;жирно", "жирно"),
        ("a < b > c", "a ‹ b › c"),
        ("<img src=x", "‹img src=x"),
        ('=HYPERLINK("x")', 'HYPERLINK("x")'),
        ('"=1+1', "1+1"),
        ("  ＝cmd|' /C calc'!A0", "cmd|' /C calc'!A0"),
        ("- первый пункт", "первый пункт"),
        ("@channel", "channel"),
        ("\t\n=1", "1"),
        ("a\u202eb\x00c\x1bd", "a b c d"),
        ("Позвоните на 8 926 123-45-67 или anna@mail.ru", "Позвоните на [телефон] или [почта]"),
        ("и т.д., т.е. 12.50 и 1.ru", "и т.д., т.е. 12.50 и [ссылка]"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_comes_out(text: str, plain: str) -> None:
    assert plain_text(text, 200) == plain


def test_a_long_text_is_cut() -> None:
    assert plain_text("слово " * 100, 20) == "слово слово слово с…"
    assert len(plain_text("а" * 10_000, 500)) == 500


_PIECES = [
    "<", ">", "a", "script", "http://", "x.ru", "=", "+", "[", "](", ")", "&lt;", "&gt;", "&amp;", '"', " ", "\n",
    "\u200b", "www.", "!", "javascript:", "@", "-", "`", "\x00", "＜", "＝", "'", "8 926 123-45-67",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join) | st.text(max_size=40))
def test_nothing_that_acts_survives(text: str) -> None:
    plain = plain_text(text, 100)

    assert not BAD.search(plain)
    assert not plain.lstrip(" \"'").startswith(("=", "+", "-", "@", "＝"))
    assert len(plain) <= 100
    assert all(unicodedata.category(each) not in ("Cc", "Cs") for each in plain)
    assert plain_text(plain, 100) == plain
