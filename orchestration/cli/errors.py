"""Expected failures become one line that says what to do, and an exit code; nobody reads a traceback for them.

Here: which exception means what to a person. Not here: the words (``conversations.messages``). An exception that is
not listed here is a defect of ours: it keeps its traceback (redacted), because that is what we need to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conversations.messages import Accounts, ConnectionErrors, Errors, Imports

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_OUTPUT = 74
"""BSD's EX_IOERR: the work is done and shown, its file could not be written."""
EXIT_BUSY = 75
"""BSD's EX_TEMPFAIL: somebody else works on the account, nothing was done, try again later (D4)."""
EXIT_INTERRUPTED = 130


class CliError(Exception):
    """A failure that a command itself found."""

    def __init__(self, text: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Explanation(NamedTuple):
    """What the person is told."""

    text: str
    exit_code: int
    detail: str | None = None


def explain(error: BaseException) -> Explanation | None:
    """What to tell the person about ``error``; ``None`` for what nobody expected.

    The causes are searched too: Dagster wraps what a step raised.
    """
    if isinstance(error, CliError):
        return Explanation(str(error), error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Explanation(Errors.INTERRUPTED, EXIT_INTERRUPTED)
    return _from_causes(error) or _run(error)


def _from_causes(error: BaseException) -> Explanation | None:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        for explains in _EXPLAINERS:
            if (explanation := explains(current)) is not None:
                return explanation
        current = current.__cause__ or getattr(current, "user_exception", None)
    return None


def _accounts(error: BaseException) -> Explanation | None:
    # by name: the assets import all of Dagster
    if type(error).__name__ != "AccountsFailed" or not hasattr(error, "failures"):
        return None
    from resources.warehouse.errors import Busy

    told, details = [], []
    for one, failure in error.failures.items():
        known = _from_causes(failure)
        text = known.text if known is not None else Accounts.UNEXPECTED
        told.append(text if one in text else Accounts.ONE.format(one, text))
        if known is not None and known.detail:
            details.append(Accounts.ONE.format(one, known.detail))
    is_busy = all(isinstance(failure, Busy) for failure in error.failures.values())
    text = Accounts.failed(len(error.failures), getattr(error, "of", 0), told)
    return Explanation(text, EXIT_BUSY if is_busy else EXIT_FAILED, "; ".join(details) or None)


def _source(error: BaseException) -> Explanation | None:
    from resources.clients.errors import SourceError

    if not isinstance(error, SourceError):
        return None
    fault = Imports.FAULTS.get(getattr(error, "code", ""))
    if fault is not None:
        return Explanation(fault, EXIT_FAILED, getattr(error, "where", None) or None)
    what = Errors.SOURCES.get(error.reason)
    if what is None:
        return Explanation(str(error), EXIT_FAILED)
    return Explanation(f"{error.connection_id}: {what}", EXIT_FAILED, f"[{error.reason}] {error.what}")


def _file(error: BaseException) -> Explanation | None:
    from conversations.imports.survey import Undecided
    from resources.imports.errors import ConnectionTaken

    if isinstance(error, Undecided):
        return Explanation(Imports.UNDECIDED[error.what].format(error.chats), EXIT_USAGE)
    if isinstance(error, ConnectionTaken):
        return Explanation(Errors.CONNECTION_TAKEN.format(error.connection_id, error.source), EXIT_USAGE)
    return None


def _warehouse(error: BaseException) -> Explanation | None:
    from resources.warehouse.errors import (
        Busy,
        CredentialsDamaged,
        KeysLost,
        NoSuchConnection,
        WarehouseError,
        WarehouseUnavailable,
    )

    of_accounts = {
        KeysLost: ConnectionErrors.KEYS_LOST,
        CredentialsDamaged: ConnectionErrors.DAMAGED,
        NoSuchConnection: ConnectionErrors.NO_SUCH,
    }

    if isinstance(error, Busy):
        return Explanation(Errors.BUSY.format(error), EXIT_BUSY)
    if isinstance(error, WarehouseUnavailable):
        return Explanation(Errors.DATABASE, EXIT_FAILED, str(error))
    if type(error) in of_accounts:
        return Explanation(of_accounts[type(error)], EXIT_FAILED, str(error))
    return Explanation(str(error), EXIT_FAILED) if isinstance(error, WarehouseError) else None


def _settings(error: BaseException) -> Explanation | None:
    # by name first: pydantic is not loaded on behalf of an error that cannot be its
    if type(error).__name__ != "ValidationError" or not hasattr(error, "errors"):
        return None
    if getattr(error, "title", "") not in ("Settings",):
        return None
    wrong = "; ".join(f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors())
    return Explanation(Errors.SETTINGS.format(wrong), EXIT_USAGE)


def _policy(error: BaseException) -> Explanation | None:
    if type(error).__name__ == "LexiconError":
        return Explanation(Errors.LEXICON.format(error), EXIT_USAGE)
    if type(error).__name__ == "PromptError":
        return Explanation(str(error), EXIT_USAGE)
    if type(error).__name__ != "PolicyError":
        return None
    return Explanation(Errors.POLICY.format(error), EXIT_USAGE)


def _database(error: BaseException) -> Explanation | None:
    if type(error).__name__ != "OperationalError":
        return None
    from resources.clients.redact import redact

    return Explanation(Errors.DATABASE, EXIT_FAILED, redact(" ".join(str(error).split("\n")[0].split())))


def _run(error: BaseException) -> Explanation | None:
    # by name: the runner imports all of Dagster
    if type(error).__name__ != "RunFailed":
        return None
    return Explanation(Errors.RUN_FAILED.format(error), EXIT_FAILED)


_EXPLAINERS: tuple[Callable[[BaseException], Explanation | None], ...] = (
    _accounts,
    _source,
    _file,
    _warehouse,
    _settings,
    _policy,
    _database,
)
