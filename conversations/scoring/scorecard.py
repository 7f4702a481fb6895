"""An answer becomes a scorecard: marks that are proved count, the others are reported.

Here: what a quote is worth, the parts of a long talk as one, the score. Not here: finding a quote (``evidence``), the
arithmetic of weights (``conversations.scores``), marks without a model (``rules``).

**What counts** (contract, section 6; promise S8: "every score needs a quote that occurs in the transcript"):

- A mark above 0 counts only with a verified quote, spoken by whom the criterion is about. Otherwise the criterion is
  ``insufficient_evidence``; what the judge claimed stays readable.
- A mark of 0 without a quote counts: nobody can quote what was not said. A 0 with a quote counts only if the quote is
  verified: a judge that quotes what nobody said is not believed, whichever way it errs.
- An automatic fail needs a verified quote. A 0 of such a criterion without one is ``insufficient_evidence``.
- ``not_applicable`` needs no quote and is possible only where the rubric allows it.

**What the score may not hide.** Marks without proof leave the weights, so a judge that claims much could raise a score
by what it cannot prove. Therefore a talk whose unproved claims (a mark above 0, or any mark with a wrong quote) weigh
more than ``MOST_UNPROVED`` of all that was claimed has no score: ``unscored``, reason ``not_proved``. Where an order to
the judge was found in the talk, one unproved claim is enough, or one quote that is to prove more than
``MOST_BY_ONE_QUOTE`` criteria, as a judge quotes that gives marks away: reason ``suspected_injection``. The criteria of
such a talk are kept for people to read and count nowhere. Fewer unproved claims only set the flag ``unproved_marks``.

**Parts of a long talk.** Each part was judged by itself; of a criterion counts, in this order: a proved automatic
fail; the highest proved mark; an unproved claim (``insufficient_evidence``), since nobody knows what it hides; 0;
``insufficient_evidence``; ``not_applicable``. The talk is suitable if a part is. Summaries stand one behind the other,
the topic is the first part's, feelings that differ are ``mixed``, equal notes are one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from conversations.scores import Mark, score_of
from conversations.scoring.evidence import Evidence
from conversations.scoring.shapes import (
    Answer,
    Criterion,
    CriterionAnswer,
    CriterionResult,
    Judge,
    NoteAnswer,
    NoteResult,
    Prepared,
    Rubric,
    Scorecard,
    Sentiment,
    Unsuitable,
)

MOST_UNPROVED: Final = (1, 4)
"""A quarter: more than so much of the claimed weight without proof, and there is no score."""
MOST_BY_ONE_QUOTE: Final = 2
"""Criteria with a mark above 0 that one quote may prove where an order to the judge was found."""
MOST_NOTES: Final = 10
"""Of each kind."""
_LONGEST_SUMMARY: Final = 2_000


def card_of(prepared: Prepared, answers: Sequence[Answer], rubric: Rubric) -> Scorecard:
    """The scorecard of a talk that a model has judged.

    Args:
        answers: one for each request, in their order.

    Raises:
        ValueError: not every part has an answer.
    """
    if not answers or len(answers) != len(prepared.requests):
        raise ValueError("a scorecard needs an answer for every part of the talk")
    suitable = [answer for answer in answers if answer.is_suitable]
    if not suitable:
        return unsuitable_card(answers[0].unsuitable or "other", "model", prepared.flags, answers[0].summary)
    evidence = Evidence.of(prepared)
    marks = [
        _united([_checked(criterion, answer.criteria[n], evidence) for answer in suitable])
        for n, criterion in enumerate(rubric.criteria)
    ]
    moods: set[Sentiment] = {answer.sentiment for answer in suitable}
    return card_of_marks(
        marks,
        "model",
        prepared.flags,
        summary=" ".join(dict.fromkeys(answer.summary for answer in suitable if answer.summary))[:_LONGEST_SUMMARY],
        topic=next((answer.topic for answer in suitable if answer.topic), ""),
        sentiment=moods.pop() if len(moods) == 1 else "mixed",
        notes=_notes([note for answer in suitable for note in answer.notes], evidence),
    )


def card_of_marks(
    marks: Sequence[CriterionResult],
    judge: Judge,
    flags: Sequence[str],
    summary: str | None = None,
    topic: str | None = None,
    sentiment: Sentiment | None = None,
    notes: Sequence[NoteResult] = (),
) -> Scorecard:
    """A scorecard of marks whose quotes have been looked for."""
    score = score_of(Mark(mark.code, mark.weight, mark.best, mark.given, mark.is_auto_fail) for mark in marks)
    unproved = [mark for mark in marks if _is_unproved(mark)]
    reason = _why_unscored(marks, unproved, flags) if judge == "model" else None
    is_scored = reason is None
    return Scorecard(
        state="scored" if is_scored else "unscored",
        reason=reason,
        judge=judge,
        final_score=float(score.final) if is_scored and score.final is not None else None,
        raw_score=float(score.raw) if is_scored and score.raw is not None else None,
        is_auto_fail=is_scored and score.is_auto_fail,
        summary=summary or None,
        topic=topic or None,
        sentiment=sentiment,
        criteria=tuple(marks),
        notes=tuple(notes),
        flags=(*flags, *(["unproved_marks"] if unproved else [])),
    )


def unsuitable_card(kind: Unsuitable, judge: Judge, flags: Sequence[str] = (), summary: str | None = None) -> Scorecard:
    """There is no talk to judge."""
    return Scorecard("unsuitable", kind, judge, None, None, False, summary or None, None, None, (), (), tuple(flags))


def unscored_card(reason: str, judge: Judge, flags: Sequence[str] = ()) -> Scorecard:
    """There is a talk and no valid answer: the code of ``Problems``, or of what kept an answer from coming."""
    return Scorecard("unscored", reason, judge, None, None, False, None, None, None, (), (), tuple(flags))


def _checked(criterion: Criterion, answer: CriterionAnswer, evidence: Evidence) -> CriterionResult:
    found = evidence.find(answer.quote, criterion.about)
    is_verified = found.state == "verified"
    given = answer.given
    if isinstance(given, int) and not is_verified:
        is_plain_absence = given == 0 and found.state == "missing" and not criterion.fails_all
        if not is_plain_absence:
            given = "insufficient_evidence"
    return CriterionResult(
        code=criterion.code,
        weight=criterion.weight,
        best=criterion.best,
        given=given,
        claimed=answer.given,
        is_auto_fail=criterion.fails_all and given == 0,
        reason=answer.reason,
        quote=found.quote,
        quote_state=found.state,
        ref=found.ref,
        speaker=found.speaker,
    )


def _is_unproved(mark: CriterionResult) -> bool:
    return isinstance(mark.claimed, int) and mark.given == "insufficient_evidence"


def _why_unscored(
    marks: Sequence[CriterionResult], unproved: Sequence[CriterionResult], flags: Sequence[str]
) -> str | None:
    if "suspected_injection" in flags:
        proofs = Counter((mark.ref, mark.quote) for mark in marks if isinstance(mark.given, int) and mark.given > 0)
        if unproved or max(proofs.values(), default=0) > MOST_BY_ONE_QUOTE:
            return "suspected_injection"
    claimed = sum(mark.weight for mark in marks if isinstance(mark.claimed, int))
    most, of = MOST_UNPROVED
    return "not_proved" if sum(mark.weight for mark in unproved) * of > claimed * most else None


def _united(results: Sequence[CriterionResult]) -> CriterionResult:
    """One criterion over the parts of a talk; the first of equals."""
    return max(results, key=_rank)


def _rank(result: CriterionResult) -> tuple[int, int]:
    if result.is_auto_fail:
        return 5, 0
    if isinstance(result.given, int) and result.given > 0:
        return 4, result.given
    if _is_unproved(result):
        return 3, 0
    if result.given == 0:
        # one with a quote says more than one without
        return 2, int(result.quote is not None)
    return (1 if result.given == "insufficient_evidence" else 0), 0


def _notes(notes: Sequence[NoteAnswer], evidence: Evidence) -> list[NoteResult]:
    results: list[NoteResult] = []
    seen: set[tuple[str, str | None, str]] = set()
    numbers: dict[str, int] = {}
    for note in notes:
        key = (note.kind, note.code, " ".join(note.text.casefold().split()))
        if key in seen or numbers.get(note.kind, 0) >= MOST_NOTES:
            continue
        seen.add(key)
        numbers[note.kind] = numbers.get(note.kind, 0) + 1
        # advice and agreements may stand on anybody's words, a reason to decline on the customer's alone
        found = evidence.find(note.quote, "customer" if note.kind == "decline_reason" else "anyone")
        state = "not_found" if found.state == "wrong_speaker" else found.state
        results.append(
            NoteResult(note.kind, numbers[note.kind], note.text, note.code, note.due, found.quote, state, found.ref)
        )
    return results
