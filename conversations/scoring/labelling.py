"""The table in which people mark talks: what stands in it, and what was written into it.

Here: columns, cells, errors by cell, which talks are chosen. Not here: files (``resources.labels.files``), which talks
a judge has judged (``resources.labels.store``), what is made of labels (``agreement``).

A row is a talk, a column a criterion. The judge's marks are nowhere in it: who sees them agrees with them. The last
column says for which judge the row is; a new prompt or model starts without labels (contract, section 10).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from conversations.messages.labels import Labels
from conversations.resampling import seed_of
from conversations.scoring.rubric import cell_name
from conversations.scoring.shapes import Criterion, NotGiven, Rubric, SubjectKind

Fault: TypeAlias = Literal[
    "key", "unknown", "version", "grader", "mark", "scale", "applies", "criterion", "twice", "empty"
]
LONGEST_TRANSCRIPT = 32_000
"""Characters; a cell of a workbook holds 32,767."""
_CODE = re.compile(r"([a-z][a-z0-9_]{0,39})(?: — |$)")
_GRADER = re.compile(r"[^\W_][\w.-]{0,39}")
_NUMBER = re.compile(r"(\d{1,2})(?:[.,]0+)?")
_WORDS: Mapping[str, NotGiven] = {
    **dict.fromkeys(
        ("н/п", "нп", "н.п.", "n/a", "na", "не применимо", "неприменимо"), cast("NotGiven", "not_applicable")
    ),
    **dict.fromkeys(("н/д", "нд", "н.д.", "нет данных"), cast("NotGiven", "insufficient_evidence")),
}


class Judge(NamedTuple):
    """What is measured: a prompt and a model on a version of a rubric."""

    rubric_id: str
    rubric_version: int
    prompt_hash: str
    model: str


class Judged(NamedTuple):
    """A talk that a judge has judged."""

    judge: Judge
    kind: SubjectKind
    subject_id: str
    stratum: str
    """Where it belongs: department or channel, and week."""


class Label(NamedTuple):
    """A person's mark."""

    judge: Judge
    kind: SubjectKind
    subject_id: str
    criterion: str
    grader: str
    given: int | NotGiven


class BadCell(NamedTuple):
    """What is wrong, and where; never what stands there."""

    cell: str
    fault: Fault


def chosen(judged: Iterable[Judged], size: int, seed: int) -> list[Judged]:
    """At most ``size`` talks: the same share of every stratum, at least one while there is room; in drawn order.

    Largest remainders; strata and talks by their names, so that the order of the rows changes nothing.
    """
    strata: dict[str, list[Judged]] = defaultdict(list)
    for one in sorted(judged, key=lambda one: one.subject_id):
        strata[one.stratum].append(one)
    total = sum(map(len, strata.values()))
    size = min(size, total)
    drawn = {name: _shuffled(strata[name], f"{seed}:{name}") for name in sorted(strata)}
    exact = {name: len(talks) * size / total for name, talks in drawn.items()} if total else {}
    quota = {name: int(share) for name, share in exact.items()}
    for name in sorted(exact, key=lambda name: (quota[name] > 0, -(exact[name] - quota[name]), name)):
        if sum(quota.values()) < size:
            quota[name] += 1
    return _shuffled([one for name, talks in drawn.items() for one in talks[: quota[name]]], str(seed))


def _shuffled(talks: list[Judged], seed: str) -> list[Judged]:
    # only chance without consequence: nothing here is a secret
    return Random(seed_of("labels", seed, "", "")).sample(talks, len(talks))


def headings(criteria: Sequence[Criterion]) -> list[str]:
    """The first row."""
    named = [Labels.CRITERION.format(code=one.code, title=one.title, marks=marks_of(one)) for one in criteria]
    return [Labels.NUMBER, Labels.TRANSCRIPT, *named, Labels.GRADER, Labels.KEY]


def marks_of(criterion: Criterion) -> str:
    """The marks that a cell may hold.

    >>> marks_of(Criterion("a", "A", "?", 1, 2, may_not_apply=True))
    '0–2, н/п, н/д'
    """
    words = [Labels.NOT_APPLICABLE] if criterion.may_not_apply else []
    return ", ".join([Labels.MARKS.format(criterion.best), *words, Labels.INSUFFICIENT])


def row_of(number: int, talk: Judged, transcript: str, criteria: Sequence[Criterion]) -> list[str]:
    """A row to be marked."""
    return [str(number), transcript[:LONGEST_TRANSCRIPT], *[""] * len(criteria), "", key_of(talk)]


def key_of(talk: Judged) -> str:
    """The last cell: which talk and which judge."""
    return json.dumps([talk.kind, talk.subject_id, *talk.judge], ensure_ascii=False)


def is_table(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether these rows are such a table."""
    return bool(rows) and {Labels.KEY, Labels.GRADER} <= set(map(_text, rows[0]))


def read(
    rows: Sequence[Sequence[Any]], rubrics: Mapping[tuple[str, int], Rubric], default_grader: str | None = None
) -> tuple[list[Label], list[BadCell]]:
    """The marks of a table, or everything that is wrong with it; with one fault none of it may be taken.

    Args:
        rubrics: By name and version: those that ``judges_of`` names and that exist.
        default_grader: Whose the rows are that do not say so.
    """
    places = {heading: place for place, heading in enumerate(map(_text, rows[0]))}
    codes = {place: found[1] for heading, place in places.items() if (found := _CODE.match(heading))}
    labels: dict[tuple[Any, ...], Label] = {}
    faults: list[BadCell] = []
    for number, row in enumerate(rows[1:], 2):
        marks = {place: _cell(row, place) for place in codes if _cell(row, place)}
        if not marks:
            continue
        talk = _talk(_cell(row, places[Labels.KEY]))
        if talk is None:
            faults.append(BadCell(cell_name(number, places[Labels.KEY]), "key"))
            continue
        rubric = rubrics.get((talk.judge.rubric_id, talk.judge.rubric_version))
        grader = _cell(row, places[Labels.GRADER]) or default_grader or ""
        if rubric is None or not _GRADER.fullmatch(grader):
            place, fault = (Labels.KEY, "version") if rubric is None else (Labels.GRADER, "grader")
            faults.append(BadCell(cell_name(number, places[place]), cast("Fault", fault)))
            continue
        criteria = {one.code: one for one in rubric.criteria}
        for place, said in marks.items():
            given, fault = _given(said, criteria.get(codes[place]))
            label = Label(talk.judge, talk.kind, talk.subject_id, codes[place], grader, given)
            if fault is None and labels.setdefault(label[:-1], label) != label:
                fault = "twice"
            if fault is not None:
                faults.append(BadCell(cell_name(number, place), fault))
    if not labels and not faults:
        faults.append(BadCell(cell_name(2, 2), "empty"))
    return list(labels.values()), faults


def judges_of(rows: Sequence[Sequence[Any]]) -> set[Judge]:
    """For which judges a table was made; rows whose key is broken are left to ``read``."""
    place = list(map(_text, rows[0])).index(Labels.KEY)
    found = (_talk(_cell(row, place)) for row in rows[1:])
    return {talk.judge for talk in found if talk is not None}


def _talk(key: str) -> Judged | None:
    try:
        kind, subject_id, rubric_id, version, prompt_hash, model = json.loads(key)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (subject_id, rubric_id, prompt_hash, model)
    if kind not in ("call", "session") or not all(isinstance(one, str) for one in texts) or type(version) is not int:
        return None
    # PostgreSQL's integer ends there, and its texts hold no NUL
    if not 0 < version < 2**31 or any("\0" in one for one in texts):
        return None
    return Judged(Judge(rubric_id, version, prompt_hash, model), kind, subject_id, "")


def _given(said: str, criterion: Criterion | None) -> tuple[int | NotGiven, Fault | None]:
    if criterion is None:
        return 0, "criterion"
    word = _WORDS.get(said.casefold())
    if word is not None:
        is_wrong = word == "not_applicable" and not criterion.may_not_apply
        return word, "applies" if is_wrong else None
    number = _NUMBER.fullmatch(said)
    if number is None:
        return 0, "mark"
    return int(number[1]), None if int(number[1]) <= criterion.best else "scale"


def _cell(row: Sequence[Any], place: int) -> str:
    return _text(row[place]) if place < len(row) else ""


def _text(value: Any) -> str:
    """A cell as text: spreadsheets give numbers, some as 2.0."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())
