"""What ``otklik probe`` learned of one account.

Here: the answers and which of them matter. Not here: who asks (``probe``), what they mean per door (``doors``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conversations.source import Capability

if TYPE_CHECKING:
    from resources.same_account import Seat

SOURCES = ("retailcrm", "retailcrm-web", "tbank")
NOT_NEEDED = {"api/v5/chats"}
"""Asked for information: RetailCRM has no such list, chats come from the MessageGateway, and people look for it."""
NOT_CAPTURED = "not_captured"
"""The reason of what no request was copied for: it lacks, and the account is well without it."""


@dataclass(frozen=True)
class Probed:
    """What one account may do."""

    connection_id: str
    found: list[Capability] = field(default_factory=list)
    error: Exception | None = None
    """Why it could not be asked at all."""
    vendor: str = SOURCES[0]
    seat: Seat | None = None
    """Which account it leads to."""

    @property
    def missing(self) -> list[Capability]:
        """What is closed and needed."""
        closed = [item for item in self.found if not item.is_open and item.name not in NOT_NEEDED]
        return [item for item in closed if item.reason != NOT_CAPTURED]

    @property
    def is_well(self) -> bool:
        """Whether it can be loaded."""
        return self.error is None and not self.missing
