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
    r"| (?: javascript | vbscript | data | https? | mailto | tel | tg ) \s* : \s* \S*"
    r"| www \. \S*"
    r"| (?<![\w@.]) (?: [\w\-]{1,63} \. ){1,5}"
    r" (?: ru|com|kz|net|org|info|biz|рф|io|me|co|by|ua|uz|su|online|site|store|shop|app|xyz|top|ly|gl|cc|dev|ai"
    r" |link|click|pro )"
    r" (?! [\w] ) (?: [/?\#:] \S* )? )"
)
_FORMULA = re.compile(r"^[\s\"'«»“”„‘’＂＇`]*[=+\-@|＝＋－＠﹢﹣−–—\t\r\n]+")
_OF_TAGS = re.compile("[<>＜＞`]")
_OF_LINKS = re.compile(r":|[wW]\.|\.[^\W\d_]")
"""Without one of these there is no link: a colon, a dot behind "www" or before a letter."""
LINK: Final = "[ссылка]"
_MOST_ROUNDS: Final = 20
_NO_WORD = re.compile(r"[\W_]+")


def plain_text(text: str, longest: int) -> str:
    """One line of plain text of at most so many characters.

    Links become a word, tags and Markdown go, angle brackets become quotes that no browser reads, signs that begin a
    formula in a sheet are taken off the beginning; contacts are masked, though a model has seen none.

    >>> plain_text('=HYPERLINK("http://evil.ru") <b>Хорошо</b>', 100)
    'HYPERLINK("[ссылка] Хорошо'
    """
    text = text[: longest * 8]
    # what is taken out may bring together what was apart, and so may a cut: until nothing changes
    for _ in range(_MOST_ROUNDS):
        plain = _cut(_plainer(text), longest)
        if plain == text:
            return plain
        text = plain
    return _cut(" ".join(_NO_WORD.sub(" ", text).split()), longest)


def _plainer(text: str) -> str:
    # each look for what cannot be there costs more than to see that it cannot
    text = html.unescape(text)
    text = " ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split())
    if "[" in text:
        text = _MARKDOWN.sub(r"\1", text)
    if _OF_TAGS.search(text):
        text = _TAG.sub("", text).translate(_ANGLES)
    text = text.replace("](", "] (")
    if _OF_LINKS.search(text):
        text = _LINK.sub(LINK, text)
    return mask(_FORMULA.sub("", text))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
