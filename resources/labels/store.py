"""Labels and gates in the warehouse: which talks can be labelled, what people gave, what that makes of each criterion.

Here: ``reference.labels``, ``reference.criterion_gates`` and the scorecards that they are held against. Not here: the
figures (``conversations.scoring.gates``), files (``files``), what was said (``talks``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

import orjson
import psycopg

from conversations.scoring.agreement import Categories, Item
from conversations.scoring.gates import Answers, Gate, Measured, gate, measured
from conversations.scoring.labelling import Judge, Judged, Label
from conversations.scoring.shapes import Criterion, NotGiven, Rubric
from resources.warehouse.audit import record
from resources.warehouse.requirements import NoRubric, rubric_of_version


class Population(NamedTuple):
    """What the newest judge of a rubric has judged."""

    talks: list[Judged]
    days: dict[tuple[str, str], date]
    """The local day of a talk, by kind and id."""


class Imported(NamedTuple):
    """What an import did."""

    new: int
    changed: int
    same: int


class Measurement(NamedTuple):
    """One criterion of one judge."""

    judge: Judge
    criterion: Criterion
    measured: Measured
    gate: Gate
    items: tuple[Item, ...]


def population(connection: psycopg.Connection[Any], rubric_id: str) -> Population:
    """All talks that the newest judge of each department (of chats) has given marks on."""
    rows = connection.execute(_POPULATION, [rubric_id]).fetchall()
    talks = [
        Judged(Judge(rubric_id, version, prompt_hash, model), kind, subject_id, stratum)
        for kind, subject_id, version, prompt_hash, model, stratum, _ in rows
    ]
    return Population(talks, {(row[0], row[1]): row[-1] for row in rows})


_POPULATION = """
with cards as (
    select *, coalesce(department_id, '') as place
    from evaluated.scorecards
    where judge = 'model' and state = 'scored' and rubric_id = %s and prompt_hash is not null and model is not null
), newest as (
    select distinct on (place) place, rubric_version, prompt_hash, model
    from cards
    order by place, rubric_version desc, scored_at desc, prompt_hash, model
)
select
    c.subject_kind, c.subject_id, c.rubric_version, c.prompt_hash, c.model,
    coalesce(c.department_id, c.channel_id) || ' ' || c.happened_week, c.happened_on
from cards as c
join newest using (place, rubric_version, prompt_hash, model)
order by c.subject_kind, c.subject_id
"""


def rubrics_of(connection: psycopg.Connection[Any], judges: Iterable[Judge]) -> dict[tuple[str, int], Rubric]:
    """The rubrics that judges name, as far as they exist."""
    found = {}
    for rubric_id, version in {(judge.rubric_id, judge.rubric_version) for judge in judges}:
        try:
            found[rubric_id, version] = rubric_of_version(connection, rubric_id, version)
        except NoRubric:
            continue
    return found


def unknown(connection: psycopg.Connection[Any], labels: Collection[Label]) -> set[tuple[str, str]]:
    """Kind and id of the talks that no model has ever judged by the rubric of their label.

    Not asked is whether the very judge's card is still there: when a newer one has judged the talk again, what people
    said of it is kept and counts for nothing.
    """
    wanted = {(label.kind, label.subject_id, label.judge.rubric_id) for label in labels}
    rows = connection.execute(
        "select distinct subject_kind, subject_id, rubric_id from evaluated.scorecards"
        " where judge = 'model' and subject_id = any(%s)",
        [sorted({subject_id for _, subject_id, _ in wanted})],
    ).fetchall()
    return {(kind, subject_id) for kind, subject_id, _ in wanted - set(rows)}


def keep(connection: psycopg.Connection[Any], labels: Sequence[Label], at: datetime) -> Imported:
    """Write labels by key; equal ones are not touched. One transaction with its line in the audit."""
    rows = [
        {
            **label.judge._asdict(),
            "subject_id": label.subject_id,
            "subject_kind": label.kind,
            "criterion": label.criterion,
            "grader": label.grader,
            "given": label.given if isinstance(label.given, int) else None,
            "not_given": None if isinstance(label.given, int) else label.given,
            "labelled_at": at,
        }
        for label in labels
    ]
    with connection.transaction():
        written = connection.execute(_KEEP, [orjson.dumps(rows).decode()]).fetchall()
        record(connection, "import_labels", f"{len(labels)} marks")
    new = sum(is_new for (is_new,) in written)
    return Imported(new, len(written) - new, len(labels) - len(written))


_KEEP = """
insert into reference.labels as t
select * from jsonb_populate_recordset(null::reference.labels, %s)
on conflict on constraint labels_pkey do update
set given = excluded.given, not_given = excluded.not_given, labelled_at = excluded.labelled_at
where (t.given, t.not_given) is distinct from (excluded.given, excluded.not_given)
returning t.xmax = 0
"""


def measure(connection: psycopg.Connection[Any], rubric_id: str | None = None) -> list[Measurement]:
    """Every judge that somebody has labelled anything for, criterion by criterion in the rubric's order.

    A talk whose card is by another judge meanwhile takes no part: nothing is known of what this one said.
    """
    judges = [
        Judge(*row)
        for row in connection.execute(
            "select distinct rubric_id, rubric_version, prompt_hash, model from reference.labels"
            " where %(rubric)s::text is null or rubric_id = %(rubric)s order by 1, 2, 3, 4",
            {"rubric": rubric_id},
        )
    ]
    rubrics = rubrics_of(connection, judges)
    return [
        one
        for judge in judges
        if (judge.rubric_id, judge.rubric_version) in rubrics
        for one in _of_judge(connection, judge, rubrics[judge.rubric_id, judge.rubric_version])
    ]


def _of_judge(connection: psycopg.Connection[Any], judge: Judge, rubric: Rubric) -> list[Measurement]:
    items: dict[str, dict[str, Item]] = defaultdict(dict)
    for subject, criterion, grader, *marks in connection.execute(_LABELLED, judge._asdict()):
        of_criterion = items[criterion]
        item = of_criterion.setdefault(subject, Item(subject, _given(*marks[2:]), {}))
        of_criterion[subject] = item._replace(people={**item.people, grader: _given(*marks[:2])})
    answers = {row[0]: Answers(*row[1:]) for row in connection.execute(_ANSWERS, judge._asdict())}
    repeats: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for code, first, second in connection.execute(_REPEATS, judge._asdict()):
        repeats[code].append((first, second))
    found = []
    for criterion in rubric.criteria:
        mine = tuple(items[criterion.code].values())
        figures = measured(
            mine,
            Categories(criterion.best, criterion.may_not_apply),
            answers.get(criterion.code, Answers(0, 0, 0, 0, 0)),
            repeats[criterion.code],
            judge=tuple(judge),
            criterion=criterion.code,
        )
        found.append(Measurement(judge, criterion, figures, gate(figures), mine))
    return found


_CARDS = """
    s.judge = 'model' and s.rubric_id = %(rubric_id)s
    and s.rubric_version = %(rubric_version)s and s.prompt_hash = %(prompt_hash)s and s.model = %(model)s
"""
_LABELLED = f"""
select
    l.subject_kind || ':' || l.subject_id, l.criterion, l.grader, l.given, l.not_given, c.given, c.not_given
from reference.labels as l
join evaluated.scorecards as s on s.subject_kind = l.subject_kind and s.subject_id = l.subject_id
join evaluated.scorecard_criteria as c on c.scorecard_id = s.scorecard_id and c.criterion = l.criterion
where
    {_CARDS} and s.state = 'scored' and l.rubric_id = s.rubric_id and l.rubric_version = s.rubric_version
    and l.prompt_hash = s.prompt_hash and l.model = s.model
"""  # noqa: S608 - a constant
# cards without a score because too little was proved are answers too: left out, they would make the judge look better
_ANSWERS = f"""
select
    c.criterion, count(*),
    count(*) filter (
        where c.given is not null and (c.given > 0 or c.is_auto_fail or c.quote_state <> 'missing')
    ),
    count(*) filter (where c.given is not null and c.quote_state = 'verified'),
    count(*) filter (where c.not_given = 'insufficient_evidence'),
    count(*) filter (where c.not_given = 'not_applicable')
from evaluated.scorecards as s
join evaluated.scorecard_criteria as c on c.scorecard_id = s.scorecard_id
where {_CARDS}
group by c.criterion
"""  # noqa: S608 - a constant
_REPEATS = """
select criterion, first, second from evaluated.judge_repeats
where
    rubric_id = %(rubric_id)s and rubric_version = %(rubric_version)s and prompt_hash = %(prompt_hash)s
    and model = %(model)s
"""


def _given(mark: int | None, word: NotGiven | None) -> int | NotGiven:
    return mark if mark is not None else word or "insufficient_evidence"


def write_gates(connection: psycopg.Connection[Any], found: Iterable[Measurement], at: datetime) -> int:
    """Write the gates within the caller's transaction; returns how many rows are new or different.

    A measurement over fewer labelled talks than the one that is there takes no place of it: the talks were judged again
    by somebody else, or are gone, and neither says anything new of this judge.
    """
    rows = [_gate_row(one, at) for one in found]
    return connection.execute(_WRITE, [orjson.dumps(rows).decode()]).rowcount


def _gate_row(one: Measurement, at: datetime) -> dict[str, Any]:
    figures, interval = one.measured, one.measured.interval
    return {
        **one.judge._asdict(),
        "criterion": one.criterion.code,
        "state": one.gate.state,
        "reasons": list(one.gate.reasons),
        "labelled": figures.labelled,
        "human_items": figures.human_items,
        "kappa": _number(figures.kappa),
        "kappa_low": None if interval is None else _number(interval.low),
        "kappa_high": None if interval is None else _number(interval.high),
        "alpha": _number(figures.alpha),
        "ac1": _number(figures.ac1),
        "human_kappa": _number(figures.human_kappa),
        "repeated": figures.repeated,
        "flip_rate": _number(figures.flip_rate),
        "answers": figures.answers,
        "verified_share": _number(figures.verified_share),
        "insufficient_share": _number(figures.insufficient_share),
        "measured_at": at,
    }


def _number(value: Fraction | float | None) -> float | None:
    return None if value is None else round(float(value), 6)


_FIGURES = (
    "state", "reasons", "labelled", "human_items", "kappa", "kappa_low", "kappa_high", "alpha", "ac1", "human_kappa",
    "repeated", "flip_rate", "answers", "verified_share", "insufficient_share",
)  # fmt: skip
_WRITE = f"""
insert into reference.criterion_gates as t
select * from jsonb_populate_recordset(null::reference.criterion_gates, %s)
on conflict on constraint criterion_gates_pkey do update
set
    {", ".join(f"{name} = excluded.{name}" for name in _FIGURES)},
    fell_at = case
        when excluded.state = 'counted' then null
        when t.state = 'counted' then excluded.measured_at
        else t.fell_at
    end,
    measured_at = excluded.measured_at
where
    excluded.labelled >= t.labelled
    and ({", ".join(f"t.{name}" for name in _FIGURES)}) is distinct from
        ({", ".join(f"excluded.{name}" for name in _FIGURES)})
"""  # noqa: S608 - constants
