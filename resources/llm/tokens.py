"""How many tokens a question has: at most, for the price that is reserved, and about, for the rate.

Here: counting without a tokenizer. Not here: prices (``prices``). Each model cuts texts in its own way, and loading one
tokenizer to guess at another's costs more than it tells. So the upper bound counts a token for each character of ASCII
and each small Russian letter, and one for each byte of anything rarer: no tokenizer in use needs more (they fall back
to bytes, and the common letters are pieces of their own). The truth is a third of it, which is what the rate counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_RARE = re.compile(r"[^\x00-\x7e\u0430-\u044f\u0451]+")
_PER_MESSAGE = 16
"""Tokens around each message: its role, its beginning and end."""
_CHARACTERS_PER_TOKEN = 3
_MOST_LENGTHS = 64
_lengths: dict[int, tuple[dict[str, Any], int]] = {}
"""By identity, with the form itself, lest another one gets the same identity."""


def at_most(messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> int:
    """Tokens that a question cannot exceed, its form included.

    >>> at_most([{"role": "user", "content": "Да"}], {})
    21
    """
    texts = [one["content"] for one in messages]
    return sum(map(_bound, texts)) + _length(schema) + _PER_MESSAGE * len(texts)


def about(messages: Sequence[dict[str, str]], schema: dict[str, Any]) -> int:
    """Tokens that a question may well have."""
    texts = [one["content"] for one in messages]
    characters = sum(map(len, texts)) + _length(schema)
    return characters // _CHARACTERS_PER_TOKEN + _PER_MESSAGE * len(texts)


def _length(schema: dict[str, Any]) -> int:
    """Characters of a form. All questions of a rubric have the very same one, so its length is kept with it."""
    known = _lengths.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_lengths) >= _MOST_LENGTHS:
            _lengths.clear()
        known = _lengths[id(schema)] = (schema, len(json.dumps(schema)))
    return known[1]


def _bound(text: str) -> int:
    rare = "".join(_RARE.findall(text))
    return len(text) - len(rare) + len(rare.encode("utf-8", "surrogatepass"))
