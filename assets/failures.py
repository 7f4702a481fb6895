"""Errors at the boundary of an asset: one sentence that says what happened, where, and what to do.

Here: how an error of a client or of the warehouse becomes the first line of a failed run, and how one that nobody
expected gets into the event log without what it quotes. Not here: the error trees
(``resources.clients.errors``, ``resources.warehouse.errors``), which already know the words.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import dagster as dg
import psycopg

from assets.marts.errors import DbtError
from conversations.lexicon import LexiconError
from conversations.policy import PolicyError
from resources.clients.errors import SourceError
from resources.clients.redact import redact, wordless_traceback
from resources.prompts import PromptError
from resources.warehouse.errors import Busy, WarehouseError

UNEXPECTED = "unexpected"
BUSY = "busy"


class Context(Protocol):
    """What the boundary needs of a Dagster context."""

    @property
    def log(self) -> logging.Logger: ...


class AccountsFailed(Exception):
    """Some accounts could not be worked on, each for its own reason; the text holds a sentence for each."""

    def __init__(self, failures: Mapping[str, Exception], of: int) -> None:
        self.failures = dict(failures)
        """By the account's name, in the order in which they failed."""
        self.of = of
        """How many accounts there are."""
        share = f"all {of} accounts" if len(failures) == of else f"{len(failures)} of {of} accounts"
        rest = "" if len(failures) == of else ", the others were worked on"
        told = "; ".join(_named(one, described(error)[0]) for one, error in failures.items())
        super().__init__(redact(f"{share} failed{rest}. {told}"))

    @property
    def reason(self) -> str:
        """The reason that they share, else ``accounts``."""
        reasons = {described(error)[1] for error in self.failures.values()}
        return reasons.pop() if len(reasons) == 1 else "accounts"


@contextmanager
def explained(context: Context) -> Iterator[None]:
    """Turn every error into a ``dg.Failure`` whose description says what to do.

    No step is tried again by Dagster: a call has one retry layer, the client's, with its deadline (promise D12).

    Raises:
        dg.Failure: the cause of a refused statement is cut off: the database repeats the values it choked on, and the
            event log is no place for those. So is the cause of an error that nobody expected: its words may be a
            customer's. Kinds and places are logged.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        description, reason = tell(context, error)
        cause = error if isinstance(error, _WITH_WORDS) else None
        raise dg.Failure(redact(description), metadata={"reason": reason}) from cause


def tell(context: Context, error: Exception) -> tuple[str, str]:
    """``described``; of an error that nobody expected kinds and places are logged, not its words."""
    description, reason = described(error)
    if reason == UNEXPECTED:
        # Dagster writes an exception into its event log as it is, with whatever values its text quotes
        context.log.error(wordless_traceback(error))
    return description, reason


def described(error: Exception) -> tuple[str, str]:
    """What happened and what to do, in a sentence that may be shown, and the reason for machines."""
    if isinstance(error, Busy):
        return f"busy: {error}", BUSY
    if isinstance(error, SourceError | AccountsFailed):
        return str(error), error.reason
    if isinstance(error, WarehouseError):
        return str(error), type(error).__name__
    if isinstance(error, PolicyError):
        return str(error), "policy"
    if isinstance(error, LexiconError):
        return str(error), "lexicon"
    if isinstance(error, PromptError):
        return str(error), "prompt"
    if isinstance(error, DbtError):
        return str(error), "dbt"
    refused = _refusal(error)
    if refused is None:
        return _unexpected(error), UNEXPECTED
    state = refused.sqlstate or ""
    return redact(_database_sentence(state, refused)), f"sql_{state or 'unknown'}"


_WITH_WORDS = (SourceError, WarehouseError, PolicyError, LexiconError, PromptError, DbtError, AccountsFailed)
"""Errors whose own text may be shown."""


def _named(one: str, sentence: str) -> str:
    return sentence if one in sentence.split(". ")[0] else f"{one}: {sentence}"


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"{type(error).__name__}{place}. Nobody expected this: a defect to report with the places in the log of this "
        "run. What was committed before stays; the same days may be run again."
    )


def _refusal(error: Exception) -> psycopg.Error | None:
    """The driver's error behind a database error; without SQLSTATE it is a lost connection."""
    from sqlalchemy.exc import DBAPIError

    driver_error = error.orig if isinstance(error, DBAPIError) else error
    return driver_error if isinstance(driver_error, psycopg.Error) else None


def _database_sentence(state: str, refused: psycopg.Error) -> str:
    if state == "53100":
        return "The database's disk is full. Free some space and start the run again; what was committed stays."
    if state == "" or state[:2] in {"08", "57"}:
        return (
            "The database went away in the middle of the work. See that it is up (otklik doctor) and start the run "
            "again; it goes on after the last committed page."
        )
    if state == "42P01":
        return "A table is missing. Bring the database up to date (otklik up does it) and start the run again."
    if state == "42501":
        return "The database refuses a right that this step needs. Run otklik doctor: it names the role and the table."
    # data errors (22) and violated rules (23) repeat values of rows; all others speak of statements and tables only
    words = "" if state[:2] in {"22", "23"} else f": {refused.diag.message_primary}"
    return (
        f"The database refused a statement (SQLSTATE {state}{words}). Nothing of this step was committed. Run otklik "
        "doctor; if it finds nothing, this is a defect to report with this line."
    )
