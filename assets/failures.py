"""Errors at the boundary of an asset: one sentence that says what happened, where, and what to do.

Here: how an error of a client or of the warehouse becomes the first line of a failed run, and how one that nobody
expected gets into the event log without what it quotes. Not here: the error trees
(``resources.clients.errors``, ``resources.warehouse.errors``), which already know the words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import dagster as dg
import psycopg

from assets.marts.errors import DbtError
from conversations.policy import PolicyError
from resources.clients.errors import SourceError
from resources.clients.redact import redact, redacted_traceback
from resources.warehouse.errors import Busy, WarehouseError


class _Context(Protocol):
    """What the boundary needs of a Dagster context."""

    @property
    def log(self) -> logging.Logger: ...


@contextmanager
def explained(context: _Context) -> Iterator[None]:
    """Turn every error into a ``dg.Failure`` whose description says what to do.

    No step is tried again by Dagster: a call has one retry layer, the client's, with its deadline (promise D12).

    Raises:
        dg.Failure: the cause of a refused statement is cut off: the database repeats the values it choked on, and the
            event log is no place for those. So is the cause of an error that nobody expected; its traceback is logged,
            redacted.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Busy as error:
        raise _failure(f"busy: {error}", "busy") from error
    except SourceError as error:
        raise _failure(str(error), error.reason) from error
    except WarehouseError as error:
        raise _failure(str(error), type(error).__name__) from error
    except PolicyError as error:
        raise _failure(str(error), "policy") from error
    except DbtError as error:
        raise _failure(str(error), "dbt") from error
    except Exception as error:
        refused = _refusal(error)
        if refused is None:
            # Dagster writes an exception into its event log as it is, with whatever values its text quotes
            context.log.error(redacted_traceback(error))
            raise _failure(_unexpected(error), "unexpected") from None
        state = refused.sqlstate or ""
        sentence = _database_sentence(state, refused)
        raise _failure(sentence, f"sql_{state or 'unknown'}") from None


def _unexpected(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (
        f"{type(error).__name__}: {lines[0] if lines else 'no message'}. Nobody expected this: a defect to report with "
        "the traceback in the log of this run. What was committed before stays; the same days may be run again."
    )


def _failure(description: str, reason: str) -> dg.Failure:
    return dg.Failure(redact(description), metadata={"reason": reason})


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
