"""Paid answers: found by the key of their question, stored once, never bought again (promise P5).

Here: reading ``evaluated.evaluations``. Not here: what decides a key (``conversations.scoring.request``), the
transaction that an answer is stored in (``ledger``).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import psycopg

from conversations.scoring.answer import answer_of
from conversations.scoring.shapes import Answer


class Stored(NamedTuple):
    """What is known of a question that was asked."""

    answer: Answer | None
    """``None``: refused; asking again would give none."""
    reason: str | None
    """Why refused."""


def known_answers(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, Stored]:
    """The answers that are there, by key."""
    rows = connection.execute(
        "select evaluation_key, answer, reason from evaluated.evaluations where evaluation_key = any(%s)", [list(keys)]
    ).fetchall()
    return {key: Stored(None if answer is None else answer_of(answer), reason) for key, answer, reason in rows}


def known_keys(connection: psycopg.Connection[Any], keys: Collection[str]) -> set[str]:
    """Which of the questions were asked and answered, or refused for good."""
    rows = connection.execute(
        "select evaluation_key from evaluated.evaluations where evaluation_key = any(%s)", [list(keys)]
    )
    return {key for (key,) in rows.fetchall()}
