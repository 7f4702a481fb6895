"""What a session and a wait are while a chat's story is being told.

Here: their facts and what follows from these alone. Not here: how a story changes them (``judge``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from conversations.timeline import Instant, TimedEvent
from tests.oracle.policy import ChannelSettings
from tests.oracle.reading import Told

UNANSWERED = ("no_reply", "window_expired")
ANSWERED = ("in_target", "slow_reply")


@dataclass
class Session:
    """A session while it is being told."""

    chat_id: str
    messages: list[Told]
    """Public customer and manager messages that start or prolong it."""
    initiated_by: str
    waits: list[Wait] = field(default_factory=list)
    closed_at: int | None = None
    """A close at the source that came with no wait open and after the last message."""
    last_writer: str | None = None
    bot_messages: int = 0
    ended_at: int | None = None

    @property
    def started_at(self) -> int:
        return self.messages[0].at

    @property
    def last_at(self) -> int:
        return max(message.at for message in self.messages)


@dataclass
class Wait:
    """A wait while it is being told."""

    kind: str
    session: Session
    settings: ChannelSettings
    calendar_id: str | None
    is_first: bool
    asked: list[Told]
    holder_at_opening: str | None
    deleted: list[str] = field(default_factory=list)
    talk: list[tuple[str, Told]] = field(default_factory=list)
    """("ask" | "bot", message) in order: who spoke last decides whether N runs where bots resolve."""
    machines: list[tuple[list[Told], Told]] = field(default_factory=list)
    """Bot messages and autoreplies, each with what had been asked before it."""
    explicit_handoff: TimedEvent | None = None
    request: Told | None = None
    assignments: list[TimedEvent] = field(default_factory=list)
    had_failed: bool = False
    closed_unanswered: bool = False
    outcome: str | None = None
    settled: Instant | None = None
    reply: Told | None = None
    late_reply: Told | None = None
    owner: str | None = None
    limit_when_settled: int | None = None

    @property
    def opening(self) -> Told:
        return self.asked[0]

    @property
    def remaining(self) -> list[Told]:
        return [message for message in self.asked if message.row.message_id not in self.deleted]

    @property
    def talk_left(self) -> list[tuple[str, Told]]:
        """The talk without the questions that were deleted."""
        return [(who, told) for who, told in self.talk if told.row.message_id not in self.deleted]

    @property
    def start(self) -> Told:
        """Where the wait begins after deletions. When the last question goes, there is nothing to move to."""
        return self.left[0]

    @property
    def left(self) -> list[Told]:
        """What remains, or the question that was deleted last."""
        return self.remaining or [asked for asked in self.asked if asked.row.message_id == self.deleted[-1]]

    @property
    def handoff(self) -> Instant | None:
        """An explicit event, else the customer's request if a bot talks in this wait (section 4.4, ruling 15)."""
        if self.explicit_handoff is not None:
            return self.explicit_handoff.at
        if self.request is not None and any(who == "bot" for who, _ in self.talk):
            return self.request.sent_at
        return None

    @property
    def is_bot_handled_once_ended(self) -> bool:
        """Ruling 6 and section 4.2, all but the end of the session."""
        return (
            self.settings.bot_can_resolve
            and self.talk_left[-1:] != []
            and self.talk_left[-1][0] == "bot"
            and self.explicit_handoff is None
            and self.request is None
        )

    @property
    def target(self) -> int:
        if self.kind == "missed_call":
            return self.settings.missed_call_target
        return self.settings.first_target if self.is_first else self.settings.target

    @property
    def limit(self) -> int:
        return self.settings.missed_call_limit if self.kind == "missed_call" else self.settings.limit
