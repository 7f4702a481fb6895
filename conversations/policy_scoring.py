"""Calls and scorecards: sections of the policy.

Here: shapes and defaults of ``telephony``, ``departments`` and ``scoring``. Not here: criteria (a sheet or a file below
``prompts/``), prompts (files below ``prompts/``), keys and addresses of models (the environment). None of it changes a
wait or a behaviour figure, so it is no part of the policy's hash; a scorecard stores what it was judged by.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
_Usd = Annotated[float, Field(ge=0, le=1_000_000)]


SCORED_NIGHTS = 3
"""So many nights in a row judge a day; who has a verdict is not bought again, so the later ones cost what came late."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Telephony(_Part):
    """Which calls are judged. All of them are stored and counted, and all count for waits."""

    short_call_seconds: Annotated[int, Field(ge=0, le=3600)] = 20
    """Calls with less talk are not judged (contract, section 4.6)."""
    internal_numbers: tuple[str, ...] = ()
    """Numbers of our own, digits only: a call with one of them is among colleagues."""
    internal_number_digits: Annotated[int, Field(ge=0, le=9)] = 5
    """A number with so many digits or fewer is an extension."""
    judge_unknown_operators: bool = False
    """Whether calls of operators are judged whom the directory of operators does not know."""
    transcript_lag_minutes: Annotated[int, Field(gt=0, le=7 * 24 * 60)] = 60
    """A transcript without a word is awaited so long after the call; later the call counts as one without speech."""


class Department(_Part):
    """A department whose talk is judged by a rubric of its own: a row, not a program."""

    name: str
    agent_group: str | None = None
    """The exact name of its agent group in the telephony; without it, its calls are those of its operators."""
    rubric: _Name
    """Criteria: the name of a folder below ``prompts/`` with a ``rubric.yaml``, or of what a sheet says (below)."""
    prompt: _Name
    """A folder below ``prompts/``; its highest version is in force."""
    criteria_tab: str | None = None
    """Tab of the requirements' spreadsheet with the criteria; without it, ``prompts/<rubric>/rubric.yaml`` holds."""
    instructions_tab: str | None = None
    """Tab with further instructions for the model."""
    day_budget_usd: _Usd | None = None
    """Most that may be spent on this department a local day; without it, the common limits hold alone."""


class ChatScoring(_Part):
    """How ended talks in chats are judged."""

    enabled: bool = False
    """Off by default: texts of customers leave for a model only where somebody said so."""
    rubric: _Name = "chats"
    prompt: _Name = "chats"
    criteria_tab: str | None = None
    instructions_tab: str | None = None
    day_budget_usd: _Usd | None = None


class Price(_Part):
    """What a model costs where its gateway does not say so."""

    input_per_million_usd: _Usd
    output_per_million_usd: _Usd


class Budget(_Part):
    """Most that may be spent; a call is bought only if its worst price still fits (promise S13)."""

    run_usd: _Usd = 5.0
    day_usd: _Usd = 10.0


class Scoring(_Part):
    """How talk is judged by a model."""

    calls_enabled: bool = True
    chats: ChatScoring = ChatScoring()
    day_ago: Annotated[int, Field(ge=1, le=31)] = 1
    """The last day that the nightly run judges; 1 is yesterday, so that a week is published on Monday with its Sunday.
    The two days before it are judged once more: transcripts come late, talks in chats end late, money runs out."""
    mask_names: bool = False
    """Names of people are hidden as well as phones, cards and e-mails (needs the extra ``names``)."""
    chunk_characters: Annotated[int, Field(ge=1_000, le=1_000_000)] = 24_000
    """A longer talk is judged in parts between phrases; each part is a call."""
    max_chunks: Annotated[int, Field(ge=1, le=64)] = 6
    """What is beyond so many parts is left out, and the scorecard says so."""
    max_answer_tokens: Annotated[int, Field(ge=64, le=64_000)] = 2_000
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    requests_per_minute: Annotated[int, Field(ge=1)] = 300
    tokens_per_minute: Annotated[int, Field(ge=1_000)] = 400_000
    attempts: Annotated[int, Field(ge=1, le=8)] = 3
    """Most attempts of one question over all models, where an answer did not come."""
    deadline_seconds: Annotated[float, Field(gt=0, le=3600)] = 180.0
    """Longest time for one question, all its attempts and pauses included."""
    budget: Budget = Budget()
    prices: dict[str, Price] = Field(default_factory=dict)
    """By the model's name as the settings write it; the gateway's own price wins where it sends one."""

    @model_validator(mode="after")
    def _check_budget(self) -> Scoring:
        if self.budget.run_usd > self.budget.day_usd:
            raise ValueError("budget.run_usd is above budget.day_usd: a run could never spend it")
        return self


Departments = dict[_Name, Department]
