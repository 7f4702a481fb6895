"""What is to be done with each talk: nothing, a card without a call, a card out of paid answers, or a purchase.

Here: the decision, a portion of talks at a time; a dry run and a run take the same one. Not here: asking (``asking``),
what a run would cost (``plan``).

A talk that has a model's verdict on the very same words is not bought again because the rubric, the prompt, the model
or its parameters have changed since: it keeps its verdict, with the version it was made by, until somebody asks for its
rubric to be judged ``again``. Where all answers are paid for already the card is made anew from them, at no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from conversations.policy_scoring import Scoring
from conversations.scoring.masking import NameFinder
from conversations.scoring.request import prepare
from conversations.scoring.shapes import Parameters, Prepared, Prompt, Request, Rubric, Unsuitable
from conversations.scoring.suitable import unsuitable_by_rules
from resources.llm.ledger import Begun
from resources.scoring.answers import Stored, begun_answers, known_answers
from resources.scoring.cards import Current, current_cards
from resources.scoring.subjects import Subject
from resources.warehouse.requirements import instructions_in_force, rubric_in_force


class Judging(NamedTuple):
    """By what a talk is judged."""

    rubric: Rubric
    prompt: Prompt
    instructions: str


class Rulebook:
    """By what talks are judged, each rubric and prompt read once per run.

    Args:
        prompt_of: reads the prompt in force (``resources.prompts``).
    """

    def __init__(self, connection: psycopg.Connection[Any], prompt_of: Callable[[str], Prompt]) -> None:
        self._connection = connection
        self._prompt_of = prompt_of
        self._known: dict[tuple[str, str, str | None], Judging] = {}

    def of(self, subject: Subject) -> Judging:
        """By what this talk is judged.

        Raises:
            NoRubric: its rubric was never read.
            PromptError: its prompt is not there or cannot be used.
        """
        which = (subject.rubric_id, subject.prompt_id, subject.instructions_tab)
        if which not in self._known:
            self._known[which] = Judging(
                rubric_in_force(self._connection, subject.rubric_id),
                self._prompt_of(subject.prompt_id),
                instructions_in_force(self._connection, subject.instructions_tab),
            )
        return self._known[which]


@dataclass(frozen=True)
class Work:
    """A talk and what is to be done with it by a model."""

    subject: Subject
    judging: Judging
    prepared: Prepared
    unsuitable: Unsuitable | None = None
    """No talk to judge, as rules see without a call."""
    answers: dict[str, Stored] = field(default_factory=dict)
    """What is paid for already, by key."""
    begun: dict[str, Begun] = field(default_factory=dict)
    """What was said and must be repaired, by key."""
    is_kept: bool = False
    """The verdict that it has stays."""
    is_old: bool = False
    """Kept although it is of another version of the rubric."""

    @property
    def missing(self) -> list[Request]:
        """The questions that would be bought; none where a part of the talk is refused for good."""
        if self.is_kept or self.unsuitable is not None or any(one.answer is None for one in self.answers.values()):
            return []
        return [one for one in self.prepared.requests if one.key not in self.answers]


class Rejudged(NamedTuple):
    """What decides, beside the talks."""

    parameters: Parameters
    again: frozenset[str]
    """Rubrics by which talks are judged again that have a verdict by another version."""
    names: NameFinder | None = None


def parameters_of(scoring: Scoring, model: str) -> Parameters:
    """What decides an answer beside prompt, rubric and talk."""
    return Parameters(
        model,
        scoring.temperature,
        scoring.max_answer_tokens,
        scoring.chunk_characters,
        scoring.max_chunks,
        scoring.mask_names,
    )


def works_of(
    connection: psycopg.Connection[Any], subjects: Sequence[tuple[Subject, Judging]], how: Rejudged
) -> list[Work]:
    """Decide on a portion of talks, in order."""
    prepared = [
        prepare(one.talk, by.rubric, by.prompt, by.instructions, how.parameters, how.names) for one, by in subjects
    ]
    keys = {ask.key for one in prepared for ask in one.requests}
    answers, begun = known_answers(connection, keys), begun_answers(connection, keys)
    current = current_cards(connection, [one for one, _ in subjects])
    works = []
    for (subject, judging), asks in zip(subjects, prepared, strict=True):
        unsuitable = unsuitable_by_rules(subject.talk) or (None if asks.requests else "no_dialogue")
        if unsuitable is not None:
            works.append(Work(subject, judging, asks, unsuitable))
            continue
        paid = {ask.key: answers[ask.key] for ask in asks.requests if ask.key in answers}
        verdict = current.get((subject.kind, subject.subject_id))
        is_kept = (
            len(paid) < len(asks.requests)
            and verdict is not None
            and verdict.transcript_hash == asks.transcript_hash
            and subject.rubric_id not in how.again
        )
        is_old = is_kept and _is_old(verdict, judging.rubric)
        to_repair = {ask.key: begun[ask.key] for ask in asks.requests if ask.key in begun}
        works.append(Work(subject, judging, asks, None, paid, to_repair, is_kept, is_old))
    return works


def _is_old(verdict: Current | None, rubric: Rubric) -> bool:
    return verdict is not None and (verdict.rubric_id, verdict.rubric_version) != (rubric.rubric_id, rubric.version)
