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
from resources.llm.ledger import Begun


class Stored(NamedTuple):
    """What is known of a question that was asked."""

    answer: Answer | None
    """``None``: refused; asking again would give none."""
    reason: str | None
    """Why refused."""


def known_answers(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, Stored]:
    """The ends of the questions that have one, by key."""
    rows = connection.execute(
        "select evaluation_key, answer, reason from evaluated.evaluations"
        " where evaluation_key = any(%s) and state <> 'unrepaired'",
        [list(keys)],
    ).fetchall()
    return {key: Stored(None if answer is None else answer_of(answer), reason) for key, answer, reason in rows}


def begun_answers(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, Begun]:
    """What was said to questions whose answer is paid for and must still be repaired, by key."""
    rows = connection.execute(
        "select evaluation_key, answer from evaluated.evaluations"
        " where evaluation_key = any(%s) and state = 'unrepaired'",
        [list(keys)],
    ).fetchall()
    return {key: Begun(**said) for key, said in rows}
