"""What the parts of scoring hand to each other: talk, rubric, request, answer, scorecard.

Here: frozen shapes. Not here: how a sheet becomes a rubric (``rubric``), a talk a request (``request``), a text an
answer (``answer``), an answer a scorecard (``evidence``, ``scorecard``), who asks a model (``resources.llm``).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

Speaker: TypeAlias = Literal["manager", "customer", "bot", "unknown"]
SubjectKind: TypeAlias = Literal["call", "session"]
Judge: TypeAlias = Literal["model", "rules"]
About: TypeAlias = Literal["manager", "customer", "anyone"]
"""Who must have spoken the quote that proves a criterion."""
NotGiven: TypeAlias = Literal["not_applicable", "insufficient_evidence"]
QuoteState: TypeAlias = Literal["verified", "missing", "not_found", "wrong_speaker"]
"""missing: the answer quotes nothing; not_found: nobody said it; wrong_speaker: somebody else said it."""
NoteKind: TypeAlias = Literal["recommendation", "agreement", "decline_reason"]
Sentiment: TypeAlias = Literal["positive", "neutral", "negative", "mixed"]
CardState: TypeAlias = Literal["scored", "unsuitable", "unscored"]
"""unsuitable: no talk to judge (voicemail ...); unscored: no valid answer, the reason says why."""
Unsuitable: TypeAlias = Literal["voicemail", "wrong_number", "no_dialogue", "internal", "other"]


class Phrase(NamedTuple):
    """One utterance or message, in order."""

    ref: str
    """What it is found by: the number of the phrase in a call, ``message_id`` in a chat."""
    speaker: Speaker
    text: str
    start: float | None = None
    """Seconds from the beginning of the call."""
    end: float | None = None


class Talk(NamedTuple):
    """What is judged: one call, or one session of a chat."""

    kind: SubjectKind
    phrases: tuple[Phrase, ...]
    on: date | None = None
    """Local day of the talk: "завтра" is understood from it. A part of the question, and so of its key."""


class Criterion(NamedTuple):
    """One line of a rubric."""

    code: str
    """``[a-z][a-z0-9_]{0,39}``, unique in the rubric."""
    title: str
    question: str
    """What the judge is asked, with the meaning of each mark."""
    weight: int
    best: int
    """The scale is 0, 1 ... ``best``."""
    about: About = "manager"
    fails_all: bool = False
    """A mark of 0 that is proved fails the whole talk."""
    may_not_apply: bool = False
    rule: str | None = None
    """The rule that gives a mark without a model (``conversations.scoring.rules``)."""


class Rubric(NamedTuple):
    """A checklist of criteria. ``version`` counts changes of content; ``hash`` tells the content."""

    rubric_id: str
    version: int
    criteria: tuple[Criterion, ...]
    hash: str
    """sha256 of the criteria as canonical JSON, 64 hex digits."""


class Prompt(NamedTuple):
    """A template below ``prompts/``."""

    prompt_id: str
    version: int
    text: str
    hash: str
    """sha256 of the text, 64 hex digits."""


class Parameters(NamedTuple):
    """What else decides an answer (promise D6)."""

    model: str
    """The first choice, as the settings name it."""
    temperature: float
    max_answer_tokens: int
    chunk_characters: int
    max_chunks: int
    mask_names: bool


class Request(NamedTuple):
    """One question to a model: a part of a talk."""

    key: str
    """sha256 over everything that decides the answer, 64 hex digits: a paid answer is found by it (promise D6)."""
    messages: tuple[dict[str, str], ...]
    """``{"role": "system"|"user", "content": …}``"""
    schema: dict[str, Any]
    """JSON schema of the answer, strict."""
    schema_name: str
    part: int
    """From 0."""


class Masked(NamedTuple):
    """A text without personal data, and the way back."""

    text: str
    spans: tuple[tuple[int, int, int, int], ...]
    """(start, end) in the masked text and (start, end) in the original, in order, one per mask."""
    counts: dict[str, int]
    """Masks by kind: phone, card, email, document, name."""


class Prepared(NamedTuple):
    """A talk ready to be asked about."""

    talk: Talk
    masked: tuple[Masked, ...]
    """One per phrase of the talk."""
    requests: tuple[Request, ...]
    transcript_hash: str
    """sha256 of the normalised, masked transcript."""
    flags: tuple[str, ...]
    """chunked, truncated, suspected_injection ..."""
    masked_items: int


class CriterionAnswer(NamedTuple):
    """What a judge says of one criterion; within the scale, nothing checked yet."""

    code: str
    given: int | NotGiven
    reason: str
    quote: str | None


class NoteAnswer(NamedTuple):
    kind: NoteKind
    text: str
    quote: str | None
    code: str | None = None
    """Decline reasons: price, delivery, assortment, competitor, timing, trust, no_need, other."""
    due: date | None = None
    """Agreements: by when, if a date was named."""


class Answer(NamedTuple):
    """A judge's answer that follows the schema."""

    is_suitable: bool
    unsuitable: Unsuitable | None
    summary: str
    topic: str
    sentiment: Sentiment
    criteria: tuple[CriterionAnswer, ...]
    """Each criterion of the rubric once, in its order; none where the talk is unsuitable."""
    notes: tuple[NoteAnswer, ...]


class Problems(NamedTuple):
    """Why a text is no answer: told to the model when it may try again."""

    reason: str
    """A code: not_json, wrong_schema, out_of_scale, missing_criterion, invented_criterion, truncated, refused or
    empty."""
    told: str
    """What was wrong, without a word of the talk."""
    can_repair: bool


class CriterionResult(NamedTuple):
    """What a criterion came to after its quote was looked for."""

    code: str
    weight: int
    best: int
    given: int | NotGiven
    """insufficient_evidence as well where a mark came with a quote that nobody said."""
    claimed: int | NotGiven
    """What the judge said."""
    is_auto_fail: bool
    reason: str
    quote: str | None
    """Verified quotes only: characters of the original phrase, verbatim."""
    quote_state: QuoteState
    ref: str | None
    """The phrase that holds it."""
    speaker: Speaker | None


class NoteResult(NamedTuple):
    kind: NoteKind
    n: int
    text: str
    code: str | None
    due: date | None
    quote: str | None
    quote_state: QuoteState
    ref: str | None


class Scorecard(NamedTuple):
    """A talk, judged."""

    state: CardState
    reason: str | None
    """unscored: the code of ``Problems`` or of an error; unsuitable: which kind."""
    judge: Judge
    final_score: float | None
    raw_score: float | None
    is_auto_fail: bool
    summary: str | None
    topic: str | None
    sentiment: Sentiment | None
    criteria: tuple[CriterionResult, ...]
    notes: tuple[NoteResult, ...]
    flags: tuple[str, ...]
