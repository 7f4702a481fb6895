"""The tables of calls and their transcripts, in core, and of whose they are and whether they are judged.

Here: names, keys and meanings. Not here: how the rows come about (``resources.warehouse.core``,
``resources.warehouse.eligibility``), what was judged of them (``scoring``).
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Table

from resources.warehouse.schema.columns import boolean, day, instant, integer, json, metadata, seconds, text, texts
from resources.warehouse.schema.core import _CONNECTION, _lineage

calls = Table(
    "calls",
    metadata,
    text("call_id", "Connection and the vendor's id of the segment", key=True),
    text("connection_id", _CONNECTION),
    text("communication_id", "What the vendor holds the segments of one communication together by", null=True),
    text("conversation_id", "The conversation with the customer"),
    text("message_id", "The message that the call is in it"),
    text("channel_id", "The telephony as a channel account"),
    text("operator_id", "Who spoke for us (core.managers)", "pseudonym", null=True),
    text("customer_id", "The customer", "pseudonym", null=True),
    text("agent_group", "The agent group in whose list the call was found", null=True),
    text("direction", "in: the customer called, out: we did"),
    instant("started_at", "When the call began"),
    instant("ended_at", "When it ended", null=True),
    seconds("talk_seconds", "Length of the talk"),
    boolean("is_answered", "Whether somebody answered", null=True),
    boolean("is_internal", "Among colleagues"),
    texts("flags", "Reason codes of what was odd about the call"),
    text("operator_login", "His login at the vendor: the directory of operators may use it", "pseudonym", null=True),
    day("business_on", "Local day of started_at in the organisation's zone"),
    instant("ingested_at", "When this version came in (raw.fetched_at)"),
    *_lineage(),
    schema="core",
    comment="One row per call, a segment where a transfer cut it in several",
)
Index("calls_business_on_idx", calls.c.business_on, calls.c.connection_id)
Index("calls_window_idx", calls.c.connection_id, calls.c.window_at)
Index("calls_conversation_idx", calls.c.conversation_id)

call_transcripts = Table(
    "call_transcripts",
    metadata,
    text("call_id", "The call", key=True),
    text("connection_id", _CONNECTION),
    text("state", "ready, pending (awaited) or no_speech"),
    json("phrases", "n, speaker, text, start and end in seconds of each phrase, in order", "content", null=True),
    text("language", "Language as the source says", null=True),
    text("speakers", "as_labelled, swapped (labels put right) or doubtful"),
    texts("flags", "Reason codes of what was odd about the transcript"),
    integer("characters", "Length of what was said", "characters"),
    instant("ingested_at", "When this version came in (raw.fetched_at)"),
    *_lineage(),
    ForeignKeyConstraint(["call_id"], ["core.calls.call_id"], ondelete="CASCADE", name="call_transcripts_call_fkey"),
    schema="core",
    comment="One row per call: what was said, or that it is awaited; deleted with its call",
)
Index("call_transcripts_window_idx", call_transcripts.c.connection_id, call_transcripts.c.window_at)

call_eligibility = Table(
    "call_eligibility",
    metadata,
    text("call_id", "The call", key=True),
    text("connection_id", _CONNECTION),
    day("business_on", "Local day of the call"),
    text("department_id", "Department on that day: by the directory of operators, else by the agent group", null=True),
    text("office_id", "Office of the operator on that day", null=True),
    text("supervisor_id", "His supervisor on that day", "pseudonym", null=True),
    boolean("is_operator_known", "Whether the directory knows the operator, or no directory was given"),
    text(
        "why_not",
        "Why the call is not judged: internal, missed, short, unknown_operator, no_department, no_transcript,"
        " transcript_pending or no_speech; NULL: it is",
        null=True,
    ),
    ForeignKeyConstraint(["call_id"], ["core.calls.call_id"], ondelete="CASCADE", name="call_eligibility_call_fkey"),
    schema="evaluated",
    comment="One row per call: whose it is and whether it is judged, by the policy and the directory in force",
)
Index("call_eligibility_business_on_idx", call_eligibility.c.business_on, call_eligibility.c.connection_id)
