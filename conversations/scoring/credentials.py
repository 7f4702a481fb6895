"""Credentials in a spreadsheet or a file of requirements: found before anything of it is stored.

Here: what counts as a credential, and where one stands. Not here: what follows (the tab is refused as a whole and the
last good version stays, ``resources.requirements``).

The spreadsheet that people keep their checklist in is where they have kept keys of models as well. In doubt a cell is
refused: what is stored goes into prompts, and from there to a vendor. Found are formats that vendors use, tokens that
nobody types by hand, and what stands beside or below a word like "пароль". What was found is never told, only where
and of which kind.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from conversations.headed import Fault, cell_name

KINDS: Final = ("private_key", "jwt", "api_key", "url_with_password", "named_secret", "long_token")
"""Codes of what was found (words for people: ``conversations.messages.requirements``)."""
_LEAST_TOKEN = 32
"""Characters of one token, without a blank, that looks random."""
_LEAST_ENTROPY = 3.0
"""Bits a character; a hexadecimal key has up to 4, a line of one sign 0."""
_MIXED_ENTROPY = 4.0
"""The same of a token without digits: words that were written as one have less, and seldom great letters inside."""
_FORMATS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("private_key", re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY|\"private_key(?:_id)?\"\s*:|\bPuTTY-User-Key-File")),
    ("jwt", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", re.ASCII)),
    (
        "api_key",
        re.compile(
            r"""(?x) (?<![A-Za-z0-9]) (?:
                sk-[\w-]{16,} | (?:sk|pk|rk)_(?:live|test)_\w{10,} | AIza[\w-]{30,} | ya29\.[\w.-]{20,}
              | (?:ghp|gho|ghu|ghs|ghr)_\w{30,} | github_pat_\w{30,} | glpat-[\w-]{18,} | hf_\w{20,} | gsk_\w{20,}
              | xox[abeprs]-[\w-]{10,} | (?:AKIA|ASIA)[A-Z0-9]{16} | SG\.[\w-]{16,}\.[\w-]{16,}
              | \d{8,10}:AA[\w-]{30,} | y[0-3]_[\w-]{30,} | AQVN[\w-]{30,} | t\.[\w-]{60,} )""",
            re.ASCII,
        ),
    ),
    ("api_key", re.compile(r"(?i)\b(?:bearer|basic)\s+(?=[\w+/=.~-]*\d)[a-z0-9+/=._~-]{12,}", re.ASCII)),
    ("url_with_password", re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@")),
    (
        "url_with_password",
        re.compile(r"(?i)[?&](?:api_?-?key|access_?token|token|secret|password|pwd|key|sig|auth)=[^\s&#]{6,}"),
    ),
)
_NAME = (
    r"(?:паро(?:ль|ля|лем|ли)|токен\w*|секретн\w+\s+ключ\w*|секрет|ключ\w*\s+(?:api|апи|доступа)|(?:api|апи)[\s_-]*ключ\w*"
    r"|[a-z0-9_]*(?:pass(?:word|wd|phrase)|pwd|token|secret|api[\s_-]?key|apikey|access[\s_-]?key|private[\s_-]?key)"
    r"[a-z0-9_]*)"
)
_NAMED = re.compile(
    rf"(?im)(?<!\w){_NAME}(?:\s[\w-]{{1,30}}){{0,3}}\s{{0,3}}"
    r"([:=]|\s[-–—]\s)\s{0,3}[\"'«]?([!-~]{4,})(\s*$)?"
)
_LABEL = re.compile(rf"(?i)\W*(?:\w+\s+){{0,3}}{_NAME}(?:\s+\w+){{0,3}}\W*")
_LONGEST_LABEL = 60
_VALUE = re.compile(r"[!-~]{6,}")
"""One token of ASCII: words of a Russian checklist are none."""
_TOKEN = re.compile(rf"[A-Za-z0-9_+/=.~-]{{{_LEAST_TOKEN},}}")
_LINK = re.compile(r"(?i)\bhttps?://[^\s?#]*")
"""Where a page is: the id of a document is no key to it."""


def credentials_in(rows: Sequence[Sequence[Any]]) -> list[Fault]:
    """Each cell of a tab that holds a credential, with its kind.

    >>> [str(one) for one in credentials_in([["Ключ API", "abcd-1234-efgh"], ["Вес", 10]])]
    ['B1: named_secret']
    """
    found: dict[tuple[int, int], str] = {}
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if not isinstance(value, str):
                continue
            kind = kind_of(value)
            if kind is not None:
                found[row, column] = kind
            if len(value) <= _LONGEST_LABEL and _LABEL.fullmatch(value.strip()):
                for place in ((row, column + 1), (row + 1, column)):
                    if _is_value(_at(rows, *place)):
                        found.setdefault(place, "named_secret")
    return [Fault(cell_name(row + 1, column), kind) for (row, column), kind in sorted(found.items())]


def credentials_in_text(text: str) -> list[Fault]:
    """Each line of a file that holds one: ``line 7``."""
    lines = ((f"line {number}", kind_of(line)) for number, line in enumerate(text.split("\n"), 1))
    return [Fault(place, kind) for place, kind in lines if kind is not None]


def kind_of(text: str) -> str | None:
    """What kind of credential stands in a text, the first that is found; ``None``: none.

    >>> kind_of("токен: 12345-abcde"), kind_of("Не просите у клиента пароль: это запрещено")
    ('named_secret', None)
    """
    for kind, pattern in _FORMATS:
        if pattern.search(text):
            return kind
    if any(named[1] == "=" or named[3] is not None or _is_no_word(named[2]) for named in _NAMED.finditer(text)):
        return "named_secret"
    return "long_token" if any(map(_is_random, _tokens(text))) else None


def _tokens(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(_LINK.sub(" ", text)):
        yield found[0].strip("=.~-/_")


def _is_random(token: str) -> bool:
    """Whether nobody would type it: letters and digits, and no sign much more often than others."""
    if len(token) < _LEAST_TOKEN or not re.search(r"[A-Za-z]", token):
        return False
    entropy = -sum(n / len(token) * math.log2(n / len(token)) for n in Counter(token).values())
    if re.search(r"\d", token):
        return entropy >= _LEAST_ENTROPY
    return entropy >= _MIXED_ENTROPY and len(re.findall(r"[a-z][A-Z]", token)) >= 3


def _is_no_word(word: str) -> bool:
    """Whether what follows "password:" is one and not the next word of an English sentence."""
    word = word.rstrip("\"'».,;)")
    return len(word) >= 4 and not re.fullmatch(r"[A-Za-z][a-z']*", word)


def _is_value(value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # a password of digits; weights and scales are shorter
        return abs(value) >= 10_000
    return isinstance(value, str) and bool(_VALUE.fullmatch(value.strip())) and not _LABEL.fullmatch(value.strip())


def _at(rows: Sequence[Sequence[Any]], row: int, column: int) -> Any:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else None
