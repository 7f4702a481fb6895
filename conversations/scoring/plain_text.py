"""What a model wrote becomes text and nothing but text: promise S8, "no link, image, HTML, formula survives".

Here: one function for every text of an answer that is stored and shown. Not here: escaping where it is shown.
"""

from __future__ import annotations

import html
import re
from typing import Final

from conversations.redact import mask

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff]+"
)
_MARKDOWN = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,200})?\)")
_TAG = re.compile(r"<[/!?A-Za-z][^<>]{0,2000}>")
_ANGLES = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "`": "'"})
_LINK = re.compile(
    r"(?xi) (?: [a-z][a-z0-9+.\-]{1,20} : [/\\]{1,3} \S*"
    r"| (?: javascript | data | vbscript | mailto | tel | tg ) \s* : \S+"
    r"| (?<![\w@]) www \. \S+"
    r"| (?<![\w@.]) (?: [\w\-]{1,63} \. ){1,5}"
    r" (?: ru|com|kz|net|org|info|biz|рф|io|me|co|by|ua|uz|su|online|site|store|shop|app|xyz|top|ly|gl|cc|dev|ai"
    r" |link|click|pro )"
    r" (?! [\w] ) (?: [/?\#:] \S* )? )"
)
_FORMULA = re.compile(r"^[\s\"'«»“”„‘’＂＇`]*[=+\-@|＝＋－＠﹢﹣−–—\t\r\n]+")
LINK: Final = "[ссылка]"


def plain_text(text: str, longest: int) -> str:
    """One line of plain text of at most so many characters.

    Links become a word, tags and Markdown go, angle brackets become quotes that no browser reads, signs that begin a
    formula in a sheet are taken off the beginning; contacts are masked, though a model has seen none.

    >>> plain_text('=HYPERLINK("http://evil.ru") <b>Хорошо</b>', 100)
    'HYPERLINK("[ссылка] Хорошо'
    """
    text = text[: longest * 8]
    for _ in range(3):  # an entity may hold another
        unescaped = html.unescape(text)
        if unescaped == text:
            break
        text = unescaped
    text = " ".join(_CONTROL.sub(" ", text).split())
    # what is taken out may bring together what was apart: until nothing changes
    for _ in range(5):
        before = text
        text = _MARKDOWN.sub(r"\1", text)
        text = _TAG.sub("", text)
        text = _LINK.sub(LINK, text)
        text = _FORMULA.sub("", text)
        if text == before:
            break
    text = mask(" ".join(text.translate(_ANGLES).split()))
    if len(text) > longest:
        text = f"{text[: longest - 1].rstrip()}…"
    return text
