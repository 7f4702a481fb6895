"""What the door to models and the book of its calls say to each other.

Here: a call before it is made and after, a question with its end, the protocol. Not here: the book in PostgreSQL
(``resources.scoring.ledger``), the calls themselves (``door``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeAlias

from conversations.scoring.shapes import Answer

Cap: TypeAlias = Literal["run", "day", "department"]
Purpose: TypeAlias = Literal["first", "repair"]
Outcome: TypeAlias = Literal[
    "ok", "invalid", "refused", "truncated", "rate_limited", "timed_out", "unavailable", "rejected"
]
PriceFrom: TypeAlias = Literal["gateway", "policy", "model_map"]


class OverBudget(RuntimeError):
    """A call does not fit into what may still be spent; nothing was booked and nothing was asked."""

    def __init__(self, cap: Cap) -> None:
        super().__init__(cap)
        self.cap = cap
        """Which cap it would break."""


class PlannedCall(NamedTuple):
    """One attempt, before it is made."""

    evaluation_key: str
    """The question: ``Request.key``."""
    attempt: int
    """From 1, over all attempts and repairs of the question in this run."""
    purpose: Purpose
    model: str
    worst_microusd: int
    """The most that it can cost."""


class PaidCall(NamedTuple):
    """One attempt, after it."""

    outcome: Outcome
    cost_microusd: int
    """0 where nothing was answered for money; the worst price where it may have been."""
    price_from: PriceFrom | None
    prompt_tokens: int | None
    """``None``: not told."""
    completion_tokens: int | None
    vendor_call_id: str | None


class Begun(NamedTuple):
    """An answer that was paid for and must be repaired, and what it took so far: whoever is stopped before the repair
    goes on here."""

    text: str
    finish_reason: str | None
    repairs: int
    """Those that were made before it."""
    calls: int
    answered_by: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_microusd: int


class Evaluated(NamedTuple):
    """The end of a question, or what was said before its repair."""

    evaluation_key: str
    answer: Answer | None
    reason: str | None
    """Why there is no answer: a code of ``Problems``, or of an outage."""
    is_final: bool
    """Whether it is the end: an answer, or a refusal that asking again would not change. An outage is not."""
    calls: int
    """Calls that it took, repairs and failed attempts included."""
    model: str
    """The model that was asked first."""
    answered_by: str | None
    """The model that answered, as its gateway names it."""
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_microusd: int
    """What all its calls cost, those of earlier runs included."""
    begun: Begun | None = None
    """An answer that must be repaired; not the end, and kept."""


class Ledger(Protocol):
    """Where every call is booked before it is made and after."""

    async def reserve(self, planned: PlannedCall) -> str:
        """Book a call at its worst price; returns its id in the book.

        Raises:
            OverBudget: it does not fit.
        """
        ...

    async def settle(self, llm_call_id: str, paid: PaidCall, evaluation: Evaluated | None) -> None:
        """Book what it came to, with how the question ended or what is to be repaired."""
        ...
