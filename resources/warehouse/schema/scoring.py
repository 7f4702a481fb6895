"""The tables of scoring: scorecards, what they were made from, what was paid.

Here: names, keys and meanings. Not here: the rules (``conversations.scoring``), who asks a model (``resources.llm``).
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Table
from sqlalchemy import text as sql

from resources.warehouse.schema.columns import (
    big,
    boolean,
    day,
    instant,
    integer,
    json,
    metadata,
    number,
    text,
    texts,
)

evaluations = Table(
    "evaluations",
    metadata,
    text("evaluation_key", "sha256 over all that decides the answer (promise D6)", key=True),
    text(
        "state",
        "accepted: an answer that follows the schema; refused: none, and asking again would give none; unrepaired: an"
        " answer that does not follow it, whose repair was not paid for yet",
    ),
    text("reason", "Why it is not accepted", null=True),
    json("answer", "The answer, validated; unrepaired: what the model said", "content", null=True),
    integer("calls", "Calls that it took, repairs included", "calls"),
    text("model", "The model that was asked first"),
    text("answered_by", "The model that answered, as its gateway names it", null=True),
    integer("prompt_tokens", "Tokens of the questions; NULL: not told", "tokens", null=True),
    integer("completion_tokens", "Tokens of the answers; NULL: not told", "tokens", null=True),
    big("cost_microusd", "What all its calls cost", "millionths of a US dollar"),
    text("prompt_hash", "sha256 of the prompt's template"),
    text("rubric_hash", "sha256 of the criteria"),
    text("transcript_hash", "sha256 of the masked transcript"),
    integer("masked_items", "Pieces of personal data that were hidden before the call", "items"),
    boolean("names_masked", "Whether names were hidden as well"),
    instant("answered_at", "When the answer was stored"),
    schema="evaluated",
    comment="One row per question that was answered: a paid answer is never bought again (promise P5)",
)

llm_calls = Table(
    "llm_calls",
    metadata,
    text("llm_call_id", "Random", key=True),
    text("evaluation_key", "The question"),
    integer("attempt", "From 1, over all attempts and repairs of the question in this run", "attempts"),
    text("purpose", "first or repair"),
    text("run_id", "Run that bought it"),
    text("department_id", "Whose budget; NULL: chats", null=True),
    text("model", "The model that was asked"),
    text("state", "reserved, settled, or lost: the process ended before the answer came; booked at its worst price"),
    text("outcome", "ok, invalid, refused, truncated, rate_limited, timed_out, unavailable, rejected", null=True),
    big("reserved_microusd", "Its worst price", "millionths of a US dollar"),
    big("cost_microusd", "What it cost; NULL: not settled", "millionths of a US dollar", null=True),
    text("price_from", "gateway, policy or model_map: who said what it costs", null=True),
    integer("prompt_tokens", "NULL: not told", "tokens", null=True),
    integer("completion_tokens", "NULL: not told", "tokens", null=True),
    text("vendor_call_id", "The gateway's id of the call", null=True),
    boolean("is_masked", "Whether personal data was hidden"),
    instant("reserved_at", "Committed before the call"),
    instant("settled_at", "Committed after it", null=True),
    day("paid_on", "Local day of reserved_at in the organisation's zone: whose cap it counts in"),
    schema="ops",
    comment="One row per call to a model: reserved before, settled after",
)
Index("llm_calls_paid_on_idx", llm_calls.c.paid_on)
Index("llm_calls_open_idx", llm_calls.c.run_id, postgresql_where=sql("state = 'reserved'"))

scorecards = Table(
    "scorecards",
    metadata,
    text("scorecard_id", "Subject, judge, rubric and its version", key=True),
    text("subject_kind", "call or session"),
    text("subject_id", "The call or the session", "pseudonym"),
    text("call_id", "The call; NULL: a session", null=True),
    text("judge", "model or rules"),
    text("state", "scored, unsuitable (no talk to judge) or unscored (no valid answer)"),
    text(
        "reason",
        "Why not scored; words_changed: its words are others since it was judged, a night will judge them",
        null=True,
    ),
    boolean("is_current", "By the rubric in force when its subject was judged last"),
    number("final_score", "0 to 100; 0 after an automatic fail; NULL: no criterion counted", "points", null=True),
    number("raw_score", "What the marks alone give", "points", null=True),
    boolean("is_auto_fail", "An automatic fail"),
    text("summary", "What it was about, by the judge", "content", null=True),
    text("topic", "In a few words, by the judge", "content", null=True),
    text("sentiment", "positive, neutral, negative or mixed: the customer's, by the judge", null=True),
    texts("flags", "chunked, truncated, suspected_injection ..."),
    text("rubric_id", "The rubric"),
    integer("rubric_version", "Its version", "version"),
    text("prompt_id", "The prompt; NULL: judged by rules", null=True),
    text("prompt_hash", "sha256 of its template", null=True),
    text("model", "The model that was asked; NULL: judged by rules", null=True),
    texts("evaluation_keys", "The answers that it was made from"),
    text("transcript_hash", "sha256 of the masked transcript"),
    text("department_id", "The department; NULL: a chat, or none", null=True),
    text("manager_id", "Whose work it was", "pseudonym", null=True),
    text("conversation_id", "The conversation"),
    text("connection_id", "The account that the talk came from"),
    text("channel_id", "The channel account"),
    text("customer_id", "The customer", "pseudonym", null=True),
    instant("happened_at", "Begin of the call, end of the session"),
    day("happened_on", "Its local day in the organisation's zone"),
    text("happened_week", "ISO week of happened_on"),
    instant("scored_at", "When this scorecard was stored"),
    ForeignKeyConstraint(["call_id"], ["core.calls.call_id"], ondelete="CASCADE", name="scorecards_call_fkey"),
    schema="evaluated",
    comment="One row per call or session, judge, rubric and version: the latest scorecard",
)
Index("scorecards_happened_on_idx", scorecards.c.happened_on)
Index("scorecards_happened_week_idx", scorecards.c.happened_week)
Index("scorecards_subject_idx", scorecards.c.subject_id)
Index("scorecards_call_idx", scorecards.c.call_id)
Index("scorecards_conversation_idx", scorecards.c.conversation_id)

scorecard_criteria = Table(
    "scorecard_criteria",
    metadata,
    text("scorecard_id", "The scorecard", key=True),
    text("criterion", "Code of the criterion", key=True),
    integer("position", "Its place in the rubric, from 1", "place"),
    integer("weight", "Its weight", "weight"),
    integer("best", "The highest mark of its scale", "marks"),
    integer("given", "The mark that counts; NULL: none", "marks", null=True),
    text("not_given", "not_applicable or insufficient_evidence, where there is no mark", null=True),
    text("claimed", "What the judge said, a mark or a word, before its quote was looked for"),
    boolean("is_auto_fail", "Fails the whole talk"),
    text("reason", "The judge's reason", "content"),
    text("quote", "What proves it: characters of the phrase, verbatim; NULL: none was found", "content", null=True),
    text("quote_state", "verified, missing, not_found or wrong_speaker"),
    text("ref", "Number of the phrase, or message_id", null=True),
    text("speaker", "Who said it", null=True),
    ForeignKeyConstraint(
        ["scorecard_id"],
        ["evaluated.scorecards.scorecard_id"],
        ondelete="CASCADE",
        name="scorecard_criteria_scorecard_fkey",
    ),
    schema="evaluated",
    comment="One row per scorecard and criterion: mark, reason and the quote that code has found",
)

scorecard_notes = Table(
    "scorecard_notes",
    metadata,
    text("scorecard_id", "The scorecard", key=True),
    text("kind", "recommendation, agreement or decline_reason", key=True),
    integer("n", "From 1 within its kind", "number", key=True),
    text("text", "The note, in the judge's words", "content"),
    text("code", "Decline reasons: price, delivery, assortment, competitor, timing, trust, no_need, other", null=True),
    day("due_on", "Agreements: by when", null=True),
    text("quote", "What proves it, verbatim", "content", null=True),
    text("quote_state", "verified, missing or not_found"),
    text("ref", "Number of the phrase, or message_id", null=True),
    ForeignKeyConstraint(
        ["scorecard_id"],
        ["evaluated.scorecards.scorecard_id"],
        ondelete="CASCADE",
        name="scorecard_notes_scorecard_fkey",
    ),
    schema="evaluated",
    comment="One row per recommendation, agreement and reason to decline of a scorecard",
)

judge_repeats = Table(
    "judge_repeats",
    metadata,
    text("subject_id", "The call or the session", "pseudonym", key=True),
    text("rubric_id", "The rubric", key=True),
    integer("rubric_version", "Its version", "version", key=True),
    text("prompt_hash", "sha256 of the prompt's template", key=True),
    text("model", "The model that was asked", key=True),
    text("criterion", "Code of the criterion", key=True),
    text("subject_kind", "call or session"),
    text("first", "What counted the first time: a mark, not_applicable or insufficient_evidence"),
    text("second", "What counted when the same question was asked once more"),
    instant("repeated_at", "When it was asked once more"),
    schema="evaluated",
    comment="One row per talk and criterion that a model judged twice: how often its answer changes by itself",
)
