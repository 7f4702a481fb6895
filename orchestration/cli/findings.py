"""What a check of ``otklik doctor`` found: a line of its table.

Here: its shape, and an error as a line. Not here: the checks (``doctor``, ``doctor_scoring``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from orchestration.cli.errors import explain

State: TypeAlias = Literal["ok", "warning", "failed", "skipped"]
SHOWN_ACCOUNTS = 3


class Finding(NamedTuple):
    """One line of the table."""

    check: str
    state: State
    detail: str


def failed(check: str, error: Exception) -> Finding:
    """A check that raises counts as failed (promises F29); what nobody expected is shown by its kind and redacted."""
    from resources.clients.redact import redact

    explanation = explain(error)
    if explanation is None:
        return Finding(
            check, "failed", redact(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        )
    return Finding(check, "failed", ". ".join(filter(None, (explanation.text, explanation.detail))))
