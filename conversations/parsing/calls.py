"""A call as a message in its conversation: that is where waits are judged.

Here: one function that all telephony shares. Not here: any vendor.
"""

from __future__ import annotations

from conversations.records import Call, Message


def message_of(call: Call) -> Message:
    """The message that a call is: of the customer who called, or of the manager who did.

    An answered call of a customer names the operator who spoke with him; a missed one nobody: it was everybody's.
    """
    is_inbound = call.direction == "in"
    spoke = not is_inbound or call.is_answered is True
    return Message(
        conversation_id=call.conversation_id,
        message_id=call.message_id,
        connection_id=call.connection_id,
        sent_at=call.started_at,
        source_seq=None,
        direction="in" if is_inbound else "out",
        sender_kind="customer" if is_inbound else "manager",
        manager_id=call.operator_id if spoke else None,
        customer_id=call.customer_id if is_inbound else None,
        is_public=True,
        delivery_status="unknown",
        content_kind="call",
        text=None,
        edited_at=None,
        deleted_at=None,
        call_answered=call.is_answered,
        talk_seconds=call.talk_seconds,
        flags=(),
    )
