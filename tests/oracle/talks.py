"""What was said in each ended session of a contact, as the slow judge of waits sees it.

Here: from ``judge``'s sessions to the lists that ``behaviour`` reads. Not here: either of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conversations.timeline import Contact, Instant
from tests.oracle.behaviour import Heard, Waited
from tests.oracle.judge import ChatJudge
from tests.oracle.policy import OraclePolicy
from tests.oracle.reading import Told, stories

Tags = Callable[[str | None, str], frozenset[str]]
"""The intents of a text said by a side."""


def talks(
    contact: Contact, policy: OraclePolicy, as_of: Instant, tags: Tags
) -> Iterator[tuple[str, int, list[Heard], list[Waited]]]:
    """Id, end in seconds, messages and waits of every session that has ended."""
    chats = {chat.conversation_id: chat for chat in contact.chats}
    for chat_id, story in stories(contact, as_of).items():
        judged = ChatJudge(chats[chat_id], story, policy, as_of).run()
        for session in judged.sessions:
            if session.ended_at is not None:
                waits = [judged.wait_row(wait) for wait in session.waits]
                yield (
                    judged.session_id(session),
                    session.ended_at,
                    [_heard(told, tags) for told in session.messages],
                    [
                        Waited(
                            one.wait_kind,
                            one.outcome,
                            one.outcome_manager,
                            one.asking_message_ids,
                            one.owner_manager_id,
                        )
                        for one in waits
                    ],
                )


def _heard(told: Told, tags: Tags) -> Heard:
    row = told.row
    return Heard(
        id=row.message_id,
        sender=row.sender_kind,
        tags=tags(row.text, row.sender_kind),
        manager=row.manager_id,
        kind=row.content_kind,
        answered=row.call_answered,
        seconds=row.talk_seconds,
        deleted=row.deleted_at is not None,
    )
