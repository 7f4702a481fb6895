"""Reason codes on conversations and messages that were understood but are odd, and what they mean for waits.

Here: the codes and their one-line meaning. Not here: reasons of rows that were *not* understood (each parser's own
codes in ``Quarantined.reason``).
"""

from __future__ import annotations

GONE_AT_SOURCE = "gone_at_source"
SECOND_CUSTOMER = "second_customer"
NEGATIVE_REPLY_TIME = "negative_reply_time"
REPLY_BEFORE_LAST_MESSAGE = "reply_before_last_message"
NO_TIMES = "no_times"
UNKNOWN_DELIVERY_STATUS = "unknown_delivery_status"
SEVERAL_CUSTOMERS = "several_customers"
EDITED_UNDATED = "edited_undated"
IS_PARTIAL = "is_partial"
DOUBTFUL_HOUR = "doubtful_hour"
HIDDEN_NUMBER = "hidden_number"
UNKNOWN_SPEAKER = "unknown_speaker"
DIRECTION_ASSUMED = "direction_assumed"

MEANINGS = {
    GONE_AT_SOURCE: "the source no longer has the message; when it went is not known, its text is not kept in core",
    SECOND_CUSTOMER: "somebody else joined the customer's thread; kept, left out of waits, sessions and reply times",
    NEGATIVE_REPLY_TIME: "the source dates the reply before the message that it answers; the conversation is untimed",
    REPLY_BEFORE_LAST_MESSAGE: "the source dates its last message before the one that precedes it; kept as dated",
    NO_TIMES: "the source has no times at all; the conversation is untimed: kept, outside waits, sessions and weeks",
    UNKNOWN_DELIVERY_STATUS: "the source uses a delivery status that nobody documented; stored as unknown",
    SEVERAL_CUSTOMERS: "several customers write in the chat: it is nobody's in particular and judged as one talk",
    EDITED_UNDATED: "the source says that the message was edited and not when",
    IS_PARTIAL: "known only as the last message of its chat, what was before is not known; left out of waits",
    HIDDEN_NUMBER: "a call without the customer's number: nobody to ring back, it opens no wait",
    UNKNOWN_SPEAKER: "in the transcript there is a voice that is neither the operator's nor the customer's",
    DIRECTION_ASSUMED: "the source does not say who called; the customer is assumed to have",
    DOUBTFUL_HOUR: "clocks were changed then: the local time came twice (the first is taken) or never",
}

OUT_OF_WAITS = frozenset({SECOND_CUSTOMER, IS_PARTIAL})
"""Messages with one of these flags are true public messages and stay in core, but are no input of waits and sessions:
a wait belongs to one customer, and nobody owes *him* an answer to what a passer-by wrote. Of a chat whose last message
alone is known nobody can say when a wait began or whether one was answered: it makes none until it is read whole."""
