"""From a bag of rows to one ordered story per chat (contract, section 1; rulings 1, 8 and 15).

Here: versions, what ``as_of`` hides, order, where events, deletions and other chats' messages stand.
Not here: what any of them means (``tests.oracle.judge``).
"""

from __future__ import annotations

from dataclasses import dataclass

from conversations.timeline import SECOND, Chat, Contact, Instant, TimedEvent, TimedMessage


def cut(instant: Instant) -> int:
    """Whole epoch seconds."""
    return instant // SECOND


@dataclass(frozen=True)
class Told:
    """One message after its versions were merged: the first version's time, the last version's everything else."""

    row: TimedMessage
    sent_at: Instant
    deleted_at: Instant | None
    """``None`` also if the deletion lies after ``as_of``."""

    @property
    def at(self) -> int:
        return cut(self.sent_at)

    @property
    def is_call(self) -> bool:
        return self.row.content_kind == "call"

    @property
    def is_answered_call(self) -> bool:
        return self.is_call and bool(self.row.call_answered)

    @property
    def is_missed_call(self) -> bool:
        return self.is_call and self.row.sender_kind == "customer" and not self.row.call_answered

    @property
    def is_seen(self) -> bool:
        """Public and said in words, pictures or by telephone: not a reaction."""
        return self.row.is_public and self.row.content_kind != "reaction"

    @property
    def is_heard(self) -> bool:
        return self.is_seen and self.row.sender_kind not in ("note", "system")

    @property
    def has_failed(self) -> bool:
        return self.row.delivery_status == "failed"

    @property
    def is_human_reply(self) -> bool:
        """Answers, unless it was deleted early; that depends on the wait."""
        if not self.is_seen or self.has_failed:
            return False
        if self.is_call:
            return self.is_answered_call
        return self.row.sender_kind == "manager"

    def was_deleted_within(self, seconds: int) -> bool:
        return (
            self.row.sender_kind == "manager"
            and self.deleted_at is not None
            and cut(self.deleted_at) - self.at < seconds
        )


@dataclass(frozen=True)
class Item:
    """One step of a chat's story. Exactly one of the four is set."""

    instant: Instant
    own: Told | None = None
    other: Told | None = None
    is_written_elsewhere: bool = False
    """Of ``other``: no call, and on another channel account."""
    event: TimedEvent | None = None
    deleted: Told | None = None

    @property
    def at(self) -> int:
        return cut(self.instant)


def merge_versions(rows: list[TimedMessage], as_of: Instant) -> list[Told]:
    """One ``Told`` per message of timed chats that ``as_of`` lets us see."""
    versions: dict[tuple[str, str], list[TimedMessage]] = {}
    for row in rows:
        versions.setdefault((row.conversation_id, row.message_id), []).append(row)
    told = []
    for found in versions.values():
        found.sort(key=lambda row: (row.ingested_at, row.edited_at is not None, row.edited_at or 0, row.text or ""))
        first, last = found[0], found[-1]
        if first.sent_at is None or cut(first.sent_at) > cut(as_of):
            continue
        deleted = last.deleted_at
        if deleted is not None and cut(deleted) > cut(as_of):
            deleted = None
        told.append(Told(last, first.sent_at, deleted))
    return told


def untimed_chats(contact: Contact) -> set[str]:
    """Chats flagged as untimed, and chats with at least one message without a time."""
    flagged = {chat.conversation_id for chat in contact.chats if chat.is_untimed}
    return flagged | {row.conversation_id for row in contact.messages if row.sent_at is None}


def order_key(told: Told) -> tuple[bool, int, Instant, str]:
    """(source sequence, time, id), rows without a sequence last."""
    sequence = told.row.source_seq
    return (sequence is None, sequence or 0, told.sent_at, told.row.message_id)


def stories(contact: Contact, as_of: Instant) -> dict[str, list[Item]]:
    """The story of every timed chat."""
    untimed = untimed_chats(contact)
    told = [one for one in merge_versions(contact.messages, as_of) if one.row.conversation_id not in untimed]
    events = {(event.conversation_id, event.event_id): event for event in contact.events if cut(event.at) <= cut(as_of)}
    chats = {chat.conversation_id: chat for chat in contact.chats if chat.conversation_id not in untimed}
    return {
        chat_id: _story(chat, [one for one in told], list(events.values()), chats) for chat_id, chat in chats.items()
    }


def _story(chat: Chat, told: list[Told], events: list[TimedEvent], chats: dict[str, Chat]) -> list[Item]:
    # rows that no rule reads must not move what stands between the others (section 9, invariant 4)
    mine = sorted(
        (one for one in told if one.row.conversation_id == chat.conversation_id and one.is_heard), key=order_key
    )
    # (index of the own message it stands before, instant, class, tie) for everything that is no own message
    between: list[tuple[tuple[int, Instant, int, tuple], Item]] = []

    def place(instant: Instant, rank: int, tie: tuple, item: Item, not_before: int = 0) -> None:
        index = next((i for i, own in enumerate(mine) if own.sent_at > instant), len(mine))
        between.append(((max(index, not_before), instant, rank, tie), item))

    for one in told:
        if one.row.conversation_id == chat.conversation_id or not _reaches(one, chat, chats):
            continue
        elsewhere = not one.is_call and not _is_same_account(one, chat, chats)
        item = Item(one.sent_at, other=one, is_written_elsewhere=elsewhere)
        place(one.sent_at, 1, (one.row.conversation_id, order_key(one)), item)
    for event in events:
        if event.conversation_id == chat.conversation_id:
            place(event.at, 2, (event.event_id,), Item(event.at, event=event))
    for index, own in enumerate(mine):
        if own.deleted_at is not None:
            # a deletion cannot stand before its own message, whatever a skewed clock says
            place(own.deleted_at, 3, (index,), Item(own.deleted_at, deleted=own), not_before=index + 1)
    between.sort(key=lambda pair: pair[0])
    story: list[Item] = []
    for index, own in enumerate(mine):
        story += [item for (before, *_), item in between if before == index]
        story.append(Item(own.sent_at, own=own))
    return story + [item for (before, *_), item in between if before == len(mine)]


def _reaches(one: Told, chat: Chat, chats: dict[str, Chat]) -> bool:
    """Whether a message of another chat can matter here: same account, or a reply, be it a call (ruling 9) or a message
    (section 4.6, to missed calls)."""
    return one.is_human_reply or _is_same_account(one, chat, chats)


def _is_same_account(one: Told, chat: Chat, chats: dict[str, Chat]) -> bool:
    home = chats.get(one.row.conversation_id)
    return home is not None and home.account_id == chat.account_id
