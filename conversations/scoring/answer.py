"""A model's text becomes an answer, or the reason why it is none.

Here: fences, JSON, the schema, one code for each way to go wrong, what may be tried again; the form in which an answer
is stored. Not here: the schema itself (``answer_schema``), whether anything that it says is true (``evidence``).

Nothing is repaired by guessing: an answer follows the schema or is none. Three liberties, none of which touches a mark:
a ```` ```json ```` fence or a byte order mark around the object, an empty string where null is meant, and a date of an
agreement that is no date, which is left out. Texts are made plain (``plain_text``), lists are cut to ``MOST_NOTES``.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from conversations.messages.scoring import Judge
from conversations.scoring.answer_schema import Verdict, model_of
from conversations.scoring.plain_text import plain_text
from conversations.scoring.shapes import Answer, CriterionAnswer, NoteAnswer, Problems, Rubric

LONGEST_ANSWER: Final = 400_000
"""Characters of a model's text that are looked at."""
MOST_NOTES: Final = 10
"""Of each kind, of one answer."""
LONGEST: Final = {"summary": 1_000, "topic": 120, "reason": 500, "note": 500, "quote": 2_000}
"""Characters of the texts of an answer."""
_FENCE: Final = "```"
_LANGUAGE = re.compile(r"[\w-]{0,20}")
_MOST_NAMED: Final = 12
_FIELDS: Final = frozenset({*Verdict.model_fields, "criteria"})
_PARTS_OF_A_MARK: Final = frozenset({"reason", "quote", "score"})
_REFUSED: Final = frozenset({"content_filter"})
_MISSING, _EXTRA = "missing", "extra_forbidden"
_MAY_BE_EMPTY: Final = frozenset({"quote", "unsuitable_reason", "due"})
"""Fields in which models write an empty text for null."""


def read_answer(text: str | None, finish_reason: str | None, refusal: str | None, rubric: Rubric) -> Answer | Problems:
    """Read what a model said.

    Args:
        text: the content of its message; ``None``: the message had none.
        finish_reason: why it stopped, as it says; ``length`` means that its text is cut off.
        refusal: what it said instead of an answer.

    Returns:
        The answer, every criterion of the rubric once and in its order; or what was wrong. ``refused`` and
        ``truncated`` cannot be repaired: asking the same again gives the same.
    """
    if refusal or finish_reason in _REFUSED:
        return Problems("refused", Judge.REFUSED, can_repair=False)
    if finish_reason == "length":
        return Problems("truncated", Judge.TRUNCATED, can_repair=False)
    if text is None:
        return Problems("refused", Judge.REFUSED, can_repair=False)
    if len(text) > LONGEST_ANSWER:
        return Problems("not_json", Judge.TOO_LONG, can_repair=True)
    text = text.replace("\ufeff", "").strip()
    if not text:
        return Problems("empty", Judge.EMPTY, can_repair=True)
    try:
        parsed = _object(text)
    except (ValueError, RecursionError):
        return Problems("not_json", Judge.NOT_JSON, can_repair=True)
    try:
        return _validated(parsed, rubric)
    except RecursionError:
        # as deep as the parser just lets through, too deep for who looks at it
        return Problems("not_json", Judge.NOT_JSON, can_repair=True)


def stored(answer: Answer) -> dict[str, Any]:
    """The answer as JSON, for the cache of paid answers."""
    return {
        **answer._asdict(),
        "criteria": [mark._asdict() for mark in answer.criteria],
        "notes": [{**note._asdict(), "due": note.due and note.due.isoformat()} for note in answer.notes],
    }


def answer_of(content: dict[str, Any]) -> Answer:
    """The answer that was stored.

    Raises:
        KeyError, TypeError, ValueError: it was not made by ``stored``.
    """
    return Answer(
        **{
            **content,
            "criteria": tuple(CriterionAnswer(**mark) for mark in content["criteria"]),
            "notes": tuple(
                NoteAnswer(**{**note, "due": date.fromisoformat(note["due"]) if note["due"] else None})
                for note in content["notes"]
            ),
        }
    )


class _Parsed(NamedTuple):
    """JSON that was read, empty texts where null is meant as null."""

    content: Any
    text: bytes | None
    """The same as it came, if every reader of JSON understands it in the same way and nothing was changed."""


def _object(text: str) -> _Parsed:
    """The JSON object, alone or in a fence; nothing else may stand around it.

    Raises:
        ValueError, RecursionError: it is no JSON, has a key twice, or a number that JSON does not know.
    """
    if text.startswith(_FENCE) and text.endswith(_FENCE) and len(text) >= 2 * len(_FENCE):
        text = _LANGUAGE.sub("", text[len(_FENCE) : -len(_FENCE)], count=1)
    is_as_it_came = "\\u" not in text

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal is_as_it_came
        content = dict(pairs)
        if len(content) < len(pairs):
            raise ValueError("a key is there twice")
        for name in content.keys() & _MAY_BE_EMPTY:
            if isinstance(value := content[name], str) and _is_empty(name, value):
                content[name] = None
                is_as_it_came = False
        return content

    def whole(digits: str) -> int:
        nonlocal is_as_it_came
        if len(digits) <= 18 and digits[0] != "-":
            return int(digits)
        is_as_it_came = False
        # no mark has so many digits, and Python refuses or takes its time over thousands
        return int(digits) if len(digits) <= 18 else -1

    def real(digits: str) -> float:
        nonlocal is_as_it_came
        is_as_it_came = False
        return float(digits)

    content = json.loads(
        text, object_pairs_hook=once, parse_constant=_no_number, parse_int=whole, parse_float=real
    )  # fmt: skip
    try:
        return _Parsed(content, text.encode() if is_as_it_came else None)
    except UnicodeEncodeError:
        return _Parsed(content, None)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _is_empty(name: str, value: str) -> bool:
    return _date(value) is None if name == "due" else not value.strip()


def _validated(parsed: _Parsed, rubric: Rubric) -> Answer | Problems:
    content = parsed.content
    if isinstance(content, dict) and content.get("is_suitable") is False:
        # no mark of such a talk counts, so none is asked for
        content = {name: value for name, value in content.items() if name != "criteria"}
        try:
            verdict = Verdict.model_validate_json(_dumped(content))
        except ValidationError as error:
            return _problems(error, rubric)
        return _answer(verdict, (), rubric)
    try:
        whole: Any = model_of(rubric).model_validate_json(parsed.text or _dumped(content))
    except ValidationError as error:
        return _problems(error, rubric)
    return _answer(whole, tuple(getattr(whole.criteria, f"c{n}") for n in range(len(rubric.criteria))), rubric)


def _dumped(content: Any) -> str:
    # half of a surrogate pair is no text and could not be stored
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _answer(whole: Any, marks: tuple[Any, ...], rubric: Rubric) -> Answer:
    is_suitable = whole.is_suitable
    return Answer(
        is_suitable=is_suitable,
        unsuitable=None if is_suitable else whole.unsuitable_reason or "other",
        summary=plain_text(whole.summary, LONGEST["summary"]),
        topic=plain_text(whole.topic, LONGEST["topic"]),
        sentiment=whole.sentiment,
        criteria=tuple(
            CriterionAnswer(criterion.code, mark.score, plain_text(mark.reason, LONGEST["reason"]), _quote(mark.quote))
            for criterion, mark in zip(rubric.criteria, marks, strict=False)
        ),
        notes=tuple(_notes(whole)),
    )


def _notes(whole: Any) -> list[NoteAnswer]:
    notes = []
    for kind, listed in (
        ("recommendation", whole.recommendations),
        ("agreement", whole.agreements),
        ("decline_reason", whole.decline_reasons),
    ):
        for note in listed[:MOST_NOTES]:
            text = plain_text(note.text, LONGEST["note"])
            if text:
                code = note.code if kind == "decline_reason" else None
                due = _date(note.due) if kind == "agreement" and note.due else None
                notes.append(NoteAnswer(kind, text, _quote(note.quote), code, due))
    return notes


def _quote(quote: str | None) -> str | None:
    """As it came: it is looked for, and what is stored are the characters of the talk, not these."""
    return quote[: LONGEST["quote"]].replace("\x00", "") if quote else None


def _problems(error: ValidationError, rubric: Rubric) -> Problems:
    """The worst of what was wrong, in words that hold nothing of the answer: it may repeat the talk."""
    codes = {criterion.code for criterion in rubric.criteria}
    missing, outside, invented, fields = {}, {}, 0, {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = item["loc"]
        code = place[1] if len(place) > 1 and place[0] == "criteria" and place[1] in codes else None
        if code is not None and len(place) == 2 and item["type"] == _MISSING:
            missing[code] = None
        elif code is not None and len(place) > 2 and place[2] == "score" and item["type"] != _MISSING:
            outside[code] = None
        elif len(place) == 2 and place[0] == "criteria" and code is None and item["type"] == _EXTRA:
            invented += 1
        else:
            fields[_field(place, codes)] = None
    if missing:
        return Problems("missing_criterion", Judge.MISSING.format(codes=_named(missing)), can_repair=True)
    if invented:
        return Problems("invented_criterion", Judge.INVENTED.format(n=invented), can_repair=True)
    if outside:
        return Problems("out_of_scale", Judge.OUT_OF_SCALE.format(codes=_named(outside)), can_repair=True)
    return Problems("wrong_schema", Judge.WRONG_SCHEMA.format(fields=_named(fields)), can_repair=True)


def _field(place: tuple[int | str, ...], codes: set[str]) -> str:
    """A place in the answer by names that are ours; what a model made up is not repeated."""
    known = _FIELDS | codes | _PARTS_OF_A_MARK | {"text", "due", "code"}
    names = [str(part) for part in place if isinstance(part, str) and part in known]
    return ".".join(names) or Judge.AN_UNKNOWN_FIELD


def _named(names: dict[str, None]) -> str:
    shown = list(names)[:_MOST_NAMED]
    return ", ".join(shown) + ("…" if len(names) > len(shown) else "")
